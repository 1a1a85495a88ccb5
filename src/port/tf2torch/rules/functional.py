"""Builder functions and functional graphs become classes (golden conventions 1, 2, 6, 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Kind, Layout
from port.imports import has_helper
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.apply import Origin
from port.tf2torch.infer.values import Function, GraphModel, Items, tensors_in
from port.tf2torch.rules.assemble import Writer, assign_names, flattened, prune
from port.tf2torch.rules.modules import Split, block, camel
from port.tree import code, loads, named, walk

NCHW = "  # NHWC -> NCHW"


@dataclass
class Spec:
    """The class that a builder function became."""

    name: str
    definition: cst.BaseStatement
    params: list[str]
    dropped: set[str]
    mirrors: list[tuple[str, str]] = field(default_factory=list)  # (mirror, tensor parameter)

    def mirrors_of(self, parameter: str) -> list[str]:
        return [m for m, p in self.mirrors if p == parameter]


def used_names(statements: list[Any]) -> set[str]:
    return {n for s in statements for n in loads(s)}


def self_reads(statements: list[Any]) -> set[str]:
    return {n.attr.value for s in statements for n in walk(s) if isinstance(n, cst.Attribute)
            and isinstance(n.value, cst.Name) and n.value.value == "self"}


def split_docstring(body: Sequence[cst.BaseStatement]) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
    nodes = list(body)
    if nodes and isinstance(nodes[0], cst.SimpleStatementLine) and isinstance(nodes[0].body[0], cst.Expr) and (
            isinstance(nodes[0].body[0].value, cst.SimpleString | cst.ConcatenatedString)):
        return nodes[:1], nodes[1:]
    return [], nodes


# ---------------------------------------------------------------- builders
def builder(em: Emitter, function: Function) -> Spec:
    """`def conv_block(x, filters)` -> `class ConvBlock(nn.Module)`."""
    node = function.node
    assert isinstance(node, cst.FunctionDef)
    docstring, body = split_docstring(node.body.body)
    split = Split(em, function, boundary=function.called == 0 and not function.fixed_layout)
    tensors = [p for p in function.params if p in function.tensors or (function, p) in em.it.ranks]
    if not tensors:
        raise Refused("P206", f"`{function.name}` creates layers but takes no tensor that is known", node)
    split.settings |= {p for p in function.params if p not in tensors} - {"training"}
    init, forward, _ = block(split, body)
    name = free_name(em, camel(function.name))
    params = [_tensor_param(p, node) for p in tensors]
    if split.boundary:
        forward = [*_entry(em, function, tensors), *forward]
    definition, spec_params, dropped, mirrors = class_of(
        split, name, docstring, init, forward, params, function, (list(node.lines_after_decorators) and []) or
        list(node.leading_lines), apply_init=function.called == 0)
    for gone in sorted(dropped - {"training"}):
        em.report("P001", f"parameter `{gone}` of `{function.name}` only named layers; it is dropped", node)
    return Spec(name, definition, spec_params, dropped, mirrors)


def curried(em: Emitter, outer: Function) -> Spec:
    """`def block(settings): def apply(x): ...; return apply` -> one class."""
    node, inner = outer.node, outer.inner
    assert isinstance(node, cst.FunctionDef) and inner is not None and isinstance(inner.node, cst.FunctionDef)
    docstring, body = split_docstring(node.body.body)
    body = [s for s in body if s is not inner.node and not (
        isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Return))]
    split = Split(em, outer, boundary=False)
    split.settings |= set(outer.params) - {"training"}
    tensors = [p for p in inner.params if p in inner.tensors or (inner, p) in em.it.ranks]
    first, none, _ = block(split, body)
    if none:
        raise Refused("P206", f"`{outer.name}` works on tensors before it is called with one", node)
    split.result_of = inner
    init, forward, _ = block(split, split_docstring(inner.node.body.body)[1])
    params = [_tensor_param(p, inner.node) for p in tensors]
    merged = Function(outer.name, node, outer.env, params=[*tensors, *outer.params],
                      defaults=outer.defaults, tensors=dict(inner.tensors), mirrors=dict(inner.mirrors))
    definition, spec_params, dropped, mirrors = class_of(
        split, camel(outer.name), docstring, [*first, *init], forward, params, merged, list(node.leading_lines),
        apply_init=outer.called == 0)
    return Spec(camel(outer.name), definition, spec_params, dropped, mirrors)


def _tensor_param(name: str, node: cst.FunctionDef) -> cst.Param:
    for p in node.params.params:
        if p.name.value == name:
            return cst.Param(cst.Name(name), default=p.default, comma=cst.MaybeSentinel.DEFAULT, equal=p.equal)
    return cst.Param(cst.Name(name))


def _entry(em: Emitter, function: Function, tensors: list[str]) -> list[Any]:
    made = []
    for name in tensors:
        if name in function.flipped:
            fact = function.tensors.get(name)
            rank = fact.rank if fact is not None and fact.rank is not None else em.it.ranks.get((function, name))
            made.append(permute_line(name, name, rank or 4))
    return made


def permute_line(target: str, source: str, rank: int) -> Any:
    from port.tf2torch.emit import TO_FIRST

    if rank == 3:
        return cst.parse_statement(f"{target} = {source}.transpose(1, 2)  # (N, L, C) -> (N, C, L)")
    if rank == 5:
        return cst.parse_statement(f"{target} = {source}.permute{TO_FIRST[5]}  # NDHWC -> NCDHW")
    return cst.parse_statement(f"{target} = {source}.permute{TO_FIRST.get(rank, TO_FIRST[4])}{NCHW}")


def class_of(split: Split, name: str, docstring: list[Any], init: list[Any], forward: list[Any],
             forward_params: list[cst.Param], function: Function | None, leading: list[Any], apply_init: bool,
             free: list[str] | None = None, defaults: dict[str, cst.BaseExpression] | None = None
             ) -> tuple[cst.ClassDef, list[str], set[str], list[tuple[str, str]]]:
    """The class, its constructor's parameters, parameters that vanished, and mirrors among the parameters."""
    em = split.em
    em.need("nn")
    flat = flattened(split.frames[0], forward)
    names = assign_names(split, forward, set(split.stored))
    writer = Writer(split, names, flat)
    new_forward = _without_aliases(writer.forward(forward, split.frames[0]))
    new_init = writer.init(init, split.frames[0])
    read = self_reads(new_forward) & set(split.stored)
    new_init = prune(new_init, read | set(split.models))
    init_names = used_names(new_init) | read | set(split.models)
    params, dropped, mirrors = _parameters(split, function, init_names, free)
    new_init = _store(split, new_init, [n for n in params if n in read], read)
    for model in split.models:
        new_init.insert(0, statement(f"self.{model} = {model}"))
    if apply_init:
        new_init.append(statement("self.apply(init_weights)"))
    definition = _class(name, docstring, _param_nodes(function, params, defaults), new_init, forward_params,
                        new_forward, leading)
    em.it_classes[name] = split
    return definition, params, dropped, mirrors


def _parameters(split: Split, function: Function | None, used: set[str], free: list[str] | None
                ) -> tuple[list[str], set[str], list[tuple[str, str]]]:
    if function is None or free is not None:
        return [n for n in free or [] if n in used], set(), []
    params: list[str] = []
    dropped: set[str] = set()
    mirrors: list[tuple[str, str]] = []
    source_names = named(function.node.body)
    for p in function.params:
        own = [m for m, (owner, _) in function.mirrors.items() if owner == p and m in used]
        own.sort(key=lambda m: -function.mirrors[m][1])
        if p in function.tensors or (function, p) in split.em.it.ranks:
            params += own
            mirrors += [(m, p) for m in own]
        elif p == "training" or (p not in used and p in source_names):
            dropped.add(p)
        else:
            params.append(p)
    return params, dropped, mirrors


def _param_nodes(function: Function | None, params: list[str], defaults: dict[str, cst.BaseExpression] | None
                 ) -> list[cst.Param]:
    known = dict(function.defaults) if function is not None and defaults is None else dict(defaults or {})
    out: list[cst.Param] = []
    for p in params:
        default = known.get(p)
        if default is None and any(q.default is not None for q in out):
            default = None
            out = [q.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT) for q in out]
        out.append(cst.Param(cst.Name(p), default=default, equal=cst.AssignEqual(
            cst.SimpleWhitespace(""), cst.SimpleWhitespace("")) if default is not None else cst.MaybeSentinel.DEFAULT))
    return out


def _store(split: Split, init: list[Any], params: list[str], read: set[str]) -> list[Any]:
    """`self.activation = activation` for settings that forward reads: parameters first, locals where they are made."""
    out = [statement(f"self.{p} = {p}") for p in params]
    reassigned = [p for p in params if any(p in _assigns(s) for s in init)]
    out = [s for s, p in zip(out, params, strict=True) if p not in reassigned]
    todo = set(read) - set(params) | set(reassigned)
    last: dict[str, int] = {}
    for i, s in enumerate(init):
        for n in _assigns(s) & todo:
            if n in last and not isinstance(s, cst.If):
                raise Refused("P206", f"the setting `{n}` changes between two uses", None)
            last[n] = i
    out += [statement(f"self.{n} = {n}") for n in sorted(todo - last.keys())]
    for i, s in enumerate(init):
        mine = {n for n in todo if last.get(n) == i}
        always = mine - (set() if not isinstance(s, cst.If) else {n for n in mine if not _always(s, n)})
        out.append(_stored_inside(s, mine - always) if mine - always else s)
        out += [statement(f"self.{n} = {n}") for n in sorted(always)]
    return out


def _always(s: cst.If, name: str) -> bool:
    """Is the variable bound on every path through this `if`?"""
    def bound(body: Any) -> bool:
        return any((isinstance(x, cst.SimpleStatementLine) and name in _assigns(x)) or (
            isinstance(x, cst.If) and _always(x, name)) for x in body)

    if s.orelse is None:
        return False
    other = _always(s.orelse, name) if isinstance(s.orelse, cst.If) else bound(s.orelse.body.body)
    return bound(s.body.body) and other


def _stored_inside(s: Any, names: set[str]) -> Any:
    """`self.n = n` right behind the assignments, which only some paths reach."""
    if not isinstance(s, cst.If):
        return s
    body: list[Any] = []
    for x in s.body.body:
        body.append(_stored_inside(x, names))
        if isinstance(x, cst.SimpleStatementLine):
            body += [statement(f"self.{n} = {n}") for n in sorted(_assigns(x) & names)]
    orelse: Any = s.orelse
    if isinstance(orelse, cst.If):
        orelse = _stored_inside(orelse, names)
    elif orelse is not None:
        block_ = _stored_inside(cst.If(cst.Name("x"), orelse.body), names)
        orelse = orelse.with_changes(body=block_.body)
    return s.with_changes(body=s.body.with_changes(body=body), orelse=orelse)


def _assigns(s: Any) -> set[str]:
    from port.tf2torch.rules.modules import names_of

    found: set[str] = set()
    for n in walk(s):
        if isinstance(n, cst.Assign):
            for t in n.targets:
                found |= names_of(t.target)
        elif isinstance(n, cst.AugAssign | cst.For):
            found |= names_of(n.target)
        elif isinstance(n, cst.FunctionDef):
            found.add(n.name.value)
    return found


def _without_aliases(body: list[Any]) -> list[Any]:
    """`inputs = img_input` that nothing reads afterwards is dropped."""
    out = list(body)
    for i in range(len(out) - 1, -1, -1):
        s = out[i]
        if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign) and isinstance(
                s.body[0].value, cst.Name) and isinstance(s.body[0].targets[0].target, cst.Name) and len(
                s.body[0].targets) == 1:
            name = s.body[0].targets[0].target.value
            later = used_names(out[i + 1:])
            if name not in later:
                del out[i]
    return out


def _class(name: str, docstring: list[Any], params: list[cst.Param], init: list[Any],
           forward_params: list[cst.Param], forward: list[Any], leading: list[Any]) -> cst.ClassDef:
    me = cst.Param(cst.Name("self"))
    first = statement("super().__init__()")
    init = [first, *init]
    if len(init) > 1 and getattr(init[1], "leading_lines", None) and init[1].leading_lines[0].comment is None:
        init[1] = init[1].with_changes(leading_lines=init[1].leading_lines[1:])
    if forward and getattr(forward[0], "leading_lines", None):
        lines = list(forward[0].leading_lines)
        while lines and lines[0].comment is None:
            lines.pop(0)
        forward[0] = forward[0].with_changes(leading_lines=lines)
    blank = cst.EmptyLine(indent=False)
    make = cst.FunctionDef(cst.Name("__init__"), cst.Parameters([me, *params]), cst.IndentedBlock(init),
                           leading_lines=[blank] if docstring else [])
    make = wrapped(make)
    run = cst.FunctionDef(cst.Name("forward"), cst.Parameters([me, *forward_params]),
                          cst.IndentedBlock(forward or [statement("pass")]), leading_lines=[blank])
    return cst.ClassDef(cst.Name(name), cst.IndentedBlock([*docstring, make, run]),
                        bases=[cst.Arg(cst.parse_expression("nn.Module"))], lpar=cst.LeftParen(),
                        rpar=cst.RightParen(), leading_lines=leading)


def wrapped(node: cst.FunctionDef) -> cst.FunctionDef:
    """A signature that is too long for a line has one parameter a line."""
    if len(code(node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]), leading_lines=[]))) < 100:
        return node
    inner = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
    end = cst.ParenthesizedWhitespace(indent=True)
    params = [p.with_changes(comma=cst.Comma(whitespace_after=inner)) for p in node.params.params]
    params[-1] = params[-1].with_changes(comma=cst.Comma(whitespace_after=end))
    return node.with_changes(params=node.params.with_changes(params=params), whitespace_before_params=inner)


# ---------------------------------------------------------------- graphs
@dataclass
class Graph:
    """One `Model(inputs, outputs)` with the statements that build it."""

    model: cst.Call
    start: int
    end: int
    name: str


def graphs(em: Emitter, body: Sequence[cst.BaseStatement], fallback: str) -> list[Graph]:
    """Sections of a body that build functional models, in order."""
    found: list[Graph] = []
    at = 0
    nodes = list(body)
    for end, node in enumerate(nodes):
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            continue
        for call in walk(node, enter_functions=False):
            if isinstance(call, cst.Call) and isinstance(em.fact(call).payload, GraphModel) and (
                    em.fact(call).payload.node is call):
                start = next((i for i in range(at, end + 1) if _touches_graph(em, nodes[i])), end)
                found.append(Graph(call, start, end, _model_name(em, call, node, fallback)))
                at = end + 1
                break
    return found


def _touches_graph(em: Emitter, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return False
    return any(isinstance(n, cst.Call) and (em.fact(n).kind is Kind.TENSOR or n in em.it.layers)
               for n in walk(node, enter_functions=False))


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


def free_name(em: Emitter, name: str) -> str:
    """A class name that the file does not use yet."""
    while name in em.it.globals.names or name in em.it.names.bound or name in em.it_classes or has_helper(name):
        name += "Model"
    return name


def graph_class(em: Emitter, function: Function | None, nodes: list[cst.BaseStatement], graph: Graph,
                name: str, before: set[str], leading: list[Any]) -> tuple[cst.ClassDef, list[str], list[Any]]:
    """(class, its constructor's parameters, statements that stay outside, before the class)."""
    payload: GraphModel = em.fact(graph.model).payload
    section = nodes[graph.start:graph.end + 1]
    split = Split(em, function, boundary=True, globals_=function is None)
    outside: list[Any] = []
    later = used_names(nodes[graph.end + 1:])
    kept: list[cst.BaseStatement] = []
    for s in section[:-1]:
        hoist = function is None or bool(_assigns(s) & later)
        if hoist and isinstance(s, cst.SimpleStatementLine | cst.FunctionDef) and not _touches_graph(em, s) and (
                not any(tensors_in(em.fact(n)) for n in walk(s) if isinstance(n, cst.Name))):
            outside.append(s)
        else:
            kept.append(s)
    split.settings |= before
    if function is None:  # models and layers made before: the class must hold them, or it would not own their weights
        split.settings |= {n for n, f in em.it.globals.names.items() if f.kind in (Kind.MODEL, Kind.LAYER)}
    if function is not None:
        split.settings |= set(function.params)
    inputs = input_names(em, nodes, payload)
    own = {id(c) for c in _input_calls(em, section)}
    for call_id, var in inputs.items():
        del call_id, var
    del own
    init, forward, _ = block(split, kept)
    outputs = _output_return(split, graph.model)
    init += split.pending
    split.pending = []
    last = section[-1]
    lines = list(getattr(last, "leading_lines", []))
    forward = [*_entries(em, payload, inputs, forward, outputs), *forward, outputs.with_changes(leading_lines=lines)]
    free = list(function.params if function is not None else []) + sorted(
        n for n in before if function is None or n not in function.params)
    params = [cst.Param(cst.Name(n)) for n in dict.fromkeys(inputs.values())]
    docstring: list[Any] = []
    defaults = dict(function.defaults) if function is not None else {}
    if function is None:
        free = []
        forward, init = _unindented(forward), _unindented(init)
    definition, ctor_params, _, _ = class_of(split, name, docstring, init, forward, params, function, leading,
                                             apply_init=True, free=free + list(split.models), defaults=defaults)
    return definition, ctor_params, outside


def _unindented(items: list[Any]) -> list[Any]:
    """Blank lines of the module's top level stay blank inside a method."""
    for i, item in enumerate(items):
        lines = getattr(item, "leading_lines", None)
        if lines:
            items[i] = item.with_changes(leading_lines=[
                ln if ln.comment is not None else ln.with_changes(indent=False) for ln in lines])
    return items


def _input_calls(em: Emitter, nodes: Sequence[cst.CSTNode]) -> list[cst.Call]:
    return [n for s in nodes for n in walk(s, enter_functions=False) if isinstance(n, cst.Call)
            and em.symbol(n.func) == "keras.Input" and em.fact(n).kind is Kind.TENSOR]


def input_names(em: Emitter, nodes: Sequence[cst.CSTNode], payload: GraphModel) -> dict[str, str]:
    """Input@id -> the variable that holds it, in the order of Model(inputs=...)."""
    variables: dict[str, str] = {}
    for s in nodes:
        for n in walk(s, enter_functions=False):
            if isinstance(n, cst.Assign) and isinstance(n.value, cst.Call) and em.symbol(
                    n.value.func) == "keras.Input" and isinstance(n.targets[-1].target, cst.Name):
                variables.setdefault(f"Input@{id(n.value)}", n.targets[-1].target.value)
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


def _entries(em: Emitter, payload: GraphModel, inputs: dict[str, str], forward: list[Any], last: Any) -> list[Any]:
    made = []
    seen: set[str] = set()
    for fact in tensors_in(payload.inputs):
        assert isinstance(fact.payload, Origin)
        if fact.payload.name in seen:
            continue
        seen.add(fact.payload.name)
        var = inputs[fact.payload.name]
        if fact.layout is Layout.FLIPPED and fact.rank is not None:
            made.append(permute_line(var, var, fact.rank))
    return made


def _output_return(split: Split, model: cst.Call) -> Any:
    from port.tf2torch.infer.apply import _keyword
    from port.tf2torch.rules.modules import returned

    outputs = _keyword(model, "outputs", 1)
    assert outputs is not None
    fact = split.em.fact(outputs)
    if isinstance(fact.payload, Items) and not isinstance(outputs, cst.List | cst.Tuple | cst.Dict):
        flipped = [t for t in tensors_in(fact) if t.layout is Layout.FLIPPED]
        if flipped:
            raise Refused("P206", "a list of feature maps is returned; write the outputs one by one", model)
    new = returned(split, outputs, fact, None)
    comment = cst.SimpleStatementLine([cst.Return(new)])
    if any(t.layout is Layout.FLIPPED for t in tensors_in(fact)):
        text = code(new)
        if ".ndim ==" in text:
            pass
        elif ".permute(" in text or text.endswith(".transpose(1, 2)"):
            note = "# NCHW -> NHWC" if ".permute(0, 2, 3, 1)" in text else "# (N, C, L) -> (N, L, C)"
            comment = comment.with_changes(trailing_whitespace=cst.TrailingWhitespace(
                cst.SimpleWhitespace("  "), cst.Comment(note)))
    return comment


def init_args(params: list[str]) -> str:
    return ", ".join(params)
