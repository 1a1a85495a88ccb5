"""Facts of the framework's functions and tensor methods: shape, dtype, and the layout that their tensors must have.

A rule is found by the name of the function; a method is the function with its tensor as first argument. A name without
a rule gives a tensor of which nothing is known, in the source's layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.torch2tf import shapes
from port.torch2tf.values import PERMUTED, TO_FIRST, TO_LAST, Items, ShapeOf, Size, literal, made_of, tensors_in
from port.torch2tf.values import PLAIN as NUMBER

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

PLAIN, FLIPPED = Layout.PLAIN, Layout.FLIPPED
INITIAL = frozenset(("he_normal_", "lecun_normal_", "glorot_normal_", "truncated_normal_", "variance_scaling_",
                     "keras_fans_"))  # helpers of tf2torch
Result = tuple[Fact, Layout]


@dataclass
class Args:
    """Arguments of one call; `x` is the first tensor."""

    it: Interp
    node: cst.Call
    facts: list[Fact]  # positional and keyword ones in the order of the call; a method's tensor comes first
    names: list[str]  # keyword, or ''
    nodes: list[cst.BaseExpression | None]

    @property
    def x(self) -> Fact:
        return self.facts[0] if self.facts else UNKNOWN

    def get(self, position: int, *names: str) -> Fact | None:
        for fact, name in zip(self.facts, self.names, strict=True):
            if name and name in names:
                return fact
        plain = [f for f, n in zip(self.facts, self.names, strict=True) if not n]
        return plain[position] if position < len(plain) else None

    def literal(self, position: int, *names: str, default: Any = None) -> Any:
        """`...` where it is given, but its value is not known."""
        fact = self.get(position, *names)
        return default if fact is None else fact.literal(...)

    def rest(self, start: int) -> list[Fact]:
        """Positional arguments from here on, or the elements of the one sequence there."""
        plain = [f for f, n in zip(self.facts, self.names, strict=True) if not n][start:]
        if len(plain) == 1 and isinstance(plain[0].payload, Items):
            return list(plain[0].payload.elements) if not plain[0].payload.open else [UNKNOWN] * 99
        if len(plain) == 1 and isinstance(plain[0].literal(...), tuple):
            return [literal(v) for v in plain[0].value]
        return plain


def function(it: Interp, node: cst.Call, name: str, facts: list[Fact]) -> Fact:
    names = [a.keyword.value if a.keyword is not None else "" for a in node.args]
    return _apply(it, Args(it, node, facts, names, [a.value for a in node.args]), name)


def method(it: Interp, node: cst.Call, name: str, owner: Fact, facts: list[Fact]) -> Fact:
    names = ["", *(a.keyword.value if a.keyword is not None else "" for a in node.args)]
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    return _apply(it, Args(it, node, [owner, *facts], names, [receiver, *(a.value for a in node.args)]), name)


def _apply(it: Interp, a: Args, name: str) -> Fact:
    if name.endswith("_") and not name.startswith("_") and name[:-1] in RULES and name not in INITIAL:
        name = name[:-1]
    if name.startswith(("nn.utils.rnn.", "linalg.", "special.", "nn.functional.")):
        name = name.rpartition(".")[2]
    rule = same if name.startswith("nn.init.") or name in INITIAL else RULES.get(name)
    if rule is None:
        it.wants[a.node] = PLAIN
        return tensor() if not name.startswith(("is_", "get_", "cuda", "distributed", "jit", "backends")) else NUMBER
    result, want = rule(a)
    it.wants[a.node] = want
    return result


# ---------------------------------------------------------------- element by element
def same(a: Args) -> Result:
    x = a.x.but(values=None, symbol="") if a.x.kind is Kind.TENSOR else tensor()
    return x, x.layout


def floating(a: Args) -> Result:
    """What gives floats only."""
    result, want = same(a)
    return result.but(dtype=result.dtype or "float"), want


def plain_same(a: Args) -> Result:
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    return (x.but(values=None, symbol=""), PLAIN) if x.layout is PLAIN else (tensor(x.shape, x.dtype), PLAIN)


def elementwise(a: Args) -> Result:
    tensors = [f for f in a.facts if f.kind is Kind.TENSOR]
    if not tensors:
        return tensor(), PLAIN
    result = shapes.broadcast(a.it, None, tensors)
    numbers = [f for f in a.facts if f.kind is not Kind.TENSOR]
    dtype = tensors[0].dtype
    for other in [*tensors[1:], *numbers[:1]]:
        dtype = shapes.promoted(tensors[0].but(dtype=dtype), other)
    return result.but(dtype=dtype), result.layout


def where(a: Args) -> Result:
    tensors = [f for f in a.facts if f.kind is Kind.TENSOR]
    result = shapes.broadcast(a.it, None, tensors)
    values = [f for f in a.facts[1:] if f.kind is Kind.TENSOR]
    return result.but(dtype=values[0].dtype if values else "float"), result.layout


def of_dtype(dtype: str | None, rule: Callable[[Args], Result]) -> Callable[[Args], Result]:
    def changed(a: Args) -> Result:
        result, want = rule(a)
        return result.but(dtype=dtype), want

    return changed


def total(rule: Callable[[Args], Result]) -> Callable[[Args], Result]:
    """Sums of whole numbers and of truth values are int64."""
    def summed(a: Args) -> Result:
        result, want = rule(a)
        given = dtype_of(a.get(99, "dtype"))
        whole = result.dtype in ("bool", "uint8", "int8", "int16", "int32", "int64")
        return result.but(dtype=given or ("int64" if whole else result.dtype)), want

    return summed


DTYPES = {"float": "float32", "half": "float16", "double": "float64", "long": "int64", "int": "int32", "bool": "bool",
          "bfloat16": "bfloat16", "short": "int16"}


def dtype_of(fact: Fact | None) -> str | None:
    if fact is None:
        return None
    last = fact.symbol.rpartition(".")[2]
    if fact.symbol.startswith("torch."):
        return DTYPES.get(last, last)
    return None


def cast(a: Args) -> Result:
    """`x.to(...)`: a dtype, a device, or another tensor."""
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    for fact, name in zip(a.facts[1:], a.names[1:], strict=True):
        if fact.kind is Kind.TENSOR:
            return x.but(dtype=fact.dtype, values=None), x.layout
        found = dtype_of(fact)
        if found is not None and name != "device" and found != "device":
            return x.but(dtype=found, values=None), x.layout
        if fact.symbol == "tensor.dtype" or name == "dtype" or (fact.kind is Kind.UNKNOWN and name != "device"):
            return x.but(dtype=fact.dtype if fact.symbol == "tensor.dtype" else None, values=None), x.layout
    return x.but(values=None), x.layout


# ---------------------------------------------------------------- reductions
def axes_of(value: Any, rank: int | None) -> list[int] | None:
    values = value if isinstance(value, tuple) else (value,)
    if rank is None or not all(isinstance(v, int) and -rank <= v < rank for v in values):
        return None
    return [v % rank for v in values]


def reduce(a: Args) -> Result:
    x, dim, keep = a.x, a.literal(1, "dim", "axis"), a.literal(2, "keepdim", "keepdims", default=False)
    if x.kind is not Kind.TENSOR:
        return tensor(), PLAIN
    if dim is None:
        return tensor((), x.dtype), x.layout
    axes = axes_of(dim, x.rank)
    if axes is None:
        gone = 0 if keep is True else len(dim) if isinstance(dim, tuple) else 1 if isinstance(dim, int) else None
        return tensor(None, x.dtype).but(payload=None if gone is None else made_of(x, more=-gone)), PLAIN
    assert x.shape is not None
    if keep is True:
        return tensor(tuple(1 if i in axes else d for i, d in enumerate(x.shape)), x.dtype, x.layout), x.layout
    if keep is not False:
        return tensor(None, x.dtype), PLAIN
    left = [i for i in range(len(x.shape)) if i not in axes]
    shape = tuple(x.shape[i] for i in left)
    return dropped(x, left, shape)


def dropped(x: Fact, left: list[int], shape: tuple[Dim, ...]) -> Result:
    """Axes are gone. A channels-last tensor stays one while batch, channels and a position are left."""
    if x.layout is not FLIPPED:
        return tensor(shape, x.dtype), PLAIN
    if 0 not in left and len(left) > 1:
        return tensor(shape, x.dtype), PLAIN
    stays = left[:2] == [0, 1] and len(left) >= 3
    ordered = stays or 1 not in left or len(left) <= 2
    return tensor(shape, x.dtype, FLIPPED if stays else PLAIN), FLIPPED if ordered else PLAIN


def pair(second: str | None = "int64", only_with_dim: bool = False) -> Callable[[Args], Result]:
    """values, indices"""

    def rule(a: Args) -> Result:
        other = a.get(1, "dim", "axis", "other")
        if only_with_dim and other is None:
            return tensor((), a.x.dtype), a.x.layout
        if only_with_dim and other is not None and other.kind is Kind.TENSOR:
            return elementwise(a)
        result, want = reduce(a)
        return Fact(Kind.PLAIN, payload=Items([result, result.but(dtype=second)], "tuple")), want

    return rule


def same_pair(a: Args) -> Result:
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    bare = tensor(None if x.shape is None else tuple(x.shape), x.dtype)
    return Fact(Kind.PLAIN, payload=Items([bare, bare.but(dtype="int64")], "tuple")), PLAIN


def topk(a: Args) -> Result:
    rank = a.x.rank
    bare = tensor(None if rank is None else (None,) * rank, a.x.dtype)
    return Fact(Kind.PLAIN, payload=Items([bare, bare.but(dtype="int64")], "tuple")), PLAIN


# ---------------------------------------------------------------- shape and order of axes
def sizes(facts: list[Fact]) -> tuple[Dim, ...] | None:
    out: list[Dim] = []
    for fact in facts:
        value = fact.literal(...)
        out.append(fact.payload.dim if isinstance(fact.payload, Size) else value if isinstance(value, int) and (
            not isinstance(value, bool)) and value >= 0 else None)
    return None if len(out) >= 99 else tuple(out)


def view(a: Args) -> Result:
    rest = a.rest(1)
    named = a.get(99, "shape", "size")
    if named is not None and isinstance(named.payload, Items):
        rest = list(named.payload.elements)
    if len(rest) == 1 and isinstance(rest[0].payload, ShapeOf):
        of = rest[0].payload
        shape = of.of.shape if of.start == 0 and of.stop is None else None
        return tensor(shape, a.x.dtype), PLAIN
    if len(rest) == 1 and rest[0].literal(...) is ... and not isinstance(rest[0].payload, Size):
        return tensor(None, a.x.dtype), PLAIN
    return tensor(sizes(rest), a.x.dtype), PLAIN


def permute(a: Args) -> Result:
    dims = [f.literal(...) for f in a.rest(1)]
    named = a.literal(99, "dims")
    dims = list(named) if isinstance(named, tuple) else dims
    x = a.x
    if not dims or len(dims) >= 99 or ... in dims:
        return tensor(None, x.dtype), PLAIN
    a.it.prove_rank(x, len(dims))
    return permuted(x, tuple(d % len(dims) for d in dims))


def permuted(x: Fact, dims: tuple[int, ...]) -> Result:
    """Channels first to last, or back, moves nothing in the target."""
    shape = x.shape if x.shape is not None and len(x.shape) == len(dims) else (None,) * len(dims)
    new = tuple(shape[d] for d in dims)
    if x.layout is FLIPPED and dims == TO_LAST.get(len(dims)):
        return tensor(new, x.dtype), FLIPPED
    if x.layout is PLAIN and dims == TO_FIRST.get(len(dims)):
        found = tensor(new, x.dtype, FLIPPED)
        return found.but(symbol=PERMUTED) if len(dims) == 3 else found, PLAIN
    return tensor(new, x.dtype), PLAIN


def transpose(a: Args) -> Result:
    x, i, j = a.x, a.literal(1, "dim0", "axis0"), a.literal(2, "dim1", "axis1")
    if x.shape is None or not isinstance(i, int) or not isinstance(j, int):
        return tensor(None, x.dtype).but(payload=made_of(x) if x.shape is None else None), PLAIN
    rank = len(x.shape)
    if not (-rank <= i < rank and -rank <= j < rank):
        return tensor(None, x.dtype), PLAIN
    dims = list(range(rank))
    dims[i % rank], dims[j % rank] = dims[j % rank], dims[i % rank]
    if rank == 3:
        return permuted(x, tuple(dims))
    return tensor(tuple(x.shape[d] for d in dims), x.dtype), PLAIN


def matrix_transpose(a: Args) -> Result:
    s = a.x.shape
    if s is None:
        return tensor(None, a.x.dtype).but(payload=made_of(a.x)), PLAIN
    return tensor(None if len(s) < 2 else (*s[:-2], s[-1], s[-2]), a.x.dtype), PLAIN


def unsqueeze(a: Args) -> Result:
    at, x = a.literal(1, "dim"), a.x
    if x.shape is None or not isinstance(at, int):
        return tensor(None, x.dtype).but(payload=made_of(x, more=1)), PLAIN
    at %= len(x.shape) + 1
    return tensor((*x.shape[:at], 1, *x.shape[at:]), x.dtype), PLAIN


def squeeze(a: Args) -> Result:
    x, dim = a.x, a.literal(1, "dim")
    axes = axes_of(dim, x.rank) if dim is not None else None
    if axes is None or x.shape is None:
        if dim is None and x.shape is not None and None not in x.shape:
            return tensor(tuple(d for d in x.shape if d != 1), x.dtype), PLAIN
        known = isinstance(dim, int) and x.shape is None
        return tensor(None, x.dtype).but(payload=made_of(x, more=-1) if known else None), PLAIN
    left = [i for i in range(len(x.shape)) if i not in axes or x.shape[i] not in (1, None)]
    return dropped(x, left, tuple(x.shape[i] for i in left))


def flatten(a: Args) -> Result:
    return flattened(a.x, a.literal(1, "start_dim", default=0), a.literal(2, "end_dim", default=-1))


def flattened(x: Fact, low: Any, high: Any) -> Result:
    """flatten(start, end). The positions of a channels-last tensor may be joined where they are."""
    if x.shape is None or not isinstance(low, int) or not isinstance(high, int):
        rank = 2 if low == 1 and high == -1 else 1 if low == 0 and high == -1 else None
        return tensor(None if rank is None else (None,) * rank, x.dtype), PLAIN
    rank = len(x.shape)
    low, high = low % max(rank, 1), high % max(rank, 1)
    inner = x.shape[low:high + 1]
    total: Dim = 1
    for d in inner:
        total = None if d is None or total is None else total * d  # type: ignore[operator]
    shape = (*x.shape[:low], total, *x.shape[high + 1:])
    if x.layout is FLIPPED and low == 2 and high == rank - 1 and rank >= 4:
        return tensor(shape, x.dtype, FLIPPED), FLIPPED
    unit = x.layout is FLIPPED and low == 1 and high == rank - 1 and all(d == 1 for d in x.shape[2:])
    return tensor(shape, x.dtype), FLIPPED if unit else PLAIN


def unflatten(a: Args) -> Result:
    at, parts, x = a.literal(1, "dim"), a.get(2, "sizes"), a.x
    if x.shape is None or not isinstance(at, int) or parts is None or not isinstance(parts.payload, Items):
        return tensor(None, x.dtype), PLAIN
    at %= len(x.shape)
    new = sizes(parts.payload.elements) or ()
    return tensor((*x.shape[:at], *new, *x.shape[at + 1:]), x.dtype), PLAIN


def expand(a: Args) -> Result:
    rest = a.rest(1)
    found = sizes(rest)
    starred = any(arg.star for arg in a.node.args)
    if found is None or starred or (len(rest) == 1 and isinstance(rest[0].payload, ShapeOf)) or (
            a.x.shape is not None and len(found) < len(a.x.shape)):
        return tensor(None, a.x.dtype), PLAIN
    own = (None,) * len(found) if a.x.shape is None else (None,) * (len(found) - len(a.x.shape)) + a.x.shape
    values = [f.literal(...) for f in rest]
    return tensor(tuple(o if v == -1 else f for f, o, v in zip(found, own, values, strict=True)), a.x.dtype), PLAIN


def like_second(a: Args) -> Result:
    other = a.get(1, "other")
    return tensor(other.shape if other is not None else None, a.x.dtype), PLAIN


def repeat(a: Args) -> Result:
    count = len(a.rest(1))
    return tensor(None if count >= 99 or count == 0 else (None,) * count, a.x.dtype), PLAIN


def selected(a: Args) -> Result:
    at = a.get(2, "index")
    if at is not None:
        a.it.prove_whole(at)
    return rank_kept(a)


def rank_kept(a: Args) -> Result:
    shape = None if a.x.shape is None else (None,) * len(a.x.shape)
    return tensor(shape, a.x.dtype).but(payload=made_of(a.x)), PLAIN


# ---------------------------------------------------------------- joining and splitting
def chunk(a: Args) -> Result:
    x, count = a.x, a.literal(1, "chunks", "split_size", "split_size_or_sections", "indices_or_sections")
    dim = a.literal(2, "dim", default=0)
    shape, want = _without_size(x, dim)
    part = tensor(shape, x.dtype, x.layout if want is FLIPPED else PLAIN).but(payload=made_of(x))
    given = a.get(1, "chunks", "split_size", "split_size_or_sections")
    if given is not None and isinstance(given.payload, Items) and not given.payload.open:
        return Fact(Kind.PLAIN, payload=Items([part] * len(given.payload.elements), "tuple")), want
    if isinstance(count, int) and _is_chunk(a) and count <= 16:
        return Fact(Kind.PLAIN, payload=Items([part] * count, "tuple")), want
    return Fact(Kind.PLAIN, payload=Items([part], "tuple", True)), want


def _is_chunk(a: Args) -> bool:
    func = a.node.func
    return isinstance(func, cst.Attribute) and func.attr.value == "chunk"


def _without_size(x: Fact, dim: Any) -> tuple[tuple[Dim, ...] | None, Layout]:
    if x.shape is None or not isinstance(dim, int) or not -len(x.shape) <= dim < len(x.shape):
        return (None if x.shape is None else (None,) * len(x.shape)), PLAIN
    dim %= len(x.shape)
    return tuple(None if i == dim else d for i, d in enumerate(x.shape)), x.layout


def unbind(a: Args) -> Result:
    x, dim = a.x, a.literal(1, "dim", default=0)
    axes = axes_of(dim, x.rank)
    if axes is None or x.shape is None:
        return Fact(Kind.PLAIN, payload=Items([tensor(None, x.dtype)], "tuple", True)), PLAIN
    part = tensor(tuple(d for i, d in enumerate(x.shape) if i not in axes), x.dtype)
    size = x.shape[axes[0]]
    if isinstance(size, int) and size <= 16:
        return Fact(Kind.PLAIN, payload=Items([part] * size, "tuple")), PLAIN
    return Fact(Kind.PLAIN, payload=Items([part], "tuple", True)), PLAIN


def cat(a: Args) -> Result:
    parts = list(tensors_in(a.x))
    dim = a.literal(1, "dim", "axis", default=0)
    if not parts:
        return tensor(), PLAIN
    known = next((p for p in parts if p.shape is not None), parts[0])
    flipped = any(p.layout is FLIPPED for p in parts) and isinstance(dim, int)
    if flipped:
        for p in parts:
            a.it.want_flipped(p)
    shape, _ = _without_size(known, dim)
    connected = made_of(*parts)
    dtypes = {p.dtype for p in parts}
    want = FLIPPED if flipped else PLAIN
    return tensor(shape, dtypes.pop() if len(dtypes) == 1 else None, want).but(payload=connected), want


def stack(a: Args) -> Result:
    parts = list(tensors_in(a.x))
    dim = a.literal(1, "dim", "axis", default=0)
    known = next((p for p in parts if p.shape is not None), None)
    if known is None or known.shape is None or not isinstance(dim, int):
        return tensor(None, parts[0].dtype if parts else None), PLAIN
    dim %= len(known.shape) + 1
    count = len(a.x.payload.elements) if isinstance(a.x.payload, Items) and not a.x.payload.open else None
    return tensor((*known.shape[:dim], count, *known.shape[dim:]), known.dtype), PLAIN


def matmul(a: Args) -> Result:
    other = a.get(1, "other", "mat2", "tensor2")
    return shapes.matmul(a.it, a.node, a.x, other if other is not None else tensor()), PLAIN


def einsum(a: Args) -> Result:
    text = a.x.literal(...)
    facts = [f for fact in a.facts[1:] for f in tensors_in(fact)]
    if not isinstance(text, str):
        return tensor(), PLAIN
    left, _, right = text.replace(" ", "").partition("->")
    for part, fact in zip(left.split(","), facts, strict=False):
        if "..." not in part:
            a.it.prove_rank(fact, len(part))
    known = {c: f.shape[i] for part, f in zip(left.split(","), facts, strict=False) if "..." not in part
             and f.shape is not None and len(f.shape) == len(part) for i, c in enumerate(part)}
    dtype = facts[0].dtype if facts else None
    if "..." in right or "->" not in text:
        return tensor(None, dtype), PLAIN
    return tensor(tuple(known.get(c) for c in right), dtype), PLAIN


def linear(a: Args) -> Result:
    x = a.x
    if x.shape is None:
        return tensor(None, x.dtype).but(payload=made_of(x)), PLAIN
    return tensor((*x.shape[:-1], None), x.dtype), PLAIN


def gathered(a: Args) -> Result:
    at = a.get(2, "index")
    if at is not None:
        a.it.prove_whole(at)
    return tensor(at.shape if at is not None else None, a.x.dtype), PLAIN


# ---------------------------------------------------------------- over space
def spatial(rank: int) -> Callable[[Args], Result]:
    def rule(a: Args) -> Result:
        x = a.x
        if x.rank is not None and x.rank != rank:
            return tensor(None, x.dtype), PLAIN
        a.it.prove_rank(x, rank)
        a.it.want_flipped(x)
        shape = x.shape or (None,) * rank
        return tensor((shape[0], None, *(None,) * (rank - 2)), x.dtype or "float", FLIPPED), FLIPPED

    return rule


def pool(rank: int) -> Callable[[Args], Result]:
    inner = spatial(rank)

    def rule(a: Args) -> Result:
        result, want = inner(a)
        if result.shape is None or a.x.shape is None:
            return result, want
        one = a.literal(1, "output_size") in (1, (1,) * (rank - 2)) and "adaptive" in _name(a)
        space = (1 if one else None,) * (rank - 2)
        return result.but(shape=(a.x.shape[0], a.x.shape[1], *space)), want

    return rule


def _name(a: Args) -> str:
    func = a.node.func
    return func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""


def resized(a: Args) -> Result:
    """interpolate, grid_sample, pixel_shuffle, batch_norm, ...: any rank from 3 up."""
    x = a.x
    if x.rank is None or not 3 <= x.rank <= 5:
        return tensor(None, x.dtype), PLAIN
    a.it.want_flipped(x)
    assert x.shape is not None
    return tensor((x.shape[0], x.shape[1], *(None,) * (x.rank - 2)), x.dtype, FLIPPED), FLIPPED


def imaged(a: Args) -> Result:
    """group_norm, dropout2d, ...: the channels are what counts; the sizes stay."""
    x = a.x
    if x.rank is None or not 3 <= x.rank <= 5:
        return tensor(x.shape, x.dtype), PLAIN
    a.it.want_flipped(x)
    return x.but(layout=FLIPPED, values=None), FLIPPED


def padded(a: Args) -> Result:
    x = a.x
    if x.layout is FLIPPED and x.shape is not None:
        return tensor((x.shape[0], *(None,) * (len(x.shape) - 1)), x.dtype, FLIPPED), FLIPPED
    shape = None if x.shape is None else (None,) * len(x.shape)
    return tensor(shape, x.dtype).but(payload=made_of(x)), PLAIN


# ---------------------------------------------------------------- new tensors
def created(a: Args) -> Result:
    rest = a.rest(0)
    dtype = dtype_of(a.get(99, "dtype")) if a.get(99, "dtype") is not None else "float"
    if len(rest) == 1 and isinstance(rest[0].payload, ShapeOf):
        of = rest[0].payload
        return tensor(of.of.shape if of.start == 0 and of.stop is None else None, dtype), PLAIN
    size = a.get(99, "size")
    if size is not None and isinstance(size.payload, Items):
        rest = list(size.payload.elements)
    return tensor(sizes(rest), dtype), PLAIN


def full(a: Args) -> Result:
    first = a.x
    dtype = dtype_of(a.get(99, "dtype")) if a.get(99, "dtype") is not None else None
    shape = sizes(list(first.payload.elements)) if isinstance(first.payload, Items) and not first.payload.open else None
    value = a.literal(1, "fill_value")
    return tensor(shape, dtype or ("float" if isinstance(value, float) else None)), PLAIN


def new_tensor(a: Args) -> Result:
    inner = Args(a.it, a.node, a.facts[1:], a.names[1:], a.nodes[1:])
    return created(inner)[0].but(dtype=dtype_of(a.get(99, "dtype")) or a.x.dtype), PLAIN


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
        inner = [e.payload for e in x.payload.elements]
        if all(i is None for i in inner):
            whole = all(isinstance(e.literal(...), int) for e in x.payload.elements)
            return tensor((len(inner),), dtype or ("int64" if whole else None)), PLAIN
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
    if rank >= 99:
        return Fact(Kind.PLAIN, payload=Items([tensor()], "tuple", True)), PLAIN
    one = tensor((None,) * rank, parts[0].dtype if parts else None)
    return Fact(Kind.PLAIN, payload=Items([one] * rank, "tuple")), PLAIN


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
    return Fact(Kind.PLAIN, payload=Size(known[at] if ok and known else None)), a.x.layout


def number(a: Args) -> Result:
    return NUMBER, a.x.layout


def rank(a: Args) -> Result:
    return (literal(a.x.rank) if a.x.rank is not None else NUMBER), a.x.layout


def scalar(a: Args) -> Result:
    return tensor((), "float"), PLAIN


def _rules() -> dict[str, Callable[[Args], Result]]:
    table: dict[str, Callable[[Args], Result]] = {}

    def put(rule: Callable[[Args], Result], names: str) -> None:
        table.update(dict.fromkeys(names.split(), rule))

    put(same, """
        relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid tanh softplus hardtanh hardswish hardsigmoid
        logsigmoid softsign tanhshrink hardshrink softshrink abs absolute neg negative exp expm1 log log2 log10
        log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh arctan arcsin
        arccos sign floor ceil round trunc frac erf erfc erfinv detach clone contiguous clamp clamp_min clamp_max
        clip dropout alpha_dropout feature_dropout requires_grad cpu cuda nan_to_num
        bitwise_not rad2deg deg2rad lgamma digamma sgn zero fill normal uniform exponential bernoulli retain_grad
        pin_memory variable autograd.Variable threshold rrelu sigmoid_ special_expit mul_ softmax log_softmax
        softmin normalize flip fliplr flipud roll logcumsumexp gumbel_softmax""")
    put(plain_same, """
        tril triu sort_values index_fill index_add index_copy scatter scatter_add scatter_reduce masked_scatter
        layer_norm rms_norm diag_embed index_put conj""")
    put(elementwise, """
        add sub subtract mul multiply div divide true_divide floor_divide fmod remainder pow maximum minimum atan2
        addcmul addcdiv lerp masked_fill logaddexp hypot float_power rsub prelu bitwise_and bitwise_or bitwise_xor
        dist_ xlogy copysign fmax fmin type_as""")
    put(of_dtype("bool", elementwise), """
        eq ne lt le gt ge logical_and logical_or logical_xor isclose greater less greater_equal less_equal not_equal""")
    put(of_dtype("bool", same), "logical_not isnan isinf isfinite isneginf isposinf")
    put(where, "where")
    for name, dtype in DTYPES.items():
        put(of_dtype(dtype, same), name)
    put(of_dtype("float32", same), "float")
    put(cast, "to type")
    put(reduce, "mean amax amin logsumexp var std norm vector_norm nanmean")
    put(total(reduce), "sum prod nansum")
    put(total(same), "cumsum cumprod")
    put(of_dtype("int64", reduce), "count_nonzero")
    put(of_dtype("bool", reduce), "any all")
    put(of_dtype("int64", reduce), "argmax argmin")
    put(pair(only_with_dim=True), "max min")
    put(pair(), "median mode kthvalue")
    put(pair(second=None), "var_mean std_mean aminmax")
    put(same_pair, "sort cummax cummin")
    put(topk, "topk")
    put(of_dtype("int64", plain_same), "argsort multinomial")
    put(view, "view reshape")
    put(permute, "permute")
    put(transpose, "transpose swapaxes swapdims")
    put(matrix_transpose, "t adjoint inverse pinverse")
    put(unsqueeze, "unsqueeze")
    put(squeeze, "squeeze")
    put(flatten, "flatten ravel")
    put(unflatten, "unflatten")
    put(expand, "expand broadcast_to")
    put(like_second, "expand_as view_as reshape_as")
    put(repeat, "repeat tile")
    put(rank_kept, """
        repeat_interleave narrow unique_consecutive take_along_dim movedim moveaxis rot90 diff cross
        inv cholesky""")
    put(selected, "index_select take_along_dim")
    put(chunk, "chunk split tensor_split split_with_sizes")
    put(unbind, "unbind")
    put(cat, "cat concat concatenate")
    put(stack, "stack")
    put(matmul, "matmul bmm mm mv dot")
    put(einsum, "einsum")
    put(linear, "linear")
    put(gathered, "gather")
    for n in (1, 2, 3):
        put(spatial(n + 2), f"conv{n}d conv_transpose{n}d")
        put(pool(n + 2), f"max_pool{n}d avg_pool{n}d adaptive_avg_pool{n}d adaptive_max_pool{n}d lp_pool{n}d")
        put(pool(n + 2), f"max_pool{n}d_same avg_pool{n}d_same")
    put(spatial(4), "center_crop resize_bicubic")
    put(same, "relu sparsemax")
    put(floating, "softmax log_softmax sigmoid tanh logsigmoid softplus gelu silu exp log sqrt rsqrt sin cos erf")
    put(resized, "interpolate upsample pixel_shuffle pixel_unshuffle grid_sample batch_norm local_response_norm")
    put(imaged, "group_norm instance_norm dropout1d dropout2d dropout3d")
    put(padded, "pad")
    put(created, "zeros ones rand randn empty randperm")
    put(full, "full")
    put(new_tensor, "new_zeros new_ones new_empty new_full")
    put(new_from_data, "new_tensor")
    put(arange, "arange range")
    put(linspace, "linspace logspace")
    put(eye, "eye")
    put(like, "zeros_like ones_like rand_like randn_like empty_like full_like")
    put(from_data, "tensor as_tensor from_numpy FloatTensor LongTensor asarray Tensor")
    put(one_hot, "one_hot")
    put(embedding, "embedding")
    put(meshgrid, "meshgrid")
    put(packed, "pack_padded_sequence pack_sequence")
    put(unpacked, "pad_packed_sequence pad_sequence")
    put(size, "size")
    put(number, """
        numel nelement item tolist numpy data_ptr element_size stride is_floating_point is_contiguous get_device
        dtype_ device finfo iinfo is_tensor is_grad_enabled manual_seed backward storage""")
    put(rank, "dim ndimension")
    put(scalar, """
        cross_entropy mse_loss l1_loss smooth_l1_loss binary_cross_entropy binary_cross_entropy_with_logits
        nll_loss kl_div huber_loss cosine_embedding_loss triplet_margin_loss""")
    put(same, "scaled_dot_product_attention")
    return table


RULES = _rules()
