"""Inputs and weights of a Keras model that say float32: in a float64 run they would round, or meet float64 and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def follow(layers: Any, floatx: Callable[[], str]) -> None:
    """For good: such an input or weight has Keras' float type, as one that says nothing has."""
    made, add = layers.InputLayer.__init__, layers.Layer.add_weight

    def wide(dtype: Any) -> Any:
        return floatx() if getattr(dtype, "name", dtype) == "float32" else dtype

    def init(self: Any, shape: Any = None, batch_size: Any = None, dtype: Any = None, **more: Any) -> None:
        made(self, *(() if shape is None else (shape,)), batch_size=batch_size, dtype=wide(dtype), **more)

    def add_weight(self: Any, *args: Any, **more: Any) -> Any:
        return add(self, *args, **({**more, "dtype": wide(more["dtype"])} if "dtype" in more else more))

    layers.InputLayer.__init__, layers.Layer.add_weight = init, add_weight
