"""Padding: torch counts from the last axis on, TF has a pair for each axis."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Layout
from port.torch2tf.dtypes import is_variable
from port.torch2tf.jobs import Job
from port.torch2tf.rowforms import made
from port.torch2tf.values import Items
from port.tree import walk


def pad(job: Job) -> cst.BaseExpression:
    mode = job.literal("mode")
    amounts = job.literal("pad")
    if isinstance(amounts, tuple) and any(isinstance(v, int) and v < 0 for v in amounts):
        return _cropped(job, amounts)
    if mode == "constant" and job.want is not Layout.FLIPPED and not _is_counted(job, "pad"):
        words = ", {v}" if job.given("value") and job.literal("value") not in (None, 0) else ""
        return made(job, f"helpers.pad_last_axes({{x}}, {{p}}{words})", x=job.expr("input"), p=job.expr("pad"),
                    v=job.expr("value"))
    pads = paddings(job, "pad", "input")
    nodes: dict[str, Any] = {"x": job.expr("input"), "p": pads}
    if mode == "constant" and _is_signed(job):
        words = ", value={v}" if job.given("value") and job.literal("value") not in (None, 0) else ""
        return made(job, f"helpers.pad_or_cut({{x}}, {{p}}{words})", v=job.expr("value"), **nodes)
    if mode == "constant":
        value = job.literal("value")
        if value is None or (value == 0 and not isinstance(value, bool)):
            return made(job, "tf.pad({x}, {p})", "keras.ops.pad({x}, {p})", **nodes)
        nodes["v"] = job.expr("value")
        tail = "pad({x}, {p}, constant_values={v})"
        return made(job, f"tf.{tail}", f"keras.ops.{tail}", **nodes)
    if mode == "reflect":
        return made(job, 'tf.pad({x}, {p}, mode="REFLECT")', 'keras.ops.pad({x}, {p}, mode="reflect")', **nodes)
    if mode in ("replicate", "circular"):
        return made(job, f"helpers.pad_{mode}({{x}}, {{p}})", **nodes)
    raise job.refuse("P208", "the mode of padding is not known")


def _is_counted(job: Job, name: str) -> bool:
    """Is it known how many amounts there are?"""
    node, held = job.bound.args[name], job.fact(name).payload
    if isinstance(node, cst.Tuple | cst.List):
        return not any(isinstance(e, cst.StarredElement) for e in node.elements)
    return isinstance(job.literal(name), tuple) or (isinstance(held, Items) and not held.open and is_variable(node))


def _is_signed(job: Job) -> bool:
    """Is an amount written as `-n`, of a number that is not known here, or may a variable hold a negative one?"""
    node, held = job.bound.args["pad"], job.fact("pad").payload
    if isinstance(node, cst.Tuple | cst.List):
        return any(isinstance(e.value, cst.UnaryOperation) and isinstance(e.value.operator, cst.Minus)
                   and not isinstance(e.value.expression, cst.Integer) for e in node.elements)
    known = [e.values for e in held.elements] if isinstance(held, Items) else []
    if None in known:
        return _is_of_lambda(job, node)
    return any(isinstance(v, int) and v < 0 for values in known for v in values or ())


def _is_of_lambda(job: Job, node: cst.BaseExpression) -> bool:
    """`map(lambda shift: F.pad(x, shift), shifts)`: of its parameters no values are known."""
    return isinstance(node, cst.Name) and any(
        isinstance(f.node, cst.Lambda) and node.value in f.params and node in walk(f.node.body)
        for f in job.w.it.functions.values())


def _cropped(job: Job, amounts: tuple[Any, ...]) -> cst.BaseExpression:
    """Negative amounts cut off."""
    rank = job.fact("input").rank
    if rank is None or not all(isinstance(v, int) and v <= 0 for v in amounts) or job.want is Layout.FLIPPED:
        raise job.refuse("P202", "negative padding cuts off: write a slice")
    rows = [(amounts[i], amounts[i + 1]) for i in range(len(amounts) - 2, -1, -2)]
    rows = [(0, 0)] * (rank - len(rows)) + rows
    text = ", ".join(f"{-a or ''}:{b or ''}" for a, b in rows)
    return build(f"{{x}}[{text}]", x=job.expr("input"))


def paddings(job: Job, name: str, of: str) -> Any:
    """`(left, right, ...)` from the last axis on; TF wants a pair for each axis, first axis first."""
    rank = job.fact(of or "input").rank
    pairs = pad_pairs(job, name)
    if rank is None:
        return _behind(job, pairs, job.bound.args[of or "input"])
    rows = [("0", "0")] * (rank - len(pairs)) + pairs
    if job.want is Layout.FLIPPED:
        rows = [rows[0], *rows[2:], rows[1]]
    return cst.List([cst.Element(cst.List([cst.Element(_node(a)), cst.Element(_node(b))])) for a, b in rows])


def _behind(job: Job, pairs: list[Any], x: cst.BaseExpression) -> Any:
    """Pairs for the last axes of a tensor whose rank is not known here."""
    if not isinstance(x, cst.Name | cst.Attribute) or job.want is Layout.FLIPPED:
        raise job.refuse("P208", "how many axes the tensor has is not known")
    last = cst.List([cst.Element(cst.List([cst.Element(_node(a)), cst.Element(_node(b))])) for a, b in pairs])
    return build(f"[[0, 0]] * (len({{x}}.shape) - {len(pairs)}) + {{last}}", x=paren(job.expr("input")), last=last)


def pad_pairs(job: Job, name: str) -> list[Any]:
    """(before, after) for the last axes, in their order."""
    node = job.bound.args[name]
    if isinstance(node, cst.Tuple | cst.List) and _is_counted(job, name):
        flat: list[Any] = [job.w.expr(e.value) for e in node.elements]
    else:
        found, held = job.literal(name), job.fact(name).payload
        if not isinstance(found, tuple) and isinstance(held, Items) and _is_counted(job, name):
            found = tuple(build(f"{{p}}[{i}]", p=job.expr(name)) for i in range(len(held.elements)))
        if not isinstance(found, tuple) or len(found) % 2:
            raise job.refuse("P208", "the amounts of padding are not written out")
        flat = [v if isinstance(v, cst.CSTNode) else str(v) for v in found]
    if any(isinstance(v, int) and v < 0 for v in (job.literal(name) if isinstance(job.literal(name), tuple) else ())):
        raise job.refuse("P202", "negative padding cuts off: write a slice")
    return [(flat[i], flat[i + 1]) for i in range(len(flat) - 2, -1, -2)]


def _node(text: Any) -> cst.BaseExpression:
    return expression(text) if isinstance(text, str) else text


ROWS: dict[str, Any] = {"pad": pad}
