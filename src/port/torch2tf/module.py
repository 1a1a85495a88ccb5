"""One file: facts, then statement by statement into Keras, then the imports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port import imports, places, siblings, table
from port.enclosing import enclosed
from port.facts import Fact
from port.findings import CATALOGUE, Finding, Outcome
from port.names import is_import
from port.result import Options, Result, writing
from port.scopes import File
from port.syntax import syntax_error
from port.torch2tf import (
    apart,
    classes,
    compound,
    elsewhere,
    holding,
    importing,
    influence,
    leaving,
    links,
    owngradients,
    ownhelpers,
    refusals,
    waiting,
)
from port.torch2tf.interp import infer
from port.torch2tf.refusals import Part
from port.torch2tf.refused import Refused
from port.torch2tf.write import Writer
from port.tree import loads, memo, module_code, named, walk
from port.units import Unit, scoped
from port.wrapping import wrapped

ROUNDS = 2  # in which functions that stay in PyTorch may be found, and what others are without them


@dataclass(eq=False)
class Written:
    """One file that is being written."""

    unit: Unit
    w: Writer
    parts: list[Part]


def translate(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None = None) -> list[Result]:
    """The files of a project, each behind those that it imports, as Keras 3 code."""
    if not units:
        return []
    written_as: dict[cst.CSTNode, cst.CSTNode] = {}
    copies: dict[cst.CSTNode, cst.CSTNode] = {}
    helpers: dict[cst.CSTNode, str] = {node: name for u in units for node in u.module.body
                                       if (name := ownhelpers.name_of(node))}
    for unit in units:
        unit.module, gradients = owngradients.read(unit.module, unit.bound)
        unit.module, held = holding.read(unit.module, unit.bound, helpers)
        unit.module, under, more = apart.read(unit.module, held)
        written_as |= gradients | held | under
        copies |= more
    files = scoped(units, [u.module for u in units])
    left = elsewhere.branches(files)

    def read(left: dict[cst.CSTNode, Refused]) -> list[Written]:
        return _read(units, files, params, helpers, options, written_as, left)

    done = _written(read(left), copies)
    freed = False
    for turn in range(ROUNDS):
        new = {n: r for n, r in waiting.readers(done).items() if n not in left}
        freed = freed or _frees(done, left, read)
        if freed and refusals.blocked(done):
            new |= refusals.staying(done, left, last=turn > 0) or refusals.staying(done, left)
        if not new:
            break
        left |= new  # what these functions pass to others is no matter
        done[0].w.it.let_go()
        done = _written(read(left), copies)
    refusals.spread(done, written)
    for one in done:
        one.parts = [part for part in one.parts if part.node not in copies]
    results = [_result(one) for one in done]
    done[0].w.it.let_go()
    for file in files:
        vars(file).clear()
    return results


def _read(units: Sequence[Unit], files: Sequence[File], params: dict[str, Fact] | None,
          helpers: dict[cst.CSTNode, str], options: Options, written_as: dict[cst.CSTNode, cst.CSTNode],
          left: dict[cst.CSTNode, Refused]) -> list[Written]:
    """What the files say, and nothing written yet; the functions of `left` stay in PyTorch."""
    with writing(""):
        it = infer(files, table.by_torch_name(), params, helpers, options.layout == "native", left)
    trained = classes.trained(it)
    taken = {link for file in files for link in file.links.values()}
    open_ = {other for file in files for other in file.stars}
    found: list[Written] = []
    for unit, file in zip(units, files, strict=True):
        w = Writer(it.seen_from(file), options, bound=own_names(unit.module), target=options.target, trained=trained,
                   left=dict(left))
        w.exported = frozenset(n for n in file.names.bound if file in open_ or (file, n) in taken)
        w.written_as = written_as
        w.original_imports = originals(file, dict(zip(files, units, strict=True)))
        found.append(Written(unit, w, []))
    return found


def _written(files: list[Written], copies: dict[cst.CSTNode, cst.CSTNode]) -> list[Written]:
    """The files with their statements in Keras."""
    for one in files:
        with writing(one.unit.name):
            one.parts = [written(one.w, node) for node in one.unit.module.body] if one.unit.wanted else []
        apart.settle(one.parts, copies)
    return files


def _frees(done: list[Written], left: dict[cst.CSTNode, Refused],
           read: Callable[[dict[cst.CSTNode, Refused]], list[Written]]) -> bool:
    """Is some module that is blocked ported once nothing hangs on what the functions pass on that stay anyway?

    The files are read for that, and only these modules written.
    """
    blocked = {part.node: one.unit for one in done for part in refusals.blocked([one])}
    new = refusals.staying(done, left) if blocked else {}
    it = done[0].w.it
    if not new or not influence.reaches(it, new, [it.classes[node] for node in blocked]):
        return False
    names = [(one.w.it.globals, dict(one.w.it.globals.names)) for one in done]
    again = read(left | new)
    freed = any(written(one.w, node).refusal is None for one in again for node in blocked
                if blocked[node] is one.unit)
    again[0].w.it.let_go()
    for env, known in names:
        env.names.update(known)
    return freed


def originals(file: File, units: dict[File, Unit]) -> dict[str, str]:
    """Name to the smallest import that binds it; symbols of PyTorch that another file imports come from PyTorch."""
    found = {**imports.original_imports(units[file].module)}
    for name in importing.passed_on(file):
        home, symbol = links.source(file, name)
        line = imports.original_imports(units[home].module).get(symbol, "")
        found[name] = line if name == symbol else f"{line.partition(' as ')[0]} as {name}"
    for other in file.stars:
        found = {**imports.original_imports(units[other].module), **found}
    return found


def _result(one: Written) -> Result:
    unit, w = one.unit, one.w
    for part in one.parts:
        w.needs |= part.needs
        w.helpers |= part.helpers
        w.reports += part.reports
    bring_back_helpers(w, one.parts)
    body: list[Any] = []
    for part in one.parts:
        body += kept(w, part, unit.module) if part.refusal is not None else part.made
    read = frozenset[str]().union(*(loads(node) for node in unit.module.body if not is_import(node)))
    for name, (other, _) in unit.links.items():
        if not other.wanted and other.bound.uses("torch2tf") and name in read:
            w.report("P210", f"`{other.name}`, which `{name}` comes from, is not ported in this run: name both files",
                     siblings.importing(unit.module, name))
    module = unit.module
    body = importing.rewrite(w, body, list(module.body), importing.helper_blocks(w))
    new = wrapped(module_code(enclosed(module.with_changes(body=body))), unit.text)
    if error := syntax_error(new):
        return Result(unit.text, unit.text, (Finding(1, 0, "P901", f"the output would not parse: {error}"),))
    if new == unit.text and not w.reports:
        return Result(unit.text, new)
    found, edits = places.placed(w.reports, w.applied, w.kept, unit.written)
    return Result(unit.text, new, found, edits=edits)


@memo
def own_names(module: cst.Module) -> frozenset[str]:
    """Names that the file's own code binds: parameters, variables, functions."""
    found: set[str] = set()
    for n in walk(module):
        if type(n) in (cst.Param, cst.FunctionDef, cst.ClassDef):
            found.add(n.name.value)  # type: ignore[attr-defined]
        elif type(n) in (cst.AssignTarget, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr):
            target = n.target  # type: ignore[attr-defined]
            found |= set() if type(target) is cst.Attribute else named(target)
    return frozenset(found)


def written(w: Writer, node: Any) -> Part:
    """One statement of the module in Keras; what it needs is noted with it, in case it is refused later."""
    part = Part(node)
    saved = (w.needs, w.helpers, w.reports)
    w.needs, w.helpers, w.reports = part.needs, part.helpers, part.reports
    try:
        if instead := importing.defined_instead(w, node):
            part.made = [made for definition in instead for made in compound.statement(w, definition)]
            above = node.leading_lines or [cst.EmptyLine(indent=False)] * 2
            part.made[0] = part.made[0].with_changes(leading_lines=above)
        elif imports.is_fallback(node, importing.ROOTS) or is_import(node):
            part.made = [node]
        elif node in w.it.helpers:
            part.made = []
        elif node in w.left:
            part.refusal = w.left[node]
        else:
            part.made = compound.statement(w, node)
    except Refused as refusal:
        part.refusal = refusal.kept()
        if node in w.written_as and not {*walk(refusal.node or node)} & {*walk(w.written_as[node])}:
            refusal.node = node  # of code that the class has only as it is read
    finally:
        w.needs, w.helpers, w.reports = saved
        w.function, w.cls, w.attribute, w.targets, w.value = None, None, "", 0, None
    return part


def bring_back_helpers(w: Writer, parts: list[Part]) -> None:
    """Helpers of tf2torch that are still called: by code that stays in PyTorch."""
    todo: list[cst.CSTNode] = [p.node for p in parts if p.refusal is not None]
    todo += w.left
    by_name = {name: node for node, name in w.it.helpers.items()}
    while todo:
        for name in sorted(named(todo.pop()) & by_name.keys()):
            node = by_name.pop(name)
            part = next(p for p in parts if p.node is node)
            part.made = [node]
            w.top_level |= w.framework_names(node)
            todo.append(node)


def kept(w: Writer, part: Part, module: cst.Module) -> list[Any]:
    """The statement as it was, with the reason above it."""
    assert part.refusal is not None
    w.kept.append(part.node)
    node: Any = w.written_as.get(part.node, part.node)
    if isinstance(node, cst.FunctionDef):
        node = leaving.with_imports(w, node)
    else:
        w.top_level |= w.framework_names(node)
    return [leaving.marked(node, part.refusal, module.header if part.node is module.body[0] else ())]


def left(reports: list[Any]) -> int:
    return sum(CATALOGUE[code].outcome is Outcome.REFUSED for _, code, _, _ in reports)
