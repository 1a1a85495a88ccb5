"""Functions and classes of the user as they are defined."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Fact, Kind, tensor
from port.names import FRAMEWORKS, dotted_name
from port.scopes import Env, File
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Class, Function
from port.tree import find, named, walk

TENSORS = ("tf.Tensor", "keras.KerasTensor")  # as type hints
ROOTS = ("keras.Model", "keras.layers.Layer", "tf.Module", "keras.Sequential")


# ---------------------------------------------------------------- definitions
def define(it: Interp, node: cst.FunctionDef | cst.ClassDef, env: Env) -> None:
    if isinstance(node, cst.ClassDef):
        env.names[node.name.value] = Fact(Kind.FUNCTION, payload=_define_class(it, node, env))
        return
    function = it.functions.get(node)
    if function is None:
        function = it.functions[node] = make_function(it, node, env)
    function.env = env
    env.names[node.name.value] = Fact(Kind.FUNCTION, payload=function)


def make_function(it: Interp, node: cst.FunctionDef, env: Env, owner: Class | None = None) -> Function:
    function = Function(node.name.value, node, env, owner)
    for p in (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params):
        function.params.append(p.name.value)
        if p.default is not None:
            function.defaults[p.name.value] = p.default
    if isinstance(node.params.star_arg, cst.Param):
        function.star = node.params.star_arg.name.value
    if node.params.star_kwarg is not None:
        function.kwstar = node.params.star_kwarg.name.value
    _scan(it, function, node)
    return function


def _scan(it: Interp, function: Function, node: cst.FunctionDef) -> None:
    """What can be told from the text alone: does it create layers, a graph; which parameters are Keras tensors."""
    model = given = False
    for n in find(node.body, cst.Call):
        symbol = it.names.resolve(n.func)
        known = linked(it, n.func, function.env)
        if known is not None:
            function.stateful |= _is_stateful(known, function)
            continue
        if symbol == "keras.Input":
            given = True
            function.absent |= {a.value.value for a in n.args if a.keyword is not None
                                and a.keyword.value == "tensor" and isinstance(a.value, cst.Name)}
        elif symbol.endswith((".is_keras_tensor", ".get_source_inputs")):
            function.absent |= {a.value.value for a in n.args if isinstance(a.value, cst.Name)}
        elif symbol == "keras.Model":
            model = True
        elif symbol.startswith("keras.layers.") and symbol.rpartition(".")[2][:1].isupper():
            rows = it.rows.get(symbol) or ()
            function.stateful |= not any(r.call is not None or r.expr or r.via == "activation_layer" for r in rows)
        elif symbol.startswith("helpers."):
            function.stateful |= any(r.kind == "layer" for r in it.rows.get(symbol) or ())
        elif type(n.func) is cst.Name and not symbol:
            function.stateful |= _calls_stateful(it, function, n.func.value)
    for p in (*node.params.params, *node.params.kwonly_params):  # of builders of layers their calls tell more
        if not function.stateful and p.annotation is not None and it.names.resolve(p.annotation.annotation) in TENSORS:
            function.tensors.setdefault(p.name.value, tensor())
    function.absent &= set(function.params)
    function.names = named(node.body)
    binders: list[Any] = [n for n in walk(node.body) if type(n) in _BINDERS]
    function.assigned = frozenset(t.value for n in binders for t in find(n.target, cst.Name))
    function.graph = model and given


_BINDERS = frozenset([cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr])


def _calls_stateful(it: Interp, function: Function, name: str) -> bool:
    fact = function.env.get(name)
    if fact is None and name in it.file.later:
        define(it, it.file.later.pop(name), it.globals)
        return _calls_stateful(it, function, name)
    return fact is not None and _is_stateful(fact, function)


def _is_stateful(fact: Fact, function: Function) -> bool:
    if isinstance(fact.payload, Function) and fact.payload is not function:
        return fact.payload.stateful and not fact.payload.graph
    return isinstance(fact.payload, Class) and fact.payload.root in ROOTS


def _define_class(it: Interp, node: cst.ClassDef, env: Env) -> Class:
    cls = it.classes.get(node)
    if cls is not None:
        return cls
    cls = it.classes[node] = Class(node.name.value, node, env)
    for base in node.bases:
        fact = it.ev(base.value, env)
        cls.bases.append(fact)
        if isinstance(fact.payload, Class):
            cls.root = cls.root or fact.payload.root
        elif fact.symbol in ROOTS or fact.symbol.startswith("keras.layers."):
            cls.root = fact.symbol
    for statement in node.body.body:
        if isinstance(statement, cst.FunctionDef):
            method = cls.methods[statement.name.value] = make_function(it, statement, env, cls)
            it.functions[statement] = method
            if method.name == "__call__" and cls.root == "tf.Module" and not _hands_on(statement):
                method.name = "call"  # what it is in Keras
                cls.methods.setdefault("call", method)
        elif isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Name):
                    cls.attrs[small.targets[0].target.value] = it.ev(small.value, env)
    return cls


def asks_for_shapes(cls: Class) -> bool:
    """Do methods of it, or of its bases, call `self.compute_output_shape`, which Keras alone calls of other classes?"""
    own = any(n.attr.value == "compute_output_shape" and isinstance(n.value, cst.Name) and n.value.value == "self"
              for name, m in cls.methods.items() if name != "compute_output_shape" for n in find(m.node, cst.Attribute))
    return own or any(isinstance(b.payload, Class) and asks_for_shapes(b.payload) for b in cls.bases)


def _hands_on(node: cst.FunctionDef) -> bool:
    """`super().__call__(x)`: in PyTorch it would call the method itself again."""
    return any(n.attr.value == "__call__" for n in find(node, cst.Attribute))


def member(it: Interp, file: File, name: str) -> Fact:
    """What a file calls `name`, also where its statements have not been reached yet (imports in a circle)."""
    found = file.env.names.get(name)
    if found is None and name in file.later:
        with it.within(file.env):
            define(it, file.later[name], file.env)
        found = file.env.names.get(name)
    if found is None and name in file.inside:
        return Fact(Kind.FUNCTION, payload=file.inside[name])
    if found is None and file.names.bound.get(name, "").split(".")[0] in FRAMEWORKS["tf2torch"]:
        return Fact(Kind.FUNCTION, symbol=file.names.bound[name])
    return found if found is not None else Fact(Kind.FUNCTION, symbol=f".{file.name}.{name}")


def linked(it: Interp, node: cst.BaseExpression, env: Env) -> Fact | None:
    """The fact of a dotted name that leads to another file; None for any other."""
    head, *rest = dotted_name(node).split(".")
    file = env.top().file
    found = env.get(head) if head in file.links or (head and file.stars) else None
    for part in rest:
        if found is None or not isinstance(found.payload, File):
            return None
        found = member(it, found.payload, part)
    return found
