"""A body that applies layers, split by binding time into `__init__` and `forward`.

What depends only on settings goes to `__init__`, what touches tensors to `forward`; control flow on settings
stands in both. Sizes of tensors are mirrored in `__init__` (see infer/flow.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.tf2torch import lines
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Inputs, Size, has_tensor
from port.tf2torch.rules.bodies import assigned_names
from port.tf2torch.rules.entries import relayouts
from port.tf2torch.rules.mirrored import mirror_lines
from port.tf2torch.rules.set_later import set_in_loop
from port.tf2torch.rules.split import (
    Branch,
    Frame,
    LoopForward,
    LoopInit,
    Making,
    Split,
    Statements,
    touches_tensor,
)
from port.tf2torch.rules.split_choices import choice_of, makes_layers, raises_only
from port.tf2torch.rules.split_lines import as_held, split_line
from port.tree import find, rebuild, target_names


# ---------------------------------------------------------------- statements
def block(split: Split, body: Sequence[cst.CSTNode]) -> tuple[list[Any], Statements, bool]:
    """Statements of `__init__` and of `forward`; True if the end cannot be reached."""
    init: list[Any] = []
    forward: Statements = []
    nodes = list(body)
    for at, node in enumerate(nodes):
        if type(node) is cst.If:
            ended = _if(split, node, nodes[at + 1:], init, forward)
            if ended is not None:
                return init, forward, ended
        elif type(node) in (cst.For, cst.While):
            _mirrors(split, node, init)
            _loop(split, node, init, forward)
        elif type(node) is cst.With:
            a, b, ended = block(split, node.body.body)
            init += a
            forward += b
            if ended:
                return init, forward, True
        elif type(node) is cst.FunctionDef:
            _nested(split, node, init)
        elif type(node) is cst.SimpleStatementLine and (choice := choice_of(split, node)) is not None:
            _mirrors(split, node, init)
            ended = _if(split, choice, nodes[at + 1:], init, forward)
            init += mirror_lines(split.em.it.after.get(node, {}))
            if ended is not None:
                return init, forward, ended
        elif type(node) is cst.SimpleStatementLine:
            _mirrors(split, node, init)
            with lines.around(split.em, forward, node):
                ended = split_line(split, node, init, forward)
            init += mirror_lines(split.em.it.after.get(node, {}))
            if ended:
                return init, forward, True
        else:
            raise Refused("P206", f"a {type(node).__name__.lower()} statement among layers", node)
    return init, forward, False


def _mirrors(split: Split, node: cst.CSTNode, init: list[Any]) -> None:
    init += mirror_lines(split.em.it.before.get(node, {}))


def _if(split: Split, node: cst.If, rest: list[cst.CSTNode], init: list[Any],
        forward: Statements) -> bool | None:
    """None: go on with the next statement; else the rest was handled here."""
    known = split.em.fact(node).literal(...)
    if known is not ...:
        return _decided(split, node, known, rest, init, forward)
    split.em.check_layouts(node)
    _mirrors(split, node, init)
    if touches_tensor(split, node.test):
        raise Refused("P206", "a condition on the values of tensors among layers", node)
    frame = split.frames[-1]
    frame.depth += 1
    before, held, refused = set(split.settings), dict(split.held), len(split.refused)
    a, b, ended = _branch(split, node.body.body, node.body)
    after = set(split.settings)
    split.settings = set(before)
    other_init, other_forward, ended_other = _otherwise(split, node)
    rest_used = ended and node.orelse is None and bool(rest)
    if rest_used:  # `if cond: return ...`: what follows is the else branch of __init__
        other_init, other_forward, ended_other = block(split, rest)
    split.settings |= after
    split.held |= held
    frame.depth -= 1
    if ended and ended_other and len(split.refused) > refused and not (b or other_forward):
        raise split.refused[refused]  # nothing is left of it
    if a or other_init:
        test = split.init(node.test)
        raises = rest_used and bool(a) and raises_only(a[-1])
        init.append(_make_if(node, test, a, [] if raises else other_init, keep_lines=not (b or other_forward)))
        if raises:
            init += other_init
    if b or (other_forward and not rest_used):
        test = split.forward(node.test)
        forward.append(_make_if(node, test, b, [] if rest_used else other_forward, keep_lines=True))
    if rest_used:
        forward += other_forward
        return ended_other
    return True if ended and ended_other else None


def _decided(split: Split, node: cst.If, known: Any, rest: list[cst.CSTNode], init: list[Any],
             forward: Statements) -> bool | None:
    """Only one branch can be taken."""
    taken = node.body if known else node.orelse
    if taken is None:
        return None
    if isinstance(taken, cst.If):
        return _if(split, taken, rest, init, forward)
    inner = taken.body.body if isinstance(taken, cst.Else) else taken.body
    a, b, ended = block(split, inner)
    _lead(node, a, b)
    init += a
    forward += b
    return True if ended else None


def _otherwise(split: Split, node: cst.If) -> tuple[list[Any], Statements, bool]:
    """The `else` or `elif` of an `if`, also one that is not written but has permutes to make."""
    if node.orelse is None:
        return [], relayouts(split.em, ("else", node)), False
    if not isinstance(node.orelse, cst.If):
        return _branch(split, node.orelse.body.body, node.orelse.body)
    init: list[Any] = []
    forward: Statements = []
    ended = bool(_if(split, node.orelse, [], init, forward))
    init += mirror_lines(split.em.it.after.get(node.orelse, {}))
    return init, forward, ended


def _branch(split: Split, body: Sequence[cst.CSTNode], key: cst.CSTNode) -> tuple[list[Any], Statements, bool]:
    try:
        a, b, ended = block(split, body)
    except Refused as refusal:
        split.pending = []
        split.refused.append(refusal)
        split.em.report(refusal.code, refusal.message, refusal.node or body[0])
        message = refusal.message.replace("'", '"')
        stop = cst.parse_statement(f"raise NotImplementedError('not ported: {message}')")
        comment = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {refusal.message}"))
        return [stop.with_changes(leading_lines=[comment])], [], True
    a += mirror_lines(split.em.it.after.get(key, {}))
    b += relayouts(split.em, key)
    return a, b, ended


def _lead(node: cst.If, init: list[Any], forward: Statements) -> None:
    """Comments above an `if` that was decided go with what is left of it."""
    if not any(line.comment is not None for line in node.leading_lines):
        lines = [ln for ln in node.leading_lines if ln.comment is None][:1]
        if lines and forward and not forward[0].leading_lines:  # type: ignore[attr-defined]
            forward[0] = forward[0].with_changes(leading_lines=lines)
        return
    for target in (forward, init):
        if target and not isinstance(target[0], Making) and hasattr(target[0], "leading_lines"):
            target[0] = target[0].with_changes(leading_lines=[*node.leading_lines, *target[0].leading_lines])
            return


def _make_if(node: cst.If, test: cst.BaseExpression, body: list[Any], orelse: list[Any], keep_lines: bool) -> Any:
    return Branch(node, test, body, orelse, list(node.leading_lines) if keep_lines else _blank(node))


def _blank(node: Any) -> list[cst.EmptyLine]:
    return [line for line in node.leading_lines if line.comment is None][:1]


def _nested(split: Split, node: cst.FunctionDef, init: list[Any]) -> None:
    """A function defined among layers: a helper on settings, or a builder."""
    function = split.em.it.functions.get(node)
    if function is not None and function.stateful:
        if function not in split.em.classes:
            raise Refused("P206", f"`{node.name.value}` creates layers but takes no tensor that is known", node)
        spec = split.em.classes[function](function)
        init.append(spec.definition)
    elif function is not None and any(has_tensor(r) for r in function.returns):
        raise Refused("P206", f"`{node.name.value}` works on tensors and is defined among layers; define it outside",
                      node)
    else:
        init.append(split.init(node))
    split.settings.add(node.name.value)


def _loop(split: Split, node: Any, init: list[Any], forward: Statements) -> None:
    split.em.check_layouts(node)
    if isinstance(node, cst.While):
        if touches_tensor(split, node):
            raise Refused("P206", "a while loop among layers", node)
        _both(split, node, init, forward)
        return
    em = split.em
    frozen = set_in_loop(em, node, lambda n: as_held(split, n))
    if frozen is not None:
        init.append(frozen)
        return
    if any(isinstance(em.fact(n).payload, Inputs) for n in find(node.iter, cst.Name)):
        raise Refused("P206", "a loop over a dict of inputs; name the inputs one by one", node)
    if not any(touches_tensor(split, s) or makes_layers(split, s) for s in node.body.body):
        _both(split, node, init, forward)
        split.settings |= target_names(node.target) | {n for s in find(node.body, cst.Assign)
                                                   for t in s.targets for n in target_names(t.target)}
        return
    split.count += 1
    frame = Frame(node, key=f"LIST_{split.count}_", conditional=split.frames[-1].depth > 0)
    split.frames[-1].modules.append(frame)
    tensor_names = {n for n, f in _loop_facts(em, node.target) if has_tensor(f)}
    split.frames.append(frame)
    split.loop_names.append(target_names(node.target) - tensor_names)
    body_init, body_forward, _ = block(split, node.body.body)
    settings = split.loop_names.pop()
    split.frames.pop()
    if not frame.modules:  # a loop around it goes through no list of its
        split.frames[-1].modules.pop()
    mirrors = mirror_lines(em.it.after.get(node.body, {}))
    split.settings |= settings
    header = (_count_target(em, node.target), split.init(_count_header(split, node)))
    body_forward += relayouts(em, node.body)
    forward += relayouts(em, ("before", node))
    lines = list(node.leading_lines)
    init.append(LoopInit(node, frame, header, body_init, mirrors, _blank(node) if body_forward else lines,
                         len(split.frames) > 1))
    if not frame.modules and not mirrors and not body_init:
        init.pop()
    if body_forward:
        target, iterable = _forward_header(split, node, frame, tensor_names)
        forward.append(LoopForward(node, frame, target, iterable, body_forward, lines))  # type: ignore


def _both(split: Split, node: Any, init: list[Any], forward: Statements) -> None:
    """A loop over settings, which forward repeats where it needs what comes out."""
    bound = set(assigned_names(node))
    if early := bound & split.stored.keys():
        raise split.changes(min(early), node)
    init.append(split.init(node))
    if bound & split.both:
        split.frames.append(Frame(node))
        split.loop_names.append(bound)
        forward.append(split.forward(node))
        split.loop_names.pop()
        split.frames.pop()


def _loop_facts(em: Emitter, target: cst.BaseExpression) -> list[tuple[str, Fact]]:
    if isinstance(target, cst.Name):
        return [(target.value, em.fact(target))]
    if isinstance(target, cst.Tuple | cst.List):
        return [p for e in target.elements for p in _loop_facts(em, e.value)]
    return []


def _count_target(em: Emitter, target: cst.BaseExpression) -> cst.BaseExpression:
    """Loop variables that are tensors become their counts."""
    if isinstance(target, cst.Name):
        return cst.Name(f"{target.value}_channels") if has_tensor(em.fact(target)) else target
    if isinstance(target, cst.Tuple | cst.List):
        return target.with_changes(elements=[e.with_changes(value=_count_target(em, e.value))
                                             for e in target.elements])
    return target


def _count_header(split: Split, node: cst.For) -> cst.BaseExpression:
    """The iterable with tensors replaced by their counts, and lists of tensors by the lists of these."""
    return _counted(split, node.iter, node.iter)  # type: ignore[return-value]


def _counted(split: Split, n: cst.CSTNode, whole: cst.BaseExpression) -> cst.CSTNode:
    fact = split.em.fact(n)
    if isinstance(fact.payload, Size) and not isinstance(n, cst.Name):
        return split.em.size(fact.payload.dim, n)
    if isinstance(n, cst.Attribute) and split.em.fact(n.value).kind is Kind.TENSOR:
        raise Refused("P208", f"`{n.attr.value}` of a tensor is not known when the model is built", n)
    if isinstance(n, cst.Name) and fact.kind is Kind.TENSOR and n is not whole:
        return split.em.size(fact.width, n)
    if isinstance(n, cst.Name) and has_tensor(fact):
        return cst.Name(f"{n.value}_channels")
    return rebuild(n, lambda child: _counted(split, child, whole))


def _forward_header(split: Split, node: cst.For, frame: Frame, tensor_names: set[str]) -> tuple[Any, Any]:
    """(target, iterable) without the modules; (None, None) if forward needs neither settings nor tensors."""
    if frame.used or not frame.modules:
        return node.target, split.forward(node.iter)
    if not tensor_names:
        return None, None
    if isinstance(node.iter, cst.Call) and isinstance(node.iter.func, cst.Name) and node.iter.func.value == "zip" and (
            isinstance(node.target, cst.Tuple)):
        keep = [(e.value, a.value) for e, a in zip(node.target.elements, node.iter.args, strict=False)
                if target_names(e.value) & tensor_names]
        if len(keep) == 1:
            return keep[0][0], split.forward(keep[0][1])
    return node.target, split.forward(node.iter)
