"""One forward and backward pass of one case, the same on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import inputs, store

Arrays = dict[str, np.ndarray]
MODES = ("infer", "train")
LARGE = 2**16  # gradients of larger weights are compared in the first variant of the first dtype only


def grads(variant: int, mode: str, number: int) -> bool:
    """Where gradients are computed: everywhere first, later (another size, another dtype) in training mode only."""
    return (variant == 0 and number == 0) or mode == "train"


def every(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, number: int,
          out: Arrays) -> None:
    for variant, mode in planned(meta, number):
        run(backend, obj, handles, meta, given, (dtype, variant, mode), number, out)


def planned(meta: dict[str, Any], number: int) -> list[tuple[int, str]]:
    """All variants and modes of one dtype; later dtypes (`number` > 0) only run the first variant."""
    return [(variant, mode) for variant in range(1 if number else len(meta["specs"]))
            for mode in (MODES if meta["kind"] == "model" else MODES[:1])]


def steps(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, out: Arrays
          ) -> float:
    """meta['steps'] steps of plain gradient descent on sum(output * cotangent); returns the rate that the source chose.

    Buffers and tied or doubled weights act together here: a second bias that trains moves twice as far.
    """
    rate = meta.get("rate", 0.0)
    if not meta["steps"] or meta["kind"] != "model" or meta.get("random") or not handles:
        return rate
    feed, losses = inputs.feed(meta, given, 0), []
    held = backend.read(handles)
    for _ in range(meta["steps"]):
        found = backend.gradients(obj, handles, feed, _cotangents(given, 0), True)
        grads = found["dw"]
        top = max((float(np.abs(g).max(initial=0)) for g in grads.values()), default=0.0)
        rate = rate or (0.01 / top if top else 0.0)
        held |= backend.read(handles)
        held |= {k: held[k] - rate * g for k, g in grads.items()}
        backend.assign(handles, held)
        losses.append(sum(float((y * given[f"in/c/0/{i}"]).sum()) for i, y in found["y"].items()
                          if y.dtype.kind == "f"))
    out.update({f"{dtype}/losses/0/train/{i}": np.array(v) for i, v in enumerate(losses)})
    out.update({f"{dtype}/steps/0/train/{k}": held[k] for k in grads if held[k].size <= LARGE})
    return rate


NUDGE = {"float64": 1e-10, "float32": 1e-4}


def growth(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, plain: Arrays
           ) -> float:
    """By how much the steps enlarge a small change: they are run once more from weights that are off by NUDGE."""
    again: Arrays = {}
    rng = np.random.default_rng(41)
    held = {k: v for k, v in store.under(given, "w").items() if v.dtype.kind == "f"}
    backend.assign(handles, {k: v * (1 + NUDGE[dtype] * rng.normal(size=v.shape)) for k, v in held.items()})
    steps(backend, obj, handles, meta, given, dtype, again)
    changes = [np.abs(v - plain[k]).max(initial=0) / max(np.abs(plain[k]).max(initial=0), 1e-3)
               for k, v in again.items() if k in plain]
    found = float(np.max(changes, initial=0.0)) / NUDGE[dtype]
    return found if np.isfinite(found) else 1e300


def floors(plain: Arrays, disturbed: Arrays) -> dict[str, float]:
    """{'group/variant/mode': largest relative change}: what rounding one op to float32 does to every result."""
    out: dict[str, float] = {}
    for key, value in disturbed.items():
        group = "/".join(key.split("/")[1:4])
        change = float(np.abs(np.asarray(value, float) - plain[key]).max(initial=0))
        out[group] = max(out.get(group, 0.0), change / max(float(np.abs(plain[key]).max(initial=0)), 1e-3))
    return out


def disturbed(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, plain: Arrays
              ) -> dict[str, float]:
    """The floors of a case in which TensorFlow resized images: it does so in float32 whatever it is given."""
    again: Arrays = {}
    backend.disturb(True)
    every(backend, obj, handles, {**meta, "random": bool(meta.get("random"))}, given, dtype, 0, again)
    backend.disturb(False)
    return floors(plain, {k: v for k, v in again.items() if k in plain and "/bufraw/" not in k})


def whole(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, number: int,
          out: Arrays) -> None:
    """What a port is compared by: every pass from the same weights, then the steps of the behaviour stage."""
    backend.assign(handles, store.under(given, "w"))
    every(backend, obj, handles, meta, given, dtype, number, out)
    if not number:
        backend.assign(handles, store.under(given, "w"))
        steps(backend, obj, handles, meta, given, dtype, out)
        backend.assign(handles, store.under(given, "w"))


def run(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, which: tuple[str, int, str],
        number: int, out: Arrays) -> None:
    """Outputs, gradients and buffers into `out`. `given`: inputs, weights, cotangents (the source draws those)."""
    dtype, variant, mode = which
    if mode == "train" and meta.get("random"):
        return
    feed = inputs.feed(meta, given, variant)
    if grads(variant, mode, number) or meta["kind"] == "function":
        found = backend.gradients(obj, handles, feed, _cotangents(given, variant), mode == "train")
    else:
        found = {"y": dict(enumerate(backend.forward(obj, feed, mode == "train")[0]))}
    backend.assign(handles, store.under(given, "w"), frozen=True)
    if mode == "train" and meta.get("random") is None:
        meta["random"] = _random(backend, obj, feed, found["y"])
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


def _random(backend: Any, obj: Any, feed: inputs.Feed, ys: dict[int, np.ndarray]) -> bool:
    again, _ = backend.forward(obj, feed, True)
    return any(not same(a, b) for a, b in zip(ys.values(), again, strict=True))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """But for rounding: sums that threads share may be added in another order. What is drawn differs by far more."""
    if a.dtype.kind not in "fc":
        return np.array_equal(a, b)
    return np.allclose(a, b, rtol=1e4 * np.finfo(a.dtype).eps, atol=1e2 * np.finfo(a.dtype).eps, equal_nan=True)
