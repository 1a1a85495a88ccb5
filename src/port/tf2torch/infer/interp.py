"""State of the interpreter, and what every part of it asks: facts, texts and sizes of expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, tensor
from port.names import Names, dotted_name
from port.result import reading
from port.scopes import Env, File
from port.table import Row
from port.tf2torch.infer.given import simplify_sym
from port.tf2torch.infer.values import Class, Function, Items, LayerCall, Origin, SequentialModel, ShapeOf, Size
from port.tree import EXPRESSIONS, IN_EXPRESSIONS, children, code

TEXT = Fact(Kind.PLAIN, symbol="=")  # a setting that is known by its text only


class Places(dict):  # type: ignore[type-arg]
    """Mirrors by the place where they are assigned; knows in whose body each place is."""

    def __init__(self, current: list[Function]):
        super().__init__()
        self.current = current  # the bodies under way
        self.owners: dict[Any, Any] = {}

    def setdefault(self, key: Any, default: Any = None) -> Any:
        self.owners[key] = self.current[-1] if self.current else None
        return super().setdefault(key, default)

    def saved(self) -> dict[Any, dict[str, Dim]]:
        return {key: dict(value) for key, value in self.items()}

    def restore(self, saved: dict[Any, dict[str, Dim]]) -> None:
        """Forget what the body under way has noted since; what was learnt of functions it calls stays."""
        owner = self.current[-1] if self.current else None
        for key in [k for k in self if self.owners.get(k) is owner]:
            if key in saved:
                self[key] = saved[key]
            else:
                del self[key]


@dataclass(frozen=True)
class Parts:
    """Parts of the interpreter that call each other in circles: given to it, so that modules import one way."""

    expressions: Mapping[type[cst.CSTNode], Callable[[Interp, Any, Env], Fact]]
    run: Callable[[Interp, Sequence[cst.CSTNode], Env], bool]  # statements; True if their end cannot be reached
    layer: Callable[[Interp, cst.Call, Fact, list[Fact]], Fact]  # a layer of the framework, applied
    apply: Callable[[Interp, cst.Call, Fact, list[Fact]], Fact]  # any layer or model, applied


class Interp:
    """State of a project's interpretation, seen from one of its files. Facts are keyed by original node."""

    def __init__(self, files: Sequence[File], rows: Mapping[str, tuple[Row, ...]], parts: Parts):
        self.files, self.rows, self.parts, self.evaluators = files, rows, parts, parts.expressions
        self.file = files[0]
        self.current: list[Function] = []
        self.facts: dict[cst.CSTNode, Fact] = {}
        self.before: Places = Places(self.current)  # mirrors to assign before a statement, in __init__
        self.after: Places = Places(self.current)  # ... at the end of a branch or loop body
        self.layers: dict[cst.Call, LayerCall] = {}
        self.applications: dict[cst.Call, tuple[Fact, list[Fact]]] = {}  # call -> (callee, facts of its inputs)
        self.augmented: dict[cst.AugAssign, cst.BinaryOperation] = {}  # `x += y` -> `x + y`
        self.functions: dict[cst.CSTNode, Function] = {}
        self.classes: dict[cst.CSTNode, Class] = {}
        self.outs: dict[cst.Call, int] = {}  # calls whose output size is only known as an attribute of the module
        self.flips: set[tuple[Function | None, str]] = set()
        self.packed = False  # runs of recurrent layers that pass packed steps on have been looked for
        self.ranks: dict[tuple[Any, str], int] = {}
        self.shown: dict[int, tuple[Fact, int]] = {}  # facts of open rank (by identity): the rank that a use has shown
        self.proofs = 0  # variables of open rank whose rank a use has shown where they are read from now on
        self.widths: dict[tuple[Any, str], Dim] = {}  # parameter -> its last size, as the constructor says it
        self.wants_out: set[Function] = set()
        self.masks: dict[cst.Call, Any] = {}  # application of Embedding or Masking -> its Mask
        self.brought: dict[cst.Call, tuple[Any, dict[str, Any]]] = {}  # call of an object -> method, masks by place
        self.firsts: dict[Any, Any] = {}  # (loop, mask) -> that mask, in the first turn alone
        self.conflicts: dict[Any, set[str]] = {}  # branch or loop -> variables that leave it in either layout
        self.merging: Any = None
        self.hidden: set[str] = set()  # variables of the comprehension around the current expression
        self.entered: dict[Any, Layout] = {}  # (loop, tensor) -> layout at the start of every turn
        self.depth = 0  # loops around the current statement
        self.relayout: dict[Any, dict[str, int]] = {}  # place -> tensors to bring channels first there, with rank
        self.known_params: dict[str, Fact] = {}  # facts given from outside, by parameter name
        self.added: dict[cst.Call, bool] = {}  # Sequentials that get layers by .add
        self.sequentials: dict[cst.Call, SequentialModel] = {}
        self.appended: set[str] = set()  # lists that get tensors
        self.alone: set[cst.Call] = set()  # Sequentials without an Input that nothing applies
        self.applied: set[cst.Call] = set()  # ... that something does
        self.arrived: dict[cst.Call, Fact] = {}  # Sequential -> what all of its calls outside its maker have given it
        self.open: frozenset[Any] = frozenset()  # functions that are given what no fact follows: see `plain_axes`
        self.kept: frozenset[Any] = frozenset()  # methods that keep the source's axes, whatever others do
        self.straight: frozenset[cst.CSTNode] = frozenset()  # code in which every tensor keeps the source's axes
        self.turned: dict[cst.CSTNode, Fact] = {}  # its calls that give images: what these are before they are turned
        self.loose: set[tuple[Function, str]] = set()  # parameters that such things reach
        self.followed: set[cst.Call] = set()  # zip and its like, where the elements are known nevertheless

    def plain_axes(self, function: Function) -> bool:
        """Does what it takes and gives have the source's axes? Of all methods, once some functions are open."""
        if self.open and (function.owner is not None or function.node in self.open):
            return True
        return bool(self.kept) and function.node in self.kept

    @property
    def module(self) -> cst.Module:
        return self.file.module

    @property
    def names(self) -> Names:
        return self.file.names

    @property
    def globals(self) -> Env:
        return self.file.env

    @contextmanager
    def within(self, env: Env) -> Iterator[None]:
        """Code of the file that `env` belongs to is read meanwhile."""
        saved, self.file = self.file, env.top().file or self.file
        try:
            with reading(self.file.name):
                yield
        finally:
            self.file = saved

    def seen_from(self, file: File) -> Interp:
        """The same facts, for the code of another file."""
        view = copy(self)
        view.file = file
        return view

    # ------------------------------------------------------------ expressions
    def ev(self, node: cst.CSTNode, env: Env) -> Fact:
        evaluate = self.evaluators.get(type(node))
        fact = evaluate(self, node, env) if evaluate is not None else self._children(node, env)
        if fact.layout is Layout.FLIPPED and node in self.straight:
            self.turned[node] = fact
            fact = fact.but(layout=Layout.PLAIN)
        if fact is not UNKNOWN:
            self.facts[node] = fact
        else:
            self.facts.pop(node, None)
        return fact

    def run(self, body: Sequence[cst.CSTNode], env: Env) -> bool:
        return self.parts.run(self, body, env)

    def _children(self, node: cst.CSTNode, env: Env) -> Fact:
        for child in children(node):
            if type(child) in IN_EXPRESSIONS:
                self.ev(child, env)
        return self.plain(node)

    def plain(self, node: cst.CSTNode) -> Fact:
        """A setting that is not a literal: known by its text only."""
        return TEXT if type(node) in EXPRESSIONS else UNKNOWN

    @staticmethod
    def value(value: Any) -> Fact:
        return Fact(Kind.PLAIN, values=frozenset([value]))

    def named(self, fact: Fact, node: cst.BaseExpression) -> Fact:
        """A setting without a literal value keeps its text, so that sizes can be written."""
        if fact.kind is Kind.PLAIN and fact.literal(...) is ... and fact.payload is None:
            return fact.but(symbol="=" + self.text(node))
        return fact

    def unpack(self, fact: Fact) -> list[Fact] | None:
        """Elements of a sequence, if their number is known."""
        if isinstance(fact.payload, Items):
            return list(fact.payload.elements)
        value = fact.literal(...)
        if isinstance(value, tuple):
            return [self.value(v) for v in value]
        if isinstance(fact.payload, ShapeOf) and fact.payload.of.shape is not None:
            return [Fact(Kind.PLAIN, payload=Size(d, fact.payload.name)) for d in fact.payload.of.shape]
        return None

    # ------------------------------------------------------------ settings as text
    def text(self, node: cst.CSTNode) -> str:
        """Source text of a setting as `__init__` will write it: sizes of tensors are replaced by their mirrors."""
        if type(node) is cst.Name or type(node) is cst.Integer:
            return node.value
        fact = self.facts.get(node, UNKNOWN)
        if isinstance(fact.payload, Size) and fact.payload.dim is not None:
            return str(fact.payload.dim)
        if type(node) is cst.Attribute and fact.kind is Kind.PLAIN and len(fact.symbol) > 1 and (
                fact.symbol.startswith("=") and dotted_name(node).startswith("self.")):
            return fact.symbol[1:]  # self.units, set from the parameter `units`
        if type(node) is cst.BinaryOperation:
            return f"{self._operand(node.left)} {code(node.operator).strip()} {self._operand(node.right)}"
        if type(node) is cst.Call:
            return f"{code(node.func)}({', '.join(self._arg(a) for a in node.args)})"
        return " ".join(code(node).split())

    def _operand(self, node: cst.BaseExpression) -> str:
        text = self.text(node)
        simple = type(node) in (cst.Name, cst.Integer, cst.Call, cst.Attribute, cst.Subscript)
        return text if (simple and text.replace("_", "").isalnum()) or text.startswith("(") else f"({text})"

    def _arg(self, arg: cst.Arg) -> str:
        head = f"{arg.keyword.value}=" if arg.keyword is not None else arg.star
        return head + self.text(arg.value)

    def dim(self, node: cst.BaseExpression, fact: Fact | None = None) -> Dim:
        """A setting as a size: a number where it is written as one, else its text."""
        fact = self.facts.get(node, UNKNOWN) if fact is None else fact
        value = fact.literal(...)
        if isinstance(fact.payload, Size):
            if type(node) is cst.Name and not isinstance(fact.payload.dim, int):
                return Sym(node.value)
            return fact.payload.dim
        if isinstance(value, int) and type(node) not in (cst.Name, cst.Attribute, cst.Subscript):
            return value
        if fact.kind is Kind.TENSOR:
            return None
        try:
            known = value if isinstance(value, int) else None
            result = Sym(self.text(node))
            _ = result.names
            return simplify_sym(result, known)
        except (SyntaxError, ValueError):
            return None

    def fresh_tensor(self, name: str, rank: int | None, channels: str, owner: Any, layout: Layout,
                     prefix: str = "") -> Fact:
        """A parameter of rank `rank`, its sizes named after it."""
        if rank is None:
            return tensor().but(payload=Origin(owner, name))
        named = {3: ["length"], 4: ["height", "width"], 5: ["depth", "height", "width"]}
        spatial = named.get(rank, [None] * (rank - 2))
        dims: list[Dim] = [Sym(f"{prefix}{name}_{s}") if s else None for s in spatial]
        shape = (None, *dims, Sym(channels)) if rank >= 2 else (None,)
        return tensor(shape, None, layout).but(payload=Origin(owner, name))

