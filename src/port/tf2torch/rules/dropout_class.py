"""A Dropout of the user's whose one method fills in the sizes of `noise_shape`, as Keras' own does: it is that class.

    def get_dropout():                                       def get_dropout():
        class Fixed(layers.Dropout):                             return layers.Dropout
            def _get_noise_shape(self, inputs): ...   ->
        return Fixed

    Drop = get_dropout()                                     x = layers.Dropout(0.2, noise_shape=(None, 1, 1, 1))(x)
    x = Drop(0.2, noise_shape=(None, 1, 1, 1))(x)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import libcst as cst

from port.names import Names, dotted_name
from port.tf2torch.rules.bodies import split_docstring
from port.tree import clone, code, find, rebuild

DROPOUT = "keras.layers.Dropout"
HOOK = "_get_noise_shape"
LINES = (r"if self\.noise_shape is None: return (None|self\.noise_shape)", r"(?P<sizes>\w+) = [\w.]*\bshape\({x}\)",
         r"(?P<shape>\w+) = \[(?P=sizes)\[(?P<at>\w+)\] if (?P<n>\w+) is None else (?P=n) "
         r"for (?P=at), (?P=n) in enumerate\(self\.noise_shape\)\]", r"return (tuple\((?P=shape)\)|(?P=shape))")


def rewrite(module: cst.Module, bound: Names) -> cst.Module:
    """The module with such classes, and functions that only return one, written out; the same object without any."""
    new = _aliases(module, bound)
    if new is module:
        return module
    makers = {s.name.value: value for s in new.body if isinstance(s, cst.FunctionDef)
              and (value := _returned(s, bound)) is not None}
    return _called(new, makers)  # type: ignore[no-any-return]


def _aliases(node: Any, bound: Names) -> Any:
    """`Fixed = layers.Dropout`, or that itself where the function returns it at once."""
    if isinstance(node, cst.Module | cst.IndentedBlock):
        body = [_alias(s) if isinstance(s, cst.ClassDef) and _is_dropout(s, bound) else _aliases(s, bound)
                for s in node.body]
        return node if all(a is b for a, b in zip(body, node.body, strict=True)) else node.with_changes(body=body)
    return rebuild(node, lambda child: _aliases(child, bound)) if isinstance(node, cst.FunctionDef) else node


def _alias(node: cst.ClassDef) -> cst.SimpleStatementLine:
    line = cst.Assign([cst.AssignTarget(cst.Name(node.name.value))], node.bases[0].value)
    return cst.SimpleStatementLine([line], leading_lines=node.leading_lines)


def _is_dropout(node: cst.ClassDef, bound: Names) -> bool:
    lines = split_docstring(node.body.body)[1]
    method = lines[0] if len(lines) == 1 else None
    if len(node.bases) != 1 or bound.resolve(node.bases[0].value) != DROPOUT or node.keywords or node.decorators or (
            not isinstance(method, cst.FunctionDef) or method.name.value != HOOK or len(method.params.params) != 2):
        return False
    body = split_docstring(method.body.body)[1]
    text = "; ".join(re.sub(r"\s+", " ", code(s)).strip() for s in body)
    whole = "; ".join(LINES).replace("{x}", re.escape(method.params.params[1].name.value))
    return re.fullmatch(whole, text) is not None


def _returned(function: cst.FunctionDef, bound: Names) -> cst.BaseExpression | None:
    """What `Fixed = layers.Dropout; return Fixed` gives."""
    last = function.body.body[-1] if isinstance(function.body, cst.IndentedBlock) else None
    value = last.body[0].value if isinstance(last, cst.SimpleStatementLine) and isinstance(
        last.body[0], cst.Return) else None
    if not isinstance(value, cst.Name):
        return None
    stored = [s.value for s in find(function.body, cst.Assign) if dotted_name(s.targets[0].target) == value.value]
    return stored[0] if len(stored) == 1 and bound.resolve(stored[0]) == DROPOUT else None


def _called(node: Any, makers: Mapping[str, cst.BaseExpression]) -> Any:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in makers and not any(
            isinstance(a.value, cst.Call) for a in node.args):
        return clone(makers[node.func.value])
    return rebuild(node, lambda child: _called(child, makers))
