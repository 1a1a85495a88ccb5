from keras import layers


def group_norm(num_groups, num_channels, eps=1e-5, affine=True):
    """nn.GroupNorm over the last axis."""
    return layers.GroupNormalization(num_groups, epsilon=eps, center=affine, scale=affine)
