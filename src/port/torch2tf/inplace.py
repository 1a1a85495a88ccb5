"""Writes into tensors. TensorFlow's do not change: a local variable is bound to a new one instead."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.facts import Fact, Kind, Layout
from port.torch2tf import buffers, changing, rows, writes
from port.torch2tf.changing import base_of
from port.torch2tf.refused import Refused
from port.tree import code, find, walk


# ---------------------------------------------------------------- methods that end in _
def call_statement(w: Any, node: cst.Call, bound: bool = False) -> list[Any] | None:
    """`x.mul_(a).add_(b)` of a local variable is `x = x * a + b`. `bound`: the statement binds the name itself."""
    if not is_inplace(w, node):
        return [] if _does_nothing(w, node) else None
    base = base_of(node)
    if isinstance(base, cst.Name):
        no_caller_sees(w, base, node)
        value = out_of_place(w, node)
        return [cst.Assign([cst.AssignTarget(base)], value if bound else _as_held(w, base, node, value))]
    if isinstance(base, cst.Attribute) and buffers.is_variable(w, base):
        return buffers.assigned(w, base, node, _as_held(w, base, node, out_of_place(w, node)))
    if isinstance(base, cst.Subscript) and isinstance(base.value, cst.Name):
        no_caller_sees(w, base.value, node)
        return [_set_at(w, base, _as_held(w, base, node, out_of_place(w, node)), node)]
    raise Refused("P203", "a tensor is changed in place, and TensorFlow's cannot be: bind the result to a name", node)


def _as_held(w: Any, base: cst.BaseExpression, node: cst.Call, value: Any) -> Any:
    """The result in the order of axes that the tensor has, and keeps for what follows."""
    return w.reordered(w.fact(node), value, w.fact(base).layout, node)


def same_name(w: Any, node: cst.Assign) -> list[Any] | None:
    """`x = x.mul_(a)`, which is `x.mul_(a)`."""
    target = node.targets[0].target
    if not isinstance(target, cst.Name) or not is_inplace(w, node.value):
        return None
    base = base_of(node.value)
    same = isinstance(base, cst.Name) and base.value == target.value
    return call_statement(w, node.value, bound=True) if same else None  # type: ignore[arg-type]


def function_statement(w: Any, node: cst.Call) -> list[Any] | None:
    """`F.relu(x, inplace=True)` and `F.relu_(x)` as statements bind the result to x."""
    symbol = w.fact(node.func).symbol
    named = any(a.keyword is not None and a.keyword.value == "inplace" and w.fact(a.value).literal(...) is not False
                for a in node.args)
    if not symbol.startswith("torch.") or symbol.startswith("torch.nn.init.") or not node.args or not (
            named or (symbol.endswith("_") and w.fact(node.args[0].value).kind is Kind.TENSOR)):
        return None
    target = node.args[0].value
    if not isinstance(target, cst.Name):
        raise Refused("P203", "changed in place, which TensorFlow's tensors cannot be: bind the result to a name", node)
    no_caller_sees(w, target, node)
    w.chains.add(node)
    value = rows.write_call(w, node, symbol.removesuffix("_"))
    return [cst.Assign([cst.AssignTarget(target)], _as_held(w, target, node, value))]


def _does_nothing(w: Any, node: cst.Call) -> bool:
    """`mask.type(dtype)` as a statement: a new tensor that nobody takes."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value.endswith("_") or not (
            w.fact(func).symbol.startswith("tensor.") and w.fact(func.value).kind is Kind.TENSOR) or (
            w.fact(node).kind is not Kind.TENSOR) or len(find(node, cst.Call)) > 1:
        return False
    w.report("P001", f"`{code(node)}` gives a new tensor that nothing takes: left out", node)
    return True


def is_inplace(w: Any, node: cst.CSTNode) -> bool:
    return changing.is_inplace(node) and w.fact(node.func.value).kind is Kind.TENSOR  # type: ignore[attr-defined]


def out_of_place(w: Any, node: cst.Call) -> Any:
    """The value that the tensor has afterwards."""
    inner = node.func.value  # type: ignore[attr-defined]
    w.chains.add(node)
    while is_inplace(w, inner):
        w.chains.add(inner)
        inner = inner.func.value
    return rows.write_call(w, node, "tensor." + rows.out_of_place(node.func.attr.value),  # type: ignore[attr-defined]
                           node.func.value)  # type: ignore[attr-defined]


def no_caller_sees(w: Any, name: cst.Name, node: cst.CSTNode) -> None:
    """Refuse a write into a tensor that another name may stand for: the caller's, or a view."""
    function = w.function
    if function is None or not isinstance(function.node, cst.FunctionDef):
        return
    if name.value in function.params or assignments(function.node, name.value, node):
        writes.of_variable(w, name, node)


def assignments(function: cst.FunctionDef, name: str, before: cst.CSTNode) -> list[cst.BaseExpression]:
    """Values that the variable was given above a place, in the order of the text."""
    found: list[cst.BaseExpression] = []
    for n in walk(function.body):
        if n is before:
            break
        if isinstance(n, cst.Assign):
            for t in n.targets:
                if isinstance(t.target, cst.Name) and t.target.value == name:
                    found.append(n.value)
                elif isinstance(t.target, cst.Tuple) and any(
                        isinstance(e.value, cst.Name) and e.value.value == name for e in t.target.elements):
                    found.append(cst.Call(cst.Name("fresh")))
        elif isinstance(n, cst.For | cst.CompFor) and any(
                isinstance(t, cst.Name) and t.value == name for t in walk(n.target)):
            found.append(cst.Call(cst.Name("element")))
    return found


# ---------------------------------------------------------------- x[...] = value
def store(w: Any, node: cst.Assign) -> list[Any] | None:
    target = node.targets[0].target
    assert isinstance(target, cst.Subscript)
    if w.fact(target.value).kind is not Kind.TENSOR:
        return None
    value = w.expr(node.value, Layout.PLAIN if w.fact(node.value).kind is Kind.TENSOR else None)
    return [_stored(w, target, value, node)]


def augmented_store(w: Any, node: cst.AugAssign) -> list[Any]:
    target = node.target
    assert isinstance(target, cst.Subscript)
    return [_stored(w, target, rows.write_augmented_value(w, node), node)]


def _stored(w: Any, target: cst.Subscript, value: Any, node: cst.CSTNode) -> Any:
    if isinstance(target.value, cst.Name):
        no_caller_sees(w, target.value, node)
        return _set_at(w, target, value, node)
    raise Refused("P203", "a tensor is changed in place, and TensorFlow's cannot be: bind the result to a name", node)


def _is_number_by_mask(w: Any, target: cst.Subscript, node: cst.CSTNode) -> bool:
    """`x[x < 0] = 0` with a mask that has the axes of `x`, in the same order."""
    index = target.slice[0].slice if len(target.slice) == 1 else None
    if not isinstance(node, cst.Assign) or not isinstance(index, cst.Index) or (
            w.fact(node.value).kind is not Kind.PLAIN):
        return False
    mask, owner = w.fact(index.value), w.fact(target.value)
    return (mask.kind is Kind.TENSOR and mask.dtype == "bool" and mask.layout is owner.layout
            and mask.rank == owner.rank)


def _set_at(w: Any, target: cst.Subscript, value: Any, node: cst.CSTNode) -> Any:
    """`x = set_at(x, np.s_[:, 0], value)`, or what suits the index better."""
    x, owner = target.value, w.fact(target.value)
    if owner.layout is Layout.FLIPPED and not _is_number_by_mask(w, target, node):
        raise Refused("P209", "a channels-last tensor is written by index", target)
    new = rows.write_store(w, target, value)
    return cst.Assign([cst.AssignTarget(x)], new)  # type: ignore[arg-type]


__all__ = ["Fact", "augmented_store", "call_statement", "expression", "no_caller_sees", "store"]
