"""Facts of expressions, by the kind of node; `flow` walks the statements."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import libcst as cst

from port import versions
from port.binding import literal_text
from port.facts import UNKNOWN, Fact, Kind, Layout, arithmetic, tensor
from port.names import canonical
from port.scopes import Env, File
from port.tf2torch.infer import anyname, calls, choices, joins, keyed, several, shapes, sizes
from port.tf2torch.infer.arrays import combined, is_array
from port.tf2torch.infer.assignments import assign
from port.tf2torch.infer.attributes import inherited, object_attribute, of_super, tensor_attribute, variable_of
from port.tf2torch.infer.builtins import ACTIVATION
from port.tf2torch.infer.conditions import LIST, is_exact_number, is_number
from port.tf2torch.infer.definitions import member
from port.tf2torch.infer.elementwise import is_activation
from port.tf2torch.infer.given import Given
from port.tf2torch.infer.inputs import is_input
from port.tf2torch.infer.interp import TEXT, Interp
from port.tf2torch.infer.loops import element_of
from port.tf2torch.infer.origins import join_origin
from port.tf2torch.infer.subscripts import subscript
from port.tf2torch.infer.values import (
    Choice,
    Function,
    Grown,
    Inputs,
    Items,
    SelfValue,
    ShapeOf,
    Size,
    common,
    has_tensor,
    may_flip,
    tensors_in,
)
from port.tree import code

_COMPARE = {cst.Equal: lambda a, b: a == b, cst.NotEqual: lambda a, b: a != b, cst.Is: lambda a, b: a is b,
            cst.IsNot: lambda a, b: a is not b, cst.In: lambda a, b: a in b, cst.NotIn: lambda a, b: a not in b,
            cst.LessThan: lambda a, b: a < b, cst.GreaterThan: lambda a, b: a > b,
            cst.LessThanEqual: lambda a, b: a <= b, cst.GreaterThanEqual: lambda a, b: a >= b}
_CONSTANTS = {text: Fact(Kind.PLAIN, values=frozenset([value]))
              for text, value in (("True", True), ("False", False), ("None", None))}
_ARITHMETIC = {cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.FloorDivide: "//"}


def _name(it: Interp, node: cst.Name, env: Env) -> Fact:
    found = env.get(node.value)
    if found is not None:
        return found
    if node.value in _CONSTANTS:
        return _CONSTANTS[node.value]
    bound = env.top().file.names.bound
    if node.value in bound:
        return _symbol(bound[node.value])
    return _symbol(f"builtins.{node.value}") if hasattr(builtins, node.value) else UNKNOWN


NUMBERS = {f"{module}.{name}" for module in ("math", "numpy") for name in ("pi", "e", "inf", "nan", "tau")}


@lru_cache(1 << 12)
def _symbol(name: str) -> Fact:
    return sizes.number(False, []) if name in NUMBERS else Fact(Kind.FUNCTION, symbol=canonical(name))


def _literal(it: Interp, node: Any, env: Env) -> Fact:
    return _literal_fact(code(node) if type(node) is cst.ConcatenatedString or node.lpar else node.value)


@lru_cache(1 << 14)
def _literal_fact(text: str) -> Fact:
    try:
        return Fact(Kind.PLAIN, values=frozenset([literal_text(text)]))
    except LookupError:
        return TEXT


def _unary(it: Interp, node: cst.UnaryOperation, env: Env) -> Fact:
    inner = it.ev(node.expression, env)
    if inner.kind is Kind.TENSOR:
        return inner.but(mask=None)
    if is_array(inner):
        return inner.but(symbol="")
    value = inner.literal(...)
    if value is ...:
        if isinstance(node.operator, cst.Minus) and isinstance(inner.payload, Size):
            return Fact(Kind.PLAIN, payload=Size(arithmetic("-", 0, inner.payload.dim)))
        return it.plain(node)
    if isinstance(node.operator, cst.Not):
        return it.value(not value)
    if isinstance(node.operator, cst.Minus) and isinstance(value, int | float):
        return it.value(-value)
    return it.plain(node)


def _repeated(items: Fact, times: Fact) -> Items | None:
    """`(1,) * 3`"""
    n = times.literal(...)
    if not isinstance(items.payload, Items) or not isinstance(n, int) or isinstance(n, bool):
        return None
    return Items(items.payload.elements * n, items.payload.kind)


def _binary(it: Interp, node: cst.BinaryOperation, env: Env) -> Fact:
    a, proofs, b = it.ev(node.left, env), it.proofs, it.ev(node.right, env)
    if it.proofs > proofs:
        a = it.ev(node.left, env)  # of a variable whose rank the right side has shown
    if Kind.TENSOR in (a.kind, b.kind):
        if isinstance(node.operator, cst.MatrixMultiply):
            return shapes.matmul(Given((a, b), _none, _none, _none, ()))
        both = tuple(f if f.kind is Kind.TENSOR else tensor(f.shape) for f in (a, b)
                     if f.kind is Kind.TENSOR or (is_array(f) and f.shape is not None))
        result = shapes.broadcast(Given(both, _none, _none, _none, ()))
        return result.but(payload=join_origin(both), mask=None)
    if (held := combined(a, b)) is not None:
        return held
    if isinstance(node.operator, cst.Add) and (isinstance(a.payload, Items) and isinstance(b.payload, Items)):
        less = b.payload if a.payload.whole else a.payload
        return Fact(Kind.PLAIN, payload=less.part(a.payload.elements + b.payload.elements, a.payload.kind))
    if (sized := sizes.combined(it, node, a, b)) is not None:
        return sized
    if isinstance(node.operator, cst.Multiply) and Items in (type(a.payload), type(b.payload)):
        if repeated := _repeated(a, b) or _repeated(b, a):
            return Fact(Kind.PLAIN, payload=repeated)
        return it.plain(node).but(dtype=None if has_tensor(a) or has_tensor(b) else LIST)
    x, y = a.literal(...), b.literal(...)
    op = _ARITHMETIC.get(type(node.operator))
    if isinstance(x, int) and isinstance(y, int) and op and not (op == "//" and y == 0):
        return it.value(arithmetic(op, x, y))
    if op and (isinstance(a.payload, Size) or isinstance(b.payload, Size)):
        return Fact(Kind.PLAIN, payload=Size(arithmetic(op, it.dim(node.left, a), it.dim(node.right, b))))
    if is_number(a) and is_number(b):
        return it.plain(node).but(dtype="float" if is_exact_number(a) and is_exact_number(b) else "float?")
    return it.plain(node)


def _comparison(it: Interp, node: cst.Comparison, env: Env) -> Fact:
    left = it.ev(node.left, env)
    rights = [it.ev(t.comparator, env) for t in node.comparisons]
    operator = node.comparisons[0].operator
    if (told := versions.holds(it.names, node, versions.TENSORFLOW)) is not None:
        return it.value(told)
    if (len(rights) == 1 and type(operator) in (cst.Is, cst.IsNot) and rights[0].literal(...) is None
            and (has_tensor(left) or left.kind in (Kind.LAYER, Kind.MODEL))):
        maybe = left.symbol == "?" or (not has_tensor(left) and several.may_be_none(it, node.left))
        return Fact(Kind.PLAIN, symbol="=") if maybe else it.value(isinstance(operator, cst.IsNot))
    if len(rights) == 1 and rights[0].literal(...) is None and it.current and isinstance(
            node.left, cst.Name) and node.left.value in it.current[-1].absent and isinstance(
            operator, cst.Is | cst.IsNot):
        return it.value(isinstance(operator, cst.Is))  # a Keras tensor cannot be passed in
    if any(f.kind is Kind.TENSOR for f in (left, *rights)):
        facts = tuple(f for f in (left, *rights) if f.kind is Kind.TENSOR)
        return shapes.compare(Given(facts, _none, _none, _none, ()))
    if len(rights) == 1 and (held := combined(left, rights[0])) is not None:
        return held
    a = left.literal(...)
    b = rights[0].literal(...) if len(rights) == 1 else ...
    if a is ... or b is ... or type(operator) not in _COMPARE:
        ordered = all(type(t.operator) not in (cst.Is, cst.IsNot, cst.In, cst.NotIn) for t in node.comparisons)
        return (sizes.compared([left, *rights]) if ordered else None) or it.plain(node)
    try:
        return it.value(_COMPARE[type(operator)](a, b))
    except TypeError:
        return it.plain(node)


def _boolean(it: Interp, node: cst.BooleanOperation, env: Env) -> Fact:
    a, b = it.ev(node.left, env).literal(...), it.ev(node.right, env).literal(...)
    decisive = isinstance(node.operator, cst.Or)
    for known in (a, b):
        if known is not ... and bool(known) is decisive:
            return it.value(decisive)
    if a is not ... and b is not ...:
        return it.value(bool(b))
    both = [it.facts.get(node.left, UNKNOWN), it.facts.get(node.right, UNKNOWN)]
    if any(isinstance(f.payload, Size) for f in both) and sizes.are_numbers(both):
        return sizes.number(True, both)
    return several.chosen(*both) or it.plain(node)


def _choice(it: Interp, node: cst.IfExp, env: Env) -> Fact:
    test = it.ev(node.test, env).literal(...)
    a, b = it.ev(node.body, env), it.ev(node.orelse, env)
    if test is not ...:
        return a if test else b
    if Kind.TENSOR in (a.kind, b.kind):
        if a.kind is not b.kind and any(map(may_flip, tensors_in(b if a.kind is Kind.TENSOR else a))):
            return tensor(None, None, Layout.MIXED)  # a tensor, or a container of such
        if any(f.kind is Kind.TENSOR and may_flip(f) and f.layout is Layout.FLIPPED for f in (a, b)) and (
                joins.is_lost(a) or joins.is_lost(b)):
            return tensor(None, None, Layout.MIXED)  # what is not known has the source's axes, if it is a tensor
        return joins.chosen(it, node.test, a, b)
    if all(isinstance(f.payload, Items | Grown) and has_tensor(f) for f in (a, b)):
        return Fact(Kind.PLAIN, payload=Grown(common([*tensors_in(a), *tensors_in(b)]), "?"))
    if (one := choices.of_builders(a, b) or choices.of_classes(a, b) or several.chosen(a, b)) is not None:
        return one
    if a.values is not None and b.values is not None:
        return Fact(Kind.PLAIN, values=a.values | b.values, symbol="=")
    if isinstance(a.payload, Size) or isinstance(b.payload, Size):
        return sizes.number(True, [a, b]) if sizes.are_numbers([a, b]) else it.plain(node)
    return it.plain(node)


def _items(it: Interp, node: cst.List | cst.Tuple, env: Env) -> Fact:
    kind = "list" if type(node) is cst.List else "tuple"
    elements: list[Fact] = []
    for element in node.elements:
        fact = it.ev(element.value, env)
        if type(element) is cst.StarredElement:
            inner = it.unpack(fact)
            if inner is None:
                return it.plain(node)
            elements += inner
        else:
            elements.append(it.named(fact, element.value))
    values = [e.literal(...) for e in elements]
    literal = frozenset([tuple(values)]) if all(v is not ... for v in values) else None
    return Fact(Kind.PLAIN, values=literal, payload=Items(elements, kind, not elements, len(elements)))


def _attribute(it: Interp, node: cst.Attribute, env: Env) -> Fact:
    owner = it.ev(node.value, env)
    name = node.attr.value
    if owner.kind is Kind.TENSOR:
        return tensor_attribute(owner, name, variable_of(node.value))
    if isinstance(owner.payload, SelfValue):
        found = owner.payload.cls.attrs.get(name)
        if found is None:
            found = inherited(owner.payload.cls, name) or anyname.computed(owner.payload.cls, name)
        return found if found is not None else Fact(Kind.UNKNOWN, symbol=f"self.{name}")
    if isinstance(owner.payload, File):
        return member(it, owner.payload, name)
    if isinstance(owner.payload, ShapeOf) and name == "as_list":
        return Fact(Kind.UNKNOWN, symbol="shape.as_list", payload=owner)
    if isinstance(owner.payload, ShapeOf) and name in ("rank", "ndims"):
        rank = owner.payload.of.rank
        return it.value(rank) if rank is not None else it.plain(node)
    if name == "shape" and type(node.value) is cst.Name and _is_open(owner):  # not known to be a tensor
        return Fact(Kind.SHAPE, payload=ShapeOf(tensor()))
    if owner.symbol == "super" and (method := of_super(it, name)) is not None:
        return method
    if owner.symbol and owner.kind is Kind.FUNCTION:
        return _symbol(f"{owner.symbol}.{name}")
    return object_attribute(owner, name) or it.plain(node)


def _is_open(fact: Fact) -> bool:
    return fact.kind in (Kind.PLAIN, Kind.UNKNOWN) and fact.payload is None and fact.values is None and (
        fact.dtype is None and fact.symbol[:1] in ("", "="))


def _subscript(it: Interp, node: cst.Subscript, env: Env) -> Fact:
    owner = it.ev(node.value, env)
    for element in node.slice:
        it.ev(element.slice, env)
    return subscript(it, node, owner)


def _index(it: Interp, node: cst.Index, env: Env) -> Fact:
    return it.ev(node.value, env)


def _call(it: Interp, node: cst.Call, env: Env) -> Fact:
    return calls.call(it, node, env)


def _named_expression(it: Interp, node: cst.NamedExpr, env: Env) -> Fact:
    value = it.ev(node.value, env)
    assign(it, node.target, value, env)
    return value


def _lambda(it: Interp, node: cst.Lambda, env: Env) -> Fact:
    function = it.functions.get(node)
    if function is None:
        params = [p.name.value for p in node.params.params]
        function = it.functions[node] = Function("<lambda>", node, env, params=params)
    function.env = env
    if not function.called:
        it.ev(node.body, Env(env, dict.fromkeys(function.params, UNKNOWN)))
    return Fact(Kind.FUNCTION, payload=function)


def _comprehension(it: Interp, node: Any, env: Env) -> Fact:
    inner = Env(env)
    _comp_for(it, node.for_in, inner)
    outer, it.hidden = it.hidden, it.hidden | set(inner.names)
    element = it.ev(node.elt, inner)
    it.hidden = outer
    if has_tensor(element):
        nested = element.kind is not Kind.TENSOR
        return Fact(Kind.PLAIN, payload=Grown(common(tensors_in(element)).but(shape=None), "?", nested))
    if element.kind in (Kind.LAYER, Kind.MODEL):
        return Fact(Kind.PLAIN, payload=Items([element], "layers"))
    if isinstance(element.payload, Size):
        return sizes.shape(None, [element], "list")
    return it.plain(node)


def _dict(it: Interp, node: cst.Dict, env: Env) -> Fact:
    values = []
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            it.ev(element.key, env)
        values.append(it.ev(element.value, env))
    if values and all(map(is_input, values)):
        keys = {it.facts.get(e.key, UNKNOWN).literal(None): e for e in node.elements if isinstance(e, cst.DictElement)}
        if len(keys) == len(values) and all(isinstance(k, str) for k in keys):
            held = {str(k): it.facts.get(e.value, UNKNOWN) for k, e in keys.items()}
            return Fact(Kind.PLAIN, payload=Inputs(held, {str(k): code(e.key) for k, e in keys.items()}))
    if values and all(v.kind is Kind.FUNCTION and v.payload is not None for v in values):
        return Fact(Kind.PLAIN, payload=Choice(values))
    if values and all(is_activation(it, v) for v in values):
        return Fact(Kind.PLAIN, payload=Choice([Fact(Kind.FUNCTION, symbol=ACTIVATION)]))
    return keyed.of_literal(node, values) or it.plain(node)


def _dict_comprehension(it: Interp, node: cst.DictComp, env: Env) -> Fact:
    inner = Env(env)
    _comp_for(it, node.for_in, inner)
    it.ev(node.key, inner)
    it.ev(node.value, inner)
    return it.plain(node)


def _comp_for(it: Interp, node: cst.CompFor, env: Env) -> None:
    assign(it, node.target, element_of(it, node.iter, env), env)
    for test in node.ifs:
        it.ev(test.test, env)
    if node.inner_for_in is not None:
        _comp_for(it, node.inner_for_in, env)



def _none(name: str) -> Any:
    raise LookupError


EXPRESSIONS: dict[type[cst.CSTNode], Callable[[Interp, Any, Env], Fact]] = {
    cst.Name: _name,
    cst.NamedExpr: _named_expression,
    cst.UnaryOperation: _unary,
    cst.BinaryOperation: _binary,
    cst.Comparison: _comparison,
    cst.BooleanOperation: _boolean,
    cst.IfExp: _choice,
    cst.Attribute: _attribute,
    cst.Subscript: _subscript,
    cst.Index: _index,
    cst.Call: _call,
    cst.Lambda: _lambda,
    cst.Dict: _dict,
    cst.DictComp: _dict_comprehension,
    cst.Integer: _literal,
    cst.Float: _literal,
    cst.SimpleString: _literal,
    cst.ConcatenatedString: _literal,
    cst.List: _items,
    cst.Tuple: _items,
    cst.ListComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.SetComp: _comprehension,
}
