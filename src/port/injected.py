"""Modules of the framework that are handed over as values, read as imports of the files that take them.

    layers = None                                    from tensorflow.keras import layers


    def block(x, **kwargs):                   ->     def block(x, **kwargs):
        global layers
        _, layers = get_modules(kwargs)                  return layers.ReLU()(x)
        return layers.ReLU()(x)

Who hands them over (`{'layers': keras.layers}`, `kwargs['layers'] = keras.layers`) does so no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port import names
from port.handing import Keys, bound_names, entry, handed, is_none, subscript, text
from port.names import is_import
from port.siblings import last_plain, local_name
from port.tree import find, loads, rebuild, walk

UNPACKS = {"keras_applications.get_submodules_from_kwargs": ("backend", "layers", "models", "utils")}  # of Keras' own
BLOCKS = (cst.Module, cst.IndentedBlock)
AROUND = (*BLOCKS, cst.BaseCompoundStatement, cst.Else, cst.ExceptHandler, cst.Finally)


def read_in(units: Sequence[Any]) -> None:
    """Changes the modules of the units, where a file takes what another one hands over."""
    texts = [u for u in units if "kwargs" in u.text or "**" in u.text]
    bound = {u: bound_names(u.module) for u in texts}
    keys = handed(texts, bound)
    takers = {(u, f.name.value): found for u in texts for f in u.module.body
              if isinstance(f, cst.FunctionDef) and (found := _taken(f, keys))} if keys else {}
    plans = {u: _plan(u, takers, keys, bound[u]) for u in texts} if keys else {}
    if not any(plans.values()) or None in plans.values():
        return
    root = "tensorflow.keras" if any("tensorflow" in u.text for u in texts) else "keras"
    for unit, plan in plans.items():
        if plan:
            _take(unit, plan, root)
        unit.module = _Without(unit.module, bound_names(unit.module), keys).module()


def _taken(function: cst.FunctionDef, keys: Keys) -> tuple[str, ...]:
    """The keys, in order, of `layers = kwargs.get('layers'); ...; return layers, models`."""
    last = function.body.body[-1] if isinstance(function.body, cst.IndentedBlock) else None
    value = last.body[0].value if isinstance(last, cst.SimpleStatementLine) and isinstance(
        last.body[0], cst.Return) else None
    if not isinstance(value, cst.Tuple) or not all(isinstance(e.value, cst.Name) for e in value.elements):
        return ()
    given = {p.name.value for p in function.params.params}
    lines = find(function.body, cst.Assign)
    found = []
    for element in value.elements:
        mine = [s.value for s in lines for t in s.targets if element.value.deep_equals(t.target)]
        key = _got(mine[0], given) if len(mine) == 1 else ""
        found.append(key)
    return tuple(found) if all(key in keys for key in found) else ()


def _got(node: Any, given: set[str]) -> str:
    """The key of `kwargs.get('layers', other)` and `kwargs['layers']`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in (
            "get", "pop") and names.dotted_name(node.func.value) in given and node.args:
        return text(node.args[0].value)
    return subscript(node) if isinstance(node, cst.Subscript) and names.dotted_name(node.value) in given else ""


@dataclass(frozen=True)
class _Plan:
    own: Set[str]  # how the file calls the functions that unpack
    gone: Sequence[cst.CSTNode]  # statements that imports stand for
    meaning: Mapping[str, str]  # names, and which module each is


def _plan(unit: Any, takers: Mapping[tuple[Any, str], tuple[str, ...]], keys: Keys, bound: names.Names
          ) -> _Plan | tuple[()] | None:
    """What a file unpacks, if all that is called so in it is that; None if modules are used in other ways too."""
    own: dict[str, tuple[str, ...]] = {name: UNPACKS[symbol] for name, symbol in bound.bound.items()
                                       if symbol in UNPACKS and keys.keys() >= set(UNPACKS[symbol])}
    own |= {n: found for (u, n), found in takers.items() if u is unit}
    own |= {name: takers[link] for name, link in unit.links.items() if link in takers}
    every = {name for _, name in takers}
    gone: list[cst.CSTNode] = []
    meaning: dict[str, set[str]] = {}
    for line in find(unit.module, cst.Assign):
        found = own.get(names.dotted_name(line.value.func), ()) if isinstance(line.value, cst.Call) else ()
        target = line.targets[0].target
        if found and isinstance(target, cst.Tuple) and len(target.elements) == len(found) and len(line.targets) == 1:
            gone.append(line)
            for element, key in zip(target.elements, found, strict=True):
                meaning.setdefault(names.dotted_name(element.value), set()).add(keys[key])
    rest: list[Any] = [s for s in unit.module.body
                       if not (isinstance(s, cst.FunctionDef) and (unit, s.name.value) in takers)]
    used = sum(n.value in own for s in rest if not is_import(s) for n in find(s, cst.Name))
    single = [line for s in rest for f in find(s, cst.FunctionDef) for line in _singles(f, keys)]
    otherwise = any(n.attr.value in every for n in find(unit.module, cst.Attribute)) or any(
        _reads(n, keys) for s in rest for n in walk(s) if not any(n is line or n is line.value for line in single))
    if used != len(gone) or otherwise:
        return None
    for line in single:
        name = names.dotted_name(line.targets[0].target)
        meaning.setdefault(name, set()).add(keys[subscript(line.value)])
    gone += single
    meaning.pop("_", None)
    for line in find(unit.module, cst.Assign) if gone else ():
        mine = {n.value for t in line.targets for n in find(t.target, cst.Name)} & meaning.keys()
        if mine and line not in gone and (not is_none(line.value) or len(line.targets) > 1):
            return None
        gone += [line] if mine and is_none(line.value) else []
    if not all(name.isidentifier() and len(symbols) == 1 for name, symbols in meaning.items()):
        return None
    return _Plan(own.keys(), gone, {n: next(iter(s)) for n, s in meaning.items()}) if gone else ()


def _singles(function: cst.FunctionDef, keys: Keys) -> list[cst.Assign]:
    """`layers = kwargs['layers']` of a function that takes `**kwargs`."""
    star = function.params.star_kwarg
    return [n for n in find(function.body, cst.Assign) if star is not None and isinstance(n.value, cst.Subscript)
            and len(n.targets) == 1 and isinstance(n.targets[0].target, cst.Name) and subscript(n.value) in keys
            and names.dotted_name(n.value.value) == star.name.value]


def _reads(node: Any, keys: Keys) -> bool:
    """`kwargs['layers']` and `kwargs.get('layers')`, but not where it is set."""
    if type(node) is cst.Call and isinstance(node.func, cst.Attribute) and node.func.attr.value in ("get", "pop"):
        return bool(node.args) and text(node.args[0].value) in keys
    if type(node) is cst.Assign or type(node) is cst.Return:
        return isinstance(node.value, cst.Subscript) and subscript(node.value) in keys
    return type(node) is cst.Attribute and subscript(node.value) in keys


def _take(unit: Any, plan: _Plan, root: str) -> None:
    """Imports for what a file unpacks."""
    unit.module = _Without(unit.module, names.Names(), {}, plan.gone, set(plan.meaning)).module()
    used = loads(unit.module)
    lines = [f"{symbol.partition('.')[2]} as {name}" if symbol != f"keras.{name}" else name
             for name, symbol in plan.meaning.items() if name in used]
    unit.module = _imported(unit.module, f"from {root} import {', '.join(lines)}\n" if lines else "", plan.own)


def _imported(module: cst.Module, line: str, own: Set[str]) -> cst.Module:
    """The module with this import behind its first ones, and without those of functions that it no longer calls."""
    body: list[Any] = list(module.body)
    at = next((i for i, s in enumerate(body) if isinstance(s, cst.FunctionDef | cst.ClassDef)), len(body))
    places = [i for i, s in enumerate(body[:at]) if is_import(s)]
    if line:
        body.insert(places[-1] + 1 if places else 0, cst.parse_statement(line))
    rest = {n for s in body if not is_import(s) for n in loads(s)}
    made: list[Any] = []
    for s in body:
        small = s.body[0] if is_import(s) else None
        if not isinstance(small, cst.ImportFrom) or isinstance(small.names, cst.ImportStar):
            made.append(s)
            continue
        left = [a for a in small.names if local_name(a) not in own - rest]
        if len(left) == len(small.names):
            made.append(s)
        elif left:
            made.append(s.with_changes(body=[small.with_changes(names=last_plain(left))]))
    return module.with_changes(body=made)


class _Without:
    """A module without some statements, names declared `global`, and what is handed over under these keys."""

    def __init__(self, module: cst.Module, bound: names.Names, keys: Keys, gone: Sequence[cst.CSTNode] = (),
                 declared: set[str] | frozenset[str] = frozenset()):
        self.whole, self.bound, self.keys, self.gone, self.declared = module, bound, keys, list(map(id, gone)), declared
        self.takes = {f.name.value: {p.name.value for p in (*f.params.params, *f.params.kwonly_params)}
                      for f in module.body if isinstance(f, cst.FunctionDef) and f.params.star_kwarg is not None}

    def module(self) -> Any:
        return self._any(self.whole)

    def _any(self, node: Any) -> Any:
        if isinstance(node, BLOCKS):
            return self._block(node)
        if type(node) is cst.SimpleStatementLine:
            return self._line(node)
        if isinstance(node, AROUND) or not self.keys:
            return rebuild(node, self._any) if isinstance(node, AROUND) else node
        if type(node) is cst.Dict:
            node = rebuild(node, self._any)
            left = [e for e in node.elements if not self._hands(e)]
            if len(left) == len(node.elements):
                return node
            last = node.elements[-1].comma
            return node.with_changes(elements=[*left[:-1], left[-1].with_changes(comma=last)]) if left else cst.Dict([])
        if type(node) is cst.Call:
            node = rebuild(node, self._any)
            own = self.takes.get(names.dotted_name(node.func))
            left = [a for a in node.args if own is None or a.keyword is None or a.keyword.value in own
                    or self.keys.get(a.keyword.value, "?") != self.bound.resolve(a.value)]
            return node if len(left) == len(node.args) else node.with_changes(args=[
                *left[:-1], *(a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in left[-1:])])
        return rebuild(node, self._any)

    def _hands(self, node: Any) -> bool:
        key, value = entry(node)
        return key in self.keys and self.bound.resolve(value) == self.keys[key]

    def _block(self, node: Any) -> Any:
        body: list[Any] = []
        above: list[cst.EmptyLine] = []
        for s in node.body:
            new = self._any(s)
            if new is None:
                above += [ln for ln in s.leading_lines if ln.comment is not None]
                continue
            if above:
                new, above = new.with_changes(leading_lines=[*above, *new.leading_lines]), []
            body.append(new)
        if len(body) == len(node.body) and all(a is b for a, b in zip(body, node.body, strict=True)):
            return node
        return node.with_changes(body=body or ([cst.SimpleStatementLine([cst.Pass()])] if isinstance(
            node, cst.IndentedBlock) else []))

    def _line(self, node: cst.SimpleStatementLine) -> Any:
        left = [new for s in node.body if (new := self._small(s)) is not None]
        if len(left) == len(node.body) and all(a is b for a, b in zip(left, node.body, strict=True)):
            return node
        return node.with_changes(body=left) if left else None

    def _small(self, node: Any) -> Any:
        if id(node) in self.gone or (self.keys and type(node) is cst.Assign and self._hands(node)):
            return None
        if type(node) is cst.Global:
            left = [n for n in node.names if n.name.value not in self.declared]
            if len(left) == len(node.names):
                return node
            return node.with_changes(names=[*left[:-1], left[-1].with_changes(
                comma=cst.MaybeSentinel.DEFAULT)]) if left else None
        return rebuild(node, self._any) if self.keys else node
