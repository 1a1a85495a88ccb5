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
from port.tf2torch.rules import classes, plain, traced
from port.tf2torch.rules.bodies import split_docstring, used_names
from port.tf2torch.rules.constructor import SUPER_ONLY
from port.tf2torch.rules.dropped import decorators
from port.tf2torch.rules.entries import entry_lines
from port.tree import changed


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
    if node.name.value != "__init__":
        return made
    used = used_names(made.body.body)
    gone = SUPER_ONLY - used
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


def _without(params: Any, gone: Container[str]) -> list[cst.Param]:
    return [p for p in params if p.name.value not in gone]
