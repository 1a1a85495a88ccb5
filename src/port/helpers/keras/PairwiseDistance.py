import keras
from keras import layers


class PairwiseDistance(layers.Layer):
    """nn.PairwiseDistance: the p-norm of x1 - x2 + eps along the last axis."""

    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__()
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def call(self, x1, x2):
        size = keras.ops.abs(x1 - x2 + self.eps)
        if self.p == float("inf"):
            return keras.ops.max(size, axis=-1, keepdims=self.keepdim)
        return keras.ops.sum(size ** self.p, axis=-1, keepdims=self.keepdim) ** (1 / self.p)
