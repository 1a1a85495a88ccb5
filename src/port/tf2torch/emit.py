"""Translated expressions from original nodes and their facts: what every rule writes with.

An `Emitter` holds what one output file needs (imports, helpers, findings); a `Scope` says where the code will
stand: in a plain function, in `__init__` (binding time of the model) or in `forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import libcst as cst

from port.build import build, expression, fitted, paren
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym
from port.tf2torch.infer.conditions import is_number
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layers import images_rank
from port.tf2torch.infer.values import (
    Class,
    Function,
    Grown,
    Items,
    MixedRank,
    SelfValue,
    Size,
    has_tensor,
    is_placeholder,
    may_flip,
    tensors_in,
)
from port.tree import changed, code, find, rebuild, walk

TO_FIRST = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}  # channels last to channels first
TO_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
LOOSE = (cst.BinaryOperation, cst.IfExp, cst.Comparison, cst.BooleanOperation, cst.UnaryOperation, cst.Lambda)


class Refused(Exception):
    """A construct that is left as it was; caught where a whole statement can be left."""

    def __init__(self, code_: str, message: str, node: cst.CSTNode | None = None):
        super().__init__(message)
        self.code, self.message, self.node = code_, message, node


@dataclass
class Scope:
    """Where an expression will stand."""

    stage: str = "plain"  # plain | init | late | forward
    function: Function | None = None
    cls: Class | None = None
    names: dict[str, str] = field(default_factory=dict)  # local settings that `forward` reads: name -> text
    on_module: Callable[[cst.Call, Any], cst.BaseExpression] | None = None  # where a new module is kept
    parts: dict[str, str] = field(default_factory=dict)
    training: bool = False  # the body may say self.training
    sizes: Callable[[Dim], str] | None = None
    measured: dict[str, str] = field(default_factory=dict)  # sizes that a traced function takes from what it is given
    build: Callable[[], Scope] | None = None  # the scope of `__init__`, where layers are made


@dataclass(frozen=True)
class Handlers:
    """What an emitter hands expressions to. Given to it, since what is called here writes with an emitter itself."""

    call: Callable[[Emitter, cst.Call], cst.BaseExpression]
    constant: Callable[[Emitter, cst.BaseExpression, str], cst.BaseExpression]
    subscript: Callable[[Emitter, cst.Subscript], cst.BaseExpression]
    attribute: Callable[[Emitter, cst.Attribute], cst.BaseExpression | None]
    binary: Callable[[Emitter, cst.BinaryOperation], cst.BaseExpression]
    comparison: Callable[[Emitter, cst.Comparison], cst.BaseExpression]
    augmented: Callable[[Emitter, cst.AugAssign], cst.BaseSmallStatement]
    definition: Callable[[Emitter, cst.ClassDef], list[Any]]  # of a class
    args: Mapping[str, Callable[..., Any]]  # the adapters that rows name in `via`: of arguments,
    rows: Mapping[str, Callable[..., Any]]  # of whole calls,
    layers: Mapping[str, Callable[..., Any]]  # and of layers


@dataclass
class Emitter:
    it: Interp
    handlers: Handlers
    scope: Scope = field(default_factory=Scope)
    needs: set[str] = field(default_factory=set)  # 'torch', 'F', 'nn', 'math', ...
    helpers: dict[str, None] = field(default_factory=dict)
    reports: list[tuple[Any, str, str, str]] = field(default_factory=list)  # (node, code, message, symbol)
    applied: dict[tuple[cst.CSTNode, str], None] = field(default_factory=dict)  # original node, 'row x' or 'rule x'
    top_level: set[str] = field(default_factory=set)  # framework names that stay in use at module level
    dropped: dict[Any, set[str]] = field(default_factory=dict)  # Function -> parameters that vanish
    activations: dict[str, str] = field(default_factory=dict)  # names of settings strings -> torch function
    classes: dict[Any, Any] = field(default_factory=dict)  # Function -> how it is called now (rules fill it)
    plans: dict[tuple[cst.Call, bool], Any] = field(default_factory=dict)  # of a layer, inside a Sequential or not
    kept: list[cst.CSTNode] = field(default_factory=list)  # originals that stay in the source's framework
    original_imports: Mapping[str, str] = field(default_factory=dict)
    module_classes: set[Any] = field(default_factory=set)
    class_sizes: dict[Any, dict[str, Dim]] = field(default_factory=dict)  # Class -> how its input sizes are written
    open_sizes: set[str] = field(default_factory=set)  # sizes of inputs that root classes take as parameters
    class_params: dict[Any, list[str]] = field(default_factory=dict)  # Class -> sizes that became parameters
    late: dict[Any, bool] | None = None  # Class -> are its weights made at the first call? None: that is not tried
    dropped_init: dict[Any, set[str]] = field(default_factory=dict)
    refused: set[Any] = field(default_factory=set)
    standing: set[Any] = field(default_factory=set)  # layers whose modules do all that they do: see calls/mates.py
    it_classes: dict[str, Any] = field(default_factory=dict)  # class name -> its split, for initial values
    afterwards: dict[Any, Any] = field(default_factory=dict)  # Class -> initialisers that loops over its layers set
    sites: dict[Any, Any] = field(default_factory=dict)  # callee of a call that makes a module -> its layer's Site
    line: Any = None  # rules/lines.py: what the current simple statement will be given besides its own text
    masks: dict[Any, str] = field(default_factory=dict)  # rules/masking.py: Mask -> the variable that holds it
    unpacked: dict[cst.CSTNode, cst.Tuple] | None = None  # value -> the targets that take it apart, once asked for
    asks_layers: bool | None = None  # are layers asked for by name that this file may make? None: not yet known
    carries_masks: bool | None = None  # do traced models hand masks from layer to layer? None: not yet looked for
    layer_names: dict[cst.CSTNode, cst.BaseExpression] = field(default_factory=dict)  # applied layer -> its name
    separate_projections: bool = False  # attention with `kdim` or `vdim` is made somewhere
    inner_sequentials: set[Any] = field(default_factory=set)  # Sequentials whose input arrives channels first
    elsewhere: set[str] = field(default_factory=set)  # names here of what other files define, and of these files
    traced: frozenset[Any] = frozenset()  # functions that stay functions though they make layers: rules/traced.py
    exported: set[str] = field(default_factory=set)  # classes of this file that other files make objects of

    # ------------------------------------------------------------ bookkeeping
    def fact(self, node: cst.CSTNode) -> Fact:
        return self.it.facts.get(node, UNKNOWN)

    def report(self, code_: str, message: str, node: cst.CSTNode | None, symbol: str = "") -> None:
        entry = (node, code_, " ".join(message.split()), symbol)
        if not any(entry[1:] == known[1:] and entry[0] is known[0] for known in self.reports):
            self.reports.append(entry)

    def by(self, node: cst.CSTNode, what: str) -> None:
        """A row or a rule writes this original node."""
        self.applied.setdefault((node, what))

    def need(self, *names: str) -> None:
        self.needs.update(names)

    def helper(self, name: str) -> None:
        if name in self.it.globals.names:
            raise Refused("P206", f"the helper `{name}` is needed, but the file has a `{name}` of its own; rename that")
        self.helpers.setdefault(name)

    def needs_of(self, tree: cst.CSTNode) -> None:
        """Imports that a template's code asks for."""
        for node in walk(tree):
            if type(node) is cst.Attribute and type(node.value) is cst.Name:
                name = node.value.value
                if name in ("torch", "F", "nn", "math", "os"):
                    self.need(name)

    @contextmanager
    def at_build(self) -> Iterator[None]:
        """Code of `__init__` is written meanwhile."""
        old = self.scope
        if old.build is not None:
            self.scope = old.build()
        try:
            yield
        finally:
            self.scope = old

    # ------------------------------------------------------------ expressions
    def expr(self, node: cst.BaseExpression, want: Layout | None = None) -> cst.BaseExpression:
        """The translated expression; tensors in the layout that is wanted, if one is."""
        new = self._expr(node)
        if want is not None:
            new = self.in_layout(node, new, want)
        return new

    def in_layout(self, node: cst.BaseExpression | Fact, new: cst.BaseExpression, want: Layout,
                  hint: int | None = None) -> cst.BaseExpression:
        """`hint`: the rank that the consumer asks for, where facts do not know it."""
        fact = node if isinstance(node, Fact) else self.fact(node)
        if fact.kind is not Kind.TENSOR or fact.layout is want:
            return new
        place = None if isinstance(node, Fact) else node
        rank = fact.rank
        if rank is not None and rank < 3:
            return new
        if isinstance(fact.payload, MixedRank) and fact.payload.rank is not None and want is Layout.PLAIN:
            rank = fact.payload.rank
            return build(f"{{x}}.permute{TO_LAST[rank]} if {{x}}.ndim == {rank} else {{x}}", x=new)
        rank = rank if rank is not None else hint
        if rank is None:
            raise Refused("P208", "the rank of this tensor is not known, so its axes cannot be reordered", place)
        dims = (TO_FIRST if want is Layout.FLIPPED else TO_LAST).get(rank)
        if dims is None:
            raise Refused("P208", f"axes of a tensor of rank {rank} cannot be reordered", place)
        if rank == 3:
            return build("{x}.transpose(1, 2)", x=new)
        return build(f"{{x}}.permute{dims}", x=new)

    def plain(self, node: cst.BaseExpression) -> Any:
        """The expression for what knows nothing of layouts: tensors in it have their axes as in the source."""
        fact = self.fact(node)
        if fact.kind is Kind.TENSOR:
            return self.expr(node, Layout.PLAIN)
        if type(node) is cst.StarredElement:
            return changed(node, value=self.plain(node.value))
        if not any(map(may_flip, tensors_in(fact))):
            return self._expr(node)
        if isinstance(node, cst.List | cst.Tuple | cst.Set):
            return self._plain_elements(node)
        if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            return changed(node, elt=self.plain(node.elt), for_in=self._expr(node.for_in))
        return self.reordered(node, self._expr(node))

    def reordered(self, node: cst.BaseExpression, new: Any) -> Any:
        """A container of tensors, from a variable or a call: another one, of the tensors with the source's axes."""
        fact = self.fact(node)
        tensors, nested = tensors_in(fact), isinstance(fact.payload, Grown) and fact.payload.nested
        ranks = {t.rank for t in tensors}
        alike = all(t.layout is Layout.FLIPPED for t in tensors) and len(ranks) == 1 and None not in ranks
        flat = isinstance(fact.payload, Grown) or (isinstance(fact.payload, Items) and all(
            e.kind is Kind.TENSOR for e in fact.payload.elements))
        if alike and flat and not nested:
            moved = self.in_layout(tensors[0], cst.Name("t"), Layout.PLAIN)
            as_tuple = isinstance(fact.payload, Items) and fact.payload.kind == "tuple"
            return build("tuple({m} for t in {x})" if as_tuple else "[{m} for t in {x}]", m=moved, x=new)
        if flat and not nested and isinstance(fact.payload, Items) and isinstance(node, cst.Name):
            parts = [self.in_layout(e, build(f"{{x}}[{i}]", x=new), Layout.PLAIN)
                     for i, e in enumerate(fact.payload.elements)]
            elements = [cst.Element(p) for p in parts]
            return cst.Tuple(elements) if fact.payload.kind == "tuple" else cst.List(elements)
        raise Refused("P209", "some tensors of a container are channels first here: give them names of their own", node)

    def _expr(self, node: Any) -> Any:
        fact = self.fact(node)
        if fact.layout is Layout.MIXED:
            raise Refused("P209", "this tensor is channels first or last, depending on which of several it is", node)
        if self.scope.stage == "init" and isinstance(fact.payload, Size) and not isinstance(node, cst.Name):
            return self.size(fact.payload.dim, node)
        kind: type = type(node)
        new = _method(kind)(self, node)
        if self.it.turned and node in self.it.turned:
            new = self.in_layout(self.it.turned[node], new, Layout.PLAIN, images_rank(self.it, node))
        if self.layer_names and node in self.layer_names:
            new = build("named({x}, {n})", x=new, n=self.layer_names.pop(node))
        return fitted(node, new)

    def generic(self, node: Any) -> Any:
        return rebuild(node, self._child)

    def _child(self, child: cst.CSTNode) -> cst.CSTNode:
        return self._expr(child)

    def size(self, dim: Dim, node: cst.CSTNode | None = None) -> cst.BaseExpression:
        """A size as `__init__` writes it."""
        if dim is None or (self.scope.sizes is None and isinstance(dim, Sym) and any(map(is_placeholder, dim.names))):
            raise Refused("P208", "a size that this depends on is not known when the model is built", node)
        try:
            return expression(self.scope.sizes(dim) if self.scope.sizes else str(dim))
        except Refused as refusal:
            raise Refused(refusal.code, refusal.message, refusal.node or node) from None

    def _AssignTarget(self, node: cst.AssignTarget) -> cst.AssignTarget:
        return changed(node, target=self.bound(node.target))

    def bound(self, node: Any) -> Any:
        """What an assignment binds: never the size, or the None, that is known of it."""
        if type(node) is cst.Name and self.fact(node).values == _NONE:
            return expression(self.scope.names[node.value]) if node.value in self.scope.names else node
        if type(node) in (cst.Tuple, cst.List):
            return changed(node, elements=[changed(e, value=self.bound(e.value)) for e in node.elements])
        if isinstance(node, cst.Name) and node.value not in self.scope.names:
            return node
        kind: type = type(node)
        return _method(kind)(self, node)

    def _Arg(self, node: cst.Arg) -> cst.Arg:
        return changed(node, value=self._expr(node.value))

    def _Name(self, node: cst.Name) -> cst.BaseExpression:
        fact = self.fact(node)
        if self.scope.stage == "forward" and fact.values == _NONE:
            return cst.Name("None")
        if self.scope.stage == "init" and fact.kind is Kind.TENSOR and fact.symbol == "?":
            return self._optional(fact, node)
        if node.value in self.scope.names:
            return expression(self.scope.names[node.value])
        payload = fact.payload
        if isinstance(payload, Function) and payload in self.classes and payload.name == node.value:
            return expression(self.classes[payload](payload).name)  # the builder is a class now
        symbol = self.symbol(node)
        if symbol and symbol.split(".")[0] in ("tf", "keras"):
            return self.handlers.constant(self, node, symbol)
        if self.scope.training and node.value == "training":
            return expression("self.training")
        return node

    def _optional(self, fact: Fact, node: cst.Name) -> cst.BaseExpression:
        """A tensor that may be None, where `__init__` asks that: the variable of its width, which is None then."""
        if not isinstance(fact.width, Sym) or not fact.width.text.isidentifier():
            raise Refused("P206", f"whether `{node.value}` is a tensor or None is not known when layers are made", node)
        return self.size(fact.width, node)

    def symbol(self, node: cst.BaseExpression) -> str:
        """Canonical name if this is a symbol of an imported module, not shadowed by a local."""
        fact = self.it.facts.get(node)
        if fact is not None:
            return fact.symbol if fact.kind is Kind.FUNCTION and fact.payload is None and not fact.symbol.startswith(
                "builtins.") else ""
        return self.it.names.resolve(node)

    def _Annotation(self, node: cst.Annotation) -> cst.Annotation:
        return node  # rules/hints.py, at the end

    def _Attribute(self, node: cst.Attribute) -> cst.BaseExpression:
        special = self.handlers.attribute(self, node)
        if special is not None:
            return special
        value = self._expr(node.value)
        if self.scope.stage == "init" and (self.fact(node.value).kind is Kind.TENSOR or (
                value is not node.value and node.attr.value == "shape")):
            raise Refused("P208", f"`{node.attr.value}` of a tensor is not known when the model is built", node)
        return node if value is node.value else changed(node, value=paren(value))

    def _Subscript(self, node: cst.Subscript) -> cst.BaseExpression:
        return self.handlers.subscript(self, node)

    def _Call(self, node: cst.Call) -> cst.BaseExpression:
        return self.handlers.call(self, node)

    def generic_call(self, node: cst.Call, args: list[cst.Arg]) -> cst.BaseExpression:
        func = self._expr(node.func)
        return changed(node, func=paren(func) if func is not node.func else func, args=args)

    def shape_expr(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """`x.shape`, from whatever spelling of it."""
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "as_list":
            return self.shape_expr(node.func.value)
        if isinstance(node, cst.Attribute):
            return build("{x}.shape", x=self._expr(node.value))
        if isinstance(node, cst.Call) and node.args:
            return build("{x}.shape", x=self._expr(node.args[0].value))
        return self._expr(node)

    def _BinaryOperation(self, node: cst.BinaryOperation) -> cst.BaseExpression:
        return self.handlers.binary(self, node)

    def _Comparison(self, node: cst.Comparison) -> cst.BaseExpression:
        return self.handlers.comparison(self, node)

    def _AugAssign(self, node: cst.AugAssign) -> cst.BaseSmallStatement:
        return self.handlers.augmented(self, node)

    def operand(self, node: cst.BaseExpression, fact: Fact, whole: cst.BaseExpression) -> cst.BaseExpression:
        """One side of an elementwise operation whose result is channels first."""
        open_ = fact.kind is Kind.PLAIN and not is_number(fact) and self.is_foreign(node)
        if fact.kind is Kind.UNKNOWN or open_:
            raise Refused("P208", f"what `{code(node)}` is is not known, the other operand is channels first", node)
        if fact.kind is not Kind.TENSOR:
            return self._expr(node)
        rank, total = fact.rank, self.fact(whole).rank
        if rank is None:
            if fact.layout is Layout.FLIPPED:
                return self._expr(node)
            raise Refused("P208", "the rank of one operand is not known, the other is channels first", node)
        if rank == 0:
            return self._expr(node)
        if rank == 1 and total is not None and total > 2:
            new = self._expr(node)
            return build(f"{{x}}[:{', None' * (total - 2)}]", x=new)
        if total is not None and 1 < rank < total:
            raise Refused("P209", "a tensor of lower rank is broadcast against a channels-first one", node)
        return self.expr(node, Layout.FLIPPED)

    def _IfExp(self, node: cst.IfExp) -> cst.BaseExpression:
        known = self.fact(node.test).literal(...)
        if known is not ... and self.is_foreign(node.test):
            return self._expr(node.body if known else node.orelse)
        fact = self.fact(node)
        if fact.kind is Kind.TENSOR:
            return node.with_changes(test=self._expr(node.test), body=self.expr(node.body, fact.layout),
                                     orelse=self.expr(node.orelse, fact.layout))
        return self.generic(node) if has_tensor(fact) else node.with_changes(
            test=self._expr(node.test), body=self.plain(node.body), orelse=self.plain(node.orelse))

    # ------------------------------------------------------------ what no fact follows gets the source's axes
    def _elements(self, node: Any) -> Any:
        if has_tensor(self.fact(node)) or not node.elements:
            return self.generic(node)
        return self._plain_elements(node)

    def _plain_elements(self, node: Any) -> Any:
        return changed(node, elements=[
            self.plain(e) if type(e) is cst.StarredElement else changed(e, value=self.plain(e.value))
            for e in node.elements])

    _List = _Tuple = _Set = _elements

    def _DictElement(self, node: cst.DictElement) -> cst.DictElement:
        return changed(node, key=self._expr(node.key), value=self.plain(node.value))

    def _DictComp(self, node: cst.DictComp) -> cst.DictComp:
        return node.with_changes(key=self._expr(node.key), value=self.plain(node.value), for_in=self._expr(node.for_in))

    def _SetComp(self, node: cst.SetComp) -> cst.SetComp:
        return node.with_changes(elt=self.plain(node.elt), for_in=self._expr(node.for_in))

    def _Yield(self, node: cst.Yield) -> cst.Yield:
        if node.value is None or isinstance(node.value, cst.From):
            return self.generic(node)
        return node.with_changes(value=self.plain(node.value))

    def _Assign(self, node: cst.Assign) -> cst.Assign:
        if all(self._follows(t.target) for t in node.targets):
            return self.generic(node)
        return node.with_changes(targets=[self._AssignTarget(t) for t in node.targets], value=self.plain(node.value))

    def _follows(self, target: cst.BaseExpression) -> bool:
        """Is what is assigned there known when it is read?"""
        if type(target) is cst.Subscript:
            return has_tensor(self.fact(target.value))
        if type(target) is cst.Attribute:
            return isinstance(self.fact(target.value).payload, SelfValue)
        return True

    def check_layouts(self, node: cst.CSTNode) -> None:
        """Refuse a branch or loop that a tensor leaves channels first on one path and last on another."""
        names = self.it.conflicts.get(node)
        if names:
            raise Refused("P209", f"`{sorted(names)[0]}` is channels first or last, depending on the path", node)

    def is_foreign(self, node: cst.CSTNode) -> bool:
        """Does it mention the source's framework?"""
        return any(isinstance(n, cst.Name | cst.Attribute) and self.symbol(n).split(".")[0] in ("tf", "keras")
                   for n in find(node, cst.Name))

    def is_base(self, cls: Class) -> bool:
        """Does another class of the file derive from it?"""
        return any(b.payload is cls for c in self.it.classes.values() for b in c.bases)

    def has_tensor(self, node: cst.CSTNode) -> bool:
        return has_tensor(self.fact(node))


_NONE = frozenset([None])


@cache
def _method(kind: Any) -> Callable[[Emitter, Any], Any]:
    """How this type of node is translated."""
    return getattr(Emitter, "_" + kind.__name__, Emitter.generic)
