"""The text of nodes. libcst's own printing asks every node, each white space too, through four calls and a context
manager or two; the commonest kinds are written here straight away, and what is not listed prints itself."""

from __future__ import annotations

import libcst as cst

from port.printing.expressions import EXPRESSIONS
from port.printing.printer import Printer
from port.printing.statements import STATEMENTS

WRITERS = {**EXPRESSIONS, **STATEMENTS}


def printed(node: cst.CSTNode, indent: str, newline: str) -> str:
    printer = Printer(indent, newline, WRITERS)
    printer.put(node)
    return "".join(printer.tokens)
