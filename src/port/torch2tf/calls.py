"""Facts of calls: modules, functions of the user, functions and methods of the framework, builtins."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import libcst as cst

from port import table
from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.scopes import Env
from port.torch2tf import (
    anyname,
    dicts,
    einops,
    either,
    foreign,
    mapped,
    meetings,
    members,
    modules,
    namedmakers,
    opshapes,
    probes,
    pycalls,
    pynumbers,
    recomputed,
    spread,
    tables,
    toldbyuse,
    users,
    weightnorm,
)
from port.torch2tf.values import (
    BOTTOM,
    PLAIN,
    Alternatives,
    Bound,
    Chain,
    Class,
    Function,
    Instance,
    Items,
    Layer,
    Mapping,
    Partial,
    SelfOf,
    ShapeOf,
    Size,
    is_none,
    join,
    options,
    tensors_in,
    text,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def call(it: Interp, node: cst.Call, env: Env) -> Fact:
    callee = it.ev(node.func, env)
    if callee is UNKNOWN and (chosen := namedmakers.chosen(it, node)) is not None:
        callee = chosen
    if callee.kind is Kind.UNKNOWN or callee.symbol.startswith("object."):
        callee = toldbyuse.method(it, node, callee, env)
    args = [it.ev(a.value, env) for a in node.args]
    if callee.kind is Kind.LAYER and args and isinstance(options(callee)[0].payload, Layer | Chain):
        args[0] = either.used(it, node.args[0].value, args[0], True)
    it.receivers[node] = callee
    if callee.symbol.startswith(("torch.", "tensor.")) and any(a.star for a in node.args):
        original = node
        node = spread.written_out(it, node)
        it.receivers[node] = callee
        node = spread.opened(it, original, node, env)
        it.receivers[node], args = callee, [it.fact(a.value) for a in node.args]
    if callee.symbol.startswith("torch.nn."):
        it.homes[node] = it.file
    flip = callee.kind is Kind.LAYER and modules.one_layout(it, options(callee), args)
    source = callee.kind is Kind.LAYER and not flip and meetings.source_axes(it, options(callee), args)
    if isinstance(callee.payload, Alternatives):
        with modules.ranks_open(it, options(callee)):
            found = call_any(it, node, callee.payload, args, env)
    else:
        found = _call(it, node, callee, args, env)
    if flip or source:
        it.wants[node] = Layout.FLIPPED if flip else Layout.PLAIN
    return found


def _call(it: Interp, node: cst.Call, callee: Fact, args: list[Fact], env: Env) -> Fact:
    payload = callee.payload
    if callee is BOTTOM or is_none(callee) or text(callee):  # None, so far: nobody calls that, another value will come
        return BOTTOM
    if callee.kind is Kind.LAYER and not isinstance(payload, Items):
        return modules.apply(it, node, callee, args)
    if payload is None:
        return _of_symbol(it, node, callee, args, env)
    if isinstance(payload, Function):
        return _checkpoint(it, node, args, recomputed.settings(payload)) if recomputed.hands_on(
            it, payload) else users.call(it, node, payload, args)
    if isinstance(payload, Class):
        return users.instantiate(it, node, payload, args)
    if isinstance(payload, Instance):
        return users.apply(it, node, payload, args)
    if isinstance(payload, Partial):
        return _call_partial(it, node, payload, args, env)
    if isinstance(payload, Bound):
        return _method(it, node, callee.symbol, payload, args)
    if isinstance(payload, Alternatives):
        return call_any(it, node, payload, args, env)
    return _of_symbol(it, node, callee, args, env)


def _of_symbol(it: Interp, node: cst.Call, callee: Fact, args: list[Fact], env: Env) -> Fact:
    """The same of what has a name, and is not of the user's."""
    symbol = callee.symbol
    if (symbol.startswith("torch.nn.") and _is_class(symbol)) or symbol.endswith((".QuantStub", ".DeQuantStub")):
        return modules.make(it, node, symbol, args)
    special = SPECIAL.get(symbol)
    args = mapped.read(it, node, args, env) if symbol == mapped.MAP else args
    if special is not None:
        return special(it, node, args)
    if symbol.startswith("torch."):
        return opshapes.function(it, node, symbol.removeprefix("torch.").removeprefix("nn.functional."), args)
    if symbol.startswith("einops."):
        return einops.call(it, node, symbol, args)
    if symbol.startswith("helpers."):
        name = symbol.removeprefix("helpers.")
        return modules.make(it, node, symbol, args) if name[0].isupper() else opshapes.function(it, node, name, args)
    if symbol in it.rows and symbol.rpartition(".")[0] in table.own_modules():
        return opshapes.own(it, node, args)
    if symbol.startswith("builtins.super"):
        owner = it.current[-1].owner if it.current else None
        return Fact(Kind.LAYER if owner is not None and owner.is_module else Kind.UNKNOWN,
                    payload=SelfOf(owner, above=True)) if owner is not None else UNKNOWN
    numbers = callee.kind is Kind.FUNCTION and symbol.startswith(("builtins.", "math.", "numpy."))
    return pynumbers.called(symbol) if numbers else foreign.made(callee, args)


def call_any(it: Interp, node: cst.Call, payload: Alternatives, args: list[Fact], env: Env) -> Fact:
    found: Fact | None = None
    for option in payload.options:
        if not _stays(option):
            found = join(found, _call(it, node, option, args, env))
    return found or UNKNOWN


def _stays(option: Fact) -> bool:
    """What is not called where others are: a dict or list of modules, which another setting gives; a class that Keras
    has no base for, or of another package of PyTorch's: to choose it raises (tables.py)."""
    payload = option.payload
    if payload is None and option.symbol.startswith(tables.PACKAGES):
        return True
    if isinstance(payload, Mapping | Items):
        return payload.kind == "modules"
    return isinstance(payload, Class) and payload.root.startswith("torch.") and payload.root != "torch.nn.Module"


def _call_partial(it: Interp, node: cst.Call, partial: Partial, args: list[Fact], env: Env) -> Fact:
    if partial.node in it.partials:
        return BOTTOM  # `f = partial(f, ...)` in a loop: a partial of itself, which says no more than the others
    pairs = [*zip(partial.node.args[1:], (it.fact(a.value) for a in partial.node.args[1:]), strict=True),
             *zip(node.args, args, strict=True)]
    own = {a.keyword.value for a in node.args if a.keyword is not None}
    pairs = [p for p in pairs if p[0].keyword is None or p[0].keyword.value not in own or p[0] in node.args]
    pairs.sort(key=lambda p: p[0].keyword is not None or p[0].star == "**")  # positional ones first
    known = it.objects.setdefault(("partial", node, partial.node), node.with_changes(args=[p[0] for p in pairs]))
    given = [p[1] for p in pairs]
    it.partials.append(partial.node)
    try:
        return _call(it, known, partial.function, given, env)
    finally:
        it.partials.pop()


def _is_class(symbol: str) -> bool:
    return symbol.rpartition(".")[2][:1].isupper()


# ---------------------------------------------------------------- methods
def _method(it: Interp, node: cst.Call, symbol: str, bound: Bound, args: list[Fact]) -> Fact:
    kind, _, name = symbol.partition(".")
    owner = bound.owner
    if isinstance(owner.payload, SelfOf) and name == "__init__" and not owner.payload.cls.is_module:
        users.fill(it, node, owner.payload.cls, args)
    if kind == "tensor":
        return opshapes.method(it, node, name, owner, args)
    if kind == "module":
        return modules.method(it, node, name, owner, args)
    if kind == "shape":
        return _shape_method(owner, name, args)
    if kind == "list" and isinstance(owner.payload, Items):
        return _list_method(it, node, owner.payload, name, args)
    if kind == "dict" and isinstance(owner.payload, Mapping):
        return dicts.method(it, node, owner.payload, name, args)
    return PLAIN if owner.kind is Kind.PLAIN else foreign.made(owner, args)


def _shape_method(owner: Fact, name: str, args: list[Fact]) -> Fact:
    shape: ShapeOf = owner.payload
    if name == "numel":
        return Fact(Kind.PLAIN, payload=Size(None, True))
    del shape, args
    return PLAIN


def _list_method(it: Interp, node: cst.Call, items: Items, name: str, args: list[Fact]) -> Fact:
    news = False
    if name == "append" and args:
        if items.plain and members.has_layout(args[0]) and isinstance(node.args[0].value, cst.Name) and (
                variable := it.variable(node.args[0].value.value)) in it.numeric:
            it.unsettled.add(variable)
        news = items.add(node, args[0], it.depth)
    elif name in ("extend", "__iadd__") and args:
        added = args[0].payload
        if isinstance(added, Items):
            for i, element in enumerate(added.elements):
                news |= items.add((node, i), element, it.depth)
            items.open |= added.open
        else:
            news = items.add(node, members.element_of(it, args[0]), it.depth)
            items.open = True
    elif name == "insert" and len(args) == 2:
        items.open = True
        news = items.add(node, args[1], it.depth)
    elif name == "pop":
        items.open = True
        return items.any() or BOTTOM
    elif name == "copy":
        return it.fresh(Items(list(items.elements), items.kind, items.open))
    if news:
        it.touched(items)
    return PLAIN


# ---------------------------------------------------------------- functions that hand on
def _map(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if len(args) < 2:
        return UNKNOWN
    function = args[0].payload
    if not isinstance(function, Function):
        return Fact(Kind.PLAIN, payload=Items([UNKNOWN], open=True))
    payload = args[1].payload
    function.fixed = True
    if isinstance(payload, Items) and not payload.open and len(args) == 2:
        return Fact(Kind.PLAIN, payload=Items([users.call(it, None, function, [e]) for e in payload.elements], "tuple"))
    one = users.call(it, None, function, [members.element_of(it, a) for a in args[1:]])
    return Fact(Kind.PLAIN, payload=Items([one], "tuple", True))


def _first(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return args[0] if args else UNKNOWN


def _partial(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if not args or node.args[0].star:
        return UNKNOWN
    known = it.objects.setdefault(node, Partial(args[0], node))
    known.function = args[0]
    return Fact(Kind.FUNCTION, payload=known)

def _checkpoint(it: Interp, node: cst.Call, args: list[Fact], settings: Collection[str] = recomputed.SETTINGS) -> Fact:
    """checkpoint(function, *args): what the function gives."""
    if not recomputed.is_direct(node):
        return UNKNOWN
    inner = it.objects.setdefault(node, recomputed.direct(node, settings))
    it.receivers[inner] = args[0]
    given = [it.fact(a.value) for a in inner.args]
    found: Fact | None = None
    for option in options(args[0]):
        found = join(found, _call(it, inner, option, given, Env()))
    return found if found is not None else UNKNOWN


def _default_dtype(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return Fact(Kind.PLAIN, symbol="tensor.dtype", dtype="float")


def _fans(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, dtype="int")] * 2, "tuple"))


SPECIAL: dict[str, Any] = pycalls.SPECIAL | pynumbers.TUPLES | {
    "torch.nn.init._calculate_fan_in_and_fan_out": _fans,
    "torch.get_default_dtype": _default_dtype,
    "builtins.map": _map,
    "functools.partial": _partial, "copy.deepcopy": _first, "copy.copy": _first, "builtins.getattr": probes.get,
    "builtins.hasattr": probes.has, "builtins.isinstance": probes.is_instance,
    "builtins.setattr": anyname.set_,
    "torch.utils.checkpoint.checkpoint": _checkpoint, "torch.jit.script": _first,
    "typing.cast": lambda it, node, args: args[1] if len(args) > 1 else UNKNOWN,
} | dict.fromkeys(weightnorm.SYMBOLS, weightnorm.mark)
__all__ = ["Chain", "Layer", "call", "tensor", "tensors_in"]
