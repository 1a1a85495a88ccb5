"""Calls of PyTorch whose arguments the file says elsewhere: dicts behind `**`."""

from __future__ import annotations

import pytest

from port.translate import translate

TO = "def to(t):\n    return {'device': t.device, 'dtype': t.dtype}\n\n\n"


def port(body: str, before: str = "") -> tuple[str, list[str]]:
    lines = "\n    ".join(line.strip() for line in body.split(";"))
    result = translate(f"import torch\n\n\n{before}def f(x: torch.Tensor, flag: bool):\n    {lines}\n", "torch2tf")
    return result.text[result.text.index("def f("):], [f.code for f in result.findings]


@pytest.mark.parametrize(("body", "written"), [
    ("return torch.zeros((2, 3), **to(x))", "return tf.zeros((2, 3), x.dtype)"),
    ("y = x.exp(); return torch.ones(4, **to(y)) + y", "return tf.ones([4], y.dtype) + y"),
    ("a, b = x.device, x.dtype; dd = {'device': a, 'dtype': b}; return torch.arange(4, **dd)",
     "a, b = x.device, x.dtype\n    return tf.range(4, dtype=b)"),
])
def test_settings_behind_two_stars_are_written_out(body: str, written: str) -> None:
    text, codes = port(body, TO)
    assert written in text and "**" not in text and not codes, text


@pytest.mark.parametrize("body", [
    "d = x.dtype; dd = {'dtype': d}; d = torch.int32; return torch.zeros(4, **dd)",  # another dtype there
    "dd = {'dtype': x.dtype}; dd['dtype'] = torch.int32; return torch.zeros(4, **dd)",
    "dd = {'dtype': x.dtype}; dd.update(flag); return torch.zeros(4, **dd)",
    "dd = {'dtype': x.dtype, 'size': flag.pop()}; return torch.zeros(**dd)",  # once, there
    "dd = {'dtype': x.dtype} if flag else {'dtype': torch.int32}; return torch.zeros(4, **dd)",
])
def test_settings_that_may_be_others_are_refused(body: str) -> None:
    text, codes = port(body, TO)
    assert "**dd" in text and "P202" in codes, text


LOADS = '''import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def restore(self, path):
        """Reads weights."""
        self.load_state_dict(torch.load(path))

    def forward(self, x):
        return self.fc(x)


def load(model, settings):
    assert settings
    model.load_state_dict(torch.load(settings["path"]))
    model.mean = settings["mean"]


def net(settings=None):
    model = Net()
    if settings is not None:
        load(model, settings)
    return model
'''


def test_what_reads_a_weights_file_says_so_and_the_rest_is_ported() -> None:
    result = translate(LOADS, "torch2tf")
    assert [f.code for f in result.findings] == ["P207", "P207"] and "torch" not in result.text.replace("PyTorch", "")
    assert result.text.count('    raise NotImplementedError("PyTorch weights are not read by Keras")') == 2
    assert "        load(model, settings)\n    return model" in result.text and '"""Reads weights."""' in result.text


def test_versions_and_precision_of_pytorch_do_not_matter() -> None:
    result = translate("""import torch
from packaging import version
from torch.amp import autocast


@autocast('cuda', enabled=False)
def f(x: torch.Tensor, flash: bool):
    assert not (flash and version.parse(torch.__version__) < version.parse('2.0.0')), 'too old'
    return x.exp()
""", "torch2tf")
    assert result.text.endswith("\n\ndef f(x: tf.Tensor, flash: bool):\n    return tf.exp(x)\n")
    assert [f.code for f in result.findings] == ["P103", "P103"]


def test_classes_of_data_make_their_objects_as_before() -> None:
    """`super().__new__` of a class that is no module has nothing to do with PyTorch's modules."""
    made = '''class Feature(namedtuple("Feature", ["name", "size"])):
    def __new__(cls, name, size=4):
        return super(Feature, cls).__new__(cls, name, size)

    def __hash__(self):
        return self.name.__hash__()
'''
    result = translate(f"import torch\nfrom collections import namedtuple\n\n\n{made}\n\ndef width(f):\n"
                       "    return torch.zeros(Feature(f).size)\n", "torch2tf")
    assert made in result.text and not result.findings
    assert "tf.zeros(Feature(f).size, " in result.text
    module = "import torch\n\n\nclass Net(torch.nn.Module):\n    def __new__(c):\n        return super().__new__(c)\n"
    assert [f.code for f in translate(module, "torch2tf").findings] == ["P203"]


def test_a_statement_that_only_gives_a_new_tensor_is_left_out() -> None:
    result = translate("import torch\n\n\ndef f(x):\n    mask = torch.relu(x)\n    mask.type(torch.float32)\n"
                       "    return mask\n", "torch2tf")
    assert "    mask = tf.nn.relu(x)\n    return mask\n" in result.text
    assert [(f.line, f.code) for f in result.findings] == [(6, "P001")]
