"""What hangs on what some functions pass on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf.interp import Interp
from port.torch2tf.values import Class, Function, join, same
from port.tree import walk


def reaches(it: Interp, without: Iterable[cst.CSTNode], classes: Iterable[Class]) -> bool:
    """May one of these classes be told something else once these functions pass nothing on?"""
    owners = {f.owner for f in _reached(it, without) if f.owner is not None}
    return any(cls.is_below(owner) for cls in classes for owner in owners)


def _reached(it: Interp, without: Iterable[cst.CSTNode]) -> set[Function]:
    """The functions that are told something else, and those that these tell in turn.

    Plain values that are set on objects are no matter: no order of axes hangs on them.
    """
    without = set(without)
    inside = {n for node in without for n in walk(node)}
    called, readers = defaultdict[Any, set[Function]](set), defaultdict[Any, set[Function]](set)
    found = set[Function]()
    for f in it.functions.values():
        for caller in f.callers:
            called[caller].add(f)
        part = f.node not in inside and not without.isdisjoint(walk(f.node))  # a branch of it is one of these
        if part or any(_differs(places, inside) for places in f.places.values()):
            found.add(f)
    for cls in it.classes.values():
        for name, places in cls.places.items():
            of_name = {r for r in cls.readers.get(name, ()) if isinstance(r, Function)}
            readers[cls] |= of_name
            if any(site in inside and fact.kind is not Kind.PLAIN for site, fact in places.items()) and _differs(
                    places, inside):
                found |= of_name
    todo = list(found)
    while todo:
        f = todo.pop()
        more = {c for c in f.callers if isinstance(c, Function)} | called[f] | readers[f.owner]
        todo += more - found
        found |= more
    return {f for f in found if f.node not in inside}


def _differs(places: Mapping[Any, Fact], inside: set[cst.CSTNode]) -> bool:
    """Do the places there tell what the others do not?"""
    others = [fact for site, fact in places.items() if site not in inside]
    if len(others) == len(places):
        return False
    return not others or not same(reduce(join, others), reduce(join, places.values()))
