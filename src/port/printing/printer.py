"""Tokens of the text of nodes, as they are collected: libcst's own state, with short cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

Writers = Mapping[type, Callable[..., None]]
_NOWHERE = nullcontext()


class Printer(CodegenState):
    """Collects the tokens; `put` writes one node, with the flags that libcst's own method for it takes."""

    def __init__(self, indent: str, newline: str, writers: Writers):
        self.default_indent, self.default_newline, self.provider = indent, newline, None  # what a dataclass does slowly
        self.indent_tokens: list[str] = []
        self.tokens: list[str] = []
        self.writers = writers

    def put(self, node: cst.CSTNode, **flags: Any) -> None:
        writer = self.writers.get(type(node))
        if writer is None:
            node._codegen(self, **flags)
        else:
            writer(node, self, **flags)

    def record_syntactic_position(self, node: cst.CSTNode, *, start_node: Any = None,
                                  end_node: Any = None) -> Any:
        return _NOWHERE

    # ------------------------------------------------------------ white space
    def space(self, node: Any) -> None:
        if type(node) is cst.SimpleWhitespace:
            self.tokens.append(node.value)
        else:  # over several lines
            self.line_end(node.first_line)
            self.lines(node.empty_lines)
            if node.indent:
                self.add_indent_tokens()
            self.tokens.append(node.last_line.value)

    def line_end(self, node: cst.TrailingWhitespace | cst.EmptyLine) -> None:
        self.tokens.append(node.whitespace.value)
        if node.comment is not None:
            self.tokens.append(node.comment.value)
        self.tokens.append(self.default_newline if node.newline.value is None else node.newline.value)

    def lines(self, nodes: Iterable[cst.EmptyLine]) -> None:
        for node in nodes:
            if node.indent:
                self.add_indent_tokens()
            self.line_end(node)

    def spaced(self, before: Any, token: str, after: Any) -> None:
        if type(before) is type(after) is cst.SimpleWhitespace:
            self.tokens += before.value, token, after.value
            return
        self.space(before)
        self.tokens.append(token)
        self.space(after)

    def comma(self, node: Any, default: str) -> None:
        if type(node) is cst.Comma:
            self.spaced(node.whitespace_before, ",", node.whitespace_after)
        elif node is cst.MaybeSentinel.DEFAULT:
            self.tokens.append(default)


def breaks(space: Any) -> bool:
    """Is it the white space of a line break inside brackets?"""
    return type(space) is cst.ParenthesizedWhitespace


def remarks(space: Any) -> bool:
    """Does a comment stand in it?"""
    return space.first_line.comment is not None or any(line.comment for line in space.empty_lines)


class OneLine(Printer):
    """Line breaks inside brackets become marks, unless a comment stands in them; a comma at the end goes."""

    MARK = "\0"  # no source holds it

    def space(self, node: Any) -> None:
        if not breaks(node) or remarks(node):
            return super().space(node)
        self.tokens.append(self.MARK)

    def comma(self, node: Any, default: str) -> None:
        if default or type(node) is not cst.Comma or (breaks(node.whitespace_after) and remarks(node.whitespace_after)):
            return super().comma(node, default)
        if breaks(node.whitespace_after):
            self.tokens.append(self.MARK)
