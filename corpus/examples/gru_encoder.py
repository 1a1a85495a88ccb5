"""Sentences to unit vectors, with two GRUs that ignore the padding."""
import tensorflow as tf
from tensorflow import keras


class MaskedMean(keras.layers.Layer):
    """Average over the time steps that are words."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return tf.reduce_mean(inputs, axis=1)
        weights = tf.cast(mask, inputs.dtype)[:, :, tf.newaxis]
        total = tf.reduce_sum(inputs * weights, axis=1)
        # an empty sentence must not divide by zero
        return total / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)

    def compute_mask(self, inputs, mask=None):
        return None  # there is no time left to mask


class SentenceEncoder(keras.Model):
    """Embedding, two GRUs, the mean of their outputs, a projection.

    Args:
        vocab_size: number of token ids; 0 is padding.
        units: size of the recurrent layers.
        output_dim: length of the sentence vector.
    """

    def __init__(self, vocab_size=8000, embed_dim=48, units=64, output_dim=32, **kwargs):
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(vocab_size, embed_dim, mask_zero=True)
        self.gru1 = keras.layers.GRU(units, return_sequences=True)
        self.gru2 = keras.layers.GRU(units, return_sequences=True)
        self.pool = MaskedMean()
        self.projection = keras.layers.Dense(output_dim, use_bias=False)

    def call(self, tokens):
        mask = self.embedding.compute_mask(tokens)
        x = self.embedding(tokens)

        h = self.gru1(x, mask=mask)
        h = h + self.gru2(h, mask=mask)  # residual

        x = self.projection(self.pool(h, mask=mask))
        return tf.math.l2_normalize(x, axis=-1)


def similarity(a, b):
    """Cosine of every sentence in `a` with every one in `b`; both are unit vectors."""
    return tf.matmul(a, b, transpose_b=True)
