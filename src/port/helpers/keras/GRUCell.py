# needs: uniform
import keras
from keras import layers


class GRUCell(layers.GRUCell):
    """nn.GRUCell: cell(input, h) gives h."""

    def __init__(self, input_size, hidden_size, bias=True):
        super().__init__(hidden_size, use_bias=bias, kernel_initializer=uniform(hidden_size),
                         recurrent_initializer=uniform(hidden_size), bias_initializer=uniform(hidden_size))

    def call(self, input, hx=None):
        state = self.get_initial_state(keras.ops.shape(input)[0]) if hx is None else [hx]
        return super().call(input, state)[0]
