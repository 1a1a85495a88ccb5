"""Random numbers drawn into a new tensor: `torch.zeros(n).uniform_(a, b)` is `tf.random.uniform((n,), a, b)`.

`x.new_empty(shape).bernoulli_(p)`, as in stochastic depth, is `tf.cast(tf.random.uniform(shape) < p, x.dtype)`.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import COMMA, TIGHT, build, expression
from port.facts import Kind
from port.torch2tf import dtypes
from port.torch2tf.values import Items

SIZED = {f"torch.{n}" for n in ("zeros", "ones", "empty", "rand", "randn")}
LIKE = {f"torch.{n}_like" for n in ("zeros", "ones", "empty", "rand", "randn")}
OF = {f"tensor.new_{n}" for n in ("zeros", "ones", "empty")}  # of the dtype of another tensor
CLASSES = ("torch.Tensor", "torch.FloatTensor")  # given one sequence, they hold its values
DRAWN = ("uniform_", "normal_")  # by default from 0 to 1, and of mean 0 and deviation 1, on both sides
NAMED = {"mean": "mean", "std": "stddev"}


def write(w: Any, node: cst.Call) -> Any:
    """The random numbers, of the new tensor's shape; None for any other call, or of a tensor that is not new."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in (*DRAWN, "bernoulli_") or any(
            a.star or (a.keyword is not None and a.keyword.value not in NAMED) for a in node.args):
        return None
    if func.attr.value == "bernoulli_" and (len(node.args) != 1 or w.fact(node.args[0].value).kind is Kind.TENSOR):
        return None
    made = func.value
    floats = False
    while isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) and made.func.attr.value in (
            "float", "cuda", "cpu") and w.fact(made.func.value).kind is Kind.TENSOR:
        floats |= made.func.attr.value == "float"
        made = made.func.value
    if not isinstance(made, cst.Call):
        return None
    shape, dtype = _made(w, made)
    if shape is None:
        return None
    module = "keras.random" if w.target == "keras" else "tf.random"
    w.need(module.partition(".")[0])
    own = w.float_dtype() if floats or dtype is None else dtype
    if func.attr.value == "bernoulli_":
        cast = "keras.ops.cast" if w.target == "keras" else "tf.cast"
        return build(f"{cast}({module}.uniform({{s}}) < {{p}}, {{d}})", s=shape, p=w.expr(node.args[0].value), d=own)
    args = [cst.Arg(shape), *(_arg(w, a) for a in node.args)]
    if w.target != "keras" or w.in_layer or (dtype is not None and not floats):  # keras.random takes floatx by itself
        args.append(cst.Arg(own, keyword=cst.Name("dtype"), equal=TIGHT))
    return cst.Call(expression(f"{module}.{func.attr.value[:-1]}"), args)


def _arg(w: Any, arg: cst.Arg) -> cst.Arg:
    value = w.expr(arg.value)
    return cst.Arg(value) if arg.keyword is None else cst.Arg(value, cst.Name(NAMED[arg.keyword.value]), equal=TIGHT)


def _made(w: Any, made: cst.Call) -> tuple[Any, Any]:
    """Shape and dtype of a tensor that this call makes; no dtype is that of new floats."""
    symbol = w.fact(made.func).symbol
    named = {a.keyword.value: a.value for a in made.args if a.keyword is not None}
    sizes = [a.value for a in made.args if a.keyword is None]
    if any(a.star for a in made.args) or not sizes or named.keys() - {"device", "dtype"}:
        return None, None
    given = dtypes.dtype_name(w.fact(named["dtype"]).symbol) if "dtype" in named else ""
    dtype = expression(dtypes.spell(w, given)) if given else w.expr(named["dtype"]) if "dtype" in named else None
    if symbol in SIZED:
        return _shape(w, sizes), dtype
    if symbol in OF and isinstance(made.func, cst.Attribute):
        own = dtype if dtype is not None else dtypes.dtype_of(w, made.func.value)
        return (_shape(w, sizes), own) if own is not None else (None, None)
    if symbol == "tensor.new" and isinstance(made.func, cst.Attribute) and _are_sizes(w, sizes):
        own = dtypes.dtype_of(w, made.func.value)
        return (_shape(w, sizes), own) if own is not None else (None, None)
    if symbol == "tensor.resize_" and isinstance(made.func, cst.Attribute):
        return _resized(w, made.func.value, sizes)
    if symbol in CLASSES and len(sizes) == 1 and isinstance(sizes[0], cst.Tuple | cst.List):
        return expression(f"({len(sizes[0].elements)},)"), dtype
    if symbol in LIKE and len(sizes) == 1:
        word = "keras.ops.shape" if w.target == "keras" else "tf.shape"
        w.need(word.partition(".")[0])
        of_floats = dtypes.category(w.fact(sizes[0]).dtype) == 2
        if dtype is None and of_floats:
            dtype = dtypes.dtype_of(w, sizes[0])
        return build(f"{word}({{x}})", x=w.expr(sizes[0], w.fact(made).layout)), dtype
    return None, None


def _are_sizes(w: Any, sizes: list[cst.BaseExpression]) -> bool:
    """Numbers, or a shape: a tuple or list that `x.new` is given holds values."""
    facts = [w.fact(size) for size in sizes]
    return (len(facts) == 1 and facts[0].kind is Kind.SHAPE) or all(
        f.kind is Kind.PLAIN and not isinstance(f.payload, Items) and not isinstance(size, cst.Tuple | cst.List)
        for f, size in zip(facts, sizes, strict=True))


def _resized(w: Any, new: cst.BaseExpression, sizes: list[cst.BaseExpression]) -> tuple[Any, Any]:
    """`x.new().resize_(shape)`, the old way to write `x.new_empty(shape)`."""
    func = new.func if isinstance(new, cst.Call) and not new.args else None
    if not isinstance(func, cst.Attribute) or w.fact(func).symbol != "tensor.new":
        return None, None
    own = dtypes.dtype_of(w, func.value)
    return (_shape(w, sizes), own) if own is not None else (None, None)


def _shape(w: Any, sizes: list[cst.BaseExpression]) -> Any:
    if len(sizes) == 1 and (isinstance(w.fact(sizes[0]).payload, Items) or w.fact(sizes[0]).kind is Kind.SHAPE
                            or w.fact(sizes[0]).payload is not None):
        return w.expr(sizes[0])
    last = len(sizes) - 1
    return cst.Tuple([cst.Element(w.expr(s), comma=COMMA if i < last else cst.MaybeSentinel.DEFAULT)
                      for i, s in enumerate(sizes)])
