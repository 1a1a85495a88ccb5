"""The text that follows from what was decided on each hunk; imports are never asked for: they follow what uses them."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from port.report.hunks import Hunk, hunks, opcodes, split
from port.result import Result


@dataclass(frozen=True)
class Import:
    """An import statement of a module's top level: its text, the names that it binds, its lines from 0."""

    text: str
    names: frozenset[str]
    lines: range


@dataclass(frozen=True)
class Draft:
    """A translation that is being decided on. `base` is the source with the imports of the translation."""

    result: Result
    base: Result
    gone: tuple[Import, ...]  # of the source alone
    new: tuple[Import, ...]  # of the translation alone
    hunks: tuple[Hunk, ...]


def draft(result: Result) -> Draft:
    source, text = parsed(result.source), parsed(result.text)
    before, after = split(result.source), split(result.text)
    old, made = _imports(source, before), _imports(text, after)
    gone = tuple(i for i in old if i.text not in {m.text for m in made})
    new = tuple(i for i in made if i.text not in {o.text for o in old})
    base = Result(_with_imports(before, after, gone, new), result.text)
    if base.changed:
        return Draft(result, base, gone, new, _placed(base, result))
    return Draft(result, result, (), (), hunks(result, result.findings))  # nothing but imports changes: ask for them


def _placed(base: Result, result: Result) -> tuple[Hunk, ...]:
    """The hunks from `base` on, with findings and rows, whose lines are those of the source."""
    back = _lines_of(base.source, result.source)
    wide = hunks(base, ())
    real = {id(h): (min(back[slice(*h.before)], default=0), max(back[slice(*h.before)], default=0)) for h in wide}
    out = []
    for hunk in wide:
        first, last = real[id(hunk)]
        findings = tuple(f for f in result.findings if first < f.line <= last + 1)
        by = tuple(dict.fromkeys(e.by for e in result.edits if e.line <= last + 1 and e.end_line > first
                                 and e.by != "rule imports"))
        out.append(Hunk(hunk.before, hunk.after, hunk.lines, findings, by))
    return tuple(out)


def _lines_of(base: str, source: str) -> list[int]:
    """For each line of `base` the line of the source, or the one below where it was put in; from 0."""
    place: list[int] = []
    ends = split(source)
    for group in opcodes(ends, split(base), len(ends)) or [[("equal", 0, len(ends), 0, len(ends))]]:
        for tag, i, i_end, j, j_end in group:
            place += [i + n if tag == "equal" else min(i, max(i_end - 1, 0)) for n in range(j_end - j)]
    return place


def decided(made: Draft, answers: Sequence[Sequence[str] | None]) -> str:
    """The text, given for each hunk its new lines, or None where the source stays."""
    taken = [lines for lines in answers if lines is not None]
    if not taken:
        return made.result.source
    if all(lines == _after(made, hunk) for lines, hunk in zip(answers, made.hunks, strict=True)):
        return made.result.text
    base, out, at = split(made.base.source), [], 0
    for hunk, lines in zip(made.hunks, answers, strict=True):
        out += base[at:hunk.before[0]]
        out += lines if lines is not None else base[slice(*hunk.before)]
        at = hunk.before[1]
    return _needed_imports(made, out + base[at:])


def _after(made: Draft, hunk: Hunk) -> list[str]:
    return split(made.result.text)[slice(*hunk.after)]


def accepted(made: Draft, hunk: Hunk) -> list[str]:
    """What a hunk becomes if it is accepted as it is."""
    return _after(made, hunk)


def _with_imports(before: list[str], after: list[str], gone: Iterable[Import], new: Iterable[Import]) -> str:
    leave = {n for i in gone for n in i.lines}
    put = {n for i in new for n in i.lines}
    out: list[str] = []
    groups = opcodes(before, after, len(before) + len(after))
    for tag, i, i_end, j, j_end in groups[0] if groups else []:
        if tag != "equal":
            out += [after[n] for n in range(j, j_end) if n in put]
        out += [before[n] for n in range(i, i_end) if n not in leave or tag == "equal"]
    return "".join(out)


def _needed_imports(made: Draft, lines: list[str]) -> str:
    """Without those new imports that nothing uses, with those of the source that something still uses."""
    module = parsed("".join(lines))
    if module is None:
        return "".join(lines)
    used, bound = loaded(module), binds(module)
    found = _imports(module, lines)
    new = {i.text for i in made.new}
    drop = {n for i in found if i.text in new and not i.names & used.keys() for n in i.lines}
    back = [i for i in made.gone if i.names & used.keys() and not i.names & bound]
    at = min((i.lines.start for i in found if i.text in new), default=None)
    at = at if at is not None else _top(module)
    source = split(made.result.source)
    restored = [line for i in back for line in source[slice(i.lines.start, i.lines.stop)]]
    kept = [line if n not in drop else "" for n, line in enumerate(lines)]
    return "".join([*kept[:at], *restored, *kept[at:]])


def _top(module: ast.Module) -> int:
    """The line, from 0, behind the docstring and `from __future__`."""
    at = 0
    for n, node in enumerate(module.body):
        docstring = n == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        at = node.end_lineno or 0
    return at


# ---------------------------------------------------------------- what a text says of itself
def parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def fault(text: str) -> str:
    """Why the text is not Python; '' if it is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:
        return str(error)
    return ""


def _imports(module: ast.Module | None, lines: list[str]) -> tuple[Import, ...]:
    """Import statements of the top level that have their lines to themselves."""
    found = []
    for node in module.body if module is not None else ():
        if isinstance(node, ast.Import | ast.ImportFrom) and not any(a.name == "*" for a in node.names):
            names = frozenset(a.asname or a.name.split(".")[0] for a in node.names)
            span = range(node.lineno - 1, node.end_lineno or node.lineno)
            found.append(Import(ast.unparse(node), names, span))
    shared = {n for a in found for b in found if a is not b for n in set(a.lines) & set(b.lines)}
    return tuple(i for i in found if not shared & set(i.lines) and "".join(lines[i.lines.start:i.lines.stop]).strip())


def loaded(module: ast.Module) -> Mapping[str, int]:
    """Names that are read, with the line where that is first done."""
    found: dict[str, int] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] = min(found.get(node.id, node.lineno), node.lineno)
    return found


def binds(module: ast.Module) -> set[str]:
    """All names that are bound anywhere in the module, in whatever scope."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
    return found


def undefined(made: Draft, text: str) -> dict[str, int]:
    """Names that the text reads and nowhere binds, though the source or the translation does; with their lines."""
    module = parsed(text)
    if module is None:
        return {}
    known = {n for t in (made.result.source, made.result.text) if (m := parsed(t)) is not None for n in binds(m)}
    bound = binds(module)
    if "*" in bound:
        return {}
    return {name: line for name, line in loaded(module).items()
            if name in known and name not in bound and not hasattr(builtins, name)}
