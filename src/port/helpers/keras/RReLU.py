import keras
from keras import layers


class RReLU(layers.Layer):
    """nn.RReLU: a slope drawn per element in training, the middle one in inference."""

    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=None):
        slope = (self.lower + self.upper) / 2
        if training:
            slope = keras.random.uniform(keras.ops.shape(x), self.lower, self.upper, x.dtype, self.seed_generator)
        return keras.ops.where(x > 0, x, slope * x)
