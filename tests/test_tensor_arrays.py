"""Arrays of tensors that a loop fills, and functions whose type hints say what is a tensor."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

RETURNS = '''
import tensorflow as tf


def expected_return(rewards: tf.Tensor, gamma: float) -> tf.Tensor:
    n = tf.shape(rewards)[0]
    returns = tf.TensorArray(dtype=rewards.dtype, size=n)
    rewards = rewards[::-1]
    total = tf.zeros((), rewards.dtype)
    for i in tf.range(n):
        total = rewards[i] + gamma * total
        total.set_shape(())
        returns = returns.write(i, total)
    returns = returns.stack()[::-1]
    return (returns - tf.reduce_mean(returns)) / (tf.math.reduce_std(returns) + 1e-7)


def walk(x: tf.Tensor):
    seen = tf.TensorArray(x.dtype, size=0, dynamic_size=True, clear_after_read=False)
    seen = seen.write(0, x)
    for t in range(1, 4):
        seen = seen.write(t, seen.read(t - 1) * 0.5)
    return seen.concat()
'''


def test_an_array_that_is_filled_in_order_is_a_list(tmp_path: Path) -> None:
    result = translate(RETURNS, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert "    returns = []\n" in result.text
    assert "        returns.append(total)\n    returns = torch.stack(returns).flip(0)\n" in result.text
    assert "rewards = rewards.flip(0)\n" in result.text  # a tensor, as its type hint says
    assert "seen.append(seen[t - 1] * 0.5)\n    return torch.cat(seen, 0)\n" in result.text
    agree(tmp_path, RETURNS, result.text, "tf2torch", [Case("expected_return", ("f32[7]", "gamma=0.9")),
                                                       Case("walk", ("f32[3,2]",))])


@pytest.mark.parametrize("lines", [
    "for i in tf.range(n - 1, -1, -1):\n    a = a.write(i, x[i])",  # from the end
    "for i in tf.range(n):\n    if i > 2:\n        a = a.write(i, x[i])",  # not all
    "for i in tf.range(n):\n    a = a.write(i + 1, x[i])", "for i in tf.range(n):\n    b = a.write(i, x[i])",
    "for i in tf.range(1, n):\n    a = a.write(i, x[i])"])
def test_any_other_array_is_refused(lines: str) -> None:
    body = "\n    ".join(f"a = tf.TensorArray(tf.float32, size=n)\n{lines}\nreturn a.stack()".splitlines())
    result = translate(f"import tensorflow as tf\n\n\ndef f(x: tf.Tensor, n: int):\n    {body}\n", "tf2torch")
    assert "P203" in [f.code for f in result.findings]
    assert "tf.TensorArray" in result.text
