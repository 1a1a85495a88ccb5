"""Reading and writing by index: what TF's subscripts take stays, the rest is a gather or a scatter."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import dtypes
from port.torch2tf.refused import Refused
from port.torch2tf.values import is_list
from port.tree import code

WHOLE = cst.Slice(None, None, None)
COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def write_index(w: Any, node: cst.Subscript, x: Any) -> Any:
    """`x[...]` of a tensor in the source's axes; `x` is written already."""
    parts = [e.slice for e in node.slice]
    places = [i for i, p in enumerate(parts) if picks(w, p)]
    if len(parts) == 1 and (several := _in_tuple(w, parts[0])) is not None:
        return gather_at(w, x, several)
    if not places:
        return node.with_changes(value=paren(x), slice=[e.with_changes(slice=w.generic(e.slice)) for e in node.slice])
    if len(parts) == 1 and _is_mask(w, parts[0]):
        return _masked(w, x, parts[0].value, 0)  # type: ignore[attr-defined]
    if len(places) == 1:
        return _one(w, node, x, parts, places[0])
    return _several(w, node, x, parts, places)


def _in_tuple(w: Any, part: Any) -> Any:
    """The places in `x[tuple(index.unbind(-1))]`: tf.gather_nd takes them as they were."""
    value = part.value if isinstance(part, cst.Index) else None
    if not isinstance(value, cst.Call) or len(value.args) != 1 or w.fact(value.func).symbol != "builtins.tuple":
        return None
    inner = value.args[0].value
    axis = [w.fact(a.value).literal(...) for a in inner.args] if isinstance(inner, cst.Call) else []
    symbol = w.fact(inner.func).symbol if isinstance(inner, cst.Call) else ""
    if symbol == "tensor.unbind" and axis == [-1]:
        return w.expr(inner.func.value, Layout.PLAIN)  # type: ignore[attr-defined]
    raise Refused("P206", "a tuple of tensors indexes: stack them, and use tf.gather_nd", value)


def picks(w: Any, part: Any) -> bool:
    """Is this index a tensor, or a list of places?"""
    if not isinstance(part, cst.Index):
        return False
    fact: Fact = w.fact(part.value)
    return isinstance(part.value, cst.List) or is_list(fact) or (fact.kind is Kind.TENSOR and fact.rank != 0)


def _is_mask(w: Any, part: Any) -> bool:
    return isinstance(part, cst.Index) and w.fact(part.value).kind is Kind.TENSOR and w.fact(part.value).dtype == "bool"


def _masked(w: Any, x: Any, mask: Any, axis: int) -> Any:
    new = w.expr(mask, Layout.PLAIN)
    w.need("tf")
    if w.target == "keras":
        raise Refused("P203", "picking by a mask gives a size that depends on values; keras.ops has no such op", mask)
    if axis == 0:
        return build("{x}[{m}]", x=x, m=new)
    return build(f"tf.boolean_mask({{x}}, {{m}}, axis={axis})", x=x, m=new)


def _one(w: Any, node: cst.Subscript, x: Any, parts: list[Any], at: int) -> Any:
    """`x[:, index]` is a gather along that axis, of what the other indices leave."""
    others = [p for i, p in enumerate(parts) if i != at]
    if any(isinstance(p, cst.Index) and not _is_dots(p) for p in others):
        raise Refused("P206", "a tensor and numbers index together; index in two steps", node)
    dots = next((i for i, p in enumerate(parts) if _is_dots(p)), None)
    axis = at if dots is None or dots > at else at - len(parts)
    value = parts[at].value
    if [_list_literal(w, value)] == [[-1]]:  # x[:, [-1]] keeps the axis, as a slice does
        parts = [cst.Slice(expression("-1"), None, None) if i == at else p for i, p in enumerate(parts)]
        return _sliced(w, node, x, parts)
    if any(not _is_whole(p) and not _is_dots(p) for p in others):
        x = _sliced(w, node, x, [WHOLE if i == at else p for i, p in enumerate(parts)])
    if _is_mask(w, parts[at]):
        return _masked(w, x, value, axis)
    return gather(w, x, value, axis)


def gather(w: Any, x: Any, index: cst.BaseExpression, axis: int) -> Any:
    """tf.gather refuses negative places; keras.ops.take counts them from the end, as torch does."""
    new = w.expr(index, Layout.PLAIN) if w.fact(index).kind is Kind.TENSOR else w.expr(index)
    known = _list_literal(w, index)
    if w.target == "keras" or (known is None and is_list(w.fact(index))) or (
            known is not None and any(isinstance(v, int) and v < 0 for v in known)):
        w.need("keras")
        return build(f"keras.ops.take({{x}}, {{i}}, axis={axis})", x=x, i=new)
    w.need("tf")
    return build("tf.gather({x}, {i})" if axis == 0 else f"tf.gather({{x}}, {{i}}, axis={axis})", x=x, i=new)


def _list_literal(w: Any, node: cst.BaseExpression) -> list[Any] | None:
    if not isinstance(node, cst.List):
        return None
    values = [w.fact(e.value).literal(...) for e in node.elements]
    return None if ... in values else values


def _several(w: Any, node: cst.Subscript, x: Any, parts: list[Any], places: list[int]) -> Any:
    """`x[i, j]`: places along the first axes."""
    if places != list(range(len(places))) or len(places) != len(parts) or any(_is_mask(w, parts[i]) for i in places):
        tail = parts[len(places):]
        if places != list(range(len(places))) or any(not _is_whole(p) and not _is_dots(p) for p in tail) or any(
                _is_mask(w, parts[i]) for i in places):
            raise Refused("P206", "several tensors index, not the first axes; index in steps", node)
    return gather_at(w, x, coordinates(w, [parts[i].value for i in places]))


def gather_at(w: Any, x: Any, places: Any) -> Any:
    if w.target == "keras":
        w.helper("gather_nd")
        return build("gather_nd({x}, {i})", x=x, i=places)
    w.need("tf")
    return build("tf.gather_nd({x}, {i})", x=x, i=places)


def coordinates(w: Any, indices: list[cst.BaseExpression]) -> Any:
    """Places as one tensor; where shapes or dtypes differ, they are brought together first."""
    facts = [w.fact(n) for n in indices]
    new = [w.expr(n) for n in indices]
    kinds = {f.dtype for f in facts}
    items = cst.List([cst.Element(n) for n in new])
    if _as_long(facts) and len(kinds) == 1 and all(f.kind is Kind.TENSOR for f in facts):
        w.need("keras" if w.target == "keras" else "tf")
        return build("keras.ops.stack({i}, axis=-1)" if w.target == "keras" else "tf.stack({i}, axis=-1)", i=items)
    w.helper("places")
    return build("places({i})", i=items)


def _as_long(facts: list[Fact]) -> bool:
    """Have all of them the same sizes? Lists of places are taken to be as long as each other, if none has length 1."""
    shapes = [f.shape for f in facts]
    first = shapes[0]
    if first is None or any(s is None or len(s) != len(first) for s in shapes):
        return False
    if len(first) == 1:
        return len(set(shapes)) == 1 or (1,) not in shapes
    return None not in first and len(set(shapes)) == 1


def _sliced(w: Any, node: cst.Subscript, x: Any, parts: list[Any]) -> Any:
    last = len(parts) - 1
    while last > 0 and _is_whole(parts[last]):
        last -= 1
    slices = [cst.SubscriptElement(p if p is WHOLE else w.generic(p), comma=COMMA if i < len(parts) - 1 else
                                   cst.MaybeSentinel.DEFAULT) for i, p in enumerate(parts)]
    del last
    return cst.Subscript(paren(x), slices)


def _is_dots(part: Any) -> bool:
    return isinstance(part, cst.Index) and isinstance(part.value, cst.Ellipsis)


def _is_whole(part: Any) -> bool:
    return isinstance(part, cst.Slice) and part.lower is None and part.upper is None and part.step is None


# ---------------------------------------------------------------- x[...] = value
def write_store(w: Any, target: cst.Subscript, value: Any) -> Any:
    """What x is after `x[...] = value`; `value` is written already."""
    parts = [e.slice for e in target.slice]
    places = [i for i, p in enumerate(parts) if picks(w, p)]
    x = w.expr(target.value)
    if not places:
        w.need("np")
        w.helper("set_at")
        key = target.with_changes(value=expression("np.s_"), slice=[
            e.with_changes(slice=w.generic(e.slice)) for e in target.slice])
        return build("set_at({x}, {k}, {v})", x=x, k=key, v=value)
    if len(parts) == 1 and _is_mask(w, parts[0]):
        return _masked_store(w, target, x, parts[0].value, value)  # type: ignore[attr-defined]
    if places != list(range(len(parts))) or any(_is_mask(w, parts[i]) for i in places):
        raise Refused("P206", "a write by tensors and slices together: use tf.tensor_scatter_nd_update", target)
    w.helper("put")
    indices = cst.List([cst.Element(w.expr(p.value)) for p in parts])  # type: ignore[attr-defined]
    return build("put({x}, {i}, {v})", x=x, v=value, i=indices)


def _masked_store(w: Any, target: cst.Subscript, x: Any, mask: cst.BaseExpression, value: Any) -> Any:
    """A mask picks along the first axes; where it is true, the value stands."""
    own, picked = w.fact(target.value).rank, w.fact(mask).rank
    new = w.expr(mask, w.fact(target.value).layout)
    if own is None or picked is None:
        if not _compares(mask, target.value):
            raise Refused("P208", "how many axes the mask has is not known", target)
    elif picked < own:
        new = build("{m}[...," + " None," * (own - picked) + "]", m=new)
    number = isinstance(value, cst.Integer | cst.Float | cst.UnaryOperation) or (
        isinstance(value, cst.Call) and code(value.func) == "float")
    if not number and w.target == "keras":
        raise Refused("P203", "several values written by a mask: keras.ops has no op whose size depends on values",
                      target)
    if not number:
        w.helper("put_mask")
        return build("put_mask({x}, {m}, {v})", x=x, m=new, v=value)
    if w.target == "keras":
        w.need("keras")
        return build("keras.ops.where({m}, {v}, {x})", m=new, v=value, x=x)
    d = dtypes.dtype_of(w, target.value)
    w.need("tf")
    return build("tf.where({m}, tf.constant({v}, {d}), {x})", m=new, v=value, d=d, x=x)


def _compares(mask: cst.BaseExpression, x: cst.BaseExpression) -> bool:
    """`x[x < 0]`: the mask has the axes of x."""
    return isinstance(mask, cst.Comparison) and code(mask.left) == code(x)
