"""Functional models whose inputs arrive in a dict."""

import keras
from keras import layers

CASES = {
    "build_wide()": ["{user: i32[3,1]<50, item: i32[3,1]<50, numbers: f32[3,4]}"],
    "build_image()": ["{image: f32[2,12,10,3], meta: f32[2,4]}"],
    "build_image2()": ["{image: f32[2,12,10,3], meta: f32[2,4]}"],
    "build_sum()": ["{a: f32[3,4], b: f32[3,4], c: f32[3,4]}"],
    "build_outer()": ["{a: f32[3,4], b: f32[3,4], c: f32[3,4]}"],
}


def build_wide(vocab=50):
    inputs = {
        "user": layers.Input((1,), dtype="int32", name="user"),
        "item": layers.Input((1,), dtype="int32", name="item"),
        "numbers": layers.Input((4,), name="numbers"),
    }
    user = layers.Flatten()(layers.Embedding(vocab, 8)(inputs["user"]))
    item = layers.Flatten()(layers.Embedding(vocab, 8)(inputs["item"]))
    x = layers.Concatenate()([user, item, inputs["numbers"]])
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs=inputs, outputs={"score": layers.Dense(1)(x), "hidden": x})


def build_image(classes=3):
    image = layers.Input((12, 10, 3), name="image")
    meta = layers.Input((4,), name="meta")
    x = layers.Conv2D(4, 3)(image)
    x = layers.Flatten()(x)
    x = layers.concatenate([x, meta])
    return keras.Model({"image": image, "meta": meta}, layers.Dense(classes)(x))


def build_image2(classes=3):
    inputs = {"image": keras.Input((12, 10, 3)), "meta": keras.Input((4,))}
    x = layers.Conv2D(4, 3)(inputs["image"])
    x = layers.Flatten()(x)
    x = layers.concatenate([x, inputs["meta"]])
    return keras.Model(inputs, layers.Dense(classes)(x))


def build_sum():
    inputs = {"a": keras.Input((4,)), "b": keras.Input((4,)), "c": keras.Input((4,))}
    x = layers.Concatenate()(list(inputs.values()))
    return keras.Model(inputs, [layers.Dense(2)(x), x])


def build_outer():
    inputs = {"a": keras.Input((4,)), "b": keras.Input((4,)), "c": keras.Input((4,))}
    inner = build_sum()
    y, x = inner(inputs)
    return keras.Model(inputs, layers.Dense(2)(y))
