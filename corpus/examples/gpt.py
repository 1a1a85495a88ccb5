"""A minimal GPT: pre-norm blocks, attention written out, output tied to the embedding."""
import tensorflow as tf
from tensorflow.keras import Model, initializers, layers


class CausalSelfAttention(layers.Layer):
    """Every token looks at itself and at the tokens before it."""

    def __init__(self, dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        if dim % num_heads:
            raise ValueError(f"{dim} features cannot be split into {num_heads} heads")
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.qkv = layers.Dense(3 * dim)  # all three in one matrix
        self.proj = layers.Dense(dim)

    def split_heads(self, x):
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        x = tf.reshape(x, [batch, length, self.num_heads, self.head_dim])
        return tf.transpose(x, [0, 2, 1, 3])

    def call(self, x):
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        q, k, v = tf.split(self.qkv(x), 3, axis=-1)
        q, k, v = self.split_heads(q), self.split_heads(k), self.split_heads(v)

        # (batch, heads, queries, keys)
        scores = tf.matmul(q, k, transpose_b=True) / self.head_dim ** 0.5
        visible = tf.linalg.band_part(tf.ones([length, length], dtype=scores.dtype), -1, 0)
        scores = tf.where(visible > 0, scores, -1e9)
        weights = tf.nn.softmax(scores, axis=-1)

        x = tf.transpose(tf.matmul(weights, v), [0, 2, 1, 3])
        return self.proj(tf.reshape(x, [batch, length, self.dim]))


class Block(layers.Layer):
    def __init__(self, dim, num_heads, dropout, **kwargs):
        super().__init__(**kwargs)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.attention = CausalSelfAttention(dim, num_heads)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.expand = layers.Dense(4 * dim)
        self.contract = layers.Dense(dim)
        self.dropout = layers.Dropout(dropout)

    def call(self, x, training=None):
        x = x + self.dropout(self.attention(self.norm1(x)), training=training)
        h = tf.nn.gelu(self.expand(self.norm2(x)), approximate=True)
        return x + self.dropout(self.contract(h), training=training)


class GPT(Model):
    """Token ids to the logits of every next token."""

    def __init__(self, vocab_size=5000, context=128, dim=96, num_heads=6, num_layers=4, dropout=0.1,
                 **kwargs):
        super().__init__(**kwargs)
        init = initializers.RandomNormal(stddev=0.02)
        self.tokens = layers.Embedding(vocab_size, dim, embeddings_initializer=init)
        self.positions = layers.Embedding(context, dim, embeddings_initializer=init)
        self.dropout = layers.Dropout(dropout)
        self.blocks = [Block(dim, num_heads, dropout) for _ in range(num_layers)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, ids, training=None):
        x = self.tokens(ids) + self.positions(tf.range(tf.shape(ids)[1]))
        x = self.dropout(x, training=training)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.norm(x)
        # the same vectors read tokens and write them
        return tf.matmul(x, self.tokens.embeddings, transpose_b=True)
