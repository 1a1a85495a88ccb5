"""Sequentials with recurrent layers become classes."""
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding
from tensorflow.keras.models import Sequential

CASES = {"by_list(11)": ["i32[3,7]<11"], "by_add()": ["f32[3,6,4]"], "in_loop([5, 4, 3])": ["f32[3,6,4]"],
         "masked(11)": ["i32[3,7]<11"], "mean(11)": ["i32[3,7]<11"], "model": ["f32[3,6,4]"],
         "seen(11)": ["i32[3,7]<11"]}


def by_list(vocab, width=6):
    """A plain list."""
    return Sequential([
        Embedding(vocab, width, input_length=7),
        # both directions
        Bidirectional(LSTM(5, return_sequences=True)),
        GRU(4),  # the last state
        Dropout(0.0),
        Dense(3, activation='softmax'),
    ])


def by_add(units=8):
    net = Sequential(name='by_add')
    net.add(layers.InputLayer(input_shape=(6, 4)))
    net.add(LSTM(units, return_sequences=True))
    net.add(layers.TimeDistributed(Dense(5, activation='relu')))
    net.add(layers.Flatten())
    net.add(Dense(1))
    return net


def in_loop(sizes):
    net = Sequential()
    net.add(tf.keras.Input((6, 4)))
    for size in sizes:
        net.add(LSTM(size, return_sequences=True))
        net.add(layers.LayerNormalization())
    net.add(GRU(2))
    return net


def masked(vocab):
    return Sequential([Embedding(vocab, 6, mask_zero=True), LSTM(5, return_sequences=True),
                       GRU(4, return_sequences=True, dropout=0.0), LSTM(3), Dense(2)])


def mean(vocab):
    return Sequential([Embedding(vocab, 6, mask_zero=True), layers.GlobalAveragePooling1D(), Dense(2)])


def seen(vocab):
    net = Sequential()
    net.add(Embedding(vocab, 6, mask_zero=True))
    net.add(Bidirectional(GRU(5, return_sequences=True), merge_mode='sum'))
    net.add(layers.Dense(2))
    return net


# the model of this file
model = Sequential([
    layers.SimpleRNN(5, input_shape=(6, 4)),
    Dense(2),
])
