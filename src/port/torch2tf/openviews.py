"""Views with -1 in them on the way to what must know the size that it stands for: a `split` of that axis, some layers.

`tf.reshape(x, (batch, -1))` forgets the size of the second axis where the batch is open, as it is inside tf.function;
most layers do not mind, a number of parts that depends on the size does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

from port.facts import Fact, Layout
from port.torch2tf import members
from port.torch2tf.above import parents
from port.torch2tf.values import Function, Instance, Layer, SelfOf, Size, options
from port.tree import find

NOTE = "openviews"
DIVIDES = frozenset(f"{of}.{name}" for of in ("tensor", "torch") for name in ("split", "tensor_split", "unbind"))
NORMS = frozenset(("torch.nn.LayerNorm", "torch.nn.GroupNorm"))  # Keras' layers look at the size at each call
VIEWS = frozenset(("tensor.view", "tensor.reshape", "torch.reshape"))
FLAT = frozenset(("tensor.flatten", "torch.flatten"))


def is_minus_one(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and isinstance(
        node.expression, cst.Integer) and node.expression.value == "1"


def is_batch(fact: Any) -> bool:
    """Is it the size of a tensor's first axis, as it was read?"""
    size = fact.payload if fact is not None else None
    return isinstance(size, Size) and size.batch and not size.computed


def hides_a_size(it: Any, view: cst.Call, shape: Any) -> bool:
    """-1 behind the batch, of a tensor that a `split` may divide; at the end, of one that such a layer may get."""
    if not isinstance(shape, cst.Tuple | cst.List) or len(shape.elements) < 2:
        return False
    batch, *others = (e.value for e in shape.elements)
    if not is_batch(it.fact(batch)) or sum(map(is_minus_one, others)) != 1:
        return False
    return is_followed(it, view, is_minus_one(others[-1]))


def is_followed(it: Any, view: cst.Call, last: bool) -> bool:
    """May what it gives come to where its sizes must be known, or its last one?"""
    if NOTE not in it.notes:
        it.notes[NOTE] = _Way(it, _is_divided).views, _Way(it, _is_normed).views
    divided, normed = it.notes[NOTE]
    return view in divided or (last and view in normed)


def _symbol(it: Any, call: cst.Call) -> str:
    return it.fact(call.func).symbol  # type: ignore[no-any-return]


def _callees(it: Any, call: cst.Call) -> Sequence[Fact]:
    return options(it.receivers.get(call) or it.fact(call.func))


def _is_divided(it: Any, call: cst.Call) -> bool:
    return _symbol(it, call) in DIVIDES


def _is_normed(it: Any, call: cst.Call) -> bool:
    return any(isinstance(o.payload, Layer) and o.payload.symbol in NORMS for o in _callees(it, call))


def gives_images(w: Any, view: cst.Call, shape: Any) -> bool:
    """`x.reshape(B, H, W, -1).permute(0, 3, 1, 2)`, channels last in the target: what follows must know them."""
    if not isinstance(shape, cst.Tuple | cst.List) or len(shape.elements) < 3 or w.function is None:
        return False
    sizes = [e.value for e in shape.elements]
    if not is_minus_one(sizes[-1]) or not is_batch(w.fact(sizes[0])) or any(map(is_minus_one, sizes[:-1])):
        return False
    tree = parents(w.it, w.function.node)
    turned = tree.get(view)
    return isinstance(turned, cst.Attribute) and turned.attr.value == "permute" and (
        w.fact(tree.get(turned)).layout is Layout.FLIPPED)


class _Way:
    """All views behind the tensors that come there: through variables and the user's own functions and modules."""

    def __init__(self, it: Any, ends: Callable[[Any, cst.Call], bool]):
        self.it = it
        self.views: set[cst.Call] = set()
        self._seen: set[Any] = set()
        for function in list(it.functions.values()):
            for call in find(function.node.body, cst.Call):
                if call.args and ends(it, call):
                    self._value(call.func if _symbol(it, call).startswith("tensor.") else call.args[0], function)

    def _value(self, node: cst.CSTNode, function: Function) -> None:
        """What this value is made of."""
        if node in self._seen:
            return
        self._seen.add(node)
        for call in find(node, cst.Call):
            if call.args and _symbol(self.it, call) in VIEWS | FLAT:
                self.views.add(call)
            for other in self._called(call):
                self._results(other)
        for name in find(node, cst.Name):
            for value in _bound(function, name.value):
                self._value(value, function)

    def _called(self, call: cst.Call) -> Iterator[Function]:
        for option in _callees(self.it, call):
            if isinstance(option.payload, Function):
                yield option.payload
            elif isinstance(option.payload, Instance | SelfOf):
                yield from members.called(option.payload, "forward")

    def _results(self, function: Function) -> None:
        if function in self._seen:
            return
        self._seen.add(function)
        for line in find(function.node.body, cst.Return):
            if line.value is not None:
                self._value(line.value, function)


def _bound(function: Function, name: str) -> Iterator[cst.BaseExpression]:
    """The values that a variable of the function is given."""
    for line in find(function.node.body, cst.Assign):
        if any(n.value == name for t in line.targets for n in find(t, cst.Name)):
            yield line.value
    others: list[Any] = [*find(function.node.body, cst.AugAssign), *find(function.node.body, cst.NamedExpr)]
    for other in others:
        if any(n.value == name for n in find(other.target, cst.Name)):
            yield other.value
