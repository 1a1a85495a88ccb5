"""Functions and modules of the user that work on each number by itself, as activations do.

What goes through one keeps its axes, wherever they are: it takes images channels last at one place, and tokens or
vectors at another. Told from the text alone, as facts of tensors depend on the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import Kind
from port.torch2tf.values import Function
from port.tree import code, find

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

FUNCTIONS = frozenset("""
    relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid tanh softplus hardtanh hardswish hardsigmoid logsigmoid
    softsign tanhshrink hardshrink softshrink abs neg exp expm1 log log2 log1p sqrt rsqrt square reciprocal sin cos tan
    atan sign floor ceil round erf clone contiguous clamp clamp_min clamp_max clip detach add sub mul div pow float
    sigmoid_ threshold where ones_like zeros_like maximum minimum""".split())
MODULES = frozenset("""
    ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Sigmoid Tanh Softplus Hardtanh Hardswish Hardsigmoid LogSigmoid
    Softsign Identity""".split())
DEEPEST = 4  # functions that call each other


def taken(it: Interp, function: Function) -> str:
    """The one tensor that the function takes and changes number by number; '' if it is no such function."""
    known = it.objects.setdefault("alike", {})
    if function not in known:
        known[function] = ""  # until it is known, of one that calls itself
        known[function] = _taken(it, function, 0)
    return str(known[function])


def _taken(it: Interp, function: Function, depth: int) -> str:
    names = function.arguments
    return names[0] if names and _works(it, function, frozenset(names[:1]), depth) else ""


def _works(it: Interp, function: Function, tensors: frozenset[str], depth: int) -> bool:
    """Are the numbers that it gives made of those of these parameters, each of those at its place?"""
    if depth > DEEPEST or function.star or function.yields or not isinstance(
            function.node, cst.FunctionDef) or function.node.asynchronous:
        return False
    read = _Reader(it, function, set(tensors), depth)
    if not all(name in tensors or read.is_setting(cst.Name(name)) for name in function.arguments):
        return False
    return bool(find(function.node.body, cst.Return, enter_functions=False)) and read.suite(function.node.body)


class _Reader:
    """Reads statements; `tensors` are the variables that hold numbers made of those of the parameters."""

    def __init__(self, it: Interp, function: Function, tensors: set[str], depth: int):
        self.it, self.function, self.depth = it, function, depth
        self.tensors = tensors
        self.names = (function.file or it.file).names

    def suite(self, body: Any) -> bool:
        return all(self._statement(s) for s in body.body)

    def _statement(self, node: Any) -> bool:
        if isinstance(node, cst.SimpleStatementLine):
            return all(self._line(small) for small in node.body)
        if isinstance(node, cst.If):
            other = node.orelse
            return self.is_setting(node.test) and self.suite(node.body) and (
                other is None or self._statement(other) if isinstance(other, cst.If) or other is None
                else self.suite(other.body))
        if isinstance(node, cst.FunctionDef) and self.function.applied:  # its gradient (owngradients.py)
            self.tensors |= {p.name.value for p in node.params.params}
            return self.suite(node.body)
        return False

    def _line(self, node: Any) -> bool:
        if isinstance(node, cst.Return):
            value = node.value
            if self.function.applied and isinstance(value, cst.Tuple):  # beside its gradient
                value = value.elements[0].value
            return value is not None and self._is_tensor(value)
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target = node.targets[0].target
            if not isinstance(target, cst.Name) or not self._is_tensor(node.value):
                return False
            self.tensors.add(target.value)
            return True
        if isinstance(node, cst.AugAssign):
            return isinstance(node.target, cst.Name) and node.target.value in self.tensors and self._is_operand(
                node.value)
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            return self._is_tensor(node.value)
        return isinstance(node, cst.Pass) or (isinstance(node, cst.Expr) and isinstance(
            node.value, cst.SimpleString | cst.ConcatenatedString))

    def _is_operand(self, node: Any) -> bool:
        return self._is_tensor(node) or self.is_setting(node)

    def _is_tensor(self, node: Any) -> bool:
        """Is each number of this made of the one at its place, and of settings?"""
        if isinstance(node, cst.Name):
            return node.value in self.tensors
        if isinstance(node, cst.BinaryOperation):
            plain = not isinstance(node.operator, cst.MatrixMultiply)
            sides = [node.left, node.right]
            return plain and all(map(self._is_operand, sides)) and any(map(self._is_tensor, sides))
        if isinstance(node, cst.Comparison):
            sides = [node.left, *(t.comparator for t in node.comparisons)]
            return all(map(self._is_operand, sides)) and any(map(self._is_tensor, sides))
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Minus) and self._is_tensor(node.expression)
        if isinstance(node, cst.IfExp):
            return self.is_setting(node.test) and self._is_tensor(node.body) and self._is_tensor(node.orelse)
        return isinstance(node, cst.Call) and self._is_call(node)

    def _is_call(self, node: cst.Call) -> bool:
        if (not node.args and not isinstance(node.func, cst.Attribute)) or any(a.star for a in node.args):
            return False
        func, values = node.func, [a.value for a in node.args]
        symbol = self.names.resolve(func)
        if symbol.startswith("torch."):
            name = symbol.rpartition(".")[2]
            known = name in FUNCTIONS or name.removesuffix("_") in FUNCTIONS
            return known and self._is_tensor(values[0]) and all(map(self._is_operand, values[1:]))
        if isinstance(func, cst.Attribute) and self._is_tensor(func.value):
            name = func.attr.value
            return (name in FUNCTIONS or (name.removesuffix("_") in FUNCTIONS)) and all(map(self._is_operand, values))
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) and func.value.value == "self":
            return len(values) == 1 and self._is_tensor(values[0]) and self._is_module(func.attr.value)
        return any(map(self._is_tensor, values)) and all(map(self._is_operand, values)) and self._is_own(node)

    def _is_own(self, node: cst.Call) -> bool:
        """A function of the project that is one of these itself, or `apply` of one for a class of autograd."""
        func = node.func
        word = func.value if isinstance(func, cst.Attribute) and func.attr.value == "apply" else func
        found = self.function.env.get(word.value) if isinstance(word, cst.Name) else None
        payload = found.payload if found is not None else None
        if not isinstance(payload, Function) or payload.applied is (word is func):
            return False
        names = {a.keyword.value if a.keyword else n: a.value for a, n in zip(
            node.args, [*payload.arguments, *[""] * len(node.args)], strict=False)}
        return _works(self.it, payload, frozenset(n for n, v in names.items() if self._is_tensor(v)), self.depth + 1)

    def _is_module(self, name: str) -> bool:
        """Is `self.act` an activation of PyTorch's, made in the constructor and nowhere else?"""
        made = self._set(name)
        return bool(made) and all(isinstance(v, cst.Call) and self.names.resolve(v.func) in {
            f"torch.nn.{m}" for m in MODULES} for v in made)

    def _set(self, name: str) -> list[Any]:
        owner = self.function.owner
        return [] if owner is None else [
            s.value for s in find(owner.node, cst.Assign) if any(code(t.target) == f"self.{name}" for t in s.targets)]

    def is_setting(self, node: Any) -> bool:
        """A number or a choice, of which no tensor is made."""
        if isinstance(node, cst.Integer | cst.Float | cst.SimpleString):
            return True
        if isinstance(node, cst.Name):
            return node.value in ("True", "False", "None") or self._is_parameter(self.function, node.value)
        if isinstance(node, cst.UnaryOperation):
            return self.is_setting(node.expression)
        if isinstance(node, cst.BinaryOperation | cst.BooleanOperation):
            return self.is_setting(node.left) and self.is_setting(node.right)
        if isinstance(node, cst.Comparison):
            return self.is_setting(node.left) and all(self.is_setting(t.comparator) for t in node.comparisons)
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self":
            init = self.function.owner.methods.get("__init__") if self.function.owner is not None else None
            made = self._set(node.attr.value)
            return node.attr.value == "training" or (bool(made) and init is not None and all(
                isinstance(v, cst.Integer | cst.Float) or (isinstance(v, cst.Name) and (
                    v.value in ("True", "False", "None") or self._is_parameter(init, v.value))) for v in made))
        return False

    def _is_parameter(self, function: Function, name: str) -> bool:
        """A parameter that a number, a truth value or None is the default of, or that is hinted so."""
        if (name in self.tensors and function is self.function) or name not in function.arguments:
            return False
        default, hint = function.defaults.get(name), function.hints.get(name, "")
        return hint in ("bool", "int", "float", "str", "Optional[bool]") or (
            isinstance(default, cst.Integer | cst.Float | cst.UnaryOperation | cst.SimpleString)
            or (isinstance(default, cst.Name) and default.value in ("True", "False")))


def given(it: Interp, function: Function, bound: dict[str, Any]) -> Any:
    """The tensor that a call gives such a function; None if it is none, or if it gets something else."""
    name = taken(it, function) if bound else ""
    fact = bound.get(name)
    return fact if fact is not None and fact.kind is Kind.TENSOR else None
