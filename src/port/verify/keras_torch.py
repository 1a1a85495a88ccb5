"""What the Keras child does through PyTorch itself (KERAS_BACKEND=torch)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .draws import Log


def setup(log: Log) -> None:
    torch.set_num_threads(1)


def tensor(array: np.ndarray, dtype: str | None) -> Any:
    value = torch.tensor(array)
    return value.to(getattr(torch, dtype)) if dtype else value


def gradients(run: Callable[[list[Any]], list[Any]], floats: list[Any], variables: list[Any], others: list[Any],
              total: Callable[[list[Any]], Any]) -> tuple[list[Any], list[Any]]:
    """As in `keras_tensorflow`."""
    with torch.enable_grad():
        xs = [x.detach().requires_grad_() for x in floats]
        ys = run(xs)
        loss = total(ys)
        wanted = [*xs, *(v.value for v in variables)]
        if loss is None or not loss.requires_grad or not wanted:
            return ys, [torch.zeros_like(w) for w in wanted]
        found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return ys, [torch.zeros_like(w) if g is None else g for w, g in zip(wanted, found, strict=True)]
