"""Three-dimensional max pools in float64, for which TensorFlow has no kernel: the largest of a box, one plane after the
other."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_nn_ops


def install() -> None:
    pool = gen_nn_ops.max_pool3d

    def pooled(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: Any = None) -> Any:
        x = tf.convert_to_tensor(input)
        if x.dtype != tf.float64 or data_format != "NDHWC":
            return pool(input, ksize, strides, padding, data_format, name)
        depth, height, width, channels = _sizes(x)[1:]
        planes = tf.nn.max_pool2d(tf.reshape(x, [-1, height, width, channels]), ksize[2:4], strides[2:4], padding)
        height, width = _sizes(planes)[1:3]
        lines = tf.reshape(planes, [-1, depth, height * width, channels])
        lines = tf.nn.max_pool2d(lines, [ksize[1], 1], [strides[1], 1], padding)
        return tf.reshape(lines, [-1, _sizes(lines)[1], height, width, channels])

    gen_nn_ops.max_pool3d = pooled


def _sizes(x: Any) -> list[Any]:
    return [tf.shape(x)[axis] if size is None else size for axis, size in enumerate(x.shape)]
