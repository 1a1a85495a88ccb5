"""Keep Python floats exact in a float64 run of Keras, which turns many into float32 first (semantics.md, rule 12).

A float32 tensor that was made from a Python number, without a dtype being asked for, remembers that number; so does
what simple arithmetic makes of such tensors alone. A cast to float64 then takes the number instead of the rounded
value. `tf.nn.leaky_relu` holds its slope as a float32 attribute of the op: it is written as a choice instead.
Constants that were really changed are noted: where (layer, lines), what and how much.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import constant_op, op_callbacks
from tensorflow.python.ops import gen_math_ops, gen_nn_ops

from . import keras_watch as watch
from . import user

MARK, GIVEN = "_port_exact", "_port_given"  # the number; whether float32 was asked for in so many words
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Sqrt": np.sqrt, "Rsqrt": lambda x: 1 / np.sqrt(x), "Square": np.square, "Neg": np.negative, "Abs": np.abs,
    "Reciprocal": np.reciprocal, "Inv": np.reciprocal, "Log": np.log, "Exp": np.exp, "AddV2": np.add, "Add": np.add,
    "Sub": np.subtract, "Mul": np.multiply, "RealDiv": np.divide, "Pow": np.power, "Maximum": np.maximum,
    "Minimum": np.minimum, "Reshape": lambda x, shape: np.reshape(x, shape), "ExpandDims": np.expand_dims,
    "Identity": np.array, "BroadcastTo": np.broadcast_to}
PLUMBING = ("/tensorflow/python/framework/", "/tensorflow/python/util/", "/tensorflow/python/eager/",
            "/keras/src/backend/tensorflow/core.py", "keras/src/utils/", "/src/ops/operation.py",
            "/tf_keras/src/backend.py")
CONVERSIONS = {"cast", "convert_to_tensor", "constant", "leaky_relu", "symbolic_call", "__call__"}

_layers: list[Any] = []
_moved = {"ulps": 0.0}  # by how many float32 ulps every such constant is off on purpose
_met: dict[tuple[str, str, str], list[str]] = {}  # (class, what, number) -> names and lines of the layers


def install() -> None:
    """For good: only the child that looks for such constants does this, before the user's file is loaded."""
    make, cast, leaky = constant_op.convert_to_eager_tensor, gen_math_ops.cast, gen_nn_ops.leaky_relu

    def made(value: Any, ctx: Any, dtype: Any = None) -> Any:
        result = make(value, ctx, dtype)
        if result is not value and result.dtype == tf.float32 and not isinstance(value, np.ndarray | np.generic):
            _mark(result, value, dtype is not None)
        return result

    def exact_cast(x: Any, DstT: Any, Truncate: bool = False, name: Any = None) -> Any:
        number = getattr(x, MARK, None)
        if number is not None and not hasattr(x, GIVEN) and tf.as_dtype(DstT) == tf.float64:
            _note(number)
            return tf.constant(_off(number), tf.float64)
        result = cast(x, DstT, Truncate, name)
        if tf.as_dtype(DstT) == tf.float32 and tf.executing_eagerly() and x.dtype.is_integer and x.shape == ():
            _mark(result, x.numpy(), False)
        return result

    def exact_leaky(features: Any, alpha: float = 0.2, name: Any = None) -> Any:
        if not tf.executing_eagerly() or features.dtype != tf.float64 or float(np.float32(alpha)) == alpha:
            return leaky(features, alpha, name)
        _note(np.array(alpha), "leaky_relu")
        return tf.where(features > 0, features, features * tf.constant(_off(np.array(alpha)), tf.float64))

    constant_op.convert_to_eager_tensor, gen_math_ops.cast, gen_nn_ops.leaky_relu = made, exact_cast, exact_leaky
    op_callbacks.add_op_callback(_follow)


def _mark(result: Any, value: Any, given: bool) -> None:
    try:
        number = np.array(value, "float64")
    except (TypeError, ValueError):  # tensors among the values
        return
    if number.shape == result.shape:
        setattr(result, MARK, number)
        if given:
            setattr(result, GIVEN, True)


def _follow(kind: str | bytes, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None,
            graph: Any = None) -> None:
    """Arithmetic on such numbers alone, some of them made without a dtype."""
    kind = kind.decode() if isinstance(kind, bytes) else kind  # bytes from the fast path
    if graph is not None or kind not in ARITHMETIC or not any(
            hasattr(x, MARK) and not hasattr(x, GIVEN) for x in inputs):
        return
    if not all(hasattr(x, MARK) or x.dtype.is_integer for x in inputs):
        return
    with np.errstate(all="ignore"):
        number = ARITHMETIC[kind](*(getattr(x, MARK) if hasattr(x, MARK) else x.numpy() for x in inputs))
    _mark(outputs[0], number, False)


def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
    """For `keras_watch.Tap`: know the layer that a constant belongs to."""
    _layers.append(layer)
    try:
        return original(*args, **kwargs)
    finally:
        _layers.pop()


def _note(number: np.ndarray, what: str = "") -> None:
    changed = number[np.float32(number) != number]
    if not changed.size:
        return
    layer = _layers[-1] if _layers else None
    what = _attribute(layer, number) or what or _function()
    lines = user.lines(watch.path())
    if layer is not None and not lines:
        entry = watch.entry_of(layer)
        lines = entry["called"] or entry["created"]
    text = ", ".join(f"{v:.9g}" for v in changed.ravel()[:3]) + (" ..." if changed.size > 3 else "")
    place = (layer.name if layer is not None else "") + (f" {user.told(lines[0])}" if lines else "")
    places = _met.setdefault((type(layer).__name__ if layer is not None else "", what, text), [])
    if place.strip() not in places:
        places.append(place.strip())


def _attribute(layer: Any, number: np.ndarray) -> str:
    """The attribute of the layer that holds this number."""
    for name, value in vars(layer).items() if layer is not None else ():
        if isinstance(value, float | list | tuple) and not isinstance(value, bool):
            try:
                if np.array_equal(np.asarray(value, "float64"), number):
                    return name
            except (TypeError, ValueError):
                continue
    return ""


def _function() -> str:
    """The function that used the constant."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        if file != __file__ and name not in CONVERSIONS and not any(p in file for p in PLUMBING):
            return "" if name in ("call", "<lambda>", "<module>", "build") else name
        frame = frame.f_back
    return ""


def _off(number: np.ndarray) -> np.ndarray:
    """The number, or what it becomes `ulps` further in the direction in which float32 rounds it."""
    short = np.float32(number)
    return number + _moved["ulps"] * np.sign(short - number) * np.spacing(np.abs(short)).astype("float64")


def move(ulps: float) -> None:
    """From now on constants that float32 would round are off by that many of its ulps."""
    _moved["ulps"] = ulps


def forget() -> None:
    _met.clear()


def met() -> list[str]:
    """'Rescaling scale 0.00784313725 (rescaling line 302)', in the order of use."""
    out = []
    for (kind, what, number), places in _met.items():
        told = [p for p in places if p]
        more = f" and {len(told) - 2} more" if len(told) > 3 else ""
        where = f" ({', '.join(told[:2 if more else 3])}{more})" if told else ""
        out.append(" ".join(filter(None, (kind, what, number))) + where)
    return out
