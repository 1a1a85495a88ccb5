"""Activations that a constructor is given for its layers are kept on the object: `forward` applies them.

    def __init__(self, units, activation="relu"):          self.activation = activation
        super().__init__()                          ->     self.dense = layers.Dense(units, activation=self.activation)
        self.dense = layers.Dense(units, activation=activation)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.build import build, statement
from port.tf2torch.rules.bodies import assigned_names, self_reads, split_docstring
from port.tree import changed, code, find, rebuild

IsLayer = Callable[[cst.BaseExpression], object]


def rewrite(module: cst.Module, is_layer: IsLayer, is_keras: IsLayer) -> cst.Module:
    """The module whose layers get their activations from `self`; the same object if there is nothing to do.

    `is_keras`: asked of base classes. Those of others may have an attribute of the parameter's name.
    """
    return rebuild(module, lambda s: _class(s, is_layer) if isinstance(s, cst.ClassDef) and all(
        is_keras(a.value) for a in s.bases) else s)  # type: ignore[return-value]


def _class(node: cst.ClassDef, is_layer: IsLayer) -> cst.ClassDef:
    methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    init = methods.get("__init__")
    if init is None or "call" not in methods or not isinstance(init.body, cst.IndentedBlock):
        return node
    given = {p.name.value for p in (*init.params.params, *init.params.kwonly_params)} - assigned_names(init.body)
    held = {name: _held(init.body, name) for call in _made(init.body) if is_layer(call.func) for a in call.args
            if (name := _setting(a)) in given}
    if not held:
        return node
    new = [name for name in held if not held[name] and name not in self_reads([node])]
    held |= {name: name for name in new}
    body = rebuild(init.body, lambda n: _handed(n, held, is_layer))
    made = changed(init, body=_with(body, [statement(f"self.{name} = {name}") for name in new]))
    return changed(node, body=changed(node.body, body=[made if s is init else s for s in node.body.body]))


def _made(block: Any) -> list[cst.Call]:
    """Calls that make what an attribute holds; layers of a Sequential or a list get modules of their own for this."""
    values = [a.value for a in find(block, cst.Assign) if isinstance(a.value, cst.Call | cst.IfExp)]
    return [n for v in values if not (isinstance(v, cst.Call) and code(v.func).endswith("Sequential"))
            for n in find(v, cst.Call)]


def _setting(arg: cst.Arg) -> str:
    """The parameter p of `activation=p` and `activation=keras.activations.get(p)`; '' of all others."""
    if arg.keyword is None or arg.keyword.value != "activation":
        return ""
    value = _inner(arg.value)
    return value.value if isinstance(value, cst.Name) else ""


def _inner(value: cst.BaseExpression) -> cst.BaseExpression:
    found = isinstance(value, cst.Call) and code(value.func).endswith("activations.get") and len(value.args) == 1
    return value.args[0].value if found and isinstance(value, cst.Call) else value


def _held(block: Any, name: str) -> str:
    """The attribute that the constructor keeps it in, if it does."""
    for assign in find(block, cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Attribute) and code(target.value) == "self" and code(_inner(assign.value)) == name:
            return target.attr.value
    return ""


def _handed(node: Any, held: dict[str, str], is_layer: IsLayer) -> Any:
    if isinstance(node, cst.Call) and is_layer(node.func):
        node = changed(node, args=[changed(a, value=build(f"self.{held[name]}")) if (
            held.get(name := _setting(a))) else a for a in node.args])
    return rebuild(node, lambda child: _handed(child, held, is_layer))


def _with(block: Any, lines: list[Any]) -> Any:
    """The lines, behind the call of the base's constructor."""
    docstring, body = split_docstring(block.body)
    at = next((i + 1 for i, s in enumerate(body) if "super(" in code(s)), 0)
    return changed(block, body=[*docstring, *body[:at], *lines, *body[at:]])
