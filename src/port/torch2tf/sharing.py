"""Variables that may share their memory: what PyTorch writes into one, the others show; TensorFlow's tensors do not.

A group of names is followed through a function, statement by statement, up to the write. Members that begin with `@`
are memory that is seen from outside: of a parameter (`@x`), or held by the object (`@self.x`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf.above import blocks_of, functions, given, leaves, read_once, targets
from port.torch2tf.memory import CASTS, GROW, HOLDERS, SAME, VIEWS, is_holder, is_memory, writes
from port.torch2tf.values import Bound, Chain, Class, Function, Instance, Layer, SelfOf, options
from port.tree import code, find, walk

Names = frozenset[str]
NONE: Names = frozenset()


class Groups:
    """Names to the names that they may share memory with, up to one place of a function."""

    def __init__(self, it: Any, function: Function):
        self.it, self.function = it, function
        self.of: dict[str, set[str]] = {}
        self.apart: set[str] = set()  # tuples of pieces of one tensor, which do not overlap
        self.wholes: dict[str, Names] = {}  # such a piece -> what it is a piece of
        names = function.params[1:] if function.owner is not None and not function.static else function.params
        for name in (*names, *([function.star] if function.star else [])):
            self.of[name] = self.of[f"@{name}"] = {name, f"@{name}"}

    def closure(self, names: Iterable[str]) -> set[str]:
        """What shares memory with one of these: their groups, what they are pieces of, and their own pieces."""
        own = {m for n in names for m in self.of.get(n, {n})}
        found, todo = set(own), list(own)
        while todo:
            above = {m for w in self.wholes.get(todo.pop(), ()) for m in self.of.get(w, {w})} - found
            found |= above
            todo += above
        pieces = {p for p, wholes in self.wholes.items() if wholes & own} - own
        return found | (self.closure(pieces - found) if pieces - found else set())

    def join(self, name: str, roots: Iterable[str], anew: bool) -> None:
        """`name` becomes one of the group of `roots`; `anew`: it was rebound for certain, and leaves its old one."""
        group = self.closure(roots)
        if anew and name in self.of:
            self.of[name].discard(name)
        elif name in self.of:
            group |= self.of[name]
        group |= {name}
        for member in group:
            self.of[member] = group
        if anew:
            self.wholes.pop(name, None)
            self.apart.discard(name)

    # ------------------------------------------------------------ statements
    def run(self, body: Sequence[Any], stop: cst.CSTNode, certain: bool = True) -> bool:
        """Follows statements up to the one that holds `stop`; True if it was reached."""
        return any(self._statement(node, stop, certain) for node in body)

    def _statement(self, node: Any, stop: cst.CSTNode, certain: bool) -> bool:
        holds = any(n is stop for n in walk(node))
        if isinstance(node, cst.SimpleStatementLine | cst.BaseSmallStatement):
            for small in node.body if isinstance(node, cst.SimpleStatementLine) else [node]:
                if holds and any(n is stop for n in walk(small)):
                    return True
                self._small(small, certain)
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return holds
        blocks = blocks_of(node)
        if isinstance(node, cst.For):
            for name in targets(node.target):
                self.join(name, self.roots(node.iter), False)
        if isinstance(node, cst.For | cst.While):
            for block in blocks:  # it may have run before
                self.run(block.body, node, False)
        raising = self.it.notes.get("raises", ())  # branches that are not ported (optional.py)
        blocks = [block for block in blocks if block not in raising]
        if isinstance(node, cst.If) and not holds:
            self._branches(node, blocks, stop, certain)
            return False
        for block in blocks:
            inside = holds and any(n is stop for n in walk(block))
            if (inside or not holds) and self.run(block.body, stop, certain and inside):
                return True
        return holds

    def _branches(self, node: cst.If, blocks: Sequence[Any], stop: cst.CSTNode, certain: bool) -> None:
        """Each branch goes on from what was before; behind them, what is so behind one of them may be."""
        before, ends = self._state(), []
        last = node
        while isinstance(last.orelse, cst.If):
            last = last.orelse
        if last.orelse is None:
            ends.append(self._state())
        for block in blocks:
            self.of, self.apart, self.wholes = before
            before = self._state()
            self.run(block.body, stop, certain)
            if not leaves(block):  # the function
                ends.append((self.of, self.apart, self.wholes))
        self.of, self.apart, self.wholes = ends[0] if ends else before
        for of, apart, wholes in ends[1:]:
            for group in of.values():
                merged = group.union(*(self.of.get(name, {name}) for name in group))
                for name in merged:
                    self.of[name] = merged
            self.apart &= apart
            for name, above in wholes.items():
                self.wholes[name] = self.wholes.get(name, NONE) | above

    def _state(self) -> tuple[dict[str, set[str]], set[str], dict[str, Names]]:
        groups = {id(group): set(group) for group in self.of.values()}
        return {name: groups[id(group)] for name, group in self.of.items()}, set(self.apart), dict(self.wholes)

    def _small(self, node: Any, certain: bool) -> None:
        if isinstance(node, cst.Assign):
            for target in node.targets:
                self._assign(target.target, node.value, certain)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value, certain)
        elif isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Name) and is_holder(
                self.it.fact(node.target)):
            self.join(node.target.value, self.roots(node.value), False)
        elif isinstance(node, cst.Expr) and isinstance(node.value, cst.Call) and isinstance(
                node.value.func, cst.Attribute) and node.value.func.attr.value in GROW:
            for root in self.roots(node.value.func.value):
                self.join(root, {r for a in node.value.args for r in self.roots(a.value)}, False)
        for named in find(node, cst.NamedExpr):
            self._assign(named.target, named.value, False)

    def _assign(self, target: cst.BaseExpression, value: cst.BaseExpression, certain: bool) -> None:
        pieces = self._are_pieces(value)
        if isinstance(target, cst.Tuple | cst.List) and pieces and certain:
            roots = self.roots(value)
            for name in [n for e in target.elements for n in targets(e.value)]:
                self.join(name, (), True)
                self.wholes[name] = roots
        elif isinstance(target, cst.Tuple | cst.List):
            found, count = self._parts(value, len(target.elements)), len(target.elements)
            for element, roots in zip(target.elements, found or [self.roots(value)] * count, strict=True):
                for name in targets(element.value):
                    self.join(name, roots, certain)
            if isinstance(value, cst.Call) and found is None and (names := targets(target)) and any(
                    isinstance(o.payload, Function | Instance | SelfOf) for o in self._callees(value)):
                self.join(names[0], names, False)
        elif isinstance(target, cst.Name):
            self.join(target.value, self.roots(value), certain)
            self.apart |= {target.value} if pieces and certain else set()
        elif isinstance(target, cst.Subscript) and self.it.fact(target.value).kind is not Kind.TENSOR:
            for root in self.roots(target.value):
                self.join(root, self.roots(value), False)
        elif isinstance(target, cst.Attribute):
            self.join(f"@{code(target)}", self.roots(value), certain)

    def _are_pieces(self, value: cst.BaseExpression) -> bool:
        """`x.chunk(3)`, `map(f, x.chunk(3))`: tensors that share memory with x, not with each other."""
        if isinstance(value, cst.Name):
            return value.value in self.apart
        if not isinstance(value, cst.Call):
            return False
        symbol = self.it.fact(value.func).symbol
        if symbol in ("builtins.map", "builtins.tuple", "builtins.list") and value.args:
            return self._are_pieces(value.args[-1].value)
        return symbol.startswith(("torch.", "tensor.")) and symbol.rpartition(".")[2] in (
            "chunk", "split", "unbind", "tensor_split", "hsplit", "vsplit", "dsplit")

    def _parts(self, value: cst.BaseExpression, count: int) -> list[Names] | None:
        """The roots of each of several results; None if they are not told apart."""
        mapped = isinstance(value, cst.Call) and len(value.args) == 2 and (
            self.it.fact(value.func).symbol == "builtins.map")
        value = value.args[1].value if mapped else value  # type: ignore[attr-defined]
        if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == count:
            return [self.roots(e.value) for e in value.elements]
        callees = self._callees(value) if isinstance(value, cst.Call) else ()
        called = [f for o in callees if isinstance(o.payload, Function | Instance | SelfOf)
                  for f in functions(o.payload)]
        if not isinstance(value, cst.Call) or len(called) != 1 or len(callees) != 1:
            return None
        found, passed = results(self.it, called[0]), given(called[0], value)
        if found == []:
            return [self.roots(value)] * count
        return None if found is None or len(found) != count else [
            frozenset().union(*(self.roots(passed[n]) for n in part if n in passed)) for part in found]

    def _callees(self, node: cst.Call) -> tuple[Fact, ...]:
        return options(self.it.receivers.get(node) or self.it.fact(node.func))

    # ------------------------------------------------------------ expressions
    def roots(self, node: Any) -> Names:
        """Variables whose memory the value may be, or hold."""
        if isinstance(node, cst.Name):
            fact = self.it.fact(node)
            if fact.kind is Kind.PLAIN and fact.payload is None:  # a number
                return NONE
            return frozenset([node.value]) if node.value in self.of or is_memory(fact) else NONE
        if isinstance(node, cst.Subscript):
            return NONE if self._is_gather(node) else self.roots(node.value)
        if isinstance(node, cst.Attribute):
            if self.it.fact(node.value).kind is Kind.TENSOR:
                return self.roots(node.value) if node.attr.value in VIEWS or node.attr.value in ("H", "real") else NONE
            if is_memory(self.it.fact(node)):
                return frozenset([f"@{code(node)}"])
            return NONE
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.IfExp):
            return self.roots(node.body) | self.roots(node.orelse)
        if isinstance(node, cst.BooleanOperation) or (isinstance(node, cst.BinaryOperation) and is_holder(
                self.it.fact(node))):
            return self.roots(node.left) | self.roots(node.right)
        if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict):
            return frozenset().union(*(self.roots(e.value) for e in node.elements))
        if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            inner, loop = self.roots(node.elt), set(targets(node.for_in.target))
            return (inner - loop) | (self.roots(node.for_in.iter) if self._reads(node.elt, loop) else NONE)
        return self.roots(node.value) if isinstance(node, cst.NamedExpr) else NONE

    def _reads(self, node: Any, loop: set[str]) -> bool:
        """May the element of a comprehension be what is looped over?"""
        return any(isinstance(n, cst.Name) and n.value in loop for n in walk(node)) and not isinstance(
            node, cst.BinaryOperation | cst.Comparison) and (not isinstance(node, cst.Call) or bool(
                self._call(node, loop) & loop))

    def _is_gather(self, node: cst.Subscript) -> bool:
        """A tensor or a list of places picks: that is a copy."""
        return self.it.fact(node.value).kind is Kind.TENSOR and any(
            isinstance(e.slice, cst.Index) and (isinstance(e.slice.value, cst.List) or (
                self.it.fact(e.slice.value).kind is Kind.TENSOR and self.it.fact(e.slice.value).rank != 0))
            for e in node.slice)

    def _call(self, node: cst.Call, known: set[str] | None = None) -> Names:
        found: Names = NONE
        for callee in self._callees(node):
            for value in passed_on(self.it, node, callee):
                found |= self.roots(value) | frozenset(
                    [value.value] if known and isinstance(value, cst.Name) and value.value in known else [])
        return found


# ---------------------------------------------------------------- what a call does with its arguments
def passed_on(it: Any, node: cst.Call, callee: Fact) -> list[cst.BaseExpression]:
    """Arguments whose memory the result may be, or hold; a method's tensor is one of them."""
    payload, symbol = callee.payload, callee.symbol
    every, last = [a.value for a in node.args], symbol.rpartition(".")[2]
    if isinstance(payload, Bound):
        owner = node.func.value if isinstance(node.func, cst.Attribute) else None
        if payload.owner.kind is Kind.TENSOR:
            viewed = last in VIEWS or (last.endswith("_") and not last.endswith("__"))
            dtype = payload.owner.dtype
            cast = last in CASTS and dtype is not None and not dtype.startswith(CASTS[last])
            return [owner] if viewed and not cast and owner is not None else []
        return [owner] if is_holder(payload.owner) and owner is not None else []
    if isinstance(payload, Layer | Chain):
        return every[:1] if keeps(it, callee) else []
    if isinstance(payload, Function | Instance | SelfOf):
        return [v for f in functions(payload) for n, v in given(f, node).items() if n in returned(it, f)]
    if isinstance(payload, Class):
        return every
    if symbol.startswith(("torch.", "einops.")):
        same = last in VIEWS or any(a.keyword is not None and a.keyword.value == "inplace" for a in node.args)
        return every[:1] if same or (last.endswith("_") and not last.endswith("__")) else []
    if symbol.startswith("builtins."):
        return every if last in HOLDERS else []
    return every if callee.kind is Kind.UNKNOWN else []


def keeps(it: Any, callee: Fact) -> bool:
    """Does a module give the memory that it is given?"""
    payload = callee.payload
    if isinstance(payload, Chain):
        return not payload.open and all(keeps(it, o) for child in payload.children for o in options(child))
    if isinstance(payload, Instance | SelfOf):
        return any(f.arguments and f.arguments[0] in returned(it, f) for f in functions(payload))
    return isinstance(payload, Layer) and (payload.symbol.rpartition(".")[2] in SAME or writes(payload))


# ---------------------------------------------------------------- what functions give back
def up_to(it: Any, function: Function, node: cst.CSTNode) -> Groups:
    """The groups as they are where the function comes to a node."""
    groups = Groups(it, function)
    if isinstance(function.node, cst.FunctionDef):
        groups.run(function.node.body.body, node)
    return groups


def results(it: Any, function: Function) -> list[set[str]] | None:
    """Parameters whose memory each of several results may be; None if they may share memory that is no parameter's,
    [] if there may be any number of them."""
    found: list[set[str]] | None = read_once(it, "results", function, None, _results)
    return found


def _results(it: Any, function: Function) -> list[set[str]] | None:
    if isinstance(function.node, cst.Lambda):
        return None
    nodes = find(function.node.body, cst.Return, enter_functions=False)
    if len(nodes) == 1 and isinstance(nodes[0].value, cst.Call) and it.fact(nodes[0].value.func).symbol.startswith(
            ("torch.", "einops.", "tensor.")):
        return []  # of the framework, which gives tensors apart
    if len(nodes) != 1 or not isinstance(nodes[0].value, cst.Tuple):
        return None
    groups = up_to(it, function, nodes[0])
    parts = [groups.closure(groups.roots(e.value)) for e in nodes[0].value.elements]
    if sum(map(len, parts)) > len(set().union(*parts)):
        return None
    return [of_caller(function, part) for part in parts]


def of_caller(function: Function, names: Iterable[str]) -> set[str]:
    """The parameters whose memory is among these names, as it arrived."""
    return {n.removeprefix("@") for n in names if n.startswith("@")} & set(function.params)


def returned(it: Any, function: Function) -> set[str]:
    """Parameters whose memory the function may give back."""
    found: set[str] = read_once(it, "returned", function, set(), _returned)
    return found


def _returned(it: Any, function: Function) -> set[str]:
    if isinstance(function.node, cst.Lambda):
        return set(Groups(it, function).roots(function.node.body)) & set(function.params)
    found: set[str] = set()
    for node in find(function.node.body, cst.Return, enter_functions=False):
        if node.value is not None:
            groups = up_to(it, function, node)
            found |= groups.closure(groups.roots(node.value))
    return of_caller(function, found)
