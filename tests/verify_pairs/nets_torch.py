"""Two small networks; `nets_keras.py` is their port, which tests/test_verify_torch2tf.py breaks."""
import torch
import torch.nn.functional as F
from torch import nn


class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, (3, 5), padding=(1, 2), groups=2, bias=False)
        self.bn2 = nn.BatchNorm2d(8, eps=1e-3, momentum=0.3)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 5, 2, stride=2)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(400, 7)
        self.norm = nn.LayerNorm(7)
        self.head = nn.Linear(7, 7)
        self.scale = nn.Parameter(torch.ones(7))

    def forward(self, x):
        x = F.gelu(self.bn1(self.conv1(x)))
        x = self.pool(F.elu(self.bn2(self.conv2(x))))
        x = F.leaky_relu(self.up(x), 0.25)
        x = self.drop(torch.flatten(x, 1))
        x = self.norm(self.fc(x))
        x = F.dropout(x, 0.3, training=self.training)
        return self.head(torch.tanh(x)) * self.scale


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(11, 8)
        self.rnn = nn.LSTM(8, 8, batch_first=True)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 11)

    def forward(self, ids, mask=None):
        x, _ = self.rnn(self.emb(ids))
        y, _ = self.attn(x, x, x, key_padding_mask=mask)
        return self.out(self.norm(x + y)).log_softmax(-1)
