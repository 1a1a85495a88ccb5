from torch import nn


class StackedRNNCells(nn.Module):
    """Several cells as one: each step passes through all of them. The states are a list of lists, one per cell."""

    def __init__(self, *cells):
        super().__init__()
        self.cells = nn.ModuleList(cells)

    def initial_state(self, x):
        states = []
        for cell in self.cells:
            states.append(cell.initial_state(x))
            x = states[-1][0]  # the next cell sees the output of this one
        return states

    def forward(self, x, states):
        new_states = []
        for cell, state in zip(self.cells, states):
            x, state = cell(x, state)
            new_states.append(state)
        return x, new_states
