"""`model.compile(...)` in a function that gives the model: the line becomes a comment, so that the model can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Kind
from port.tf2torch.emit import Emitter
from port.tree import code, find, named


def lines(em: Emitter, node: Any) -> list[cst.EmptyLine] | None:
    """The comment; None for any other statement."""
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None
    call = small.value if isinstance(small, cst.Expr) else None
    function = em.scope.function
    owner = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and (
        call.func.attr.value == "compile") else None
    if function is None or not isinstance(owner, cst.Name) or em.fact(owner).kind is not Kind.MODEL or not any(
            r.value is not None and owner.value in named(r.value) for r in find(function.node, cst.Return)):
        return None
    em.report("P205", "`compile` of a Keras model: the line is a comment now", node)
    told = ["port: P205 `compile` of a Keras model: write the optimizer and the loss into your training loop",
            *code(node.body[0]).splitlines()]
    return [*node.leading_lines, *(cst.EmptyLine(comment=cst.Comment(f"# {line}".rstrip())) for line in told)]


def suite(em: Emitter, body: Iterable[Any], write: Callable[[Any], list[Any]]) -> list[Any]:
    """The statements, as `write` has each; such comments stand above what follows."""
    out: list[Any] = []
    above: list[cst.EmptyLine] = []
    for node in body:
        if (comment := lines(em, node)) is not None:
            above += comment
            continue
        made = write(node)
        if above and made:
            made = [made[0].with_changes(leading_lines=[*above, *made[0].leading_lines]), *made[1:]]
            above = []
        out += made
    return [*out, statement("pass").with_changes(leading_lines=above)] if above else out
