"""The conversation of `--interactive`: hunk after hunk is shown and decided on."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from port import files
from port.batch import Item
from port.report import terminal
from port.report.hunks import Hunk, split, unified
from port.report.model import FileReport
from port.review.choices import Draft, accepted, decided, draft, fault, undefined

HELP = """\
y - take this hunk
n - leave these lines as they are
e - edit the new lines in $VISUAL or $EDITOR
a - take this hunk and all later ones of the file
d - leave this hunk and all later ones of the file
q - stop here: this file and the later ones stay as they are
? - this text
Imports are not asked for: each is taken, or kept, where the code that you chose uses it."""
Answer = list[str] | None  # the new lines of a hunk; None: the source stays


class Quit(Exception):
    """The rest of the run is left as it is."""


@dataclass(frozen=True)
class Talk:
    """How to reach the user."""

    console: Console
    ask: Callable[[str], str]
    edit: Callable[[list[str]], list[str]]

    def say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True, highlight=False)


def review(items: Sequence[Item], talk: Talk) -> list[Item]:
    """The items, each with the translation that was decided on; those after a `q` unchanged in their files."""
    out: list[Item] = []
    stopped = False
    for item in items:
        if item.source is None or item.report.result is None or item.report.failed or not item.report.changed:
            out.append(item)
            continue
        text = item.report.result.source
        if not stopped:
            try:
                text = _file(item, talk)
            except Quit:
                stopped = True
        result = replace(item.report.result, text=text, lines=())
        out.append(replace(item, report=replace(item.report, result=result)))
    return out


def _file(item: Item, talk: Talk) -> str:
    """The text that was decided on: it parses, and can be written in the file's encoding."""
    assert item.report.result is not None and item.source is not None
    made = draft(item.report.result)
    while True:
        answers = _answers(item.report, made, talk)
        text = decided(made, answers)
        problem = _problem(text, item.source)
        if problem:
            talk.say(f"What you chose does not go together: {problem}. Once more, from the first hunk.")
            continue
        lost = undefined(made, text)
        if not lost:
            return text
        told = ", ".join(f"`{name}` (line {line})" for name, line in sorted(lost.items(), key=lambda n: n[1]))
        talk.say(f"What you chose uses {told}, which only a hunk that you left defines.")
        if _ask(talk, "Take it as it is? [y: yes, n: decide again, q: stop] ", "ynq") == "y":
            return text


def _problem(text: str, source: files.Source) -> str:
    problem = fault(text)
    if problem:
        return f"it is not Python, {problem}"
    try:
        source.encode(text)
    except files.FileProblem as told:
        return str(told)
    return ""


def _answers(file: FileReport, made: Draft, talk: Talk) -> list[Answer]:
    answers: list[Answer] = []
    head, *parts = unified(file.path, made.hunks)
    for line in head:
        talk.say(line)
    for n, (hunk, part) in enumerate(zip(made.hunks, parts, strict=True), 1):
        terminal.show_hunk(file, hunk, part, talk.console)
        for finding in () if talk.console.is_terminal else hunk.findings:
            talk.say(f"  {file.spot(finding)} {finding.code} {finding.message}")
        answer = _ask(talk, f"({n}/{len(made.hunks)}) Take this hunk? [y,n,e,a,d,q,?] ", "yneadq")
        if answer == "e":
            answers.append(_edited(made, hunk, answers, talk))
        elif answer in "ad":
            rest = made.hunks[n - 1:]
            return answers + [accepted(made, h) if answer == "a" else None for h in rest]
        else:
            answers.append(accepted(made, hunk) if answer == "y" else None)
    return answers


def _edited(made: Draft, hunk: Hunk, answers: list[Answer], talk: Talk) -> Answer:
    """What the editor gives; asked again while no choice for the hunks that follow makes Python of it."""
    lines = accepted(made, hunk)
    later = made.hunks[len(answers) + 1:]
    while True:
        try:
            lines = _same_ends(talk.edit(lines), made.result.text)
        except (OSError, subprocess.SubprocessError) as error:
            problem = f"the editor failed: {error}"
        else:
            faults = [fault(decided(made, [*answers, lines, *rest])) for rest in (
                [accepted(made, h) for h in later], [None for _ in later])]
            if not all(faults):
                return lines
            problem = f"with this the file is not Python, {faults[0]}"
        talk.say(problem)
        answer = _ask(talk, "Edit again? [e: edit, y: take what was offered, n: leave these lines, q: stop] ", "eynq")
        if answer != "e":
            return accepted(made, hunk) if answer == "y" else None


def _same_ends(lines: list[str], text: str) -> list[str]:
    """The lines with the line breaks of the file, whatever the editor makes of them."""
    end = next((line[len(line.rstrip("\r\n")):] for line in split(text)), "\n") or "\n"
    return [line.rstrip("\r\n") + (end if line.endswith(("\n", "\r")) else "") for line in lines]


def _ask(talk: Talk, question: str, letters: str) -> str:
    while True:
        try:
            answer = talk.ask(question).strip().lower()[:1]
        except EOFError:
            raise Quit from None
        if answer == "q":
            raise Quit
        if answer and answer in letters:
            return answer
        talk.say(HELP if "a" in letters else f"Please answer one of {', '.join(letters)}.")


# ---------------------------------------------------------------- the user's editor
def edit(lines: list[str]) -> list[str]:
    """The lines as the user's editor leaves them. OSError or SubprocessError where it fails."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with _scratch("".join(lines)) as path:
        subprocess.run([*shlex.split(command), str(path)], check=True)
        return split(path.read_bytes().decode("utf-8", "replace"))


@contextmanager
def _scratch(text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="port-") as folder:
        path = Path(folder, "hunk.py")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        yield path
