"""`add_weight` and `tf.Variable`: parameters and buffers with Keras' initial values."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.emit import Emitter, Refused
from port.infer.apply import _keyword
from port.infer.interp import code

DEFAULT = "glorot_uniform"
# initialiser -> the tensor it makes, {s} being the shape; the others fill an empty tensor in place
FULL = {"zeros": "torch.zeros({s})", "ones": "torch.ones({s})"}


def weight(em: Emitter, call: cst.Call, name: str, own: bool) -> Any:
    if not own:
        return variable(em, call, name)
    shape = _keyword(call, "shape", 0)
    initializer = _keyword(call, "initializer", 1)
    trainable = _keyword(call, "trainable")
    dtype = _keyword(call, "dtype")
    for a in call.args:
        known = {"name", "shape", "initializer", "trainable", "dtype", "regularizer", "constraint", "autocast",
                 "aggregation", "synchronization"}
        if a.keyword is not None and a.keyword.value not in known:
            raise Refused("P202", f"`{a.keyword.value}` of add_weight", call)
    for what in ("regularizer", "constraint"):
        node = _keyword(call, what)
        if node is not None and em.fact(node).literal(...) is not None:
            em.report("P205", f"`{what}` of a weight acts in Keras' training loop; add it to yours", call)
    if dtype is not None and em.fact(dtype).literal(...) not in (None, "float32") and (
            em.symbol(dtype) not in ("tf.float32",)) and "floatx" not in code(dtype):
        raise Refused("P202", "`dtype` of add_weight", call)
    em.need("torch", "nn")
    value = initial(em, initializer, shape_of(em, shape), call)
    flag = em.fact(trainable).literal(...) if trainable is not None else True
    if flag is False:
        return cst.Expr(build(f"self.register_buffer('{name}', {{v}})", v=value))
    if flag is not True:
        assert trainable is not None
        return build("nn.Parameter({v}, requires_grad={t})", v=value, t=em.expr(trainable))
    return build("nn.Parameter({v})", v=value)


def shape_of(em: Emitter, node: cst.BaseExpression | None) -> cst.BaseExpression:
    if node is None:
        return expression("()")
    new = em.expr(node)
    if isinstance(new, cst.List):
        return cst.Tuple(new.elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return new


def initial(em: Emitter, node: cst.BaseExpression | None, shape: cst.BaseExpression, call: cst.Call
            ) -> cst.BaseExpression:
    """The starting tensor of a weight that is not a layer's."""
    name, args = initializer_name(em, node)
    if name in FULL:
        return build(FULL[name], s=shape)
    if name == "constant":
        value = args.get("value")
        return build("torch.full({s}, {v})", s=shape, v=_float(em.expr(value)) if value is not None else "0.0")
    if name in ("random_normal", "normal"):
        mean, std = _number(em, args, "mean", "0.0"), _number(em, args, "stddev", "0.05")
        return build("nn.init.normal_(torch.empty({s}), {m}, {d})", s=shape, m=mean, d=std)
    if name in ("random_uniform", "uniform"):
        low, high = _number(em, args, "minval", "-0.05"), _number(em, args, "maxval", "0.05")
        return build("nn.init.uniform_(torch.empty({s}), {a}, {b})", s=shape, a=low, b=high)
    if name == "truncated_normal":
        std = _number(em, args, "stddev", "0.05")
        em.helper("truncated_normal_")
        return build("truncated_normal_(torch.empty({s}), std={d})", s=shape, d=std)
    if name in ("glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
                "variance_scaling", "orthogonal", "identity"):
        return _scaled(em, name, shape)
    raise Refused("P202", f"the initializer `{code(node) if node is not None else name}` of a weight", call)


def _scaled(em: Emitter, name: str, shape: cst.BaseExpression) -> cst.BaseExpression:
    """Keras counts fans from the end of the shape (in, out), PyTorch from its start."""
    if name == "orthogonal":
        return build("nn.init.orthogonal_(torch.empty({s}))", s=shape)
    if name == "identity":
        return build("nn.init.eye_(torch.empty({s}))", s=shape)
    em.helper("keras_fans_")
    return build(f"keras_fans_(torch.empty({{s}}), '{name}')", s=shape)


def _float(value: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(value, cst.Integer):
        return expression(value.value + ".0")
    return value


def _number(em: Emitter, args: dict[str, cst.BaseExpression], name: str, default: str) -> cst.BaseExpression:
    return em.expr(args[name]) if name in args else expression(default)


POSITIONS = {"constant": ["value"], "random_normal": ["mean", "stddev"], "random_uniform": ["minval", "maxval"],
             "truncated_normal": ["mean", "stddev"], "variance_scaling": ["scale", "mode", "distribution"]}


def initializer_name(em: Emitter, node: cst.BaseExpression | None) -> tuple[str, dict[str, Any]]:
    """('he_normal', arguments) of a string, class or object."""
    if node is None:
        return DEFAULT, {}
    value = em.fact(node).literal(...)
    if isinstance(value, str):
        return snake(value), {}
    call = node if isinstance(node, cst.Call) else None
    target = node.func if isinstance(node, cst.Call) else node
    symbol = em.symbol(target) if isinstance(target, cst.Name | cst.Attribute) else ""
    if symbol == "keras.initializers.get" and call is not None and call.args:
        return initializer_name(em, call.args[0].value)
    name = snake(symbol.rpartition(".")[2].removesuffix("_initializer"))
    if not symbol:
        raise Refused("P202", f"the initializer `{code(node)}` is not known", node)
    if symbol.rpartition(".")[2] == "zeros_initializer":
        name = "zeros"
    args: dict[str, Any] = {}
    for i, a in enumerate(call.args if call is not None else []):
        if a.keyword is not None:
            args[a.keyword.value] = a.value
        elif i < len(POSITIONS.get(name, [])):
            args[POSITIONS[name][i]] = a.value
    return name, args


def snake(name: str) -> str:
    if name != name.lower():
        name = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    return {"zero": "zeros", "one": "ones"}.get(name, name)


def variable(em: Emitter, call: cst.Call, name: str) -> Any:
    """`tf.Variable(initial)`."""
    value = _keyword(call, "initial_value", 0) or _keyword(call, "initializer", 0)
    if value is None:
        raise Refused("P202", "a variable without an initial value", call)
    trainable = _keyword(call, "trainable", 1)
    flag = em.fact(trainable).literal(...) if trainable is not None else True
    em.need("torch", "nn")
    new = em.expr(value)
    if isinstance(em.fact(value).literal(None), int | float):
        new = build("torch.tensor({v})", v=_float(new))
    elif em.fact(value).kind.value != "tensor":
        new = build("torch.as_tensor({v})", v=new)
    if flag is False:
        return cst.Expr(build(f"self.register_buffer('{name}', {{v}})", v=new))
    return build("nn.Parameter({v})", v=new)
