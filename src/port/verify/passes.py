"""One forward and backward pass of one case, the same on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import store

Arrays = dict[str, np.ndarray]
MODES = ("infer", "train")
LARGE = 2**16  # gradients of larger weights are compared in the first variant of the first dtype only


def inputs(arrays: Arrays, variant: int, count: int) -> list[np.ndarray]:
    return [arrays[f"in/x/{variant}/{i}"] for i in range(count)]


def grads(variant: int, mode: str, number: int) -> bool:
    """Where gradients are computed: everywhere first, later (another size, another dtype) in training mode only."""
    return (variant == 0 and number == 0) or mode == "train"


def run(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, which: tuple[str, int, str],
        number: int, out: Arrays) -> None:
    """Outputs, gradients and buffers into `out`. `given`: inputs, weights, cotangents (the source draws those)."""
    dtype, variant, mode = which
    if mode == "train" and meta.get("random"):
        return
    xs = inputs(given, variant, len(meta["specs"][0]))
    if grads(variant, mode, number) or meta["kind"] == "function":
        found = backend.gradients(obj, handles, xs, _cotangents(given, variant), mode == "train")
    else:
        found = {"y": dict(enumerate(backend.forward(obj, xs, mode == "train")[0]))}
    backend.assign(handles, store.under(given, "w"), frozen=True)
    if mode == "train" and meta.get("random") is None:
        meta["random"] = _random(backend, obj, xs, found["y"])
        backend.assign(handles, store.under(given, "w"), frozen=True)
        if meta["random"]:
            meta["notes"].append("training mode still draws random numbers: it was not compared")
            return
    if (variant or number) and "dw" in found:
        limit = LARGE if "call" in meta else 4 * LARGE  # the port may keep several arrays in one
        found["dw"] = {k: v for k, v in found["dw"].items() if v.size <= limit}
    for group, held in found.items():
        out.update({f"{dtype}/{group}/{variant}/{mode}/{name}": value for name, value in held.items()})


def _cotangents(given: Arrays, variant: int) -> Callable[[int, tuple[int, ...]], np.ndarray]:
    """(number of the output, its shape) -> cotangent, drawn once and kept in `given`."""
    def cotangent(i: int, shape: tuple[int, ...]) -> np.ndarray:
        key = f"in/c/{variant}/{i}"
        if key not in given:
            rng = np.random.default_rng([variant, i, 7])
            given[key] = rng.normal(size=shape).astype("float32").astype("float64")
        return given[key] if given[key].shape == tuple(shape) else np.zeros(shape)
    return cotangent


def _random(backend: Any, obj: Any, xs: list[np.ndarray], ys: dict[int, np.ndarray]) -> bool:
    again, _ = backend.forward(obj, xs, True)
    return any(not np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(ys.values(), again, strict=True))
