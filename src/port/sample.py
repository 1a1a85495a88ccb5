"""Sample specs of rows to numpy arrays: `"f32[2,3]"`, `"i32[4]<7"`, `"f32(0,1)[2,5]"`; see docs/rows.md."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "u8": "uint8", "b": "bool",
          "c64": "complex64"}
_SPEC = re.compile(r"(f32|f64|i32|i64|u8|b|c64)([-+=?/#%!]|\([^()]*\))?\[([\d, ]*)\](?:<(\d+))?")


@dataclass(frozen=True)
class Spec:
    """One tensor of a sample."""

    kind: str
    how: str  # '', a sign or an interval: which values
    shape: tuple[int, ...]
    below: int | None  # whole numbers: 0 <= n < below

    @property
    def dtype(self) -> str:
        return DTYPES[self.kind]

    @property
    def floating(self) -> bool:
        return self.kind in ("f32", "f64")


def parse(value: Any) -> Spec | None:
    """The spec that a sample value is, or None if it is a plain value."""
    match = _SPEC.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    kind, how, shape, below = match.groups()
    sizes = tuple(int(n) for n in shape.split(",") if n.strip())
    return Spec(kind, how or "", sizes, int(below) if below else None)


def array(spec: Spec, seed: str) -> np.ndarray:
    """Values that depend on `seed` alone; floats are float64, to be rounded by the reader."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    if spec.kind == "b":
        return rng.integers(0, 2, spec.shape).astype(bool)
    if spec.kind == "c64":
        return rng.normal(size=spec.shape) + 1j * rng.normal(size=spec.shape)
    if not spec.floating:
        return _whole(spec, rng).astype(spec.dtype)
    return _floats(spec, rng)


def _whole(spec: Spec, rng: np.random.Generator) -> np.ndarray:
    if spec.how == "!":  # a permutation along the last axis
        return rng.permuted(np.broadcast_to(np.arange(spec.shape[-1]), spec.shape), axis=-1)
    if spec.how.startswith("("):
        low, high = (int(n) for n in spec.how[1:-1].split(","))
        return rng.integers(low, high, spec.shape)
    values = rng.integers(1 if spec.how == "+" else 0, spec.below or 10, spec.shape)
    return np.sort(values, axis=-1) if spec.how == "/" else values


def _floats(spec: Spec, rng: np.random.Generator) -> np.ndarray:
    how, shape = spec.how, spec.shape
    if how.startswith("("):
        low, high = (float(n) for n in how[1:-1].split(","))
        return rng.uniform(low, high, shape)
    values = rng.normal(size=shape)
    if how in "+-" and how:
        values = (np.abs(values) + 0.1) * (1 if how == "+" else -1)
    elif how == "=":  # zeros, ties and halves
        values = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5], shape)
    elif how == "?":  # some that are not finite
        values = np.where(rng.random(shape) < 0.4, rng.choice([np.nan, np.inf, -np.inf], shape), values)
    elif how == "/":  # ascending
        values = np.sort(values, axis=-1)
    elif how == "%":  # probabilities along the last axis
        values = np.exp(values) / np.exp(values).sum(-1, keepdims=True)
    elif how == "#":  # symmetric, positive definite
        values = values @ np.swapaxes(values, -1, -2) + np.eye(shape[-1])
    return values
