"""Random draws of torch: dropout hands its input back, and the numbers that a call draws itself are shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .draws import Log


def install(log: Log) -> None:
    """For good, before the user's file is loaded."""
    _no_dropout(log)
    for name, kind in (("randn", "normal"), ("rand", "uniform")):
        setattr(torch, name, _by_shape(log, getattr(torch, name), kind))
        setattr(torch, f"{name}_like", _like(log, getattr(torch, f"{name}_like"), kind))


    tensor: Any = torch.Tensor
    tensor.bernoulli_ = _bernoulli(log, tensor.bernoulli_)


def _bernoulli(log: Log, own: Callable[..., Any]) -> Callable[..., Any]:
    """Ones where a shared uniform number is below p, as ports write it."""
    def draw(self: Any, p: Any = 0.5, **kwargs: Any) -> Any:
        found = log.numbers("uniform", tuple(self.shape))
        return own(self, p, **kwargs) if found is None else self.copy_(torch.tensor(found, device=self.device) < p)
    return draw


def _by_shape(log: Log, own: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def draw(*size: Any, **kwargs: Any) -> Any:
        shape = kwargs.get("size", size[0] if len(size) == 1 and not isinstance(size[0], int) else size)
        found = log.numbers(kind, shape)
        if found is None:
            return own(*size, **kwargs)
        return torch.tensor(found, dtype=kwargs.get("dtype") or torch.get_default_dtype(), device=kwargs.get("device"))
    return draw


def _like(log: Log, own: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def draw(input: Any, **kwargs: Any) -> Any:
        found = log.numbers(kind, tuple(input.shape))
        if found is None:
            return own(input, **kwargs)
        return torch.tensor(found, dtype=kwargs.get("dtype") or input.dtype, device=input.device)
    return draw


def _no_dropout(log: Log) -> None:
    functional: Any = torch.nn.functional

    def quiet(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if training:
            log.rate(p)
        return input

    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d"):
        setattr(functional, name, quiet)
    for name in ("alpha_dropout", "feature_alpha_dropout"):
        setattr(functional, name, lambda input, *_, **__: input)
    torch.dropout = lambda input, p, train: quiet(input, p, train)
    attention = functional.scaled_dot_product_attention

    def without(query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
                is_causal: bool = False, **rest: Any) -> Any:
        log.rate(dropout_p)
        return attention(query, key, value, attn_mask, 0.0, is_causal, **rest)

    functional.scaled_dot_product_attention = without
