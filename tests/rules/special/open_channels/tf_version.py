"""Blocks that nobody tells how many channels arrive: strided 'same' convolutions, a padding chosen by a setting."""
import keras
from keras import initializers, layers

CASES = {"Net((4, 6))": ["f32[2,11,8,3]"], "Both(4)": ["f32[2,9,4]", "f32[2,9,3]"]}


def init_weights(layer):
    """He for convolutions, anything else as it is."""
    if isinstance(layer, layers.Conv2D):
        layer.kernel_initializer = initializers.HeNormal()
        if layer.use_bias:
            layer.bias_initializer = initializers.Constant(0.1)


class ConvBn(layers.Layer):
    def __init__(self, filters, kernel_size, strides=1):
        super().__init__()
        self.conv = layers.Conv2D(filters, kernel_size, strides=strides, padding="same")
        self.bn = layers.BatchNormalization()

    def call(self, x):
        return self.bn(self.conv(x))


class Block(layers.Layer):
    def __init__(self, filters, strides=1):
        super().__init__()
        self.a = ConvBn(filters, 3, strides)
        self.b = ConvBn(filters, (2, 1))

    def call(self, x):
        return self.b(self.a(x))


class Net(keras.Model):
    def __init__(self, filters):
        super().__init__()
        self.blocks = [Block(f, 2) for f in filters]
        for layer in self._flatten_layers():
            init_weights(layer)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Merge(layers.Layer):
    """A parameter of the constructor has the name that a size of the input would be given."""

    def __init__(self, x_features, padding):
        super().__init__()
        self.wide = layers.Conv1D(x_features, 3, strides=2, padding=padding)
        self.bn = layers.BatchNormalization(axis=1)
        self.out = layers.Dense(x_features)

    def call(self, x, other):
        y = layers.concatenate([x, other])
        y = self.wide(y)
        return self.out(self.bn(y[:, 0])), y


class Both(keras.Model):
    def __init__(self, filters):
        super().__init__()
        self.same = Merge(filters, "same")
        self.valid = Merge(filters + 1, "valid")

    def call(self, x, other):
        a, b = self.same(x, other)
        c, d = self.valid(other, x)
        return a, b, c, d
