"""Adapters of function arguments: dtypes, indices, shapes, paddings, axes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Kind, Layout
from port.table import Arg
from port.tf2torch.adapt import args as layer_args
from port.tf2torch.calls.job import Job, resolve_reaching
from port.tf2torch.calls.sizes import joined
from port.tf2torch.calls.spelling import DTYPES
from port.tf2torch.infer.conditions import is_number, is_sequence
from port.tf2torch.infer.opshapes import dtype_of
from port.tf2torch.infer.sizes import is_sizes
from port.tf2torch.infer.values import Items, has_tensor
from port.tree import code, find

TYPES = ("tf.", "numpy.", "builtins.")


# ---------------------------------------------------------------- dtypes
def torch_dtype(job: Job, name: str) -> str:
    """'torch.int64' for 'int32': whole numbers are int64 in PyTorch code."""
    if name not in DTYPES:
        raise job.refuse("P203", f"torch has no dtype like `{name}`")
    if name == "int32":
        job.em.report("P103", "int32 is written as int64, the whole numbers of PyTorch", None)
        name = "int64"
    job.em.need("torch")
    return f"torch.{name}"


def dtype(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    fact = job.fact(name)
    value = fact.literal(...)
    if value is None:
        return None
    if isinstance(value, str) or (fact.kind is Kind.FUNCTION and fact.symbol.startswith(TYPES)):
        return expression(torch_dtype(job, dtype_of(fact) or ""))
    if any(isinstance(r, str) for r in resolve_reaching(job.em, job.bound.args.get(name))):
        raise job.refuse("P202", f"`{name}` is a string that callers choose; pass a torch dtype")
    return job.expr(name)


# ---------------------------------------------------------------- values
def index(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """Whole numbers that pick something: int64 where torch insists on it."""
    fact = job.fact(name)
    value = job.expr(name, Layout.PLAIN if fact.kind is Kind.TENSOR else None)
    if fact.kind is Kind.TENSOR:
        return build("{x}.long()", x=value) if fact.dtype not in (None, "int32", "int64", "int16") else value
    subscript = f"{name}]" in job.row.expr.get("torch", "") or f"{name}, :]" in job.row.expr.get("torch", "")
    if (is_sequence(fact) or is_number(fact)) and not subscript:
        job.em.need("torch")
        return build("torch.tensor({x})", x=value)
    return value


def tensor(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    value = job.expr(name, job.want)
    if job.fact(name).kind is Kind.TENSOR:
        return value
    job.em.need("torch")
    return build("torch.as_tensor({x})", x=value)


def none_is(replacement: str) -> Any:
    def adapter(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
        return None if job.literal(name) is None else job.expr(name)

    adapter.__name__ = f"none_is_{replacement}"
    return adapter


# ---------------------------------------------------------------- axes
def axis_int(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """An int, or a list of one."""
    value = job.literal(name)
    if isinstance(value, tuple):
        if len(value) != 1:
            raise job.refuse("P202", f"`{name}={list(value)}`: torch takes one axis here")
        node = job.bound.args.get(name)
        if isinstance(node, cst.List | cst.Tuple) and not _flipped(job, arg):
            return job.em.expr(node.elements[0].value)
        moved = layer_args.axis(job, name, arg)
        return moved.elements[0].value if isinstance(moved, cst.Tuple | cst.List) else moved
    return layer_args.axis(job, name, arg)


def axis_list(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """A list, also of one."""
    moved = layer_args.axis(job, name, arg)
    fact = job.fact(name)
    if moved is None or is_sequence(fact) or isinstance(moved, cst.List | cst.Tuple):
        return moved
    if not is_number(fact):
        raise job.refuse("P208", f"`{name}`: whether it is one axis or several is not known")
    return build("[{a}]", a=moved)


def _flipped(job: Job, arg: Arg) -> bool:
    return job.want is not Layout.PLAIN and any(t.layout is Layout.FLIPPED for t in job.inputs)


def perm(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """The order of axes; the tensor is in the source's order here (see `calls.run`)."""
    fact = job.fact(name)
    if fact.kind is Kind.TENSOR:
        return build("{p}.tolist()", p=job.expr(name))
    return job.expr(name)


def tensordot_axes(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    value = job.literal(name)
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value):
        return expression(f"([{value[0]}], [{value[1]}])")
    if value is ... and not is_number(job.fact(name)):
        raise job.refuse("P208", f"`{name}` is not written out")
    return job.expr(name)


# ---------------------------------------------------------------- shapes
JOINS = ("tf.concat", "keras.ops.concatenate", "keras.backend.concatenate")
STACKS = ("tf.stack", "keras.ops.stack", "keras.backend.stack", "tf.convert_to_tensor", "tf.constant")


def shape(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """Sizes: a list, a tuple, the shape of a tensor, or tensors that hold sizes."""
    if job.row.kind == "layer":
        return layer_args.shape(job, name, arg)
    if not job.given(name):
        return job.expr(name)
    return sizes(job, job.bound.args[name])


def sizes(job: Job, node: cst.BaseExpression) -> cst.BaseExpression:
    em = job.em
    fact = em.fact(node)
    if isinstance(node, cst.Call) and node.args:
        symbol = em.symbol(node.func)
        first = node.args[0].value
        held = em.fact(first)
        listed = isinstance(first, cst.List | cst.Tuple) or is_sizes(held) or (
            symbol in STACKS[:3] and held.kind in (Kind.PLAIN, Kind.UNKNOWN) and not has_tensor(held))
        if symbol in STACKS and listed and not _axis_given(job, node):
            return sizes(job, first)
        if symbol == "tf.TensorShape" and len(node.args) == 1:
            return sizes(job, first)
        if symbol in JOINS and isinstance(first, cst.List | cst.Tuple):
            return joined(em, first, lambda part: sizes(job, part))
    value = em.expr(node)
    if isinstance(node, cst.Name) and (parts := _stacked(job, node)) is not None:
        raise job.refuse("P208", f"whether `{code(parts)}` holds sizes, which are numbers in PyTorch, or tensors is "
                         "not known: give the list itself as the shape")
    if fact.kind is Kind.TENSOR and fact.rank != 0:
        return build("{s}.tolist()", s=value)
    return value


def _stacked(job: Job, name: cst.Name) -> cst.BaseExpression | None:
    """What a variable stacks, where that is not known to be tensors: it may be a list of sizes."""
    function, em = job.em.scope.function, job.em
    for assign in find(function.node, cst.Assign) if function is not None else ():
        call = assign.value
        if isinstance(call, cst.Call) and call.args and em.symbol(call.func) in STACKS[:3] and any(
                code(t.target) == name.value for t in assign.targets):
            given = em.fact(call.args[0].value)
            known = has_tensor(given) or is_sizes(given) or isinstance(given.payload, Items) or given.values
            return None if known else call.args[0].value
    return None


def _axis_given(job: Job, node: cst.Call) -> bool:
    axis = [a.value for i, a in enumerate(node.args) if (a.keyword is None and i == 1) or (
        a.keyword is not None and a.keyword.value == "axis")]
    return any(job.em.fact(a).literal(...) not in (0, -1) for a in axis) and job.em.symbol(node.func) in STACKS[:3]


# ---------------------------------------------------------------- padding
def paddings(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """`[[before, after], ...]` from the first axis on; F.pad wants a flat tuple from the last axis on."""
    node = job.bound.args[name]
    if isinstance(node, cst.Call) and job.em.symbol(node.func) == "helpers.correct_pad":
        return _corrected(job, node, arg)
    pairs = _pairs(job, node)
    if _flipped(job, arg):
        pairs = [pairs[0], pairs[-1], *pairs[1:-1]]
    while len(pairs) > 1 and all(code(v) == "0" for v in pairs[0]):
        pairs = pairs[1:]
    flat = [cst.Element(v) for pair in reversed(pairs) for v in pair]
    return cst.Tuple(flat, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _corrected(job: Job, node: cst.Call, arg: Arg) -> cst.BaseExpression:
    """`tf.pad(x, correct_pad(x, 3))`: the amounts follow the size of the image that is padded."""
    if len(node.args) != 2 or not arg.of or code(node.args[0].value) != code(job.bound.args[arg.of]):
        raise job.refuse("P208", "the amounts of padding are those of another tensor")
    if not _flipped(job, arg):
        raise job.refuse("P209", "`correct_pad` counts the sizes of a channels-first image, and this is none yet")
    job.em.helper("correct_pad")
    return build("correct_pad({x}, {k})", x=job.em.expr(node.args[0].value, Layout.FLIPPED),
                 k=job.em.expr(node.args[1].value))


def _pairs(job: Job, node: cst.BaseExpression) -> list[list[cst.BaseExpression]]:
    em = job.em
    if isinstance(node, cst.Call) and node.args and em.symbol(node.func) in ("tf.constant", "tf.convert_to_tensor"):
        return _pairs(job, node.args[0].value)
    if isinstance(node, cst.List | cst.Tuple) and all(
            isinstance(e.value, cst.List | cst.Tuple) and len(e.value.elements) == 2 for e in node.elements):
        return [[em.expr(v.value) for v in e.value.elements] for e in node.elements]  # type: ignore[attr-defined]
    value = em.fact(node).literal(...)
    if isinstance(value, tuple) and all(isinstance(v, tuple) and len(v) == 2 for v in value):
        return [[expression(str(a)) for a in v] for v in value]
    if isinstance(node, cst.Name) and (written := _line_above(job, node)) is not None:
        return _pairs(job, written)
    raise job.refuse("P208", "the amounts of padding are not written out")


def _line_above(job: Job, node: cst.Name) -> cst.BaseExpression | None:
    """What the variable is, if the line above says: no name in it can mean anything else here."""
    function = job.em.scope.function
    for block in find(function.node, cst.IndentedBlock) if function is not None else ():
        for above, line in pairwise(block.body):
            small = above.body[0] if isinstance(above, cst.SimpleStatementLine) and len(above.body) == 1 else None
            if isinstance(line, cst.SimpleStatementLine) and isinstance(small, cst.Assign) and (
                    [code(t.target) for t in small.targets] == [node.value]) and node in find(line, cst.Name):
                return small.value if not isinstance(small.value, cst.Name) else None
    return None












ARGS: dict[str, Any] = {f.__name__: f for f in (
    dtype, index, tensor, axis_int, axis_list, perm, tensordot_axes, shape, paddings, none_is("0"), none_is("false"))}
