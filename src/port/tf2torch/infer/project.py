"""Facts of the files of a project: all statements, as often as they still tell something new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from port.facts import Fact
from port.result import reading
from port.scopes import File
from port.table import Row
from port.tf2torch.infer import flow, layers, links, models
from port.tf2torch.infer.analysis import LIMIT
from port.tf2torch.infer.expressions import EXPRESSIONS
from port.tf2torch.infer.interp import Interp, Parts
from port.tf2torch.infer.objects import analyze_rest
from port.tree import walk

PARTS = Parts(EXPRESSIONS, flow.run, layers.run_layer, models.apply_to)


def infer(files: Sequence[File], rows: Mapping[str, tuple[Row, ...]], params: dict[str, Fact] | None = None,
          open_: frozenset[Any] = frozenset(), straight: bool = False,
          kept: frozenset[Any] = frozenset()) -> Interp:
    """Facts of the files of a project; a file stands behind those that it imports.

    `open_`: functions (their nodes) that are given what no fact follows. A call with an argument that is not known then
    takes away what other calls tell of the parameter. `straight`: their tensors keep the source's axes everywhere.
    `kept`: methods (their nodes) whose tensors do, of classes in which images come in either order of axes.
    """
    it = Interp(files, rows, PARTS)
    it.open = open_
    it.kept = kept
    it.straight = frozenset(n for f in (open_ if straight else kept) for n in walk(f) if type(n) in (
        cst.Call, cst.FunctionDef, cst.Lambda))
    it.known_params = dict(params or {})
    for _ in range(LIMIT):
        before = (len(it.flips), len(it.ranks), len(it.widths))
        for file in files:
            file.env.names.clear()
        it.before.clear()
        it.after.clear()
        it.outs.clear()
        it.conflicts.clear()
        it.arrived.clear()
        it.relayout.clear()
        for function in it.functions.values():
            function.result = None
        for cls in it.classes.values():
            cls.done = False
        for file in files:
            it.file = file
            with reading(file.name):
                links.bind(it, file)
                it.run(file.module.body, file.env)
        analyze_rest(it)
        if before == (len(it.flips), len(it.ranks), len(it.widths)) and not models.stand_alone(it):
            break
    return it
