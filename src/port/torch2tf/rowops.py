"""Operators on tensors: the operands in one layout, with the casts that torch makes by itself."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import FLOORED, Fact, Kind, dim_value, divides_exactly
from port.torch2tf import carried, dtypes, mathforms, operands, truths
from port.torch2tf.conditions import mixed
from port.torch2tf.jobs import bare
from port.torch2tf.values import Size

MATRIX = (cst.MatrixMultiply, cst.MatrixMultiplyAssign)
COMPARISONS: dict[type, str] = {cst.Equal: "equal", cst.NotEqual: "not_equal", cst.LessThan: "less",
               cst.LessThanEqual: "less_equal", cst.GreaterThan: "greater", cst.GreaterThanEqual: "greater_equal"}
SHIFTS: dict[type, str] = {cst.LeftShift: "left_shift", cst.RightShift: "right_shift",
                           cst.LeftShiftAssign: "left_shift", cst.RightShiftAssign: "right_shift"}
DIVISION = (cst.Divide, cst.DivideAssign)


def write_binary(w: Any, node: cst.BinaryOperation) -> Any:
    if isinstance(node.operator, MATRIX):
        return _matrix(w, node)
    casts = _casts(w, [node.left, node.right], node, isinstance(node.operator, DIVISION))
    left, right = (_operand(w, n, node, c) for n, c in zip((node.left, node.right), casts, strict=True))
    if isinstance(node.operator, cst.FloorDivide) and (
            floored := _floored(w, node, [node.left, node.right], w.fact(node.left), left, right)) is not None:
        return floored
    if type(node.operator) in SHIFTS and Kind.TENSOR in (w.fact(node.left).kind, w.fact(node.right).kind):
        return _shifted(w, node, left, right)
    if (promoted := truths.multiplied(w, node, casts, left, right)) is not None:
        return promoted
    if left is node.left and right is node.right:
        return node
    return node.with_changes(left=left, right=right)


def _shifted(w: Any, node: cst.BinaryOperation | cst.AugAssign, left: Any, right: Any) -> Any:
    """`i >> 1`: TensorFlow's tensors have no such operator."""
    w.need("keras")
    return build(f"keras.ops.{SHIFTS[type(node.operator)]}({{a}}, {{b}})", a=bare(left), b=bare(right))


def _floored(w: Any, node: cst.CSTNode, operands: list[Any], x: Fact, left: Any, right: Any) -> Any:
    """`x // y` of floats: torch divides what is left of x without a rest; TF rounds x / y, so that 1 // 0.1 is 10."""
    facts = [x, w.fact(operands[1])]
    kinds = {dtypes.category(f.dtype) if f.kind is Kind.TENSOR else dtypes.number_category(f) for f in facts}
    simple = all(dtypes.is_variable(n) or isinstance(n, cst.Integer | cst.Float) for n in operands)
    if not any(f.kind is Kind.TENSOR for f in facts) or kinds <= {0, 1} or divides_exactly(facts[1].literal(...)):
        return None
    if 2 not in kinds or not simple:
        w.report("P101", FLOORED, node)
        return None
    w.need("tf" if w.target == "tf" else "keras")
    text = "tf.round(({x} - tf.math.floormod({x}, {y})) / {y})" if w.target == "tf" else (
        "keras.ops.round(({x} - keras.ops.mod({x}, {y})) / {y})")
    return build(text, x=left, y=right)


def _matrix(w: Any, node: cst.BinaryOperation) -> Any:
    """`a @ b` stays, but for vectors, and for a transpose that can be part of the product."""
    ranks = [w.fact(n).rank for n in (node.left, node.right)]
    casts = dtypes.promotions(w, [node.left, node.right], node)
    swaps = w.target == "tf" and any(mathforms.swapped(w, n) is not None for n in (node.left, node.right))
    if 1 in ranks or swaps or any(c is not None for c in casts):
        return mathforms.product(w, node.left, node.right, node)
    return node.with_changes(left=_operand(w, node.left, node, None), right=_operand(w, node.right, node, None))


def _casts(w: Any, nodes: list[cst.BaseExpression], at: cst.CSTNode, division: bool) -> list[Any]:
    casts = dtypes.divisions(w, nodes, at) if division else dtypes.promotions(w, nodes, at)
    return [cast or _of_batch(w, node, other) or truths.cast(w, node, other, at)
            for node, other, cast in zip(nodes, reversed(nodes), casts, strict=True)]


def _of_batch(w: Any, node: cst.BaseExpression, other: cst.BaseExpression) -> Any:
    """The dtype of the tensor that the size of a batch meets: inside tf.function such a size may be a whole tensor."""
    size, tensor = w.fact(node).payload, w.fact(other)
    meets = isinstance(size, Size) and size.batch and dim_value(size.dim) is None and tensor.kind is Kind.TENSOR
    return dtypes.dtype_of(w, other) if meets and tensor.dtype not in dtypes.WHOLE else None


def _operand(w: Any, node: cst.BaseExpression, whole: cst.CSTNode, cast: Any) -> Any:
    new = operands.operand(w, node, whole)
    if cast is not None:
        return dtypes.cast(w, bare(new), cast)
    return new if new is node or type(new) is type(node) else paren(new)


def write_comparison(w: Any, node: cst.Comparison) -> Any:
    nodes = [node.left, *(t.comparator for t in node.comparisons)]
    name = COMPARISONS.get(type(node.comparisons[0].operator), "")
    if len(nodes) == 2 and name and mixed([w.fact(n) for n in nodes]):
        w.need("keras")
        return build(f"keras.ops.{name}({{a}}, {{b}})", a=operands.operand(w, nodes[0], node),
                     b=operands.operand(w, nodes[1], node))
    casts = dtypes.promotions(w, nodes, node)
    new = [_operand(w, n, node, c) for n, c in zip(nodes, casts, strict=True)]
    if all(a is b for a, b in zip(nodes, new, strict=True)):
        return node
    targets = [t.with_changes(comparator=n) for t, n in zip(node.comparisons, new[1:], strict=True)]
    return node.with_changes(left=new[0], comparisons=targets)


def write_unary(w: Any, node: cst.UnaryOperation) -> Any:
    new = w.expr(node.expression)
    if new is node.expression:
        return node
    return node.with_changes(expression=new if type(new) is type(node.expression) else paren(new))


def write_augmented(w: Any, node: cst.AugAssign) -> Any:
    """`x += y`: y takes the dtype of x, as torch's writes in place do."""
    if isinstance(node.target, cst.Attribute):
        carried.check(w, node.target.value, node.target.attr.value, node.target, node)
    cast = _casts(w, [node.target, node.value], node, isinstance(node.operator, DIVISION))[1]  # type: ignore[list-item]
    new = operands.operand(w, node.value, node)
    new = new if cast is None else dtypes.cast(w, new, cast)
    target, old, after = w.expr(node.target), w.fact(node), w.fact(node.target)
    if isinstance(node.operator, cst.FloorDivideAssign) and old.layout is after.layout and (
            floored := _floored(w, node, [node.target, node.value], old, target, new)) is not None:
        return cst.Assign([cst.AssignTarget(target)], floored, semicolon=node.semicolon)
    if type(node.operator) in SHIFTS and old.kind is Kind.TENSOR and old.layout is after.layout:
        return cst.Assign([cst.AssignTarget(target)], _shifted(w, node, target, new), semicolon=node.semicolon)
    if old.kind is not Kind.TENSOR or after.kind is not Kind.TENSOR or old.layout is after.layout or old.rank == 0:
        return node.with_changes(target=target, value=new)
    before = w.reordered(old, target, after.layout, node)
    turned = cst.BinaryOperation(before, _PLAIN[type(node.operator)](), paren(new))
    return cst.Assign([cst.AssignTarget(target)], turned, semicolon=node.semicolon)


_PLAIN: dict[type, Any] = {cst.AddAssign: cst.Add, cst.SubtractAssign: cst.Subtract, cst.MultiplyAssign: cst.Multiply,
          cst.DivideAssign: cst.Divide, cst.FloorDivideAssign: cst.FloorDivide, cst.ModuloAssign: cst.Modulo,
          cst.PowerAssign: cst.Power, cst.MatrixMultiplyAssign: cst.MatrixMultiply, cst.BitAndAssign: cst.BitAnd,
          cst.BitOrAssign: cst.BitOr, cst.BitXorAssign: cst.BitXor}


def write_augmented_value(w: Any, node: cst.AugAssign) -> Any:
    """The value of `x[i] += v` afterwards: `x[i] + v`."""
    operands = [node.target, node.value]
    casts = _casts(w, operands, node, isinstance(node.operator, DIVISION))  # type: ignore[arg-type]
    old, value = w.fact(node), w.fact(node.value)
    alike = value.kind is Kind.TENSOR and value.rank == old.rank
    written = (w.expr(node.target), w.expr(node.value, old.layout if alike else None))
    left, right = (new if c is None else dtypes.cast(w, new, c) for new, c in zip(written, casts, strict=True))
    if isinstance(node.operator, cst.FloorDivideAssign) and (
            floored := _floored(w, node, operands, old, left, right)) is not None:
        return floored
    if type(node.operator) in SHIFTS:
        return _shifted(w, node, left, right)
    return cst.BinaryOperation(paren(left), _PLAIN[type(node.operator)](), paren(right))
