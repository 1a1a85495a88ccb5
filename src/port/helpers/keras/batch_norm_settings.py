from keras import layers


def batch_norm(num_features, eps=1e-5, momentum=0.1, affine=True, *, device=None, dtype=None):
    """nn.BatchNorm2d over the last axis; where it lies is TensorFlow's affair."""
    return layers.BatchNormalization(momentum=1 - momentum, epsilon=eps, center=affine, scale=affine, dtype=dtype)
