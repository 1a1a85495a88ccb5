"""Libraries whose code is not read: what they give stays PyTorch's, whatever becomes of the code around it.

`self.drop = DropPath(0.1)` of timm is a module of PyTorch's inside a Keras layer. Nothing is said where such a thing
only gives numbers or settings; where it is given a tensor, or is what a module inherits from, that cannot be ported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.foreign import is_foreign, reason
from port.torch2tf import tables
from port.torch2tf.refused import Refused
from port.torch2tf.values import FOREIGN, Bound, Chain, Class, Partial, options, tensors_in
from port.tree import code

GIVEN = f"{FOREIGN}given "  # the same, where the library was given a tensor
OURS = frozenset(("dict", "helpers", "list", "module", "object", "shape", "tensor"))  # heads of symbols of facts


def made(callee: Fact, args: Iterable[Fact] = ()) -> Fact:
    """What a call gives of which nothing is known but whose code it runs, and whether it may be a tensor."""
    name = source(callee)
    if not name or name.startswith(tables.PACKAGES):  # the place that makes it is refused
        return UNKNOWN
    return Fact(Kind.UNKNOWN, symbol=(GIVEN if any(map(_works_on, args)) else FOREIGN) + name)


def _works_on(fact: Fact) -> bool:
    """Is this a tensor, what such a library makes of one, a module, or a list of such?"""
    return any(True for _ in tensors_in(fact)) or fact.symbol.startswith(GIVEN) or fact.kind is Kind.LAYER


def source(fact: Fact, depth: int = 0) -> str:
    """What of such a library this is, or has been made by; '' of anything else."""
    every = options(fact)
    for option in every:
        held = option.payload
        if len(every) > 1 and option.symbol.startswith(tables.PACKAGES):  # to choose it raises
            continue
        if isinstance(held, Bound | Partial):
            found = source(held.owner if isinstance(held, Bound) else held.function, depth + 1) if depth < 9 else ""
        elif option.kind is Kind.UNKNOWN:
            found = option.symbol.rpartition(" ")[2] if option.symbol.startswith(FOREIGN) else ""
        else:
            direct = held is None and option.kind is Kind.FUNCTION and _is_imported(option.symbol)
            found = option.symbol if direct else ""
        if found:
            return found
    return ""


def _is_imported(symbol: str) -> bool:
    return symbol.partition(".")[0] not in OURS and is_foreign(symbol)


def check_call(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse to hand a tensor to what runs PyTorch."""
    name = source(callee)
    given = [w.fact(a.value) for a in node.args] if name else []
    if name.startswith(tables.PACKAGES):
        raise Refused("P201", reason(name, "it is called"), node)
    if any(map(_works_on, given)):
        what = "module" if all(f.kind is Kind.LAYER for f in given if _works_on(f)) else "tensor"
        raise Refused("P201", reason(name, f"it is given a {what}"), node)


def check_result(fact: Fact, node: cst.CSTNode) -> None:
    """The same of what it has made of a tensor."""
    if fact.symbol.startswith(GIVEN):
        raise Refused("P201", reason(source(fact), "it is given a tensor"), node)


def check_applied(function: Fact, node: cst.CSTNode) -> None:
    """Refuse to hand the parts of a module to it: `self.apply(init)`."""
    if name := source(function):
        raise Refused("P201", reason(name, "it is given a module"), node)


def check_child(chain: Chain, at: int, node: cst.CSTNode) -> None:
    """Refuse to put one into a Sequential."""
    if at < len(chain.children) and (name := source(chain.children[at])):
        raise Refused("P201", reason(name, "it stands in a Sequential"), node)


def check_base(w: Any, cls: Class, base: Fact, node: cst.CSTNode) -> None:
    """Refuse a class of modules that inherits from one: it has a `forward`, holds modules, or is applied.

    Beside `nn.Module`, or for a class that stands beside it, it only adds to the module. Of files of the project that
    are not ported in this run, P210 tells.
    """
    name = source(base) if code(node).partition(".")[0] not in w.it.file.links else ""
    beside = "forward" not in cls.methods and any(sub.is_module for sub in cls.subclasses)
    if name and (cls.is_module or beside):
        w.report("P103", reason(name, f"`{cls.name}`, which is a module, has its methods", "it stays as it is"), node)
    elif name and _is_module(cls):
        raise Refused("P201", reason(name, f"`{cls.name}`, which is a module, inherits from it"), node)


def _is_module(cls: Class) -> bool:
    return cls.held or "forward" in cls.methods or any(
        not sub.is_module and _is_module(sub) for sub in cls.subclasses) or any(
        o.kind is Kind.LAYER for fact in cls.attrs.values() for o in options(fact))
