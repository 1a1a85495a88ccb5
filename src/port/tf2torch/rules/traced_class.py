"""A class whose constructor builds a functional model: the model is noted while the constructor runs (rules/traced).

    class Net(keras.Model):                                     class Net(FunctionalModel):
        def __init__(self, units):                                  def __init__(self, units):
            inputs = keras.Input((4,))                                  inputs = symbolic_input((4,))
            x = layers.Dense(units)(inputs)                 ->          x = traced(nn.LazyLinear(units))(inputs)
            super().__init__(inputs=inputs, outputs=x)                  super().__init__(inputs, x)
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import expression, statement
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class
from port.tf2torch.rules import classes, plain, set_later, traced
from port.tf2torch.rules.bodies import split_docstring, used_names
from port.tf2torch.rules.dropped import decorators
from port.tf2torch.rules.entries import entry_lines
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import changed, code, find


def definition(em: Emitter, cls: Class, node: cst.ClassDef) -> list[Any]:
    """The class, with its methods as they are."""
    em.need("nn")
    em.helper("FunctionalModel")
    em.module_classes.add(cls)
    body: list[Any] = []
    for s in node.body.body:
        if isinstance(s, cst.FunctionDef) and s.name.value in {*traced.CONFIGS, *classes.LEFT_OUT, *classes.TRAINING}:
            body += classes.method(em, cls, s)
        elif isinstance(s, cst.FunctionDef):
            body.append(_method(em, cls, s))
        else:
            body += plain.one(em, s, set())
    bases = [node.bases[0].with_changes(value=expression("FunctionalModel"))]
    return [node.with_changes(bases=bases, decorators=decorators(em, node),
                              body=node.body.with_changes(body=body or [statement("pass")]))]


def _method(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    function = cls.methods[node.name.value]
    made = plain.plain_function(em, node, function, replace(traced.scope(em, function), cls=cls))
    if entries := entry_lines(em, function, [p for p in function.params if p in function.flipped]):
        docstring, rest = split_docstring(made.body.body)
        made = made.with_changes(body=made.body.with_changes(body=[*docstring, *entries, *rest]))
    return _constructor(em, cls, made) if node.name.value == "__init__" else made


def _constructor(em: Emitter, cls: Class, made: cst.FunctionDef) -> cst.FunctionDef:
    """Without the parameters that only Keras' own constructor takes; modules that it keeps need torch's own first."""
    body = list(made.body.body)
    if any(_keeps_made(s) for s in body[:_handing_over(body)]):
        docstring, rest = split_docstring(body)
        made = made.with_changes(body=made.body.with_changes(body=[
            *docstring, statement("nn.Module.__init__(self)  # before modules are kept"), *rest]))
    used = used_names(body)
    gone = SUPER_ONLY - used
    for p in (*made.params.params, *made.params.kwonly_params):
        if p.name.value in gone:
            em.dropped_init.setdefault(cls, set()).add(p.name.value)
            if p.default is not None:
                set_later.base_argument(em, p.name.value, p.default)
    star = made.params.star_kwarg
    params = _without(made.params.params, gone)
    named = _without(made.params.kwonly_params, gone)
    if star is not None and star.name.value not in used:
        star = None
        if named:
            named[-1] = changed(named[-1], comma=cst.MaybeSentinel.DEFAULT)
        elif params:
            params[-1] = changed(params[-1], comma=cst.MaybeSentinel.DEFAULT)
    return made.with_changes(params=made.params.with_changes(params=params, kwonly_params=named, star_kwarg=star))


def _handing_over(body: list[Any]) -> int:
    return next((i for i, s in enumerate(body) if code(s).strip().startswith("super().__init__(")), len(body))


def _keeps_made(s: Any) -> bool:
    """`self.head = nn.Linear(...)`."""
    return any(isinstance(t.target, cst.Attribute) and find(n.value, cst.Call)
               for n in find(s, cst.Assign) for t in n.targets)


def _without(params: Any, gone: Container[str]) -> list[cst.Param]:
    return [p for p in params if p.name.value not in gone]
