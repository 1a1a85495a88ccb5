"""Where the modules of the finished output are kept: the expressions that reach them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.tf2torch.infer.mirrors import singular
from port.tree import code, find

LISTS = ("nn.Sequential", "nn.ModuleList")
WRAPPERS = {"RNN": ["cell"], "Bidirectional": ["forward_rnn", "backward_rnn"], "TimeDistributed": ["module"],
            "TimeDistributedSteps": ["module"]}


@dataclass
class Place:
    """A call that makes a module; `text` reaches it, below the `header` lines; '' if nothing does."""

    call: cst.Call
    header: tuple[str, ...] = ()
    text: str = ""


@dataclass(eq=False)
class Put:
    """One statement that keeps something: `target = value`, `target.append(value)`."""

    target: str
    how: str  # 'set' | 'append' | the name in add_module
    value: cst.BaseExpression
    loops: tuple[Any, ...] = ()
    tests: tuple[tuple[int, str], ...] = ()  # (number of loops around it, test)


@dataclass
class Finder:
    """All that one constructor (or function) keeps. `roots`: names that stand for themselves."""

    sites: dict[Any, Any]
    roots: frozenset[str] = frozenset()
    puts: list[Put] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    open: set[str] = field(default_factory=set)  # names being followed: `x = f(x)` ends

    def find(self, body: Any) -> list[Place]:
        self._gather(body, (), ())
        places: list[Place] = []
        for put in self.puts:
            found = self._where(put)
            if found is not None:
                places += self._inside(put.value, *found)
        known = {id(p.call) for p in places}
        for s in body:
            for call in find(s, cst.Call):
                if call.func in self.sites and id(call) not in known:
                    places.append(Place(call))
        return places

    # ------------------------------------------------------------ statements
    def _gather(self, body: Any, loops: tuple[Any, ...], tests: tuple[tuple[int, str], ...]) -> None:
        for s in body:
            if isinstance(s, cst.SimpleStatementLine):
                for small in s.body:
                    self._small(small, loops, tests)
            elif isinstance(s, cst.If):
                self._if(s, loops, tests)
            elif isinstance(s, cst.For | cst.While):
                self._gather(s.body.body, (*loops, s), tests)
            elif isinstance(s, cst.With | cst.Try):
                self._gather(s.body.body, loops, tests)

    def _if(self, s: cst.If, loops: tuple[Any, ...], tests: tuple[tuple[int, str], ...]) -> None:
        test = code(s.test)
        self._gather(s.body.body, loops, (*tests, (len(loops), test)))
        other = (*tests, (len(loops), f"not ({test})"))
        if isinstance(s.orelse, cst.If):
            self._if(s.orelse, loops, other)
        elif s.orelse is not None:
            self._gather(s.orelse.body.body, loops, other)

    def _small(self, small: Any, loops: tuple[Any, ...], tests: tuple[tuple[int, str], ...]) -> None:
        if isinstance(small, cst.Assign):
            for t in small.targets:
                self.puts.append(Put(code(t.target), "set", small.value, loops, tests))
        elif isinstance(small, cst.Return) and "model" in self.roots and small.value is not None and _is_list(
                small.value):
            self.puts.append(Put("model", "set", small.value, loops, tests))
        elif isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and isinstance(
                small.value.func, cst.Attribute):
            call, owner = small.value, code(small.value.func.value)
            name = small.value.func.attr.value
            if name == "append" and len(call.args) == 1:
                self.puts.append(Put(owner, "append", call.args[0].value, loops, tests))
            elif name == "add_module" and len(call.args) == 2:
                kept = code(call.args[0].value).strip("'\"")
                self.puts.append(Put(owner, kept, call.args[1].value, loops, tests))

    # ------------------------------------------------------------ how a put is reached
    def _where(self, put: Put, depth: int = 0) -> tuple[tuple[str, ...], str] | None:
        if depth > 5:
            return None
        if put.how == "set":
            return self._set(put, depth)
        found = self._container(put.target, depth)
        if found is None:
            return None
        header, text = found
        made = self._made(put.target)
        outside = len(made.loops) if made is not None else 0
        if any(at > outside for at, _ in put.tests):
            return None
        header = (*header, *[f"if {t}:" for at, t in put.tests if not outside and not at])
        if put.how != "append":
            return header, f"{text}.{put.how}"
        same = [p for p in self.puts if p.target == put.target and p.how != "set"]
        if len(put.loops) > outside:
            start = made is None or not _length(made.value)
            name = _turn(text)
            return ((*header, f"for {name} in {text}:"), name) if len(same) == 1 and start else None
        before = same[:same.index(put)]
        if any(p.loops != put.loops or p.tests != put.tests for p in before):
            return None
        return header, f"{text}[{(_length(made.value) if made is not None else 0) + len(before)}]"

    def _set(self, put: Put, depth: int) -> tuple[tuple[str, ...], str] | None:
        if put.target.startswith("self.") and put.target.count(".") == 1 and "[" not in put.target:
            header = tuple(f"if {t}:" for _, t in put.tests)
            return None if put.loops else (header, put.target)
        if "[" in put.target:
            owner, _, key = put.target.partition("[")
            found = self._container(owner, depth)
            if found is None:
                return None
            header, text = found
            if key[:-1].isdecimal():  # of a list, which may hold None there
                return (*header, *([f"if {text}[{key} is not None:"] if put.tests else [])), f"{text}[{key}"
            if key[:1] not in "'\"":
                return None
            test = (f"if {key[:-1]} in {text}:",) if put.tests else ()
            return (*header, *test), f"{text}[{key}"
        if put.target in self.roots:
            return (), put.target
        return self._container(put.target, depth) if _is_list(put.value) else None

    def _container(self, name: str, depth: int) -> tuple[tuple[str, ...], str] | None:
        if name in self.roots:
            return (), name
        if name.startswith("self."):
            made = self._made(name)
            tests = made.tests if made is not None else ()
            return tuple(f"if {t}:" for _, t in tests), name
        for put in self.puts:
            if isinstance(put.value, cst.Name) and put.value.value == name:
                return self._where(put, depth + 1)
        return None

    def _made(self, name: str) -> Put | None:
        found = [p for p in self.puts if p.target == name and p.how == "set"]
        return found[0] if len(found) == 1 else None

    # ------------------------------------------------------------ inside one expression
    def _inside(self, node: cst.BaseExpression, header: tuple[str, ...], text: str) -> Iterator[Place]:
        if isinstance(node, cst.Name) and node.value not in self.roots:
            made = self._made(node.value)
            if made is not None and not _is_list(made.value) and node.value not in self.open:
                self.open.add(node.value)
                yield from self._inside(made.value, header, text)
                self.open.discard(node.value)
        elif isinstance(node, cst.IfExp):
            yield from self._inside(node.body, (*header, f"if {code(node.test)}:"), text)
            yield from self._inside(node.orelse, (*header, f"if not ({code(node.test)}):"), text)
        elif type(node) is cst.List or type(node) is cst.Tuple:
            if not any(isinstance(e, cst.StarredElement) for e in node.elements):
                for i, e in enumerate(node.elements):
                    yield from self._inside(e.value, header, f"{text}[{i}]")
        elif type(node) is cst.ListComp or type(node) is cst.GeneratorExp:
            name = _turn(text)
            if node.for_in.inner_for_in is None:
                yield from self._inside(node.elt, (*header, f"for {name} in {text}:"), name)
        elif isinstance(node, cst.Call):
            yield from self._call(node, header, text)

    def _call(self, node: cst.Call, header: tuple[str, ...], text: str) -> Iterator[Place]:
        callee = code(node.func)
        if node.func in self.sites:
            yield Place(node, header, text)
        values = [a.value for a in node.args]
        if callee == "nn.Sequential" and not any(a.star and isinstance(a.value, cst.Name) for a in node.args):
            if len(node.args) == 1 and node.args[0].star:
                yield from self._inside(values[0], header, text)
            elif not any(a.star for a in node.args):
                for i, value in enumerate(values):
                    yield from self._inside(value, header, f"{text}[{i}]")
        elif callee == "nn.ModuleList" and values:
            yield from self._inside(values[0], header, text)
        elif callee == "StackedRNNCells":
            for i, value in enumerate(values):
                yield from self._inside(value, header, f"{text}.cells[{i}]")
        elif callee in WRAPPERS:
            for name, value in zip(WRAPPERS[callee], values, strict=False):
                yield from self._inside(value, header, f"{text}.{name}")
        elif isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Call):
            yield from self._inside(node.func.value, header, text)
        elif callee in ("without_scale", "without_offset") and values:
            yield from self._inside(values[0], header, text)


def _is_list(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and code(node.func) in (*LISTS, "nn.ModuleDict")


def _length(node: cst.BaseExpression) -> int:
    """Elements that a new container already has."""
    if not isinstance(node, cst.Call):
        return 0
    if code(node.func) == "nn.Sequential":
        return len(node.args)
    first = node.args[0].value if node.args else None
    return len(first.elements) if isinstance(first, cst.List | cst.Tuple) else 0


def _turn(text: str) -> str:
    """The loop variable over a list."""
    last = text.rpartition(".")[2].rpartition("]")[2]
    name = singular(last) if last.isidentifier() else "layer"
    return name if name.isidentifier() and name not in ("self", last) else "layer"
