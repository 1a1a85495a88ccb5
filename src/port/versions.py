"""Conditions on the version of the source's framework, and on its compilers: neither is a question in the target.

The branch that runs is written alone. PyTorch is 2.0 or later, and runs its code as it stands; TensorFlow is 2.4 or
later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.names import Names
from port.tree import code, find


@dataclass(frozen=True)
class Framework:
    """What asks for its version, and versions from the first that is read on; as texts, "2.10" is less than "2.4"."""

    asks: tuple[str, ...]
    versions: tuple[str, ...]


PYTORCH = Framework(("torch.__version__",), ("2.0.0", "2.9.0", "2.10.0", "2.99.0"))
TENSORFLOW = Framework(("tf.__version__", "tf.version.VERSION"),
                       ("2.4.0", "2.9.0", "2.10.0", "2.19.0", "2.20.0", "2.99.0"))
COMPILERS = ("torch.jit.is_scripting", "torch.jit.is_tracing")
PARSERS = ("packaging.version.parse", "packaging.version.Version", "pkg_resources.parse_version",
           "distutils.version.LooseVersion", "torch.torch_version.TorchVersion")
TELLS = ("print", "warnings", "logger", "logging", "log", "_logger")  # what they do is of no matter


def holds(names: Names, test: cst.BaseExpression, framework: Framework = PYTORCH) -> bool | None:
    """Whether a condition holds; None if it does not ask for this, or for more, or some version has another answer."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = holds(names, test.expression, framework)
        return None if inner is None else not inner
    if isinstance(test, cst.Call):
        return False if not test.args and names.resolve(test.func) in COMPILERS else None
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    asked, bound = test.left, test.comparisons[0].comparator
    if not isinstance(bound, cst.Call | cst.SimpleString) or not of_version(names, asked, framework):
        return None
    answers = {_compared(names, framework, asked, test.comparisons[0].operator, bound, version)
               for version in framework.versions}
    return answers.pop() if len(answers) == 1 else None


def of_version(names: Names, node: cst.CSTNode, framework: Framework = PYTORCH) -> bool:
    """Does this ask for the version?"""
    return any(names.resolve(n) in framework.asks for n in find(node, cst.Attribute))


def only_tells(names: Names, node: cst.If) -> bool:
    """`if parse(torch.__version__) < parse("2.5"): print("not tested")`: it speaks of PyTorch, or refuses it."""
    if node.orelse is not None or not of_version(names, node.test) or not isinstance(node.test, cst.Comparison):
        return False
    lines = node.body.body if isinstance(node.body, cst.IndentedBlock) else [node.body]
    return all(isinstance(s, cst.Raise | cst.Pass) or (isinstance(s, cst.Expr) and isinstance(
        s.value, cst.Call) and code(s.value.func).partition(".")[0] in TELLS)
        for line in lines for s in (line.body if isinstance(
            line, cst.SimpleStatementLine | cst.SimpleStatementSuite) else [line]))


def _compared(names: Names, framework: Framework, asked: cst.BaseExpression, operator: cst.BaseCompOp,
              bound: cst.BaseExpression, version: str) -> bool | None:
    left, right = (_value(names, framework, each, version) for each in (asked, bound))
    if left is None or right is None or type(left) is not type(right):
        return None
    answers: dict[type, Any] = {cst.LessThan: left < right, cst.LessThanEqual: left <= right,
                                cst.GreaterThan: left > right, cst.GreaterThanEqual: left >= right,
                                cst.Equal: left == right, cst.NotEqual: left != right}
    return answers.get(type(operator))


def _value(names: Names, framework: Framework, node: cst.BaseExpression, version: str) -> Any:
    """A string, or the numbers of a version that was parsed."""
    if isinstance(node, cst.SimpleString):
        return node.evaluated_value
    if names.resolve(node) in framework.asks:
        return version
    if isinstance(node, cst.Call) and len(node.args) == 1 and names.resolve(node.func) in PARSERS:
        text = _value(names, framework, node.args[0].value, version)
        parts = text.split(".") if isinstance(text, str) else [""]
        if not all(p.isdecimal() for p in parts):
            return None
        while len(parts) > 1 and int(parts[-1]) == 0:  # 2.4.0 is 2.4
            parts.pop()
        return tuple(map(int, parts))
    return None
