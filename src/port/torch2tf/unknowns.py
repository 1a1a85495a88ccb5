"""What is not known of a module or a tensor where channels are last in Keras: then no order of axes can be told."""

from __future__ import annotations

import sys
from typing import Any

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.torch2tf import modshapes
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, Layer, options, tensors_in
from port.tree import code

KNOWN = frozenset(("builtins", "numpy", *sys.stdlib_module_names))  # they look at tensors, and give none


def check_callee(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse to hand a channels-last tensor to what may be anything: a module that is passed in, an import."""
    of_library = callee.kind is Kind.FUNCTION and callee.payload is None
    known = callee.symbol.partition(".")[0] in KNOWN if of_library else callee.kind is not Kind.UNKNOWN
    if not known and any(t.layout is Layout.FLIPPED for a in node.args for t in tensors_in(w.fact(a.value))):
        raise Refused("P204", f"what `{code(node.func)}` is is not known, and it is given a tensor that is channels "
                      "last in Keras: make it in this file, or keep such layers out of it", node)
    if not known and w.it.native and any(t.rank not in (0, 1, 2) for a in node.args for t in tensors_in(
            w.fact(a.value))):
        w.report("P103", f"what `{code(node.func)}` is is not known: it gets tensors in PyTorch's order of axes, and "
                 "must give such, also under --layout native", node)


def check_child(w: Any, chain: Chain, at: int, node: cst.CSTNode) -> None:
    """The same for a child of a Sequential."""
    child = chain.children[at] if at < len(chain.children) else None
    if child is not None and child.kind is Kind.UNKNOWN and any(
            f.layout is Layout.FLIPPED for f in chain.arrivals.get(at, {}).values()):
        raise Refused("P204", "what one module of this Sequential is is not known, and it is given a tensor that is "
                      "channels last in Keras: make it in this file", node)


def check_input(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse to hand something unknown to a module that takes channels last: it may have them first."""
    if not node.args or w.fact(node.args[0].value).kind is not Kind.UNKNOWN:
        return
    if any(_takes_flipped(o.payload) for o in options(callee)):
        raise Refused("P204", f"what `{code(node.args[0].value)}` is is not known, and `{code(node.func)}` takes "
                      "channels last in Keras: neither is the order of its axes", node)


def _takes_flipped(payload: Any) -> bool:
    if isinstance(payload, Layer):
        return modshapes.wish(payload.symbol) is True
    return isinstance(payload, Chain) and bool(payload.inputs) and payload.inputs[0].layout is Layout.FLIPPED
