"""Facts of expressions: the half of the interpreter that evaluates; `flow.py` walks the statements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache, lru_cache
from typing import Any

import libcst as cst

from port.binding import literal_text
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, arithmetic, tensor
from port.names import Names, canonical, dotted_name
from port.table import Row
from port.tf2torch.infer import calls, links, masks, shapes
from port.tf2torch.infer.attributes import inherited, object_attribute, tensor_attribute, variable_of
from port.tf2torch.infer.conditions import is_exact_number, is_number
from port.tf2torch.infer.given import Given, simplify_sym
from port.tf2torch.infer.origins import Origin, SelfValue, join_origin
from port.tf2torch.infer.subscripts import subscript
from port.tf2torch.infer.values import (
    Choice,
    Class,
    Env,
    File,
    Function,
    Grown,
    Items,
    LayerCall,
    ShapeOf,
    Size,
    has_tensor,
    tensors_in,
)
from port.tree import NODES, children, code


def infer(files: Sequence[File], rows: Mapping[str, tuple[Row, ...]], params: dict[str, Fact] | None = None) -> Interp:
    """Facts of the files of a project; a file stands behind those that it imports."""
    from port.tf2torch.infer import flow, users

    it = Interp(files, rows)
    it.known_params = dict(params or {})
    for _ in range(users.LIMIT):
        before = (len(it.flips), len(it.ranks))
        for file in files:
            file.env.names.clear()
        it.before.clear()
        it.after.clear()
        it.outs.clear()
        it.conflicts.clear()
        it.relayout.clear()
        for function in it.functions.values():
            function.result = None
        for cls in it.classes.values():
            cls.done = False
        for file in files:
            it.file = file
            links.bind(it, file)
            flow.run(it, file.module.body, file.env)
        users.analyze_rest(it)
        if before == (len(it.flips), len(it.ranks)):
            break
    return it


_EVALUATED = frozenset(kind for kind in NODES if issubclass(kind, (
    cst.BaseExpression, cst.Arg, cst.BaseElement, cst.BaseDictElement, cst.FormattedStringExpression, cst.Index,
    cst.Slice, cst.SubscriptElement)))
_TEXT = Fact(Kind.PLAIN, symbol="=")  # a setting that is known by its text only
NONE = Fact(Kind.PLAIN, values=frozenset([None]))
_COMPARE = {cst.Equal: lambda a, b: a == b, cst.NotEqual: lambda a, b: a != b, cst.Is: lambda a, b: a is b,
            cst.IsNot: lambda a, b: a is not b, cst.In: lambda a, b: a in b, cst.NotIn: lambda a, b: a not in b,
            cst.LessThan: lambda a, b: a < b, cst.GreaterThan: lambda a, b: a > b,
            cst.LessThanEqual: lambda a, b: a <= b, cst.GreaterThanEqual: lambda a, b: a >= b}
_ARITHMETIC = {cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.FloorDivide: "//"}


@lru_cache(1 << 14)
def _literal_fact(text: str) -> Fact:
    try:
        return Fact(Kind.PLAIN, values=frozenset([literal_text(text)]))
    except LookupError:
        return _TEXT


@cache
def _method(kind: type[cst.CSTNode]) -> Callable[[Interp, Any, Env], Fact]:
    """How the interpreter evaluates this type of node."""
    return getattr(Interp, "_" + kind.__name__, Interp._children)


class Places(dict):  # type: ignore[type-arg]
    """Mirrors by the place where they are assigned; knows in whose body each place is."""

    def __init__(self, it: Interp):
        super().__init__()
        self.it = it
        self.owners: dict[Any, Any] = {}

    def setdefault(self, key: Any, default: Any = None) -> Any:
        self.owners[key] = self.it.current[-1] if self.it.current else None
        return super().setdefault(key, default)

    def saved(self) -> dict[Any, dict[str, Dim]]:
        return {key: dict(value) for key, value in self.items()}

    def restore(self, saved: dict[Any, dict[str, Dim]]) -> None:
        """Forget what the body under way has noted since; what was learnt of functions it calls stays."""
        owner = self.it.current[-1] if self.it.current else None
        for key in [k for k in self if self.owners.get(k) is owner]:
            if key in saved:
                self[key] = saved[key]
            else:
                del self[key]


class Interp:
    """State of a project's interpretation, seen from one of its files. Facts are keyed by original node."""

    def __init__(self, files: Sequence[File], rows: Mapping[str, tuple[Row, ...]]):
        self.files, self.rows = files, rows
        self.file = files[0]
        self.facts: dict[cst.CSTNode, Fact] = {}
        self.before: Places = Places(self)  # mirrors to assign before a statement, in __init__
        self.after: Places = Places(self)  # ... at the end of a branch or loop body
        self.layers: dict[cst.Call, LayerCall] = {}
        self.applications: dict[cst.Call, tuple[Fact, list[Fact]]] = {}  # call -> (callee, facts of its inputs)
        self.functions: dict[cst.CSTNode, Function] = {}
        self.classes: dict[cst.CSTNode, Class] = {}
        self.outs: dict[cst.Call, int] = {}  # calls whose output size is only known as an attribute of the module
        self.current: list[Function] = []
        self.flips: set[tuple[Function | None, str]] = set()
        self.counter = itertools.count()
        self.ranks: dict[tuple[Any, str], int] = {}
        self.wants_out: set[Function] = set()
        self.masks: dict[cst.Call, Any] = {}  # application of Embedding or Masking -> its Mask
        self.conflicts: dict[Any, set[str]] = {}  # branch or loop -> variables that leave it in either layout
        self.merging: Any = None
        self.hidden: set[str] = set()  # variables of the comprehension around the current expression
        self.entered: dict[Any, Layout] = {}  # (loop, tensor) -> layout at the start of every turn
        self.depth = 0  # loops around the current statement
        self.relayout: dict[Any, dict[str, int]] = {}  # place -> tensors to bring channels first there, with rank
        self.known_params: dict[str, Fact] = {}  # facts given from outside, by parameter name
        self.added: dict[cst.Call, bool] = {}  # Sequentials that get layers by .add
        self.appended: set[str] = set()  # lists that get tensors

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
    def within(self, env: Env) -> Iterator[None]:
        """Code of the file that `env` belongs to is read meanwhile."""
        saved, self.file = self.file, env.top().file or self.file
        try:
            yield
        finally:
            self.file = saved

    def seen_from(self, file: File) -> Interp:
        """The same facts, for the code of another file."""
        view = copy(self)
        view.file = file
        return view

    # ------------------------------------------------------------ expressions
    def ev(self, node: cst.CSTNode, env: Env) -> Fact:
        fact = _method(type(node))(self, node, env)
        if fact is not UNKNOWN:
            self.facts[node] = fact
        else:
            self.facts.pop(node, None)
        return fact

    def _children(self, node: cst.CSTNode, env: Env) -> Fact:
        for child in children(node):
            if type(child) in _EVALUATED:
                self.ev(child, env)
        return self.plain(node)

    def plain(self, node: cst.CSTNode) -> Fact:
        """A setting that is not a literal: known by its text only."""
        return _TEXT if isinstance(node, cst.BaseExpression) else UNKNOWN

    def _Name(self, node: cst.Name, env: Env) -> Fact:
        found = env.get(node.value)
        if found is not None:
            return found
        if node.value in ("True", "False", "None"):
            return Fact(Kind.PLAIN, values=frozenset([{"True": True, "False": False, "None": None}[node.value]]))
        bound = env.top().file.names.bound
        if node.value in bound:
            return Fact(Kind.FUNCTION, symbol=canonical(bound[node.value]))
        return Fact(Kind.FUNCTION, symbol=f"builtins.{node.value}")

    def _literal(self, node: cst.BaseExpression, env: Env) -> Fact:
        return _literal_fact(code(node))

    _Integer = _Float = _SimpleString = _ConcatenatedString = _literal

    def _UnaryOperation(self, node: cst.UnaryOperation, env: Env) -> Fact:
        inner = self.ev(node.expression, env)
        if inner.kind is Kind.TENSOR:
            return inner.but(mask=None)
        value = inner.literal(...)
        if value is ...:
            if isinstance(node.operator, cst.Minus) and isinstance(inner.payload, Size):
                return Fact(Kind.PLAIN, payload=Size(arithmetic("-", 0, inner.payload.dim)))
            return self.plain(node)
        if isinstance(node.operator, cst.Not):
            return self.value(not value)
        if isinstance(node.operator, cst.Minus) and isinstance(value, int | float):
            return self.value(-value)
        return self.plain(node)

    @staticmethod
    def value(value: Any) -> Fact:
        return Fact(Kind.PLAIN, values=frozenset([value]))

    def _BinaryOperation(self, node: cst.BinaryOperation, env: Env) -> Fact:
        a, b = self.ev(node.left, env), self.ev(node.right, env)
        if Kind.TENSOR in (a.kind, b.kind):
            if isinstance(node.operator, cst.MatrixMultiply):
                return shapes.matmul(Given((a, b), _none, _none, _none, ()))
            both = tuple(f for f in (a, b) if f.kind is Kind.TENSOR)
            result = shapes.broadcast(Given(both, _none, _none, _none, ()))
            return result.but(payload=join_origin(both), mask=None)
        if isinstance(node.operator, cst.Add) and (isinstance(a.payload, Items) and isinstance(b.payload, Items)):
            return Fact(Kind.PLAIN, payload=Items(a.payload.elements + b.payload.elements, a.payload.kind))
        x, y = a.literal(...), b.literal(...)
        op = _ARITHMETIC.get(type(node.operator))
        if isinstance(x, int) and isinstance(y, int) and op and not (op == "//" and y == 0):
            return self.value(arithmetic(op, x, y))
        if op and (isinstance(a.payload, Size) or isinstance(b.payload, Size)):
            return Fact(Kind.PLAIN, payload=Size(arithmetic(op, self.dim(node.left, a), self.dim(node.right, b))))
        if is_number(a) and is_number(b):
            exact = is_exact_number(a) and is_exact_number(b)
            return self.plain(node).but(dtype="float" if exact else "float?")
        return self.plain(node)

    def _Comparison(self, node: cst.Comparison, env: Env) -> Fact:
        left = self.ev(node.left, env)
        rights = [self.ev(t.comparator, env) for t in node.comparisons]
        operator = node.comparisons[0].operator
        if (len(rights) == 1 and isinstance(operator, cst.Is | cst.IsNot) and rights[0].literal(...) is None
                and (has_tensor(left) or left.kind in (Kind.LAYER, Kind.MODEL))):
            return Fact(Kind.PLAIN, symbol="=") if left.symbol == "?" else self.value(isinstance(operator, cst.IsNot))
        if len(rights) == 1 and rights[0].literal(...) is None and self.current and isinstance(
                node.left, cst.Name) and node.left.value in self.current[-1].absent and isinstance(
                operator, cst.Is | cst.IsNot):
            return self.value(isinstance(operator, cst.Is))  # a Keras tensor cannot be passed in
        if any(f.kind is Kind.TENSOR for f in (left, *rights)):
            facts = tuple(f for f in (left, *rights) if f.kind is Kind.TENSOR)
            return shapes.compare(Given(facts, _none, _none, _none, ()))
        a = left.literal(...)
        b = rights[0].literal(...) if len(rights) == 1 else ...
        if a is ... or b is ... or type(operator) not in _COMPARE:
            return self.plain(node)
        try:
            return self.value(_COMPARE[type(operator)](a, b))
        except TypeError:
            return self.plain(node)

    def _BooleanOperation(self, node: cst.BooleanOperation, env: Env) -> Fact:
        a, b = self.ev(node.left, env).literal(...), self.ev(node.right, env).literal(...)
        decisive = isinstance(node.operator, cst.Or)
        for known in (a, b):
            if known is not ... and bool(known) is decisive:
                return self.value(decisive)
        if a is not ... and b is not ...:
            return self.value(bool(b))
        return self.plain(node)

    def _IfExp(self, node: cst.IfExp, env: Env) -> Fact:
        test = self.ev(node.test, env).literal(...)
        a, b = self.ev(node.body, env), self.ev(node.orelse, env)
        if test is not ...:
            return a if test else b
        if Kind.TENSOR in (a.kind, b.kind):
            return (a if a.kind is Kind.TENSOR else b).but(mask=masks.joined(a, b))
        if a.values is not None and b.values is not None:
            return Fact(Kind.PLAIN, values=a.values | b.values, symbol="=")
        return self.plain(node)

    def _items(self, node: cst.List | cst.Tuple, env: Env) -> Fact:
        kind = "list" if isinstance(node, cst.List) else "tuple"
        elements: list[Fact] = []
        for element in node.elements:
            fact = self.ev(element.value, env)
            if isinstance(element, cst.StarredElement):
                inner = self.unpack(fact, element.value)
                if inner is None:
                    return self.plain(node)
                elements += inner
            else:
                elements.append(self.named(fact, element.value))
        values = [e.literal(...) for e in elements]
        literal = frozenset([tuple(values)]) if all(v is not ... for v in values) else None
        return Fact(Kind.PLAIN, values=literal, payload=Items(elements, kind))

    _List = _Tuple = _items

    def named(self, fact: Fact, node: cst.BaseExpression) -> Fact:
        """A setting without a literal value keeps its text, so that sizes can be written."""
        if fact.kind is Kind.PLAIN and fact.literal(...) is ... and fact.payload is None:
            return fact.but(symbol="=" + self.text(node))
        return fact

    def unpack(self, fact: Fact, node: cst.BaseExpression) -> list[Fact] | None:
        """Elements of a sequence, if their number is known."""
        if isinstance(fact.payload, Items):
            return list(fact.payload.elements)
        value = fact.literal(...)
        if isinstance(value, tuple):
            return [self.value(v) for v in value]
        if isinstance(fact.payload, ShapeOf) and fact.payload.of.shape is not None:
            return [Fact(Kind.PLAIN, payload=Size(d, fact.payload.name)) for d in fact.payload.of.shape]
        return None

    def _Attribute(self, node: cst.Attribute, env: Env) -> Fact:
        owner = self.ev(node.value, env)
        name = node.attr.value
        if owner.kind is Kind.TENSOR:
            return tensor_attribute(owner, name, variable_of(node.value))
        if isinstance(owner.payload, SelfValue):
            found = owner.payload.cls.attrs.get(name)
            if found is None:
                found = inherited(owner.payload.cls, name)
            return found if found is not None else Fact(Kind.UNKNOWN, symbol=f"self.{name}")
        if isinstance(owner.payload, File):
            return links.member(self, owner.payload, name)
        if isinstance(owner.payload, ShapeOf) and name == "as_list":
            return Fact(Kind.UNKNOWN, symbol="shape.as_list", payload=owner)
        if isinstance(owner.payload, ShapeOf) and name in ("rank", "ndims"):
            rank = owner.payload.of.rank
            return self.value(rank) if rank is not None else self.plain(node)
        if owner.symbol and owner.kind is Kind.FUNCTION:
            return Fact(Kind.FUNCTION, symbol=canonical(f"{owner.symbol}.{name}"))
        return object_attribute(owner, name) or self.plain(node)

    def _Subscript(self, node: cst.Subscript, env: Env) -> Fact:
        owner = self.ev(node.value, env)
        for element in node.slice:
            self.ev(element.slice, env)
        return subscript(self, node, owner)

    def _Index(self, node: cst.Index, env: Env) -> Fact:
        return self.ev(node.value, env)

    def _Call(self, node: cst.Call, env: Env) -> Fact:
        return calls.call(self, node, env)

    def _Lambda(self, node: cst.Lambda, env: Env) -> Fact:
        function = self.functions.get(node)
        if function is None:
            params = [p.name.value for p in node.params.params]
            function = self.functions[node] = Function("<lambda>", node, env, params=params)
        function.env = env
        if not function.called:
            self.ev(node.body, Env(env, dict.fromkeys(function.params, UNKNOWN)))
        return Fact(Kind.FUNCTION, payload=function)

    def _comprehension(self, node: Any, env: Env) -> Fact:
        inner = Env(env)
        self._comp_for(node.for_in, inner)
        outer, self.hidden = self.hidden, self.hidden | set(inner.names)
        element = self.ev(node.elt, inner)
        self.hidden = outer
        if has_tensor(element):
            return Fact(Kind.PLAIN, payload=Grown(tensors_in(element)[0].but(shape=None), "?"))
        if element.kind in (Kind.LAYER, Kind.MODEL):
            return Fact(Kind.PLAIN, payload=Items([element], "layers"))
        return self.plain(node)

    _ListComp = _GeneratorExp = _SetComp = _comprehension

    def _Dict(self, node: cst.Dict, env: Env) -> Fact:
        values = []
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                self.ev(element.key, env)
            values.append(self.ev(element.value, env))
        if values and all(v.kind is Kind.FUNCTION and v.payload is not None for v in values):
            return Fact(Kind.PLAIN, payload=Choice(values))
        return self.plain(node)

    def _DictComp(self, node: cst.DictComp, env: Env) -> Fact:
        inner = Env(env)
        self._comp_for(node.for_in, inner)
        self.ev(node.key, inner)
        self.ev(node.value, inner)
        return self.plain(node)

    def _comp_for(self, node: cst.CompFor, env: Env) -> None:
        from port.tf2torch.infer import flow

        flow.assign(self, node.target, flow.element_of(self, node.iter, env), env)
        for test in node.ifs:
            self.ev(test.test, env)
        if node.inner_for_in is not None:
            self._comp_for(node.inner_for_in, env)

    # ------------------------------------------------------------ settings as text
    def text(self, node: cst.CSTNode) -> str:
        """Source text of a setting as `__init__` will write it: sizes of tensors are replaced by their mirrors."""
        fact = self.facts.get(node, UNKNOWN)
        if isinstance(node, cst.Name | cst.Integer):
            return node.value
        if isinstance(fact.payload, Size) and fact.payload.dim is not None:
            return str(fact.payload.dim)
        if isinstance(node, cst.Attribute) and fact.kind is Kind.PLAIN and len(fact.symbol) > 1 and (
                fact.symbol.startswith("=") and dotted_name(node).startswith("self.")):
            return fact.symbol[1:]  # self.units, set from the parameter `units`
        if isinstance(node, cst.BinaryOperation):
            return f"{self._operand(node.left)} {code(node.operator).strip()} {self._operand(node.right)}"
        if isinstance(node, cst.Call):
            return f"{code(node.func)}({', '.join(self._arg(a) for a in node.args)})"
        return " ".join(code(node).split())

    def _operand(self, node: cst.BaseExpression) -> str:
        text = self.text(node)
        simple = isinstance(node, cst.Name | cst.Integer | cst.Call | cst.Attribute | cst.Subscript)
        return text if (simple and text.replace("_", "").isalnum()) or text.startswith("(") else f"({text})"

    def _arg(self, arg: cst.Arg) -> str:
        head = f"{arg.keyword.value}=" if arg.keyword is not None else arg.star
        return head + self.text(arg.value)

    def dim(self, node: cst.BaseExpression, fact: Fact | None = None) -> Dim:
        """A setting as a size: a number where it is written as one, else its text."""
        fact = self.facts.get(node, UNKNOWN) if fact is None else fact
        value = fact.literal(...)
        if isinstance(fact.payload, Size):
            if isinstance(node, cst.Name) and not isinstance(fact.payload.dim, int):
                return Sym(node.value)
            return fact.payload.dim
        if isinstance(value, int) and not isinstance(node, cst.Name | cst.Attribute | cst.Subscript):
            return value
        if fact.kind is Kind.TENSOR:
            return None
        try:
            known = value if isinstance(value, int) else None
            result = Sym(self.text(node))
            _ = result.names
            return simplify_sym(result, known)
        except (SyntaxError, ValueError):
            return None

    def fresh_tensor(self, name: str, rank: int | None, channels: str, owner: Any, layout: Layout) -> Fact:
        """A parameter of rank `rank`, its sizes named after it."""
        if rank is None:
            return tensor().but(payload=Origin(owner, name))
        named = {3: ["length"], 4: ["height", "width"], 5: ["depth", "height", "width"]}
        spatial = named.get(rank, [None] * (rank - 2))
        dims: list[Dim] = [Sym(f"{name}_{s}") if s else None for s in spatial]
        shape = (None, *dims, Sym(channels)) if rank >= 2 else (None,)
        return tensor(shape, None, layout).but(payload=Origin(owner, name))


def _none(name: str) -> Any:
    raise LookupError
