"""Helpers that `port tf2torch` writes into its output: read back as the Keras layer or function that they stand for.

A definition that has the text of a helper, but for line breaks, counts as one. It is then left out of the output.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import libcst as cst

from port import imports
from port.build import build, expression, parse_line
from port.facts import Layout
from port.torch2tf import ownlayers
from port.torch2tf.refused import Refused
from port.tree import code

PLAIN_PYTHON = {"obtain_input_shape"}  # without tensors: it stays as it is


def name_of(node: cst.CSTNode) -> str:
    """'Conv2dSame' for the definition of that helper; '' for what the user wrote."""
    if not isinstance(node, cst.FunctionDef | cst.ClassDef) or not imports.has_helper(node.name.value):
        return ""
    if node.name.value in PLAIN_PYTHON:
        return ""
    own = code(node.with_changes(leading_lines=[])).strip()
    return node.name.value if own == _text_of(node.name.value) else ""


@cache
def _text_of(helper: str) -> str:
    return code(parse_line(imports.helper_source(helper)[2].strip() + "\n")).strip()


def write(w: Any, node: cst.Call, symbol: str) -> Any:
    """A call of a helper: a layer that is made, or a function of tensors."""
    name = symbol.removeprefix("helpers.")
    if name in FUNCTIONS:
        return FUNCTIONS[name](w, node, name)
    if name[0].isupper():
        return ownlayers.write(w, node, symbol)
    raise Refused("P201", f"the helper `{name}` has no translation back", node)


# ---------------------------------------------------------------- 'same' padding
def pool_same(w: Any, node: cst.Call, name: str) -> Any:
    size = w.expr(node.args[1].value)
    stride = w.expr(node.args[2].value) if len(node.args) > 2 else size
    return _pool(w, name[:3], name[8], node.args[0].value, size, stride)


def _pool(w: Any, kind: str, axes: str, x: cst.BaseExpression, size: Any, stride: Any) -> Any:
    new = w.expr(x, Layout.FLIPPED)
    if w.target == "keras":
        w.need("keras")
        word = "average_pool" if kind == "avg" else "max_pool"
        return build(f'keras.ops.{word}({{x}}, {{k}}, {{s}}, padding="same")', x=new, k=size, s=stride)
    w.need("tf")
    return build(f'tf.nn.{kind}_pool{axes}d({{x}}, {{k}}, {{s}}, padding="SAME")', x=new, k=size, s=stride)


def same_padded(w: Any, node: cst.Call, symbol: str) -> Any:
    """`F.max_pool2d(F.pad(x, same_padding(x, k, s), value=-math.inf), k, stride=s)`; None if it is not that."""
    last = symbol.rpartition(".")[2]
    if symbol == "torch.nn.functional.pad" and len(node.args) == 2:
        return corrected(w, node)
    pad = node.args[0].value if node.args else None
    if last not in ("max_pool1d", "max_pool2d", "max_pool3d") or not isinstance(pad, cst.Call) or len(
            pad.args) < 2 or w.fact(pad.func).symbol != "torch.nn.functional.pad":
        return None
    amounts = pad.args[1].value
    if not isinstance(amounts, cst.Call) or w.fact(amounts.func).symbol != "helpers.same_padding" or len(
            amounts.args) != 3 or code(amounts.args[0].value) != code(pad.args[0].value):
        return None
    given = {a.keyword.value if a.keyword is not None else ("kernel_size", "stride")[i]: a.value
             for i, a in enumerate(node.args[1:])}
    if given.keys() != {"kernel_size", "stride"}:
        return None
    return _pool(w, "max", last[-2], pad.args[0].value, w.expr(given["kernel_size"]), w.expr(given["stride"]))


def corrected(w: Any, node: cst.Call) -> Any:
    """`F.pad(x, correct_pad(x, 3))`"""
    x, amounts = node.args[0].value, node.args[1].value
    if not isinstance(amounts, cst.Call) or w.fact(amounts.func).symbol != "helpers.correct_pad" or code(
            amounts.args[0].value) != code(x):
        return None
    new = w.expr(x, Layout.FLIPPED)
    w.helper("correct_pad")
    pad = "keras.ops.pad" if w.target == "keras" else "tf.pad"
    w.need(pad.partition(".")[0])
    args = [amounts.args[0].with_changes(value=new), *(w.expr(a) for a in amounts.args[1:])]
    return build(f"{pad}({{x}}, {{a}})", x=new, a=cst.Call(cst.Name("correct_pad"), args))


# ---------------------------------------------------------------- functions
def dot(w: Any, node: cst.Call, name: str) -> Any:
    return cst.Call(w.layer("dot"), [w.expr(a) for a in node.args])


def _layer_of_first(layer: str, want: Layout, *settings: str) -> Any:
    """`helper(x, a, b)` is `layers.Layer(a, b, setting)(x)`."""
    def written(w: Any, node: cst.Call, name: str) -> Any:
        x, *args = (a.with_changes(value=w.expr(a.value, want if i == 0 else None)) for i, a in enumerate(node.args))
        made = cst.Call(w.layer(layer), [*args, *(_setting(s) for s in settings)])
        return cst.Call(made, [x.with_changes(comma=cst.MaybeSentinel.DEFAULT)])

    return written


def _setting(text: str) -> cst.Arg:
    key, _, value = text.partition("=")
    return cst.Arg(expression(value), keyword=cst.Name(key), equal=cst.AssignEqual(
        cst.SimpleWhitespace(""), cst.SimpleWhitespace("")))


def bicubic(w: Any, node: cst.Call, name: str) -> Any:
    """To a size, or by a factor."""
    if any(a.keyword is not None and a.keyword.value == "scale_factor" for a in node.args):
        renamed = [a.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT) if a.keyword is not None else a
                   for a in node.args]
        return _layer_of_first("UpSampling2D", Layout.FLIPPED, 'interpolation="bicubic"')(
            w, node.with_changes(args=renamed), name)
    return _layer_of_first("Resizing", Layout.FLIPPED, 'interpolation="bicubic"')(w, node, name)


def _activation(name: str) -> Any:
    def written(w: Any, node: cst.Call, _: str) -> Any:
        w.need("keras")
        args = [w.expr(a) for a in node.args]
        args = [a.with_changes(keyword=cst.Name("axis")) if a.keyword is not None and a.keyword.value == "dim" else a
                for a in args]
        return cst.Call(expression(name), args)

    return written


def _relu(w: Any, node: cst.Call, _: str) -> Any:
    w.need("keras")
    names = ("x", "max_value", "negative_slope", "threshold")
    args = [a.with_changes(value=w.expr(a.value), keyword=a.keyword or (cst.Name(names[i]) if i else None))
            for i, a in enumerate(node.args)]
    return cst.Call(expression("keras.activations.relu"), args)


def pack_masked(w: Any, node: cst.Call, name: str) -> Any:
    w.helper("pack_masked")
    return cst.Call(cst.Name("pack_masked"), [w.expr(a) for a in node.args])


FUNCTIONS: dict[str, Any] = {f"{kind}_pool{n}d_same": pool_same for kind in ("max", "avg") for n in (1, 2, 3)} | {
    "dot": dot, "center_crop": _layer_of_first("CenterCrop", Layout.FLIPPED), "resize_bicubic": bicubic,
    "category_encoding": _layer_of_first("CategoryEncoding", Layout.PLAIN), "relu": _relu,
    "sparsemax": _activation("keras.activations.sparsemax"), "pack_masked": pack_masked,
    "slice_update": _activation("keras.ops.slice_update"),
}
__all__ = ["name_of", "same_padded", "write"]
