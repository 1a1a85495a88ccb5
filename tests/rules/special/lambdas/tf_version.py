"""Lambda layers on images: their functions count axes as the source does."""
import keras
from keras import layers

CASES = {"N()": ["f32[2,8,7,4]"], "g()": [], "h()": [], "k()": [], "m()": []}


class N(keras.Model):
    def __init__(self):
        super().__init__()
        self.c = layers.Conv2D(4, 3)
        self.l = layers.Lambda(lambda t: t[:, ::2])

    def call(self, x):
        x = self.c(x)
        x = self.l(x)
        return layers.Lambda(lambda t: t[:, 1:])(x)


def double(t):
    return t[:, 1:] * 2


def g():
    inp = keras.Input((6, 5, 4))
    x = layers.Conv2D(4, 1)(inp)
    x = layers.Lambda(double)(x)
    return keras.Model(inp, x)


def h():
    return keras.Sequential([keras.Input((6, 5, 4)), layers.Conv2D(4, 1), layers.Lambda(lambda t: t[:, 1:]), layers.Lambda(lambda t: t * 2), layers.Conv2D(3, 2)])


def k():
    inp = keras.Input((6, 5, 4))
    s = layers.Lambda(lambda t: t[..., :2])
    x = layers.Conv2D(4, 1)(inp)
    y = layers.Lambda(lambda ts: ts[0] + ts[1])([x, x])
    return keras.Model(inp, [s(x), s(inp), y])


def m():
    inp = keras.Input((6, 5, 4))
    x = layers.Conv2D(4, 1)(inp)
    d = layers.Lambda(lambda t: keras.ops.mean(t, axis=1))
    return keras.Model(inp, [d(x), d(inp)])
