"""Every sample of the layer rows, translated and run in both frameworks, each in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from port import sample, table
from port.translate import translate

HERE = Path(__file__).parent
# rows whose adapter is still to be written: their samples are refused, never wrong
OPEN = {"prelu", "mha", "conv_lstm", "group_norm", "normalization", "masking", "rnn"}


# weights of these helpers have names of their own: tests/test_rules_layers.py verifies them
HELPER_FORMS = r"^class (RNN|LSTMCell|GRUCell|SimpleRNNCell|MultiHeadAttention|PReLU)\b"


def build(row, values, arrays):
    """A Keras function that builds a model of this one layer."""
    inputs = [f"    x{i} = keras.Input(shape={x.shape[1:]}, dtype='{x.dtype}')" for i, x in enumerate(arrays)]
    names = ", ".join(f"x{i}" for i in range(len(arrays)))
    several = f"[{names}]" if len(arrays) > 1 else names
    settings = ", ".join(f"{k}={literal(v)}" for k, v in values.items())
    call = f"{row.tf[0].name}({settings})({names if apart(row) else several})"
    return "\n".join(["import keras", "", "", "def build():", *inputs, f"    y = {call}",
                      f"    return keras.Model({several}, y)", ""])


def literal(value):
    return "(" + "".join(f"{literal(v)}, " for v in value) + ")" if isinstance(value, list) else repr(value)


def apart(row):
    """Called with several arguments instead of a list."""
    return row.returns == "mha"


def cases():
    """Samples with their translation, and those that are refused."""
    done, refused, inputs = [], [], {}
    for row in (row for rows in table.load().values() for row in rows):
        if not row.file.startswith("layers") or row.none or row.draws:
            continue
        for at in (s for s in row.sample if "call" in s):
            values = {k: v for k, v in at.items() if k not in ("call", "training")}
            specs = at["call"] if isinstance(at["call"], list) else [at["call"]]
            arrays = [sample.array(sample.parse(s), f"{row.name}{i}") for i, s in enumerate(specs)]
            arrays = [x.astype("float32") if x.dtype.kind == "f" else x for x in arrays]
            text = translate(build(row, values, arrays), "tf2torch").text
            if re.search(HELPER_FORMS, text, re.M):
                continue
            if re.search(r"# port: P\d", text):
                refused.append((row, values))
                continue
            inputs |= {f"{len(done)}:{i}": x for i, x in enumerate(arrays)}
            done.append({"row": row.name, "name": row.tf[0].name, "sample": values, "inputs": len(arrays),
                         "apart": apart(row), "weights": row.weights, "text": text})
    return done, refused, inputs


def run(script, *paths):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, HERE / script, *paths], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_translated_layers_agree_with_keras(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    done, refused, inputs = cases()
    (tmp_path / "cases.json").write_text(json.dumps(done))
    np.savez(tmp_path / "inputs.npz", **inputs)
    paths = tmp_path / "cases.json", tmp_path / "inputs.npz", tmp_path / "keras.npz"
    run("layers_keras.py", *paths)
    faults = run("layers_torch.py", *paths).splitlines()
    assert not faults, "\n".join(faults)
    assert len(done) > 350
    unexpected = [(row.name, values) for row, values in refused if row.via not in OPEN
                  and "output_padding" not in values and values.get("axis") != 1]
    assert not unexpected
