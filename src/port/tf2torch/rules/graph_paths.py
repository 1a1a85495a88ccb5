"""Models that are made on several paths: one class, whose `forward` has the paths.

    if deep:                                      if self.deep:
        model = Model(inputs, [x, y])                 return [x, y]
    else:                                   ->    else:
        model = Model(inputs, y)                      return y
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.binding import keyword
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.models import only
from port.tf2torch.infer.values import GraphModel
from port.tree import code, find, rebuild

RETURNED = ""  # instead of the name of a variable


def models(em: Emitter, node: cst.CSTNode) -> list[cst.Call]:
    """Calls of `Model(inputs, outputs)`, outside functions."""
    return [] if isinstance(node, cst.FunctionDef | cst.ClassDef) else [
        c for c in find(node, cst.Call, enter_functions=False)
        if isinstance(em.fact(c).payload, GraphModel) and em.fact(c).payload.node is c]


def refusal(em: Emitter, section: Sequence[Any]) -> Refused | None:
    """Why the models of this section cannot be one class; None if they can."""
    calls = [c for s in section for c in models(em, s)]
    try:
        ends, complete = _ends(em, section, True)
    except Refused as found:
        return found
    if not complete or len(ends) > 1:
        return Refused("P206", "a model is made on some paths only; make it on each of them, or in a function of its "
                       "own", calls[0])
    inputs = [keyword(c, "inputs", 0) for c in calls]
    if len({code(only(i)) for i in inputs if i is not None}) > 1:
        return Refused("P206", "models with different inputs are made, depending on a setting; make each in a function "
                       "of its own", calls[0])
    return None


def _ends(em: Emitter, body: Sequence[Any], tail: bool) -> tuple[set[str], bool]:
    """Variables that get a model (or RETURNED), and whether every path ends in one. `tail`: nothing follows."""
    ends: set[str] = set()
    complete = False
    for s in body:
        calls = models(em, s)
        if isinstance(s, cst.If) and calls:
            mine, all_mine = _ends(em, s.body.body, tail and s is body[-1])
            other = [] if s.orelse is None else [s.orelse] if isinstance(s.orelse, cst.If) else s.orelse.body.body
            others, all_others = _ends(em, other, tail and s is body[-1])
            ends |= mine | others
            known = em.fact(s).literal(...)
            decided = known is not ...
            complete = (all_mine or (decided and not known)) and (all_others or bool(decided and known))
        elif calls:
            ends.add(_end(s, calls, tail and s is body[-1]))
            complete = True
        elif isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[-1], cst.Raise):
            complete = True
    return ends, complete


def _end(s: Any, calls: list[cst.Call], last: bool) -> str:
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    if isinstance(small, cst.Return) and small.value is calls[0]:
        return RETURNED
    if isinstance(small, cst.Assign) and small.value is calls[0] and last and len(small.targets) == 1 and isinstance(
            small.targets[0].target, cst.Name):
        return small.targets[0].target.value
    raise Refused("P206", "a model is made inside a block or an expression; make it in a line of its own", calls[0])


def returning(em: Emitter, node: Any) -> Any:
    """The statement with its models replaced by their outputs, returned."""
    calls = models(em, node)
    if not calls:
        return node
    if isinstance(node, cst.SimpleStatementLine):
        outputs = keyword(calls[0], "outputs", 1)
        assert outputs is not None
        return node.with_changes(body=[cst.Return(only(outputs))])
    new = rebuild(node, lambda child: returning(em, child))
    _same(em.it, node, new)
    return new


def _same(it: Interp, old: Any, new: Any) -> None:
    """What is known of a statement or its body holds for its new form."""
    for known in (it.facts, it.before, it.after, it.relayout, it.conflicts):
        for key in (old, ("else", old), ("before", old)):
            if key in known:
                known[new if key is old else (key[0], new)] = known[key]  # type: ignore


def made_by(node: Any, model: cst.Call) -> cst.SimpleStatementLine:
    """The line that makes the model."""
    return next(s for s in find(node, cst.SimpleStatementLine) if any(c is model for c in find(s, cst.Call)))
