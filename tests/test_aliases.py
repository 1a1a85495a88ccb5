"""Other public names of one object: what one of them does, all do."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from port import table
from port.symbols import canonical
from port.translate import translate

PUBLIC = '''
import json
import types

import keras
import tensorflow as tf

LEFT = ("raw_ops", "keras.src", "experimental.numpy", "compat.v2", "legacy")  # another set of functions, or not public
found = {}


def walk(module, prefix, depth, above):
    for name in dir(module):
        path = f"{prefix}.{name}"
        if name.startswith("_") or any(left in path for left in LEFT):
            continue
        try:
            value = getattr(module, name)
        except Exception:
            continue
        if isinstance(value, types.ModuleType):
            inside = str(value.__dict__.get("__name__")).partition(".")[0] in ("tensorflow", "keras")
            if depth and inside and id(value) not in above:
                walk(value, path, depth - 1, above | {id(value)})
        elif callable(value):
            found.setdefault(id(value), []).append(path)


walk(tf, "tf", 3, {id(tf)})
walk(keras, "keras", 3, {id(keras)})
print(json.dumps([names for names in found.values() if len(names) > 1]))
'''


def test_every_name_of_what_has_a_row_has_it() -> None:
    done = subprocess.run([sys.executable, "-c", PUBLIC], capture_output=True, text=True, check=True,
                          env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""})
    groups = json.loads(done.stdout.splitlines()[-1])
    assert len(groups) > 1000
    rows = table.by_tf_name()
    own = set(rows)  # but for those that a prefix row (`tf.data.*`) has
    missing = {name for names in groups if any(canonical(n) in own for n in names)
               for name in names if canonical(name) not in rows}
    assert not missing


@pytest.mark.parametrize(("call", "ported"), [
    ("tf.dtypes.cast(x, tf.float64)", "x.to(torch.float64)"),
    ("tf.compat.v1.math.pow(x, 2.0)", "torch.pow(x, 2.0)"),
    ("tf.compat.v1.matrix_diag(x)", "torch.diag_embed(x)"),
    ("tf.matrix_diag(x)", "torch.diag_embed(x)"),  # of TF 1
])
def test_another_name_translates_alike(call: str, ported: str) -> None:
    source = f"import tensorflow as tf\n\n\ndef f(x: tf.Tensor):\n    return {call}\n"
    result = translate(source, "tf2torch")
    assert f"return {ported}\n" in result.text, result.text
    assert not result.findings


def test_initialisers_of_old_code() -> None:
    source = '''import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        nn.init.xavier_uniform(self.fc.weight)
        nn.init.constant(self.fc.bias, 0.5)

    def forward(self, x):
        return self.fc(x)
'''
    assert translate(source, "torch2tf").text == translate(
        source.replace("uniform(", "uniform_(").replace("constant(", "constant_("), "torch2tf").text
