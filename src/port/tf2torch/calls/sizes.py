"""Functions that get sizes, written with Python's own means: `x.shape[1] + 1`, `[x.shape[0], 2, 3]`."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from port.build import build, paren
from port.facts import Kind, Layout
from port.tf2torch.calls.arrays import made_tensor
from port.tf2torch.calls.job import Job, arrange
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.conditions import is_sequence
from port.tf2torch.infer.sizes import (
    COMPARISONS,
    ITSELF,
    LOGICAL,
    OF_ONE,
    OF_SHAPES,
    OPERATORS,
    WHERE,
    in_order,
    is_sizes,
    is_vector,
    of_sizes,
)
from port.tf2torch.infer.values import Items, ShapeOf, has_tensor
from port.tree import changed, code, find


def size_form(job: Job) -> cst.BaseExpression | None:
    """The call in Python's words, if what it gets are sizes; None if it is not one of these."""
    name = job.row.name.removeprefix("v1_")
    known = (*OPERATORS, *COMPARISONS, *LOGICAL, *OF_ONE, *OF_SHAPES, *ITSELF, *WHERE, "stack", "concat", "unstack",
             "gather", "size", "expand_dims", "reshape")
    if name not in known or of_sizes(job.em.it, job.row, job.bound) is None:
        return None
    nodes = list(in_order(job.row, job.bound).values())
    first, fact = nodes[0], job.em.fact(nodes[0])
    if name == "concat":
        return joined(job.em, first)
    if name == "gather":
        return _gathered(job, first)
    if name == "size" and not is_sizes(fact):
        return None
    values = [arrange(job, n, None) for n in nodes]
    if name in OPERATORS:
        return build(f"{{a}} {OPERATORS[name]} {{b}}", a=values[0], b=values[1])
    if name in COMPARISONS:
        return build(f"{{a}} {COMPARISONS[name]} {{b}}", a=values[0], b=values[1])
    if name in LOGICAL:
        return build(LOGICAL[name], **dict(zip("ab", values, strict=False)))
    if name in OF_ONE:
        return build(OF_ONE[name], **dict(zip(("x", "low", "high"), values, strict=False)))
    if name in WHERE:
        return build("{a} if {c} else {b}", c=values[0], a=values[1], b=values[2])
    if name in OF_SHAPES:
        if OF_SHAPES[name].startswith("math."):
            job.em.need("math")
        return build(f"{OF_SHAPES[name]}({{s}})", s=values[0])
    if name == "size":
        return build("len({s})", s=values[0])
    if name in ("expand_dims", "reshape"):
        return build("[{n}]", n=values[0])
    if name == "unstack":
        return values[0] if _is_unpacked(job) else build("list({s})", s=values[0])
    if name == "stack" and not isinstance(first, cst.List | cst.Tuple | cst.BinaryOperation | cst.ListComp):
        return build("list({s})", s=values[0])
    return values[0]


def _is_unpacked(job: Job) -> bool:
    """`b, n = tf.unstack(tf.shape(x))`"""
    function = job.em.scope.function
    return function is not None and any(a.value is job.node and all(isinstance(
        t.target, cst.Tuple | cst.List) for t in a.targets) for a in find(function.node, cst.Assign))


def _gathered(job: Job, shape: cst.BaseExpression) -> cst.BaseExpression:
    picks = job.literal("indices")
    held = paren(arrange(job, shape, None))
    if isinstance(picks, int):
        return build(f"{{s}}[{picks}]", s=held)
    return cst.List([cst.Element(build(f"{{s}}[{p}]", s=held)) for p in picks])


# ---------------------------------------------------------------- shapes from parts
def joined(em: Emitter, parts: cst.BaseExpression,
           part: Callable[[cst.BaseExpression], cst.BaseExpression] | None = None) -> cst.BaseExpression:
    """`tf.concat([tf.shape(x)[:2], [3]], axis=0)` is `[*x.shape[:2], 3]`."""
    if not isinstance(parts, cst.List | cst.Tuple):
        return build("[n for part in {p} for n in part]", p=em.expr(parts))
    elements: list[cst.BaseElement] = []
    for element in parts.elements:
        value = part(element.value) if part is not None else _listed(em, element.value)
        if isinstance(value, cst.List | cst.Tuple):
            elements += [e.with_changes(comma=cst.MaybeSentinel.DEFAULT) for e in value.elements]
        else:
            elements.append(cst.StarredElement(value))
    return cst.List(elements)


def _listed(em: Emitter, node: cst.BaseExpression) -> cst.BaseExpression:
    fact = em.fact(node)
    return build("{s}.tolist()", s=em.expr(node)) if fact.kind is Kind.TENSOR and fact.rank != 0 else em.expr(node)


# ---------------------------------------------------------------- operators
def shape_operator(em: Emitter, node: cst.BinaryOperation) -> cst.BaseExpression | None:
    """`tf.shape(x)[1:3] * 2` by element: `[n * 2 for n in x.shape[1:3]]`; `x.shape[:1] + [2]`: `[*x.shape[:1], 2]`."""
    a, b, whole = em.fact(node.left), em.fact(node.right), em.fact(node)
    if is_vector(a) or is_vector(b):
        if has_tensor(whole):
            if whole.layout is Layout.FLIPPED:
                raise Refused("P209", "a whole shape meets a channels-first tensor", node)
            return changed(node, left=as_tensor(em, node.left, node), right=as_tensor(em, node.right, node))
        if not is_sizes(whole):
            raise Refused("P206", "arithmetic with a whole shape, which is a tuple in PyTorch: index it", node)
        shape, other = (node.left, node.right) if is_vector(a) else (node.right, node.left)
        name = cst.Name(next(n for n in ("n", "size", "length") if n not in code(other)))
        sides = {"left": name, "right": em.plain(other)} if is_vector(a) else {"left": em.plain(other), "right": name}
        return build("[{e} for {n} in {s}]", e=changed(node, lpar=[], rpar=[], **sides), n=name, s=em.plain(shape))
    tuples = [isinstance(f.payload, ShapeOf) and f.payload.form == "tuple" for f in (a, b)]
    if not isinstance(node.operator, cst.Add) or any(tuples) == all(tuples) or not is_sizes(whole):
        return None
    other, fact = (node.right, b) if tuples[0] else (node.left, a)
    listed = isinstance(other, cst.List) or (isinstance(fact.payload, ShapeOf) and fact.payload.form == "list") or (
        isinstance(fact.payload, Items) and fact.payload.kind == "list")
    return joined(em, cst.List([cst.Element(node.left), cst.Element(node.right)])) if listed else None


def as_tensor(em: Emitter, node: cst.BaseExpression, whole: cst.BaseExpression) -> cst.BaseExpression:
    """A shape, or a list of numbers, where it meets tensors, as one on the device of them all; a tensor as it is."""
    fact = em.fact(node)
    if fact.kind is Kind.TENSOR or not (is_sizes(fact) or is_sequence(fact)):
        return em.plain(node)
    return made_tensor(em, whole, em.plain(node))
