"""Ports whose interface is channels last, where the source's is channels first: what they are fed, and give back.

Such a port says so in a remark on the head of `call` or of a function, or on the line of a Sequential:
`# x: NHWC, returns NHWC`, `# takes NHWC, returns (NHWC, -)`. What is verified is then exactly that statement: the
tensors that it names are permuted on their way in and out, all else is compared as ever, and a note repeats it.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from . import results, user
from .inputs import Feed

ORDERS = {"NLC": 3, "NHWC": 4, "NDHWC": 5}
ORDER = "|".join(ORDERS)
TAKES = re.compile(rf"\b(?:(\w+): |(takes) )({ORDER})\b")
RETURNS = re.compile(rf"\breturns (\([^)]*\)|(?:{ORDER})(?:, (?:{ORDER}))*)")
Turn = Callable[[Any, Sequence[int]], Any]


@dataclass(frozen=True)
class Layouts:
    """`takes`: parameter -> order; 'takes' stands for the only one. `gives`: orders, or by place if `placed`."""

    takes: dict[str, str]
    gives: tuple[str, ...] = ()
    placed: bool = False
    said: str = ""


NONE = Layouts({})


def read(text: str) -> Layouts:
    """What a remark says."""
    result = RETURNS.search(text)
    before = text[:result.start()] if result else text
    takes = {name or word: order for name, word, order in TAKES.findall(before)}
    given = result[1] if result else ""
    orders = tuple(order.strip() for order in given.strip("()").split(",") if order.strip())
    said = ", ".join(f"{name}: {order}" for name, order in takes.items()).replace("takes: ", "takes ")
    said = ", ".join(filter(None, (said, f"returns {given}" if given else "")))
    return Layouts(takes, orders, given.startswith("("), said)


def find(obj: Any, module: ModuleType, call: str) -> Layouts:
    """What the port says of its interface: `obj` is what `call` gave."""
    own = type(obj).call if hasattr(type(obj), "call") else obj
    try:
        head = _head(textwrap.dedent(inspect.getsource(own)))
    except (OSError, TypeError, SyntaxError):
        head = ""
    found = read(head)
    return found if found.said else read(_line(inspect.getsource(module), call))


def _head(text: str) -> str:
    """The remarks on the head of a function."""
    node = ast.parse(text).body[0]
    if not isinstance(node, ast.FunctionDef):
        return ""
    last = max(node.lineno, node.body[0].lineno - 1)
    return " ".join(_remarks(text.splitlines()[node.lineno - 1:last]))


def _line(text: str, call: str) -> str:
    """The last remark on what a Sequential takes or gives, in the function or the line that makes it."""
    node: Any = ast.parse(call, mode="eval").body
    while isinstance(node, ast.Call):
        node = node.func
    for made in ast.parse(text).body if isinstance(node, ast.Name) else ():
        names = [made.name] if isinstance(made, ast.FunctionDef) else [
            t.id for t in made.targets if isinstance(t, ast.Name)] if isinstance(made, ast.Assign) else []
        if node.id in names:
            lines = text.splitlines()[made.lineno - 1:made.end_lineno]
            return next((r for r in reversed(_remarks(lines)) if re.match(r"#.*\b(takes|returns) \(?N", r)), "")
    return ""


def _remarks(lines: list[str]) -> list[str]:
    return [line[line.index("#"):] for line in lines if "#" in line]


def places(layouts: Layouts, obj: Any, given: Feed) -> list[int]:
    """The numbers of the tensors that are given channels last."""
    if not layouts.takes or not given.arrays:
        return []
    if "takes" in layouts.takes:
        named = {0: layouts.takes["takes"]}
    else:
        names = user.positional(obj.call if hasattr(type(obj), "call") else obj, hidden=("training",))
        form = given.form if given.form is not None else [[None, i] for i in range(len(given.arrays))]
        named = {tree: layouts.takes[name] for i, (keyword, tree) in enumerate(form) if isinstance(tree, int)
                 and (name := keyword or (names[i] if i < len(names) else "")) in layouts.takes}
    return [i for i, order in named.items() if given.arrays[i].ndim == ORDERS[order]]


def inward(xs: list[Any], at: list[int], turn: Turn) -> list[Any]:
    """The source's tensors as the port takes them."""
    return [turn(x, (0, *range(2, x.ndim), 1)) if i in at else x for i, x in enumerate(xs)]


def outward(value: Any, layouts: Layouts, turn: Turn) -> Any:
    """What the port gives, in the source's order of axes."""
    if not layouts.gives:
        return value
    number = iter(range(10**6))

    def back(leaf: Any) -> Any:
        at, rank = next(number), len(leaf.shape)
        orders = layouts.gives[at:at + 1] if layouts.placed else layouts.gives
        return turn(leaf, (0, rank - 1, *range(1, rank - 1))) if rank in [ORDERS.get(o) for o in orders] else leaf

    return results.replaced(value, back)
