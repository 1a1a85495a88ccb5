"""LSTM, GRU, SimpleRNN and RNN: torch's own modules where they suffice, else the helper RNN around a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout
from port.table import Arg
from port.tf2torch import lines, masking
from port.tf2torch.adapt.cells import cell_argument, keyword_arg, rnn_module
from port.tf2torch.adapt.settings import Settings, settings
from port.tf2torch.adapt.uses import PARAMETERS, Use, bound_call, uses
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.making import Plan, module_call, prepare
from port.tf2torch.infer.values import Items
from port.tree import walk


def rnn(job: Job) -> Plan:
    s = settings(job)
    if native(job, s, uses(job)):
        return Plan(job, True, job.row.attr, lambda: _native_module(job, s, False), Native(job, s))
    _no_dropout(job, "`dropout` of a layer that nn.LSTM, nn.GRU or nn.RNN cannot be")

    def make() -> cst.BaseExpression:
        with job.em.at_build():
            return rnn_module(job, s)

    return Plan(job, True, job.row.attr, make, Helper(job, s))


def _no_dropout(job: Job, message: str) -> None:
    if "dropout" in {p.name for p in job.bound.signature.params} and job.literal("dropout") not in (0, 0.0):
        raise job.refuse("P202", f"{message}; apply F.dropout1d to the input")


def native(job: Job, s: Settings, found: list[Use], wrapped: bool = False) -> bool:
    """Does torch's own module give the same numbers wherever the layer is applied?"""
    layer = job.em.it.layers[job.node]
    if not s.plain or s.sequences is None:
        return False
    packed = layer.gets_packed or layer.gives_packed
    if any(u.optional or (u.masked and s.sequences and not packed) for u in found):
        return False
    return not s.state or (not wrapped and all(_targets(job, u.node, s) for u in found))


def _native_module(job: Job, s: Settings, bidirectional: bool) -> cst.BaseExpression:
    # Initial values (rules/initial.py): one bias in Keras, so `bias_hh_l0` is zero and frozen; the forget gate's
    # bias is 1 unless unit_forget_bias=False; recurrent weights are orthogonal. GRU has both biases.
    prepare(job, (job.row.torch[0],))
    if s.relu:
        job.out["nonlinearity"] = expression("'relu'")
    if bidirectional:
        job.out["bidirectional"] = expression("True")
    with job.em.at_build():
        return module_call(job)


def _targets(job: Job, node: cst.Call, s: Settings) -> list[str]:
    """The names that `out, h, c = lstm(x)` assigns; [] if it stands anywhere else."""
    if job.em.unpacked is None:
        found: dict[cst.CSTNode, cst.Tuple] = {}
        for n in walk(job.em.it.module):
            if isinstance(n, cst.Assign) and len(n.targets) == 1 and isinstance(n.targets[0].target, cst.Tuple):
                found[n.value] = n.targets[0].target
        job.em.unpacked = found
    target = job.em.unpacked.get(node)
    if target is None or len(target.elements) != 1 + s.states:
        return []
    names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
    real = [n for n in names if n != "_"]
    return names if len(names) == 1 + s.states and len(set(real)) == len(real) else []


class Applied:
    """A recurrent layer applied; `__call__` is the `run` of its plan."""

    def __init__(self, job: Job, s: Settings, inner: Job | None = None):
        self.job, self.s, self.inner = job, s, inner or job  # inner: the layer that Bidirectional holds

    def __call__(self, callee: Any, args: list[cst.Arg], node: cst.Call) -> cst.BaseExpression:
        em = self.job.em
        found = bound_call(node, args, PARAMETERS)
        left = set(found) - {"x", "initial_state", "mask", "training"}
        if left or "x" not in found:
            raise self.job.refuse("P202", "a recurrent layer called with arguments that are not understood")
        if isinstance(em.fact(found["x"]).payload, Items):
            raise self.job.refuse("P206", "a recurrent layer called with a list; pass initial_state=")
        x = em.expr(found["x"], Layout.PLAIN)
        state = found.get("initial_state")
        if state is not None and em.fact(state).literal(...) is None:
            state = None
        mask = masking.of_call(em, node, em.it.layers[self.job.node])
        return self.result(callee, x, state, None if mask is None else masking.text(em, mask, node), node)

    def result(self, callee: Any, x: cst.BaseExpression, state: cst.BaseExpression | None,
               mask: cst.BaseExpression | None, node: cst.Call) -> cst.BaseExpression:
        raise NotImplementedError


class Helper(Applied):
    """The helper RNN keeps Keras' call."""

    def result(self, callee: Any, x: cst.BaseExpression, state: cst.BaseExpression | None,
               mask: cst.BaseExpression | None, node: cst.Call) -> cst.BaseExpression:
        args = [cst.Arg(x)]
        if state is not None:
            value = self.job.em.expr(state)
            one = self.job.em.fact(state).kind is Kind.TENSOR
            args.append(cst.Arg(build("[{s}]", s=value) if one else value))
        if mask is not None:
            args.append(keyword_arg("mask", mask))
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        return cst.Call(paren(callee), [a.with_changes(
            comma=comma if i < len(args) - 1 else cst.MaybeSentinel.DEFAULT) for i, a in enumerate(args)])


class Native(Applied):
    """nn.LSTM, nn.GRU, nn.RNN: a pair (outputs, last states)."""

    def result(self, callee: Any, x: cst.BaseExpression, state: cst.BaseExpression | None,
               mask: cst.BaseExpression | None, node: cst.Call) -> cst.BaseExpression:
        layer = self.job.em.it.layers[self.job.node]
        x = self.dropped(x)
        if self.s.backwards:
            x = build("{x}.flip(1)", x=x)
            mask = build("{m}.flip(1)", m=paren(mask)) if mask is not None else None
        if mask is not None and not layer.gets_packed:
            self.job.em.helper("pack_masked")
            x = build("pack_masked({x}, {m})", x=x, m=mask)
        made: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(x)])
        if state is not None:
            made = build("{f}({x}, {s})", f=callee, x=x, s=self.state(state))
        return self.picked(made, node)

    def dropped(self, x: cst.BaseExpression) -> cst.BaseExpression:
        """Keras draws once for all steps: whole features are dropped."""
        if "dropout" not in {p.name for p in self.inner.bound.signature.params} or self.inner.literal(
                "dropout") in (0, 0.0):
            return x
        node = self.inner.bound.args["dropout"]
        em = self.job.em
        literal = isinstance(node, cst.Float | cst.Integer)
        if not literal and em.scope.cls is not None and not isinstance(node, cst.Attribute):
            raise self.job.refuse("P202", "`dropout` is not a literal; keep it as an attribute of self")
        em.need("F")
        p = em.expr(node)
        return build("F.dropout1d({x}.mT, {p}, self.training).mT", x=paren(x), p=p)

    def state(self, node: cst.BaseExpression) -> cst.BaseExpression:
        em, fact = self.job.em, self.job.em.fact(node)
        if isinstance(node, cst.List | cst.Tuple) and len(node.elements) == self.s.states:
            parts = [build("{s}[None]", s=paren(em.expr(e.value))) for e in node.elements]
            if self.s.states == 1:
                return parts[0]
            comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            return cst.Tuple([cst.Element(parts[0], comma=comma), cst.Element(parts[1])])
        value = paren(em.expr(node))
        if self.s.states == 2 and fact.kind is not Kind.TENSOR:
            return build("tuple(s[None] for s in {v})", v=value)
        if self.s.states == 1 and isinstance(fact.payload, Items) and len(fact.payload.elements) == 1:
            return build("{v}[0][None]", v=value)
        if self.s.states == 1 and fact.payload is None:  # a list of one would raise
            return build("{v}[None]", v=value)
        raise self.job.refuse("P208", "what `initial_state` holds is not known")

    def picked(self, made: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
        s, layer = self.s, self.job.em.it.layers[self.job.node]
        if s.state:
            return self.unpacked(made, node)
        if s.sequences or layer.gives_packed:
            return build("{r}[0]", r=made)
        return build("{r}[1][0][-1]" if s.kind == "lstm" else "{r}[1][-1]", r=made)

    def unpacked(self, made: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
        """`out, h, c = lstm(x)`: torch nests the states, with an axis for layers in front."""
        line = lines.current(self.job.em, node)
        out, *states = _targets(self.job, node, self.s)
        inner = f"({', '.join(states)})" if len(states) > 1 else states[0]
        real = [n for n in states if n != "_"]
        first = out
        if not self.s.sequences and out != "_":
            if states[0] == "_":
                inner = inner.replace("_", out, 1)
                real = [out, *real]
            else:
                line.after.append(cst.parse_statement(f"{out} = {states[0]}"))
            first = "_"
        line.targets = f"{first}, {inner}"
        if real:
            line.after.insert(0, cst.parse_statement(f"{', '.join(real)} = {', '.join(f'{n}[0]' for n in real)}"))
        return made


def nothing(job: Job, name: str, arg: Arg) -> None:
    """An argument that the whole-layer adapter reads."""
    return None


def stacked_cells(job: Job) -> Plan:
    raise job.refuse("P206", "StackedRNNCells held by a variable; write it inside RNN(...)")


ARGS: dict[str, Callable[..., Any]] = {"rnn": nothing, "cell": cell_argument, "activation_function": nothing}
LAYERS: dict[str, Callable[[Job], Plan | None]] = {"rnn": rnn, "stacked_cells": stacked_cells}
