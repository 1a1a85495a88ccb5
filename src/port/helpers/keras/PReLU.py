import keras
from keras import initializers, layers


class PReLU(layers.Layer):
    """nn.PReLU: one slope for all, or one per channel."""

    def __init__(self, num_parameters=1, init=0.25, axis=-1):
        super().__init__()
        self.axis = axis
        initial = initializers.Constant(init)
        self.alpha = self.add_weight(shape=(num_parameters,), initializer=initial, name="alpha")

    def call(self, x):
        shape = [1] * len(x.shape)
        shape[self.axis] = -1
        return keras.ops.where(x > 0, x, keras.ops.reshape(self.alpha, shape) * x)
