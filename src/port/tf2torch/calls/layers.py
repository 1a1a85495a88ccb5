"""The row and the plan of a layer, decided once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst

from port.binding import bind
from port.build import expression
from port.facts import UNKNOWN, Fact, Layout
from port.tf2torch.calls.job import Job, unknown_symbol, unmet_of
from port.tf2torch.calls.making import Plan, function_plan, module_plan
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.layers import MERGES, is_flat, wants_plain
from port.tf2torch.infer.named import as_activation
from port.tf2torch.infer.rowcalls import ANY_LAYOUT, FLIPS
from port.tf2torch.infer.values import LayerCall, find_method, tensors_in
from port.tree import find, loads


def first_input(layer: LayerCall) -> Fact:
    return layer.inputs[-1] if layer.inputs else UNKNOWN


def layer_job(em: Emitter, layer: LayerCall, x: Fact, sequential: bool = False) -> Job:
    symbol = layer.symbol
    rows = em.it.rows.get(symbol)
    if not rows:
        raise unknown_symbol(em, symbol, layer.node)
    problem = ""
    merge = em.symbol(layer.node.func).rpartition(".")[2] in MERGES
    node = layer.node.with_changes(args=layer.node.args[1:]) if merge else as_activation(layer.node)
    for row in rows:
        if row.none:
            raise Refused("P203", f"`{symbol}`: {row.none}", layer.node)
        for signature in row.tf:
            if signature.name != symbol:
                continue
            job = Job(em, row, bind(signature, node, layer=True), node, x, sequential=sequential)
            message = job.bound.problem or unmet_of(job)[1]
            if not message:
                return job
            problem = problem or message
    raise Refused("P202", f"`{symbol}`: {problem}", layer.node)


def _layouts(tensors: Iterable[Fact]) -> set[Layout]:
    return {t.layout for t in tensors if t.rank not in (0, 1, 2)}


def plan(em: Emitter, layer: LayerCall, x: Fact, sequential: bool = False) -> Plan:
    """Decide how a layer is written; once per layer."""
    key = (layer.node, sequential)
    known = em.plans.get(key)
    if known is not None and not known.module and _layouts(known.job.inputs) != _layouts(tensors_in(x)):
        del em.plans[key]  # a function is written anew for tensors of other axes
    job = em.plans[key].job if key in em.plans else layer_job(em, layer, x, sequential)
    row = job.row
    em.by(layer.node, f"row {row.name}")
    if key in em.plans:
        return em.plans[key]
    job.inputs = tuple(tensors_in(x))
    rank = job.inputs[0].rank if job.inputs else None
    flat = is_flat(em.it, layer, rank)
    if row.layout == FLIPS and not flat:
        job.want, job.flipped = Layout.FLIPPED, True
    elif row.returns in ANY_LAYOUT and not wants_plain(row):
        job.flipped = any(t.layout is Layout.FLIPPED for t in job.inputs)
        job.want = Layout.FLIPPED if job.flipped and row.returns not in ("reduce", "same") else None
    else:
        job.want = Layout.PLAIN
    _common(job)
    if layer.symbol == "keras.layers.Rescaling" and any(
            isinstance(n, cst.List | cst.Tuple | cst.ListComp) for n in job.bound.args.values()):
        raise job.refuse("P202", "a scale or offset for each channel; multiply by a tensor of the right shape")
    if row.differs:
        em.report("P101", f"{row.name}: {row.differs}", layer.node, layer.symbol)
    functional = row.call is not None or "torch" in row.expr
    if row.via:
        adapter = em.handlers.layers.get(row.via)
        if adapter is None:
            raise job.refuse("P203", f"`{layer.symbol}` is not translated yet (adapter `{row.via}`)")
        with em.at_build():
            made = adapter(job)
        if made is not None:
            made = made if sequential else _kept(em, layer, made)
            em.plans[key] = made
            return made
    made = function_plan(job) if functional else module_plan(job)
    made = made if sequential else _kept(em, layer, made)
    em.plans[key] = made
    return made


def _kept(em: Emitter, layer: LayerCall, made: Plan) -> Plan:
    """In a class: arguments that only `__init__` knows make the layer a module of its own."""
    cls = em.scope.cls
    init = find_method(cls, "__init__") if cls is not None else None
    if made.module or init is None or _is_of_call(em, layer):
        return made
    used = {n for a in as_activation(layer.node).args for n in loads(a)}
    if not used & (set(init.params) - {"self"} | init.assigned):
        return made

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        return cst.Call(callee, [cst.Arg(inputs[0])])

    return Plan(made.job, True, made.attr, made.make, run)


def _is_of_call(em: Emitter, layer: LayerCall) -> bool:
    """Is it made where it is applied, in a method that runs with the model: with what that method knows?"""
    function = em.scope.function
    return em.scope.stage == "forward" and function is not None and layer.node in find(function.node, cst.Call)


def _common(job: Job) -> None:
    for name, node in job.bound.common.items():
        if name == "trainable" and job.em.fact(node).literal(...) is not True:
            job.trainable = node
        elif name == "activity_regularizer" and job.em.fact(node).literal(...) is not None:
            job.em.report("P205", "activity_regularizer adds to Keras' loss; add the term to your loss", job.node)
        elif name == "weights" and job.em.fact(node).literal(...) is not None:
            raise job.refuse("P207", "initial weights given as arrays")
        elif name == "dtype" and job.em.fact(node).literal(...) not in (None, "float32"):
            job.em.report("P103", "the layer's dtype is dropped: PyTorch modules follow the model's dtype", job.node)


TUPLES = {"rnn", "bidirectional", "mha", "attention", "conv_lstm", "as_torch"}


def own_modules(em: Emitter, layer: LayerCall, made: Plan, node: cst.Call) -> list[cst.BaseExpression]:
    job = made.job
    if layer.row is not None and layer.row.via in TUPLES:
        raise Refused("P206", "a recurrent or attention layer inside Sequential", node)
    if layer.symbol == "keras.layers.Activation":
        return [made.ctor()] if job.after_modules else []
    if layer.symbol == "keras.layers.Flatten":
        em.need("nn")
        return [expression("nn.Flatten()")]
    ctor = made.ctor()
    before = [job.before_lazy()] if job.before_lazy is not None else list(job.before_modules)
    if before or job.after_modules:
        em.need("nn")
    return [*before, ctor, *job.after_modules]
