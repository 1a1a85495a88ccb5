"""Dtypes: TensorFlow never promotes, so a cast stands where torch promotes, at the operand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Fact, Kind
from port.torch2tf.conditions import FLOATS, WHOLE
from port.torch2tf.opargs import PYTHON
from port.tree import children, code

NAMES = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
         "cfloat": "complex64", "cdouble": "complex128"}
DTYPES = {"float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
          "uint64", "bool", "complex64", "complex128"}
_WIDTH = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float", "float32", "float64",
          "complex64", "complex128")


def dtype_name(symbol: str) -> str:
    """'int64' for 'torch.long'; '' if it is no dtype."""
    if symbol in PYTHON:
        return PYTHON[symbol]
    name = symbol.removeprefix("torch.")
    name = NAMES.get(name, name)
    return name if symbol.startswith("torch.") and name in DTYPES else ""


def spell(w: Any, name: str) -> str:
    """A dtype as the target writes it."""
    if w.target == "keras":
        return f'"{name}"'
    w.need("tf")
    return f"tf.{name}"


def cast(w: Any, x: cst.BaseExpression, dtype: str | cst.BaseExpression) -> cst.BaseExpression:
    """x in another dtype; a range that was just made is made in it."""
    if isinstance(x, cst.Call) and code(x.func) in ("tf.range", "keras.ops.arange") and x.args and (
            x.args[-1].keyword is not None and code(x.args[-1].value) == spell(w, "int64")) and (
            x.args[-1].keyword.value == "dtype"):
        value = expression(dtype) if isinstance(dtype, str) else dtype
        return x.with_changes(args=[*x.args[:-1], x.args[-1].with_changes(value=value)])
    if w.target == "keras":
        w.need("keras")
        return build("keras.ops.cast({x}, {d})", x=x, d=dtype)
    w.need("tf")
    return build("tf.cast({x}, {d})", x=x, d=dtype)


def constant(w: Any, value: cst.BaseExpression, dtype: str | cst.BaseExpression) -> cst.BaseExpression:
    """A number as a tensor of a dtype."""
    if w.target == "keras":
        w.need("keras")
        return build("keras.ops.convert_to_tensor({v}, {d})", v=value, d=dtype)
    w.need("tf")
    return build("tf.constant({v}, {d})", v=value, d=dtype)


def category(dtype: str | None) -> int | None:
    """0 bool, 1 whole numbers, 2 floats, 3 complex."""
    if dtype == "bool":
        return 0
    if dtype in WHOLE:
        return 1
    if dtype in FLOATS:
        return 2
    return 3 if dtype in ("complex64", "complex128") else None


def number_category(fact: Fact) -> int | None:
    """Of a Python number, which never widens within a category."""
    if fact.kind is Kind.PLAIN and fact.values is None and fact.dtype == "float" and not fact.symbol:
        return 2  # a parameter that is said to be one
    if fact.kind is not Kind.PLAIN or not fact.values:
        return None
    kinds = {0 if isinstance(v, bool) else 1 if isinstance(v, int) else 2 if isinstance(v, float) else None
             for v in fact.values}
    return kinds.pop() if len(kinds) == 1 else None


def result(facts: Sequence[Fact]) -> str | None:
    """The dtype that torch gives to operands that meet; None if it is not known."""
    tensors = [f for f in facts if f.kind is Kind.TENSOR]
    if not tensors or any(category(f.dtype) is None for f in tensors):
        return None
    top = max(category(f.dtype) for f in tensors)  # type: ignore[type-var]
    numbers = [c for c in map(number_category, facts) if c is not None]
    if numbers and max(numbers) > top:  # type: ignore[operator]
        return "int64" if max(numbers) == 1 else "default"
    held = [f for f in tensors if category(f.dtype) == top]
    wide = [f for f in held if f.rank != 0] or held
    if top == 2 and any(f.dtype == "float" for f in wide) and all(f.dtype in ("float", "float32") for f in wide):
        return "float"
    return max((f.dtype for f in wide), key=_WIDTH.index)  # type: ignore[arg-type, type-var]


def promotions(w: Any, nodes: Sequence[cst.BaseExpression], at: cst.CSTNode) -> list[str | cst.BaseExpression | None]:
    """For each operand the dtype that it must be cast to, None for those that stay."""
    facts = [w.fact(n) for n in nodes]
    wanted = result(facts)
    if wanted is None:
        return [None] * len(nodes)
    out: list[str | cst.BaseExpression | None] = []
    for fact in facts:
        same = fact.dtype == wanted or (wanted == "float" and fact.dtype == "float32") or (
            wanted == "default" and category(fact.dtype) == 2)
        if fact.kind is not Kind.TENSOR or same:
            out.append(None)
        else:
            out.append(expressed(w, wanted, nodes, at))
    return out


def divisions(w: Any, nodes: Sequence[cst.BaseExpression], at: cst.CSTNode) -> list[str | cst.BaseExpression | None]:
    """The same for `/`: TF divides whole numbers into float64, torch into its default float."""
    facts = [w.fact(n) for n in nodes]
    found = result(facts)
    if found == "default" or (found is not None and category(found) in (0, 1)):
        return [w.float_dtype() if f.kind is Kind.TENSOR else None for f in facts]
    return promotions(w, nodes, at)


def expressed(w: Any, wanted: str, nodes: Sequence[cst.BaseExpression], at: cst.CSTNode) -> str | cst.BaseExpression:
    """A dtype as an expression: that of a tensor near by for the model's float type."""
    if wanted == "float":
        return like(w, nodes, "float") or w.float_dtype()
    return w.float_dtype() if wanted == "default" else spell(w, wanted)


def like(w: Any, nodes: Sequence[cst.BaseExpression], dtype: str | None) -> cst.BaseExpression | None:
    """`x.dtype` of a variable with this dtype among the operands, or inside one."""
    for node in nodes:
        for leaf in _variables(node):
            fact = w.fact(leaf)
            if fact.kind is Kind.TENSOR and fact.dtype == dtype and fact.dtype is not None:
                return build("{x}.dtype", x=w.expr(leaf))
    return None


# Methods whose result has the dtype of their tensor.
KEEPING = frozenset("""
    masked_fill view reshape permute transpose contiguous unsqueeze squeeze flatten expand clone detach flip roll
    masked_fill_ t unflatten narrow select""".split())


def dtype_of(w: Any, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The dtype of a tensor as an expression that computes nothing: `x.dtype`, `tf.int64`; None if there is none."""
    fact = w.fact(node)
    if is_variable(node):
        return build("{x}.dtype", x=w.expr(node))
    if fact.dtype is None:
        if isinstance(node, cst.Subscript) and w.fact(node.value).kind is Kind.TENSOR:
            return dtype_of(w, node.value)
        func = node.func if isinstance(node, cst.Call) else None
        kept = isinstance(func, cst.Attribute) and func.attr.value in KEEPING
        return dtype_of(w, func.value) if isinstance(func, cst.Attribute) and kept and (
            w.fact(func.value).kind is Kind.TENSOR) else None
    if fact.dtype != "float":
        return expression(spell(w, fact.dtype))
    found = like(w, [node], "float")
    return found if found is not None else w.float_dtype()


def is_variable(node: cst.CSTNode) -> bool:
    """A name, or an attribute of one: reading it twice costs nothing and gives the same."""
    return isinstance(node, cst.Name) or (isinstance(node, cst.Attribute) and is_variable(node.value))


def _variables(node: cst.CSTNode) -> Iterator[Any]:
    if is_variable(node):
        yield node
        return
    for child in children(node):
        if isinstance(child, cst.Attribute) and not is_variable(child):
            yield from _variables(child.value)
        elif not isinstance(child, cst.Lambda | cst.ListComp | cst.GeneratorExp):
            yield from _variables(child)
