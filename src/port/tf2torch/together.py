"""The files of one project from TensorFlow and Keras to PyTorch: the order of the passes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import libcst as cst

from port import imports, places, siblings, table
from port.enclosing import enclosed
from port.facts import Fact
from port.findings import CATALOGUE, Finding, Outcome
from port.result import Options, Result, writing
from port.scopes import File
from port.syntax import syntax_error
from port.tf2torch import adapt, copied, ownhelpers, renames
from port.tf2torch.calls.variables import MAKERS
from port.tf2torch.emit import Emitter, Handlers
from port.tf2torch.expressions import attributes, augmented, calls, constants, operators, subscripts
from port.tf2torch.file import Pass
from port.tf2torch.infer import links
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.project import infer
from port.tf2torch.infer.values import Function
from port.tf2torch.nested import taking
from port.tf2torch.rules import (
    build_parts,
    chosen,
    class_values,
    classes,
    drawn,
    dropout_class,
    either_order,
    evaluated,
    explicit_builds,
    held_activations,
    held_layer,
    held_once,
    inline,
    lambda_arguments,
    makers,
    named_merges,
    relocate,
    sequential_class,
    settings_spread,
    spread,
    tensor_arrays,
    traced,
    turns,
)
from port.tf2torch.rules import options as options_of
from port.tf2torch.rules.class_sizes import channel_mirrors
from port.tree import code, find, module_code
from port.units import Unit, layer_row, relinked, scoped, symbol_of
from port.wrapping import wrapped

HANDLERS = Handlers(calls.call, constants.constant, subscripts.subscript, attributes.attribute, operators.binary,
                    operators.comparison, augmented.augmented, classes.convert, adapt.ARGS, adapt.ROWS, adapt.LAYERS)


@dataclass(frozen=True)
class Reading:
    """One reading of every file, translated. `left`: how much of it stays in the source's framework."""

    units: Sequence[Unit]
    passes: Sequence[Pass]
    left: tuple[int, int]

    @cached_property
    def texts(self) -> list[str | None]:
        """The new texts, once they are asked for: many a reading is only compared. None: it would not parse."""
        _finish(self.passes)
        texts = [_text(p, u) for p, u in zip(self.passes, self.units, strict=True)]
        changed = {u for u, t in zip(self.units, texts, strict=True) if t != u.text}
        for unit, done in zip(self.units, self.passes, strict=True):
            for name, (source, _) in unit.links.items():
                if not source.wanted and source in changed and name not in done.gone:
                    done.em.report("P210", f"`{source.name}`, which `{name}` comes from, is not ported in this run: "
                                   "name both files", siblings.importing(unit.module, name))
        return texts

    def codes(self) -> set[str]:
        """Of what the statements say; what finishes them refuses nothing."""
        return {report[1] for done in self.passes for report in done.em.reports}

    def results(self) -> list[Result]:
        """Findings are placed in the files as they were written."""
        return [_result(*each) for each in zip(self.units, self.passes, self.texts, strict=True)]

    def let_go(self) -> None:
        """Forgets what is known, which is full of circles and holds the trees: else they wait for the collector."""
        it = self.passes[0].em.it
        for known in (*it.functions.values(), *it.classes.values(), *it.files, *(p.em for p in self.passes),
                      *self.passes):
            vars(known).clear()


def translate(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None = None) -> list[Result]:
    """The files, each behind those that it imports, in PyTorch; another reading is tried where much is refused."""
    if not units:
        return []
    ownhelpers.recognise(units)
    reading = _taken_out(units, options, params)
    while ownhelpers.forget(units, [node for done in reading.passes for node in done.em.kept]):
        reading = _taken_out(units, options, params)
    results = reading.results()
    reading.let_go()
    return results


def _taken_out(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None) -> Reading:
    """With builders that are defined inside functions as functions of the module, unless that serves worse."""
    leave: set[cst.CSTNode] = set()
    while moved := taking.taken_out(units, _makes_layer, leave):
        reading = _read(_with(units, [m.module for m in moved]), options, params)
        stuck = {f for m, p in zip(moved, reading.passes, strict=True) for f in taking.stuck(
            m, p.em.kept, [f for f in p.em.traced if f.file is p.em.it.file])}
        if not stuck:
            if reading.left == (0, 0):
                return reading
            plain = _read(units, options, params)
            lost = sum(taking.classes_inside(p.specs) for p in plain.passes)  # whose names nothing binds outside
            return reading if reading.left <= (plain.left[0] + lost, plain.left[1] + lost) else plain
        leave |= stuck
    return _read(units, options, params)


def _read(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None) -> Reading:
    """As the files are written, or with the classes that attributes hold written out where they are called."""
    settled = _settled(units)
    reading = _traced(_best(settled, options, params), options, params)
    if settled is not units:
        units = _as_written(units, settled, reading)
        if units is not settled:
            reading = _traced(_best(units, options, params), options, params)
    if not any("is held as a value" in r[2] for done in reading.passes for r in done.em.reports):
        return reading
    plain = [class_values.rewrite(u.module, partial(layer_row, u), [o.module for o in units]) for u in units]
    if all(p is u.module for p, u in zip(plain, units, strict=True)):
        return reading
    again = _traced(_best(_with(units, plain), options, params), options, params)
    return again if again.left < reading.left else reading


def _settled(units: Sequence[Unit]) -> Sequence[Unit]:
    """Without what no reading serves as it stands: variables and lists of different layers, layers built by hand,
    activations that only the constructor knows.
    """
    forms = [chosen.rewrite(u.module, partial(layer_row, u)) if "else:" in u.text else u.module for u in units]
    forms = [relocate.rewrite(m, mixed=True) if ".append(" in u.text else m for u, m in zip(units, forms, strict=True)]
    forms = [explicit_builds.rewrite(m, partial(_makes_layer, u), partial(layer_row, u)) if "build" in u.text else m
             for u, m in zip(units, forms, strict=True)]
    forms = [held_activations.rewrite(m, partial(layer_row, u), partial(_is_keras, u)) if "activation=" in u.text else m
             for u, m in zip(units, forms, strict=True)]
    return _with(units, forms) if any(m is not u.module for u, m in zip(units, forms, strict=True)) else units


def _as_written(units: Sequence[Unit], settled: Sequence[Unit], reading: Reading) -> Sequence[Unit]:
    """The settled files, but for what stays in Keras all the same: that is to stay as its author wrote it."""
    forms = []
    for unit, other, done in zip(units, settled, reading.passes, strict=True):
        kept = {n.name.value for n in done.em.kept if isinstance(n, cst.ClassDef | cst.FunctionDef)}
        body = [old if new is not old and code(new.name) in kept else new  # type: ignore[union-attr]
                for old, new in zip(unit.module.body, other.module.body, strict=True)]
        same = all(a is b for a, b in zip(body, other.module.body, strict=True))
        forms.append(other.module if same else other.module.with_changes(body=body))
    changed_ = any(form is not u.module for form, u in zip(forms, settled, strict=True))
    return _with(settled, forms) if changed_ else settled


def _makes_layer(unit: Unit, func: cst.BaseExpression) -> bool:
    """Is it a layer's class, of Keras or of a file of the project?"""
    if layer_row(unit, func):
        return True
    home, name = unit.links.get(code(func), (unit, code(func)))
    found = next((s for s in home.module.body if isinstance(s, cst.ClassDef) and s.name.value == name), None)
    return found is not None and any(_is_keras(home, a.value) or (code(a.value) != name and _makes_layer(
        home, a.value)) for a in found.bases)


def _is_keras(unit: Unit, base: cst.BaseExpression) -> bool:
    return symbol_of(unit, base).startswith("keras.")


def _with(units: Sequence[Unit], forms: Sequence[cst.Module]) -> list[Unit]:
    """The files with other modules."""
    others = [replace(u, module=m) for u, m in zip(units, forms, strict=True)]
    return [relinked(u, dict(zip(units, others, strict=True))) for u in others]


def _best(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None) -> Reading:
    reading = _translate(units, options, params)
    named = [_named(u, done) if "eval(" in u.text else u.module for u, done in zip(units, reading.passes, strict=True)]
    named = [tensor_arrays.rewrite(m) if "TensorArray" in u.text else m for u, m in zip(units, named, strict=True)]
    undrawn = [drawn.rewrite(m, u.bound) if "nitializer" in u.text else m for u, m in zip(units, named, strict=True)]
    weights = any(a is not b for a, b in zip(undrawn, named, strict=True))
    plain = [_plainer(u, m, units) for u, m in zip(units, undrawn, strict=True)]
    named = [_spread(u, n, units) if "**" in u.text else n for u, n in zip(units, plain, strict=True)]
    if reading.codes() & {"P206", "P208"} or any(n is not u.module for u, n in zip(units, named, strict=True)):
        moved = named
        for form in (build_parts, held_once, turns, chosen, relocate, options_of, makers):
            moved = [form.rewrite(n) for n in moved]
        if any(m is not u.module for u, m in zip(units, moved, strict=True)):
            again = _translate(_with(units, moved), options, params)
            if again.left < reading.left or (weights and again.left == reading.left):
                return again
            if any(p is not u for p, u in zip(plain, undrawn, strict=True)):  # of use where functions are traced
                return min(again, reading, key=lambda r: _traced(r, options, params).left)
    return reading


def _plainer(unit: Unit, module: cst.Module, units: Sequence[Unit]) -> cst.Module:
    """The same layers, written with nothing but Keras' own classes and their arguments."""
    if "Embedding)" in unit.text:
        module = held_layer.rewrite(module, unit.bound, [u.module for u in units], table.by_tf_name())
    if "arguments=" in unit.text:
        module = lambda_arguments.rewrite(module, unit.bound)
    if dropout_class.HOOK in unit.text and (new := dropout_class.rewrite(module, unit.bound)) is not module:
        module = class_values.rewrite(new, partial(layer_row, unit), [u.module for u in units])
    if "**" not in unit.text:
        return module
    imported = _imported(unit, units)

    def elsewhere(name: str) -> bool:
        return name in imported or any(n.attr.value == name for u in units if u is not unit
                                       for n in find(u.module, cst.Attribute))

    return settings_spread.rewrite(module, unit.bound, elsewhere)


def _imported(unit: Unit, units: Sequence[Unit]) -> set[str]:
    """What other files import from this one."""
    return {name for u in units for other, name in u.links.values() if other is unit}


def _named(unit: Unit, done: Pass) -> cst.Module:
    """What settings name by `eval`, written out."""
    here = [f for f in done.em.it.functions.values() if f.file is done.em.it.file]
    return named_merges.rewrite(evaluated.rewrite(unit.module), unit.bound, here)


def _spread(unit: Unit, module: cst.Module, units: Sequence[Unit]) -> cst.Module:
    """`**kwargs` that are only passed on, written out."""
    rows = table.by_tf_name()

    def default(func: cst.BaseExpression, name: str) -> str | None:
        found = rows.get(unit.bound.resolve(func), ())
        given = [p.default for row in found for s in row.tf for p in s.params if p.name == name]
        return given[0] if given else None

    return spread.rewrite(module, default, _imported(unit, units), [u.text for u in units if u is not unit])


def _translate(units: Sequence[Unit], options: Options, params: dict[str, Fact] | None) -> Reading:
    """Sequential models read as functional ones where that serves better."""
    leave: set[cst.Call] = set()
    while any(forms := [sequential_class.rewrite(u.module, u.bound, leave) for u in units]):
        reading = converted(units, [f or u.module for u, f in zip(units, forms, strict=True)], options, params)
        failed = {c for u, text in zip(units, reading.texts, strict=True)
                  for c in sequential_class.untranslated(u.bound, u.text if text is None else text)}
        if not failed:
            return reading
        leave |= failed
        for unit in units:
            unit.again()
    inlined = [inline.rewrite(u.module) for u in units]
    if any(i is not u.module for u, i in zip(units, inlined, strict=True)):
        reading = converted(units, inlined, options, params)
        texts = [u.text if text is None else text for u, text in zip(units, reading.texts, strict=True)]
        if not any(f".{maker}(" in text for text in texts for maker in MAKERS):
            return reading
    return converted(units, [u.module for u in units], options, params)


def converted(units: Sequence[Unit], forms: Sequence[cst.Module], options: Options,
              params: dict[str, Fact] | None) -> Reading:
    """One reading of every file, translated."""
    it, files = _facts(units, forms, params)
    passes = emitted(it, files, options, set())
    missed = [r[0] for p in passes for r in p.em.reports if r[1] in ("P102", "P208")]
    # Classes whose input width no call shows: a parameter of the constructor, where a Lazy module cannot serve.
    sizes = channel_mirrors(passes[0].em, missed) if missed else set()
    passes = _better(passes, emitted(it, files, options, sizes) if sizes else passes)
    if any(r[1] == "P208" or "has no shape to give" in r[2] for p in passes for r in p.em.reports):
        passes = _better(passes, emitted(it, files, options, set(), True))
    if kept := either_order.methods(it, (r for p in passes for r in p.em.reports)):
        it, files = _facts(units, forms, params, kept=kept)
        passes = _better(passes, either_order.told(emitted(it, files, options, set(), True), kept))
    return Reading(units, passes, _refusals(passes))


def _facts(units: Sequence[Unit], forms: Sequence[cst.Module], params: dict[str, Fact] | None, **how: Any
           ) -> tuple[Interp, Sequence[File]]:
    files = scoped(units, forms)
    links.name(files)
    with writing(""):
        return infer(files, table.by_tf_name(), params or {}, **how), files


def _better(passes: list[Pass], other: list[Pass]) -> list[Pass]:
    return other if _refusals(other) < _refusals(passes) else passes


def _traced(reading: Reading, options: Options, params: dict[str, Fact] | None) -> Reading:
    """With the functions that build what is still left in Keras as functions (rules/traced), if that serves better."""
    left = [(p.em.it.file, node) for p in reading.passes for node in p.em.kept]
    broken: set[cst.CSTNode] = set()  # a function is left whole, or not at all
    for _ in range(3):
        group, shared = traced.functions(reading.passes[0].em, left, broken) if left else ((), ())
        if not group:
            return reading
        units, nodes, origins = copied.separated(reading.units, [p.em.it.file for p in reading.passes], group, shared)
        passes = _opened(units, nodes, options, params)
        if {r[1] for p in passes for r in p.em.reports} & {"P208", "P209"}:
            passes = _better(passes, _opened(units, nodes, options, params, straight=True))
        failed = {origins[f.node] for f in passes[0].em.refused if isinstance(f, Function)} - broken
        if not failed:
            break
        broken |= failed
    other = Reading(units, passes, _refusals(passes))
    return other if other.left < reading.left else reading


def _opened(units: Sequence[Unit], nodes: Set[cst.CSTNode], options: Options, params: dict[str, Fact] | None,
            straight: bool = False) -> list[Pass]:
    """The files with these functions traced. `straight`: with the source's axes wherever these keep a tensor."""
    it, files = _facts(units, [u.module for u in units], params, open_=frozenset(nodes), straight=straight)
    return emitted(it, files, options, set(), True, frozenset(f for n, f in it.functions.items() if n in nodes))


def emitted(it: Interp, files: Sequence[File], options: Options, open_sizes: set[str], late: bool = False,
            traced_: frozenset[Function] = frozenset()) -> list[Pass]:
    """One emission of the statements of all files. `late`: classes may make their weights at the first call."""
    passes: dict[File, Pass] = {}
    first = Emitter(it, HANDLERS, open_sizes=open_sizes, late={} if late else None)
    for file in files:
        em = Emitter(it.seen_from(file), HANDLERS, open_sizes=open_sizes, class_sizes=first.class_sizes,
                     class_params=first.class_params, late=first.late, dropped=first.dropped, traced=traced_,
                     dropped_init=first.dropped_init, refused=first.refused, module_classes=first.module_classes)
        em.original_imports = imports.original_imports(file.module)
        passes[file] = Pass(em, file.module, options, passes)
    for file, made in passes.items():
        with writing(file.name):
            made.statements()
    return list(passes.values())


def _finish(passes: Sequence[Pass]) -> None:
    """What depends on the statements of all files. It refuses nothing: readings are compared without it."""
    for made in passes:
        with writing(made.em.it.file.name):
            made.out = made.finished()
    for made in passes:
        made.out = renames.renamed(made)


def _text(done: Pass, unit: Unit) -> str | None:
    """The new text; None if it would not parse."""
    new = wrapped(module_code(enclosed(done.module.with_changes(body=done.out))), unit.text)
    if error := syntax_error(new):
        done.em.reports[:] = [(None, "P901", f"the output would not parse: {error}", "")]
        return None
    return new


def _result(unit: Unit, done: Pass, text: str | None) -> Result:
    if text is None:
        return Result(unit.text, unit.text, (Finding(1, 0, "P901", done.em.reports[0][2]),))
    if text == unit.text and not done.em.reports:
        return Result(unit.text, text)
    found, edits = places.placed(done.em.reports, done.em.applied, done.em.kept, unit.written)
    return Result(unit.text, text, found, edits=edits)


def _refusals(passes: Sequence[Pass]) -> tuple[int, int]:
    """How much stays in the source's framework: lines, then places."""
    lines = sum(code(n).count("\n") + 1 for p in passes for n in p.em.kept)
    return lines, sum(CATALOGUE[r[1]].outcome is Outcome.REFUSED for p in passes for r in p.em.reports)
