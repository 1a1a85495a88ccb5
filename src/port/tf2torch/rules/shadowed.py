"""Files that call something of their own `F` or `nn`, as users of PyTorch call its modules: these are written out."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.tf2torch.emit import Emitter
from port.tree import find, rebuild, walk

WHOLE = {"F": ("nn.functional", "nn"), "nn": ("torch.nn", "torch")}  # what is written for a name, and what that needs


def written_out(em: Emitter, module: cst.Module, body: list[Any], blocks: list[Any]) -> tuple[list[Any], list[Any]]:
    """The statements and the helpers before them, with `nn.functional` where `F` is the file's own."""
    for name in WHOLE:  # in this order: `nn.functional` has an `nn`
        if not em.it.names.bound.get(name, "").startswith("torch."):
            body, blocks = _written(em, module, body, blocks, name)
    return body, blocks


def _written(em: Emitter, module: cst.Module, body: list[Any], blocks: list[Any], name: str
             ) -> tuple[list[Any], list[Any]]:
    own = {id(n) for n in find(module, cst.Name) if n.value == name}
    if not own:
        return body, blocks
    whole, needed = WHOLE[name]

    def everywhere(node: Any) -> Any:
        if type(node) is cst.Attribute and type(node.value) is cst.Name and node.value.value == name and (
                id(node.value) not in own):
            em.need(needed)
            return node.with_changes(value=expression(whole))
        return rebuild(node, everywhere)

    def inside(node: Any) -> Any:
        if type(node) is cst.FunctionDef and _binds(node, name, inside=True):
            return everywhere(node)
        return rebuild(node, inside) if type(node) in (cst.FunctionDef, cst.ClassDef, cst.IndentedBlock) else node

    if any(_binds(s, name, inside=False) for s in module.body):
        em.needs.discard(name)
        return [everywhere(s) for s in body], [everywhere(s) for s in blocks]
    return [inside(s) for s in body], blocks


def _binds(node: Any, name: str, inside: bool) -> bool:
    """Does a statement bind the name, or a function `inside`, for its own body?"""
    if type(node) in (cst.ClassDef, cst.FunctionDef) and not inside:
        return bool(node.name.value == name)
    return any(n.value == name for part in walk(node, enter_functions=inside) for bound in _bound(part, inside)
               for n in find(bound, cst.Name))


def _bound(node: Any, inside: bool) -> list[Any]:
    """What a node binds; parameters belong to the function that is looked into."""
    if type(node) is cst.Assign:
        return [t.target for t in node.targets]
    if type(node) in (cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr, cst.CompFor):
        return [node.target]
    if type(node) is cst.ImportAlias and node.asname is None:
        return [node.name] if type(node.name) is cst.Name else []
    return [node.name] if type(node) is cst.AsName or (inside and type(node) is cst.Param) else []
