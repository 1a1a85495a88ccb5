import keras
from keras import initializers, layers


class EmbeddingBag(layers.Embedding):
    """nn.EmbeddingBag on a matrix of indices: the mean, sum or maximum over each row."""

    def __init__(self, num_embeddings, embedding_dim, mode="mean"):
        initial = initializers.RandomNormal(stddev=1.0)
        super().__init__(num_embeddings, embedding_dim, embeddings_initializer=initial)
        self.mode = mode

    def call(self, inputs):
        reduce = {"mean": keras.ops.mean, "sum": keras.ops.sum, "max": keras.ops.max}[self.mode]
        return reduce(super().call(inputs), axis=1)
