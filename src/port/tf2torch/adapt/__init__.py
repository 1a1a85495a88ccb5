"""Adapters that rows name in `via`: what one argument, or one whole call, becomes.

ARGS: (job, parameter, arg) -> expression or None (nothing to write). ROWS: whole function calls.
LAYERS: whole layers, giving a Plan or None (then the row's own form is used).
"""

from __future__ import annotations

from port.tf2torch.adapt import (
    activations,
    args,
    attention,
    bidirectional,
    layers,
    oprows,
    ops,
    padding,
    patches,
    recurrent,
    same,
    special,
    windows,
)

ARGS = args.ARGS | padding.ARGS | ops.ARGS | windows.ARGS | activations.ARGS | layers.ARGS_LAYERS | (
    recurrent.ARGS | attention.ARGS | special.ARGS)
ROWS = oprows.ROWS | layers.ROWS | {"patches": patches.patches}
LAYERS = layers.LAYERS | recurrent.LAYERS | bidirectional.LAYERS | attention.LAYERS | special.LAYERS | same.LAYERS
