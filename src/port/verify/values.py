"""Values that a fresh model does not have: every weight away from 0 and 1, deep networks still well conditioned."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Unit = dict[str, Any]
STATISTICS = ("running_mean", "running_var", "moving_mean", "moving_variance")


def random(units: list[Unit], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """'unit/weight' to float64 arrays that hold float32 numbers. Integer weights and constant buffers keep theirs."""
    out: dict[str, np.ndarray] = {}
    shared: dict[Any, np.ndarray] = {}
    for index, unit in enumerate(units):
        for name, held in unit["weights"].items():
            if held.get("kind", "f") != "f" or (held.get("buffer") and name not in STATISTICS):
                continue
            if held["id"] not in shared:
                shared[held["id"]] = _value(unit, name, tuple(held["shape"]), rng).astype("float32").astype("float64")
            out[f"{index}/{name}"] = shared[held["id"]]
    return out


def _value(unit: Unit, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    last, classes = name.rsplit("/", 1)[-1], " ".join(unit["classes"])
    norm = "Norm" in classes and last == "weight"
    if "var" in last or last in ("gamma", "scale") or norm or (
            unit["weights"][name].get("own") and not unit["weights"][name]["trainable"]):
        return rng.uniform(0.5, 1.5, shape)
    if len(shape) < 2 or "bias" in last:
        return 0.2 * rng.normal(size=shape)
    if "Embedding" in classes:
        return 0.7 * rng.normal(size=shape)
    return rng.normal(size=shape) / math.sqrt(_fan_in(classes, last, shape, unit["config"]))


def _fan_in(classes: str, name: str, shape: tuple[int, ...], config: dict[str, Any]) -> int:
    if "torch." in classes:
        kernel = math.prod(shape[2:])
        return max(1, kernel * shape[0] if "Transpose" in classes else math.prod(shape[1:]))
    if "Transpose" in classes:
        return max(1, math.prod(shape[:-2]) * shape[-1])
    if "depthwise" in name.lower() or "Depthwise" in classes:
        return max(1, math.prod(shape[:-2]))
    if "MultiHeadAttention" in classes and len(shape) == 3 and shape[0] > shape[1]:
        return shape[0]
    return max(1, math.prod(shape[:config["contracted"]] if config.get("contracted") else shape[:-1]))


def near(rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(mean, variance) of a batch to moving statistics of its size: nothing grows from layer to layer.

    The second moment stands for the variance, so that a channel that hardly varies in a small batch is not blown up;
    random statistics, or exact ones, would let the activations of a deep network leave all bounds.
    """
    def values(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moment = variance + mean**2
        moment = np.maximum(moment, 0.5 * moment.mean() + 1e-3)
        moved = 0.5 * mean + 0.1 * np.sqrt(moment) * rng.normal(size=mean.shape)
        scaled = moment * rng.uniform(0.7, 1.4, mean.shape)
        return moved.astype("float32").astype("float64"), scaled.astype("float32").astype("float64")
    return values
