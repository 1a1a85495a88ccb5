import torch
import torch.nn.functional as F
from torch import nn


class SimpleRNNCell(nn.Module):
    """One step of a Keras SimpleRNN, with any activation."""

    def __init__(self, input_size, hidden_size, bias=True, activation=torch.tanh):
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.orthogonal_(self.weight_hh)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def initial_state(self, x):
        return [x.new_zeros(len(x), self.hidden_size)]

    def forward(self, x, states):
        h = self.activation(F.linear(x, self.weight_ih, self.bias) + F.linear(states[0], self.weight_hh))
        return h, [h]
