"""Classes all of whose weights are their own: in Keras these exist from the start, those of layers do not."""

from __future__ import annotations

from port.facts import Fact, Kind
from port.torch2tf.values import Class, Items, Mapping, SelfOf, options


def holds_modules(cls: Class) -> bool:
    """May an object of this class have weights that are not its own?"""
    return not cls.attrs or any(_may_hold(fact) for fact in cls.attrs.values())


def _may_hold(fact: Fact) -> bool:
    if fact.kind is Kind.TENSOR or fact.kind is Kind.FUNCTION:
        return False
    if isinstance(fact.payload, Items):
        return any(_may_hold(e) for e in fact.payload.elements)
    return fact.kind is not Kind.PLAIN or isinstance(fact.payload, Mapping)


def only_own(owner: Fact) -> bool:
    """Is this an object whose weights are all its own, so that they exist from the start?"""
    return all(isinstance(o.payload, SelfOf) and not o.payload.above and not holds_modules(o.payload.cls)
               for o in options(owner))
