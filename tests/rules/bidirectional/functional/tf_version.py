"""Bidirectional in its merge modes, native and by helper."""
import keras
from keras import layers

CASES = {"modes()": ["f32[3,5,4]"], "last()": ["f32[3,5,4]"], "separate()": ["f32[3,5,4]"],
         "other()": ["f32[3,5,4]"], "states()": ["f32[3,5,4]"], "masked()": ["i32[3,7]<4"],
         "Seq2Seq()": ["i32[3,7]<4", "i32[3,5]<4"]}


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


def masked():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(4, 3, mask_zero=True)(ids)
    out, ahead, back = layers.Bidirectional(layers.GRU(5, return_sequences=True, return_state=True))(x)
    last, *states = layers.Bidirectional(layers.LSTM(2, return_state=True), merge_mode="sum")(out)
    summed = layers.Bidirectional(layers.LSTM(3, activation="relu", return_sequences=True), merge_mode="mul")(x)
    return keras.Model(ids, [out, ahead, back, last, *states, summed])


class Seq2Seq(keras.Model):
    """The decoder begins where the encoder ends, and attends to its steps."""

    def __init__(self, units=6):
        super().__init__()
        self.embed = layers.Embedding(4, 5, mask_zero=True)
        self.encoder = layers.Bidirectional(layers.LSTM(units // 2, return_sequences=True, return_state=True))
        self.decoder = layers.LSTM(units, return_sequences=True)
        self.attention = layers.Dense(units)

    def call(self, ids, wanted):
        mask = self.embed.compute_mask(ids)
        seq, fh, fc, bh, bc = self.encoder(self.embed(ids), mask=mask)
        state = [keras.ops.concatenate([fh, bh], axis=-1), keras.ops.concatenate([fc, bc], axis=-1)]
        y = self.decoder(self.embed(wanted), initial_state=state)
        scores = keras.ops.einsum("bqd,bkd->bqk", y, self.attention(seq))
        scores = keras.ops.where(mask[:, None, :], scores, -1e9)
        return y + keras.ops.matmul(keras.ops.softmax(scores), seq)
