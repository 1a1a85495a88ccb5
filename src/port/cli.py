"""The command line: arguments, exit codes, files. Everything heavy is imported when a command needs it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from port import __doc__ as summary
from port import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from port.batch import Item
    from port.config import Config
    from port.report.model import Report
    from port.result import Options

EXIT_CODES = """\
exit codes: 0 nothing is left for a person; 1 something is (a refused place, a pending change under
--check, a mismatch under --verify); 2 wrong usage, or a file that cannot be read or parsed."""


class Usage(Exception):
    """Wrong usage; the message is for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The `port` command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows its code instead
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    given = parser.parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("port", description=summary, epilog=EXIT_CODES, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"port {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, run, add, text in (
        ("tf2torch", _tf2torch, _translation, "translate TensorFlow/Keras files to PyTorch: a diff and findings"),
        ("torch2tf", _torch2tf, _translation, "translate PyTorch files to Keras 3: a diff and findings"),
        ("verify", _verify, _verification, "compare any two versions of a model, also one written by hand"),
        ("ops", _ops, _query, "show how a symbol is translated, and how sure that is"),
        ("explain", _explain, _code, "say what a finding means and what to do about it"),
    ):
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=EXIT_CODES,
                                      formatter_class=raw)
        add(command)
        command.set_defaults(run=run)
    return parser


def _translation(command: argparse.ArgumentParser) -> None:
    flag = argparse.BooleanOptionalAction
    add = command.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, or a folder that is walked for *.py")
    mode = command.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="replace the files in place, atomically")
    mode.add_argument("-o", "--output", metavar="OUT", help="write beside: a file for one file, else a folder")
    mode.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    add("--verify", action="store_true", help="run both versions and compare their numbers; this runs your code")
    add("--interactive", action="store_true",
        help="ask about each hunk, then write what was taken, in place or with -o")
    add("--layout", choices=("preserve", "native"),
        help="keep the public NHWC/NCHW interface (default), or not (not implemented yet)")
    add("--unsafe", action=flag, help="also apply translations that need an assumption (none is written so far)")
    add("--exact", action=flag, help="cure declared divergences with helpers (not implemented yet)")
    add("--init", choices=("keep", "framework"), help="keep the source's initial distributions (default), or not")
    add("--target", choices=("tf", "keras"), help="torch2tf: Keras 3 with tf ops (default), or keras.ops only")
    add("--format", choices=("text", "json", "sarif", "github"), default="text")
    add("--jobs", type=_positive, metavar="N", help="processes for many files; default: all cores")
    add("--no-cache", action="store_true", help="neither read nor write .port_cache")
    _case(command)


def _case(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("verify").add_argument
    add("--call", metavar="CODE", help="what to build, as in 'ResNet50(classes=10)'")
    add("--input", action="append", metavar="SPEC",
        help="what to feed, as in 'f32[2,224,224,3]' or 'mask=b[2,7]'; once per input")
    add("--device", choices=("cpu", "cuda"), help="where the torch side runs")
    add("--dtype", action="append", choices=("float64", "float32"), dest="dtypes", help="both by default")
    add("--steps", type=_positive, metavar="K", help="also compare K steps of gradient descent; default: none")
    add("--seed", type=int, metavar="S", help="seed of weights and inputs")
    add("--timeout", type=float, metavar="SECONDS", help="for each side")
    add("-v", "--verbose", action="store_true", help="show every pair of weights, and the tables of what agrees")
    add("--backend", action="append", choices=("tensorflow", "jax", "torch"), dest="backends",
        help="run a Keras port on this backend of Keras; may be repeated; default: tensorflow")
    add("--tf-python", metavar="PATH", help="interpreter that has TensorFlow")
    add("--torch-python", metavar="PATH", help="interpreter that has PyTorch")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _verification(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("source", metavar="SOURCE")
    add("ported", metavar="PORTED")
    add("--record", metavar="REF.npz", help="run only the source side here, and keep its numbers")
    add("--against", metavar="REF.npz", help="run only the ported side, against recorded numbers")
    add("--format", choices=("text", "json"), default="text")
    _case(command)


def _query(command: argparse.ArgumentParser) -> None:
    command.add_argument("query", nargs="?", default="", metavar="QUERY", help="part of a name; default: all")


def _code(command: argparse.ArgumentParser) -> None:
    command.add_argument("code", nargs="?", default="", metavar="CODE", help="as in P203; default: list all")


def _tf2torch(given: argparse.Namespace) -> int:
    return _translate("tf2torch", given)


def _torch2tf(given: argparse.Namespace) -> int:
    return _translate("torch2tf", given)


def _translate(direction: str, given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import batch, files
    from port.cache import opened
    from port.report.model import Report
    from port.report.progress import watched

    paths = [Path(path) for path in given.paths]
    output = Path(given.output) if given.output else None
    config = _config(paths[0])
    found = files.find(paths, config.exclude, output)
    if (given.call or given.input) and not (given.verify and len(found) == 1):
        raise Usage("--call and --input need --verify and a single file")
    if given.interactive and (given.check or given.format != "text"):
        raise Usage("--interactive writes, and talks in text: not with --check or another --format")
    writes = given.write or given.interactive or output is not None
    cache = opened(None if given.no_cache else config.root or Path())
    try:
        run = batch.run(found, direction, lambda path: _options(config, path, given), given.jobs, cache)
        items = list(watched(run, len(found)))
        if given.interactive:
            items = _review(items)
        if given.verify:
            items = _verify_items(items, direction, config, given)
        if writes:
            items = batch.save(items, output, single=len(paths) == 1 and not paths[0].is_dir())
    except ValueError as problem:
        raise Usage(str(problem)) from None
    report = Report(direction, tuple(item.report for item in items), given.check)
    return _finish(report, given.format, with_diff=not writes, verbose=given.verbose)


def _config(path: os.PathLike[str]) -> Config:
    from pathlib import Path

    from port import config

    start = Path(path)
    try:
        return config.load(start if start.is_dir() else start.parent)
    except config.ConfigProblem as problem:
        raise Usage(str(problem)) from None


def _options(config: Config, path: Path, given: argparse.Namespace) -> Options:
    """For one file: the command line over the configuration over the defaults."""
    from dataclasses import fields

    from port.result import Options

    chosen = {field.name: getattr(given, field.name, None) for field in fields(Options)}
    given_ = {name: value for name, value in chosen.items() if value is not None}
    options = Options(**{**config.options_for(path), **given_})
    for name, asked in (("layout = native", options.layout == "native"), ("exact", options.exact)):
        if asked:  # taking the setting and ignoring it would be a silent difference
            raise Usage(f"{name} is not implemented yet; leave it out (also in [tool.port])")
    return options


def _verify_items(items: list[Item], direction: str, config: Config, given: argparse.Namespace) -> list[Item]:
    from port import checking

    _say("--verify runs your code, in child processes")
    cases, settings = checking.cases(vars(given)), checking.settings(vars(given))
    return checking.verify_items(items, direction, config, cases, settings, note=_say)


def _review(items: list[Item]) -> list[Item]:
    from rich.console import Console

    from port.review import session

    console = Console(width=None if sys.stdout.isatty() else 120)
    return session.review(items, session.Talk(console, input, session.edit))


def _finish(report: Report, form: str, with_diff: bool, verbose: bool) -> int:
    """Print the report in one of the formats; errors of single files go to stderr as well."""
    if form == "text":
        from rich.console import Console

        from port.report import terminal

        terminal.show(report, Console(width=None if sys.stdout.isatty() else 120), with_diff, verbose)
    else:
        from importlib import import_module

        module = import_module({"json": "port.report.jsonout"}.get(form, f"port.report.{form}"))
        if text := module.render(report):
            print(text)
    for file in report.files:
        if file.error:
            _say(f"{file.path}: {file.error}")
    if not report.files:
        _say("no Python files found")
    return report.exit_code


def _verify(given: argparse.Namespace) -> int:
    from pathlib import Path

    from port import checking
    from port.report.model import FileReport, Report

    source, ported = Path(given.source), Path(given.ported)
    config = _config(source)
    try:
        cases = checking.cases(vars(given)) or checking.configured(config, source)
        direction = checking.direction(source, ported, cases)
        settings = checking.settings(vars(given))
        _say("verify runs your code, in child processes")
        verdicts = checking.verify_pair(source, ported, direction, cases, settings)
    except OSError as problem:
        raise Usage(f"{problem.filename}: {problem.strerror}") from None
    except ValueError as problem:
        raise Usage(str(problem)) from None
    report = Report(direction, (FileReport(str(source), verdicts=verdicts),))
    return _finish(report, given.format, with_diff=False, verbose=given.verbose)


def _ops(given: argparse.Namespace) -> int:
    from port import table
    from port.report import lookup
    from port.rowtext import RowError

    try:
        texts = list(lookup.ops(table.load(), given.query))
    except RowError as faults:
        _say(f"faulty rows in {table.folder()}:\n{faults}")
        return 2
    if not texts:
        _say(f"no row holds {given.query!r}: the symbol has no translation yet")
        return 1
    print("\n".join(texts))
    return 0


def _explain(given: argparse.Namespace) -> int:
    from port.report import lookup

    try:
        print(lookup.explain(given.code.upper()) if given.code else lookup.codes())
    except KeyError:
        raise Usage(f"no finding has the code {given.code!r}; `port explain` lists them all") from None
    return 0


def _say(text: str) -> None:
    print(f"port: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
