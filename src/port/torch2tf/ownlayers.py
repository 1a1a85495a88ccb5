"""Modules among the helpers of `port tf2torch`, read back as the Keras layers that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.build import TIGHT, build, expression
from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.table import Row
from port.torch2tf.initial import default_init, lazy_init
from port.torch2tf.layer_args import At, Passed, product, write_call
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_FIRST, TO_LAST, Items, Layer
from port.tree import code

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

CONV: Passed = {"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides",
                "dilation": "dilation_rate", "groups": "groups", "bias": "use_bias"}
SEPARABLE: Passed = {"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides",
                     "padding": "padding", "dilation": "dilation_rate", "depth_multiplier": "depth_multiplier",
                     "bias": "use_bias"}
CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
ACTIVATIONS = {"hardsigmoid": "hard_sigmoid", "hardtanh": "hard_tanh", "hardswish": "hard_silu"}
DISTRIBUTED = {"TimeDistributed", "TimeDistributedSteps"}
PLAIN_ORDER = {"Permute", "Reshape", "Lambda", "RNN", "Bidirectional", *DISTRIBUTED}  # axes as in the source


def elements(w: Any, node: cst.Call, symbol: str) -> list[Any]:
    """The Keras layers for one module: none for a permute that only changes the layout."""
    name = symbol.removeprefix("helpers.")
    layer = w.it.layers.get((node, symbol))
    if layer is None or (name not in STARRED and (layer.problem or any(k.startswith("?") for k in layer.bound))):
        raise Refused("P202", f"the arguments of `{name}` hide what it is given", node)
    if name == "Permute" and _moves_nothing(layer):
        return []
    at = At(w, node, layer)
    writer = WRITERS.get(name)
    if writer is not None:
        return [writer(at)]
    if name.endswith("dSame"):
        return [_conv_same(at, name[-6])]
    if name.startswith("SeparableConv"):
        return [write_call(at, w.layer(f"SeparableConv{name[-2]}D"), SEPARABLE, positional=("filters", "kernel_size"))]
    return [_from_row(at, name)]


def write(w: Any, node: cst.Call, symbol: str) -> Any:
    found = elements(w, node, symbol)
    return found[0] if found else cst.Call(w.layer("Identity"))


# ---------------------------------------------------------------- axes
def _star(at: At) -> list[cst.BaseExpression]:
    if any(a.star or a.keyword is not None for a in at.node.args):
        raise Refused("P202", f"the arguments of `{at.short}` hide what it is given", at.node)
    return [a.value for a in at.node.args]


def _dims(layer: Layer) -> tuple[int, ...] | None:
    found = [f.literal(...) for f in layer.facts.values()]
    return tuple(found) if found and all(isinstance(d, int) for d in found) else None


def _moves_nothing(layer: Layer) -> bool:
    dims, x = _dims(layer), layer.inputs[0] if layer.inputs else None
    if dims is None or x is None or x.kind is not Kind.TENSOR:
        return False
    return dims == (TO_LAST if x.layout is Layout.FLIPPED else TO_FIRST).get(len(dims))


def _permute(at: At) -> Any:
    dims = _star(at)
    first = at.w.fact(dims[0]).literal() if dims else None
    if first != 0:
        raise Refused("P203", "a Permute that moves the batch axis", at.node)
    return build("{p}({d})", p=at.w.layer("Permute"), d=_tuple(at, dims[1:]))


def _reshape(at: At) -> Any:
    return build("{p}({d})", p=at.w.layer("Reshape"), d=_tuple(at, _star(at)))


def _tuple(at: At, nodes: list[cst.BaseExpression]) -> cst.BaseExpression:
    last = len(nodes) - 1
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return cst.Tuple([cst.Element(at.w.expr(n), comma=comma if i < last else cst.Comma() if not last
                                  else cst.MaybeSentinel.DEFAULT) for i, n in enumerate(nodes)])


def _prelu(at: At) -> Any:
    """One slope for each feature; it is shared along axes of size 1."""
    shape = _dims(at.layer)
    if shape is None:
        raise Refused("P208", "the shape of the slopes of this PReLU is not known", at.node)
    if at.layer.inputs and at.layer.inputs[0].layout is Layout.FLIPPED:
        shape = (*shape[1:], shape[0])
    shared = [i + 1 for i, size in enumerate(shape) if size == 1]
    return build("{p}(" + (f"shared_axes={shared}" if shared else "") + ")", p=at.w.layer("PReLU"))


def _lambda(at: At) -> Any:
    if len(at.layer.inputs) > 1:
        raise Refused("P203", "a Lambda of several tensors: write a layer", at.node)
    return write_call(at, at.w.layer("Lambda"), {"function": "function"}, positional=("function",))


# ---------------------------------------------------------------- recurrent
def _settings(at: At) -> Passed:
    """Arguments of a cell."""
    passed: Passed = {"hidden_size": "units", "bias": "use_bias", "reset_after": "reset_after"}
    for name in ("activation", "recurrent_activation"):
        if at.given(name):
            passed[name] = (name, _activation(at, name))
    return {k: v for k, v in passed.items() if at.given(k)}


def _activation(at: At, name: str) -> Any:
    """`F.hardsigmoid`, `torch.tanh` as the string that Keras knows."""
    last = at.w.it.names.resolve(at.layer.bound[name]).rpartition(".")[2]
    if not last:
        raise Refused("P202", f"`{name}` of a recurrent cell, by a name that is not known", at.node)
    return cst.SimpleString(f'"{ACTIVATIONS.get(last, last)}"')


def _cell(at: At) -> Any:
    return write_call(at, at.w.layer(at.short), _settings(at), positional=("units",))


def _rnn(at: At) -> Any:
    """`RNN(GRUCell(...), ...)` is layers.GRU; of another cell, layers.RNN."""
    given: Passed = {n: n for n in ("return_sequences", "return_state", "go_backwards") if at.given(n)}
    cell = at.layer.facts.get("cell", UNKNOWN).payload
    written = isinstance(cell, Layer) and cell.node is at.layer.bound.get("cell")  # here, not in a variable
    short = cell.symbol.rpartition(".")[2] if written else ""
    if short not in CELLS or not cell.symbol.startswith("helpers."):
        return write_call(at, at.w.layer("RNN"), {"cell": "cell", **given}, positional=("cell",))
    inner = At(at.w, cell.node, cell)
    made = write_call(inner, at.w.layer(CELLS[short]), _settings(inner), positional=("units",))
    rest = write_call(at, made.func, given)
    return made.with_changes(args=_joined([*made.args, *rest.args]))


def _joined(args: list[cst.Arg]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(args) - 1
    return [a.with_changes(comma=comma if i < last else cst.MaybeSentinel.DEFAULT) for i, a in enumerate(args)]


def _bidirectional(at: At) -> Any:
    """The second direction is made from the first, if it is the same but for its direction."""
    ahead, back = at.expr("forward_rnn"), at.expr("backward_rnn")
    args = [cst.Arg(ahead)]
    if code(back).replace(", go_backwards=True", "") != code(ahead):
        args.append(cst.Arg(back, keyword=cst.Name("backward_layer"), equal=TIGHT))
    if at.given("merge_mode"):
        args.append(cst.Arg(at.expr("merge_mode"), keyword=cst.Name("merge_mode"), equal=TIGHT))
    return cst.Call(at.w.layer("Bidirectional"), _joined(args))


def _stacked(at: At) -> Any:
    cells = [cst.Element(at.w.expr(c)) for c in _star(at)]
    return cst.Call(at.w.layer("StackedRNNCells"), [cst.Arg(cst.List(cells))])




# ---------------------------------------------------------------- the others
def _conv_same(at: At, axes: str) -> Any:
    if at.short.startswith("Lazy"):
        initial = lazy_init(at)
    else:
        fan = product([at.expr("in_channels"), *(at.parts("kernel_size", int(axes)) or ())])
        initial = default_init(at.w, fan, at)
    extra = [("padding", '"same"'), *initial]
    return write_call(at, at.w.layer(f"Conv{axes}D"), CONV, extra, positional=("filters", "kernel_size", "strides"))


def _renamed(layer: str, passed: Passed, *positional: str) -> Callable[[At], Any]:
    return lambda at: write_call(at, at.w.layer(layer), passed, positional=positional)


def _attention(at: At) -> Any:
    passed: Passed = {"num_heads": "num_heads", "key_dim": "key_dim", "value_dim": "value_dim", "dropout": "dropout",
                      "output_features": "output_shape", "bias": "use_bias"}
    return write_call(at, at.w.layer("MultiHeadAttention"), passed, positional=("num_heads", "key_dim"))


def _grouped(at: At) -> Any:
    passed: Passed = {n: n for n in ("head_dim", "num_query_heads", "num_key_value_heads", "dropout")}
    return write_call(at, at.w.layer("GroupQueryAttention"), {**passed, "bias": "use_bias"},
                      positional=tuple(passed))


def _from_row(at: At, name: str) -> Any:
    """The row that writes this helper, read backwards."""
    rows: tuple[Row, ...] = at.w.it.rows.get(f"helpers.{name}", ())
    row = next((r for r in rows if r.tf and r.tf[0].name.startswith("keras.layers.")), None)
    if row is None:
        raise Refused("P201", f"the helper `{name}` has no row", at.node)
    passed: Passed = {arg.to: tf_name for tf_name, arg in row.args.items()
                      if arg.to in at.layer.bound and arg.via is None}
    left = set(at.layer.bound) - set(passed) - set(row.fill)
    if left:
        raise Refused("P202", f"`{sorted(left)[0]}` of the helper `{name}`", at.node)
    positional = [arg for arg in (p.name for p in row.tf[0].params) if arg in passed.values()]
    return write_call(at, at.w.layer(row.tf[0].name.rpartition(".")[2]), passed, positional=positional[:1])


STARRED = {"Permute", "Reshape", "PReLU", "StackedRNNCells"}
WRITERS: dict[str, Callable[[At], Any]] = {
    "Permute": _permute, "Reshape": _reshape, "PReLU": _prelu, "Lambda": _lambda, "RNN": _rnn,
    "Bidirectional": _bidirectional, "StackedRNNCells": _stacked, "MultiHeadAttention": _attention,
    "GroupQueryAttention": _grouped, "GaussianNoise": _renamed("GaussianNoise", {"stddev": "stddev"}, "stddev"),
    "GaussianDropout": _renamed("GaussianDropout", {"p": "rate"}, "rate"),
    "Dropout": _renamed("Dropout", {"p": "rate", "noise_shape": "noise_shape"}, "rate", "noise_shape"),
    **dict.fromkeys(DISTRIBUTED, _renamed("TimeDistributed", {"module": "layer"}, "layer")),
    "AdditiveAttention": _renamed("AdditiveAttention", {"use_scale": "use_scale", "dropout": "dropout"}),
    "Attention": _renamed("Attention", {n: n for n in ("use_scale", "score_mode", "dropout")}),
    "EinsumDense": _renamed("EinsumDense", {n: n for n in ("equation", "output_shape", "bias_axes")},
                            "equation", "output_shape"),
    "Normalization": _renamed("Normalization", {n: n for n in ("mean", "variance", "invert")}),
} | dict.fromkeys(CELLS, _cell)


# ---------------------------------------------------------------- facts
def result(it: Interp, layer: Layer, args: list[Fact]) -> tuple[Fact, Layout] | None:
    """(what the module gives, the layout that its tensors must have); None for those that modshapes knows."""
    from port.torch2tf import opaxes, users

    name, x = layer.symbol.removeprefix("helpers."), args[0] if args else UNKNOWN
    if name == "Lambda":
        function = layer.facts.get("function", UNKNOWN)
        if type(function.payload).__name__ == "Function":
            return users.call(it, None, function.payload, args, layer), Layout.PLAIN
        return tensor(), Layout.PLAIN
    if name == "Permute":
        dims = _dims(layer)
        if dims is None or sorted(dims) != list(range(len(dims))):
            return tensor(None, x.dtype), Layout.PLAIN
        it.prove_rank(x, len(dims))
        return opaxes.permuted(x, dims)
    if name == "Reshape":
        sizes = [f.literal() for f in layer.facts.values()]
        batch = x.shape[0] if x.shape else None
        return tensor((batch, *(s if isinstance(s, int) and s > 0 else None for s in sizes)), x.dtype), Layout.PLAIN
    if name == "RNN":
        return _recurrent(layer), Layout.PLAIN
    if name == "Bidirectional":
        inner = layer.facts.get("forward_rnn", UNKNOWN).payload
        return (_recurrent(inner) if isinstance(inner, Layer) else tensor(None, "float")), Layout.PLAIN
    return None


def _recurrent(layer: Layer) -> Fact:
    whole = layer.facts["return_sequences"].literal() if "return_sequences" in layer.facts else False
    out = tensor((None,) * (3 if whole else 2) if isinstance(whole, bool) else None, "float")
    state = layer.facts["return_state"].literal() if "return_state" in layer.facts else False
    if state is False:
        return out
    return Fact(Kind.PLAIN, payload=Items([out, tensor((None, None), "float")], "tuple", True))


__all__ = ["PLAIN_ORDER", "elements", "expression", "result", "write"]
