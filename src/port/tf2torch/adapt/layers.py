"""Adapters of whole layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, expression, paren, parse, substitute
from port.table import Arg
from port.tf2torch.adapt.activations import activation
from port.tf2torch.adapt.padding import pairs
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.making import Plan, module_call, module_plan, prepare
from port.tf2torch.infer.values import Items
from port.tree import clone, code, find


def batch_norm(job: Job) -> Plan | None:
    """The module for the rank that arrives."""
    rank = job.inputs[0].rank if job.inputs else None
    first = rank in (None, 3) and job.literal("axis") == 1
    wanted = "1d" if first else {2: "1d", 3: "1d", 4: "2d", 5: "3d"}.get(rank or 4)
    if rank is None and not first:
        job.em.report("P103", "the rank that arrives at this BatchNormalization is not known; taken as images",
                      job.node)
    if wanted is None:
        raise job.refuse("P208", f"PyTorch normalises batches of two to five axes, not of {rank}")
    signature = next(s for s in job.row.torch if s.name.endswith(f"BatchNorm{wanted}"))
    job.row = _with(job.row, via=None, torch=(signature,))
    if first and rank == 3 and (shape := job.inputs[0].shape) is not None:
        job.x = job.inputs[0].but(shape=shape[:2], last=None)  # channels: its second axis
    return module_plan(job)


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
    job.row = _with(job.row, via=None)
    return module_plan(job)


def layer_norm_axis(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    value = job.literal(name)
    shape = job.inputs[0].shape if job.inputs else None
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, int):
        if shape is None and value != -1:
            raise job.refuse("P208", "the rank that `axis` counts in is not known")
        if value != -1 and shape is not None and value != len(shape) - 1:
            raise job.refuse("P202", "LayerNormalization over an axis that is not the last")
        width = job.inputs[0].width if job.inputs else None
        if width is None:
            raise job.refuse("P208", "the width that arrives at this normalisation is not known")
        return job.em.size(width, job.node)
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


def conv_transpose(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """Golden rule 9: padding (k - s) // 2, one row and column cut if k - s is odd, output_padding if k < s."""
    if name == "output_padding":
        if job.literal(name) is not None:
            raise job.refuse("P202", "`output_padding`")
        return job.out.pop("output_padding", None)
    padding = job.literal("padding")
    n = int(job.row.torch[0].name[-2])
    k, s = job.literal("kernel_size"), job.literal("strides")
    dilation = job.literal("dilation_rate")
    if padding not in ("same", "valid"):
        raise job.refuse("P202", "which padding this transposed convolution has cannot be told")
    if not all(isinstance(v, int | tuple) for v in (k, s)) or dilation not in (1, (1,) * n):
        if padding == "valid" and dilation in (1, (1,) * n) and one_not_less(k, s):
            return None
        if padding == "same" and isinstance(s, int) and dilation in (1, (1,) * n) and (
                job.fact("kernel_size").symbol.startswith("=")):
            return _open_kernel(job, s, n)
        raise job.refuse("P202", "kernel size, strides or dilation of this transposed convolution are not literals")
    ks = k if isinstance(k, tuple) else (k,) * n
    ss = s if isinstance(s, tuple) else (s,) * n
    more = [max(t - q, 0) for q, t in zip(ks, ss, strict=True)]
    if any(more):
        job.out["output_padding"] = expression(str(more[0]) if len(set(more)) == 1 else str(tuple(more)))
    if padding == "valid":
        return None
    cut = [max(q - t, 0) for q, t in zip(ks, ss, strict=True)]
    half = [c // 2 for c in cut]
    odd = [c % 2 for c in cut]
    if any(odd):
        index = ", ".join([":", ":"] + [":-1" if o else ":" for o in odd])
        job.after.insert(0, lambda x: build(f"{{x}}[{index}]", x=x))
        job.crop_comment = "  # 'same': the input size times the stride"  # type: ignore[attr-defined]
        flat = [v for o in reversed(odd) for v in (0, -o)]
        job.after_modules.insert(0, expression(f"nn.ZeroPad{n}d(({', '.join(map(str, flat))}))"))
    if not any(half):
        return None
    return expression(str(half[0]) if len(set(half)) == 1 else str(tuple(half)))


def _open_kernel(job: Job, s: int, n: int) -> cst.BaseExpression:
    """A kernel as wide as a parameter says, and not narrower than the stride: what goes is written with the parameter.

    The last row and column go where k - s is odd, which is left out if it is even in all calls of the file.
    """
    k = job.expr("kernel_size")
    more = build("{k} - {s}", k=k, s=cst.Integer(str(s))) if s > 1 else build("{k} - 1", k=k)
    name = job.fact("kernel_size").symbol[1:]
    given = _given(job, name)
    if given and all(isinstance(v, int) and v >= s and (v - s) % 2 == 0 for v in given):
        job.em.report("P103", f"`{name}` minus the stride is even, as in all calls here ({given[0]} - {s})", job.node)
    else:
        job.em.report("P103", f"`{name}` is not less than the stride {s}", job.node)
        odd = build("-(({m}) % 2)", m=more)
        inner = ", ".join(f"0, {code(odd)}" for _ in range(n))
        job.after.insert(0, lambda x: build(f"F.pad({{x}}, ({inner}))", x=x))
        job.after_modules.insert(0, expression(f"nn.ZeroPad{n}d(({inner}))"))
        job.em.need("F")
    return build("({m}) // 2", m=more)


def _given(job: Job, name: str) -> list[Any]:
    """What the calls of the file give for this parameter of the function around."""
    function = job.em.scope.function
    if function is None or function.owner is not None or name not in function.params:
        return []
    at = function.params.index(name)
    calls = [c for c in find(job.em.it.module, cst.Call) if code(c.func) == function.name]
    values = [keyword(c, name, at) for c in calls]
    return [None if v is None else job.em.fact(v).literal(None) for v in values]


def one_not_less(k: Any, s: Any) -> bool:
    return s in (1, (1, 1))


def merge(job: Job) -> Plan | None:
    """x + y + z, torch.maximum(torch.maximum(x, y), z): the row's expression folded over the items."""
    template = clone(parse(job.row.expr["torch"]))
    assert isinstance(template, cst.Lambda)
    names = [p.name.value for p in template.params.params]
    job.em.needs_of(template)

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        if len(inputs) == 1 and not isinstance(job.x.payload, Items):
            return _over_list(job, inputs[0], template)
        values = inputs
        new = values[0]
        for i, other in enumerate(values[1:]):
            flat = isinstance(template.body, cst.BinaryOperation) and i > 0
            body = substitute(clone(template.body), {names[0]: new if not flat else cst.Name("FLAT"),
                                                           names[1]: other})
            new = substitute_flat(body, new) if flat else body  # type: ignore[assignment]
        return new

    return Plan(job, False, job.row.attr or job.row.name, _no_object(job), run)


def substitute_flat(body: cst.CSTNode, left: cst.BaseExpression) -> cst.CSTNode:
    assert isinstance(body, cst.BinaryOperation)
    return body.with_changes(left=left)


def _over_list(job: Job, value: cst.BaseExpression, template: cst.Lambda) -> cst.BaseExpression:
    if isinstance(template.body, cst.BinaryOperation) and isinstance(template.body.operator, cst.Add):
        return build("sum({x})", x=value)
    raise job.refuse("P206", "the number of inputs of this layer is not known")


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
