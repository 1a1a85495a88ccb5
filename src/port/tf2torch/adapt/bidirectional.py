"""Bidirectional: torch's own modules where they suffice, else the helper around two RNNs."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.tf2torch.adapt.cells import keyword_arg, made_call, rnn_module
from port.tf2torch.adapt.recurrent import Helper, Native, _native_module, _no_dropout, native
from port.tf2torch.adapt.settings import Settings, settings
from port.tf2torch.adapt.uses import uses
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.layers import layer_job
from port.tf2torch.calls.making import Plan
from port.tf2torch.infer.values import LayerCall
from port.tf2torch.initial.sites import note

MODES = ("concat", "sum", "ave", "mul", None)
SEQUENCES = {"concat": "{r}[0]", "sum": "{r}[0].unflatten(-1, (2, -1)).sum(-2)",
             "ave": "{r}[0].unflatten(-1, (2, -1)).mean(-2)", "mul": "{r}[0].unflatten(-1, (2, -1)).prod(-2)",
             None: "{r}[0].chunk(2, -1)"}
LAST = {"concat": "{h}.transpose(0, 1).flatten(1)", "sum": "{h}.sum(0)", "ave": "{h}.mean(0)", "mul": "{h}.prod(0)",
        None: "{h}.unbind(0)"}


def bidirectional(job: Job) -> Plan:
    mode = job.literal("merge_mode")
    if mode not in MODES:
        raise job.refuse("P202", "`merge_mode` is not a literal that Keras knows")
    inner, s = _inner(job, "layer")
    if s.backwards:
        raise job.refuse("P206", "Bidirectional around a layer that goes backwards")
    found = uses(job)
    backward = job.given("backward_layer") and job.literal("backward_layer") is not None
    own_state = any(u.given(job.em, "initial_state") is not None for u in found)
    if not backward and not s.state and not own_state and _fits(job, inner, s, found):
        if inner.literal("dropout", 0) not in (0, 0.0):
            job.em.report("P103", "one draw of dropout serves both directions; Keras draws one for each", job.node)
        return Plan(inner, True, inner.row.attr, lambda: _native_module(inner, s, True),
                    Both(job, s, inner, mode))
    _no_dropout(inner, "`dropout` inside this Bidirectional")
    other = _inner(job, "backward_layer") if backward else (inner, s)

    def make() -> cst.BaseExpression:
        with job.em.at_build():
            return _helper(job, (inner, s), other, mode, bool(backward))

    return Plan(job, True, job.row.attr, make, BothHelper(job, s, inner, mode))


def _fits(job: Job, inner: Job, s: Settings, found: list[Any]) -> bool:
    """As for one direction; the flags of packed sequences are those of the Bidirectional layer."""
    return native(job, s, found, wrapped=True)


def _inner(job: Job, name: str) -> tuple[Job, Settings]:
    node = job.bound.args[name]
    layer = job.em.fact(node).payload
    if not isinstance(layer, LayerCall) or layer.node is not node:
        raise job.refuse("P206", "Bidirectional around a layer that is held by a variable; write it inside")
    inner = layer_job(job.em, layer, job.x)
    if inner.row.via != "rnn":
        raise job.refuse("P206", f"Bidirectional around `{layer.symbol}`")
    inner.inputs, inner.want = job.inputs, job.want
    return inner, settings(inner)


def _helper(job: Job, ahead: tuple[Job, Settings], back: tuple[Job, Settings], mode: Any, backward: bool) -> cst.Call:
    """`Bidirectional(RNN(LSTMCell(...)), RNN(LSTMCell(...), go_backwards=True), merge_mode='sum')`."""
    job.em.helper("Bidirectional")
    args = []
    for (inner, s), turned in ((ahead, False), (back, not backward)):
        new = rnn_module(inner, s, backwards=turned)
        note(inner, new)
        args.append(cst.Arg(new))
    if backward and not back[1].backwards:
        raise job.refuse("P202", "a `backward_layer` without go_backwards=True")
    if mode != "concat":
        args.append(keyword_arg("merge_mode", job.expr("merge_mode")))
    return made_call("Bidirectional", args)


class Both(Native):
    def __init__(self, job: Job, s: Settings, inner: Job, mode: Any):
        super().__init__(job, s, inner)
        self.mode = mode

    def picked(self, made: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
        layer = self.job.em.it.layers[self.job.node]
        if layer.gives_packed:
            return build("{r}[0]", r=made)
        if self.s.sequences:
            return build(SEQUENCES[self.mode], r=made)
        return build(LAST[self.mode].replace("{h}", "{r}[1][0]" if self.s.kind == "lstm" else "{r}[1]"), r=made)


class BothHelper(Helper):
    def __init__(self, job: Job, s: Settings, inner: Job, mode: Any):
        super().__init__(job, s, inner)
        self.mode = mode

    def result(self, callee: Any, x: cst.BaseExpression, state: cst.BaseExpression | None,
               mask: cst.BaseExpression | None, node: cst.Call) -> cst.BaseExpression:
        if mask is not None and self.mode is None and self.s.sequences is not False:
            raise self.job.refuse("P206", "a mask reaches a Bidirectional layer that returns both sequences")
        return super().result(callee, x, state, mask, node)


LAYERS = {"bidirectional": bidirectional}
