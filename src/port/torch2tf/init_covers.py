"""Layers whose initial values a loop over all modules sets anyway: torch's defaults need not be written for them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.torch2tf.init_values import SIGNATURES
from port.torch2tf.values import Class, Function, Layer, options
from port.tree import asked_classes, code, find, named, walk


def covered(w: Any, layer: Layer) -> bool:
    """Does each root of the file set the weight, and the bias if there is one, of all modules of this class?"""
    short = layer.symbol.rpartition(".")[2].removeprefix("Lazy").replace("Same", "")
    bias = layer.bound.get("bias")
    without = short == "Embedding" or (bias is not None and w.fact(bias).literal() is False)
    wanted = {(short, "weight")} if without else {(short, "weight"), (short, "bias")}
    if layer.normed:  # torch computes its weight: what is set is not the weight that there is
        return False
    return wanted <= _sets(w) or _around(w, layer.node, wanted)


# ---------------------------------------------------------------- by functions that build models
def _around(w: Any, node: cst.Call, wanted: set[tuple[str, str]]) -> bool:
    """Do the functions around it, or all that use the definition around it, say `model.apply(f)`?"""
    known = w.it.objects.get("applied")
    if known is None:
        known = w.it.objects["applied"] = _applied(w)
    tops, applied, users = known
    return node in tops and _held(tops[node], wanted, applied, users)


def _held(top: Any, wanted: set[tuple[str, str]], applied: dict[Any, set[tuple[str, str]]], users: dict[Any, set[Any]],
          seen: frozenset[Any] = frozenset()) -> bool:
    if wanted <= applied.get(top, frozenset()):
        return True
    around = users.get(top, set()) - seen
    return bool(around) and all(_held(u, wanted, applied, users, seen | {top}) for u in around)


def _applied(w: Any) -> tuple[dict[Any, Any], dict[Any, set[tuple[str, str]]], dict[Any, set[Any]]]:
    """(call -> statement of the module, statement -> what its `.apply(f)` sets, definition -> who names it)"""
    tops: dict[Any, Any] = {}
    applied: dict[Any, set[tuple[str, str]]] = {}
    names: dict[str, set[Any]] = {}
    for top in (s for file in w.it.files for s in file.module.body):
        for name in named(top):
            names.setdefault(name, set()).add(top)
        for n in find(top, cst.Call):
            tops[n] = top
            if isinstance(n.func, cst.Attribute) and n.func.attr.value == "apply" and len(n.args) == 1:
                f = w.fact(n.args[0].value).payload
                if isinstance(f, Function) and isinstance(f.node, cst.FunctionDef) and f.arguments:
                    applied[top] = _of_body(w, f.node.body, f.arguments[0])
    users = {top: names.get(top.name.value, set()) - {top} for file in w.it.files for top in file.module.body
             if isinstance(top, cst.FunctionDef | cst.ClassDef)}
    return tops, applied, users


# ---------------------------------------------------------------- by the constructors of all roots
def _sets(w: Any) -> frozenset[tuple[str, str]]:
    """(class, 'weight' or 'bias') that every root sets in its constructor, whatever its settings."""
    known = w.it.objects.get("covered")
    if known is None:
        roots = [c for c in w.it.classes.values() if c.is_module and not c.held and not c.subclasses]
        found = [_of_root(w, c) for c in roots]
        known = w.it.objects["covered"] = frozenset.intersection(*found) if found else frozenset()
    return known  # type: ignore[no-any-return]


def _of_root(w: Any, cls: Class) -> frozenset[tuple[str, str]]:
    init = cls.methods.get("__init__")
    if init is None or not isinstance(init.node, cst.FunctionDef) or w.options.init == "framework":
        return frozenset()
    found: set[tuple[str, str]] = set()
    for statement in init.node.body.body:
        found |= _of_statement(w, cls, statement)
    return frozenset(found)


def _of_statement(w: Any, cls: Class, node: cst.CSTNode) -> set[tuple[str, str]]:
    if isinstance(node, cst.For) and code(node.iter) == "self.modules()":
        return _of_body(w, node.body, code(node.target))
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 and isinstance(node.body[0], cst.Expr):
        call = node.body[0].value
        if isinstance(call, cst.Call) and code(call.func) == "self.apply" and len(call.args) == 1:
            payload = w.fact(call.args[0].value).payload
            function = payload if isinstance(payload, Function) else cls.methods.get(
                code(call.args[0].value).removeprefix("self."))
            if function is not None and isinstance(function.node, cst.FunctionDef) and function.arguments:
                return _of_body(w, function.node.body, function.arguments[0])
    return set()


def _of_body(w: Any, body: Any, name: str) -> set[tuple[str, str]]:
    """What the branches of `if isinstance(m, ...)` set without another condition."""
    found: set[tuple[str, str]] = set()
    for statement in body.body:
        branch = statement if isinstance(statement, cst.If) else None
        while branch is not None:
            found |= _of_branch(w, branch, name)
            branch = branch.orelse if isinstance(branch.orelse, cst.If) else None
    return found


def _of_branch(w: Any, node: cst.If, name: str) -> set[tuple[str, str]]:
    classes = {o.symbol.rpartition(".")[2] for n in asked_classes(node.test, name) for o in options(w.fact(n))
               if o.symbol}
    names: set[str] = set()
    for statement in node.body.body:
        bare = isinstance(statement, cst.SimpleStatementLine)
        guarded = isinstance(statement, cst.If) and "bias is not None" in code(statement.test)
        if bare or guarded:
            names |= {n for n in ("weight", "bias") if _speaks(statement, f"{name}.{n}") and (bare or n == "bias")}
    return {(c, n) for c in classes for n in names}


def _speaks(node: cst.CSTNode, target: str) -> bool:
    return any(isinstance(n, cst.Call) and any(code(a.value).removesuffix(".data") == target for a in n.args)
               and ("init" in code(n.func) or code(n.func) in SIGNATURES) for n in walk(node)) or any(
        isinstance(n, cst.Call) and isinstance(n.func, cst.Attribute) and n.func.attr.value in (
            "normal_", "uniform_", "zero_", "fill_") and code(n.func.value).removesuffix(".data") == target
        for n in walk(node))
