"""`requires_grad` and modes of modules: Keras says what trains of layers, before they have weights."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Fact, Kind
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, Class, Instance, Layer, options
from port.tree import code

FLAG, METHOD = "requires_grad", "requires_grad_"
NORMS = "BatchNorm"
# Methods that only modules and their parameters have: of an unknown receiver they are no plain Python.
OF_MODULES = frozenset("""requires_grad_ parameters named_parameters named_modules named_children buffers named_buffers
                          state_dict load_state_dict zero_grad numel eval train""".split())


def loop(w: Any, node: cst.For) -> list[Any] | None:
    """`for p in model.parameters(): p.requires_grad = False` as for the model; None for any other loop."""
    source, body = node.iter, node.body.body
    if not isinstance(source, cst.Call) or not isinstance(source.func, cst.Attribute) or source.args or (
            source.func.attr.value != "parameters") or not _may_be_modules(w, source.func):
        return None
    small = body[0].body[0] if len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) else None
    flag = _flag_of(small, code(node.target))
    if flag is None:
        if f".{FLAG}" in code(node.body):
            raise Refused("P203", "`requires_grad` of single weights: Keras says of layers what trains", node)
        return None
    made = freeze(w, source.func.value, flag, node)
    return [made.with_changes(leading_lines=node.leading_lines)]


def _may_be_modules(w: Any, func: cst.Attribute) -> bool:
    """`.parameters` of a module, or of something of which nothing is known."""
    owner = w.fact(func.value)
    return w.fact(func).symbol == "module.parameters" or (
        owner.kind is Kind.UNKNOWN and owner.payload is None and not w.outside(func))


def _flag_of(small: Any, name: str) -> cst.BaseExpression | None:
    """`False` of `p.requires_grad = False` and `p.requires_grad_(False)`."""
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and code(small.targets[0].target) == f"{name}.{FLAG}":
        return small.value
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and code(call.func) == f"{name}.{METHOD}":
        return call.args[0].value if call.args else cst.Name("True")
    return None


def freeze(w: Any, owner: cst.BaseExpression, flag: cst.BaseExpression, node: cst.CSTNode) -> Any:
    """`owner.trainable = flag`; of a whole model its layers, as Keras trains nothing of a frozen model, not even a
    head that is put into it afterwards.
    """
    found = options(w.fact(owner))
    known = all(isinstance(o.payload, Layer | Chain | Instance) for o in found)
    if not known and not isinstance(node, cst.For):
        raise Refused("P203", f"which layers of `{code(owner)}` train is not known: Keras says it of each layer", node)
    if any(may_normalise(o, []) for o in found):
        w.report("P101", "a frozen batch norm of Keras works as in eval() also while it is trained; PyTorch's goes on "
                 "with the statistics of the batch", node)
    model, value = paren(w.expr(owner)), w.expr(flag)
    if not known or (isinstance(owner, cst.Name) and any(_own_weights(o.payload) for o in found)):
        w.helper("set_trainable")
        return cst.SimpleStatementLine([cst.Expr(build("set_trainable({m}, {v})", m=model, v=value))])
    if not any(isinstance(o.payload, Instance) for o in found) or not isinstance(owner, cst.Name):
        return _set(model, value)
    layer = cst.Name("layer")
    return cst.For(layer, build("{m}._flatten_layers(include_self=False)", m=model),
                   cst.IndentedBlock([_set(layer, value)]))


def _set(owner: cst.BaseExpression, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Attribute(owner, cst.Name("trainable")))], value)])


def _own_weights(payload: Any) -> bool:
    """Does its class, or one that it inherits from, keep an nn.Parameter?"""
    if not isinstance(payload, Instance | Class):
        return False
    cls = payload.cls if isinstance(payload, Instance) else payload
    return "Parameter(" in code(cls.node) or "register_parameter(" in code(cls.node) or any(
        _own_weights(b.payload) for b in cls.bases)


def may_normalise(fact: Fact, seen: list[Class]) -> bool:
    """May it hold a batch norm?"""
    payload = fact.payload
    if isinstance(payload, Layer):
        return NORMS in payload.symbol
    if isinstance(payload, Chain):
        return payload.open or any(may_normalise(o, seen) for c in payload.children for o in options(c))
    if isinstance(payload, Instance):
        if payload.cls in seen:
            return False
        seen.append(payload.cls)
        held = [o for f in payload.cls.attrs.values() for o in options(f) if o.kind is not Kind.PLAIN]
        return bool(payload.cls.subclasses) or any(may_normalise(o, seen) for o in held if o.kind is Kind.LAYER)
    return True


def statement(w: Any, node: cst.Call) -> list[Any] | None:
    """`model.requires_grad_(False)`; None for any other call."""
    if not isinstance(node.func, cst.Attribute) or node.func.attr.value != METHOD:
        return None
    owner = w.fact(node.func.value)
    if owner.kind is Kind.TENSOR:
        check_weight(w, node.func.value, node)
        return None
    flag = node.args[0].value if node.args else cst.Name("True")
    return [freeze(w, node.func.value, flag, node)]


def check_weight(w: Any, owner: cst.BaseExpression, node: cst.CSTNode) -> None:
    """A weight of a layer, alone: Keras' layers have none before the first call."""
    if isinstance(owner, cst.Attribute) and w.fact(owner.value).kind is Kind.LAYER:
        raise Refused("P203", f"`{code(owner)}` alone is frozen: Keras says of layers what trains", node)


def check_target(w: Any, target: cst.Attribute) -> None:
    if target.attr.value == FLAG:
        raise Refused("P203", f"`{code(target)}` of a weight: Keras says of layers what trains", target)


def follows(it: Any, node: cst.Call) -> bool:
    """`self.fc.train(self.training)`: a part gets the mode of what holds it, as all parts have in Keras."""
    return len(node.args) == 1 and it.fact(node.args[0].value).symbol == "self.training" and all(
        o.symbol == "module.train" for o in options(it.fact(node.func)))


def check_method(w: Any, node: cst.Call) -> None:
    """What only modules have, called of something that is not followed: Keras' layers do not have it."""
    func = node.func
    if type(func) is not cst.Attribute or func.attr.value not in OF_MODULES:
        return
    owner = w.fact(func.value)
    plain_arguments = func.attr.value in ("eval", "train") and any(
        not isinstance(w.fact(a.value).literal(...), bool) for a in node.args)
    if owner.kind in (Kind.PLAIN, Kind.UNKNOWN) and owner.payload is None and not owner.symbol and not plain_arguments:
        raise Refused("P204", f"`{code(func)}`: what `{code(func.value)}` is is not known", node)
