"""A Keras model or function inside `tf.function`, with sizes that are not known while it is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def trace(call: Callable[[list[Any]], list[Any]], xs: list[Any], free: list[list[int]]
          ) -> Callable[[list[Any]], list[Any]]:
    """The traced `call`; `free`: the axes of every input whose size is not told.

    Errors are those of TensorFlow or of the user's code.
    """
    specs = [tf.TensorSpec([None if a in axes else n for a, n in enumerate(x.shape)], x.dtype)
             for x, axes in zip(xs, free, strict=True)]
    tf.config.run_functions_eagerly(False)
    try:
        traced = tf.function(lambda *xs: call(list(xs))).get_concrete_function(*specs)
    finally:
        tf.config.run_functions_eagerly(True)
    return lambda xs: list(traced(*xs))
