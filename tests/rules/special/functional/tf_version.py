"""Wrappers, slopes, statistics, convolutional recurrence."""
import keras
from keras import layers

CASES = {"steps()": ["f32[2,4,9,8,3]"], "itself()": ["f32[2,4,5]"], "slopes()": ["f32[2,9,8,3]"],
         "known()": ["f32[2,6,3]"], "groups()": ["f32[2,6,5,4]"], "convolutional()": ["f32[2,4,7,6,3]"],
         "products()": ["f32[2,4,5]", "f32[2,6,5]"], "dense()": ["f32[2,4,5]"], "one()": ["f32[2,4,6,3]"]}


def steps():
    x = inputs = keras.Input((None, 9, 8, 3))
    x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu", padding="same"))(x)
    x = layers.TimeDistributed(layers.MaxPooling2D(2))(x)
    x = layers.TimeDistributed(layers.Conv2D(5, 3))(x)
    x = layers.TimeDistributed(layers.Flatten())(x)
    x = layers.LSTM(3)(x)
    return keras.Model(inputs, x)


def itself():
    x = inputs = keras.Input((None, 5))
    x = layers.TimeDistributed(layers.Dense(4, activation="tanh"), name="each")(x)
    x = layers.TimeDistributed(layers.LayerNormalization())(x)
    x = layers.TimeDistributed(layers.Dense(3))(x)
    return keras.Model(inputs, layers.GRU(2)(x))


def slopes():
    x = inputs = keras.Input((9, 8, 3))
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3)(x))
    x = layers.PReLU()(layers.Conv2D(5, 3)(x))
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.PReLU()(layers.Dense(6)(x)))


def known():
    x = inputs = keras.Input((6, 3))
    x = layers.Normalization(mean=[0.5, 0.25, 1.0], variance=[0.25, 0.5, 4.0])(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def groups():
    x = inputs = keras.Input((6, 5, 4))
    x = layers.GroupNormalization(2)(layers.Conv2D(4, 3)(x))
    x = layers.GroupNormalization(-1, epsilon=1e-5)(x)
    return keras.Model(inputs, x)


def convolutional():
    x = inputs = keras.Input((None, 7, 6, 3))
    x = layers.ConvLSTM2D(4, (3, 2), padding="same", return_sequences=True)(x)
    x = layers.ConvLSTM2D(2, 3, recurrent_activation="softsign", name="last")(x)
    x = layers.Conv2D(3, 2)(x)
    return keras.Model(inputs, x)


def one():
    x = inputs = keras.Input((None, 6, 3))
    x = layers.ConvLSTM1D(4, 3, go_backwards=True)(x)
    return keras.Model(inputs, layers.Flatten()(x[:, :4]))


def products():
    a = keras.Input((4, 5))
    b = keras.Input((6, 5))
    scores = layers.Dot(axes=[2, 2])([a, b])
    mixed = layers.dot([scores, b], axes=[2, 1])
    return keras.Model([a, b], layers.Dense(3)(mixed))


def dense():
    x = inputs = keras.Input((4, 5))
    x = layers.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d", activation="relu")(x)
    return keras.Model(inputs, x)
