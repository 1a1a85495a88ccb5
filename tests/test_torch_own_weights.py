"""Initial values of weights of the class itself, which exist from the start, in loops and of parts."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = ("import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, n=3):\n"
        "        super().__init__()\n")
FORWARD = "\n    def forward(self, x):\n        return x\n"
WEIGHTS = "        self.a = nn.Parameter(torch.Tensor(n, 5))\n        self.b = nn.Parameter(torch.Tensor(n))\n"


@pytest.mark.parametrize(("lines", "written"), [
    ("for t in [self.a, self.b]:\n    nn.init.normal_(t, std=0.1)",
     "t.assign(initializers.RandomNormal(stddev=0.1)(t.shape, t.dtype))"),
    ("for t in [self.a]:\n    nn.init.xavier_normal_(t)", "    fill(t, initializers.VarianceScaling(1.0, mode="),
    ("for t in self.parameters():\n    nn.init.uniform_(t, -0.1, 0.1)",
     "for t in self.trainable_variables:\n            t.assign(initializers.RandomUniform("),
    ("for i in range(n):\n    nn.init.zeros_(self.a[i])", "fill_part(self.a, i, initializers.Zeros())"),
])
def test_weights_by_other_names_and_their_parts_are_drawn(lines: str, written: str) -> None:
    text = "".join(f"        {line}\n" for line in lines.splitlines())
    result = translate(HEAD + WEIGHTS + text + FORWARD, "torch2tf")
    assert written in result.text and not [f for f in result.findings if f.outcome.needs_person]


def test_a_list_of_linear_layers_is_told_its_initialisers() -> None:
    lines = ("        self.a = nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, n, bias=False)])\n"
             "        for name, p in self.a.named_parameters():\n            if 'weight' in name:\n"
             "                nn.init.normal_(p, mean=0, std=0.3)\n            else:\n"
             "                nn.init.constant_(p, 0.5)\n")
    text = translate(HEAD + lines + FORWARD, "torch2tf").text
    assert ("        for layer in self.a:\n"
            "            layer.kernel_initializer = initializers.RandomNormal(mean=0, stddev=0.3)\n"
            "            layer.bias_initializer = initializers.Constant(0.5)\n") in text


@pytest.mark.parametrize("lines", [
    # `parameters()` of a class with layers has weights that Keras does not have yet
    "self.a = nn.Linear(3, 4)\n        self.b = nn.Parameter(torch.zeros(3))\n"
    "        for t in self.parameters():\n            nn.init.normal_(t)",
    # which module of a list is meant depends on its number
    "self.a = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])\n"
    "        for name, p in self.a.named_parameters():\n            if '1' in name:\n                nn.init.ones_(p)",
])
def test_weights_that_do_not_exist_yet_are_not_drawn(lines: str) -> None:
    result = translate(f"{HEAD}        {lines}\n{FORWARD}", "torch2tf")
    told = [f for f in result.findings if f.code == "P101" and "initial values are left out" in f.message]
    assert len(told) == 1 and not [f for f in result.findings if f.outcome.needs_person]
    assert "named_parameters" not in result.text and ".parameters()" not in result.text
