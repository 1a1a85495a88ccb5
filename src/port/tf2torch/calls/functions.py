"""Rows of functions at their calls."""

from __future__ import annotations

import libcst as cst

from port.advice import told
from port.binding import bind, row_name
from port.build import expression, helper_names, parse, substitute
from port.facts import Layout
from port.tf2torch.calls.arguments import print_call
from port.tf2torch.calls.forms import on_device, python_form, shortened
from port.tf2torch.calls.job import TRAINING, Job, unknown_symbol, unmet_of
from port.tf2torch.calls.spelling import helpers_in
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.rowcalls import ANY_LAYOUT, FLIPS
from port.tf2torch.infer.shapes import mixes
from port.tf2torch.infer.values import tensors_in
from port.tf2torch.initial.initializers import fill
from port.tf2torch.initial.reader import Reader
from port.tree import clone, find, named


def row_call(em: Emitter, node: cst.Call, symbol: str) -> cst.BaseExpression:
    rows = em.it.rows.get(symbol)
    if not rows:
        raise unknown_symbol(em, symbol, node)
    problem = ("", "")
    for row in rows:
        if row.none:
            training = row.file == "training.yaml" and symbol.startswith(TRAINING)
            advice = told([r for r in rows if r.none], "torch", node)
            raise Refused("P205" if training else "P203", f"`{symbol}`: {advice}", node)
        for signature in row.tf:
            if not row_name(signature.name, symbol):
                continue
            job = Job(em, row, bind(signature, node), node)
            fault = ("P202", job.bound.problem) if job.bound.problem else unmet_of(job)
            if not fault[1]:
                return run(job, symbol)
            if not problem[1] or (problem[0], fault[0]) == ("P202", "P208"):  # a fact alone is missing: nearer
                problem = fault
    raise Refused(problem[0] or "P202", f"`{symbol}`: {problem[1]}", node)


def run(job: Job, symbol: str) -> cst.BaseExpression:
    em, row = job.em, job.row
    em.by(job.node, f"row {row.name}")
    job.inputs = tuple(t for a in (*job.bound.args.values(), *(s.value for s in job.bound.stars[1:]))
                       for t in tensors_in(em.fact(a)))
    job.want, job.flipped = layout_of(job)
    python = python_form(job)
    if python is not None:
        return python
    if row.kind == "layer" and row.fill:
        raise job.refuse("P206", f"`{symbol}` is made where nothing shows what it is applied to, as in a default "
                         "argument: make it in the body")
    if row.differs:
        em.report("P101", f"{symbol}: {row.differs}", job.node, symbol)
    if row.via:
        adapter = em.handlers.rows.get(row.via)
        if adapter is None:
            raise job.refuse("P203", f"`{symbol}` is not translated yet (adapter `{row.via}`)")
        built = adapter(job)
        if built is not None:
            return on_device(job, built)
    template = row.expr.get("torch")
    if template is not None:
        new = on_device(job, fill_template(job, template))
    elif row.torch and (symbol.startswith("keras.initializers.") or row.torch[0].name.startswith("torch.nn.init.")):
        if (filled := _filling(job)) is not None:
            return filled
        raise job.refuse("P203", f"`{symbol}` as a value: PyTorch fills a tensor that is there; pass a function that "
                         f"does, as `functools.partial({row.torch[0].name}, ...)`")
    else:
        new = on_device(job, print_call(job))
    for wrap in job.after:
        new = wrap(new)
    return new


def _filling(job: Job) -> cst.BaseExpression | None:
    """An initialiser that no layer is given here: a function that fills a tensor; None where the fans count."""
    spec = Reader(job.em, job.em.scope.function, job.em.scope.cls, here=True).read(job.node)
    if spec.why or spec.by_fans or not isinstance(job.node, cst.Call) or _is_called(job.em.it.module, job.node):
        return None
    return expression(f"lambda weight: {fill(job.em, spec, 'weight')}")


def _is_called(module: cst.Module, made: cst.Call) -> bool:
    """Does the file call what this gives, `init((3, 4))`, which makes a tensor of a shape?"""
    names = {t.target.value for a in find(module, cst.Assign) if a.value is made for t in a.targets
             if type(t.target) is cst.Name}
    return any(c.func is made or (type(c.func) is cst.Name and c.func.value in names) for c in find(module, cst.Call))


def layout_of(job: Job) -> tuple[Layout | None, bool]:
    """The layout that the tensors of a function are brought to (None: as they are); is it channels first?"""
    row, result = job.row, job.em.fact(job.node)
    if row.layout == FLIPS:
        return Layout.FLIPPED, True
    flipped = any(t.layout is Layout.FLIPPED for t in job.inputs)
    if row.returns not in ANY_LAYOUT:
        return Layout.PLAIN, False
    if not flipped:
        return None, False
    if row.returns == "reduce":
        mixed = mixes(job.inputs[0], job.literal(next((n for n in ("axis", "axes") if n in job.row.args), "")))
        return (Layout.PLAIN, False) if mixed else (None, True)
    made = tensors_in(result)
    layout = made[0].layout if made else Layout.FLIPPED
    return layout, layout is Layout.FLIPPED


def fill_template(job: Job, template: str) -> cst.BaseExpression:
    em = job.em
    nodes: dict[str, cst.BaseExpression] = {}
    template = shortened(job, template, nodes)
    tree = clone(parse(template))
    em.needs_of(tree)
    helpers_in(em, tree)
    free = named(tree)
    for name in [p.name for p in job.bound.signature.params if p.name in free and p.name not in nodes]:
        arg = job.row.args.get(name)
        if arg is not None and arg.via:
            adapted = job.em.handlers.args[arg.via](job, name, arg)
            nodes[name] = adapted if adapted is not None else expression("None")
        else:
            nodes[name] = job.value(name)
    if "(*" in template or ", *" in template:
        tree = _opened(tree, nodes)
    return helper_names(substitute(tree, nodes))  # type: ignore[return-value]


class _Open(cst.CSTTransformer):
    """Names for the elements of a pair that is written out, where a template has `*x`: `f(a, b)`, not `f(*(a, b))`."""

    def __init__(self, nodes: dict[str, cst.BaseExpression]) -> None:
        self.nodes = nodes

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args: list[cst.Arg] = []
        for arg in updated_node.args:
            name = arg.value.value if arg.star == "*" and isinstance(arg.value, cst.Name) else ""
            pair = self.nodes.get(name)
            if not isinstance(pair, cst.Tuple | cst.List) or any(type(e) is not cst.Element for e in pair.elements):
                args.append(arg)
                continue
            for i, element in enumerate(pair.elements):
                self.nodes[f"{name}__{i}"] = element.value
                args.append(cst.Arg(cst.Name(f"{name}__{i}")))
        return updated_node.with_changes(args=args)


def _opened(tree: cst.BaseExpression, nodes: dict[str, cst.BaseExpression]) -> cst.BaseExpression:
    opened = tree.visit(_Open(nodes))
    return opened if isinstance(opened, cst.BaseExpression) else tree
