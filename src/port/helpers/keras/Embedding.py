import keras
from keras import initializers, layers


class Embedding(layers.Embedding):
    """nn.Embedding with padding_idx: that row starts at zero and receives no gradient."""

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None):
        super().__init__(num_embeddings, embedding_dim, embeddings_initializer=self.initial)
        self.padding_idx = padding_idx if padding_idx is None or padding_idx >= 0 else num_embeddings + padding_idx

    def initial(self, shape, dtype=None):
        table = initializers.RandomNormal(stddev=1.0)(shape, dtype)
        if self.padding_idx is None:
            return table
        padding = keras.ops.expand_dims(keras.ops.arange(shape[0]) == self.padding_idx, -1)
        return keras.ops.where(padding, keras.ops.zeros_like(table), table)

    def call(self, inputs):
        x = super().call(inputs)
        if self.padding_idx is None:
            return x
        padding = keras.ops.expand_dims(keras.ops.equal(inputs, self.padding_idx), -1)
        return keras.ops.where(padding, keras.ops.stop_gradient(x), x)
