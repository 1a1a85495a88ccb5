"""The masks that tensors carry, as values; and which of them the layers of a functional model find when it runs.

A layer that gets one tensor and nothing else was given its mask when the model was made. Any other layer looks at its
tensors when the model runs: by then MultiHeadAttention has taken the masks from the tensors that it got.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.facts import UNKNOWN
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Items


@dataclass(eq=False)
class Mask:
    """`node`: the call of Embedding or Masking (or of what holds one) that makes it, or the expression of `mask=`.

    In a functional model: 'kept' is there when the model runs, and derives from the attention layers `after`; 'taken'
    is that of a tensor from which the attention `after` takes it; 'gone' is not there when the model runs.
    """

    node: cst.CSTNode
    function: Any  # whose code makes it; None at module level
    kind: str  # embedding | masking | given | parameter | first | kept | taken | gone
    used: bool = False
    place: str = ""  # of a parameter: where the tensor stands among those of the method
    base: Mask | None = None  # of one that holds in the first turn of the loop `node` alone: the whole one
    lost: bool = False  # attention may have taken it from a tensor that is not followed
    after: frozenset[cst.CSTNode] = frozenset()
    takers: set[cst.CSTNode] = field(default_factory=set)  # attention layers of a functional model that take it


FOREIGN = Mask(cst.Pass(), None, "foreign")
RUNS = ("kept", "taken", "gone")


def in_graph(it: Interp) -> bool:
    """Is the code around the current node that of a functional model?"""
    function = it.current[-1] if it.current else None
    return function is None or function.owner is None


def alone(it: Interp, node: cst.Call) -> bool:
    """Does the layer get one tensor and nothing else?"""
    one = len(node.args) == 1 and node.args[0].keyword is None and not node.args[0].star
    return one and not isinstance(it.facts.get(node.args[0].value, UNKNOWN).payload, Items)


def recorded(mask: Mask | None) -> Mask | None:
    """The mask that the tensor had when the model was made."""
    return mask.base if mask is not None and mask.kind in RUNS else mask


def wrapped(it: Interp, kind: str, mask: Mask | None, after: frozenset[cst.CSTNode]) -> Mask | None:
    base = recorded(mask)
    if base is None or base is FOREIGN or (kind == "kept" and not after):
        return base
    made = Mask(base.node, base.function, kind, base=base, lost=kind != "kept", after=after)
    return it.firsts.setdefault((kind, after, base), made)  # type: ignore[no-any-return]


def after_taking(it: Interp, node: cst.Call, mask: Mask) -> Mask | None:
    """What is left on the tensor when the attention layer `node` has had it."""
    if mask.kind in ("taken", "gone"):
        return mask
    mask.takers.add(node)
    return wrapped(it, "taken", mask, frozenset([node]))


def seen(node: cst.Call | None, mask: Mask | None, beside: Sequence[Mask | None]) -> Mask | None:
    """The mask that a layer finds when the model runs; `beside`: those of all its tensors, which say what ran before.

    FOREIGN: which of the two layers runs first is not known.
    """
    if mask is None or mask.kind == "gone":
        return None
    if mask.kind == "taken":
        return None if mask.after & after_all(beside) else FOREIGN
    return FOREIGN if mask.takers - {node} else mask


def after_all(masks: Sequence[Mask | None]) -> frozenset[cst.CSTNode]:
    return frozenset().union(*(m.after for m in masks if m is not None and m.kind != "taken"))


def merged(it: Interp, node: cst.Call, masks: Sequence[Mask | None]) -> Mask | None:
    """Of Add and the like, all of whose inputs have the same mask when the model is made."""
    bases = {id(recorded(m)) for m in masks}
    if any(recorded(m) is None for m in masks):
        return None
    if len(bases) > 1 or FOREIGN in masks:
        return FOREIGN
    found, after = [seen(node, m, masks) for m in masks], after_all(masks)
    if any(m is None for m in found):
        return wrapped(it, "gone", masks[0], after)
    return FOREIGN if FOREIGN in found else wrapped(it, "kept", masks[0], after)
