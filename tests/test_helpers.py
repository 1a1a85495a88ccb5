"""The helpers written into ported files, against Keras: each framework in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")
HERE = Path(__file__).parent
# other than rounding in float64: TensorFlow computes these in float32, or they are random
TOLERANCE = {"max3d": 1e-6, "avg3d": 1e-5, "bicubic": 5e-6, "mha": 1e-6, "gqa": 1e-6, "lstm hard": 1e-8,
             "gru hard": 1e-8, "draws": 5e-3}


def run(script: str, path: Path) -> str:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, HERE / script, path], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_helpers_agree_with_keras(tmp_path):
    """Outputs and input gradients; a helper that no case runs is a failure of the torch half."""
    reference = tmp_path / "keras.npz"
    run("helpers_keras.py", reference)
    worst = dict(line.split("\t") for line in run("helpers_torch.py", reference).splitlines())
    assert len(worst) > 150
    limit = {name: next((t for k, t in TOLERANCE.items() if name.startswith(k)), 1e-11) for name in worst}
    off = {name: error for name, error in worst.items() if float(error) > limit[name]}
    assert not off
