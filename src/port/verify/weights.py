"""How the weights of one Keras layer become those of one torch module, and back.

A spec maps a Keras weight to a torch one: `bias: bias` as it is, or a dict with

* `to`: the torch name (a list of names with `split`)
* `permute`: axes of the Keras array, in torch order
* `matrix: true`: to (inputs, outputs) first; the unit's config says how many leading axes are inputs;
  then transposed
* `reshape`: sizes after permuting; "0*1" is the product of the sizes of axes 0 and 1, 1 a new axis
* `then`: axes of a second permutation, after reshaping; `flat: true`: to one axis
* `gates`: new order of equal blocks along axis 0 (GRU: Keras z, r, h; torch r, z, n)
* `part`, `of`: this weight is block `part` of `of` blocks along axis 0 of the torch array (attention)
* `split`: axis 0 is taken apart into the torch names of `to`
* `also`: a torch array that is added to `to` by torch: set to zero, it has the same gradient
* `missing`: the value of the torch array where Keras has no such weight (BatchNormalization(scale=False))

Everything is decided by the spec, nothing by shapes: those cannot show a square kernel that is not transposed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Rules = dict[str, Any]


def _rule(rule: Any) -> dict[str, Any]:
    return {"to": rule} if isinstance(rule, str) else rule


def _size(text: Any, shape: tuple[int, ...]) -> int:
    if isinstance(text, int):
        return text
    return math.prod(shape[int(axis)] for axis in text.split("*"))


def _convert(array: np.ndarray, rule: dict[str, Any], config: dict[str, Any]) -> np.ndarray:
    if rule.get("matrix"):
        inputs = math.prod(array.shape[:config["contracted"]])
        array = array.reshape(inputs, -1).T
    if "permute" in rule:
        array = array.transpose(rule["permute"])
    if "reshape" in rule:
        array = array.reshape([_size(s, array.shape) for s in rule["reshape"]])
    if "then" in rule:
        array = array.transpose(rule["then"])
    if rule.get("flat"):
        array = array.reshape(-1)
    if "gates" in rule and "split" not in rule:
        array = _gates(array, rule["gates"])
    return array


def _gates(array: np.ndarray, order: list[int]) -> np.ndarray:
    blocks = np.split(array, len(order), axis=0)
    return np.concatenate([blocks[i] for i in order], axis=0)


def to_torch(rules: Rules, keras: Arrays, config: dict[str, Any] | None = None, fill: bool = True) -> Arrays:
    """{torch name: array}. `fill`: add the arrays that Keras does not have (`missing`, `also`)."""
    out: Arrays = {}
    parts: dict[str, list[tuple[int, np.ndarray]]] = {}
    for name, text in rules.items():
        rule = _rule(text)
        if name not in keras:
            continue
        array = _convert(keras[name], rule, config or {})
        if "split" in rule:
            for target, piece in zip(rule["to"], array, strict=True):
                out[target] = _gates(piece, rule["gates"]) if "gates" in rule else piece
        elif "part" in rule:
            parts.setdefault(rule["to"], []).append((rule["part"], array))
        else:
            out[rule["to"]] = array
            if fill and "also" in rule:
                out[rule["also"]] = np.zeros_like(array)
    for target, pieces in parts.items():
        out[target] = np.concatenate([array for _, array in sorted(pieces, key=lambda p: p[0])], axis=0)
    return out


def missing(rules: Rules, keras_names: set[str]) -> dict[str, float]:
    """{torch name: constant} for the weights that this Keras layer lacks."""
    return {_rule(r)["to"]: _rule(r)["missing"] for name, r in rules.items()
            if name not in keras_names and "missing" in _rule(r)}


def to_keras(rules: Rules, torch: Arrays, shapes: dict[str, tuple[int, ...]], config: dict[str, Any] | None = None,
             add: bool = False) -> Arrays:
    """The inverse: {Keras name: array} for those whose torch arrays are all there.

    `add`: values (not gradients): a torch array named by `also` is added to its partner.
    """
    torch = dict(torch)
    for rule in map(_rule, rules.values()):
        if add and "also" in rule and {rule["also"], rule["to"]} <= torch.keys():
            torch[rule["to"]] = torch[rule["to"]] + torch[rule["also"]]
    ids, count = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        ids[name] = np.arange(count, count + size).reshape(shape)
        count += size
    flat, known = np.zeros(count), np.zeros(count, dtype=bool)
    for target, where in to_torch(rules, ids, config, fill=False).items():
        if target in torch:
            flat[where.reshape(-1)] = torch[target].reshape(-1)
            known[where.reshape(-1)] = True
    return {name: flat[i.reshape(-1)].reshape(i.shape) for name, i in ids.items() if known[i.reshape(-1)].all()}


def fits(rules: Rules, keras: dict[str, tuple[int, ...]], torch: dict[str, tuple[int, ...]],
         config: dict[str, Any] | None = None) -> bool:
    """Do names and shapes of both sides agree under these rules? (A check, never a way to choose a transform.)"""
    if not set(keras) <= set(rules):
        return False
    try:
        made = to_torch(rules, {n: np.broadcast_to(np.int8(0), s) for n, s in keras.items()}, config)
    except (ValueError, IndexError, KeyError):
        return False
    made_shapes = {n: a.shape for n, a in made.items()}
    constant = missing(rules, set(keras))
    rest = set(torch) - set(made_shapes) - set(constant)
    return not rest and all(torch.get(n) == s for n, s in made_shapes.items() if n not in _optional(rules))


def _optional(rules: Rules) -> set[str]:
    return {_rule(r)["also"] for r in rules.values() if "also" in _rule(r)}
