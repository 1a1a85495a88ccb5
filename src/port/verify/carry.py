"""Weights, gradients and buffers of one side in the layout of the other, along a pairing.

Arrays are keyed 'unit index/weight name', as each side numbers its own units.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import weights
from .pairing import Pair, Pairing, Unit, shapes

Arrays = dict[str, np.ndarray]


def keras_key(unit: Unit, name: str) -> str:
    """The key under which the Keras side stores this weight (parts of a layer keep the layer's names)."""
    return f"{unit['index']}/{unit['weights'][name].get('of', name)}"


def keras_to_torch(pairing: Pairing, arrays: Arrays, fill: bool) -> Arrays:
    """`fill`: add what torch has and Keras lacks: constants of a missing gamma, a second LSTM bias of zero."""
    out: Arrays = {}
    for pair in pairing.pairs:
        unit = pairing.units[pair.keras]
        held = {n: arrays[key] for n in unit["weights"] if (key := keras_key(unit, n)) in arrays}
        try:
            made = weights.to_torch(pair.rules, held, unit["config"], fill)
        except ValueError:  # only some blocks of an array that torch keeps in one piece
            continue
        out |= {f"{pair.torch}/{n}": a for n, a in made.items()}
    return out


def constants(pairing: Pairing, torch_units: list[Unit]) -> Arrays:
    """Values of torch arrays that have no Keras counterpart because Keras was told to leave them out."""
    out: Arrays = {}
    for pair in pairing.pairs:
        for name, value in weights.missing(pair.rules, set(pairing.units[pair.keras]["weights"])).items():
            held = torch_units[pair.torch]["weights"].get(name)
            if held is not None:
                out[f"{pair.torch}/{name}"] = np.full(held["shape"], value)
    return out


def torch_to_keras(pairing: Pairing, arrays: Arrays, add: bool) -> Arrays:
    """`add`: values, where torch adds two biases and Keras has their sum (not for gradients)."""
    out: Arrays = {}
    for pair in pairing.pairs:
        unit = pairing.units[pair.keras]
        prefix = f"{pair.torch}/"
        held = {k[len(prefix):]: a for k, a in arrays.items() if k.startswith(prefix)}
        found = weights.to_keras(pair.rules, held, shapes(unit), unit["config"], add)
        out |= {keras_key(unit, n): a for n, a in found.items()}
    return out


def pack(pairing: Pairing) -> dict[str, Any]:
    """JSON-able."""
    return {"units": list(pairing.units), "tied": list(pairing.tied), "problems": list(pairing.problems),
            "unused": list(pairing.unused), "forward": pairing.forward,
            "pairs": [[p.keras, p.torch, p.rules, p.how] for p in pairing.pairs]}


def unpack(data: dict[str, Any]) -> Pairing:
    return Pairing(tuple(data["units"]), tuple(Pair(*p) for p in data["pairs"]), tuple(data["tied"]),
                   tuple(data["problems"]), tuple(data["unused"]), data["forward"])
