"""TensorFlow's float32 defaults as Keras' float: for sources that cannot run in float64 because they say no dtype."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import constant_op, ops

from .keras_any import keras

# Functions that make float32 tensors unless told otherwise, and the place of `dtype` among their arguments.
MAKERS = {tf: {"zeros": 1, "ones": 1, "eye": 3, "one_hot": 5},
          tf.random: {"normal": 3, "uniform": 3, "truncated_normal": 3, "stateless_normal": 4, "stateless_uniform": 4}}


def install() -> None:
    """For good: numbers of Python become `floatx`, and what makes tensors without a dtype makes them so."""
    for module, places in MAKERS.items():
        for name, place in places.items():
            setattr(module, name, _wide(getattr(module, name), place))
    convert, node = constant_op.convert_to_eager_tensor, ops._create_graph_constant

    def floats(value: Any, dtype: Any) -> Any:
        return tf.as_dtype(keras.config.floatx()) if dtype is None and _is_float(value) else dtype

    def wide(value: Any, context: Any, dtype: Any = None) -> Any:
        return convert(value, context, floats(value, dtype))

    def wide_node(value: Any, dtype: Any = None, *rest: Any, **named: Any) -> Any:
        return node(value, floats(value, dtype), *rest, **named)

    constant_op.convert_to_eager_tensor = wide
    ops._create_graph_constant = wide_node  # inside tf.function


def _wide(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place or "dtype" in kwargs:
            return function(*args, **kwargs)
        floatx = keras.config.floatx()
        wide = [tf.cast(a, floatx) if tf.is_tensor(a) and a.dtype == tf.float32 else a for a in args]
        return function(*wide, dtype=floatx, **kwargs)

    return made


def _is_float(value: Any) -> bool:
    """A float of Python, or a list of numbers with one; arrays of NumPy have a dtype of their own."""
    while isinstance(value, list | tuple) and value:
        if any(isinstance(v, float) and not isinstance(v, np.floating) for v in value):
            return True
        value = value[0]
    return isinstance(value, float) and not isinstance(value, np.floating)
