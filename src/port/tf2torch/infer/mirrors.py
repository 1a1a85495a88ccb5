"""Names of the sizes that `__init__` carries along as variables."""

from __future__ import annotations

import libcst as cst

from port.facts import Kind, Sym
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.scopes import Env

_SPATIAL = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


# ---------------------------------------------------------------- mirrors
def mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    """Name of the variable that carries a size of tensor `var` in `__init__`; never one of the user's."""
    name = _mirror_name(it, var, axis, rank)
    function = it.current[-1] if it.current else None
    taken = (function.assigned | set(function.params)) if function is not None else set(it.globals.names)
    if name in taken and name.startswith("in_"):
        name = f"{var}_{name.removeprefix('in_')}"
    while name in taken:
        name += "_"
    return name


def _mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    if axis == rank - 1:
        function = it.current[-1] if it.current else None
        main = function is None or var == "x" or var in function.params[:1]
        kind = "channels" if rank != 2 else "features"
        return f"in_{kind}" if main else f"{var}_{kind}"
    names = _SPATIAL.get(rank - 2, [])
    return f"{var}_{names[axis - 1]}" if 1 <= axis <= len(names) else f"{var}_size{axis}"


def carries(it: Interp) -> bool:
    """Can sizes be carried along in `__init__`? Not from a method of a class: its layers are made elsewhere."""
    return not it.current or it.current[-1].owner is None


def note_mirror(it: Interp, name: str) -> None:
    """The variable of a size gets a new value: what was written with it means something else from here on."""
    if it.current:
        it.current[-1].reassigned.add(name)


def rename_stale(it: Interp, name: str, env: Env, line: cst.CSTNode | None) -> None:
    """`name` is about to change: sizes written with it are saved under names of their own."""
    for var, fact in list(env.names.items()):
        if fact.kind is not Kind.TENSOR or fact.shape is None or var == name:
            continue
        shape = list(fact.shape)
        for axis, dim in enumerate(shape):
            if isinstance(dim, Sym) and name in dim.text and name in dim.names:
                mirror = mirror_name(it, var, axis, len(shape))
                if line is not None and mirror != name and carries(it):
                    it.before.setdefault(line, {})[mirror] = dim
                    note_mirror(it, mirror)
                    shape[axis] = Sym(mirror, dim.known)
                else:
                    shape[axis] = None
        if tuple(shape) != fact.shape:
            env.names[var] = fact.but(shape=tuple(shape))


def singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 2 else name
