import torch
from torch import nn


class Bidirectional(nn.Module):
    """Two RNNs, the second with go_backwards, over one sequence; their outputs are merged.

    merge_mode: 'concat', 'sum', 'mul', 'ave' or None (both outputs). With states: (output, *forward, *backward).
    Where `mask` is False the outputs of a sequence are zero.
    """

    def __init__(self, forward_rnn, backward_rnn, merge_mode='concat'):
        super().__init__()
        self.forward_rnn = forward_rnn
        self.backward_rnn = backward_rnn
        self.merge_mode = merge_mode

    def forward(self, x, initial_state=None, mask=None):
        half = 0 if initial_state is None else len(initial_state) // 2
        ahead = self.forward_rnn(x, initial_state and initial_state[:half], mask)
        back = self.backward_rnn(x, initial_state and initial_state[half:], mask)
        states = ()
        if self.forward_rnn.return_state:
            (ahead, *ahead_states), (back, *back_states) = ahead, back
            states = (*ahead_states, *back_states)
        if self.forward_rnn.return_sequences:
            back = back.flip(1)
            if mask is not None:
                ahead, back = ahead * mask.unsqueeze(-1), back * mask.unsqueeze(-1)
        output = self.merge(ahead, back)
        return (*output, *states) if self.merge_mode is None else (output, *states) if states else output

    def merge(self, ahead, back):
        if self.merge_mode == 'concat':
            return torch.cat([ahead, back], dim=-1)
        if self.merge_mode == 'sum':
            return ahead + back
        if self.merge_mode == 'mul':
            return ahead * back
        if self.merge_mode == 'ave':
            return (ahead + back) / 2
        return ahead, back
