"""What stands before the user's text: helpers, `init_weights`, activation names (golden 10, 11, 18)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import imports
from port.tf2torch.emit import Emitter
from port.tf2torch.initial.apply import Changes, is_apply
from port.tf2torch.initial.layout import Layout
from port.tf2torch.initial.reader import is_object
from port.tf2torch.initial.scopes import loads
from port.tf2torch.initial.weights import Plan
from port.tree import find, rebuild


def blocks(em: Emitter, module: cst.Module, body: list[Any], keep: bool = True) -> tuple[list[Any], set[str]]:
    """Definitions that go before the user's text, and import lines that they need; `body` changes.

    `keep`: start from the source's initial values, not from PyTorch's.
    """
    body[:] = without_objects(em, body)
    again = not em.plans and any(isinstance(s, cst.FunctionDef) and s.name.value == "init_weights" for s in module.body)
    init = initial_values(em, body) if keep and not again else None  # `again`: a port, run once more
    if not keep:
        _leave_out(body)
    extra: set[str] = set()
    made: list[Any] = []
    order = imports.helper_order([h for h in em.helpers if imports.has_helper(h)])
    for name in order:
        lines = imports.helper_source(name)[1]
        short, other = imports.import_needs(lines)
        em.need(*short)
        extra |= other
        made += imports.helper_body(name)
    if init is not None:
        made.append(init)
    if em.activations:
        made.append(_table(em))
    return made, extra


def initial_values(em: Emitter, body: list[Any]) -> Any:
    """`init_weights`, put to use in `body`; None if the file needs none."""
    layout = Layout(em, body)
    plan = Plan(em, list(layout.owners.values()))
    name = "init_weights" if "init_weights" not in layout.defs else "init_weights_"
    changes = Changes(layout, plan, name)
    text = plan.text(name)
    body[:] = changes.module(body)
    if not text:
        return None
    em.need("nn")
    return cst.parse_statement(text)


def _leave_out(body: list[Any]) -> None:
    """--init framework: PyTorch's own initial values."""
    def change(node: Any) -> Any:
        if isinstance(node, cst.IndentedBlock):
            kept = [s for s in node.body if not is_apply(s)]
            node = node if len(kept) == len(node.body) else node.with_changes(body=kept)
        return rebuild(node, change)

    body[:] = [change(s) if isinstance(s, cst.ClassDef | cst.FunctionDef) else s for s in body]


def without_objects(em: Emitter, body: list[Any]) -> list[Any]:
    """Variables that only held an initialiser object are gone: `init_weights` says it now."""
    names = {t.target.value for n in find(em.it.module, cst.Assign)
             if is_object(em, n.value) for t in n.targets if isinstance(t.target, cst.Name)}
    if not names:
        return body
    used = {n.value for s in body if s is not None for n in loads(s)}
    gone = names - used

    def change(node: Any) -> Any:
        if isinstance(node, cst.IndentedBlock):
            kept = [change(s) for s in node.body if not _assigns_only(s, gone)]
            return node.with_changes(body=kept or [cst.parse_statement("pass")])
        return rebuild(node, change) if isinstance(
            node, cst.FunctionDef | cst.ClassDef | cst.If | cst.Else | cst.For | cst.With | cst.Try) else node

    return [change(s) if s is not None else s for s in body if not _assigns_only(s, gone)]


def _assigns_only(s: Any, names: set[str]) -> bool:
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    return isinstance(small, cst.Assign) and all(
        isinstance(t.target, cst.Name) and t.target.value in names for t in small.targets)


def _table(em: Emitter) -> Any:
    entries = sorted(em.activations.items(), key=lambda kv: (kv[0] != "None", kv[0]))
    for text in em.activations.values():
        for name in ("F", "torch"):
            if f"{name}." in text:
                em.need(name)
    text = f"ACTIVATIONS = {{{', '.join(f'{k}: {v}' for k, v in entries)}}}"
    comment = cst.EmptyLine(comment=cst.Comment("# Keras names of the activations that reach this file"))
    return cst.parse_statement(text).with_changes(leading_lines=[comment])
