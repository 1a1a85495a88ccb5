"""What may come first in a Sequential: of a list that branches and loops fill, it need not be the first in the text."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Fact
from port.torch2tf.above import blocks_of
from port.torch2tf.values import Chain
from port.tree import code, find, walk

DEEP = 3  # elements that are told apart, from the front
MOST = 64  # ways in which a list may begin
GROW = ("append", "add_module", "register_module")
Way = tuple[tuple[cst.BaseExpression, ...], bool]  # how a list may begin; is that all of it?


class _Lost(Exception):
    """What the list holds is not followed."""


def ways(it: Any, chain: Chain) -> list[list[Fact]] | None:
    """The modules that a Sequential may begin with, in each way in which its list may be filled; None: not known."""
    found = _subject(it, chain)
    if found is None:
        return None
    subject, function, grown = found
    reader = _Reader(it, subject, chain.node, grown)
    try:
        end = reader.run(function.body.body, frozenset())
    except _Lost:
        return None
    return [[*map(it.fact, begin), *(() if whole else chain.children)]
            for begin, whole in (end if grown else reader.result)]


def _subject(it: Any, chain: Chain) -> tuple[str, cst.FunctionDef, bool] | None:
    """The variable that is filled, the function that does it, and whether it is the Sequential itself."""
    known = it.objects.setdefault("sequentials", {})
    if not known:
        for function in it.functions:
            if isinstance(function, cst.FunctionDef):
                for call in find(function.body, cst.Call, enter_functions=False):
                    known[call] = function, ""
                for node in find(function.body, cst.Assign, enter_functions=False):
                    if isinstance(node.value, cst.Call) and len(node.targets) == 1:
                        known[node.value] = function, code(node.targets[0].target)
    function, target = known.get(chain.node, (None, ""))
    if function is None:
        return None
    args = chain.node.args
    if not args:
        return (target, function, True) if target else None
    held = args[0].value
    return (held.value, function, False) if len(args) == 1 and args[0].star == "*" and isinstance(
        held, cst.Name) else None


class _Reader:
    """The statements of a function, as far as they fill one list."""

    def __init__(self, it: Any, subject: str, stop: cst.Call, grown: bool):
        self.it, self.subject, self.stop, self.grown = it, subject, stop, grown
        self.result: frozenset[Way] = frozenset()  # what the list may be where the Sequential takes it

    def run(self, body: Any, state: frozenset[Way]) -> frozenset[Way]:
        for node in body:
            state = self._statement(node, state)
            if len(state) > MOST:
                raise _Lost
        return state

    def _statement(self, node: Any, state: frozenset[Way]) -> frozenset[Way]:
        if isinstance(node, cst.SimpleStatementLine):
            return self.run(node.body, state)
        if isinstance(node, cst.If):
            test = self.it.fact(node.test).literal(...)
            after = state if node.orelse is None else self._statement(node.orelse, state) if isinstance(
                node.orelse, cst.If) else self.run(node.orelse.body.body, state)
            return after if test is False else (frozenset() if test is True else after) | self.run(
                node.body.body, state)
        if isinstance(node, cst.For | cst.While):
            once = self.run(node.body.body, state)
            return state | once | self.run(node.body.body, state | once)
        if isinstance(node, cst.With):
            return self.run(node.body.body, state)
        if isinstance(node, cst.BaseCompoundStatement):
            if any(self._is_it(n) for block in blocks_of(node) for n in walk(block)):
                raise _Lost
            return state
        return self._small(node, state)

    def _is_it(self, node: cst.CSTNode) -> bool:
        return isinstance(node, cst.Name | cst.Attribute) and code(node) == self.subject

    def _small(self, node: Any, state: frozenset[Way]) -> frozenset[Way]:
        if any(n is self.stop for n in walk(node)):
            self.result |= state
            return frozenset([((), True)]) if self.grown else state
        uses = [n for n in walk(node) if self._is_it(n)]
        return self._filled(node, state, len(uses)) if uses else state

    def _filled(self, node: Any, state: frozenset[Way], uses: int) -> frozenset[Way]:
        value: Any = getattr(node, "value", None)
        target = node.targets[0].target if isinstance(node, cst.Assign) and len(node.targets) == 1 else None
        if isinstance(node, cst.Assign) and target is not None and self._is_it(target) and not self.grown:
            if isinstance(value, cst.List) and uses == 1:
                return _added(frozenset([((), True)]), value)
            if isinstance(value, cst.Subscript) and self._is_it(value.value) and uses == 2:
                return _from(state, value)
        elif isinstance(target, cst.Subscript) and self._is_it(target.value) and uses == 1 and (
                self._at(target) is not ... and (at := self._at(target)) >= 0):
            return frozenset(((*b[:at], value, *b[at + 1:]) if at < len(b) else b, whole) for b, whole in state)
        elif isinstance(node, cst.AugAssign) and self._is_it(node.target) and uses == 1 and isinstance(
                value, cst.List) and isinstance(node.operator, cst.AddAssign):
            return _added(state, value)
        elif isinstance(node, cst.Expr) and isinstance(value, cst.Call) and isinstance(
                value.func, cst.Attribute) and self._is_it(value.func.value) and value.args and uses == 1:
            name, given = value.func.attr.value, value.args[-1].value
            if name in GROW:
                return _one(state, given)
            if name == "extend" and isinstance(given, cst.List):
                return _added(state, given)
        elif all(isinstance(call, cst.Call) and self.it.fact(call.func).symbol == "builtins.len"
                 for call in find(node, cst.Call) if any(self._is_it(n) for a in call.args for n in walk(a))) and (
                     uses == sum(self._is_it(a.value) for call in find(node, cst.Call) for a in call.args)):
            return state  # only its length is asked
        raise _Lost

    def _at(self, node: cst.Subscript) -> Any:
        index = node.slice[0].slice if len(node.slice) == 1 else None
        at = self.it.fact(index.value).literal(...) if isinstance(index, cst.Index) else ...
        return at if type(at) is int else ...


def _one(state: frozenset[Way], node: cst.BaseExpression) -> frozenset[Way]:
    return frozenset((begin if not whole else (*begin, node)[:DEEP], whole and len(begin) < DEEP)
                     for begin, whole in state)


def _added(state: frozenset[Way], listed: cst.List) -> frozenset[Way]:
    for element in listed.elements:
        if isinstance(element, cst.StarredElement):
            raise _Lost
        state = _one(state, element.value)
    return state


def _from(state: frozenset[Way], node: cst.Subscript) -> frozenset[Way]:
    """`rep[1:]`."""
    part = node.slice[0].slice
    if len(node.slice) != 1 or not isinstance(part, cst.Slice) or part.upper is not None or part.step is not None or (
            not isinstance(part.lower, cst.Integer)):
        raise _Lost
    count = part.lower.evaluated_value
    if any(not whole and len(begin) <= count for begin, whole in state):
        raise _Lost
    return frozenset((begin[count:], whole) for begin, whole in state)
