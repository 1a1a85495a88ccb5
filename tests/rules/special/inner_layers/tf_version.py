"""Models and layers inside of others: lists, dicts and optional tensors go in and out."""
import keras
import tensorflow as tf
from keras import layers

CASES = {"c3()": [], "c4()": [], "c6()": [], "c9()": [], "d1()": [], "d2()": [], "Twice()": ["f32[2,8,6,3]"],
         "applied()": []}


def trunk_graph():
    inp = keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(inp)
    return keras.Model(inp, x)


def trunk_two():
    inp = keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(inp)
    y = layers.MaxPooling2D(2)(x)
    return keras.Model(inp, [x, y])


class Gate(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.conv = layers.Conv2D(filters, 1)

    def call(self, inputs):
        x, skip = inputs
        return tf.sigmoid(self.conv(x)) * skip


class Pair(layers.Layer):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 1)

    def call(self, x, other=None):
        x = self.conv(x)
        if other is not None:
            x = x + other
        return {"x": x, "mean": tf.reduce_mean(x, axis=(1, 2))}


def c3():
    base = trunk_graph()
    inp = keras.Input((8, 6, 3))
    a = base(inp)
    b = base(inp * 2)
    return keras.Model(inp, layers.Concatenate()([a, b]))


def c4():
    base = trunk_two()
    inp = keras.Input((8, 6, 3))
    a, b = base(inp)
    return keras.Model(inp, [layers.Conv2D(2, 1)(a), layers.Flatten()(b)])


def c6():
    inp = keras.Input((3, 8, 6, 3))
    x = layers.TimeDistributed(trunk_graph())(inp)
    x = layers.TimeDistributed(layers.GlobalAveragePooling2D())(x)
    return keras.Model(inp, layers.LSTM(3)(x))


def c9():
    model = keras.Sequential()
    model.add(keras.Input((8, 6, 3)))
    for f in (4, 5):
        model.add(layers.Conv2D(f, 3))
        model.add(layers.BatchNormalization())
    model.add(layers.Reshape((4 * 2, 5)))
    model.add(layers.Conv1D(3, 2))
    model.add(layers.Flatten())
    model.add(layers.Dense(2))
    return model


def d1():
    inp = keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 1)(inp)
    y = layers.Conv2D(5, 1)(inp)
    return keras.Model(inp, Gate(4)([y, x]))


def d2():
    inp = keras.Input((8, 6, 3))
    p = Pair()
    q = p(inp)
    return keras.Model(inp, [q["x"], q["mean"]])


def trunk_open(filters):
    return keras.Sequential([layers.Conv2D(filters, 3, padding="same"), layers.ReLU()])


class Twice(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = trunk_open(4)
        self.b = trunk_open(5)

    def call(self, x):
        return self.b(self.a(x))


def applied():
    inp = keras.Input((8, 6, 3))
    block = trunk_open(4)
    return keras.Model(inp, block(inp))
