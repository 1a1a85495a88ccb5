"""What the writers of layers share: arguments of the original call, and calls of Keras layers built from them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import TIGHT, build, drop_commas, expression, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf.layer_signatures import default_of
from port.torch2tf.numbers import last_word, named_numbers
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_FIRST, TO_LAST, Items, Layer
from port.tree import code

UNKNOWN: Any = ...  # a value that is no literal


@dataclass(frozen=True)
class Plan:
    """Keras layers that do, one after the other, what one torch module does."""

    elements: tuple[cst.BaseExpression, ...]


@dataclass(frozen=True)
class At:
    """One module: the Writer, the call that makes it and what is known of its arguments and inputs."""

    w: Any
    node: cst.Call
    layer: Layer

    @property
    def short(self) -> str:
        return self.layer.symbol.rpartition(".")[2]

    def given(self, name: str) -> bool:
        return name in self.layer.bound

    def source(self, name: str) -> cst.BaseExpression:
        """The argument as written, or the default of the signature."""
        found = self.layer.bound.get(name)
        return found if found is not None else expression(default_of(self.layer.symbol, name) or "None")

    def lit(self, name: str) -> Any:
        """The one literal that the argument can be, UNKNOWN otherwise."""
        if name not in self.layer.bound:
            return _literal(default_of(self.layer.symbol, name))
        node = self.layer.bound[name]
        fact = self.layer.facts.get(name) or self.w.fact(node)
        return fact.literal(UNKNOWN)

    def is_lit(self, name: str, *values: Any) -> bool:
        found = self.lit(name)
        return found is not UNKNOWN and any(found == v and type(found) is type(v) for v in values)

    def text(self, name: str) -> str:
        return code(self.source(name))

    def expr(self, name: str) -> cst.BaseExpression:
        """The argument, translated."""
        return self.w.expr(self.layer.bound[name]) if name in self.layer.bound else self.source(name)

    def parts(self, name: str, count: int) -> tuple[cst.BaseExpression, ...] | None:
        """The argument, a number or one per axis, as one expression per axis; None if that is not known."""
        node = self.source(name)
        if isinstance(node, cst.Tuple | cst.List):
            held = [e.value for e in node.elements]
            if any(isinstance(e, cst.StarredElement) for e in node.elements):
                return None
            return tuple(held * count) if len(held) == 1 else tuple(held) if len(held) == count else None
        value = self.lit(name)
        if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
            nodes = tuple(expression(repr(v)) for v in value)
            return nodes * count if len(nodes) == 1 else nodes if len(nodes) == count else None
        return (node,) * count if self.is_number(name) else None

    def ints(self, name: str, count: int) -> tuple[int, ...] | None:
        """The argument as whole numbers, one per axis; None if they are not known."""
        value = self.lit(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,) * count
        if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
            return value * count if len(value) == 1 else value if len(value) == count else None
        return None

    def is_number(self, name: str) -> bool:
        """Is the argument one number, not a sequence?"""
        if name not in self.layer.bound:
            return isinstance(self.lit(name), int | float)
        node = self.layer.bound[name]
        return is_number(self.w, node, self.layer.facts.get(name))

    @property
    def input(self) -> Fact | None:
        """Joined fact of the first tensor that arrives, in the source's terms."""
        found = self.layer.inputs[0] if self.layer.inputs else None
        return found if found is not None and found.kind is Kind.TENSOR else None

    @property
    def rank(self) -> int | None:
        found = self.input.rank if self.input is not None else None
        return found if found is not None else SPATIAL.get(self.short)

    @property
    def wants(self) -> Layout | None:
        """The layout that the module wants; positions may be joined (Flatten(2)) whatever the layout."""
        positions = self.short == "Flatten" and self.is_lit("start_dim", 2) and self.is_lit("end_dim", -1)
        if positions and (self.rank or 0) > 3:
            return None
        return wanted(self.layer.symbol, self.input)

    @property
    def flipped(self) -> bool:
        """Do channels arrive last although the source has them first? Refuses if that depends on the place."""
        fixed = self.wants
        if fixed is not None:
            return fixed is Layout.FLIPPED
        if len({f.layout for f in tensors_at(self.layer)}) > 1:
            raise self.refuse("it gets tensors with channels first and last; make two modules", "P209")
        return self.input is not None and self.input.layout is Layout.FLIPPED

    @property
    def bridge(self) -> tuple[cst.BaseExpression, ...]:
        """Inside a Sequential nothing else brings the axes into the order that the module wants."""
        want = self.wants
        chained = tensors_at(self.layer, chained=True)
        layouts = {f.layout for f in chained}
        if want is None or not chained or layouts == {want} or self.rank not in TO_FIRST:
            return ()
        if len(layouts) > 1 or tensors_at(self.layer, chained=False):
            raise self.refuse("it gets tensors with channels first and last; make two modules", "P209")
        order = (TO_FIRST if want is Layout.PLAIN else TO_LAST)[self.rank]
        return (layer_call(self.w, "Permute", str(order[1:])),)

    def refuse(self, message: str, code_: str = "P202") -> Refused:
        return Refused(code_, f"`nn.{self.short}`: {message}", self.node)

    def axis(self, name: str) -> cst.BaseExpression:
        """An axis argument, for the layout in which the tensor arrives."""
        if not self.flipped:
            return self.expr(name)
        value, rank = self.lit(name), self.rank
        if value is UNKNOWN or rank is None:
            raise self.refuse(f"`{name}` must be a number here, as channels are last in TensorFlow", "P208")
        return expression(str(flip_axis(value, rank)))


# Modules over space, with the rank of their input: they want channels last.
SPATIAL = {f"{kind}{n}d": n + 2 for n in (1, 2, 3) for kind in (
    "Conv", "LazyConv", "ConvTranspose", "MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "LPPool",
    "InstanceNorm", "ReflectionPad", "ReplicationPad", "ZeroPad", "ConstantPad", "CircularPad")}
SPATIAL |= {"BatchNorm2d": 4, "BatchNorm3d": 5, "LazyBatchNorm2d": 4, "LazyBatchNorm3d": 5, "PixelShuffle": 4,
            "PixelUnshuffle": 4, "UpsamplingBilinear2d": 4, "UpsamplingNearest2d": 4, "ChannelShuffle": 4, "Unfold": 4}
ANY_SPATIAL = {"BatchNorm1d", "LazyBatchNorm1d", "GroupNorm", "Upsample", "SyncBatchNorm", "LocalResponseNorm"}
SOURCE_AXES = {"Linear", "LazyLinear", "LayerNorm", "RMSNorm", "Bilinear", "Unflatten", "LSTM", "GRU", "RNN",
               "Fold", "CosineSimilarity", "PairwiseDistance", "MultiheadAttention"}


def wanted(symbol: str, fact: Fact | None) -> Layout | None:
    """The layout that a module wants; None if it takes tensors as they come."""
    name = symbol.rpartition(".")[2]
    if name in SPATIAL:
        return Layout.FLIPPED
    if name in SOURCE_AXES:
        return Layout.PLAIN
    if name in ANY_SPATIAL and fact is not None and fact.rank is not None:
        return Layout.FLIPPED if fact.rank >= 3 else Layout.PLAIN
    if name == "Flatten" and fact is not None and fact.rank is not None:
        unit = fact.shape is not None and all(d == 1 for d in fact.shape[2:])
        return None if unit else Layout.PLAIN
    return None


def tensors_at(layer: Layer, chained: bool | None = None) -> list[Fact]:
    """First tensors of the places that apply the layer: in a Sequential (named by a tuple), by a call, or both."""
    return [facts[0] for site, facts in layer.given.items() if facts and facts[0].kind is Kind.TENSOR
            and (facts[0].rank is None or facts[0].rank >= 3)
            and (chained is None or isinstance(site, tuple) is chained)]


def flip_axis(axis: int, rank: int) -> int:
    """Where an axis of a tensor that has channels first is when they are last; channels are -1."""
    axis = axis % rank
    return axis if axis == 0 else -1 if axis == 1 else axis - 1


def is_number(w: Any, node: cst.BaseExpression, fact: Fact | None = None) -> bool:
    """Does it read as one number: a literal, arithmetic, a parameter with a number as default or hint?"""
    fact = fact if fact is not None else w.fact(node)
    if fact.values:
        return all(isinstance(v, int | float) for v in fact.values)
    if type(fact.payload).__name__ == "Size":
        return True
    if isinstance(node, cst.Tuple | cst.List) or type(fact.payload).__name__ == "Items":
        return False
    if isinstance(node, cst.Name) and _is_given_sequence(w.function, node.value):
        return False
    if isinstance(node, cst.BinaryOperation):
        return is_number(w, node.left) or is_number(w, node.right)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        return node.func.value in ("int", "round", "len", "max", "min")
    if isinstance(node, cst.Integer | cst.Float):
        return True
    return bool(w.reads_as_number(node)) or last_word(node) in named_numbers(w)


def _is_given_sequence(function: Any, name: str) -> bool:
    """Does code of the project pass a sequence for this parameter?"""
    given = function.places.get(name, {}).values() if function is not None else ()
    return any(isinstance(f.payload, Items) or any(isinstance(v, tuple) for v in f.values or ()) for f in given)


def _literal(text: str | None) -> Any:
    try:
        return ast.literal_eval(text or "...")
    except ValueError:
        return UNKNOWN


# ---------------------------------------------------------------- calls
Passed = dict[str, "str | tuple[str, cst.BaseExpression]"]


def write_call(at: At, callee: cst.BaseExpression, passed: Passed, extra: Sequence[tuple[str, Any]] = (),
               positional: Sequence[str] = ()) -> cst.Call:
    """The call with its arguments renamed, in the order and style of the source.

    passed: parameter -> keyword of the new call, or (keyword, new value); parameters that are not in it are dropped.
    extra: (keyword, text or node), written behind; keyword "**" spreads. positional: what may stand without keyword.
    """
    names = {id(v): k for k, v in at.layer.bound.items()}
    args: list[cst.Arg] = []
    for arg in at.node.args:
        found = passed.get(names.get(id(arg.value), ""))
        if found is None:
            continue
        keyword, value = found if isinstance(found, tuple) else (found, None)
        value = value if value is not None else at.w.expr(arg.value)
        bare = arg.keyword is None and len(args) < len(positional) and positional[len(args)] == keyword and not any(
            a.keyword for a in args)
        name = None if bare else cst.Name(keyword)
        equal = arg.equal if arg.keyword is not None else TIGHT
        args.append(arg.with_changes(value=value, keyword=name, equal=cst.MaybeSentinel.DEFAULT if bare else equal))
    for keyword, added in extra:
        args.append(_extra(keyword, expression(added) if isinstance(added, str) else added, positional, args))
    return cst.Call(func=callee, args=drop_commas(args, list(at.node.args)),
                    whitespace_before_args=at.node.whitespace_before_args if args else cst.SimpleWhitespace(""))


def _extra(keyword: str, value: cst.BaseExpression, positional: Sequence[str], args: list[cst.Arg]) -> cst.Arg:
    if keyword == "**":
        return cst.Arg(value=value, star="**")
    if not args and positional[:1] == (keyword,):
        return cst.Arg(value=value)
    return cst.Arg(value=value, keyword=cst.Name(keyword), equal=TIGHT)


def layer_call(w: Any, name: str, *args: Any, **keywords: Any) -> cst.Call:
    """`layers.Name(...)`, from texts and nodes."""
    made = [cst.Arg(value=node(a)) for a in args]
    made += [cst.Arg(value=node(v), keyword=cst.Name(k), equal=TIGHT) for k, v in keywords.items()]
    return cst.Call(func=w.layer(name), args=made)


def node(value: Any) -> cst.BaseExpression:
    if isinstance(value, cst.BaseExpression):
        return value
    return expression(value if isinstance(value, str) else repr(value))


def function_layer(w: Any, body: str, **nodes: Any) -> cst.Call:
    """`layers.Lambda(lambda x: ...)`; the template's names are nodes or texts."""
    written = build(body, **{k: node(v) for k, v in nodes.items()})
    return cst.Call(func=w.layer("Lambda"), args=[cst.Arg(value=build("lambda x: {body}", body=written))])


def helper_layer(at: At, helper: str, names: Sequence[str], drop: Sequence[str] = ()) -> cst.Call:
    """A helper class that takes torch's own arguments."""
    at.w.helper(helper)
    return write_call(at, cst.Name(helper), {n: n for n in names if n not in drop}, positional=names)


def tuple_of(nodes: Sequence[Any]) -> cst.BaseExpression:
    return build("(" + ", ".join(f"{{a{i}}}" for i in range(len(nodes))) + ("," if len(nodes) == 1 else "") + ")",
                 **{f"a{i}": node(n) for i, n in enumerate(nodes)})


def product(nodes: Sequence[Any]) -> cst.BaseExpression:
    """`a * b * c`, without factors of one."""
    factors = [node(n) for n in nodes]
    factors = [f for f in factors if code(f) != "1"] or [expression("1")]
    first, *rest = factors
    loose = isinstance(first, cst.BinaryOperation) and isinstance(first.operator, cst.Multiply | cst.FloorDivide)
    text = code(first if loose or not rest else paren(first))
    return expression(" * ".join([text, *(code(paren(f)) for f in rest)]))
