"""A layer that a variable holds until the one Sequential or wrapper that gets it is read as written there.

    first = layers.Dense(4)                        ->    return keras.Sequential([layers.Dense(4), layers.Dense(2)])
    return keras.Sequential([first, layers.Dense(2)])
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import libcst as cst

from port.tree import find, loads, named, rebuild, replaced

WRAPPERS = ("TimeDistributed", "Bidirectional")


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such layers where they go; the same object if there are none."""
    return _inside(module, _counts(module))  # type: ignore[no-any-return]


def _counts(node: cst.CSTNode) -> Counter[str]:
    return Counter(n.value for n in find(node, cst.Name))


def _inside(node: Any, counts: Counter[str]) -> Any:
    if isinstance(node, cst.FunctionDef):
        counts = _counts(node)
    if isinstance(node, cst.Module | cst.IndentedBlock):
        body = _placed([_inside(s, counts) for s in node.body], counts)
        same = len(body) == len(node.body) and all(a is b for a, b in zip(body, node.body, strict=True))
        return node if same else node.with_changes(body=body)
    if isinstance(node, cst.BaseCompoundStatement | cst.Else | cst.ExceptHandler | cst.Finally):
        return rebuild(node, lambda child: _inside(child, counts))
    return node


def _placed(body: list[Any], counts: Counter[str]) -> list[Any]:
    """The lines of one block, each such layer in the line that takes it; its comments go to the line that follows."""
    out: list[Any] = []
    for at, line in enumerate(body):
        name, layer = _held(line)
        taker = None if layer is None or counts[name] != 2 else _taker(name, loads(layer), body[at + 1:])
        if taker is None:
            out.append(line)
            continue
        to = body.index(taker[0], at + 1)
        body[to] = replaced(body[to], taker[1], layer)  # type: ignore[arg-type]
        body[at + 1] = body[at + 1].with_changes(leading_lines=_comments(line, body[at + 1]))
    return out


def _held(line: Any) -> tuple[str, cst.Call | None]:
    """x and Dense(4) of the line `x = Dense(4)`."""
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.value, cst.Call) and isinstance(
            small.targets[0].target, cst.Name):
        made = small.value.func.attr if isinstance(small.value.func, cst.Attribute) else small.value.func
        if isinstance(made, cst.Name) and made.value[:1].isupper():
            return small.targets[0].target.value, small.value
    return "", None


def _taker(name: str, read: frozenset[str], lines: list[Any]) -> tuple[Any, cst.Name] | None:
    """The line below that puts it into a Sequential or a wrapper, and the name there; no line before it may bind what
    the layer reads, and each is one that only makes or takes layers.
    """
    for line in lines:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
        value = small.value if isinstance(small, cst.Assign | cst.Expr | cst.Return) else None
        if value is None:
            return None
        for call in find(value, cst.Call):
            for taken in _taken(call):
                if taken.value == name:
                    return line, taken
        bound = named(small.targets[0].target) if isinstance(small, cst.Assign) else frozenset[str]()
        if bound & read or not isinstance(value, cst.Call):
            return None
    return None


def _taken(call: cst.Call) -> list[cst.Name]:
    """Names that a call takes as layers of its own."""
    func = call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
    given: list[Any] = [a.value for a in call.args[:1] if not a.star]
    if func == "Sequential" and given and isinstance(given[0], cst.List | cst.Tuple):
        given = [e.value for e in given[0].elements]
    elif func not in (*WRAPPERS, "add") or (func == "add" and len(call.args) != 1):
        return []
    return [n for n in given if isinstance(n, cst.Name)]


def _comments(line: Any, below: Any) -> list[cst.EmptyLine]:
    behind = line.trailing_whitespace.comment
    own = [cst.EmptyLine(comment=behind)] if behind is not None else []
    return [*line.leading_lines, *own, *below.leading_lines]
