"""What skipped code binds and reads, what depends on it, and what it still needs once the file around it is ported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from port.findings import Finding

Definition = ast.stmt
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
_IDLE = (ast.Import, ast.ImportFrom, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)


@dataclass(frozen=True)
class Region:
    """Statements on lines `start` to `end` that are left alone."""

    nodes: tuple[ast.stmt, ...]
    start: int
    end: int
    column: int
    head: str  # what stands before the call that stands for them: `x = `, `return `
    reads: tuple[str, ...]  # variables
    binds: tuple[str, ...]  # names; `self.x` for attributes
    imported: tuple[str, ...]  # names read in it that imports bind
    scope: ast.stmt | None  # the function or class around it
    owner: ast.ClassDef | None
    imports: bool = False  # nothing to hide: they bind what they say

    @property
    def below(self) -> int:
        return self.end - self.start


def region(module: ast.Module, chain: Sequence[Definition]) -> Region | None:
    """The last statement of the chain, with those on its lines; None if nothing can stand for it where it is."""
    node = chain[-1]
    nodes = _beside(module, chain)
    around = [n for n in chain[:-1] if isinstance(n, DEFINITIONS)]
    scope = around[-1] if around else None
    owner = next((n for n in reversed(around) if isinstance(n, ast.ClassDef)), None)
    idle = all(isinstance(n, _IDLE) for n in nodes)
    head = "" if idle else _head(module, nodes)
    if head is None or (not idle and any(_leaves(n) for n in nodes)):
        return None
    start = min(min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", []))]) for n in nodes)
    end = max(n.end_lineno or 0 for n in nodes)
    reads, local = _loads(nodes), _variables(module if scope is None else scope, nodes)
    variables = [] if isinstance(node, DEFINITIONS) and scope is None else [
        n for n in reads if n in local and n not in ("self", "cls")]
    bound = imports(module) | {n: s for f in around for n, s in imports(f).items()}
    names = bound.keys() if idle else bound.keys() & reads.keys()
    if idle:
        names &= {n for s in nodes for n in _stores(s)}
    return Region(nodes, start, end, nodes[0].col_offset, head, tuple(variables), tuple(_binds(module, nodes)),
                  tuple(n for n in bound if n in names), scope, owner, idle)


def _beside(module: ast.Module, chain: Sequence[Definition]) -> tuple[ast.stmt, ...]:
    node = chain[-1]
    parent: ast.AST = chain[-2] if len(chain) > 1 else module
    for body in (getattr(p, name, None) for p in ast.walk(parent) for name in ("body", "orelse", "finalbody")):
        if isinstance(body, list) and node in body:
            return tuple(s for s in body if s.lineno <= (node.end_lineno or 0) and node.lineno <= (s.end_lineno or 0))
    return (node,)


def _head(module: ast.Module, nodes: Sequence[ast.stmt]) -> str | None:
    last = nodes[-1]
    if isinstance(last, ast.Return | ast.Raise):
        word = "return" if isinstance(last, ast.Return) else "raise"
        return f"{word} " if len(nodes) == 1 else None
    binds = _binds(module, nodes)
    return f"{', '.join(binds)} = " if binds else ""


def _leaves(node: ast.AST, inside: bool = False, loop: bool = False) -> bool:
    """Does it return, yield, or leave a loop around it, from inside of a statement?"""
    if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) or (isinstance(node, ast.Return) and inside):
        return True
    if isinstance(node, ast.Break | ast.Continue):
        return not loop
    if isinstance(node, (*DEFINITIONS, ast.Lambda)):
        return False
    loop = loop or isinstance(node, LOOPS)
    return any(_leaves(child, True, loop) for child in ast.iter_child_nodes(node))


# ---------------------------------------------------------------- names
def _stores(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds where it stands."""
    if isinstance(node, DEFINITIONS):
        yield node.name
        return
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (a.asname or a.name.split(".")[0] for a in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    for child in ast.iter_child_nodes(node):
        yield from _stores(child)


def _binds(module: ast.Module, nodes: Sequence[ast.stmt]) -> list[str]:
    """Names and attributes that the statements bind, and variables that they may change."""
    found = {name: None for node in nodes for name in _stores(node)}
    fixed = imports(module).keys() | {n.name for n in module.body if isinstance(n, DEFINITIONS)}
    for node in (n for s in nodes if not isinstance(s, DEFINITIONS) for n in ast.walk(s)):
        changed: ast.AST | None = None
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            changed = node
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changed = node.value
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(
                node.value.func, ast.Attribute):
            changed = node.value.func.value
        if isinstance(changed, ast.Name) and changed.id not in (*fixed, "self", "cls"):
            found[changed.id] = None
        elif isinstance(changed, ast.Attribute) and isinstance(changed.value, ast.Name) and (
                changed.value.id not in fixed):
            found[ast.unparse(changed)] = None
    return list(found)


def _loads(nodes: Iterable[ast.AST]) -> dict[str, None]:
    return {n.id: None for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}


def _variables(scope: ast.AST, without: Sequence[ast.stmt]) -> set[str]:
    """Variables of a function or module that other statements than these bind."""
    found: set[str] = set()
    if isinstance(scope, FUNCTIONS):
        a = scope.args
        found |= {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if p is not None}
    todo: list[ast.AST] = list(getattr(scope, "body", []))
    while todo:
        node = todo.pop()
        if node in without or isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        todo += ast.iter_child_nodes(node)
    return found


def imports(scope: ast.AST) -> dict[str, ast.stmt]:
    """Names that the imports of a module or function bind, each with the smallest statement that does."""
    found: dict[str, ast.stmt] = {}
    todo: list[ast.AST] = list(getattr(scope, "body", []))
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Import):
            for a in node.names:
                found.setdefault(a.asname or a.name.split(".")[0], ast.Import([a]))
        elif isinstance(node, ast.ImportFrom):
            for a in node.names:
                found.setdefault(a.asname or a.name, ast.ImportFrom(node.module, [a], node.level))
        elif isinstance(node, COMPOUND):
            todo += [c for c in ast.walk(node) if isinstance(c, ast.Import | ast.ImportFrom)]
    return found


# ---------------------------------------------------------------- what depends on it
def dependents(module: ast.Module, regions: Sequence[Region]) -> list[Finding]:
    """Every statement outside that uses what a region binds: nothing is known of that, and nothing is guessed."""
    skipped = {n for r in regions for s in r.nodes for n in ast.walk(s)}
    found: dict[tuple[int, str], Finding] = {}
    for name, scope, attribute, line in [b for r in regions if not r.imports for b in _seen(module, r)]:
        for statement in scope:
            use = next((n for n in _uses(statement, name, attribute) if n not in skipped), None)
            if use is not None:
                said = Finding(use.lineno, use.col_offset, "P211", f"`{name}` comes from code that is skipped (line "
                               f"{line}): nothing is known of it here", use.end_lineno or 0, use.end_col_offset or 0)
                found.setdefault((use.lineno, name), said)
    return list(found.values())


def _seen(module: ast.Module, region: Region) -> Iterator[tuple[str, list[ast.stmt], bool, int]]:
    """(name, statements that may use it, is it an attribute, line of the region) of what a region binds."""
    scope, line = region.scope, region.start
    for name in region.binds:
        if "." in name:
            yield name.split(".")[-1], list((region.owner or module).body), True, line
        elif isinstance(scope, ast.ClassDef):
            yield name, list(scope.body), True, line
        else:
            yield name, [s for s in (scope or module).body if s not in region.nodes], False, line  # type: ignore
    if region.head == "return " and isinstance(scope, FUNCTIONS):
        if region.owner is not None and scope in region.owner.body:
            special = scope.name in ("call", "forward", "__call__")
            yield (region.owner.name if special else scope.name), list(module.body), not special, line
        else:
            yield scope.name, list(module.body), False, line


def _uses(node: ast.AST, name: str, attribute: bool) -> Iterator[ast.expr]:
    found: list[ast.expr] = [n for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr == name
                             ] if attribute else [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]
    yield from (n for n in found if isinstance(n.ctx, ast.Load))  # type: ignore[attr-defined]


# ---------------------------------------------------------------- what it needs
def missing(module: ast.Module, regions: Sequence[Region], new: str) -> tuple[list[str], list[Finding]]:
    """Statements of the module that skipped code needs and the new text lacks; and what it uses that is ported."""
    output = ast.parse(new)
    before, after = _module_level(module), _module_level(output)
    inner = {n: s for f in ast.walk(output) if isinstance(f, FUNCTIONS) for n, s in imports(f).items()}
    own = {n for r in regions for s in r.nodes for n in ast.walk(s)}
    added: dict[str, None] = {}
    said: list[Finding] = []
    for region_ in regions:
        todo = list(_loads(region_.nodes))
        local = imports(region_.scope) if region_.scope is not None else {}
        seen: set[str] = set()
        while todo:
            name = todo.pop(0)
            source = local.get(name) or before.get(name)
            if name in seen or source is None or source in own:
                continue
            seen.add(name)
            target = after.get(name) or (inner.get(name) if name in local else None)
            if target is not None and ast.dump(source) == ast.dump(target):
                continue
            if target is None and not isinstance(source, DEFINITIONS):
                added[ast.unparse(source)] = None
                todo += _loads([source])
            else:
                said.append(Finding(region_.start, region_.column, "P211", f"the skipped code uses `{name}`, which is "
                                    "ported now"))
    return list(reversed(added)), said


def _module_level(module: ast.Module) -> dict[str, ast.stmt]:
    """What imports, definitions and single assignments of the module bind."""
    found: dict[str, ast.stmt] = dict(imports(module))
    for node in module.body:
        if isinstance(node, DEFINITIONS):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node)
    return found
