from keras import layers


def group_norm(num_groups, num_channels, eps=1e-5, affine=True, *, device=None, dtype=None):
    """nn.GroupNorm over the last axis; where it lies is TensorFlow's affair."""
    return layers.GroupNormalization(num_groups, epsilon=eps, center=affine, scale=affine, dtype=dtype)
