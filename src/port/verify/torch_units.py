"""The modules of a torch model that hold weights, with their attribute paths and lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import user

SEEN: dict[int, dict[str, Any]] = {}
_serial = itertools.count(1)
COUNTERS = ("num_batches_tracked",)
Handles = list[tuple[Any, dict[str, Any]]]
CONTAINERS = (torch.nn.ParameterList, torch.nn.ParameterDict)  # what they hold belongs to the module around them


def install(path: str) -> None:
    """Patch what every module passes through; to be done before the user's file is loaded."""
    init, call = torch.nn.Module.__init__, torch.nn.Module.__call__

    def watched_init(self: Any, *args: Any, **kwargs: Any) -> None:
        entry = SEEN.setdefault(id(self), {"module": self, "made": next(_serial), "called": [], "first_call": None})
        entry.setdefault("created", user.lines(path, self))
        init(self, *args, **kwargs)

    def watched_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        entry = SEEN.get(id(self))
        if entry is not None and entry["first_call"] is None:
            entry["first_call"], entry["called"] = next(_serial), user.lines(path)
        return call(self, *args, **kwargs)

    torch.nn.Module.__init__ = watched_init  # type: ignore[method-assign]
    torch.nn.Module.__call__ = watched_call  # type: ignore[method-assign]


def find(model: torch.nn.Module) -> tuple[list[dict[str, Any]], Handles]:
    units: list[dict[str, Any]] = []
    handles: Handles = []
    inside: set[int] = set()
    first: dict[int, int] = {}
    for path, module in model.named_modules(remove_duplicate=True):
        if id(module) in inside:
            continue
        if isinstance(module, torch.nn.MultiheadAttention):
            inside.update(map(id, module.modules()))
        if _normed(module):
            inside.update(map(id, module.parametrizations.modules()))  # type: ignore[union-attr, operator]
        for suffix, held in _held(module):
            if held:
                units.append(_unit(model, module, path + suffix, held, len(units), first))
                handles.append((module, held))
    return units, handles


def _held(module: torch.nn.Module) -> list[tuple[str, dict[str, Any]]]:
    """[(path suffix, {name: tensor})]: one entry, or one per layer of a stacked recurrent module."""
    deep = isinstance(module, torch.nn.MultiheadAttention)
    held: dict[str, Any] = dict(module.named_parameters(recurse=deep))
    if _normed(module):  # named as in the older style
        parts: Any = module.parametrizations.weight  # type: ignore[union-attr]
        held |= {"weight_g": parts.original0, "weight_v": parts.original1}
    for name, child in module.named_children():
        held |= {f"{name}.{n}": p for n, p in child.named_parameters()} if isinstance(child, CONTAINERS) else {}
    if type(module).__name__ != "FeatureNormalization":  # Keras' Normalization before `adapt`: 0 and 1
        held |= {n: b for n, b in module.named_buffers(recurse=deep) if n not in COUNTERS}
    if not isinstance(module, torch.nn.RNNBase) or module.num_layers == 1:
        return [("", held)]
    return [(f".layer{i}", {n.replace(f"_l{i}", "_l0"): p for n, p in held.items() if f"_l{i}" in n})
            for i in range(module.num_layers)]


def _normed(module: torch.nn.Module) -> bool:
    """Is its weight computed by the parametrisation `weight_norm`, and nothing else?"""
    held = getattr(module, "parametrizations", None)
    if not isinstance(held, torch.nn.ModuleDict) or [*held.keys()] != ["weight"]:
        return False
    parts: Any = held["weight"]
    return [type(part).__name__ for part in parts] == ["_WeightNorm"]


def _unit(model: torch.nn.Module, module: torch.nn.Module, path: str, held: dict[str, Any], index: int,
          first: dict[int, int]) -> dict[str, Any]:
    entry = SEEN.get(id(module), {"made": 0, "created": [], "called": [], "first_call": None})
    weights = {}
    for name, value in held.items():
        tied = id(value) in first
        weights[name] = {"shape": list(value.shape), "trainable": bool(value.requires_grad), "tied": tied,
                         "kind": "f" if value.is_floating_point() else "i",
                         "id": first.setdefault(id(value), len(first)),
                         "buffer": not isinstance(value, torch.nn.Parameter)}
    classes = [_canonical(c) for c in type(module).__mro__ if issubclass(c, torch.nn.Module)]
    config = {"cumulative": True} if getattr(module, "momentum", 0) is None else {}
    return {"path": path, "name": "", "classes": classes, "index": index, "weights": weights, "config": config,
            "made": entry["made"], "registered": index, "first_call": entry["first_call"],
            "lines": entry["called"] or entry["created"], "created": entry["created"]}


def _canonical(klass: type) -> str:
    if not klass.__module__.startswith("torch."):
        return f"user.{klass.__name__}"
    public = getattr(torch.nn, klass.__name__, None) is klass
    return f"torch.nn.{klass.__name__}" if public else f"{klass.__module__}.{klass.__name__}"


def describe(units: list[dict[str, Any]], handles: Handles) -> None:
    for unit, (module, _) in zip(units, handles, strict=True):
        entry = SEEN.get(id(module))
        if entry:
            unit["first_call"], unit["lines"] = entry["first_call"], entry["called"] or entry["created"]


def assign(handles: Handles, arrays: dict[str, np.ndarray], frozen: bool = False) -> None:
    """`frozen`: only what training mode changes by itself."""
    with torch.no_grad():
        for index, (module, held) in enumerate(handles):
            if getattr(module, "num_batches_tracked", None) is not None:  # counts what the statistics have seen
                module.num_batches_tracked.zero_()
            for name, value in held.items():
                if f"{index}/{name}" in arrays and not (frozen and value.requires_grad):
                    value.copy_(torch.from_numpy(np.array(arrays[f"{index}/{name}"])))


def read(handles: Handles) -> dict[str, np.ndarray]:
    return {f"{i}/{n}": v.detach().cpu().numpy().copy() for i, (_, held) in enumerate(handles)
            for n, v in held.items()}


def record(forward: Callable[[], Any], handles: Handles) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Inputs and outputs of every unit, in the order of the calls."""
    calls: list[Any] = []
    kept: dict[str, np.ndarray] = {}
    hooks = []
    for index, (module, _) in enumerate(handles):
        def note(module: Any, args: Any, kwargs: Any, result: Any, index: int = index) -> None:
            ins, outs, number = _tensors((args, kwargs)), _tensors(result), len(calls)
            calls.append({"unit": index, "in": len(ins), "out": len(outs), "order": number})
            kept.update({f"{number}/in/{j}": a.detach().cpu().numpy().copy() for j, a in enumerate(ins)})
            kept.update({f"{number}/out/{j}": a.detach().cpu().numpy().copy() for j, a in enumerate(outs)})
        hooks.append(module.register_forward_hook(note, with_kwargs=True))
    forward()
    for hook in hooks:
        hook.remove()
    return calls, kept


def _tensors(value: Any) -> list[Any]:
    if torch.is_tensor(value):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    return [t for v in value for t in _tensors(v)] if isinstance(value, list | tuple) else []
