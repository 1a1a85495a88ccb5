"""Keras as the child uses it: Keras 3 itself, or Keras 2 under the same names."""

from __future__ import annotations

import importlib
from typing import Any

from . import keras_version

_own: Any = importlib.import_module(".keras_two" if keras_version.is_two() else ".keras_three", __package__)
keras: Any = _own.keras
engine: Any = importlib.import_module(f".keras_{_own.ENGINE}", __package__)  # tensorflow, jax or torch
prepare, mode, struct, sublayers, direct, weights, raw, is_own, snake, axis = (
    _own.prepare, _own.mode, _own.struct, _own.sublayers, _own.direct, _own.weights, _own.raw, _own.is_own,
    _own.snake, _own.axis)
newer = _own.newer
Functional, PRIVATE = _own.Functional, _own.PRIVATE
