# needs: Conv2dSame
import torch
from torch import nn


class ConvLSTM2dCell(nn.Module):
    """One step of a Keras ConvLSTM2D on channels-first input."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding='valid', dilation=1, bias=True,
                 activation=torch.tanh, recurrent_activation=torch.sigmoid):
        super().__init__()
        self.out_channels = out_channels
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        conv = Conv2dSame if padding == 'same' else nn.Conv2d
        self.input = conv(in_channels, 4 * out_channels, kernel_size, stride=stride, dilation=dilation, bias=bias)
        self.recurrent = nn.Conv2d(out_channels, 4 * out_channels, kernel_size, padding='same', bias=False)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.input.weight)
        nn.init.orthogonal_(self.recurrent.weight)
        if self.input.bias is not None:
            nn.init.zeros_(self.input.bias)
            nn.init.ones_(self.input.bias.detach()[self.out_channels:2 * self.out_channels])  # forget gate

    def initial_state(self, x):
        return [torch.zeros_like(self.input(x)[:, :self.out_channels])] * 2

    def forward(self, x, states):
        h, c = states
        i, f, g, o = (self.input(x) + self.recurrent(h)).chunk(4, 1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]
