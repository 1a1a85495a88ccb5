"""NumPy arrays and lists of numbers where they meet tensors: PyTorch takes them for tensors only where it is told."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from port.build import COMMA, TIGHT, build, expression
from port.facts import Fact, Kind, Layout
from port.tf2torch.calls.variables import first_weight
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.arrays import is_array, is_listed, known_shape
from port.tf2torch.infer.values import ShapeOf, Size
from port.tree import code, find, memo


def is_table(fact: Fact) -> bool:
    return is_array(fact) or is_listed(fact)


def beside(em: Emitter, node: cst.BaseExpression, others: Sequence[cst.BaseExpression], whole: Fact, own: bool = False
           ) -> cst.BaseExpression:
    """`torch.as_tensor(table, dtype=x.dtype, device=x.device)`: an operand, of the dtype of the tensors beside it.

    TensorFlow gives it their dtype (`convert_to_tensor` with the tensor's dtype as hint); NumPy's own is float64.
    `whole` is the result: where that is channels first, the axes of the array are too. `own`: it keeps its dtype.
    """
    other = next((name for o in others if (name := _tensor_in(em, o))), "") or own_tensor(em)
    if not other and not own:
        raise Refused("P206", f"`{code(node)}` is no tensor and meets one; make it a tensor of the same dtype", node)
    em.need("torch")
    fact = em.fact(node)
    maker = "as_tensor" if is_array(fact) else "tensor"
    dtype, device = "" if own else f", dtype={other}.dtype", f", device={other}.device" if other else ""
    new = build(f"torch.{maker}({{t}}{dtype}{device})", t=em.expr(node).with_changes(lpar=[], rpar=[]))
    return _first(new, node, fact, whole.rank) if whole.layout is Layout.FLIPPED else new


def _first(new: cst.BaseExpression, node: cst.BaseExpression, fact: Fact, total: int | None) -> cst.BaseExpression:
    """The array's axes in the order of a channels-first tensor of so many axes."""
    shape = known_shape(fact)
    if shape is not None and len(shape) == 0:
        return new
    if shape is None or total is None or len(shape) != 1:
        raise Refused("P209", f"the axes of `{code(node)}` are not known to be the channels, and it meets a "
                      "channels-first tensor", node)
    return build(f"{{x}}[:{', None' * (total - 2)}]", x=new) if total > 2 else new


def _tensor_in(em: Emitter, node: cst.BaseExpression) -> str:
    """The first variable or attribute in it that is a tensor of floats, as the port writes it."""
    for kind in (cst.Name, cst.Attribute):
        for n in find(node, kind):
            fact = em.fact(n)
            whole = (fact.dtype or "").startswith(("int", "uint", "bool"))
            if fact.kind is Kind.TENSOR and (n is node or not whole):
                text = code(em.expr(n))
                if all(part.isidentifier() for part in text.split(".")):
                    return text
    return ""


def own_tensor(em: Emitter) -> str:
    """The first tensor that the function or method gets, which callers must give; else a weight of the object."""
    function = em.scope.function
    if em.scope.stage not in ("forward", "plain") or function is None or isinstance(function.node, cst.Lambda):
        return ""
    given = next((p for p in function.params if p not in function.defaults and p not in _unpacked(function.node) and (
        f := function.tensors.get(p)) is not None and f.kind is Kind.TENSOR), "")
    return given or (first_weight(em, function.owner) if function.owner is not None else "")


@memo
def _unpacked(function: cst.FunctionDef) -> frozenset[str]:
    """Parameters that hold several tensors: `ids, mask = inputs`."""
    return frozenset(n.value.value for n in find(function, cst.Assign) if isinstance(n.value, cst.Name)
                     and any(isinstance(t.target, cst.Tuple | cst.List) for t in n.targets))


# ---------------------------------------------------------------- devices
def is_dtype(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Attribute) and node.attr.value == "dtype" and isinstance(node.value, cst.Name)


def with_device(new: cst.Call, source: str) -> cst.Call:
    if not source or any(a.keyword is not None and a.keyword.value == "device" for a in new.args):
        return new
    device = cst.Arg(expression(f"{source}.device"), keyword=cst.Name("device"), equal=TIGHT)
    last = new.args[-1]
    held = [*new.args[:-1], last.with_changes(comma=COMMA, whitespace_after_arg=cst.SimpleWhitespace(""))]
    return new.with_changes(args=[*held, device])


def tensor_of(em: Emitter, node: cst.CSTNode) -> str:
    """The variable whose shape or dtype this value came from."""
    if is_dtype(node) and em.fact(node.value).kind is Kind.TENSOR:  # type: ignore[attr-defined]
        return node.value.value  # type: ignore[attr-defined,no-any-return]
    payload = em.fact(node).payload
    name = payload.of if isinstance(payload, Size) else payload.name if isinstance(payload, ShapeOf) else ""
    if name and _is_here(em, name):
        return name
    if isinstance(node, cst.Lambda):
        return ""
    return next((s for c in node.children if (s := tensor_of(em, c))), "")


def _is_here(em: Emitter, name: str) -> bool:
    """Is it a variable of this function? A size that another one returned is known by the name there."""
    function, first = em.scope.function, name.partition(".")[0]
    return function is None or first == "self" or first in function.params or first in function.assigned


def made_tensor(em: Emitter, node: cst.BaseExpression, value: cst.BaseExpression, floats: bool = False
                ) -> cst.BaseExpression:
    """A size, a shape or a list of numbers as a tensor, on the device of what it is the size of."""
    em.need("torch")
    new = build(f"torch.tensor({{v}}{', dtype=torch.float32' if floats else ''})", v=value)
    return with_device(new, tensor_of(em, node) or own_tensor(em)) if isinstance(new, cst.Call) else new
