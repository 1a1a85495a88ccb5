"""Names that a port reads and that nothing binds: the last look at a text before it is handed out.

Every rule is to write names that are there, or to refuse. What slips through would be a NameError without a finding;
so Python's own symbol table is asked, which knows the scopes of a text without running it.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import replace

from port.findings import Finding
from port.result import Result
from port.syntax import symbols

CODE = "P206"
_METHODS = {"forward": "call", "call": "forward"}
_ALWAYS = {*vars(builtins), "__file__", "__path__", "__class__", "__builtins__"}


def told(result: Result) -> Result:
    """The result, with a finding and a comment in the port for each name that it alone reads in vain."""
    new = _loose(result.text) if result.changed else {}
    known = {name for name, *_ in _loose(result.source)} if new else set()
    missing = {place: line for place, line in new.items() if place[0] not in known}
    if not missing:
        return result
    lines, findings = result.text.split("\n"), list(result.findings)
    for (name, owner, _), at in sorted(missing.items(), key=lambda item: -item[1]):
        where = f" in `{owner}`" if owner else ""
        message = f"the port reads `{name}`{where}, and nothing there binds it: write this line by hand"
        indent = lines[at - 1][:len(lines[at - 1]) - len(lines[at - 1].lstrip())]
        lines.insert(at - 1, f"{indent}# port: {CODE} {message}")
        findings.append(Finding(_line(result.source, name, owner), 0, CODE, message))
    return replace(result, text="\n".join(lines), findings=tuple(sorted(findings)))


def _loose(text: str) -> dict[tuple[str, str, int], int]:
    """{(name, function that reads it or '', its line): line of the first statement that does}; nothing after a star
    import.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in the user's strings
        try:
            top = symbols(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # of a later Python; `syntax_error` has read it
            return {}
    tables = list(_tables(top))
    bound = _ALWAYS | {s.get_name() for t in tables for s in t.get_symbols()
                       if (t is top or s.is_declared_global()) and (s.is_assigned() or s.is_imported())}
    found = [(t, s.get_name()) for t in tables for s in t.get_symbols()
             if s.is_referenced() and s.is_global() and s.get_name() not in bound]
    if not found:
        return {}
    tree = _parsed(text)
    if any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in ast.walk(tree)):
        return {}
    return _placed(tree, [(name, t.get_lineno() if t is not top else 0) for t, name in found])


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _placed(tree: ast.Module, wanted: list[tuple[str, int]]) -> dict[tuple[str, str, int], int]:
    """`wanted`: names, each with the line where its scope begins, 0 for the module."""
    found: dict[tuple[str, str, int], int] = {}
    for name, begin in wanted:
        scope = next((n for n in ast.walk(tree) if getattr(n, "lineno", 0) == begin and isinstance(
            n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)), tree)
        for statement in ast.walk(scope):
            if isinstance(statement, ast.stmt) and any(
                    isinstance(n, ast.Name) and n.id == name for n in _own(statement)):
                found.setdefault((name, getattr(scope, "name", ""), begin), statement.lineno)
                break
    return found


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without those of statements in it."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        todo += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _line(source: str, name: str, owner: str) -> int:
    """The line of the source that speaks of it: by the name, else by the function that reads it."""
    nodes = [n for n in ast.walk(_parsed(source)) if hasattr(n, "lineno")]
    places = [n.lineno for n in nodes if isinstance(n, ast.Name) and n.id == name]
    places += [n.lineno for n in nodes if getattr(n, "name", "") in (owner, _METHODS.get(owner, owner))]
    return min(places[:1], default=1)
