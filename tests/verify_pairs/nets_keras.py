import keras
import numpy as np
import tensorflow as tf
from keras import layers


def gelu(x):
    return 0.5 * x * (1 + tf.math.erf(x / tf.sqrt(tf.constant(2.0, x.dtype))))


def max_pool(x):
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=tf.constant(-np.inf, x.dtype))
    return tf.nn.max_pool2d(x, 3, 2, "VALID")


class Image(keras.Model):
    def __init__(self):
        super().__init__()
        self.pad1 = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(6, 3, strides=2)
        self.bn1 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.conv2 = layers.Conv2D(8, (3, 5), padding="same", groups=2, use_bias=False)
        self.bn2 = layers.BatchNormalization(momentum=0.7, epsilon=1e-3)
        self.up = layers.Conv2DTranspose(5, 2, strides=2)
        self.drop = layers.Dropout(0.3)
        self.fc = layers.Dense(7)
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.head = layers.Dense(7)
        self.scale = self.add_weight(shape=(7,), initializer="ones", name="scale")

    def call(self, x, training=None):
        x = tf.transpose(x, [0, 2, 3, 1])
        x = gelu(self.bn1(self.conv1(self.pad1(x))))
        x = max_pool(tf.nn.elu(self.bn2(self.conv2(x))))
        x = tf.nn.leaky_relu(self.up(x), 0.25)
        x = tf.transpose(x, [0, 3, 1, 2])
        x = self.drop(tf.reshape(x, [-1, 400]))
        x = self.norm(self.fc(x))
        if training:
            x = tf.nn.dropout(x, 0.3)
        return self.head(tf.tanh(x)) * self.scale


class Sequence(keras.Model):
    def __init__(self):
        super().__init__()
        self.emb = layers.Embedding(11, 8)
        self.rnn = layers.LSTM(8, return_sequences=True)
        self.attn = layers.MultiHeadAttention(2, 4)
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.out = layers.Dense(11)

    def call(self, ids, mask=None):
        x = self.rnn(self.emb(ids))
        y = self.attn(x, x, attention_mask=None if mask is None else ~mask[:, None, :])
        return tf.nn.log_softmax(self.out(self.norm(x + y)))
