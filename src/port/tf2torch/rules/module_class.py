"""The text of a module's class from its split: parameters, stored settings, `__init__` and `forward`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression, statement
from port.tf2torch.emit import Refused
from port.tf2torch.infer.values import Function
from port.tf2torch.rules.assemble import Writer
from port.tf2torch.rules.attribute_names import assign_names, flattened
from port.tf2torch.rules.bodies import assigned_names, self_reads, unbound, used_names
from port.tf2torch.rules.prune import prune
from port.tf2torch.rules.split import Split
from port.tf2torch.rules.tidy import tidied
from port.tree import code, find, loads, named, target_names


def class_of(split: Split, name: str, docstring: list[Any], init: list[Any], forward: list[Any],
             forward_params: list[cst.Param], function: Function | None, leading: list[Any], apply_init: bool,
             free: list[str] | None = None, defaults: dict[str, cst.BaseExpression] | None = None
             ) -> tuple[cst.ClassDef, list[str], set[str], list[tuple[str, str]]]:
    """The class, its constructor's parameters, parameters that vanished, and mirrors among the parameters."""
    em = split.em
    if split.again.keys() - split.both:  # of branches that were left out
        raise next(iter(split.again.values()))
    em.need("nn")
    flat = flattened(split.frames[0], forward)
    names = assign_names(split, forward, set(split.stored))
    writer = Writer(split, names, flat)
    new_forward = _without_aliases(writer.forward(forward, split.frames[0]))
    new_init = writer.init(init, split.frames[0])
    read = self_reads(new_forward) & set(split.stored)
    new_init = prune(new_init, read | set(split.models))
    init_names = used_names(new_init) | read | set(split.models)
    params, dropped, mirrors = _parameters(split, function, init_names, free)
    new_init = _in_order(split, new_init, set(params))
    new_init = _store(split, new_init, [n for n in params if n in read], read)
    if function is not None and function.node in em.it.module.body:  # an inner one reads the names around it
        unbound(em, new_init, {*params, *(m for m, _ in mirrors)})
    for model in split.models:
        new_init.insert(0, statement(f"self.{model} = {model}"))
    if apply_init:
        new_init.append(statement("self.apply(init_weights)"))
    new_init = tidied(new_init)
    definition = _class(name, docstring, _param_nodes(function, params, defaults), new_init, forward_params,
                        new_forward, leading)
    em.it_classes[name] = split
    return definition, params, dropped, mirrors


def _in_order(split: Split, init: list[Any], params: set[str]) -> list[Any]:
    """The lines of a constructor, none of which reads a variable (a size that a loop carries along) before it is there.

    A layer that is made before the loop or branch which gives its size is made behind it; behind several, if the source
    applies it behind all of them.
    """
    out = list(init)
    for s in init:
        at = out.index(s)
        bound = params.union(*map(assigned_names, out[:at]))
        small = s.body[0] if isinstance(s, cst.SimpleStatementLine) else None
        early = (_read(getattr(small, "value", None) or s) if small is not None else set()) & set[str]().union(
            *map(assigned_names, out[at + 1:])) - bound
        if not early:
            continue
        givers = [i for i, other in enumerate(out) if i > at and early & assigned_names(other)]
        target: Any = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
        held = isinstance(target, cst.Attribute) and not any(
            code(target) == code(n) for other in out[at + 1:givers[-1] + 1] for n in find(other, cst.Attribute))
        if not held or (len(givers) > 1 and not _applied_last(split, target.attr.value)):
            raise Refused("P208", f"the size `{min(early)}` is not known yet where this layer is made, before the loop "
                          "or branch that applies it", None)
        out.insert(givers[-1] + 1, s)
        del out[at]
    return out


def _applied_last(split: Split, name: str) -> bool:
    """Does the source apply the variable of this name behind all its loops and branches, and nowhere else?"""
    node: Any = split.function.node if split.function is not None else None
    body = node.body.body if node is not None else ()
    blocks = [i for i, s in enumerate(body) if not isinstance(s, cst.SimpleStatementLine)]
    calls = [i for i, s in enumerate(body) for c in find(s, cst.Call) if code(c.func) == name]
    return bool(calls) and all(i > max(blocks, default=-1) for i in calls)


def _read(node: Any) -> set[str]:
    """Variables that it reads, but for those that a comprehension in it binds."""
    return set(loads(node)) - {n for c in find(node, cst.CompFor) for n in target_names(c.target)}


def _parameters(split: Split, function: Function | None, used: set[str], free: list[str] | None
                ) -> tuple[list[str], set[str], list[tuple[str, str]]]:
    if function is None or free is not None:
        return [n for n in free or [] if n in used], set(), []
    params: list[str] = []
    dropped: set[str] = set()
    mirrors: list[tuple[str, str]] = []
    source_names = named(function.node.body)
    for p in function.params:
        own = [m for m, (owner, _) in function.mirrors.items() if owner == p and m in used]
        own.sort(key=lambda m: -(function.mirrors[m][1] % 100))  # the last axis, -1, first
        if p in function.tensors or (function, p) in split.em.it.ranks:
            params += own
            mirrors += [(m, p) for m in own]
        elif p == "training" or (p not in used and p in source_names):
            dropped.add(p)
        else:
            params.append(p)
    return params, dropped, mirrors


def _param_nodes(function: Function | None, params: list[str], defaults: dict[str, cst.BaseExpression] | None
                 ) -> list[cst.Param]:
    known = dict(function.defaults) if function is not None and defaults is None else dict(defaults or {})
    out: list[cst.Param] = []
    for p in params:
        default = known.get(p)
        if default is None and any(q.default is not None for q in out):
            default = None
            out = [q.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT) for q in out]
        out.append(cst.Param(cst.Name(p), default=default, equal=cst.AssignEqual(
            cst.SimpleWhitespace(""), cst.SimpleWhitespace("")) if default is not None else cst.MaybeSentinel.DEFAULT))
    return out


def _store(split: Split, init: list[Any], params: list[str], read: set[str]) -> list[Any]:
    """`self.activation = activation` for settings that forward reads: parameters first, locals where they are made."""
    out = [statement(f"self.{p} = {p}") for p in params]
    reassigned = [p for p in params if any(p in assigned_names(s) for s in init)]
    out = [s for s, p in zip(out, params, strict=True) if p not in reassigned]
    todo = set(read) - set(params) | set(reassigned)
    last: dict[str, int] = {}
    for i, s in enumerate(init):
        for n in assigned_names(s) & todo:
            if n in last and not isinstance(s, cst.If):
                raise split.changes(n, None)
            last[n] = i
    out += [statement(f"self.{n} = {n}") for n in sorted(todo - last.keys())]
    bound = set(reassigned)  # on every path so far
    for i, s in enumerate(init):
        bound |= {n for n in assigned_names(s) & todo if not isinstance(s, cst.If) or _always(s, n)}
        mine = {n for n in todo if last.get(n) == i}
        always = mine & bound
        out.append(_stored_inside(s, mine - always) if mine - always else s)
        out += [statement(f"self.{n} = {n}") for n in sorted(always)]
    return out


def _always(s: cst.If, name: str) -> bool:
    """Is the variable bound on every path through this `if`?"""
    def bound(body: Any) -> bool:
        return any((isinstance(x, cst.SimpleStatementLine) and name in assigned_names(x)) or (
            isinstance(x, cst.If) and _always(x, name)) for x in body)

    if s.orelse is None:
        return False
    other = _always(s.orelse, name) if isinstance(s.orelse, cst.If) else bound(s.orelse.body.body)
    return bound(s.body.body) and other


def _stored_inside(s: Any, names: set[str]) -> Any:
    """`self.n = n` right behind the assignments, which only some paths reach."""
    if not isinstance(s, cst.If):
        return s
    body: list[Any] = []
    for x in s.body.body:
        body.append(_stored_inside(x, names))
        if isinstance(x, cst.SimpleStatementLine):
            body += [statement(f"self.{n} = {n}") for n in sorted(assigned_names(x) & names)]
    orelse: Any = s.orelse
    if isinstance(orelse, cst.If):
        orelse = _stored_inside(orelse, names)
    elif orelse is not None:
        block_ = _stored_inside(cst.If(cst.Name("x"), orelse.body), names)
        orelse = orelse.with_changes(body=block_.body)
    return s.with_changes(body=s.body.with_changes(body=body), orelse=orelse)


def _without_aliases(body: list[Any]) -> list[Any]:
    """`inputs = img_input` that nothing reads afterwards is dropped."""
    out = list(body)
    for i in range(len(out) - 1, -1, -1):
        s = out[i]
        if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign) and isinstance(
                s.body[0].value, cst.Name) and isinstance(s.body[0].targets[0].target, cst.Name) and len(
                s.body[0].targets) == 1:
            name = s.body[0].targets[0].target.value
            later = used_names(out[i + 1:])
            if name not in later:
                del out[i]
    return out


def _class(name: str, docstring: list[Any], params: list[cst.Param], init: list[Any],
           forward_params: list[cst.Param], forward: list[Any], leading: list[Any]) -> cst.ClassDef:
    me = cst.Param(cst.Name("self"))
    first = statement("super().__init__()")
    init = [first, *init]
    if len(init) > 1 and getattr(init[1], "leading_lines", None) and init[1].leading_lines[0].comment is None:
        init[1] = init[1].with_changes(leading_lines=init[1].leading_lines[1:])
    if forward and getattr(forward[0], "leading_lines", None):
        lines = list(forward[0].leading_lines)
        while lines and lines[0].comment is None:
            lines.pop(0)
        forward[0] = forward[0].with_changes(leading_lines=lines)
    blank = cst.EmptyLine(indent=False)
    make = cst.FunctionDef(cst.Name("__init__"), cst.Parameters([me, *params]), cst.IndentedBlock(init),
                           leading_lines=[blank] if docstring else [])
    make = wrapped(make)
    run = cst.FunctionDef(cst.Name("forward"), cst.Parameters([me, *forward_params]),
                          cst.IndentedBlock(forward or [statement("pass")]), leading_lines=[blank])
    return cst.ClassDef(cst.Name(name), cst.IndentedBlock([*docstring, make, run]),
                        bases=[cst.Arg(expression("nn.Module"))], lpar=cst.LeftParen(),
                        rpar=cst.RightParen(), leading_lines=leading)


def wrapped(node: cst.FunctionDef) -> cst.FunctionDef:
    """A signature that is too long for a line has one parameter a line."""
    if len(code(node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]), leading_lines=[]))) < 100:
        return node
    inner = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
    end = cst.ParenthesizedWhitespace(indent=True)
    params = [p.with_changes(comma=cst.Comma(whitespace_after=inner)) for p in node.params.params]
    params[-1] = params[-1].with_changes(comma=cst.Comma(whitespace_after=end))
    return node.with_changes(params=node.params.with_changes(params=params), whitespace_before_params=inner)
