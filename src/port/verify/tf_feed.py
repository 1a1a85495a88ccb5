"""Run a Keras model with every paired layer fed the source's activations; report what each does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from . import compare, locate
from . import tf_watch as watch


def run(forward: Callable[[], Any], handles: Any, plan: dict[int, list[locate.Call]], classes: dict[int, list[str]]
        ) -> list[locate.Step]:
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
        into, args = _feed(call, args, classes[index])
        off: list[float | None] = []
        shapes: list[str] = []

        def fused(value: Any, activation: Any) -> Any:
            return activation(_judge(call, value, classes[index], off, shapes))

        with watch.BeforeActivation(layer, fused) as before:
            result = original(*args, **kwargs)
        if not before.active:
            result = _judge(call, result, classes[index], off, shapes)
        steps.append(locate.Step(call.unit, index, into, off[0] if off else None, shapes[0] if shapes else ""))
        return result

    with watch.Tap(around):
        forward()
    return steps


def _feed(call: locate.Call, args: tuple[Any, ...], classes: list[str]) -> tuple[float | None, tuple[Any, ...]]:
    """(error of what reached the layer, arguments with the source's input instead)"""
    if not args or not tf.is_tensor(args[0]) or not call.ins:
        return None, args
    value = _like(call.ins[0], args[0], classes)
    if value is None:
        return None, args
    return compare.error(value.numpy(), args[0].numpy())[0], (value, *args[1:])


def _judge(call: locate.Call, result: Any, classes: list[str], off: list[float | None], shapes: list[str]) -> Any:
    """What to hand on: the source's output where the shapes allow it."""
    first = result[0] if isinstance(result, list | tuple) and result else result
    if not tf.is_tensor(first) or not call.outs:
        return result
    for source in call.outs:  # the first output, or the state where a recurrent layer returns only that
        value = _like(source[-1] if source.ndim == first.ndim + 1 else source, first, classes)
        if value is not None:
            off.append(compare.error(value.numpy(), first.numpy())[0])
            return type(result)([value, *result[1:]]) if first is not result else value
    shapes.append(f"shape {list(first.shape)} where the source has {list(call.outs[0].shape)}, each in its own layout")
    return result


def _like(source: np.ndarray, tensor: Any, classes: list[str]) -> Any:
    value = locate.align(source, tuple(tensor.shape), classes, "tf")
    if value is None or (value.dtype.kind == "f") != tensor.dtype.is_floating:
        return None
    return tf.cast(tf.constant(value), tensor.dtype)
