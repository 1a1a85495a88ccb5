import torch
import torch.nn.functional as F
from torch import nn


class LSTMCell(nn.Module):
    """One step of a Keras LSTM: any activations, a single bias, gates in the order of nn.LSTM."""

    def __init__(self, input_size, hidden_size, bias=True, activation=torch.tanh,
                 recurrent_activation=torch.sigmoid):
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.orthogonal_(self.weight_hh)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
            nn.init.ones_(self.bias.detach()[self.hidden_size:2 * self.hidden_size])  # forget gate

    def initial_state(self, x):
        return [x.new_zeros(len(x), self.hidden_size)] * 2

    def forward(self, x, states):
        h, c = states
        gates = F.linear(x, self.weight_ih, self.bias) + F.linear(h, self.weight_hh)
        i, f, g, o = gates.chunk(4, -1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]
