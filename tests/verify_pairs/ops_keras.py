"""A port with `keras.ops` only: one file for every backend of Keras."""
import keras
from keras import layers, ops


class Block(layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(width, 3, padding="same")
        self.bn = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.gain = self.add_weight(shape=(width,), initializer="ones", name="gain")

    def call(self, x):
        return ops.relu(self.bn(self.conv(x))) * self.gain


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Block(4), Block(6)]
        self.drop = layers.Dropout(0.5)
        self.fc = layers.Dense(5)

    def call(self, x, ids):
        x = ops.transpose(x, [0, 2, 3, 1])
        for block in self.blocks:
            x = block(x)
        x = self.drop(ops.mean(x, axis=(1, 2)))
        return self.fc(x) + ops.cast(ids[:, None], x.dtype)


class Broken(Net):
    def call(self, x, ids):
        return super().call(x, ids) + 1e-6


def normalise(x):
    return (x - ops.mean(x, axis=-1, keepdims=True)) / ops.sqrt(ops.var(x, axis=-1, keepdims=True) + 0.25)
