"""Sequential, ModuleList, ModuleDict, Parameter, and layers of einops."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import applications, einops, einopscalls, initial, interfaces, mapped, meetings, ownlayers, unknowns
from port.torch2tf.chainturns import TURNED, agree, permute, same_without, turn, unturned
from port.torch2tf.holding import OVER
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    MAYBE_WEIGHT,
    TO_FIRST,
    TO_LAST,
    Bound,
    Chain,
    Items,
    Mapping,
    is_moved,
    options,
)

OVER_TENSORS = {"sum", "map", "filter"}  # which go through tensors, but not through modules
SPACE = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


# ---------------------------------------------------------------- Sequential
def sequential(w: Any, node: cst.Call) -> Any:
    """`nn.Sequential(a, b)` is `keras.Sequential([a, b])`; an empty one, which passes its input on, is Identity."""
    chain = w.it.objects.get(node)
    w.by(node, "rule containers")
    if not node.args:
        if isinstance(chain, Chain) and chain.open:
            w.need("keras")
            before, after = public_permutes(w, chain)
            if after:
                raise Refused("P209", "a Sequential that grows and gives channels first: write the modules as a list",
                              node)
            made = expression("keras.Sequential()")
            return build("keras.Sequential([{p}])", p=before[0]) if before else made
        return cst.Call(w.layer("Identity"))
    w.need("keras")
    if isinstance(chain, Chain):
        same_without(w, chain, node)
    target = expression("keras.Sequential")
    only = node.args[0]
    before, after = public_permutes(w, chain)
    if isinstance(chain, Chain) and chain.indexed and (
            before or after or any(turn(w, chain, i) for i in range(len(chain.children)))):
        raise Refused("P209", "parts of this Sequential are taken one by one, and in Keras it needs Permute layers "
                      "between them: write the modules as a list", node)
    turned = isinstance(chain, Chain) and any(turn(w, chain, i) for i in range(len(chain.children)))
    if before or after or turned:
        node = _written_out(node)
        only = node.args[0]
    if len(node.args) == 1 and only.star == "*" and not before and not after:
        unturned(w, chain, node)
        return cst.Call(target, [cst.Arg(gone_through(w, only.value))])
    if len(node.args) == 1 and only.star == "":
        listed = ordered_dict(w, only.value, isinstance(chain, Chain) and not chain.indexed)
        if listed is not None:
            unturned(w, chain, node)
            comma = _between(listed.elements[0].comma)
            inner = list(listed.elements)
            if after:
                inner[-1] = inner[-1].with_changes(comma=_behind(inner[-1].comma, comma))
            listed = listed.with_changes(elements=[*(cst.Element(p, comma=comma) for p in before), *inner,
                                                   *(cst.Element(p) for p in after)])
            return cst.Call(target, [cst.Arg(listed)])
    named = isinstance(only.value, cst.Call) and w.fact(only.value.func).symbol in (
        "collections.OrderedDict", "builtins.dict")
    if len(node.args) == 1 and (named or isinstance(w.fact(only.value).payload, Mapping)):
        if before or after:
            raise Refused("P206", "a Sequential of a dict that is a model by itself; write its modules out", node)
        unturned(w, chain, node)
        return cst.Call(target, [cst.Arg(build("list({d}.values())", d=w.expr(only.value)))])
    split = isinstance(chain, Chain) and not chain.indexed
    comma = _between(node.args[0].comma) if len(node.args) > 1 else SPACE
    elements: list[Any] = [cst.Element(p, comma=comma) for p in before]
    at = 0
    for arg in node.args:
        count = 1
        if arg.star:
            held = w.fact(arg.value).payload
            count = len(held.elements) if isinstance(held, Items) else 1
        if isinstance(chain, Chain):
            turns = [turn(w, chain, i) for i in range(at, at + count)]
            for i in range(at, min(at + count, len(chain.children))):
                agree(w, chain.children[i], node)
                unknowns.check_child(w, chain, i, node)
            if arg.star and any(turns):
                raise Refused("P209", TURNED, node)
            elements += [cst.Element(p, comma=comma) for p in turns[0]] if turns and not arg.star else []
        at += count
        elements += element(w, arg, split)
    if after:
        elements[-1] = elements[-1].with_changes(comma=_behind(elements[-1].comma, comma))
    elements += [cst.Element(p) for p in after]
    return cst.Call(target, [cst.Arg(as_list(node, elements))])


def _written_out(node: cst.Call) -> cst.Call:
    """`nn.Sequential(*[a, b])` as `nn.Sequential(a, b)`; any other call as it is."""
    held = node.args[0].value
    if len(node.args) > 1 or node.args[0].star != "*" or not isinstance(held, cst.List) or any(
            isinstance(e, cst.StarredElement) for e in held.elements):
        return node
    args = [cst.Arg(e.value, comma=e.comma) for e in held.elements]
    end = held.rbracket.whitespace_before
    last = args[-1].comma
    args[-1] = args[-1].with_changes(comma=last.with_changes(whitespace_after=end)) if isinstance(
        last, cst.Comma) else args[-1].with_changes(whitespace_after_arg=end)
    return node.with_changes(args=args, whitespace_before_args=held.lbracket.whitespace_after)


def public_permutes(w: Any, chain: Any) -> tuple[list[Any], list[Any]]:
    """Permute layers of a Sequential that is a model by itself, and takes or gives channels first."""
    enclosed = isinstance(chain, Chain) and meetings.is_enclosed(w.it, chain)
    if not isinstance(chain, Chain) or not chain.inputs or ("root" not in chain.given and not enclosed):
        return [], []
    x, result = chain.inputs[0], chain.inner if enclosed else chain.output
    turned = x.rank in TO_LAST and x.layout is Layout.FLIPPED
    before = [permute(w, TO_LAST[x.rank or 0])] if turned else []
    if chain.open and before and (result is None or result.rank is None):
        raise Refused("P208", "what this Sequential holds is not known, so neither is the layout of its result",
                      chain.node)
    known = result is not None and result.kind is Kind.TENSOR and result.layout is Layout.FLIPPED
    after = [permute(w, TO_FIRST[result.rank])] if known and result is not None and result.rank in TO_FIRST else []
    if w.it.native and not enclosed:
        interfaces.of_chain(w, chain, x.rank if before else None, result.rank if after and result else None)
        return [], []
    return before, after


def _behind(own: Any, like: Any) -> Any:
    """The separator of what was the last element: its own remark, and the line break of the others."""
    after = getattr(own, "whitespace_after", None)
    inner = getattr(like, "whitespace_after", None)
    if isinstance(after, cst.ParenthesizedWhitespace) and isinstance(inner, cst.ParenthesizedWhitespace):
        return own.with_changes(whitespace_after=inner.with_changes(first_line=after.first_line))
    return like


def ordered_dict(w: Any, node: cst.BaseExpression, split: bool) -> cst.List | None:
    """The modules of `OrderedDict([("conv", nn.Conv2d(...)), ...])`, whose names Keras does not need."""
    if not isinstance(node, cst.Call) or w.fact(node.func).symbol not in ("collections.OrderedDict", "builtins.dict"):
        return None
    if len(node.args) == 1 and isinstance(node.args[0].value, cst.List | cst.Tuple):
        pairs = node.args[0].value.elements
        if all(isinstance(p.value, cst.Tuple) and len(p.value.elements) == 2 for p in pairs):
            made = []
            for p in pairs:
                value = p.value.elements[1].value  # type: ignore[attr-defined]
                parts = parts_of(w, value) if split else [w.expr(value)]
                made += [p.with_changes(value=x, comma=p.comma if i == len(parts) - 1 else _between(p.comma))
                         for i, x in enumerate(parts)]
            outer = node.args[0].value
            return (cst.List(made, lbracket=outer.lbracket, rbracket=outer.rbracket)
                    if isinstance(outer, cst.List) else cst.List(made))
    if node.args and all(a.keyword is not None for a in node.args):
        elements = [e for a in node.args for e in element(w, a, True)]
        return as_list(node, elements)
    return None


def element(w: Any, arg: cst.Arg, split: bool) -> list[Any]:
    """One argument of Sequential as elements of a list: a padded convolution is two, if nobody counts them."""
    if arg.star == "*":
        return [cst.StarredElement(gone_through(w, arg.value), comma=arg.comma)]
    parts = parts_of(w, arg.value) if split else [w.expr(arg.value)]
    return [cst.Element(p, comma=arg.comma if i == len(parts) - 1 else _between(arg.comma))
            for i, p in enumerate(parts)]


def parts_of(w: Any, node: cst.BaseExpression) -> list[Any]:
    if isinstance(node, cst.Call):
        callee = w.it.receivers.get(node)
        symbol = callee.symbol if callee is not None and callee.payload is None else ""
        if symbol.startswith("torch.nn.") and symbol not in WRITERS and symbol.rpartition(".")[2][:1].isupper() and (
                w.outside(node.func)):
            return applications.elements_of(w, node, symbol)
        if symbol.startswith("helpers.") and symbol[8].isupper():
            return ownlayers.elements(w, node, symbol)
    return [w.expr(node)]


def _between(comma: Any) -> Any:
    """The separator of the original arguments, without the remark behind it."""
    after = getattr(comma, "whitespace_after", None)
    if isinstance(after, cst.ParenthesizedWhitespace):
        line = after.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
        return comma.with_changes(whitespace_after=after.with_changes(first_line=line))
    return SPACE


def as_list(node: cst.Call, elements: list[Any]) -> cst.List:
    """Elements with the line breaks that the arguments had."""
    opening = cst.LeftSquareBracket(whitespace_after=node.whitespace_before_args)
    closing = cst.RightSquareBracket()
    if elements:
        last = node.args[-1]
        elements[-1] = elements[-1].with_changes(comma=last.comma)
        if isinstance(last.comma, cst.MaybeSentinel):
            closing = cst.RightSquareBracket(whitespace_before=last.whitespace_after_arg)
    return cst.List(elements, lbracket=opening, rbracket=closing)


def list_display(w: Any, node: cst.List) -> Any:
    """A list whose modules go into a Sequential may hold a padded convolution as two elements."""
    held = w.it.objects.get(node)
    if isinstance(held, Items) and held.plain:
        return node.with_changes(elements=[e.with_changes(value=w.plain(e.value)) for e in node.elements])
    if node not in w.inline:
        return w.generic(node)
    out: list[Any] = []
    for e in node.elements:
        parts = parts_of(w, e.value)
        if isinstance(e, cst.StarredElement) or len(parts) == 1:
            out.append(e.with_changes(value=parts[0]))
            continue
        out += [cst.Element(p, comma=e.comma if i == len(parts) - 1 else _between(e.comma))
                for i, p in enumerate(parts)]
    return node.with_changes(elements=out)


# ---------------------------------------------------------------- lists, dicts
def gone_through(w: Any, node: cst.BaseExpression) -> Any:
    """What a loop, a star or `len` goes through: of a Sequential, its layers."""
    is_tensor = w.fact(node).kind is Kind.TENSOR
    new = w.expr(node, Layout.PLAIN if is_tensor else None)
    if any(isinstance(o.payload, Chain) for o in options(w.fact(node))):
        return cst.Attribute(paren(new), cst.Name("layers"))
    return iterable(w, node, new) if is_tensor else new


def iterable(w: Any, node: cst.BaseExpression, new: Any) -> Any:
    """A tensor that is gone through: Keras' variables do not end."""
    if w.fact(node).symbol not in ("weight", MAYBE_WEIGHT):
        return new
    word = "keras.ops.unstack" if w.target == "keras" else "tf.unstack"
    w.need(word.partition(".")[0])
    return build(f"{word}({{x}})", x=new)


def over(w: Any, node: cst.Call) -> Any:
    """`len(blocks)`, `enumerate(blocks)`, `zip(blocks, sizes)`; None if no Sequential or tensor is gone through."""
    name = node.func.value if isinstance(node.func, cst.Name) else ""
    if w.fact(node.func).symbol not in (f"builtins.{name}", "") or name not in OVER | OVER_TENSORS or not any(
            _is_gone_through(w, o, name) for a in node.args for o in options(w.fact(a.value))):
        return None
    if (mapped.MAP, node) in w.it.objects:
        return None
    return node.with_changes(args=[a.with_changes(value=gone_through(w, a.value)) for a in node.args])


def _is_gone_through(w: Any, fact: Fact, name: str) -> bool:
    if fact.kind is Kind.TENSOR:
        return name != "len" and (is_moved(fact) or fact.symbol in ("weight", MAYBE_WEIGHT))
    return isinstance(fact.payload, Chain) and name in OVER


def module_list(w: Any, node: cst.Call) -> Any:
    held = w.it.objects.get(node)
    if not node.args:
        return expression("{}" if isinstance(held, Items) and held.named else "[]")
    value = node.args[0].value
    new = w.expr(value)
    if isinstance(value, cst.List | cst.ListComp):
        return new
    if isinstance(value, cst.GeneratorExp):
        return cst.ListComp(new.elt, new.for_in)
    return build("list({x})", x=new)


def module_dict(w: Any, node: cst.Call) -> Any:
    return w.expr(node.args[0].value) if node.args else expression("{}")


def list_method(w: Any, node: cst.Call, bound: Bound) -> Any:
    if isinstance(bound.owner.payload, Items) and bound.owner.payload.plain:
        return node.with_changes(func=w.expr(node.func), args=[a.with_changes(value=w.plain(a.value))
                                                               for a in node.args])
    unknowns.check_append(w, node, bound.owner)
    return applications.generic_call(w, node)


def parameter(w: Any, node: cst.Call) -> Any:
    return initial.write_parameter(w, node, w.attribute)


# ---------------------------------------------------------------- einops
def einops_layer(w: Any, node: cst.Call, symbol: str) -> Any:
    """Rearrange and Reduce: einops has them for Keras as well; only the pattern follows the layout."""
    layer = w.it.layers.get((node, symbol))
    x = layer.inputs[0] if layer is not None and layer.inputs else None
    args = [w.expr(a) for a in node.args]
    pattern = einops.pattern_of(w.it, node, 0)
    if x is not None and x.kind is Kind.TENSOR and x.layout is Layout.FLIPPED:
        if einops.only_layout(x, pattern):
            return cst.Call(w.layer("Identity"))
        args[0] = args[0].with_changes(value=einopscalls.flipped_text(args[0].value, x.rank, True, False))
    elif x is not None and x.kind is Kind.TENSOR and einops.only_layout(x, pattern):
        return cst.Call(w.layer("Identity"))
    if symbol.rpartition(".")[2] not in ("Rearrange", "Reduce"):
        raise Refused("P201", f"`{symbol}` has no translation", node)
    return node.with_changes(args=args)


WRITERS: dict[str, Any] = {
    "torch.nn.Sequential": sequential, "torch.nn.ModuleList": module_list, "torch.nn.ModuleDict": module_dict,
    "torch.nn.ParameterList": module_list, "torch.nn.ParameterDict": module_dict, "torch.nn.Parameter": parameter,
}
__all__ = ["WRITERS", "Items", "einops_layer", "list_display", "sequential"]
