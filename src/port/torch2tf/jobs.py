"""One row applied at one call: what its conditions and adapters may ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.binding import Bound, literal_text
from port.build import build, expression
from port.facts import Fact, Kind, Layout
from port.table import Row
from port.torch2tf.operands import aligned
from port.torch2tf.refused import Refused
from port.torch2tf.values import Items, may_be_none, tensors_in

ABSENT: Any = object()  # an adapter's answer: nothing to write


@dataclass
class Job:
    w: Any
    row: Row
    bound: Bound
    node: cst.Call
    symbol: str
    want: Layout = Layout.PLAIN  # the layout that its tensors are brought to
    # parameter -> the dtype that its tensor is cast to
    casts: dict[str, str | cst.BaseExpression] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)

    def given(self, name: str) -> bool:
        return name in self.bound.args

    def fact(self, name: str) -> Fact:
        if name in self.bound.args:
            return self.w.fact(self.bound.args[name])
        try:
            return Fact(Kind.PLAIN, values=frozenset([literal_text(self.bound.default(name))]))
        except LookupError:
            return Fact(Kind.FUNCTION, symbol=self.bound.default(name) or "")

    def literal(self, name: str, otherwise: Any = ...) -> Any:
        """The value of a parameter, its default if it is not given; `otherwise` if it is no literal."""
        if name in self.bound.args:
            return literal_of(self.w, self.bound.args[name], otherwise)
        return self.fact(name).literal(otherwise)

    def expr(self, name: str) -> cst.BaseExpression:
        """The argument translated, in the layout that is wanted; its default if it is not given."""
        if name in self.bound.args:
            return bare(arrange(self, self.bound.args[name]))
        return expression(self.bound.default(name) or "None")

    @property
    def tensors(self) -> list[Fact]:
        return [t for a in self.bound.args.values() for t in facts_in(self.w, a)]

    def refuse(self, code: str, message: str) -> Exception:
        return Refused(code, f"`{shown(self.symbol)}`: {message}", self.node, self.symbol)


def shown(symbol: str) -> str:
    return symbol.replace("tensor.", "Tensor.", 1).replace("torch.nn.functional.", "F.", 1)


def bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """Without its parentheses, which `build` puts back where they are needed."""
    if not getattr(node, "lpar", ()) or isinstance(
            node, cst.Tuple | cst.GeneratorExp | cst.NamedExpr | cst.Yield | cst.ConcatenatedString):
        return node
    lines = "\n" in cst.Module([]).code_for_node(node)
    return node if lines else node.with_changes(lpar=[], rpar=[])


def literal_of(w: Any, node: cst.BaseExpression, otherwise: Any = ...) -> Any:
    """The literal value of an original node, or of a tuple that was put together of such."""
    fact = w.fact(node)
    value = ... if fact.kind is Kind.TENSOR and may_be_none(fact) else fact.literal(...)
    if value is ... and isinstance(node, cst.Tuple | cst.List):
        parts = [literal_of(w, e.value) for e in node.elements]
        value = ... if any(p is ... for p in parts) else tuple(parts)
    return otherwise if value is ... else value


def facts_in(w: Any, node: cst.BaseExpression) -> list[Fact]:
    fact = w.fact(node)
    found = list(tensors_in(fact))
    if not found and isinstance(node, cst.Tuple | cst.List) and not isinstance(fact.payload, Items):
        found = [t for e in node.elements for t in facts_in(w, e.value)]
    return found


def arrange(job: Job, node: cst.BaseExpression) -> cst.BaseExpression:
    """An argument, its tensors in the layout that is wanted."""
    w, want, fact = job.w, job.want, job.w.fact(node)
    if job.row.layout and node is not next(iter(job.bound.args.values())):
        return w.expr(node)  # weights of an op over space: one for each channel
    if fact.kind is Kind.TENSOR:
        return operand(w, node, want, max((t.rank or 0 for t in job.tensors), default=0))
    if isinstance(node, cst.List | cst.Tuple):
        return node.with_changes(elements=[e.with_changes(value=arrange(job, e.value)) for e in node.elements])
    held = facts_in(w, node)
    if any(t.layout is not want and (t.rank is None or t.rank > 2) for t in held):
        alike = len({(t.layout, t.rank) for t in held}) == 1 and held[0].rank is not None
        if isinstance(fact.payload, Items) and alike:
            each = w.reordered(held[0], cst.Name("image"), want)
            return build("[{e} for image in {n}]", e=each, n=w.expr(node))
        raise job.refuse("P209", "a list of tensors in another layout than this needs; write the list out")
    return w.expr(node)


def operand(w: Any, node: cst.BaseExpression, want: Layout, rank: int) -> cst.BaseExpression:
    """A tensor that meets others of `rank` axes: in their layout, its axes where theirs are."""
    if want is Layout.PLAIN:
        return w.expr(node, want)
    return aligned(w, node, w.fact(node), rank)


__all__ = ["ABSENT", "Job", "arrange", "facts_in", "literal_of", "operand"]
