# needs: uniform, summed_biases
import keras
from keras import layers


class LSTMCell(layers.LSTMCell):
    """nn.LSTMCell: cell(input, (h, c)) gives (h, c)."""

    def __init__(self, input_size, hidden_size, bias=True):
        super().__init__(hidden_size, use_bias=bias, unit_forget_bias=False, kernel_initializer=uniform(hidden_size),
                         recurrent_initializer=uniform(hidden_size),
                         bias_initializer=summed_biases(hidden_size))

    def call(self, input, hx=None):
        if hx is None:
            hx = self.get_initial_state(keras.ops.shape(input)[0])
        _, (h, c) = super().call(input, list(hx))
        return h, c
