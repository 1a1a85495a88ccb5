"""Lists that tensors of both orders of axes are put into, and modules that get tensors of any rank."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = "import torch\nfrom torch import nn\n\n\n"
MIXING = HEAD + '''class Mixing(nn.Module):
    def __init__(self, fields=3, sizes=(8, 6), halved=True):
        super().__init__()
        self.sizes = sizes
        self.halved = halved
        self.convs = nn.ModuleList()
        self.fields = [fields]
        for size in sizes:
            self.convs.append(nn.Conv1d(self.fields[-1] * self.fields[0], size, 1))
            self.fields.append(size // 2 if halved else size)

    def forward(self, inputs):
        batch, dim = inputs.shape[0], inputs.shape[-1]
        hidden = [inputs]
        final = []
        for i, size in enumerate(self.sizes):
            x = torch.einsum('bhd,bmd->bhmd', hidden[-1], hidden[0])
            x = x.reshape(batch, hidden[-1].shape[1] * hidden[0].shape[1], dim)
            x = torch.relu(self.convs[i](x))
            if self.halved:
                if i != len(self.sizes) - 1:
                    after, direct = torch.split(x, 2 * [size // 2], 1)
                else:
                    direct = x
                    after = 0
            else:
                direct = x
                after = x
            final.append(direct)
            hidden.append(after)
        return torch.sum(torch.cat(final, dim=1), -1)
'''
KEPT = HEAD + '''class Kept(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1)

    def forward(self, x, n: int = 3):
        whole = torch.matmul(x, x.transpose(1, 2)).softmax(-1)
        kept = [torch.matmul(whole, x), self.conv(x)]
        kept.extend([self.conv(x) * 2, whole @ x])
        for i in range(n):
            kept.append(torch.tanh(self.conv(kept[i])))
            kept[i] = self.conv(kept[i + 1]) + kept[-1]
        kept += [self.conv(x)]
        y = kept[0]
        for one in kept:
            y = y + torch.matmul(whole, one)
        return y
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "torch2tf").findings if f.outcome is Outcome.REFUSED]


@pytest.mark.parametrize("arguments", ["", "halved=False"])
def test_a_list_of_which_any_tensor_is_taken_holds_them_with_the_axes_of_the_source(
        tmp_path: Path, arguments: str) -> None:
    """The number that one path gives in the place of a tensor is not transposed."""
    text = translate(MIXING, "torch2tf").text
    assert not refused(MIXING)
    assert "after, direct = split(x, 2 * [size // 2], axis=-1)\n                    after = tf.transpose(" in text
    assert "hidden.append(after)" in text and "final.append(direct)" in text
    agree(tmp_path, MIXING, text, "torch2tf", [Case(f"Mixing({arguments})", ("f32[2,3,5]",))])


def test_each_way_that_tensors_come_into_such_a_list(tmp_path: Path) -> None:
    text = translate(KEPT, "torch2tf").text
    assert not refused(KEPT)
    agree(tmp_path, KEPT, text, "torch2tf", [Case("Kept()", ("f32[2,4,5]",))])


ANY_RANK = HEAD + '''class Gate(nn.Module):
    def __init__(self, turned=False):
        super().__init__()
        self.turned = turned

    def forward(self, x):
        y = x
        if self.turned:
            y = torch.transpose(y, 1, 2)
        y = torch.softmax(y, dim=1) * y
        return torch.transpose(y, 1, 2) if self.turned else y


def activation(name):
    if name == 'relu':
        return nn.ReLU()
    elif name == 'gate':
        return Gate()
    return Gate(True)


class Images(nn.Module):
    def __init__(self, name='relu'):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1)
        self.act = activation(name)

    def forward(self, x):
        x = self.conv(x)
        y = self.act(x)
        return self.conv(y) + x


class Net(nn.Module):
    def __init__(self, name='relu', last='relu'):
        super().__init__()
        self.images = Images(name)
        self.dense = nn.Linear(5, 5)
        self.act = activation(last)

    def forward(self, x):
        return self.act(self.dense(self.images(x).mean(1)))
'''


@pytest.mark.parametrize("arguments", ["", "'gate', 'gate'", "'turned'"])
def test_a_module_of_the_users_for_any_rank_gets_the_axes_of_the_source_as_others_of_its_place(
        tmp_path: Path, arguments: str) -> None:
    text = translate(ANY_RANK, "torch2tf").text
    assert not refused(ANY_RANK)
    agree(tmp_path, ANY_RANK, text, "torch2tf", [Case(f"Net({arguments})", ("f32[2,4,5]",))])
