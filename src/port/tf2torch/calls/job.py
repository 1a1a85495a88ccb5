"""One row applied at one call: what adapters read and write."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.binding import Bound
from port.build import build, expression
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.table import Row, Signature
from port.tf2torch.calls.arrays import beside, made_tensor
from port.tf2torch.calls.taken import one_order
from port.tf2torch.emit import TO_FIRST, Emitter, Refused
from port.tf2torch.infer.arrays import is_array
from port.tf2torch.infer.arrivals import giver, is_open, reached
from port.tf2torch.infer.conditions import default_fact, is_exact_number, is_number, unmet
from port.tf2torch.infer.rowcalls import FLIPS
from port.tf2torch.infer.sizes import is_computed_float, is_float, is_table, is_truth, takes_tensor
from port.tf2torch.infer.values import Function, find_method, tensors_in
from port.tree import code, find


@dataclass
class Job:
    """One row applied at one call; adapters read and write it."""

    em: Emitter
    row: Row
    bound: Bound
    node: cst.Call
    x: Fact = UNKNOWN  # layers: what arrives
    inputs: tuple[Fact, ...] = ()
    torch: Signature | None = None
    out: dict[str, cst.BaseExpression] = field(default_factory=dict)  # torch parameters, in order
    source: dict[str, str] = field(default_factory=dict)  # torch parameter -> tf parameter it came from
    before: list[Callable[[cst.BaseExpression], cst.BaseExpression]] = field(default_factory=list)
    after: list[Callable[[cst.BaseExpression], cst.BaseExpression]] = field(default_factory=list)
    before_modules: list[cst.BaseExpression] = field(default_factory=list)
    after_modules: list[cst.BaseExpression] = field(default_factory=list)
    callee: str = ""
    flipped: bool = False
    sequential: bool = False
    apply: Callable[..., cst.BaseExpression] | None = None  # adapters may take over the application
    want: Layout | None = None
    trainable: cst.BaseExpression | None = None  # where it is said and not True
    callee_expr: Callable[[bool], cst.BaseExpression] | None = None  # what is called (lazily?), where no name says it
    callee_call: str = ""  # of the function in `forward`, where it is not the row's
    after_make: str = ""  # the helper that takes the module when it is made
    before_lazy: Callable[[], cst.BaseExpression] | None = None  # the module before it, made with it

    def given(self, name: str) -> bool:
        return name in self.bound.args

    def fact(self, name: str) -> Fact:
        if name in self.bound.args:
            return self.em.fact(self.bound.args[name])
        return default_fact(self.bound, name)

    def literal(self, name: str, otherwise: Any = ...) -> Any:
        return self.fact(name).literal(otherwise)

    def expr(self, name: str, want: Layout | None = None) -> cst.BaseExpression:
        """The argument translated; its default if it is not given."""
        if name in self.bound.args:
            return arrange(self, self.bound.args[name], want)
        default = self.bound.default(name)
        return expression(default if default is not None else "None")

    def value(self, name: str) -> cst.BaseExpression:
        """The argument as the row wants it: an array of NumPy as a tensor, tensors in the layout that is wanted."""
        node = self.bound.args.get(name)
        if node is None or self.row.kind != "function" or any(t.name in VALUES for t in self.row.torch):
            return self.expr(name, self.want)
        wanted, fact = takes_tensor(self.row, name), self.em.fact(node)
        if wanted == "one" and (is_table(fact) or is_truth(fact) or (not self.inputs and is_exact_number(fact))):
            return _of_numbers(self, node, list(self.bound.args.values()))
        if wanted == "list" and isinstance(node, cst.List | cst.Tuple) and any(
                _is_plain(self.em.fact(e.value)) for e in node.elements):
            parts = [e.value for e in node.elements]
            return node.with_changes(elements=[e.with_changes(value=_of_numbers(self, e.value, parts) if _is_plain(
                self.em.fact(e.value)) else part(self, e.value, parts)) for e in node.elements])
        if isinstance(node, cst.List | cst.Tuple) and tensors_in(self.em.fact(node)) and any(
                is_array(self.em.fact(e.value)) for e in node.elements):
            parts = [e.value for e in node.elements]
            return node.with_changes(elements=[e.with_changes(value=part(self, e.value, parts)) for e in node.elements])
        return part(self, node, list(self.bound.args.values()), name == "condition")

    def refuse(self, code_: str, message: str) -> Exception:
        return Refused(code_, message, self.node)


TRAINING = ("keras.optimizers.", "keras.callbacks.", "keras.metrics.", "keras.losses.", "tf.data.", "tf.GradientTape",
            "tf.train.", "tf.compat.v1.train.", "tf.distribute.", "tf.summary.", "keras.utils.Sequence")


def unknown_symbol(em: Emitter, symbol: str, node: cst.CSTNode) -> Exception:
    if symbol.startswith(TRAINING):
        return Refused("P205", f"`{symbol}` belongs to training", node)
    if symbol in em.it.rows:
        return Refused("P201", f"`{symbol}` has no counterpart that could stand as a value: call it", node)
    near = difflib.get_close_matches(symbol, list(em.it.rows), 1, 0.8)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return Refused("P201", f"`{symbol}` has no row in the tables{hint}", node)


def unmet_of(job: Job) -> tuple[str, str]:
    """Code and message of what does not hold; ('', '') if the row fits."""
    code_, message = unmet(job.row, job.bound, job.fact,
                           lambda name: resolve_reaching(job.em, job.bound.args.get(name)))
    if "{}" in message:
        name = message[1:].partition("{")[0]
        value = code(job.bound.args[name]) if job.given(name) else job.bound.default(name)
        message = message.replace("{}", f"={value}")
    return code_, message


def resolve_reaching(em: Emitter, node: cst.BaseExpression | None) -> set[Any]:
    """Literals that can reach a setting: from the callers in this file; empty if not known."""
    if node is None:
        return set()
    fact = em.fact(node)
    if fact.values is not None:
        return set(fact.values)
    function, name = _parameter(em, node)
    return reached(function, name) if function is not None else set()


def given_openly(em: Emitter, node: cst.BaseExpression) -> bool:
    """Does a call give this setting what no fact follows, a function perhaps?"""
    function, name = _parameter(em, node)
    if function is None or em.fact(node).values is not None:
        return False
    cls = function.owner
    calls = [c for f in em.it.files for c in find(f.module, cst.Call)] if cls and not function.bindings else []
    unread = any(isinstance(c.func, cst.Name) and c.func.value == cls.name for c in calls)  # type: ignore[union-attr]
    return unread or is_open(function, name)


def _parameter(em: Emitter, node: cst.BaseExpression) -> tuple[Function | None, str]:
    """The parameter that a setting is."""
    fact, function = em.fact(node), em.scope.function
    name = ""
    if isinstance(node, cst.Name):
        name = node.value
    elif fact.symbol.startswith("="):
        name = fact.symbol[1:]
        cls = em.scope.cls
        function = find_method(cls, "__init__") if cls is not None else function
    function = giver(em.it, function, name) if function is not None else None
    return (function, name) if function is not None and name in function.params else (None, "")


def _is_plain(fact: Fact) -> bool:
    """A number of Python, or a sequence of such, where PyTorch wants a tensor."""
    return is_number(fact) or is_table(fact)


def _of_numbers(job: Job, node: cst.BaseExpression, all_: list[cst.BaseExpression]) -> cst.BaseExpression:
    """Numbers of Python as a tensor: whole ones of their own dtype, others of that of the tensors beside them."""
    em, fact = job.em, job.em.fact(node)
    if is_number(fact) and not is_exact_number(fact):
        em.need("torch")
        return build("torch.as_tensor({x})", x=em.expr(node))
    if not job.inputs or is_truth(fact):
        return made_tensor(em, node, arrange(job, node, None), is_computed_float(fact))
    own = job.row.returns not in TOGETHER or (not is_float(fact) and job.row.returns not in ("matmul", "einsum"))
    return beside(em, node, [o for o in all_ if o is not node], em.fact(job.node), own)


def arrange(job: Job, node: cst.BaseExpression, want: Layout | None) -> cst.BaseExpression:
    """An argument of a function, its tensors in the layout that is wanted."""
    em, fact = job.em, job.em.fact(node)
    if job.row.name == "matmul" and fact.kind is not Kind.TENSOR and tensors_in(fact):  # one tensor of a list
        em.need("torch")
        return build("torch.stack({x})", x=em.plain(node))
    one_order(fact, node)
    if want is None:
        return em.expr(node)
    if job.row.layout == FLIPS and job.row.kind == "function" and node is next(iter(job.bound.args.values())) and (
            fact.rank is None and fact.layout is Layout.PLAIN):
        rank = next((n + 2 for n in (1, 3) if f"{n}d" in job.row.name), 4)
        order = TO_FIRST[rank]
        return build(f"{{x}}.permute{order}" if rank > 3 else "{x}.transpose(1, 2)", x=em.expr(node))
    if fact.kind is Kind.TENSOR:
        elementwise = want is Layout.FLIPPED and job.row.kind == "function" and job.row.returns in ELEMENTWISE
        return em.operand(node, fact, job.node) if elementwise else em.expr(node, want)
    if (type(node) is cst.List or type(node) is cst.Tuple) and tensors_in(fact):
        elements = [e.with_changes(value=arrange(job, e.value, want)) for e in node.elements]
        return node.with_changes(elements=elements)
    if any(t.layout is not want and (t.rank is None or t.rank > 2) and (
            t.rank is not None or want is Layout.FLIPPED or t.layout is Layout.FLIPPED) for t in tensors_in(fact)):
        raise job.refuse("P209", "a list of tensors in another layout than this needs; write the list out")
    return em.expr(node)


def part(job: Job, node: cst.BaseExpression, all_: list[cst.BaseExpression], own: bool = False) -> cst.BaseExpression:
    """One of the values that a row takes together; an array becomes a tensor, of their dtype if the row needs one."""
    if not is_array(job.em.fact(node)):
        return arrange(job, node, job.want)
    own |= not job.inputs or job.row.returns not in TOGETHER
    return beside(job.em, node, [o for o in all_ if o is not node], job.em.fact(job.node), own)


# rows whose tensors have one dtype
TOGETHER = ("broadcast", "compare", "matmul", "divide", "concat", "stack", "where", "einsum")
VALUES = ("torch.tensor", "torch.as_tensor")  # they make a tensor of lists and arrays
ELEMENTWISE = ("same", "broadcast", "compare", "cast")
