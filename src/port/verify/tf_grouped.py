"""Grouped convolutions in eager mode.

Keras leaves them to XLA, because TensorFlow has no gradient for them on a CPU: here they are the same sums, group by
group, or one depthwise convolution where every channel is a group.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def install() -> None:
    backend: Any = keras.src.backend.nn
    conv = backend.conv

    def grouped(inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
                dilation_rate: Any = 1) -> Any:
        kernel = tf.convert_to_tensor(kernel)
        rest = (strides, padding, data_format, dilation_rate)
        if isinstance(inputs, keras.KerasTensor) or data_format == "channels_first" or (
                inputs.shape[-1] == kernel.shape[-2]):
            return conv(inputs, kernel, *rest)
        groups = inputs.shape[-1] // kernel.shape[-2]
        steps, gaps = _pair(strides), _pair(dilation_rate)
        if kernel.shape[-2] == 1 and len(kernel.shape) == 4 and steps[0] == steps[1]:
            shape = (*kernel.shape[:2], groups, kernel.shape[-1] // groups)
            return tf.nn.depthwise_conv2d(inputs, tf.reshape(kernel, shape), (1, *steps, 1), padding.upper(),
                                          dilations=gaps)
        pairs = zip(tf.split(inputs, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
        return tf.concat([conv(x, k, *rest) for x, k in pairs], axis=-1)

    backend.conv = grouped


def _pair(value: Any) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value)
