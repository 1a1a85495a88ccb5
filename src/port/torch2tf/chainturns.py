"""Which order of axes the children of a Sequential take, and the Permute layers between them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Kind, Layout
from port.torch2tf import meetings, unknowns
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_FIRST, TO_LAST, Chain, Items, Layer, can_flip, join, options
from port.tree import code, find, walk

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


def same_without(w: Any, chain: Chain, node: cst.Call) -> None:
    """Refuse a child that a condition appends and that changes the order of axes: what follows may be without it."""
    at = 0
    for arg in node.args:
        held = w.fact(arg.value).payload
        sites = held.sites if arg.star and isinstance(held, Items) else {}
        for site, i in sites.items():
            _check_condition(w, chain, at + i, site[0] if isinstance(site, tuple) else site)
        at += len(held.elements) if arg.star and isinstance(held, Items) else 1


def grown(w: Any, chain: Chain, node: cst.Call) -> None:
    """The same for `.append` and `.add_module` of the Sequential itself."""
    child = w.fact(node.args[-1].value).payload
    at = next((i for i, c in enumerate(chain.children) if c.payload is child is not None), None)
    if at is not None:
        _check_condition(w, chain, at, node)


def _check_condition(w: Any, chain: Chain, at: int, site: cst.CSTNode) -> None:
    tests = find(w.function.node, cst.If) if w.function is not None else []
    if _changes(chain, at) and any(site in walk(t) for t in tests):
        raise Refused("P209", f"`{code(site)}` stands under a condition, and what it appends changes the order of axes "
                      "in Keras: build a Sequential in each branch", site)


def _changes(chain: Chain, at: int) -> bool:
    """Does a child give images that it takes channels last in another order, or the reverse?"""
    last = chain.inner or chain.output
    behind = [*chain.arrivals.get(at + 1, {}).values()] or ([last] if last is not None else [])
    return len({_is_last(x) for x in (*chain.arrivals.get(at, {}).values(), *behind)}) > 1


def _is_last(fact: Fact) -> tuple[bool, int | None]:
    """Is it an image that is channels last, and of how many axes?"""
    last = fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED
    return last, fact.rank if last else None
