"""Functions that apply layers to a tensor become classes (golden conventions 1, 2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Function
from port.tf2torch.rules.bodies import split_docstring
from port.tf2torch.rules.entries import entry_lines
from port.tf2torch.rules.module_class import class_of
from port.tf2torch.rules.naming import camel, free_name
from port.tf2torch.rules.split import Split, settled
from port.tf2torch.rules.split_blocks import block


@dataclass
class Spec:
    """The class that a builder function became."""

    name: str
    definition: cst.BaseStatement
    params: list[str]
    dropped: set[str]
    mirrors: list[tuple[str, str]] = field(default_factory=list)  # (mirror, tensor parameter)

    def mirrors_of(self, parameter: str) -> list[str]:
        return [m for m, p in self.mirrors if p == parameter]


# ---------------------------------------------------------------- builders
def builder(em: Emitter, function: Function) -> Spec:
    """`def conv_block(x, filters)` -> `class ConvBlock(nn.Module)`."""
    boundary = function.called == 0 and not function.fixed_layout
    return settled(em, lambda split: _builder(em, function, split), lambda both: Split(
        em, function, boundary=boundary, given={*function.params}, both=both))


def _builder(em: Emitter, function: Function, split: Split) -> Spec:
    node = function.node
    assert isinstance(node, cst.FunctionDef)
    docstring, body = split_docstring(node.body.body)
    tensors = [p for p in function.params if p in function.tensors or (function, p) in em.it.ranks]
    if not tensors:
        raise Refused("P206", f"`{function.name}` creates layers but takes no tensor that is known", node)
    split.settings |= {p for p in function.params if p not in tensors} - {"training"}
    init, forward, _ = block(split, body)
    name = free_name(em, camel(function.name))
    params = [_tensor_param(p, node) for p in tensors]
    if split.boundary:
        forward = [*entry_lines(em, function, tensors), *forward]
    definition, spec_params, dropped, mirrors = class_of(
        split, name, docstring, init, forward, params, function, list(node.leading_lines),
        apply_init=function.called == 0)
    for gone in sorted(dropped - {"training"}):
        em.report("P001", f"parameter `{gone}` of `{function.name}` only named layers; it is dropped", node)
    return Spec(name, definition, spec_params, dropped, mirrors)


def curried(em: Emitter, outer: Function) -> Spec:
    """`def block(settings): def apply(x): ...; return apply` -> one class."""
    given = {*outer.params, *(outer.inner.params if outer.inner is not None else ())}
    return settled(em, lambda split: _curried(em, outer, split), lambda both: Split(
        em, outer, boundary=False, given=given, both=both))


def _curried(em: Emitter, outer: Function, split: Split) -> Spec:
    node, inner = outer.node, outer.inner
    assert isinstance(node, cst.FunctionDef) and inner is not None and isinstance(inner.node, cst.FunctionDef)
    docstring, body = split_docstring(node.body.body)
    body = [s for s in body if s is not inner.node and not (
        isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Return))]
    split.settings |= set(outer.params) - {"training"}
    tensors = [p for p in inner.params if p in inner.tensors or (inner, p) in em.it.ranks]
    if not tensors:
        raise Refused("P206", f"`{outer.name}` makes a function of layers, and nothing shows what that is called with")
    first, none, _ = block(split, body)
    if none:
        raise Refused("P206", f"`{outer.name}` works on tensors before it is called with one", node)
    split.result_of = inner
    init, forward, _ = block(split, split_docstring(inner.node.body.body)[1])
    params = [_tensor_param(p, inner.node) for p in tensors]
    merged = Function(outer.name, node, outer.env, params=[*tensors, *outer.params],
                      defaults=outer.defaults, tensors=dict(inner.tensors), mirrors=dict(inner.mirrors))
    name = free_name(em, camel(outer.name))
    definition, spec_params, dropped, mirrors = class_of(
        split, name, docstring, [*first, *init], forward, params, merged, list(node.leading_lines),
        apply_init=outer.called == 0)
    return Spec(name, definition, spec_params, dropped, mirrors)


def _tensor_param(name: str, node: cst.FunctionDef) -> cst.Param:
    for p in node.params.params:
        if p.name.value == name:
            return cst.Param(cst.Name(name), default=p.default, comma=cst.MaybeSentinel.DEFAULT, equal=p.equal)
    return cst.Param(cst.Name(name))
