"""Which order of axes the children of a Sequential take, and the Permute layers between them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Layout
from port.torch2tf import meetings, unknowns
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_FIRST, TO_LAST, Chain, Layer, can_flip, join, options

TURNED = "a module of this list needs another order of axes than the one before it gives"


def permute(w: Any, order: tuple[int, ...]) -> cst.Call:
    """A layer that orders the axes behind the batch."""
    return build("{p}(" + str(order[1:]) + ")", p=w.layer("Permute"))  # type: ignore[return-value]


def unturned(w: Any, chain: Any, node: cst.Call) -> None:
    """Refuse children between which a Permute layer would have to stand, where it cannot."""
    for i, child in enumerate(chain.children if isinstance(chain, Chain) else ()):
        agree(w, child, node)
        unknowns.check_child(w, chain, i, node)
        if turn(w, chain, i):
            raise Refused("P209", TURNED, node)


def turn(w: Any, chain: Chain, at: int) -> list[Any]:
    """A Permute layer before a child that takes another order of axes than what reaches it has."""
    arrival: Fact | None = None
    wanted = layout_taken(w.it, chain.children[at]) if at < len(chain.children) else None
    arrivals = chain.arrivals.get(at, {}).values()
    if wanted is not None and len({f.layout for f in arrivals if can_flip(f)}) > 1:
        raise Refused("P209", TURNED, chain.node)
    for fact in arrivals:
        arrival = join(arrival, fact)
    if arrival is None or wanted is None or not can_flip(arrival) or arrival.layout is wanted:
        return []
    return [permute(w, (TO_LAST if wanted is Layout.FLIPPED else TO_FIRST)[len(arrival.shape or ())])]


def layout_taken(it: Any, child: Fact) -> Layout | None:
    """The layout in which a module of the user's, or a Sequential, takes its tensor; None: layers see to it."""
    payloads = [o.payload for o in options(child)]
    if len(payloads) > 1:  # the one that cares decides
        return next((t for p in payloads if (t := meetings.taken(it, p)) is not None), None)
    own = isinstance(payloads[0], Layer) and not meetings.is_enclosed(it, payloads[0])
    return None if own else meetings.taken(it, payloads[0])


def agree(w: Any, module: Fact, node: cst.CSTNode) -> None:
    """Refuse a place that modules reach which take, or give, tensors in different orders of axes."""
    payloads = [o.payload for o in options(module)]
    if len(payloads) > 1 and not meetings.agree(w.it, payloads):
        raise Refused("P209", "several modules reach this place; some have channels first in the source, where Keras "
                      "has them last, and others do not", node)
