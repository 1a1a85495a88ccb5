"""Sizes of its input that a class's constructor must know, and how it can write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Dim, Sym
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Class, Function, Instance, ShapeOf, find_method, is_helper, is_module, line_of
from port.tree import code, find, walk


# ---------------------------------------------------------------- sizes that the constructor must know
def mirrors(cls: Class) -> dict[str, tuple[str, int]]:
    call = find_method(cls, "call") or find_method(cls, "__call__")
    return dict(call.mirrors) if call is not None else {}


def channel_mirrors(em: Emitter, where: Iterable[cst.CSTNode | None]) -> set[str]:
    """Widths of inputs, which root classes can be told by a parameter: those that no code applies.

    `where`: the places at which a size is missed. Where all lie in functions, no class misses one.
    """
    functions = {n for s in em.it.module.body if isinstance(s, cst.FunctionDef) for n in walk(s)}
    if functions.issuperset(where):
        return set()
    roots = [cls for cls in em.it.classes.values() if is_module(cls) and not any(i.applied for i in cls.instances)]
    return {m for cls in roots for m in mirrors(cls) if m.endswith(("features", "channels"))}


def resolve_sizes(em: Emitter, cls: Class) -> None:
    """How each size of the input is written in `__init__`: a parameter that has it, a new one, or not at all."""
    if cls in em.class_sizes:
        return
    em.class_sizes[cls] = {}
    sizes: dict[str, Dim] = {}
    applied = [a for i in cls.instances for a in i.applied]
    for mirror in mirrors(cls):
        sizes[mirror] = _resolved(em, cls, mirror, applied)
    em.class_sizes[cls] = sizes


def of_base(em: Emitter, cls: Class, new_params: Callable[[Emitter, Class], list[str]]) -> list[str]:
    """The sizes that the constructor which `super().__init__` calls takes before its own parameters."""
    made = [c for c in line_of(cls)[1:] if {"__init__", "build"} & set(c.methods)]
    return new_params(em, made[0]) if made else []


def _resolved(em: Emitter, cls: Class, mirror: str, applied: list[Any]) -> Dim:
    if not applied and mirror in em.open_sizes:
        return Sym(mirror)  # a root class: whoever makes the model says how wide its input is
    if not applied or any(a.sizes.get(mirror) is None for a in applied):
        return None
    init = find_method(cls, "__init__")
    below = [c for c in em.it.classes.values() if cls in line_of(c)[1:] and any(
        i.applied for i in c.instances)]
    applied = applied + [a for c in below if find_method(c, "__init__") is init for i in c.instances for a in i.applied]
    alike = all(find_method(c, "__init__") is init for c in below)  # else what they give the parameters is not seen
    for parameter in init.params if init is not None and alike else []:
        if all(_passed(a.instance, parameter) in (str(a.sizes[mirror]), _as_made(em, a, mirror)) for a in applied):
            return Sym(parameter)
    if all(_writable(em, a) for a in applied) and all(isinstance(a.sizes[mirror], int) for a in applied) and len(
            {a.sizes[mirror] for a in applied}) == 1 and not find_method(cls, "build"):
        return Sym(mirror)
    return Sym(mirror) if all(_writable(em, a, mirror) for a in applied) else None


def _as_made(em: Emitter, applied: Any, mirror: str) -> str:
    """The size as the constructor writes it that makes the object; '?' if it cannot."""
    size, owner = applied.sizes[mirror], applied.instance.maker
    if not isinstance(size, Sym) or not isinstance(owner, Class) or not size.names & mirrors(owner).keys():
        return "?"
    resolve_sizes(em, owner)
    made = size.substitute(em.class_sizes[owner])
    return "?" if made is None else str(made)


def _passed(instance: Instance, parameter: str) -> str:
    for name, fact, text in instance.args:
        if name == parameter:
            value = fact.literal(...)
            return str(value) if isinstance(value, int) and not text.isidentifier() else text
    return ""


def _writable(em: Emitter, applied: Any, mirror: str = "") -> bool:
    """Can the place that makes the object write this size?"""
    size = applied.sizes.get(mirror) if mirror else None
    owner = applied.instance.maker
    if not isinstance(size, Sym) or not isinstance(owner, Class):
        return True
    resolve_sizes(em, owner)
    known = em.class_sizes[owner]
    return not size.names & _of_call(owner) and all(
        name not in mirrors(owner) or known.get(name) is not None for name in size.names)


def _of_call(cls: Class) -> frozenset[str]:
    """Names that mean something in `call` alone: `_, steps, width = x.shape`."""
    call = find_method(cls, "call")
    if call is None:
        return frozenset()
    made = [m for m in (find_method(cls, "__init__"), find_method(cls, "build")) if m is not None]
    return call.assigned.difference(call.mirrors, call.params, *(m.params for m in made), *(m.assigned for m in made))


def size_text(em: Emitter, cls: Class, dim: Dim) -> str:
    """A size as the constructor of `cls` writes it."""
    dim = _in_words_of_call(cls, dim)
    if isinstance(dim, int):
        return str(dim)
    if isinstance(dim, Sym) and not (em.late or {}).get(cls):
        bindings: dict[str, Dim] = {m: s for m, s in em.class_sizes.get(cls, {}).items() if m in dim.names}
        bindings |= _of_derived(em, cls, dim)
        missing = [m for m in mirrors(cls) if m in dim.names and bindings.get(m) is None]
        if not missing and not any(bindings[m] is None for m in bindings):
            new = dim.substitute(bindings)
            if new is not None:
                return str(new)
    raise Refused("P208", f"the size `{dim}` of the input is not known when the layer is made", None)


def _in_words_of_call(cls: Class, dim: Dim) -> Dim:
    """A size of a tensor that a method of the class is given, as `call` has it; None if several are given."""
    family = line_of(cls)
    helpers = {m: f for c in family for f in c.methods.values() if is_helper(f) for m in f.mirrors}
    while isinstance(dim, Sym) and (names := dim.names & helpers.keys()):
        bindings: dict[str, Dim] = {}
        for name in names:
            told = {str(s.get(name)): (by, s.get(name)) for by, s in helpers.pop(name).told.values()}
            by, size = next(iter(told.values())) if len(told) == 1 else (None, None)
            own = by is not None and by.owner in family
            bindings[name] = size if isinstance(size, int) or own else None
        dim = None if None in bindings.values() else dim.substitute(bindings)
    return dim


def _of_derived(em: Emitter, cls: Class, dim: Sym) -> dict[str, Dim]:
    """Sizes of derived classes, which have the `call`, where all of them are one parameter of the constructor."""
    below = [c for c in em.it.classes.values() if any(b.payload is cls for b in c.bases)]
    init = cls.methods.get("__init__")
    if init is None or not below or any("__init__" in c.methods for c in below):
        return {}
    found: dict[str, Dim] = {}
    for derived in below:
        resolve_sizes(em, derived)
        found |= {m: s for m, s in em.class_sizes[derived].items() if m.endswith(("features", "channels"))}
    same = {str(s) for s in found.values()}
    return {m: s for m, s in found.items() if m in dim.names} if len(same) == 1 and same <= {*init.params} else {}


def scope(em: Emitter, cls: Class, function: Function | None, stage: str) -> Scope:
    return Scope(stage=stage, function=function, cls=cls, training=stage == "forward",
                 sizes=lambda dim: size_text(em, cls, dim), names={},
                 build=lambda: scope(em, cls, find_method(cls, "__init__"), making(em, cls)))


def making(em: Emitter, cls: Class) -> str:
    """The stage in which its layers and weights are made."""
    return "late" if (em.late or {}).get(cls) else "init"


def unpacked_shape(em: Emitter, small: Any, s: Any) -> list[Any] | None:
    """`_, length, dim = input_shape` of a constructor, of what it reads."""
    if em.scope.stage == "late" or not isinstance(small, cst.Assign) or not isinstance(
            small.targets[0].target, cst.Tuple):
        return None
    payload = em.fact(small.value).payload
    if not isinstance(payload, ShapeOf) or payload.of.shape is None:
        return None
    lines = []
    named = Counter(n.value for n in find(em.scope.function.node, cst.Name)) if em.scope.function is not None else {}
    for element, dim in zip(small.targets[0].target.elements, payload.of.shape, strict=False):
        if isinstance(element.value, cst.Name) and named[element.value.value] > 1 and dim is not None:
            lines.append(statement(f"{element.value.value} = {code(em.size(dim, small))}"))
    if lines:
        lines[0] = lines[0].with_changes(leading_lines=s.leading_lines)
    return lines
