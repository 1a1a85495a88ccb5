"""What stays in the source's framework: marked with its reason, its imports beside it."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.imports import local_imports
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.rules.bodies import split_docstring
from port.tree import find


def marked(node: Any, refusal: Refused) -> Any:
    """The statement with its reason above it; once, also if the file has been through here before."""
    text = f"# port: {refusal.code} {' '.join(refusal.message.split())}"
    if any(ln.comment is not None and ln.comment.value.startswith("# port: P") for ln in node.leading_lines):
        return node
    return node.with_changes(leading_lines=[*node.leading_lines, cst.EmptyLine(comment=cst.Comment(text))])


def keep(em: Emitter, node: Any, refusal: Refused, kept_names: set[str]) -> list[Any]:
    """The original statement, marked; its framework is imported inside the function."""
    em.report(refusal.code, refusal.message, refusal.node or node)
    kept_names |= framework_names(em, node)
    em.kept.append(marked(node, refusal))
    return em.kept[-1:]


def framework_names(em: Emitter, node: cst.CSTNode) -> set[str]:
    """Names in a kept statement that imports of the source's framework bind."""
    members = {id(a.attr) for a in find(node, cst.Attribute)}
    return {n.value for n in find(node, cst.Name)
            if id(n) not in members and n.value not in em.it.file.links
            and em.it.names.bound.get(n.value, "").split(".")[0] in ("tf", "keras")}


def with_imports(em: Emitter, body: list[Any], names: set[str]) -> list[Any]:
    docstring, rest = split_docstring(body)
    return [*docstring, *local_imports(em, names, rest), *rest]


def refused_definition(em: Emitter, node: Any, refusal: Refused) -> list[Any]:
    """A whole function or class that stays in the source's framework."""
    em.report(refusal.code, refusal.message, refusal.node or node)
    em.kept.append(marked(left(em, node), refusal))
    return em.kept[-1:]


def left(em: Emitter, node: Any) -> Any:
    """A definition as the source has it, with its framework imported inside where that is possible."""
    names = framework_names(em, node)
    if not isinstance(node, cst.FunctionDef) or not isinstance(node.body, cst.IndentedBlock):
        em.top_level |= names
        return node
    heads = [node.params, *node.decorators, *([node.returns] if node.returns is not None else [])]
    signature = {n for part in heads for n in framework_names(em, part)}
    em.top_level |= signature
    body = with_imports(em, list(node.body.body), names - signature)
    return node.with_changes(body=node.body.with_changes(body=body))
