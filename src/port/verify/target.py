"""The port's side: wait for the source, pair the weights, run the same cases, and look for the first difference."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import carry, compare, fill, graph, inputs, locate, pairing, passes, store, user
from .passes import MODES

Arrays = dict[str, np.ndarray]


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    """Load while the source still runs; then one part per case."""
    fault, module = "", None
    try:
        module = backend.load(job, job["dtypes"][0])
    except Exception as problem:
        fault = user.explain(problem, job["path"])
    if not store.wait(folder / "source.npz", job["timeout"]):
        return
    _, parts = store.unbundle(folder / "source.npz")
    out: list[tuple[dict[str, Any], Arrays]] = []
    for meta, arrays in parts:
        if fault or "error" in meta:
            out.append(({"error": fault} if fault and "error" not in meta else {}, {}))
            continue
        try:
            out.append(run_case(backend, job, meta, arrays, module))
        except Exception as problem:
            out.append(({"error": user.explain(problem, job["path"]), "notes": user.stopped(module, "port")}, {}))
    store.bundle(folder / f"{job['name']}.npz", out, {"path": job["path"], "side": backend.SIDE})


KEPT = ("specs", "form", "packed", "kind")  # of the source: how a case is fed


def run_case(backend: Any, job: dict[str, Any], source: dict[str, Any], given: Arrays, module: Any
             ) -> tuple[dict[str, Any], Arrays]:
    meta: dict[str, Any] = {"side": backend.SIDE, "notes": user.stopped(module, "port"),
                            "random": bool(source.get("random")),
                            "steps": source.get("steps", 0), "rate": source.get("rate", 0.0),
                            **{key: source[key] for key in KEPT if key in source}}
    arrays: Arrays = {}
    for number, dtype in enumerate(source["dtypes"]):
        if number or dtype != module.port_dtype:
            module = backend.load(job, dtype)
        backend.dtype(dtype)
        feed = inputs.feed(meta, given, 0)
        obj = _made(backend, module, source, meta, feed)
        structure, notes, drew = backend.start(obj, feed, not number)
        meta["notes"] += [n for n in notes if n not in meta["notes"]]
        units, handles = backend.units(obj)
        if not number:
            meta |= {"structure": structure, "draws": drew}
            backend.describe(units, handles)
            meta["units"] = units
            pairs = _choose(backend, obj, handles, source, units, given, feed, job["table"])
            meta["pairing"] = carry.pack(pairs)
            if pairs.problems:
                return meta, arrays
        weights = converted(pairs, given, units)
        held = {k: v for k, v in given.items() if k.startswith("in/")} | {f"w/{k}": v for k, v in weights.items()}
        passes.whole(backend, obj, handles, meta, held, dtype, number, arrays)
        if not number:
            if backend.resized() and dtype == "float64":
                meta["floor"] = passes.disturbed(backend, obj, handles, meta, held, dtype, arrays)
            meta["graph"] = graph.run(backend, obj, handles, meta, held, dtype, arrays, job["path"])
            _explain(backend, job, obj, handles, source, meta, given, arrays, pairs, held)
    return meta, arrays


def _made(backend: Any, module: Any, source: dict[str, Any], meta: dict[str, Any], feed: inputs.Feed) -> Any:
    text = source["ported_call"]
    if source.get("fill"):
        text, meta["filled"] = fill.filled(module, text, source["fill"], [x.shape for x in feed.arrays])
    obj = backend.evaluate(module, text)
    if backend.kind(obj) != source["kind"]:
        raise TypeError(f"the source is a {source['kind']}, the port a {backend.kind(obj)}")
    if source["side"] == "torch" and backend.SIDE == "tf" and (said := backend.lay_out(obj, module, text)):
        note = f"the port's interface is channels last, as it says ({said}): tensors were permuted on the way"
        meta["notes"] += [note] if note not in meta["notes"] else []
    return obj


def converted(pairs: pairing.Pairing, given: Arrays, units: list[dict[str, Any]]) -> Arrays:
    """The source's weights as those of the port."""
    own = store.under(given, "w")
    if pairs.forward:
        return carry.keras_to_torch(pairs, own, fill=True) | carry.constants(pairs, units)
    return carry.torch_to_keras(pairs, own, add=True)


def _choose(backend: Any, obj: Any, handles: Any, source: dict[str, Any], units: list[dict[str, Any]], given: Arrays,
            feed: inputs.Feed, table: dict[str, Any]) -> pairing.Pairing:
    """The first assignment that makes the outputs agree, else the best; without problems if there is one."""
    same = source["side"] == backend.SIDE
    forward = same or backend.SIDE == "torch"
    left, right = (source["units"], units) if forward else (units, source["units"])
    idle = _idle(source, given) if not forward else set()
    found = [replace(p, forward=forward)
             for p in pairing.candidates(left, right, pairing.SAME if same else table, idle)]
    if len(found) == 1 or found[0].problems:
        return found[0]
    ranked = []
    dtype = source["dtypes"][0]
    for number, pairs in enumerate(found):
        backend.assign(handles, converted(pairs, given, units))
        ys, _ = backend.forward(obj, feed, False)
        refs = [given[f"{dtype}/y/0/infer/{i}"] for i in range(len(ys)) if f"{dtype}/y/0/infer/{i}" in given]
        off = max((compare.error(a, b)[0] for a, b in zip(refs, ys, strict=False)), default=0.0)
        ranked.append((off, number))
        if off < 1e-6:
            return pairs
    return found[min(ranked)[1]] if min(ranked)[0] < 1e-3 else found[0]


def _idle(source: dict[str, Any], given: Arrays) -> set[int]:
    """Torch modules that nothing calls and whose weights have no gradient: Keras does not even build them."""
    moved = {key.split("/")[4] for key, a in given.items() if key.split("/")[1] == "dw" and a.any()}
    return {i for i, unit in enumerate(source["units"]) if unit["first_call"] is None and str(i) not in moved}


def _explain(backend: Any, job: dict[str, Any], obj: Any, handles: Any, source: dict[str, Any], meta: dict[str, Any],
             given: Arrays, arrays: Arrays, pairs: pairing.Pairing, held: Arrays) -> None:
    """On a difference: constants of the other framework's precision, else the first layer that differs."""
    backend.assign(handles, store.under(held, "w"))
    if source["dtypes"][0] != "float64":
        return
    source = {**source, "floor": meta.get("floor") or source.get("floor", {})}
    rows = [r for r in compare.rows(source, given, arrays, pairs) if r.dtype == "float64" and r.group != "graph"]
    if not any(r.bad for r in rows):
        return
    if backend.SIDE == "torch" and job["attribute"] and compare.worst(rows) < compare.RESIDUE:
        again: Arrays = {}

        def rerun() -> list[compare.Row]:
            again.clear()
            passes.whole(backend, obj, handles, meta, held, "float64", 0, again)
            return [r for r in compare.rows(source, given, again, pairs) if r.dtype == "float64"]

        meta["attributed"] = backend.attribute(lambda: rerun)
        backend.assign(handles, store.under(held, "w"))
    if not meta.get("attributed", {}).get("names") and source["kind"] == "model":
        meta["where"] = _first(backend, obj, handles, source, meta, given, rows, pairs, held)


def _first(backend: Any, obj: Any, handles: Any, source: dict[str, Any], meta: dict[str, Any], given: Arrays,
           rows: list[compare.Row], pairs: pairing.Pairing, held: Arrays) -> dict[str, Any]:
    bad = [r for r in rows if r.bad]
    feed = inputs.feed(source, given, 0)
    for mode in MODES:
        if not any(r.group == "y" and r.mode == mode for r in bad):
            continue
        plan = locate.plan(source, given, pairs, mode)
        classes = {t: source["units"][calls[0].unit]["classes"] for t, calls in plan.items()}
        backend.assign(handles, store.under(held, "w"))
        steps = backend.localise(obj, handles, feed, mode == "train", plan, classes,
                                 source["side"] == backend.SIDE)
        found = locate.report(steps, source["units"], meta["units"])
        return found | {"mode": mode, "steps": found.get("steps", [asdict(s) for s in steps[-3:]])}
    return _by_weights(bad, source, meta, pairs)


def _by_weights(bad: list[compare.Row], source: dict[str, Any], meta: dict[str, Any], pairs: pairing.Pairing
                ) -> dict[str, Any]:
    """Outputs agree: name the layer of the first buffer, or of the last gradient in forward order."""
    units = source["units"]
    held = [(units[int(r.name.split("/")[0])], r) for r in bad if r.group in ("buf", "dw")]
    if not held:
        return {"text": "outputs agree, gradients of the inputs do not: the cause lies before the first layer",
                "layer": "", "ported_layer": "", "source_lines": [], "ported_lines": []}
    buffers = [(u, r) for u, r in held if r.group == "buf"]
    order = sorted(buffers or held, key=lambda t: t[0]["first_call"] or 0, reverse=not buffers)
    unit, row = order[0]
    both = [(pairs.units[p.keras]["index"], p.torch) for p in pairs.pairs]
    if not pairs.forward:
        both = [(torch, keras) for keras, torch in both]
    port = next((meta["units"][t] for s, t in both if s == unit["index"]), None)
    what = compare.GROUPS[row.group]
    text = f"outputs agree, {what} do not: {row.name.split('/', 1)[1]} of {locate.name(unit)} is off by {row.error:.1e}"
    if row.group == "dw":
        text += "; the cause is this layer or what follows it"
    return locate._place(text, unit, port)
