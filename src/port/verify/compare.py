"""Errors of all arrays of a case, against limits by dtype; numpy only.

The error of an array is its largest absolute difference over a scale: the largest absolute value of the reference,
at least 1e-3 for outputs, inputs' and buffers. For gradients at least 1e-4 of the largest gradient of the same pass:
one that is zero in theory (a bias before batch normalisation) is rounding of terms of that size.

In float64 the limit is 1e-9. In float32 rounding is judged by the model itself: at most ten times what the source
loses between float64 and float32, and at least 1e-5 (gradients 1e-4). The same loss times 2**-29 is the rounding to
expect in float64: where twenty times that is more than 1e-9 (a badly conditioned network), it is the limit, up to
1e-7. PyTorch's batch norm sums float32 in float64, and then loses less than that says. So where gradients are off, and
none in float64 by more than 1e-7, the source is run again in float64 as well, from weights and inputs off by up to an
ulp, four times: twenty times the largest change of an array is its limit then, up to 1e-7. (Measured on ResNeSt-50 with
two images, whose batch norms see two numbers per channel: weights off by 1e-15 move such gradients by 2e-8.) Where
TensorFlow resized images, which it does in float32, the limit is four times what such rounding changes in a second run
of TensorFlow, at most 1e-5.

One run does not show all that a float32 gradient may lose: a unit at the kink of its ReLU is on or off by chance, and
one such unit is worth up to some percent of the gradients before it. (Measured on eight convolutions with ReLU: all
losses above 1e-4 are gone once both dtypes share the signs of their float64 run.) Where nothing but float32 gradients
is off, the source is run again in float32 from weights and inputs off by up to an ulp, sixteen times: twice the
largest loss of an array is its limit then. Sixteen runs miss what is rarer (of 24 such runs of NASNetMobile in
PyTorch, in each of two draws, one had a unit off that no other had, and gradients off by 0.17 and 0.36 with it). So
what is still off is looked at again, on both sides, with another seed, and with a third one if need be: a fault shows
with each of them (kinks.py).

Where a residue is gone from every array once Keras keeps its Python constants exact in float64, it may be up to four
times what one float32 ulp of these constants does to the same kind of result in a further run of the source: rounding
moves a constant by half an ulp at most, and how much a network makes of that is its own affair. Where only the port
can be asked (it rounds them alike), it may be up to 1e-6 in outputs and buffers, and 1e-5 in gradients, weights after
steps and losses. What does not vanish with exact constants is never let through.

Steps of training (only when they are asked for) enlarge rounding from step to step. By how much is measured: the source
takes them a second time from weights that are off by 1e-10, and the limit is 1e-12 times the growth of that change, at
least 1e-9. Where that passes 1e-5, steps cannot tell a fault from rounding: they are not compared, and a note says so.
(Steps run in the first dtype only; if that is float32, these four numbers are 1e-4, 1e-6, 1e-4 and 1e-2.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import carry, store
from .pairing import Pairing

Arrays = dict[str, np.ndarray]
EXACT = 1e-9
MOST = 1e-7  # of a badly conditioned network
UNUSED = "the port does not use it"
NARROW = 1e-6  # where the source casts its results to float32 itself
CONSTANT = {"y": 1e-6, "buf": 1e-6}  # where the port rounds constants alike; else RESIDUE, ten times that
ULPS = 4  # a residue of rounded constants may be so many times what one float32 ulp of them does
RESIDUE = 1e-5  # below this, the rounding of a constant is looked for
TRIED = 1e-3  # below this, Keras is run again with exact constants, if only to say what a larger residue comes from
GROUPS = {"y": "outputs", "graph": "results inside tf.function", "dx": "gradients of inputs",
          "dw": "gradients of weights", "buf": "buffers", "steps": "weights after steps", "losses": "losses"}
FLOAT32 = {"y": 1e-5, "dx": 1e-4, "dw": 1e-4, "buf": 1e-5}
STEPS = {"float64": (1e-12, 1e-9, 1e-5), "float32": (1e-6, 1e-4, 1e-2)}


@dataclass(frozen=True)
class Row:
    """One compared array."""

    dtype: str
    group: str  # y | dx | dw | buf | steps | losses
    variant: int
    mode: str
    name: str  # number of the output or input, or 'unit/weight' of the source
    error: float  # relative to `scale`; inf: shapes differ, or it exists on one side only
    limit: float
    scale: float
    note: str = ""

    @property
    def bad(self) -> bool:
        return not self.error <= self.limit


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest absolute difference; NaN equals NaN, inf equals inf."""
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        return float(np.max(a != b, initial=0))
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b))
    return float(np.max(np.where(np.isnan(gap), np.inf, gap), initial=0))


def size(a: np.ndarray) -> float:
    values = np.abs(np.asarray(a, "float64"))
    return float(np.max(values[np.isfinite(values)], initial=0))


def error(ref: np.ndarray, got: np.ndarray, floor: float = 1e-3) -> tuple[float, float]:
    """(relative error, scale)"""
    if ref.shape != got.shape:
        return float("inf"), 1.0
    scale = max(size(ref), floor)
    return difference(ref, got) / (1.0 if ref.dtype.kind in "biu" else scale), scale


def _passes(arrays: Arrays, dtype: str, group: str) -> dict[tuple[int, str], Arrays]:
    """{(variant, mode): {name: array}}"""
    out: dict[tuple[int, str], Arrays] = {}
    for key, value in store.under(arrays, f"{dtype}/{group}").items():
        variant, mode, name = key.split("/", 2)
        out.setdefault((int(variant), mode), {})[name] = value
    return out


def _translated(pairing: Pairing, arrays: Arrays, gradient: bool) -> Arrays:
    """The port's per-weight arrays under the source's names and in its layout."""
    if pairing.forward:
        return carry.torch_to_keras(pairing, arrays, add=not gradient)
    return carry.keras_to_torch(pairing, arrays, fill=False)


def _floor(source: Arrays, dtype: str, group: str, variant: int, mode: str) -> float:
    if group not in ("dx", "dw"):
        return 1e-3
    every = [size(a) for g in ("dx", "dw") for k, a in source.items()
             if k.startswith(f"{dtype}/{g}/{variant}/{mode}/")]
    return max(1e-4 * max(every, default=0.0), 1e-6)


def rows(meta: dict[str, Any], source: Arrays, target: Arrays, pairing: Pairing) -> list[Row]:
    """Every array that either side has. `target` may hold 'bufraw' (torch's own variance) beside 'buf'."""
    out: list[Row] = []
    for dtype in meta["dtypes"]:
        out += _graph(source, target, dtype)
        for group in (g for g in GROUPS if g != "graph"):
            theirs, own = _passes(target, dtype, group), _passes(source, dtype, group)
            raw = _passes(target, dtype, "bufraw") if group == "buf" else {}
            raw_own = _passes(source, dtype, "bufraw") if group == "buf" else {}
            for which in sorted(own.keys() | theirs.keys()):
                pairs = [(own.get(which, {}), theirs.get(which, {})),
                         (raw_own.get(which, own.get(which, {})), raw.get(which, theirs.get(which, {})))]
                if group in ("dw", "buf", "steps"):
                    pairs = [(a, _translated(pairing, b, group == "dw")) for a, b in pairs]
                if group not in ("steps", "losses") or steps_limit(meta) is not None:
                    out += _group(meta, source, pairs, pairing, (dtype, group, *which))
    return out


def constant_buffer(own: Any, initial: Any, dtype: str) -> bool:
    """Is a buffer what it was at first? One that holds floats is rounded to the dtype that the pass runs in."""
    if initial is None:
        return False
    if initial.dtype.kind == "f":
        own, initial = own.astype(dtype), initial.astype(dtype)
    return bool(np.array_equal(own, initial))


def _graph(source: Arrays, target: Arrays, dtype: str) -> list[Row]:
    """The port against itself: outputs and buffers inside `tf.function`, and eager ones."""
    out = []
    for (variant, mode), found in sorted(_passes(target, dtype, "graph").items()):
        for name, value in found.items():
            group = "buf" if "/" in name else "y"
            eager = target[f"{dtype}/{group}/{variant}/{mode}/{name}"]
            limit = _limit(source, (dtype, group, variant, mode), name, 1e-3)
            off, scale = error(eager, value)
            out.append(Row(dtype, "graph", variant, mode, name, off, limit, scale))
    return out


def _group(meta: dict[str, Any], source: Arrays, pairs: list[tuple[Arrays, Arrays]], pairing: Pairing,
           where: tuple[str, str, int, str]) -> list[Row]:
    dtype, group, variant, mode = where
    (own, theirs), (own_raw, theirs_raw) = pairs
    floor = _floor(source, dtype, group, variant, mode)
    skip = _explained(pairing, meta) if group in ("dw", "buf", "steps") else set()
    out = []
    for name in sorted(own.keys() | theirs.keys()):
        if name not in own or name not in theirs:
            later = group == "dw" and (variant or dtype != meta["dtypes"][0])  # see passes.LARGE
            constant = group == "buf" and name in own and constant_buffer(own[name], source.get(f"w/{name}"), dtype)
            if name not in skip and not constant and (name in own or not (later or group in ("buf", "steps"))):
                out.append(Row(dtype, group, variant, mode, name, float("inf"), EXACT, 1.0,
                               "only in the " + ("source" if name in own else "port")))
            continue
        value, scale = error(own[name], theirs[name], floor)
        note = UNUSED if group == "dw" and own[name].any() and not theirs[name].any() else ""
        if group == "buf" and name in own_raw and name in theirs_raw:
            plain, _ = error(own_raw[name], theirs_raw[name], floor)
            note = "biased variance" if value < plain else ""
            value = min(value, plain)
        if own[name].shape != theirs[name].shape:
            note = f"shape {list(own[name].shape)} became {list(theirs[name].shape)}"
        told = steps_limit(meta) if group in ("steps", "losses") else None
        limit = _limit(source, where, name, floor) if told is None else told
        lost = meta.get("sampled", {}).get(f"{dtype}/{group}/{variant}/{mode}/{name}", 0.0)
        limit = max(limit, 2 * lost if dtype == "float32" else min(20 * lost, MOST))
        if dtype == "float64" and EXACT < value <= NARROW and _narrow(source):
            limit, note = NARROW, "float32 cast"
        raised = meta.get("floor", {}).get(f"{group}/{variant}/{mode}", 0.0) if dtype == "float64" else 0.0
        if value > limit and 4 * raised > limit:
            limit, note = min(4 * raised, RESIDUE), "float32 resize"
        out.append(Row(*where, name, value, limit, scale, note))
    return out


def excused(row: Row, moved: dict[str, float] | None = None) -> Row:
    """The limit of a row whose residue is known to be that of rounded constants; `moved`: see `effects`."""
    if not row.bad or row.dtype != "float64":
        return row
    limit = CONSTANT.get(row.group, RESIDUE) if moved is None else ULPS * moved.get(_kind(row), 0.0)
    return replace(row, limit=max(limit, row.limit), note="float32 constants")


def effects(found: list[Row]) -> dict[str, float]:
    """{'group/variant/mode': largest error}: what the constants of the source, off by one ulp, do to its results."""
    out: dict[str, float] = {}
    for row in found:
        if np.isfinite(row.error):
            out[_kind(row)] = max(out.get(_kind(row), 0.0), row.error)
    return out


def _kind(row: Row) -> str:
    return f"{row.group}/{row.variant}/{row.mode}"


def steps_limit(meta: dict[str, Any]) -> float | None:
    """None: rounding alone would exceed it."""
    unit, least, most = STEPS[meta["dtypes"][0]]
    limit = max(least, unit * float(meta.get("growth", 1.0)))
    return limit if limit <= most else None


def _narrow(source: Arrays) -> bool:
    return any(k.startswith("float64/y/") and a.dtype == np.float32 for k, a in source.items())


def _limit(source: Arrays, where: tuple[str, str, int, str], name: str, floor: float) -> float:
    """By what the source itself loses between float64 and float32: its condition, measured."""
    dtype, group, variant, mode = where
    lost = _lost(source, f"{group}/{variant}/{mode}/{name}", floor)
    if dtype == "float64":
        return min(max(EXACT, 20 * lost * 2.0**-29), MOST)
    return max(FLOAT32[group], 10 * lost)


def _lost(source: Arrays, tail: str, floor: float) -> float:
    exact, short = source.get(f"float64/{tail}"), source.get(f"float32/{tail}")
    lost = error(exact, short, floor)[0] if exact is not None and short is not None else 0.0
    return lost if np.isfinite(lost) else 0.0


def losses(source: Arrays, again: Arrays) -> dict[str, float]:
    """{'dtype/group/variant/mode/name': loss} of the gradients of another run against those in float64."""
    out = {}
    for key, short in again.items():
        dtype, group, variant, mode, _ = key.split("/", 4)
        exact = f"float64/{key.removeprefix(f'{dtype}/')}"
        if group in ("dx", "dw") and exact in source:
            floor = _floor(source, dtype, group, int(variant), mode)
            out[key] = error(source[exact], short, floor)[0]
    return out


def _explained(pairing: Pairing, meta: dict[str, Any]) -> set[str]:
    """Torch arrays of the source without a Keras counterpart that the rules account for, or that are tied."""
    if pairing.forward:
        return set()
    out = {f"{i}/{n}" for i, unit in enumerate(meta["units"]) for n, w in unit["weights"].items()
           if w.get("tied") or i in pairing.unused}
    for pair in pairing.pairs:
        for rule in pair.rules.values():
            if isinstance(rule, dict):
                out |= {f"{pair.torch}/{rule[key]}" for key in ("also",) if key in rule}
                if "missing" in rule:
                    out.add(f"{pair.torch}/{rule['to']}")
    return out


def worst(found: list[Row], dtype: str = "float64") -> float:
    return max((r.error for r in found if r.dtype == dtype), default=0.0)
