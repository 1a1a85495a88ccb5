from keras import layers


def instance_norm(num_features, eps=1e-5, momentum=0.1, affine=False):
    """nn.InstanceNorm2d over the last axis, without running statistics."""
    return layers.GroupNormalization(groups=-1, epsilon=eps, center=affine, scale=affine)
