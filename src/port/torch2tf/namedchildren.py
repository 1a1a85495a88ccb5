"""`module.named_children()` and `module.children()` of modules whose parts are known: Keras' layers keep them as
attributes.

A loop over them applies one after the other. Where some are over space, those beside them that take the source's axes
(the `fc` at the end of a network of images) have no part in such a loop: the port raises if they are called there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.build import build, paren
from port.facts import Fact, Kind
from port.torch2tf import anyname, members, modshapes
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    BOTTOM,
    Alternatives,
    Chain,
    Instance,
    Items,
    Layer,
    Mapping,
    SelfOf,
    may_be_none,
    one_of,
    options,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

METHODS = ("named_children", "children")


def listed(it: Interp, owner: Fact, name: str) -> Fact | None:
    """What the method gives; None if the parts are not known, or those of a Sequential are asked for without names.

    Those go on as a list that is cut into pieces, to save memory: what comes out of such pieces is not followed.
    """
    parts = _asked(it, owner, name)
    if parts is None:
        return None
    for fact in list(parts.values())[1:]:
        for option in options(fact):
            if isinstance(option.payload, Layer):
                option.payload.walked = True
    fit = [fact for part, fact in parts.items() if part not in _unfit(parts)]
    element = one_of(o for fact in fit for o in options(fact)) or BOTTOM
    if name == "named_children":
        element = Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, dtype="str"), element], "tuple"))
    return Fact(Kind.PLAIN, payload=Items([element], open=True))


def _asked(it: Interp, owner: Fact, name: str) -> dict[str, Fact] | None:
    return None if isinstance(owner.payload, Chain) and name == "children" else _parts(it, owner)


def _parts(it: Interp, owner: Fact) -> dict[str, Fact] | None:
    """The modules that an object holds, by name; those of a Sequential, which takes them in the order that it has."""
    payload = owner.payload
    if isinstance(payload, Chain):
        payload.indexed = payload.looped = True
        return {str(i): child for i, child in enumerate(payload.children)}
    if not isinstance(payload, Instance | SelfOf) or not payload.cls.is_module:
        return None
    found = {}
    for name in list(payload.cls.attrs):
        if not _has(payload, name):
            continue
        fact = members.of_class(it, owner, payload, name)
        if fact.kind is Kind.LAYER:
            found[name] = fact
    return found


def _has(payload: Instance | SelfOf, name: str) -> bool:
    """Do the classes of this object set it? Others of their line of inheritance may have attributes besides."""
    cls, exact = payload.cls, isinstance(payload, Instance) and payload.exact
    by = [cls.setters.get(site) for site in cls.places.get(name, {})]
    return not by or any(c is None or cls.is_below(c) or (not exact and c.is_below(cls)) for c in by)


def _unfit(parts: dict[str, Fact]) -> tuple[str, ...]:
    """Parts that take the source's axes, beside others that have channels last."""
    wishes = {name: {_wish(o.payload) for o in options(fact)} for name, fact in parts.items()}
    if not any(True in wish for wish in wishes.values()):
        return ()
    return tuple(name for name, wish in wishes.items() if False in wish and True not in wish)


def _wish(payload: Any) -> bool | None:
    if isinstance(payload, Layer):
        return modshapes.wish(payload.symbol)
    if isinstance(payload, Chain):
        return next((w for child in payload.children for o in options(child) if (w := _wish(o.payload)) is not None),
                    None)
    return None


def spatial_rank(fact: Fact) -> int | None:
    """The rank of what any one of several modules is given, if each of them that cares works over as many axes."""
    if not isinstance(fact.payload, Alternatives):
        return None
    ranks: set[int | None] = set()
    for option in options(fact):
        found = _ranks(option.payload)
        if _wish(option.payload) is False or (isinstance(option.payload, Instance) and not found):
            return None
        ranks |= found
    return ranks.pop() if len(ranks) == 1 else None


def _ranks(payload: Any) -> set[int | None]:
    """Ranks that the first module over space takes."""
    if isinstance(payload, Layer):
        name = payload.symbol.rpartition(".")[2]
        return {modshapes.SPATIAL[name]} if modshapes.wish(payload.symbol) else set()
    if isinstance(payload, Chain):
        return next((r for child in payload.children for o in options(child) if (r := _ranks(o.payload))), set())
    forwards = members.called(payload, "forward") if isinstance(payload, Instance) else []
    return {m.held[m.arguments[0]].rank for m in forwards if m.arguments and m.is_flipped(m.arguments[0])}


# ---------------------------------------------------------------- written
def write(w: Any, node: cst.Call) -> Any:
    """`named_children(module)`, a helper that looks at the attributes."""
    assert isinstance(node.func, cst.Attribute)
    owner, name = node.func.value, node.func.attr.value
    found = options(w.fact(owner))
    unfit: list[str] = []
    for option in found:
        parts = _asked(w.it, option, name)
        if parts is None or (reason := _unlike(w, option, parts)):
            raise Refused("P203", f"`{name}` of a module " + (
                "has no counterpart in Keras" if parts is None else reason), node)
        unfit += [part for part in _unfit(parts) if part not in unfit]
    w.helper("named_children")
    w.by(node, "rule namedchildren")
    texts = ", ".join(f'"{part}"' for part in unfit)
    call = build(f"named_children({{m}}, unfit=[{texts}])" if unfit else "named_children({m})", m=w.expr(owner))
    if unfit:
        w.report("P202", f"`{name}`: {' and '.join(f'`{u}`' for u in unfit)} would take the source's axes beside parts "
                 "that have channels last: to call it from here raises", node)
    return call if name == "named_children" else build("[part for _, part in {c}]", c=paren(call))


def _unlike(w: Any, owner: Fact, parts: dict[str, Fact]) -> str:
    """Why a Keras layer would not list the same parts."""
    payload = owner.payload
    if isinstance(payload, Chain):
        return "that has names of its own: Keras' Sequential does not keep them" if payload.names else ""
    cls = payload.cls
    if anyname.ANY in cls.attrs:
        return "some of whose parts have names that are computed"
    if any(isinstance(o.payload, Items | Mapping) for fact in parts.values() for o in options(fact)):
        return "that holds a list or dict of modules, which are no layers in Keras"
    if any(may_be_none(fact) for fact in parts.values()):
        return "some of whose parts may be None"
    line = [c for c in w.it.classes.values() if c.is_below(cls) or cls.is_below(c)]
    if any(c.node in w.written_as for c in line):
        return "that is itself a layer or container of PyTorch's"
    return ""


__all__ = ["METHODS", "listed", "spatial_rank", "write"]
