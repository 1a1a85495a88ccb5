"""Shape rules by name (`returns:` of a row): Facts of the inputs and bound arguments to the Fact of the result.

All shapes are in the axis order of the source. A rule gives None for a size that it cannot know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, arithmetic, ceil_div, dim_value, tensor
from port.tf2torch.infer.values import Grown, Items, tensors_in


@dataclass(frozen=True)
class Given:
    """What a rule may ask: facts of tensor inputs, and bound arguments by name."""

    inputs: tuple[Fact, ...]
    literal: Callable[[str], Any]  # value of an argument (its default if absent); LookupError if not literal
    dim: Callable[[str], Dim]  # an argument as a size
    fact: Callable[[str], Fact]
    params: tuple[str, ...]
    given: frozenset[str] = frozenset()

    def get(self, name: str, otherwise: Any = None) -> Any:
        try:
            return self.literal(name)
        except LookupError:
            return otherwise

    @property
    def x(self) -> Fact:
        return self.inputs[0] if self.inputs else UNKNOWN


def join_layout(facts: tuple[Fact, ...]) -> Layout:
    return Layout.FLIPPED if any(f.layout is Layout.FLIPPED for f in facts) else Layout.PLAIN


def pair(value: Any, n: int) -> list[Dim]:
    """An int or a tuple of n as n sizes."""
    if isinstance(value, list | tuple):
        return list(value) if len(value) == n else [None] * n
    return [value] * n


def window(size: Dim, kernel: Dim, stride: Dim, dilation: Dim, padding: Any) -> Dim:
    """Number of positions of a window."""
    if padding in ("same", "SAME", "causal"):
        return ceil_div(size, stride)
    if padding not in ("valid", "VALID"):
        return None
    reach = arithmetic("+", arithmetic("*", arithmetic("-", kernel, 1), dilation), 1)
    if stride == reach:
        return arithmetic("//", size, stride)
    return arithmetic("+", arithmetic("//", arithmetic("-", size, reach), stride), 1)


def _spatial(g: Given, kernel_name: str, stride_name: str, channels: Dim) -> Fact:
    x = g.x
    rank = x.rank
    if rank is None or rank < 3:
        return tensor(None, x.dtype, Layout.FLIPPED)
    n = rank - 2
    kernel, stride = pair(g.get(kernel_name), n), pair(g.get(stride_name), n)
    if stride_name == "strides" and g.get("strides", 0) is None:
        stride = kernel
    dilation = pair(g.get("dilation_rate", 1), n) if "dilation_rate" in g.params else [1] * n
    padding = g.get("padding")
    assert x.shape is not None
    sizes = [window(s, k, t, d, padding) for s, k, t, d in zip(x.shape[1:-1], kernel, stride, dilation, strict=True)]
    return tensor((x.shape[0], *sizes, channels), x.dtype, Layout.FLIPPED)


def conv(g: Given) -> Fact:
    return _spatial(g, "kernel_size", "strides", g.dim("filters"))


def depthwise(g: Given) -> Fact:
    c = g.x.shape[-1] if g.x.shape else None
    return _spatial(g, "kernel_size", "strides", arithmetic("*", c, g.dim("depth_multiplier")))


def pool(g: Given) -> Fact:
    return _spatial(g, "pool_size", "strides", g.x.shape[-1] if g.x.shape else None)


def conv_transpose(g: Given) -> Fact:
    x, filters = g.x, g.dim("filters")
    if x.shape is None or len(x.shape) < 3:
        return tensor(None, x.dtype, Layout.FLIPPED)
    n = len(x.shape) - 2
    kernel, stride = pair(g.get("kernel_size"), n), pair(g.get("strides"), n)
    sizes: list[Dim] = []
    for s, k, t in zip(x.shape[1:-1], kernel, stride, strict=True):
        full = arithmetic("*", s, t)
        extra = max(k - t, 0) if isinstance(k, int) and isinstance(t, int) else None
        padding = g.get("padding")
        sizes.append(full if padding == "same" else arithmetic("+", full, extra) if padding == "valid" else None)
    if g.get("output_padding", 0) is not None:
        sizes = [None] * n
    return tensor((x.shape[0], *sizes, filters), x.dtype, Layout.FLIPPED)


def global_pool(g: Given) -> Fact:
    x = g.x
    if x.shape is None:
        return tensor(None, x.dtype)
    if g.get("keepdims", False):
        return tensor((x.shape[0], *[1] * (len(x.shape) - 2), x.shape[-1]), x.dtype, Layout.FLIPPED)
    return tensor((x.shape[0], x.shape[-1]), x.dtype)


def dense(g: Given) -> Fact:
    shape = g.x.shape
    if shape is None:
        return tensor(None, g.x.dtype).but(last=g.dim("units"))
    return tensor((*shape[:-1], g.dim("units")), g.x.dtype)


def same(g: Given) -> Fact:
    return g.x if g.x.kind is Kind.TENSOR else tensor()


def plain_same(g: Given) -> Fact:
    return g.x.but(layout=Layout.PLAIN) if g.x.kind is Kind.TENSOR else tensor()


def embedding(g: Given) -> Fact:
    shape = g.x.shape
    if shape is None:
        return tensor(None, "float").but(last=g.dim("output_dim"))
    return tensor((*shape, g.dim("output_dim")), "float")


def product(dims: tuple[Dim, ...]) -> Dim:
    """The product, kept as factors where all are numbers (`5 * 3 * 12`), so that a reader can check it."""
    if any(d is None for d in dims):
        return None
    dims = tuple(d for d in dims if d != 1) or (1,)
    if len(dims) == 1:
        return dims[0]
    values = [dim_value(d) for d in dims]
    text = " * ".join(str(d) if isinstance(d, int) or d.text.isidentifier() else f"({d})" for d in dims)
    total = 1
    for v in values:
        total = total * v if v is not None and total is not None else None  # type: ignore[assignment]
    return Sym(text, total)


def flatten(g: Given) -> Fact:
    shape = g.x.shape
    return tensor((None, None) if shape is None else (shape[0], product(shape[1:])), g.x.dtype)


def reshape(g: Given) -> Fact:
    name = "target_shape" if "target_shape" in g.params else "shape" if "shape" in g.params else "newshape"
    dims = sizes_of(g.fact(name))
    if dims is None:
        return tensor(None, g.x.dtype)
    batch: tuple[Dim, ...] = (g.x.shape[0] if g.x.shape else None,) if name == "target_shape" else ()
    rest = [None if d == -1 else d for d in dims]
    if dims.count(-1) == 1 and g.x.shape is not None and batch and None not in g.x.shape[1:]:
        known = product(tuple(d for d in dims if d != -1))
        rest[dims.index(-1)] = arithmetic("//", product(g.x.shape[1:]), known)
    return tensor((*batch, *rest), g.x.dtype)


def sizes_of(fact: Fact) -> list[Dim] | None:
    """The sizes in a shape-like value (tuple of ints, of names)."""
    from port.tf2torch.infer.values import ShapeOf, Size

    if isinstance(fact.payload, ShapeOf):
        shape = fact.payload.of.shape
        return None if shape is None else list(shape)
    value = fact.literal()
    if isinstance(value, int):
        return [value]
    if isinstance(value, tuple) and all(isinstance(v, int) or v is None for v in value):
        return list(value)
    if not isinstance(fact.payload, Items):
        return None
    out: list[Dim] = []
    for e in fact.payload.elements:
        if isinstance(e.payload, Size):
            out.append(e.payload.dim)
        else:
            v = e.literal()
            out.append(v if isinstance(v, int) else Sym(e.symbol[1:]) if e.symbol.startswith("=") else None)
    return out


def permute(g: Given) -> Fact:
    dims, shape = g.get("dims"), g.x.shape
    if shape is None or not isinstance(dims, tuple):
        return tensor(None, g.x.dtype)
    return tensor((shape[0], *(shape[d] for d in dims)), g.x.dtype)


def transpose(g: Given) -> Fact:
    name = "perm" if "perm" in g.params else "axes" if "axes" in g.params else "pattern"
    perm, shape = g.get(name), g.x.shape
    if shape is None:
        return tensor(None, g.x.dtype)
    if perm is None:
        return tensor(tuple(reversed(shape)) if name not in g.given else tuple([None] * len(shape)), g.x.dtype)
    ok = isinstance(perm, tuple) and len(perm) == len(shape)
    return tensor(tuple(shape[p] for p in perm) if ok else None, g.x.dtype)


def axis_of(g: Given, default: Any = None) -> Any:
    for name in ("axis", "dim", "axes"):
        if name in g.params:
            return g.get(name, default)
    return default


def concat(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    shapes = [f.shape for f in facts]
    if not shapes or any(s is None for s in shapes) or len({len(s) for s in shapes if s is not None}) > 1:
        widths = [f.width for f in facts if f.width is not None]
        elsewhere = isinstance(axis_of(g, -1), int) and axis_of(g, -1) >= 0 and bool(widths)
        return tensor(None, None, join_layout(facts)).but(
            last=min(widths, key=_plainness) if elsewhere and _not_last(axis_of(g, -1), shapes) else None)
    rank = len(shapes[0])  # type: ignore[arg-type]
    axis = axis_of(g, -1)
    if not isinstance(axis, int):
        return tensor((None,) * rank, facts[0].dtype, join_layout(facts))
    axis %= rank
    sizes: list[Dim] = []
    for i in range(rank):
        column = [s[i] for s in shapes]  # type: ignore[index]
        if i == axis:
            total: Dim = 0
            for d in column:
                total = arithmetic("+", total, d)
            if any(isinstance(f.payload, Grown) for f in g.inputs):
                grown = next(f.payload for f in g.inputs if isinstance(f.payload, Grown))
                total = Sym(f"sum({grown.counts})") if len(facts) == 1 and axis == rank - 1 else None
            sizes.append(total)
        else:
            sizes.append(next((d for d in column if isinstance(d, int)), next((d for d in column if d), None)))
    return tensor(tuple(sizes), facts[0].dtype, join_layout(facts))


def _not_last(axis: int, shapes: list[tuple[Dim, ...] | None]) -> bool:
    """Is this axis surely another than the last?"""
    ranks = {len(s) for s in shapes if s is not None}
    return len(ranks) == 1 and axis < max(ranks) - 1


def broadcast_shapes(shapes: list[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    if not shapes or any(s is None for s in shapes):
        return None
    rank = max(len(s) for s in shapes if s is not None)
    out: list[Dim] = []
    for i in range(-rank, 0):
        column = [s[i] for s in shapes if s is not None and len(s) >= -i]
        real = [d for d in column if d != 1]
        out.append(1 if not real else min(real, key=_plainness))
    return tuple(out)


def _plainness(dim: Dim) -> tuple[int, int]:
    """Of two ways to write one size, a number is best, then settings, then sizes of other tensors."""
    if dim is None:
        return 3, 0
    if isinstance(dim, int):
        return 0, 0
    carried = any(n.endswith(("_channels", "_features")) or n.startswith("OUT_") for n in dim.names)
    return (2 if carried else 1), len(dim.text)


def broadcast(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    if not facts:
        return tensor()
    dtype = next((f.dtype for f in facts if f.dtype), None)
    result = tensor(broadcast_shapes([f.shape for f in facts]), dtype, join_layout(facts))
    if result.shape is None:  # the widest operand decides; scalars say nothing
        widths = [f.width for f in facts if f.rank != 0 and f.width != 1]
        result = result.but(last=min(widths, key=_plainness) if widths else None)
    return result


def compare(g: Given) -> Fact:
    return broadcast(g).but(dtype="bool")


def reduce(g: Given) -> Fact:
    x, axis = g.x, axis_of(g)
    keep = g.get("keepdims", False)
    if axis is None and not any(n in g.given for n in ("axis", "dim", "axes")):
        return tensor(tuple([1] * x.rank) if keep and x.rank is not None else None if keep else (), x.dtype)
    if x.shape is None or not isinstance(axis, int | tuple):
        return tensor(None, x.dtype)
    axes = {a % len(x.shape) for a in (axis if isinstance(axis, tuple) else (axis,)) if isinstance(a, int)}
    if keep:
        return tensor(tuple(1 if i in axes else d for i, d in enumerate(x.shape)), x.dtype, x.layout)
    left = tuple(d for i, d in enumerate(x.shape) if i not in axes)
    spatial = set(range(1, len(x.shape) - 1))
    if mixes(x, axis):
        return tensor(left, x.dtype)
    mixed = x.layout is Layout.FLIPPED and not spatial <= axes and len(x.shape) - 1 not in axes
    return tensor(left, x.dtype, Layout.FLIPPED if mixed else Layout.PLAIN)


def mixes(x: Fact, axis: Any) -> bool:
    """A reduction over the batch (and not the channels) of a channels-first tensor: what is left has no layout."""
    rank = x.rank
    if x.layout is not Layout.FLIPPED or rank is None or not isinstance(axis, int | tuple):
        return False
    axes = {a % rank for a in (axis if isinstance(axis, tuple) else (axis,)) if isinstance(a, int)}
    return 0 in axes and rank - 1 not in axes and not set(range(1, rank - 1)) <= axes


def pad(g: Given) -> Fact:
    """ZeroPadding and tf.pad with literal amounts."""
    x = g.x
    amount = g.get("padding", g.get("paddings"))
    if x.shape is None:
        return tensor(None, x.dtype, x.layout)
    n = len(x.shape) - 2
    if "paddings" in g.params or "pad_width" in g.params:
        amount = g.get("paddings" if "paddings" in g.params else "pad_width")
        full = amount if isinstance(amount, tuple) and len(amount) == len(x.shape) else ((None, None),) * len(x.shape)
        return tensor(tuple(_plus(d, *a) for d, a in zip(x.shape, full, strict=True)), x.dtype, x.layout)
    if isinstance(amount, int):
        pairs: list[Any] = [(amount, amount)] * n
    elif isinstance(amount, tuple) and n == 1 and len(amount) == 2:
        pairs = [amount]
    elif isinstance(amount, tuple) and len(amount) == n:
        pairs = [(a, a) if isinstance(a, int) else a for a in amount]
    else:
        pairs = [(None, None)] * n
    sizes = [_plus(d, *p) for d, p in zip(x.shape[1:-1], pairs, strict=True)]
    return tensor((x.shape[0], *sizes, x.shape[-1]), x.dtype, Layout.FLIPPED if n > 0 else x.layout)


def _plus(d: Dim, a: Any, b: Any) -> Dim:
    return arithmetic("+", d, a + b) if isinstance(a, int) and isinstance(b, int) else None


def crop(g: Given) -> Fact:
    x, amount = g.x, g.get("cropping")
    if x.shape is None:
        return tensor(None, x.dtype, Layout.FLIPPED)
    n = len(x.shape) - 2
    pairs: list[Any] = [(None, None)] * n
    if isinstance(amount, int):
        pairs = [(amount, amount)] * n
    elif isinstance(amount, tuple) and n == 1 and len(amount) == 2:
        pairs = [amount]
    elif isinstance(amount, tuple) and len(amount) == n:
        pairs = [(a, a) if isinstance(a, int) else a for a in amount]
    sizes = [arithmetic("-", d, p[0] + p[1]) if isinstance(p[0], int) else None
             for d, p in zip(x.shape[1:-1], pairs, strict=True)]
    return tensor((x.shape[0], *sizes, x.shape[-1]), x.dtype, Layout.FLIPPED)


def upsample(g: Given) -> Fact:
    x = g.x
    if x.shape is None:
        return tensor(None, x.dtype, Layout.FLIPPED)
    factor = pair(g.get("size"), len(x.shape) - 2)
    sizes = [arithmetic("*", d, f) for d, f in zip(x.shape[1:-1], factor, strict=True)]
    return tensor((x.shape[0], *sizes, x.shape[-1]), x.dtype, Layout.FLIPPED)


def repeat(g: Given) -> Fact:
    s = g.x.shape
    return tensor(None if s is None else (s[0], g.dim("n"), s[-1]), g.x.dtype)


def rnn(g: Given) -> Fact:
    s, units = g.x.shape, g.dim("units")
    batch: Dim = s[0] if s else None
    states = 2 if "unit_forget_bias" in g.params else 1
    sequences = g.get("return_sequences", ...) if "return_sequences" in g.params else False
    if sequences is ... or g.get("return_state", ... if "return_state" in g.params else False) is ...:
        return tensor(None, g.x.dtype).but(last=units)
    out = tensor((batch, s[1] if s and len(s) > 1 else None, units) if sequences else (batch, units), g.x.dtype)
    if g.get("return_state", False):
        return Fact(Kind.PLAIN, payload=Items([out] + [tensor((batch, units), g.x.dtype)] * states, "list"))
    return out


def mha(g: Given) -> Fact:
    if g.get("return_attention_scores", False) is True:
        return Fact(Kind.PLAIN, payload=Items([g.x.but(layout=Layout.PLAIN), tensor()], "tuple"))
    return g.x.but(layout=Layout.PLAIN)


def scalar(g: Given) -> Fact:
    return tensor((), g.x.dtype)


def cast(g: Given) -> Fact:
    dtype = g.fact("dtype")
    return same(g).but(dtype=dtype.symbol.rpartition(".")[2] or dtype.literal() or None)


def stack(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    axis = axis_of(g, 0)
    if not facts or facts[0].shape is None or not isinstance(axis, int) or any(
            isinstance(f.payload, Grown) for f in g.inputs):
        return tensor()
    rank = len(facts[0].shape) + 1
    shape = list(facts[0].shape)
    shape.insert(axis % rank, len(facts))
    return tensor(tuple(shape), facts[0].dtype)


def expand_dims(g: Given) -> Fact:
    axis, s = axis_of(g), g.x.shape
    if s is None or not isinstance(axis, int):
        return tensor(None, g.x.dtype)
    shape = list(s)
    shape.insert(axis % (len(s) + 1), 1)
    return tensor(tuple(shape), g.x.dtype)


def squeeze(g: Given) -> Fact:
    axis, s = axis_of(g), g.x.shape
    if s is None or axis is None:
        return tensor(None, g.x.dtype)
    axes = {a % len(s) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tensor(tuple(d for i, d in enumerate(s) if i not in axes), g.x.dtype)


def matmul(g: Given) -> Fact:
    if len(g.inputs) < 2:
        return tensor()
    if g.inputs[0].shape is None or g.inputs[1].shape is None:
        right = g.inputs[1].shape
        if g.get("transpose_b", False) is not False or (right is not None and len(right) < 2):
            return tensor()
        return tensor(None, g.inputs[0].dtype).but(last=g.inputs[1].width)
    a, b = g.inputs[0].shape, g.inputs[1].shape
    if len(a) < 2 or len(b) < 2:
        return tensor()
    rows = a[-1] if g.get("transpose_a", False) else a[-2]
    columns = b[-2] if g.get("transpose_b", False) else b[-1]
    batch = a[:-2] if len(a) >= len(b) else b[:-2]
    return tensor((*batch, rows, columns), g.inputs[0].dtype)


def split(g: Given) -> Fact:
    n = g.get("num_or_size_splits", g.get("indices_or_sections"))
    axis, s = axis_of(g, 0), g.x.shape
    if s is None or not isinstance(axis, int) or n is None:
        return UNKNOWN
    shape = list(s)
    count = n if isinstance(n, int) else len(n)
    parts: list[Dim] = [arithmetic("//", s[axis], n)] * n if isinstance(n, int) else list(n)
    out = []
    for k in range(count):
        shape[axis] = parts[k]
        out.append(tensor(tuple(shape), g.x.dtype, g.x.layout))
    return Fact(Kind.PLAIN, payload=Items(out, "list"))


def einsum(g: Given) -> Fact:
    equation = g.get("equation", g.get("subscripts"))
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return tensor()
    left, right = equation.replace(" ", "").split("->")
    sizes: dict[str, Dim] = {}
    facts = [t for f in g.inputs for t in tensors_in(f)]
    for letters, f in zip(left.split(","), facts, strict=False):
        for letter, d in zip(letters, f.shape or (), strict=False):
            if sizes.get(letter) is None:
                sizes[letter] = d
    return tensor(tuple(sizes.get(c) for c in right), facts[0].dtype if facts else None)


def unknown(g: Given) -> Fact:
    return tensor()


RULES: dict[str, Callable[[Given], Fact]] = {
    f.__name__: f for f in (
        conv, depthwise, pool, conv_transpose, global_pool, dense, same, plain_same, embedding, flatten, reshape,
        permute, transpose, concat, broadcast, compare, reduce, pad, crop, upsample, repeat, rnn, mha, scalar, cast,
        stack, expand_dims, squeeze, matmul, split, einsum, unknown)
}


def simplify_sym(sym: Sym, known: int | None) -> Dim:
    """The size with whole numbers folded, and its value where constants tell it."""
    from port.facts import simplify

    plain = sym.text.isidentifier()
    result = sym if plain else simplify(sym.text)
    return Sym(result.text, known) if isinstance(result, Sym) else result
