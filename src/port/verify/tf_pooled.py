"""Pools over three axes in float64, for which TensorFlow has no kernel: one plane after the other, then along the rest.

That holds for means as well, at the edges too: how many cells a box has is a product over its axes.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_nn_ops


def install() -> None:
    gen_nn_ops.max_pool3d = _pooled(gen_nn_ops.max_pool3d, tf.nn.max_pool2d)
    gen_nn_ops.avg_pool3d = _pooled(gen_nn_ops.avg_pool3d, tf.nn.avg_pool2d)


def _pooled(pool: Any, flat: Any) -> Any:
    def pooled(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: Any = None) -> Any:
        x = tf.convert_to_tensor(input)
        if x.dtype != tf.float64 or data_format != "NDHWC":
            return pool(input, ksize, strides, padding, data_format, name)
        depth, height, width, channels = _sizes(x)[1:]
        planes = flat(tf.reshape(x, [-1, height, width, channels]), ksize[2:4], strides[2:4], padding)
        height, width = _sizes(planes)[1:3]
        lines = flat(tf.reshape(planes, [-1, depth, height * width, channels]), [ksize[1], 1], [strides[1], 1], padding)
        return tf.reshape(lines, [-1, _sizes(lines)[1], height, width, channels])

    return pooled


def _sizes(x: Any) -> list[Any]:
    return [tf.shape(x)[axis] if size is None else size for axis, size in enumerate(x.shape)]
