"""Devices: TensorFlow places tensors itself, so what only says where they live is left out."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import children, code, walk

TAKES = ("to", "cuda", "cpu")  # methods whose argument is a device


def is_device(w: Any, node: cst.BaseExpression) -> bool:
    """`x.device`, `torch.device(...)`, `"cuda" if torch.cuda.is_available() else "cpu"`."""
    if isinstance(node, cst.IfExp):
        return any(w.it.names.resolve(n).startswith("torch.cuda.") for n in walk(node.test) if isinstance(
            n, cst.Attribute)) and all(isinstance(e, cst.SimpleString) or is_device(w, e) for e in (node.body,
                                                                                                     node.orelse))
    if isinstance(node, cst.Call):
        return w.it.names.resolve(node.func) in ("torch.device", "torch.get_default_device")
    if isinstance(node, cst.Attribute) and node.attr.value == "device":
        return w.fact(node).symbol == "tensor.device" or isinstance(node.value, cst.Call)
    return False


def of_parameters(w: Any, node: cst.Attribute) -> bool:
    """`next(self.parameters()).device`: of a weight, which Keras may not have made yet."""
    call = node.value
    first = call.args[0].value if isinstance(call, cst.Call) and len(call.args) == 1 else None
    return node.attr.value == "device" and isinstance(call, cst.Call) and code(
        call.func) == "next" and isinstance(first, cst.Call) and isinstance(
        first.func, cst.Attribute) and first.func.attr.value in ("parameters", "buffers") and not w.outside(first.func)


def dropped(w: Any, node: cst.Assign) -> bool:
    """Is this `device = x.device`, of a variable that only says where tensors live?"""
    target = node.targets[0].target
    if w.function is None or len(node.targets) != 1 or not isinstance(target, cst.Name) or not is_device(w, node.value):
        return False
    body = w.function.node.body
    return occurrences(body, target.value) == 1 + uses(body, target.value)


def occurrences(node: cst.CSTNode, name: str) -> int:
    """How often a variable is named: not as an attribute or a keyword."""
    if isinstance(node, cst.Name):
        return node.value == name
    if isinstance(node, cst.Attribute | cst.Arg):
        return occurrences(node.value, name)
    return sum(occurrences(child, name) for child in children(node))


def uses(body: cst.CSTNode, name: str) -> int:
    """How often the variable is passed where a device goes."""
    count = 0
    for n in walk(body):
        if not isinstance(n, cst.Call):
            continue
        moves = isinstance(n.func, cst.Attribute) and n.func.attr.value in TAKES
        for arg in n.args:
            named = arg.keyword is not None and arg.keyword.value == "device"
            own = isinstance(arg.value, cst.Name) and arg.value.value == name
            if own and (named or (moves and arg.keyword is None)):
                count += 1
    return count
