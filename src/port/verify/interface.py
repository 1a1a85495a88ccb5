"""The first stage: structure, shapes and dtypes of the results, and which weights train."""

from __future__ import annotations

from typing import Any

from .pairing import Pairing, Unit

KINDS = {"bool": "bool", "float16": "float", "bfloat16": "float", "float32": "float", "float64": "float"}


def results(source: Any, target: Any, place: str = "result") -> list[str]:
    """Differences that a caller would notice. A list for a tuple is only a note (it begins with '~')."""
    if isinstance(source, dict) != isinstance(target, dict) or (source is None) != (target is None):
        return [f"{place}: {_word(source)} became {_word(target)}"]
    if isinstance(source, dict):
        (kind, held), (kind_t, held_t) = next(iter(source.items())), next(iter(target.items()))
        if (kind == "dict") != (kind_t == "dict") or len(held) != len(held_t):
            return [f"{place}: {_word(source)} became {_word(target)}"]
        out = [f"~{place}: a {kind} became a {kind_t}"] if kind != kind_t else []
        if kind == "dict":
            if held.keys() != held_t.keys():
                return [f"{place}: keys {sorted(held)} became {sorted(held_t)}"]
            return out + [p for k in held for p in results(held[k], held_t[k], f"{place}[{k!r}]")]
        return out + [p for i in range(len(held)) for p in results(held[i], held_t[i], f"{place}[{i}]")]
    if source is None:
        return []
    problems = [] if source[0] == target[0] else [f"{place}: shape {source[0]} became {target[0]}"]
    if _class(source[1]) != _class(target[1]):
        problems.append(f"{place}: dtype {source[1]} became {target[1]}")
    return problems


def _class(dtype: str) -> str:
    return KINDS.get(dtype, "integer" if "int" in dtype else dtype)


def _word(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, dict):
        kind, held = next(iter(value.items()))
        return f"a {kind} of {len(held)}"
    return f"one tensor {value[0]}"


def training(pairing: Pairing, torch_units: list[Unit], sides: tuple[str, str]) -> list[str]:
    """Weights that train on one side only. '~' marks what the source framework cannot express otherwise.

    `sides`: framework of the source and of the port.
    """
    if sides[0] == sides[1]:
        return [text for pair in pairing.pairs for text in _same(pairing.units[pair.keras], torch_units[pair.torch])]
    return [text for pair in pairing.pairs
            for text in _pair(pairing.units[pair.keras], torch_units[pair.torch], pair.rules, sides[0])]


def _same(source: Unit, port: Unit) -> list[str]:
    return [f"{source['path'] or source['name']}.{n} {'trains' if w['trainable'] else 'is frozen'} in the source, "
            "not so in the port" for n, w in source["weights"].items()
            if n in port["weights"] and port["weights"][n]["trainable"] != w["trainable"]]


def _pair(keras: Unit, torch: Unit, rules: dict[str, Any], source_side: str) -> list[str]:
    out = []
    for name, rule in rules.items():
        rule = {"to": rule} if isinstance(rule, str) else rule
        targets = rule["to"] if isinstance(rule["to"], list) else [rule["to"]]
        if name in keras["weights"]:
            trains = keras["weights"][name]["trainable"]
            for target in targets:
                held = torch["weights"].get(target)
                if held and held["trainable"] != trains:
                    word = "trains" if trains else "is frozen"
                    out.append(f"{keras['path'] or keras['name']}.{name} {word} in Keras, not so "
                               f"{torch['path']}.{target} in torch")
        elif torch["weights"].get(targets[0], {}).get("trainable"):
            out.append(f"{torch['path']}.{targets[0]} trains in torch; Keras has no such weight")
        second = torch["weights"].get(rule.get("also", ""), {})
        if second.get("trainable") and name in keras["weights"] and keras["weights"][name]["trainable"]:
            mark = "~" if source_side == "torch" else ""
            out.append(f"{mark}{torch['path']}.{rule['also']} trains beside {targets[0]}: Keras has one bias, so "
                       "every optimizer step moves the sum twice as far")
    return out
