"""Reports on nodes become findings with their places; rows and rules, edits with theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import libcst as cst

from port.findings import Finding
from port.printing import WRITERS
from port.printing.expressions import PARENTHESIZED
from port.printing.printer import Printer
from port.printing.statements import RECORDED
from port.result import Edit
from port.tree import walk

Report = tuple[Any, str, str, str]  # node or None, code, message, symbol
Span = tuple[int, int, int, int]  # line and column of the start, line and column of the end


def placed(reports: Sequence[Report], applied: Iterable[tuple[cst.CSTNode, str]], kept: Iterable[cst.CSTNode],
           module: cst.Module) -> tuple[tuple[Finding, ...], tuple[Edit, ...]]:
    """Reports, and rows and rules by the node that they were applied at, where these nodes stand in `module`.

    A node that is not in `module` stands where the first known node inside it does. What was applied inside a node that
    was `kept` in the end is not told. Sorted, each one once.
    """
    known = set(map(id, walk(module)))
    stayed = {id(n) for node in kept for n in walk(node)}
    where = [None if node is None else _known(node, known) for node, *_ in reports]
    changed = [(node, by) for found, by in applied
               if (node := _known(found, known)) is not None and id(node) not in stayed]
    places = spans(module, {n for n in where if n is not None} | {n for n, _ in changed})
    out = set()
    for (_, code, message, symbol), node in zip(reports, where, strict=True):
        place = (1, 0, 1, 0) if node is None else places[node]
        out.add(Finding(place[0], place[1], code, message, place[2], place[3], symbol))
    edits = {Edit(places[node][0], places[node][2], by) for node, by in changed}
    return tuple(sorted(out)), tuple(sorted(edits))


def _known(node: cst.CSTNode, known: set[int]) -> cst.CSTNode | None:
    return node if id(node) in known else next((n for n in walk(node) if id(n) in known), None)


def spans(module: cst.Module, wanted: set[cst.CSTNode]) -> dict[cst.CSTNode, Span]:
    """Where those of the nodes that are in `module` stand, without the white space around them.

    The places are those of libcst's PositionProvider, which notes every node and costs several times more.
    """
    recorder = _Recorder(module, wanted)
    recorder.put(module)
    at: dict[int, tuple[int, int]] = {}
    line, column, done = 1, 0, 0
    for index in sorted({i for span in recorder.spans.values() for i in span}):
        lines = "".join(recorder.tokens[done:index]).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        line, column = line + len(lines) - 1, len(lines[-1]) + (column if len(lines) == 1 else 0)
        at[index], done = (line, column), index
    return {node: (*at[start], *at[end]) for node, (start, end) in recorder.spans.items()}


class _Recorder(Printer):
    """Prints, and notes before and after how many tokens the wanted nodes stand."""

    def __init__(self, module: cst.Module, wanted: set[cst.CSTNode]):
        self.own = dict(WRITERS)
        super().__init__(module.default_indent, module.default_newline, self.own)
        self.wanted: set[int] = set()  # asked of many nodes, and the hash of a node is slow
        self.starts: dict[cst.CSTNode, int] = {}
        self.spans: dict[cst.CSTNode, tuple[int, int]] = {}
        for node in wanted:
            self.want(node)

    def want(self, node: cst.CSTNode) -> None:
        """Nodes of this type are looked at before they are written."""
        self.wanted.add(id(node))
        if type(node) in WRITERS:
            self.own[type(node)] = _noted

    def before_codegen(self, node: cst.CSTNode) -> None:
        if id(node) in self.wanted:
            self.starts[node] = len(self.tokens)

    def after_codegen(self, node: cst.CSTNode) -> None:
        if id(node) in self.wanted and node not in self.spans:  # else its code proper is noted already
            self.spans[node] = self.starts[node], len(self.tokens)

    def record_syntactic_position(self, node: cst.CSTNode, *, start_node: Any = None, end_node: Any = None) -> Any:
        if id(node) not in self.wanted:
            return super().record_syntactic_position(node)
        for inner in (start_node, end_node):
            if inner is not None:
                self.want(inner)
        return _Proper(self, node, start_node, end_node)


def _noted(node: Any, to: _Recorder, **flags: Any) -> None:
    kind = type(node)
    if id(node) not in to.wanted:
        WRITERS[kind](node, to, **flags)
    elif kind in RECORDED or (kind in PARENTHESIZED and not node.lpar):
        to.before_codegen(node)
        WRITERS[kind](node, to, **flags)
        to.after_codegen(node)
    else:  # libcst knows where its code proper begins
        node._codegen(to, **flags)


class _Proper:
    """Notes a node's code proper, which may begin or end with that of a child."""

    def __init__(self, recorder: _Recorder, node: cst.CSTNode, first: cst.CSTNode | None, last: cst.CSTNode | None):
        self.recorder, self.node, self.first, self.last = recorder, node, first, last

    def __enter__(self) -> None:
        self.start = len(self.recorder.tokens)

    def __exit__(self, *error: object) -> None:
        spans = self.recorder.spans
        start = self.start if self.first is None else spans[self.first][0]
        spans[self.node] = start, len(self.recorder.tokens) if self.last is None else spans[self.last][1]
