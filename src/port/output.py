"""A report on its way to the user: printed in one of the formats, and written as a page."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from port import files
from port.report.model import Report

PAGES = (".html", ".htm")


def show(report: Report, form: str, with_diff: bool, verbose: bool) -> None:
    """Print the report as `form`: text, json, sarif or github."""
    if form == "text":
        from rich.console import Console

        from port.report import terminal

        terminal.show(report, Console(width=None if sys.stdout.isatty() else 120), with_diff, verbose)
    else:
        module = import_module({"json": "port.report.jsonout"}.get(form, f"port.report.{form}"))
        if text := module.render(report):
            print(text)


def page(report: Report, path: str | None) -> None:
    """Write the report as one HTML page, if a path is given. ValueError if that cannot be done."""
    if not path:
        return
    from port.report import html

    if Path(path).suffix.lower() not in PAGES:  # a slip must not replace a source file
        raise ValueError(f"--report {path}: the name of a page ends in .html")
    try:
        files.write(Path(path), html.render(report).encode())
    except files.FileProblem as problem:
        raise ValueError(f"--report {path}: {problem}") from None


def problems(report: Report) -> list[str]:
    """What goes to stderr besides: errors of single files, and that there were none at all."""
    told = [f"{file.path}: {file.error}" for file in report.files if file.error]
    return told if report.files else ["no Python files found"]
