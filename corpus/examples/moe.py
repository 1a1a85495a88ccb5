"""Mixture of experts with a sparse gate (Shazeer et al., 2017)."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class TopKGate(layers.Layer):
    """A weight per expert, zero for all but the best k."""

    def __init__(self, num_experts, k=2, **kwargs):
        super().__init__(**kwargs)
        self.num_experts = num_experts
        self.k = k
        self.scores = layers.Dense(num_experts, use_bias=False)

    def call(self, x):
        values, indices = tf.math.top_k(self.scores(x), k=self.k)
        weights = tf.nn.softmax(values, axis=-1)
        # back to one column per expert
        chosen = tf.one_hot(indices, self.num_experts, dtype=weights.dtype)
        return tf.reduce_sum(weights[..., tf.newaxis] * chosen, axis=-2)


class Experts(layers.Layer):
    """Two-layer networks, all evaluated at once with an extra axis."""

    def __init__(self, num_experts, hidden, units, **kwargs):
        super().__init__(**kwargs)
        self.num_experts = num_experts
        self.hidden = hidden
        self.units = units

    def build(self, input_shape):
        n, features = self.num_experts, input_shape[-1]
        self.w1 = self.add_weight(name='w1', shape=(n, features, self.hidden), initializer='he_normal')
        self.b1 = self.add_weight(name='b1', shape=(n, self.hidden), initializer='zeros')
        self.w2 = self.add_weight(name='w2', shape=(n, self.hidden, self.units), initializer='he_normal')
        self.b2 = self.add_weight(name='b2', shape=(n, self.units), initializer='zeros')
        super().build(input_shape)

    def call(self, x):
        h = tf.nn.relu(tf.einsum('bf,nfh->bnh', x, self.w1) + self.b1)
        return tf.einsum('bnh,nhu->bnu', h, self.w2) + self.b2


def balance_loss(gates):
    """Squared coefficient of variation of the load: zero if all experts work equally."""
    load = tf.reduce_sum(gates, axis=0)
    mean, variance = tf.nn.moments(load, axes=[0])
    return variance / (tf.square(mean) + 1e-10)


class MixtureOfExperts(keras.Model):
    """Returns the prediction and the imbalance of the gate, to be added to the loss."""

    def __init__(self, units=1, num_experts=8, hidden=32, k=2, **kwargs):
        super().__init__(**kwargs)
        self.stem = layers.Dense(hidden, activation='silu')
        self.gate = TopKGate(num_experts, k)
        self.experts = Experts(num_experts, hidden, units)

    def call(self, inputs):
        x = self.stem(inputs)
        gates = self.gate(x)
        answers = self.experts(x)
        outputs = tf.reduce_sum(gates[:, :, tf.newaxis] * answers, axis=1)
        return outputs, balance_loss(gates)
