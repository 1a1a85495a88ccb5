"""Functions and classes of the user: defined, called, and read again when what reaches them has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.scopes import Env
from port.torch2tf import alike, apart, assignments, either, foreign, keywords, members, outcomes, stars
from port.torch2tf.definitions import WHOLE, classes_hinted, hinted
from port.torch2tf.values import (
    BOTTOM,
    NONE,
    PERMUTED,
    PLAIN,
    SEVERAL,
    TENSOR,
    Bound,
    Class,
    Function,
    Instance,
    Items,
    Mapping,
    Origin,
    Places,
    SelfOf,
    Size,
    can_flip,
    is_none,
    join,
    may_be_none,
    options,
    put,
    same,
    text,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

# ---------------------------------------------------------------- calls
def bind(function: Function, node: cst.Call | None, args: list[Fact]) -> tuple[dict[str, Fact], bool]:
    """Parameter -> Fact; True if stars hide what goes where."""
    names = function.arguments
    found: dict[str, Fact] = {}
    starred = False
    at = 0
    for arg, fact in zip(node.args if node is not None else [None] * len(args), args, strict=True):
        if arg is not None and arg.star:
            starred = True
            if arg.star == "*" and isinstance(fact.payload, Items) and not fact.payload.open:
                for element in fact.payload.elements:
                    if at < len(names):
                        found[names[at]] = element
                        at += 1
            elif arg.star == "*":
                at = len(names)
            elif isinstance(fact.payload, Mapping):
                found |= {n: v for n, v in fact.payload.values.items() if n in names}
        elif arg is not None and arg.keyword is not None:
            if arg.keyword.value in names:
                found[arg.keyword.value] = fact
        elif at < len(names):
            found[names[at]] = fact
            at += 1
    return found, starred


def call(it: Interp, node: cst.Call | None, function: Function, args: list[Fact], site: Any = None) -> Fact:
    """A call of the user's function, or of `forward` of the user's module."""
    bound, _ = bind(function, node, args)
    caller = it.current[-1] if it.current else None
    if caller is not None:
        function.callers[caller] = None
    in_chain = isinstance(site, tuple)
    if not function.inside and not is_enclosed(it, function) and (
            in_chain or (_inside(function, caller) and not _of_itself(it, node, caller))):
        function.inside = True
        it.enqueue(function)
        for other in function.callers:
            it.enqueue(other)
    changed, through = False, alike.given(it, function, bound)
    for name in function.arguments:
        if name in bound:
            passed = bound[name] if bound[name] is not through else tensor(None, through.dtype)
            changed |= _receive(it, function, name, passed, node if site is None else site)
    if function.star or function.kwstar:
        changed |= stars.receive(function, node, args, node if site is None else site, caller)
    if changed or function.result is None:
        it.enqueue(function)
    if through is not None:
        dtype = function.result.dtype if function.result is not None else None
        return through.but(dtype=dtype or through.dtype, values=None, symbol="")  # type: ignore[no-any-return]
    if caller is not None and function.whole:
        for name, given in names_given(function, node).items():
            if name in function.whole:
                prove_whole(it, given)
    for name, fact in bound.items():
        if name in function.flipped and can_flip(fact) and function.chooses:
            it.want_flipped(fact)
        if fact.kind is Kind.TENSOR and function.ranks.get(name, SEVERAL) != SEVERAL:
            it.prove_rank(fact, function.ranks[name])
        if fact.kind is Kind.TENSOR and name in function.numbers:
            it.prove_whole(fact)
    if caller is not None and function.result is not None:
        _seen(function.result, caller)
    for name, grown in function.grown.items():
        if name in bound and isinstance(bound[name].payload, Items):
            _grow(it, bound[name].payload, grown, lambda e: outcomes.outside(function, e, bound), node or site)
    return outcomes.outside(function, function.result, bound)


def _grow(it: Interp, given: Items, grown: Items, outside: Callable[[Fact], Fact], place: Any) -> None:
    """What a call appends to a list that it is given, in the caller's terms."""
    news = False
    for site, at in grown.sites.items():
        news |= given.add((place, site), outside(grown.elements[at]), it.depth + grown.open)
    if news:
        it.touched(given)


def _seen(result: Fact, caller: Any) -> None:
    """The caller has another list, of the same elements in its own terms: it looks again when these change."""
    if isinstance(result.payload, Items):
        result.payload.readers[caller] = None
        for element in result.payload.elements:
            _seen(element, caller)


def names_given(function: Function, node: cst.Call | None) -> dict[str, cst.BaseExpression]:
    names, out, at = function.arguments, {}, 0
    for arg in node.args if node is not None else ():
        if arg.keyword is not None:
            out[arg.keyword.value] = arg.value
        elif not arg.star and at < len(names):
            out[names[at]] = arg.value
            at += 1
    return out


def prove_whole(it: Interp, node: cst.BaseExpression) -> None:
    """A use that only a Python int has, of a parameter of the function that is being read."""
    function = it.current[-1] if it.current else None
    if function is None or not isinstance(node, cst.Name) or node.value not in function.params:
        return
    if node.value not in function.whole:
        function.whole.add(node.value)
        if not same(function.held.get(node.value), parameter(it, function, node.value)):
            it.enqueue(function)
        for caller in function.callers:
            it.enqueue(caller)


def is_enclosed(it: Interp, function: Function) -> bool:
    """The `forward` of a module that keeps the source's axes wherever it is applied (meetings.py)."""
    return function.owner is not None and function.name == "forward" and function.owner.node in it.enclosed


def _inside(function: Function, caller: Function | None) -> bool:
    """Is the interface a matter of this file alone? A module's forward belongs to whoever calls it, but for modules."""
    if caller is function or caller is None:
        return function.owner is None and caller is not function
    if function.owner is not None and function.owner.is_module and function.name in ("forward", "__call__"):
        return caller.owner is not None and caller.owner.is_module and caller.owner is not function.owner
    return True


def _of_itself(it: Interp, node: cst.Call | None, caller: Function | None) -> bool:
    """`self(x)`, also of a class above: whoever has the object applies it, and no other module.

    `super().forward(x)` of a model: objects of the class above may be models as well.
    """
    if node is None or caller is None:
        return False
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in ("forward", "__call__"):
        above = it.fact(node.func.value).payload
        return isinstance(above, SelfOf) and not (above.above and caller.inside)
    callee = it.receivers.get(node) or it.fact(node.func)
    return all(isinstance(o.payload, SelfOf) for o in options(callee))


def _receive(it: Interp, function: Function, name: str, fact: Fact, site: Any) -> bool:
    fact = general(fact)
    if fact.symbol == PERMUTED and name not in function.flipped:  # no reason to have channels last
        fact = fact.but(layout=Layout.PLAIN, symbol="")
    old = function.received.get(name)
    new = put(function.places.setdefault(name, Places()), site, fact)
    if can_flip(fact) and fact.layout is Layout.FLIPPED and function.chooses and name not in (
            function.flipped | function.straight):
        function.flipped.add(name)
        function.arrived.add(name)
        for caller in function.callers:
            it.enqueue(caller)
        it.enqueue(function)
    if same(old, new):
        return False
    function.received[name] = new
    return True


def general(fact: Fact) -> Fact:
    """What is kept of an argument: not its value (other callers may pass others), nor where it comes from."""
    if fact.kind is Kind.TENSOR:
        return fact.but(payload=None)
    if fact.symbol == "tensor.dtype":
        return fact
    if isinstance(fact.payload, Bound) and fact.payload.owner.kind is Kind.UNKNOWN:  # `cfg.act` of an unknown `cfg`
        return foreign.made(fact)
    if fact.kind is Kind.PLAIN and not is_none(fact):
        payload = fact.payload
        if isinstance(payload, Items):
            parts = [BOTTOM if e.kind is Kind.UNKNOWN and e.payload is None else general(e) for e in payload.elements]
            return Fact(Kind.PLAIN, payload=Items(parts, payload.kind, payload.open))
        whole = fact.dtype == "int" or (isinstance(payload, Size) and payload.whole) or (
            fact.values is not None and all(type(v) is int for v in fact.values))
        return PLAIN.but(payload=payload if isinstance(payload, Mapping) else None,
                         dtype="int" if whole else text(fact) or None)
    return fact


# ---------------------------------------------------------------- reading a body
def analyze(it: Interp, function: Function) -> None:
    """Run the body once with all that is known of its parameters."""
    with it.within(function.file):
        _analyze(it, function)


def _analyze(it: Interp, function: Function) -> None:
    from port.torch2tf import flow

    function.runs += 1
    env = Env(function.env)
    names = list(function.params)
    if function.owner is not None and not function.static and names:
        first = names.pop(0)
        cls = function.owner
        is_class_method = first == "cls"
        env.names[first] = (Fact(Kind.FUNCTION, payload=cls) if is_class_method
                            else Fact(Kind.LAYER if cls.is_module else Kind.UNKNOWN, payload=SelfOf(cls)))
    for name in names:
        env.names[name] = function.held[name] = parameter(it, function, name)
    told = function.inside and not function.extra_hidden
    if function.star:
        env.names[function.star] = Fact(Kind.PLAIN, payload=Items([] if told else [UNKNOWN], "tuple", not told))
    if function.kwstar:
        env.names[function.kwstar] = Fact(Kind.PLAIN, payload=Mapping(
            {name: fact if told else general(fact) for name, fact in function.extra.items()},
            None if told else UNKNOWN, of=function))
    for name in keywords.names(it, function):
        env.names[name] = general(function.extra.get(name, PLAIN))
    before, depth = function.result, it.depth
    it.depth = 0
    it.current.append(function)
    it.returns.append(None)
    it.yields.append(None)
    if isinstance(function.node, cst.Lambda):
        it.returns[-1] = it.ev(function.node.body, env)
    elif flow.run(it, function.node.body.body, env) and it.returns[-1] is None:  # type: ignore[arg-type]
        it.returns[-1] = NONE
    result, yielded = it.returns.pop(), it.yields.pop()
    it.current.pop()
    it.depth = depth
    if function.applied and result is not None:
        result = _with_gradient(it, result)
    if function.yields:
        result = Fact(Kind.PLAIN, payload=Items([yielded or UNKNOWN], open=True))
    if result is not None and result.kind is Kind.TENSOR and result.shape is None and function.gives is not None:
        result = result.but(shape=(None,) * function.gives)
    if result is not None and _gives_images(function, result):
        result = result.but(layout=Layout.FLIPPED, payload=None)
    function.result = join(None, result) if result is not None else before
    grown = {name: _appended(fact.payload) for name, fact in function.held.items() if isinstance(fact.payload, Items)
             and fact.payload.kind == "list" and fact.payload.sites}
    news = grown.keys() != function.grown.keys() or not all(
        same(Fact(Kind.PLAIN, payload=items), Fact(Kind.PLAIN, payload=function.grown[name]))
        for name, items in grown.items())
    function.grown = grown
    if news or (result is not None and not same(before, function.result)):
        for caller in function.callers:
            if caller is not None:
                it.enqueue(caller)


def _appended(held: Items) -> Items:
    """What a function appends to a list that it is given."""
    return Items([held.elements[at] for at in held.sites.values()], open=held.open,
                 sites={site: n for n, site in enumerate(held.sites)})


def _with_gradient(it: Interp, result: Fact) -> Fact:
    """What a function gives whose gradient is its own (owngradients.py), which takes a tensor like each result."""
    parts = result.payload.elements if isinstance(result.payload, Items) else []
    gradient = parts[-1].payload if len(parts) == 2 else None
    if not isinstance(gradient, Function):
        return result
    found = parts[0].payload.elements if isinstance(parts[0].payload, Items) else [parts[0]]
    call(it, None, gradient, [f.but(payload=None) for f in found])
    return parts[0]


def prove_result(it: Interp, payload: Any, rank: int) -> None:
    """A use that only a tensor of this rank has, of what a module gives."""
    for function in members.called(payload, "forward") if isinstance(payload, Instance) else ():
        if function.gives is None:
            function.gives = rank
            it.enqueue(function)


def _gives_images(function: Function, result: Fact) -> bool:
    """The `forward` of a block that takes images channels last, behind which another module takes such."""
    names = function.arguments
    if function.gives != result.rank or not function.chooses or not names or not can_flip(result):
        return False
    taken = function.held.get(names[0])
    return function.is_flipped(names[0]) and taken is not None and taken.rank == result.rank and result.rank in (4, 5)


def returned(it: Interp, fact: Fact) -> None:
    if it.dead and fact.kind is Kind.UNKNOWN:  # of a branch that nothing reaches
        return
    it.returns[-1] = either.returned(it.returns[-1], fact)


def parameter(it: Interp, function: Function, name: str) -> Fact:
    """What is known of a parameter: from the caller of the translation, the calls, its default and its hint."""
    fact = it.given.get(name) if function.owner is None else None
    received = function.received.get(name)
    hint = hinted(it, function.hints[name]) if name in function.hints else None
    if received is not None and isinstance(received.payload, Items) and function.inside:
        hint = None  # they pass a list, whatever the hint says
    if hint is not None and may_be_none(hint) and received is not None and is_none(received) and function.inside and (
            not it.late):
        hint = None  # a state that a loop starts from None: what it becomes may show with the next turn
        it.untold[function] = None
    if name in function.hints and (told := classes_hinted(function, function.hints[name])) is not None:
        received = told if received is None else join(received, told)
    default = function.defaults.get(name)
    if fact is None:
        fact = received
        if hint is not None and hint.kind is Kind.TENSOR:
            fact = join(hint.but(values=None), received) if received is None or received.kind is not Kind.TENSOR else (
                received.but(dtype=received.dtype or hint.dtype))
            fact = fact if fact.kind is Kind.TENSOR else hint
            if may_be_none(hint):
                fact = fact.but(values=NONE.values)
        if default is not None and not (hint is not None and hint.kind is Kind.TENSOR and not may_be_none(hint)):
            given = it.ev(default, function.env)
            fact = (fact or BOTTOM) if _always_given(function, name) else _with_default(function, name, fact, given)
        if fact is None:
            fact = hint or _guess(function, name)
        if name in function.whole and fact.kind in (Kind.PLAIN, Kind.UNKNOWN) and not is_none(fact):
            fact = WHOLE if fact.kind is Kind.UNKNOWN or fact.payload is None else fact
    if hint is not None and hint.dtype == "float" and hint.kind is Kind.PLAIN and fact == Fact(Kind.PLAIN):
        fact = hint
    if fact.kind is Kind.UNKNOWN and name in function.bounded:
        fact = PLAIN
    if fact.kind is Kind.UNKNOWN and name in function.evidence:  # callers do not know what they pass, the body does
        fact = tensor()
    if fact.kind is Kind.TENSOR:
        fact = _as_parameter(it, function, name, fact)
    return fact


def _always_given(function: Function, name: str) -> bool:
    """Of a copy (apart.py), whose callers are all known, if not from the start: do they all pass this parameter?"""
    if function.owner is None or not apart.is_copy(function.owner.name):
        return False
    sites = {site for places in function.places.values() for site in places}
    return function.places.get(name, {}).keys() == sites


def _with_default(function: Function, name: str, fact: Fact | None, default: Fact) -> Fact:
    if is_none(default):
        if fact is None:
            fact = _guess(function, name)
        return join(fact, NONE)
    return join(fact, _of_default(default))


def _of_default(default: Fact) -> Fact:
    """What is kept of a default: not its value, nor those in a tuple."""
    if default.kind is not Kind.PLAIN:
        return default
    if default.values is not None and all(type(v) is int for v in default.values):
        return WHOLE
    held = default.payload
    if isinstance(held, Items):
        held = held.mapped(lambda e: e if is_none(e) else _of_default(e))
    return Fact(Kind.PLAIN, payload=held, dtype=text(default) or None)


def _guess(function: Function, name: str) -> Fact:
    if name in function.picks:
        return TENSOR.but(dtype="int64")
    if name in function.evidence or _is_input(function, name):
        return TENSOR
    return BOTTOM


def _is_input(function: Function, name: str) -> bool:
    """A parameter of `forward` is a tensor, unless something says otherwise."""
    return function.owner is not None and function.owner.is_module and function.name == "forward"


def _as_parameter(it: Interp, function: Function, name: str, fact: Fact) -> Fact:
    if fact.shape is None and function.ranks.get(name, SEVERAL) != SEVERAL:
        fact = fact.but(shape=(None,) * function.ranks[name])
    if fact.dtype is None and name in function.numbers:
        fact = fact.but(dtype="int64")
    flipped = name in function.flipped and can_flip(fact)
    return fact.but(layout=Layout.FLIPPED if flipped else Layout.PLAIN, payload=Origin(function, name))


# ---------------------------------------------------------------- classes
def instantiate(it: Interp, node: cst.Call, cls: Class, args: list[Fact]) -> Fact:
    instance = it.objects.setdefault((node, cls), Instance(cls, node, not _of_own_class(node)))
    maker = it.current[-1].owner if it.current else None
    if maker is not None and maker.is_module:
        cls.makers.add(maker)
    init = members.find_method(cls, "__init__")
    if init is not None:
        inside, init.inside = init.inside, True
        call(it, node, init, args)
        init.inside = inside
    elif not cls.is_module:
        fill(it, node, cls, args)
    kind = Kind.LAYER if cls.is_module else Kind.UNKNOWN
    return Fact(kind, symbol=cls.name, payload=instance)


def fill(it: Interp, node: cst.Call, cls: Class, args: list[Fact]) -> None:
    """The constructor that a dataclass has by its fields: attributes get what a call passes."""
    names = members.fields(cls)
    for at, (arg, fact) in enumerate(zip(node.args, args, strict=True) if names else ()):
        if arg.star:
            continue
        name = arg.keyword.value if arg.keyword is not None else names[at] if at < len(names) else ""
        if name in names:
            assignments.set_attribute(it, cls, name, general(fact), node)


def _of_own_class(node: cst.Call) -> bool:
    """`cls(...)`, `self.__class__(...)`, `type(self)(...)`: perhaps of a class that inherits."""
    func = node.func
    return isinstance(func, cst.Call) or (isinstance(func, cst.Name) and func.value == "cls") or (
        isinstance(func, cst.Attribute) and func.attr.value == "__class__")


def apply(it: Interp, node: cst.Call | None, payload: Instance | SelfOf, args: list[Fact], site: Any = None) -> Fact:
    """`module(x)`: the module's forward, or that of a subclass."""
    cls = payload.cls
    caller = it.current[-1] if it.current else None
    if isinstance(site, tuple) or (caller is not None and caller.owner is not None and caller.owner.is_module
                                   and caller.owner is not cls):
        cls.held = True
    found: Fact | None = None
    for method in members.called(payload, "forward") or members.called(payload, "__call__"):
        found = join(found, call(it, node, method, args, site))
    return found if found is not None else BOTTOM


def needed(it: Interp) -> list[Function]:
    """What is read even if nothing calls it: functions of the files that are translated, and methods of their classes.

    Of a file that they only import from: the methods of classes whose objects they make, or from which they inherit.
    """
    live: set[Class] = set()
    todo = [c for c in it.classes.values() if c.file is None or c.file.wanted]
    todo += [o.cls for o in it.objects.values() if isinstance(o, Instance)]
    while todo:
        cls = todo.pop()
        if cls not in live:
            live.add(cls)
            todo += [b.payload for b in cls.bases if isinstance(b.payload, Class)]
    return [f for f in it.functions.values() if f.file is None or f.file.wanted or f.owner in live]


def enqueue_makers(it: Interp) -> None:
    """What makes modules: constructors, and functions that take no tensors. Tensors flow only after that."""
    functions = needed(it)
    for function in functions:
        if function.owner is not None and function.name == "__init__":
            it.enqueue(function)
    for function in functions:
        if function.owner is None and isinstance(function.node, cst.FunctionDef) and not function.evidence:
            it.enqueue(function)


def enqueue_roots(it: Interp) -> None:
    """forward of the modules that no other module makes: from there, tensors reach the others."""
    for function in needed(it):
        if (cls := function.owner) is not None and cls.methods.get("forward") is function and not cls.makers - {cls}:
            it.enqueue(function)


def enqueue_uncalled(it: Interp) -> bool:
    """Is there any?"""
    uncalled = [f for f in needed(it) if f.runs == 0]
    for function in uncalled:
        it.enqueue(function)
    return bool(it.queue)
