"""Names of the sizes that `__init__` carries along as variables."""

from __future__ import annotations

import libcst as cst

from port.facts import Dim, Fact, Kind, Sym
from port.scopes import Env
from port.tf2torch.infer.interp import Interp

_SPATIAL = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


ABSENT = Sym("None")  # a size of what is None


# ---------------------------------------------------------------- mirrors
def mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    """Name of the variable that carries a size of tensor `var` in `__init__`; never one of the user's."""
    name = _mirror_name(it, var, axis, rank)
    function = it.current[-1] if it.current else None
    taken = function.taken if function is not None else set(it.globals.names)
    if name in taken and name.startswith("in_"):
        name = f"{var}_{name.removeprefix('in_')}"
    while name in taken:
        name += "_"
    return name


def _mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    if axis == rank - 1:
        function = it.current[-1] if it.current else None
        main = var == "x" or (function is not None and var in function.params[:1])
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
        if fact.shape is None or fact.kind is not Kind.TENSOR or var == name:
            continue
        shape = fact.shape
        for axis, dim in enumerate(fact.shape):
            if type(dim) is Sym and name in dim.text and name in dim.names:
                saved = _saved(it, name, mirror_name(it, var, axis, len(shape)), dim, line)
                shape = (*shape[:axis], saved, *shape[axis + 1:])
        if shape is not fact.shape:
            env.names[var] = fact.but(shape=shape)


def _saved(it: Interp, name: str, mirror: str, dim: Sym, line: cst.CSTNode | None) -> Dim:
    if line is None or mirror == name or not carries(it):
        return None
    it.before.setdefault(line, {})[mirror] = dim
    note_mirror(it, mirror)
    return Sym(mirror, dim.known)


LONG = 24  # a size with a longer text gets a variable of its own


def settle(it: Interp, name: str, fact: Fact, env: Env, line: cst.CSTNode | None) -> Fact:
    """`name` is bound to a tensor of a model: heights and widths with a long text become variables behind this line."""
    graph = it.depth == 0 and (not it.current or it.current[-1].graph)
    if not graph or not carries(it) or type(line) is not cst.SimpleStatementLine or fact.shape is None:
        return fact
    shape = list(fact.shape)
    for axis, dim in enumerate(shape):
        if isinstance(dim, Sym) and axis and _unsettled(it, name, axis, len(shape), dim, line):
            shape[axis] = _variable(it, name, axis, fact.shape, line)
            _save_stale(it, name, env, line)
    return fact.but(shape=tuple(shape))


def _unsettled(it: Interp, name: str, axis: int, rank: int, dim: Sym, line: cst.CSTNode) -> bool:
    own = mirror_name(it, name, axis, rank)
    if dim.text == own or dim.names & it.after.get(line, {}).keys():
        return dim.text != own
    return axis < rank - 1 and (len(dim.text) > LONG or own in dim.names)


def _variable(it: Interp, name: str, axis: int, shape: tuple[Dim, ...], line: cst.CSTNode) -> Dim:
    dim, mirror = shape[axis], mirror_name(it, name, axis, len(shape))
    it.after.setdefault(line, {})[mirror] = dim
    note_mirror(it, mirror)
    return Sym(mirror, dim.known if isinstance(dim, Sym) else dim)


def _save_stale(it: Interp, name: str, env: Env, line: cst.CSTNode) -> None:
    """Other tensors whose sizes are written with variables that change behind this line get their own."""
    waiting = [v for v in env.names if v != name]
    while waiting:
        again = False
        for var in waiting:
            fact = env.names[var]
            shape = fact.shape if fact.kind is Kind.TENSOR else None
            stale = [axis for axis, d in enumerate(shape or ()) if isinstance(d, Sym) and d.names & it.after[
                line].keys() and d.text != mirror_name(it, var, axis, len(shape or ()))]
            if shape is not None and stale:
                env.names[var] = fact.but(shape=tuple(_variable(it, var, axis, shape, line) if axis in stale else d
                                                      for axis, d in enumerate(shape)))
                again = True
        waiting = [v for v in waiting if again]


def singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 2 else name
