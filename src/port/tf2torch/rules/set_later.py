"""Attributes of layers and models that are set after these were made: `base.trainable = False`."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Kind
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.calls.variables import MAKERS
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.builtins import ACTIVATION
from port.tf2torch.infer.values import Class, GraphModel, Instance, Items, LayerCall, SelfValue, SequentialModel
from port.tree import code, find, named

FLAG = "trainable"
SUPER_ONLY = {"name", "dtype", "trainable", "activity_regularizer", "autocast"}  # what Keras' own constructors take
NORMS = ("keras.layers.BatchNormalization", "keras.layers.TimeDistributed")  # or what may hold one
HARMLESS = ("name", "_name")


Write = Callable[[Any], Any]


def set_attribute(em: Emitter, small: Any, write: Write | None = None) -> cst.BaseSmallStatement | None:
    """What stands for the statement; None if it sets nothing of a layer's, or something of the user's own."""
    write = write or em.expr
    kind = type(small)
    targets = [t.target for t in small.targets] if kind is cst.Assign else (
        [small.target] if kind is cst.AugAssign else [])
    for target in targets:
        if type(target) is cst.Attribute and _of_keras(em, target):
            if target.attr.value != FLAG or len(targets) > 1 or kind is cst.AugAssign:
                raise Refused("P206", f"`{code(target)}` is set after the layer was made; say it where it is made",
                              small)
            return _frozen(em, target.value, small, write)
    call = small.value if kind is cst.Expr else None
    if type(call) is cst.Call and code(call.func) == "setattr" and len(call.args) == 3 and (
            em.fact(call.args[1].value).literal(None) == FLAG):
        raise Refused("P206", f"`{FLAG}` is set through `setattr`; assign to it", small)
    return None


def set_in_loop(em: Emitter, node: cst.For, write: Write | None = None) -> cst.SimpleStatementLine | None:
    """`for layer in base.layers: layer.trainable = False`: as for the model itself."""
    write = write or em.expr
    body = node.body.body
    small = body[0].body[0] if len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) else None
    if not isinstance(small, cst.Assign) or not isinstance(node.target, cst.Name) or node.orelse is not None or (
            code(small.targets[0].target) != f"{node.target.value}.{FLAG}" or len(small.targets) > 1):
        return None
    model = node.iter.value if isinstance(node.iter, cst.Attribute) and node.iter.attr.value == "layers" else None
    if model is None or not isinstance(em.fact(model).payload, GraphModel | SequentialModel) or (
            node.target.value in named(small.value)):
        return None
    return cst.SimpleStatementLine([_frozen(em, model, small, write)], leading_lines=node.leading_lines)


def _frozen(em: Emitter, owner: cst.BaseExpression, small: cst.Assign, write: Write) -> cst.Expr:
    payload = em.fact(owner).payload
    if isinstance(payload, SelfValue) or not isinstance(payload, LayerCall | GraphModel | SequentialModel | Instance):
        raise Refused("P206", f"which weights `{code(owner)}.{FLAG}` freezes is not known; freeze the layers by name",
                      small)
    if isinstance(payload, LayerCall) and payload.symbol not in NORMS:
        return cst.Expr(build("{m}.requires_grad_({v})", m=write(owner), v=write(small.value)))
    em.helper("set_trainable")
    return cst.Expr(build("set_trainable({m}, {v})", m=write(owner), v=write(small.value)))


def _of_keras(em: Emitter, target: cst.Attribute) -> bool:
    """Is it an attribute that Keras reads? What the user's own class sets or defines is the user's."""
    name, fact = target.attr.value, em.fact(target.value)
    if name in HARMLESS:
        return False
    payload = fact.payload
    if isinstance(payload, SelfValue | Instance):
        cls = payload.cls
        return name == FLAG and cls.root.startswith("keras.") and not _own(cls, name)
    if fact.kind in (Kind.LAYER, Kind.MODEL):
        return True
    return name == FLAG or _out_of_model(em, target.value)


def _own(cls: Class, name: str) -> bool:
    return any(isinstance(n, cst.FunctionDef) and n.name.value == name for n in find(cls.node, cst.FunctionDef))


def _out_of_model(em: Emitter, node: cst.BaseExpression) -> bool:
    """`base.layers[-1]`, `base.get_layer('head')`."""
    inner: Any = node.func if isinstance(node, cst.Call) else node.value if isinstance(node, cst.Subscript) else None
    return isinstance(inner, cst.Attribute) and inner.attr.value in ("layers", "get_layer") and _is_model(
        em.fact(inner.value))


def _is_model(fact: Fact) -> bool:
    return fact.kind is Kind.MODEL or isinstance(fact.payload, Instance)


def base_argument(em: Emitter, name: str, value: cst.BaseExpression, cls: Class | None = None) -> None:
    """What an argument of Keras' own constructors, for a class of the user's, asks for is told, or refused."""
    known = {"True": True, "None": None}.get(code(value), em.fact(value).literal(...))  # defaults have no facts
    if name == "activity_regularizer" and known is not None:
        em.report("P205", "activity_regularizer adds to Keras' loss; add the term to your loss", value)
    if name == "dtype" and known not in (None, "float32"):
        em.report("P103", "the layer's dtype is dropped: PyTorch modules follow the model's dtype", value)
    if name == "trainable" and known is not True and (cls is None or not _weightless(em, cls)):
        # measured: layers inside keep training
        raise Refused("P206", "`trainable` given to the constructor of a class of yours freezes its own weights, but "
                      "not those of its layers; set it on the object", value)


def start_of(em: Emitter, cls: Class, arrays: cst.BaseExpression) -> cst.BaseExpression:
    """`weights=` of a class whose one layer is an Embedding: its table starts from that, if it is not None."""
    if em.scope.stage != TRACED:  # elsewhere the model that holds it sets initial values once more
        raise Refused("P207", "initial weights given as arrays", arrays)
    made = [n.symbol for n in em.it.layers.values() if n.node in find(cls.node, cst.Call)]
    if made != ["keras.layers.Embedding"] or any(isinstance(b.payload, Class) for b in cls.bases) or any(
            isinstance(c.func, cst.Attribute) and c.func.attr.value in MAKERS for c in find(cls.node, cst.Call)):
        raise Refused("P207", "initial weights given as arrays", arrays)
    return arrays


def frozen(em: Emitter, name: str, value: cst.BaseExpression, cls: Class) -> bool:
    """Does the argument freeze the weights of an object of this class, all of which are its own?"""
    known = em.fact(value).literal(...)
    return name == FLAG and known is not True and code(value) not in ("True", "None") and _holds_none(em, cls) and (
        not _weightless(em, cls))


def _holds_none(em: Emitter, cls: Class) -> bool:
    """Are there no layers in the class, made or handed in?"""
    held = [f for a in cls.attrs.values() for f in (a, *(a.payload.elements if isinstance(a.payload, Items) else ()))]
    called = {c.func.attr.value for c in find(cls.node, cst.Call) if isinstance(c.func, cst.Attribute) and (
        isinstance(c.func.value, cst.Name) and c.func.value.value == "self")}
    known = {*cls.methods, *MAKERS, *(n for n, f in cls.attrs.items() if f.symbol == ACTIVATION)}
    return not any(f.kind in (Kind.LAYER, Kind.MODEL) for f in held) and called <= known and not makes_layers(
        em, cls.file, cls.node, makers=()) and all(
        _holds_none(em, b.payload) for b in cls.bases if isinstance(b.payload, Class))


def has_weights(cls: Class) -> bool:
    """Does it keep layers or tensors?"""
    facts = [f for held in cls.attrs.values() for f in (held, *(held.payload.elements if isinstance(
        held.payload, Items) else ()))]
    return any(f.kind in (Kind.LAYER, Kind.MODEL, Kind.TENSOR) for f in facts)


def _weightless(em: Emitter, cls: Class) -> bool:
    """Is there nothing in the class that could be frozen: no weights, and no layers, made or handed in?"""
    bases = [b.payload for b in cls.bases if isinstance(b.payload, Class)]
    called = {c.func.attr.value for c in find(cls.node, cst.Call) if isinstance(c.func, cst.Attribute) and (
        isinstance(c.func.value, cst.Name) and c.func.value.value == "self")}
    return not has_weights(cls) and not makes_layers(em, cls.file, cls.node) and called <= cls.methods.keys() and all(
        _weightless(em, base) for base in bases)


def makes_layers(em: Emitter, file: Any, node: cst.CSTNode, makers: Container[str] = MAKERS) -> bool:
    """Does the code make layers that have weights, or draw, or are not known?"""
    for call in find(node, cst.Call):
        symbol = file.names.resolve(call.func)
        rows = em.it.rows.get(symbol) or ()
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in makers:
            return True
        if symbol.startswith("keras.layers.") and symbol.rpartition(".")[2][:1].isupper() and not any(
                r.call is not None or r.expr or r.via == "activation_layer" for r in rows):
            return True
    return False
