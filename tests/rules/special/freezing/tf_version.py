"""Layers and models that are frozen after they were made."""

import keras
from keras import layers

CASES = {
    "build_transfer()": ["f32[2,20,16,3]"],
    "build_transfer(True)": ["f32[2,20,16,3]"],
    "build_loop()": ["f32[2,20,16,3]"],
    "Frozen()": ["f32[2,20,16,3]"],
    "build_layer()": ["f32[2,20,16,3]"],
    "Heads()": ["f32[2,20,16,3]"],
    "model": ["f32[2,20,16,3]"],
}


def backbone(shape=(20, 16, 3), width=8):
    x = inputs = layers.Input(shape)
    x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(2 * width, 3, strides=2, activation="relu")(x)
    return keras.Model(inputs, x, name="backbone")


def build_transfer(trainable=False, classes=5):
    base = backbone(width=6)
    base.trainable = trainable

    inputs = layers.Input((20, 16, 3))
    x = base(inputs)
    x = layers.Conv2D(4, 3)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="transfer")


def build_loop(classes=5):
    base = backbone()
    for layer in base.layers:
        layer.trainable = False
    inputs = layers.Input((20, 16, 3))
    x = base(inputs)
    head = layers.Dense(classes)
    head.trainable = True
    return keras.Model(inputs, head(layers.GlobalAveragePooling2D()(x)), name="loop")


class Frozen(keras.Model):
    def __init__(self, width=4):
        super().__init__()
        self.base = backbone(width=width)
        self.base.trainable = False
        self.norm = layers.BatchNormalization()
        self.norm.trainable = False
        self.pool = layers.GlobalAveragePooling2D()
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(self.pool(self.norm(self.base(x))))


def build_layer():
    inputs = layers.Input((20, 16, 3))
    x = layers.Conv2D(4, 3)(inputs)
    norm = layers.BatchNormalization()
    norm.trainable = False
    x = norm(x)
    x = layers.BatchNormalization(trainable=False)(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="layer")


base = backbone()
base.trainable = False
dense = layers.Dense(3)
dense.trainable = False
inputs = keras.Input((20, 16, 3))
model = keras.Model(inputs, dense(layers.Flatten()(base(inputs))))


class Head(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)
        self.out = layers.Dense(units, trainable=False)

    def call(self, x):
        return self.out(self.dense(x))


class Heads(keras.Model):
    def __init__(self):
        super().__init__()
        self.flat = layers.Flatten()
        self.first = Head(4)
        self.first.trainable = False
        self.second = Head(4)

    def call(self, x):
        return self.second(self.first(self.flat(x)))
