"""Name the constants that TensorFlow rounds to float32 inside a float64 model (semantics.md, rule 12).

The port is run again with Python float constants rounded to float32, one torch function at a time. Only what makes the
residue disappear is named; what is left is a mismatch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from . import compare

F: Any = torch.nn.functional


def short(value: float) -> float:
    return float(np.float32(value))


class Rounded(TorchFunctionMode):
    """Round Python floats handed to the functions in `names` (None: to all); note what was met in `met`."""

    def __init__(self, names: frozenset[str] | None):
        super().__init__()
        self.names = names
        self.met: dict[str, set[float]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", str(func))
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            return self._inside(func, args, kwargs)
        special = SPECIAL.get(func)
        constants = {v for v in (*_flat(args), *_flat(tuple(kwargs.values()))) if isinstance(v, float)}
        changed = {v for v in constants if math.isfinite(v) and short(v) != v}
        if special or changed:
            self.met.setdefault(name, set()).update(changed)
            if self.names is None or name in self.names:
                if special:
                    return special(*args, **kwargs)
                args, kwargs = _round(args), {k: _round(v) for k, v in kwargs.items()}
        return func(*args, **kwargs)

    def _inside(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Run a Python function of torch with this mode still on, so that its own calls are seen."""
        kept, F.has_torch_function = F.has_torch_function, lambda *_: False
        try:
            with self:
                return func(*args, **kwargs)
        finally:
            F.has_torch_function = kept


def _flat(values: Any) -> list[Any]:
    return [v for value in values for v in (_flat(value) if isinstance(value, tuple | list) else [value])]


def _round(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        return short(value)
    return type(value)(map(_round, value)) if type(value) in (tuple, list) else value


def _gelu(input: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    if approximate == "none":
        return 0.5 * input * (1 + torch.erf(input * short(math.sqrt(0.5))))
    inner = math.sqrt(2 / math.pi) * (input + short(0.044715) * input ** 3)
    return 0.5 * input * (1 + torch.tanh(inner))


def _sdpa(query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
          scale: float | None = None, enable_gqa: bool = False) -> Any:
    scale = short(scale if scale is not None else 1 / math.sqrt(query.shape[-1]))
    return _plain_sdpa(query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa)


def _interpolate(input: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    return _plain_interpolate(input.float(), *args, **kwargs).to(input.dtype)


_plain_interpolate, _plain_sdpa = F.interpolate, torch._C._nn.scaled_dot_product_attention
SPECIAL: dict[Any, Callable[..., Any]] = {
    F.gelu: _gelu, _plain_sdpa: _sdpa}


def attribute(rerun: Callable[[], list[compare.Row]]) -> dict[str, Any]:
    """{names, error}: the smallest set found that brings every array below 1e-9; no names: none does."""
    probe = Rounded(frozenset())
    with probe:
        base = _worst(rerun())
    names = sorted(probe.met)
    scores = {}
    for name in names:
        scores[name] = _with(rerun, frozenset([name]))
    chosen: set[str] = set()
    best = base
    for name in sorted(names, key=lambda n: scores[n]):
        error = scores[name] if not chosen else _with(rerun, frozenset(chosen | {name}))
        if error < best * 0.5:
            chosen.add(name)
            best = error
        if best <= compare.EXACT:
            break
    if best > compare.EXACT and len(names) > 1:  # perhaps only all together; then leave out what is not needed
        chosen, best = set(names), _with(rerun, frozenset(names))
        for name in names if best <= compare.EXACT else ():
            error = _with(rerun, frozenset(chosen - {name}))
            if error <= compare.EXACT:
                chosen, best = chosen - {name}, error
    if best <= compare.EXACT:
        return {"names": [_label(n, probe.met[n]) for n in sorted(chosen)], "error": best, "before": base}
    return {"names": [], "error": best, "before": base, "tried": names}


def _worst(rows: list[compare.Row]) -> float:
    """Worst error relative to the limit of its row, as a float64 error."""
    return max((r.error for r in rows), default=0.0)


def _with(rerun: Callable[[], list[compare.Row]], names: frozenset[str]) -> float:
    with Rounded(names):
        return _worst(rerun())


def _label(name: str, values: set[float]) -> str:
    known = {"gelu": "gelu: sqrt(1/2), or 0.044715 of its tanh form",
             "scaled_dot_product_attention": "attention: 1/sqrt(key size)"}
    return known.get(name) or f"{name}: {', '.join(f'{v:g}' for v in sorted(values)[:4])}"
