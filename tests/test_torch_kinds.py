"""What a parameter is: told by how it is used."""

from __future__ import annotations

import pytest

from port.facts import tensor
from port.translate import translate

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


def test_an_attribute_that_is_called_like_a_method_is_no_proof_of_a_tensor() -> None:
    result = translate(HEAD + """class Head(nn.Module):
    def __init__(self, body):
        super().__init__()
        dim = body.dim
        self.fc = nn.Linear(dim, body.size)

    def forward(self, x):
        return self.fc(x)
""", "torch2tf")
    assert not result.findings and "dim = body.dim" in result.text


@pytest.mark.parametrize(("call", "written"), [
    ("F.interpolate(x, x.shape[-1] // 2, mode='bilinear')", "(x.shape[2] // 2,) * 2"),
    ("F.adaptive_avg_pool2d(x, x.shape[-1] // 2)", "(x.shape[2] // 2,) * 2"),
])
def test_one_size_stands_for_all_axes(call: str, written: str) -> None:
    given = {"x": tensor((2, 3, 8, 8), "float")}
    result = translate(HEAD + f"def f(x):\n    return {call}\n", "torch2tf", params=given)
    assert written in result.text and not result.findings, result.text


def test_a_number_that_a_range_ends_with_is_whole() -> None:
    result = translate(HEAD + """class Grid(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = torch.arange(size) * torch.tensor([2 * size - 1])
""", "torch2tf")
    assert "tf.range(size, dtype=tf.int64) * tf.constant([2 * size - 1], tf.int64)" in result.text
