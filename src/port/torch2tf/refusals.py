"""What uses a class or function that stays in PyTorch stays there as well, in all files of a project."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.names import dotted_name
from port.scopes import File
from port.torch2tf import apart, links
from port.torch2tf.refused import Refused
from port.tree import find, walk


@dataclass(eq=False)
class Part:
    """One statement of the module, and what its translation needs."""

    node: Any
    made: list[Any] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    helpers: dict[str, None] = field(default_factory=dict)
    reports: list[Any] = field(default_factory=list)
    refusal: Refused | None = None

    @property
    def names(self) -> list[str]:
        """What the statement defines."""
        if isinstance(self.node, cst.FunctionDef | cst.ClassDef):
            return [self.node.name.value]
        return [t.target.value for s in getattr(self.node, "body", ()) if isinstance(s, cst.Assign)
                for t in s.targets if isinstance(t.target, cst.Name)] if isinstance(
                    self.node, cst.SimpleStatementLine) else []


def is_import(node: Any) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom)


def spread(files: Sequence[Any]) -> None:
    """`files`: each with its Writer `w` and its `parts`. Refuse what uses what is refused, directly or not."""
    reasons = {(f.w.it.file, name) for f in files for p in f.parts if p.refusal is not None for name in p.names}
    uses = [(f.w.it.file, p, mentions(f.w.it.file, p.node, held_values(f.w.it, p.node)))
            for f in files for p in f.parts if not is_import(p.node)] if reasons else []
    grew = bool(reasons)
    while grew:
        grew = False
        for file, part, mentioned in uses:
            own = {(file, name) for name in part.names}
            used = sorted(text for place, text in mentioned.items() if place in reasons and place not in own)
            if part.refusal is None and used:
                part.refusal = Refused("P206", f"it uses `{apart.shown(used[0])}`, which is not ported", part.node)
                grew = True
                reasons |= own
    for f in files if reasons else ():
        for part in f.parts:
            tell_held(f.w.it, part, reasons)
    for part in (p for f in files for p in f.parts if p.refusal is not None):
        r = part.refusal
        part.needs, part.helpers = set(), {}
        part.reports = [(r.node if r.node is not None else part.node, r.code, r.args[0], r.symbol)]


def held_values(it: Any, node: Any) -> dict[cst.CSTNode, None]:
    """Names that a class of data holds for others, `transforms = partial(Preset, size=224)`: it computes nothing."""
    cls = it.classes.get(node)
    if cls is None or cls.is_module:
        return {}
    calls = [c for s in node.body.body if isinstance(s, cst.SimpleStatementLine) for c in find(s, cst.Call)]
    return {a.value: None for c in calls for a in c.args if isinstance(a.value, cst.Name)}


def tell_held(it: Any, part: Part, reasons: set[tuple[File, str]]) -> None:
    """What a ported class holds, but stays in PyTorch, is told once for each name."""
    names = {n.value: n for n in reversed(held_values(it, part.node)) if isinstance(n, cst.Name)} if (
        part.refusal is None) else {}
    part.reports += [(node, "P206", f"it holds `{name}`, which is not ported", "") for name, node in names.items()
                     if links.source(it.file, name) in reasons]


def mentions(file: File, node: cst.CSTNode, but: Container[cst.CSTNode] = ()) -> dict[tuple[File, str], str]:
    """Definitions of the project that the code names: (file, name) -> as it is written."""
    found: dict[tuple[File, str], str] = {}
    for n in walk(node):
        if n in but:
            continue
        if isinstance(n, cst.Name):
            found.setdefault(links.source(file, n.value), n.value)
        elif isinstance(n, cst.Attribute) and (place := _through_modules(file, n)) is not None:
            found.setdefault(place, dotted_name(n))
    return found


def _through_modules(file: File, node: cst.Attribute) -> tuple[File, str] | None:
    """`blocks.Conv` of a module `blocks` of the project."""
    head, *rest = dotted_name(node).split(".")
    if head not in file.links:
        return None
    home, symbol = links.source(file, head)
    for name in rest:
        if symbol:
            return None
        home, symbol = links.source(home, name)
    return (home, symbol) if symbol else None
