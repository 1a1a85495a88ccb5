"""From the files of both children to verdicts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import carry, compare, draws, interface, kinks, verdict
from .cases import Case
from .pairing import Pairing, describe
from .verdict import PairLine, Place, Verdict

Arrays = dict[str, np.ndarray]
Part = tuple[dict[str, Any], Arrays]


def judge(source: Part, target: Part, excused: frozenset[kinks.Array] = frozenset()) -> Verdict:
    """`excused`: float32 gradients that are off with these numbers and with others are not."""
    meta, other = source[0], target[0]
    case = case_of(meta)
    if "error" in meta:
        if meta.get("missing_input"):
            return Verdict(case, verdict.UNVERIFIED, "load", meta["error"])
        return Verdict(case, verdict.ERROR, "load", f"source: {meta['error']}", notes=tuple(meta["notes"]))
    if "error" in other:
        return Verdict(case, verdict.ERROR, "load", f"port: {other['error']}",
                       notes=(*meta["notes"], *other.get("notes", ())))
    pairing = carry.unpack(other["pairing"])
    torch_units = other["units"] if pairing.forward else meta["units"]
    pairs = _pair_lines(torch_units, pairing)
    if pairing.problems:
        more = f" and {len(pairing.problems) - 3} more" if len(pairing.problems) > 3 else ""
        return Verdict(case, verdict.MISMATCH, "pairing", "; ".join(pairing.problems[:3]) + more, pairs=pairs,
                       notes=tuple(meta["notes"]))
    return _numbers(case, source, target, pairing, pairs, excused)


def _numbers(case: Case, source: Part, target: Part, pairing: Pairing, pairs: tuple[PairLine, ...],
             excused: frozenset[kinks.Array]) -> Verdict:
    (meta, arrays), (other, found) = source, target
    torch_units = other["units"] if pairing.forward else meta["units"]
    surface = interface.results(meta["structure"], other["structure"])
    surface += interface.training(pairing, torch_units, (meta["side"], other["side"]))
    surface += draws.faults(meta.get("draws"), other.get("draws"))
    graph = other.get("graph", {})
    faults = [s for s in surface if not s.startswith("~")]
    meta = {**meta, "floor": other.get("floor") or meta.get("floor", {})}
    rows = [kinks.excuse(r, excused) for r in compare.rows(meta, arrays, found, pairing)]
    bad = [r for r in rows if r.bad]
    attributed = other.get("attributed", {})
    names = tuple(attributed.get("names", ()))
    resized = any(r.note == "float32 resize" for r in rows)
    if names:
        rows = [compare.excused(r, attributed.get("moved")) for r in rows]
        bad = [r for r in rows if r.bad]
    notes = [*meta["notes"], *(n for n in other["notes"] if n not in meta["notes"]),
             *(s[1:] for s in surface if s[0] == "~")]
    notes += [graph["note"]] if "note" in graph else []
    if (meta.get("draws") or {}).get("shared"):
        notes.append("random numbers that training mode draws were shared by both sides" + (
            "; inside tf.function only inference was run" if other["side"] == "tf" else ""))
    notes += [f"nothing calls {describe(torch_units[t])}: the port need not have it" for t in pairing.unused]
    if other.get("filled"):
        notes.insert(0, f"filled {', '.join(other['filled'])} from the input")
    if any(r.note == "float32 cast" for r in rows):
        notes.append("the source itself returns float32 in a float64 run: the limit there is 1e-6")
    if meta.get("steps") and compare.steps_limit(meta) is None:
        notes.append(f"the {meta['steps']} steps enlarge a small change {meta['growth']:.0e} times: "
                     "rounding alone parts them, so they were not compared")
    if not any(compare.size(arrays[k]) for k in arrays if "/dw/" in k) and meta.get("units"):
        notes.append("all gradients of the weights are zero: this case shows little")
    place = _place(other.get("where"))
    message, stage, status = _message(faults, bad, names, attributed, place)
    if unused := [r.name for r in bad if r.note == compare.UNUSED]:
        message += f"; {_weight(unused[0], meta)} has no gradient in the port, which does not use it"
    if status == verdict.VERIFIED and "fault" in graph:
        message, stage, status = graph["fault"], "graph", verdict.MISMATCH
    if stage == "numeric" and meta.get("steps") and any(r.group == "steps" for r in rows):
        stage = "behaviour"
    if resized and status == verdict.VERIFIED:
        names += ("tf.image.resize computes in float32",)
        message = message or f"equal to {compare.worst(rows):.1e}: TensorFlow resizes images in float32"
    if status == verdict.VERIFIED:
        place = None
    skipped = _skipped(meta, arrays, rows)
    if status == verdict.VERIFIED and skipped:
        status, message = verdict.UNVERIFIED, "; ".join([*skipped, *([message] if message else [])])
    divergences = ("batch norm: torch keeps the variance times n/(n-1), Keras without",) if any(
        r.note == "biased variance" for r in rows) else ()
    worst = compare.worst(rows, meta["dtypes"][0])
    layers = tuple(unit.get("label") or unit["name"] or unit["path"] or "the model" for unit in meta["units"])
    return Verdict(case, status, stage, message, worst, tuple(rows), pairs, place, names, divergences, tuple(notes),
                   layers)


def _skipped(meta: dict[str, Any], arrays: Arrays, rows: list[compare.Row]) -> list[str]:
    """Reasons why agreement of what was compared is not yet a proof."""
    out = [] if rows else ["nothing could be compared"]
    outputs = [a for k, a in arrays.items() if k.split("/")[1] == "y" and a.dtype.kind == "f" and a.size]
    if outputs and not any(np.isfinite(a).any() for a in outputs):
        out.append("every output of the source is NaN or infinite")
    if meta.get("random"):
        out.append("inference agrees; training mode draws random numbers that could not be switched off")
    if any(u["config"].get("cumulative") for u in meta.get("units", ())):
        out.append("a batch norm with momentum=None averages over all batches, and only its first was compared")
    if "asked" in meta and meta["asked"] != meta["dtypes"]:
        out.append(f"agrees in {' and '.join(meta['dtypes'])} only; "
                   + next((n for n in meta["notes"] if n.startswith("the source cannot run")), ""))
    return out


def _message(faults: list[str], bad: list[compare.Row], names: tuple[str, ...], attributed: dict[str, Any],
             place: Place | None) -> tuple[str, str, str]:
    """(message, stage, status)"""
    if faults and not bad:
        return "; ".join(faults[:3]), "interface", verdict.MISMATCH
    if bad:
        row = max(bad, key=lambda r: (r.dtype == "float64", r.group == "y", r.group == "buf", r.error))
        text = f"{row.dtype} {compare.GROUPS[row.group]} differ in {row.mode} mode: {row.error:.1e} > {row.limit:.0e}"
        if row.note and row.note not in ("biased variance", compare.UNUSED):
            text += f" ({row.name}: {row.note})"
        if attributed.get("failed"):
            text += f"; whether rounded constants explain it could not be tried: {attributed['failed']}"
        if attributed.get("exact") and attributed["tried"]:
            text += (f"; constants that Keras rounds to float32 do not explain it (off by {attributed['error']:.1e} "
                     "with them exact)" if not names else
                     f"; equal to {attributed['error']:.1e} once Keras keeps these constants exact, but one "
                     f"float32 ulp of them changes no more than {_most(attributed):.1e}: {'; '.join(names)}")
        elif attributed.get("tried") and place is None:
            text += f"; rounding the constants of {', '.join(attributed['tried'])} does not explain it"
        if place and not names:
            text += f"; {place.text}"
        return "; ".join([text, *faults[:2]]), "numeric", verdict.MISMATCH
    if names and attributed.get("exact"):
        return (f"equal to {attributed['error']:.1e} once Keras keeps these constants exact, which it rounds to "
                f"float32 ({attributed['before']:.1e} with that; one float32 ulp of them changes "
                f"{_most(attributed):.1e}): {'; '.join(names)}"), "numeric", verdict.VERIFIED
    if names:
        return (f"equal to {attributed['error']:.1e} once these constants are rounded to float32 as TensorFlow does "
                f"({attributed['before']:.1e} without): {'; '.join(names)}"), "numeric", verdict.VERIFIED
    return "", "numeric", verdict.VERIFIED


def _most(attributed: dict[str, Any]) -> float:
    return max(attributed["moved"].values(), default=0.0)


def _place(data: dict[str, Any] | None) -> Place | None:
    if not data:
        return None
    return Place(data["text"], data["layer"], data["ported_layer"], tuple(data["source_lines"]),
                 tuple(data["ported_lines"]))


def _weight(name: str, meta: dict[str, Any]) -> str:
    unit, _, weight = name.partition("/")
    return f"{weight} of {meta['units'][int(unit)]['path'] or 'the model'}"


def case_of(meta: dict[str, Any]) -> Case:
    """As it was run: with the inputs that were found where none were given."""
    given = meta.get("inputs") or (meta["specs"][0] if meta.get("specs") else ())
    return Case(meta["call"], tuple(given), meta.get("name", ""))


def _pair_lines(torch_units: list[dict[str, Any]], pairing: Pairing) -> tuple[PairLine, ...]:
    out = []
    for pair in pairing.pairs:
        keras, torch = describe(pairing.units[pair.keras]), describe(torch_units[pair.torch])
        rules = ", ".join(f"{n} -> {r if isinstance(r, str) else r['to']}" for n, r in pair.rules.items()
                          if n in pairing.units[pair.keras]["weights"])
        sides = (keras, torch) if pairing.forward else (torch, keras)
        out.append(PairLine(*sides, rules, pair.how))
    return tuple(out)


def without(case: Case, status: str, message: str) -> Verdict:
    return Verdict(case, status, "load", message, math.nan)
