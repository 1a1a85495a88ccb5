"""Recurrent layers of every kind in functional models."""
import keras
from keras import layers

CASES = {
    "plain()": ["f32[3,5,4]"], "states()": ["f32[3,5,4]"], "handed_on()": ["f32[3,5,4]", "f32[3,6,2]"],
    "other_cells()": ["f32[3,5,4]"], "stacked([6, 5, 3])": ["f32[3,5,4]"], "cells()": ["f32[3,5,4]"],
}


def plain(units=6):
    x = inputs = keras.Input((None, 4))
    x = layers.LSTM(units, return_sequences=True, use_bias=False, name="first")(x)
    x = layers.GRU(units=5, return_sequences=True, go_backwards=True)(x)
    x = layers.SimpleRNN(7, activation="relu", return_sequences=True)(x)
    x = layers.LSTM(3, dropout=0.0, unit_forget_bias=False)(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def states():
    inputs = keras.Input((None, 4))
    a, h, c = layers.LSTM(6, return_sequences=True, return_state=True)(inputs)
    b, s = layers.GRU(6, return_state=True, go_backwards=True)(a)
    _, t = layers.SimpleRNN(6, return_state=True)(a)
    last, u, _ = layers.LSTM(6, return_state=True)(a)
    return keras.Model(inputs, [a, h, c, b, s, t, last, u])


def handed_on(units=6):
    source = keras.Input((None, 4))
    target = keras.Input((None, 2))
    _, h, c = layers.LSTM(units, return_state=True, name="encoder")(source)
    x = layers.LSTM(units, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    x = layers.GRU(units, return_sequences=True)(x, initial_state=h)
    x = layers.GRU(units, activation="relu")(x, initial_state=[c])
    return keras.Model([source, target], x)


def other_cells():
    x = inputs = keras.Input((None, 4))
    x = layers.LSTM(6, activation="relu", recurrent_activation="softsign", return_sequences=True)(x)
    x = layers.GRU(5, reset_after=False, return_sequences=True)(x)
    x = layers.SimpleRNN(4, activation=keras.activations.softsign, return_sequences=True, go_backwards=True)(x)
    x, h, c = layers.LSTM(3, activation=None, return_sequences=True, return_state=True)(x)
    return keras.Model(inputs, [x, h, c])


def stacked(sizes):
    x = inputs = keras.Input((None, 4))
    for i, size in enumerate(sizes):
        x = layers.GRU(size, return_sequences=True)(x)
        x = layers.LayerNormalization()(x)
    return keras.Model(inputs, x)


def cells():
    x = inputs = keras.Input((None, 4))
    x = layers.RNN(layers.LSTMCell(6), return_sequences=True)(x)
    x = layers.RNN([layers.GRUCell(5), layers.SimpleRNNCell(3)], return_sequences=True)(x)
    x = layers.RNN(layers.GRUCell(4, reset_after=False), go_backwards=True)(x)
    return keras.Model(inputs, layers.Dense(3)(x))
