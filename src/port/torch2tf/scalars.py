"""Whole numbers out of tensors, `int(lengths.max())`: those that say sizes and nothing else stay tensors, as sizes do.

Keras traces a model with sizes that are not known; there `int()` of a tensor raises.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.torch2tf import dtypes
from port.torch2tf.above import parents
from port.torch2tf.pynumbers import is_whole
from port.torch2tf.values import Bound, Size
from port.tree import code, find

MAKERS = ("builtins.int", "tensor.item")
WHOLE = ("int8", "int16", "int32", "int64", "uint8")
# Functions and methods whose positional arguments, or the first so many of them, and these keywords say sizes.
SIZES: dict[str, tuple[int, tuple[str, ...]]] = {
    "torch.arange": (3, ("start", "end", "step")), "torch.zeros": (9, ("size",)), "torch.ones": (9, ("size",)),
    "torch.full": (1, ("size",)), "tensor.new_zeros": (9, ("size",)), "tensor.new_ones": (9, ("size",)),
    "tensor.new_full": (1, ("size",)), "tensor.expand": (9, ()), "tensor.view": (9, ()), "tensor.repeat": (9, ()),
    "torch.reshape": (2, ("shape",)), "tensor.reshape": (9, ("shape",))}
ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.FloorDivide, cst.Modulo)


def write(w: Any, node: cst.Call) -> Any:
    """`int(...)` or `.item()` as a size; None where it is none, or need not be."""
    inner = _made_whole(w, node)
    if inner is not None and isinstance(w.fact(inner).payload, Size) and is_whole(w.fact(inner)):
        return w.expr(inner)
    if w.function is None:
        return None
    if inner is not None and (divided := _divided(w, inner)) is not None:
        return divided if are_sizes(w, node) else None
    if inner is None and (end := _of_its_dtype(w, node)) is not None:
        return end
    taken = _taken(w, node if inner is None else inner, inner is not None)
    if taken is None or w.fact(taken).shape != () or not are_sizes(w, node):
        return None
    new = w.expr(taken)
    return new if w.fact(taken).dtype == "int32" else dtypes.cast(w, new, dtypes.spell(w, "int32"))


def _made_whole(w: Any, node: cst.BaseExpression) -> Any:
    """x of `int(x)`."""
    plain = isinstance(node, cst.Call) and len(node.args) == 1 and node.args[0].keyword is None and (
        not node.args[0].star)
    return node.args[0].value if plain and w.fact(node.func).symbol == "builtins.int" else None  # type: ignore[attr-defined]


def _taken(w: Any, node: cst.BaseExpression, made_whole: bool) -> Any:
    """The tensor whose only element is taken: x of `x.item()`, and x of `int(x)` itself."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        callee = w.it.receivers.get(node) or w.fact(node.func)
        if isinstance(callee.payload, Bound) and callee.symbol == "tensor.item":
            owner = node.func.value
            return owner if made_whole or w.fact(owner).dtype in WHOLE else None
    return node if made_whole and w.fact(node).kind is Kind.TENSOR else None


def _of_its_dtype(w: Any, node: cst.Call) -> Any:
    """`lengths.max().item()`, of any dtype, where it is an end of `torch.arange(..., dtype=lengths.dtype)`."""
    owner = node.func.value if isinstance(node.func, cst.Attribute) else None
    if not isinstance(owner, cst.Call) or w.fact(owner).shape != ():
        return None
    of_tensor = isinstance(owner.func, cst.Attribute) and w.fact(owner.func.value).kind is Kind.TENSOR
    base = owner.func.value if of_tensor else owner.args[0].value if owner.args else None  # type: ignore[attr-defined]
    above = parents(w.it, w.function.node).get(node)
    reads: list[Any] = [node]
    target = above.targets[0].target if isinstance(above, cst.Assign) and len(above.targets) == 1 else None
    if isinstance(target, cst.Name):
        reads = [n for n in find(w.function.node, cst.Name) if n.value == target.value and n is not target]
    if base is None or not reads or not all(_ends_range(w, n, f"{code(base)}.dtype") for n in reads):
        return None
    return w.expr(owner)


def _ends_range(w: Any, node: cst.CSTNode, dtype: str) -> bool:
    tree = parents(w.it, w.function.node)
    call = tree.get(tree.get(node))  # type: ignore[arg-type]
    if not isinstance(call, cst.Call) or (w.it.receivers.get(call) or w.fact(call.func)).symbol != "torch.arange":
        return False
    words = {a.keyword.value: code(a.value) for a in call.args if a.keyword is not None}
    return any(a.value is node and a.keyword is None for a in call.args) and words.get("dtype") == dtype


def _divided(w: Any, node: cst.BaseExpression) -> Any:
    """`size / n`, made whole: no size is negative, so that it is `size // n`."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Divide):
        return None
    if not isinstance(w.fact(node.left).payload, Size) or isinstance(node.left, cst.BinaryOperation):
        return None
    below = node.right  # `size / (h * w / n / n)` is `size * n * n // (h * w)`
    factors: list[cst.BaseExpression] = []
    while isinstance(below, cst.BinaryOperation) and isinstance(below.operator, cst.Divide):
        factors.insert(0, below.right)
        below = below.left
    if not all(is_whole(w.fact(n)) for n in (below, *factors)):
        return None
    more = {f"f{i}": w.expr(n) for i, n in enumerate(factors)}
    return build("{a}" + "".join(f" * {{{name}}}" for name in more) + " // {b}", a=w.expr(node.left), b=w.expr(below),
                 **more)


# ---------------------------------------------------------------- uses
def are_sizes(w: Any, node: cst.BaseExpression) -> bool:
    """Is the value of this expression used as a size of tensors, in the function that is written, and never else?"""
    tree = parents(w.it, w.function.node)
    above = tree.get(node)
    if isinstance(above, cst.BinaryOperation):
        other = above.right if above.left is node else above.left
        return isinstance(above.operator, ARITHMETIC) and is_whole(w.fact(other)) and are_sizes(w, above)
    if isinstance(above, cst.Slice):
        inside = tree[tree[above]]
        return node is not above.step and _is_read(w, inside)
    if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
        return _all_reads(w, above.targets[0].target)
    if isinstance(above, cst.Element):
        display = tree[above]
        return isinstance(tree.get(display), cst.Arg) and _says_sizes(w, tree[display])
    return isinstance(above, cst.Arg) and _says_sizes(w, above)


def _all_reads(w: Any, target: cst.Name) -> bool:
    """A variable that is assigned once, and read as a size wherever it is read."""
    found = [n for n in find(w.function.node, cst.Name) if n.value == target.value and n is not target]
    return all(_is_attribute_or_keyword(w, n) or are_sizes(w, n) for n in found)


def _is_attribute_or_keyword(w: Any, name: cst.Name) -> bool:
    above = parents(w.it, w.function.node).get(name)
    return (isinstance(above, cst.Attribute) and above.attr is name) or (
        isinstance(above, cst.Arg) and above.keyword is name)


def _is_read(w: Any, node: cst.CSTNode) -> bool:
    """`x[:, :n]` of a tensor, which is not written to."""
    above = parents(w.it, w.function.node).get(node)
    return isinstance(node, cst.Subscript) and w.fact(node.value).kind is Kind.TENSOR and not isinstance(
        above, cst.AssignTarget | cst.AugAssign | cst.Del)


def _says_sizes(w: Any, arg: cst.CSTNode) -> bool:
    call = parents(w.it, w.function.node).get(arg)
    if not isinstance(call, cst.Call) or not isinstance(arg, cst.Arg) or arg.star:
        return False
    positions, words = SIZES.get((w.it.receivers.get(call) or w.fact(call.func)).symbol, (0, ()))
    if arg.keyword is not None:
        return arg.keyword.value in words
    return any(a is arg for a in call.args[:positions])
