"""Layers that comprehensions make: one for each turn."""

import keras
from keras import layers

CASES = {
    "experts()": ["f32[3,4]"],
    "experts(2)": ["f32[3,4]"],
    "towers()": ["f32[3,4]"],
    "pyramid()": ["f32[2,8,7,3]"],
    "shared()": ["f32[3,4]", "f32[3,4]"],
    "pair()": ["f32[3,4]", "f32[3,5]"],
    "some()": ["f32[3,4]"],
}


def tower(x, units):
    x = layers.Dense(units, activation="relu")(x)
    return layers.Dense(3)(x)


def experts(count=4):
    x = keras.Input((4,))
    gate = layers.Dense(count, activation="softmax")(x)
    outputs = [layers.Dense(3)(x) for _ in range(count)]
    return keras.Model(x, [gate, layers.Add()(outputs)], name="experts")


def towers(widths=(5, 6)):
    x = keras.Input((4,))
    outputs = [tower(x, width) for width in widths]
    return keras.Model(x, layers.Add()(outputs), name="towers")


def pyramid(classes=2):
    x = keras.Input((8, 7, 3))
    y = layers.concatenate([layers.Conv2D(u, k, padding="same")(x) for u, k in ((3, 1), (4, 3), (2, 5))])
    return keras.Model(x, layers.Dense(classes)(layers.GlobalAveragePooling2D()(y)), name="pyramid")


def shared():
    a = keras.Input((4,))
    b = keras.Input((4,))
    dense = layers.Dense(3)
    return keras.Model([a, b], [dense(each) for each in [a, b]], name="shared")


def pair():
    a = keras.Input((4,))
    b = keras.Input((5,))
    outputs = []
    for x in [a, b]:
        outputs.append(layers.Dense(3)(x))
    return keras.Model([a, b], layers.Add()(outputs), name="pair")


def some(units=(4, 5, 6)):
    x = keras.Input((4,))
    return keras.Model(x, sum(layers.Dense(2)(x) for u in units if u > 4), name="some")
