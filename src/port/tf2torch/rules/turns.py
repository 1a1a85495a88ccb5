"""A comprehension that makes a layer at each of its turns is read as a loop.

    xs = [Dense(units)(x) for units in widths]    ->    xs = []
                                                        for units in widths:
                                                            xs.append(Dense(units)(x))
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import clone, find, rebuild, walk

COMPREHENSIONS = (cst.ListComp, cst.GeneratorExp)
TURNS = (*COMPREHENSIONS, cst.SetComp, cst.DictComp, cst.Lambda)


def repeated(code: cst.CSTNode) -> frozenset[cst.CSTNode]:
    """Nodes that may be evaluated more than once where they stand: inside comprehensions and lambdas."""
    return frozenset(n for turn in walk(code) if type(turn) in TURNS for part in _each_turn(turn) for n in walk(part))


def _each_turn(turn: Any) -> list[cst.CSTNode]:
    """The parts that are evaluated at each turn: not the first iterable."""
    if isinstance(turn, cst.Lambda):
        return [turn.body]
    head = turn.for_in
    parts = [turn.key, turn.value] if isinstance(turn, cst.DictComp) else [turn.elt]
    return [*parts, *head.ifs, *([head.inner_for_in] if head.inner_for_in is not None else [])]


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such comprehensions of its functions as loops; the same object if there are none."""
    makers = {s.name.value for s in module.body if isinstance(s, cst.FunctionDef)}
    return _inside(module, makers, [n.value for n in find(module, cst.Name)])  # type: ignore[no-any-return]


def _inside(node: Any, makers: set[str], names: list[str]) -> Any:
    if isinstance(node, cst.ClassDef):
        return node  # a class makes its layers in its constructor
    if isinstance(node, cst.FunctionDef):
        names = [n.value for n in find(node, cst.Name)]
    if isinstance(node, cst.Module | cst.IndentedBlock):
        body: list[Any] = []
        for s in node.body:
            body += _looped(s, makers, names) if isinstance(s, cst.SimpleStatementLine) else [
                _inside(s, makers, names)]
        same = len(body) == len(node.body) and all(a is b for a, b in zip(body, node.body, strict=True))
        return node if same else node.with_changes(body=body)
    if isinstance(node, cst.BaseCompoundStatement | cst.Else | cst.ExceptHandler | cst.Finally):
        return rebuild(node, lambda child: _inside(child, makers, names))
    return node


def _looped(line: cst.SimpleStatementLine, makers: set[str], names: list[str]) -> list[Any]:
    """The line, behind the loops of its comprehensions."""
    before: list[Any] = []
    small = line.body[0]
    if len(line.body) != 1:
        return [line]
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    whole = _comprehension(small.value) if isinstance(small, cst.Assign) else None
    if isinstance(target, cst.Name) and whole is not None and target.value not in {
            n.value for n in find(small.value, cst.Name)} and _suits(whole, makers, names):  # type: ignore[attr-defined]
        first, loop = _loop(whole, target.value)
        return [first.with_changes(leading_lines=line.leading_lines), loop]

    new = _out(small, before, makers, names)
    if not before:
        return [line]
    before[0] = before[0].with_changes(leading_lines=line.leading_lines)
    return [*before, line.with_changes(body=[new], leading_lines=[])]


def _out(node: Any, before: list[Any], makers: set[str], names: list[str]) -> Any:
    """The node with variables for its comprehensions, whose loops go to `before`."""
    found = _comprehension(node)
    if found is not None and _suits(found, makers, names):
        name = next(n for n in ("branches", *(f"branches{i}" for i in range(2, 99))) if n not in names)
        names.append(name)
        before.extend(_loop(found, name))
        return cst.Name(name)
    return node if type(node) in TURNS else rebuild(node, lambda child: _out(child, before, makers, names))


def _comprehension(node: Any) -> Any:
    """The comprehension that an expression is, as it stands or in `list(...)`."""
    if type(node) is cst.Call and type(node.func) is cst.Name and node.func.value == "list" and len(node.args) == 1:
        node = node.args[0].value
    return node if type(node) in COMPREHENSIONS else None


def _suits(turn: Any, makers: set[str], names: list[str]) -> bool:
    """May it make layers, and do its variables mean nothing outside it, where those of a loop would be seen?"""
    makes = any(isinstance(n.func, cst.Call) or (isinstance(n.func, cst.Name) and n.func.value in makers)
                for n in find(turn.elt, cst.Call))
    inner = [n.value for n in find(turn, cst.Name)]
    heads = [turn.for_in]
    while heads[-1].inner_for_in is not None:
        heads.append(heads[-1].inner_for_in)
    bound = {n.value for h in heads for n in find(h.target, cst.Name)}
    plain = not any(h.asynchronous for h in heads) and not any(True for _ in find(turn, cst.NamedExpr))
    return makes and plain and all(inner.count(n) == names.count(n) for n in bound)


def _loop(turn: Any, name: str) -> list[Any]:
    first = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], cst.List([]))])
    append = cst.Call(cst.Attribute(cst.Name(name), cst.Name("append")), [cst.Arg(turn.elt)])
    return [first, _head(turn.for_in, cst.SimpleStatementLine([cst.Expr(append)]))]


def _head(head: cst.CompFor, inner: Any) -> cst.For:
    if head.inner_for_in is not None:
        inner = _head(head.inner_for_in, inner)
    for test in reversed(head.ifs):
        inner = cst.If(test.test, cst.IndentedBlock([inner]))
    return cst.For(clone(head.target), head.iter, cst.IndentedBlock([inner]))  # type: ignore[arg-type]
