import keras
import numpy as np
from keras import layers


def rms_normalization(normalized_shape, eps=None, elementwise_affine=True, *, device=None, dtype=None):
    """nn.RMSNorm over the last axis; where it lies is TensorFlow's affair."""
    if not isinstance(normalized_shape, int) and len(normalized_shape) > 1:
        raise NotImplementedError("Keras' RMSNormalization works on one axis")
    epsilon = np.finfo(dtype or keras.config.floatx()).eps if eps is None else eps
    if elementwise_affine:
        return layers.RMSNormalization(epsilon=epsilon, dtype=dtype)
    return layers.Lambda(
        lambda x: x * keras.ops.rsqrt(keras.ops.mean(keras.ops.square(x), -1, keepdims=True) + epsilon), dtype=dtype
    )
