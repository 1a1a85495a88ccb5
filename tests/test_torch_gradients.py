"""Classes of autograd, which give a function a gradient of its own, become functions under tf.custom_gradient."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom torch.autograd import Function\n\n\n"
SOURCE = HEAD + '''class Swish(torch.autograd.Function):
    """Saves its input only."""

    @staticmethod
    def forward(ctx, x):
        result = x * torch.sigmoid(x)
        ctx.save_for_backward(x)
        return result

    @staticmethod
    def symbolic(g, x):
        return g.op("Mul", x, g.op("Sigmoid", x))

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s * (1 + x * (1 - s)))


class Steep(Function):
    @staticmethod
    def forward(ctx, x, slope, limit=6.0):
        ctx.save_for_backward(x)
        ctx.slope = slope
        ctx.bound = limit * 2
        return torch.where(x > 0, x, x * slope)

    @staticmethod
    def backward(ctx, dy):
        inputs = ctx.saved_tensors[0]
        grad = dy.clone()
        grad[inputs < 0] = 0.25  # not the derivative
        grad = grad * ctx.slope * 3
        return grad.clamp(-ctx.bound, ctx.bound), None, None


class Scale(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x, scale)
        return x * scale, x + scale

    @staticmethod
    def backward(ctx, da, db):
        x, scale = ctx.saved_tensors
        return 2 * da * scale + db, (da * x).sum((0, 2, 3), keepdim=True) + db.sum((0, 2, 3), keepdim=True)


swish = Swish.apply


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.scale = nn.Parameter(torch.rand(1, 4, 1, 1))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = swish(self.conv(x))
        x = Steep.apply(x - 0.1, 0.3)
        a, b = Scale.apply(x, self.scale)
        return self.head((a * b).mean((2, 3)))
'''


def test_gradients_of_their_own(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not [f for f in result.findings if f.outcome is not Outcome.EXACT], result.findings
    assert '''@tf.custom_gradient
def Swish(x):
    """Saves its input only."""
    result = x * tf.sigmoid(x)

    def grad(grad_output):
        s = tf.sigmoid(x)
        return grad_output * (s * (1 + x * (1 - s)))

    return result, grad
''' in result.text
    assert "def Steep(x, slope, limit=6.0):\n\n    @tf.custom_gradient\n    def op(x):\n" in result.text.replace(
        "limit=6.0):\n    @tf", "limit=6.0):\n\n    @tf")
    assert "swish = Swish\n" in result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [Case("Net()", ("f32[2,3,9,8]",))])


@pytest.mark.parametrize(("old", "new"), [
    ("        return result\n", "        result = x.mul_(2)\n        return result\n"),  # saved, then changed
    ("        x, = ctx.saved_tensors\n", "        x, = ctx.saved_tensors\n        x = x + 1\n"),  # its own variable
    ("x * torch.sigmoid(x)\n        ctx", "x * torch.sigmoid(x)\n        op = x\n        ctx"),  # a name made here
    ("        return grad_output *", "        return result * grad_output *"),  # a global, if anything
    ("        s = torch.sigmoid(x)\n", "        s = torch.sigmoid(x) if ctx.needs_input_grad[0] else x\n"),
])
def test_what_hangs_on_the_context_in_another_way_stays(old: str, new: str) -> None:
    result = translate(SOURCE.replace(old, new, 1), "torch2tf")
    assert any(f.code == "P206" and "`torch.autograd.Function`" in f.message for f in result.findings), result.findings
    assert "class Swish(torch.autograd.Function):" in result.text


def test_only_apply_is_there() -> None:
    source = SOURCE.replace("swish = Swish.apply", "swish = Swish.forward")
    assert any("`.forward` of a class of autograd" in f.message for f in translate(source, "torch2tf").findings)


def test_backends_of_keras_have_ways_of_their_own() -> None:
    from port.result import Options

    result = translate(SOURCE, "torch2tf", Options(target="keras"))
    assert any("each backend of Keras" in f.message for f in result.findings)
