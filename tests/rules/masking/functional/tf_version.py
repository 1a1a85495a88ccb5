"""Masks that travel with tensors, and the layers that read them."""
import keras
from keras import layers

CASES = {"last()": ["i32[3,7]<9"], "sequences()": ["i32[3,7]<9"], "both()": ["i32[3,7]<9"],
         "average()": ["i32[3,7]<9"], "values()": ["f32[3,7,2]"], "attention()": ["i32[3,7]<9"],
         "lost()": ["i32[3,7]<9"], "two()": ["i32[3,7]<9", "i32[3,5]<9"]}


def last():
    x = ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(x)
    x = layers.Dropout(0.0)(layers.Dense(5)(x))
    return keras.Model(ids, layers.LSTM(3, go_backwards=True)(x))


def sequences():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = layers.GRU(5, return_sequences=True)(x)
    y = layers.LayerNormalization()(x)
    return keras.Model(ids, [layers.LSTM(3)(layers.Add()([x, y])), y])


def both():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    y = layers.Bidirectional(layers.GRU(2))(x)
    return keras.Model(ids, [x, y])


def average():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(ids, layers.Dense(2)(x))


def values():
    inputs = keras.Input((None, 2))
    x = layers.Masking(mask_value=0.5)(inputs)
    x = layers.GRU(3)(x)
    return keras.Model(inputs, x)


def attention():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(ids)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.Attention()([x, x])
    return keras.Model(ids, [x, y])


def lost():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = layers.Conv1D(5, 3, padding="same")(x)
    x = layers.LSTM(3, return_sequences=True)(x * 2.0)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(x))


def two():
    a = keras.Input((None,), dtype="int32")
    b = keras.Input((None,), dtype="int32")
    embed = layers.Embedding(9, 4, mask_zero=True)
    x = layers.LSTM(3)(embed(a))
    y = layers.GRU(3)(layers.Embedding(9, 5, mask_zero=True)(b))
    return keras.Model([a, b], layers.Concatenate()([x, y]))
