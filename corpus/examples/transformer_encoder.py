"""Topic of a news item: a transformer encoder with sinusoidal positions."""
import keras
import numpy as np
from keras import layers, ops


def sinusoids(length, dim):
    """The position table of "Attention Is All You Need": sines beside cosines."""
    position = np.arange(length)[:, np.newaxis]
    rate = 1.0 / 10000.0 ** (2 * np.arange(dim // 2) / dim)
    angles = position * rate
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


class PositionalEmbedding(layers.Layer):
    """Scaled word vectors plus the table of sines."""

    def __init__(self, vocab_size, dim, max_length, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.embedding = layers.Embedding(vocab_size, dim)
        self.table = sinusoids(max_length, dim)

    def call(self, tokens):
        x = self.embedding(tokens) * self.dim ** 0.5
        length = ops.shape(tokens)[1]
        return x + ops.cast(self.table[:length], x.dtype)


class EncoderLayer(layers.Layer):
    """Self-attention and a feed-forward network, each with a residual and a norm after it."""

    def __init__(self, dim, num_heads, ff_dim, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(num_heads, dim // num_heads)
        self.ff1 = layers.Dense(ff_dim, activation='relu')
        self.ff2 = layers.Dense(dim)
        self.norm1 = layers.LayerNormalization(epsilon=1e-6)
        self.norm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, x, mask):
        attended = self.attention(x, x, attention_mask=mask[:, None, :])
        x = self.norm1(x + self.dropout1(attended))
        return self.norm2(x + self.dropout2(self.ff2(self.ff1(x))))


class TopicClassifier(keras.Model):
    """Token ids, 0 is padding, to the logits of the topics."""

    def __init__(self, vocab_size=8000, num_topics=4, dim=64, num_heads=4, num_layers=2,
                 max_length=128, **kwargs):
        super().__init__(**kwargs)
        self.embedding = PositionalEmbedding(vocab_size, dim, max_length)
        self.encoder = [EncoderLayer(dim, num_heads, 2 * dim) for _ in range(num_layers)]
        self.head = layers.Dense(num_topics)

    def call(self, tokens):
        mask = ops.not_equal(tokens, 0)
        x = self.embedding(tokens)
        for layer in self.encoder:
            x = layer(x, mask)

        # average over the words only
        weights = ops.cast(mask, x.dtype)[:, :, None]
        x = ops.sum(x * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)
        return self.head(x)
