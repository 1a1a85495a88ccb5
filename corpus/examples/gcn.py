"""Graph convolutions (Kipf & Welling, 2017) on a batch of small molecules."""
import tensorflow as tf
from tensorflow import keras


def normalize_adjacency(edges, dtype):
    """D^-1/2 (A + I) D^-1/2, from a boolean matrix of any orientation."""
    a = tf.cast(edges, dtype)
    a = tf.maximum(a, tf.transpose(a, perm=[0, 2, 1]))
    # every atom is its own neighbour
    a = tf.maximum(a, tf.eye(tf.shape(a)[-1], dtype=dtype))
    scale = tf.math.rsqrt(tf.reduce_sum(a, axis=-1))
    return a * scale[:, :, tf.newaxis] * scale[:, tf.newaxis, :]


class GraphConv(keras.layers.Layer):
    """Transform every node, then average over its neighbours."""

    def __init__(self, units, activation=None, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias

    def build(self, features_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(features_shape[-1], self.units), initializer="glorot_uniform")
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, features, adjacency):
        x = tf.matmul(adjacency, tf.matmul(features, self.kernel))
        if self.use_bias:
            x = tf.nn.bias_add(x, self.bias)
        return self.activation(x)

    def get_config(self):
        config = super().get_config()
        config.update({
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        })
        return config


class GCN(keras.Model):
    """Atoms and bonds to one property of each molecule.

    Call it with `features` of shape (molecules, atoms, features) and boolean `edges` of shape
    (molecules, atoms, atoms).
    """

    def __init__(self, hidden=32, num_layers=3, num_targets=1, dropout=0.1, **kwargs):
        super().__init__(**kwargs)
        self.first = GraphConv(hidden, activation="relu")
        self.convs = [GraphConv(hidden, activation="relu") for _ in range(num_layers - 1)]
        self.dropout = keras.layers.Dropout(dropout)
        self.readout = keras.layers.Dense(num_targets)

    def call(self, features, edges, training=None):
        adjacency = normalize_adjacency(edges, features.dtype)
        x = self.first(features, adjacency)
        for conv in self.convs:
            x = x + self.dropout(conv(x, adjacency), training=training)

        # a molecule is the sum of its atoms, and its most unusual one
        total = tf.reduce_sum(x, axis=1)
        peak = tf.reduce_max(x, axis=1)
        return self.readout(tf.concat([total, peak], axis=-1))
