"""Imports of the output: the framework's lines replaced at their place, helpers after them (golden 10, 17)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import libcst as cst

from port import table
from port.build import statement
from port.names import alias_text, canonical, dotted_name, import_bindings, is_import
from port.skips import MARK
from port.tree import code, find, memo, module_code, named, walk

LINES = {"torch": "import torch", "F": "import torch.nn.functional as F", "nn": "from torch import nn"}
HELPERS = Path(__file__).parent / "helpers"


def is_framework(statement: Any, roots: tuple[str, ...]) -> bool:
    if isinstance(statement, cst.ImportFrom) and isinstance(statement.names, cst.ImportStar):  # stars.py left it unused
        return statement.module is not None and canonical(dotted_name(statement.module)).split(".")[0] in roots
    return isinstance(statement, cst.Import | cst.ImportFrom) and bool(import_bindings(statement)) and any(
        b.split(".")[0] in roots for b in import_bindings(statement).values())


def is_fallback(node: Any, roots: tuple[str, ...]) -> bool:
    """`try:` around imports of the framework alone."""
    return isinstance(node, cst.Try) and all(isinstance(s, cst.SimpleStatementLine) and is_framework(s.body[0], roots)
                                             for s in node.body.body)


def local_imports(em: Any, names: set[str], body: Sequence[cst.CSTNode] = ()) -> list[Any]:
    """Import statements for names that a kept statement uses, written where they are needed; not twice in a `body`."""
    own = {n for s in body if isinstance(s, cst.SimpleStatementLine) for i in s.body
           if isinstance(i, cst.Import | cst.ImportFrom) for n in import_bindings(i)}
    return [statement(line) for line in binding(em.original_imports, sorted(names - own))]


@memo
def original_imports(module: cst.Module) -> Mapping[str, str]:
    """Name to the smallest import statement that binds it as the source did."""
    found: dict[str, str] = {}
    for node in walk(module):
        if type(node) is cst.Import:
            for alias in node.names:
                text = alias_text(alias)
                name = (alias.asname.name.value if alias.asname is not None  # type: ignore[union-attr]
                        else text.split(".")[0])
                found.setdefault(name, f"import {text}")
        elif type(node) is cst.ImportFrom and not isinstance(node.names, cst.ImportStar):
            base = "." * len(node.relative) + (code(node.module) if node.module else "")
            for alias in node.names:
                text = alias_text(alias)
                name = code(alias.asname.name if alias.asname is not None else alias.name)
                found.setdefault(name, f"from {base} import {text}")
    tried = [s for node in module.body if isinstance(node, cst.Try) for s in node.body.body]
    for line in (*module.body, *tried):
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
        if isinstance(small, cst.Assign) and isinstance(target, cst.Name) and isinstance(small.value, cst.Attribute):
            aliased = _imported_as(dotted_name(small.value), target.value, found)
            if aliased:
                found.setdefault(target.value, aliased)
    return found


def _imported_as(dotted: str, name: str, found: Mapping[str, str]) -> str:
    """`L = tf.keras.layers` as an import: `from tensorflow.keras import layers as L`; '' if `tf` is not imported."""
    head, _, tail = dotted.partition(".")
    source = found.get(head, "").split()
    if not source or not tail or source[-1].endswith("*"):
        return ""
    member = f"{name} = {dotted}"  # of a class, which no import gives
    if source[0] not in ("import", "from"):
        return member
    whole = source[1] if source[0] == "import" else f"{source[1]}.{source[3]}"
    owner, _, last = f"{whole if source[0] != 'import' or 'as' in source else head}.{tail}".rpartition(".")
    if any(part[:1].isupper() for part in owner.split(".")):
        return member
    return f"from {owner} import {last}" + (f" as {name}" if name != last else "")


def binding(originals: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """The lines that bind these names as the source did: an alias stands behind what it is taken from."""
    lines: list[str] = []
    for name in names:
        line = originals.get(name, "")
        if line and not line.startswith(("import ", "from ")):
            lines += binding(originals, [line.partition(" = ")[2].partition(".")[0]])
        lines += [line] if line else []
    return list(dict.fromkeys(lines))


# ---------------------------------------------------------------- helpers
@cache
def helper_source(name: str, folder: str = "torch") -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """(helpers it needs, import names, text of its definition)."""
    text = (HELPERS / folder / f"{name}.py").read_text()
    needs = tuple(n.strip() for m in re.findall(r"^# needs: (.*)$", text, re.M) for n in m.split(","))
    module = cst.parse_module(text)
    imports: list[str] = []
    body = []
    for s in module.body:
        if is_import(s):
            imports.append(code(s).strip().splitlines()[-1])
        else:
            body.append(s)
    first = body[0].with_changes(leading_lines=[])
    source = module_code(cst.Module([first, *body[1:]]))
    return needs, tuple(imports), source.strip() + "\n"


@cache
def helper_body(name: str, folder: str = "torch", spelled: bool = False
                ) -> tuple[cst.SimpleStatementLine | cst.BaseCompoundStatement, ...]:
    """The statements of its definition, `spelled` out or not."""
    text = helper_source(name, folder)[2]
    return tuple(cst.parse_module(spelled_out(text) if spelled else text).body)


def spelled_out(text: str) -> str:
    """A helper of Keras for a file that has `layers` of its own."""
    return re.sub(r"(?<![\w.])(layers|initializers)\.", r"keras.\1.", text)


def helper_order(names: list[str], folder: str = "torch") -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for other in helper_source(name, folder)[0]:
            visit(other)
        order.append(name)

    for name in names:
        visit(name)
    return order


@cache
def has_helper(name: str) -> bool:
    return (HELPERS / "torch" / f"{name}.py").exists()


_SHORT = {"import torch": "torch", "import torch.nn.functional as F": "F", "from torch import nn": "nn",
          "import math": "math"}


def import_needs(lines: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """(short needs, other import lines)."""
    return {_SHORT[ln] for ln in lines if ln in _SHORT}, {ln for ln in lines if ln not in _SHORT}


# ---------------------------------------------------------------- the module
def rewrite(module_body: list[Any], originals: list[Any], em: Any, blocks: list[Any], extra: set[str],
            roots: tuple[str, ...], lines: dict[str, str] = LINES) -> list[Any]:
    """Replace imports of one framework by those of the other (`lines`, in order); put helpers after the imports."""
    used = {n for part in (*module_body, *blocks) for n in named(part)}
    extra = extra | _own(module_body, table.own_modules())
    em.top_level |= {n for part in module_body for n in _of_skipped(part)}
    em.needs &= used  # what was asked for by code that was refused afterwards is not there
    new_lines = [line for name, line in lines.items() if name in em.needs]
    new_lines += sorted(ln for ln in extra if not ln.startswith("import math"))
    new_lines += [line for line in binding(em.original_imports, sorted(em.top_level & used - imported(module_body)))
                  if line not in new_lines]  # an alias, `L = tf.keras.layers`, whose own line is gone
    out: list[Any] = []
    placed = False
    last_import = -1
    for node in module_body:
        if isinstance(node, cst.SimpleStatementLine | cst.Try) and (
                is_fallback(node, roots) if isinstance(node, cst.Try) else is_framework(node.body[0], roots)):
            em.by(node, "rule imports")
            kept = _kept_import(node, em)
            if kept is not None:
                out.append(kept)
                last_import = len(out) - 1
            if not placed:
                made = [statement(ln) for ln in new_lines]
                above = list(node.leading_lines) if kept is None else []
                if made:
                    made[0] = made[0].with_changes(leading_lines=above)  # type: ignore[union-attr]
                out += made
                placed = True
                last_import = len(out) - 1 if made else last_import
            continue
        if is_import(node):
            left = _without_ported(node, em, module_body, roots)
            out += [left] if left is not None else []
            last_import = len(out) - 1
            continue
        out.append(node)
    if not placed and new_lines:
        at = _after_docstring(out)
        out[at:at] = _apart([statement(ln) for ln in new_lines], out, at)
        last_import = at + len(new_lines) - 1
    out, last_import = _standard(out, em, last_import, originals)
    return _insert(out, blocks, lines.values())


def _own(body: Iterable[Any], modules: frozenset[str]) -> set[str]:
    """Imports of the project's own modules that rows of its own have written."""
    found = {dotted_name(node) for part in body if modules and not is_import(part) for node in walk(part)
             if isinstance(node, cst.Attribute)}
    bound = {code(a.name) for part in body if is_import(part) and isinstance(part.body[0], cst.Import)
             for a in part.body[0].names if a.asname is None}
    return {f"import {name}" for name in (found & modules) - bound}


def _of_skipped(part: Any) -> list[str]:
    """Names that code out of sight needs: the first argument of what stands for it (skips.py)."""
    return [n for call in find(part, cst.Call) if type(call.func) is cst.Name and call.func.value.startswith(MARK)
            for n in code(call.args[0]).strip("', ").split()] if part is not None else []


def _apart(lines: list[Any], body: list[Any], at: int) -> list[Any]:
    """New imports at the head of a file that had none; what follows keeps its distance."""
    blank = [cst.EmptyLine(indent=False)]
    if at:
        lines[0] = lines[0].with_changes(leading_lines=blank)
    following: Any = body[at] if at < len(body) else None
    if isinstance(following, cst.FunctionDef | cst.ClassDef) or (
            at == 0 and hasattr(following, "leading_lines") and not is_import(following)):
        gap = blank * (2 if isinstance(following, cst.FunctionDef | cst.ClassDef) else 1)
        body[at] = following.with_changes(leading_lines=[*gap, *_no_blank(following.leading_lines)])
    return lines


def _kept_import(node: Any, em: Any) -> Any:
    """The part of a framework import that module-level code still needs; of one with a fallback the whole."""
    if isinstance(node, cst.Try):
        bound = {_bound_name(alias) for alias in find(node, cst.ImportAlias)}
        return node if bound & em.top_level else None
    small = node.body[0]
    assert isinstance(small, cst.Import | cst.ImportFrom)
    if isinstance(small.names, cst.ImportStar):
        return None
    kept = [a for a in small.names if _bound_name(a) in em.top_level]
    if not kept:
        return None
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(body=[small.with_changes(names=kept)])


def imported(body: Iterable[Any]) -> set[str]:
    """Names that imports of the module bind, not those inside its functions."""
    return {_bound_name(alias) for node in body if not isinstance(node, cst.FunctionDef | cst.ClassDef)
            for alias in find(node, cst.ImportAlias)}


def _without_ported(node: cst.SimpleStatementLine, em: Any, body: list[Any], roots: tuple[str, ...]
                    ) -> cst.SimpleStatementLine | None:
    """An import without functions of the project that rows have replaced; None if nothing is left of it."""
    small = node.body[0]
    if not isinstance(small, cst.ImportFrom) or isinstance(small.names, cst.ImportStar):
        return node
    symbols = import_bindings(small)
    rows = {name for name, symbol in symbols.items() if (not symbol.startswith(".") and symbol in em.it.rows)
            or em.it.names.bound.get(name, "").split(".")[0] in roots  # what another file called so
            or name in getattr(em, "spent", ())}
    if not rows:
        return node
    used = {n for part in body if not is_import(part) and part is not None for n in _read(part)}
    kept = [a for a in small.names if _bound_name(a) not in rows - used]
    if len(kept) == len(small.names) or len(node.body) > 1:
        return node
    if not kept:
        return None
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(body=[small.with_changes(names=kept)])


def _read(part: cst.CSTNode) -> set[str]:
    """Names, without those behind a dot."""
    nodes = walk(part)
    behind = {id(n.attr) for n in nodes if isinstance(n, cst.Attribute)}
    return {n.value for n in nodes if isinstance(n, cst.Name) and id(n) not in behind}


def _bound_name(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        return alias.asname.name.value  # type: ignore[union-attr]
    return code(alias.name).split(".")[0]


def _after_docstring(body: list[Any]) -> int:
    at = 0
    for i, node in enumerate(body):
        if isinstance(node, cst.SimpleStatementLine) and (
                (i == 0 and isinstance(node.body[0], cst.Expr))
                or (isinstance(node.body[0], cst.ImportFrom) and node.body[0].module is not None
                    and getattr(node.body[0].module, "value", "") == "__future__")):
            at = i + 1
        else:
            break
    return at


def _standard(body: list[Any], em: Any, last: int, originals: list[Any]) -> tuple[list[Any], int]:
    """`import math` among the standard library's imports, which stand first."""
    wanted = [n for n in ("collections", "os", "math", "functools") if n in em.needs and em.it.names.bound.get(n) != n]
    for name in wanted:
        line = statement(f"import {name}")
        places = [i for i, s in enumerate(body) if is_import(s) and _root(s.body[0]) != "__future__"]
        standard = [i for i in places if _root(body[i].body[0]) in sys.stdlib_module_names]
        if standard:
            body.insert(standard[0], line.with_changes(leading_lines=body[standard[0]].leading_lines))
            body[standard[0] + 1] = body[standard[0] + 1].with_changes(leading_lines=[])
        else:
            at = places[0] if places else _after_docstring(body)
            following = body[at]
            body.insert(at, line.with_changes(leading_lines=getattr(following, "leading_lines", [])))
            if places:
                body[at + 1] = following.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        last += 1
    return body, last


def _root(node: Any) -> str:
    if isinstance(node, cst.Import):
        return code(node.names[0].name).split(".")[0]
    return code(node.module).split(".")[0] if node.module is not None else "."


def _insert(body: list[Any], blocks: list[Any], lines: Iterable[str]) -> list[Any]:
    """Helpers go right behind the leading imports, not behind one further down; never before what they use."""
    if not blocks:
        return body
    own = set(lines)
    used = [i for i, s in enumerate(body) if isinstance(s, cst.SimpleStatementLine) and code(s).strip() in own]
    at = len(body)
    for i in range(max([_after_docstring(body), *(n + 1 for n in used)]), len(body)):
        s = body[i]
        if not is_import(s) and (
                not isinstance(s, cst.Try)):
            at = i
            break
    two = [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]
    made = [b.with_changes(leading_lines=[*two, *_no_blank(b.leading_lines)]) for b in blocks]
    rest = body[at:]
    if rest and hasattr(rest[0], "leading_lines"):
        simple = isinstance(blocks[-1], cst.SimpleStatementLine) and isinstance(rest[0], cst.SimpleStatementLine)
        gap = two[:1] if simple else two
        rest[0] = rest[0].with_changes(leading_lines=[*gap, *_no_blank(rest[0].leading_lines)])
    return [*body[:at], *made, *rest]


def _no_blank(lines: Any) -> list[Any]:
    out = list(lines)
    while out and out[0].comment is None:
        out.pop(0)
    return out
