"""The text of nodes. libcst's own printing asks every node, each white space too, through four calls and a context
manager or two; the commonest kinds are written here straight away, and what is not listed prints itself."""

from __future__ import annotations

import re

import libcst as cst

from port.printing.expressions import EXPRESSIONS
from port.printing.printer import OneLine, Printer
from port.printing.statements import STATEMENTS

WRITERS = {**EXPRESSIONS, **STATEMENTS}


def printed(node: cst.CSTNode, indent: str, newline: str) -> str:
    printer = Printer(indent, newline, WRITERS)
    printer.put(node)
    return "".join(printer.tokens)


_TIGHT = re.compile(rf"(?<=[(\[{{]){OneLine.MARK}+|{OneLine.MARK}+(?=[)\]}}.])|(?<=\.){OneLine.MARK}+")


def on_one_line(node: cst.CSTNode) -> str:
    """The text of an expression as it would be without its line breaks, but for those behind comments."""
    printer = OneLine("    ", "\n", WRITERS)
    printer.put(node)
    text = "".join(printer.tokens)
    return _TIGHT.sub("", text).replace(OneLine.MARK, " ") if OneLine.MARK in text else text
