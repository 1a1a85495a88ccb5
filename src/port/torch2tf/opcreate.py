"""Facts of functions that make tensors, and of those that give numbers."""

from __future__ import annotations

from port.facts import UNKNOWN, Dim, Fact, Kind, tensor
from port.torch2tf import users
from port.torch2tf.opargs import PLAIN, Args, Result, dtype_of
from port.torch2tf.opaxes import sizes
from port.torch2tf.values import PLAIN as NUMBER
from port.torch2tf.values import Items, ShapeOf, Size, literal


def created(a: Args) -> Result:
    rest = a.rest(0)
    dtype = dtype_of(a.get(99, "dtype")) if a.get(99, "dtype") is not None else "float"
    if len(rest) == 1 and isinstance(rest[0].payload, ShapeOf):
        of = rest[0].payload
        return tensor(of.of.shape if of.start == 0 and of.stop is None else None, dtype), PLAIN
    size = a.get(99, "size")
    if size is not None and isinstance(size.payload, Items):
        rest = list(size.payload.elements)
    elif size is None and len(rest) == 1 and not isinstance(rest[0].payload, Items) and may_be_sizes(rest[0]):
        return tensor(None, dtype), PLAIN
    return tensor(sizes(rest), dtype), PLAIN


def may_be_sizes(fact: Fact) -> bool:
    """Not known to be one number: a parameter, what a function gives."""
    return not (isinstance(fact.payload, Size) or isinstance(fact.literal(...), int) or fact.dtype == "int")


def full(a: Args) -> Result:
    first = a.x
    dtype = dtype_of(a.get(99, "dtype")) if a.get(99, "dtype") is not None else None
    shape = sizes(list(first.payload.elements)) if isinstance(first.payload, Items) and not first.payload.open else None
    value = a.literal(1, "fill_value")
    return tensor(shape, dtype or ("float" if isinstance(value, float) else None)), PLAIN


def new_tensor(a: Args) -> Result:
    inner = Args(a.it, a.node, a.facts[1:], a.names[1:], a.nodes[1:])
    return created(inner)[0].but(dtype=dtype_of(a.get(99, "dtype")) or a.x.dtype), PLAIN


def new_full(a: Args) -> Result:
    inner = Args(a.it, a.node, a.facts[1:], a.names[1:], a.nodes[1:])
    named = a.get(99, "size")
    found = full(inner)[0] if named is None else tensor()
    return found.but(dtype=dtype_of(a.get(99, "dtype")) or a.x.dtype), PLAIN


def new_from_data(a: Args) -> Result:
    inner = Args(a.it, a.node, a.facts[1:], a.names[1:], a.nodes[1:])
    return from_data(inner)[0].but(dtype=dtype_of(a.get(99, "dtype")) or a.x.dtype), PLAIN


def arange(a: Args) -> Result:
    given = a.get(99, "dtype")
    whole = not any(isinstance(f.literal(...), float) or f.dtype == "float" for f, n in zip(
        a.facts, a.names, strict=True) if n in ("", "start", "end", "step"))
    dtype = dtype_of(given) if given is not None else "int64" if whole else None
    last = [f for f, n in zip(a.facts, a.names, strict=True) if not n]
    size: Dim = None
    if len(last) == 1 and given is None and whole and not a.node.args[0].star:  # written as int64: a float would raise
        users.prove_whole(a.it, a.node.args[0].value)
    if len(last) == 1:
        value = last[0].literal(...)
        size = value if isinstance(value, int) else last[0].payload.dim if isinstance(last[0].payload, Size) else None
    return tensor((size,), dtype), PLAIN


def linspace(a: Args) -> Result:
    steps = a.literal(2, "steps")
    return tensor((steps if isinstance(steps, int) else None,), dtype_of(a.get(99, "dtype")) or "float"), PLAIN


def eye(a: Args) -> Result:
    n = sizes(a.rest(0)[:1])
    size = n[0] if n else None
    return tensor((size, size), dtype_of(a.get(99, "dtype")) or "float"), PLAIN


def like(a: Args) -> Result:
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    return tensor(x.shape, dtype_of(a.get(99, "dtype")) or x.dtype, x.layout), x.layout


def from_data(a: Args) -> Result:
    x = a.x
    dtype = dtype_of(a.get(99, "dtype"))
    if x.kind is Kind.TENSOR:
        return x.but(dtype=dtype or x.dtype), x.layout
    value = x.literal(...)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tensor((), dtype or ("float" if isinstance(value, float) else "int64")), PLAIN
    if isinstance(x.payload, Items) and not x.payload.open and x.payload.elements:
        inner = x.payload.elements
        if all(e.kind is Kind.PLAIN and (e.payload is None or isinstance(e.payload, Size)) for e in inner):
            whole = all(isinstance(e.literal(...), int) or (
                isinstance(e.payload, Size) and e.payload.whole) for e in inner)
            values = [e.literal(...) for e in inner]
            floats = all(type(v) in (int, float) for v in values) and float in map(type, values)
            return tensor((len(inner),), dtype or ("int64" if whole else "float" if floats else None)), PLAIN
    return tensor(None, dtype), PLAIN


def one_hot(a: Args) -> Result:
    count = a.literal(1, "num_classes")
    return tensor(None if a.x.shape is None else (*a.x.shape, count if isinstance(count, int) else None),
                  "int64"), PLAIN


def embedding(a: Args) -> Result:
    a.it.prove_whole(a.x)
    weight = a.get(1, "weight")
    width = weight.shape[-1] if weight is not None and weight.shape else None
    return tensor(None if a.x.shape is None else (*a.x.shape, width), "float"), PLAIN


def meshgrid(a: Args) -> Result:
    parts = a.rest(0)
    rank = len(parts)
    if rank >= 99 or any(arg.star for arg in a.node.args):
        return Fact(Kind.PLAIN, payload=Items([tensor()], "tuple", True)), PLAIN
    one = tensor((None,) * rank, parts[0].dtype if parts else None)
    return Fact(Kind.PLAIN, payload=Items([one] * rank, "tuple")), PLAIN


def cartesian_prod(a: Args) -> Result:
    known = not any(arg.star for arg in a.node.args)
    parts = [e for f, arg in zip(a.facts, a.node.args, strict=False) for e in (
        f.payload.elements if arg.star and isinstance(f.payload, Items) else [f])]
    if known and len(parts) == 1:
        return tensor((None,), parts[0].dtype), PLAIN
    return tensor((None, len(parts) if known else None), _one_dtype(parts)), PLAIN


def pad_sequence(a: Args) -> Result:
    parts = a.x.payload.elements if isinstance(a.x.payload, Items) else []
    ranks = {p.rank for p in parts}
    rank = ranks.pop() if len(ranks) == 1 else None
    return tensor((None,) * (rank + 1) if rank is not None else None, _one_dtype(parts)), PLAIN


def _one_dtype(parts: list[Fact]) -> str | None:
    """That of all tensors, if it is one."""
    dtypes = {p.dtype if p.kind is Kind.TENSOR else None for p in parts}
    return dtypes.pop() if len(dtypes) == 1 else None


def packed(a: Args) -> Result:
    return UNKNOWN, PLAIN


def unpacked(a: Args) -> Result:
    pair = [tensor((None, None, None), "float"), tensor((None,), "int64")]
    return Fact(Kind.PLAIN, payload=Items(pair, "tuple")), PLAIN


# ---------------------------------------------------------------- numbers
def size(a: Args) -> Result:
    at = a.literal(1, "dim")
    if at is None:
        return Fact(Kind.SHAPE, payload=ShapeOf(a.x)), a.x.layout
    known = a.x.shape
    ok = known is not None and isinstance(at, int) and -len(known) <= at < len(known)
    return Fact(Kind.PLAIN, payload=Size(known[at] if ok and known else None, at == 0)), a.x.layout


def number(a: Args) -> Result:
    return NUMBER, a.x.layout


def item(a: Args) -> Result:
    kind = {"int32": "int", "int64": "int", "float": "float", "float32": "float", "float64": "float"}
    return Fact(Kind.PLAIN, dtype=kind.get(a.x.dtype or "")), a.x.layout


def rank(a: Args) -> Result:
    return (literal(a.x.rank) if a.x.rank is not None else NUMBER), a.x.layout


def scalar(a: Args) -> Result:
    return tensor((), "float"), PLAIN
