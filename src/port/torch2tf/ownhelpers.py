"""Helpers that `port tf2torch` writes into its output: read back as the Keras layer or function that they stand for.

A definition counts as a helper if its text is that of the helper, to the letter. It is then left out of the output.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import imports
from port.build import build
from port.facts import Layout
from port.table import Row
from port.torch2tf.initial import default_init
from port.torch2tf.layer_args import At, Passed, product, write_call
from port.torch2tf.refused import Refused
from port.torch2tf.values import Layer
from port.tree import code

CONV: Passed = {"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides",
                "dilation": "dilation_rate", "groups": "groups", "bias": "use_bias"}
SEPARABLE: Passed = {"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides",
                     "padding": "padding", "dilation": "dilation_rate", "depth_multiplier": "depth_multiplier",
                     "bias": "use_bias"}
FOR_OTHERS = {"same_padding", "pad_amounts", "keras_fans_"}  # called by helpers alone


def name_of(node: cst.CSTNode) -> str:
    """'Conv2dSame' for the definition of that helper; '' for what the user wrote."""
    if not isinstance(node, cst.FunctionDef | cst.ClassDef) or not imports.has_helper(node.name.value):
        return ""
    text = imports.helper_source(node.name.value)[2]
    return node.name.value if code(node.with_changes(leading_lines=[])).strip() == text.strip() else ""


def write(w: Any, node: cst.Call, symbol: str) -> Any:
    """A call of a helper: a layer that is made, or a function of tensors."""
    name = symbol.removeprefix("helpers.")
    if name in FUNCTIONS:
        return FUNCTIONS[name](w, node, name)
    layer = w.it.layers.get((node, symbol))
    if layer is None or layer.problem:
        raise Refused("P202", f"the arguments of `{name}` hide what it is given", node)
    at = At(w, node, layer)
    if name.startswith("Conv") and name.endswith("dSame"):
        return conv_same(at, name[4])
    if name.startswith("SeparableConv"):
        return write_call(at, w.layer(f"SeparableConv{name[-2]}D"), SEPARABLE, positional=("filters", "kernel_size"))
    return from_row(at, name)


def conv_same(at: At, axes: str) -> Any:
    kernel = at.parts("kernel_size", int(axes))
    fan = product([at.expr("in_channels"), *(kernel or ())])
    extra = [("padding", '"same"'), *default_init(at.w, fan, at)]
    return write_call(at, at.w.layer(f"Conv{axes}D"), CONV, extra, positional=("filters", "kernel_size", "strides"))


def from_row(at: At, name: str) -> Any:
    """The row that writes this helper, read backwards."""
    rows: tuple[Row, ...] = at.w.it.rows.get(f"helpers.{name}", ())
    row = next((r for r in rows if r.tf and r.tf[0].name.startswith("keras.layers.")), None)
    if row is None:
        raise Refused("P201", f"the helper `{name}` has no row", at.node)
    target = row.tf[0].name.rpartition(".")[2]
    passed: Passed = {}
    for tf_name, arg in row.args.items():
        if not arg.to or arg.to not in at.layer.bound:
            continue
        if arg.via == "activation_function":
            passed[arg.to] = (tf_name, activation(at, arg.to))
        elif arg.via is None or (name, tf_name) in PLAIN:
            passed[arg.to] = tf_name
        else:
            raise Refused("P202", f"`{tf_name}` of the helper `{name}`", at.node)
    left = set(at.layer.bound) - set(passed) - set(row.fill) - DROPPED.get(name, set())
    if left:
        raise Refused("P202", f"`{sorted(left)[0]}` of the helper `{name}`", at.node)
    positional = [arg for arg in (p.name for p in row.tf[0].params) if arg in passed.values()]
    return write_call(at, at.w.layer(target), passed, positional=positional[:1])


PLAIN = {("MultiHeadAttention", "value_dim"), ("MultiHeadAttention", "output_shape")}
DROPPED = {"MultiHeadAttention": {"query_features", "value_features", "key_features"},
           "LSTMCell": {"input_size"}, "GRUCell": {"input_size"}, "SimpleRNNCell": {"input_size"},
           "AdditiveAttention": {"features"}}


def activation(at: At, name: str) -> Any:
    """`F.hardsigmoid`, `torch.tanh` as the string that Keras knows."""
    last = at.w.it.names.resolve(at.layer.bound[name]).rpartition(".")[2]
    known = {"hardsigmoid": "hard_sigmoid", "hardtanh": "hard_tanh"}
    if not last:
        raise Refused("P202", f"`{name}` of a recurrent cell, by a name that is not known", at.node)
    return cst.SimpleString(f'"{known.get(last, last)}"')


# ---------------------------------------------------------------- functions
def pool_same(w: Any, node: cst.Call, name: str) -> Any:
    kind, axes = name[:3], name[8]
    x, size = node.args[0].value, w.expr(node.args[1].value)
    stride = w.expr(node.args[2].value) if len(node.args) > 2 else size
    new = w.expr(x, Layout.FLIPPED)
    if w.target == "keras":
        w.need("keras")
        word = "average_pool" if kind == "avg" else "max_pool"
        return build(f'keras.ops.{word}({{x}}, {{k}}, {{s}}, padding="same")', x=new, k=size, s=stride)
    w.need("tf")
    return build(f'tf.nn.{kind}_pool{axes}d({{x}}, {{k}}, {{s}}, padding="SAME")', x=new, k=size, s=stride)


def dot(w: Any, node: cst.Call, name: str) -> Any:
    args = [w.expr(a) for a in node.args]
    layer = w.layer("Dot")
    return cst.Call(cst.Call(layer, args[1:]), [args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)])


FUNCTIONS = {f"{kind}_pool{n}d_same": pool_same for kind in ("max", "avg") for n in (1, 2, 3)} | {"dot": dot}
__all__ = ["Layer", "name_of", "write"]
