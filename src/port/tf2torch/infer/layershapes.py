"""Shape rules of layers; see `shapes`, and docs/rows.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from port.facts import Dim, Fact, Kind, Layout, arithmetic, ceil_div, tensor
from port.tf2torch.infer.given import Given, pair, product, sizes_of
from port.tf2torch.infer.values import CorrectPad, Items


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


def embedding(g: Given) -> Fact:
    shape = g.x.shape
    if shape is None:
        return tensor(None, "float").but(last=g.dim("output_dim"))
    return tensor((*shape, g.dim("output_dim")), "float")


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


def permute(g: Given) -> Fact:
    dims, shape = g.get("dims"), g.x.shape
    if shape is None or not isinstance(dims, tuple):
        return tensor(None, g.x.dtype)
    return tensor((shape[0], *(shape[d] for d in dims)), g.x.dtype)


def pad(g: Given) -> Fact:
    """ZeroPadding and tf.pad with literal amounts."""
    x = g.x
    amount = g.get("padding", g.get("paddings"))
    if x.shape is None:
        return tensor(None, x.dtype, x.layout)
    n = len(x.shape) - 2
    if isinstance(amounts := g.fact("padding" if "padding" in g.params else "paddings").payload, CorrectPad):
        return tensor((x.shape[0], *_corrected(x.shape[1:-1], amounts), x.shape[-1]), x.dtype, Layout.FLIPPED)
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


def _corrected(sizes: tuple[Dim, ...], amounts: CorrectPad) -> list[Dim]:
    """k // 2 - (1 - n % 2) cells before and k // 2 behind; n + n % 2 is twice the half of n, rounded up."""
    known = amounts.of.shape[1:-1] if amounts.of.shape is not None else (None,) * len(sizes)
    kernels = pair(amounts.kernel, len(sizes))
    return [arithmetic("+", arithmetic("*", ceil_div(n, 2), 2), k // 2 * 2 - 1) if n == m and isinstance(k, int)
            else None for n, m, k in zip(sizes, known, kernels, strict=True)]


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


def einsum_dense(g: Given) -> Fact:
    """Sizes by the letters of the equation: those of `output_shape`, else those of what arrives."""
    equation = g.get("equation")
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return tensor()
    inputs, _, outputs = equation.replace(" ", "").partition("->")
    sizes = dict(zip(inputs.partition(",")[0], g.x.shape or (), strict=False))
    told = sizes_of(g.fact("output_shape")) or []
    sizes |= {axis: d for axis, d in zip(outputs[::-1], told[::-1], strict=False) if d is not None}
    return tensor(tuple(sizes.get(axis) for axis in outputs), g.x.dtype)


RULES: dict[str, Callable[[Given], Fact]] = {
    f.__name__: f for f in (
        conv, depthwise, pool, conv_transpose, global_pool, dense, embedding, flatten, reshape, permute, pad, crop,
        upsample, repeat, rnn, mha, einsum_dense)
}
