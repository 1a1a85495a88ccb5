"""Shape rules of functions: what tensors and lists they return (see docs/rows.md for the names)."""

from __future__ import annotations

from typing import Any

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, arithmetic, tensor
from port.tf2torch.infer.given import Given, axis_of, pair, sizes_of
from port.tf2torch.infer.layershapes import window
from port.tf2torch.infer.values import Items, tensors_in

# What TensorFlow takes Python's types, NumPy's names and some words for.
ALIASES = {"float": "float32", "int": "int64", "bool_": "bool", "half": "float16", "single": "float32",
           "double": "float64", "float_": "float64", "int_": "int64", "intp": "int64", "longlong": "int64",
           "long": "int64"}


def dtype_of(fact: Fact) -> str | None:
    """'float32' from `tf.float32`, `np.float32`, `float` or 'float32'."""
    value = fact.literal(None)
    name = value if isinstance(value, str) else fact.symbol.rpartition(".")[2] if fact.kind is Kind.FUNCTION else ""
    return ALIASES.get(name, name) or None


def _given_dtype(g: Given, otherwise: str | None = None) -> str | None:
    for name in ("dtype", "output_type"):
        if name in g.given:
            fact = g.fact(name)
            return otherwise if fact.values == frozenset([None]) else dtype_of(fact)
    return otherwise


def _first(g: Given, *names: str) -> str:
    return next((n for n in names if n in g.params), names[0])


def fill(g: Given) -> Fact:
    sizes = sizes_of(g.fact(_first(g, "shape", "dims", "size")))
    return tensor(None if sizes is None else tuple(sizes), _given_dtype(g, "float32" if "dtype" in g.params else None))


def range_(g: Given) -> Fact:
    values = [g.get(n) for n in ("start", "limit", "stop", "delta", "step") if n in g.given]
    kinds = [type(v) for v in values]
    whole = "int32" if all(k in (int, type(None)) for k in kinds) and "num" not in g.params else None
    only = "limit" not in g.given and "stop" not in g.given and "num" not in g.params
    length = g.dim("num") if "num" in g.params else g.dim("start") if only and "delta" not in g.given else None
    dtype = _given_dtype(g, whole if None not in values else "int32" if "num" not in g.params else "float32")
    return tensor((length,), dtype)


def eye(g: Given) -> Fact:
    rows = _first(g, "num_rows", "N", "size", "n")
    columns = _first(g, "num_columns", "M")
    other = g.dim(columns) if columns in g.given else None
    known = "batch_shape" not in g.given
    return tensor((g.dim(rows), other if other is not None else g.dim(rows)) if known else None,
                  _given_dtype(g, "float32"))


def constant(g: Given) -> Fact:
    name = _first(g, "value", "x")
    fact = g.fact(name)
    if fact.kind is Kind.TENSOR:
        return tensor(fact.shape, _given_dtype(g, fact.dtype))
    value = fact.literal(...)
    shape = shape_of(value) if value is not ... else None
    return tensor(shape, _given_dtype(g, kind_of(value)))


def shape_of(value: Any) -> tuple[Dim, ...] | None:
    shape: list[Dim] = []
    while isinstance(value, tuple):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape) if not isinstance(value, str) else None


def kind_of(value: Any) -> str | None:
    while isinstance(value, tuple) and value:
        if any(isinstance(v, float) for v in value):
            return "float32"
        value = value[0]
    return {bool: "bool", int: "int32", float: "float32"}.get(type(value))


def like(g: Given) -> Fact:
    return tensor(g.x.shape, _given_dtype(g, g.x.dtype), g.x.layout)


def one_hot(g: Given) -> Fact:
    dtype = _given_dtype(g, "float32")
    if g.x.shape is None:
        return tensor(None, dtype)
    shape = list(g.x.shape)
    axis = axis_of(g, -1)
    depth = g.dim(_first(g, "depth", "num_classes"))
    if not isinstance(axis, int) and axis is not None:
        return tensor(None, dtype)
    shape.insert(len(shape) if axis in (-1, None) else axis % (len(shape) + 1), depth)
    return tensor(tuple(shape), dtype)


def sequence_mask(g: Given) -> Fact:
    dtype = _given_dtype(g, "bool")
    length = g.dim("maxlen") if "maxlen" in g.given else None
    return tensor(None if g.x.shape is None else (*g.x.shape, length), dtype)


def reduce_last(g: Given) -> Fact:
    facts = [t for f in g.inputs for t in tensors_in(f)]
    if not facts or any(f.shape is None for f in facts):
        return tensor(None, next((f.dtype for f in facts if f.dtype), None))
    best = max(facts, key=lambda f: f.rank or 0)
    return tensor(best.shape[:-1], best.dtype)  # type: ignore[index]


def gather(g: Given) -> Fact:
    name = _first(g, "params", "reference", "x")
    x, indices = g.fact(name), g.fact("indices")
    batch = g.get("batch_dims", 0) if "batch_dims" in g.params else 0
    axis = axis_of(g, None) if "axis" in g.params else 0
    axis = (batch if name == "params" else None) if axis is None else axis
    if x.shape is None or not isinstance(axis, int) or not isinstance(batch, int):
        return tensor(None, x.dtype)
    inner = indices.shape if indices.kind is Kind.TENSOR else shape_of(indices.literal(...)) if (
        indices.literal(...) is not ...) else None
    if inner is None:
        return tensor(None, x.dtype)
    axis %= max(len(x.shape), 1)
    return tensor((*x.shape[:axis], *inner[batch:], *x.shape[axis + 1:]), x.dtype)


def boolean_mask(g: Given) -> Fact:
    x, mask = g.fact("tensor"), g.fact("mask")
    axis = axis_of(g, 0) or 0
    if x.shape is None or mask.rank is None or not isinstance(axis, int):
        return tensor(None, x.dtype)
    return tensor((*x.shape[:axis], None, *x.shape[axis + mask.rank:]), x.dtype)


def unstack(g: Given) -> Fact:
    axis, s = axis_of(g, 0), g.x.shape
    if s is None or not isinstance(axis, int):
        return UNKNOWN
    axis %= len(s)
    size, left = s[axis], tensor((*s[:axis], *s[axis + 1:]), g.x.dtype)
    return Fact(Kind.PLAIN, payload=Items([left] * size, "list")) if isinstance(size, int) else UNKNOWN


def list_(g: Given) -> Fact:
    return UNKNOWN


def top_k(g: Given) -> Fact:
    s = g.x.shape
    shape = None if s is None else (*s[:-1], g.dim("k"))
    return Fact(Kind.PLAIN, payload=Items([tensor(shape, g.x.dtype), tensor(shape, "int32")], "tuple"))


def moments(g: Given) -> Fact:
    axes, s = g.get("axes"), g.x.shape
    shape: tuple[Dim, ...] | None = None
    if s is not None and isinstance(axes, int | tuple):
        gone = {a % len(s) for a in (axes if isinstance(axes, tuple) else (axes,))}
        keep = g.get("keepdims", False)
        shape = tuple(1 if i in gone else d for i, d in enumerate(s) if keep or i not in gone)
    return Fact(Kind.PLAIN, payload=Items([tensor(shape, g.x.dtype)] * 2, "tuple"))


def repeat_along(g: Given) -> Fact:
    axis, shape = axis_of(g), g.x.shape
    if shape is None or not isinstance(axis, int):
        return tensor(None, g.x.dtype)
    return tensor(tuple(None if i == axis % len(shape) else d for i, d in enumerate(shape)), g.x.dtype)


def tile(g: Given) -> Fact:
    times = sizes_of(g.fact(_first(g, "multiples", "repeats", "n")))
    if g.x.shape is None or times is None or len(times) != len(g.x.shape):
        return tensor(None, g.x.dtype)
    return tensor(tuple(arithmetic("*", d, t) for d, t in zip(g.x.shape, times, strict=True)), g.x.dtype)


def broadcast_to(g: Given) -> Fact:
    sizes = sizes_of(g.fact("shape"))
    return tensor(None if sizes is None else tuple(sizes), g.x.dtype)


def slice_(g: Given) -> Fact:
    begin, size = g.get(_first(g, "begin", "start_indices")), g.get(_first(g, "size", "shape"))
    if g.x.shape is None:
        return tensor(None, g.x.dtype)
    if not (isinstance(begin, tuple) and isinstance(size, tuple) and len(begin) == len(size) == len(g.x.shape)):
        return tensor((None,) * len(g.x.shape), g.x.dtype)
    sizes = [n if n != -1 else arithmetic("-", d, b) for d, b, n in zip(g.x.shape, begin, size, strict=True)]
    return tensor(tuple(sizes), g.x.dtype)


def matrix_transpose(g: Given) -> Fact:
    s = g.x.shape
    return tensor(None if s is None or len(s) < 2 else (*s[:-2], s[-1], s[-2]), g.x.dtype)


# ---------------------------------------------------------------- images; ranks that are not known are the usual ones
def inner_window(value: Any, n: int) -> list[Any]:
    """`[1, h, w, 1]`, `[h, w]`, an int or None as n numbers."""
    if value is None:
        return [1] * n
    if isinstance(value, tuple) and len(value) == n + 2:
        value = value[1:-1]
    return pair(value[0] if isinstance(value, tuple) and len(value) == 1 else value, n)


def _image(g: Given, sizes: list[Dim], channels: Dim) -> Fact:
    batch = g.x.shape[0] if g.x.shape else None
    return tensor((batch, *sizes, channels), g.x.dtype, Layout.FLIPPED)


def _spatial(g: Given) -> tuple[int, list[Dim]]:
    n = g.x.rank - 2 if g.x.rank is not None and g.x.rank > 2 else 1 if "stride" in g.params else 2
    known: list[Dim] = list(g.x.shape[1:-1]) if g.x.shape is not None and len(g.x.shape) == n + 2 else [None] * n
    return n, known


def nn_depthwise(g: Given) -> Fact:
    """The kernel's last axis is a number of outputs for each channel."""
    shape = g.fact(_first(g, "filter", "kernel")).shape
    out = nn_conv(g)
    channels = arithmetic("*", shape[-2], shape[-1]) if shape is not None else None
    return out.but(shape=(*out.shape[:-1], channels)) if out.shape is not None else out


def nn_conv(g: Given) -> Fact:
    kernel = g.fact(_first(g, "filters", "filter", "kernel"))
    shape = kernel.shape
    n, sizes = _spatial(g)
    if shape is not None:
        n = len(shape) - 2
        sizes = sizes if len(sizes) == n else [None] * n
    window_ = list(shape[:-2]) if shape is not None else [None] * n
    strides = inner_window(g.get(_first(g, "strides", "stride"), ...), n)
    dilations = inner_window(g.get(_first(g, "dilations", "dilation_rate"), ...), n)
    padding = g.get("padding", ...)
    out = [window(s, k, t if isinstance(t, int) else None, d if isinstance(d, int) else None, padding)
           for s, k, t, d in zip(sizes, window_, strides, dilations, strict=True)]
    return _image(g, out, None if shape is None else shape[-1])


def nn_pool(g: Given) -> Fact:
    n, sizes = _spatial(g)
    kernel = inner_window(g.get(_first(g, "ksize", "pool_size"), ...), n)
    strides = inner_window(g.get("strides", ...), n) if g.get("strides", ...) is not None else kernel
    out = [window(s, k if isinstance(k, int) else None, t if isinstance(t, int) else None, 1, g.get("padding", ...))
           for s, k, t in zip(sizes, kernel, strides, strict=True)]
    return _image(g, out, g.x.shape[-1] if g.x.shape else None)


def resize(g: Given) -> Fact:
    """Images of sizes that are given: two, or those that the rank has."""
    name = _first(g, "size", "output_size")
    n = 2 if name == "size" else _spatial(g)[0]
    sizes = sizes_of(g.fact(name)) or [g.dim(name)] * (n if name == "output_size" else 0)
    method = g.get(_first(g, "method", "interpolation"), None)
    out = _image(g, sizes if len(sizes) == n else [None] * n, g.x.shape[-1] if g.x.shape else None)
    return out.but(dtype="float32" if "method" in g.params and method != "nearest" else g.x.dtype)


def patches(g: Given) -> Fact:
    """(rows, columns, height * width * channels)"""
    name = _first(g, "sizes", "size")
    sizes = (sizes_of(g.fact(name)) or [g.dim(name)])[-3:-1] if name == "sizes" else sizes_of(g.fact(name)) or []
    sizes = sizes if len(sizes) == 2 else [g.dim(name)] * 2
    last: Dim = g.x.shape[-1] if g.x.shape else None
    return tensor((None, None, None, arithmetic("*", arithmetic("*", *sizes), last)), g.x.dtype)


def depth_to_space(g: Given) -> Fact:
    return _blocks(g, "*", "//")


def space_to_depth(g: Given) -> Fact:
    return _blocks(g, "//", "*")


def _blocks(g: Given, spatial: str, channels: str) -> Fact:
    b = g.dim("block_size")
    _, (h, w) = _spatial(g)
    square = arithmetic("*", b, b)
    last = g.x.shape[-1] if g.x.shape else None
    return _image(g, [arithmetic(spatial, h, b), arithmetic(spatial, w, b)], arithmetic(channels, last, square))


RULES = {name.rstrip("_"): rule for name, rule in (
    (f.__name__, f) for f in (
        fill, range_, eye, constant, like, one_hot, sequence_mask, reduce_last, gather, boolean_mask, unstack, list_,
        top_k, moments, tile, repeat_along, broadcast_to, slice_, matrix_transpose, nn_conv, nn_depthwise, nn_pool,
        resize, patches, depth_to_space, space_to_depth))}
