import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.conv = nn.Conv2d(inputs, width, 3, padding=1)
        self.bn = nn.BatchNorm2d(width)
        self.gain = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x):
        return F.relu(self.bn(self.conv(x))) * self.gain


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(3, 4), Block(4, 6)])
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(6, 5)

    def forward(self, x, ids):
        for block in self.blocks:
            x = block(x)
        x = self.drop(x.mean((2, 3)))
        return self.fc(x) + ids[:, None].to(x.dtype)


def normalise(x):
    return (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 0.25)
