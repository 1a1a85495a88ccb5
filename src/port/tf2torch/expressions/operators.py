"""Operators between tensors, and between tensors and values of Python."""

from __future__ import annotations

import libcst as cst

from port.build import build
from port.facts import FLOORED, Kind, Layout, divides_exactly
from port.tf2torch.calls.arrays import beside, is_table
from port.tf2torch.calls.sizes import as_tensor, shape_operator
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.expressions import dtype_names
from port.tf2torch.infer.sizes import is_vector
from port.tf2torch.infer.values import ShapeOf, has_tensor
from port.tree import changed


def binary(em: Emitter, node: cst.BinaryOperation) -> cst.BaseExpression:
    a, b, whole = em.fact(node.left), em.fact(node.right), em.fact(node)
    if (sized := shape_operator(em, node)) is not None:
        return sized
    if Kind.TENSOR in (a.kind, b.kind) and (is_table(a) or is_table(b)):
        left, right = _beside_table(em, node.left, node.right, node)
    elif isinstance(node.operator, cst.MatrixMultiply):
        left, right = em.expr(node.left, Layout.PLAIN), em.expr(node.right, Layout.PLAIN)
    elif whole.layout is Layout.FLIPPED:
        left, right = em.operand(node.left, a, node), em.operand(node.right, b, node)
    elif has_tensor(whole):
        left, right = em.expr(node.left), em.expr(node.right)
    elif Kind.SHAPE in (a.kind, b.kind) and not isinstance(node.operator, cst.Add):
        raise Refused("P206", "arithmetic with a whole shape, which is a tuple in PyTorch: index it", node)
    else:
        left, right = em.plain(node.left), em.plain(node.right)
    if isinstance(node.operator, cst.FloorDivide) and Kind.TENSOR in (a.kind, b.kind) and _are_floats(em, node):
        em.need("torch")
        return build("torch.floor({x} / {y})", x=left, y=right)  # torch's `//` does not round x / y
    return node if left is node.left and right is node.right else changed(node, left=left, right=right)


def _are_floats(em: Emitter, node: cst.BinaryOperation) -> bool:
    """Of `x // y`; where it is not known, a finding says what differs for floats."""
    facts = [em.fact(node.left), em.fact(node.right)]
    kinds = {f.dtype if f.kind is Kind.TENSOR else type(f.literal(...)).__name__ for f in facts}
    if any(k is not None and k.startswith(("float", "bfloat")) for k in kinds):
        return True
    whole = all(k is not None and k.startswith(("int", "uint", "bool")) for k in kinds)
    if not whole and not divides_exactly(facts[1].literal(...)):
        em.report("P101", FLOORED, node)
    return False


def comparison(em: Emitter, node: cst.Comparison) -> cst.BaseExpression:
    """`x > table`, `x.dtype == "float32"`"""
    if (of_dtypes := dtype_names.compared(em, node)) is not None:
        return of_dtypes
    other = node.comparisons[0].comparator
    facts = em.fact(node.left), em.fact(other)
    if any(map(is_vector, facts)) and em.fact(node).kind is Kind.TENSOR:
        by_element = changed(node.comparisons[0], comparator=as_tensor(em, other, node))
        return changed(node, left=as_tensor(em, node.left, node), comparisons=[by_element, *node.comparisons[1:]])
    if isinstance(other, cst.List) and isinstance(facts[0].payload, ShapeOf) and facts[0].payload.form == "tuple":
        sizes = cst.Tuple(em.generic(other).elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        of_tuple = changed(node.comparisons[0], comparator=sizes)
        return changed(node, left=em.plain(node.left), comparisons=[of_tuple])
    ordered = not isinstance(node.comparisons[0].operator, cst.In | cst.NotIn | cst.Is | cst.IsNot)
    if len(node.comparisons) > 1 or not ordered or Kind.TENSOR not in [f.kind for f in facts] or not any(
            map(is_table, facts)):
        return em.generic(node)  # type: ignore[no-any-return]
    left, right = _beside_table(em, node.left, other, node)
    return changed(node, left=left, comparisons=[changed(node.comparisons[0], comparator=right)])


def _beside_table(em: Emitter, left: cst.BaseExpression, right: cst.BaseExpression, node: cst.BaseExpression
                  ) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    """Both operands, one of them a tensor, the other an array or a list of numbers."""
    whole = em.fact(node)
    if is_table(em.fact(left)):
        return beside(em, left, [right], whole), em.expr(right)
    return em.expr(left), beside(em, right, [left], whole)
