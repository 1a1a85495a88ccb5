"""What a Fact may carry as payload: layers, functions, classes, containers, sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import libcst as cst

from port.binding import Bound
from port.facts import Dim, Fact, Kind, Layout, Sym, tensor
from port.scopes import Env, File
from port.table import Row

EITHER = "either."  # begins the symbol of a variable that holds one of several layers or functions
OPEN = object()  # stands among the reaching values of a setting when anything may arrive


@dataclass(eq=False)
class LayerCall:
    """A layer made by `node`, a call of a layer class of the framework; `inputs` it has been applied to."""

    node: cst.Call
    symbol: str
    row: Row | None
    bound: dict[str, cst.BaseExpression]
    inputs: list[Any] = field(default_factory=list)  # one Fact, or list of Facts, per application
    outputs: list[Fact] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()  # comprehension variables that its arguments may use
    maker: Class | None = None  # the class whose method makes it
    others: list[LayerCall] = field(default_factory=list)  # layers that the same attribute holds, by another setting
    gets_packed: bool = False  # steps arrive packed: see adapt/packing.py
    gives_packed: bool = False
    matched: Bound | None = None  # see rowcalls.matched


@dataclass(eq=False)
class Items:
    """A list or tuple whose elements are known one by one."""

    elements: list[Fact]
    kind: str = "list"
    counted: bool = False  # it began empty: `__init__` appends to a list of their sizes
    written: int = -1  # elements that the source writes out: if there are more, a loop or branch has a part in it

    @property
    def whole(self) -> bool:
        """Are these all, in this order, and no example of what a loop makes?"""
        return self.written == len(self.elements)

    def part(self, elements: list[Fact], kind: str) -> Items:
        """Some of them, as certain as all are."""
        return Items(elements, kind, written=len(elements) if self.whole else -1)


@dataclass(eq=False)
class Inputs:
    """A dict of the Inputs of a functional model, by their keys; `texts`: these as they are written."""

    values: dict[str, Fact]
    texts: dict[str, str]


@dataclass(eq=False)
class Grown:
    """A list of tensors that grows in a loop: one Fact stands for all elements; `counts` names the mirrored list."""

    element: Fact
    counts: str
    nested: bool = False  # its elements are containers of such tensors

    @property
    def elsewhere(self) -> bool:
        """Do the counts come from an expression, so that a variable that gets the list needs counts of its own?"""
        return "[" in self.counts or is_placeholder(self.counts)

    def any(self) -> Fact:
        """One of its elements, seen from outside the loop."""
        shape = self.element.shape
        if shape is None or self.counts == "?":
            return self.element
        return self.element.but(shape=(*shape[:-1], Sym(f"{self.counts}[0]")))


def is_placeholder(name: str) -> bool:
    """Does it stand for the output size of a module, whose name is not known yet?"""
    return name.startswith("OUT_") and name[4:-1].isdigit() and name.endswith("_")


def part_of(grown: Grown, window: str) -> Grown:
    """Some of its elements, in some order: `skips[::-1]`."""
    return Grown(grown.element, "?" if grown.counts == "?" else f"{grown.counts}{window}", grown.nested)


@dataclass(frozen=True)
class MixedRank:
    """Payload of a tensor that is channels first at `rank`, or a vector, depending on settings."""

    rank: int | None


@dataclass(eq=False)
class Choice:
    """A dict whose values are functions or classes of the user."""

    options: list[Fact]


@dataclass(eq=False)
class Size:
    """A plain value that is a size of a tensor (`x.shape[-1]`); `of`: the variable that holds the tensor."""

    dim: Dim
    of: str = ""


@dataclass(eq=False)
class ShapeOf:
    """The shape of a tensor, as a value; `name`: the variable that holds the tensor.

    `form`: what the source has, "tuple" (or a TensorShape), "list", or "tensor", whose arithmetic is by element.
    """

    of: Fact
    name: str = ""
    form: str = "tuple"


@dataclass(frozen=True)
class CorrectPad:
    """The amounts that keras.applications pads `of` with before a strided window of `kernel`."""

    of: Fact
    kernel: int | tuple[int, ...]


@dataclass(eq=False)
class Function:
    """A function of the user, or a lambda."""

    name: str
    node: cst.FunctionDef | cst.Lambda
    env: Env
    owner: Class | None = None
    params: list[str] = field(default_factory=list)
    defaults: dict[str, cst.BaseExpression] = field(default_factory=dict)
    star: str = ""
    kwstar: str = ""
    tensors: dict[str, Fact] = field(default_factory=dict)  # joined facts of tensor parameters
    shapes: dict[str, str] = field(default_factory=dict)  # parameters that get shapes, and in which form ('': several)
    callables: dict[str, list[Fact]] = field(default_factory=dict)  # functions that reach a parameter
    layers: set[str] = field(default_factory=set)  # parameters that layers reach, which no fact follows
    reaching: dict[str, set[Any]] = field(default_factory=dict)  # literals that reach a setting (or OPEN)
    bindings: list[dict[str, Any]] = field(default_factory=list)  # literals of each call, `...` where not known
    absent: set[str] = field(default_factory=set)  # parameters that must be None here (Keras input tensors)
    flipped: set[str] = field(default_factory=set)  # tensor parameters that arrive channels-first in the target
    returns: list[Fact] = field(default_factory=list)
    result: Fact | None = None
    busy: bool = False
    called: int = 0
    stateful: bool = False  # creates layers with weights (or mode), directly or through what it calls
    graph: bool = False  # contains Input() and Model(...)
    mirrors: dict[str, tuple[str, int]] = field(default_factory=dict)  # mirror name -> (parameter, axis)
    inner: Function | None = None  # curried builders: the nested function that is returned
    self_fact: Fact | None = None
    fixed_layout: bool = False
    names: frozenset[str] = frozenset()  # all names in its body
    assigned: frozenset[str] = frozenset()  # names that its own statements bind
    reassigned: set[str] = field(default_factory=set)  # mirrors whose value changes in the body
    masks: dict[str, Any] = field(default_factory=dict)  # of its tensors, by their places among the parameters
    told: dict[Any, tuple[Any, dict[str, Dim]]] = field(default_factory=dict)  # call -> (caller, sizes in its words)
    unmasks: set[str] = field(default_factory=set)  # parameters whose tensors it takes the mask from

    @property
    def file(self) -> File:
        return self.env.top().file

    @cached_property
    def taken(self) -> frozenset[str]:
        """Names that a size of one of its tensors may not have: those of the user, here and in the constructor."""
        init = find_method(self.owner, "__init__") if self.owner is not None else None
        return frozenset(name for f in (self, init) if f is not None for name in (*f.params, *f.assigned))


@dataclass(eq=False)
class Curried:
    """`block(settings)` that gives a function of a tensor; `node` is the call."""

    outer: Function
    inner: Function
    node: cst.Call
    bound: dict[str, tuple[Fact, Any]]


@dataclass(eq=False)
class Class:
    """A class of the user."""

    name: str
    node: cst.ClassDef
    env: Env
    bases: list[Fact] = field(default_factory=list)
    methods: dict[str, Function] = field(default_factory=dict)
    root: str = ""  # canonical framework base: 'keras.Model', 'keras.layers.Layer', 'tf.Module', ...
    attrs: dict[str, Fact] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    extended: bool = False  # a class that derives from it calls its methods through `super()`
    busy: bool = False
    done: bool = False

    @property
    def file(self) -> File:
        return self.env.top().file

    @property
    def inside(self) -> bool:
        """Is it applied in the project, so that tensors reach it in the layout of the port?"""
        return self.extended or any(i.applied for i in self.instances)


@dataclass(eq=False)
class Instance:
    """An object of a user's class, made by `node`."""

    cls: Class
    node: cst.Call | None
    args: list[tuple[str, Fact, str]] = field(default_factory=list)  # parameter, fact, text at the call
    inputs: list[Any] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    maker: Any = None  # the class or function whose code makes it; None at module level
    hidden: frozenset[str] = frozenset()  # comprehension variables that its arguments may use
    file: File | None = None  # where it is made


@dataclass(eq=False)
class Applied:
    """One application: sizes of the input by the names they have inside the class."""

    instance: Instance
    sizes: dict[str, Dim]
    call: Any = None


@dataclass(eq=False)
class SequentialModel:
    node: cst.Call
    layers: list[Fact] = field(default_factory=list)
    inputs: list[Fact] = field(default_factory=list)
    output: Fact | None = None
    calls: dict[Any, cst.Call] = field(default_factory=dict)  # layer -> the call that stands for its application
    open: bool = False  # layers come from an expression that is not known
    maker: Function | None = None  # whose code makes it; None at module level
    alone: bool = False  # nothing applies it, and it has no Input: its first layers say what arrives
    terms: dict[str, Dim] | None = None  # where a function gave it: sizes of that function in its caller's words


@dataclass(eq=False)
class GraphModel:
    """A functional model: made at `node` from graph tensors."""

    node: cst.Call
    inputs: Fact
    outputs: Fact


def without(fact: Fact, names: frozenset[str]) -> Fact:
    """Sizes that are written with names which only hold elsewhere are not known."""
    if not names or fact.kind is not Kind.TENSOR:
        return fact

    def known(dim: Dim) -> Dim:
        return None if isinstance(dim, Sym) and dim.names & names else dim

    shape = None if fact.shape is None else tuple(known(d) for d in fact.shape)
    return fact.but(shape=shape, last=known(fact.last))


def has_tensor(fact: Fact) -> bool:
    """Is it a tensor, or a container that holds one?"""
    if fact.kind is Kind.TENSOR or isinstance(fact.payload, Grown | Inputs):
        return True
    return isinstance(fact.payload, Items) and any(has_tensor(e) for e in fact.payload.elements)


def may_flip(fact: Fact) -> bool:
    """A tensor that may be channels first in the target."""
    return fact.kind is Kind.TENSOR and fact.layout is not Layout.PLAIN and (fact.rank is None or fact.rank > 2)


def common(tensors: list[Fact]) -> Fact:
    """What is known of any one of several tensors."""
    spatial = [t for t in tensors if t.rank is None or t.rank > 2]
    layouts = {t.layout for t in spatial}
    if len(layouts) > 1:
        return tensor(None, None, Layout.MIXED)
    first = spatial[0] if spatial else tensors[0]
    ranks = {t.rank for t in tensors}
    width = first.width if all(t.width == first.width for t in tensors) else None
    shape = (*[None] * (first.rank - 1), width) if len(ranks) == 1 and first.rank else None
    return first.but(shape=shape, last=width, payload=None)


def tensors_in(fact: Fact) -> list[Fact]:
    if fact.kind is Kind.TENSOR:
        return [fact]
    if isinstance(fact.payload, Grown):
        return [fact.payload.any()]
    if isinstance(fact.payload, Items):
        return [t for e in fact.payload.elements for t in tensors_in(e)]
    if isinstance(fact.payload, Inputs):
        return list(fact.payload.values.values())
    return []


@dataclass(eq=False)
class Alternatives:
    """Payload of a parameter that functions reach."""

    functions: list[Fact]


_OF_KERAS = ("call", "__call__", "__init__", "build", "get_config", "compute_mask", "compute_output_shape",
             "compute_output_spec")


def is_helper(function: Function) -> bool:
    """A method of a module that its `call` may call."""
    return function.owner is not None and is_module(function.owner) and function.name not in _OF_KERAS


def is_module(cls: Class | None) -> bool:
    """Does it become an nn.Module?"""
    return cls is not None and cls.root in ("keras.Model", "keras.layers.Layer", "tf.Module", "keras.Sequential")


def line_of(cls: Class) -> list[Class]:
    """The class and all of the user's that it derives from, in the order in which Python looks (without diamonds)."""
    return [cls, *(c for b in cls.bases if isinstance(b.payload, Class) for c in line_of(b.payload))]


def find_method(cls: Class, name: str) -> Function | None:
    if name in cls.methods:
        return cls.methods[name]
    for base in cls.bases:
        if isinstance(base.payload, Class):
            found = find_method(base.payload, name)
            if found is not None:
                return found
    return None


@dataclass(frozen=True)
class Origin:
    """Payload of a tensor that is a parameter (or Input), or an elementwise function of one."""

    owner: Any
    name: str


@dataclass(frozen=True)
class SameRank:
    """Payload of a tensor that has the rank of a parameter (or Input), but not its layout."""

    owner: Any
    name: str


@dataclass(eq=False)
class SelfValue:
    """Payload of `self`."""

    cls: Class
