"""Which sizes of the inputs may change: the second variant of a case has others there.

A Keras model with declared inputs says it. Any other model is tried: the batch is one larger, the sizes that are not
features grow by an odd number, double or shrink, as far as the source takes that. Equal sizes grow together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import cases, inputs
from .cases import Spec

Shapes = list[tuple[int, ...]]
CHANGES: tuple[Callable[[int], int], ...] = (lambda n: n + 5, lambda n: 2 * n, lambda n: n - 2 if n > 4 else n)


def second(backend: Any, obj: Any, specs: list[Spec], form: inputs.Form | None) -> list[Spec]:
    """The specs of the second variant."""
    free = backend.free(obj)
    if free is not None:
        return [cases.grown(s, f) for s, f in zip(specs, free, strict=False)]
    shapes = [s.shape for s in specs]
    for found in _attempts(backend, obj, specs, form):
        shapes = found
        break
    batch = shapes[0][0] if shapes[0] else 0
    return [_sized(s, _batch(shape, batch)) for s, shape in zip(specs, shapes, strict=True)]


def _batch(shape: tuple[int, ...], batch: int) -> tuple[int, ...]:
    return (batch + 1, *shape[1:]) if shape and shape[0] == batch else shape


def _sized(spec: Spec, shape: tuple[int, ...]) -> Spec:
    return Spec(spec.dtype, shape, spec.low, spec.high)


def _attempts(backend: Any, obj: Any, specs: list[Spec], form: inputs.Form | None) -> Iterator[Shapes]:
    """Shapes that the source takes: all sizes changed at once, else as many as go together."""
    shapes = [s.shape for s in specs]
    values = _values(specs, backend.SIDE)

    def takes(candidate: Shapes) -> bool:
        rng = np.random.default_rng(5)
        arrays = [cases.draw(_sized(s, shape), rng) for s, shape in zip(specs, candidate, strict=True)]
        try:
            backend.forward(obj, inputs.Feed(tuple(arrays), form), False)
        except Exception:  # whatever the user's code says to a size that it cannot take
            return False
        return True

    for change in CHANGES:
        if (every := _grow(shapes, values, change)) != shapes and takes(every):
            yield every
    for change in CHANGES if len(values) > 1 else ():
        kept = shapes
        for value in values:
            if (candidate := _grow(kept, [value], change)) != kept and takes(candidate):
                kept = candidate
        if kept != shapes:
            yield kept


def _values(specs: list[Spec], side: str) -> list[int]:
    """Sizes that may be free, by rank: those of an image or a sequence, in the layout of this framework."""
    found: list[int] = []
    for spec in specs:
        rank = len(spec.shape)
        if rank >= 4:
            axes = range(2, rank) if side == "torch" else range(1, rank - 1)
        elif rank == 3:
            axes = range(1, 3)
        else:
            axes = range(1, 2) if rank == 2 and not spec.floating else range(0)
        found += [spec.shape[a] for a in axes if spec.shape[a] > 1 and spec.shape[a] not in found]
    return found


def _grow(shapes: Shapes, values: list[int], change: Callable[[int], int]) -> Shapes:
    """Every axis of such a size, but the batch."""
    batch = shapes[0][0] if shapes[0] else 0
    return [tuple(change(n) if n in values and (a or n != batch) else n for a, n in enumerate(shape))
            for shape in shapes]


def unknown(variants: list[Shapes]) -> list[list[int]]:
    """The axes of every input whose size differs between the variants; with one variant, the batch."""
    first, last = variants[0], variants[-1]
    if len(variants) > 1:
        return [[a for a, (m, n) in enumerate(zip(x, y, strict=True)) if m != n]
                for x, y in zip(first, last, strict=True)]
    batch = first[0][0] if first and first[0] else None
    return [[0] if shape and shape[0] == batch else [] for shape in first]
