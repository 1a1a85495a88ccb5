"""Sizes that a loop changes from turn to turn: `__init__` carries each of them in a variable, a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from port.facts import Dim, Fact, Kind, Layout, Sym
from port.scopes import Env
from port.tf2torch.infer import masks
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.joins import is_lost
from port.tf2torch.infer.mirrors import ABSENT, carries, mirror_name, note_mirror


@dataclass
class Carry:
    """How tensors enter a turn of a loop."""

    node: cst.CSTNode
    first: dict[str, Fact]  # what enters the first turn
    entry: dict[str, Fact]  # what enters any turn
    mirrors: dict[tuple[str, int], str] = field(default_factory=dict)  # (tensor, axis) -> the variable of its size
    starts: dict[str, Dim] = field(default_factory=dict)  # that variable -> its value before the first turn
    shown: set[str] = field(default_factory=set)  # tensors whose rank a layer of the body has shown


def carry(it: Interp, state: Carry, turn: Env, env: Env) -> bool:
    """Compare the end of a turn with its start; True if that changes how a turn is entered."""
    before, known = dict(state.entry), len(state.mirrors)
    for name, start in before.items():
        end = turn.names.get(name)
        if start.kind is Kind.TENSOR and is_lost(end):  # of any size
            state.entry[name] = start.but(shape=None, last=None)
        if end is None or end.kind is not Kind.TENSOR:
            continue
        if start.kind is Kind.PLAIN and (found := env.get(name)) is not None and found.literal(...) is None:
            state.first[name] = end
            state.entry[name] = end.but(symbol="?", payload=None, shape=None if not end.shape else (
                end.shape[0], *[None if d is None else ABSENT for d in end.shape[1:]]))  # None before the first turn
            state.entry[name] = _carried(it, name, end, state)
        elif start.kind is Kind.TENSOR:
            state.entry[name] = _carried(it, name, end, state)
        else:
            continue
        it.entered[state.node, name] = state.entry[name].layout
    for name, fact in list(env.names.items()):  # tensors that stay, with a size written in what changes
        if name not in state.entry and fact.kind is Kind.TENSOR and fact.shape is not None and any(
                _foreign(state, name, axis, d) for axis, d in enumerate(fact.shape)):
            env.names[name] = fact.but(shape=tuple(_own(it, state, name, axis, fact) if _foreign(
                state, name, axis, d) else d for axis, d in enumerate(fact.shape)))
    unmasked = _unmasked(it, state, turn, env)
    return unmasked or len(state.mirrors) > known or any(state.entry[n] != before[n] for n in before)


def _unmasked(it: Interp, state: Carry, turn: Env, env: Env) -> bool:
    """Tensors that stay, but lose their mask in a turn."""
    found = {name: mask for name, fact in env.names.items() if name not in state.entry and fact.mask is not None
             and name in turn.names and (mask := masks.turned(it, state.node, fact.mask, turn.names[name].mask))
             is not fact.mask}
    for name, mask in found.items():
        env.names[name] = env.names[name].but(mask=mask)
    return bool(found)


def _carried(it: Interp, name: str, end: Fact, state: Carry) -> Fact:
    start = state.entry[name]
    if start.shape is None or end.shape is None or len(start.shape) != len(end.shape):
        return start.but(last=start.width if start.width == end.width else None, shape=None,
                         mask=masks.turned(it, state.node, start.mask, end.mask))
    dims: list[Dim] = list(start.shape)
    for axis, (a, b) in enumerate(zip(start.shape, end.shape, strict=True)):
        if a == b and not _foreign(state, name, axis, a):
            continue
        if a is None or b is None or axis == 0 or not carries(it):
            state.mirrors.pop((name, axis), None)
            dims[axis] = None
        else:
            dims[axis] = _own(it, state, name, axis, start)
    layout = start.layout if start.layout is end.layout or len(dims) < 3 else Layout.FLIPPED
    it.relayout.get(("before", state.node), {}).pop(name, None)
    if layout is Layout.FLIPPED and state.first[name].layout is Layout.PLAIN:
        it.relayout.setdefault(("before", state.node), {})[name] = len(dims)
    return start.but(shape=tuple(dims), layout=layout, payload=None if layout is not start.layout else start.payload,
                     mask=masks.turned(it, state.node, start.mask, end.mask))


def _foreign(state: Carry, name: str, axis: int, dim: Dim) -> bool:
    """Is it written with a variable that carries the size of another tensor, and so means another size next turn?"""
    return isinstance(dim, Sym) and any(m in dim.names for key, m in state.mirrors.items() if key != (name, axis))


def _own(it: Interp, state: Carry, name: str, axis: int, start: Fact) -> Dim:
    """The variable that carries this size; it is new if there was none."""
    assert start.shape is not None
    if (name, axis) in state.mirrors:
        return Sym(state.mirrors[name, axis])
    if not carries(it):
        return None
    mirror = mirror_name(it, name, axis, len(start.shape))
    while mirror in state.mirrors.values():
        mirror = f"{name}_{mirror.removeprefix('in_')}"
    note_mirror(it, mirror)
    size = start.shape[axis]
    if not (isinstance(size, Sym) and size.text == mirror):
        state.starts[mirror] = size
    state.mirrors[name, axis] = mirror
    return Sym(mirror)
