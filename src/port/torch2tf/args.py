"""Adapters of arguments, torch to TF: what rows name in `via`, read backwards."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Kind, Layout
from port.torch2tf import dtypes, truths
from port.torch2tf.binds import tuple_of
from port.torch2tf.conditions import is_number, is_sequence
from port.torch2tf.jobs import ABSENT, Job, arrange, facts_in, literal_of
from port.torch2tf.numberkinds import number_kind, usual_kind
from port.torch2tf.values import ShapeOf

CAST_FIRST = ("same", "reduce", "cast", "like", "fill", "range", "constant")  # `dtype=` casts what goes in, or is made
TOTALS = ("sum", "cumsum", "prod", "cumprod", "nansum")  # of whole numbers: int64 in torch
TESTS = ("any", "all", "logical_and", "logical_or", "logical_not", "logical_xor")
FLOATING = {"exp", "log", "sqrt", "rsqrt", "sin", "cos", "tan", "tanh", "sigmoid", "log1p", "log2", "log10", "expm1",
            "reciprocal", "erf", "asin", "acos", "atan", "atan2", "sinh", "cosh", "exp2", "logsigmoid", "lgamma"}


def prepare(job: Job) -> None:
    """The layout of the tensors, and the casts that torch makes by itself."""
    job.want = layout_of(job)
    base = job.symbol.rpartition(".")[2]
    tensors = [n for n, a in job.bound.args.items() if job.w.fact(a).kind is Kind.TENSOR]
    if not tensors:
        return
    first, dtype = tensors[0], job.fact(tensors[0]).dtype
    wanted = job.bound.common.get("dtype")
    if wanted is not None and literal_of(job.w, wanted) is not None:
        if job.row.returns in ("same", "reduce"):
            job.casts[first] = dtype_value(job, wanted)
    elif base in TOTALS and dtypes.category(dtype) in (0, 1) and dtype != "int64":
        job.casts[first] = dtypes.spell(job.w, "int64")
    elif base in TESTS and dtype not in (None, "bool"):
        job.casts = {n: dtypes.spell(job.w, "bool") for n in tensors}
    elif base in FLOATING and dtypes.category(dtype) in (0, 1):
        job.casts = {n: job.w.float_dtype() for n in tensors if dtypes.category(job.fact(n).dtype) != 2}
    elif job.row.returns in ("broadcast", "compare", "divide"):
        _meet(job)


def _meet(job: Job) -> None:
    named = [n for n in job.bound.args if not (job.fact(n).dtype == "bool" and n in ("condition", "mask"))]
    cast = dtypes.divisions if job.row.returns == "divide" else dtypes.promotions
    casts = cast(job.w, [job.bound.args[n] for n in named], job.node)
    if job.symbol.rpartition(".")[2] in truths.FUNCTIONS and len(named) == 2 and casts == [None, None]:
        casts = [truths.of_other(job.w, job.bound.args[n], job.bound.args[m]) for n, m in (named, named[::-1])]
    job.casts |= {n: c for n, c in zip(named, casts, strict=True) if c is not None}


def layout_of(job: Job) -> Layout:
    """The layout that the call's tensors are brought to, as the interpreter found it."""
    want: Layout = job.w.it.wants.get(job.node, Layout.PLAIN)
    if job.row.layout and want is not Layout.FLIPPED and job.tensors:
        raise job.refuse("P208", "how many axes the tensor has is not known")
    return want


# ---------------------------------------------------------------- one parameter
def value(job: Job, name: str, via: str = "", of: str = "") -> Any:
    """What is written for a torch parameter: an expression, or ABSENT."""
    arg = job.row.args.get(name) if not job.row.tf else None
    via = via or (arg.via if arg is not None else "") or ""
    of = of or (arg.of if arg is not None else "") or ""
    if via:
        return ARGS[via](job, name, of)
    return plain(job, name)


def plain(job: Job, name: str) -> Any:
    if not job.given(name):
        default = job.bound.default(name)
        return ABSENT if default in (None, "None") else expression(default)
    new = _list(job, name) if isinstance(job.bound.args[name], cst.List | cst.Tuple) else job.expr(name)
    return dtypes.cast(job.w, new, job.casts[name]) if name in job.casts else new


def _list(job: Job, name: str) -> cst.BaseExpression:
    """A list; tensors in it are of one dtype in TF."""
    node = job.bound.args[name]
    assert isinstance(node, cst.List | cst.Tuple)
    tensors = bool(facts_in(job.w, node)) and not any(isinstance(e, cst.StarredElement) for e in node.elements)
    casts = dtypes.promotions(job.w, [e.value for e in node.elements], job.node) if tensors else []
    new = arrange(job, node)
    if not any(c is not None for c in casts):
        return new
    elements = [e if c is None else e.with_changes(value=dtypes.cast(job.w, e.value, c))
                for e, c in zip(new.elements, casts, strict=True)]  # type: ignore[attr-defined]
    return new.with_changes(elements=elements)


def axis(job: Job, name: str, of: str) -> Any:
    """An axis, or several, counted in the layout that the tensor has in the target."""
    if not job.given(name) and job.bound.default(name) in (None, "None"):
        return ABSENT
    found = job.literal(name)
    if found is None:
        return ABSENT
    facts = facts_in(job.w, job.bound.args[of]) if of in job.bound.args else job.tensors
    if job.want is Layout.PLAIN:
        return plain(job, name)
    rank = next((t.rank for t in facts if t.rank is not None), None)
    if found is ... or rank is None:
        raise job.refuse("P209", f"`{name}` is not known, and the tensor is channels last in TensorFlow")
    moved = tuple(moved_axis(a, rank) for a in found) if isinstance(found, tuple) else moved_axis(found, rank)
    return expression(repr(moved))


def moved_axis(a: int, rank: int) -> int:
    """Where an axis of channels first stands in channels last."""
    a %= rank
    return 0 if a == 0 else -1 if a == 1 else a - 1


def axis_list(job: Job, name: str, of: str) -> Any:
    """A list, also of one."""
    moved = axis(job, name, of)
    if moved is ABSENT or isinstance(moved, cst.List | cst.Tuple):
        return moved if moved is ABSENT else cst.List([e.with_changes() for e in moved.elements])
    return moved if is_sequence(job.fact(name)) else build("[{a}]", a=moved)


def dtype(job: Job, name: str, of: str) -> Any:
    node = job.bound.args.get(name, job.bound.common.get(name))
    if node is None or literal_of(job.w, node) is None:
        return ABSENT
    return dtype_value(job, node)


def dtype_value(job: Job, node: cst.BaseExpression) -> cst.BaseExpression:
    name = dtypes.dtype_name(job.w.fact(node).symbol)
    return expression(dtypes.spell(job.w, name)) if name else job.w.expr(node)


def new_dtype(job: Job, name: str, of: str) -> Any:
    """The dtype of a new tensor of floats: as given, else the model's."""
    given = dtype(job, name, of)
    if given is not ABSENT:
        return given
    by_default = job.w.target == "keras" and not job.w.in_layer  # keras.ops take floatx by themselves
    return ABSENT if by_default else job.w.float_dtype()


def value_dtype(job: Job, name: str, of: str) -> Any:
    """The dtype of a new tensor that follows from numbers: int64, bool, or the model's float type."""
    given = dtype(job, name, of)
    if given is not ABSENT:
        return given
    kinds = [number_kind(job, n) or usual_kind(job, n) for n in (of.split(",") if of else job.bound.args)]
    if any(k == "float" for k in kinds):
        return new_dtype(job, name, of)
    if all(k == "bool" for k in kinds):
        return ABSENT
    if all(k in ("int", "bool") for k in kinds):
        return expression(dtypes.spell(job.w, "int64"))
    if "float" not in kinds and "end" in of:  # a float would raise here
        return expression(dtypes.spell(job.w, "int64"))
    return ABSENT


def whole_dtype(job: Job, name: str, of: str) -> Any:
    """The dtype of whole numbers that are made: int64 if none is given."""
    given = dtype(job, name, of)
    return expression(dtypes.spell(job.w, "int64")) if given is ABSENT else given


def dtype_of(job: Job, name: str, of: str) -> Any:
    """The dtype of a tensor that is given."""
    d = dtypes.dtype_of(job.w, job.bound.args[name])
    if d is None:
        raise job.refuse("P208", f"the dtype of `{name}` is not known")
    return d


def sequence(job: Job, name: str, of: str) -> Any:
    """A list of sizes; one alone becomes a list."""
    return sizes(job, name, of)


def sizes(job: Job, name: str, of: str) -> Any:
    """A shape: sizes one by one, a list, a tuple, the shape of a tensor."""
    if not job.given(name):
        return ABSENT
    node = job.bound.args[name]
    if isinstance(node, cst.Tuple | cst.List):
        return node.with_changes(elements=[e.with_changes(value=job.w.expr(e.value)) for e in node.elements])
    fact = job.w.fact(node)
    if isinstance(fact.payload, ShapeOf) or is_sequence(fact):
        return job.w.expr(node)
    new = job.w.expr(node)
    computed = isinstance(node, cst.BinaryOperation) and not _joined(job.w, node)
    return build("[{n}]", n=new) if is_number(fact) or computed else new


def _joined(w: Any, node: cst.BaseExpression) -> bool:
    """`(b, 2) + tuple(x.shape[2:])`, `[1] * n`: sizes of which some are written as a sequence."""
    if isinstance(node, cst.BinaryOperation):
        return _joined(w, node.left) or _joined(w, node.right)
    made = isinstance(node, cst.Call) and w.fact(node.func).symbol in ("builtins.tuple", "builtins.list")
    fact = w.fact(node)
    return made or isinstance(node, cst.Tuple | cst.List) or isinstance(fact.payload, ShapeOf) or is_sequence(fact)


def perm(job: Job, name: str, of: str) -> Any:
    node = job.bound.args[name]
    if isinstance(node, cst.Tuple | cst.List):
        return cst.List([e.with_changes(value=job.w.expr(e.value)) for e in node.elements])
    new = job.w.expr(node)
    return build("list({x})", x=new) if isinstance(node, cst.Call) else new  # `*reversed(range(n))`


def index(job: Job, name: str, of: str) -> Any:
    """Whole numbers that pick something."""
    return plain(job, name)


def like(job: Job, name: str, of: str) -> Any:
    """A value that takes the dtype of another tensor: a Python number becomes a constant of it."""
    if not job.given(name):
        return plain(job, name)
    fact, other = job.fact(name), job.bound.args[of]
    number = _new_number(job, job.bound.args[name])
    if number is not None and (d := dtypes.dtype_of(job.w, other)) is not None:
        return dtypes.constant(job.w, number, d)
    if fact.kind is Kind.TENSOR:
        if fact.dtype is not None and fact.dtype == job.fact(of).dtype:
            return plain(job, name)
        d = dtypes.dtype_of(job.w, other)
        if d is None:
            raise job.refuse("P208", f"the dtype of `{of}` is not known")
        return dtypes.cast(job.w, plain(job, name), d)
    d = dtypes.dtype_of(job.w, other)
    if d is None:
        raise job.refuse("P208", f"the dtype of `{of}` is not known")
    return dtypes.constant(job.w, plain(job, name), d)


def _new_number(job: Job, node: cst.BaseExpression) -> Any:
    """2.0 of `torch.tensor(2.0)`."""
    if isinstance(node, cst.Call) and job.w.fact(node.func).symbol in ("torch.tensor", "torch.as_tensor") and (
            node.args and node.args[0].keyword is None and is_number(job.w.fact(node.args[0].value))) and all(
            a.keyword is not None and a.keyword.value == "device" for a in node.args[1:]):
        return job.w.expr(node.args[0].value)
    return None


def dtype_like(job: Job, name: str, of: str) -> Any:
    """A dtype: as given, else that of the tensor `of`."""
    given = dtype(job, name, of)
    if given is not ABSENT:
        return given
    d = dtypes.dtype_of(job.w, job.bound.args[of])
    if d is None:
        raise job.refuse("P208", f"the dtype of `{of}` is not known")
    return d


def made_value(job: Job, name: str, of: str) -> Any:
    """A number beside another one: both become a tensor of one dtype."""
    kinds = {number_kind(job, n) for n in of.split(",")}
    new = plain(job, name)
    if kinds <= {"int", "bool"}:
        return new if kinds == {"bool"} else dtypes.constant(job.w, new, dtypes.spell(job.w, "int64"))
    return dtypes.constant(job.w, new, job.w.float_dtype())


ARGS: dict[str, Any] = {
    "axis": axis, "axis_int": axis, "axis_list": axis_list, "dtype": dtype, "new_dtype": new_dtype,
    "value_dtype": value_dtype, "shape": sizes, "perm": perm, "index": index, "like": like, "dtype_like": dtype_like,
    "made_value": made_value,
    "whole_dtype": whole_dtype, "dtype_of": dtype_of,
    "data_dtype": value_dtype, "sequence": sequence, "condition": lambda j, n, o: plain(j, n),
    "none_is_0": lambda j, n, o: plain(j, n),
    "none_is_false": lambda j, n, o: plain(j, n),
    "tensor": lambda j, n, o: plain(j, n), "tensordot_axes": lambda j, n, o: plain(j, n),
}
__all__ = ["ARGS", "CAST_FIRST", "ShapeOf", "prepare", "tuple_of", "value"]
