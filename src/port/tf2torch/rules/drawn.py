"""A variable of the user's layer that an initialiser gives its value is read as the weight that it is.

    init = tf.random_normal_initializer()                          ->    self.w = self.add_weight(
    self.w = tf.Variable(initial_value=init(shape=(3, units)))               shape=(3, units),
                                                                             initializer=tf.random_normal_initializer())
"""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import TIGHT
from port.names import Names
from port.tree import clone, code, find, rebuild, replaced

INITIALIZER = re.compile(r"tf\.\w*_initializer|keras\.initializers\.[A-Z]\w+|tf\.initializers\.\w+")
KEPT = ("trainable", "name")


def rewrite(module: cst.Module, names: Names) -> cst.Module:
    """The module with such variables undone in its Keras classes; the same object if there are none."""
    body = [_class(s, names) if isinstance(s, cst.ClassDef) and _of_keras(s, names) else s for s in module.body]
    return module if all(a is b for a, b in zip(body, module.body, strict=True)) else module.with_changes(body=body)


def _of_keras(node: cst.ClassDef, names: Names) -> bool:
    return any(names.resolve(b.value) in ("keras.layers.Layer", "keras.Model") for b in node.bases)


def _class(node: cst.ClassDef, names: Names) -> cst.ClassDef:
    def change(child: cst.CSTNode) -> cst.CSTNode:
        if isinstance(child, cst.FunctionDef) and child.name.value in ("__init__", "build"):
            return _method(child, names)
        return rebuild(child, change) if isinstance(child, cst.IndentedBlock) else child

    return rebuild(node, change)  # type: ignore[return-value]


def _method(node: cst.FunctionDef, names: Names) -> cst.FunctionDef:
    new: Any = node
    for line in node.body.body:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
        target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
        if isinstance(small, cst.Assign) and isinstance(target, cst.Name) and _initializer(small.value, names):
            new = _put_in(new, line, target.value, small.value)
    for call in find(new, cst.Call):
        if (weight := _weight(call, names)) is not None:
            new = replaced(new, call, weight)
    return new  # type: ignore[no-any-return]


def _initializer(node: cst.BaseExpression, names: Names) -> bool:
    return isinstance(node, cst.Call) and bool(INITIALIZER.fullmatch(names.resolve(node.func)))


def _put_in(node: Any, line: cst.CSTNode, name: str, value: cst.BaseExpression) -> Any:
    """The method with the initialiser where the variable is called, if it is nothing but called."""
    calls = [c for c in find(node, cst.Call) if isinstance(c.func, cst.Name) and c.func.value == name]
    if sum(n.value == name for n in find(node.body, cst.Name)) != len(calls) + 1 or any(
            p.name.value == name for p in find(node.params, cst.Param)):
        return node
    for at, call in enumerate(calls):
        node = replaced(node, call, call.with_changes(func=value if not at else clone(value)))
    block = node.body.with_changes(body=[s for s in node.body.body if s is not line])
    return node.with_changes(body=block)


def _weight(call: cst.Call, names: Names) -> cst.Call | None:
    """`self.add_weight(...)` of a tf.Variable whose value an initialiser draws; None for anything else."""
    initial = keyword(call, "initial_value", 0) if names.resolve(call.func) == "tf.Variable" else None
    if not isinstance(initial, cst.Call) or not isinstance(initial.func, cst.Call) or not _initializer(
            initial.func, names):
        return None
    shape, dtype = keyword(initial, "shape", 0), keyword(initial, "dtype", 1)
    others = [a for a in call.args if a.value is not initial]
    plain = dtype is None or code(dtype).strip("'\"").rpartition(".")[2] == "float32"
    if shape is None or not plain or any(a.keyword is None or a.keyword.value not in KEPT for a in others):
        return None
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.Arg(v, cst.Name(k), equal=TIGHT, comma=comma)
            for k, v in (("shape", shape), ("initializer", initial.func))]
    made += [a.with_changes(comma=comma) for a in others]
    made[-1] = made[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return cst.Call(cst.Attribute(cst.Name("self"), cst.Name("add_weight")), made)
