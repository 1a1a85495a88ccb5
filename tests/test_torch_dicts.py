"""torch2tf: dicts of images, and what their methods put into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

NET = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        x = self.conv(x)
        RESULT
"""


@pytest.mark.parametrize("lines", [
    ["d = dict(a=x)", "d.update(b=x[:, :2])", "return torch.cat(list(d.values()), 1)"],
    ["d = {'a': x[:, :3]}", "e = {'b': x.sum(1)}", "e.update(d)", "return e['a'].sum(1) + e['b']"],
    ["d = {}", "d.update({'z': x.mean(1)})", "return d['z'].sum(1)"],
    ["d = {'a': x}", "e = d.copy()", "e['q'] = x * 2", "return e.pop('q').sum(1) + e['a'].mean(1)"],
    ["d = {}", "d.setdefault('a', x)", "return d['a'].sum(1)"],
])
def test_they_keep_their_axes(tmp_path: Path, lines: list[str]) -> None:
    source = NET.replace("RESULT", "\n        ".join(lines))
    result = translate(source, "torch2tf")
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(result.text, encoding="utf-8")
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[2,4,3,5]",))])
    assert verdict.status == "verified", (verdict, result.text)


def test_what_a_dict_is_given_that_is_not_known_may_be_anything() -> None:
    lines = ["d = {'a': x}", "d.update(self.more())", "return d['b'].permute(0, 2, 3, 1)"]
    source = NET.replace("RESULT", "\n        ".join(lines))
    result = translate(source, "torch2tf")
    assert any(f.code == "P204" for f in result.findings), result.text
