"""Functions that hand modules on to torch's checkpoint(), and parts of a Sequential that take its place."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = "import torch\nimport torch.utils.checkpoint\nfrom torch import nn\n\n\n"
OWN = '''def checkpoint(function, *args, use_reentrant=None, **kwargs):
    """With our own default."""
    if use_reentrant is None:
        use_reentrant = False
    return torch.utils.checkpoint.checkpoint({given}, *args, use_reentrant=use_reentrant, **kwargs)


'''
NETS = '''class Images(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.blocks = nn.Sequential(nn.Conv2d(3, n, 3), nn.Conv2d(n, n, 3))

    def forward(self, x):
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=True)
        return x


class Rows(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.first = nn.Linear(n, n)
        self.conv = nn.Conv2d(n, n, 1)

    def forward(self, x):
        x = checkpoint(self.first, x)
        x = x.transpose(1, 3)
        return torch.utils.checkpoint.checkpoint(self.conv, x, use_reentrant=False)
'''


def test_what_hands_on_is_called_as_the_module_itself() -> None:
    done = translate(HEAD + OWN.format(given="function") + NETS, "torch2tf")
    assert "            x = block(x)\n" in done.text and "        x = self.first(x)\n" in done.text
    assert "class Images(keras.Model)" in done.text and "class Rows(keras.Model)" in done.text
    # the module gets its own order of axes
    assert "self.conv(tf.transpose(x, [0, 2, 3, 1]))" in done.text
    assert not [f for f in done.findings if f.code != "P001"]


@pytest.mark.parametrize("given", ["function.forward", "wrap(function)"])
def test_what_hands_on_something_else_is_no_such_function(given: str) -> None:
    text = translate(HEAD + OWN.format(given=given) + NETS, "torch2tf").text
    assert "x = block(x)" not in text


def test_a_sequential_that_is_cut_stays_one_place() -> None:
    source = HEAD + '''class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.blocks = nn.Sequential(nn.Conv2d(3, n, 3), nn.Conv2d(n, n, 3), nn.Conv2d(n, n, 3))

    def cut(self, indices):
        last = max(indices)
        self.blocks = self.blocks[:last + 1]
        return last

    def forward(self, x):
        return self.blocks(x)
'''
    done = translate(source, "torch2tf")
    assert "class Net(keras.Model)" in done.text and not done.findings
    assert "self.blocks = keras.Sequential(self.blocks.layers[:last + 1])" in done.text
