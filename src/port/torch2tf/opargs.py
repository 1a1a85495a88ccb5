"""The arguments of a call of the framework, as rules of shapes read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Layout
from port.torch2tf.values import Items, literal

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


PLAIN, FLIPPED = Layout.PLAIN, Layout.FLIPPED
Result = tuple[Fact, Layout]


@dataclass
class Args:
    """Arguments of one call; `x` is the first tensor."""

    it: Interp
    node: cst.Call
    facts: list[Fact]  # positional and keyword ones in the order of the call; a method's tensor comes first
    names: list[str]  # keyword, or ''
    nodes: list[cst.BaseExpression | None]

    @property
    def x(self) -> Fact:
        return self.facts[0] if self.facts else UNKNOWN

    def get(self, position: int, *names: str) -> Fact | None:
        for fact, name in zip(self.facts, self.names, strict=True):
            if name and name in names:
                return fact
        plain = [f for f, n in zip(self.facts, self.names, strict=True) if not n]
        return plain[position] if position < len(plain) else None

    def literal(self, position: int, *names: str, default: Any = None) -> Any:
        """`...` where it is given, but its value is not known."""
        fact = self.get(position, *names)
        return default if fact is None else fact.literal(...)

    def rest(self, start: int) -> list[Fact]:
        """Positional arguments from here on, or the elements of the one sequence there."""
        plain = [f for f, n in zip(self.facts, self.names, strict=True) if not n][start:]
        if len(plain) == 1 and isinstance(plain[0].payload, Items):
            return list(plain[0].payload.elements) if not plain[0].payload.open else [UNKNOWN] * 99
        if len(plain) == 1 and isinstance(plain[0].literal(...), tuple):
            return [literal(v) for v in plain[0].value]
        return plain


DTYPES = {"float": "float32", "half": "float16", "double": "float64", "long": "int64", "int": "int32", "bool": "bool",
          "bfloat16": "bfloat16", "short": "int16"}


# Python's types as dtypes: PyTorch's floats are wide then, where TensorFlow takes `float` for float32.
PYTHON = {"builtins.float": "float64", "builtins.int": "int64", "builtins.bool": "bool",
          "builtins.complex": "complex128"}


def dtype_of(fact: Fact | None) -> str | None:
    if fact is None:
        return None
    last = fact.symbol.rpartition(".")[2]
    if fact.symbol.startswith("torch."):
        return DTYPES.get(last, last)
    return PYTHON.get(fact.symbol)
