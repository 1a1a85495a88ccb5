"""The arguments of a call of the framework, as rules of shapes read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout
from port.torch2tf.values import Items, ShapeOf, Size, literal

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
        """Positional arguments from here on, or the elements of the one sequence there; 99 where it is not known."""
        taken = len(self.facts) - len(self.node.args)  # the tensor of a method, or what was taken off the front
        plain = [(f, i - taken) for i, (f, n) in enumerate(zip(self.facts, self.names, strict=True)) if not n][start:]
        if len(plain) == 1 and isinstance(plain[0][0].payload, Items):
            return _spread(plain[0][0])
        if len(plain) == 1 and isinstance(plain[0][0].literal(...), tuple):
            return [literal(v) for v in plain[0][0].value]
        return [f for fact, i in plain for f in (_spread(fact) if i >= 0 and self.node.args[i].star else [fact])]


def _spread(fact: Fact) -> list[Fact]:
    """What `*x.shape[2:]` stands for."""
    payload = fact.payload
    if isinstance(payload, Items):
        return list(payload.elements) if not payload.open else [UNKNOWN] * 99
    if isinstance(payload, ShapeOf) and payload.of.shape is not None:
        return [Fact(Kind.PLAIN, payload=Size(dim)) for dim in payload.of.shape[payload.start:payload.stop]]
    value = fact.literal(...)
    return [literal(v) for v in value] if isinstance(value, tuple) else [UNKNOWN] * 99



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
