"""Calls: of modules, of the user's functions, of the framework and of einops."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import table
from port.build import TIGHT, build, drop_commas, expression, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import (
    alike,
    containers,
    definitions,
    drawn,
    einopscalls,
    foreign,
    freezing,
    init_calls,
    init_parts,
    layer_values,
    layercalls,
    layers,
    losses,
    mapped,
    meetings,
    methods,
    modshapes,
    ownhelpers,
    recomputed,
    rows,
    scalars,
    spread,
    tables,
    unknowns,
    writes,
)
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    TO_FIRST,
    TO_LAST,
    Bound,
    Class,
    Function,
    Items,
    is_none,
    may_be_none,
    options,
    tensors_in,
)
from port.tree import code


def call(w: Any, node: cst.Call) -> Any:
    node = w.it.objects.get(("spread", node), node)
    node = spread.of_partial(w.it, w.function, node) or node
    callee: Fact = w.it.receivers.get(node) or w.fact(node.func)
    first = options(callee)[0]
    payload, symbol = first.payload, first.symbol
    if symbol in scalars.MAKERS and (size := scalars.write(w, node)) is not None:
        return size
    freezing.check_method(w, node)
    package = w.it.names.resolve(node.func)
    if not package.startswith(tables.PACKAGES):
        foreign.check_call(w, node, callee)
    if isinstance(payload, Bound):
        return _method(w, node, symbol, payload)
    if callee.kind is Kind.LAYER:
        return application(w, node, callee)
    if isinstance(payload, Function) and recomputed.hands_on(w.it, payload):
        return methods.checkpoint(w, node)
    if isinstance(payload, Function | Class):
        unknowns.check_parameter(w, node, [o.payload for o in options(callee) if type(o.payload) is type(payload)])
    if isinstance(payload, Function):
        return user_call(w, node, payload)
    if isinstance(payload, Class):
        return construction(w, spread.without_places(w.it, node, callee), payload)
    if payload is None and symbol.startswith("torch."):
        return framework(w, node, symbol, callee)
    if symbol.startswith("einops."):
        return einopscalls.write(w, node, symbol)
    if payload is None and symbol.startswith("helpers."):
        return ownhelpers.write(w, node, symbol)
    if symbol == tables.MAKER and tables.is_table(w, node):
        return tables.write(w, node)
    if symbol == mapped.MAP and (through := mapped.write(w, node)) is not None:
        return through
    if symbol in methods.BUILTINS and (new := methods.BUILTINS[symbol](w, node)) is not None:
        return new
    if payload is None and symbol in w.it.rows and symbol.rpartition(".")[0] in table.own_modules():
        return rows.write_call(w, gathered(node, symbol), symbol)
    word = init_calls.class_word(w, node)
    if word is not None:
        return word
    if package.startswith(tables.PACKAGES) and callee.kind in (Kind.UNKNOWN, Kind.FUNCTION):
        return rows.write_call(w, node, package)  # which says what to write instead
    _no_unknown_tensor_method(w, node)
    unknowns.check_callee(w, node, callee)
    return generic_call(w, spread.without_places(w.it, node, callee))


def _no_unknown_tensor_method(w: Any, node: cst.Call) -> None:
    """A method that tensors have, of something of which nothing is known: what it does cannot be told."""
    if isinstance(node.func, cst.Attribute) and w.fact(node.func.value).kind is Kind.UNKNOWN:
        name = node.func.attr.value
        if _is_module(w, node.func.value):
            return
        words = any(a.keyword is not None and a.keyword.value in definitions.TENSOR_WORDS for a in node.args)
        if name in definitions.TENSOR_METHODS or words:
            raise Refused("P204", f"`.{name}()` of something that is not known to be a tensor; a type hint would tell",
                          node)
        if f"tensor.{name}" in w.it.rows or f"torch.{name}" in w.it.rows:
            w.report("P103", f"`.{name}()` stays: it is not known that this is a tensor; a type hint would tell", node)


def _is_module(w: Any, node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in w.it.names.bound


# Methods of which it is known what they do.
FOLLOWED = {"list": ("append", "extend", "insert", "pop", "copy", "index", "count", "__iadd__"),
            "dict": ("get", "pop", "keys", "values", "items", "update", "setdefault", "copy")}
HARMLESS = ("len", "isinstance", "type", "print", "id", "hasattr", "callable", "repr", "str", "range", "super", "bool",
            "enumerate", "zip")


def _followed(w: Any, node: cst.Call) -> bool:
    """Is it known where tensors go that this call is given?"""
    owner, _, name = (w.it.receivers.get(node) or w.fact(node.func)).symbol.partition(".")
    return any(True for _ in tensors_in(w.fact(node))) or name in FOLLOWED.get(owner, ()) or (
        owner == "builtins" and name in HARMLESS)


def generic_call(w: Any, node: cst.Call) -> Any:
    """Of something that is not known: it gets tensors with their axes as in the source, in containers too."""
    func = w.expr(node.func)
    args = [w.expr(a) if _followed(w, node) else a.with_changes(value=w.plain(a.value)) for a in node.args]
    args = [a if new.value is a.value else new for a, new in zip(node.args, args, strict=True)]
    if func is node.func and all(a is b for a, b in zip(args, node.args, strict=True)):
        return node
    return node.with_changes(func=paren(func) if func is not node.func else func, args=args)


# ---------------------------------------------------------------- the framework
def framework(w: Any, node: cst.Call, symbol: str, callee: Fact) -> Any:
    if len(options(callee)) > 1:  # a class or function that a setting chose
        return through_value(w, node) if all(map(_is_module_class, options(callee))) else generic_call(w, node)
    if symbol.startswith("torch.nn.") and symbol.rpartition(".")[2][:1].isupper():
        if w.outside(node.func) == "":
            return through_value(w, node)
        return module(w, node, symbol)
    special = methods.FUNCTIONS.get(symbol)
    if special is not None:
        return special(w, node)
    padded = ownhelpers.same_padded(w, node, symbol)
    if padded is not None:
        return padded
    if w.outside(node.func) == "":  # a function that a variable holds
        return held_call(w, node)
    return rows.write_call(w, gathered(node, symbol), symbol)


def held_call(w: Any, node: cst.Call) -> Any:
    """Its tensors in the source's axes, unless it takes one and nothing else (an activation)."""
    want = w.it.wants.get(node, Layout.PLAIN) if len(node.args) == 1 else Layout.PLAIN
    args = [a.with_changes(value=w.expr(a.value, want)) if w.fact(a.value).kind is Kind.TENSOR else w.expr(a)
            for a in node.args]
    return node.with_changes(func=w.expr(node.func), args=args)


def _is_module_class(fact: Fact) -> bool:
    name = fact.symbol.rpartition(".")[2]
    return fact.payload is None and fact.symbol.startswith("torch.nn.") and name[:1].isupper()


def through_value(w: Any, node: cst.Call) -> Any:
    """`norm_layer(planes)`: the class is a value, which became a function with torch's signature.

    It is not told where its weights lie, nor of which type they are, as no layer that is made here is.
    """
    placed = [a for a in node.args if a.keyword is not None and a.keyword.value in ("device", "dtype")]
    if any(a.keyword.value == "dtype" and w.fact(a.value).literal(...) is not None for a in placed):  # type: ignore[union-attr]
        w.report("P103", "the layer computes in Keras' floatx: the dtype argument was left out", node)
    args = [a for a in node.args if a not in placed]
    if placed and args:
        args[-1] = args[-1].with_changes(comma=node.args[-1].comma)
    return generic_call(w, node.with_changes(args=args) if placed else node)


def module(w: Any, node: cst.Call, symbol: str) -> Any:
    """A module of torch.nn that is made here."""
    if symbol.endswith("Loss"):
        return losses.write_loss(w, node, symbol)
    container = containers.WRITERS.get(symbol)
    if container is not None:
        return container(w, node)
    elements = elements_of(w, node, symbol)
    if len(elements) == 1:
        return elements[0]
    w.need("keras")
    return build("keras.Sequential([{x}])", x="0").with_changes(args=[cst.Arg(bracketed(elements))])


def elements_of(w: Any, node: cst.Call, symbol: str) -> list[Any]:
    node = w.it.objects.get(("spread", node), node)
    layer = w.it.layers.get((node, symbol))
    if layer is None:
        raise Refused("P204", f"nothing is known of this {symbol.rpartition('.')[2]}", node)
    elements = [layer_values.write_made(w, node, layer)] if layer.problem else list(
        layers.write_layer(w, node, layer).elements)
    if not meetings.is_enclosed(w.it, layer) or modshapes.wish(layer.symbol) is None:
        return elements
    rank = modshapes.rank_taken(layer)
    if rank is None:
        raise Refused("P208", f"how many axes this {symbol.rpartition('.')[2]} gets is not known", node, symbol)
    if rank in TO_LAST:
        return [containers.permute(w, TO_LAST[rank]), *elements, containers.permute(w, TO_FIRST[rank])]
    return elements


def bracketed(elements: list[Any]) -> cst.List:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(elements) - 1
    return cst.List([cst.Element(e, comma=comma if i < last else cst.MaybeSentinel.DEFAULT)
                     for i, e in enumerate(elements)])


# ---------------------------------------------------------------- applications
def application(w: Any, node: cst.Call, callee: Fact) -> Any:
    """`module(x)`: each tensor in the layout that the module takes."""
    containers.agree(w, callee, node)
    unknowns.check_input(w, node, callee)
    recipe = [o.payload for o in options(callee)]
    writes.of_call(w, node, callee)
    forwards = [f for p in recipe for f in layercalls.forwards(p)]
    function = next((f for f in forwards if not alike.taken(w.it, f)), None)
    if function is None and len(forwards) == len(recipe):
        function = forwards[0]
    func = w.expr(node.func)
    args = arguments(w, node, function, default=w.it.wants.get(node))
    args = with_mode(w, node, _by_name(w, node, function, args))
    return node.with_changes(func=paren(func), args=args)


def _by_name(w: Any, node: cst.Call, function: Function | None, args: list[Any]) -> list[Any]:
    """Keras takes only tensors by place, and gives `call` its `mask`, or the `src_mask` of `src`, where it is None."""
    names = function.arguments if function is not None and function.owner is not None else []
    by_place = zip((a.value for a in node.args if a.keyword is None), names, strict=False)
    first = next((i for i, (value, name) in enumerate(by_place) if _no_input(w.fact(value), name if i else "")), None)
    if first is None or any(a.star for a in node.args):
        return args
    return [a if a.keyword is not None or i < first else a.with_changes(keyword=cst.Name(names[i]), equal=TIGHT)
            for i, a in enumerate(args)]


def _no_input(fact: Fact, name: str) -> bool:
    """A number, a shape, a module or a function; a mask that may be None."""
    if name == "mask" or name.endswith("_mask"):
        return fact.kind is not Kind.TENSOR or may_be_none(fact)
    kinds = (Kind.PLAIN, Kind.SHAPE, Kind.LAYER, Kind.MODEL, Kind.FUNCTION)
    return fact.kind in kinds and not is_none(fact) and not any(True for _ in tensors_in(fact))


def with_mode(w: Any, node: cst.Call, args: list[Any]) -> list[Any]:
    """`training=False` behind `model.eval()`."""
    mode = w.modes.get(cst.Module([]).code_for_node(node.func)) if w.modes else None
    if mode is None:
        return args
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if args:
        args = [*args[:-1], args[-1].with_changes(comma=comma)]
    return [*args, cst.Arg(cst.Name(mode), keyword=cst.Name("training"), equal=TIGHT)]


def arguments(w: Any, node: cst.Call, function: Function | None, default: Layout | None = None) -> list[Any]:
    """Arguments of a call of the user's code."""
    names = function.arguments if function is not None else []
    out, at = [], 0
    for arg in node.args:
        name = arg.keyword.value if arg.keyword is not None else names[at] if at < len(names) else ""
        at += arg.keyword is None and not arg.star
        fact = w.fact(arg.value)
        want = default
        if function is not None:
            want = Layout.FLIPPED if function.chooses and function.is_flipped(name) else Layout.PLAIN
            want = None if name and name == alike.taken(w.it, function) else want
            if want is Layout.FLIPPED and fact.kind is Kind.UNKNOWN:
                raise Refused("P204", f"what `{code(arg.value)}` is is not known, and `{function.name}` takes it "
                              "channels last in Keras", node)
            unknowns.check_container(w, node, arg, function, name)
        if fact.kind is not Kind.TENSOR or fact.rank in (0, 1, 2):
            want = None
        if isinstance(fact.payload, Items) and any(t.layout is Layout.FLIPPED for t in tensors_in(fact)):
            want = None
        value = w.expr(arg.value, want)
        out.append(arg if value is arg.value else arg.with_changes(value=value))
    return out


def user_call(w: Any, node: cst.Call, function: Function) -> Any:
    known = init_calls.exists_weight(w, node, function)
    if known is not None:
        return known
    init_calls.check_exists(w, node)
    writes.of_call(w, node, w.it.receivers.get(node) or w.fact(node.func))
    func = w.expr(node.func)
    args = arguments(w, node, function)
    if function in w.trained and function.name != "forward" and not any(
            a.keyword is not None and a.keyword.value == "training" for a in args):
        if args:
            last = args[-1].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
            args = [*args[:-1], last]
        args.append(cst.Arg(w.training(), keyword=cst.Name("training"), equal=TIGHT))
    return node.with_changes(func=func, args=args)


def construction(w: Any, node: cst.Call, cls: Class) -> Any:
    from port.torch2tf import members

    init = members.find_method(cls, "__init__")
    args = arguments(w, node, init)
    return node.with_changes(func=w.expr(node.func), args=args)


def _method(w: Any, node: cst.Call, symbol: str, bound: Bound) -> Any:
    kind = symbol.partition(".")[0]
    assert isinstance(node.func, cst.Attribute) or kind != "tensor"
    if kind == "tensor" and isinstance(node.func, cst.Attribute):
        if is_reversal(node):
            return reversed_axes(w, node.func.value)
        random = init_parts.size(w, node) or drawn.write(w, node)
        return random if random is not None else rows.write_call(w, gathered(node, symbol), symbol, node.func.value)
    if kind == "module":
        if bound.name == "forward":
            writes.of_call(w, node, bound.owner)
        return methods.of_module(w, node, bound)
    if kind == "list":
        return containers.list_method(w, node, bound)
    _no_unknown_tensor_method(w, node)
    return generic_call(w, node)


SIZES = {f"tensor.{n}" for n in ("view", "reshape", "expand", "permute", "repeat", "tile", "new_zeros", "new_ones")}
SIZES |= {f"torch.{n}" for n in ("zeros", "ones", "rand", "randn", "empty", "meshgrid", "broadcast_tensors",
                                 "cartesian_prod")}


def gathered(node: cst.Call, symbol: str) -> cst.Call:
    """`x.view(*shape, 3)` as `x.view((*shape, 3))`: sizes that are given one by one may be a sequence as well."""
    sizes = [a for a in node.args if a.keyword is None]
    if symbol not in SIZES or not any(a.star == "*" for a in sizes):
        return node
    whole: cst.BaseExpression = sizes[0].value
    if len(sizes) > 1:
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        whole = cst.Tuple([
            (cst.StarredElement if a.star else cst.Element)(
                a.value, comma=comma if i < len(sizes) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, a in enumerate(sizes)])
    rest = [a for a in node.args if a.keyword is not None]
    own = cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")) if rest else cst.MaybeSentinel.DEFAULT
    return node.with_changes(args=[cst.Arg(whole, comma=own), *rest])


def is_reversal(node: cst.Call) -> bool:
    """`x.permute(*reversed(range(x.dim())))`"""
    assert isinstance(node.func, cst.Attribute)
    if node.func.attr.value != "permute" or len(node.args) != 1 or node.args[0].star != "*":
        return False
    code = cst.Module([]).code_for_node
    x = code(node.func.value)
    return code(node.args[0].value) in (f"reversed(range({x}.dim()))", f"reversed(range({x}.ndim))")


def reversed_axes(w: Any, x: cst.BaseExpression) -> Any:
    new = w.expr(x, Layout.PLAIN)
    word = "keras.ops.transpose" if w.target == "keras" else "tf.transpose"
    w.need(word.partition(".")[0])
    return build(f"{word}({{x}})", x=new)


__all__ = ["call", "drop_commas", "expression"]
