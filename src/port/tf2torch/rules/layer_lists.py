"""Lists and dicts of layers in a constructor: PyTorch finds modules in ModuleList and ModuleDict only."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Fact, Kind
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.keyed import Keyed, holds_layers
from port.tf2torch.infer.values import Instance, Items
from port.tree import code, find, walk


def statement(em: Emitter, small: Any) -> Any:
    """The small statement with its list or dict as modules; None for any other."""
    if isinstance(small, cst.Assign):
        _check_stored(em, small)
    literal = isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(
        small.value, cst.List | cst.ListComp | cst.Dict | cst.BinaryOperation)
    if literal and (isinstance(small.value, cst.Dict) or isinstance(small.targets[0].target, cst.Attribute)) and holds(
            em.fact(small.value)):
        return small.with_changes(value=modules(em, small.value))
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and code(small.targets[0].target).startswith("self."):
        kept = _kept(em, small.value)
        return None if kept is None else small.with_changes(value=kept)
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and code(call.func).startswith("self.") and code(call.func).endswith(
            ".append") and len(call.args) == 1:
        held = call.args[0].value
        if isinstance(held, cst.List | cst.Tuple | cst.Dict) and holds(em.fact(held)):
            arg = call.args[0].with_changes(value=modules(em, held))
            return small.with_changes(value=call.with_changes(args=[arg]))
    return None


def _check_stored(em: Emitter, small: cst.Assign) -> None:
    """Refuse to put a layer where PyTorch does not find its weights: `self.parts[i] = Conv2D(...)` of a plain list."""
    for target in small.targets:
        t = target.target
        if isinstance(t, cst.Subscript) and code(t.value).startswith("self.") and not holds(em.fact(t.value)) and (
                em.fact(small.value).kind in (Kind.LAYER, Kind.MODEL)):
            raise Refused("P206", f"`{code(t.value)}` is a container that nn.Module does not look into; append its "
                          "layers one by one, or give it literal keys", small)


SEQUENCES, CONTAINERS = ("list", "tuple"), ("dict", "set", "frozenset", "sorted", "zip", "reversed", "map", "filter")


def _kept(em: Emitter, value: cst.BaseExpression) -> cst.BaseExpression | None:
    """What an attribute of the class holds where it is a container of layers; None if it is none."""
    called = value.func.value if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) else ""
    if isinstance(value, cst.Name | cst.Subscript) and isinstance(em.fact(value).payload, Items) and holds(
            em.fact(value)):
        if isinstance(value, cst.Name) and _grows_later(em, value):
            raise Refused("P206", f"the list `{value.value}` gets layers after the object has taken it; keep it in the "
                          "object first, or fill it before", value)
        return modules(em, value)
    sequence = isinstance(value, cst.Tuple | cst.List | cst.ListComp | cst.BinaryOperation) or called in SEQUENCES
    other = isinstance(value, cst.Dict | cst.DictComp | cst.Set | cst.SetComp) or called in CONTAINERS
    if not (sequence or other) or not any(n in em.it.layers or _is_own(em, n) for n in find(value, cst.Call)):
        return None
    if other:
        raise Refused("P206", "layers in a container that nn.Module does not look into; hold them in a list, or in a "
                      "dict with literal keys", value)
    inner = value.args[0].value if isinstance(value, cst.Call) and len(value.args) == 1 else value
    return modules(em, inner)


def _is_own(em: Emitter, node: cst.Call) -> bool:
    """Does it make a layer of the user's?"""
    return isinstance(em.fact(node).payload, Instance)


def _grows_later(em: Emitter, name: cst.Name) -> bool:
    """Is something put into the list behind this place?"""
    function = em.scope.function
    seen = False
    for n in walk(function.node) if function is not None else ():
        seen = seen or n is name
        if seen and isinstance(n, cst.Call) and code(n.func) in (f"{name.value}.{m}" for m in (
                "append", "extend", "insert")):
            return True
    return False


def holds(fact: Fact) -> bool:
    """Layers, or lists and dicts of layers; None may stand in the place of one."""
    held = [e for e in fact.payload.elements if e.literal(...) is not None] if isinstance(fact.payload, Items) else []
    return holds_layers(fact) or (bool(held) and all(e.kind in (Kind.LAYER, Kind.MODEL) or holds(e) for e in held))


def modules(em: Emitter, node: cst.BaseExpression) -> cst.BaseExpression:
    """A list or dict of layers, or of such, as modules that PyTorch finds."""
    em.need("nn")
    if isinstance(node, cst.Dict):
        payload = em.fact(node).payload
        wrong = [k for k in payload.values if not k.isidentifier()] if isinstance(payload, Keyed) else []
        if wrong:
            raise Refused("P206", f"nn.ModuleDict takes no key `{wrong[0]}`", node)
        return build("nn.ModuleDict({d})", d=em.expr(node)) if node.elements else expression("nn.ModuleDict()")
    if isinstance(node, cst.List | cst.Tuple):
        if not node.elements:
            return expression("nn.ModuleList()")
        inner = [e.with_changes(value=modules(em, e.value) if isinstance(e.value, cst.List | cst.Tuple | cst.Dict)
                                else em.expr(e.value)) for e in node.elements]
        whole = cst.List(inner) if isinstance(node, cst.Tuple) else node.with_changes(elements=inner)
        return build("nn.ModuleList({x})", x=whole)
    return build("nn.ModuleList({x})", x=em.expr(node))
