"""DeepFM (Guo et al., 2017): will this advertisement be clicked?"""
import tensorflow as tf
from tensorflow.keras.layers import BatchNormalization, Dense, Dropout, Embedding, Layer
from tensorflow.keras.models import Model


class FactorizationMachine(Layer):
    """Sum of the inner products of all pairs, in linear time.

    sum_{i<j} <v_i, v_j> = ((sum_i v_i)^2 - sum_i v_i^2) / 2, summed over the features
    """

    def call(self, vectors):
        # vectors: (batch, fields, features)
        square_of_sum = tf.square(tf.reduce_sum(vectors, axis=1))
        sum_of_squares = tf.reduce_sum(tf.square(vectors), axis=1)
        return 0.5 * tf.reduce_sum(square_of_sum - sum_of_squares, axis=-1, keepdims=True)


class DNN(Layer):
    """Hidden layers with batch normalisation, and a linear unit on top."""

    def __init__(self, units, dropout=0.2, **kwargs):
        super(DNN, self).__init__(**kwargs)
        self.dense = [Dense(n, use_bias=False) for n in units]
        self.norms = [BatchNormalization() for _ in units]
        self.dropout = Dropout(dropout)
        self.out = Dense(1)

    def call(self, x, training=None):
        for dense, norm in zip(self.dense, self.norms):
            x = tf.nn.relu(norm(dense(x), training=training))
            x = self.dropout(x, training=training)
        return self.out(x)


class DeepFM(Model):
    """Ids of the fields, one column each, to the probability of a click.

    Args:
        field_sizes: number of values of every field.
        embed_dim: length of the vector that stands for a value.
        hidden: sizes of the deep part.
    """

    def __init__(self, field_sizes=(1000, 200, 50, 12), embed_dim=8, hidden=(64, 32), **kwargs):
        super(DeepFM, self).__init__(**kwargs)
        self.num_fields = len(field_sizes)
        self.embed_dim = embed_dim
        # first order: one scalar per value; second order: one vector
        self.linear = [Embedding(size, 1) for size in field_sizes]
        self.factors = [Embedding(size, embed_dim) for size in field_sizes]
        self.fm = FactorizationMachine()
        self.dnn = DNN(hidden)

    def call(self, ids, training=None):
        columns = tf.unstack(ids, num=self.num_fields, axis=1)
        first = tf.add_n([table(column) for table, column in zip(self.linear, columns)])
        vectors = tf.stack([table(column) for table, column in zip(self.factors, columns)], axis=1)

        # both parts read the same vectors
        second = self.fm(vectors)
        deep = self.dnn(tf.reshape(vectors, [-1, self.num_fields * self.embed_dim]), training=training)
        return tf.sigmoid(first + second + deep)
