"""One file from TensorFlow and Keras to PyTorch: the order of the passes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import imports, names, places, table
from port.facts import Fact
from port.findings import CATALOGUE, Finding, Outcome
from port.result import Options, Result
from port.tf2torch import adapt
from port.tf2torch.emit import Emitter, Handlers, Refused, Scope
from port.tf2torch.expressions import attributes, calls, constants, subscripts
from port.tf2torch.infer.interp import Interp, infer
from port.tf2torch.infer.values import Function, has_tensor
from port.tf2torch.initial.blocks import blocks as initial_blocks
from port.tf2torch.rules import classes, functional, hints, inline, plain, sequential_class
from port.tf2torch.rules.assemble import prune
from port.tf2torch.rules.functional import _assigns, graph_class, graphs
from port.tree import code, module_code, syntax_error, walk


def translate(text: str, module: cst.Module, bound: names.Names, options: Options,
              params: dict[str, Fact] | None) -> Result:
    """`module`, parsed from `text`, in PyTorch; the readings of it that may serve better are tried first."""
    leave: set[cst.Call] = set()
    while (functional_form := sequential_class.rewrite(module, bound, leave)) is not None:
        result = converted(text, functional_form, module, bound, options, params)
        failed = sequential_class.untranslated(bound, result.text)
        if not failed:
            return result
        leave |= failed
        bound = names.collect(module)
    in_build = inline.rewrite(module)
    if in_build is not module:
        result = converted(text, in_build, module, names.collect(in_build), options, params)
        if not any(f".{maker}(" in result.text for maker in inline.MAKERS):
            return result
    return converted(text, module, module, bound, options, params)


def converted(text: str, module: cst.Module, written: cst.Module, bound: names.Names, options: Options,
              params: dict[str, Fact] | None) -> Result:
    """`module` translated; findings are placed in the module as it was `written`."""
    it = infer(module, bound, table.by_tf_name(), params or {})
    em, body = emitted(it, module, options, set())
    if any(r[1] in ("P102", "P208") for r in em.reports):
        # Classes whose input width no call shows: a parameter of the constructor, where a Lazy module cannot serve.
        other, other_body = emitted(it, module, options, classes.channel_mirrors(em))
        if _refusals(other) < _refusals(em):
            em, body = other, other_body
    new = module_code(module.with_changes(body=body))
    if error := syntax_error(new):
        return Result(text, text, (Finding(1, 0, "P901", f"the output would not parse: {error}"),))
    return Result(text, new, places.findings(em.reports, written))


HANDLERS = Handlers(calls.call, constants.constant, subscripts.subscript, attributes.attribute, adapt.ARGS, adapt.ROWS,
                    adapt.LAYERS)


def emitted(it: Interp, module: cst.Module, options: Options, open_sizes: set[str]) -> tuple[Emitter, list[Any]]:
    """One emission of the whole file."""
    em = Emitter(it, HANDLERS, open_sizes=open_sizes)
    em.original_imports = imports.original_imports(module)
    return em, Pass(em, module, options).run()


def _refusals(em: Emitter) -> tuple[int, int]:
    """How much stays in the source's framework: lines, then places."""
    lines = sum(code(n).count("\n") + 1 for n in em.kept)
    return lines, sum(CATALOGUE[r[1]].outcome is Outcome.REFUSED for r in em.reports)


def call_text(name: str, params: list[str]) -> cst.BaseExpression:
    """`Name(a, b)`, one argument a line if it is long."""
    text = f"{name}({', '.join(params)})"
    if len(text) > 85:
        text = f"{name}(\n        " + ",\n        ".join(params) + ",\n    )"
    return cst.parse_expression(text)


class Pass:
    """One walk over the module's statements."""

    def __init__(self, em: Emitter, module: cst.Module, options: Options):
        self.em, self.module, self.options = em, module, options
        self.specs: dict[Function, Any] = {}
        self.done: set[Function] = set()
        self.applied = False
        for function in em.it.functions.values():
            if self.is_builder(function) or function.inner is not None:
                em.classes[function] = self.spec

    def is_builder(self, function: Function) -> bool:
        return (isinstance(function.node, cst.FunctionDef) and function.owner is None and function.stateful
                and not function.graph and bool(function.tensors or any(
                    owner is function for owner, _ in self.em.it.ranks))
                and any(has_tensor(r) for r in function.returns))

    def spec(self, function: Function) -> Any:
        """The class of a builder function, made at the first use; a refusal is remembered too."""
        if function not in self.specs:
            self.specs[function] = Refused("P206", f"`{function.name}` calls itself", function.node)
            saved = self.em.scope
            try:
                make = functional.curried if function.inner is not None else functional.builder
                self.specs[function] = make(self.em, function)
            except Refused as refusal:
                self.specs[function] = refusal
            finally:
                self.em.scope = saved
        found = self.specs[function]
        if isinstance(found, Refused):
            raise Refused(found.code, f"`{function.name}` is not ported: {found.message}"
                          if "is not ported" not in found.message else found.message, found.node)
        return found

    # ------------------------------------------------------------ the module
    def run(self) -> list[Any]:
        body = list(self.module.body)
        sections = graphs(self.em, body, "")
        out: list[Any] = []
        starts = {g.start: g for g in sections}
        at = 0
        defined: set[str] = set()
        while at < len(body):
            graph = starts.get(at)
            if graph is not None:
                out += self.module_graph(body, graph, defined)
                at = graph.end + 1
                continue
            out += self.statement(body[at])
            at += 1
        out = hints.rewrite(self.em, out)
        out = self.with_originals(out)
        blocks, extra = initial_blocks(self.em, self.module, out, self.options.init == "keep")
        out = [s for s in out if s is not None]
        return imports.rewrite(out, body, self.em, blocks, extra, names.FRAMEWORKS["tf2torch"])

    def with_originals(self, out: list[Any]) -> list[Any]:
        """What stays in the source's framework still needs the builders that became classes: both are kept."""
        converted = {f.name: (f, spec) for f, spec in self.specs.items() if not isinstance(spec, Refused)}
        todo = {n.value for node in self.em.kept for n in walk(node) if isinstance(n, cst.Name)}
        done: set[str] = set()
        while todo & converted.keys() - done:
            name = sorted(todo & converted.keys() - done)[0]
            done.add(name)
            function, spec = converted[name]
            todo |= {n.value for n in walk(function.node.body) if isinstance(n, cst.Name)}
            at = next((i for i, s in enumerate(out) if s is spec.definition), None)
            if at is not None:
                kept = plain.left(self.em, function.node)
                out.insert(at + 1, kept.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2))
        return out

    def module_graph(self, body: list[Any], graph: Any, defined: set[str]) -> list[Any]:
        em = self.em
        section = body[graph.start:graph.end + 1]
        last = section[-1]
        graph.name = functional.free_name(em, graph.name)
        try:
            definition, params, outside, = graph_class(em, None, body, graph, graph.name, set(), [])
        except Refused as refusal:
            em.report(refusal.code, refusal.message, refusal.node or graph.model)
            for s in section:
                em.top_level |= plain.framework_names(em, s)
            note = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {refusal.message}"))
            section[0] = section[0].with_changes(leading_lines=[*section[0].leading_lines, note])
            return section
        two = [cst.EmptyLine(indent=False)] * 2
        made = []
        for s in outside:
            made += self.statement(s)
        call = cst.parse_expression(f"{graph.name}({', '.join(params)})")
        new_last = last.deep_replace(graph.model, call) if hasattr(last, "deep_replace") else last
        new_last = new_last.with_changes(leading_lines=two)
        return [*made, definition.with_changes(leading_lines=two), new_last]

    def statement(self, node: Any) -> list[Any]:
        em = self.em
        em.scope = Scope()
        try:
            if isinstance(node, cst.FunctionDef):
                return self.function(node)
            if isinstance(node, cst.ClassDef):
                try:
                    return classes.convert(em, node)
                except Refused as refusal:
                    em.refused.add(em.it.classes.get(node))
                    return plain.refused_definition(em, node, refusal)
            if isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom):
                return [node]
            if isinstance(node, cst.Try) and all(imports.is_framework(s.body[0], names.FRAMEWORKS["tf2torch"])
                                                 for s in node.body.body if isinstance(s, cst.SimpleStatementLine)):
                return [s for s in node.body.body if isinstance(s, cst.SimpleStatementLine)]
            kept: set[str] = set()
            made = plain.one(em, node, kept)
            em.top_level |= kept
            return made
        except Refused as refusal:
            return plain.refused_definition(em, node, refusal)

    def function(self, node: cst.FunctionDef) -> list[Any]:
        em = self.em
        function = em.it.functions.get(node)
        if function is None:
            return plain.function(em, node)
        if function in em.classes:
            try:
                spec = self.spec(function)
            except Refused as refusal:
                return plain.refused_definition(em, node, refusal)
            return [spec.definition]
        if function.graph:
            return self.graph_function(node, function)
        return plain.function(em, node)

    def graph_function(self, node: cst.FunctionDef, function: Function) -> list[Any]:
        """The body between Input and Model becomes a class; the function stays and returns it."""
        em = self.em
        try:
            return self._graph_function(node, function)
        except Refused as refusal:
            em.scope = Scope()
            return plain.refused_definition(em, node, refusal)

    def _graph_function(self, node: cst.FunctionDef, function: Function) -> list[Any]:
        em = self.em
        body = list(node.body.body)
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
            before = self.local_names(body[:graph.start])
            graph.name = functional.free_name(em, graph.name)
            definition, params, outside = graph_class(em, function, body, graph, graph.name, before, leading)
            leading = [cst.EmptyLine(indent=False)] * 2
            made.append(definition)
            em.scope = scope
            new_body += plain.suite(em, [*body[at:graph.start], *outside], kept) if graph.start > at or outside else []
            call = call_text(graph.name, params)
            last = body[graph.end].deep_replace(graph.model, call)
            gap = [cst.EmptyLine(indent=False)] if len(new_body) > 1 else []
            new_body.append(last.with_changes(leading_lines=gap))
            at = graph.end + 1
        em.scope = scope
        if body[at:]:
            new_body += plain.suite(em, body[at:], kept)
        new_body = self.pruned(new_body, node)
        guards = self.guards(function, new_body)
        docstring, rest = functional.split_docstring(new_body)
        new_body = [*docstring, *guards, *rest]
        if kept:
            new_body = plain._with_imports(em, new_body, kept)
        two = [cst.EmptyLine(indent=False)] * 2
        em.scope = scope
        params_ = node.params
        em.scope = Scope()
        new = node.with_changes(body=node.body.with_changes(body=new_body), leading_lines=two, params=params_,
                                decorators=plain.decorators(em, node))
        return [*made, new]

    @staticmethod
    def local_names(body: list[Any]) -> set[str]:
        return {n for s in body for n in _assigns(s)}

    @staticmethod
    def pruned(body: list[Any], node: cst.FunctionDef) -> list[Any]:
        """Settings that only the graph needed are gone from the function."""
        docstring, rest = functional.split_docstring(body)
        return [*docstring, *prune(rest, set())]

    @staticmethod
    def guards(function: Function, body: list[Any]) -> list[Any]:
        """Keras tensors cannot be passed in: say so, loudly."""
        made = []
        for name in sorted(function.absent):
            text = (f"if {name} is not None:\n    raise NotImplementedError('{name}: a Keras tensor cannot be the "
                    f"input of a PyTorch model')")
            made.append(cst.parse_statement(text))
        return made

