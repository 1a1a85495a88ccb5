import torch
from torch import nn


class RNN(nn.Module):
    """Applies a cell step by step along axis 1, as keras.layers.RNN.

    The cell is called with one step and a list of states; it returns the output and the new states.
    Where `mask` is False the states stay as they are and the last output is repeated.
    """

    def __init__(self, cell, return_sequences=False, return_state=False, go_backwards=False):
        super().__init__()
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards  # the outputs then come in the order in which they are made

    def forward(self, x, initial_state=None, mask=None):
        states = self.cell.initial_state(x[:, 0]) if initial_state is None else initial_state
        steps = range(x.shape[1])
        output, outputs = None, []
        for t in reversed(steps) if self.go_backwards else steps:
            new_output, new_states = self.cell(x[:, t], states)
            if mask is None:
                output, states = new_output, new_states
            else:
                real = mask[:, t].reshape(-1, *[1] * (new_output.ndim - 1))
                output = torch.where(real, new_output, torch.zeros_like(new_output) if output is None else output)
                states = self.keep(real, new_states, states)
            outputs.append(output)
        result = torch.stack(outputs, 1) if self.return_sequences else output
        return (result, *states) if self.return_state else result

    def keep(self, real, new, old):
        if isinstance(new, torch.Tensor):
            return torch.where(real, new, old)
        return [self.keep(real, *pair) for pair in zip(new, old)]
