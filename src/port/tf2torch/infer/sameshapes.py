"""Shape rules of functions and layers that were PyTorch's: see `ownhelpers` and docs/rows.md."""

from __future__ import annotations

from collections.abc import Callable

from port.facts import Fact, Kind, Layout, arithmetic, tensor
from port.tf2torch.infer.given import Given, product, sizes_of
from port.tf2torch.infer.values import Items

INPUT_SIZES = {"helpers.MultiheadAttention": "embed_dim", "helpers.LSTM": "input_size", "helpers.GRU": "input_size",
               "helpers.RNN": "input_size"}


def top_k_axis(g: Given) -> Fact:
    s, axis = g.x.shape, g.get("axis", ...)
    known = s is not None and isinstance(axis, int) and -len(s) <= axis < len(s)
    shape = tuple(g.dim("k") if i == axis % len(s) else d for i, d in enumerate(s)) if s and known else None
    return Fact(Kind.PLAIN, payload=Items([tensor(shape, g.x.dtype), tensor(shape, "int64")], "tuple"))


def flatten_axes(g: Given) -> Fact:
    s, start, end = g.x.shape, g.get("start_dim", ...), g.get("end_dim", ...)
    if s is None or not isinstance(start, int) or not isinstance(end, int):
        return tensor(None, g.x.dtype)
    first, last = start % len(s), end % len(s)
    return tensor((*s[:first], product(s[first:last + 1]), *s[last + 1:]), g.x.dtype)


def unflatten_axis(g: Given) -> Fact:
    s, axis, sizes = g.x.shape, g.get("dim", ...), sizes_of(g.fact("sizes"))
    if s is None or not isinstance(axis, int) or sizes is None:
        return tensor(None, g.x.dtype)
    at = axis % len(s)
    return tensor((*s[:at], *(None if d == -1 else d for d in sizes), *s[at + 1:]), g.x.dtype)


def torch_rnn(g: Given) -> Fact:
    """nn.GRU, nn.RNN: outputs and last states; nn.LSTM has a pair of these."""
    x, two = g.x, g.get("bidirectional", ...)
    width = arithmetic("*", 2, g.dim("hidden_size")) if two is True else g.dim("hidden_size") if two is False else None
    out = tensor(None if x.shape is None or len(x.shape) != 3 else (*x.shape[:2], width), x.dtype).but(last=width)
    state = tensor((None, None, g.dim("hidden_size")), x.dtype)
    return Fact(Kind.PLAIN, payload=Items([out, state], "tuple"))


def torch_lstm(g: Given) -> Fact:
    both = torch_rnn(g)
    out, state = both.payload.elements
    return both.but(payload=Items([out, Fact(Kind.PLAIN, payload=Items([state, state], "tuple"))], "tuple"))


def torch_attention(g: Given) -> Fact:
    """nn.MultiheadAttention: outputs like the queries, and the weights."""
    x = g.x.but(layout=Layout.PLAIN, payload=None)
    out = x if x.shape is None else x.but(shape=(*x.shape[:-1], g.dim("embed_dim")))
    return Fact(Kind.PLAIN, payload=Items([out.but(last=g.dim("embed_dim")), tensor()], "tuple"))


RULES: dict[str, Callable[[Given], Fact]] = {f.__name__: f for f in (
    top_k_axis, flatten_axes, unflatten_axis, torch_rnn, torch_lstm, torch_attention)}
