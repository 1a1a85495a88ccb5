"""Bidirectional in its merge modes, native and by helper."""
import keras
from keras import layers

CASES = {"modes()": ["f32[3,5,4]"], "last()": ["f32[3,5,4]"], "separate()": ["f32[3,5,4]"],
         "other()": ["f32[3,5,4]"], "states()": ["f32[3,5,4]"]}


def modes():
    x = inputs = keras.Input((None, 4))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode="sum")(x)
    x = layers.Bidirectional(layers.SimpleRNN(5, return_sequences=True), merge_mode="ave")(x)
    x = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="mul")(x)
    return keras.Model(inputs, layers.Dense(3)(x))


def last():
    inputs = keras.Input((None, 4))
    parts = [layers.Bidirectional(layers.LSTM(3))(inputs),
             layers.Bidirectional(layers.GRU(4), merge_mode="ave")(inputs),
             layers.Bidirectional(layers.LSTM(5), merge_mode="mul")(inputs)]
    return keras.Model(inputs, layers.Dense(2)(layers.Concatenate()(parts)))


def separate():
    inputs = keras.Input((None, 4))
    ahead, back = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None)(inputs)
    return keras.Model(inputs, layers.Multiply()([ahead, back]))


def other():
    x = inputs = keras.Input((None, 4))
    x = layers.Bidirectional(layers.LSTM(3, activation="relu", return_sequences=True), merge_mode="sum")(x)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True),
                             backward_layer=layers.GRU(2, return_sequences=True, go_backwards=True))(x)
    return keras.Model(inputs, x)


def states():
    inputs = keras.Input((None, 4))
    out, fh, fc, bh, bc = layers.Bidirectional(layers.LSTM(3, return_state=True))(inputs)
    return keras.Model(inputs, [out, fh, fc, bh, bc])
