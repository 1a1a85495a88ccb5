"""Functions with a gradient of their own: a class of autograd is read as the function that `tf.custom_gradient` wraps.

    class Swish(torch.autograd.Function):               @tf.custom_gradient
        @staticmethod                                    def Swish(x):
        def forward(ctx, x):                                 def grad(dy):
            ctx.save_for_backward(x)                             return dy * ...
            return x * torch.sigmoid(x)
                                                             return x * torch.sigmoid(x), grad
        @staticmethod
        def backward(ctx, dy):
            x, = ctx.saved_tensors
            return dy * ...

What `ctx` keeps, the inner function sees. Arguments without a gradient stay outside of what is wrapped: TensorFlow
would want a gradient for each.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.facts import Kind
from port.names import Names, dotted_name
from port.torch2tf.refused import Refused
from port.torch2tf.values import Items
from port.tree import code, find, loads, memo, named, rebuild, walk

FUNCTION = "torch.autograd.Function"
FORWARD, BACKWARD = "forward", "backward"
MADE = frozenset(("grad", "op"))  # names of the functions inside
LEFT_OUT = frozenset(("symbolic",))  # how it is written into an ONNX file


class _Unread(Exception):
    """The class has something that this way of reading does not know: it is left as it is."""


@memo
def is_applied(names: Names, node: cst.FunctionDef | cst.Lambda) -> bool:
    """Is this what stands for a class of autograd, or the function inside of that which has the gradient?"""
    return isinstance(node, cst.FunctionDef) and any(
        names.resolve(d.decorator) == FUNCTION for d in find(node, cst.Decorator))


def read(module: cst.Module, names: Names) -> tuple[cst.Module, dict[cst.CSTNode, cst.CSTNode]]:
    """The module, and for each class that is read as a function: how it is written."""
    written: dict[cst.CSTNode, cst.CSTNode] = {}
    body: list[Any] = []
    for node in module.body:
        if isinstance(node, cst.ClassDef) and len(node.bases) == 1 and names.resolve(node.bases[0].value) == FUNCTION:
            try:
                new = _function(node)
            except _Unread:
                new = None
            if new is not None:
                written[new] = node
                node = new
        body.append(node)
    return (module.with_changes(body=body) if written else module), written


def _function(node: cst.ClassDef) -> cst.FunctionDef:
    methods, docstring = _methods(node)
    forward, backward = methods[FORWARD], methods[BACKWARD]
    context, params = _context(forward)
    inner = _Inner(forward, context)
    if MADE & named(forward):
        raise _Unread
    ahead, result = inner.forward()
    grad, without = inner.backward(backward, [p.name.value for p in params])
    returned: Any = statement("return 0, grad\n")
    returned = returned.with_deep_changes(returned.body[0].value.elements[0], value=_grouped(result))
    body = [*ahead, grad.with_changes(leading_lines=[cst.EmptyLine(indent=False)] if ahead else []),
            returned.with_changes(leading_lines=[cst.EmptyLine(indent=False)])]
    mark = cst.Decorator(node.bases[0].value)
    whole = forward.with_changes(name=node.name, decorators=[mark], leading_lines=[],
                                 params=forward.params.with_changes(params=params),
                                 body=forward.body.with_changes(body=body))
    if without:
        tensors = [p for p in params if p.name.value not in without]
        op = whole.with_changes(name=cst.Name("op"), params=cst.Parameters(
            [cst.Param(p.name) for p in tensors]), returns=None)
        last = statement(f"return op({', '.join(p.name.value for p in tensors)})\n")
        whole = whole.with_changes(decorators=[], body=whole.body.with_changes(body=[
            op, last.with_changes(leading_lines=[cst.EmptyLine(indent=False)])]))
    whole = whole.with_changes(leading_lines=node.leading_lines, lines_after_decorators=[])
    return whole.with_changes(body=whole.body.with_changes(body=[*docstring, *whole.body.body]))


def _methods(node: cst.ClassDef) -> tuple[dict[str, cst.FunctionDef], list[Any]]:
    found: dict[str, cst.FunctionDef] = {}
    docstring: list[Any] = []
    for at, line in enumerate(node.body.body):
        if isinstance(line, cst.FunctionDef) and line.name.value in (FORWARD, BACKWARD):
            if not isinstance(line.body, cst.IndentedBlock) or [code(d.decorator) for d in line.decorators] not in (
                    ["staticmethod"],):
                raise _Unread
            found[line.name.value] = line
        elif at == 0 and isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Expr):
            docstring = [line]
        elif not (isinstance(line, cst.FunctionDef) and line.name.value in LEFT_OUT):
            raise _Unread
    if len(found) != 2:
        raise _Unread
    return found, docstring


def _context(method: cst.FunctionDef) -> tuple[str, list[cst.Param]]:
    p = method.params
    if not p.params or p.posonly_params or p.kwonly_params or isinstance(p.star_arg, cst.Param) or p.star_kwarg:
        raise _Unread
    return p.params[0].name.value, list(p.params[1:])


def _grouped(result: cst.BaseExpression) -> cst.BaseExpression:
    """A tuple as one element of another."""
    return result.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]) if isinstance(
        result, cst.Tuple) and not result.lpar else result


class _Inner:
    """The two methods without what they hand each other through `ctx`."""

    def __init__(self, method: cst.FunctionDef, context: str):
        self.method, self.context = method, context
        self.saved: list[cst.BaseExpression] = []  # tensors that the gradient sees: names
        self.kept: dict[str, str] = {}  # attribute of ctx -> the variable that holds it
        self.params = {p.name.value for p in method.params.params}

    # ------------------------------------------------------------ forward
    def forward(self) -> tuple[list[Any], cst.BaseExpression]:
        """(the statements before the result, the result)."""
        lines = list(self.method.body.body)
        last = lines[-1]
        small: Any = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
        if not isinstance(small, cst.Return) or small.value is None or len(
                find(self.method.body, cst.Return)) != 1:
            raise _Unread
        ahead: list[Any] = []
        for at, line in enumerate(lines[:-1]):
            new = self._line(line, lines[at + 1:])
            ahead += [] if new is None else [new]
        if self._mentions(small.value) or any(self._mentions(line) for line in ahead):
            raise _Unread
        return ahead, small.value

    def _line(self, line: Any, rest: list[Any]) -> Any:
        small: Any = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
        if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and (
                dotted_name(small.value.func) == f"{self.context}.save_for_backward"):
            for arg in small.value.args:
                if arg.star or arg.keyword is not None or not isinstance(arg.value, cst.Name) or self.saved_before(
                        arg.value.value, rest):
                    raise _Unread
                self.saved.append(arg.value)
            return None
        if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(
                small.targets[0].target, cst.Attribute) and dotted_name(small.targets[0].target.value) == self.context:
            name = small.targets[0].target.attr.value
            self.kept[name] = name
            if isinstance(small.value, cst.Name):
                self.kept[name] = small.value.value
                if self.saved_before(small.value.value, rest):
                    raise _Unread
                return None
            if name in self.params or any(name in named(t.target) for t in find(self.method.body, cst.AssignTarget)
                                          if not isinstance(t.target, cst.Attribute)):
                raise _Unread
            return line.with_changes(body=[small.with_changes(targets=[cst.AssignTarget(cst.Name(name))])])
        return line

    @staticmethod
    def saved_before(name: str, rest: list[Any]) -> bool:
        """Is the variable another one, or changed in place, when the result is there?"""
        for line in rest:
            for node in walk(line):
                if any(name in named(t) for t in _targets(node)):
                    return True
                if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and (
                        node.func.attr.value.endswith("_")) and name in named(node.func.value):
                    return True
        return False

    def _mentions(self, node: cst.CSTNode) -> bool:
        return any(type(n) is cst.Name and n.value == self.context for n in walk(node))

    # ------------------------------------------------------------ backward
    def backward(self, method: cst.FunctionDef, params: list[str]) -> tuple[cst.FunctionDef, set[str]]:
        """(the inner function, arguments without a gradient)."""
        self.context, cotangents = _context(method)
        body: list[Any] = []
        for line in method.body.body:
            body += self._unpacked(line)
        block: Any = self._read(method.body.with_changes(body=body))
        if self._mentions(block):
            raise _Unread
        kept = {n.value for n in self.saved if isinstance(n, cst.Name)} | set(self.kept.values())
        if any(_bound(node) & (kept | set(params)) for node in walk(block)):
            raise _Unread  # it would be a variable of the inner function
        bound = {n for node in walk(block) for n in _bound(node)} | {p.name.value for p in cotangents}
        ahead = {n for node in walk(self.method.body) for n in _bound(node)} | self.params | MADE
        if loads(block) & ahead - bound - kept:
            raise _Unread  # a global of that name, which the inner function would not see
        block, without = _results(block, params)
        return cst.FunctionDef(cst.Name("grad"), cst.Parameters(cotangents), block), without

    def _unpacked(self, line: Any) -> list[Any]:
        """`x, y = ctx.saved_tensors` names what the inner function sees: nothing, where the names are the same."""
        small: Any = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
        if not isinstance(small, cst.Assign) or len(small.targets) != 1:
            return [line]
        target, value = small.targets[0].target, self._read(small.value)
        if dotted_name(small.value) == f"{self.context}.saved_tensors":
            targets = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else []
            if len(targets) != len(self.saved):
                raise _Unread
            pairs = list(zip(targets, self.saved, strict=True))
        elif isinstance(target, cst.Name) and code(value) != code(small.value):
            pairs = [(target, value)]
        else:
            return [line]
        made = [statement(f"{code(t)} = {code(v)}\n") for t, v in pairs if code(t) != code(v)]
        return [m.with_changes(leading_lines=line.leading_lines if not i else []) for i, m in enumerate(made)]

    def _read(self, node: Any) -> Any:
        """Without `ctx`: `ctx.alpha` and `ctx.saved_tensors[0]` are the variables."""
        if isinstance(node, cst.Attribute) and dotted_name(node.value) == self.context and (
                node.attr.value in self.kept):
            return cst.Name(self.kept[node.attr.value])
        if isinstance(node, cst.Subscript) and dotted_name(node.value) == f"{self.context}.saved_tensors":
            at = code(node.slice[0])
            if not at.isdecimal() or int(at) >= len(self.saved):
                raise _Unread
            return self.saved[int(at)].deep_clone()
        return rebuild(node, self._read)


def _targets(node: cst.CSTNode) -> list[Any]:
    if isinstance(node, cst.Assign):
        return [t.target for t in node.targets]
    return [node.target] if isinstance(node, cst.AugAssign | cst.AnnAssign | cst.For) else []


def _bound(node: cst.CSTNode) -> set[str]:
    """Variables that a statement binds."""
    targets = _targets(node)
    parts = [e.value for t in targets if isinstance(t, cst.Tuple | cst.List) for e in t.elements] + targets
    return {p.value for p in parts if isinstance(p, cst.Name)}


def _results(block: Any, params: list[str]) -> tuple[Any, set[str]]:
    """The gradients that are returned without the None of arguments that have none, and those arguments."""
    returned = find(block, cst.Return)
    if not returned:
        raise _Unread
    all_parts: list[list[Any]] = [[e.value for e in r.value.elements] if isinstance(r.value, cst.Tuple) else [r.value]
                                  for r in returned]
    if any(len(parts) != len(params) or parts[0] is None for parts in all_parts):
        raise _Unread
    none = [all(code(parts[i]) == "None" for parts in all_parts) for i in range(len(params))]
    without = {name for name, nothing in zip(params, none, strict=True) if nothing}
    if len(without) == len(params) or any(code(p) == "None" for parts in all_parts
                                          for p, nothing in zip(parts, none, strict=True) if not nothing):
        raise _Unread
    if without:
        changes = {r: build("{p}", p=_joined([p for p, n in zip(parts, none, strict=True) if not n]))
                   for r, parts in zip(returned, all_parts, strict=True)}

        def shorter(node: Any) -> Any:
            return node.with_changes(value=changes[node]) if node in changes else rebuild(node, shorter)

        block = shorter(block)
    return block, without


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else cst.Tuple([cst.Element(p) for p in parts], lpar=[], rpar=[])


# ---------------------------------------------------------------- writing
def decorator(w: Any, node: cst.FunctionDef) -> cst.BaseExpression:
    """`tf.custom_gradient`, if each gradient has the axes of what it is the gradient of."""
    if w.target == "keras":
        raise Refused("P203", "each backend of Keras has a way of its own to give a function a gradient", node)
    function = w.it.functions[node]
    gradient = w.it.functions[next(s for s in find(node.body, cst.FunctionDef) if s.name.value == "grad")]
    given = gradient.result
    found = given.payload.elements if given is not None and isinstance(given.payload, Items) else [given]
    for name, fact in zip(function.params, found, strict=False):
        if fact is None or fact.kind is not Kind.TENSOR:
            raise Refused("P204", f"what the gradient of `{name}` is is not known", gradient.node)
        if fact.layout is not function.held[name].layout:
            raise Refused("P209", f"the gradient of `{name}` has other axes than it has", gradient.node)
    w.need("tf")
    return expression("tf.custom_gradient")
