"""The statements of one file, each by its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import libcst as cst

from port import cells, imports, names
from port.build import expression
from port.names import import_bindings, is_import
from port.result import Options
from port.scopes import File
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer import links
from port.tf2torch.infer.values import Function, has_tensor
from port.tf2torch.initial import afterwards
from port.tf2torch.initial.blocks import blocks as initial_blocks
from port.tf2torch.rules import builders, classes, hints, plain, shadowed, traced, traced_class
from port.tf2torch.rules.graph_functions import graph_function
from port.tf2torch.rules.graphs import graph_class, graphs
from port.tf2torch.rules.kept import framework_names, left, refused_definition
from port.tf2torch.rules.naming import free_name
from port.tree import loads, named, replaced, walk


class Pass:
    """One walk over the module's statements."""

    def __init__(self, em: Emitter, module: cst.Module, options: Options, passes: dict[File, Pass]):
        self.em, self.module, self.options, self.passes = em, module, options, passes
        self.specs: dict[Function, Any] = {}
        self.out: list[Any] = []
        self.gone: set[str] = set()  # names that chose between imports of the source's framework
        for function in em.it.functions.values():
            if (self.is_builder(function) or function.inner is not None) and function not in em.traced:
                em.classes[function] = self.spec if function.file is em.it.file else self.foreign

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
                make = builders.curried if function.inner is not None else builders.builder
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

    def foreign(self, function: Function) -> Any:
        """The same of a function of another file, under the name that it has here."""
        other = self.passes[function.file]
        try:
            spec = other.spec(function)
        except Refused as refusal:
            raise Refused(refusal.code, refusal.message) from None  # the place is in the other file
        other.em.exported.add(spec.name)
        name = links.local_name(self.em.it, function, spec.name)
        self.em.elsewhere.add(name.split(".")[0])
        return replace(spec, name=name)

    # ------------------------------------------------------------ the module
    def statements(self) -> None:
        """The first half: every statement of the file, translated."""
        body = list(self.module.body)
        sections = graphs(self.em, body, "")
        out = self.out
        starts = {g.start: g for g in sections}
        at = 0
        while at < len(body):
            graph = starts.get(at)
            if graph is not None:
                out += self.module_graph(body, graph)
                at = graph.end + 1
                continue
            out += self.statement(body[at])
            at += 1

    def finished(self) -> list[Any]:
        """The second half, once the statements of all files are there: helpers, initial values and imports."""
        em = self.em
        em.exported |= {c.name for c in em.it.classes.values() if c.file is em.it.file and any(
            i.file is not em.it.file for i in c.instances)}
        em.elsewhere |= links.elsewhere(em.it)
        em.top_level |= (lent := self.lent())
        out = hints.rewrite(em, self.without_gone(self.out) if self.gone else list(self.out))
        out = self.with_originals(out)
        blocks, extra = initial_blocks(em, self.module, out, self.options.init == "keep")
        extra |= {em.original_imports[name] for name in lent - imports.imported(self.module.body)}
        out, blocks = shadowed.written_out(em, self.module, [s for s in out if s is not None], blocks)
        return imports.rewrite(out, list(self.module.body), em, blocks, extra, names.FRAMEWORKS["tf2torch"])

    def without_gone(self, body: list[Any]) -> list[Any]:
        self.gone -= {n for s in body if not is_import(s) for n in named(s)}
        return [s for s in body if not (is_import(s) and import_bindings(s.body[0]) and (
            import_bindings(s.body[0]).keys() <= self.gone))]

    def lent(self) -> set[str]:
        """Names of the source's framework that this file binds, and that what stays in other files takes from it."""
        taken = {n for p in self.passes.values() if p is not self
                 for n in links.taken(p.em.it, p.em.kept, self.em.it.file)}
        return taken & self.em.original_imports.keys()

    def converted(self) -> dict[str, str]:
        """Functions of this file that are classes now, with the names of these."""
        return {f.name: spec.name for f, spec in self.specs.items() if not isinstance(spec, Refused)}

    def with_originals(self, out: list[Any]) -> list[Any]:
        """What stays in the source's framework still needs the builders that became classes: both are kept."""
        converted = {f.name: (f, spec) for f, spec in self.specs.items() if not isinstance(spec, Refused)}
        todo = {n for p in self.passes.values() for node in p.em.kept for n in named(node)}
        done: set[str] = set()
        while todo & converted.keys() - done:
            name = sorted(todo & converted.keys() - done)[0]
            done.add(name)
            function, spec = converted[name]
            todo |= named(function.node.body)
            at = next((i for i, s in enumerate(out) if s is spec.definition), None)
            if at is not None:
                kept = left(self.em, function.node)
                out.insert(at + 1, kept.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2))
        return out

    def module_graph(self, body: list[Any], graph: Any) -> list[Any]:
        em = self.em
        section = body[graph.start:graph.end + 1]
        graph.name = free_name(em, graph.name)
        try:
            if any(s.targets[0].target.value == cells.MARK
                   for n in section[:-1] if isinstance(n, cst.SimpleStatementLine) for s in n.body
                   if isinstance(s, cst.Assign) and isinstance(s.targets[0].target, cst.Name)):
                raise Refused("P206", "this model is built in several cells of the notebook: put them into one",
                              graph.model)
            definition, params, outside = graph_class(em, None, body, graph, graph.name, set(), [])
        except Refused as refusal:
            em.report(refusal.code, refusal.message, refusal.node or graph.model)
            for s in section:
                em.top_level |= framework_names(em, s)
            note = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {refusal.message}"))
            section[0] = section[0].with_changes(leading_lines=[*section[0].leading_lines, note])
            return section
        for s in section:
            em.by(s, "rule graphs")
        two = [cst.EmptyLine(indent=False)] * 2
        made = []
        for s in outside:
            made += self.statement(s)
        call = expression(f"{graph.name}({', '.join(params)})")
        new_last = replaced(graph.line, graph.model, call).with_changes(leading_lines=two)
        return [*made, definition.with_changes(leading_lines=two), new_last]

    def statement(self, node: Any) -> list[Any]:
        em = self.em
        em.scope = Scope()
        try:
            if isinstance(node, cst.FunctionDef):
                return self.function(node)
            if isinstance(node, cst.ClassDef):
                try:
                    cls = em.it.classes.get(node)
                    if cls is not None and cls.methods.get("__init__") in em.traced:
                        return traced_class.definition(em, cls, node)
                    made = classes.convert(em, node)
                    em.by(node, "rule classes")
                    return made
                except Refused as refusal:
                    em.refused.add(em.it.classes.get(node))
                    return refused_definition(em, node, refusal)
            if is_import(node):
                return [node]
            if imports.is_fallback(node, names.FRAMEWORKS["tf2torch"]):
                return [node]
            if isinstance(node, cst.If) and (lines := _imports_only(node)):
                self.gone |= loads(node.test)
                return lines
            kept: set[str] = set()
            made = plain.one(em, node, kept)
            em.top_level |= kept
            return made
        except Refused as refusal:
            return refused_definition(em, node, refusal)

    def function(self, node: cst.FunctionDef) -> list[Any]:
        em = self.em
        function = em.it.functions.get(node)
        if function is None:
            return plain.function(em, node)
        if afterwards.only_sets(em, function):
            return []
        if function in em.traced:
            return [plain.plain_function(em, node, function, traced.scope(em, function))]
        if function in em.classes:
            try:
                spec = self.spec(function)
            except Refused as refusal:
                return refused_definition(em, node, refusal)
            em.by(node, "rule builders")
            return [spec.definition]
        if function.graph:
            return graph_function(self.em, node, function)
        return plain.function(em, node)


def _imports_only(node: Any) -> list[Any]:
    """The lines of `if TF: from tensorflow.keras import ... else: from keras import ...`, of its first branch."""
    branches: list[Any] = [node]
    while isinstance(branches[-1], cst.If) and branches[-1].orelse is not None:
        branches.append(branches[-1].orelse)
    lines: list[Any] = [s for b in branches for s in b.body.body]
    fits = len(branches) > 1 and all(is_import(s) and imports.is_framework(
        s.body[0], names.FRAMEWORKS["tf2torch"]) for s in lines)
    body: list[Any] = list(node.body.body)
    return body if fits and not any(isinstance(n, cst.Call) for n in walk(node.test)) else []
