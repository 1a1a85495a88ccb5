"""Functional models become classes (golden conventions 6, 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, statement
from port.facts import Kind, Layout
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.models import only
from port.tf2torch.infer.values import Function, GraphModel, Inputs, Origin, has_tensor, tensors_in
from port.tf2torch.rules.bodies import assigned_names, used_names
from port.tf2torch.rules.entries import permute_line
from port.tf2torch.rules.graph_paths import made_by, models, refusal, returning
from port.tf2torch.rules.module_class import class_of
from port.tf2torch.rules.naming import camel
from port.tf2torch.rules.returns import returned
from port.tf2torch.rules.split import Split, settled
from port.tf2torch.rules.split_blocks import block
from port.tf2torch.rules.split_lines import holds_layers
from port.tree import code, find, target_names


# ---------------------------------------------------------------- graphs
@dataclass
class Graph:
    """One `Model(inputs, outputs)` with the statements that build it, or one on each path."""

    model: cst.Call
    start: int
    end: int
    name: str
    line: cst.SimpleStatementLine
    paths: Sequence[cst.Call] = ()  # all models of the section, where there are several
    refused: Refused | None = None  # why they cannot be one class


def graphs(em: Emitter, body: Sequence[cst.BaseStatement], fallback: str) -> list[Graph]:
    """Sections of a body that build functional models, in order."""
    found: list[Graph] = []
    at = 0
    nodes = list(body)
    held = [(end, calls) for end, node in enumerate(nodes) if (calls := models(em, node))]
    for i, (end, calls) in enumerate(held):
        several = not isinstance(nodes[end], cst.SimpleStatementLine) or len(calls) > 1
        stop = held[-1][0] if several else end
        start = next((i for i in range(at, stop + 1) if _touches_graph(em, nodes[i])), stop)
        line = made_by(nodes[end], calls[0])
        made = Graph(calls[0], start, stop, _model_name(em, calls[0], line, fallback), line)
        if several:
            rest = [c for _, more in held[i:] for c in more]
            return [*found, replace(made, paths=rest, refused=refusal(em, nodes[start:stop + 1]))]
        found.append(made)
        at = end + 1
    return found


def _touches_graph(em: Emitter, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return False
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    if isinstance(small, cst.Assign) and holds_layers(em.fact(small.value)):
        return True  # PyTorch finds modules of a list only where the model makes it
    return any(em.fact(n).kind is Kind.TENSOR or n in em.it.layers
               for n in find(node, cst.Call, enter_functions=False))


def _model_name(em: Emitter, call: cst.Call, line: cst.CSTNode, fallback: str) -> str:
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == "name":
            value = em.fact(arg.value).literal(None)
            if isinstance(value, str):
                return camel("".join(c if c.isalnum() else "_" for c in value))
    name = fallback
    for prefix in ("build_", "make_", "create_", "get_"):
        name = name.removeprefix(prefix)
    if isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Assign) and not fallback:
        target = line.body[0].targets[0].target
        name = target.value if isinstance(target, cst.Name) else "model"
    return camel(name or "model")




def graph_class(em: Emitter, function: Function | None, nodes: list[cst.BaseStatement], graph: Graph,
                name: str, before: set[str], leading: list[Any]) -> tuple[cst.ClassDef, list[str], list[Any]]:
    """(class, its constructor's parameters, statements that stay outside, before the class)."""
    if graph.refused is not None:
        raise graph.refused
    lists = _lists_before(em, nodes[:graph.start], nodes[graph.start:graph.end + 1])
    inputs = input_names(em, nodes, em.fact(graph.model).payload)  # of which some may stand above another model
    before = before - {n for s in lists for n in assigned_names(s)} - set(inputs.values())
    given = {*before, *(function.params if function is not None else ())}
    def made(split: Split) -> tuple[cst.ClassDef, list[str], list[Any]]:
        return _graph_class(split, nodes, graph, name, before, leading, lists, inputs)

    return settled(em, made, lambda both: Split(em, function, boundary=True, globals_=function is None, given=given,
                                                both=both))


def _graph_class(split: Split, nodes: list[cst.BaseStatement], graph: Graph, name: str, before: set[str],
                 leading: list[Any], lists: list[Any], inputs: dict[str, str]
                 ) -> tuple[cst.ClassDef, list[str], list[Any]]:
    em, function = split.em, split.function
    payload: GraphModel = em.fact(graph.model).payload
    section = nodes[graph.start:graph.end + 1]
    outside: list[Any] = []
    later = used_names(nodes[graph.end + 1:])
    kept: list[cst.BaseStatement] = list(lists)
    inside = {n for s in section[:-1] for a in find(s, cst.Assign, enter_functions=False) for t in a.targets
              for n in target_names(t.target) if em.fact(a.value).kind is Kind.LAYER}
    for s in section if graph.paths else section[:-1]:
        hoist = function is None or bool(assigned_names(s) & later)
        if hoist and isinstance(s, cst.SimpleStatementLine | cst.FunctionDef) and not _touches_graph(em, s) and (
                not any(tensors_in(em.fact(n)) or n.value in inside for n in find(s, cst.Name))):
            outside.append(s)
        else:
            kept.append(s)
    split.settings |= before
    # models and layers made before: the class must hold them, or it would not own their weights
    local = set() if function is None else set(function.params) | function.assigned
    split.settings |= {n for n, f in em.it.globals.names.items() if f.kind in (Kind.MODEL, Kind.LAYER)} - local
    if function is not None:
        split.settings |= set(function.params)
    keyed = _by_key(em, payload)
    init, forward, _ = block(split, [returning(em, s) for s in kept] if graph.paths else kept)
    if not graph.paths:
        outputs = _output_return(split, graph.model)
        init += split.pending
        split.pending = []
        forward.append(outputs.with_changes(leading_lines=list(getattr(section[-1], "leading_lines", []))))
    forward = [*_entries(payload, inputs, keyed), *forward]
    free = list(function.params if function is not None else []) + sorted(
        n for n in before if function is None or n not in function.params)
    params = [cst.Param(cst.Name(n)) for n in ([keyed] if keyed else dict.fromkeys(inputs.values()))]
    defaults = dict(function.defaults) if function is not None else {}
    if function is None:
        free = []
        forward, init = _unindented(forward), _unindented(init)
    definition, ctor_params, _, _ = class_of(split, name, [], init, forward, params, function, leading,
                                             apply_init=True, free=free + list(split.models), defaults=defaults)
    return definition, ctor_params, outside


def _lists_before(em: Emitter, earlier: Sequence[Any], section: Sequence[Any]) -> list[Any]:
    """Lines `outputs = []` above the section that puts tensors in."""
    grow = {c.func.value.value for s in section for c in find(s, cst.Call) if isinstance(c.func, cst.Attribute)
            and c.func.attr.value == "append" and isinstance(c.func.value, cst.Name) and any(
                has_tensor(em.fact(a.value)) for a in c.args)}
    return [line.with_changes(body=[small], leading_lines=[]) for line in earlier
            if isinstance(line, cst.SimpleStatementLine) for small in line.body
            if isinstance(small, cst.Assign) and isinstance(small.value, cst.List) and not small.value.elements
            and isinstance(small.targets[0].target, cst.Name) and small.targets[0].target.value in grow]


def _unindented(items: list[Any]) -> list[Any]:
    """Blank lines of the module's top level stay blank inside a method."""
    for i, item in enumerate(items):
        lines = getattr(item, "leading_lines", None)
        if lines:
            items[i] = item.with_changes(leading_lines=[
                ln if ln.comment is not None else ln.with_changes(indent=False) for ln in lines])
    return items


def _by_key(em: Emitter, payload: GraphModel) -> str:
    """The variable of the dict in which all inputs arrive; '' if they arrive one by one."""
    node = keyword(payload.node, "inputs", 0)
    if not isinstance(payload.inputs.payload, Inputs) or node is None:
        return ""
    return node.value if isinstance(node, cst.Name) else "inputs"


def input_names(em: Emitter, nodes: Sequence[cst.CSTNode], payload: GraphModel) -> dict[str, str]:
    """Input@id -> the variable that holds it, in the order of Model(inputs=...)."""
    variables: dict[str, str] = {}
    for s in nodes:
        for n in find(s, cst.Assign, enter_functions=False):
            if isinstance(n.value, cst.Call) and em.symbol(
                    n.value.func) == "keras.Input" and isinstance(n.targets[-1].target, cst.Name):
                variables.setdefault(f"Input@{id(n.value)}", n.targets[-1].target.value)
    if isinstance(payload.inputs.payload, Inputs) and isinstance(keyword(payload.node, "inputs", 0), cst.Name):
        name = _by_key(em, payload)
        held = payload.inputs.payload
        variables |= {f.payload.name: f"{name}[{held.texts[key]}]" for key, f in held.values.items()
                      if isinstance(f.payload, Origin)}
    found: dict[str, str] = {}
    for fact in tensors_in(payload.inputs):
        if not isinstance(fact.payload, Origin) or not fact.payload.name.startswith("Input@"):
            raise Refused("P206", "this model starts at a tensor in the middle of another one", payload.node)
        if fact.payload.name not in variables:
            raise Refused("P206", "an Input of this model is not held by a variable", payload.node)
        found[fact.payload.name] = variables[fact.payload.name]
    if not found:
        raise Refused("P206", "the inputs of this model are not known", payload.node)
    return found


def _entries(payload: GraphModel, inputs: dict[str, str], keyed: str) -> list[Any]:
    """What `forward` does first: inputs taken out of their dict, images brought to channels first."""
    made = []
    held = payload.inputs.payload
    for fact in {f.payload.name: f for f in tensors_in(payload.inputs)}.values():  # type: ignore[union-attr]
        assert isinstance(fact.payload, Origin)
        var, flipped = inputs[fact.payload.name], fact.layout is Layout.FLIPPED and fact.rank is not None
        key = next(held.texts[k] for k, f in held.values.items() if f is fact) if isinstance(held, Inputs) else ""
        if key and var.isidentifier():
            made.append(statement(f"{var} = {keyed}[{key}]"))
        if flipped and key and not var.isidentifier():  # the caller keeps its dict
            made.append(_turned_in(keyed, key, permute_line(var, var, fact.rank or 4)))
        elif flipped:
            made.append(permute_line(var, var, fact.rank or 4))
    return made


def _turned_in(keyed: str, key: str, line: Any) -> Any:
    """`inputs = {**inputs, 'image': inputs['image'].permute(0, 3, 1, 2)}`."""
    whole = build(f"{{**{keyed}, {key}: {{x}}}}", x=line.body[0].value)
    return line.with_changes(body=[cst.Assign([cst.AssignTarget(cst.Name(keyed))], whole)])


def _output_return(split: Split, model: cst.Call) -> Any:
    outputs = keyword(model, "outputs", 1)
    assert outputs is not None
    outputs = only(outputs)
    fact = split.em.fact(outputs)
    new = returned(split.em, split.forward, outputs, fact, None, split.boundary)
    comment = cst.SimpleStatementLine([cst.Return(new)])
    if any(t.layout is Layout.FLIPPED for t in tensors_in(fact)):
        text = code(new)
        if ".ndim ==" not in text and (".permute(" in text or text.endswith(".transpose(1, 2)")):
            note = "# NCHW -> NHWC" if ".permute(0, 2, 3, 1)" in text else "# (N, C, L) -> (N, L, C)"
            comment = comment.with_changes(trailing_whitespace=cst.TrailingWhitespace(
                cst.SimpleWhitespace("  "), cst.Comment(note)))
    return comment
