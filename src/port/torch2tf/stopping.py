"""Settings that cannot be ported: where one is chosen, the code raises, and the rest of its function is ported.

Only where modules are made: a branch of a module's constructor, or of a function that gives one. One must be left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, options
from port.tree import code, find, walk

NOTE = "stopped"  # blocks that raise -> why


def chooses(it: Any, function: Function | None) -> bool:
    """Is this code that makes modules by settings?"""
    if function is None or not isinstance(function.node, cst.FunctionDef) or function.evidence:
        return False
    held = [function.held[name] for name in function.arguments if name in function.held]
    if any(fact.kind is Kind.TENSOR for fact in held):
        return False
    if function.name == "__init__":
        return function.owner is not None and function.owner.is_module
    results = [*([function.result] if function.result is not None else []), *_set(it, function)]
    return any(o.kind is Kind.LAYER or _is_module_class(o) for fact in results for o in options(fact))


def _set(it: Any, function: Function) -> list[Fact]:
    """What variables are set to that the function returns: others may hold what is not known."""
    given = {code(n.value) for n in find(function.node.body, cst.Return) if isinstance(n.value, cst.Name)}
    return [it.fact(n.value) for n in find(function.node.body, cst.Assign)
            if isinstance(n.targets[0].target, cst.Name) and n.targets[0].target.value in given]


def _is_module_class(fact: Fact) -> bool:
    """A class of modules, which somebody will make one of."""
    if isinstance(fact.payload, Class):
        return fact.payload.is_module
    return fact.kind is Kind.FUNCTION and fact.payload is None and fact.symbol.startswith("torch.nn.") and (
        fact.symbol.rpartition(".")[2][0].isupper())


def raised(w: Any, refusal: Refused, node: cst.CSTNode) -> cst.IndentedBlock:
    """What stands for a branch."""
    w.report(refusal.code, refusal.args[0], refusal.node or node, refusal.symbol)
    note = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {' '.join(refusal.args[0].split())}"))
    line = cst.parse_statement('raise NotImplementedError("this setting is not ported from PyTorch")')
    return cst.IndentedBlock([line.with_changes(leading_lines=[note])])


def told(w: Any, block: cst.CSTNode) -> Refused | None:
    """Why this branch raises, if that is known before it is written."""
    return w.it.notes.get(NOTE, {}).get(block)  # type: ignore[no-any-return]


def written(w: Any, block: Any, write: Any) -> tuple[Any, Refused | None]:
    """A branch in Keras, or why it cannot be; what it needs is noted only if it is written."""
    if (known := told(w, block)) is not None:
        return raised(w, known, block), None
    try:
        with w.tentative():
            return write(w, block), None
    except Refused as refusal:
        if not chooses(w.it, w.function):
            raise
        return None, refusal.kept()


# ---------------------------------------------------------------- what uses what is not ported
def sides(node: cst.If) -> Iterator[cst.BaseSuite | None]:
    """The blocks of a chain of conditions; None if it may fall through."""
    yield node.body
    if isinstance(node.orelse, cst.If):
        yield from sides(node.orelse)
    else:
        yield node.orelse.body if node.orelse is not None else None


def blocks(w: Any, root: cst.CSTNode, nodes: Sequence[cst.CSTNode]) -> dict[cst.CSTNode, cst.CSTNode] | None:
    """The branches that these nodes stand in, if each stands in one that may raise: branch -> node."""
    inner: dict[cst.CSTNode, cst.CSTNode] = {}
    chains: list[cst.If] = []
    for f in find(root, cst.FunctionDef):
        if not chooses(w.it, w.it.functions.get(f)):
            continue
        for node in find(f.body, cst.If):
            chains.append(node)
            for side in sides(node):
                inner |= dict.fromkeys(walk(side), side) if side is not None else {}
    if not all(n in inner for n in nodes):
        return None
    found = {inner[n]: n for n in reversed(nodes)}
    stopped: Mapping[cst.CSTNode, Any] = {**w.it.notes.get(NOTE, {}), **found}
    return None if any(all(s is not None and s in stopped for s in sides(c)) for c in chains) else found
