"""One file: facts, then statement by statement into Keras, then the imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port import imports, places, table
from port.facts import Fact
from port.findings import CATALOGUE, Finding, Outcome
from port.names import Names
from port.result import Options, Result
from port.torch2tf import classes, compound, importing, ownhelpers
from port.torch2tf.interp import infer
from port.torch2tf.refused import Refused
from port.torch2tf.write import Writer
from port.tree import module_code, walk


@dataclass(eq=False)
class Part:
    """One statement of the module, and what its translation needs."""

    node: Any
    made: list[Any] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    helpers: dict[str, None] = field(default_factory=dict)
    reports: list[Any] = field(default_factory=list)
    refusal: Refused | None = None

    @property
    def name(self) -> str:
        return self.node.name.value if isinstance(self.node, cst.FunctionDef | cst.ClassDef) else ""


def translate(text: str, module: cst.Module, bound: Names, options: Options,
              params: dict[str, Fact] | None = None) -> Result:
    """`module`, which was parsed from `text`, as Keras 3 code."""
    helpers: dict[cst.CSTNode, str] = {node: name for node in module.body if (name := ownhelpers.name_of(node))}
    it = infer(module, bound, table.by_torch_name(), params, helpers)
    w = Writer(it, options, bound=own_names(module), target=options.target)
    w.original_imports = imports.original_imports(module)
    w.trained = classes.trained(w)
    parts = [written(w, node) for node in module.body]
    spread_refusals(w, parts)
    for part in parts:
        w.needs |= part.needs
        w.helpers |= part.helpers
        w.reports += part.reports
    bring_back_helpers(w, parts)
    body: list[Any] = []
    for part in parts:
        body += kept(w, part, module) if part.refusal is not None else part.made
    body = importing.rewrite(w, body, list(module.body), importing.helper_blocks(w))
    new = module_code(module.with_changes(body=body))
    try:
        cst.parse_module(new)
    except cst.ParserSyntaxError as error:
        return Result(text, text, (Finding(1, 0, "P901", f"the output would not parse: {error.message}"),))
    if new == text and not w.reports:
        return Result(text, new)
    found, edits = places.placed(w.reports, w.applied, w.kept, module)
    return Result(text, new, found, edits=edits)


def own_names(module: cst.Module) -> frozenset[str]:
    """Names that the file's own code binds: parameters, variables, functions."""
    found: set[str] = set()
    for n in walk(module):
        if isinstance(n, cst.Param):
            found.add(n.name.value)
        elif isinstance(n, cst.AssignTarget | cst.For | cst.CompFor | cst.NamedExpr):
            found |= {t.value for t in walk(n.target) if isinstance(t, cst.Name)} if not isinstance(
                n.target, cst.Attribute) else set()
        elif isinstance(n, cst.FunctionDef | cst.ClassDef):
            found.add(n.name.value)
    return frozenset(found)


def written(w: Writer, node: Any) -> Part:
    """One statement of the module in Keras; what it needs is noted with it, in case it is refused later."""
    part = Part(node)
    saved = (w.needs, w.helpers, w.reports)
    w.needs, w.helpers, w.reports = part.needs, part.helpers, part.reports
    try:
        if isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom):
            part.made = [node]
        elif node in w.it.helpers:
            part.made = []
        else:
            part.made = compound.statement(w, node)
    except Refused as refusal:
        part.refusal = refusal
    finally:
        w.needs, w.helpers, w.reports = saved
        w.function, w.cls, w.attribute, w.targets, w.value = None, None, "", 0, None
    return part


def spread_refusals(w: Writer, parts: list[Part]) -> None:
    """What uses a class or function that stays in PyTorch stays there as well."""
    mentions = {id(p): {n.value for n in walk(p.node) if isinstance(n, cst.Name)} for p in parts}
    reasons = {p.name: p.refusal for p in parts if p.refusal is not None and p.name}
    grew = bool(reasons)
    while grew:
        grew = False
        for part in parts:
            used = sorted(mentions[id(part)] & reasons.keys() - {part.name})
            if part.refusal is None and used and not is_import(part.node):
                part.refusal = Refused("P206", f"it uses `{used[0]}`, which is not ported", part.node)
                grew = True
                if part.name:
                    reasons[part.name] = part.refusal
    for part in parts:
        if part.refusal is not None:
            part.needs, part.helpers = set(), {}
            r = part.refusal
            part.reports = [(r.node if r.node is not None else part.node, r.code, r.args[0], r.symbol)]


def bring_back_helpers(w: Writer, parts: list[Part]) -> None:
    """Helpers of tf2torch that are still called: by code that stays in PyTorch."""
    todo = [p.node for p in parts if p.refusal is not None]
    by_name = {name: node for node, name in w.it.helpers.items()}
    while todo:
        for name in sorted({n.value for n in walk(todo.pop()) if isinstance(n, cst.Name)} & by_name.keys()):
            node = by_name.pop(name)
            part = next(p for p in parts if p.node is node)
            part.made = [node]
            w.top_level |= w.framework_names(node)
            todo.append(node)


def is_import(node: Any) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom)


def kept(w: Writer, part: Part, module: cst.Module) -> list[Any]:
    """The statement as it was, with the reason above it."""
    assert part.refusal is not None
    w.kept.append(part.node)
    node, code, reason = part.node, part.refusal.code, " ".join(part.refusal.args[0].split())
    if isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock):
        node = with_imports(w, node)
    else:
        w.top_level |= w.framework_names(node)
    if any(e.comment is not None and e.comment.value.startswith("# port: P")
           for e in (*node.leading_lines, *(module.header if part.node is module.body[0] else ()))):
        return [node]  # the file has been through here before
    note = cst.EmptyLine(comment=cst.Comment(f"# port: {code} {reason}"))
    return [node.with_changes(leading_lines=[*node.leading_lines, note])]


def with_imports(w: Writer, node: cst.FunctionDef) -> cst.FunctionDef:
    """A function that stays in PyTorch imports it itself; what its head needs is imported at the top."""
    head = w.framework_names(node.params) | {n for d in node.decorators for n in w.framework_names(d)}
    head |= w.framework_names(node.returns) if node.returns is not None else set()
    w.top_level |= head
    docstring, rest = classes.split_docstring(list(node.body.body))
    lines = imports.local_imports(w, w.framework_names(node.body) - head, rest)
    return node.with_changes(body=node.body.with_changes(body=[*docstring, *lines, *rest]))


def left(reports: list[Any]) -> int:
    return sum(CATALOGUE[code].outcome is Outcome.REFUSED for _, code, _, _ in reports)
