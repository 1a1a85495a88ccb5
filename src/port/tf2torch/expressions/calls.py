"""Calls of every kind: which rule translates them."""

from __future__ import annotations

import libcst as cst

from port.build import build, drop_commas, expression
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch import masking
from port.tf2torch.adapt.acting import named
from port.tf2torch.adapt.activations import activation_object, chosen
from port.tf2torch.calls import foreign
from port.tf2torch.calls.applying import application
from port.tf2torch.calls.functions import row_call
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.calls.mates import check_functions
from port.tf2torch.calls.traced import TRACED, traced, unknown_callee
from port.tf2torch.calls.variables import makes_weight
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.expressions import losses, members
from port.tf2torch.expressions.states import initial_state
from port.tf2torch.infer.builtins import ACTIVATION
from port.tf2torch.infer.calls import CHANNELS_LAST
from port.tf2torch.infer.choices import OneOf, takes_images, takes_plain
from port.tf2torch.infer.named import NAMED
from port.tf2torch.infer.values import (
    EITHER,
    Class,
    Curried,
    Function,
    Grown,
    Instance,
    Items,
    LayerCall,
    SelfValue,
    ShapeOf,
    has_tensor,
)
from port.tf2torch.rules import passed, weights
from port.tf2torch.rules.control import expression_rule
from port.tf2torch.rules.instances import choice_call, instance_call, is_choice
from port.tf2torch.rules.sequential import sequential, standing
from port.tf2torch.rules.traced import GRAPH, graph_call
from port.tree import changed, code, find


# ---------------------------------------------------------------- dispatch
def call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    if em.fact(node.func).symbol.startswith(EITHER):
        raise Refused("P206", f"`{code(node.func)}` holds one of several layers or functions, depending on a setting: "
                      "call each in its own branch", node)
    block = em.fact(node).payload
    if isinstance(block, Curried) and block.node is node and block.outer in em.classes:
        raise Refused("P206", f"what `{code(node)}` gives is not called where it is made", node)
    chosen_of = em.fact(node.func).payload
    if isinstance(chosen_of, OneOf):
        return _one_of(em, node, chosen_of)
    if is_choice(em, node.func):
        return choice_call(em, node)
    check_functions(em, node)
    passed.check(em, node)
    if node in em.it.applications:
        callee, inputs = em.it.applications[node]
        return application(em, node, callee, inputs)
    if em.it.layers.get(node) in em.standing:
        return standing(em, node)
    if node in em.it.layers:
        if (activated := activation_object(em, em.it.layers[node])) is not None:
            return activated
        if (turned := passed.layer(em, node)) is not None:
            return turned
        made = plan(em, em.it.layers[node], first_input(em.it.layers[node]))
        if (made.job.after or made.job.before) and not em.it.layers[node].inputs:
            raise Refused("P204", "where this layer is applied is not seen: its activation or padding would be lost",
                           node)
        return made.ctor()
    if em.fact(node).symbol == NAMED:
        raise Refused("P206", f"`{code(node)}` may name a class of Keras that this file imports; call it itself",
                      node)
    if em.scope.stage in ("init", "late") and makes_weight(em, node):
        return weights.parameter(em, node)
    symbol = em.symbol(node.func)
    if symbol in CHANNELS_LAST:
        return expression("'channels_last'")
    if symbol == "keras.activations.get":
        return chosen(em, node)
    if symbol == "keras.Sequential":
        em.by(node, "rule sequential")
        return sequential(em, node)
    if symbol:
        ruled = graph_call(em, node, symbol) or expression_rule(em, node, symbol)
        if ruled is not None:
            em.by(node, "rule traced" if symbol in GRAPH else "rule control")
            return ruled
    if isinstance(em.fact(node.func).payload, Class):
        return instance_call(em, node)
    if symbol.split(".")[0] in ("tf", "keras") or (symbol and symbol in em.it.rows):  # of the project's own rows
        return row_call(em, node, symbol)
    owner = em.fact(node.func.value) if isinstance(node.func, cst.Attribute) else UNKNOWN
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    if isinstance(node.func, cst.Attribute) and owner.kind is Kind.MODEL and name == "count_params":
        if any("Normalization" in layer.symbol for layer in em.it.layers.values()):
            raise Refused("P203", "Keras' count_params counts moving statistics too; sum the sizes you mean", node)
        return build("sum(p.numel() for p in {m}.parameters())", m=em.expr(node.func.value))
    if owner.kind is Kind.LAYER and name == "compute_mask":
        return masking.compute_mask(em, node, owner.payload)
    if name == "get_initial_state" and isinstance(owner.payload, LayerCall):
        return initial_state(em, node, owner.payload)
    if owner.kind is Kind.TENSOR:
        return _tensor_method(em, node)
    if isinstance(owner.payload, ShapeOf):
        return members.shape_method(em, node, owner) or em.generic(node)
    return _foreign_call(em, node)


def _one_of(em: Emitter, node: cst.Call, choice: OneOf) -> cst.BaseExpression:
    """A call of one of several layers, each a whole module."""
    given = [a for a in node.args if a.keyword is None or a.keyword.value != "training"]
    if takes_plain(em.it, choice):
        args = [changed(a, value=em.plain(a.value)) for a in given]
    elif takes_images(em.it, choice) and em.fact(node).layout is Layout.FLIPPED and len(given) == 1:
        args = [changed(given[0], value=em.expr(given[0].value, Layout.FLIPPED))]
    else:
        raise Refused("P206", f"`{code(node.func)}` holds one of several layers, and some take images: call each in "
                      "its own branch", node)
    return changed(node, func=traced(em, em._expr(node.func)), args=drop_commas(args, list(node.args)))


LIST_METHODS = ("append", "extend", "insert", "pop", "reverse", "clear", "copy", "index", "count")
HARMLESS = ("len", "isinstance", "type", "print", "id", "hasattr", "callable", "repr", "str", "range", "super", "bool")


def _foreign_call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """A call of something that is not known: it gets tensors with their axes as in the source."""
    func = em.fact(node.func)
    losses.check(em, node)
    for a in node.args:
        made = em.fact(a.value).payload
        if isinstance(made, Function) and made.stateful and em.scope.stage != TRACED and made not in em.traced:
            raise Refused("P206", f"`{code(a.value)}` makes layers and is passed to `{code(node.func)}`: call it in a "
                          "loop", node)
    owner, _, name = func.symbol.partition(".")
    followed = node in em.it.followed or has_tensor(em.fact(node)) or name in HARMLESS
    if (owner == "builtins" and followed) or (owner == "list" and name in LIST_METHODS and _holds(func)):
        return em.generic(node)
    if func.symbol == ACTIVATION:
        return (named(em, node, node.args[0].value) if node.args else None) or em.generic(node)
    if isinstance(node.func, cst.Attribute) and node.func.attr.value == "get_shape" and not node.args:
        return build("{x}.shape", x=em.expr(node.func.value))  # only tensors have it
    if unknown_callee(em, node):
        args = [changed(a, value=em.plain(a.value)) for a in node.args]
        return changed(node, func=traced(em, em._expr(node.func)), args=args)
    _check_callee(em, node, func)
    return em.generic_call(node, [changed(a, value=em.plain(a.value)) for a in node.args])


def _check_callee(em: Emitter, node: cst.Call, func: Fact) -> None:
    """A layer of a container that facts have lost: it would be given the wrong axes, and no module would keep it."""
    lost = func.kind in (Kind.UNKNOWN, Kind.PLAIN) and func.payload is None
    function = em.scope.function
    if any(em.has_tensor(a.value) for a in node.args):
        foreign.check_call(em, node)
    named = node.func.value if isinstance(node.func, cst.Subscript) else node.func
    taken = isinstance(named, cst.Name) and function is not None and named.value in function.assigned
    held = isinstance(node.func, cst.Subscript) and code(node.func).startswith("self.")
    held = held or _from_module(em, node.func) or _made_here(em, node.func)
    if lost and (taken or held) and any(em.has_tensor(a.value) for a in node.args):
        raise Refused("P204", f"what `{code(node.func)}` is is not known, and it is given a tensor", node)


def _from_module(em: Emitter, func: cst.BaseExpression) -> bool:
    """What another call finds in a module: `vars(self)["conv"]`, `self.parts.get(name)`."""
    if isinstance(func, cst.Subscript):
        return _from_module(em, func.value)
    if not isinstance(func, cst.Call):
        return False
    if code(func.func).startswith("self."):
        return True
    given = [em.fact(a.value) for a in func.args]
    return _from_module(em, func.func) or any(
        f.kind is Kind.MODEL or isinstance(f.payload, SelfValue | Instance) for f in given)


def _made_here(em: Emitter, func: cst.BaseExpression) -> bool:
    """An attribute that a line sets in which layers are made: `self.pool, self.rate = (MaxPool2D(), 2) if ...`"""
    if not isinstance(func, cst.Attribute) or code(func.value) != "self" or em.scope.cls is None:
        return False
    for line in find(em.scope.cls.node, cst.Assign):
        targets = [e.value for t in line.targets for e in getattr(t.target, "elements", [cst.Arg(t.target)])]
        if any(code(t) == code(func) for t in targets) and any(
                n in em.it.layers or em.fact(n).kind is Kind.MODEL for n in find(line.value, cst.Call)):
            return True
    return False


def _holds(func: Fact) -> bool:
    """A method of a list whose elements are known one by one, or alike."""
    return isinstance(func.payload, Fact) and isinstance(func.payload.payload, Items | Grown)


def _tensor_method(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    assert isinstance(node.func, cst.Attribute)
    name = node.func.attr.value
    value = em.expr(node.func.value)
    if name == "get_shape":
        return build("{x}.shape", x=value)
    if name == "numpy":
        return build("{x}.detach().cpu().numpy()", x=value)
    raise Refused("P201", f"method `{name}` of a TensorFlow tensor has no row", node)
