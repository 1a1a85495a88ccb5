"""What is known of a value: kind, symbolic shape, dtype, layout and binding time (stage)."""

from __future__ import annotations

import ast
import enum
import math
from dataclasses import dataclass, field
from functools import lru_cache
from keyword import iskeyword
from typing import Any


class Kind(enum.Enum):
    UNKNOWN = "unknown"
    PLAIN = "plain"  # an ordinary Python value: number, string, None, list of such
    TENSOR = "tensor"
    SHAPE = "shape"  # the shape of a tensor, a sequence of sizes
    LAYER = "layer"  # a layer object, or a module of the user's
    MODEL = "model"
    FUNCTION = "function"
    OPTIMIZER = "optimizer"
    DATASET = "dataset"


class Layout(enum.Enum):
    PLAIN = "plain"  # axes as the source has them
    FLIPPED = "flipped"  # channels-last in the source, channels-first in the target (or the reverse)
    MIXED = "mixed"  # one or the other, depending on which element of a container it is


ORDERS = {3: ("NCL", "NLC"), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}  # by rank: channels first, channels last


@dataclass(frozen=True)
class Sym:
    """A size as Python source text, valid where it was made: `filters`, `4 * filters`, `input_shape[-1]`."""

    text: str
    known: int | None = field(default=None, compare=False)  # its value, where constants tell it

    @property
    def names(self) -> frozenset[str]:
        return _names(self.text)

    def substitute(self, bindings: dict[str, Dim]) -> Dim:
        """The size with names replaced; None if one of them is bound to None (not known)."""
        if not self.names & bindings.keys():
            return self
        if any(bindings[n] is None for n in self.names & bindings.keys()):
            return None
        return _substituted(self.text, frozenset((n, str(bindings[n])) for n in self.names & bindings.keys()))

    def __str__(self) -> str:
        return self.text


Dim = int | Sym | None  # None: not known


@lru_cache(1 << 14)
def _names(text: str) -> frozenset[str]:
    if text.isidentifier() and not iskeyword(text):
        return frozenset([text])
    return frozenset(n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name))


@lru_cache(1 << 14)
def _substituted(text: str, bindings: frozenset[tuple[str, str]]) -> Dim:
    tree = _Substitute(dict(bindings)).visit(ast.parse(text, mode="eval").body)
    return simplify(ast.unparse(tree))


class _Substitute(ast.NodeTransformer):
    def __init__(self, bindings: dict[str, str]):
        self.bindings = bindings

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.bindings:
            return ast.parse(self.bindings[node.id], mode="eval").body
        return node


_FOLD = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
         ast.FloorDiv: lambda a, b: a // b if b else None, ast.Mod: lambda a, b: a % b if b else None}


def _fold(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _fold(node.operand)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, int):
            return ast.Constant(-inner.value)
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
            return inner.operand
        return ast.UnaryOp(ast.USub(), inner)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.UnaryOp):
        sequence, index = node.value, _fold(node.slice)
        at = _int(index)
        if isinstance(sequence, ast.Tuple | ast.List) and at is not None and -len(sequence.elts) <= at < len(
                sequence.elts) and not any(isinstance(e, ast.Starred) for e in sequence.elts):
            return _fold(sequence.elts[at])
        return node
    if not isinstance(node, ast.BinOp) or type(node.op) not in _FOLD:
        return node
    left, right, op = _fold(node.left), _fold(node.right), type(node.op)
    a, b = _int(left), _int(right)
    if a is not None and b is not None:
        value = _FOLD[op](a, b)
        return ast.Constant(value) if value is not None else node
    if (op in (ast.Add, ast.Sub) and b == 0) or (op in (ast.Mult, ast.FloorDiv) and b == 1):
        return left
    if (op is ast.Add and a == 0) or (op is ast.Mult and a == 1):
        return right
    last = _int(left.right) if isinstance(left, ast.BinOp) else None
    if not isinstance(left, ast.BinOp) or last is None or b is None:
        return ast.BinOp(left, node.op, right)
    if op in (ast.Add, ast.Sub) and isinstance(left.op, ast.Add | ast.Sub):  # (n + 2) - 3 -> n - 1
        total = (last if isinstance(left.op, ast.Add) else -last) + (b if op is ast.Add else -b)
        if total == 0:
            return left.left
        return ast.BinOp(left.left, ast.Add() if total > 0 else ast.Sub(), ast.Constant(abs(total)))
    if op is ast.FloorDiv and b > 0 and (exact := _exactly(left, b)) is not None:  # (n * 2 - 2) // 2 -> n - 1
        return exact
    if op is ast.FloorDiv and isinstance(left.op, ast.FloorDiv) and b > 0 and last > 0:  # n // 2 // 2 -> n // 4
        return ast.BinOp(left.left, ast.FloorDiv(), ast.Constant(b * last))
    return ast.BinOp(left, node.op, right)


def _exactly(node: ast.BinOp, divisor: int) -> ast.expr | None:
    """`(n * divisor + c) // divisor`, c a number or not there."""
    if isinstance(node.op, ast.Mult):
        return node.left if _int(node.right) == divisor else None
    inner, rest = node.left, _int(node.right)
    if not isinstance(node.op, ast.Add | ast.Sub) or rest is None or not isinstance(inner, ast.BinOp):
        return None
    if not isinstance(inner.op, ast.Mult) or _int(inner.right) != divisor:
        return None
    whole = (rest if isinstance(node.op, ast.Add) else -rest) // divisor
    return _fold(ast.BinOp(inner.left, ast.Add() if whole > 0 else ast.Sub(), ast.Constant(abs(whole))))


def _int(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _int(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@lru_cache(1 << 14)
def simplify(text: str) -> Dim:
    """A size from source text, with whole numbers folded."""
    node = _fold(ast.parse(text, mode="eval").body)
    value = _int(node)
    return value if value is not None else Sym(ast.unparse(node))


def _paren(dim: int | Sym) -> str:
    return str(dim) if isinstance(dim, int) and dim >= 0 else f"({dim})"


LOST = Sym("?")  # a size that is another one for each of several calls
LONGEST = 80  # a size whose text is longer than this is of no use to a reader: not known


def dim_value(dim: Dim) -> int | None:
    """The number, if it is known."""
    return dim.known if isinstance(dim, Sym) else dim


_PYTHON = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
           "//": lambda a, b: a // b if b else None}


def arithmetic(op: str, a: Dim, b: Dim) -> Dim:
    """`a op b` for op in + - * //; not known if either is not."""
    if a is None or b is None or LOST in (a, b):
        return None
    result = simplify(f"{_paren(a)} {op} {_paren(b)}")
    if not isinstance(result, Sym):
        return result
    x, y = dim_value(a), dim_value(b)
    if len(result.text) > LONGEST:
        return None
    numbers = isinstance(x, int) and isinstance(y, int)  # a size may be anything, where the source is wrong
    return Sym(result.text, _PYTHON[op](x, y) if numbers else None)


def ceil_div(a: Dim, b: Dim) -> Dim:
    """Whole number of steps of b that cover a: -(-a // b)."""
    if isinstance(a, int) and isinstance(b, int):
        return -(-a // b)
    if b == 1 or a is None or b is None:
        return a if b == 1 else None
    return arithmetic("//", arithmetic("+", a, arithmetic("-", b, 1)), b)


@dataclass(frozen=True)
class Fact:
    """Knowledge about one value; a field at its default means that nothing is known."""

    kind: Kind = Kind.UNKNOWN
    shape: tuple[Dim, ...] | None = None  # tensors: sizes in the axis order of the SOURCE
    dtype: str | None = None  # 'float32', 'int32', 'bool', ... ; 'float' for the model's float type
    layout: Layout = Layout.PLAIN
    values: frozenset[Any] | None = None  # plain: the literal values that can reach this place
    symbol: str = ""  # canonical name of a class or function, or of the class of a layer
    payload: Any = field(default=None, compare=False)  # structure of containers, layers, user functions
    last: Dim = None  # tensors of unknown rank: the size of the last axis (source order)
    mask: Any = field(default=None, compare=False)  # infer/masks.py: the Keras mask that the tensor carries

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def width(self) -> Dim:
        """Size of the last axis in the source: channels or features."""
        return self.shape[-1] if self.shape else self.last

    @property
    def value(self) -> Any:
        """The one literal value; raises LookupError if there are none or several."""
        if self.values is None or len(self.values) != 1:
            raise LookupError
        return next(iter(self.values))

    def literal(self, default: Any = None) -> Any:
        """The one literal value, if there is exactly one."""
        return default if self.values is None or len(self.values) != 1 else next(iter(self.values))

    def but(self, **changes: Any) -> Fact:
        made = object.__new__(Fact)
        made.__dict__.update(self.__dict__, **changes)  # a frozen class sets each field by itself, in three times this
        return made


UNKNOWN = Fact()
_TENSOR = Fact(Kind.TENSOR)


def tensor(shape: tuple[Dim, ...] | None = None, dtype: str | None = None, layout: Layout = Layout.PLAIN) -> Fact:
    return _TENSOR.but(shape=shape, dtype=dtype, layout=layout)


# ---------------------------------------------------------------- x // y of floats
FLOORED = ("`//` of floats: where x / y is rounded up to a whole number, TF gives that one and torch the one below "
           "(1 // 0.1 is 10 in TF, 9 in torch)")


def divides_exactly(y: Any) -> bool:
    """Is x / y never rounded? That is so of powers of two, whatever x is."""
    return isinstance(y, int | float) and y != 0 and math.isfinite(y) and abs(math.frexp(y)[0]) == 0.5
