"""Statements that hold others: conditions, loops, contexts, exceptions, definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port import versions
from port.facts import Fact, Kind, Layout
from port.torch2tf import (
    constants,
    containers,
    freezing,
    init_loops,
    initially,
    nogradient,
    optional,
    stopping,
)
from port.torch2tf.above import leaves
from port.torch2tf.refused import Refused
from port.torch2tf.statements import line, simple
from port.tree import find


def suite(w: Any, body: Sequence[Any]) -> list[Any]:
    """Statements in order. A deleted one gives its comments to the next."""
    out: list[Any] = []
    carried: list[cst.EmptyLine] = []
    first = False  # was what stood first deleted?
    for at, node in enumerate(body):
        made = statement(w, node)
        rest = body[at + 1:]
        if rest and optional.leaves(w, node):
            return [*out, *_first(made, carried), *optional.rest(w, rest, suite)]
        if not made:
            carried += comments_of(node)
            first = not out
            continue
        made = _first(made, carried)
        carried = []
        if first and not out and hasattr(made[0], "leading_lines"):
            rest = list(made[0].leading_lines)
            while rest and rest[0].comment is None:
                rest.pop(0)
            made[0] = made[0].with_changes(leading_lines=rest)
        out += made
    return out


def _first(made: list[Any], carried: Sequence[cst.EmptyLine]) -> list[Any]:
    """Statements with comments of deleted ones above the first."""
    if carried and hasattr(made[0], "leading_lines"):
        made[0] = made[0].with_changes(leading_lines=[*carried, *made[0].leading_lines])
    return made


def comments_of(node: Any) -> list[cst.EmptyLine]:
    """Lines above a statement that is deleted: they stay, unless they spoke of nothing but it."""
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    grows = isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and isinstance(
        small.value.func, cst.Attribute) and small.value.func.attr.value == "append"
    context = isinstance(small, cst.Assign) and isinstance(small.value, cst.IfExp)  # of a block (nogradient.py)
    return list(node.leading_lines) if grows or context else []


def statement(w: Any, node: Any) -> list[Any]:
    """What stands for a statement; nothing for one that only sets initial values which cannot be ported."""
    if (nothing := initially.left_out(w, node)) is not None:
        return nothing
    if w.function is None or w.function.name != "__init__":
        return _statement(w, node)
    try:
        with w.tentative():
            return _statement(w, node)
    except Refused as refusal:
        if (nothing := initially.instead(w, node, refusal)) is None:
            raise
        return nothing


def _statement(w: Any, node: Any) -> list[Any]:
    if isinstance(node, cst.SimpleStatementLine):
        return line(w, node)
    frozen = freezing.loop(w, node) if isinstance(node, cst.For) else None
    if frozen is not None:
        return frozen
    made = init_loops.statement(w, node)
    if made is not None:
        return made
    method = COMPOUND.get(type(node))
    if method is None:
        return [w.generic(node)]
    return method(w, node)


def block(w: Any, node: Any, body: list[Any] | None = None) -> Any:
    """The body of a compound statement."""
    if isinstance(node, cst.SimpleStatementSuite):
        made = [m for s in node.body for m in simple(w, s)]
        if made and all(isinstance(m, cst.BaseSmallStatement) for m in made):
            return node.with_changes(body=made)
        lines = [m if isinstance(m, cst.BaseStatement) else cst.SimpleStatementLine([m]) for m in made]
        return cst.IndentedBlock(lines or [cst.SimpleStatementLine([cst.Pass()])])
    made = suite(w, node.body) if body is None else body
    return node.with_changes(body=made or [cst.SimpleStatementLine([cst.Pass()])])


def _lines(w: Any, body: Any) -> list[Any]:
    """The statements of a body, which stand where the compound statement stood."""
    if not isinstance(body, cst.SimpleStatementSuite):
        return list(suite(w, body.body))
    made = block(w, body)
    return [cst.SimpleStatementLine(made.body)] if isinstance(made, cst.SimpleStatementSuite) else list(made.body)


def if_(w: Any, node: cst.If) -> list[Any]:
    """What is off by default raises by itself (optional.py); of settings that are given, one side must be left."""
    told = versions.holds(w.it.names, node.test)
    if told is not None:
        return _told(w, node, told)
    if versions.only_tells(w.it.names, node):
        w.report("P103", "what version of PyTorch there is does not matter in Keras: left out", node)
        return []

    def side(w: Any, body: Any) -> Any:
        return optional.block(w, node, body, branch)

    changes: dict[str, Any] = {"test": optional.test(w, node)}
    changes["body"], refusal = stopping.written(w, node.body, side)
    if isinstance(node.orelse, cst.If):
        made = optional.block(w, node, node.orelse, lambda w, n: if_(w, n)[0])
        changes["orelse"] = cst.Else(made) if isinstance(made, cst.IndentedBlock) else made
    elif node.orelse is not None:
        body, other = stopping.written(w, node.orelse.body, side)
        if other is not None:
            if refusal is not None or optional.raises(w, node, True):
                raise refusal or other
            body = stopping.raised(w, other, node.orelse)
        changes["orelse"] = node.orelse.with_changes(body=body)
    if refusal is not None:
        changes["body"] = stopping.raised(w, refusal, node.body)
    return [one_layout(w, node, node.with_changes(**changes))]


def _told(w: Any, node: cst.If, holds: bool) -> list[Any]:
    """The branch of a condition on PyTorch itself that always runs."""
    if versions.of_version(w.it.names, node.test):
        w.report("P103", "the branch for PyTorch 2 is ported; what version there is does not matter in Keras", node)
    side = node.body if holds else node.orelse.body if isinstance(node.orelse, cst.Else) else node.orelse
    made = [] if side is None else statement(w, side) if isinstance(side, cst.If) else _lines(w, side)
    return _first(made, node.leading_lines) if made else []


def one_layout(w: Any, node: cst.If, new: cst.If) -> cst.If:
    """A variable that one side leaves channels last, and the other does not, gets the source's axes on both."""
    for name, (first, rank) in sorted(w.it.conflicts.get(node, {}).items()):
        line = _source_axes(w, node, name, rank)
        if optional.raises(w, node, first):
            continue  # it raises
        new = new.with_changes(**{"body": _with(new.body, line)} if first else {"orelse": _else(new.orelse, line)})
    return new


def _with(body: Any, line: cst.SimpleStatementLine) -> Any:
    if isinstance(body, cst.SimpleStatementSuite):
        return cst.IndentedBlock([cst.SimpleStatementLine(body.body), line])
    return body.with_changes(body=[*body.body, line])


def branch(w: Any, node: Any) -> Any:
    """One side of a condition. Where it only reads a weights file, the rest of the function is ported without it."""
    try:
        return block(w, node)
    except Refused as refusal:
        if refusal.code != "P207" or w.function is None:
            raise
        return cst.IndentedBlock([no_weights(w, refusal, node)])


def no_weights(w: Any, refusal: Refused, node: cst.CSTNode) -> cst.BaseStatement:
    """What stands for code that reads a weights file of PyTorch."""
    w.report(refusal.code, refusal.args[0], refusal.node or node)
    note = cst.EmptyLine(comment=cst.Comment(f"# port: P207 {refusal.args[0]}"))
    stop = cst.parse_statement('raise NotImplementedError("PyTorch weights are not read by Keras")')
    return stop.with_changes(leading_lines=[note])


def _else(orelse: cst.If | cst.Else | None, line: cst.SimpleStatementLine) -> cst.If | cst.Else:
    """A line at the end of what runs where the test does not hold, on each of its paths."""
    if orelse is None:
        return cst.Else(cst.IndentedBlock([line]))
    body = orelse.body if leaves(orelse.body) else _with(orelse.body, line)
    if isinstance(orelse, cst.Else):
        return orelse.with_changes(body=body)
    return orelse.with_changes(body=body, orelse=_else(orelse.orelse, line.deep_clone()))


def for_(w: Any, node: cst.For) -> list[Any]:
    before, behind = _turned(w, node)
    orelse = node.orelse.with_changes(body=block(w, node.orelse.body)) if node.orelse is not None else None
    over = containers.gone_through(w, node.iter)
    return [*before, node.with_changes(iter=over, body=behind(block(w, node.body)), orelse=orelse)]


def while_(w: Any, node: cst.While) -> list[Any]:
    before, behind = _turned(w, node)
    orelse = node.orelse.with_changes(body=block(w, node.orelse.body)) if node.orelse is not None else None
    return [*before, node.with_changes(test=w.expr(node.test), body=behind(block(w, node.body)), orelse=orelse)]


def _turned(w: Any, node: cst.For | cst.While) -> tuple[list[Any], Any]:
    """A variable whose order of axes a loop changes has the source's wherever a turn begins.

    Lines that stand before the loop, and what puts others at the end of its body.
    """
    found = w.it.conflicts.get(node, {})
    jumps = bool(find(node.body, cst.Break) or find(node.body, cst.Continue))
    for name, (first, _) in sorted(found.items()):
        if first or jumps:
            raise Refused("P209", f"`{name}` is channels first or last, depending on the path", node)
    lines = [_source_axes(w, node, name, rank) for name, (_, rank) in sorted(found.items())]
    before = [_source_axes(w, node, name, rank) for name, rank in sorted(w.it.entries.get(node, {}).items())]

    def behind(body: Any) -> Any:
        for each in lines:
            body = _with(body, each)
        return body

    return before, behind


def _source_axes(w: Any, node: cst.CSTNode, name: str, rank: int | None) -> cst.SimpleStatementLine:
    if rank is None:
        raise Refused("P209", f"`{name}` is channels first or last, depending on the path", node)
    value = w.reordered(Fact(Kind.TENSOR, (None,) * rank, layout=Layout.FLIPPED), cst.Name(name), Layout.PLAIN)
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])


def with_(w: Any, node: cst.With) -> list[Any]:
    """Contexts of gradients and precision are no contexts in Keras."""
    stops = nogradient.of(w, node)
    if stops is not None:
        return _leading(node, constants.leave(w, node, stops, lambda: _lines(w, node.body)))
    symbols = [w.fact(i.item.func if isinstance(i.item, cst.Call) else i.item).symbol for i in node.items]
    if all(s.endswith("autocast") or s.startswith("torch.profiler") for s in symbols):
        w.report("P103", "the body runs in the layers' own dtype: Keras chooses precision by dtype policy", node)
        return _leading(node, _lines(w, node.body))
    if all(s.endswith(("sdpa_kernel", "sdp_kernel")) for s in symbols):  # which kernel computes the same numbers
        return _leading(node, _lines(w, node.body))
    if any(s.startswith("torch.") for s in symbols):
        raise Refused("P203", f"`with {symbols[0]}` has no counterpart", node)
    items = [i.with_changes(item=w.expr(i.item)) for i in node.items]
    return [node.with_changes(items=items, body=block(w, node.body))]


def _leading(node: cst.With, body: list[Any]) -> list[Any]:
    if body and hasattr(body[0], "leading_lines"):
        body[0] = body[0].with_changes(leading_lines=[*node.leading_lines, *body[0].leading_lines])
    return body


def try_(w: Any, node: cst.Try) -> list[Any]:
    handlers = [h.with_changes(body=block(w, h.body)) for h in node.handlers]
    changes: dict[str, Any] = {"body": block(w, node.body), "handlers": handlers}
    for part in ("orelse", "finalbody"):
        inner = getattr(node, part)
        if inner is not None:
            changes[part] = inner.with_changes(body=block(w, inner.body))
    return [node.with_changes(**changes)]


def match(w: Any, node: cst.Match) -> list[Any]:
    for name in w.it.conflicts.get(node, {}):
        raise Refused("P209", f"`{name}` is channels first or last, depending on the path", node)
    cases = [c.with_changes(guard=w.expr(c.guard) if c.guard is not None else None, body=block(w, c.body))
             for c in node.cases]
    return [node.with_changes(subject=w.expr(node.subject), cases=cases)]


def definition(w: Any, node: Any) -> list[Any]:
    from port.torch2tf import classes

    return classes.definition(w, node)


COMPOUND: dict[type, Any] = {cst.If: if_, cst.For: for_, cst.While: while_, cst.With: with_, cst.Try: try_,
                             cst.Match: match, cst.FunctionDef: definition,
                             cst.ClassDef: definition}
