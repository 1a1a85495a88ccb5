"""Is there a tumour on this slide? Attention over its patches (Ilse et al., 2018).

A slide is a bag of patch features. Which patches matter is learned from the label of the bag.
"""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class GatedAttentionPooling(layers.Layer):
    """Weighted average of a bag; returns the weights too.

    a_i = softmax(w^T (tanh(V h_i) * sigmoid(U h_i)))
    """

    def __init__(self, units, use_gate=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_gate = use_gate

    def build(self, bags_shape):
        features = bags_shape[-1]
        self.v = self.add_weight(name='v', shape=(features, self.units), initializer='glorot_uniform')
        if self.use_gate:
            self.u = self.add_weight(name='u', shape=(features, self.units), initializer='glorot_uniform')
        self.w = self.add_weight(name='w', shape=(self.units, 1), initializer='glorot_uniform')

    def call(self, bags, present):
        h = tf.tanh(tf.matmul(bags, self.v))
        if self.use_gate:
            h = h * tf.sigmoid(tf.matmul(bags, self.u))
        scores = tf.squeeze(tf.matmul(h, self.w), axis=-1)

        # padding gets no attention
        scores = tf.where(present, scores, tf.fill(tf.shape(scores), tf.constant(-1e9, scores.dtype)))
        weights = tf.nn.softmax(scores, axis=-1)
        return tf.einsum('bn,bnf->bf', weights, bags), weights

    def get_config(self):
        config = super().get_config()
        config.update({'units': self.units, 'use_gate': self.use_gate})
        return config


class ExplainMixin:
    """For models that return their attention beside the prediction."""

    def explain(self, bags, present, top=3):
        """Indices of the patches that decided, most important first."""
        _, weights = self(bags, present)
        return tf.math.top_k(weights, k=top).indices


class SlideClassifier(ExplainMixin, keras.Model):
    """Bags (slides, patches, features) and what of them is no padding (slides, patches)."""

    def __init__(self, hidden=64, attention_units=32, use_gate=True, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Dense(hidden, activation='relu')
        self.norm = layers.LayerNormalization()
        self.pool = GatedAttentionPooling(attention_units, use_gate=use_gate)
        self.head = layers.Dense(1, activation='sigmoid')

    def call(self, bags, present):
        x = self.norm(self.embed(bags))
        x, weights = self.pool(x, present)
        return self.head(x), weights
