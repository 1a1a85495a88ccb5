"""Tensors that pass no gradient on: what is computed under `torch.no_grad()` (nogradient.py), where it leaves a block.

A block has no counterpart in Keras; what is bound in it, and read behind it, goes through tf.stop_gradient there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.build import build
from port.facts import UNKNOWN, Fact, Kind
from port.torch2tf import buffers, nogradient
from port.torch2tf.changing import base_of, is_inplace
from port.torch2tf.nogradient import Stops
from port.torch2tf.refused import Refused
from port.torch2tf.values import Items, Mapping, join, may_be_none
from port.tree import code, find, walk

WHOLE = ("int64", "int32", "bool")
ADDS = {"append": 0, "appendleft": 0, "extend": 0, "insert": 1}  # method of a list -> which argument it takes in
NEW = frozenset("""zeros ones empty full rand randn arange zeros_like ones_like empty_like full_like rand_like
                   randn_like new_zeros new_ones new_empty new_full detach tensor eye linspace""".split())


# ---------------------------------------------------------------- values without gradients
def stop_gradient(w: Any, x: Any) -> Any:
    return build(f"{_word(w)}({{x}})", x=x)


def _word(w: Any) -> str:
    w.need("keras" if w.target == "keras" else "tf")
    return "keras.ops.stop_gradient" if w.target == "keras" else "tf.stop_gradient"


def has_gradient(fact: Fact) -> bool:
    """May it be, or hold, a tensor that has one?"""
    held = fact.payload
    if fact.kind is Kind.TENSOR:
        return fact.dtype not in WHOLE
    if isinstance(held, Items):
        return held.kind != "modules" and any(map(has_gradient, held.elements))
    if isinstance(held, Mapping):
        return held.kind != "modules" and any(map(has_gradient, held.every))
    return fact.kind is Kind.UNKNOWN


def stopped_value(w: Any, fact: Fact, new: Any) -> Any:
    """`new`, which has this fact, without a gradient."""
    if not has_gradient(fact):
        return new
    held = fact.payload
    if fact.kind is Kind.TENSOR and not may_be_none(fact):
        return stop_gradient(w, new)
    if isinstance(held, Items) and held.kind in ("list", "tuple") and not may_be_none(fact) and all(
            e.kind is Kind.TENSOR and not may_be_none(e) for e in held.elements):
        one = f"{_word(w)}(t) for t in {{x}}"
        return build(f"tuple({one})" if held.kind == "tuple" else f"[{one}]", x=new)
    w.helper("no_gradient")
    return build("no_gradient({x})", x=new)


# ---------------------------------------------------------------- what leaves a block
def leave(w: Any, node: cst.With, stops: Stops, write: Any) -> list[Any]:
    """The lines of a block, which `write` gives, and those that stop the gradients of what leaves it."""
    if stops.never:
        return write()  # type: ignore[no-any-return]
    block = _Block(w, node, stops)
    names = block.read()
    lines = write()
    behind = [line for name, at in names.items() for line in block.lines(name, at)]
    return [*lines, *guarded(w, stops, behind)]


def give(w: Any, node: cst.FunctionDef) -> None:
    """What a function under `@torch.no_grad()` gives has no gradients."""
    block = _Block(w, node, Stops(True))
    for n in walk(node.body, enter_functions=False):
        if isinstance(n, cst.Return | cst.Yield) and isinstance(n.value, cst.BaseExpression):
            block.mark(n.value)


def guarded(w: Any, stops: Stops, lines: list[Any]) -> list[Any]:
    """Lines that run only where gradients stop."""
    if stops.always or not lines:
        return lines
    return [cst.If(nogradient.condition(w, stops), cst.IndentedBlock(lines))]


class _Block:
    """A block without gradients: where its tensors go."""

    def __init__(self, w: Any, node: Any, stops: Stops):
        self.w, self.node, self.stops = w, node, stops
        block = node.body
        self.around = w.function.node if w.function is not None else w.it.module
        self.inside = set(walk(node.body))
        self.top = {id(small) for line in block.body for small in _smalls(line)}
        self.last = {t for line in block.body for small in _smalls(line) for t in _targets(small)}

    def read(self) -> dict[str, list[cst.CSTNode]]:
        """Names whose gradients stop behind the block -> where they are bound; other values are marked."""
        found: dict[str, list[cst.CSTNode]] = {}
        sure: set[str] = set()  # bound wherever the block is left
        for n in walk(self.node.body, enter_functions=False):
            self._check(n)
            for target in _targets(n):
                if not isinstance(target, cst.Name):
                    self._stored(target, n)
                elif isinstance(n, cst.AugAssign) and target.value not in found and self._changed(n, target):
                    self.mark(n.value)
                else:
                    found.setdefault(target.value, []).append(target)
                    sure |= {target.value} if id(n) in self.top and not self._is_other(n) else set()
            self._kept(n, found)
        left = {name: at for name, at in found.items() if self._leaves(name) and any(
            has_gradient(self.w.fact(t)) for t in at)}
        for name in left.keys() - sure:
            self._unsure(name)
        return {name: at for name, at in left.items() if name in sure}

    def lines(self, name: str, at: list[cst.CSTNode]) -> list[Any]:
        """`name = tf.stop_gradient(name)`."""
        fact = self.w.fact(at[-1])
        for other in at[:-1] if at[-1] not in self.last else ():
            fact = join(fact, self.w.fact(other))
        new = stopped_value(self.w, fact, cst.Name(name))
        return [cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], new)])]

    def _leaves(self, name: str) -> bool:
        """Is it read where the block does not reach?"""
        return self.w.function is None or any(
            n.value == name and n not in self.inside for n in find(self.around, cst.Name))

    def _is_other(self, n: cst.CSTNode) -> bool:
        """`y = x`: another name of a tensor, which keeps its gradient."""
        return isinstance(n, cst.Assign | cst.AnnAssign) and n.value is not None and any(
            self._alias(part) for part in _given(n.value))

    def _alias(self, value: cst.BaseExpression) -> bool:
        """Was it there before the block?"""
        if isinstance(value, cst.Name):
            return not any(t in self.inside for t in _bound_at(self.around, value.value))
        return isinstance(value, cst.Attribute) and self.w.fact(value.value).kind is not Kind.TENSOR

    def _sure(self, name: str) -> bool:
        """Does a variable hold nothing from before the block, wherever it is read?"""
        places = _bound_at(self.around, name)
        return all(t in self.inside for t in places) or any(t in self.last for t in places)

    def _unsure(self, name: str) -> None:
        """A variable that only some paths bind: its values are marked."""
        for n in walk(self.node.body, enter_functions=False):
            for target in _targets(n):
                if isinstance(target, cst.Name) and target.value == name:
                    if not isinstance(n, cst.Assign | cst.AnnAssign) or (isinstance(
                            n, cst.Assign) and any(t.target is not target for t in n.targets)):
                        raise Refused("P203", f"`{name}` is computed without gradients on some paths only: give the "
                                      "block a variable of its own", n)
                    self.mark(n.value)

    def mark(self, value: cst.BaseExpression | None) -> None:
        """A value that goes through tf.stop_gradient where it is written."""
        for part in _given(value) if value is not None else ():
            if self._alias(part) or not has_gradient(self.w.fact(part)):
                continue
            if not self.stops.always:
                raise Refused("P203", f"`{code(part)}` is computed without gradients on a condition: bind it to a "
                              "variable in the block, and use that behind it", part)
            if isinstance(part, cst.Name) and not self._sure(part.value):
                raise Refused("P203", f"`{part.value}` is computed without gradients on some paths only: give the "
                              "block a variable of its own", part)
            self.w.stops.add(part)

    # ------------------------------------------------------------ statements
    def _check(self, n: cst.CSTNode) -> None:
        if isinstance(n, cst.With):
            for item in n.items:
                for part in walk(item.item):
                    if isinstance(part, cst.Name | cst.Attribute) and self.w.it.names.resolve(
                            part) in nogradient.AGAIN:
                        raise Refused("P203", "gradients are computed again inside a block without them", n)

    def _kept(self, n: cst.CSTNode, found: dict[str, list[cst.CSTNode]]) -> None:
        """What is given, put into a container or written into a tensor."""
        if isinstance(n, cst.Return | cst.Yield):
            self.mark(n.value if isinstance(n.value, cst.BaseExpression) else None)
        if not isinstance(n, cst.Call) or not isinstance(n.func, cst.Attribute):
            return
        owner, at = n.func.value, ADDS.get(n.func.attr.value)
        if is_inplace(n) and self.w.fact(owner).kind is Kind.TENSOR:
            self._stored(base_of(n), n)
        elif at is not None and len(n.args) > at and self.w.fact(owner).kind is not Kind.LAYER and not (
                isinstance(owner, cst.Name) and owner.value in found):
            self.mark(n.args[at].value)

    def _stored(self, target: cst.CSTNode, n: cst.CSTNode) -> None:
        """What is written into an attribute, a container, or a part of a tensor."""
        base = _stem(target)
        fact = self.w.fact(base)
        if isinstance(base, cst.Name) and all(t in self.inside for t in _bound_at(self.around, base.value)):
            return  # it is bound in here
        if fact.kind is Kind.TENSOR and (base is not target or isinstance(n, cst.Call)):  # an attribute: buffers.py
            if isinstance(base, cst.Name) and has_gradient(fact) and not self._has_none(base):
                raise Refused("P203", f"`{code(base)}`, which may have a gradient, is changed in a block without: in "
                              "PyTorch it keeps the gradient that it had", n)
            if isinstance(n, cst.For):
                raise Refused("P203", f"`{code(target)}` is set by a loop in a block without gradients: give it a line "
                              "of its own", n)
            for value in [a.value for a in n.args] if isinstance(n, cst.Call) else [n.value]:  # type: ignore[attr-defined]
                self.mark(value)
        elif isinstance(n, cst.AugAssign):
            if self._changed(n, target):
                self.mark(n.value)
        elif isinstance(n, cst.Assign | cst.AnnAssign):
            if isinstance(n, cst.Assign) and any(t.target is not target for t in n.targets):
                if has_gradient(self.w.fact(target)):
                    raise Refused("P203", f"`{code(target)}` is set in a block without gradients: give it a line of "
                                  "its own", n)
            else:
                self.mark(n.value)
        elif has_gradient(self.w.fact(target)):
            raise Refused("P203", f"`{code(target)}` is set in a block without gradients: give it a line of its own", n)

    def _changed(self, n: cst.AugAssign, target: cst.CSTNode) -> bool:
        """`y += x` of what has a gradient of its own, which it keeps: that of x stops."""
        known = self.w.fact(n)  # what it was before
        fact = self.w.fact(target) if known is UNKNOWN else known
        if fact.kind is not Kind.TENSOR or self._has_none(target):
            return not isinstance(target, cst.Name) or isinstance(fact.payload, Items)
        if not isinstance(n.operator, cst.AddAssign | cst.SubtractAssign):
            raise Refused("P203", f"`{code(target)}`, which may have a gradient, is changed in a block without: in "
                          "PyTorch it keeps the gradient that it had", n)
        return True

    def _has_none(self, base: Any) -> bool:
        """A variable of the layer, or a tensor that is made without gradients."""
        if self.w.fact(base).symbol == "weight":
            return True
        if not isinstance(base, cst.Name):
            return isinstance(base, cst.Attribute) and buffers.is_variable(self.w, base)
        places = _bound_at(self.around, base.value)
        made = [n.value for n in find(self.around, cst.Assign) if any(t.target in places for t in n.targets)]
        stopped = {id(a) for n in find(self.around, cst.With) if (stops := nogradient.of(self.w, n)) is not None
                   and stops.always for a in walk(n.body)} | set(map(id, self.inside))
        if any(id(n) not in stopped and base.value in _changes(n) for n in walk(self.around)):
            return False  # it may have got one by then
        return bool(made) and len(made) == len(places) and all(
            (isinstance(v, cst.Call) and code(v.func).rpartition(".")[2] in NEW) or (
                id(v) in stopped and not isinstance(v, cst.Name | cst.Attribute)) for v in made)


def _given(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a value may be, or consists of, one by one."""
    if isinstance(value, cst.IfExp):
        yield from _given(value.body)
        yield from _given(value.orelse)
    elif isinstance(value, cst.Tuple | cst.List) and not any(
            isinstance(e, cst.StarredElement) for e in value.elements):
        for element in value.elements:
            yield from _given(element.value)
    else:
        yield value


def _smalls(line: Any) -> Iterator[Any]:
    """What runs wherever a block is run to its end."""
    if isinstance(line, cst.SimpleStatementLine):
        yield from line.body
    elif isinstance(line, cst.With):
        for inner in line.body.body:
            yield from _smalls(inner)
    elif isinstance(line, cst.BaseSmallStatement):
        yield line  # of a suite on one line


def _targets(n: cst.CSTNode) -> Iterator[Any]:
    """What a statement, or `:=`, binds: one by one."""
    if isinstance(n, cst.Assign):
        for each in n.targets:
            yield from _parts(each.target)
    elif isinstance(n, cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For):
        yield from _parts(n.target) if not isinstance(n, cst.AnnAssign) or n.value is not None else ()


def _parts(target: Any) -> Iterator[Any]:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _parts(element.value)
    else:
        yield target


def _changes(n: cst.CSTNode) -> set[str]:
    """Variables whose tensors a statement or call writes into."""
    if is_inplace(n):
        return {code(base_of(n))}  # type: ignore[arg-type]
    return {code(_stem(t)) for t in _targets(n) if isinstance(t, cst.Subscript)}


def _stem(target: Any) -> Any:
    """x of `x[0][1]`."""
    return _stem(target.value) if isinstance(target, cst.Subscript) else target


def _bound_at(around: cst.CSTNode, name: str) -> list[cst.CSTNode]:
    """Where a function binds a variable: its parameters, and targets."""
    params = [p.name for p in find(around, cst.Param) if p.name.value == name]
    return [*params, *(t for n in walk(around) for t in _targets(n) if isinstance(t, cst.Name) and t.value == name)]

