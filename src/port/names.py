"""Names resolved through imports, aliases and reassignments to one canonical name per symbol.

`tf.keras.layers.Conv2D`, `from keras.src.layers import Conv2D` and `L = keras.layers; L.Conv2D` are all
`keras.layers.Conv2D`. Only module-level aliases are followed here; inference shadows them by local values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.symbols import FRAMEWORKS, canonical


def alias_text(alias: cst.ImportAlias) -> str:
    """`name` or `name as other`, without the comma and the comment that may stand behind it."""
    name = dotted_name(alias.name)  # type: ignore[arg-type]
    return name if alias.asname is None else f"{name} as {alias.asname.name.value}"  # type: ignore[union-attr]


def dotted_name(node: cst.BaseExpression) -> str:
    """'a.b.c' of an attribute chain on a name, '' for anything else."""
    parts: list[str] = []
    while type(node) is cst.Attribute:
        parts.append(node.attr.value)
        node = node.value
    if type(node) is not cst.Name:
        return ""
    parts.append(node.value)
    return ".".join(reversed(parts))


@dataclass(eq=False)
class Names:
    """Module-level bindings of names to symbols: `{'layers': 'keras.layers', 'np': 'numpy'}`."""

    bound: dict[str, str] = field(default_factory=dict)
    chains: list[list[cst.BaseExpression]] = field(default_factory=list)  # layers of Sequentials read as functional
    models: list[cst.Call] = field(default_factory=list)  # those Sequentials
    files: dict[str, Names] = field(default_factory=dict)  # of other files of the project, by what this one calls them

    def resolve(self, node: cst.BaseExpression) -> str:
        """Canonical name of an expression that is a (dotted) name bound by an import; '' otherwise."""
        return self.resolve_text(node.value if type(node) is cst.Name else dotted_name(node))

    def resolve_text(self, dotted: str) -> str:
        head, _, tail = dotted.partition(".")
        if tail and head in self.files:
            return self.files[head].resolve_text(tail)
        if head not in self.bound:
            return ""
        return canonical(f"{self.bound[head]}.{tail}" if tail else self.bound[head])

    def uses(self, direction: str) -> bool:
        return any(b.split(".")[0] in FRAMEWORKS[direction] for b in self.bound.values())


def is_import(node: Any) -> bool:
    """Is this a line that imports?"""
    return type(node) is cst.SimpleStatementLine and type(node.body[0]) in (cst.Import, cst.ImportFrom)


def import_bindings(node: cst.Import | cst.ImportFrom, package: str = "") -> dict[str, str]:
    """What an import statement binds; relative imports give names that begin with a dot."""
    found: dict[str, str] = {}
    if isinstance(node.names, cst.ImportStar):
        return found
    if isinstance(node, cst.Import):
        for alias in node.names:
            full = dotted_name(alias.name)  # type: ignore[arg-type]
            if alias.asname is not None:
                found[alias.asname.name.value] = canonical(full)  # type: ignore[union-attr]
            else:
                found[full.split(".")[0]] = canonical(full.split(".")[0])
        return found
    base = "." * len(node.relative) + (dotted_name(node.module) if node.module is not None else "")
    for alias in node.names:
        name = dotted_name(alias.name)
        bound = dotted_name(alias.asname.name) if alias.asname is not None else name  # type: ignore[arg-type]
        found[bound] = canonical(f"{base}.{name}" if not base.endswith(".") else base + name)
    return found


def collect(module: cst.Module) -> Names:
    """All imports of a file (also those in functions and `try`) and module-level aliases of them."""
    names = Names()
    for statement in _statements(module.body):
        if isinstance(statement, cst.Import | cst.ImportFrom):
            for name, symbol in import_bindings(statement).items():
                names.bound.setdefault(name, symbol)  # the first of try/except imports counts
        elif isinstance(statement, cst.Assign) and len(statement.targets) == 1:
            target = statement.targets[0].target
            symbol = names.resolve(statement.value)
            if isinstance(target, cst.Name) and symbol and target.value not in names.bound:
                names.bound[target.value] = symbol
    return names


def _statements(body):  # type: ignore[no-untyped-def]
    """Small statements in order, entering functions for their imports only."""
    for node in body:
        if type(node) is cst.SimpleStatementLine:
            yield from node.body
        elif type(node) in (cst.FunctionDef, cst.ClassDef):
            yield from (s for s in _statements(node.body.body) if type(s) in (cst.Import, cst.ImportFrom))
        elif isinstance(node, cst.If | cst.With | cst.For | cst.While):
            yield from _statements(node.body.body)
            orelse = getattr(node, "orelse", None)
            if orelse is not None:
                yield from _statements([orelse] if isinstance(orelse, cst.If) else orelse.body.body)
        elif isinstance(node, cst.Try):
            yield from _statements(node.body.body)
            for handler in node.handlers:
                yield from _statements(handler.body.body)
