"""Batch norms that repeat PyTorch's own forward, to do one thing more: `F.batch_norm` over the layer's buffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = '''import torch
from torch import nn
import torch.nn.functional as F


class NormAct(nn.BatchNorm2d):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, act_layer=nn.ReLU,
                 device=None, dtype=None):
        try:
            places = {"device": device, "dtype": dtype}
            super().__init__(num_features, eps=eps, momentum=momentum, affine=affine,
                             track_running_stats=track_running_stats, **places)
        except TypeError:
            super().__init__(num_features, eps=eps, momentum=momentum, affine=affine,
                             track_running_stats=track_running_stats)
        self.act = act_layer()

    def forward(self, x):
        """The norm, then the activation."""
        self._check_input_dim(x)
        if self.momentum is None:
            factor = 0.0
        else:
            factor = self.momentum
        if self.training and self.track_running_stats:
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
                if self.momentum is None:
                    factor = 1.0 / float(self.num_batches_tracked)
                else:
                    factor = self.momentum
        """Statistics of the batch are for training, and where there are no others."""
        if self.training:
            of_batch = True
        else:
            of_batch = (self.running_mean is None) and (self.running_var is None)
        x = F.batch_norm(
            x,
            self.running_mean if not self.training or self.track_running_stats else None,
            self.running_var if not self.training or self.track_running_stats else None,
            self.weight, self.bias, of_batch, factor, self.eps)
        return self.act(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = NormAct(4, eps=1e-3)
        self.other = NormAct(4, momentum=0.2, act_layer=nn.Tanh)

    def forward(self, x):
        return self.other(self.norm(self.conv(x)))
'''
SHORT = '''
    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var, weight=self.weight, bias=self.bias,
                            training=self.training or not self.track_running_stats, momentum=self.momentum,
                            eps=self.eps).tanh()


class Net'''


def test_it_is_the_layer_itself() -> None:
    result = translate(SOURCE, "torch2tf")
    assert {(f.code, f.line) for f in result.findings} == {("P101", 11), ("P202", 11)}
    assert "        x = self.norm(x)\n        return self.act(x)\n" in result.text and "factor" not in result.text
    assert '"""The norm, then the activation."""' in result.text
    assert "if not track_running_stats:\n" in result.text and "except" not in result.text
    assert "        super().__init__()\n" in result.text and "NormAct(layers.Layer)" in result.text


def test_shorter_forms_of_the_same() -> None:
    body = SOURCE[:SOURCE.index("    def forward")].rstrip() + "\n" + SHORT + SOURCE.partition("class Net")[2]
    text = translate(body, "torch2tf").text
    assert "return tf.tanh(self.norm(x))" in text


@pytest.mark.parametrize(("old", "new"), [
    ("factor = self.momentum\n        if self.training and", "factor = 0.5\n        if not self.training and"),
    ("of_batch = True", "of_batch = False"),
    ("self.num_batches_tracked.add_(1)", "self.num_batches_tracked.add_(2)"),
    ("self.weight, self.bias, of_batch", "self.bias, self.weight, of_batch"),
    ("        self.act = act_layer()", "        self.act = act_layer()\n        self.eps = 0.1"),
    ("self.running_var if not self.training or", "self.running_var if self.training and"),
    ("return self.act(x)", "return self.act(x) * factor"),
])
def test_what_differs_in_some_mode_stays(old: str, new: str) -> None:
    assert old in SOURCE
    text = translate(SOURCE.replace(old, new), "torch2tf").text
    assert "class NormAct(nn.BatchNorm2d)" in text


def test_another_fallback_than_fewer_arguments_stays() -> None:
    other = SOURCE.replace("""        except TypeError:
            super().__init__(num_features, eps=eps,""", """        except TypeError:
            super().__init__(num_features, eps=2 * eps,""")
    assert other != SOURCE and "class NormAct(nn.BatchNorm2d)" in translate(other, "torch2tf").text


def test_verified(tmp_path: Path) -> None:
    source, target = tmp_path / "source.py", tmp_path / "target.py"
    source.write_text(SOURCE)
    target.write_text(translate(SOURCE, "torch2tf").text)
    verdict = verify(source, target, "torch2tf", [Case("Net()", ("f32[2,3,7,9]",))], Settings(timeout=300))[0]
    assert verdict.status == "verified", verdict
