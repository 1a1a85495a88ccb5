from dataclasses import dataclass

import keras
import tensorflow as tf
from einops import rearrange
from keras import layers


class Masked(keras.Model):
    def __init__(self, *, width=4):
        super().__init__()
        self.fc = layers.Dense(width)

    def call(self, x, mask=None, **kwargs):
        x = self.fc(x)
        if mask is not None:
            x = tf.where(mask[..., None], x, tf.constant(0.0, x.dtype))
        return x * kwargs.get("factor", 1.0)


class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.emb = layers.Embedding(9, 4)
        self.fc = layers.Dense(4)

    def call(self, ids, x):
        return self.emb(ids) + self.fc(x)[:, None], ids + 1


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(4), layers.Dense(4)

    def call(self, batch, extra):
        first, second = extra
        return {"sum": self.a(batch["x"]) + self.b(batch["y"]), "parts": [first * 2, None, second]}


@dataclass
class Output:
    loss: tf.Tensor
    logits: tf.Tensor = None
    hidden: tf.Tensor = None


class Structured(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(4)

    def call(self, x):
        y = self.fc(x)
        return Output(loss=tf.reduce_mean(y), logits=y)


class Ema(keras.Model):
    def __init__(self):
        super().__init__()
        self.gain = self.add_weight(shape=(3,), initializer="ones", name="gain")
        self.centre = self.add_weight(shape=(3,), initializer="zeros", trainable=False, name="centre")

    def call(self, x, training=None):
        if training:
            self.centre.assign(0.5 * self.centre + 0.5 * tf.reduce_mean(x, 0))
        return (x - self.centre) * self.gain + tf.range(3, dtype=x.dtype)


class Tied(keras.Model):
    def __init__(self):
        super().__init__()
        self.wte = layers.Embedding(11, 6)
        self.mid = layers.Dense(6)
        self.head = lambda x: tf.matmul(x, self.wte.embeddings, transpose_b=True)

    def call(self, ids):
        return self.head(tf.tanh(self.mid(self.wte(ids))))


class Unused(keras.Model):
    def __init__(self):
        super().__init__()
        self.used, self.left = layers.Dense(3), layers.Dense(3)
        self.spare = self.add_weight(shape=(3,), name="spare")

    def call(self, x):
        return self.used(x)


class Patches(keras.Model):
    def __init__(self, dim=6):
        super().__init__()
        self.embed = layers.Dense(dim)

    def call(self, x):
        x = self.embed(rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=3))
        return rearrange(x, "b n (k d) -> b k n d", k=2)


class Drops(keras.Model):
    def __init__(self, drop_prob=0.5):
        super().__init__()
        self.drop_prob = drop_prob
        self.rnn = [layers.LSTM(4, return_sequences=True) for _ in range(2)]
        self.drop = layers.Dropout(0.25)

    def call(self, x, training=None):
        x = self.rnn[1](self.drop(self.rnn[0](x)))
        if training and self.drop_prob > 0.0:
            keep = 1 - self.drop_prob
            x = x * tf.floor(keep + tf.random.uniform([tf.shape(x)[0], 1, 1], dtype=x.dtype)) / keep
        return x


class Weighted(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv1D(4, 3)

    def call(self, x):
        return tf.transpose(self.conv(tf.transpose(x, [0, 2, 1])), [0, 2, 1])


class Spectral(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(4)

    def call(self, x):
        return self.fc(x)


class Cumulative(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = layers.BatchNormalization(momentum=0.0, epsilon=1e-5)

    def call(self, x):
        return self.bn(x)


class Sampled(keras.Model):
    def __init__(self, spread=1.0):
        super().__init__()
        self.mu, self.logvar = layers.Dense(4), layers.Dense(4)
        self.spread = spread

    def call(self, x, training=None):
        mu, logvar = self.mu(x), self.logvar(x)
        if not training:
            return mu
        return mu + tf.random.normal(tf.shape(mu), stddev=self.spread, dtype=mu.dtype) * tf.exp(0.5 * logvar)
