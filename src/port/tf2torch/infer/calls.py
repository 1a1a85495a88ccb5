"""Facts of calls: layers, models, rows, functions of the user, methods and builtins."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from port.binding import keyword, weight_argument
from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.scopes import Env
from port.tf2torch.infer import anyname, arrays, base_sizes, branches, masks, several
from port.tf2torch.infer.attributes import variable_of
from port.tf2torch.infer.builtins import (
    ACTIVATION,
    activation_call,
    backend_call,
    correct_pad_call,
    epsilon_call,
    first_argument,
    len_call,
    number_call,
    reversed_call,
    shape_call,
    tuple_call,
)
from port.tf2torch.infer.choices import OneOf
from port.tf2torch.infer.conditions import is_number
from port.tf2torch.infer.functions import call_function
from port.tf2torch.infer.inputs import new_input
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layers import MERGES, merge
from port.tf2torch.infer.models import add_layer, apply_to, new_model, new_sequential
from port.tf2torch.infer.named import NAMED, eval_call, named_layer
from port.tf2torch.infer.objects import apply_one_of, call_alternatives, instantiate
from port.tf2torch.infer.opshapes import shape_of
from port.tf2torch.infer.rowcalls import new_layer, row_call
from port.tf2torch.infer.values import (
    Alternatives,
    Class,
    Function,
    Grown,
    Inputs,
    Items,
    LayerCall,
    SequentialModel,
    ShapeOf,
    Size,
    common,
    has_tensor,
    may_flip,
    tensors_in,
)

CHANNELS_LAST = ("keras.backend.image_data_format", "keras.config.image_data_format",
                 "keras.backend.image_dim_ordering")


# ---------------------------------------------------------------- calls
def call(it: Interp, node: cst.Call, env: Env) -> Fact:
    callee = it.ev(node.func, env)
    args = [it.ev(a.value, env) for a in node.args]
    if isinstance(callee.payload, OneOf):
        return apply_one_of(it, node, callee.payload, args)
    if callee.kind in (Kind.LAYER, Kind.MODEL):
        any_of = _elements(it, node.func)
        result = several.any_of(any_of, lambda one: apply_to(it, node, one, args)) if any_of else apply_to(
            it, node, callee, args)
        masks.unmask(it, node, env)
        return result
    if isinstance(callee.payload, Function) and callee.kind is Kind.FUNCTION:
        made = call_function(it, node, callee.payload, args)
        return made if callee.payload.owner is None else base_sizes.of_base(it, callee.payload.owner, made)
    if isinstance(callee.payload, Class) and callee.kind is Kind.FUNCTION:
        return instantiate(it, node, callee.payload, args)
    if isinstance(callee.payload, Alternatives):
        return call_alternatives(it, node, callee.payload, args)
    symbol = callee.symbol
    if symbol.startswith("keras.layers.") and symbol.rpartition(".")[2] in MERGES:
        return merge(it, node, symbol, args)
    if symbol in CHANNELS_LAST:
        return it.value("channels_last")
    if symbol == "shape.as_list":
        return Fact(Kind.PLAIN, payload=replace(callee.payload.payload, form="list"))
    if symbol in ("self.add_weight", "self.add_variable"):
        return _weight(it, node)
    if symbol == ACTIVATION:
        return args[0].but(payload=None) if args else UNKNOWN
    if symbol == NAMED:
        return named_layer(it, node)
    if symbol in branches.CONDS:
        return branches.cond(it, node, env)
    if symbol in branches.PHASES:
        return branches.by_phase(it, node, env)
    if symbol in branches.MAPS:
        return tensor()
    special = SPECIAL.get(symbol)
    if special is not None:
        return special(it, node, args)
    if symbol.startswith(("list.", "layer.")) and isinstance(callee.payload, Fact):
        return _method(it, node, symbol, callee.payload, args)
    if symbol.startswith("tensor.") and isinstance(callee.payload, Fact):
        return _tensor_method(it, node, symbol, callee.payload)
    rows = it.rows.get(symbol)
    if rows and rows[0].returns == "transpose":
        _permuted(it, node, env, args)
    if rows:
        return row_call(it, node, symbol, rows, args)
    if symbol.startswith("keras.layers.") and symbol.rpartition(".")[2][:1].isupper():
        return new_layer(it, node, symbol, None, None)
    if symbol.startswith("builtins.super"):
        return Fact(Kind.UNKNOWN, symbol="super")
    if symbol.startswith("numpy."):
        return arrays.made(symbol[len("numpy."):], [*args]) or it.plain(node)
    if not symbol.startswith("builtins.") and any(may_flip(t) for a in args for t in tensors_in(a)):
        return UNKNOWN  # perhaps a tensor, which has the source's axes then
    return it.plain(node)


def _elements(it: Interp, func: cst.BaseExpression) -> list[Fact]:
    """The layers of Keras of a list, any of which a number picks that is not known: `self.parts[i]`."""
    if not isinstance(func, cst.Subscript) or len(func.slice) != 1:
        return []
    held, index = it.facts.get(func.value, UNKNOWN).payload, func.slice[0].slice
    known = not isinstance(index, cst.Index) or it.facts.get(index.value, UNKNOWN).literal(...) is not ...
    layers = held.elements if isinstance(held, Items) and not known else []
    return layers if len(layers) > 1 and all(isinstance(e.payload, LayerCall) for e in layers) else []


def _permuted(it: Interp, node: cst.Call, env: Env, args: list[Fact]) -> None:
    """A variable of open rank whose axes are put into a written order has as many axes."""
    given = node.args[0].value if node.args else None
    orders = [o for k in ("perm", "pattern", "axes") if (o := keyword(node, k, 1)) is not None]
    order = orders[0] if orders else None
    if type(given) is not cst.Name or given.value not in env.names or not isinstance(order, cst.Tuple | cst.List):
        return
    open_rank = args[0].kind is Kind.TENSOR and args[0].shape is None and args[0].layout is Layout.PLAIN
    if open_rank and args[0].payload is None and not any(isinstance(e, cst.StarredElement) for e in order.elements):
        it.proofs += 1
        env.names[given.value] = it.facts[given] = args[0].but(shape=(None,) * len(order.elements))


GROWING = ("append", "extend", "insert", "pop", "remove", "reverse", "clear", "sort")


def _method(it: Interp, node: cst.Call, symbol: str, owner: Fact, args: list[Fact]) -> Fact:
    name = symbol.partition(".")[2]
    if (held := arrays.method(owner, name, args)) is not None:
        return held
    if name == "append" and args and has_tensor(args[0]) and isinstance(node.func, cst.Attribute) and isinstance(
            node.func.value, cst.Name):
        it.appended.add(node.func.value.value)
    if name == "values" and isinstance(owner.payload, Inputs):
        return Fact(Kind.PLAIN, payload=Items(list(owner.payload.values.values())))
    if name == "append" and isinstance(owner.payload, Items) and args:
        target = owner.payload
        target.elements.append(it.named(args[0], node.args[0].value))
    elif name == "append" and isinstance(owner.payload, Grown) and args and has_tensor(args[0]):
        held = owner.payload.element
        if held.rank is None and args[0].rank and args[0].layout is held.layout:  # of the tensor that began the list
            owner.payload.element = held = held.but(shape=(*[None] * (args[0].rank - 1), held.last))
        one = common([held, *tensors_in(args[0])])
        if (one.layout, one.rank) != (owner.payload.element.layout, owner.payload.element.rank):
            owner.payload.element = one
    elif name == "insert" and isinstance(owner.payload, Items) and len(args) == 2:
        at = args[0].literal(...)
        if isinstance(at, int):
            owner.payload.elements.insert(at, args[1])
        elif has_tensor(args[1]):
            count = len(owner.payload.elements) + 1
            owner.payload.elements[:] = [common([*tensors_in(owner), *tensors_in(args[1])])] * count
    elif isinstance(owner.payload, ShapeOf) and name in GROWING:
        owner.payload.of = tensor()  # other sizes, or more of them
    elif name == "reverse" and isinstance(owner.payload, Items):
        owner.payload.elements.reverse()
    elif name == "clear" and isinstance(owner.payload, Items):
        owner.payload.elements.clear()
    elif name == "copy" and isinstance(owner.payload, Items):
        return Fact(Kind.PLAIN, payload=Items(list(owner.payload.elements), owner.payload.kind))
    elif name == "extend" and isinstance(owner.payload, Items) and args:
        target = owner.payload
        target.elements += it.unpack(args[0]) or []
    elif name == "pop" and isinstance(owner.payload, Items) and owner.payload.elements:
        at = args[0].literal(-1) if args else -1
        elements = owner.payload.elements
        return elements.pop(at) if isinstance(at, int) and -len(elements) <= at < len(elements) else elements.pop()
    elif name == "pop" and isinstance(owner.payload, Grown):
        return owner.payload.element.but(shape=None)
    elif name == "add" and isinstance(owner.payload, SequentialModel) and args:
        return add_layer(it, owner.payload, args[0])
    elif name == "get_initial_state" and isinstance(owner.payload, LayerCall):
        two = owner.payload.symbol == "keras.layers.LSTM"
        return Fact(Kind.PLAIN, payload=Items([tensor()] * 2, "list")) if two else tensor()
    elif name in ("set_shape", "assert_has_rank"):
        return UNKNOWN
    elif name == "compute_mask" and args and args[0].kind is Kind.TENSOR:
        return args[0].but(dtype="bool", payload=None, mask=None)
    return it.plain(node)


def _tensor_method(it: Interp, node: cst.Call, symbol: str, owner: Fact) -> Fact:
    name = symbol.partition(".")[2]
    if name in ("get_shape", "shape"):
        assert isinstance(node.func, cst.Attribute)
        return Fact(Kind.SHAPE, payload=ShapeOf(owner, variable_of(node.func.value)))
    if name == "numpy":
        return it.plain(node)
    return tensor()


def _weight(it: Interp, node: cst.Call) -> Fact:
    """`self.add_weight(shape=(n, features))`: a tensor of that shape."""
    shape = weight_argument(node, "shape")
    if isinstance(shape, cst.Tuple | cst.List) and not any(isinstance(e, cst.StarredElement) for e in shape.elements):
        facts = [it.facts.get(e.value, UNKNOWN) for e in shape.elements]
        return tensor(tuple(f.payload.dim if isinstance(f.payload, Size) else it.dim(e.value)
                            for f, e in zip(facts, shape.elements, strict=True)), "float")
    held = it.facts.get(shape, UNKNOWN).payload if shape is not None else None
    if isinstance(held, ShapeOf):  # input_shape[-1:]
        return tensor(held.of.shape, "float")
    if shape is None:
        return tensor((), "float")
    return tensor(None, "float")


def _variable(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """`tf.Variable(initial)`: a tensor of the initial value's shape."""
    if keyword(node, "shape") is not None:
        return _weight(it, node)
    initial = keyword(node, "initial_value", 0) or keyword(node, "initializer", 0)
    fact = it.facts.get(initial, UNKNOWN) if initial is not None else UNKNOWN
    if fact.kind is Kind.TENSOR:
        return tensor(fact.shape, fact.dtype)
    value = fact.literal(...)
    return tensor(() if is_number(fact) else None if value is ... else shape_of(value), "float")


SPECIAL = {
    "tf.Variable": _variable,
    "keras.Variable": _variable,
    "keras.Input": new_input,
    "keras.layers.InputLayer": new_input,
    "keras.Model": new_model,
    "keras.Sequential": new_sequential,
    "tf.shape": shape_call,
    "keras.ops.shape": shape_call,
    "keras.backend.int_shape": shape_call,
    "keras.backend.shape": shape_call,
    "builtins.int": number_call,
    "builtins.max": number_call,
    "builtins.min": number_call,
    "builtins.round": number_call,
    "builtins.float": number_call,
    "builtins.tuple": tuple_call,
    "builtins.list": tuple_call,
    "keras.backend.epsilon": epsilon_call,
    "keras.activations.get": activation_call,
    "keras.backend.backend": backend_call,
    "keras.config.backend": backend_call,
    "keras.applications.imagenet_utils.correct_pad": correct_pad_call,
    "helpers.correct_pad": correct_pad_call,
    "builtins.len": len_call,
    "builtins.reversed": reversed_call,
    "builtins.eval": eval_call,
    "builtins.getattr": anyname.get,
    "builtins.setattr": anyname.set_,
    "copy.deepcopy": first_argument,
}
