"""`# port: skip`: code that is left alone, out of the translator's sight.

Each skipped statement is replaced by a call of an unknown function that has as many lines, so that the translator
takes what it binds for unknown; afterwards the statement is put back as it was. A stand-in that does not come back as
it went in (it was moved, split, or given a tensor in another order of axes) cannot be told apart from what surrounds
it: then the definition around it is left alone as a whole, and at last the file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from port import comments, skipuses
from port.findings import Finding
from port.result import Result
from port.skipuses import DEFINITIONS, Definition, Region
from port.symbols import too_much

MARK = "__port_skip_"
SPECIAL = ("__init__", "__call__", "call", "build", "forward")  # a layer without one of these is no layer
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


@dataclass(frozen=True)
class Mask:
    """A file with its skipped regions out of sight; `whole`: all of it is left alone."""

    source: str
    regions: tuple[Region, ...] = ()
    findings: tuple[Finding, ...] = ()
    whole: bool = False

    @property
    def text(self) -> str:
        """What the translator sees: as many lines as the source has."""
        if not self.regions:
            return self.source
        lines = split(self.source)
        for number, region in enumerate(self.regions):
            if not region.imports:
                lines[region.start - 1:region.end] = [_stand_in(number, region, lines)] + [""] * region.below
        return "".join(lines)

    @property
    def names(self) -> frozenset[str]:
        """What skipped code binds in the module."""
        return frozenset(n for r in self.regions if r.scope is None for n in r.binds)


def read(text: str) -> Mask | None:
    """The file without what it skips; None if it skips nothing."""
    if too_much(text):
        return None
    said = comments.read(text)
    if said.whole:
        return Mask(text, whole=True)
    if not said.skipped:
        return None
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # no translator can read it either
    mask = Mask(text)
    for line in said.skipped:
        chain = _around(module, line)
        if chain:
            mask = _with(mask, module, chain, line)
    return replace(mask, findings=(*mask.findings, *skipuses.dependents(module, mask.regions)))


def _with(mask: Mask, module: ast.Module, chain: list[Definition], line: int) -> Mask:
    """The mask with one more region: the smallest of `chain` (innermost last) that can be left alone by itself."""
    lines = split(mask.source)
    rest = list(chain)
    while rest:
        *outer, _ = rest
        region = skipuses.region(module, rest)
        if region is not None and not lines[region.start - 1][:region.column].strip():
            break
        rest = outer
    else:
        return _whole(mask, line, "the code here")
    if len(rest) < len(chain) or _part_of_layer(rest):
        return _wider(mask, module, rest, line)
    return _put(mask, region)


def _wider(mask: Mask, module: ast.Module, chain: list[Definition], line: int) -> Mask:
    """The innermost definition of the chain is left alone, and it is said why."""
    inner = [at for at, node in enumerate(chain) if isinstance(node, DEFINITIONS)]
    if not inner:
        return _whole(mask, line, "the code here")
    chain = chain[:inner[-1] + 1]
    chain = chain[:-1] if _part_of_layer(chain) else chain
    node, region = chain[-1], skipuses.region(module, chain)
    assert isinstance(node, DEFINITIONS) and region is not None
    said = Finding(line, 0, "P211", f"what is skipped here cannot be told apart from `{node.name}` around it, which "
                   "is left alone as a whole")
    return replace(_put(mask, region), findings=(*mask.findings, said))


def _part_of_layer(chain: list[Definition]) -> bool:
    return len(chain) > 1 and isinstance(chain[-2], ast.ClassDef) and isinstance(
        chain[-1], DEFINITIONS) and chain[-1].name in SPECIAL


def _whole(mask: Mask, line: int, what: str) -> Mask:
    said = Finding(line, 0, "P211", f"{what} cannot be left alone by itself, so the file is left as it is")
    return Mask(mask.source, (), (*mask.findings, said), whole=True)


def _put(mask: Mask, region: Region) -> Mask:
    """Regions stay apart from each other: a larger one takes in those inside it."""
    if any(r.start <= region.start and region.end <= r.end for r in mask.regions):
        return mask
    others = [r for r in mask.regions if not (region.start <= r.start and r.end <= region.end)]
    return replace(mask, regions=tuple(sorted((*others, region), key=lambda r: r.start)))


def wider(mask: Mask, new: str) -> Mask | None:
    """A mask that leaves more alone, where `new`, the translation, shows that this one does not serve; else None."""
    lines = split(mask.source)
    for number, region in enumerate(mask.regions):
        if region.imports or _restored(new, number, region, lines) is not None:
            continue
        module = ast.parse(mask.source)
        chain = _around(module, region.start)
        while chain and (found := skipuses.region(module, chain)) is not None and found.start >= region.start:
            chain.pop()
        kept = replace(mask, findings=tuple(f for f in mask.findings if "cannot be told apart" in f.message))
        grown = _wider(kept, module, chain, region.start)
        return replace(grown, findings=(*grown.findings, *skipuses.dependents(module, grown.regions)))
    return None


def restored(mask: Mask, result: Result) -> Result:
    """The result of the masked text as one of the source: skipped code is back, and so are the imports it needs."""
    lines, new = split(mask.source), result.text
    for number, region in enumerate(mask.regions):
        if not region.imports:
            new = _restored(new, number, region, lines) or new
    added, said = skipuses.missing(ast.parse(mask.source), mask.regions, new)
    blocks = [_block(r, lines).strip() for r in mask.regions if r.imported and r.imports]
    new = _with_imports(new, [*(b for b in blocks if b not in new), *added])
    findings = tuple(sorted({*result.findings, *mask.findings, *said}))
    return replace(result, source=mask.source, text=new, findings=findings)


def imported(text: str, names: Mapping[str, str]) -> list[Finding]:
    """Findings of a file whose imports bind these `names` to skipped code, each of the file that it stands in."""
    found = []
    for node in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)):
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            if name in names:
                found.append(Finding(node.lineno, node.col_offset, "P211", f"`{name}` is skipped in {names[name]}: "
                                     "nothing is known of it here", node.end_lineno or 0, node.end_col_offset or 0))
    return found


# ---------------------------------------------------------------- text
def split(text: str) -> list[str]:
    """Lines with their ends, as Python counts them (a form feed ends none)."""
    return _LINE.findall(text)


def _around(module: ast.Module, line: int) -> list[Definition]:
    """The statements around a line, the innermost that is written on it last; none for a line inside no statement."""
    chain: list[Definition] = []
    body: list[Definition] = list(module.body)
    while True:
        inside = [s for s in body if _first(s) <= line <= (s.end_lineno or 0)]
        if not inside:
            return chain
        node = inside[0]
        chain.append(node)
        below = [s for s in _bodies(node) if _first(s) <= line <= (s.end_lineno or 0)]
        if _first(node) <= line < _header_end(node) or not below:
            return chain
        body = below


def _first(node: Definition) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _header_end(node: Definition) -> int:
    """The line where its body begins (one after its last line if it has none, or if all stands on one line)."""
    bodies = list(_bodies(node))
    first = min((_first(s) for s in bodies), default=(node.end_lineno or 0) + 1)
    return first + 1 if first == node.lineno else first


def _bodies(node: ast.AST) -> Iterator[Definition]:
    for name in ("body", "orelse", "finalbody"):
        found = getattr(node, name, None)
        if isinstance(found, list):
            yield from (s for s in found if isinstance(s, ast.stmt))
    for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from handler.body


def _stand_in(number: int, region: Region, lines: list[str]) -> str:
    first, last = lines[region.start - 1], lines[region.end - 1]
    end = last[len(last.rstrip("\r\n")):]
    indent = first[:len(first) - len(first.lstrip())]
    return indent + _call(number, region, lines) + end


def _call(number: int, region: Region, lines: list[str]) -> str:
    first = lines[region.start - 1]
    newline = first[len(first.rstrip("\r\n")):]
    args = ", ".join((f"'{' '.join(region.imported)}'", *region.reads))
    return f"{region.head}{MARK}{number}__({args}{newline * region.below})"


def _block(region: Region, lines: list[str]) -> str:
    return "".join(lines[region.start - 1:region.end]).rstrip("\r\n")


def _restored(new: str, number: int, region: Region, lines: list[str]) -> str | None:
    """The text with one region back in its place; None if its stand-in is not there as it went in."""
    call, block = _call(number, region, lines), _block(region, lines)
    indent = block[:len(block) - len(block.lstrip())]
    found = re.findall(rf"^{re.escape(indent + call)}(?=[ \t]*(?:[\r\n]|\Z))", new, re.M)
    if len(found) != 1 or new.count(f"{MARK}{number}__(") != 1:
        return None
    return new.replace(found[0], block, 1)


def _with_imports(text: str, added: list[str]) -> str:
    """The statements behind the first imports of the file."""
    if not added:
        return text
    lines = split(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    at = 0
    for position, node in enumerate(ast.parse(text).body):
        docstring = position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, ast.Import | ast.ImportFrom) and not docstring:
            at = at or _first(node) - 1
            break
        at = node.end_lineno or 0
    return "".join([*lines[:at], *(statement + newline for statement in added), *lines[at:]])
