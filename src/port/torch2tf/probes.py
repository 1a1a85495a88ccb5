"""Questions whether PyTorch has a function, which code asks that can do without: the answer is what the port has.

`hasattr(F, "silu")`, `"silu" in dir(F)`, `getattr(torch, "compiler", None)`: either answer gives the same numbers.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.names import canonical
from port.torch2tf import anyname, layers, namedparts
from port.torch2tf.values import PLAIN, Items, Mapping, is_none, literal


def _asked(it: Any, node: cst.CSTNode) -> str | None:
    """What of PyTorch the code asks for: its name, '' of None; None if it asks no such thing."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in ("hasattr", "getattr"):
        owner, name = [a.value for a in node.args[:2]] if len(node.args) > 1 else (None, None)
    elif isinstance(node, cst.Comparison) and isinstance(node.comparisons[0].operator, cst.In):
        listed = node.comparisons[0].comparator
        called = isinstance(listed, cst.Call) and isinstance(listed.func, cst.Name) and listed.func.value == "dir"
        owner, name = listed.args[0].value if called and listed.args else None, node.left  # type: ignore[attr-defined]
    else:
        return None
    word = name.evaluated_value if isinstance(name, cst.SimpleString) else None
    if owner is None or not isinstance(word, str):
        return None
    fact = it.fact(owner)
    if is_none(fact):
        return ""
    if fact.kind is not Kind.FUNCTION or fact.payload is not None or fact.symbol.split(".")[0] != "torch":
        return None
    return canonical(f"{fact.symbol}.{word}")


def answer(it: Any, node: cst.CSTNode) -> bool | None:
    """Is what is asked for there? None if the code asks no such thing, or it cannot be said."""
    symbol = _asked(it, node)
    if symbol is None:
        return None
    word = symbol.rpartition(".")[2]
    if symbol.startswith("torch.nn.") and word[:1].isupper():  # a class: without it, another one may compute otherwise
        return True if layers.writes(symbol) else None
    return any(not row.none for row in it.rows.get(symbol) or ())


def settle(w: Any, node: cst.CSTNode) -> bool | None:
    """The answer, as the port will have it; told where PyTorch has what is taken for missing."""
    found = answer(w.it, node)
    if found is False and (symbol := _asked(w.it, node)) and w.it.rows.get(symbol):
        w.report("P103", f"`{symbol}` is taken for missing, since Keras lacks it: the code does without", node)
    return found


def has(it: Any, node: cst.Call, args: list[Fact]) -> Fact:
    """hasattr(owner, name)"""
    found = answer(it, node)
    return PLAIN if found is None else literal(found)


def is_instance(it: Any, node: cst.Call, args: list[Fact]) -> Fact:
    """isinstance(value, torch.Tensor) of a list or dict, which no tensor is."""
    asked = [f.symbol for f in args[1:]]
    return literal(False) if asked == ["torch.Tensor"] and isinstance(args[0].payload, Items | Mapping) else PLAIN


def get(it: Any, node: cst.Call, args: list[Fact]) -> Fact:
    """getattr(owner, name, default)"""
    if len(args) == 3 and answer(it, node) is False:
        return args[2]
    return anyname.get(it, node, args) if args else UNKNOWN


def write(w: Any, node: cst.Call) -> Any:
    """The answer of `hasattr`, the default of `getattr`."""
    part = namedparts.asked(w, node) if _called(node) == "hasattr" else None
    if part is not None:
        return part
    found = settle(w, node)
    if found is None or (found and _called(node) == "getattr"):
        return w.generic(node)
    if _called(node) == "hasattr":
        return cst.Name(str(found))
    return w.expr(node.args[2].value) if len(node.args) == 3 else w.generic(node)


def _called(node: cst.Call) -> str:
    return node.func.value if isinstance(node.func, cst.Name) else ""
