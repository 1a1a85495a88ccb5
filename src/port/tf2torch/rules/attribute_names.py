"""Attributes and lists that a split's modules are kept under."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import expression
from port.tf2torch.rules.split import Branch, Frame, LoopForward, Module, Split


@dataclass
class Names:
    """Final expressions for the placeholders, in `__init__` and in `forward`."""

    init: dict[str, cst.BaseExpression] = field(default_factory=dict)
    forward: dict[str, cst.BaseExpression] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)  # frame key -> name of its list
    blocks: dict[str, str] = field(default_factory=dict)  # frame key -> variable that holds the modules of one turn


def plural(name: str) -> str:
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    return name[:-1] + "ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else name + "s"


def kind_of(frame: Frame) -> str:
    """'one' module per turn, 'several' always the same, or a 'dict' where some are conditional."""
    if any(m.conditional for m in frame.modules):
        return "dict"
    return "one" if len(frame.modules) == 1 and isinstance(frame.modules[0], Module) else "several"


def assign_names(split: Split, forward: list[Any], taken: set[str]) -> Names:
    names = Names()
    flat = flattened(split.frames[0], forward)
    _name_frame(split.frames[0], names, top=True, taken=taken, flat=flat)
    return names


def flattened(frame: Frame, forward: list[Any]) -> set[int]:
    """Loops that only hold another loop, and do nothing else in forward: one list for both."""
    found: set[int] = set()
    for item in forward:
        if isinstance(item, LoopForward):
            found |= flattened(item.frame, item.body)
            if len(item.body) == 1 and isinstance(item.body[0], LoopForward) and item.iterable is None and len(
                    item.frame.modules) == 1 and item.frame.modules[0] is item.body[0].frame and (
                    item.body[0].iterable is None):
                found.add(id(item.frame))
        elif isinstance(item, Branch):
            found |= flattened(frame, item.body) | flattened(frame, item.orelse)
    return found


def _name_frame(frame: Frame, names: Names, top: bool, taken: set[str], flat: set[int], block: str = "") -> None:
    """`block` is the dict around: that of a turn of this frame, or of a loop further out."""
    wanted = [(m, m.base if isinstance(m, Module) else _list_base(m, flat)) for m in frame.modules]
    counts: dict[str, int] = {}
    for _, base in wanted:
        counts[base] = counts.get(base, 0) + 1
    given: dict[str, int] = {}
    used = set(taken)
    for m, base in wanted:
        name = base
        if counts[base] > 1:
            given[base] = given.get(base, 0) + 1
            name = f"{base}{given[base]}"
        while name in used:
            name += "_"
        used.add(name)
        if isinstance(m, Module):
            m.final = name
            names.init[m.key] = names.forward[m.key] = cst.Name(name)
        else:
            names.lists[m.key] = f"{block}['{name}']" if kind_of(frame) == "dict" and not top else name
            _name_loop(m, names, flat, f"self.{name}" if top else names.lists[m.key], block)


def _list_base(frame: Frame, flat: set[int]) -> str:
    inner = frame
    while id(inner) in flat:
        inner = inner.modules[0]
    if kind_of(inner) == "one":
        return plural(inner.modules[0].base)
    return "blocks"


def _name_loop(frame: Frame, names: Names, flat: set[int], container: str, outer: str) -> None:
    if id(frame) in flat:
        names.lists[frame.modules[0].key] = names.lists[frame.key]
        _name_loop(frame.modules[0], names, flat, container, outer)
        return
    kind = kind_of(frame)
    block = names.blocks[frame.key] = outer if kind != "dict" else f"inner_{outer}" if outer else "block"
    _name_frame(frame, names, False, set(), flat, block)
    for m in frame.modules:
        if kind == "one":
            names.init[m.key] = expression(f"{container}[-1]")
        elif kind == "dict":
            text = f"{block}['{m.final}']" if isinstance(m, Module) else names.lists.get(m.key, f"{block}['blocks']")
            names.init[m.key] = names.forward[m.key] = expression(text)
