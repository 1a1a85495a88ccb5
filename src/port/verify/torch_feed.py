"""Run a torch model with every paired module fed the source's activations; report what each does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import compare, locate

Align = Callable[[np.ndarray, tuple[int, ...]], np.ndarray | None]


def run(forward: Callable[[], Any], handles: Any, plan: dict[int, list[locate.Call]], classes: dict[int, list[str]],
        same: bool) -> list[locate.Step]:
    """`same`: the source has this framework's layout."""
    steps: list[locate.Step] = []
    counts: dict[int, int] = {}
    into: dict[int, float | None] = {}
    hooks = []

    def align_of(index: int) -> Align:
        return lambda value, shape: locate.align(value, shape, classes[index], "torch", same)

    def before(index: int) -> Any:
        def hook(module: Any, args: Any) -> Any:
            turn = counts.setdefault(index, 0)
            calls = plan[index]
            into[index] = None
            if turn >= len(calls) or not args or not torch.is_tensor(args[0]) or not calls[turn].ins:
                return None
            value = _like(calls[turn].ins[0], args[0], align_of(index))
            if value is None:
                return None
            into[index] = compare.error(_numpy(value), _numpy(args[0]))[0]
            return (value, *args[1:])
        return hook

    def after(index: int) -> Any:
        def hook(module: Any, args: Any, result: Any) -> Any:
            turn, calls = counts.get(index, 0), plan[index]
            counts[index] = turn + 1
            if turn >= len(calls):
                return None
            off, replaced = _judge(result, calls[turn].outs, align_of(index))
            steps.append(locate.Step(calls[turn].unit, index, into.get(index), off,
                                     "" if off is not None else _shapes(result, calls[turn].outs)))
            return replaced
        return hook

    for index in plan:
        module = handles[index][0]
        hooks += [module.register_forward_pre_hook(before(index)), module.register_forward_hook(after(index))]
    try:
        forward()
    finally:
        for handle in hooks:
            handle.remove()
    return steps


def _shapes(result: Any, outs: tuple[np.ndarray, ...]) -> str:
    if not torch.is_tensor(result) or not outs:
        return ""
    return f"shape {list(result.shape)} where the source has {list(outs[0].shape)}, each in its own layout"


def _numpy(value: torch.Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def _like(source: np.ndarray, tensor: torch.Tensor, align: Align) -> torch.Tensor | None:
    """The source's activation in place of `tensor`, None if the shapes cannot match."""
    value = align(source, tuple(tensor.shape))
    if value is None or (value.dtype.kind == "f") != tensor.is_floating_point():
        return None
    return torch.tensor(np.ascontiguousarray(value), device=tensor.device).to(tensor.dtype)


def _judge(result: Any, outs: tuple[np.ndarray, ...], align: Align) -> tuple[float | None, Any]:
    """(error of the module's own output, what to hand on instead or None)"""
    if not outs:
        return None, None
    if torch.is_tensor(result):
        value = _like(outs[0], result, align)
        return (None, None) if value is None else (compare.error(_numpy(value), _numpy(result))[0], value)
    if isinstance(result, tuple) and result and torch.is_tensor(result[0]):
        value = _like(outs[0], result[0], align)
        if value is not None:
            return compare.error(_numpy(value), _numpy(result[0]))[0], (value, *result[1:])
    for state in _states(result):
        value = _like(outs[0], state, align)
        if value is not None:
            return compare.error(_numpy(value), _numpy(state))[0], None
    return None, None


def _states(result: Any) -> list[torch.Tensor]:
    """Last states of a recurrent module: h of the last layer."""
    if not isinstance(result, tuple) or len(result) < 2:
        return []
    hidden = result[1][0] if isinstance(result[1], tuple) else result[1]
    return [hidden[-1]] if torch.is_tensor(hidden) and hidden.dim() == 3 else []
