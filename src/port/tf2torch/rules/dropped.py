"""What is left out because nothing in PyTorch needs it: statements and decorators."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.namepatterns import ANYTHING, meet, pattern
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.definitions import ROOTS
from port.tf2torch.infer.values import Class, Function, LayerCall, line_of
from port.tree import code, find, memo

DROPPED_DECORATORS = ("tf.function", "tf.autograph", "keras.saving.register_keras_serializable",
                      "tf.Module.with_name_scope",
                      "keras.utils.register_keras_serializable", "keras.api_export.keras_export",
                      "keras.export.keras_export", "tf.keras_export", "tf.compat.v1.keras_export")


DROPPED_CALLS = ("keras.backend.clear_session", "tf.compat.v1.disable_eager_execution",
                 "tf.compat.v1.enable_eager_execution", "keras.backend.set_image_data_format",
                 "keras.applications.imagenet_utils.validate_activation", "tf.random.set_seed_generator")


BOOKKEEPING = ("self._set_save_spec",)  # of Keras' own methods: what a saved model is told of its inputs


def dropped_statement(em: Emitter, small: Any) -> str:
    """What is left out because nothing in PyTorch needs it; '' if it stays."""
    value = getattr(small, "value", None)
    if type(small) is cst.Expr and type(value) is cst.Call and em.symbol(value.func) in DROPPED_CALLS:
        return code(value)
    if type(small) is cst.Expr and type(value) is cst.Call and type(value.func) is cst.Attribute and (
            value.func.attr.value == "set_shape") and em.fact(value.func.value).kind is Kind.TENSOR:
        return code(value)
    if type(small) is cst.Expr and type(value) is cst.Call and code(value.func) in BOOKKEEPING and (
            em.scope.cls is not None and em.scope.cls.root in ROOTS):
        return code(value)
    if type(small) is cst.Assign and type(small.targets[0].target) is cst.Attribute and (
            small.targets[0].target.attr.value == "__doc__") and value is not None and em.is_foreign(value):
        return code(small.targets[0].target)
    if type(small) is cst.Assign and type(value) is cst.Call and em.symbol(value.func) == "keras.random.SeedGenerator":
        return code(small) if _only_seeds(em, small.targets[0].target) else ""
    if type(small) is cst.Assert and any(n.attr.value in ("input_shape", "output_shape") and em.fact(
            n.value).kind in (Kind.MODEL, Kind.LAYER) for n in find(small.test, cst.Attribute)):
        return code(small)
    return ""


def _only_seeds(em: Emitter, target: cst.BaseExpression) -> bool:
    """Is a generator only handed on as `seed=`? PyTorch draws from its own one."""
    seeds = {id(a.value) for a in find(em.it.module, cst.Arg) if a.keyword is not None and a.keyword.value == "seed"}
    same = [n for n in find(em.it.module, type(target)) if code(n) == code(target)]
    makers = {id(t.target) for a in find(em.it.module, cst.Assign) for t in a.targets}
    return all(id(n) in seeds | makers for n in same)


def summary(em: Emitter, small: Any) -> cst.Expr | None:
    """`model.summary()` -> `print(model)`; None for anything else."""
    value = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute) or (
            value.func.attr.value != "summary" or em.fact(value.func.value).kind is not Kind.MODEL):
        return None
    em.report("P001", "`summary` shows Keras' layers; the module is printed instead", small)
    return small.with_changes(value=build("print({m})", m=em.expr(value.func.value)))


def only_unmasks(em: Emitter, node: cst.Try) -> bool:
    """`try: del logits._keras_mask`, whatever stands in the `except`."""
    small = node.body.body[0].body[0] if len(node.body.body) == 1 and isinstance(
        node.body.body[0], cst.SimpleStatementLine) else None
    target = small.target if isinstance(small, cst.Del) else None
    if not isinstance(target, cst.Attribute) or target.attr.value != "_keras_mask":
        return False
    em.report("P001", "tensors of PyTorch carry no mask; deleting it is dropped", node)
    return True


def is_only_called(em: Emitter, small: Any) -> bool:
    """`join = layers.Concatenate()` among tensors: what PyTorch has as functions is written where it is called."""
    target: Any = small.targets[0].target if type(small) is cst.Assign and len(small.targets) == 1 else None
    layer = em.it.layers.get(small.value) if type(target) is cst.Name and type(small.value) is cst.Call else None
    function = em.scope.function
    if layer is None or function is None or layer.others or not layer.inputs or plan(em, layer, first_input(
            layer)).module:
        return False
    name = target.value
    called = sum(type(n.func) is cst.Name and n.func.value == name for n in find(function.node, cst.Call))
    return called > 0 and called + 1 == sum(n.value == name for n in find(function.node, cst.Name))


def decorators(em: Emitter, node: Any) -> list[cst.Decorator]:
    kept = []
    for d in node.decorators:
        target = d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator
        symbol = em.it.names.resolve(target)
        if symbol.startswith(DROPPED_DECORATORS) or symbol.endswith(("keras_export", "register_keras_serializable")):
            extra = ": torch.compile is the choice of whoever runs it; Python side effects now run at every call" if (
                symbol == "tf.function") else ""
            em.report("P001", f"the decorator `{code(d.decorator).split('(')[0]}` is dropped{extra}", d)
            continue
        if isinstance(node, cst.ClassDef) and _registers(em, target):
            em.report("P101", f"the decorator `{code(d.decorator)}` registers the class with Keras, for saving; it is "
                      "dropped", d)
            continue
        if symbol.split(".")[0] in ("tf", "keras"):
            raise Refused("P203", f"the decorator `{code(d.decorator)}`", d)
        kept.append(d)
    return kept


def _registers(em: Emitter, target: cst.BaseExpression) -> bool:
    """Is this a decorator of the project's own that makes Keras know a class?"""
    known = em.it.globals.get(code(target))
    return known is not None and isinstance(known.payload, Function) and any(
        code(c.func).endswith("register_keras_serializable") for c in find(known.payload.node.body, cst.Call))


def stateless_attribute(em: Emitter, cls: Class, small: Any) -> bool:
    """`self.flatten = Flatten()`: `forward` calls the function itself."""
    if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Attribute):
        return False
    payload = em.fact(small.value).payload
    if not isinstance(payload, LayerCall) or not isinstance(small.value, cst.Call) or (
            payload.symbol == "keras.layers.Lambda"):
        return False
    target = small.targets[0].target
    if payload in em.standing or _named(em, cls, target.attr.value) or not _only_called(em, cls, target):
        return False
    return not plan(em, payload, first_input(payload)).module


def _only_called(em: Emitter, cls: Class, target: cst.Attribute) -> bool:
    """Is an attribute only set here, and only called? `if self.pool is not None` asks what another line may give it."""
    name, line = target.attr.value, _line(em, cls)
    if any(n is not target for c in line for n in _not_called(c.node).get(name, ()) if code(n.value) == "self"):
        return False
    if any(code(s.targets[0].target) == name for c in line for s in _class_level(c.node)):
        return False
    return all(code(n.value) == "self" or file.names.resolve(n) for file in em.it.files
               for n in _not_called(file.module).get(name, ()))


@memo
def _not_called(node: cst.CSTNode) -> Mapping[str, list[cst.Attribute]]:
    """Attributes that are no functions of calls, by their names."""
    called = {c.func for c in find(node, cst.Call)}
    found = defaultdict[str, list[cst.Attribute]](list)
    for n in find(node, cst.Attribute):
        if n not in called:
            found[n.attr.value].append(n)
    return found


def _class_level(node: cst.ClassDef) -> list[cst.Assign]:
    return [small for s in node.body.body if isinstance(s, cst.SimpleStatementLine) for small in s.body
            if isinstance(small, cst.Assign)]


def _line(em: Emitter, cls: Class) -> list[Class]:
    """The class, and those of the project that it derives from or that derive from it."""
    line = set(line_of(cls))
    return [c for c in em.it.classes.values() if not line.isdisjoint(line_of(c))]


def _named(em: Emitter, cls: Class, name: str) -> bool:
    """May a string name this attribute? `if hasattr(self, "pool")` asks for it, whatever applies it."""
    own = [form for c in _line(em, cls) for of_self, form in _asking(c.node) if of_self]
    others = [form for file in em.it.files for of_self, form in _asking(file.module) if not of_self]
    return any(meet(form, re.escape(name)) for form in (*own, *(f for f in others if f != ANYTHING)))


@memo
def _asking(node: cst.CSTNode) -> list[tuple[bool, str]]:
    """Calls that name attributes by strings: whether of `self`, and the pattern of the name."""
    return [(code(c.args[0].value) == "self", pattern(c.args[1].value)) for c in find(node, cst.Call)
            if len(c.args) > 1 and isinstance(c.func, cst.Name) and c.func.value in ("getattr", "setattr", "hasattr")]


WHOLE = ("layers", "_layers", "submodules", "__dict__", "weights", "trainable_weights", "variables")


def never_applied(em: Emitter, cls: Class, small: Any) -> bool:
    """`self.spare = Dense(4)` that nothing in the project reads: Keras makes no weights for it, and no size shows."""
    target: Any = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if not isinstance(target, cst.Attribute) or code(target.value) != "self" or "call" not in cls.methods:
        return False
    payload, name = em.fact(small.value).payload, target.attr.value
    lazy = isinstance(payload, LayerCall) and not payload.inputs and payload.row is not None and {
        "channels", "features"} & {*payload.row.fill.values()}
    if not lazy or not isinstance(small.value, cst.Call):
        return False
    read = [n.attr.value for file in em.it.files for n in find(file.module, cst.Attribute)]
    own = {n.attr.value for n in find(cls.node, cst.Attribute) if code(n.value) == "self"}
    whole = own & {*WHOLE} or any(n.value == "vars" for n in find(cls.node, cst.Name))
    if read.count(name) > 1 or whole or _named(em, cls, name):
        return False
    em.report("P001", f"`self.{name}` is never applied: Keras makes no weights for it, and it is dropped", small)
    return True


def only_keras(em: Emitter, small: Any) -> bool:
    """`init = RandomNormal(stddev=0.02)`: what reads it is translated, the object has no use."""
    if not isinstance(small, cst.Assign) or not isinstance(small.value, cst.Call) or not isinstance(
            small.targets[0].target, cst.Name):
        return False
    return em.symbol(small.value.func).startswith(("keras.initializers.", "keras.regularizers.", "keras.constraints."))
