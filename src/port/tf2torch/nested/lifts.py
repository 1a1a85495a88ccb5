"""One inner function as a function of the module, with the variables that it closes over as parameters."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import COMMA, argument, breaks_line, drop_commas
from port.tf2torch.nested import closures
from port.tf2torch.rules.bodies import split_docstring
from port.tree import COMPREHENSIONS, children, clone, find, loads, rebuild, replaced, walk

Chain = list[cst.FunctionDef]  # functions, each defined in the one before
Path = tuple[str, ...]  # their names
_BUILT_IN = frozenset(vars(builtins))
_NOT_CONSTANT = (cst.Call, cst.List, cst.Dict, cst.Set, cst.Lambda, cst.NamedExpr, cst.Await, *COMPREHENSIONS)
_SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef, *COMPREHENSIONS)


class Stays(Exception):
    """This inner function cannot be taken out."""


@dataclass
class Lift:
    """An inner function, and how it is called."""

    chain: Chain
    todo: set[Path]  # what else is to be taken out
    once: set[str]  # names that the module has bound for good

    def __post_init__(self) -> None:
        self.at = path_of(self.chain)
        self.inner, self.around = self.chain[-1], self.chain[:-1]
        self.parent = self.around[-1]
        tables = closures.tables(self.chain)
        if tables is None:
            raise Stays(self.at)
        self.tables, self.table = tables[:-1], tables[-1]
        free = set(self.table.get_frees())
        order = [n.value for f in (*(f.params for f in self.around[::-1]), self.inner) for n in find(f, cst.Name)]
        self.free = {n: self._owner(n) for n in dict.fromkeys(order) if n in free}
        if len(self.free) != len(free):
            raise Stays(self.at)
        self.calls = [c for c in find(self.parent, cst.Call) if isinstance(c.func, cst.Name) and (
            c.func.value == self.at[-1])]

    def _owner(self, name: str) -> int:
        found = closures.owner(self.tables, name)
        if found is None:
            raise Stays(self.at)
        return found

    def reads(self, at: Path) -> bool:
        """Is the function at this place a variable that this one closes over?"""
        return self.free.get(at[-1]) == len(at) - 2 and at[:-1] == self.at[:len(at) - 1]

    def shadowed(self) -> bool:
        """Would functions around the parent take the name for one of theirs?"""
        return any(closures.owner([t], self.at[-1]) == 0 for t in self.tables[:-1])

    # ------------------------------------------------------------ is it certain?
    def _check(self) -> None:
        f = self.inner
        if f.decorators or f.asynchronous is not None or f.type_parameters is not None or not self.calls:
            raise Stays(self.at)
        if f.params.posonly_params or isinstance(f.params.star_arg, cst.Param) or any(
                type(n) in (cst.Yield, cst.Nonlocal, cst.Await) for n in walk(f.body)):
            raise Stays(self.at)
        if len(_mentions(self.parent, self.at[-1])) != len(self.calls) + 1:
            raise Stays(self.at)  # it is a value somewhere, or the name has several meanings
        for name, at in self.free.items():
            self._check_name(name, at)

    def _check_name(self, name: str, at: int) -> None:
        """What the variable holds can be handed over at each call."""
        owner, table = self.around[at], self.tables[at]
        if any(name == i.name.value for n in find(self.around[0], cst.Nonlocal) for i in n.names) or any(
                type(n) in (cst.Del, cst.ClassDef, cst.FunctionDef) for n in closures.binders(owner, name)):
            raise Stays(self.at)
        if closures.read_inside(self.table, name) and not closures.fixed(owner, table, name):
            raise Stays(self.at)  # what reads it may do so later than the call
        for call in self.calls:
            way = closures.path(owner, call)
            self._same(way[way.index(self.parent) + 1:], name)
            later = any(isinstance(n, cst.FunctionDef) and self._place(way, n) in self.todo for n in way[1:])
            if not (later or table.lookup(name).is_parameter() or closures.bound_at(owner.body.body, name, call)):
                raise Stays(self.at)

    def _place(self, way: Sequence[Any], node: cst.FunctionDef) -> Path:
        """The path of a function on the way to a call."""
        above = [f.name.value for f in way[:way.index(node) + 1] if isinstance(f, cst.FunctionDef)]
        return (*self.at[:self.around.index(way[0])], *above)

    def _same(self, way: Sequence[Any], name: str) -> None:
        """The name means at the end of the way what it means at its start."""
        scopes = [n for n in way if isinstance(n, _SCOPES)]
        if any(isinstance(n, cst.ClassDef) or name in closures.own_names(n) for n in scopes):
            raise Stays(self.at)

    # ------------------------------------------------------------ the new form
    def done(self, name: str) -> tuple[cst.FunctionDef, cst.FunctionDef]:
        """The outermost function without this one, and this one as a function of the module, under this name."""
        self._check()
        imported = {n: line for n, at in self.free.items() if (line := self._imported(n, at)) is not None}
        given = [n for n in self.free if n not in imported]
        moved = self._defaults()
        params = self.inner.params
        first = [p for p in params.params if p.default is None]
        early = [_without_default(p) for p in params.params if p.name.value in moved]
        late = [p for p in params.params if p.default is not None and p.name.value not in moved]
        new = [*first, *early, *(cst.Param(cst.Name(n)) for n in given), *late]
        calls = {id(c): self._arguments(c, [p.name.value for p in new], given, moved) for c in self.calls}
        function = self.inner.with_changes(
            name=self.inner.name if name == self.at[-1] else cst.Name(name), body=self._body(imported),
            params=params.with_changes(params=_separated(new, params.params), kwonly_params=[
                _without_default(p) if p.name.value in moved else p for p in params.kwonly_params]))
        lines: list[Any] = list(self.parent.body.body)
        at = lines.index(self.inner)
        lines[at:at + 1] = []
        if at == 0 or (at == 1 and self.parent.get_docstring() is not None):
            lines[at] = _close(lines[at])
        parent = self.parent.with_changes(body=self.parent.body.with_changes(body=lines))
        return replaced(self.around[0], self.parent, _called(parent, calls, name)), function

    def _imported(self, name: str, at: int) -> cst.SimpleStatementLine | None:
        """The line of a function around that imports what this one reads by that name."""
        owner = self.around[at]
        found = closures.binders(owner, name)
        if not any(isinstance(n, cst.Import | cst.ImportFrom) for n in found):
            return None
        lines: list[Any] = [s for s in owner.body.body if isinstance(s, cst.SimpleStatementLine) and (
            len(s.body) == 1 and found == [s.body[0]])]
        if not lines or not isinstance(self.inner.body, cst.IndentedBlock):
            raise Stays(self.at)
        return lines[0]  # type: ignore[no-any-return]

    def _body(self, imported: Mapping[str, cst.SimpleStatementLine]) -> Any:
        body = self.inner.body
        if not imported:
            return body
        rest = split_docstring(body.body)[1]  # type: ignore[arg-type]
        lines = [clone(line).with_changes(leading_lines=[]) for line in dict.fromkeys(imported.values())]
        return body.with_changes(body=[*body.body[:len(body.body) - len(rest)], *lines, *rest])

    def _defaults(self) -> dict[str, cst.BaseExpression]:
        """Parameters whose default reads variables of the functions around: each call says it."""
        params = (*self.inner.params.params, *self.inner.params.kwonly_params)
        hints = [a.annotation for a in (*(p.annotation for p in params), self.inner.returns) if a is not None]
        defaults = {p.name.value: p.default for p in params if p.default is not None}
        moved = {n: e for n, e in defaults.items() if self._local(e)}
        plain = [*hints, *(e for n, e in defaults.items() if n not in moved)]
        if any(self._local(e) or not loads(e) <= self.once | _BUILT_IN for e in plain):
            raise Stays(self.at)
        if any(isinstance(n, _NOT_CONSTANT) for e in defaults.values() for n in walk(e)):
            raise Stays(self.at)
        for name in {n for e in moved.values() for n in self._local(e)}:
            at = self._owner(name)
            owner, table = self.around[at], self.tables[at]
            known = table.lookup(name).is_parameter() or closures.bound_at(owner.body.body, name, self.inner)
            if not known or not closures.fixed(owner, table, name):
                raise Stays(self.at)
            for call in self.calls:
                self._same(closures.path(self.parent, call)[1:], name)
        return moved

    def _local(self, node: cst.BaseExpression) -> set[str]:
        return {n for n in loads(node) if closures.owner(self.tables, n) is not None}

    def _arguments(self, call: cst.Call, order: Sequence[str], given: Sequence[str],
                   moved: Mapping[str, cst.BaseExpression]) -> list[cst.Arg]:
        """Of a call: by name from where the parameters have another order, and with what is handed over."""
        params = [p.name.value for p in self.inner.params.params]
        args: list[cst.Arg] = []
        said: set[str] = set()
        by_name = False
        for at, arg in enumerate(call.args):
            name = arg.keyword.value if arg.keyword is not None else params[at] if at < len(params) else ""
            if arg.star and (arg.star == "*" or moved or self.inner.params.star_kwarg is not None):
                raise Stays(self.at)
            if not arg.star and (not name or name in given):
                raise Stays(self.at)
            by_name = by_name or (arg.keyword is None and not arg.star and order[at] != params[at])
            said.add(name)
            args.append(argument(name, arg.value, arg) if by_name and arg.keyword is None and not arg.star else arg)
        args += [argument(n, clone(e), None) for n, e in moved.items() if n not in said]
        args += [argument(n, cst.Name(n), None) for n in given]
        return drop_commas(args, list(call.args))


def path_of(chain: Chain) -> Path:
    return tuple(f.name.value for f in chain)


def _called(node: Any, calls: Mapping[int, list[cst.Arg]], name: str) -> Any:
    """With these calls as they are now; there may be others in the arguments of one."""
    if id(node) not in calls:
        return rebuild(node, lambda child: _called(child, calls, name))
    args = [a.with_changes(value=new) if (new := _called(a.value, calls, name)) is not a.value else a
            for a in calls[id(node)]]
    return node.with_changes(args=args, func=node.func if node.func.value == name else cst.Name(name))


def _without_default(param: cst.Param) -> cst.Param:
    return param.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)


def _separated(params: Sequence[cst.Param], before: Sequence[cst.Param]) -> list[cst.Param]:
    """Parameters, separated as these were before."""
    if not params or not before:
        return list(params)
    first = before[0].comma
    between = first if len(before) > 1 and isinstance(first, cst.Comma) and breaks_line(first) else COMMA
    return [*(p.with_changes(comma=between) for p in params[:-1]), params[-1].with_changes(comma=before[-1].comma)]


def _close(line: Any) -> Any:
    """A line without blank ones above it."""
    at = next((i for i, space in enumerate(line.leading_lines) if space.comment is not None), len(line.leading_lines))
    return line.with_changes(leading_lines=line.leading_lines[at:]) if at else line


def _mentions(node: cst.CSTNode, name: str) -> list[cst.CSTNode]:
    """Where a name stands for a variable, a function or a parameter."""
    found: list[cst.CSTNode] = []
    todo = [node]
    while todo:
        top = todo.pop()
        kind = type(top)
        if kind is cst.Name and top.value == name:  # type: ignore[attr-defined]
            found.append(top)
        elif kind is cst.Attribute or kind is cst.Arg:
            todo.append(top.value)  # type: ignore[attr-defined]
        else:
            todo += children(top)
    return found
