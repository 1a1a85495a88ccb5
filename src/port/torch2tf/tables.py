"""What is not ported, and only handed on by name, is a function that raises when it is called.

That is an entry in a table of choices, `{"relu": nn.ReLU, "celu": nn.CELU}` or `{Block, Bottleneck}`, at the top of a
file, and a function of the user's as an argument by keyword, `filter_fn=renamed`. Else one of them would keep all
around it in PyTorch.
What asks whether something is an object of such a class is answered: the port makes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.build import build, fitted
from port.facts import Fact, Kind
from port.torch2tf import apart
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function
from port.tree import code, find

NOTE = "stand-ins"  # references that are not ported -> why
ASKED = "asked"  # those of them that isinstance asks for
MAKER = "builtins.dict"
PACKAGES = ("torchvision.", "torchaudio.")


def is_table(w: Any, node: Any) -> bool:
    """A dict of several choices that a statement of the module makes, or a set of the user's own."""
    if isinstance(node, cst.Set) and not all(isinstance(w.fact(v).payload, Class | Function) for v in _values(node)):
        return False  # whether a class of PyTorch's is in it may be another answer in Keras
    return w.function is None and w.cls is None and len(_values(node)) > 1 and all(
        isinstance(e, cst.DictElement | cst.Element) for e in getattr(node, "elements", ())) and all(
        a.keyword is not None for a in getattr(node, "args", ()))


def _values(node: Any) -> list[cst.BaseExpression]:
    return [e.value for e in (node.elements if isinstance(node, cst.Dict | cst.Set) else node.args)]


def write(w: Any, node: Any) -> Any:
    """The display, or the call of dict(), with each entry by itself."""
    if isinstance(node, cst.Dict):
        return node.with_changes(elements=[
            e.with_changes(key=w.expr(e.key), value=_entry(w, e.value))  # type: ignore[attr-defined]
            for e in node.elements])
    if isinstance(node, cst.Set):
        return node.with_changes(elements=[e.with_changes(value=_entry(w, e.value)) for e in node.elements])
    return node.with_changes(args=[a.with_changes(value=_entry(w, a.value)) for a in node.args])


def _entry(w: Any, node: cst.BaseExpression) -> Any:
    if isinstance(node, cst.IfExp):
        return fitted(node, node.with_changes(test=w.expr(node.test), body=_entry(w, node.body),
                                              orelse=_entry(w, node.orelse)))
    refusal = w.it.notes.get(NOTE, {}).get(node)
    if w.it.names.resolve(node).startswith(PACKAGES):
        refusal = Refused("P203", f"`{code(node)}` of a package of PyTorch's, which Keras has not", node)
    if refusal is None:
        try:
            return w.expr(node)
        except Refused as found:
            if not _may_be_called(w.fact(node)) or not isinstance(node, cst.Name | cst.Attribute):
                raise
            refusal = found.kept()
    return _stand_in(w, node, refusal)


def _stand_in(w: Any, node: cst.BaseExpression, refusal: Refused) -> cst.BaseExpression:
    if node in w.it.notes.get(ASKED, ()):
        w.report(refusal.code, f"{refusal.args[0]}: nothing is one of these", node, refusal.symbol)
        return cst.Tuple([])
    w.report(refusal.code, f"{refusal.args[0]}: to call it raises", node, refusal.symbol)
    w.helper("not_ported")
    return build("not_ported({n})", n=cst.SimpleString(f'"{code(node)}"'))


def instead(w: Any, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What stands for a reference; None for one that is ported."""
    refusal = w.it.notes.get(NOTE, {}).get(node) if NOTE in w.it.notes else None
    return None if refusal is None else _stand_in(w, node, refusal)


def _may_be_called(fact: Fact) -> bool:
    """A class or a function, which does nothing before it is called."""
    return fact.kind is Kind.FUNCTION and (isinstance(fact.payload, Class | Function) or fact.payload is None)


def references(w: Any, node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """What the tables of a statement hold by name, and functions that calls are given by keyword."""
    for arg in find(node, cst.Arg):
        if arg.keyword is not None and isinstance(arg.value, cst.Name | cst.Attribute) and isinstance(
                w.fact(arg.value).payload, Function):
            yield arg.value
    yield from asked(node)
    if not isinstance(node, cst.SimpleStatementLine):
        return
    displays = [*find(node, cst.Dict), *find(node, cst.Set),
                *(c for c in find(node, cst.Call) if w.fact(c.func).symbol == MAKER)]
    todo = [v for d in displays if is_table(w, d) for v in _values(d)]
    while todo:
        value = todo.pop()
        if isinstance(value, cst.IfExp):
            todo += [value.body, value.orelse]
        elif isinstance(value, cst.Name | cst.Attribute) and _may_be_called(w.fact(value)):
            yield value


def asked(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Classes that `isinstance` and `issubclass` ask for, by name."""
    for call in find(node, cst.Call):
        if isinstance(call.func, cst.Name) and call.func.value in ("isinstance", "issubclass") and len(call.args) == 2:
            held = call.args[1].value
            yield from [e.value for e in held.elements] if isinstance(held, cst.Tuple) else [held]


def stand_in(w: Any, part: cst.CSTNode, nodes: list[cst.CSTNode]) -> set[cst.CSTNode]:
    """References among these that something can stand for."""
    return {n for n in references(w, part) if n in nodes}


def note(w: Any, part: cst.CSTNode, nodes: set[cst.CSTNode]) -> None:
    """Note that these references are not ported."""
    for node in nodes:
        why = Refused("P206", f"it uses `{apart.shown(code(node))}`, which is not ported", node)
        w.it.notes.setdefault(NOTE, {})[node] = why
    w.it.notes.setdefault(ASKED, set()).update(nodes & set(asked(part)))
