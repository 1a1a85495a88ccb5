"""What a function returns, in the layout that its callers expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Items, has_tensor, may_flip, tensors_in

Write = Callable[[Any, Layout | None], Any]


def returned(em: Emitter, write: Write, node: cst.BaseExpression, fact: Fact, result: Fact | None, boundary: bool
             ) -> cst.BaseExpression:
    """A returned value: as the source has it at a public `boundary`, else in the layout of `result`."""
    if isinstance(node, cst.List | cst.Tuple) and isinstance(fact.payload, Items) and not any(
            isinstance(e, cst.StarredElement) for e in node.elements):
        facts = fact.payload.elements
        wanted = result.payload.elements if result is not None and isinstance(result.payload, Items) else []
        elements = [e.with_changes(value=returned(
            em, write, e.value, facts[i] if i < len(facts) else UNKNOWN, wanted[i] if i < len(wanted) else None,
            boundary)) for i, e in enumerate(node.elements)]
        return node.with_changes(elements=elements)
    if isinstance(node, cst.Dict):
        return node.with_changes(elements=[e.with_changes(value=returned(
            em, write, e.value, em.fact(e.value), None, True)) for e in node.elements])  # its values are not followed
    if fact.kind is not Kind.TENSOR:
        if not any(map(may_flip, tensors_in(fact))) or not (boundary or result is None or not has_tensor(result)):
            return write(node, None)
        return em.plain(node) if write == em.expr else em.reordered(node, write(node, None))
    if boundary:
        return write(node, Layout.PLAIN)
    return write(node, result.layout if result is not None and result.kind is Kind.TENSOR else None)
