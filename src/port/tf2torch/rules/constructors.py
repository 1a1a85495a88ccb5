"""How a class that a builder, a block or the user's own class became is made: with sizes and settings."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import TIGHT, argument, drop_commas, expression, reflow
from port.facts import UNKNOWN, Dim, Fact
from port.tf2torch.calls.applying import parameter_of
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.arrivals import bind_args
from port.tf2torch.infer.results import bindings_of
from port.tf2torch.infer.values import Alternatives, Curried, Function, GraphModel, Instance, SequentialModel
from port.tf2torch.rules.naming import constant_name, snake
from port.tree import changed, code


def ctor_call(em: Emitter, node: cst.Call, function: Function, name: str, spec: Any) -> cst.BaseExpression:
    """The class that a builder became, made with the sizes and settings of this call."""
    args = [em.it.facts.get(a.value, UNKNOWN) for a in node.args]
    bound = bind_args(function, node, args) or {}
    sizes = bindings_of(em.it, node, function, bound)
    made: list[cst.Arg] = []
    keyword_seen = False
    for arg, parameter in parameter_of(function, node):
        if parameter in spec.dropped:
            continue
        if parameter in function.tensors or (function, parameter) in em.it.ranks:
            for mirror in spec.mirrors_of(parameter):
                value = _size(em, node, bound[parameter][0] if parameter in bound else UNKNOWN, sizes.get(mirror))
                by_name = keyword_seen or arg.keyword is not None
                made.append(cst.Arg(value, keyword=cst.Name(mirror) if by_name else None,
                                    equal=TIGHT if by_name else cst.MaybeSentinel.DEFAULT, comma=arg.comma))
            continue
        keyword_seen = keyword_seen or arg.keyword is not None or bool(arg.star)
        made.append(changed(arg, value=em.expr(arg.value)))
    if not any(a.star for a in node.args):
        made += [argument(m, cst.Name("None"), None) for m, parameter in spec.mirrors if parameter not in bound]
    return reflow(cst.Call(expression(name), drop_commas(made, list(node.args)),
                           whitespace_before_args=node.whitespace_before_args), list(node.args))


def _size(em: Emitter, node: cst.Call, arriving: Fact, size: Dim) -> cst.BaseExpression:
    """A size of a tensor that arrives; None where None arrives in its place."""
    return cst.Name("None") if arriving.literal(...) is None else em.size(size, node)


def curried_choice(em: Emitter, node: cst.Call, options: list[Curried]) -> cst.BaseExpression:
    """One of several blocks, chosen by a setting: all must take the same arguments."""
    specs = [em.classes[o.outer](o.outer) for o in options]
    mirrors = dict.fromkeys(m for s in specs for m in s.mirrors)
    if any(list(mirrors) != s.mirrors for s in specs):
        raise Refused("P206", "blocks chosen by a setting need different sizes", node)
    dropped = set.intersection(*[s.dropped for s in specs])
    if any(s.dropped != dropped for s in specs):
        raise Refused("P206", "blocks chosen by a setting take different arguments", node)
    call = options[0].node
    return curried_ctor(em, node, options[0], specs[0], em.expr(call.func))


def curried_ctor(em: Emitter, node: cst.Call, curried: Curried, spec: Any,
                 callee: cst.BaseExpression | None = None) -> cst.BaseExpression:
    """`MBConvBlock(16, 24)(x)`: the sizes of x come first, then the settings."""
    args = [em.it.facts.get(a.value, UNKNOWN) for a in node.args]
    sizes = bindings_of(em.it, node, curried.inner, bind_args(curried.inner, node, args) or {})
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.Arg(em.size(sizes.get(m), node), comma=comma) for m, _ in spec.mirrors]
    for arg, parameter in parameter_of(curried.outer, curried.node):
        if parameter not in spec.dropped:
            made.append(changed(arg, value=em.expr(arg.value)))
    call = cst.Call(callee or expression(spec.name), drop_commas(made, list(curried.node.args)),
                    whitespace_before_args=curried.node.whitespace_before_args)
    return reflow(call, list(curried.node.args))


def user_module(em: Emitter, node: cst.Call, payload: Any) -> tuple[cst.BaseExpression, str, str]:
    """(how a builder, block or object of the user's is made, name of its attribute, name that the source gives)."""
    if isinstance(payload, Function):
        spec = em.classes[payload](payload)
        return ctor_call(em, node, payload, spec.name, spec), payload.name.strip("_"), constant_name(em, node)
    if isinstance(payload, Curried):
        spec = em.classes[payload.outer](payload.outer)
        return (curried_ctor(em, node, payload, spec), snake(payload.outer.name), constant_name(em, payload.node))
    if isinstance(payload, Alternatives) and isinstance(payload.functions[0].payload, Curried):
        return curried_choice(em, node, [o.payload for o in payload.functions]), "block", ""
    if isinstance(payload, Alternatives):
        options = [o.payload for o in payload.functions if isinstance(o.payload, Function)]
        specs = [em.classes[o](o) for o in options]
        call = ctor_call(em, node, options[0], code(em.expr(node.func)), specs[0])
        return call, node.func.value if isinstance(node.func, cst.Name) else "block", ""
    if isinstance(payload, Instance):
        base = snake(payload.cls.name)
        return em.expr(node), base, constant_name(em, node)
    if isinstance(payload, SequentialModel | GraphModel):  # a function of the user's makes it
        return em.expr(node), snake(code(node.func).rpartition(".")[2].strip("_")), constant_name(em, node)
    raise Refused("P206", "a module made in a way that is not understood", node)
