"""What is known of settings by the code around them: widths that agree, masks of a row, values assigned once."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Sym, dim_value
from port.tf2torch.calls.job import Job
from port.tf2torch.emit import Refused
from port.tf2torch.infer.arrivals import bind_args
from port.tf2torch.infer.results import bindings_of
from port.tf2torch.infer.values import Class, Instance, find_method
from port.tree import code, find, walk


def fills(job: Job, query: Dim) -> bool:
    """Is `num_heads * key_dim` the width? By numbers, or by the text `width // num_heads`."""
    heads, size = job.em.it.dim(job.bound.args["num_heads"]), job.em.it.dim(job.bound.args["key_dim"])
    numbers = (dim_value(query), dim_value(heads), dim_value(size))
    if all(isinstance(n, int) for n in numbers):
        return numbers[0] == numbers[1] * numbers[2]  # type: ignore[operator]
    if query is None:
        return False
    if not _sizable(job, query):
        return False
    number = same_text(job, job.bound.args["num_heads"])
    return any(same_text(job, b) == number and is_width(job, query, a)
               for a, b in _quotients(job, job.bound.args["key_dim"])) or (
        heads == 1 and is_width(job, query, job.bound.args["key_dim"]))


def is_width(job: Job, query: Dim, node: cst.BaseExpression) -> bool:
    """Is the setting the width that arrives: by its text, or in every call of the function that builds the layer?"""
    text = same_text(job, node)
    if text == same_text(job, job.em.size(query, job.node)):
        return True
    function, em = job.em.scope.function, job.em
    if function is None or text not in function.params or not isinstance(query, Sym) or query.text not in (
            function.mirrors):
        return False
    found = []
    for call, (callee, facts) in em.it.applications.items():
        if callee.payload is function:
            bound = bind_args(function, call, facts) or {}
            sizes = bindings_of(em.it, call, function, bound)
            found.append((str(sizes.get(query.text)), str(sizes.get(text))))
    return bool(found) and all(a == b != "None" for a, b in found)


def _sizable(job: Job, dim: Dim) -> bool:
    try:
        job.em.size(dim, job.node)
        return True
    except Refused:
        return False


def _quotients(job: Job, node: cst.BaseExpression) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """(a, b) if the value is `a // b` or int(a / b), also through a variable or attribute that is assigned once."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.FloorDivide):
        return [(node.left, node.right)]
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "int" and len(
            node.args) == 1 and isinstance(node.args[0].value, cst.BinaryOperation) and isinstance(
            node.args[0].value.operator, cst.Divide):
        return [(node.args[0].value.left, node.args[0].value.right)]
    value = assigned(job, node)
    return _quotients(job, value) if value is not None else []


def assigned(job: Job, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a variable or an attribute of self holds, if it is assigned in one place only."""
    place: Any = job.em.scope.function.node if job.em.scope.function is not None else job.em.it.module
    if isinstance(node, cst.Attribute):
        if not isinstance(job.em.scope.cls, Class):
            return None
        place = job.em.scope.cls.node
    elif not isinstance(node, cst.Name):
        return None
    text = code(node)
    found = [n for n in find(place, cst.Assign) if any(code(t.target) == text for t in n.targets)]
    return found[0].value if len(found) == 1 else None


def same_text(job: Job, node: cst.BaseExpression) -> str:
    """Text by which two settings are known to be equal: `self.dim = dim` is `dim`."""
    value = assigned(job, node)
    if isinstance(value, cst.Name | cst.Attribute):
        return same_text(job, value)
    return code(node).replace(" ", "").strip("()")


def is_row(job: Job, node: cst.BaseExpression, place: Any = None, depth: int = 0) -> bool:
    """Is this `mask[:, None, :]`, here or in every call that passes it? (a mask of rank 2 then; torch checks it)"""
    em = job.em
    place = place if place is not None else em.scope.function
    if isinstance(node, cst.Subscript):
        inner = [e.slice for e in node.slice]
        return len(inner) == 3 and isinstance(inner[0], cst.Slice) and isinstance(inner[2], cst.Slice) and isinstance(
            inner[1], cst.Index) and (em.fact(inner[1].value).literal(...) is None or em.symbol(
                inner[1].value) == "tf.newaxis") and em.fact(node.value).rank in (None, 2)
    if not isinstance(node, cst.Name) or depth > 4:
        return False
    if place is not None and node.value in place.params:
        found = [(a, function_of(job, call)) for call, a in _passed(job, place, node.value)]
        return bool(found) and all(is_row(job, a, p, depth + 1) for a, p in found)
    body = place.node if place is not None else em.it.module
    values = [n.value for n in find(body, cst.Assign) if any(
        isinstance(t.target, cst.Name) and t.target.value == node.value for t in n.targets)]
    return len(values) == 1 and is_row(job, values[0], place, depth + 1)


def _passed(job: Job, function: Any, name: str) -> list[tuple[cst.Call, cst.BaseExpression]]:
    """(call, argument) wherever the file calls this function or method with that parameter."""
    found = []
    for call, (callee, facts) in job.em.it.applications.items():
        target = callee.payload
        if isinstance(target, Instance):
            target = find_method(target.cls, "call")
        if target is function:
            argument = (bind_args(function, call, facts) or {}).get(name, (UNKNOWN, None))[1]
            if argument is not None and job.em.fact(argument).literal(...) is not None:
                found.append((call, argument))
    return found


def function_of(job: Job, call: cst.Call) -> Any:
    return next((f for f in job.em.it.functions.values() if isinstance(f.node, cst.FunctionDef)
                 and any(n is call for n in walk(f.node.body))), None)
