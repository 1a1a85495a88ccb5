"""The Input that a Sequential implies: told by its first layer, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from port.binding import keyword
from port.build import expression
from port.names import Names
from port.tree import code

INPUT = "_port_Input"
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "CuDNNLSTM", "CuDNNGRU", "ConvLSTM1D", "ConvLSTM2D"}


def symbol_of(names: Names, node: cst.CSTNode) -> str:
    return names.resolve(node.func) if isinstance(node, cst.Call) else ""


def is_input(node: cst.BaseExpression, names: Names) -> bool:
    return symbol_of(names, node) in ("keras.Input", "keras.layers.InputLayer")


def implied(layers: Sequence[cst.BaseExpression], names: Names) -> cst.Call | None:
    """The Input call; None if the shape that arrives is not told."""
    first = layers[0]
    if not isinstance(first, cst.Call):
        return None
    if symbol_of(names, first) == "keras.Input":
        return first
    if symbol_of(names, first) == "keras.layers.InputLayer":
        kept = [a.with_changes(keyword=cst.Name("shape")) if a.keyword is not None and a.keyword.value == "input_shape"
                else a for a in first.args]
        return first.with_changes(func=cst.Name(INPUT), args=kept)
    for name in ("input_shape", "batch_input_shape"):
        shape = keyword(first, name)
        if shape is not None:
            return _call("shape" if name == "input_shape" else "batch_shape", shape)
    size, length = keyword(first, "input_dim"), keyword(first, "input_length")
    kind = symbol_of(names, first).rpartition(".")[2]
    if kind == "Embedding":
        text = code(length) if length is not None else "None"
        return expression(f"{INPUT}(shape=({text},), dtype='int32')")  # type: ignore[return-value]
    if size is not None:
        text = f"({code(length) if length is not None else 'None'}, {code(size)})" if kind in RECURRENT else (
            f"({code(size)},)")
        return expression(f"{INPUT}(shape={text})")  # type: ignore[return-value]
    return None


def _call(keyword: str, value: cst.BaseExpression) -> cst.Call:
    plain = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Call(cst.Name(INPUT), [cst.Arg(value, keyword=cst.Name(keyword), equal=plain)])
