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
        self.rnn = []
        for _ in range(num_layers):
            rnn = layers.SimpleRNN(hidden_size, use_bias=bias, return_sequences=True, return_state=True,
                                   zero_output_for_mask=True, activation=nonlinearity)
            rnn = layers.Bidirectional(rnn) if bidirectional else rnn
            for one in (rnn.forward_layer, rnn.backward_layer) if bidirectional else (rnn,):
                one.cell.kernel_initializer = uniform(hidden_size)
                one.cell.recurrent_initializer = uniform(hidden_size)
                one.cell.bias_initializer = summed_biases(hidden_size)
            self.rnn.append(rnn)
        self.dropout = layers.Dropout(dropout)

    def call(self, input, hx=None):
        lengths = getattr(input, "lengths", None)
        x = input if lengths is None else input.data
        swap = lengths is None and not self.batch_first
        x = keras.ops.swapaxes(x, 0, 1) if swap else x
        mask = None
        if lengths is not None:
            mask = keras.ops.arange(keras.ops.shape(x)[1], dtype="int32") < lengths[:, None]
        states = []
        for i, rnn in enumerate(self.rnn):
            first = i * self.directions
            initial = None if hx is None else [hx[j] for j in range(first, first + self.directions)]
            x, *final = rnn(self.dropout(x) if i > 0 else x, initial_state=initial, mask=mask)
            states += final
        x = keras.ops.swapaxes(x, 0, 1) if swap else x
        output = x if lengths is None else input._replace(data=x)
        return output, keras.ops.stack(states)
