"""`add_weight` and `tf.Variable`: parameters and buffers with Keras' initial values."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword, weight_argument
from port.build import build, expression
from port.facts import Kind
from port.tf2torch.calls.variables import FILLED, is_own, makes_weight
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.opshapes import dtype_of, kind_of
from port.tf2torch.infer.values import Class, find_method
from port.tf2torch.initial.initializers import fill
from port.tf2torch.initial.reader import Reader
from port.tf2torch.settings import usually_none
from port.tree import code, find

DEFAULT = "glorot_uniform"
# initialiser -> the tensor it makes, {s} being the shape; the others fill an empty tensor
FULL = {"zeros": "torch.zeros({s})", "ones": "torch.ones({s})"}

OWN_DTYPES = ("self.dtype", "self.variable_dtype", "self.dtype_policy", "self.dtype_policy.variable_dtype")


def parameter(em: Emitter, call: cst.Call) -> cst.BaseExpression:
    """A weight inside an expression of a constructor."""
    new = weight(em, call, "")
    if isinstance(new, cst.Expr):
        raise Refused("P206", "a variable that is not trained, in a container: give it an attribute of its own", call)
    return new  # type: ignore[no-any-return]


def in_container(em: Emitter, cls: Class, small: Any) -> Any:
    """`self.kernels = [self.add_weight(...) for ...]`: PyTorch looks into ParameterList and ParameterDict only."""
    target: Any = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    value = getattr(small, "value", None)
    if not isinstance(target, cst.Attribute) or code(target.value) != "self" or not isinstance(
            value, cst.List | cst.ListComp | cst.Dict):
        return None
    if isinstance(value, cst.ListComp):
        held = [value.elt]
    elif value.elements:
        held = [e.value for e in value.elements]
    else:  # what is put into it later
        append = f"{code(target)}.append"
        held = [c.args[0].value for c in find(cls.node, cst.Call) if c.args and code(c.func) == append]
    if not held or not any(makes_weight(em, h) for h in held):
        return None
    if not all(makes_weight(em, h) for h in held):
        raise Refused("P206", "a container of weights and other things: keep them apart", value)
    em.need("nn")
    kind = "nn.ParameterDict" if isinstance(value, cst.Dict) else "nn.ParameterList"
    empty = not isinstance(value, cst.ListComp) and not value.elements
    return small.with_changes(value=build(f"{kind}()") if empty else build(f"{kind}({{v}})", v=em.expr(value)))


def _is_own_dtype(em: Emitter, node: cst.BaseExpression) -> bool:
    """Is it the dtype that Keras gives the layer, as its own code reads it?"""
    cls, first = em.scope.cls, code(node).partition(".")[2].partition(".")[0]
    return cls is not None and code(node) in OWN_DTYPES and first not in cls.attrs and find_method(cls, first) is None


def weight(em: Emitter, call: cst.Call, name: str) -> Any:
    if not is_own(em, call):
        return variable(em, call, name)
    shape, initializer = weight_argument(call, "shape"), weight_argument(call, "initializer")
    trainable, dtype = weight_argument(call, "trainable"), weight_argument(call, "dtype")
    for a in call.args:
        known = {"name", "shape", "initializer", "trainable", "dtype", "regularizer", "constraint", "autocast",
                 "aggregation", "synchronization"}
        if a.keyword is not None and a.keyword.value not in known:
            raise Refused("P202", f"`{a.keyword.value}` of add_weight", call)
    for what in ("regularizer", "constraint"):
        node = weight_argument(call, what)
        if node is not None and em.fact(node).literal(...) is not None:
            none = usually_none(em, node)
            em.report("P103" if none else "P205", f"`{what}` of a weight " + (
                "is taken as None, its default; one that is given " if none else "") +
                "acts in Keras' training loop; add it to yours", call)
    if dtype is not None and em.fact(dtype).literal(...) not in (None, "float32") and (
            em.symbol(dtype) not in ("tf.float32",)) and "floatx" not in code(dtype) and not _is_own_dtype(em, dtype):
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
    spec = Reader(em, em.scope.function, em.scope.cls, here=True).read(node, DEFAULT)
    if spec.why:
        raise Refused("P202", f"the initializer of this weight: {spec.why}", call)
    if spec.name in FULL:
        return build(FULL[spec.name], s=shape)
    if spec.name == "constant":
        return build("torch.full({s}, {v})", s=shape, v=_float(expression(spec.arg("value"))))
    text = code(build("torch.empty({s})", s=shape))
    if spec.by_fans and not (spec.name == "glorot_uniform" and _is_matrix(shape)):
        em.helper("keras_fans_")  # Keras counts fans from the end of the shape (in, out), PyTorch from its start
        triple = ", ".join(spec.arg(k) for k in ("scale", "mode", "distribution") if spec.name == "variance_scaling")
        return expression(f"keras_fans_({text}, {f'({triple})' if triple else repr(spec.name)})")
    if spec.name in ("identity", "orthogonal") and (spec.args or not _is_matrix(shape)):
        raise Refused("P202", f"the initializer `{spec.name}` of a weight that is not a matrix", call)
    return expression(fill(em, spec, text))


def _is_matrix(shape: cst.BaseExpression) -> bool:
    return isinstance(shape, cst.Tuple) and len(shape.elements) == 2 and not any(
        isinstance(e, cst.StarredElement) for e in shape.elements)


def _float(value: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(value, cst.Integer):
        return expression(value.value + ".0")
    return value


def variable(em: Emitter, call: cst.Call, name: str) -> Any:
    """`tf.Variable(initial)`."""
    value = keyword(call, "initial_value", 0) or keyword(call, "initializer", 0)
    if value is None:
        raise Refused("P202", "a variable without an initial value", call)
    trainable = keyword(call, "trainable", 1)
    flag = em.fact(trainable).literal(...) if trainable is not None else True
    return _made(em, value, keyword(call, "dtype"), name, flag is not False)


def _made(em: Emitter, value: cst.BaseExpression, dtype: cst.BaseExpression | None, name: str, trained: bool) -> Any:
    em.need("torch", "nn")
    new, whole = _start(em, value, dtype)
    if not trained or whole:  # whole numbers have no gradient
        return cst.Expr(build(f"self.register_buffer('{name}', {{v}})", v=new))
    return build("nn.Parameter({v})", v=new)


def _start(em: Emitter, value: cst.BaseExpression, dtype: cst.BaseExpression | None) -> tuple[cst.BaseExpression, bool]:
    """The tensor that a variable starts with, and whether its numbers are whole."""
    if isinstance(value, cst.Lambda):  # called once, for this variable
        value = value.body
    fact = em.fact(value)
    kind = dtype_of(em.fact(dtype)) or "" if dtype is not None else ""
    if dtype is not None and not kind and em.fact(dtype).literal(...) is not None:
        raise Refused("P202", f"the dtype `{code(dtype)}` of a variable", dtype)
    number = fact.literal(None)
    found = kind or (fact.dtype if fact.kind is Kind.TENSOR else kind_of(number)) or ""
    whole = found.startswith(("int", "uint", "bool"))
    new = em.expr(value)
    if fact.kind is Kind.TENSOR:
        same = not kind or fact.dtype == kind or (fact.dtype == "float" and kind == "float32")
        return new if same else build(f"{{v}}.to(torch.{kind})", v=new), whole
    single = isinstance(number, int | float)
    said = kind not in ("", "int32", *(("float32", "bool") if single else ()))  # whole numbers are int64 in PyTorch
    maker, rest = "tensor" if single else "as_tensor", f", dtype=torch.{kind}" if said else ""
    return build(f"torch.{maker}({{v}}{rest})", v=_float(new) if single and not whole else new), whole


def constant(em: Emitter, cls: Class, small: Any) -> Any:
    """`self.scale = tf.constant(...)` as a buffer, which moves to a device with the module; None for anything else.

    It is not persistent: the state of the model holds what the source's weights are. `K.ones` and `K.zeros` make
    variables, which are weights.
    """
    target: Any = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if not isinstance(target, cst.Attribute) or code(target.value) != "self" or (
            em.fact(small.value).kind is not Kind.TENSOR):
        return None
    if isinstance(small.value, cst.Call) and em.symbol(small.value.func) in FILLED:
        new = _made(em, small.value, None, target.attr.value, True)
        return new if isinstance(new, cst.Expr) else small.with_changes(value=new)
    places = [n for n in find(cls.node, cst.Attribute) if n.attr.value == target.attr.value]
    written = [t for t in find(cls.node, cst.AssignTarget) if t.target in places]
    if len(written) != 1 or any(n.target in places for n in find(cls.node, cst.AugAssign)):
        return None
    name = target.attr.value
    return cst.Expr(build(f"self.register_buffer('{name}', {{v}}, persistent=False)", v=em.expr(small.value)))
