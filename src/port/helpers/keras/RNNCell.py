# needs: uniform, summed_biases
import keras
from keras import layers


class RNNCell(layers.SimpleRNNCell):
    """nn.RNNCell: cell(input, h) gives h."""

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh"):
        super().__init__(hidden_size, activation=nonlinearity, use_bias=bias, kernel_initializer=uniform(hidden_size),
                         recurrent_initializer=uniform(hidden_size),
                         bias_initializer=summed_biases(hidden_size))

    def call(self, input, hx=None):
        state = self.get_initial_state(keras.ops.shape(input)[0]) if hx is None else [hx]
        return super().call(input, state)[0]
