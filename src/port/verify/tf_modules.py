"""What the Keras child asks of a `tf.Module`: its own variables, and its calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Held:
    """A variable of TensorFlow as Keras shows its own."""

    value: Any
    label: str = ""
    trains: bool = True  # does the layer that holds it

    @property
    def name(self) -> str:
        return self.label or self.path

    @property
    def path(self) -> str:
        return self.value.name.partition(":")[0]  # type: ignore[no-any-return]

    @property
    def dtype(self) -> str:
        return self.value.dtype.name  # type: ignore[no-any-return]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def trainable(self) -> bool:
        return self.trains and bool(self.value.trainable)

    def assign(self, array: Any) -> None:
        self.value.assign(array)


def variables(holder: Any, private: Collection[str] = ()) -> dict[str, Held]:
    """Variables that attributes hold, and lists, tuples and dicts in them, by their names there; without `private`."""
    found: dict[str, Held] = {}
    for name, value in vars(holder).items():
        if name.startswith(("_self_", "_keras", "_tf_")) or name in private:
            continue
        parts: Any = value.items() if isinstance(value, dict) else enumerate(
            value if isinstance(value, list | tuple) else ())
        for key, held in [(name, value), *((f"{name}.{k}", v) for k, v in parts)]:
            if isinstance(held, tf.Variable) and not any(held is h.value for h in found.values()):
                found[key] = Held(held)
    return found
