"""What stands before the user's text: helpers, `init_weights`, activation names (golden 10, 11, 18)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import imports
from port.emit import Emitter
from port.tree import walk


def note(job: Any, new: cst.CSTNode) -> None:
    """Remembers which calls make the layer: their callee is found again in the finished output."""
    from port.rules.initial_parts import Site
    from port.rules.initializer_reader import arguments

    site = Site(job, arguments(job.em, job))
    for call in walk(new):
        if isinstance(call, cst.Call):
            job.em.sites.setdefault(call.func, site)


def blocks(em: Emitter, module: cst.Module, body: list[Any]) -> tuple[list[Any], set[str]]:
    """Definitions that go between imports and the user's text, and import lines that they need."""
    extra: set[str] = set()
    made: list[Any] = []
    wants_init = any(isinstance(n, cst.Name) and n.value == "init_weights" for s in body for n in walk(s))
    init = _init_weights(em) if wants_init else None
    order = imports.helper_order([h for h in em.helpers if imports.has_helper(h)])
    for name in order:
        _, lines, text = imports.helper_source(name)
        short, other = imports.import_needs(lines)
        em.need(*short)
        extra |= other
        made += cst.parse_module(text).body
    if init is not None:
        made.append(init)
    if em.activations:
        made.append(_table(em))
    return made, extra


def _table(em: Emitter) -> Any:
    entries = sorted(em.activations.items(), key=lambda kv: (kv[0] != "None", kv[0]))
    for text in em.activations.values():
        for name in ("F", "torch"):
            if f"{name}." in text:
                em.need(name)
    inner = ", ".join(f"{k}: {v}" for k, v in entries)
    text = f"ACTIVATIONS = {{{inner}}}"
    if len(text) > 100:
        text = "ACTIVATIONS = {\n" + "".join(f"    {k}: {v},\n" for k, v in entries) + "}"
    comment = cst.EmptyLine(comment=cst.Comment("# Keras names of the activations that reach this file"))
    return cst.parse_statement(text).with_changes(leading_lines=[comment])


def _init_weights(em: Emitter) -> Any:
    em.need("nn")
    text = '''def init_weights(module):
    """Initial values as in Keras: Glorot uniform kernels, zero biases."""
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
'''
    return cst.parse_statement(text)
