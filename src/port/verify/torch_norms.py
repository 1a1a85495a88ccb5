"""Running statistics of torch's normalisations: as Keras keeps them, and of the size of what reaches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch


def biased(handles: Any) -> tuple[dict[str, Any], list[Any]]:
    """The declared divergence: torch stores the batch variance times n/(n-1), Keras without.

    {name of the array: running variance as Keras would keep it}, filled by hooks during the next call, for every time
    that a batch norm is applied to another batch in training.
    """
    kept: dict[str, Any] = {}
    hooks = []
    for index, (module, held) in enumerate(handles):
        if "running_var" in held:
            last = [module.running_var.detach().clone()]

            def note(module: Any, args: Any, result: Any, name: str = f"{index}/running_var",
                     last: list[Any] = last) -> None:
                n, now = result.numel() // module.num_features, module.running_var.detach().clone()
                if module.training and n > 1:
                    # a mean over all batches, of which this is the first
                    keep = 1 - (1.0 if module.momentum is None else module.momentum)
                    kept[name] = keep * kept.get(name, last[0]) + (now - keep * last[0]) * ((n - 1) / n)
                last[0] = now
            hooks.append(module.register_forward_hook(note))
    return kept, hooks


def straighten(model: Any) -> tuple[set[Any], list[Any]]:
    """Hooks that give every batch norm its gradient in plain strides; the set fills with modules that need that.

    PyTorch 2.13 reads the gradient of a batch of one in the wrong order if its strides are those of channels last but
    for the batch axis, whose stride means nothing: what it computes from that is wrong (torch.autograd.gradcheck).
    """
    met: set[Any] = set()

    def after(module: Any, args: Any, result: Any) -> None:
        def plain(gradient: Any) -> Any:
            if torn(gradient):
                met.add(module)
            return gradient.contiguous()
        if result.requires_grad:
            result.register_hook(plain)

    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    return met, [module.register_forward_hook(after) for module in norms]


def torn(gradient: Any) -> bool:
    """Is this a gradient whose strides PyTorch's batch norm misreads?"""
    whole = gradient[:1].numel()
    return (gradient.dim() >= 4 and gradient.shape[0] == 1 and gradient.stride(1) == 1 and gradient.stride(0) != whole
            and not gradient.is_contiguous())


def calibrate(model: Any, forward: Callable[[], Any], near: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """Running statistics of every batch norm from what reaches it in inference, through `near(mean, variance)`."""
    def before(module: Any, args: Any) -> None:
        x = args[0].detach().cpu().numpy().swapaxes(1, -1).reshape(-1, module.num_features)
        mean, variance = near(x.mean(0), x.var(0))
        module.running_mean.copy_(torch.tensor(mean))
        module.running_var.copy_(torch.tensor(variance))

    norms = [m for m in model.modules() if getattr(m, "running_var", None) is not None]
    hooks = [module.register_forward_pre_hook(before) for module in norms]
    if hooks:
        forward()
    for hook in hooks:
        hook.remove()
