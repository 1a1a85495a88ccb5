"""What the Keras child does through TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from . import keras_version, tf_graph, tf_grouped, tf_modules, tf_pooled
from .draws import Log

RAW = ("normal", "uniform", "truncated_normal", "stateless_normal", "stateless_uniform", "shuffle", "categorical",
       "stateless_truncated_normal", "gamma")
APIS = (tf, tf.compat.v2)  # Keras 2 uses the second
_resized = _disturb = False
_wide: list[bool] = []
trace = tf_graph.trace
MODULES, variables = (tf.Module,), tf_modules.variables


def setup(log: Log) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.run_functions_eagerly(True)
    tf_pooled.install()
    if not keras_version.is_two():
        tf_grouped.install()
    for api in APIS:
        _watch_resize(api.image)
        log.watch(api.random, RAW)
        log.share(api.random, lambda values, dtype: tf.constant(values, dtype or tf.float32))

    def quiet(x: Any, rate: Any, *_: Any, **__: Any) -> Any:
        log.rate(rate)
        return tf.convert_to_tensor(x)

    for api in APIS:
        api.nn.dropout = api.nn.experimental.stateless_dropout = api.nn.experimental.general_dropout = quiet


def _watch_resize(image: Any) -> None:
    """tf.image.resize computes in float32: note that it was used, and on request add such rounding once more.

    The places between pixels are off by as much as the size of the image rounds, and the results by as much again.
    """
    resize = image.resize

    def watched(*args: Any, **kwargs: Any) -> Any:
        global _resized
        _resized = True
        result = resize(*args, **kwargs)
        if _disturb and result.dtype.is_floating:
            noise = tf.random.stateless_normal(tf.shape(result), (3, 5), dtype=tf.float64)
            noise *= 6e-8 * max(args[0].shape[-3:-1] if args else kwargs["images"].shape[-3:-1])
            result = tf.cast(tf.cast(result, tf.float64) * (1 + noise), result.dtype)
        return result

    image.resize = watched


def resized(forget: bool = False) -> bool:
    global _resized
    found, _resized = _resized, _resized and not forget
    return found


def disturb(on: bool) -> None:
    global _disturb
    _disturb = on


def widen() -> bool:
    """Float32 defaults of TensorFlow become `floatx`; False if they are already."""
    if _wide:
        return False
    from . import tf_wide  # its patches reach into TensorFlow; few sources need them

    tf_wide.install()
    _wide.append(True)
    return True


def tensor(array: np.ndarray, dtype: str | None) -> Any:
    return tf.constant(array, dtype=dtype)


def gradients(run: Callable[[list[Any]], list[Any]], floats: list[Any], variables: list[Any], others: list[Any],
              total: Callable[[list[Any]], Any]) -> tuple[list[Any], list[Any]]:
    """(results, gradients of total(results) by floats and variables); `others`: variables that the run may change."""
    with tf.GradientTape() as tape:
        tape.watch(floats)
        ys = run(floats)
        loss = total(ys)
    if loss is None:
        return ys, [np.zeros(x.shape) for x in [*floats, *variables]]
    found = tape.gradient(loss, [*floats, *(v.value for v in variables)], unconnected_gradients="zero")
    return ys, [tf.convert_to_tensor(g) for g in found]
