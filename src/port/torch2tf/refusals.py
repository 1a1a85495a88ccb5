"""What uses a class or function that stays in PyTorch stays there as well, in all files of a project."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import libcst as cst

from port.names import dotted_name, is_import
from port.scopes import File
from port.torch2tf import apart, initially, leaving, links, members, optional, stopping, tables, waiting
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, Instance, SelfOf, options
from port.tree import COMPREHENSIONS, code, find, variables, walk


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


def spread(files: Sequence[Any], write: Callable[[Any, Any], Part]) -> None:
    """`files`: each with its Writer `w` and its `parts`. Refuse what uses what is refused, directly or not.

    Of a class, methods that it can do without stay alone (leaving.py): it is written again with `write`.
    """
    reasons = {(f.w.it.file, name) for f in files for p in f.parts if p.refusal is not None for name in p.names}
    uses = [use for f in files for p in f.parts if not is_import(p.node) for use in _uses(f, p)] if (
        reasons or any(f.w.left for f in files)) else []
    changed = _grown(uses, reasons, {n: r for f in files for n, r in f.w.left.items()})
    for part, w in changed.items():
        if part.refusal is None:
            again = write(w, part.node)
            part.made, part.needs, part.helpers, part.reports = again.made, again.needs, again.helpers, again.reports
    for f in files if reasons else ():
        for part in f.parts:
            tell_held(f.w.it, part, reasons)
    for part in (p for f in files for p in f.parts if p.refusal is not None):
        r = part.refusal
        part.needs, part.helpers = set(), {}
        part.reports = [(r.node if r.node is not None else part.node, r.code, r.args[0], r.symbol)]


def _grown(uses: Sequence[Use], reasons: set[tuple[File, str]], left: dict[cst.CSTNode, Refused]) -> dict[Part, Any]:
    """Refuse all that has to stay, and note it in `reasons` and `left`; parts of which methods stay now."""
    changed: dict[Part, Any] = {}
    by_method: dict[cst.CSTNode, Use] = {use.method: use for use in uses if use.method is not None}
    grew = bool(uses)
    while grew:
        grew = False
        for use in uses:
            if use.part.refusal is not None or use.method in use.w.left:
                continue
            for other in [by_method[m] for m in left if m in use.called[1] and m in by_method]:
                if other.part.refusal is None:  # a class cannot do without what stands in the place of a method in use
                    other.part.refusal, grew = left[other.method], True  # type: ignore[index]
                    reasons |= other.own
            refusal = _told(use, reasons, left)
            if refusal is None:
                continue
            grew = True
            if _stops(use, reasons, left):
                changed[use.part] = use.w
                continue
            if use.method is not None:  # a branch that raises leaves its class or function as it is
                left[use.method] = use.w.left[use.method] = refusal
                if not isinstance(use.method, cst.FunctionDef):
                    use.w.it.notes.setdefault(stopping.NOTE, {})[use.method] = refusal
                changed[use.part] = use.w
            else:
                use.part.refusal = refusal
                reasons |= use.own
    return changed


OF_FACTS = ("P204", "P208", "P209")  # reasons that may go when more is known


def blocked(files: Sequence[Any]) -> list[Part]:
    """Modules that stay for a reason that may go."""
    return [part for f in files for part in f.parts
            if part.refusal is not None and part.refusal.code in OF_FACTS
            and (cls := f.w.it.classes.get(part.node)) is not None and cls.is_module]


def staying(files: Sequence[Any], known: Container[cst.CSTNode], last: bool = True) -> dict[cst.CSTNode, Refused]:
    """Functions that stay for a reason of their own; where modules are blocked, what they pass on is no matter.

    Methods whose reason may go without the others are read once more, unless this is the `last` time.
    """
    found: dict[cst.CSTNode, Refused] = {}
    for f in files:
        found |= {part.node: part.refusal for part in f.parts
                  if part.refusal is not None and isinstance(part.node, cst.FunctionDef)}
        found |= {n: r for n, r in f.w.left.items() if last or r.code not in OF_FACTS}
    return {n: r for n, r in found.items() if n not in known}


@dataclass(eq=False)
class Use:
    """What one statement of a module, or one method that its class can do without, mentions and calls."""

    w: Any
    part: Part
    method: Any  # cst.FunctionDef, the branch of a condition (optional.py), or None
    mentioned: dict[tuple[File, str], str]
    called: tuple[set[cst.CSTNode], set[cst.CSTNode]]  # methods, and those that subclasses put in their place
    but: set[cst.CSTNode]  # what of it is no matter

    @property
    def own(self) -> set[tuple[File, str]]:
        return {(self.w.it.file, name) for name in self.part.names}


def _uses(file: Any, part: Part) -> list[Use]:
    w, it = file.w, file.w.it
    cls = it.classes.get(part.node)
    apart_ = [m for m in part.node.body.body if m in it.functions and leaving.may_stay(w, it.functions[m])] if (
        cls is not None) else []
    held: set[cst.CSTNode] = {*held_values(it, part.node), *shadowed(it.file, part.node)}
    found: list[Use] = []
    for at, nodes in optional.regions(w, part.node):
        found.append(_use(w, part, at, nodes, held))
        held |= {n for node in nodes for n in walk(node)}
    found += [_use(w, part, m, [m], held) for m in apart_]
    inside = {n for m in apart_ for n in walk(m)} | waiting.left_out(w)
    return [*found, _use(w, part, None, [part.node], {*held, *inside})]


def _use(w: Any, part: Part, at: Any, nodes: Sequence[cst.CSTNode], but: set[cst.CSTNode]) -> Use:
    mentioned: dict[tuple[File, str], str] = {}
    called: tuple[set[cst.CSTNode], set[cst.CSTNode]] = (set(), set())
    for node in nodes:
        mentioned |= mentions(w.it.file, node, but)
        for total, more in zip(called, _called(w.it, node, but), strict=True):
            total |= more
    return Use(w, part, at, mentioned, called, {*but})


def _stops(use: Use, reasons: set[tuple[File, str]], left: Mapping[cst.CSTNode, Refused]) -> bool:
    """Are all uses of what is not ported in branches that may raise? Then they do, and the rest is ported."""
    it, root = use.w.it, use.method if use.method is not None else use.part.node
    nodes = [n for place, _, n in _mentioned(it.file, root, use.but) if place in reasons and place not in use.own]
    methods = {m for m in left if m in use.called[0]}
    unported = {*nodes, *(n for n in find(root, cst.Attribute) if n not in use.but and any(
        isinstance(o.payload, Function) and o.payload.node in methods for o in options(it.fact(n))))}
    if noted := initially.note(use.w, root, unported):
        use.but |= noted
        use.mentioned, use.called = mentions(it.file, root, use.but), _called(it, root, use.but)
        return True
    stood_for = tables.stand_in(use.w, root, nodes)
    rest = [n for n in nodes if n not in stood_for]
    found = stopping.blocks(use.w, root, rest) if rest else {}
    if found is None or not (found or stood_for):
        return False
    tables.note(use.w, root, stood_for)
    use.but |= stood_for
    for block, node in found.items():
        why = Refused("P206", f"it uses `{apart.shown(code(node))}`, which is not ported", node)
        it.notes.setdefault(stopping.NOTE, {})[block] = why
    use.but |= {n for block in found for n in walk(block)}
    use.mentioned, use.called = mentions(it.file, root, use.but), _called(it, root, use.but)
    return True


def _called(it: Any, node: cst.CSTNode, but: Container[cst.CSTNode] = ()) -> tuple[set[cst.CSTNode], set[cst.CSTNode]]:
    """Methods that the code takes from its objects, to call or to pass on, and properties that it reads.

    Also: those that subclasses put in their place.
    """
    found: set[cst.CSTNode] = set()
    others: set[cst.CSTNode] = set()
    for n in find(node, cst.Attribute):
        if n in but:
            continue
        owners = [o.payload for o in options(it.fact(n.value)) if isinstance(o.payload, SelfOf | Instance)]
        if not owners:
            found |= {o.payload.node for o in options(it.fact(n)) if isinstance(o.payload, Function)}
        for owner in owners:
            above = isinstance(owner, SelfOf) and owner.above
            of = [b.payload for b in owner.cls.bases if isinstance(b.payload, Class)] if above else [owner.cls]
            found |= {m.node for cls in of if (m := members.find_method(cls, n.attr.value)) is not None}
            others |= {m.node for m in members.called(owner, n.attr.value)} if not above else set()
    return found, others - found


def _told(use: Use, reasons: set[tuple[File, str]], left: Mapping[cst.CSTNode, Refused]) -> Refused | None:
    """Why this has to stay as well, if it has to."""
    own = use.own
    node = use.method if use.method is not None else use.part.node
    names = sorted(text for place, text in use.mentioned.items() if place in reasons and place not in own)
    if names:
        return Refused("P206", f"it uses `{apart.shown(names[0])}`, which is not ported", node)
    for method in (m for m in left if m in use.called[0]):
        if use.method is None and method in getattr(use.part.node.body, "body", ()):
            return left[method]  # its own: the reason is here
        return Refused("P206", f"it uses `{method.name.value}`, which is not ported", node)  # type: ignore[attr-defined]
    return None


def held_values(it: Any, node: Any) -> dict[cst.CSTNode, None]:
    """Names that a class of data holds for others, `transforms = partial(Preset, size=224)`: it computes nothing."""
    cls = it.classes.get(node)
    if cls is None or cls.is_module:
        return {}
    calls = [c for s in node.body.body if isinstance(s, cst.SimpleStatementLine) for c in find(s, cst.Call)]
    return {a.value: None for c in calls for a in c.args if isinstance(a.value, cst.Name)}


def shadowed(file: File, node: cst.CSTNode) -> set[cst.CSTNode]:
    """Names that only look like definitions of the file: variables, parameters, and what is defined inside."""
    found: set[cst.CSTNode] = set()
    for n in walk(node):
        if type(n) is cst.Param or (type(n) in (cst.FunctionDef, cst.ClassDef) and n is not node):
            found.add(n.name)  # type: ignore[attr-defined]
        if type(n) in COMPREHENSIONS and (own := variables(n) & file.env.names.keys()):
            found |= {x for x in find(n, cst.Name) if x.value in own}
        elif type(n) is cst.FunctionDef or type(n) is cst.Lambda:
            inner = {d.name.value for d in walk(n.body, enter_functions=False)
                     if type(d) is cst.FunctionDef or type(d) is cst.ClassDef}
            if own := (variables(n) | inner) & file.env.names.keys():
                found |= {x for x in find(n.body, cst.Name) if x.value in own}
        elif type(n) is cst.ClassDef:
            lines = [s for s in n.body.body if isinstance(s, cst.SimpleStatementLine)]
            found |= {t.target for s in lines for a in s.body if isinstance(a, cst.Assign) for t in a.targets}
    return found


def tell_held(it: Any, part: Part, reasons: set[tuple[File, str]]) -> None:
    """What a ported class holds, but stays in PyTorch, is told once for each name."""
    names = {n.value: n for n in reversed(held_values(it, part.node)) if isinstance(n, cst.Name)} if (
        part.refusal is None) else {}
    part.reports += [(node, "P206", f"it holds `{name}`, which is not ported", "") for name, node in names.items()
                     if links.source(it.file, name) in reasons]


def mentions(file: File, node: cst.CSTNode, but: Container[cst.CSTNode] = ()) -> dict[tuple[File, str], str]:
    """Definitions of the project that the code names: (file, name) -> as it is written."""
    found: dict[tuple[File, str], str] = {}
    for place, text, _ in _mentioned(file, node, but):
        found.setdefault(place, text)
    return found


_LABELS: dict[type, Callable[[Any], cst.CSTNode | None]] = {
    cst.Attribute: attrgetter("attr"), cst.Arg: attrgetter("keyword"), cst.ImportAlias: attrgetter("name")}


def _mentioned(file: File, node: cst.CSTNode, but: Container[cst.CSTNode]
               ) -> Iterator[tuple[tuple[File, str], str, cst.CSTNode]]:
    labels: set[int] = set()  # what only looks like a name of this file
    for n in walk(node):
        kind = type(n)
        if kind in _LABELS:
            labels.add(id(_LABELS[kind](n)))
        elif kind is cst.Annotation:  # a hint computes nothing
            labels.update(map(id, walk(n)))
        if kind not in (cst.Name, cst.Attribute) or id(n) in labels or n in but:
            continue
        if type(n) is cst.Name:
            yield links.source(file, n.value), n.value, n
        elif type(n) is cst.Attribute and (place := _through_modules(file, n)) is not None:
            yield place, dotted_name(n), n


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
