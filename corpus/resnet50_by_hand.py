"""ResNet-50 as in keras.applications (stride on the first 1 x 1 convolution, biases), written by hand in PyTorch."""

import torch.nn.functional as F
from torch import nn


def conv_bn(channels, filters, kernel_size, stride=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel_size, stride=stride, padding=kernel_size // 2),
                         nn.BatchNorm2d(filters, eps=1.001e-5, momentum=0.01))


class Bottleneck(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.shortcut = None
        if stride > 1 or channels != 4 * filters:
            self.shortcut = conv_bn(channels, 4 * filters, 1, stride)
        self.reduce = conv_bn(channels, filters, 1, stride)
        self.conv = conv_bn(filters, filters, 3)
        self.expand = conv_bn(filters, 4 * filters, 1)

    def forward(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        x = F.relu(self.reduce(x))
        x = F.relu(self.conv(x))
        return F.relu(shortcut + self.expand(x))


class ResNet50(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, stride=2, padding=3),
                                  nn.BatchNorm2d(64, eps=1.001e-5, momentum=0.01))
        blocks, channels = [], 64
        for filters, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for i in range(count):
                blocks.append(Bottleneck(channels, filters, stride if i == 0 else 1))
                channels = 4 * filters
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, classes)

    def forward(self, images):
        """images: (N, height, width, 3)."""
        x = images.permute(0, 3, 1, 2)
        x = F.relu(self.stem(x))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.blocks(x)
        return F.softmax(self.head(x.mean((2, 3))), dim=-1)
