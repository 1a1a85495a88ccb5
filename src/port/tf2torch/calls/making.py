"""How a layer is made (in `__init__`) and run (in `forward`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import breaks_line, build, expression, helper_names, paren, parse, reflow, substitute
from port.facts import Sym
from port.latebinding import bound_early
from port.table import Signature
from port.tf2torch.calls.arguments import arguments, choose, map_args
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.spelling import helpers_in, short
from port.tf2torch.emit import Refused
from port.tf2torch.infer.values import find_method, tensors_in
from port.tf2torch.initial.sites import note
from port.tree import clone, code, loads


# ---------------------------------------------------------------- layers
@dataclass
class Plan:
    """How a layer is made and applied."""

    job: Job
    module: bool  # an attribute of the model; else only a function in forward
    attr: str
    make: Callable[[], cst.BaseExpression]
    run: Callable[..., cst.BaseExpression]  # (callee or None, inputs, node) -> expression

    def ctor(self) -> cst.BaseExpression:
        new = self.make()
        note(self.job, new)
        return new


def module_plan(job: Job) -> Plan:
    row = job.row

    def make() -> cst.BaseExpression:
        return module_call(job)

    def run_(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        value = inputs[0]
        for wrap in job.before:
            value = wrap(value)
        new: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(value)])
        for wrap in job.after:
            new = wrap(new)
        return new

    prepare(job)
    return Plan(job, True, row.attr or row.name, make, run_)


def prepare(job: Job, signatures: tuple[Signature, ...] | None = None) -> None:
    """Choose the torch signature and translate the arguments, as `__init__` writes them."""
    with job.em.at_build():
        _prepare(job, signatures)


def _prepare(job: Job, signatures: tuple[Signature, ...] | None) -> None:
    job.torch = choose(job, signatures or job.row.torch)
    job.callee = job.callee or job.torch.name
    map_args(job)
    for name, what in job.row.fill.items():
        if name not in job.out:
            job.out[name] = fill(job, what)
    names = {p.name for p in job.torch.params}
    job.out = {k: v for k, v in job.out.items() if k in names or any(p.star for p in job.torch.params)}


def fill(job: Job, what: str) -> Any:
    facts = tensors_in(job.x)
    shape = facts[0].shape if facts else None
    if what in ("channels", "features"):
        width = facts[0].width if facts else None
        try:
            made = None if width is None or not _is_told(job, width) else job.em.size(width, job.node)
        except Refused:
            made = None
        told = made is not None and _is_bound(job, made)
        return made if told else _as_declared(job)  # None: a Lazy module
    if what in ("shape_tail", "einsum_shape"):
        open_ = _of_no_use(job) if what == "einsum_shape" else frozenset()
        if shape is None or any(d is None and i not in open_ for i, d in enumerate(shape) if i):
            raise job.refuse("P208", "the shape that arrives here is not known")
        sizes = ["None" if i in open_ else code(job.em.size(d)) for i, d in enumerate(shape) if i]
        return expression(f"({', '.join(sizes)},)")
    raise job.refuse("P208", f"`{what}` of the input is not known")


def _as_declared(job: Job) -> cst.BaseExpression | None:
    """The width that the layer itself is told: `Dense(4, input_shape=(8,))`, or `.build` (rules/explicit_builds.py)."""
    shape = keyword(job.node, "input_shape")
    width = shape.elements[-1].value if isinstance(shape, cst.Tuple | cst.List) and shape.elements else None
    if width is None or keyword(job.node, "data_format") is not None or code(width) == "None":
        return None
    made = job.em.expr(width)
    return made if _is_bound(job, made) else None


def _of_no_use(job: Job) -> frozenset[int]:
    """Axes of the input of an EinsumDense that neither its kernel nor its bias have."""
    equation, bias = (job.em.fact(job.bound.args[name]).values if name in job.bound.args else frozenset()
                      for name in ("equation", "bias_axes"))
    if equation is None or bias is None or len(equation) != 1 or "." in (text := next(iter(equation))):
        return frozenset()
    axes, _, rest = text.replace(" ", "").partition(",")
    needed = {*rest.partition("->")[0], *(axis for letters in bias for axis in letters or "")}
    return frozenset(i for i, axis in enumerate(axes) if axis not in needed)


def _is_told(job: Job, width: Any) -> bool:
    """Do the names that a size is written with mean something where a statement of the module makes the layer?"""
    scope, it = job.em.scope, job.em.it
    loose = scope.function is None and scope.cls is None and scope.sizes is None
    return not loose or not isinstance(width, Sym) or width.names <= it.globals.names.keys()


def _is_bound(job: Job, size: cst.BaseExpression) -> bool:
    """Does a constructor know the names of this size? Those of a derived class, or of another method, it does not."""
    cls, it = job.em.scope.cls, job.em.it
    if cls is None:
        return True
    known = set(job.em.class_sizes.get(cls, ())) | it.globals.names.keys()
    for name in ("__init__", "build"):
        if (method := find_method(cls, name)) is not None:
            known |= {*method.params, *method.assigned, *method.mirrors}
    call = find_method(cls, "call")  # its sizes are parameters of the constructor
    return loads(size) <= known.union(call.mirrors if call is not None else ())


LAZY = {"Linear", *(f"{kind}{n}d" for kind in ("Conv", "ConvTranspose", "BatchNorm") for n in "123"),
        *(f"Conv{n}dSame" for n in "123")}


def lazily(callee: str) -> str:
    """`nn.Conv2d` as `nn.LazyConv2d`, `helpers.Conv2dSame` likewise; '' if the input size must be told."""
    owner, _, name = callee.rpartition(".")
    if name == "LayerNorm":  # PyTorch has no lazy one
        return "helpers.LazyLayerNorm"
    return f"{owner}.Lazy{name}" if name in LAZY else ""


def module_call(job: Job) -> cst.BaseExpression:
    assert job.torch is not None
    open_sizes = [n for n in job.row.fill if job.out.get(n, ...) is None]
    if open_sizes and not lazily(job.callee):
        raise job.refuse("P208", "how many channels or features arrive here is not known")
    name = short(job.em, lazily(job.callee) if open_sizes else job.callee)
    if open_sizes:
        job.em.report("P102", f"the input size of this {name} is not known; it is set at the first call", job.node)
        job.out = {k: v for k, v in job.out.items() if k not in open_sizes}
        torch = Signature(job.torch.name, tuple(p for p in job.torch.params if p.name not in open_sizes),
                          job.torch.method)
    else:
        torch = job.torch
    callee = job.callee_expr(bool(open_sizes)) if job.callee_expr is not None else expression(name)
    call = cst.Call(callee, arguments(job, torch), whitespace_before_args=job.node.whitespace_before_args)
    new: cst.BaseExpression = reflow(call, list(job.node.args))
    if job.after_make:
        new = cst.Call(cst.Name(job.after_make), [cst.Arg(new)])
    if job.trainable is not None and (open_sizes or "BatchNorm" in job.callee):
        job.em.helper("set_trainable")
        new = build("set_trainable({m}, {t})", m=new, t=job.em.expr(job.trainable))
    elif job.trainable is not None:
        new = build("{m}.requires_grad_({t})", m=new, t=job.em.expr(job.trainable))
    return new


def function_plan(job: Job) -> Plan:
    row = job.row

    def make() -> cst.BaseExpression:
        if job.sequential and not row.torch and "torch" in row.expr:
            job.em.helper("Lambda")
            return as_lambda(job, template_layer(job, [cst.Name("x")]))
        if not (row.torch and row.torch[0].name.rpartition(".")[2][:1].isupper()):  # the name of a function
            raise job.refuse("P206", f"`{row.name}` cannot be kept as an object; call it where it is used")
        prepare(job)
        if job.callee_call:
            job.em.helper("Lambda")
            given = [cst.Arg(cst.Name("x")), *arguments(job, job.torch)]  # type: ignore[arg-type]
            return as_lambda(job, cst.Call(cst.Name(job.callee_call), given))
        return module_call(job)

    def run_(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        value = inputs[0]
        if "torch" in row.expr:
            return _finish(job, template_layer(job, inputs))
        fresh = Job(job.em, row, job.bound, job.node, job.x, job.inputs, flipped=job.flipped, want=job.want)
        fresh.torch = row.call
        if row.call is not None and row.call.name.endswith(".pad"):  # F.pad calls it `pad`; people write it bare
            fresh.bound = replace(job.bound, keyword=set())
        map_args(fresh)
        for wrap in fresh.before:
            value = wrap(value)
        names = [p.name for p in row.call.params]  # type: ignore[union-attr]
        fresh.out = {names[0]: value} | {k: v for k, v in fresh.out.items() if k in names}
        fresh.row = row
        args = _call_arguments(fresh, names[0])
        name = fresh.callee_call or short(job.em, row.call.name)  # type: ignore[union-attr]
        return _finish(fresh, cst.Call(expression(name), args))

    return Plan(job, False, row.attr or row.name, make, run_)


def as_lambda(job: Job, value: cst.BaseExpression) -> cst.BaseExpression:
    """A module of an expression of `x`, with the settings that its layer was made with."""
    function = job.em.scope.function
    root = function.node if function is not None else job.em.it.module
    return bound_early(root, build("Lambda(lambda x: {e})", e=value))  # type: ignore[no-any-return]


def _call_arguments(job: Job, first: str) -> list[cst.Arg]:
    value = job.out.pop(first)
    assert job.torch is not None
    rest = arguments(job, Signature(job.torch.name, job.torch.params[1:]))
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    multi = any(breaks_line(a.comma) for a in rest)
    if multi:
        rest = [a.with_changes(comma=comma if i < len(rest) - 1 else cst.MaybeSentinel.DEFAULT,
                               whitespace_after_arg=cst.SimpleWhitespace("")) for i, a in enumerate(rest)]
    elif rest:
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))
    return [cst.Arg(value, comma=comma if rest else cst.MaybeSentinel.DEFAULT), *rest]


def _finish(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    for wrap in job.after:
        new = wrap(new)
    return new


def template_layer(job: Job, inputs: list[cst.BaseExpression]) -> cst.BaseExpression:
    """`lambda input: input.reshape(...)` of a row with the inputs put in."""
    tree = clone(parse(job.row.expr["torch"]))
    job.em.needs_of(tree)
    helpers_in(job.em, tree)
    nodes = {p.name: job.expr(p.name) for p in job.bound.signature.params}
    for name, arg in job.row.args.items():
        if arg.via and name in nodes:
            value = job.em.handlers.args[arg.via](job, name, arg)
            if value is not None:
                nodes[name] = value
    body: cst.BaseExpression = tree
    if isinstance(tree, cst.Lambda):
        params = [p.name.value for p in tree.params.params]
        nodes.update(zip(params, inputs, strict=False))
        body = tree.body
    return helper_names(substitute(body, nodes))  # type: ignore[return-value]
