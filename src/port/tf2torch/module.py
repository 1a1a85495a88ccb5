"""One file from TensorFlow and Keras to PyTorch: the order of the passes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import imports, names, places, table
from port.facts import Fact
from port.findings import CATALOGUE, Finding, Outcome
from port.result import Options, Result
from port.tf2torch import adapt
from port.tf2torch.emit import Emitter, Handlers
from port.tf2torch.expressions import attributes, calls, constants, subscripts
from port.tf2torch.file import Pass
from port.tf2torch.infer.interp import Interp, infer
from port.tf2torch.rules import classes, inline, sequential_class
from port.tf2torch.rules.class_sizes import channel_mirrors
from port.tree import code, module_code, syntax_error


def translate(text: str, module: cst.Module, bound: names.Names, options: Options,
              params: dict[str, Fact] | None) -> Result:
    """`module`, parsed from `text`, in PyTorch; the readings of it that may serve better are tried first."""
    leave: set[cst.Call] = set()
    while (functional_form := sequential_class.rewrite(module, bound, leave)) is not None:
        result = converted(text, functional_form, module, bound, options, params)
        failed = sequential_class.untranslated(bound, result.text)
        if not failed:
            return result
        leave |= failed
        bound = names.collect(module)
    in_build = inline.rewrite(module)
    if in_build is not module:
        result = converted(text, in_build, module, names.collect(in_build), options, params)
        if not any(f".{maker}(" in result.text for maker in inline.MAKERS):
            return result
    return converted(text, module, module, bound, options, params)


def converted(text: str, module: cst.Module, written: cst.Module, bound: names.Names, options: Options,
              params: dict[str, Fact] | None) -> Result:
    """`module` translated; findings are placed in the module as it was `written`."""
    it = infer(module, bound, table.by_tf_name(), params or {})
    em, body = emitted(it, module, options, set())
    if any(r[1] in ("P102", "P208") for r in em.reports) and (open_sizes := channel_mirrors(em)):
        # Classes whose input width no call shows: a parameter of the constructor, where a Lazy module cannot serve.
        other, other_body = emitted(it, module, options, open_sizes)
        if _refusals(other) < _refusals(em):
            em, body = other, other_body
    new = module_code(module.with_changes(body=body))
    if error := syntax_error(new):
        return Result(text, text, (Finding(1, 0, "P901", f"the output would not parse: {error}"),))
    return Result(text, new, places.findings(em.reports, written))


HANDLERS = Handlers(calls.call, constants.constant, subscripts.subscript, attributes.attribute, classes.convert,
                    adapt.ARGS, adapt.ROWS, adapt.LAYERS)


def emitted(it: Interp, module: cst.Module, options: Options, open_sizes: set[str]) -> tuple[Emitter, list[Any]]:
    """One emission of the whole file."""
    em = Emitter(it, HANDLERS, open_sizes=open_sizes)
    em.original_imports = imports.original_imports(module)
    return em, Pass(em, module, options).run()


def _refusals(em: Emitter) -> tuple[int, int]:
    """How much stays in the source's framework: lines, then places."""
    lines = sum(code(n).count("\n") + 1 for n in em.kept)
    return lines, sum(CATALOGUE[r[1]].outcome is Outcome.REFUSED for r in em.reports)
