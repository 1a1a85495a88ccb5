"""What the Keras child does through JAX itself (KERAS_BACKEND=jax)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from .draws import Log

jax.config.update("jax_enable_x64", True)
RAW = ("normal", "uniform", "truncated_normal", "bernoulli", "categorical", "permutation")


def setup(log: Log) -> None:
    log.watch(jax.random, RAW)


def tensor(array: np.ndarray, dtype: str | None) -> Any:
    return jnp.asarray(array, dtype=dtype)


def gradients(run: Callable[[list[Any]], list[Any]], floats: list[Any], variables: list[Any], others: list[Any],
              total: Callable[[list[Any]], Any]) -> tuple[list[Any], list[Any]]:
    """As in `keras_tensorflow`. JAX differentiates functions: variables take their values from a stateless scope."""
    def loss(xs: list[Any], values: list[Any]) -> tuple[Any, Any]:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            ys = run(xs)
            found = total(ys)
        after = [scope.get_current_value(v) for v in others]
        return jnp.zeros(()) if found is None else found, (ys, after)

    values = [jnp.asarray(v.value) for v in variables]
    (dx, dw), (ys, after) = jax.grad(loss, argnums=(0, 1), has_aux=True)(floats, values)
    for variable, value in zip(others, after, strict=True):
        if value is not None:
            variable.assign(value)
    return ys, [*dx, *dw]
