"""Adapters of whole layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import build, expression, paren, parse, substitute
from port.table import Arg
from port.tf2torch import masking
from port.tf2torch.adapt.activations import activation
from port.tf2torch.adapt.padding import pairs
from port.tf2torch.adapt.transposed import conv_transpose
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.making import Plan, fill, module_call, module_plan, prepare
from port.tf2torch.infer.layers import norm_axis
from port.tf2torch.infer.values import tensors_in
from port.tree import clone


def batch_norm(job: Job) -> Plan | None:
    """The module for the rank that arrives."""
    _check_synchronized(job)
    rank = job.inputs[0].rank if job.inputs else None
    first = rank in (None, 3) and job.literal("axis") == 1
    axis = norm_axis(job.em.it, job.bound.args.get("axis"))
    last = rank is None and axis == -1 and not job.sequential
    if last and job.literal("axis") is ...:
        job.em.report("P103", "`axis` of this BatchNormalization is taken as -1, which all calls give", job.node)
        job.bound.args.pop("axis")
    wanted = "1d" if first or last else {2: "1d", 3: "1d", 4: "2d", 5: "3d"}.get(rank or 4)
    if rank is None and not first and not last:
        job.em.report("P103", "the rank that arrives at this BatchNormalization is not known; taken as images",
                      job.node)
    if wanted is None:
        raise job.refuse("P208", f"PyTorch normalises batches of two to five axes, not of {rank}")
    signature = next(s for s in job.row.torch if s.name.endswith(f"BatchNorm{wanted}"))
    job.row = _with(job.row, via=None, torch=(signature,))
    if first and rank == 3 and (shape := job.inputs[0].shape) is not None:
        job.x = job.inputs[0].but(shape=shape[:2], last=None)  # channels: its second axis
    return _on_last_axis(module_plan(job)) if last else module_plan(job)


def _check_synchronized(job: Job) -> None:
    """Statistics over several devices are no matter of the layer in PyTorch."""
    if job.em.symbol(job.node.func).endswith("SyncBatchNormalization") or job.literal("synchronized") is not False:
        job.em.report("P103", "each process normalises with statistics of its own; where there are several, call "
                      "`nn.SyncBatchNorm.convert_sync_batchnorm(model)`", job.node)
    job.bound.args.pop("synchronized", None)


def _on_last_axis(made: Plan) -> Plan:
    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        made.job.em.helper("on_last_axis")
        return build("on_last_axis({f}, {x})", f=callee, x=inputs[0])

    return replace(made, run=run)


def _with(row: Any, **changes: Any) -> Any:
    return replace(row, **changes)


def norm_scale(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """center and scale: both on, both off (affine=False), or one of them (frozen: helpers)."""
    center, scale = job.literal("center"), job.literal("scale")
    if center is True and scale is True:
        return None
    if center is False and scale is False:
        return expression("False")
    if center is True and scale is False:
        job.after_make = "without_scale"
        job.em.helper("without_scale")
        return None
    if center is False and scale is True and job.row.name.startswith("layer"):
        return None
    if center is False and scale is True:
        job.after_make = "without_offset"
        job.em.helper("without_offset")
        return None
    raise job.refuse("P202", "`center` and `scale` are not literals")


def layer_norm(job: Job) -> Plan | None:
    """Over the last axis: nn.LayerNorm of the width that arrives."""
    usual = job.literal("gamma_initializer") == "ones" and job.literal("beta_initializer") == "zeros"
    last_resort = job.em.late is not None  # a parameter of the constructor reads better
    lazy = last_resort and usual and job.literal("axis") == -1 and not _width_is_told(job)
    job.row = _with(job.row, via=None, fill={WIDTH: "channels"} if lazy else job.row.fill)
    return module_plan(job)


WIDTH = "normalized_shape"


def _width_is_told(job: Job) -> bool:
    with job.em.at_build():
        return fill(job, "channels") is not None


def layer_norm_axis(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    if WIDTH in job.row.fill:
        return None
    value = job.literal(name)
    shape = job.inputs[0].shape if job.inputs else None
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, int):
        if shape is None and value != -1:
            raise job.refuse("P208", "the rank that `axis` counts in is not known")
        if value != -1 and shape is not None and value != len(shape) - 1:
            raise job.refuse("P202", "LayerNormalization over an axis that is not the last")
        if (width := fill(job, "channels")) is None:
            raise job.refuse("P208", "the width that arrives at this normalisation is not known")
        return width  # type: ignore[no-any-return]
    if isinstance(value, tuple) and shape is not None:
        axes = sorted(a % len(shape) for a in value)
        if axes == list(range(len(shape) - len(axes), len(shape))):
            sizes = [job.em.size(shape[a], job.node) for a in axes]
            return cst.Tuple([cst.Element(s) for s in sizes], lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    raise job.refuse("P202", "`axis` of this normalisation")


def depthwise(job: Job) -> Plan | None:
    """A grouped convolution: as many groups as channels arrive."""
    shape = job.inputs[0].shape if job.inputs else None
    if shape is None or shape[-1] is None:
        raise job.refuse("P208", "how many channels arrive at this depthwise convolution is not known")
    multiplier = job.literal("depth_multiplier")
    channels = job.em.size(shape[-1], job.node)
    if multiplier == 1:
        out = channels
    else:
        factor = job.expr("depth_multiplier")
        out = build("{c} * {m}", c=channels, m=factor)
    job.row = _with(job.row, via=None, fill={"in_channels": "channels", "out_channels": "channels"},
                    args={k: v for k, v in job.row.args.items() if k != "depth_multiplier"},
                    ignore=(*job.row.ignore, "depth_multiplier"))
    job.out["in_channels"], job.out["out_channels"] = channels, out
    made = module_plan(job)
    job.out["groups"] = channels
    return made


def merge(job: Job) -> Plan | None:
    """x + y + z, torch.maximum(torch.maximum(x, y), z): the row's expression folded over the items."""
    template = clone(parse(job.row.expr["torch"]))
    assert isinstance(template, cst.Lambda)
    names = [p.name.value for p in template.params.params]
    job.em.needs_of(template)

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        written = bool(node.args) and isinstance(node.args[0].value, cst.List | cst.Tuple)
        if len(inputs) == 1 and not written:
            return _over_list(job, inputs[0], template)
        values, real = masking.merging(job.em, node, inputs)
        if len({t.rank for t in tensors_in(job.x)} - {None}) > 1:
            return _over_list(job, cst.List([cst.Element(v) for v in values]), template)
        new = values[0]
        for i, other in enumerate(values[1:]):
            flat = isinstance(template.body, cst.BinaryOperation) and i > 0
            body = substitute(clone(template.body), {names[0]: new if not flat else cst.Name("FLAT"),
                                                           names[1]: other})
            new = substitute_flat(body, new) if flat else body  # type: ignore[assignment]
        return new if real is None else build("{x}.masked_fill(~{m}.unsqueeze(-1), 0)", x=paren(new), m=paren(real))

    return Plan(job, False, job.row.attr or job.row.name, _no_object(job), run)


def substitute_flat(body: cst.CSTNode, left: cst.BaseExpression) -> cst.CSTNode:
    assert isinstance(body, cst.BinaryOperation)
    return body.with_changes(left=left)


def _over_list(job: Job, value: cst.BaseExpression, template: cst.Lambda) -> cst.BaseExpression:
    if isinstance(template.body, cst.BinaryOperation) and isinstance(template.body.operator, cst.Add):
        ranks = {t.rank for t in tensors_in(job.x)} or {None}
        if len(ranks) == 1 and None not in ranks:
            return build("sum({x})", x=value)
        job.em.helper("aligned")
        return build("sum(aligned({x}))", x=value)
    raise job.refuse("P206", "the number of inputs of this layer is not known, or they have different numbers of axes")


def merge_average(job: Job) -> Plan | None:
    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        if len(inputs) < 2:
            raise job.refuse("P206", "the number of inputs of this layer is not known")
        total = inputs[0]
        for other in inputs[1:]:
            total = cst.BinaryOperation(total, cst.Add(), paren(other))
        return build(f"{{x}} / {len(inputs)}", x=total)

    return Plan(job, False, "average", _no_object(job), run)


def _no_object(job: Job) -> Callable[[], cst.BaseExpression]:
    def make() -> cst.BaseExpression:
        raise job.refuse("P206", "a merging layer kept as an object; call it where it is used")

    return make


def activation_layer(job: Job) -> Plan | None:
    activation(job, "activation", None)

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        new = inputs[0]
        for wrap in job.after:
            new = wrap(new)
        return new

    def make() -> cst.BaseExpression:
        if len(job.after_modules) != 1:
            raise job.refuse("P206", "this activation has no module")
        job.em.need("nn")
        return job.after_modules[0]

    return Plan(job, False, "activation", make, run)


def reshape_layer(job: Job) -> Plan | None:
    """Row-major in the source's axis order; (1, 1, C) is written channels first at once."""
    target = job.bound.args["target_shape"]
    rank = job.inputs[0].rank if job.inputs else None

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        x, shape = inputs[0], job.em.expr(target)
        if isinstance(target, cst.Tuple | cst.List) and isinstance(x, cst.Name):
            items = [cst.Arg(job.em.expr(e.value)) for e in target.elements]
            new = build("{x}.reshape({x}.shape[0])", x=x)
            assert isinstance(new, cst.Call)
            return new.with_changes(args=[*new.args, *items])
        if isinstance(shape, cst.List):
            shape = cst.Tuple(shape.elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        if rank == 2:
            return build("{x}.unflatten(1, {s})", x=x, s=shape)
        if isinstance(x, cst.Name):
            return build("{x}.reshape({x}.shape[0], *{s})", x=x, s=shape)
        return build("{x}.flatten(1).unflatten(1, {s})", x=x, s=shape)

    def make() -> cst.BaseExpression:
        shape = job.em.expr(target)
        if isinstance(shape, cst.List):
            shape = cst.Tuple(shape.elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        if rank == 2:
            job.em.need("nn")
            return build("nn.Unflatten(1, {s})", s=shape)
        job.em.helper("Reshape")
        return build("Reshape(*{s})", s=shape)

    return Plan(job, False, "reshape", make, run)


def permute_layer(job: Job) -> Plan | None:
    dims = job.literal("dims")
    if not isinstance(dims, tuple):
        raise job.refuse("P202", "`dims` is not a literal")
    text = ", ".join(map(str, (0, *dims)))

    def make() -> cst.BaseExpression:
        job.em.helper("Permute")
        return expression(f"Permute({text})")

    return Plan(job, False, "permute", make, lambda callee, inputs, node: build(
        f"{{x}}.permute({text})", x=inputs[0]))


def cropping(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    value = job.literal(name)
    if value is ...:
        raise job.refuse("P202", "`cropping` is not a literal")
    n = int(job.row.tf[0].name[-2])
    flat = [-v for p in reversed(pairs(job, value, n)) for v in p]
    return expression(f"({', '.join(map(str, flat))})")


def cropping_layer(job: Job) -> Plan | None:
    value = job.literal("cropping")
    n = int(job.row.tf[0].name[-2])
    if value is ...:
        raise job.refuse("P202", "`cropping` is not written out")
    cuts = pairs(job, value, n)
    index = ", ".join([":", ":"] + [f"{a or ''}:{-b if b else ''}" for a, b in cuts])

    def make() -> cst.BaseExpression:
        prepare(job)
        return module_call(job)

    return Plan(job, False, "crop", make, lambda callee, inputs, node: build(f"{{x}}[{index}]", x=inputs[0]))


ARGS_LAYERS = {"norm_scale": norm_scale, "layer_norm_axis": layer_norm_axis, "conv_transpose": conv_transpose,
               "cropping": cropping}
LAYERS: dict[str, Callable[[Job], Plan | None]] = {
    "batch_norm": batch_norm, "layer_norm": layer_norm, "depthwise": depthwise, "merge": merge,
    "merge_average": merge_average, "activation_layer": activation_layer, "reshape_layer": reshape_layer,
    "permute_layer": permute_layer, "cropping": cropping_layer}
ROWS: dict[str, Any] = {}
