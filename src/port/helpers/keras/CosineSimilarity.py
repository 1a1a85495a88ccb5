import keras
from keras import layers


class CosineSimilarity(layers.Layer):
    """nn.CosineSimilarity of two tensors along an axis."""

    def __init__(self, dim=1, eps=1e-8):
        super().__init__()
        self.dim, self.eps = dim, eps

    def call(self, x1, x2):
        return keras.ops.sum(self.unit(x1) * self.unit(x2), axis=self.dim)

    def unit(self, x):
        squares = keras.ops.sum(x * x, axis=self.dim, keepdims=True)
        return x / keras.ops.sqrt(keras.ops.maximum(squares, self.eps ** 2))
