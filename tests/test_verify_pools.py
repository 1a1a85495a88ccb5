"""What verify puts in the place of kernels that TensorFlow does not have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import numpy as np
import tensorflow as tf
from port.verify import tf_pooled

x = np.random.default_rng(0).normal(size=(2, 5, 7, 6, 3))
cases = [((1, 2, 3, 2, 1), (1, 1, 2, 3, 1), "VALID"), ((1, 3, 3, 3, 1), (1, 2, 2, 2, 1), "SAME")]
cases += [(*case, "avg_pool3d") for case in cases]

def run(x, k, s, p, pool="max_pool3d"):
    with tf.GradientTape() as tape:
        x = tf.constant(x)
        tape.watch(x)
        y = getattr(tf.nn, pool)(x, k, s, p)
        z = tf.reduce_sum(y ** 2)
    return y.numpy(), tape.gradient(z, x).numpy()

before = [run(x.astype("float32"), *case) for case in cases]
tf_pooled.install()
for (y, dx), case in zip(before, cases):
    other, gradient = run(x, *case)
    assert other.dtype == "float64" and y.shape == other.shape, (y.shape, other.shape)
    np.testing.assert_allclose(other, y, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gradient, dx, rtol=1e-5, atol=1e-6)
traced = tf.function(lambda x: tf.nn.max_pool3d(x, *cases[0])).get_concrete_function(
    tf.TensorSpec([None, 5, None, 6, 3], tf.float64))
np.testing.assert_allclose(traced(tf.constant(x)), before[0][0], rtol=1e-6, atol=1e-6)
"""


def test_pools_over_space_in_float64(tmp_path: Path) -> None:
    env = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[1] / "src"), TF_CPP_MIN_LOG_LEVEL="3")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
