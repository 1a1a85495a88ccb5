from keras import layers


def batch_norm(num_features):
    """nn.BatchNorm2d with its defaults, over the last axis."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
