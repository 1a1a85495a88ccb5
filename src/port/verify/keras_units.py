"""The layers of a Keras model that hold weights, with their attribute paths."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from . import keras_any
from . import keras_watch as watch
from .keras_any import engine, keras

RNN = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
ATTENTION = (keras.layers.MultiHeadAttention,)
MODULES: tuple[type, ...] = getattr(engine, "MODULES", ())
variables: Any = getattr(engine, "variables", lambda holder, private=(): {})


def is_model(value: Any) -> bool:
    """A layer, or a module of TensorFlow."""
    return isinstance(value, (keras.layers.Layer, *MODULES))


def find(model: Any) -> tuple[list[dict[str, Any]], list[tuple[Any, dict[str, Any]]]]:
    """(units, handles); a handle is (layer, {weight name: variable})."""
    units: list[dict[str, Any]] = []
    handles: list[tuple[Any, dict[str, Any]]] = []
    _walk(model, ("", ""), set(), units, handles)
    first: dict[int, int] = {}
    for unit, (_, held) in zip(units, handles, strict=True):
        for name, variable in held.items():
            unit["weights"][name]["id"] = first.setdefault(id(variable.value), len(first))
    return units, handles


def _walk(layer: Any, place: tuple[str, str], seen: set[int], units: list[Any], handles: list[Any]) -> None:
    """`place`: attribute path, and the same with Keras' own names where there is only an order."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    path, label = place
    held, classes, whole = _held(layer)
    if held:
        entry = watch.entry_of(layer)
        own = not keras_any.is_own(type(layer))
        units.append({"path": path, "label": label, "name": _literal_name(layer), "classes": classes,
                      "index": len(units),
                      "weights": {n: _about(v, own) for n, v in held.items()}, "config": _config(layer),
                      "made": entry["made"], "first_call": None, "lines": entry["called"] or entry["created"],
                      "created": entry["created"]})
        handles.append((layer, held))
    if whole:
        seen.update(id(sub) for sub in layer._flatten_layers())
        return
    for token, child in children(layer):
        shown = child.name if "#" in token else token
        _walk(child, (f"{path}.{token}" if path else token, f"{label}.{shown}" if label else shown), seen, units,
              handles)


def _about(variable: Any, own: bool) -> dict[str, Any]:
    kind = "f" if str(variable.dtype).startswith(("float", "bfloat")) else "i"
    return {"shape": list(variable.shape), "trainable": bool(variable.trainable), "kind": kind, "own": own}


def _held(layer: Any) -> tuple[dict[str, Any], list[str], bool]:
    """(weights by name, canonical classes, is it one unit with everything below it)"""
    if isinstance(layer, keras.layers.Bidirectional) and isinstance(layer.forward_layer, RNN):
        kind = next(c.__name__ for c in type(layer.forward_layer).__mro__ if c in RNN)
        sides = (("forward", layer.forward_layer), ("backward", layer.backward_layer))
        held = {f"{side}/{v.name}": v for side, sub in sides for v in _real(keras_any.weights(sub))}
        return held, [f"keras.layers.Bidirectional({kind})"], True
    if not isinstance(layer, keras.layers.Layer):
        watch.observe(layer)
        return variables(layer), [f"user.{type(layer).__name__}"], False
    classes = [_canonical(c) for c in type(layer).__mro__ if issubclass(c, keras.layers.Layer)]
    if isinstance(layer, keras.layers.Normalization):
        return {}, classes, True  # statistics of the data, which only `adapt` puts to use: 0 and 1 on both sides
    if isinstance(layer, RNN):
        return {v.name: v for v in _real(keras_any.weights(layer))}, classes, True
    if isinstance(layer, ATTENTION):
        held = {f"{sub.name}/{v.name}": v for sub in keras_any.sublayers(layer) for v in _real(keras_any.weights(sub))}
        return held, classes, True
    if "user.WeightNorm" in classes and isinstance(getattr(layer, "part", None), keras.layers.Layer):
        held, inside, _ = _held(layer.part)  # as torch's module, one unit with the layer whose kernel it computes
        return {"g": layer.g, **held}, [classes[0], *inside], True
    helper = "user.MultiheadAttention" in classes and isinstance(getattr(layer, "out_proj", None), keras.layers.Dense)
    direct = _real(keras_any.direct(layer))
    names: dict[int, str] = {}
    for attribute, value in vars(layer).items():
        name = _of_source(attribute)
        if isinstance(value, keras.Variable) and not name.startswith("_"):
            names.setdefault(id(keras_any.raw(value)), name)
        elif isinstance(value, list | tuple | dict) and not name.startswith("_"):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            names.update({id(keras_any.raw(v)): f"{name}.{key}" for key, v in items if isinstance(v, keras.Variable)})
    found = {keras_any.newer(layer, names.get(id(v.value), v.name)): v for v in direct}
    if classes[0].startswith("user."):  # it may hold variables that Keras does not follow
        found |= variables(layer, keras_any.PRIVATE)
    if helper:  # as torch's module, one unit with its output projection
        return found | {f"out_proj/{v.name}": v for v in _real(keras_any.weights(layer.out_proj))}, classes, True
    return found, classes, False


def _of_source(attribute: str) -> str:
    """`weights` of `weights_`: ports call so what Keras' layers keep for themselves (torch2tf/ownnames.py)."""
    name = attribute.removesuffix("_")
    return name if hasattr(keras.layers.Layer, name) else attribute


def _real(variables: list[Any]) -> list[Any]:
    return [v for v in variables if "seed_generator" not in v.path and not str(v.dtype).startswith("uint")
            and str(v.dtype) != "string"]


def _canonical(klass: type) -> str:
    return f"keras.layers.{klass.__name__}" if keras_any.is_own(klass) else f"user.{klass.__name__}"


def _literal_name(layer: Any) -> str:
    """The name the user gave; '' for a generated one."""
    if not isinstance(layer, keras.layers.Layer):
        return ""
    return "" if re.fullmatch(rf"{re.escape(keras_any.snake(type(layer).__name__))}(_\d+)?", layer.name) else layer.name


def _config(layer: Any) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if isinstance(layer, keras.layers.EinsumDense) and layer.built:
        left, right = layer.equation.replace(" ", "").split("->")[0].split(",")
        config["contracted"] = sum(letter in left for letter in right)
    return config


def children(layer: Any) -> list[tuple[str, Any]]:
    """Sub-layers with the attribute (or name) under which the user knows them; '#i' where there is only an order."""
    if isinstance(layer, keras.Sequential | keras_any.Functional):
        found = [(_literal_name(sub) or f"#{i}", sub) for i, sub in enumerate(layer.layers)]
    else:
        found = []
    for name, value in _attributes(layer):
        if name not in keras_any.PRIVATE and not name.startswith("_self_"):
            found += _nested(name.lstrip("_"), value)
    return found + [(f"#{i}", sub) for i, sub in enumerate(keras_any.sublayers(layer))]


def _attributes(layer: Any) -> list[tuple[str, Any]]:
    """On PyTorch a layer is a torch module too, which keeps its parts apart."""
    return [*vars(layer).items(), *vars(layer).get("_modules", {}).items()]


def _nested(name: str, value: Any) -> list[tuple[str, Any]]:
    if is_model(value):
        return [(name, value)]
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _nested(f"{name}.{key}", item)]
    if isinstance(value, list | tuple) and any(
            isinstance(v, list | tuple | dict) or is_model(v) for v in value):
        return [pair for i, item in enumerate(value) for pair in _nested(f"{name}.{i}", item)]
    return []


def assign(handles: list[tuple[Any, dict[str, Any]]], arrays: dict[str, np.ndarray], frozen: bool = False) -> None:
    """`frozen`: only what training mode changes by itself."""
    for index, (layer, held) in enumerate(handles):
        for name, variable in held.items():
            if f"{index}/{name}" in arrays and not (frozen and variable.trainable):
                variable.assign(arrays[f"{index}/{name}"])
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def read(handles: list[tuple[Any, dict[str, Any]]]) -> dict[str, np.ndarray]:
    return {f"{i}/{n}": np.array(keras.ops.convert_to_numpy(v.value)) for i, (_, held) in enumerate(handles)
            for n, v in held.items()}
