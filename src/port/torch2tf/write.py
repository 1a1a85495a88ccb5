"""The Writer: expressions of the source, with their facts, as expressions of the target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import build, expression, fitted, paren
from port.facts import Fact, Kind, Layout
from port.result import Options
from port.torch2tf import (
    applications,
    constants,
    containers,
    devices,
    einopscalls,
    importing,
    indexing,
    init_calls,
    init_covers,
    layers,
    members,
    namedparts,
    operators,
    ownnames,
    rows,
    tables,
    thinviews,
)
from port.torch2tf.interp import Interp
from port.torch2tf.jobs import bare
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    TO_FIRST,
    TO_LAST,
    Alternatives,
    Class,
    Function,
    Items,
    Mapping,
    SelfOf,
    is_moved,
    options,
    tensors_in,
)
from port.tree import code, named, rebuild

ORDER = {3: ("[0, 2, 1]", "[0, 2, 1]"), 4: ("[0, 2, 3, 1]", "[0, 3, 1, 2]"), 5: ("[0, 2, 3, 4, 1]", "[0, 4, 1, 2, 3]")}


@dataclass(eq=False)
class Writer:
    """What one output file needs, and the place that is being written."""

    it: Interp
    options: Options
    bound: frozenset[str] = frozenset()  # all names that the file binds itself
    target: str = "tf"
    needs: set[str] = field(default_factory=set)  # 'tf', 'keras', 'layers', 'initializers', 'math', 'np'
    helpers: dict[str, None] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)  # imports that helpers need beyond `needs`
    reports: list[tuple[Any, str, str, str]] = field(default_factory=list)  # (node, code, message, symbol)
    applied: dict[tuple[cst.CSTNode, str], None] = field(default_factory=dict)  # original node, 'row x' or 'rule x'
    kept: list[cst.CSTNode] = field(default_factory=list)  # originals that stay in PyTorch
    left: dict[cst.CSTNode, Refused] = field(default_factory=dict)  # methods that stay while their class is ported
    function: Function | None = None  # whose body is being written
    cls: Class | None = None
    attribute: str = ""  # the attribute or variable that the current statement assigns
    targets: int = 0  # how many variables the value of the current statement is unpacked into
    unused: frozenset[int] = frozenset()  # those of them that nothing reads
    value: cst.CSTNode | None = None  # the value of the current statement
    modes: dict[str, str] = field(default_factory=dict)  # receiver text -> 'True' or 'False', from train() and eval()
    trained: set[Function] = field(default_factory=set)  # functions that take `training`
    written_as: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)  # classes that are read another way
    top_level: set[str] = field(default_factory=set)  # names of PyTorch imports that stay in use
    exported: frozenset[str] = frozenset()  # names that other files of the project import from this one
    original_imports: dict[str, str] = field(default_factory=dict)
    chains: set[cst.CSTNode] = field(default_factory=set)  # calls in place whose result alone is kept
    guards: list[Any] | None = None  # lines above the current one: what settings it can be given (limits.py)
    inline: set[cst.CSTNode] = field(default_factory=set)  # calls that may become several elements of a list
    stops: set[cst.CSTNode] = field(default_factory=set)  # values that pass no gradient on (constants.py)
    spent: set[str] = field(default_factory=set)  # names whose only use was left out

    # ------------------------------------------------------------ bookkeeping
    def fact(self, node: cst.CSTNode | None) -> Fact:
        return self.it.fact(node)

    def report(self, code: str, message: str, node: cst.CSTNode | None, symbol: str = "") -> None:
        entry = (node, code, " ".join(message.split()), symbol)
        if not any(entry[1:] == known[1:] and entry[0] is known[0] for known in self.reports):
            self.reports.append(entry)

    def by(self, node: cst.CSTNode, what: str) -> None:
        """A row or a rule writes this original node."""
        self.applied.setdefault((node, what))

    def refused(self, code: str, message: str, node: cst.CSTNode | None = None, symbol: str = "") -> Refused:
        return Refused(code, message, node, symbol)

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """What is noted while something is written is forgotten if that is refused."""
        needs, helpers, reports = set(self.needs), dict(self.helpers), len(self.reports)
        try:
            yield
        except Refused:
            self.needs &= needs
            for name in self.helpers.keys() - helpers.keys():
                del self.helpers[name]
            del self.reports[reports:]
            raise

    def need(self, *names: str) -> None:
        self.needs.update(names)

    def helper(self, name: str) -> None:
        self.helpers.setdefault(name)

    @property
    def layers(self) -> str:
        return "keras.layers" if "layers" in self.bound else "layers"

    def layer(self, name: str) -> cst.BaseExpression:
        """`layers.Dense`, as the file spells it."""
        self.need(self.layers.split(".")[0])
        return expression(f"{self.layers}.{name}")

    def training(self) -> cst.BaseExpression:
        """`self.training`, as call knows it."""
        if self.function is None:
            raise Refused("P204", "whether the module trains is not known here")
        return cst.Name("training")

    def float_dtype(self) -> cst.BaseExpression:
        """The dtype of new floats: that of the layer; where there is none, Keras' default, as torch follows its own."""
        if self.in_layer:
            assert self.function is not None
            return expression(f"{self.function.params[0]}.compute_dtype")
        self.need("keras")
        return expression("keras.config.floatx()")

    @property
    def in_layer(self) -> bool:
        """Is a method of a layer being written, which has a dtype?"""
        function = self.function
        return (function is not None and function.owner is not None and function.owner.is_module
                and not function.static)

    def unpacked(self, node: cst.CSTNode) -> int:
        """Into how many variables the value is unpacked, if it is the value of the current statement."""
        return self.targets if node is self.value else 0

    def reads_as_number(self, node: cst.CSTNode) -> bool:
        return self.fact(node).kind is Kind.PLAIN

    def covered(self, layer: Any) -> bool:
        return init_covers.covered(self, layer)

    def outside(self, node: cst.BaseExpression) -> str:
        """Canonical name of what is imported from outside the project; '' of the project's own names."""
        name = self.it.names.resolve(node)
        return "" if name.startswith(".") else name

    # ------------------------------------------------------------ expressions
    def expr(self, node: Any, want: Layout | None = None) -> Any:
        """The translated expression; tensors in the layout that is wanted, if one is."""
        if self.fact(node).layout is Layout.MIXED:
            raise Refused("P209", "this tensor is channels first or last, depending on which of several it is", node)
        if want is not None:
            direct = einopscalls.in_wanted_layout(self, node, want) or thinviews.in_wanted_layout(self, node, want)
            if direct is not None:
                return direct
        method = _METHODS.get(type(node))
        new = fitted(node, method(self, node) if method is not None else self.generic(node))
        if self.stops and node in self.stops:
            new = constants.stopped_value(self, self.fact(node), new)
        return new if want is None else self.in_layout(node, new, want)

    def generic(self, node: Any) -> Any:
        return rebuild(node, self.expr)

    def _dict(self, node: cst.Dict | cst.Set) -> Any:
        return tables.write(self, node) if tables.is_table(self, node) else self.generic(node)

    def plain(self, node: Any) -> Any:
        """The expression for what knows nothing of layouts: tensors in it have their axes as in the source."""
        fact = self.fact(node)
        if fact.kind is Kind.TENSOR:
            return self.expr(node, Layout.PLAIN)
        if not any(map(is_moved, tensors_in(fact))):
            return self.expr(node)
        if isinstance(node, cst.List | cst.Tuple | cst.Set):
            return node.with_changes(elements=[e.with_changes(value=self.plain(e.value)) for e in node.elements])
        if isinstance(node, cst.Dict):
            return node.with_changes(elements=[e.with_changes(value=self.plain(e.value)) for e in node.elements])
        if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            return node.with_changes(elt=self.plain(node.elt), for_in=self.expr(node.for_in))
        return self._container(node, fact)

    def _container(self, node: Any, fact: Fact) -> Any:
        """Another container, of the tensors with the source's axes."""
        payload, new = fact.payload, self.expr(node)
        held = payload.elements if isinstance(payload, Items) else payload.every
        first = held[0]
        if all(e.kind is Kind.TENSOR and e.layout is Layout.FLIPPED and e.rank == first.rank for e in held):
            moved = self.reordered(first, cst.Name("t"), Layout.PLAIN)
            if isinstance(payload, Mapping):
                return build("{name: {m} for name, t in {x}.items()}", m=moved, x=new)
            is_tuple = payload.kind == "tuple"
            return build("tuple({m} for t in {x})" if is_tuple else "[{m} for t in {x}]", m=moved, x=new)
        if isinstance(node, cst.Name) and isinstance(payload, Items) and not payload.open and all(
                e.kind is Kind.TENSOR for e in held):
            parts = [cst.Element(self.reordered(e, build(f"{{x}}[{i}]", x=new), Layout.PLAIN))
                     for i, e in enumerate(held)]
            return cst.Tuple(parts) if payload.kind == "tuple" else cst.List(parts)
        raise Refused("P209", "some tensors of a container are channels last here: give them names of their own", node)

    def in_layout(self, node: cst.CSTNode, new: Any, want: Layout) -> Any:
        fact = self.fact(node)
        if fact.kind is Kind.TENSOR and fact.shape is None and node in self.it.ranks:
            fact = fact.but(shape=(None,) * self.it.ranks[node])
        return self.reordered(fact, new, want, node)

    def reordered(self, fact: Fact, new: Any, want: Layout, node: cst.CSTNode | None = None) -> Any:
        """`new`, a tensor of `fact`, with its axes in the order of the source, or channels last."""
        if fact.kind is not Kind.TENSOR or fact.layout is want:
            return new
        if fact.shape is not None and len(fact.shape) not in ORDER:
            return new
        if fact.shape is None:
            raise Refused("P208", "the rank of this tensor is not known, so its axes cannot be reordered", node)
        return self.transposed(new, ORDER[len(fact.shape)][want is Layout.PLAIN])

    def transposed(self, new: Any, order: str) -> cst.BaseExpression:
        if self.target == "keras":
            self.need("keras")
            return build(f"keras.ops.transpose({{x}}, {order})", x=new)
        self.need("tf")
        return build(f"tf.transpose({{x}}, {order})", x=new)

    def _name(self, node: cst.Name) -> Any:
        if (stand_in := tables.instead(self, node)) is not None:
            return stand_in
        fact = self.fact(node)
        if not self.outside(node):  # a variable keeps its name, whatever it holds
            return node
        if fact.kind is Kind.FUNCTION and fact.payload is None and fact.symbol.startswith("torch."):
            return self.symbol(node, fact.symbol)
        if fact.kind is Kind.PLAIN and fact.symbol.startswith("torch."):
            return self.symbol(node, fact.symbol)
        return node

    def symbol(self, node: cst.BaseExpression, symbol: str) -> Any:
        """A symbol of the framework as a value: a dtype, a function, a class of layers."""
        if symbol.startswith("torch.nn.") and symbol.rpartition(".")[2][:1].isupper():
            return layers.write_class_value(self, node, symbol)
        return rows.write_symbol(self, node, symbol)

    def _attribute(self, node: cst.Attribute) -> Any:
        if (stand_in := tables.instead(self, node)) is not None:
            return stand_in
        if node.attr.value == "device" and devices.of_parameters(self, node):
            self.report("P103", "TensorFlow places tensors itself: this device is None", node)
            return cst.Name("None")
        fact, owner = self.fact(node), self.fact(node.value)
        if ((fact.kind is Kind.FUNCTION and fact.payload is None) or fact.kind is Kind.PLAIN) and (
                fact.symbol.startswith("torch.")) and self.outside(node):
            return self.symbol(node, fact.symbol)
        name = node.attr.value
        if owner.kind is Kind.TENSOR:
            return rows.write_attribute(self, node, name)
        if members.is_apply(owner, name):
            return self.expr(node.value)
        if isinstance(owner.payload, Function) and owner.payload.applied:
            raise Refused("P206", f"`.{name}` of a class of autograd, of which the port has what `apply` does", node)
        part = rows.write_member(self, node)
        if part is not None:
            return part
        if fact.symbol == "self.training":
            return self.training()
        if any(_holds(o.payload, name) for o in options(owner)):
            return build(f'{{x}}["{name}"]', x=self.expr(node.value))
        if (named_part := namedparts.write(self, node, owner)) is not None:
            return named_part
        if name == "forward" and owner.kind is Kind.LAYER:
            return cst.Attribute(self.expr(node.value), cst.Name("call"))
        setting = init_calls.attribute(self, node)
        if setting is not None:
            return setting
        member = layers.write_member(self, node, owner) if owner.kind is Kind.LAYER else None
        if member is not None:
            return member
        if fact.symbol in ("module._modules", "module._parameters", "module._buffers"):
            raise Refused("P203", f"`{name}` of a module has no counterpart in Keras", node)
        value, own = self.expr(node.value), ownnames.kept(owner, name)
        attr = node.attr if own == name else cst.Name(own)
        return node if value is node.value and own == name else node.with_changes(value=paren(value), attr=attr)

    def _call(self, node: cst.Call) -> Any:
        through = containers.over(self, node)
        return applications.call(self, node) if through is None else through

    def _subscript(self, node: cst.Subscript) -> Any:
        return indexing.subscript(self, node)

    def _ifexp(self, node: cst.IfExp) -> Any:
        fact = self.fact(node)
        want = fact.layout if fact.kind is Kind.TENSOR else None
        body, orelse = (self.expr(n, want if self.fact(n).kind is Kind.TENSOR else None)
                        for n in (node.body, node.orelse))
        if isinstance(node.test, cst.Name | cst.Attribute) and code(bare(body)) == code(bare(orelse)):
            return orelse  # x.mul_(2) if inplace else x * 2
        return node.with_changes(body=body, test=self.expr(node.test), orelse=orelse)

    def _lambda(self, node: cst.Lambda) -> Any:
        function = self.it.functions.get(node)
        result = function.result if function is not None else None
        want = result.layout if result is not None and result.kind is Kind.TENSOR else None
        return node.with_changes(params=self.expr(node.params), body=self.expr(node.body, want))

    def _annotation(self, node: cst.Annotation) -> Any:
        from port.torch2tf import hints

        return hints.annotation(self, node)

    def _comp_for(self, node: cst.CompFor) -> Any:
        new = self.generic(node.with_changes(iter=cst.Name("None")))
        return new.with_changes(iter=containers.gone_through(self, node.iter))

    def _starred(self, node: cst.StarredElement) -> Any:
        value = containers.gone_through(self, node.value)
        return node if value is node.value else node.with_changes(value=value)

    def _arg(self, node: cst.Arg) -> Any:
        value = containers.gone_through(self, node.value) if node.star == "*" else self.expr(node.value)
        return node if value is node.value else node.with_changes(value=value)

    def _param(self, node: cst.Param) -> Any:
        changes = {}
        if node.annotation is not None:
            changes["annotation"] = self._annotation(node.annotation)
        if node.default is not None:
            changes["default"] = self.expr(node.default)
        return node.with_changes(**changes) if changes else node

    def framework_names(self, node: cst.CSTNode) -> set[str]:
        """Names below that imports of the source's framework bind."""
        return {n for n in named(node) if self.it.names.bound.get(n, "").split(".")[0] in importing.ROOTS}


def _holds(payload: Any, name: str) -> bool:
    """Is this a container that holds a module under this name, which a dict of Keras layers holds as a key?"""
    if isinstance(payload, Mapping):
        return payload.kind == "modules" and name in payload.values
    return isinstance(payload, Items) and payload.named and name in payload.names


_METHODS: dict[type, Any] = {
    cst.Name: Writer._name, cst.Attribute: Writer._attribute, cst.Call: Writer._call,
    cst.Subscript: Writer._subscript, cst.IfExp: Writer._ifexp, cst.Lambda: Writer._lambda,
    cst.Annotation: Writer._annotation, cst.Arg: Writer._arg, cst.Param: Writer._param,
    cst.BinaryOperation: operators.binary, cst.Comparison: operators.comparison, cst.UnaryOperation: operators.unary,
    cst.List: containers.list_display, cst.Dict: Writer._dict, cst.Set: Writer._dict, cst.CompFor: Writer._comp_for,
    cst.StarredElement: Writer._starred,
}
__all__ = ["TO_FIRST", "TO_LAST", "Alternatives", "SelfOf", "Writer"]
