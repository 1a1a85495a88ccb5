import torch
import torch.nn.functional as F
from torch import nn


class GRUCell(nn.Module):
    """One step of a Keras GRU: any activations, `reset_after` or before, gates in the order of nn.GRU."""

    def __init__(self, input_size, hidden_size, bias=True, activation=torch.tanh,
                 recurrent_activation=torch.sigmoid, reset_after=True):
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.reset_after = reset_after
        self.weight_ih = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.zeros(3 * hidden_size)) if bias else None
        self.bias_hh = nn.Parameter(torch.zeros(3 * hidden_size)) if bias and reset_after else None
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.orthogonal_(self.weight_hh)
        for bias in (self.bias_ih, self.bias_hh):
            if bias is not None:
                nn.init.zeros_(bias)

    def initial_state(self, x):
        return [x.new_zeros(len(x), self.hidden_size)]

    def forward(self, x, states):
        h = states[0]
        x_r, x_z, x_n = F.linear(x, self.weight_ih, self.bias_ih).chunk(3, -1)
        if self.reset_after:
            h_r, h_z, h_n = F.linear(h, self.weight_hh, self.bias_hh).chunk(3, -1)
            r = self.recurrent_activation(x_r + h_r)
            n = self.activation(x_n + r * h_n)
        else:
            w_r, w_z, w_n = self.weight_hh.chunk(3)
            h_z = F.linear(h, w_z)
            r = self.recurrent_activation(x_r + F.linear(h, w_r))
            n = self.activation(x_n + F.linear(r * h, w_n))
        z = self.recurrent_activation(x_z + h_z)
        h = z * h + (1 - z) * n
        return h, [h]
