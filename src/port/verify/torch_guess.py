"""Guesses at what a torch model wants to be fed, from its first layer; they are tried until a call succeeds."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import torch

from .cases import Spec
from .user import positional

IMAGES = ((33, 45), (32, 32), (28, 28), (64, 64), (96, 96), (224, 224), (299, 299))  # odd first: they show most
LENGTHS = (33, 32, 64, 100, 128, 256)
nn = torch.nn


def specs(model: Any) -> list[list[Spec]]:
    """The best guess first; none for a model of several inputs, or without a layer that tells its input."""
    if len(needed(model)) != 1:
        return []
    for module in model.modules():
        if found := _of(module):
            return [[spec] for spec in found]
    return []


def needed(model: Any) -> list[str]:
    names = positional(model.forward, ())
    found = signature(model.forward).parameters
    return [n for n in names if found[n].default is Parameter.empty]


def _of(module: Any) -> list[Spec]:
    if isinstance(module, nn.Embedding):
        return [Spec("int64", (2, n), high=float(module.num_embeddings)) for n in (7, 16, 32)]
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return [Spec("float32", (2, module.in_channels, *size)) for size in IMAGES]
    if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
        return [Spec("float32", (2, module.in_channels, size)) for size in LENGTHS]
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        return [Spec("float32", (2, module.in_channels, *size)) for size in ((9, 11, 13), (16, 16, 16))]
    if isinstance(module, nn.RNNBase):
        shape = (2, 7) if module.batch_first else (7, 2)
        return [Spec("float32", (*shape, module.input_size))]
    width = {nn.Linear: "in_features", nn.BatchNorm1d: "num_features", nn.TransformerEncoderLayer: "",
             nn.LayerNorm: ""}.get(type(module))
    if width:
        size = getattr(module, width)
        images = [Spec("float32", (2, 1, n, n)) for n in (28, 32) if size == n * n]
        images += [Spec("float32", (2, 3, n, n)) for n in (28, 32) if size == 3 * n * n]
        return [Spec("float32", (2, size)), Spec("float32", (2, 7, size)), *images]
    return []
