"""The bridge from the command line to `port.verify`: which cases, which folders, and one verdict per case."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from port import files, laying
from port.batch import Item
from port.config import Config
from port.project import closure, reached, state
from port.report.model import CaseVerdict
from port.status import case_key
from port.verify.cases import Case, Settings, as_case
from port.verify.inputs import read
from port.verify.modules import find, split
from port.verify.verdict import NOTHING

_TF = re.compile(r"^\s*(?:import|from)\s+(?:tensorflow|keras|tf_keras)\b", re.MULTILINE)
_TORCH = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


def cases(given: dict[str, Any]) -> list[Case]:
    """A case for each --call, all with the inputs that --input describes."""
    if not given["call"] and given["input"]:
        raise ValueError("--input needs --call")
    return [_case({"call": call, "inputs": given["input"] or []}) for call in given["call"] or ()]


def configured(config: Config, source: Path) -> list[Case]:
    """The cases of this file or folder; of a file also those that name it as a module of a folder."""
    entries = config.cases_for(source)
    root = config.root if source.is_file() else None
    for case in config.cases if root else ():
        folder, name = Path(root or ".", case.file), split(case.entry["call"])[0]
        if name and folder.is_dir() and find(folder, name) == source.resolve():
            entries.append(case.entry)
    return [_case(entry) for entry in entries]


def _case(entry: dict[str, Any]) -> Case:
    """A case whose faults are told now, and not by a child process."""
    case = as_case(entry)
    read(case.inputs)
    for code in filter(None, (split(case.call)[1], split(case.ported_call)[1])):
        try:
            ast.parse(code, mode="eval")
        except SyntaxError as error:
            raise ValueError(f"{code!r} is not a Python expression: {error.msg}") from None
    return case


def settings(given: dict[str, Any]) -> Settings:
    """Settings from the options that were given; the rest keeps verify's defaults."""
    names = ("device", "dtypes", "steps", "seed", "timeout", "tf_python", "torch_python", "record", "against",
             "backends")
    chosen: dict[str, Any] = {name: given[name] for name in names if given.get(name) is not None}
    chosen |= {name: tuple(dict.fromkeys(chosen[name])) for name in ("dtypes", "backends") if name in chosen}
    return Settings(**chosen)


def direction(source: Path, ported: Path, cases: Sequence[Case] = ()) -> str:
    """Which way a pair of files, or of the folders of a case that names a module, goes, from what they import.

    Both may use one framework: a round trip, or two versions of a file. ValueError if the imports do not say.
    """
    first, second = _frameworks(source, cases), _frameworks(ported, cases)
    if len(first) == 1 and first == second:
        side = next(iter(first))
        return f"{side}2{side}"
    if first == {"tf"} and "torch" in second:  # refused parts of a port still import the source's framework
        return "tf2torch"
    if first == {"torch"} and "tf" in second:
        return "torch2tf"
    if second == {"torch"} and "tf" in first:
        return "tf2torch"
    if second == {"tf"} and "torch" in first:
        return "torch2tf"
    raise ValueError("each file must use TensorFlow or Keras, or PyTorch")


def _frameworks(place: Path, cases: Sequence[Case]) -> set[str]:
    """Of a file; of a folder: of the first module that a case names, else of all that lies in it."""
    named = next((name for case in cases if (name := split(case.call)[0])), "")
    path = find(place, named) if named and place.is_dir() else place
    return _uses(path) or (set().union(*map(_uses, sorted(place.rglob("*.py")))) if place.is_dir() else set())


def _uses(path: Path) -> set[str]:
    try:
        text = files.read(path).text
    except files.FileProblem as problem:
        raise ValueError(f"{path}: {problem}") from None
    return {name for name, pattern in (("tf", _TF), ("torch", _TORCH)) if pattern.search(text)}


def verify_items(items: Sequence[Item], direction: str, config: Config, given: Sequence[Case],
                 settings: Settings, note: Callable[[str], None], keep: Callable[[dict[str, Any]], None]) -> list[Item]:
    """Verify every changed file against its translation, which is put into a temporary folder with all the others.

    `note` says what is going on; `keep` gets what `port status` is to know of each configured case.
    """
    with tempfile.TemporaryDirectory(prefix="port-") as folder:
        ported = _lay_out(items, Path(folder))
        done = []
        for item in items:
            if not item.report.changed:
                done.append(item)
                continue
            wanted = list(given) or configured(config, item.found.path)
            note(f"verifying {item.found.path}")
            verdicts = verify_pair(item.found.path, ported[item.found.path], direction, wanted, settings)
            if not given:
                keep(notes(config, item.found.path, ported[item.found.path], verdicts))
            done.append(replace(item, report=replace(item.report, verdicts=verdicts)))
        return _with_users(done)


def _with_users(items: Sequence[Item]) -> list[Item]:
    """A file in which there is nothing to build says nothing of its own if verified models of others use it."""
    def real(item: Item) -> Path:
        return item.found.path.resolve()

    empty = [item for item in items if [v.text for v in item.report.verdicts] == [NOTHING]]
    if not empty:
        return list(items)
    members = closure({real(item): item.source.text for item in items if item.source}, lambda symbol: False)
    passed = [real(item) for item in items if item.report.verdicts and all(v.ok for v in item.report.verdicts)]
    used = {member.path for member in reached([path for path in passed if path in members], members)}
    return [replace(item, report=replace(item.report, verdicts=())) if item in empty and real(item) in used else item
            for item in items]


def notes(config: Config, source: Path, ported: Path, verdicts: Sequence[CaseVerdict]) -> dict[str, Any]:
    """The verdicts of the cases that are configured for this file or folder, with what was compared."""
    cases = [case for case in config.cases if config.root and (config.root / case.file).resolve() == source.resolve()]
    states = {"source": state(source), "ported": state(ported)}
    return {case_key(case.file, case.entry["call"]): {"status": verdict.status, **states}
            for case, verdict in zip(cases, verdicts, strict=False)}


def _lay_out(items: Sequence[Item], folder: Path) -> dict[Path, Path]:
    """Write all translations below `folder` as they lie to each other, so that they can import each other."""
    return laying.lay_out({item.found.path: laying.Laid(item.report.result.text,
                                                        item.source.encode(item.report.result.text))
                           for item in items if item.source is not None and item.report.result is not None}, folder)


def verify_pair(source: Path, ported: Path, direction: str, cases: Sequence[Case],
                settings: Settings) -> tuple[CaseVerdict, ...]:
    """Run `port.verify` on one pair; without cases it looks for builders that need no arguments."""
    from port.report import verdicts
    from port.verify.parent import verify

    with tempfile.TemporaryDirectory(prefix="port-") as name:
        first, told = laying.module(source, Path(name, "source"))
        second, also = laying.module(ported, Path(name, "port"))
        found = verify(first, second, direction, list(cases) or None, settings)
    notes = tuple(dict.fromkeys(filter(None, (told, also))))
    return tuple(verdicts.of(replace(verdict, notes=(*verdict.notes, *notes))) for verdict in found)
