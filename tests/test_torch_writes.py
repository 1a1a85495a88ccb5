"""Writes in place: PyTorch shows them in every variable that shares the memory, TensorFlow in none."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = """import torch
import torch.nn.functional as F
from torch import nn


"""


def codes(text: str) -> list[str]:
    return [f.code for f in translate(HEAD + text, "torch2tf").findings if f.code != "P101"]


def function(body: str) -> str:
    lines = "\n    ".join(body.split("; "))
    return f"def f(a: torch.Tensor, b: torch.Tensor):\n    {lines}\n"


@pytest.mark.parametrize("body", [
    "x = a.clone(); v = x.view(-1); x += 1; return v",
    "x = a * 2; y = x; x += 1; return y",
    "x = a * 2; row = x[0]; x.add_(1); return row",
    "x = a * 2; parts = [x]; x += 1; return parts",
    "x = a * 2; parts = []; parts.append(x); x[0] = 1; return parts",
    "x = a * 2; d = {'x': x}; x.mul_(2); return d",
    "x = a * 2; u, v = x.chunk(2); u += 1; return x",
    "x = a * 2; u = x[0]; u += 1; return x",
    "x = a * 2; u, v = x.chunk(2); x += 1; return u",
    "x = a * 2; u, v = x.chunk(2); w = v[0]; x += 1; return w",
    "u, v = a.chunk(2); u += 1; return u",
    "x = a * 2; u, v = map(lambda t: t.view(-1), (x, x)); u += 1; return v",
    "x = a * 2; y = x if b is None else b; y += 1; return x",
    "u = a[:, 0]; u += 1; return u",  # the caller's tensor
    "x = a; x += 1; return x",
    "x = F.dropout(a, 0.5, training=False); x += 1; return x",
    "x = a * 2; y = F.relu(x, inplace=True); return y + x",
    "x = a * 2; v = x.view(-1); y = F.relu(x, inplace=True); return y.sum() + v.sum()",
    "x = a * 1; out = []\n    for i in range(3):\n        x += 1\n        out.append(x)\n    return out",
    "x = a * 1\n    for i in range(3):\n        if i: a = a + y\n        y = x.view(-1)\n        x += 1\n    return a",
    "x = a * 2; y = x\n    if b is None:\n        x = x + 1\n    x += 1; return y",
    "x = a * 2; y = x.mul_(3); return x + y",
    "x = a * 2; return x + x.mul_(3)",
    "x = a * 2; v = x.view(-1); y = x.mul_(3) if b is None else x; return v + y",
])
def test_a_write_that_another_variable_shows_is_refused(body: str) -> None:
    assert codes(function(body)) == ["P203"], translate(HEAD + function(body), "torch2tf").text


@pytest.mark.parametrize("body", [
    "x = a * 2; return x.mul_(x.sigmoid()) if x.shape[0] > 2 else x.mul(x.sigmoid())",
    "x = a * 2; y = x.add_(3).clamp_(0, 6).div_(6); return y",
    "x = a * 2; y = x; x = x + 1; x += 1; return y, x",
    "identity = a; out = torch.exp(a); out += identity; return torch.relu(out)",
    "x = (a * 2).view(2, -1); x.mul_(2); x[0] = 1; return x",
    "x = a * 2; v = x.view(-1); s = v.sum(); x += 1; return x, s",
    "x = a * 2; row = x[b > 0]; x += 1; return row, x",  # picked by a mask: a copy
    "x = a * 2; y = x.clone(); x += 1; return y",
    "x = a * 2; n = x.shape[0]; x += 1; return x * n",
    "out = []\n    for i in range(3):\n        x = a * i\n        x += 1\n        out.append(x)\n    return out",
    "x = a * 2\n    if b is None:\n        x += 1\n        return x\n    y = x\n    return y",
    "x = a * 2; v = x.view(-1)\n    if b is None:\n        x += 1\n        return x\n    else:\n        return v",
    "x = F.relu(a * 2, inplace=True); x += a; return x",
    "u, v = (a * 2).chunk(2); u += 1; return u, v",  # pieces do not overlap
    "p = (a * 2).chunk(2); u, v = map(lambda t: t.view(-1), p); u += 1; return u, v",
    "u, v = a * 2, b * 2; u, v = map(lambda t: t.view(-1), (u, v)); u += 1; return u, v",
])
def test_a_write_that_nothing_else_shows_binds_the_variable_anew(body: str) -> None:
    assert codes(function(body)) == [], translate(HEAD + function(body), "torch2tf").text


def net(layers: str, body: str, more: str = "") -> str:
    lines = "\n        ".join(body.split("; "))
    return f"""{more}class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = {layers}
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        {lines}
"""


BLOCK = '''class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        h = self.relu(x.view(-1, 3))
        return self.fc(h)


'''


@pytest.mark.parametrize("text", [
    net("nn.Linear(3, 3)", "h = self.net(x); y = self.relu(h); return y + h"),
    net("nn.Linear(3, 3)", "h = self.net(x); return h + self.relu(h)"),
    net("nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 3))", "return self.net(x) + x"),
    net("nn.Sequential(nn.Identity(), nn.Sequential(nn.ReLU(True)))", "y = self.net(x); return y + x"),
    net("Block()", "return self.net(x) + x", BLOCK),
    net("nn.Sequential(Block(), nn.Tanh())", "return x + self.net(x)", BLOCK),
    net("nn.Linear(3, 3)", "h = self.net(x); y = self.relu(h[:, 0]); return y, h"),
])
def test_a_module_that_changes_what_it_is_given_is_refused_where_that_is_read_again(text: str) -> None:
    assert "P203" in codes(text)


@pytest.mark.parametrize("text", [
    net("nn.Linear(3, 3)", "h = self.net(x); h = self.relu(h); return h + x"),
    net("nn.Sequential(nn.ReLU(), nn.Linear(3, 3))", "return self.net(x) + x"),
    net("nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True))", "return self.net(x) + x"),
    net("Block()", "return self.net(x * 2) + x", BLOCK),
    net("Block()", "x = self.net(x); x = self.net(x); return x", BLOCK),
])
def test_a_module_that_changes_what_nobody_reads_is_ported(text: str) -> None:
    assert codes(text) == []


HELPER = """def change(t, u):
    t += u
    return t, u


class Net(nn.Module):
    def forward(self, x, y):
        {}
"""


@pytest.mark.parametrize(("body", "found"), [
    ("x = x * 2; x, y = change(x, y); return x", []),
    ("x = x * 2; z, y = change(x, y); return x", ["P203"]),
    ("x = x * 2; z = x.view(-1); x, y = change(x, y); return z", ["P203"]),
    ("x = x * 2; f = change; x, y = f(x, y); return x", ["P203"]),  # who else calls it is not known
    ("a, b = pair(x); a += 1; return a, b", ["P203"]),
    ("a, b = stacked(x); a += 1; return a, b", []),
    ("a, b = apart(x); a += 1; return a, b", []),
])
def test_a_function_that_changes_its_argument_is_judged_where_it_is_called(body: str, found: list[str]) -> None:
    more = """def pair(x):
    h = torch.exp(x)
    return h, h.view(-1)


def stacked(x):
    return torch.max(torch.exp(x), 1)


def apart(x):
    return torch.exp(x), torch.sin(x)


"""
    text = more + HELPER.format("\n        ".join(body.split("; ")))
    assert [c for c in codes(text) if c != "P206"] == found, translate(HEAD + text, "torch2tf").text


def test_branches_that_are_the_same_without_writes_are_one() -> None:
    source = HEAD + """def swish(x, inplace: bool = False):
    return x.mul_(x.sigmoid()) if inplace else x.mul(x.sigmoid())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 4)

    def forward(self, x):
        return swish(self.a(x), inplace=True)
"""
    result = translate(source, "torch2tf")
    assert not result.findings
    assert "    return x * tf.sigmoid(x)\n" in result.text
    alone = translate(source[:source.index("class Net")], "torch2tf")  # whose callers are not known
    assert [f.code for f in alone.findings] == ["P101"]
    assert "    return x * tf.sigmoid(x)\n" in alone.text
    seen = source.replace("return swish(self.a(x), inplace=True)", "y = self.a(x)\n        return swish(y, True) + y")
    assert any("that is read again" in f.message for f in translate(seen, "torch2tf").findings)
