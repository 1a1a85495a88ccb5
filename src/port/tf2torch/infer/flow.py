"""Statements, and the branches between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.scopes import Env
from port.tf2torch.infer.assignments import assign
from port.tf2torch.infer.definitions import define
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.joins import merge
from port.tf2torch.infer.loops import for_, loop
from port.tf2torch.infer.values import EITHER, Items
from port.tree import EXPRESSIONS, children, clone


def run(it: Interp, body: Sequence[cst.CSTNode], env: Env) -> bool:
    """Interpret statements in order; True if the end cannot be reached (return, raise)."""
    for node in body:
        if type(node) is cst.SimpleStatementLine:
            for small in node.body:
                if _small(it, small, env, node):
                    return True
        elif compound(it, node, env):
            return True
    return False


def _small(it: Interp, node: cst.CSTNode, env: Env, line: cst.CSTNode) -> bool:
    if type(node) is cst.Assign:
        value = it.ev(node.value, env)
        if _is_refused(it, node.value):
            return True
        for target in node.targets:
            assign(it, target.target, value, env, line, node.value)
    elif type(node) is cst.AnnAssign:
        if node.value is not None:
            assign(it, node.target, it.ev(node.value, env), env, line, node.value)
    elif type(node) is cst.AugAssign:
        _augmented(it, node, env, line)
    elif type(node) is cst.Expr:
        it.ev(node.value, env)
    elif type(node) is cst.Return:
        fact = it.ev(node.value, env) if node.value is not None else UNKNOWN
        if it.current:
            it.current[-1].returns.append(fact)
            it.facts[node] = fact
        return True
    elif type(node) is cst.Raise:
        return True
    elif type(node) is cst.Import or type(node) is cst.ImportFrom:
        for name in list(env.names):
            if name in it.names.bound and name not in it.file.links and env.names[name].payload is None:
                env.names.pop(name, None)
    elif type(node) is cst.Del or type(node) is cst.Assert:
        for child in children(node):
            if type(child) in EXPRESSIONS:
                it.ev(child, env)
    return False


def _is_refused(it: Interp, value: cst.BaseExpression) -> bool:
    """A call of one of several layers or functions: its branch is not ported, so nothing comes out of it."""
    return type(value) is cst.Call and it.facts.get(value.func, UNKNOWN).symbol.startswith(EITHER)


OPERATORS: dict[type[cst.BaseAugOp], type[cst.BaseBinaryOp]] = {
    cst.AddAssign: cst.Add, cst.SubtractAssign: cst.Subtract, cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide, cst.FloorDivideAssign: cst.FloorDivide, cst.ModuloAssign: cst.Modulo,
    cst.PowerAssign: cst.Power, cst.MatrixMultiplyAssign: cst.MatrixMultiply, cst.BitAndAssign: cst.BitAnd,
    cst.BitOrAssign: cst.BitOr, cst.BitXorAssign: cst.BitXor, cst.LeftShiftAssign: cst.LeftShift,
    cst.RightShiftAssign: cst.RightShift,
}


def _augmented(it: Interp, node: cst.AugAssign, env: Env, line: cst.CSTNode) -> None:
    """Of tensors `x += y` is `x = x + y`: TensorFlow makes a new tensor, PyTorch would change all that share it."""
    whole = it.augmented.get(node)
    if whole is None:
        whole = it.augmented[node] = cst.BinaryOperation(
            clone(node.target), OPERATORS[type(node.operator)](), node.value)
    result = it.ev(whole, env)
    a, b = it.facts.get(whole.left, UNKNOWN), it.facts.get(node.value, UNKNOWN)
    it.facts[node.target] = a
    if Kind.TENSOR in (a.kind, b.kind, result.kind):
        result = result.but(mask=None)
    elif isinstance(a.payload, Items) and isinstance(b.payload, Items):
        a.payload.elements += b.payload.elements
        result = a
    else:
        result = Fact(Kind.PLAIN, symbol="=")
    assign(it, node.target, result, env, line, node.value)


# ---------------------------------------------------------------- compound statements
def compound(it: Interp, node: cst.CSTNode, env: Env) -> bool:
    if type(node) is cst.If:
        return _if(it, node, env)
    if type(node) is cst.For:
        for_(it, node, env)
    elif type(node) is cst.While:
        it.ev(node.test, env)
        loop(it, node, node.body, env, None)
    elif type(node) is cst.With:
        for item in node.items:
            fact = it.ev(item.item, env)
            if item.asname is not None and isinstance(item.asname.name, cst.Name):
                env.names[item.asname.name.value] = fact
        return run(it, node.body.body, env)
    elif type(node) is cst.Try:
        run(it, node.body.body, env)
        for handler in node.handlers:
            run(it, handler.body.body, env.copy())
        if node.orelse is not None:
            run(it, node.orelse.body.body, env)
        if node.finalbody is not None:
            run(it, node.finalbody.body.body, env)
    elif type(node) is cst.FunctionDef or type(node) is cst.ClassDef:
        define(it, node, env)
    return False


def _if(it: Interp, node: cst.If, env: Env) -> bool:
    test = it.ev(node.test, env)
    known = test.literal(...)
    it.facts[node] = test if known is not ... else UNKNOWN
    if known is ...:
        known = _absent_test(it, node.test)
        if known is not ...:
            it.facts[node] = it.value(known)
    if known is not ...:
        if known:
            return run(it, node.body.body, env)
        return _orelse(it, node.orelse, env) if node.orelse is not None else False
    then, other = env.copy(), env.copy()
    undo = _narrow(it, node.test, then, other)
    ended = run(it, node.body.body, then)
    ended_other = _orelse(it, node.orelse, other) if node.orelse is not None else False
    undo()
    branches: list[tuple[Env, cst.CSTNode | None]] = []
    if not ended:
        branches.append((then, node.body))
    if not ended_other:
        branches.append((other, _else_key(node)))
    if branches:
        merge(it, env, branches, node)
    return ended and ended_other


def _else_key(node: cst.If) -> cst.CSTNode | None:
    if node.orelse is None:
        return None
    return node.orelse if isinstance(node.orelse, cst.If) else node.orelse.body


def _narrow(it: Interp, test: cst.BaseExpression, then: Env, other: Env) -> Callable[[], None]:
    """`if p is None`: p is None in one branch and a tensor in the other; gives what ends that in the first."""
    if not (isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and len(test.comparisons) == 1):
        return _nothing
    name, target = test.left.value, test.comparisons[0]
    if it.facts.get(target.comparator, UNKNOWN).literal(...) is not None:
        return _nothing
    fact = then.get(name)
    if fact is None or fact.symbol != "?":
        return _nothing
    none, some = (then, other) if isinstance(target.operator, cst.Is) else (other, then)
    absent = none.names[name] = Fact(Kind.PLAIN, values=frozenset([None]))
    some.names[name] = fact.but(symbol="")

    def undo() -> None:
        if none.names.get(name) is absent:  # its sizes are as they were: None where it is
            none.names[name] = fact

    return undo


def _nothing() -> None:
    pass


def _absent_test(it: Interp, test: cst.BaseExpression) -> Any:
    """`input_tensor is None` holds where Keras tensors cannot be passed in."""
    function = it.current[-1] if it.current else None
    if function is None or not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Name):
        return ...
    if test.left.value not in function.absent or len(test.comparisons) != 1:
        return ...
    operator = test.comparisons[0].operator
    return isinstance(operator, cst.Is) if isinstance(operator, cst.Is | cst.IsNot) else ...


def _orelse(it: Interp, orelse: cst.If | cst.Else, env: Env) -> bool:
    return _if(it, orelse, env) if isinstance(orelse, cst.If) else run(it, orelse.body.body, env)
