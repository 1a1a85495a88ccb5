"""Facts of Python's own functions, and of those that give a shape or a constant."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Sym, tensor
from port.tf2torch.infer.attributes import variable_of
from port.tf2torch.infer.given import simplify_sym
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import CorrectPad, Grown, Items, ShapeOf, Size, part_of
from port.tree import children

_COMPUTED = (cst.BinaryOperation, cst.Call, cst.UnaryOperation)


# ---------------------------------------------------------------- builtins and shapes
TENSORS = ("tf.shape", "tf.compat.v1.shape", "keras.backend.shape")  # they give a shape as a tensor


def shape_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    form = "tensor" if it.names.resolve(node.func) in TENSORS else "tuple"
    if args and args[0].kind is Kind.TENSOR:
        return Fact(Kind.SHAPE, payload=ShapeOf(args[0], variable_of(node.args[0].value), form))
    if args and args[0].kind in (Kind.PLAIN, Kind.UNKNOWN):  # not known to be a tensor, but it has a shape
        name = variable_of(node.args[0].value) if args[0].payload is None else ""  # of a list, which has no device
        return Fact(Kind.SHAPE, payload=ShapeOf(tensor(), name, form))
    return it.plain(node)


def number_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    value = args[0].literal(...) if args else ...
    if isinstance(value, int | float) and len(args) == 1:
        return it.value(float(value) if it.names.resolve(node.func) == "" and _is(node.func, "float") else int(value))
    if args and isinstance(args[0].payload, Size) and len(args) == 1 and isinstance(
            node.args[0].value, cst.Subscript):
        return args[0]
    if any(_mentions_size(it, a.value) for a in node.args):
        it.facts.pop(node, None)  # what an earlier pass thought of it
        known = all(_sizes_known(it, a.value) for a in node.args)
        return Fact(Kind.PLAIN, payload=Size(simplify_sym(Sym(it.text(node)), None) if known else None))
    kind = next((name for name in ("int", "float") if _is(node.func, name)), None)  # of a tensor as well
    return it.plain(node).but(dtype=kind) if kind is not None and args else it.plain(node)


def _sizes_known(it: Interp, node: cst.CSTNode) -> bool:
    payload = it.facts.get(node, UNKNOWN).payload
    if isinstance(payload, Size):
        return payload.dim is not None
    return type(node) not in _COMPUTED or all(
        _sizes_known(it, c.value if type(c) is cst.Arg else c) for c in children(node))


def _is(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _mentions_size(it: Interp, node: cst.CSTNode) -> bool:
    if isinstance(it.facts.get(node, UNKNOWN).payload, Size):
        return True
    return type(node) in _COMPUTED and any(
        _mentions_size(it, c.value if type(c) is cst.Arg else c) for c in children(node))


def correct_pad_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    kernel = args[1].literal() if len(args) == 2 else None
    if isinstance(kernel, int | tuple) and args[0].kind is Kind.TENSOR:
        return it.plain(node).but(payload=CorrectPad(args[0], kernel))
    return it.plain(node)


def tuple_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if not node.args:
        return Fact(Kind.PLAIN, payload=Items([], "list"))
    elements = it.unpack(args[0])
    if elements is None:
        if isinstance(held := args[0].payload, ShapeOf):
            form = "list" if _is(node.func, "list") else "tuple"
            return Fact(Kind.PLAIN, payload=ShapeOf(held.of, held.name, form))
        return args[0] if isinstance(held, Grown) else it.plain(node)
    values = [e.literal(...) for e in elements]
    literal = frozenset([tuple(values)]) if all(v is not ... for v in values) else None
    return Fact(Kind.PLAIN, values=literal, payload=Items(list(elements), "list"))


def len_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if args and isinstance(args[0].payload, Items):
        return it.value(len(args[0].payload.elements))
    if args and isinstance(args[0].literal(...), tuple | str):
        return it.value(len(args[0].value))
    if args and isinstance(args[0].payload, ShapeOf) and args[0].payload.of.rank is not None:
        return it.value(args[0].payload.of.rank)
    return it.plain(node).but(dtype="int")


def reversed_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    elements = it.unpack(args[0]) if args else None
    if elements is not None:
        held = args[0].payload if isinstance(args[0].payload, Items) else Items([])
        return Fact(Kind.PLAIN, payload=held.part(list(reversed(elements)), "list"))
    if args and isinstance(args[0].payload, Grown):
        return args[0].but(payload=part_of(args[0].payload, "[::-1]"))
    return args[0] if args else UNKNOWN


ACTIVATION = "port.activation"  # a function that a setting chose by name


def activation_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return Fact(Kind.FUNCTION, symbol=ACTIVATION)


def epsilon_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return it.value(1e-7)


def backend_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return it.value("tensorflow")


def first_argument(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return args[0] if args else UNKNOWN
