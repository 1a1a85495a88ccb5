"""The command line: arguments, exit codes, files. Everything heavy is imported when a command needs it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from port import arguments

if TYPE_CHECKING:
    from pathlib import Path

    from port.batch import Item
    from port.cache import Cache
    from port.config import Config
    from port.files import Found
    from port.report.model import Report
    from port.result import Options
    from port.table import Texts


class Usage(Exception):
    """Wrong usage; the message is for the user."""


def main(given_arguments: Sequence[str] | None = None) -> int:
    """The `port` command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows its code instead
            stream.reconfigure(errors="backslashreplace")
    parser = arguments.parser(RUN)
    given = parser.parse_args(given_arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
        return code
    except Usage as problem:
        parser.error(str(problem))
    except BrokenPipeError:  # the reader, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _tf2torch(given: argparse.Namespace) -> int:
    return _translate("tf2torch", given)


def _torch2tf(given: argparse.Namespace) -> int:
    return _translate("torch2tf", given)


def _translate(direction: str, given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import batch, files
    from port.cache import opened
    from port.report.bar import watched
    from port.report.model import Report

    if "-" in given.paths:
        raise Usage("- is not read from: name a file, or /dev/stdin for the diff of what is piped in")
    paths = [Path(path) for path in given.paths]
    output = Path(given.output) if given.output else None
    config = _config(paths[0])
    found = files.find(paths, config.exclude, output)
    if (given.call or given.input) and not (given.verify and len(found) == 1):
        raise Usage("--call and --input need --verify and a single file")
    if given.interactive and (given.check or given.format != "text"):
        raise Usage("--interactive writes, and talks in text: not with --check or another --format")
    writes = given.write or given.interactive or output is not None
    if given.baseline:
        return _against_baseline(direction, found, given)
    cache = opened(None if given.no_cache else config.root or Path())
    try:
        run = batch.run(found, direction, lambda path: _options(direction, config, path, given), given.jobs, cache)
        items = list(watched(run, len(found)))
        if given.interactive:
            items = _review(items)
        if given.verify:
            items = _verify_items(items, direction, config, given, cache)
        if given.clear_outputs:
            items = batch.without_outputs(items)
        if writes:
            items = batch.save(items, output, single=len(paths) == 1 and not paths[0].is_dir())
    except ValueError as problem:
        raise Usage(str(problem)) from None
    report = Report(direction, tuple(item.report for item in items), given.check)
    return _finish(report, given, with_diff=not writes)


def _config(path: os.PathLike[str]) -> Config:
    from pathlib import Path

    from port import config

    start = Path(path)
    try:
        found = config.load(start if start.is_dir() else start.parent)
        _checked_rows(found.options.get("mappings", ()))
        return found
    except config.ConfigProblem as problem:
        raise Usage(str(problem)) from None


def _checked_rows(texts: Texts) -> None:
    """Faulty rows of the project are wrong usage, told before any work."""
    if not texts:
        return
    from port import table
    from port.rowtext import RowError

    try:
        with table.added(texts):
            table.load()
    except RowError as faults:
        raise Usage(f"faulty rows: {faults}") from None


def _options(direction: str, config: Config, path: Path, given: argparse.Namespace) -> Options:
    """For one file: the command line over the configuration over the defaults."""
    from dataclasses import fields

    from port.result import Options

    chosen = {field.name: getattr(given, field.name, None) for field in fields(Options)}
    given_ = {name: value for name, value in chosen.items() if value is not None}
    options = Options(**{**config.options_for(path), **given_})
    if options.layout == "native" and direction == "tf2torch":  # ignoring it would be a silent difference
        raise Usage("layout = native is for torch2tf alone: a PyTorch port keeps the interface of its Keras source; "
                    "leave it out (also in [tool.port])")
    return options


def _verify_items(items: list[Item], direction: str, config: Config, given: argparse.Namespace, cache: Cache
                  ) -> list[Item]:
    from port import checking

    _say("--verify runs your code, in child processes")
    cases, settings = checking.cases(vars(given)), checking.settings(vars(given))
    return checking.verify_items(items, direction, config, cases, settings, note=_say, keep=cache.note)


def _against_baseline(direction: str, found: Sequence[Found], given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import baseline
    from port.report.model import Report

    if not (given.check or given.update_baseline):
        raise Usage("--baseline goes with --check, or with --update-baseline")
    try:
        if given.update_baseline:
            _say(f"{given.baseline}: {baseline.save(Path(given.baseline), direction, found)} uses on record")
            return 0
        report = Report(direction, tuple(baseline.compare(Path(given.baseline), direction, found)))
    except baseline.BaselineProblem as problem:
        raise Usage(str(problem)) from None
    return _finish(report, given, with_diff=False)


def _review(items: list[Item]) -> list[Item]:
    from rich.console import Console

    from port.review import session

    console = Console(width=None if sys.stdout.isatty() else 120)
    return session.review(items, session.Talk(console, input, session.edit))


def _finish(report: Report, given: argparse.Namespace, with_diff: bool) -> int:
    """Print the report in the format asked for, and write it as a page if one is."""
    from port import output

    try:
        output.page(report, given.report)
    except ValueError as problem:
        raise Usage(str(problem)) from None
    output.show(report, given.format, with_diff, given.verbose)
    for line in output.problems(report):
        _say(line)
    return report.exit_code


def _verify(given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import checking
    from port.cache import opened
    from port.report.model import FileReport, Report

    source, ported = Path(given.source), Path(given.ported)
    config = _config(source)
    try:
        cases = checking.cases(vars(given)) or checking.configured(config, source)
        direction = checking.direction(source, ported, cases)
        settings = checking.settings(vars(given))
        _say("verify runs your code, in child processes")
        verdicts = checking.verify_pair(source, ported, direction, cases, settings)
        if not given.call and config.root is not None:
            opened(config.root).note(checking.notes(config, source, ported, verdicts))
    except OSError as problem:
        raise Usage(f"{problem.filename}: {problem.strerror}") from None
    except ValueError as problem:
        raise Usage(str(problem)) from None
    report = Report(direction, (FileReport(str(source), verdicts=verdicts),))
    return _finish(report, given, with_diff=False)


def _status(given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import files, status
    from port.cache import opened
    from port.report import migration

    config = _config(given.paths[0])
    found = files.find([Path(path) for path in given.paths], config.exclude)
    made = status.status(found, given.direction, config, opened(config.root or Path()).notes())
    print(migration.as_json(made) if given.format == "json" else migration.as_text(made))
    return 0


def _ops(given: argparse.Namespace) -> int:
    from port import table
    from port.report import lookup, support
    from port.rowtext import RowError

    if given.prove:
        return _prove(given.prove)
    try:
        if given.coverage or given.page:
            print(support.page() if given.page else support.text(), end="" if given.page else "\n")
            return 0
        texts = list(lookup.ops(table.load(), given.query))
    except RowError as faults:
        _say(f"faulty rows in {table.folder()}:\n{faults}")
        return 2
    if not texts:
        near = lookup.nearest(table.load(), given.query)
        _say(f"no row holds {given.query!r}: the symbol has no translation yet"
             + (f"; did you mean {' or '.join(near)}?" if near else ""))
        return 1
    print("\n".join(texts))
    return 0


def _prove(name: str) -> int:
    from pathlib import Path

    from port import config
    from port.prove import rows

    path = Path(name)
    loaded = _config(path)
    root = loaded.root or Path()
    try:
        text = config.rows(root, str(path.resolve().relative_to(root.resolve())), name)
    except (config.ConfigProblem, ValueError) as problem:
        raise Usage(str(problem)) from None
    others = tuple((n, t) for n, t in loaded.options.get("mappings", ()) if (root / n).resolve() != path.resolve())
    _checked_rows((*others, (path.name, text)))
    proofs = rows.prove((*others, (path.name, text)), [path.name], _say, root.resolve())
    print("\n".join(proof.text for proof in proofs) or f"{name} has no rows")
    return 0 if proofs and all(proof.ran and not proof.faults for proof in proofs) else 1


def _explain(given: argparse.Namespace) -> int:
    from port.report import lookup

    if given.page:
        print(lookup.page(), end="")
        return 0
    try:
        print(lookup.explain(given.code.upper()) if given.code else lookup.codes())
    except KeyError:
        raise Usage(f"no finding has the code {given.code!r}; `port explain` lists them all") from None
    return 0


def _say(text: str) -> None:
    print(f"port: {text}", file=sys.stderr)


RUN = {"tf2torch": _tf2torch, "torch2tf": _torch2tf, "verify": _verify, "status": _status, "ops": _ops,
       "explain": _explain}


if __name__ == "__main__":
    sys.exit(main())
