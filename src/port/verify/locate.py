"""Find the first layer that differs when every layer of the port is fed the source's own activations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from . import compare, store, user
from .pairing import Pairing, Unit

Arrays = dict[str, np.ndarray]
SPATIAL = ("Conv", "BatchNorm", "BatchNormalization", "GroupNorm", "PReLU", "Instance")


@dataclass(frozen=True)
class Call:
    """One call of a source layer: its tensors, in the source's layout."""

    unit: int
    ins: tuple[np.ndarray, ...]
    outs: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Step:
    """One call of a layer of the port, in its own order; None: not comparable (other shapes, packed sequences)."""

    source: int
    target: int
    into: float | None
    out: float | None
    shapes: str = ""  # where the output cannot have the source's shape


def plan(meta: dict[str, Any], arrays: Arrays, pairing: Pairing, mode: str) -> dict[int, list[Call]]:
    """{target unit: calls of its source unit}, for units that are paired as a whole."""
    found: dict[int, list[Call]] = {}
    for number, call in enumerate(meta["calls"].get(mode, ())):
        held = store.under(arrays, f"act/{mode}/{number}")
        ins = tuple(held[f"in/{j}"] for j in range(call["in"]))
        outs = tuple(held[f"out/{j}"] for j in range(call["out"]))
        found.setdefault(call["unit"], []).append(Call(call["unit"], ins, outs))
    out = {}
    for pair in pairing.pairs:
        unit = pairing.units[pair.keras]
        source, target = (unit["index"], pair.torch) if pairing.forward else (pair.torch, unit["index"])
        whole = not any("of" in w for w in unit["weights"].values())
        if source in found and whole:
            out[target] = found[source]
    return out


def align(value: np.ndarray, shape: tuple[int, ...], classes: list[str], to: str, same: bool = False
          ) -> np.ndarray | None:
    """A source activation in the port's layout (`same`: which is the source's), None if no layout has that shape."""
    if value.ndim < 3 or (same and value.shape == shape):
        return value if value.shape == shape else None
    moved = np.moveaxis(value, -1, 1) if to == "torch" else np.moveaxis(value, 1, -1)
    spatial = any(word in c.rsplit(".", 1)[-1] for c in classes for word in SPATIAL)
    for candidate in (moved, value) if spatial else (value, moved):
        if candidate.shape == shape:
            return candidate
    return None


def first(steps: list[Step], limit: float) -> tuple[int, bool] | None:
    """(index of the first bad step, is it the layer itself rather than what leads to it)"""
    for i, step in enumerate(steps):
        if step.into is not None and not step.into <= limit:
            return i, False
        if step.out is not None and not step.out <= limit:
            return i, True
    return None


def report(steps: list[Step], sources: list[Unit], targets: list[Unit], limit: float = compare.EXACT
           ) -> dict[str, Any]:
    """Where the port leaves the source: {text, source_line, ported_line, layer, steps}."""
    largest = max((e for s in steps for e in (s.into, s.out) if e is not None and np.isfinite(e)), default=0.0)
    limit = max(limit, 1e-3 * largest)  # not the rounding of a constant beside a real difference
    found = first(steps, limit)
    if found is None:
        last = steps[-1] if steps else None
        text = "every layer agrees when fed the source's activations; the difference arises " + (
            f"after the last one, {_where(sources[last.source], targets[last.target])}" if last else
            "outside the layers")
        return _place(text, sources[last.source] if last else None, targets[last.target] if last else None)
    index, itself = found
    step = steps[index]
    own, port = sources[step.source], targets[step.target]
    before = [s for s in steps[:index] if s.out is not None and s.out <= limit]
    last = before[-1] if before else None
    since = f"after {_where(sources[last.source], targets[last.target])}" if last else "from the inputs on"
    value = step.out if itself else step.into
    if itself and step.into is not None:
        text = f"{_where(own, port)}: given the source's own input its output is off by {value:.1e}"
    elif itself:
        text = (f"{_where(own, port)}: its output is off by {value:.1e}; "
                f"the cause is this layer or what leads to it {since}")
    else:
        text = f"between layers, {since} up to {_where(own, port)}: what reaches it is off by {value:.1e}"
    hidden = next((s for s in steps[steps.index(last) + 1 if last else 0:index] if s.shapes), None)
    if hidden:
        text += f"; on the way {_where(sources[hidden.source], targets[hidden.target])} gives {hidden.shapes}"
    return _place(text, own, port) | {"steps": [asdict(s) for s in steps[:index + 1]][-8:]}


def _place(text: str, own: Unit | None, port: Unit | None) -> dict[str, Any]:
    return {"text": text, "layer": name(own) if own else "", "ported_layer": name(port) if port else "",
            "source_lines": own["lines"] if own else [], "ported_lines": port["lines"] if port else []}


def name(unit: Unit) -> str:
    label = unit["name"] or unit.get("label") or unit["path"] or "the model"
    return f"{label} ({unit['classes'][0].rsplit('.', 1)[-1]})"


def _where(own: Unit, port: Unit) -> str:
    here = f" {user.told(own['lines'][0])}" if own["lines"] else ""
    there = f" {user.told(port['lines'][0])}" if port["lines"] else ""
    return f"{name(own)}{here} = {name(port)}{there}"
