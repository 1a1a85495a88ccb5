"""A tf.TensorArray that a loop fills in order is read as a list.

    outs = tf.TensorArray(tf.float32, size=n)      ->    outs = []
    for t in tf.range(n):                                for t in tf.range(n):
        outs = outs.write(t, f(t))                           outs.append(f(t))
    y = outs.stack()                                     y = tf.stack(outs)
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build
from port.tree import code, find, rebuild

READS = {"stack": "{tf}.stack({x})", "concat": "{tf}.concat({x}, 0)"}


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such arrays as lists; the same object if there are none."""
    return rebuild(module, _function)  # type: ignore[return-value]


def _function(node: cst.CSTNode) -> cst.CSTNode:
    new: Any = rebuild(node, _function)
    if not isinstance(new, cst.FunctionDef) or not isinstance(new.body, cst.IndentedBlock):
        return new
    lines: list[Any] = [s for s in new.body.body if isinstance(s, cst.SimpleStatementLine)]
    for line in (s.body[0] for s in lines if len(s.body) == 1):
        if isinstance(line, cst.Assign) and len(line.targets) == 1 and _is_array(line.value) and isinstance(
                line.targets[0].target, cst.Name):
            new = _as_list(new, line.targets[0].target.value, line.value.func.value)  # type: ignore[attr-defined]
    return new


def _as_list(node: Any, name: str, owner: cst.BaseExpression) -> Any:
    """The function with this array as a list, up to the line that takes the name for the stacked tensor."""
    body: list[Any] = list(node.body.body)
    last = next((i for i, s in enumerate(body) if isinstance(s, cst.SimpleStatementLine) and isinstance(
        s.body[0], cst.Assign) and code(s.body[0].targets[0].target) == name and not _is_array(s.body[0].value)
        and _written(s, name) is None), None)
    head = body if last is None else body[:last]
    tail = [] if last is None else [body[last].body[0].value]
    if _fills_in_order(head, name, 0) is None or not _only_known_uses([*head, *tail], name):
        return node
    new = [_listed(s, name, owner) for s in head]
    if last is not None:
        small = body[last].body[0]
        line = small.with_changes(value=_listed(small.value, name, owner))
        new += [body[last].with_changes(body=[line]), *body[last + 1:]]
    return node.with_changes(body=node.body.with_changes(body=new))


def _is_array(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Call) and code(value.func).endswith(".TensorArray")


def _written(line: Any, name: str) -> cst.Call | None:
    """The call of `name = name.write(index, value)`."""
    small: Any = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else line
    call = small.value if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    same = isinstance(call, cst.Call) and code(small.targets[0].target) == name and code(call.func) == f"{name}.write"
    return call if same else None  # type: ignore[return-value]


def _fills_in_order(body: Any, name: str, count: int) -> int | None:
    """How many places are filled behind these lines, -1 for as many as a loop has turns; None if not in order."""
    for line in body:
        call = _written(line, name)
        writes = [c for c in find(line, cst.Call) if code(c.func) == f"{name}.write"]
        if call is not None:
            at = keyword(call, "index", 0)
            if count < 0 or at is None or code(at) != str(count):
                return None
            count += 1
        elif writes and isinstance(line, cst.For) and len(writes) == 1 and count >= 0:
            inner = [c for s in line.body.body if (c := _written(s, name)) is not None]
            if inner != writes or code(keyword(inner[0], "index", 0) or cst.Name("_")) != code(line.target) or not (
                    _starts_at(line.iter, count)):
                return None
            count = -1
        elif writes:
            return None
    return count


def _starts_at(node: cst.BaseExpression, count: int) -> bool:
    """`range(n)` and `tf.range(n)` at 0, `range(1, n)` at 1."""
    if not isinstance(node, cst.Call) or code(node.func).rpartition(".")[2] != "range" or any(
            a.keyword is not None for a in node.args):
        return False
    return (len(node.args) == 1 and count == 0) or (len(node.args) == 2 and code(node.args[0].value) == str(count))


def _only_known_uses(nodes: list[Any], name: str) -> bool:
    every = sum(n.value == name for s in nodes for n in find(s, cst.Name))
    made = [n for s in nodes for n in find(s, cst.Assign) if code(n.targets[0].target) == name]
    used = [n for s in nodes for n in find(s, cst.Attribute) if code(n.value) == name]
    arrays = sum(_is_array(n.value) for n in made)
    writes = sum(n.attr.value == "write" for n in used)
    known = all(n.attr.value in (*READS, "read", "write") for n in used)
    return known and arrays == 1 and len(made) == arrays + writes and every == len(made) + len(used)


def _listed(node: Any, name: str, owner: cst.BaseExpression) -> Any:
    if isinstance(node, cst.Assign) and code(node.targets[0].target) == name:
        call = _written(node, name)
        if call is None:
            return node.with_changes(value=cst.List([]))
        value = _listed(keyword(call, "value", 1), name, owner)
        return cst.Expr(build("{x}.append({v})", x=cst.Name(name), v=value))
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and code(node.func.value) == name:
        if node.func.attr.value == "read":
            return build("{x}[{i}]", x=cst.Name(name), i=_listed(node.args[0].value, name, owner))
        return build(READS[node.func.attr.value], tf=owner, x=cst.Name(name))
    return rebuild(node, lambda child: _listed(child, name, owner))
