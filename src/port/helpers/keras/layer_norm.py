from keras import layers


def layer_norm(normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, *, device=None, dtype=None):
    """nn.LayerNorm over the last axes, as many as normalized_shape has; where it lies is TensorFlow's affair."""
    axes = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    return layers.LayerNormalization(axis=list(range(-axes, 0)), epsilon=eps, scale=elementwise_affine,
                                     center=elementwise_affine and bias, dtype=dtype)
