"""Normalisation modules. torch's epsilon and momentum are written out: Keras' defaults are others."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from port.build import build, expression
from port.torch2tf import limits
from port.torch2tf.layer_args import UNKNOWN, At, Passed, Plan, function_layer, layer_call, node, write_call
from port.torch2tf.layer_conv import place
from port.tree import code

UNBIASED = ("torch keeps the unbiased running variance, n / (n - 1) times Keras' for n = batch * positions")
Extra = list[tuple[str, Any]]


def batch_norm(at: At) -> Plan:
    place(at)
    limits.only(at, "track_running_stats", True, "without running statistics it normalises by the batch even in "
                "inference, which Keras' layer does not; call BatchNormalization with training=True")
    passed: Passed = {}
    extra: Extra = []
    if at.lit("momentum") is None:
        raise at.refuse("momentum=None keeps the mean of all batches, Keras an exponential average")
    if at.given("momentum"):
        passed["momentum"] = ("momentum", one_minus(at, "momentum"))
    else:
        extra.append(("momentum", "0.9"))
    _epsilon(at, passed, extra)
    _affine(at, passed, extra, "affine")
    if not at.flipped and at.rank != 2:
        extra.append(("axis", "1"))
    if at.short == "SyncBatchNorm":
        extra.append(("synchronized", "True"))
    at.w.report("P101", UNBIASED, at.node, at.layer.symbol)
    return Plan((write_call(at, at.w.layer("BatchNormalization"), passed, extra),))


def one_minus(at: At, name: str) -> Any:
    """1 - value, as a decimal number where the value is one."""
    value, written = at.lit(name), at.source(name)
    if value is not UNKNOWN and code(written).replace(".", "").isdigit():
        return expression(repr(float(1 - Fraction(code(written)))))
    return build("1 - {m}", m=at.expr(name))


def _epsilon(at: At, passed: Passed, extra: Extra) -> None:
    if at.given("eps"):
        passed["eps"] = "epsilon"
    else:
        extra.append(("epsilon", "1e-5"))


def _affine(at: At, passed: Passed, extra: Extra, name: str) -> None:
    """scale and offset; `bias` is there only if both say so."""
    affine, bias = at.lit(name), at.lit("bias") if _has_bias(at) else True
    if affine is False:
        extra += [("center", "False"), ("scale", "False")]
        return
    if affine is UNKNOWN:
        offset = at.expr(name) if bias is True else build("{a} and {b}", a=at.expr(name), b=at.expr("bias"))
        extra += [("center", offset), ("scale", at.expr(name))]
    elif bias is not True:
        extra.append(("center", at.expr("bias") if bias is UNKNOWN else "False"))


def _has_bias(at: At) -> bool:
    return at.given("bias")


# ---------------------------------------------------------------- layer, group, instance
def layer_norm(at: At) -> Plan:
    place(at)
    passed: Passed = {}
    extra: Extra = []
    count = _axes(at)
    if count is None:
        at.w.helper("layer_norm")
        names = {n: n for n in ("normalized_shape", "eps", "elementwise_affine", "bias")}
        return Plan((write_call(at, node("layer_norm"), dict(names), (), tuple(names)),))
    if count > 1:
        extra.append(("axis", "[" + ", ".join(str(i) for i in range(-count, 0)) + "]"))
    _epsilon(at, passed, extra)
    _affine(at, passed, extra, "elementwise_affine")
    return Plan((write_call(at, at.w.layer("LayerNormalization"), passed, extra),))


def _axes(at: At) -> int | None:
    """Over how many of the last axes: from a number, or from a sequence of known length."""
    value = at.lit("normalized_shape")
    if isinstance(value, tuple):
        return len(value)
    written = at.source("normalized_shape")
    if hasattr(written, "elements"):
        return len(written.elements)
    held = getattr(at.layer.facts.get("normalized_shape"), "payload", None)
    if type(held).__name__ == "Items":
        return None if held.open else len(held.elements)  # type: ignore[union-attr]
    return 1 if at.is_number("normalized_shape") else None


def rms_norm(at: At) -> Plan:
    place(at)
    if _axes(at) != 1:
        raise at.refuse("Keras' RMSNormalization works on one axis: normalized_shape must be one number")
    epsilon: Any = at.expr("eps") if at.lit("eps") is not None else None
    if epsilon is None:
        at.w.need("np")
        at.w.need("keras")
        epsilon = expression("np.finfo(keras.config.floatx()).eps")
    affine = at.lit("elementwise_affine")
    if affine is True:
        return Plan((layer_call(at.w, "RMSNormalization", epsilon=epsilon),))
    if affine is UNKNOWN:
        raise at.refuse("elementwise_affine must be known: Keras' RMSNormalization always has a scale")
    at.w.need("keras")
    text = "x * keras.ops.rsqrt(keras.ops.mean(keras.ops.square(x), -1, keepdims=True) + {e})"
    return Plan((function_layer(at.w, text, e=epsilon),))


def group_norm(at: At) -> Plan:
    place(at)
    passed: Passed = {"num_groups": "groups"}
    extra: Extra = [] if at.flipped or at.rank == 2 else [("axis", "1")]
    _epsilon(at, passed, extra)
    _affine(at, passed, extra, "affine")
    return Plan((write_call(at, at.w.layer("GroupNormalization"), passed, extra, ("groups",)),))


def instance_norm(at: At) -> Plan:
    place(at)
    limits.only(at, "track_running_stats", False,
                "Keras has no instance norm with running statistics; leave track_running_stats out")
    passed: Passed = {}
    extra: Extra = [("groups", "-1")]
    epsilon: Passed = {}
    _epsilon(at, epsilon, extra)
    if epsilon:
        extra.append(("epsilon", at.expr("eps")))
    _affine(at, passed, extra, "affine")
    return Plan((write_call(at, at.w.layer("GroupNormalization"), passed, extra),))


def response_norm(at: At) -> Plan:
    """Over the channels: the last axis where the tensor is flipped."""
    at.w.helper("local_response_norm")
    values = {n: at.expr(n) for n in ("size", "alpha", "beta", "k")}
    axis = "-1" if at.flipped else "1"
    return Plan((function_layer(at.w, "local_response_norm(x, {size}, {alpha}, {beta}, {k}, axis={axis})",
                                axis=axis, **values),))
