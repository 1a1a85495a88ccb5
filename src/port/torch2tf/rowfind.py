"""Which row holds for a call of torch, and whether the target can say it."""

from __future__ import annotations

import difflib
from typing import Any

import libcst as cst

from port import table
from port.advice import told
from port.build import parse
from port.table import Row, Signature
from port.torch2tf import args as adapters
from port.torch2tf import writes
from port.torch2tf.binds import bind_torch, names_of
from port.torch2tf.conditions import unmet
from port.torch2tf.jobs import Job, literal_of, shown
from port.torch2tf.refused import Refused
from port.tree import walk

SPELLINGS = {"tf": ("tf.", "keras.ops.", "keras.activations.", "keras.random."),
             "keras": ("keras.ops.", "keras.activations.", "keras.random.")}


def find(w: Any, node: cst.Call, symbol: str, receiver: cst.BaseExpression | None = None, part: bool = False) -> Job:
    """The first row that holds for the call; `part`: one of several results alone is written."""
    reasons: list[tuple[str, str]] = []
    for job in candidates(w, node, symbol, receiver):
        if job.row.none:
            reasons.append(("P203", told([job.row], "tf", node)))
            continue
        reason = ("P202", job.bound.problem) if job.bound.problem else unmet(job) or settings(job) or (
            None if part else doubled(job))
        if not reason:
            return job
        reasons.append(reason)
    if not reasons and any(name in table.by_torch_name() for name in names_of(symbol)):
        reasons.append(("P203", "keras.ops has nothing that computes this, only TensorFlow"))
    code, message = min(reasons, default=("P201", "there is no row for it" + nearest(symbol)),
                        key=lambda r: _RANK.get(r[0], 9))
    raise Refused(code, f"`{shown(symbol)}`: {message}", node, symbol)


def training(symbol: str, node: cst.Call) -> Refused:
    """Why a call that belongs to training stays, and what it is in Keras."""
    rows = table.by_torch_name().get(symbol, ())
    return Refused("P205", f"`{shown(symbol)}` belongs to training code" + (
        f": {told(rows, 'tf', node)}" if rows else ""), node, symbol)


def nearest(symbol: str) -> str:
    """A hint at the known symbol that is spelled most like it."""
    near = difflib.get_close_matches(symbol, list(table.by_torch_name()), 1, 0.85)
    return f"; did you mean `{shown(near[0])}`?" if near else ""


_RANK = {"P206": -1, "P203": 0, "P208": 1, "P202": 2}


def doubled(job: Job) -> tuple[str, str] | None:
    """A form that names an argument twice would call a layer twice: with other dropout, and statistics that move."""
    template = template_of(job.w, job.row) if not job.row.via or job.row.via == "loss" else ""
    if not template:
        return None
    counts: dict[str, int] = {}
    for n in walk(parse(template)):
        if isinstance(n, cst.Name):
            counts[n.value] = counts.get(n.value, 0) + 1
    for name, node in job.bound.args.items():
        if counts.get(name, 0) > 1 and not repeatable(job.w, node):
            return "P206", f"`{name}` would be computed twice: bind it to a variable first"
    return None


def repeatable(w: Any, node: cst.CSTNode) -> bool:
    """Does computing this twice give the same, and change nothing?"""
    for n in walk(node):
        if isinstance(n, cst.Call):
            symbol = w.fact(n.func).symbol
            if not symbol.startswith(("torch.", "tensor.", "builtins.", "math.")) or any(
                    word in symbol for word in ("drop", "rand", "normal", "bernoulli", "multinomial", "gumbel")):
                return False
    return True


def candidates(w: Any, node: cst.Call, symbol: str, receiver: cst.BaseExpression | None) -> Any:
    rows = table.by_torch_name()
    for name in names_of(symbol):
        every = rows.get(name, ())
        own = [row for row in every if not row.tf]  # they know all parameters, where others name what they write
        for row in own or every:
            if (row.kind in ("layer", "constant", "attribute") and not row.none) or not spelled(w, row):
                continue
            for signature in row.torch:
                if signature.name == name or signature.name.endswith(".*"):
                    given = receiver if receiver is not None else None
                    yield Job(w, row, bind_torch(signature, node, given), node, symbol)


def spelled(w: Any, row: Row) -> bool:
    """Can the row be written for this target at all?"""
    if row.none or (row.via and not row.tf and row.via != "loss"):
        return True
    return bool(template_of(w, row)) or (not row.via and spelling(w, row) is not None)


def template_of(w: Any, row: Row) -> str:
    if w.target == "tf":
        return row.expr.get("tf") or row.expr.get("keras", "")
    text = row.expr.get("keras") or row.expr.get("tf", "")
    return "" if any(isinstance(n, cst.Name) and n.value == "tf" for n in walk(parse(text or "0"))) else text


def spelling(w: Any, row: Row) -> Signature | None:
    """The TF signature that is written."""
    for prefix in SPELLINGS[w.target]:
        fitting = [s for s in row.tf if s.name.startswith(prefix) and not s.name.startswith("tf.compat.")]
        if fitting:
            return min(fitting, key=lambda s: (s.name.count("."), s.name.startswith("tf.math.")))
    own = table.own_modules()
    return next((s for s in row.tf if s.name.rpartition(".")[0] in own), None)


def settings(job: Job) -> tuple[str, str] | None:
    """Settings that the row does not name: where tensors live says nothing, `out` and some dtypes are refused."""
    for name, value in job.bound.common.items():
        given = literal_of(job.w, value)
        if name == "out" and given is not None:
            return "P203", "`out=` writes into a tensor, and TensorFlow's cannot be changed: assign the result"
        if name == "dtype" and given is not None and job.row.via != "to" and (
                job.row.returns not in adapters.CAST_FIRST):
            return "P202", "`dtype=` has no counterpart here: cast the result"
        if name == "inplace" and given is not False and job.node not in job.w.chains and writes.seen(
                job.w, job.node, job.w.it.receivers.get(job.node) or job.w.fact(job.node.func)):
            return "P203", "`inplace=True` changes a tensor that is used again, and TensorFlow's cannot be changed"
        if name == "layout" and given not in (None, ...):
            return "P203", "TensorFlow has other sparse tensors"
    return None
