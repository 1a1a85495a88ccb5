"""What torch files may do around their numbers; `details_keras.py` is the port."""
from dataclasses import dataclass

import torch
from einops import rearrange
from einops.layers.torch import Rearrange
from torch import nn


class Masked(nn.Module):
    def __init__(self, *, width=4):
        super().__init__()
        self.fc = nn.Linear(5, width)

    def forward(self, x, mask=None, **kwargs):
        x = self.fc(x)
        if mask is not None:
            x = x.masked_fill(~mask[..., None], 0.0)
        return x * kwargs.get("factor", 1.0)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 4)
        self.fc = nn.Linear(3, 4)

    def forward(self, ids, x):
        return self.emb(ids) + self.fc(x)[:, None], ids + 1


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(5, 4)

    def forward(self, batch, extra):
        first, second = extra
        return {"sum": self.a(batch["x"]) + self.b(batch["y"]), "parts": [first * 2, None, second]}


@dataclass
class Output:
    loss: torch.Tensor
    logits: torch.Tensor = None
    hidden: torch.Tensor = None


class Structured(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        y = self.fc(x)
        return Output(loss=y.mean(), logits=y)


class Ema(nn.Module):
    """A buffer that training mode moves, and a constant one."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))
        self.register_buffer("centre", torch.zeros(3))
        self.register_buffer("steps", torch.arange(3.0))

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.centre.mul_(0.5).add_(x.mean(0), alpha=0.5)
        return (x - self.centre) * self.gain + self.steps


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(11, 6)
        self.mid = nn.Linear(6, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, ids):
        return self.head(torch.tanh(self.mid(self.wte(ids))))


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.left = nn.Linear(3, 3), nn.Linear(3, 3)
        self.spare = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.used(x)


class Patches(nn.Module):
    def __init__(self, dim=6):
        super().__init__()
        self.embed = nn.Sequential(Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=2, q=3), nn.Linear(18, dim))

    def forward(self, x):
        x = self.embed(x)
        return rearrange(x, "b n (k d) -> b k n d", k=2)


class Drops(nn.Module):
    """Stochastic depth of its own, and dropout between the layers of an LSTM."""

    def __init__(self, drop_prob=0.5):
        super().__init__()
        self.drop_prob = drop_prob
        self.rnn = nn.LSTM(4, 4, num_layers=2, dropout=0.25, batch_first=True)

    def forward(self, x):
        x, _ = self.rnn(x)
        if self.training and self.drop_prob > 0.0:
            keep = 1 - self.drop_prob
            x = x * torch.rand(x.shape[0], 1, 1, dtype=x.dtype).add(keep).floor() / keep
        return x


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3))

    def forward(self, x):
        return self.conv(x)


class Spectral(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.utils.spectral_norm(nn.Linear(3, 4))

    def forward(self, x):
        return self.fc(x)


class Cumulative(nn.Module):
    """momentum=None: a plain mean over all batches."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(3, momentum=None)

    def forward(self, x):
        return self.bn(x)


class Sampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu, self.logvar = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x):
        mu, logvar = self.mu(x), self.logvar(x)
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
