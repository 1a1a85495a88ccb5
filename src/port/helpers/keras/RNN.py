# needs: uniform, summed_biases
import keras
from keras import layers


class RNN(layers.Layer):
    """nn.RNN: outputs and h of shape (layers * directions, batch, hidden). Takes packed sequences."""

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False,
                 dropout=0.0, bidirectional=False):
        super().__init__()
        self.batch_first = batch_first
        self.directions = 2 if bidirectional else 1
        self.rnn = [
            layers.SimpleRNN(
                hidden_size, activation=nonlinearity, use_bias=bias, go_backwards=i % self.directions == 1,
                return_sequences=True, return_state=True, zero_output_for_mask=True,
                kernel_initializer=uniform(hidden_size), recurrent_initializer=uniform(hidden_size),
                bias_initializer=summed_biases(hidden_size),
            )
            for i in range(num_layers * self.directions)
        ]
        self.dropout = layers.Dropout(dropout)

    def call(self, input, hx=None):
        lengths = getattr(input, "lengths", None)
        x = input if lengths is None else input.data
        swap = lengths is None and not self.batch_first
        x = keras.ops.swapaxes(x, 0, 1) if swap else x
        mask = None if lengths is None else keras.ops.arange(keras.ops.shape(x)[1]) < keras.ops.expand_dims(lengths, 1)
        states, outputs = [], []
        for i, rnn in enumerate(self.rnn):
            y, state = rnn(x, initial_state=None if hx is None else [hx[i]], mask=mask)
            states.append(state)
            outputs.append(keras.ops.flip(y, 1) if i % self.directions == 1 else y)
            if len(outputs) == self.directions:
                x = keras.ops.concatenate(outputs, axis=-1)
                x = self.dropout(x) if i + 1 < len(self.rnn) else x
                outputs = []
        x = keras.ops.swapaxes(x, 0, 1) if swap else x
        return x if lengths is None else input._replace(data=x), keras.ops.stack(states)
