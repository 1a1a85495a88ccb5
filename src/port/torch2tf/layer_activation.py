"""Activations, dropout, nn.Identity, nn.Embedding."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.torch2tf.initial import initializers, keeps_initial
from port.torch2tf.layer_args import (
    UNKNOWN,
    At,
    Passed,
    Plan,
    function_layer,
    helper_layer,
    layer_call,
    write_call,
)
from port.torch2tf.layer_conv import place

NAMES = {"SiLU": "silu", "Mish": "mish", "Hardswish": "hard_swish", "Hardsigmoid": "hard_sigmoid", "Tanhshrink":
         "tanh_shrink", "Softsign": "softsign", "Sigmoid": "sigmoid", "LogSigmoid": "log_sigmoid", "Tanh": "tanh",
         "SELU": "selu", "ReLU6": "relu6"}


def named(at: At) -> Plan:
    return Plan((layer_call(at.w, "Activation", f'"{NAMES[at.short]}"'),))


def activation(at: At, tf: str, keras: str = "", **nodes: Any) -> Plan:
    """`layers.Activation(lambda x: ...)`; `keras` is the form without tf."""
    text = tf if at.w.target == "tf" and tf else keras
    at.w.need("tf" if text.startswith("tf.") else "keras")
    body = build(text, **nodes)
    return Plan((cst.Call(func=at.w.layer("Activation"), args=[cst.Arg(value=build("lambda x: {body}", body=body))]),))


def relu(at: At) -> Plan:
    return Plan((write_call(at, at.w.layer("ReLU"), {}),))


def leaky_relu(at: At) -> Plan:
    extra = [] if at.given("negative_slope") else [("negative_slope", "0.01")]
    return Plan((write_call(at, at.w.layer("LeakyReLU"), {"negative_slope": "negative_slope"}, extra,
                            ("negative_slope",)),))


def elu(at: At) -> Plan:
    return Plan((write_call(at, at.w.layer("ELU"), {"alpha": "alpha"}, (), ("alpha",)),))


def gelu(at: At) -> Plan:
    kind = at.lit("approximate")
    if kind == "none":
        return Plan((layer_call(at.w, "Activation", '"gelu"'),))
    if kind == "tanh":
        return activation(at, "tf.nn.gelu(x, approximate=True)", "keras.activations.gelu(x, approximate=True)")
    raise at.refuse("`approximate` must be 'none' or 'tanh'")


def softplus(at: At) -> Plan:
    """torch's straight line above the threshold differs by less than 1 / beta * e^-threshold."""
    if at.is_lit("threshold", 20, 20.0) and at.is_lit("beta", 1, 1.0):
        return Plan((layer_call(at.w, "Activation", '"softplus"'),))
    at.w.helper("softplus")
    values = {n: at.expr(n) for n in ("beta", "threshold")}
    return Plan((function_layer(at.w, "softplus(x, beta={beta}, threshold={threshold})", **values),))


def celu(at: At) -> Plan:
    """Keras' celu has gradient 2 at 0."""
    at.w.need("keras")
    return activation(at, "", "keras.ops.where(x > 0, x, {a} * keras.ops.expm1(keras.ops.minimum(x, 0) / {a}))",
                      a=at.expr("alpha"))


def hardtanh(at: At) -> Plan:
    """A clip passes gradients at its bounds; torch does not."""
    low = at.expr("min_value") if at.lit("min_value") is not None else at.expr("min_val")
    high = at.expr("max_value") if at.lit("max_value") is not None else at.expr("max_val")
    at.w.helper("hardtanh")
    return Plan((function_layer(at.w, "hardtanh(x, {a}, {b})", a=low, b=high),))


def shrink(at: At) -> Plan:
    name = "hard_shrink" if at.short == "Hardshrink" else "soft_shrink"
    if at.is_lit("lambd", 0.5):
        return Plan((layer_call(at.w, "Activation", f'"{name}"'),))
    return activation(at, "", f"keras.activations.{name}(x, threshold={{t}})", t=at.expr("lambd"))


def threshold(at: At) -> Plan:
    return activation(at, "", "keras.activations.threshold(x, {t}, {v})", t=at.expr("threshold"), v=at.expr("value"))


def _dim(at: At) -> cst.BaseExpression:
    """The axis; without one torch takes 0 for rank 0, 1 and 3, else 1."""
    if at.lit("dim") is not None:
        return at.axis("dim")
    if at.rank is None:
        raise at.refuse("without `dim` torch chooses the axis by the rank, which is not known here", "P208")
    axis = 0 if at.rank in (0, 1, 3) else 1
    return expression("-1" if at.flipped and axis == 1 else str(axis))


def softmax(at: At) -> Plan:
    if at.layer.bound.get("dim") is not None and not at.flipped:
        value = at.lit("dim")
        if value == -1 and not at.node.args[0].keyword and at.short != "LogSoftmax":
            return Plan((layer_call(at.w, "Softmax"),))
        if at.short == "Softmax":
            return Plan((write_call(at, at.w.layer("Softmax"), {"dim": "axis"}),))
    axis = _dim(at)
    if at.short == "Softmax":
        return Plan((layer_call(at.w, "Softmax", axis=axis),))
    if at.short == "LogSoftmax":
        return activation(at, "tf.nn.log_softmax(x, axis={a})", "keras.ops.log_softmax(x, axis={a})", a=axis)
    return activation(at, "tf.nn.softmax(-x, axis={a})", "keras.ops.softmax(-x, axis={a})", a=axis)


def softmax2d(at: At) -> Plan:
    return Plan((layer_call(at.w, "Softmax", axis=-1 if at.flipped else -3),))


def glu(at: At) -> Plan:
    axis = at.axis("dim") if at.given("dim") or at.flipped else expression("-1")
    at.w.need("keras")
    # Not layers.Activation: to Keras, an activation keeps the shape.
    return Plan((function_layer(at.w, "keras.activations.glu(x, axis={a})", a=axis),))


def prelu(at: At) -> Plan:
    """One slope, or one per channel (axis 1 in the source)."""
    value = at.expr("init")
    initial = cst.parse_expression("0.25") if not at.given("init") else value
    at.w.need("initializers")
    extra: dict[str, Any] = {"alpha_initializer": build(f"{initializers(at.w)}.Constant({{v}})", v=initial)}
    rank = at.rank
    if at.is_lit("num_parameters", 1) or rank is None or rank > 5:
        at.w.helper("PReLU")
        names = ("num_parameters", "init")
        axis = [] if at.is_lit("num_parameters", 1) or at.flipped or rank == 2 else [("axis", "1")]
        return Plan((write_call(at, cst.Name("PReLU"), {n: n for n in names}, axis, names),))
    axes = [i for i in range(1, rank) if i != (rank - 1 if at.flipped else 1)]
    if axes:
        extra["shared_axes"] = str(axes)
    return Plan((layer_call(at.w, "PReLU", **extra),))


def rrelu(at: At) -> Plan:
    return Plan((helper_layer(at, "RReLU", ("lower", "upper")),))


def identity(at: At) -> Plan:
    return Plan((layer_call(at.w, "Identity"),))


# ---------------------------------------------------------------- dropout
def dropout(at: At) -> Plan:
    name, extra = "Dropout", [] if at.given("p") else [("rate", "0.5")]
    if at.short == "AlphaDropout":
        name = "AlphaDropout"
    return Plan((write_call(at, at.w.layer(name), {"p": "rate"}, extra, ("rate",)),))


def channel_dropout(at: At) -> Plan:
    """Whole channels. Dropout2d on a tensor of rank 3 drops along axis 1 as well."""
    axes = int(at.short[-2]) if at.short[-1] == "d" else 0
    rate = at.expr("p")
    if at.short == "FeatureAlphaDropout":
        raise at.refuse("Keras' AlphaDropout drops single features")
    rank = at.rank
    if rank is None:
        raise at.refuse("which axes share one draw depends on the rank, which is not known here", "P208")
    if at.flipped and rank == axes + 2:
        passed: Passed = {"p": "rate"}
        return Plan((write_call(at, at.w.layer(f"SpatialDropout{axes}D"), passed, [] if at.given("p") else [
            ("rate", "0.5")], ("rate",)),))
    if (axes == 1 and rank == 2) or (axes == 3 and rank == 4):
        raise at.refuse("on a tensor without a batch axis the channels are the first axis; add a batch axis", "P208")
    shape = ["None"] + ["1"] * (rank - 1)
    shape[-1 if at.flipped else 1] = "None"
    return Plan((layer_call(at.w, "Dropout", rate, noise_shape=f"({', '.join(shape)})"),))


# ---------------------------------------------------------------- embedding
def embedding(at: At) -> Plan:
    place(at)
    names = ("num_embeddings", "embedding_dim")
    if at.lit("max_norm") is not None:
        raise at.refuse("max_norm rescales the table at each lookup; normalise the looked up vectors instead")
    if not at.is_lit("scale_grad_by_freq", False):
        raise at.refuse("scale_grad_by_freq has no counterpart")
    if at.lit("_weight") is not None or not at.is_lit("_freeze", False):
        raise at.refuse("_weight is private; write Embedding.from_pretrained")
    passed: Passed = {"num_embeddings": "input_dim", "embedding_dim": "output_dim"}
    if at.lit("padding_idx") is not None:
        at.w.helper("Embedding")
        return Plan((write_call(at, cst.Name("Embedding"), {n: n for n in (*names, "padding_idx")}, (),
                                (*names, "padding_idx")),))
    extra: list[tuple[str, Any]] = []
    if keeps_initial(at.w, at):
        at.w.need("initializers")
        extra.append(("embeddings_initializer", f"{initializers(at.w)}.RandomNormal(stddev=1.0)"))
    return Plan((write_call(at, at.w.layer("Embedding"), passed, extra, ("input_dim", "output_dim")),))


def embedding_bag(at: At) -> Plan:
    place(at)
    for name in ("max_norm", "_weight", "padding_idx"):
        if at.lit(name) is not None:
            raise at.refuse(f"`{name}` has no counterpart")
    if not at.is_lit("scale_grad_by_freq", False) or not at.is_lit("include_last_offset", False):
        raise at.refuse("scale_grad_by_freq and include_last_offset have no counterpart")
    if at.lit("mode") is UNKNOWN:
        raise at.refuse("`mode` must be known")
    return Plan((helper_layer(at, "EmbeddingBag", ("num_embeddings", "embedding_dim", "mode")),))
