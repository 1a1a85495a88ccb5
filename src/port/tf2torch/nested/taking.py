"""Which inner functions are taken out, in which order, and how they are called then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.names import import_bindings
from port.syntax import symbols, syntax_error
from port.tf2torch.copied import PREFIX
from port.tf2torch.emit import Refused
from port.tf2torch.nested.lifts import Chain, Lift, Path, Stays, path_of
from port.tree import find, loads, named, walk
from port.units import Unit

_LAYERS = re.compile(r"keras\.(layers\.[A-Z]|Sequential$|Model$|applications\.)")
_READS_NAMES = {"locals", "vars", "eval", "exec", "globals", "dir"}
_ABOUT = re.compile(r"^_*(build|get|make|create|define|construct)_(?=.)|_*$")


@dataclass
class Moved:
    """What a file became: names of what was taken out, and of what it was taken out of, with the latter as written."""

    module: cst.Module
    inner: dict[str, cst.FunctionDef] = field(default_factory=dict)
    outer: dict[str, cst.FunctionDef] = field(default_factory=dict)


def taken_out(units: Sequence[Unit], makes: Callable[[Unit, cst.BaseExpression], bool],
              leave: Collection[cst.CSTNode]) -> list[Moved] | None:
    """The files without inner builders, but for those in functions to `leave`; None if there are none to take out."""
    tops = {u: [s for s in u.module.body if isinstance(s, cst.FunctionDef) and any(_inner([s]))] for u in units}
    if not any(s not in leave for found in tops.values() for s in found):
        return None
    if any(syntax_error(u.text) for u in units):
        return None
    spoken = _Spoken(units, Counter(n for found in tops.values() for s in found for n in {
        chain[-1].name.value for chain in _inner([s])}))
    moved = []
    for unit, found in tops.items():
        builders = _Builders(unit, makes)
        now = Moved(unit.module)
        body: list[Any] = []
        for at, line in enumerate(unit.module.body):
            if not isinstance(line, cst.FunctionDef) or line not in found or line in leave:
                body.append(line)
                continue
            new, made = _Outer(line, builders, _once(unit.module.body, at), spoken).lifted()
            now.inner |= {f.name.value: line for f in made}
            now.outer |= {line.name.value: line} if made else {}
            body += [f.with_changes(leading_lines=_apart(f.leading_lines)) for f in made]
            body.append(new.with_changes(leading_lines=_apart(new.leading_lines)) if made else new)
        if now.inner:
            now.module = unit.module.with_changes(body=body)
        moved.append(now)
    return moved if any(m.inner for m in moved) else None


def stuck(moved: Moved, kept: Sequence[cst.CSTNode], traced: Collection[Any]) -> set[cst.CSTNode]:
    """Functions that are to stay as they were written: they, or what was taken out, stay in Keras or are traced."""
    whole = {n.name.value for n in kept if isinstance(n, cst.FunctionDef)} | {
        f.name.removeprefix(PREFIX) for f in traced}
    inside = {n for node in kept for n in named(node)} | whole
    return {f for names, ours in ((whole, moved.outer), (inside, moved.inner)) for n, f in ours.items() if n in names}


def classes_inside(specs: Mapping[Any, Any]) -> int:
    """How many classes were made of functions inside functions."""
    return sum(f.env.outer is not None and not isinstance(spec, Refused) for f, spec in specs.items())


def _inner(chain: Chain) -> Iterator[Chain]:
    """The functions that are defined inside the last one, each with those around it."""
    if isinstance(chain[-1].body, cst.IndentedBlock):
        for line in chain[-1].body.body:
            if isinstance(line, cst.FunctionDef):
                yield [*chain, line]
                yield from _inner([*chain, line])


def _apart(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Two blank lines, and the remarks above a definition."""
    at = next((i for i, line in enumerate(lines) if line.comment is not None), len(lines))
    return [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False), *lines[at:]]


def _once(body: Sequence[Any], at: int) -> set[str]:
    """Names that the module binds once, before this statement."""
    bound = [_bound(line) for line in body]
    count = Counter(n for names_ in bound for n in names_)
    plain = (cst.SimpleStatementLine, cst.FunctionDef, cst.ClassDef)
    return {n for line, names_ in zip(body[:at], bound, strict=False) if isinstance(line, plain) for n in names_
            if count[n] == 1}


def _bound(line: Any) -> set[str]:
    """Names that a statement of a module may bind."""
    shared = {i.name.value for n in find(line, cst.Global) for i in n.names}
    if isinstance(line, cst.FunctionDef | cst.ClassDef):
        return {line.name.value} | shared
    imported = {n for i in walk(line) if isinstance(i, cst.Import | cst.ImportFrom) for n in import_bindings(i)}
    targets = [n.target for n in walk(line) if isinstance(
        n, cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.For | cst.NamedExpr)]
    return imported | shared | {n.value for t in targets for n in find(t, cst.Name)}


# ---------------------------------------------------------------- names
@dataclass
class _Spoken:
    """Names that the files know already."""

    units: Sequence[Unit]
    inner: Counter[str]  # in how many functions of the module there is an inner one of this name
    known: set[str] | None = None

    def top(self) -> set[str]:
        """Names of the modules, and those that functions read of these: without `_` and capitals."""
        if self.known is None:
            self.known = set()
            for unit in self.units:
                found = [*unit.bound.bound, *unit.links, *unit.starred, *unit.own]
                todo = [symbols(unit.text)]
                found += todo[0].get_identifiers()
                while todo:
                    table = todo.pop()
                    found += [s.get_name() for s in table.get_symbols() if s.is_global()]
                    todo += table.get_children()
                self.known |= {_plain(n) for n in found}
        return self.known

    def free(self, name: str, outer: cst.FunctionDef, shadowed: bool, made: Sequence[cst.FunctionDef]) -> str:
        """How a function that is taken out of `outer` is called, beside those that were."""
        top = self.top() | {_plain(f.name.value) for f in made}
        wanted = name
        if self.inner[name] > 1 or shadowed or _plain(name) in top:
            wanted = f"{_ABOUT.sub('', outer.name.value)}_{name.lstrip('_')}"
            taken = named(outer)
            base, number = wanted, 2
            while _plain(wanted) in top or wanted in taken:
                wanted, number = f"{base}{number}", number + 1
        return wanted


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


@dataclass
class _Builders:
    """Which functions of a file apply layers, told from their text."""

    unit: Unit
    makes: Callable[[Unit, cst.BaseExpression], bool]
    known: dict[cst.CSTNode, bool] = field(default_factory=dict)

    def builds(self, function: cst.FunctionDef, inner: Mapping[str, cst.FunctionDef] = {}) -> bool:
        if function not in self.known:
            self.known[function] = False  # if it calls itself
            held = {t.target.value for a in find(function.body, cst.Assign) if isinstance(a.value, cst.Call)
                    and self._is_layer(a.value.func) for t in a.targets if isinstance(t.target, cst.Name)}
            self.known[function] = any(self._applies(n, held, inner) for n in find(function.body, cst.Call))
        return self.known[function]

    def _is_layer(self, func: cst.BaseExpression) -> bool:
        return bool(_LAYERS.match(self.unit.bound.resolve(func))) or self.makes(self.unit, func)

    def _applies(self, call: cst.Call, held: set[str], inner: Mapping[str, cst.FunctionDef]) -> bool:
        func = call.func
        if isinstance(func, cst.Call):
            return self._is_layer(func.func) or not self.unit.bound.resolve(func.func)
        if not isinstance(func, cst.Name):
            return False
        if func.value in held:
            return True
        home, name = self.unit.links.get(func.value, (self.unit, func.value))
        found = inner.get(name) or next((s for s in home.module.body if isinstance(
            s, cst.FunctionDef) and s.name.value == name), None)
        if found is None:
            return False
        return self.builds(found, inner) if home is self.unit else _Builders(home, self.makes, self.known).builds(found)


# ---------------------------------------------------------------- taking out
@dataclass
class _Outer:
    """A function of the module, and what is defined in it."""

    whole: Any
    builders: _Builders
    once: set[str]
    spoken: _Spoken

    def lifted(self) -> tuple[Any, list[cst.FunctionDef]]:
        """The function, and those that were taken out of it."""
        inner = {c[-1].name.value: c[-1] for c in _inner([self.whole])}
        wanted = {path_of(c) for c in _inner([self.whole]) if self.builders.builds(c[-1], inner)}
        if loads(self.whole) & _READS_NAMES or any(type(n) is cst.Match for n in walk(self.whole)):
            return self.whole, []
        stay: set[Path] = set()
        while wanted - stay:
            try:
                whole, made = self._without(wanted - stay, stay)
            except Stays as stays:
                stay.add(stays.args[0])
                continue
            self.spoken.top().update(_plain(f.name.value) for f in made)
            return whole, made
        return self.whole, []

    def _without(self, wanted: set[Path], stay: set[Path]) -> tuple[cst.FunctionDef, list[cst.FunctionDef]]:
        whole, made = self.whole, list[cst.FunctionDef]()
        todo = set(wanted)
        while todo:
            chains = {path_of(c): c for c in _inner([whole])}
            lift, known = None, len(todo)
            for at in sorted(todo, key=lambda p: (-len(p), list(chains).index(p))):
                lift = Lift(chains[at], todo, self.once)
                before = {p for p in chains if lift.reads(p) or (p[:len(at)] == at and p != at and p in todo)}
                if before & stay:
                    raise Stays(at)
                if not before:
                    break
                todo |= before
                lift = None
            if lift is None and len(todo) == known:
                raise Stays(min(todo))  # they call each other
            if lift is None:
                continue
            name = self.spoken.free(lift.inner.name.value, self.whole, lift.shadowed(), made)
            whole, function = lift.done(name)
            made.append(function)
            todo.discard(lift.at)
        return whole, made
