"""Writes in place that something else would show: another variable, the caller, the object. They are refused."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf import leading
from port.torch2tf.above import blocks_of, functions, given, leaves, parents, read_once
from port.torch2tf.memory import writes
from port.torch2tf.refused import Refused
from port.torch2tf.sharing import keeps, of_caller, up_to
from port.torch2tf.values import Chain, Function, Instance, Layer, SelfOf, options
from port.tree import code, find, walk


def of_variable(w: Any, name: cst.Name, node: cst.CSTNode, bound: bool = True) -> None:
    """`x += 1`, `x.add_(1)`, `x[0] = 1` of a variable of the function, which is `bound` anew here.

    It is not in `return x.mul_(y)`, where the result is all that is seen.
    """
    shared = up_to(w.it, w.function, node).closure([name.value])
    outside = next((n for n in sorted(shared) if n.startswith("@") and not _callers_tell(w, n)), "")
    if outside == f"@{name.value}" and not bound:
        w.report("P101", f"PyTorch changes `{name.value}`, the caller's tensor, in place as well: use the result",
                 node)
        outside = ""
    if outside == f"@{name.value}":
        raise Refused("P203", f"`{name.value}` belongs to the caller and is changed in place, which TensorFlow's "
                      "tensors cannot be: return a new tensor, or clone it first", node)
    seen = outside.removeprefix("@") or _seen(w, node, {n for n in shared if not n.startswith("@")} - (
        {name.value} if bound else set()))
    if seen == name.value:
        raise Refused("P203", f"`{seen}` is changed in place and read below; clone it first", node)
    if seen:
        where = "is read below" if not outside else "belongs to the caller" if seen in w.function.params else (
            "others hold")
        raise Refused("P203", f"`{name.value}` may share its memory with `{seen}`, which {where}, and is changed in "
                      "place; clone it first", node)


def _callers_tell(w: Any, outside: str) -> bool:
    """Is this a parameter of a function whose calls are all in this project, each of which is asked (`of_call`)?"""
    function: Function = w.function
    return outside.removeprefix("@") in function.arguments and function.inside and function not in _values(w.it)


def _values(it: Any) -> set[Function]:
    """Functions that are taken as values, so that not all that call them are known."""
    known = it.objects.get("function values")
    if known is None:
        called = {id(node.func) for node in it.receivers}
        known = it.objects["function values"] = {
            f.payload for n, f in it.facts.values() if isinstance(f.payload, Function) and id(n) not in called
            and isinstance(n, cst.Name | cst.Attribute)}
    return known  # type: ignore[no-any-return]


def of_call(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse a module or function that changes an argument in place, which is read again."""
    found = seen(w, node, callee)
    if not found and len(options(callee)) > 1 and any(_walked(o) and writes(o.payload) for o in options(callee)):
        w.report("P101", f"`{code(node.func)}` may be a module with inplace=True, which in PyTorch changes what is "
                 "kept of the one before it as well", node)
    if found:
        layers = [o.payload for o in options(callee) if isinstance(o.payload, Layer)]
        layer = next((one for one in layers if "inplace" in one.bound), None)
        what = f"nn.{layer.symbol.rpartition('.')[2]}(inplace=True)" if layer is not None else code(node.func)
        raise Refused("P203", f"`{what}` changes a tensor in place that is read again, as `{found.removeprefix('@')}`; "
                      "TensorFlow's cannot be changed: leave inplace out, or use the result", node)


def seen(w: Any, node: cst.Call, callee: Fact) -> str:
    """The variable that shows afterwards what the call has changed in place; '' if there is none."""
    if w.function is None or not isinstance(w.function.node, cst.FunctionDef):
        return ""
    several = len(options(callee)) > 1
    values = [v for o in options(callee) if not (several and _walked(o)) for v in written(w.it, node, o)]
    if not values:
        return ""
    groups = up_to(w.it, w.function, node)
    shared = groups.closure({r for v in values for r in groups.roots(v)})
    return next((n for n in sorted(shared) if n.startswith("@self.")), "") or _seen(
        w, node, {n for n in shared if not n.startswith("@")})


def _walked(callee: Fact) -> bool:
    """One of several modules, which a loop over the parts of another applies to what the part before it gives."""
    return isinstance(callee.payload, Layer) and callee.payload.walked


# ---------------------------------------------------------------- what a call writes into
def written(it: Any, node: cst.Call, callee: Fact) -> list[cst.BaseExpression]:
    """Arguments that the call changes in place."""
    payload, every = callee.payload, [a.value for a in node.args]
    if isinstance(payload, Layer | Chain):
        return every[:1] if _changes(it, callee) else []
    if isinstance(payload, Function | Instance | SelfOf):
        return [v for f in functions(payload) for n, v in given(f, node).items() if n in changed(it, f)]
    if callee.symbol.startswith("torch.nn.functional."):
        named = any(a.keyword is not None and a.keyword.value == "inplace"
                    and it.fact(a.value).literal(...) is not False for a in node.args)
        return every[:1] if named or callee.symbol.endswith("_") else []
    return []


def _changes(it: Any, callee: Fact) -> bool:
    """Does a module change what it is given?"""
    payload = callee.payload
    if isinstance(payload, Layer):
        return writes(payload)
    if isinstance(payload, Chain):
        return any(_first_changes(it, begin) for begin in leading.ways(it, payload) or [payload.children])
    return isinstance(payload, Instance | SelfOf) and any(f.arguments and f.arguments[0] in changed(it, f)
                                                         for f in functions(payload))


def _first_changes(it: Any, children: list[Fact]) -> bool:
    """Does one of these modules change what the first of them is given?"""
    for child in children:
        if any(_changes(it, o) for o in options(child)):
            return True
        if not all(keeps(it, o) for o in options(child)):
            return False
    return False


def changed(it: Any, function: Function) -> set[str]:
    """Parameters that the function changes in place."""
    found: set[str] = read_once(it, "changed", function, set(), _changed)
    return found


def _changed(it: Any, function: Function) -> set[str]:
    found: set[str] = set()
    for node in walk(function.node.body, enter_functions=False):
        values = _written_at(it, node)
        if values:
            groups = up_to(it, function, node)
            found |= groups.closure({r for v in values for r in groups.roots(v)})
    return of_caller(function, found)


# ---------------------------------------------------------------- who reads it afterwards
_WRITING: frozenset[type] = frozenset((cst.Call, cst.AugAssign, cst.Assign))


def _written_at(it: Any, node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Tensors that a node of the source changes: a call's arguments, `x += 1`, `x.add_(1)`, `x[0] = 1`."""
    if type(node) not in _WRITING:
        return []
    if isinstance(node, cst.Call):
        method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        if method.endswith("_") and not method.endswith("__") and it.fact(node.func.value).kind is Kind.TENSOR:  # type: ignore[attr-defined]
            return [node.func.value]  # type: ignore[attr-defined]
        held = options(it.receivers.get(node) or it.fact(node.func))
        return [v for o in held if len(held) == 1 or not _walked(o) for v in written(it, node, o)]
    targets = [node.target] if isinstance(node, cst.AugAssign) else [
        t.target for t in node.targets if isinstance(t.target, cst.Subscript)] if isinstance(node, cst.Assign) else []
    stored = [t.value if isinstance(t, cst.Subscript) else t for t in targets]
    return [t for t in stored if it.fact(t).kind is Kind.TENSOR]


def _seen(w: Any, node: cst.CSTNode, names: set[str]) -> str:
    """The first of these variables that is read after the write."""
    return next((n for n in sorted(names) if is_read_after(w, node, n)), "")


def is_read_after(w: Any, node: cst.CSTNode, name: str) -> bool:
    tree = parents(w.it, w.function.node)
    own, inside = _statement(tree, node), {*map(id, walk(node)), *_elsewhere(tree, node)}
    outer = {id(n) for block in blocks_of(own) for n in walk(block)}
    if any(n.value == name and id(n) not in inside and id(n) not in outer and not _is_bound(tree, n)
           for n in find(own, cst.Name)):
        return True
    if not _binds(own, name):
        for statement in _below(tree, own, w.function.node):
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement]:
                if any(n.value == name and not _is_bound(tree, n) for n in find(small, cst.Name)):
                    return not (isinstance(small, cst.For) and _binds(small, name))
                if _binds(small, name):
                    return _in_loop(tree, node, name)
        return _in_loop(tree, node, name)
    return False


def _statement(tree: dict[cst.CSTNode, cst.CSTNode], node: cst.CSTNode) -> Any:
    while not isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
        node = tree[node]
    return node


def _elsewhere(tree: dict[cst.CSTNode, cst.CSTNode], node: cst.CSTNode) -> set[int]:
    """What runs before, or instead: the condition and the other branch of `x.mul_(y) if inplace else x * y`."""
    found: set[int] = set()
    while not isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
        above = tree[node]
        if isinstance(above, cst.IfExp) and node is not above.test:
            found |= {id(n) for part in (above.test, above.body, above.orelse) if part is not node for n in walk(part)}
        node = above
    return found


def _is_bound(tree: dict[cst.CSTNode, cst.CSTNode], name: cst.Name) -> bool:
    """Is this no variable that is read: a target, an attribute's name, a keyword?"""
    above = tree.get(name)
    if isinstance(above, cst.Element) and isinstance(tree.get(tree[above]), cst.AssignTarget):
        return True
    return isinstance(above, cst.AssignTarget) or (isinstance(above, cst.Attribute) and above.attr is name) or (
        isinstance(above, cst.Arg) and above.keyword is name) or isinstance(above, cst.Del)


def _binds(statement: Any, name: str) -> bool:
    targets = [t.target for t in statement.targets] if isinstance(statement, cst.Assign) else [
        statement.target] if isinstance(statement, cst.For | cst.AnnAssign) else []
    parts = [e.value for t in targets if isinstance(t, cst.Tuple | cst.List) for e in t.elements] + targets
    return any(isinstance(p, cst.Name) and p.value == name for p in parts)


def _below(tree: dict[cst.CSTNode, cst.CSTNode], node: cst.CSTNode, function: cst.CSTNode) -> list[Any]:
    """Statements that may run after one: those below it, block by block outwards, but no branch that excludes it."""
    found: list[Any] = []
    while node is not function and node in tree:
        above = tree[node]
        if isinstance(above, cst.IndentedBlock | cst.SimpleStatementSuite | cst.SimpleStatementLine):
            rest = list(above.body)[[n is node for n in above.body].index(True) + 1:]
            found += rest
            if leaves(above) and not isinstance(above, cst.SimpleStatementLine):
                return found
        elif isinstance(above, cst.Try):
            found += [b for block in blocks_of(above)[1:] for b in block.body]
        node = above
    return found


def _reads_itself(statement: Any, name: str) -> bool:
    """`y = y + 1`"""
    return isinstance(statement, cst.Assign) and any(n.value == name for n in find(statement.value, cst.Name))


def _in_loop(tree: dict[cst.CSTNode, cst.CSTNode], node: cst.CSTNode, name: str) -> bool:
    """Does the next turn of a loop around the write read the variable, without binding it first?"""
    at = tree.get(node)
    while at is not None:
        if isinstance(at, cst.For | cst.While | cst.ListComp | cst.GeneratorExp):
            first = next((n for n in find(at, cst.Name) if n.value == name), None)
            if first is not None and not isinstance(tree.get(first), cst.For | cst.CompFor) and (
                    not _is_bound(tree, first) or _reads_itself(_statement(tree, first), name)):
                return True
        at = tree.get(at)
    return False
