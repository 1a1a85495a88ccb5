"""nn.init.*: which Keras initialiser draws the same distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import TIGHT, build, expression
from port.torch2tf.initial import initializers
from port.torch2tf.refused import Refused

SIGNATURES = {
    "zeros_": (), "ones_": (), "constant_": (("val", None),), "normal_": (("mean", "0.0"), ("std", "1.0")),
    "uniform_": (("a", "0.0"), ("b", "1.0")),
    "trunc_normal_": (("mean", "0.0"), ("std", "1.0"), ("a", "-2.0"), ("b", "2.0")),
    "xavier_uniform_": (("gain", "1.0"),), "xavier_normal_": (("gain", "1.0"),),
    "kaiming_uniform_": (("a", "0"), ("mode", "'fan_in'"), ("nonlinearity", "'leaky_relu'")),
    "kaiming_normal_": (("a", "0"), ("mode", "'fan_in'"), ("nonlinearity", "'leaky_relu'")),
    "orthogonal_": (("gain", "1"),), "eye_": (),
}
SIGNATURES |= {"kaiming_uniform": SIGNATURES["kaiming_uniform_"], "kaiming_normal": SIGNATURES["kaiming_normal_"],
               "xavier_uniform": SIGNATURES["xavier_uniform_"], "xavier_normal": SIGNATURES["xavier_normal_"],
               "normal": SIGNATURES["normal_"], "uniform": SIGNATURES["uniform_"], "constant": SIGNATURES["constant_"]}
# helpers of tf2torch, which are initialisers of Keras
KERAS = {"he_normal_": "HeNormal", "lecun_normal_": "LecunNormal", "glorot_normal_": "GlorotNormal",
         "truncated_normal_": "TruncatedNormal", "variance_scaling_": "VarianceScaling"}
SIGNATURES |= {"he_normal_": (), "lecun_normal_": (), "glorot_normal_": (), "keras_fans_": (("initializer", None),),
               "truncated_normal_": (("mean", "0.0"), ("std", "0.05")),
               "variance_scaling_": (("scale", "1.0"), ("mode", "'fan_in'"), ("distribution", "'truncated_normal'"))}
METHODS = {"zero_": "zeros_", "fill_": "constant_", "normal_": "normal_", "uniform_": "uniform_"}
SQUARED_GAIN = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "sigmoid": 1.0, "relu": 2.0,
                "tanh": 25 / 9, "selu": 9 / 16}
IGNORED = {"generator"}


@dataclass(frozen=True)
class Draw:
    """An initialiser as an expression; `fans`: it depends on the fans of the weight, whose `mode` is in the text."""

    node: cst.BaseExpression
    fans: bool = False


def arguments(name: str, args: list[cst.Arg]) -> dict[str, cst.BaseExpression]:
    """Parameter -> node, without the tensor."""
    names = [p for p, _ in SIGNATURES[name]]
    found: dict[str, cst.BaseExpression] = {}
    for i, arg in enumerate(args):
        if arg.star:
            raise Refused("P202", f"`{name}` with `*` arguments", arg)
        key = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else "?"
        if key not in names and key not in IGNORED:
            raise Refused("P202", f"`{name}`: argument `{key}` is not known", arg)
        found[key] = arg.value
    return found


def draw(w: Any, name: str, args: list[cst.Arg], swapped: bool = False) -> Draw:
    """`name` of nn.init, with its arguments but the tensor; swapped: fan_in is fan_out for Keras."""
    given = arguments(name, args)
    name = name if name.endswith("_") else f"{name}_"
    w.need(initializers(w).split(".")[0])
    if name in KERAS:
        if swapped and name not in ("truncated_normal_", "glorot_normal_"):
            raise Refused("P203", f"`{name}` of a weight whose fans are exchanged in Keras")
        made = _made(w, KERAS[name], *(("stddev" if k == "std" else k, v) for k, v in given.items()))
        return Draw(made, fans=name != "truncated_normal_")
    if name == "keras_fans_":
        return Draw(_in_keras_order(w, given["initializer"]))
    if name in ("zeros_", "ones_"):
        return Draw(_made(w, "Zeros" if name == "zeros_" else "Ones"))
    if name == "constant_":
        if "val" not in given:
            raise Refused("P202", "`constant_` without a value")
        return Draw(_made(w, "Constant", ("", given["val"])))
    if name == "normal_":
        return Draw(_made(w, "RandomNormal", ("mean", given.get("mean")), ("stddev", given.get("std", _one()))))
    if name == "uniform_":
        return Draw(_made(w, "RandomUniform", ("minval", given.get("a", expression("0.0"))),
                          ("maxval", given.get("b", _one()))))
    if name == "trunc_normal_":
        return Draw(_truncated(w, given))
    if name == "orthogonal_":
        return Draw(_made(w, "Orthogonal", ("gain", given.get("gain"))), fans=True)
    if name.startswith("xavier"):
        return Draw(_xavier(w, name, given), fans=True)
    if name.startswith("kaiming"):
        return Draw(_kaiming(w, name, given, swapped), fans=True)
    raise Refused("P203", f"`nn.init.{name}` has no initialiser in Keras")


def _in_keras_order(w: Any, node: cst.BaseExpression) -> cst.BaseExpression:
    """The initialiser of a weight that counts its fans as Keras does: a name, or the settings of a VarianceScaling."""
    if isinstance(node, cst.SimpleString):
        return node
    return build(f"{initializers(w)}.VarianceScaling(*{{x}})", x=w.expr(node))


def _one() -> cst.BaseExpression:
    return expression("1.0")


def _made(w: Any, keras: str, *settings: tuple[str, cst.BaseExpression | None]) -> cst.Call:
    args = [cst.Arg(w.expr(v), keyword=cst.Name(k) if k else None, equal=TIGHT if k else cst.MaybeSentinel.DEFAULT)
            for k, v in settings if v is not None]
    return cst.Call(expression(f"{initializers(w)}.{keras}"), args)




def _number(w: Any, node: cst.BaseExpression | None, default: float) -> float | None:
    if node is None:
        return default
    value = w.fact(node).literal()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truncated(w: Any, given: dict[str, cst.BaseExpression]) -> cst.Call:
    """torch cuts at a and b, Keras at two standard deviations. Ten of them away a cut is none."""
    mean, std = _number(w, given.get("mean"), 0.0), _number(w, given.get("std"), 1.0)
    a, b = _number(w, given.get("a"), -2.0), _number(w, given.get("b"), 2.0)
    settings = (("mean", given.get("mean")), ("stddev", given.get("std", _one())))
    if None not in (mean, std, a, b):
        assert mean is not None and std is not None and a is not None and b is not None
        low, high = (mean - a) / std, (b - mean) / std
        if min(low, high) > 10:
            return _made(w, "RandomNormal", *settings)
        if math.isclose(low, 2) and math.isclose(high, 2):
            return _made(w, "TruncatedNormal", *settings)
    w.helper("trunc_normal")
    args = [cst.Arg(w.expr(v), keyword=cst.Name(k), equal=TIGHT) for k, v in given.items() if k not in IGNORED]
    return cst.Call(cst.Name("trunc_normal"), args)


def _xavier(w: Any, name: str, given: dict[str, cst.BaseExpression]) -> cst.Call:
    gain = given.get("gain")
    value = _gain_squared(w, gain)
    uniform = name == "xavier_uniform_"
    if value == 1.0 and uniform:
        return _made(w, "GlorotUniform")
    scale = expression(_short(value)) if value is not None else build("{g} ** 2", g=w.expr(gain))
    kind = "uniform" if uniform else "untruncated_normal"
    return _scaling(w, scale, '"fan_avg"', kind)


def _scaling(w: Any, scale: Any, mode: str, kind: str) -> cst.Call:
    made = build(f'{initializers(w)}.VarianceScaling({{s}}, mode={mode}, distribution="{kind}")', s=scale)
    assert isinstance(made, cst.Call)
    return made


def _gain_squared(w: Any, node: cst.BaseExpression | None) -> float | None:
    """The square of a gain that is a number or nn.init.calculate_gain('relu')."""
    if isinstance(node, cst.Call) and w.fact(node.func).symbol == "torch.nn.init.calculate_gain":
        kind = w.fact(node.args[0].value).literal()
        if kind == "leaky_relu":
            slope = _number(w, node.args[1].value if len(node.args) > 1 else None, 0.01)
            return None if slope is None else 2 / (1 + slope ** 2)
        return SQUARED_GAIN.get(kind)
    value = _number(w, node, 1.0)
    return None if value is None else float(value) ** 2


def _kaiming(w: Any, name: str, given: dict[str, cst.BaseExpression], swapped: bool) -> cst.Call:
    """Variance gain^2 / fan, uniform or normal and never truncated."""
    mode = w.fact(given["mode"]).literal() if "mode" in given else "fan_in"
    kind = w.fact(given["nonlinearity"]).literal() if "nonlinearity" in given else "leaky_relu"
    if mode not in ("fan_in", "fan_out") or kind not in ("leaky_relu", *SQUARED_GAIN):
        raise Refused("P202", f"`{name}`: mode and nonlinearity must be known")
    if swapped:
        mode = {"fan_in": "fan_out", "fan_out": "fan_in"}[mode]
    scale: Any
    if kind == "leaky_relu":
        slope = _number(w, given.get("a"), 0)
        scale = expression(_short(2 / (1 + slope ** 2))) if slope is not None else build(
            "2 / (1 + {a} ** 2)", a=w.expr(given["a"]))
    else:
        scale = expression(_short(SQUARED_GAIN[kind]))
    return _scaling(w, scale, f'"{mode}"', "uniform" if name == "kaiming_uniform_" else "untruncated_normal")


def _short(value: float | None) -> str:
    """A number as a person writes it: 1 / 3 instead of its digits."""
    assert value is not None
    for below in range(1, 20):
        if math.isclose(value * below, round(value * below), rel_tol=1e-12):
            return repr(float(round(value * below))) if below == 1 else f"{round(value * below)} / {below}"
    return repr(value)
