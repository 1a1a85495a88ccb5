"""The abstract interpreter for PyTorch source: one Fact for each expression, over all functions of a project.

Each function is read with the join of what its callers pass; a worklist runs those again whose arguments, attributes or
callees have changed, until nothing does. Nothing here prints code.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import Any

import libcst as cst

from port.binding import literal_text
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.names import Names, canonical
from port.result import reading
from port.scopes import Env, File
from port.table import Row
from port.torch2tf import (
    assignments,
    calls,
    definitions,
    either,
    links,
    meetings,
    members,
    modules,
    probes,
    pynumbers,
    shapes,
    users,
)
from port.torch2tf.values import (
    BOTTOM,
    NONE,
    PLAIN,
    SEVERAL,
    Chain,
    Class,
    Function,
    Items,
    Layer,
    is_none,
    join,
    literal,
    may_be_none,
    same,
    tensors_in,
)
from port.torch2tf.values import (
    Mapping as Dict,
)
from port.tree import EXPRESSIONS, IN_EXPRESSIONS, children, code, walk

LIMIT = 40  # runs of one function; far more than a fixpoint needs


class Interp:
    """Facts of the files of a project, and what is known of their functions and classes."""

    def __init__(self, files: Sequence[File], rows: Mapping[str, tuple[Row, ...]],
                 params: dict[str, Fact] | None = None, helpers: dict[cst.CSTNode, str] | None = None,
                 native: bool = False):
        self.native = native  # `--layout native`: interfaces have the target's order of axes
        self.enclosed: frozenset[Any] = frozenset()  # modules with the source's axes outside (meetings.py)
        self.plain: frozenset[Any] = frozenset()  # lists of tensors with the source's axes, wherever they come from
        # (function, variable): a number or a tensor with channels last; those that `plain` lists take; moved where set.
        self.numeric: set[Any] = set()
        self.restless: dict[Function, None] = {}  # functions that have been run too often
        self.unsteady: set[Function] = set()  # those of them whose tensors have other axes with each run
        self.unsettled: set[Any] = set()
        self.settled: frozenset[Any] = frozenset()
        self.published: frozenset[Any] = frozenset()  # modules that functions build for whoever calls them
        self.helpers = helpers or {}  # definitions that are helpers of `port` itself
        self.files, self.file, self.rows = files, files[0], rows  # `file`: the one that is being read
        self.left: Collection[cst.CSTNode] = ()  # functions that stay in PyTorch: what they pass on says nothing
        self.given = params or {}  # facts of parameters, where the caller of the translation knows them
        self.facts: dict[int, tuple[cst.CSTNode, Fact]] = {}  # by the `id` of the node: its hash is slow
        self.functions: dict[cst.CSTNode, Function] = {}
        self.classes: dict[cst.CSTNode, Class] = {}
        self.layers: dict[tuple[cst.CSTNode, str], Layer] = {}  # by the call that makes it, and its class
        self.objects: dict[Any, Any] = {}  # allocation sites: containers and instances
        self.partials: list[cst.Call] = []  # whose call is being followed
        self.symbols: dict[str, Fact] = {}  # by the dotted name
        self.notes: dict[str, Any] = {}  # what the writing of one file remembers
        self.queue: deque[Function] = deque()
        self.waiting: set[Function] = set()
        self.current: list[Function] = []
        self.untold: dict[Function, None] = {}  # they take something of which nothing tells for a tensor (toldbyuse.py)
        self.late = False  # all that is called has been read: what is not known now is not known at all
        self.dead = 0  # branches around it that nothing reaches
        self.depth = 0  # loops around what is being read
        self.returns: list[Fact | None] = []  # what the running functions give, joined
        self.yields: list[Fact | None] = []  # and what they yield
        self.wants: dict[cst.CSTNode, Layout] = {}  # call or operator -> the layout that its tensors must have
        self.ranks: dict[cst.CSTNode, int] = {}  # expression of unknown rank -> the rank that a module over space takes
        self.ranks_open = False  # one of several modules is applied, which take tensors of several ranks
        self.receivers: dict[cst.CSTNode, Any] = {}  # call -> what it was found to call (Function or Class)
        self.homes: dict[cst.CSTNode, File] = {}  # call of a class of torch.nn -> the file that it stands in
        # Where paths meet: variables that come in two layouts, whether the first path brings channels last, their rank.
        self.conflicts: dict[cst.CSTNode, dict[str, tuple[bool, int | None]]] = {}
        # Loops: variables that come to them channels last, and that they leave in the source's axes; their ranks.
        self.entries: dict[cst.CSTNode, dict[str, int | None]] = {}

    @property
    def module(self) -> cst.Module:
        return self.file.module

    @property
    def names(self) -> Names:
        return self.file.names

    @property
    def globals(self) -> Env:
        return self.file.env

    @contextmanager
    def within(self, file: File | None) -> Iterator[None]:
        """Names mean what they mean in this file."""
        outer, self.file = self.file, file or self.file
        try:
            with reading(self.file.name):
                yield
        finally:
            self.file = outer

    def seen_from(self, file: File) -> Interp:
        """The same facts; names mean what they mean in this file."""
        seen = copy(self)
        seen.file, seen.notes = file, {}
        return seen

    def let_go(self) -> None:
        """Forgets what is known, which is full of circles and holds the trees: else they wait for the collector."""
        for known in (*self.functions.values(), *self.classes.values()):
            vars(known).clear()
        for file in self.files:
            file.env.names.clear()

    # ------------------------------------------------------------ the worklist
    def run(self) -> Interp:
        for file in self.files:
            file.env.names.clear()
        self._statements()
        users.enqueue_makers(self)
        self.drain()
        self.published = meetings.built(self)
        if not self.native:
            self.enclosed |= self.published
        users.enqueue_roots(self)
        self.drain()
        while users.enqueue_uncalled(self):
            self.drain()
        self._statements()  # what functions give is known now
        self.drain()
        for _ in range(2):  # what its modules give may be known better then
            modules.apply_roots(self)
            self.drain()
        self.late = bool(self.untold)
        for function in self.untold:
            self.enqueue(function)
        self.drain()
        for function in list(self.restless):
            before = self._axes(function)
            users.analyze(self, function)
            if before != self._axes(function):
                self.unsteady.add(function)
        return self

    def _axes(self, function: Function) -> list[Layout]:
        return [self.facts[id(n)][1].layout for n in walk(function.node) if id(n) in self.facts]

    def _statements(self) -> None:
        """Those of the files, each behind those that it imports."""
        from port.torch2tf import flow

        for file in self.files:
            with self.within(file):
                links.bind(self, file)
                flow.run(self, file.module.body, file.env)

    def enqueue(self, function: Function) -> None:
        if function in self.waiting or function.node in self.left:
            return
        if function.runs >= LIMIT:
            self.restless[function] = None
        else:
            self.waiting.add(function)
            self.queue.append(function)

    def drain(self) -> None:
        while self.queue:
            function = self.queue.popleft()
            self.waiting.discard(function)
            users.analyze(self, function)

    # ------------------------------------------------------------ expressions
    def ev(self, node: cst.CSTNode | None, env: Env) -> Fact:
        if node is None:
            return UNKNOWN
        method = _METHODS.get(type(node))
        fact = method(self, node, env) if method is not None else self._children(node, env)
        self.facts[id(node)] = node, fact
        if type(fact.payload) in _MUTABLE and self.current:
            fact.payload.readers[self.current[-1]] = None
        return fact

    def touched(self, container: Any, maker: Function | None = None) -> None:
        """What a container holds has changed: who has seen it must look again, but for who makes it in each run."""
        maker = maker or (container.of if isinstance(container, Items | Dict) else None)
        for reader in container.readers:
            if reader is not maker:
                self.enqueue(reader)

    def joined(self, a: Fact, b: Fact) -> Fact:
        """What two paths give. A list that either may be is another one in each run of the function."""
        found = join(a, b)
        if isinstance(found.payload, Items) and found.payload is not a.payload and found.payload is not b.payload:
            self.fresh(found.payload)
        return found

    def fresh(self, items: Items) -> Fact:
        """A list that is another one in each run of the function that makes it."""
        items.of = self.current[-1] if self.current else None
        return Fact(Kind.PLAIN, payload=items)

    def fact(self, node: cst.CSTNode | None) -> Fact:
        known = self.facts.get(id(node))
        return UNKNOWN if known is None else known[1]

    def note(self, node: cst.CSTNode, fact: Fact) -> None:
        self.facts[id(node)] = node, fact

    def _yield(self, node: cst.Yield, env: Env) -> Fact:
        value = node.value
        given = members.element_of(self, self.ev(value.item, env)) if isinstance(value, cst.From) else (
            self.ev(value, env) if value is not None else NONE)
        if self.yields:
            self.yields[-1] = join(self.yields[-1], given)
        return UNKNOWN

    def _children(self, node: cst.CSTNode, env: Env) -> Fact:
        for child in children(node):
            if type(child) in IN_EXPRESSIONS:
                self.ev(child, env)
        return PLAIN if type(node) in EXPRESSIONS else UNKNOWN

    def _name(self, node: cst.Name, env: Env) -> Fact:
        found = env.get(node.value)
        if found is not None:
            return found
        if node.value in _CONSTANTS:
            return _CONSTANTS[node.value]
        if node.value in self.names.bound:
            return self.symbol(self.names.bound[node.value])
        return _builtin(node.value)

    def symbol(self, dotted: str) -> Fact:
        if (known := self.symbols.get(dotted)) is None:
            known = self.symbols[dotted] = self._symbol(dotted)
        return known

    def _symbol(self, dotted: str) -> Fact:
        name = canonical(dotted)
        row = (self.rows.get(name) or (None,))[0] if name.startswith("torch.") else None
        if row is not None and row.kind == "constant":
            return Fact(Kind.PLAIN, symbol=name)
        return Fact(Kind.FUNCTION, symbol=name)

    def variable(self, name: str) -> tuple[cst.CSTNode | None, str]:
        """What stands for a variable of the function that is being read, also when that is read again."""
        return self.current[-1].node if self.current else None, name

    def _literal(self, node: Any, env: Env) -> Fact:
        return _literal_of(code(node))

    def _unary(self, node: cst.UnaryOperation, env: Env) -> Fact:
        inner = self.ev(node.expression, env)
        if inner is BOTTOM:
            return BOTTOM if type(node.operator) is not cst.Not else PLAIN
        if inner.kind is Kind.TENSOR:
            return inner.but(values=None)
        if type(node.operator) is cst.Not:
            if inner.kind in (Kind.LAYER, Kind.FUNCTION) and not may_be_none(inner):
                return literal(False)
            return literal(not inner.value) if inner.literal(...) is not ... else PLAIN
        return pynumbers.negative(inner) if type(node.operator) is cst.Minus else PLAIN

    def _binary(self, node: cst.BinaryOperation, env: Env) -> Fact:
        a, b = self.ev(node.left, env), self.ev(node.right, env)
        if Kind.TENSOR in (a.kind, b.kind):
            return shapes.binary(self, node, a, b)
        if a is BOTTOM or b is BOTTOM:  # neither lists nor strings are subtracted, divided or raised to powers
            number = isinstance(node.operator, cst.Subtract | cst.FloorDivide | cst.Divide | cst.Power) or (
                isinstance(node.operator, cst.Multiply) and "int" in (a.dtype, b.dtype))
            return Fact(Kind.PLAIN, dtype="int" if isinstance(node.operator, cst.FloorDivide | cst.Multiply) else None
                        ) if number else BOTTOM
        x = a.payload
        if type(node.operator) is cst.Add and (found := pynumbers.joined(a, b)) is not None:
            return self.fresh(found.payload).but(values=found.values) if isinstance(found.payload, Items) else found
        if isinstance(x, Items) and type(node.operator) is cst.Multiply:
            times = b.literal(...)
            if isinstance(times, int) and times <= 16 and not x.open:
                return self.fresh(Items(x.elements * times, x.kind))
            return self.fresh(Items(list(x.elements), x.kind, True))
        return pynumbers.binary(node.operator, a, b)

    def _compare(self, node: cst.Comparison, env: Env) -> Fact:
        left = self.ev(node.left, env)
        rights = [self.ev(t.comparator, env) for t in node.comparisons]
        operator = type(node.comparisons[0].operator)
        if operator in (cst.Is, cst.IsNot) and len(rights) == 1 and is_none(rights[0]):
            if is_none(left):
                return literal(operator is cst.Is)
            known = left.kind in (Kind.TENSOR, Kind.LAYER, Kind.MODEL, Kind.FUNCTION) and not may_be_none(left)
            return literal(operator is cst.IsNot) if known else PLAIN
        if any(f.kind is Kind.TENSOR for f in (left, *rights)) and operator not in (cst.Is, cst.IsNot, cst.In,
                                                                                    cst.NotIn):
            return shapes.compare(self, node, left, rights[0])
        there = probes.answer(self, node)
        return PLAIN if there is None else literal(there)

    def _boolean(self, node: cst.BooleanOperation, env: Env) -> Fact:
        left, right = self.ev(node.left, env), self.ev(node.right, env)
        if isinstance(node.operator, cst.And) and right.kind is Kind.TENSOR:
            return right.but(values=None)
        if isinstance(node.operator, cst.And) and right.kind in (Kind.LAYER, Kind.MODEL):  # or something false
            return join(NONE, right)
        if isinstance(node.operator, cst.Or) and right.kind is not Kind.PLAIN:
            return join(left.but(values=None) if left.kind is right.kind else right, right)
        return PLAIN

    def _ifexp(self, node: cst.IfExp, env: Env) -> Fact:
        test = self.ev(node.test, env).literal(...)
        a, b = self.ev(node.body, env), self.ev(node.orelse, env)
        if test is not ... and isinstance(test, bool):
            return a if test else b
        return self.joined(a, b)

    def _items(self, node: cst.List | cst.Tuple, env: Env) -> Fact:
        listed = isinstance(node, cst.List)
        items = Items(kind="list" if listed else "tuple", depth=self.depth)
        for element in node.elements:
            fact = self.ev(element.value, env)
            if type(element) is not cst.StarredElement:
                items.elements.append(fact)
            elif isinstance(fact.payload, Items):
                items.elements += fact.payload.elements
                items.open |= fact.payload.open
            else:
                items.open = True
                inner = members.element_of(self, fact)
                items.elements.append(inner)
        items.settle()
        values = [e.literal(...) for e in items.elements]
        exact = not items.open and all(v is not ... for v in values)
        if listed:
            items = self.renewed(node, items)
            exact = exact and not items.open and len(items.elements) == len(values)
        return Fact(Kind.PLAIN, values=frozenset([tuple(values)]) if exact else None, payload=items)

    def renewed(self, node: cst.CSTNode, items: Items) -> Items:
        """The list that this place made before: what was appended to it since is not lost."""
        known = self.objects.get(node)
        items.plain = node in self.plain
        items.elements = [*map(items.put, items.elements)]
        if not isinstance(known, Items) or known.kind != items.kind:
            self.objects[node] = items
            return items
        change = known.open is not (known.open or items.open)
        known.open |= items.open
        for i, element in enumerate(items.elements):
            if i < len(known.elements):
                old = known.elements[i]
                known.elements[i] = join(old, element) if known.written else element
                change = change or not same(old, known.elements[i])
            else:
                known.elements.append(element)
                change = True
        if change:
            self.touched(known, self.current[-1] if self.current else None)
        return known

    def _dict(self, node: cst.Dict, env: Env) -> Fact:
        found = Dict()
        for element in node.elements:
            value = self.ev(element.value, env)
            if isinstance(element, cst.DictElement):
                key = self.ev(element.key, env).literal(...)
                if key is ...:
                    found.any = join(found.any, value)
                else:
                    found.values[key] = value
            elif isinstance(value.payload, Dict):
                found.values.update(value.payload.values)
                found.any = join(found.any, value.payload.any) if value.payload.any is not None else found.any
        return Fact(Kind.PLAIN, payload=self.renewed_dict(node, found))

    def renewed_dict(self, node: cst.CSTNode, found: Dict) -> Dict:
        """The dict that this place made before, with what was put into it since."""
        known = self.objects.get(node)
        if not isinstance(known, Dict) or known.kind != found.kind:
            self.objects[node] = found
            return found
        change = False
        for key, value in found.values.items():
            old, known.values[key] = known.values.get(key), join(known.values.get(key), value)
            change = change or not same(old, known.values[key])
        if found.any is not None:
            old, known.any = known.any, join(known.any, found.any)
            change = change or not same(old, known.any)
        if change:
            self.touched(known)
        return known

    def _attribute(self, node: cst.Attribute, env: Env) -> Fact:
        owner = self.ev(node.value, env)
        owner = either.used(self, node.value, owner, node.attr.value not in either.OF_TUPLES)
        return members.attribute(self, node, owner, env)

    def _subscript(self, node: cst.Subscript, env: Env) -> Fact:
        owner = self.ev(node.value, env)
        owner = either.used(self, node.value, owner, len(node.slice) > 1)
        for element in node.slice:
            self.ev(element.slice, env)
        return members.subscript(self, node, owner)

    def _index(self, node: cst.Index, env: Env) -> Fact:
        return self.ev(node.value, env)

    def _arg(self, node: cst.Arg, env: Env) -> Fact:
        return self.ev(node.value, env)

    def _call(self, node: cst.Call, env: Env) -> Fact:
        return calls.call(self, node, env)

    def _lambda(self, node: cst.Lambda, env: Env) -> Fact:
        function = self.functions.get(node)
        if function is None:
            function = self.functions[node] = Function("<lambda>", node, env, file=self.file)
            definitions.read_parameters(function, node.params)
        function.env = env
        if function.result is None and not function.received:
            inner = Env(env, dict.fromkeys(function.params, UNKNOWN))
            self.ev(node.body, inner)
        else:
            self.enqueue(function)
        return Fact(Kind.FUNCTION, payload=function)

    def _comprehension(self, node: Any, env: Env) -> Fact:
        inner = Env(env)
        self._comp_for(node.for_in, inner)
        self.depth += 1
        element = self.ev(node.elt, inner)
        self.depth -= 1
        return Fact(Kind.PLAIN, payload=self.renewed(node, Items([element], "list", True, depth=self.depth)))

    def _dictcomp(self, node: cst.DictComp, env: Env) -> Fact:
        inner = Env(env)
        self._comp_for(node.for_in, inner)
        self.ev(node.key, inner)
        return Fact(Kind.PLAIN, payload=self.renewed_dict(node, Dict(any=self.ev(node.value, inner))))

    def _comp_for(self, node: cst.CompFor, env: Env) -> None:
        assignments.assign(self, node.target, members.element_of(self, self.ev(node.iter, env)), env)
        for test in node.ifs:
            self.ev(test.test, env)
        if node.inner_for_in is not None:
            self._comp_for(node.inner_for_in, env)

    def _walrus(self, node: cst.NamedExpr, env: Env) -> Fact:
        fact = self.ev(node.value, env)
        assignments.assign(self, node.target, fact, env)
        return fact

    # ------------------------------------------------------------ what a use proves
    def prove_rank(self, fact: Fact, rank: int | None) -> None:
        """A use that only a tensor of this rank has: what the parameter that it comes from must be."""
        for origin in members.origins_of(fact) if rank is not None and not self.ranks_open else ():
            own, known = (rank or 0) - origin.more, origin.function.ranks.get(origin.name)
            new = own if known is None else known if known in (own, SEVERAL) else SEVERAL
            if new != known and own >= 0 and (fact.shape is None or known is not None):
                origin.function.ranks[origin.name] = new
                self.enqueue(origin.function)
                for caller in origin.function.callers:
                    self.enqueue(caller)

    def prove_whole(self, fact: Fact) -> None:
        """A use that takes whole numbers alone: an embedding, an index."""
        for origin in members.origins_of(fact) if fact.dtype is None else ():
            if origin.name not in origin.function.numbers:
                origin.function.numbers.add(origin.name)
                self.enqueue(origin.function)
                for caller in origin.function.callers:
                    self.enqueue(caller)

    def want_flipped(self, fact: Fact) -> None:
        """A spatial op takes this tensor: the parameter that it comes from should arrive channels last."""
        for origin in members.origins_of(fact):
            if origin.more or origin.moved:
                continue
            origin.function.arrived.discard(origin.name)
            known = origin.name in origin.function.flipped or origin.function.fixed
            if fact.layout is not Layout.FLIPPED and not known:
                origin.function.flipped.add(origin.name)
                self._again(origin.function)

    def want_straight(self, fact: Fact) -> None:
        """A layer works along the last axis of this tensor: one caller's channels do not make it flipped."""
        for origin in members.origins_of(fact):
            function, name = origin.function, origin.name
            if origin.more or origin.moved or function.fixed or name in function.straight:
                continue
            function.straight.add(name)
            if name in function.arrived:
                function.arrived.discard(name)
                function.flipped.discard(name)
                self._again(function)

    def _again(self, function: Function) -> None:
        self.enqueue(function)
        for caller in function.callers:
            self.enqueue(caller)


@cache
def _builtin(name: str) -> Fact:
    return Fact(Kind.FUNCTION, symbol=f"builtins.{name}") if hasattr(builtins, name) else UNKNOWN


@cache
def _literal_of(text: str) -> Fact:
    try:
        return literal(literal_text(text))
    except LookupError:
        return PLAIN


_MUTABLE = {Items, Dict, Chain}
_CONSTANTS = {"True": literal(True), "False": literal(False), "None": literal(None)}


def infer(files: Sequence[File], rows: Mapping[str, tuple[Row, ...]],
          params: dict[str, Fact] | None = None, helpers: dict[cst.CSTNode, str] | None = None,
          native: bool = False, left: Collection[cst.CSTNode] = ()) -> Interp:
    """Facts of the files of a project, each behind those that it imports.

    They are read again if modules that meet at one place, or tensors in one list, disagree on the order of axes.
    """
    it = Interp(files, rows, params, helpers, native)
    it.left = left
    it.run()
    while meetings.to_enclose(it) - it.enclosed or meetings.mixed_lists(it) - it.plain or it.unsettled - it.settled:
        again = Interp(files, rows, params, helpers, native)
        again.left = left
        again.enclosed, again.plain = it.enclosed | meetings.to_enclose(it), it.plain | meetings.mixed_lists(it)
        again.settled = it.settled | it.unsettled
        again.objects = {k: v for k, v in it.objects.items() if isinstance(k, tuple) and k[0] in ("partial", "spread")}
        it.let_go()
        it = again.run()
    return it


_METHODS: dict[type, Any] = {
    cst.Name: Interp._name, cst.Integer: Interp._literal, cst.Float: Interp._literal,
    cst.SimpleString: Interp._literal, cst.ConcatenatedString: Interp._literal, cst.UnaryOperation: Interp._unary,
    cst.BinaryOperation: Interp._binary, cst.Comparison: Interp._compare, cst.BooleanOperation: Interp._boolean,
    cst.IfExp: Interp._ifexp, cst.List: Interp._items, cst.Tuple: Interp._items, cst.Dict: Interp._dict,
    cst.Attribute: Interp._attribute, cst.Subscript: Interp._subscript, cst.Index: Interp._index, cst.Arg: Interp._arg,
    cst.Call: Interp._call, cst.Lambda: Interp._lambda, cst.ListComp: Interp._comprehension,
    cst.GeneratorExp: Interp._comprehension, cst.SetComp: Interp._comprehension, cst.DictComp: Interp._dictcomp,
    cst.NamedExpr: Interp._walrus, cst.Yield: Interp._yield,
}
__all__ = ["Interp", "infer", "tensors_in"]
