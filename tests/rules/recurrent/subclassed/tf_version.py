"""Recurrent layers in classes: states as attributes of a call, explicit masks."""
import tensorflow as tf
from tensorflow.keras import Model, layers

CASES = {"Reader(11, 4, 6)": ["i32[3,7]<11"], "Translator(11, 9, 6)": ["i32[3,7]<11", "i32[3,5]<9"]}


class Reader(Model):
    def __init__(self, vocab, width, units, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Embedding(vocab, width, mask_zero=True)
        self.lstm = layers.LSTM(units, return_sequences=True, return_state=True)
        self.last = layers.GRU(units)
        self.both = layers.Bidirectional(layers.GRU(3))

    def call(self, ids):
        x = self.embed(ids)
        out, h, c = self.lstm(x)
        return tf.concat([self.last(out), self.both(x), h, c], axis=-1)


class Translator(Model):
    def __init__(self, source, target, units, **kwargs):
        super().__init__(**kwargs)
        self.source = layers.Embedding(source, 5)
        self.target = layers.Embedding(target, 4)
        self.encoder = layers.GRU(units, return_sequences=True, return_state=True)
        self.decoder = layers.GRU(units, return_sequences=True)
        self.attention = layers.Attention()
        self.head = layers.Dense(target)

    def call(self, source, target):
        memory, state = self.encoder(self.source(source))
        x = self.decoder(self.target(target), initial_state=state)
        seen = self.attention([x, memory])
        return self.head(tf.concat([x, seen], axis=-1))
