"""What a Fact may carry as payload when PyTorch source is read, and how two Facts of one place are joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.scopes import Env, File

MOST_LEVELS = 4  # of lists in lists
MOST_ELEMENTS = 1000  # of a list; a function that extends its list by what it gives itself would grow with each run
MOST_VALUES = 8  # literals that are kept for one place; more is "anything"
TO_FIRST = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}  # channels last to channels first
SEVERAL = -1  # rank of a parameter of which different uses prove different ranks
MAYBE_WEIGHT = "maybe weight"  # symbol of a tensor that may be a Keras variable as well
FOREIGN = "foreign "  # before what a library that is not read has made: symbol of something else unknown
PERMUTED = "permuted"  # symbol of a tensor of rank 3 whose last axes were exchanged: which of them is channels is open
TO_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}


@dataclass(eq=False)
class Layer:
    """A module of the framework, made by the call `node`; `inputs`: joined Fact of each tensor it is applied to."""

    node: cst.Call
    symbol: str  # 'torch.nn.Conv2d'
    bound: dict[str, cst.BaseExpression]
    facts: dict[str, Fact]  # parameter -> Fact of its argument
    problem: str = ""
    inputs: list[Fact] = field(default_factory=list)  # joined over `given`
    given: dict[Any, list[Fact]] = field(default_factory=dict)  # place that applies it -> what it is given there
    results: dict[Any, Fact] = field(default_factory=dict)  # and what it gives there
    output: Fact | None = None  # joined over `results`
    read: bool = False  # is its weight read outside of constructors?
    normed: set[cst.Call] = field(default_factory=set)  # calls of `weight_norm` that it is given to
    walked: bool = False  # a loop over the parts of a module applies it behind another one


@dataclass(eq=False)
class Chain:
    """nn.Sequential; `open`: modules are added that are not known one by one."""

    node: cst.Call
    children: list[Fact] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of an OrderedDict, or of add_module
    open: bool = False
    inputs: list[Fact] = field(default_factory=list)  # joined over `given`
    given: dict[Any, list[Fact]] = field(default_factory=dict)
    results: dict[Any, Fact] = field(default_factory=dict)
    output: Fact | None = None
    inside: bool = False  # applied by code of this file: then it need not keep the source's layout
    indexed: bool = False  # code takes its children by number, or goes through them
    looped: bool = False  # it goes through them
    repeats: set[int] = field(default_factory=set)  # children of which there may be more, one after the other
    arrivals: dict[int, dict[Any, Fact]] = field(default_factory=dict)  # child -> place -> what reaches it
    inner: Fact | None = None  # what the last child of an enclosed one gives
    depth: int = 0  # loops around the place that made it
    readers: dict[Any, None] = field(default_factory=dict)
    slices: set[Any] = field(default_factory=set)  # subscripts that took it out of another one


@dataclass(eq=False)
class Items:
    """A sequence, element by element; `kind` is 'list', 'tuple', or 'modules' for nn.ModuleList.

    `open`: its length is not known. Then each place that appends stands for all that it appends, in order.
    """

    elements: list[Fact] = field(default_factory=list)
    kind: str = "list"
    open: bool = False
    sites: dict[Any, int] = field(default_factory=dict)  # what appends -> its element
    depth: int = 0  # loops around the place that made it
    written: bool = False  # elements are replaced by index
    readers: dict[Any, None] = field(default_factory=dict)  # functions that have seen it
    names: dict[str, int] = field(default_factory=dict)  # of add_module -> element
    counted: bool = False  # elements are taken by number, or in a loop
    level: int = 1  # lists in lists in lists
    stores: set[Any] = field(default_factory=set)  # subscripts that replace one
    mixed: bool = False  # any one of its tensors has been asked for, and some have channels last
    plain: bool = False  # so its tensors have the source's axes (meetings.py)
    of: Any = None  # the function that makes another one in each of its runs: a slice, a copy
    forms: dict[int, Items] = field(default_factory=dict)  # a tuple of several lengths: each of them

    @property
    def named(self) -> bool:
        """Are all elements modules that have names, by which alone they are taken?"""
        return bool(self.names) and not self.counted and len(self.names) == len(self.elements)

    def __post_init__(self) -> None:
        self.settle()

    def settle(self) -> None:
        """What lies too deep is not told apart: `x = [x, x] if ... else x` would grow with each turn."""
        self.level = 1 + max([e.payload.level for e in self.elements if isinstance(e.payload, Items)], default=0)
        if self.level > MOST_LEVELS:
            self.elements = [e.but(payload=None) if isinstance(e.payload, Items) else e for e in self.elements]
            self.level = 1
        if len(self.elements) > MOST_ELEMENTS:
            self.elements, self.open = [one_of(self.elements) or UNKNOWN], True
            self.sites = dict.fromkeys(self.sites, 0)

    def put(self, fact: Fact) -> Fact:
        """What an element is in here: a tensor has the source's axes if those of others are elsewhere."""
        if not self.plain or fact.kind is not Kind.TENSOR:
            return fact
        return fact.but(layout=Layout.PLAIN, payload=made_of(fact, moved=True))

    def add(self, site: Any, fact: Fact, depth: int) -> bool:
        """What `site`, under `depth` loops, appends; True if that is news."""
        fact, was_open = self.put(fact), self.open
        if site not in self.sites and len(self.elements) < MOST_ELEMENTS:
            self.sites[site] = len(self.elements)
            self.elements.append(fact)
            return True
        self.open |= site not in self.sites
        at = self.sites.setdefault(site, 0)
        old = self.elements[at]
        guessed = old.kind is Kind.PLAIN and old.values is None and fact.kind is Kind.TENSOR  # before it was known
        self.elements[at] = fact if guessed else join(old, fact)
        self.open |= depth > self.depth
        return self.open is not was_open or not same(old, self.elements[at])

    def mapped(self, change: Callable[[Fact], Fact]) -> Items:
        """The same sequence of other elements."""
        return Items([*map(change, self.elements)], self.kind, self.open,
                     forms={count: form.mapped(change) for count, form in self.forms.items()})

    def any(self) -> Fact | None:
        """One Fact for all elements; None if there are none."""
        found = one_of(self.elements)
        self.mixed |= found is not None and found.layout is Layout.MIXED
        return found

    def take(self, index: Any) -> Fact | None:
        if not self.open and isinstance(index, int) and -len(self.elements) <= index < len(self.elements):
            return self.elements[index]
        return self.any()


@dataclass(eq=False)
class Mapping:
    """A dict, or nn.ModuleDict ('modules'): values by key, and `any` for the others."""

    values: dict[Any, Fact] = field(default_factory=dict)
    any: Fact | None = None
    kind: str = "dict"
    readers: dict[Any, None] = field(default_factory=dict)
    of: Any = None  # the function that has it as its `**kwargs`: in each run another one

    @property
    def every(self) -> list[Fact]:
        """All its values."""
        return [*self.values.values(), *([self.any] if self.any is not None else [])]


@dataclass(eq=False)
class Function:
    """A function, method or lambda of the user."""

    name: str
    node: cst.FunctionDef | cst.Lambda
    env: Env
    owner: Class | None = None
    params: list[str] = field(default_factory=list)
    defaults: dict[str, cst.BaseExpression] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    star: str = ""
    kwstar: str = ""
    evidence: frozenset[str] = frozenset()  # parameters that the body uses as only a tensor can be used
    bounded: frozenset[str] = frozenset()  # parameters that the body asserts to be a number between others
    picks: frozenset[str] = frozenset()  # parameters that pick elements of a tensor: whole numbers
    received: dict[str, Fact] = field(default_factory=dict)  # joined facts of arguments, over `places`
    places: dict[str, Places] = field(default_factory=dict)  # parameter -> call -> what it passes
    held: dict[str, Fact] = field(default_factory=dict)  # what its parameters were in the last run
    grown: dict[str, Items] = field(default_factory=dict)  # what it appends to lists that it is given
    ranks: dict[str, int] = field(default_factory=dict)  # tensor parameters whose rank a use proves
    gives: int | None = None  # the rank of its result, if it goes to a module that takes channels last
    numbers: set[str] = field(default_factory=set)  # tensor parameters that a use proves to hold whole numbers
    whole: set[str] = field(default_factory=set)  # parameters that a use proves to be Python ints
    flipped: set[str] = field(default_factory=set)  # tensor parameters that are channels last in the target
    arrived: set[str] = field(default_factory=set)  # those of them that are so only because one came so
    straight: set[str] = field(default_factory=set)  # tensor parameters that a layer takes along their last axis
    extra: dict[str, Fact] = field(default_factory=dict)  # what callers pass through `**kwargs`
    extra_hidden: bool = False  # they pass more than is known through its stars
    words_hidden: bool = False  # and by names that are not known
    result: Fact | None = None
    inside: bool = False  # called by other code of this file: its layout is a matter of this file
    native: bool = False  # `--layout native`: whoever calls it, it has the layout of the target
    callers: dict[Any, None] = field(default_factory=dict)  # in order, like all that the worklist goes by
    runs: int = 0
    yields: bool = False
    static: bool = False
    fixed: bool = False  # `map` applies it: nothing can be put around what it is given
    applied: bool = False  # it stands for a class of autograd (owngradients.py), or is what such a one wraps
    file: File | None = None  # that it is written in

    @property
    def chooses(self) -> bool:
        """May what it takes and gives be channels last?"""
        return self.inside or self.native

    def is_flipped(self, name: str) -> bool:
        """Is this parameter channels last in the target?"""
        fact = self.held.get(name)
        return fact is not None and fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED

    @property
    def arguments(self) -> list[str]:
        """Parameters that a caller fills: without self."""
        return self.params[1:] if self.owner is not None and not self.static and self.params else self.params


@dataclass(eq=False)
class Class:
    """A class of the user."""

    name: str
    node: cst.ClassDef
    env: Env
    bases: list[Fact] = field(default_factory=list)
    root: str = ""  # canonical framework base: 'torch.nn.Module', ...
    methods: dict[str, Function] = field(default_factory=dict)
    subclasses: list[Class] = field(default_factory=list)
    attrs: dict[str, Fact] = field(default_factory=dict)  # shared with all classes of one line of inheritance
    places: dict[str, Places] = field(default_factory=dict)  # attribute -> assignment -> its value (shared)
    readers: dict[str, dict[Any, None]] = field(default_factory=dict)  # by attribute: who reads it (shared)
    setters: dict[Any, Class] = field(default_factory=dict)  # assignment -> the class whose `self` it has (shared)
    seen: dict[str, tuple[Fact, Fact]] = field(default_factory=dict)  # attribute -> for all, for this class
    held: bool = False  # other code of this file applies it: no root
    makers: set[Any] = field(default_factory=set)  # module classes whose code makes such objects
    fields: list[str] = field(default_factory=list)  # of a dataclass
    file: File | None = None

    @property
    def is_module(self) -> bool:
        return self.root.startswith("torch.nn.")

    def is_below(self, other: Class) -> bool:
        """Is this the other class, or one that inherits from it?"""
        return self is other or any(isinstance(b.payload, Class) and b.payload.is_below(other) for b in self.bases)


@dataclass(eq=False)
class Instance:
    """An object of a user's class, made by `node`; not `exact`: or of a class that inherits from it."""

    cls: Class
    node: cst.CSTNode | None = None
    exact: bool = True


@dataclass(eq=False)
class SelfOf:
    """Payload of `self` inside a class, and of super()."""

    cls: Class
    above: bool = False  # super()


@dataclass(frozen=True)
class Origin:
    """A tensor that is a parameter, or has the shape and layout of one; `more`: axes that it has besides.

    `moved`: its axes are in another order, or must have the source's: only the rank tells of the parameter.
    """

    function: Any
    name: str
    more: int = 0
    moved: bool = False


@dataclass(frozen=True)
class Origins:
    """A tensor made of parameters by operations that keep rank and layout: what it needs, they need."""

    parts: frozenset[Origin]


@dataclass(eq=False)
class Size:
    """A Python number that is a size of a tensor, or `computed` of such.

    `batch`: the size of a first axis has a part in it. `whole`: nothing has that may be a float (`scale * n`).
    """

    dim: Dim
    batch: bool = False
    whole: bool = True
    computed: bool = False


@dataclass(eq=False)
class ShapeOf:
    """The shape of a tensor, or a slice of it, as a value."""

    of: Fact
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True)
class Alternatives:
    """One of several: modules, functions or classes that reach this place."""

    options: tuple[Fact, ...]


@dataclass(eq=False)
class Partial:
    """functools.partial(function, ...) of `node`."""

    function: Fact
    node: cst.Call


@dataclass(eq=False)
class Bound:
    """A method taken from a value: `x.view`, `blocks.append`."""

    owner: Fact
    name: str


PLAIN = Fact(Kind.PLAIN)
NONE = Fact(Kind.PLAIN, values=frozenset([None]))
TEXT = Fact(Kind.PLAIN, dtype="str")
TENSOR = tensor()
BOTTOM = Fact(Kind.UNKNOWN, symbol="not reached")  # no caller has been seen yet: joined with anything, it is that


def literal(value: Any) -> Fact:
    return PLAIN.but(values=frozenset([value]))


def may_be_none(fact: Fact) -> bool:
    return fact.values is not None and None in fact.values


def is_none(fact: Fact) -> bool:
    return fact.kind is Kind.PLAIN and fact.values == NONE.values


def text(fact: Fact) -> str:
    """'str' of a string, 'str?' of one that may be None, '' of anything else."""
    if fact.kind is not Kind.PLAIN or fact.payload is not None:
        return ""
    if fact.values is None or not fact.values:
        return fact.dtype if fact.dtype in ("str", "str?") else ""
    words = sum(isinstance(v, str) for v in fact.values)
    return "" if not words or words + (None in fact.values) < len(fact.values) else "str?" if None in fact.values else (
        "str")


def is_list(fact: Fact) -> bool:
    """A list of Python's, which indexes a tensor as a tensor of places does."""
    return fact.kind is Kind.PLAIN and isinstance(fact.payload, Items) and fact.payload.kind == "list" and all(
        e.kind in (Kind.PLAIN, Kind.UNKNOWN) for e in fact.payload.elements)


def options(fact: Fact) -> tuple[Fact, ...]:
    """What may be here, one by one."""
    return fact.payload.options if isinstance(fact.payload, Alternatives) else (fact,)


def tensors_in(fact: Fact) -> Iterator[Fact]:
    """A tensor, or those in a container."""
    if fact.kind is Kind.TENSOR:
        yield fact
    elif isinstance(fact.payload, Items):
        for element in fact.payload.elements:
            yield from tensors_in(element)
    elif isinstance(fact.payload, Mapping):
        for element in fact.payload.every:
            yield from tensors_in(element)


def is_moved(fact: Fact) -> bool:
    """A tensor that may have another order of axes than in the source."""
    return fact.kind is Kind.TENSOR and fact.layout is not Layout.PLAIN


def one_of(facts: Iterable[Fact]) -> Fact | None:
    """What is known of any one of several; None if there are none."""
    known = list(facts)
    found: Fact | None = None
    for fact in known:
        found = join(found, fact)
    spatial = {f.layout for f in known if f.kind is Kind.TENSOR and (f.shape is None or len(f.shape) > 2)}
    return found.but(layout=Layout.MIXED) if found is not None and len(spatial) > 1 else found


def made_of(*facts: Fact, more: int = 0, moved: bool = False) -> Any:
    """Payload of a tensor that rank and layout (but if `moved`) connect with these; it has `more` axes than they."""
    parts: set[Origin] = set()
    for fact in facts:
        if isinstance(fact.payload, Origin | Origins):
            known = (fact.payload,) if isinstance(fact.payload, Origin) else fact.payload.parts
            parts |= {Origin(p.function, p.name, p.more + more, p.moved or moved) for p in known} if (
                more or moved) else set(known)
    return Origins(frozenset(parts)) if parts else None


def can_flip(fact: Fact) -> bool:
    return fact.kind is Kind.TENSOR and fact.shape is not None and 3 <= len(fact.shape) <= 5


class Places(dict[Any, Fact]):
    """What each of several places gives; the list that their lists are joined to, and what was in it at first.

    Code appends to that list: were it made anew each time, all that is appended would be news each time.
    """

    found: Fact | None = None
    first: Fact | None = None
    joined: Fact | None = None  # what `put` made of them

    def settled(self, found: Fact) -> Fact:
        if not isinstance(found.payload, Items) or any(found.payload is each.payload for each in self.values()):
            return found
        held = found.payload
        if self.found is None or not same(self.first, found):
            self.found, self.first = found, found.but(payload=Items(list(held.elements), held.kind, held.open))
        self.found.payload.forms = held.forms
        return self.found


def put(places: dict[Any, Fact], site: Any, fact: Fact) -> Fact:
    """Note what a place gives now; the join over all places. What it gave before it was known better is forgotten."""
    known, places[site] = places.get(site), fact
    if not isinstance(places, Places):
        return _over_all(places)
    held = places.joined
    if held is None or not all(map(_is_fixed, (held, fact, known or fact))) or (
            known is not None and not same(known, fact)):
        places.joined = _over_all(places)
    elif known is None:  # of a thousand places, each is new once: they are not all joined again
        places.joined = join(held, fact)
    return places.joined  # type: ignore[return-value]


def _is_fixed(fact: Fact) -> bool:
    """Does it hold no list or dict, which code may change?"""
    return fact.kind in CHOICES or not any(isinstance(o.payload, Items | Mapping) for o in options(fact))


def _over_all(places: dict[Any, Fact]) -> Fact:
    facts = list(places.values())
    if all(each.kind is facts[0].kind for each in facts) and facts[0].kind in CHOICES:
        return facts[0] if all(same(facts[0], each) for each in facts[1:]) else _join_choices(facts)
    found: Fact | None = None
    for each in facts:
        found = join(found, each)
    found = found or UNKNOWN
    return places.settled(found) if isinstance(places, Places) else found


def put_inputs(owner: Layer | Chain, site: Any, facts: list[Fact]) -> None:
    """Note what a module is given at one place."""
    owner.given[site] = facts
    count = max(len(f) for f in owner.given.values())
    joined: list[Fact] = []
    for i in range(count):
        found: Fact | None = None
        for each in owner.given.values():
            found = join(found, each[i]) if i < len(each) else found
        joined.append(found or UNKNOWN)
    owner.inputs = joined


# ---------------------------------------------------------------- join
CHOICES = (Kind.LAYER, Kind.FUNCTION)  # kinds of which several may reach one place
COMPARED = (Items, Size, ShapeOf, Alternatives, Origin, Origins)  # payloads that `same` looks into; `_identity`: Bound


def same(a: Fact | None, b: Fact | None) -> bool:
    """Do two facts say the same?"""
    if a is b:
        return True
    if a is None or b is None or a.kind is not b.kind or a != b:
        return False
    x, y = a.payload, b.payload
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    if isinstance(x, Items):
        return (x.kind, x.open) == (y.kind, y.open) and len(x.elements) == len(y.elements) and all(
            map(same, x.elements, y.elements)) and x.forms.keys() == y.forms.keys() and all(
            all(map(same, form.elements, y.forms[n].elements)) for n, form in x.forms.items())
    if isinstance(x, Size):
        return x.dim == y.dim and x.whole == y.whole
    if isinstance(x, ShapeOf):
        return same(x.of, y.of) and (x.start, x.stop) == (y.start, y.stop)
    if isinstance(x, Bound):
        return x.name == y.name and same(x.owner, y.owner)
    if isinstance(x, Alternatives):
        return len(x.options) == len(y.options) and all(map(same, x.options, y.options))
    if isinstance(x, Origin | Origins):
        return x == y
    return False


def join(a: Fact | None, b: Fact | None) -> Fact:
    """The least that is true of both; None is "not reached yet"."""
    if a is None or a is BOTTOM:
        return b if b is not None else a or UNKNOWN
    if b is None or b is BOTTOM or same(a, b):
        return a
    if is_none(a) or is_none(b):
        other = b if is_none(a) else a
        if other.kind is Kind.PLAIN:
            return _join_plain(a, b)
        return other if other.kind is Kind.UNKNOWN else other.but(values=NONE.values)
    if a.kind is not b.kind:
        if Kind.TENSOR in (a.kind, b.kind) and Kind.PLAIN in (a.kind, b.kind):  # total = 0, then total + x
            number, other = (a, b) if a.kind is Kind.PLAIN else (b, a)
            if number.values and all(isinstance(v, int | float) for v in number.values):
                return other
        for word, other in ((a, b), (b, a)):
            if other.kind is Kind.FUNCTION and (told := text(word)):  # `act="relu"`, or a class
                return _join_choices([other, TEXT if told == "str" else TEXT.but(values=NONE.values)])
        flipped = any(f.kind is Kind.TENSOR and f.layout is not Layout.PLAIN for f in (a, b))
        if flipped and Kind.UNKNOWN in (a.kind, b.kind):  # that one has the source's axes, if it is a tensor
            return tensor(None, None, Layout.MIXED)
        if Kind.TENSOR in (a.kind, b.kind) and any(isinstance(f.payload, Items) for f in (a, b)) and any(
                is_moved(t) and t.rank not in (0, 1, 2) for f in (a, b) for t in tensors_in(f)):
            return tensor(None, None, Layout.MIXED)
        return (_join_either(a, b) if is_either(a) or is_either(b) else None) or _join_foreign(a, b)
    if a.kind is Kind.TENSOR:
        return join_tensors(a, b)
    if a.kind is Kind.PLAIN:
        return _join_plain(a, b)
    if a.kind in CHOICES or (_objects(a) and _objects(b)):
        return _join_choices([a, b])
    if is_either(a) and is_either(b) and (both := _join_either(a, b)) is not None:
        return both
    return a.but(payload=None, values=_none(a, b)) if a.kind is Kind.SHAPE else _join_foreign(a, b)


def _join_foreign(a: Fact, b: Fact) -> Fact:
    """What may have been made by a library that is not read; else nothing is known."""
    return next((f for f in (a, b) if f.kind is Kind.UNKNOWN and f.symbol.startswith(FOREIGN)), UNKNOWN)


def is_either(fact: Fact) -> bool:
    """A tensor or a tuple, as a setting of the function says that gives it (either.py)."""
    return fact.kind is Kind.UNKNOWN and isinstance(fact.payload, Alternatives) and (
        fact.payload.options[0].kind is Kind.TENSOR)


def _join_either(a: Fact, b: Fact) -> Fact | None:
    parts = [o for f in (a, b) for o in options(f)]
    tensors = [o for o in parts if o.kind is Kind.TENSOR and o.layout is Layout.PLAIN]
    tuples = [o for o in parts if isinstance(o.payload, Items) and o.payload.kind == "tuple"]
    if len(tensors) + len(tuples) < len(parts):
        return None
    return Fact(Kind.UNKNOWN, payload=Alternatives((one_of(tensors) or UNKNOWN, one_of(tuples) or UNKNOWN)))


def _objects(fact: Fact) -> bool:
    """Objects of the user's classes that are no modules, such as settings."""
    return fact.kind is Kind.UNKNOWN and all(isinstance(o.payload, Instance) for o in options(fact))


def _none(*facts: Fact) -> frozenset[Any] | None:
    return NONE.values if any(map(may_be_none, facts)) else None


def _join_choices(facts: list[Fact]) -> Fact:
    """Any of these modules or functions: each one once, found by identity, since a long chain has many."""
    found: list[Fact] = []
    seen: set[Any] = set()
    compared: list[Fact] = []
    for option in (o if o.values is None else o.but(values=None) for fact in facts for o in options(fact)):
        key = _identity(option)
        if key in seen:
            continue
        if isinstance(option.payload, COMPARED):
            if any(same(option, f) for f in compared):
                continue
            compared.append(option)
        seen.add(key)
        found.append(option)
    merged = found[0] if len(found) == 1 else Fact(facts[0].kind, payload=Alternatives(tuple(found)))
    return merged.but(values=_none(*facts))


def _identity(fact: Fact) -> Any:
    """What is equal for facts of the same module, function, or method of one."""
    held = fact.payload
    return (fact, held.name, _identity(held.owner)) if isinstance(held, Bound) else (fact, id(held))


def join_tensors(a: Fact, b: Fact) -> Fact:
    shape = None
    if a.shape is not None and b.shape is not None and len(a.shape) == len(b.shape):
        shape = tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True))
    payload = a.payload if isinstance(a.payload, Origin) and a.payload == b.payload else made_of(a, b)
    layout = next((o for o in (Layout.FLIPPED, Layout.MIXED) if o in (a.layout, b.layout)), Layout.PLAIN)
    held = {a.symbol, b.symbol} & {"weight", MAYBE_WEIGHT}
    symbol = "" if not held else "weight" if a.symbol == b.symbol == "weight" else MAYBE_WEIGHT
    return Fact(Kind.TENSOR, shape, a.dtype if a.dtype == b.dtype else None, layout,
                _none(a, b), symbol=symbol, payload=payload)


def _join_plain(a: Fact, b: Fact) -> Fact:
    values = None
    if a.values is not None and b.values is not None:
        values = a.values | b.values
        values = values if len(values) <= MOST_VALUES else None
    symbol = a.symbol if a.symbol == b.symbol else ""
    words = {"str?" if is_none(f) else text(f) for f in (a, b)}
    dtype = a.dtype if a.dtype == b.dtype else None
    if "" not in words and values is None:
        dtype = "str?" if "str?" in words else "str"
    return Fact(Kind.PLAIN, values=values, payload=_join_payload(a, b), symbol=symbol, dtype=dtype)


def _joined_forms(x: Items, y: Items) -> dict[int, Items]:
    """Tuples of different lengths: who unpacks one has the one of that length."""
    found: dict[int, Items] = {}
    for one in (x, y):
        if one.kind != "tuple" or (one.open and not one.forms):
            return {}
        for count, form in (one.forms or {len(one.elements): one}).items():
            old = found.get(count)
            found[count] = form if old is None else Items(list(map(join, old.elements, form.elements)), "tuple")
    return found


def _join_payload(a: Fact, b: Fact) -> Any:
    x, y = a.payload, b.payload
    if x is None or y is None:
        return (x or y) if is_none(a) or is_none(b) else None
    if isinstance(x, Items) and isinstance(y, Items):
        if len(x.elements) == len(y.elements) and not x.open and not y.open:
            both = list(map(join, x.elements, y.elements))
            return Items(both, x.kind, sites=dict(x.sites) if x.sites == y.sites else {})
        element = join(x.any(), y.any()) if x.elements or y.elements else None
        return Items([element] if element is not None else [], x.kind, open=True, forms=_joined_forms(x, y),
                     sites=dict.fromkeys({**x.sites, **y.sites}, 0))
    if isinstance(x, Size) and isinstance(y, Size):
        return Size(x.dim if x.dim == y.dim else None, x.batch or y.batch, x.whole and y.whole,
                    x.computed or y.computed)
    return x if x is y else None
