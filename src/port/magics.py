"""IPython's own syntax in a code cell, as Python and back: `%magic`, `!command`, `name?`, `%%time`."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

# Cell magics whose body is Python that runs in the notebook; a cell under any other belongs to another language.
PYTHON_CELLS = frozenset(("time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "debug"))
_CELL = re.compile(r"\s*%%\s*([\w.]+)")
_LINE = re.compile(r"(?P<indent>\s*)(?P<target>[\w\s.,\[\]*]*?=\s*)?(?P<kind>%|!!?)(?P<rest>.*)", re.DOTALL)
_HELP = re.compile(r"(?P<indent>\s*)(?:\?{1,2}(?P<before>[%\w.*]+)|(?P<after>[%\w.*]+)\?{1,2})\s*$")


class NotPython(ValueError):
    """A cell that is neither Python nor IPython; the message says where."""


@dataclass(frozen=True)
class Magic:
    """One statement of IPython: as written, and as Python, both without indentation, over as many lines."""

    written: str
    python: str


def foreign(source: str) -> bool:
    """Is the cell in another language (`%%bash`)?"""
    match = _CELL.match(source)
    return match is not None and match[1] not in PYTHON_CELLS


def to_python(source: str) -> tuple[str, tuple[Magic, ...]]:
    """The cell as Python, line for line, and its magics in order. NotPython if it is none."""
    lines = source.split("\n")
    found: dict[int, Magic] = {}
    if _CELL.match(source):
        first = next(n for n, line in enumerate(lines) if line.strip())
        found[first] = _replace(lines, first, "run_cell_magic")
    while True:
        line, problem = _fault("\n".join(lines))
        if not line:
            return "\n".join(lines), tuple(found[n] for n in sorted(found))
        at = line - 1
        if at >= len(lines) or at in found or not (_LINE.fullmatch(lines[at]) or _HELP.fullmatch(lines[at])):
            raise NotPython(f"line {line}: {problem}")
        found[at] = _replace(lines, at, "")


def _fault(text: str) -> tuple[int, str]:
    """Line and message of the first thing that is not Python; 0 if all is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError) as error:
        return 1, str(error)
    return 0, ""


def _replace(lines: list[str], at: int, call: str) -> Magic:
    """The magic that begins on a line is written as Python there; a backslash carries it over to the next one."""
    end = at
    while lines[end].endswith("\\") and end + 1 < len(lines) and not call:
        end += 1
    written = lines[at:end + 1]
    indent = written[0][:len(written[0]) - len(written[0].lstrip())]
    python = _python(written, call)
    lines[at:end + 1] = [indent + python[0], *python[1:]]
    return Magic("\n".join([written[0].lstrip(), *written[1:]]), "\n".join(python))


def _python(written: list[str], call: str) -> list[str]:
    """The statement, its text in one string literal for each line."""
    first, head = written[0], "get_ipython()"
    helped = _HELP.fullmatch(first)
    match = _LINE.fullmatch(first)
    if call:
        start, texts = f"{head}.{call}(", [first.strip()]
    elif match is not None:
        target = (match["target"] or "").strip()
        does = "getoutput" if target or match["kind"] == "!!" else "system"
        does = "run_line_magic" if match["kind"] == "%" else does
        start, texts = f"{target} {head}.{does}(".lstrip(), [text.strip() for text in (match["rest"], *written[1:])]
    else:
        assert helped is not None
        start, texts = f"{head}.run_line_magic('pinfo', ", [helped["before"] or helped["after"]]
    literals = [repr(text) for text in texts]
    return [start + literals[0], *literals[1:-1], literals[-1] + ")"] if len(literals) > 1 else [
        f"{start}{literals[0]})"]


def from_python(text: str, magics: tuple[Magic, ...]) -> str:
    """The cell with its magics as they were written. ValueError if one is gone."""
    at = 0
    for magic in magics:
        found = re.compile(rf"^([ \t]*){re.escape(magic.python)}", re.MULTILINE).search(text, at)
        if found is None:
            raise ValueError(f"`{magic.written.splitlines()[0]}` would be lost")
        text = f"{text[:found.start()]}{found[1]}{magic.written}{text[found.end():]}"
        at = found.start() + len(found[1]) + len(magic.written)
    return text


def left_out(module: str) -> tuple[str, tuple[int, ...]]:
    """A module of cells without what only IPython runs, line for line; and the lines that were left out.

    The statement under `%time` stays. ValueError if the module does not parse.
    """
    lines = module.split("\n")
    gone: list[int] = []
    for node in ast.walk(ast.parse(module)):
        call = node.value if isinstance(node, ast.Expr | ast.Assign) else None
        if not isinstance(node, ast.stmt) or not isinstance(call, ast.Call) or not _of_ipython(call):
            continue
        inside = _timed(call)
        lines[node.lineno - 1] = lines[node.lineno - 1][:node.col_offset] + (inside or "pass")
        lines[node.lineno:node.end_lineno] = ["#"] * ((node.end_lineno or node.lineno) - node.lineno)
        if not inside and not ast.unparse(call.func).endswith("run_cell_magic"):  # the cell below that one is run
            gone.append(node.lineno)
    return "\n".join(lines), tuple(sorted(gone))


def _of_ipython(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "get_ipython()"


def _timed(call: ast.Call) -> str:
    """The statement in `%time statement`, if it is one."""
    text = call.args[0].value if len(call.args) == 1 and isinstance(call.args[0], ast.Constant) else ""
    match = re.fullmatch(r"time\s+(\S.*)", text) if isinstance(text, str) else None
    return match[1] if match and not _fault(match[1])[0] else ""
