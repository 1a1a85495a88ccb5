"""Where each Keras layer was made and called in the user's file, and what went through it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import user
from .keras_any import keras

SEEN: dict[int, dict[str, Any]] = {}  # id(layer) -> layer, made, created, called, first_call
_serial = itertools.count(1)
_path = ""
_tap: Any = None  # called around every layer while recording: tap(layer, original, args, kwargs)


def install(path: str) -> None:
    """Patch the two methods every layer passes through; to be done before the user's file is loaded."""
    global _path
    _path = path
    layer = keras.layers.Layer
    init, call = layer.__init__, layer.__call__

    def watched_init(self: Any, *args: Any, **kwargs: Any) -> None:
        entry = SEEN.setdefault(id(self), {"layer": self, "made": next(_serial), "called": [], "first_call": None})
        entry.setdefault("created", user.lines(_path, self))
        init(self, *args, **kwargs)

    def watched_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        entry = SEEN.get(id(self))
        if entry is not None and not entry["called"]:
            entry["called"] = user.lines(_path)
        if _tap is None:
            return call(self, *args, **kwargs)
        return _tap(self, lambda *a, **k: call(self, *a, **k), args, kwargs)

    layer.__init__, layer.__call__ = watched_init, watched_call


def observe(module: Any) -> None:
    """Watch the calls of a module that is no layer; the method is its class's own."""
    SEEN.setdefault(id(module), {"layer": module, "made": next(_serial), "called": [], "first_call": None,
                                 "created": []})
    kind = type(module)
    method = vars(kind).get("__call__")
    if method is None or hasattr(method, "_port_watched"):
        return

    @functools.wraps(getattr(method, "python_function", method))
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = method.__get__(self, kind)
        return call(*args, **kwargs) if _tap is None else _tap(self, call, args, kwargs)

    watched._port_watched = True  # type: ignore[attr-defined]
    kind.__call__ = watched


def entry_of(layer: Any) -> dict[str, Any]:
    return SEEN.get(id(layer), {"made": 0, "created": [], "called": [], "first_call": None})


def note_call(layer: Any) -> int:
    order = next(_serial)
    entry = SEEN.get(id(layer))
    if entry is not None and entry["first_call"] is None:
        entry["first_call"] = order
    return order


def path() -> str:
    return _path


class Tap:
    """While active, `around(layer, original, args, kwargs)` replaces every layer call."""

    def __init__(self, around: Any):
        self.around = around

    def __enter__(self) -> None:
        global _tap
        _tap = self.around

    def __exit__(self, *_: Any) -> None:
        global _tap
        _tap = None


def tensors(values: Any) -> list[Any]:
    return [v for v in keras.tree.flatten(values) if keras.ops.is_tensor(v)]


def arrays(values: Any) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v)) for v in tensors(values)]


FUSED = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Conv1D.__mro__[1],
         keras.layers.Conv1DTranspose.__mro__[1], keras.layers.DepthwiseConv2D.__mro__[1],
         keras.layers.SeparableConv2D.__mro__[1])


class BeforeActivation:
    """Replace a fused activation for a while: `around(value, original)`; torch has it as a call of its own."""

    def __init__(self, layer: Any, around: Any):
        self.layer, self.around = layer, around
        self.active = isinstance(layer, FUSED) and getattr(layer, "activation", None) is not None

    def __enter__(self) -> BeforeActivation:
        if self.active:
            self.original = self.layer.activation
            self._set(lambda value: self.around(value, self.original))
        return self

    def __exit__(self, *_: Any) -> None:
        if self.active:
            self._set(self.original)

    def _set(self, function: Any) -> None:
        object.__setattr__(self.layer, "activation", function)


def record(forward: Callable[[], Any], handles: Any) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Inputs and outputs (before a fused activation) of every unit, in the order of the calls."""
    index = {id(layer): i for i, (layer, _) in enumerate(handles)}
    calls: list[Any] = []
    kept: dict[str, np.ndarray] = {}

    def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
        if id(layer) not in index:
            return original(*args, **kwargs)
        before: list[Any] = []
        given = arrays([args, kwargs])

        def fused(value: Any, activation: Any) -> Any:
            before.append(value)
            return activation(value)

        with BeforeActivation(layer, fused):
            result = original(*args, **kwargs)
        number = len(calls)
        outs = arrays(before or result)
        calls.append({"unit": index[id(layer)], "in": len(given), "out": len(outs), "order": note_call(layer)})
        kept.update({f"{number}/in/{j}": a for j, a in enumerate(given)})
        kept.update({f"{number}/out/{j}": a for j, a in enumerate(outs)})
        return result

    with Tap(around):
        forward()
    return calls, kept


def describe(units: list[dict[str, Any]], handles: Any) -> None:
    """Fill in what is known only after calls: order and lines."""
    for unit, (layer, _) in zip(units, handles, strict=True):
        entry = entry_of(layer)
        unit["first_call"] = entry["first_call"]
        unit["lines"] = entry["called"] or entry["created"]
