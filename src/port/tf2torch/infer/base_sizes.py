"""Parameters of base constructors as sizes: what derived classes give them in `super().__init__(...)`."""

from __future__ import annotations

from contextlib import suppress

import libcst as cst

from port.facts import Dim, Fact, Sym
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.results import default_dim
from port.tf2torch.infer.values import Class, Function, find_method, without
from port.tree import code, find


def of_bases(it: Interp, cls: Class, bindings: dict[str, Dim]) -> None:
    """Parameters of base constructors, as the constructor of `cls` gives them. One that both have, unequal, is open."""
    init = find_method(cls, "__init__")
    holder = init.owner if init is not None and init.owner is not None else cls
    for base in [b.payload for b in holder.bases if isinstance(b.payload, Class)]:
        above = find_method(base, "__init__")
        if init is None or above is None or above is init:
            continue
        given = _super_arguments(init.node, above)
        theirs: dict[str, Dim] = {}
        for name in [p for p in above.params if p != "self"]:
            node = given.get(name)
            if node is not None:
                theirs[name] = _in_terms_of(node, bindings)
            elif name in above.defaults and None not in given:
                theirs[name] = default_dim(it, above, name)
            else:
                theirs[name] = None
        of_bases(it, base, theirs)
        for name, dim in theirs.items():
            bindings[name] = dim if name not in bindings or str(bindings[name]) == str(dim) else None


def _in_terms_of(node: cst.BaseExpression, bindings: dict[str, Dim]) -> Dim:
    """A size that a constructor writes, where its parameters are these."""
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    with suppress(SyntaxError):
        size = Sym(code(node))
        if size.names and size.names <= bindings.keys():
            return size.substitute(bindings)
    return None


def _super_arguments(init: cst.CSTNode, above: Function) -> dict[str | None, cst.BaseExpression]:
    """What `super().__init__(...)` or `Base.__init__(self, ...)` gives, by parameter; None: some of it is not told."""
    names = [p for p in above.params if p != "self"]
    for call in find(init, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "__init__":
            args = call.args if isinstance(call.func.value, cst.Call) else call.args[1:]
            told = [a for a in args if not a.star]
            found: dict[str | None, cst.BaseExpression] = {
                a.keyword.value if a.keyword is not None else names[i] if i < len(names) else None: a.value
                for i, a in enumerate(told)}
            return found if len(told) == len(args) else found | {None: args[-1].value}
    return {None: cst.Name("None")}


def unclear(cls: Class | None) -> frozenset[str]:
    """Parameters that the constructors of a class and of its base both have, but not with the same value.

    In the methods of the class, a size by such a name may be either.
    """
    init = cls.methods.get("__init__") if cls is not None else None
    if cls is None or init is None:
        return frozenset()
    found: set[str] = set()
    for base in [b.payload for b in cls.bases if isinstance(b.payload, Class)]:
        above = find_method(base, "__init__")
        given = _super_arguments(init.node, above) if above is not None else {}
        for name in {*init.params, *unclear(base)} & {*(above.params if above is not None else ())} - {"self"}:
            node = given.get(name)
            if not isinstance(node, cst.Name) or node.value != name:
                found.add(name)
    return frozenset(found)


def of_base(it: Interp, made_in: Class | None, fact: Fact) -> Fact:
    """What a layer or a method of a base class gives, as a method of the derived class sees it."""
    owner = it.current[-1].owner if it.current else None
    names = unclear(owner) if owner is not made_in else frozenset()
    return without(fact, names) if names else fact
