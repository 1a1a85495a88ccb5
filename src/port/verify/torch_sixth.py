"""PyTorch's gradient of hardsigmoid in float64, which is that of 1/6 as float32 has it: 3e-8 off. Verify takes 1/6."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

NOTE = ("PyTorch computes the gradient of hardsigmoid with 1/6 rounded to float32, also in float64 (3e-8 off): "
        "compared with that of 1/6")


def install() -> None:
    original = functional.hardsigmoid

    def hardsigmoid(input: Any, inplace: bool = False) -> Any:
        if input.dtype is not torch.float64 or not input.requires_grad:
            return original(input, inplace)
        return (input + 3).clamp(0, 6) / 6

    functional.hardsigmoid = hardsigmoid


def note(model: torch.nn.Module) -> list[str]:
    return [NOTE] if any(isinstance(m, torch.nn.Hardsigmoid) for m in model.modules()) else []
