"""Lists and dicts of layers in a constructor: PyTorch finds modules in ModuleList and ModuleDict only."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Fact, Kind
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.keyed import Keyed, holds_layers
from port.tf2torch.infer.values import Items
from port.tree import code


def statement(em: Emitter, small: Any) -> Any:
    """The small statement with its list or dict as modules; None for any other."""
    if isinstance(small, cst.Assign) and isinstance(small.value, cst.List | cst.ListComp | cst.Dict) and len(
            small.targets) == 1 and (isinstance(small.value, cst.Dict) or isinstance(
            small.targets[0].target, cst.Attribute)) and holds(em.fact(small.value)):
        return small.with_changes(value=modules(em, small.value))
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and code(call.func).startswith("self.") and code(call.func).endswith(
            ".append") and len(call.args) == 1:
        held = call.args[0].value
        if isinstance(held, cst.List | cst.Tuple | cst.Dict) and holds(em.fact(held)):
            arg = call.args[0].with_changes(value=modules(em, held))
            return small.with_changes(value=call.with_changes(args=[arg]))
    return None


def holds(fact: Fact) -> bool:
    """Layers, or lists and dicts of layers."""
    return holds_layers(fact) or (isinstance(fact.payload, Items) and bool(fact.payload.elements) and all(
        e.kind in (Kind.LAYER, Kind.MODEL) or holds(e) for e in fact.payload.elements))


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
        return build("nn.ModuleList({x})", x=node.with_changes(elements=inner))
    return build("nn.ModuleList({x})", x=em.expr(node))
