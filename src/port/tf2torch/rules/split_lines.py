"""Single lines of a body that applies layers, each to `__init__`, to `forward`, or split between them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.facts import UNKNOWN, Fact, Kind
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Grown, Inputs, Items, LayerCall, has_tensor, tensors_in
from port.tf2torch.initial.reader import is_only_argument
from port.tf2torch.rules.dropped import dropped_statement
from port.tf2torch.rules.returns import returned
from port.tf2torch.rules.set_later import set_attribute
from port.tf2torch.rules.split import Making, Split, Statements, touches_tensor
from port.tree import changed, code, rebuild, target_names


def _take(split: Split, init: list[Any]) -> None:
    init += split.pending
    split.pending = []


def split_line(split: Split, node: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> bool:
    """One line; comments above go where its statement goes, to `forward` if it is split."""
    ended = False
    for small in node.body:
        line = changed(node, body=[small])
        if is_only_argument(split.em, small):
            continue
        gone = dropped_statement(split.em, small)
        if gone:
            split.em.report("P001", f"`{gone}` has no counterpart; it is dropped", small)
            continue
        if type(small) is cst.Return:
            _return(split, small, line, init, forward)
            ended = True
        elif type(small) is cst.Raise:
            init.append(changed(line, body=[split.init(small)]))
            ended = True
        elif isinstance(small, cst.Assign | cst.AnnAssign | cst.AugAssign):
            _assign(split, small, line, init, forward)
        elif isinstance(small, cst.Expr):
            _expr(split, small, line, init, forward)
        elif isinstance(small, cst.Pass):
            continue
        elif isinstance(small, cst.Import | cst.ImportFrom):
            init.append(line)
        elif isinstance(small, cst.Assert | cst.Del | cst.Global | cst.Nonlocal):
            init.append(changed(line, body=[split.init(small)]))
        else:
            raise Refused("P206", f"a {type(small).__name__.lower()} statement among layers", small)
    return ended


def _assign(split: Split, small: Any, line: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> None:
    em = split.em
    later = set_attribute(em, small, lambda n: as_held(split, n))
    if later is not None:
        init.append(line.with_changes(body=[later]))
        return
    written, value = small, _counted(split, small.value)
    if value is not small.value:  # how many there are is known in `__init__`
        small = small.with_changes(value=value)
    targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else [small.target]
    fact = em.fact(value) if value is not None else UNKNOWN
    if _is_input(split.em, value):
        if len(targets) > 1:
            forward.append(line.with_changes(body=[cst.Assign([cst.AssignTarget(targets[0])], targets[-1])]))
        return
    if value is not None and fact.kind in (Kind.LAYER, Kind.MODEL) and not touches_tensor(split, value):
        _hold(split, targets, value, fact, line, init)
        return
    if (type(value) is cst.List and not value.elements and type(targets[0]) is cst.Name
            and targets[0].value in em.it.appended):  # it will get tensors
        forward.append(line.with_changes(body=[small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]))
        init.append(statement(f"{targets[0].value}_channels = []"))
        return
    if value is not None and (touches_tensor(split, value) or any(
            touches_tensor(split, t) for t in targets if not isinstance(t, cst.Name | cst.Tuple | cst.List))):
        new = split.forward(small)
        _take(split, init)
        if isinstance(fact.payload, Grown) and fact.payload.elsewhere and isinstance(targets[0], cst.Name):
            counts = fact.payload.counts  # a slice is a list of its own, those of a module are not
            init.append(statement(f"{targets[0].value}_channels = {counts if '[' in counts else f'list({counts})'}"))
        forward.append(changed(line, body=[_targets(small, new)]))
        for t in targets:
            split.settings -= target_names(t)
        return
    if value is not None and holds_layers(fact):
        _hold_list(split, targets, value, init)
        return
    if fact.values == frozenset([None]) and isinstance(small, cst.Assign) and all(
            isinstance(t, cst.Name) and t.value in split.optional for t in targets):
        forward.append(line)
        return
    _setting(split, small, changed(line, body=[written]), init, forward)


def _setting(split: Split, small: Any, line: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> None:
    """`small` is the line as `__init__` computes it."""
    targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else [small.target]
    names = {n for t in targets for n in target_names(t)}
    if early := names & split.stored.keys():
        raise split.changes(min(early), small)
    new = split.init(small)
    if not (isinstance(new, cst.Assign) and code(new.targets[0].target) == code(new.value)):
        init.append(changed(line, body=[new]))
    if names & split.both:
        forward.append(changed(line, body=[split.forward(line.body[0])]))
        split.settings |= names
    elif split.loop_names:
        split.compute(names, line)
        split.loop_names[-1] |= names
    else:
        split.settings |= names


def _counted(split: Split, value: Any) -> Any:
    """`len(skips)` of a list of tensors is that of the list of their sizes."""
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "len" and len(
            value.args) == 1 and isinstance(value.args[0].value, cst.Name):
        held = split.em.fact(value.args[0].value).payload
        if isinstance(held, Grown) and held.counts.isidentifier() and not held.nested:
            return build("len({c})", c=cst.Name(held.counts))
        return value
    if isinstance(value, cst.BinaryOperation):
        return rebuild(value, lambda child: _counted(split, child))
    return value


def as_held(split: Split, node: cst.BaseExpression) -> Any:
    """In `__init__`, also where a variable holds a layer that has become an attribute."""
    if isinstance(node, cst.Name) and node.value in split.held:
        return expression(split.held[node.value])
    return split.init(node)


def _targets(small: Any, new: Any) -> Any:
    """Targets stay; only the value was translated in forward's terms."""
    if isinstance(small, cst.Assign):
        return changed(new, targets=[changed(t, target=_target(t.target, o.target))
                                     for t, o in zip(new.targets, small.targets, strict=True)])
    return new


def _target(new: Any, old: Any) -> Any:
    if type(old) in (cst.Tuple, cst.List):
        return changed(new, elements=[changed(n, value=_target(n.value, o.value)) for n, o in zip(
            new.elements, old.elements, strict=True)])
    return old if isinstance(old, cst.Name) else new


def _is_input(em: Emitter, value: Any) -> bool:
    if isinstance(value, cst.Dict) and isinstance(em.fact(value).payload, Inputs):
        return True
    return isinstance(value, cst.Call) and em.symbol(value.func) == "keras.Input" and (
        em.fact(value).kind is Kind.TENSOR)


def holds_layers(fact: Fact) -> bool:
    return isinstance(fact.payload, Items) and bool(fact.payload.elements) and all(
        e.kind in (Kind.LAYER, Kind.MODEL) for e in fact.payload.elements)


def _hold(split: Split, targets: list[Any], value: Any, fact: Fact, line: cst.SimpleStatementLine,
          init: list[Any]) -> None:
    """`dense = Dense(10)`: the variable names the attribute."""
    em = split.em
    name = targets[0].value if isinstance(targets[0], cst.Name) else ""
    if isinstance(value, cst.Name | cst.Subscript | cst.Attribute):
        if name and isinstance(value, cst.Name):
            split.held[name] = split.read(value.value) if value.value in split.held else value.value
            return
        raise Refused("P206", "a layer is taken from somewhere else", value)
    payload = fact.payload
    if fact.symbol == "?":
        raise Refused("P206", f"`{code(value)}` gives a layer or None", value)
    old, em.scope = em.scope, split.scope("init")
    try:
        if isinstance(payload, LayerCall):
            made = plan(em, payload, first_input(payload))
            if not made.module:
                made_text = f"FUNC_{len(split.held)}"
                split.held[name] = made_text
                return
            ctor = made.ctor()
        else:
            ctor = em.expr(value)
    finally:
        em.scope = old
    text = split.keep(value, ctor, name or "layer", bool(name))
    split.held[name] = code(text)
    _take(split, init)
    if line.leading_lines and init and isinstance(init[-1], Making):
        init[-1].lines = list(line.leading_lines)


def _hold_list(split: Split, targets: list[Any], value: Any, init: list[Any]) -> None:
    name = targets[0].value if isinstance(targets[0], cst.Name) else "layers"
    new = split.init(value)
    split.em.need("nn")
    text = split.keep(value, build("nn.ModuleList({x})", x=new), name, True)
    split.held[name] = code(text)
    _take(split, init)


def _expr(split: Split, small: cst.Expr, line: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> None:
    value = small.value
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value in (
            "append", "extend") and isinstance(value.func.value, cst.Name) and value.args:
        fact = split.em.fact(value.args[0].value)
        if has_tensor(fact):
            forward.append(changed(line, body=[split.forward(small)]))
            _take(split, init)
            name = value.func.value.value
            facts = tensors_in(fact)
            size = facts[0].shape[-1] if facts and facts[0].shape else None
            if value.func.attr.value == "append":
                init.append(statement(f"{name}_channels.append({size})"))
            return
        if fact.kind is Kind.LAYER:
            raise Refused("P206", "layers collected in a list outside a class", value)
    if touches_tensor(split, value):
        forward.append(changed(line, body=[split.forward(small)]))
        _take(split, init)
        return
    init.append(changed(line, body=[split.init(small)]))


def _return(split: Split, small: cst.Return, line: cst.SimpleStatementLine, init: list[Any],
            forward: Statements) -> None:
    em = split.em
    if small.value is None:
        forward.append(line)
        return
    fact = em.fact(small.value)
    owner = split.result_of or split.function
    result = owner.result if owner is not None else None
    new = returned(em, split.forward, small.value, fact, result, split.boundary)
    _take(split, init)
    forward.append(changed(line, body=[changed(small, value=new)]))
    if owner is not None and owner in em.it.wants_out:
        sizes = _out_sizes(fact)
        if sizes is not None:
            init.append(statement(f"self.out_channels = {sizes}"))


def _out_sizes(fact: Fact) -> str | None:
    if fact.kind is Kind.TENSOR:
        return str(fact.shape[-1]) if fact.shape and fact.shape[-1] is not None else None
    if isinstance(fact.payload, Grown):
        return fact.payload.counts if fact.payload.counts != "?" else None
    if isinstance(fact.payload, Items):
        parts = [_out_sizes(e) for e in fact.payload.elements]
        return f"({', '.join(p or 'None' for p in parts)}{',' if len(parts) == 1 else ''})"
    return None
