"""Is a text Python? What Python itself says of it."""

from __future__ import annotations

import ast
import symtable
import warnings
from functools import lru_cache

import libcst as cst


def syntax_error(text: str) -> str:
    """Why a file's text is not Python, '' if it is.

    Python's own reader is asked first: it takes a tenth of libcst's time, and its symbol table also knows what is wrong
    beyond grammar (`def f(a, a)`). What it does not know may be syntax of a later Python than the one that runs here,
    so libcst has the last word there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in the user's strings
        try:
            symbols(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return _grammar_error(text) or (str(error) if _parses(text) else "")
    return ""


@lru_cache(16)
def symbols(text: str) -> symtable.SymbolTable:
    """Python's own table of a text's scopes; it is asked again for what has just been written, a few files together."""
    return symtable.symtable(text, "output", "exec")


def _grammar_error(text: str) -> str:
    try:
        cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        return error.message
    return ""


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
