"""Arguments of a call from those of the row's other side."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.binding import literal_text
from port.build import argument, build, drop_commas, expression, paren, reflow
from port.table import Signature
from port.tf2torch.calls.job import Job, part
from port.tf2torch.calls.spelling import short
from port.tree import code


def map_args(job: Job) -> None:
    """Fill `job.out` from the call's arguments, in their order, then what defaults make necessary."""
    row = job.row
    for name in list(job.bound.args):
        if job.bound.args[name] is None:
            continue
        _map_one(job, name, job.em.handlers.args)
    for p in job.bound.signature.params:
        if p.name not in job.bound.args and p.default is not None:
            _map_default(job, p.name, job.em.handlers.args)
    for p in job.torch.params if job.torch is not None else ():
        if p.default is None and p.name not in job.out and any(
                a.to == p.name and job.bound.default(n) == "None" for n, a in row.args.items()):
            job.out[p.name] = expression("None")
    for name, value in row.fixed.items():
        if default_of(job.torch, name) != value:
            job.out[name] = expression(re.sub(r"e([+-])0(\d)", r"e\1\2", repr(value)))
            _in_place(job, name)


def _in_place(job: Job, name: str) -> None:
    """A fixed argument stands before those that follow it in the signature and are given by keyword."""
    order = [p.name for p in job.torch.params] if job.torch is not None else []
    later = order[order.index(name) + 1:] if name in order else []
    behind = [n for n in job.out if n in later and job.source.get(n) in job.bound.keyword]
    for n in behind:
        job.out[n] = job.out.pop(n)


def _map_one(job: Job, name: str, adapters: Any) -> None:
    arg = job.row.args.get(name)
    if arg is None:
        if name in job.row.ignore or name in job.row.only or name in job.row.init:
            return
        raise job.refuse("P202", f"argument `{name}` has no counterpart")
    if arg.via:
        if arg.via not in adapters:
            raise job.refuse("P202", f"argument `{name}` is not translated yet (adapter `{arg.via}`)")
        value = adapters[arg.via](job, name, arg)
    else:
        value = job.value(name)
    if value is not None and arg.to:
        job.out[arg.to] = value
        job.source[arg.to] = name


def _map_default(job: Job, name: str, adapters: Any) -> None:
    arg = job.row.args.get(name)
    if arg is None or (arg.to and arg.to in job.out):
        return
    if arg.via:
        if arg.via not in adapters:
            raise job.refuse("P202", f"argument `{name}` is not translated yet (adapter `{arg.via}`)")
        value = adapters[arg.via](job, name, arg)
    else:
        value = expression(job.bound.default(name) or "None")
    if value is None or not arg.to or job.torch is None:
        return
    if code(value) == next((p.default for p in job.torch.params if p.name == arg.to), None):
        return
    try:
        mine = literal_text(code(value))
    except LookupError:
        mine = ...
    if mine is ... or mine != default_of(job.torch, arg.to):
        job.out[arg.to] = value


def default_of(signature: Signature | None, name: str) -> Any:
    p = signature.by_name.get(name) if signature else None
    try:
        return literal_text(p.default if p is not None else None)
    except LookupError:
        return ...


def choose(job: Job, signatures: tuple[Signature, ...]) -> Signature:
    """The first overload that takes what is given."""
    for signature in signatures:
        targets = {job.row.args[n].to for n in job.bound.args if n in job.row.args and _says_something(job, n)}
        possible = targets | set(job.row.fill) | {"input"} | {
            a.to for n, a in job.row.args.items() if job.bound.default(n) not in (None, "None")}
        if targets - {""} <= signature.by_name.keys() and set(signature.required) <= possible | set(
                job.row.ignore_torch):
            return signature
    return signatures[-1]


def _says_something(job: Job, name: str) -> bool:
    """An argument given as its own default None chooses no overload."""
    return not (job.literal(name) is None and job.bound.default(name) == "None")


def print_call(job: Job) -> cst.BaseExpression:
    signature = job.torch = choose(job, job.row.torch)
    map_args(job)
    names = {p.name for p in signature.params} | {"input"}
    job.out = {k: v for k, v in job.out.items() if k in names}
    for wrap in job.before:
        first = next(iter(p.name for p in signature.params))
        job.out[first] = wrap(job.out[first])
    if signature.attribute:
        return build("{x}." + signature.name.rpartition(".")[2], x=next(iter(job.out.values())))
    if signature.method or signature.name.startswith("tensor."):
        first = signature.params[0].name
        receiver = job.out.pop(first)
        args = arguments(job, Signature(signature.name, signature.params[1:]))
        func = cst.Attribute(paren(receiver), cst.Name(signature.name.rpartition(".")[2]))
        new = cst.Call(func, args, whitespace_before_args=job.node.whitespace_before_args)
        return reflow(new, list(job.node.args))
    new = cst.Call(expression(short(job.em, job.callee or signature.name)), arguments(job, signature),
                   whitespace_before_args=job.node.whitespace_before_args)
    return reflow(new, list(job.node.args))


def arguments(job: Job, signature: Signature) -> list[cst.Arg]:
    """`job.out` as arguments: positional where the call was and the order agrees, else by keyword."""
    order = [p.name for p in signature.positional]
    star = next((p.name for p in signature.params if p.star == "*"), None)
    filled = [n for n in job.out if n not in job.source]
    sequence = [n for n in order if n in filled and (n in job.row.fill or _required(signature, n))]
    sequence += [n for n in job.out if n not in sequence]
    keyword_given = {job.source[n] for n in job.source if job.source[n] in job.bound.keyword}
    made: list[cst.Arg] = []
    positional = True
    for i, name in enumerate(sequence):
        source = job.source.get(name)
        fits = positional and i < len(order) and order[i] == name
        required = _required(signature, name) and job.row.kind != "function"
        by_name = not fits or (source in keyword_given) or (source is None and name not in job.row.fill
                                                             and not required)
        if name == star and job.bound.stars and source in job.bound.args:
            all_ = [a.value for a in job.bound.stars]
            made += [a.with_changes(value=part(job, a.value, all_), keyword=None) for a in job.bound.stars]
            continue
        if name == star:
            value = job.out[name]
            made.append(cst.Arg(value, star="*" if isinstance(value, cst.Tuple | cst.List) else ""))
            continue
        original = job.bound.nodes.get(source) if source else None
        if by_name:
            positional = False
        made.append(argument(name if by_name else "", job.out[name], original))
    return drop_commas(made, list(job.node.args))


def _required(signature: Signature, name: str) -> bool:
    param = signature.by_name.get(name)
    return param is not None and param.default is None
