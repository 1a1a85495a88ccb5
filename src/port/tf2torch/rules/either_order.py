"""Classes in which images come in either order of axes, as a setting says (`data_format`): they keep the source's."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

import libcst as cst

from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import is_module
from port.tree import find, walk


def methods(it: Interp, reports: Iterable[tuple[Any, ...]]) -> frozenset[cst.CSTNode]:
    """Methods of the classes of which it could not be told, or in which sizes were missed."""
    missed = {r[0] for r in reports if r[1] in ("P208", "P209")} - {None}
    found = [c for c in it.classes.values() if missed and is_module(c) and not missed.isdisjoint(walk(c.node))]
    return frozenset(m.node for c in found for m in c.methods.values())


def told(passes: list[Any], kept: Set[cst.CSTNode]) -> list[Any]:
    """The files, whose findings say which classes those are."""
    for done in passes:
        for node in find(done.em.it.module, cst.ClassDef):
            if not kept.isdisjoint(node.body.body):
                done.em.report("P001", f"`{node.name.value}` keeps the source's order of axes, with permutes around "
                               "layers of images: which order a tensor in it has cannot always be told", node)
    return passes
