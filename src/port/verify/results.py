"""What a call returns, taken apart: dicts, dataclasses, tuples and lists, with tensors at the leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

Convert = Callable[[Any], Any]


def _items(value: Any) -> dict[str, Any] | None:
    """A dict or a dataclass by key."""
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def structure(value: Any, about: Callable[[Any], list[Any]]) -> Any:
    """JSON-able: {"dict" | "list" | "tuple": ...}, None, or what `about` says of a leaf: [shape, dtype]."""
    if (held := _items(value)) is not None:
        return {"dict": {key: structure(item, about) for key, item in held.items()}}
    if isinstance(value, list | tuple):
        kind = type(value).__name__ if type(value) in (list, tuple) else "tuple"
        return {kind: [structure(item, about) for item in value]}
    if value is None or isinstance(value, str):
        return None if value is None else [[], f"text {value!r}"]
    return about(value)


def flat(value: Any, convert: Convert) -> list[Any]:
    """The tensors in one order: dicts by key."""
    if (held := _items(value)) is not None:
        return [leaf for key in sorted(held) for leaf in flat(held[key], convert)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flat(item, convert)]
    return [] if value is None or isinstance(value, str) else [convert(value)]


def replaced(value: Any, change: Convert) -> Any:
    """The same with other tensors: `change` gets them in the order of `flat`."""
    if (held := _items(value)) is not None:
        new = {key: replaced(held[key], change) for key in sorted(held)}
        if isinstance(value, dict):
            return {key: new[str(key)] for key in value}
        return dataclasses.replace(value, **new)
    if isinstance(value, list | tuple):
        items = [replaced(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value if value is None or isinstance(value, str) else change(value)
