"""Run a Keras model with every paired layer fed the source's activations; report what each does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import compare, locate
from . import keras_watch as watch
from .keras_any import keras

Align = Callable[[np.ndarray, tuple[int, ...]], np.ndarray | None]


def run(forward: Callable[[], Any], handles: Any, plan: dict[int, list[locate.Call]], classes: dict[int, list[str]],
        same: bool) -> list[locate.Step]:
    """`same`: the source has this framework's layout."""
    steps: list[locate.Step] = []
    counts: dict[int, int] = {}
    index_of = {id(handles[i][0]): i for i in plan}

    def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
        index = index_of.get(id(layer))
        if index is None:
            return original(*args, **kwargs)
        turn, calls = counts.get(index, 0), plan[index]
        counts[index] = turn + 1
        if turn >= len(calls):
            return original(*args, **kwargs)
        call = calls[turn]

        def align(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
            return locate.align(value, shape, classes[index], "tf", same)

        into, args = _feed(call, args, align)
        off: list[float | None] = []
        shapes: list[str] = []

        def fused(value: Any, activation: Any) -> Any:
            return activation(_judge(call, value, align, off, shapes))

        with watch.BeforeActivation(layer, fused) as before:
            result = original(*args, **kwargs)
        if not before.active:
            result = _judge(call, result, align, off, shapes)
        steps.append(locate.Step(call.unit, index, into, off[0] if off else None, shapes[0] if shapes else ""))
        return result

    with watch.Tap(around):
        forward()
    return steps


def _feed(call: locate.Call, args: tuple[Any, ...], align: Align) -> tuple[float | None, tuple[Any, ...]]:
    """(error of what reached the layer, arguments with the source's input instead)"""
    if not args or not keras.ops.is_tensor(args[0]) or not call.ins:
        return None, args
    value = _like(call.ins[0], args[0], align)
    if value is None:
        return None, args
    return compare.error(_numpy(value), _numpy(args[0]))[0], (value, *args[1:])


def _judge(call: locate.Call, result: Any, align: Align, off: list[float | None], shapes: list[str]) -> Any:
    """What to hand on: the source's output where the shapes allow it."""
    first = result[0] if isinstance(result, list | tuple) and result else result
    if not keras.ops.is_tensor(first) or not call.outs:
        return result
    for source in call.outs:  # the first output, or the state where a recurrent layer returns only that
        value = _like(source[-1] if source.ndim == len(first.shape) + 1 else source, first, align)
        if value is not None:
            off.append(compare.error(_numpy(value), _numpy(first))[0])
            return type(result)([value, *result[1:]]) if first is not result else value
    shapes.append(f"shape {list(first.shape)} where the source has {list(call.outs[0].shape)}, each in its own layout")
    return result


def _numpy(value: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(value))


def _like(source: np.ndarray, tensor: Any, align: Align) -> Any:
    value = align(source, tuple(tensor.shape))
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if value is None or (value.dtype.kind == "f") != keras.backend.is_float_dtype(dtype):
        return None
    return keras.ops.convert_to_tensor(np.ascontiguousarray(value), dtype)
