"""Functions that build a functional model: they stay, and return an object of its class."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression, statement
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Function
from port.tf2torch.rules import plain
from port.tf2torch.rules.bodies import assigned_names, split_docstring
from port.tf2torch.rules.dropped import decorators
from port.tf2torch.rules.graphs import graph_class, graphs
from port.tf2torch.rules.kept import refused_definition, with_imports
from port.tf2torch.rules.naming import free_name
from port.tf2torch.rules.prune import prune
from port.tree import replaced

TWO = [cst.EmptyLine(indent=False)] * 2


def graph_function(em: Emitter, node: cst.FunctionDef, function: Function) -> list[Any]:
    """The body between Input and Model becomes a class; the function stays and returns it."""
    try:
        return _graph_function(em, node, function)
    except Refused as refusal:
        em.scope = Scope()
        return refused_definition(em, node, refusal)


def _graph_function(em: Emitter, node: cst.FunctionDef, function: Function) -> list[Any]:
    body: list[Any] = list(node.body.body)
    sections = graphs(em, body, node.name.value)
    if not sections:
        raise Refused("P206", "the model that this function builds is not found in its body", node)
    made: list[Any] = []
    new_body: list[Any] = []
    at = 0
    kept: set[str] = set()
    leading = list(node.leading_lines)
    scope = Scope(stage="plain", function=function)
    for graph in sections:
        before = {n for s in body[:graph.start] for n in assigned_names(s)}
        graph.name = free_name(em, graph.name)
        definition, params, outside = graph_class(em, function, body, graph, graph.name, before, leading)
        leading = TWO
        made.append(definition)
        em.scope = scope
        new_body += [line for s in (*body[at:graph.start], *outside) for line in plain.one(em, s, kept)]
        last = replaced(graph.line, graph.model, expression(f"{graph.name}({', '.join(params)})"))
        gap = [cst.EmptyLine(indent=False)] if len(new_body) > 1 else []
        new_body.append(last.with_changes(leading_lines=gap))
        at = graph.end + 1
    em.scope = scope
    if body[at:]:
        new_body += plain.suite(em, body[at:], kept)
    em.scope = Scope()
    em.by(node, "rule graph_functions")
    new = node.with_changes(body=node.body.with_changes(body=_finished(em, new_body, function, kept)),
                            leading_lines=TWO, decorators=decorators(em, node))
    return [*made, new]


def _finished(em: Emitter, body: list[Any], function: Function, kept: set[str]) -> list[Any]:
    """Without settings that only the graph needed, and with what the function must say or import first."""
    docstring, rest = split_docstring(body)
    body = [*docstring, *_guards(function), *prune(rest, set())]
    return with_imports(em, body, kept) if kept else body


def _guards(function: Function) -> list[Any]:
    """Keras tensors cannot be passed in: say so, loudly."""
    return [statement(f"if {name} is not None:\n    raise NotImplementedError('{name}: a Keras tensor cannot be the "
                      "input of a PyTorch model')") for name in sorted(function.absent)]
