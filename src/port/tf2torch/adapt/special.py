"""Layers with a form of their own: wrappers, masks, slopes, known statistics, convolutional recurrence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout
from port.table import Arg
from port.tf2torch import masking as masks
from port.tf2torch.adapt.cells import function_value, keyword_arg, made_call
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.layers import own_modules, plan
from port.tf2torch.calls.making import Plan, as_lambda, fill, module_call, module_plan, prepare
from port.tf2torch.infer.values import GraphModel, Instance, LayerCall, SequentialModel, find_method
from port.tf2torch.initial.sites import note

BY_BATCH = {"BatchNormalization", "SyncBatchNormalization", "SpectralNormalization"}
ITSELF = {"Dense", "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "LayerNormalization", "Embedding", "Rescaling"}


# ---------------------------------------------------------------- wrappers
def time_distributed(job: Job) -> Plan:
    """The layer itself where it acts on the last axis anyway; else steps joined to the batch, or each by itself."""
    node = job.bound.args["layer"]
    inner = job.em.fact(node)
    layer = inner.payload
    if isinstance(layer, LayerCall):
        if layer.node is not node:
            raise job.refuse("P206", "TimeDistributed around a layer that is held by a variable; write it inside")
        if layer.symbol.rpartition(".")[2] in ITSELF and _last_axis(job, layer):
            return plan(job.em, layer, job.x, job.sequential)
    elif not isinstance(layer, Instance | SequentialModel) and inner.kind is not Kind.MODEL:
        raise job.refuse("P206", "TimeDistributed around something that is not known")
    if job.inputs and job.inputs[0].mask is not None:
        raise job.refuse("P206", "a mask reaches TimeDistributed")
    flips = isinstance(layer, LayerCall) and layer.row is not None and layer.row.layout == "nchw"
    job.want = Layout.PLAIN
    return _steps(job, node, layer, flips)


def _by_batch(job: Job, layer: Any) -> bool:
    """May a layer in there look at the whole batch, which is each step's own in Keras?"""
    held = [layer] if isinstance(layer, LayerCall) else job.em.it.layers.values()
    known = isinstance(layer, LayerCall | Instance | SequentialModel | GraphModel)
    return not known or any(masks.name_of(one) in BY_BATCH for one in held)


def _last_axis(job: Job, layer: LayerCall) -> bool:
    node = layer.bound.get("axis")
    return node is None or job.em.fact(node).literal(...) == -1


def _steps(job: Job, node: cst.BaseExpression, layer: Any, flips: bool) -> Plan:
    em = job.em
    arrives = layer.inputs[-1] if isinstance(layer, LayerCall) and layer.inputs else None
    spatial = flips and arrives is not None and arrives.rank is not None and arrives.rank > 2
    leaves = layer.outputs[-1] if isinstance(layer, LayerCall) and layer.outputs else None
    back = spatial and leaves is not None and (leaves.rank or 0) > 2
    if isinstance(layer, Instance):
        spatial, back = _turned(job, layer)
    helper = "TimeDistributedSteps" if _by_batch(job, layer) else "TimeDistributed"

    def make() -> cst.BaseExpression:
        em.helper(helper)
        with em.at_build():
            if isinstance(layer, LayerCall):
                made = plan(em, layer, arrives, sequential=True)  # type: ignore[arg-type]
                modules = own_modules(em, layer, made, node)  # type: ignore[arg-type]
                note(made.job, modules[0])
            else:
                modules = [em.expr(node)]
        em.need("nn")
        inner = modules[0] if len(modules) == 1 else cst.Call(expression("nn.Sequential"), _args(modules))
        return made_call(helper, [cst.Arg(inner)])

    def run(callee: Any, inputs: list[cst.BaseExpression], call: cst.Call) -> cst.BaseExpression:
        x = build("{x}.movedim(-1, 2)", x=paren(inputs[0])) if spatial else inputs[0]
        new: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(x)])
        return build("{x}.movedim(2, -1)", x=new) if back else new

    if job.sequential and spatial:
        raise job.refuse("P206", "TimeDistributed convolutions inside Sequential")
    return Plan(job, True, job.row.attr, make, run)


def _turned(job: Job, layer: Instance) -> tuple[bool, bool]:
    """Does a layer of the user's take channels first here, and give them?"""
    method = find_method(layer.cls, "call")
    if method is None or job.em.it.plain_axes(method):
        return False, False
    first = next((p for p in method.params if p != "self"), "")
    return first in method.flipped, method.result is not None and method.result.layout is Layout.FLIPPED


def _args(modules: list[cst.BaseExpression]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [cst.Arg(m, comma=comma if i < len(modules) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, m in enumerate(modules)]


# ---------------------------------------------------------------- masks
def masking(job: Job) -> Plan:
    def make() -> cst.BaseExpression:
        job.em.helper("Lambda")
        value = job.expr("mask_value")
        return as_lambda(job, build("x * (x != {v}).any(-1, keepdim=True)", v=value))

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        return masks.masking(job.em, node, inputs[0], job.expr("mask_value"))

    job.want = Layout.PLAIN
    return Plan(job, False, "masking", make, run)


# ---------------------------------------------------------------- weights of another shape
def prelu(job: Job) -> Plan:
    """One slope per channel: nn.PReLU; per feature: the helper, its shape in the order of the tensor here."""
    shape = job.inputs[0].shape if job.inputs else None
    if not shape:
        raise job.refuse("P208", "the shape that arrives at this PReLU is not known")
    shared = job.literal("shared_axes")
    shared = (shared,) if isinstance(shared, int) else () if shared is None else shared
    if shared is ...:
        raise job.refuse("P202", "`shared_axes` is not a literal")
    axes = {a % len(shape) for a in shared}
    positions = set(range(1, len(shape) - 1))
    job.flipped = len(shape) > 2 and job.inputs[0].layout is Layout.FLIPPED
    job.want = Layout.FLIPPED if job.flipped else Layout.PLAIN
    row = replace(job.row, via=None, args={k: v for k, v in job.row.args.items() if k != "shared_axes"},
                  ignore=(*job.row.ignore, "shared_axes"), fill={}, fixed={})
    job.row = row

    def make() -> cst.BaseExpression:
        with job.em.at_build():
            sizes = [1 if i in axes else shape[i] for i in range(1, len(shape))]
            if job.flipped:
                sizes = [sizes[-1], *sizes[:-1]]
            if axes == positions and (job.flipped or len(shape) == 2):
                prepare(job, (row.torch[0],))
                job.em.need("nn")
                return build("nn.PReLU({n}, init=0.0)", n=job.em.size(sizes[0] if job.flipped else sizes[-1], job.node))
            prepare(job, (row.torch[1],))
            job.em.helper("PReLU")
            return made_call("PReLU", [cst.Arg(job.em.size(d, job.node)) for d in sizes])

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        return cst.Call(paren(callee), [cst.Arg(inputs[0])])

    return Plan(job, True, job.row.attr, make, run)


def group_norm(job: Job) -> Plan | None:
    """groups=-1 is instance normalisation: as many groups as channels."""
    if job.literal("groups") != -1:
        job.row = replace(job.row, via=None)
        return module_plan(job)
    with job.em.at_build():
        channels = fill(job, "channels")
    if channels is None:
        raise job.refuse("P208", "how many channels arrive at this normalisation is not known")
    job.row = replace(job.row, via=None, args={k: v for k, v in job.row.args.items() if k != "groups"},
                      ignore=(*job.row.ignore, "groups"), fill={"num_groups": "channels", "num_channels": "channels"})
    return module_plan(job)


def normalization(job: Job) -> Plan:
    """Mean and variance that are given; those that `adapt` would compute must be passed."""
    if not job.given("mean") and not job.given("variance"):
        return learned(job)
    if not job.given("mean") or not job.given("variance") or job.literal("mean") is None:
        raise job.refuse("P206", "Normalization learns its statistics by `adapt`; compute mean and variance from the "
                         "data and pass them")
    job.row = replace(job.row, via=None)
    job.want = Layout.PLAIN
    return module_plan(job)


def learned(job: Job) -> Plan:
    """Statistics that `adapt` would set are buffers: 0 and 1 at first, as in Keras."""
    axis, rank = job.literal("axis"), job.inputs[0].rank if job.inputs else None
    width = job.inputs[0].width if job.inputs else None
    if axis not in (-1, 3 if rank is None else rank - 1) or job.literal("invert") is not False:
        raise job.refuse("P202", "`axis` or `invert` of Normalization")
    if width is None:
        raise job.refuse("P208", "how many features arrive at this Normalization is not known")
    job.want = Layout.PLAIN
    size = job.em.size(width, job.node)
    job.em.report("P103", "`adapt` has no counterpart: set the buffers `mean` and `variance` from your data", job.node)

    def make() -> cst.BaseExpression:
        job.em.helper("FeatureNormalization")
        return build("FeatureNormalization({n})", n=size)

    return Plan(job, True, "normalization", make, lambda callee, inputs, node: cst.Call(callee, [cst.Arg(inputs[0])]))


# ---------------------------------------------------------------- convolutional recurrence
def conv_lstm(job: Job) -> Plan:
    """`RNN(ConvLSTM2dCell(...))` on (batch, time, channels, positions...)."""
    sequences, state = job.literal("return_sequences"), job.literal("return_state")
    if not isinstance(sequences, bool) or state is not False:
        raise job.refuse("P202", "`return_sequences` or `return_state` of this layer")
    n = int(job.row.tf[0].name[-2])
    job.want, job.flipped = Layout.PLAIN, False
    inner = replace(job.row, args={k: v for k, v in job.row.args.items() if k not in (
        "return_sequences", "return_state", "go_backwards")}, ignore=(
            *job.row.ignore, "return_sequences", "return_state", "go_backwards"))

    def make() -> cst.BaseExpression:
        job.row = inner
        prepare(job, inner.torch)
        with job.em.at_build():
            for name, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
                value = function_value(job, name, default)
                job.out.pop(name, None)
                if value is not None:
                    job.out[name] = value
            cell = module_call(job)
        job.em.helper("RNN")
        note(job, cell)
        args = [cst.Arg(cell)]
        for name, on in (("return_sequences", sequences), ("go_backwards", job.literal("go_backwards"))):
            if on:
                args.append(keyword_arg(name, cst.Name("True")))
        return made_call("RNN", args)

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        x = build("{x}.movedim(-1, 2)", x=paren(inputs[0]))
        new: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(x)])
        return build("{x}.movedim(2, -1)", x=new) if sequences else new

    if job.sequential:
        raise job.refuse("P206", "a convolutional LSTM inside Sequential")
    if job.inputs and job.inputs[0].rank not in (None, n + 3):
        raise job.refuse("P208", "the rank that arrives at this layer does not fit it")
    return Plan(job, True, job.row.attr, make, run)


def nothing(job: Job, name: str, arg: Arg) -> None:
    return None


ARGS: dict[str, Callable[..., Any]] = {"prelu": nothing}
LAYERS: dict[str, Callable[[Job], Plan | None]] = {
    "time_distributed": time_distributed, "masking": masking, "prelu": prelu, "group_norm": group_norm,
    "normalization": normalization, "conv_lstm": conv_lstm}
