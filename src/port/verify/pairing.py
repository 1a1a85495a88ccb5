"""Which Keras layer is which torch module: by name, by attribute path, else by order; every pair says how.

Two files of one framework are paired the same way: then `keras` is the source, `torch` the port, and weights go over
under their names, unchanged.

A unit is a layer that holds weights: {path, name, classes, weights: {name: {shape, trainable}}, config, created,
called}. Attention, recurrent layers and separable convolutions are one unit, or several `parts` if the other side
spells them out. A wrong pair cannot make a wrong port pass: all numbers are compared afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import weights
from .user import told

Unit = dict[str, Any]
Table = dict[str, Any]
SAME: Table = {"layers": {}, "parts": {}}  # both files use one framework
PARAMETRISED = {"ParametrizationList": "a parametrisation (weight_norm, spectral_norm)"}
OLD_NORMS = {"weight_g": "weight_norm", "weight_orig": "spectral_norm"}


@dataclass(frozen=True)
class Pair:
    keras: int  # index into the Keras units
    torch: int
    rules: dict[str, Any]
    how: str  # 'name' | 'path' | 'order of creation' | 'order of calls'


@dataclass(frozen=True)
class Pairing:
    """A complete assignment, with the Keras units it speaks of (some may be parts of a layer)."""

    units: tuple[Unit, ...]
    pairs: tuple[Pair, ...]
    tied: tuple[int, ...] = ()  # torch units that only share weights of others
    problems: tuple[str, ...] = field(default=())
    unused: tuple[int, ...] = ()  # torch units of the source that nothing calls: Keras never builds them
    forward: bool = True  # `keras` is the source


def expand(units: list[Unit], torch_units: list[Unit], table: Table) -> list[Unit]:
    """Take layers apart that have no whole partner class among the torch units."""
    if table is SAME:
        return units
    present = {c for u in torch_units for c in u["classes"]}
    out = []
    for unit in units:
        kind = next((c for c in unit["classes"] if c in table["parts"]), None)
        partners = present & set(table["layers"].get(kind or "", {}))
        whole = any(rules_for(unit, t, table) is not None for t in torch_units if partners & set(t["classes"]))
        if not kind or whole or any(_same_names(unit, t) for t in torch_units):
            out.append(unit)
            continue
        for name, klass, names, *contracted in table["parts"][kind]:
            held = {new: {**unit["weights"][old], "of": old} for old, new in names.items() if old in unit["weights"]}
            out.append({**unit, "path": f"{unit['path']}.{name}", "name": "",
                        "label": f"{unit.get('label') or unit['path']}.{name}", "classes": [klass],
                        "weights": held, "config": {"contracted": contracted[0]} if contracted else {}})
    return out


def _same_names(unit: Unit, other: Unit) -> bool:
    return set(unit["weights"]) == set(other["weights"])


def shapes(unit: Unit) -> dict[str, tuple[int, ...]]:
    return {n: tuple(w["shape"]) for n, w in unit["weights"].items()}


def rules_for(keras: Unit, torch: Unit, table: Table) -> dict[str, Any] | None:
    """The first rules whose names and shapes fit; a layer of the user's own: equal names, unchanged."""
    if table is SAME:
        return _unchanged(keras, torch)
    for kind in keras["classes"]:
        for other, found in table["layers"].get(kind, {}).items():
            if other in torch["classes"]:
                for rules in found if isinstance(found, list) else [found]:
                    rules = _normed(rules, keras, torch)
                    rules = {**{n: n for n in set(keras["weights"]) & set(torch["weights"])
                                if n not in rules and keras["weights"][n].get("own")}, **rules}
                    if weights.fits(rules, shapes(keras), _required(torch, rules), keras["config"]):
                        return rules
    if set(keras["classes"]) & set(table["layers"]):
        return None
    return _unchanged(keras, torch)


def _normed(rules: dict[str, Any], keras: Unit, torch: Unit) -> dict[str, Any]:
    """Of a kernel that a weight norm computes: v goes over as the kernel does, g with its axes in the same order."""
    if not {"g", "kernel"} <= keras["weights"].keys() or not {"weight_g", "weight_v"} <= torch["weights"].keys():
        return rules
    kernel = {"to": rules["kernel"]} if isinstance(rules["kernel"], str) else rules["kernel"]
    whole = not keras["weights"]["g"]["shape"]
    return {**rules, "kernel": {**kernel, "to": "weight_v"}, "g": {**({} if whole else kernel), "to": "weight_g"}}


def _unchanged(keras: Unit, torch: Unit) -> dict[str, Any] | None:
    """Equal names, and shapes up to the layout of images; constant buffers may be missing on either side."""
    own, other = keras["weights"], torch["weights"]
    common = set(own) & set(other)
    left = [w for held in (own, other) for n, w in held.items() if n not in common]
    if not common or not all(w.get("buffer") for w in left):
        return None
    rules = {n: _moved(n, tuple(own[n]["shape"]), tuple(other[n]["shape"])) for n in own if n in common}
    return rules if all(rules.values()) else None


def _moved(name: str, own: tuple[int, ...], other: tuple[int, ...]) -> Any:
    """The rule for a weight of the user's: as it is, channels from the end to their torch place, or axes of size 1."""
    if own == other:
        return name
    for place in (1, 0) if len(own) == len(other) > 2 else ():
        order = list(range(len(own) - 1))
        order.insert(place, len(own) - 1)
        if tuple(own[axis] for axis in order) == other:
            return {"to": name, "permute": order}
    return {"to": name, "reshape": list(other)} if [n for n in own if n > 1] == [n for n in other if n > 1] else None


def _required(torch: Unit, rules: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of the torch arrays that must be explained: constant buffers that no rule names may stay."""
    named = {t for r in rules.values() for t in ([r] if isinstance(r, str) else _list(r["to"]))}
    return {n: tuple(w["shape"]) for n, w in torch["weights"].items() if not w.get("buffer") or n in named}


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _key(text: str) -> str:
    return text.replace("/", "_").replace(".", "_").lower()


def _by_name(keras: list[Unit], torch: list[Unit]) -> list[tuple[int, int, str]]:
    """Pairs whose keys are unique on both sides: full path, literal name, or name = last attribute."""
    found: list[tuple[int, int, str]] = []
    free_k, free_t = set(range(len(keras))), set(range(len(torch)))

    def match(how: str, key_k: Callable[[Unit], str], key_t: Callable[[Unit], str]) -> None:
        left, right = _unique(keras, free_k, key_k), _unique(torch, free_t, key_t)
        for key in left.keys() & right.keys():
            found.append((left[key], right[key], how))
            free_k.discard(left[key])
            free_t.discard(right[key])

    match("path", lambda u: _key(u["path"]) or "(root)", lambda u: _key(u["path"]) or "(root)")
    match("name", lambda u: _key(u["name"]), lambda u: _key(u["path"]))
    match("name", lambda u: _key(u["name"]), lambda u: _key(u["path"].rsplit(".", 1)[-1]))
    return found


def _unique(units: list[Unit], free: set[int], key: Callable[[Unit], str]) -> dict[str, int]:
    seen: dict[str, list[int]] = {}
    for i in free:
        text = key(units[i])
        if text and "#" not in text:
            seen.setdefault(text, []).append(i)
    return {k: v[0] for k, v in seen.items() if len(v) == 1}


def _in_order(units: list[Unit], left: list[int], key: str) -> list[int]:
    return sorted(left, key=lambda i: (units[i].get(key, 0) is None, units[i].get(key) or 0))


def _attempt(keras: list[Unit], torch: list[Unit], table: Table, names: bool, order: str, idle: set[int]) -> Pairing:
    pairs = []
    if names:
        for k, t, how in _by_name(keras, torch):
            rules = rules_for(keras[k], torch[t], table)
            if rules is not None:
                pairs.append(Pair(k, t, rules, how))
    left_k = _in_order(keras, [i for i in range(len(keras)) if i not in {p.keras for p in pairs}], order)
    left_t = _in_order(torch, [i for i in range(len(torch)) if i not in {p.torch for p in pairs}], order)
    how = {"made": "order of creation", "first_call": "order of calls", "registered": "order of registration"}[order]
    problems = []
    for k in left_k:
        for t in left_t:
            rules = rules_for(keras[k], torch[t], table)
            if rules is not None:
                pairs.append(Pair(k, t, rules, how))
                left_t.remove(t)
                break
        else:
            problems.append(f"no partner for {describe(keras[k])}")
    tied = [t for t in left_t if all(w.get("tied") for w in torch[t]["weights"].values())]
    unused = [t for t in left_t if t in idle]
    lost = [torch[t] for t in left_t if t not in tied and t not in unused and _matters(torch[t])]
    problems += [f"no partner for {describe(unit)}" for unit in lost]
    problems = [f"{describe(u)}: {text}" for u in lost if (text := _parametrised(u))] or problems
    return Pairing(tuple(keras), tuple(sorted(pairs, key=lambda p: p.keras)), tuple(tied), tuple(problems),
                   tuple(unused))


def _parametrised(unit: Unit) -> str:
    """Why there can be none: torch computes this weight from others at every call."""
    names = [f"{OLD_NORMS[n]}" for n in unit["weights"] if n in OLD_NORMS]
    names += [text for c in unit["classes"] if (text := PARAMETRISED.get(c.rsplit(".", 1)[-1]))]
    return (f"torch computes this weight with {names[0]} at every call, and no Keras layer is paired with that; fold "
            "it into a plain weight (torch.nn.utils.parametrize.remove_parametrizations) first") if names else ""


def _matters(unit: Unit) -> bool:
    return any(not w.get("buffer") for w in unit["weights"].values())


def describe(unit: Unit) -> str:
    held = ", ".join(f"{n} {list(w['shape'])}" for n, w in unit["weights"].items())
    line = f" ({told(unit['lines'][0])})" if unit.get("lines") else ""
    name = unit.get("label") or unit["path"] or unit["name"] or "the model"
    return f"{name} [{unit['classes'][0].rsplit('.', 1)[-1]}: {held}]{line}"


def candidates(keras: list[Unit], torch: list[Unit], table: Table, idle: set[int] | None = None) -> list[Pairing]:
    """Distinct assignments, the most telling first; those with problems only if there is none without.

    `idle`: torch units that need no partner, since nothing calls them.
    """
    keras = expand(keras, torch, table)
    found, seen = [], set()
    for names, order in ((True, "made"), (True, "first_call"), (True, "registered"), (False, "made"),
                         (False, "first_call"), (False, "registered")):
        attempt = _attempt(keras, torch, table, names, order, idle or set())
        mark = tuple((p.keras, p.torch) for p in attempt.pairs)
        if mark not in seen:
            seen.add(mark)
            found.append(attempt)
    good = [a for a in found if not a.problems]
    return good or sorted(found, key=lambda a: len(a.problems))[:1]
