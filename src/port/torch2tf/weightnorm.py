"""torch.nn.utils.weight_norm, of the old style and as a parametrisation: the layer in the helper `WeightNorm`.

torch changes the module itself, Keras gets another layer around it: so nothing else may have the module already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.advice import told
from port.binding import bind
from port.build import build
from port.facts import UNKNOWN, Fact
from port.table import Param, Signature
from port.torch2tf import holding
from port.torch2tf.refused import Refused
from port.torch2tf.values import Instance, Layer, options
from port.tree import code, find, walk

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

SYMBOLS = ("torch.nn.utils.weight_norm", "torch.nn.utils.parametrizations.weight_norm")
SIGNATURE = Signature("weight_norm", (Param("module", None), Param("name", "'weight'"), Param("dim", "0")))
KINDS = frozenset(f"{kind}{n}d" for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)) | {"Linear"}


def mark(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """The module itself, whose weight is computed from now on."""
    for option in options(args[0]) if args else ():
        if isinstance(option.payload, Layer):
            option.payload.normed.add(node)
    return args[0] if args else UNKNOWN


def write(w: Any, node: cst.Call) -> Any:
    bound = bind(SIGNATURE, node)
    if bound.problem:
        raise Refused("P202", f"`weight_norm`: {bound.problem}", node)
    module = bound.args["module"]
    if "name" in bound.args and w.fact(bound.args["name"]).literal(...) != "weight":
        raise Refused("P203", "weight_norm of another weight than `weight`", node)
    layers = [o.payload for o in options(w.fact(module))]
    layers = [_inside(w, la) or la for la in layers]
    short = {la.symbol.rpartition(".")[2] if isinstance(la, Layer) else "" for la in layers}
    if not short <= KINDS:
        rows = w.it.rows.get(SYMBOLS[0], ())
        raise Refused("P203", f"`torch.nn.utils.weight_norm`: {told(rows, 'tf', node)}", node)
    _alone(w, node, module)
    axis = _axis(w, bound.args.get("dim"), node)
    w.helper("WeightNorm")
    w.by(node, "rule weightnorm")
    inner = w.expr(module)
    return build("WeightNorm({m})" if axis == -1 else f"WeightNorm({{m}}, axis={axis})", m=inner)


def _inside(w: Any, held: Any) -> Layer | None:
    """The layer that an object of a class holds which inherits from one (holding.py)."""
    cls = held.cls if isinstance(held, Instance) and held.cls.node in w.written_as else None
    for name, fact in cls.attrs.items() if cls is not None else ():
        layer = options(fact)[0].payload
        if isinstance(layer, Layer) and len(options(fact)) == 1 and name == holding.name_of(
                layer.symbol.rpartition(".")[2]):
            return layer
    return None


def _axis(w: Any, dim: cst.BaseExpression | None, node: cst.Call) -> int | None:
    """torch's axes are (out, in, cells), of transposed ones (in, out, cells); Keras' the cells, and those reversed."""
    at = 0 if dim is None else w.fact(dim).literal(...)
    if at is None or at == -1:
        return None
    if type(at) is not int or at < -1:
        raise Refused("P204", "which axis weight_norm keeps is not known", node)
    return (-1, -2)[at] if at < 2 else at - 2


def _alone(w: Any, node: cst.Call, module: cst.BaseExpression) -> None:
    """Does only what this gives have the module: it is made here, or the name is given the new one, or read no more?"""
    if isinstance(module, cst.Call):
        return
    body = w.function.node.body if w.function is not None else w.it.module
    text = code(module)
    for statement in find(body, cst.Assign):
        if statement.value is node and [code(t.target) for t in statement.targets] == [text] and not any(
                isinstance(a, cst.Call) and a is not node and any(code(arg.value) == text for arg in a.args)
                for a in walk(body)):
            return
    if isinstance(module, cst.Name) and sum(
            type(n) is cst.Name and n.value == module.value for n in walk(body)) - _bindings(body, module.value) == 1:
        return
    raise Refused("P206", f"`weight_norm({text})` changes a module that other code has as well, where Keras has "
                  f"another layer: write `{text} = weight_norm({text})` right where it is made", node)


def _bindings(body: cst.CSTNode, name: str) -> int:
    return sum(isinstance(t.target, cst.Name) and t.target.value == name for t in find(body, cst.AssignTarget))


def check_read(w: Any, node: cst.CSTNode, layer: Layer) -> None:
    """Nothing looks for weights or settings of a module past the `WeightNorm` around it, but right where it is made."""
    if not layer.normed:
        return
    body = getattr(w.function.node.body, "body", ()) if w.function is not None else ()
    places = [i for i, statement in enumerate(body) for n in walk(statement) if n in layer.normed]
    here = [i for i, statement in enumerate(body) if any(n is node for n in walk(statement))]
    if not here or len(places) < len(layer.normed) or min(places) <= here[0]:
        raise Refused("P204", "an attribute of a module whose weight `weight_norm` computes: the layer that has it is "
                      "inside of another one in Keras", node)


__all__ = ["SYMBOLS", "check_read", "mark", "write"]
