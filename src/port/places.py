"""Reports on nodes become findings with their places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from port.findings import Finding
from port.tree import walk

Report = tuple[Any, str, str, str]  # node or None, code, message, symbol


def findings(reports: Iterable[Report], module: cst.Module) -> tuple[Finding, ...]:
    """Each report where its node, or the first known node inside it, stands in `module`; sorted, each one once.

    Positions are only looked up when there is something to say.
    """
    reports = list(reports)
    if not reports:
        return ()
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    places: Any = wrapper.resolve(PositionProvider)
    out = set()
    for node, code, message, symbol in reports:
        span = places.get(node) if node is not None else None
        if span is None:
            span = next((places[c] for c in walk(node) if c in places), None) if node is not None else None
        start = (span.start.line, span.start.column, span.end.line, span.end.column) if span else (1, 0, 1, 0)
        out.add(Finding(start[0], start[1], code, message, start[2], start[3], symbol))
    return tuple(sorted(out))
