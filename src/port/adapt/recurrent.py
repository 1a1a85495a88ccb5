"""LSTM, GRU, SimpleRNN, RNN and Bidirectional: torch's own modules where they suffice, else helpers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.adapt.activations import activation_value, needs
from port.build import build, expression, paren
from port.calls import Job, Plan, fill, layer_job, module_call, prepare
from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.infer.interp import code
from port.infer.masks import keyword
from port.infer.values import Items, LayerCall, tensors_in
from port.rules import lines, masking
from port.table import Arg, Signature
from port.tree import walk

KINDS = {"LSTM": "lstm", "CuDNNLSTM": "lstm", "GRU": "gru", "CuDNNGRU": "gru", "SimpleRNN": "rnn", "RNN": "cell"}
CELLS = {"lstm": "LSTMCell", "gru": "GRUCell", "rnn": "SimpleRNNCell"}
PARAMETERS = ("x", "initial_state", "mask", "training")  # of a call in Keras 3


@dataclass
class Use:
    """One application: `args` by the names of Keras' call; `masked`: a mask arrives, perhaps None at times."""

    node: cst.Call
    args: dict[str, cst.BaseExpression]
    masked: bool
    optional: bool = False

    def given(self, em: Any, name: str) -> cst.BaseExpression | None:
        node = self.args.get(name)
        return None if node is None or em.fact(node).literal(...) is None else node


def bound_call(node: cst.Call, args: list[cst.Arg], names: tuple[str, ...]) -> dict[str, cst.BaseExpression]:
    found: dict[str, cst.BaseExpression] = {}
    for i, arg in enumerate(args):
        name = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else f"#{i}"
        found[{"sequences": "x", "inputs": "x", "sequence": "x"}.get(name, name)] = arg.value
    return found


def uses(job: Job, names: tuple[str, ...] = PARAMETERS) -> list[Use]:
    em, layer = job.em, job.em.it.layers[job.node]
    out = []
    for node, (callee, _) in em.it.applications.items():
        if callee.payload is not layer:
            continue
        if node is layer.node:  # inside a Sequential
            out.append(Use(node, {}, masking.of_call(em, node, layer) is not None))
            continue
        args = bound_call(node, list(node.args), names)
        explicit = args.get("mask")
        fact = em.fact(explicit) if explicit is not None else UNKNOWN
        maybe = explicit is not None and fact.literal(...) is not None and (
            fact.kind is not Kind.TENSOR or fact.symbol == "?")
        out.append(Use(node, args, masking.of_call(em, node, layer) is not None, maybe))
    return out


@dataclass
class Settings:
    """What a recurrent layer was made with."""

    kind: str
    sequences: bool | None  # None: only known when it runs
    state: bool
    backwards: bool
    plain: bool  # activations and gates as torch's own module has them
    relu: bool = False

    @property
    def states(self) -> int:
        return 2 if self.kind == "lstm" else 1


def settings(job: Job) -> Settings:
    kind = KINDS[job.row.tf[0].name.rpartition(".")[2]]
    params = {p.name for p in job.bound.signature.params}

    def flag(name: str) -> Any:
        return job.literal(name) if name in params else False

    sequences, state, backwards = flag("return_sequences"), flag("return_state"), flag("go_backwards")
    if not isinstance(state, bool) or not isinstance(backwards, bool):
        raise job.refuse("P202", "`return_state` or `go_backwards` is not a literal")
    sequences = sequences if isinstance(sequences, bool) else None
    if kind == "cell":
        return Settings(kind, sequences, state, backwards, False)
    activation = _name_of(job, "activation") if "activation" in params else "tanh"
    plain = activation == "tanh" or (kind == "rnn" and activation == "relu")
    if "recurrent_activation" in params:
        plain = plain and _name_of(job, "recurrent_activation") == "sigmoid"
    if "reset_after" in params:
        plain = plain and job.literal("reset_after") is True
    return Settings(kind, sequences, state, backwards, plain, activation == "relu")


def _name_of(job: Job, name: str) -> str:
    """The activation's name; '?' for a function of the user's."""
    value = job.literal(name)
    if isinstance(value, str):
        return value
    if value is None:
        return "linear"
    symbol = job.em.symbol(job.bound.args[name]) if job.given(name) else ""
    return symbol.rpartition(".")[2] if symbol.startswith(("tf.", "keras.")) else "?"


def function_value(job: Job, name: str, otherwise: str) -> cst.BaseExpression | None:
    """An activation as a value; None if it is the default of the helper cell."""
    known = _name_of(job, name)
    if known == otherwise:
        return None
    if known == "?":
        node = job.bound.args[name]
        if job.em.fact(node).kind is not Kind.FUNCTION:
            raise job.refuse("P202", f"the activation `{code(node)}` is not known")
        return job.em.expr(node)
    value = activation_value(job.em, known)
    if value is None:
        raise job.refuse("P201", f"the activation `{known}` has no row")
    return value


# ---------------------------------------------------------------- cells and helper modules
def keyword_arg(name: str, value: cst.BaseExpression) -> cst.Arg:
    plain = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(name), equal=plain)


def call(name: str, args: list[cst.Arg]) -> cst.Call:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return cst.Call(cst.Name(name), [a.with_changes(comma=comma if i < len(args) - 1 else cst.MaybeSentinel.DEFAULT)
                                     for i, a in enumerate(args)])


def cell(job: Job, kind: str) -> cst.Call:
    """`LSTMCell(features, units, recurrent_activation=F.hardsigmoid)`: initial values of the helper are Keras'."""
    em, params = job.em, {p.name for p in job.bound.signature.params}
    width = fill(job, "features")
    if width is None:
        raise job.refuse("P208", "how many features arrive here is not known")
    em.helper(CELLS[kind])
    args = [cst.Arg(width), cst.Arg(job.expr("units"))]
    if "use_bias" in params and job.literal("use_bias") is not True:
        args.append(keyword_arg("bias", job.expr("use_bias")))
    for name, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
        value = function_value(job, name, default) if name in params else None
        if value is not None:
            args.append(keyword_arg(name, value))
    if "reset_after" in params and job.literal("reset_after") is not True:
        args.append(keyword_arg("reset_after", job.expr("reset_after")))
    if "unit_forget_bias" in params and job.literal("unit_forget_bias") is not True:
        raise job.refuse("P202", "`unit_forget_bias=False` of a cell that nn.LSTM cannot be")
    if "dropout" in params and job.literal("dropout") not in (0, 0.0):
        raise job.refuse("P202", "`dropout` of a cell; apply F.dropout1d to the input")
    return call(CELLS[kind], args)


def cell_argument(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """The cell of keras.layers.RNN: a layer of Keras, or a list of them."""
    return _cell_value(job, job.bound.args[name], job.x)


def _cell_value(job: Job, node: cst.BaseExpression, x: Fact) -> cst.BaseExpression:
    fact = job.em.fact(node)
    if isinstance(node, cst.List | cst.Tuple):
        job.em.helper("StackedRNNCells")
        return call("StackedRNNCells", [cst.Arg(_cell_value(job, e.value, UNKNOWN)) for e in node.elements])
    layer = fact.payload
    if not isinstance(layer, LayerCall) or node is not layer.node:
        raise job.refuse("P206", "a cell of your own, or one held by a variable: write a module that is called "
                         "`cell(x, states) -> (output, states)` and has `initial_state(x)`")
    name = layer.symbol.rpartition(".")[2]
    if name == "StackedRNNCells":
        return _cell_value(job, layer.bound["cells"], UNKNOWN)
    kind = next((k for k, v in CELLS.items() if v == name), "")
    if not kind:
        raise job.refuse("P206", f"`{name}` as a cell")
    width = tensors_in(x)[:1]
    arrives = tensor((None, width[0].shape[-1])) if width and width[0].shape else (
        layer.inputs[-1] if layer.inputs else UNKNOWN)
    return cell(layer_job(job.em, layer, arrives), kind)


def rnn_module(job: Job, s: Settings, sequences: bool = True) -> cst.Call:
    """`RNN(LSTMCell(...), return_sequences=True)`."""
    job.em.helper("RNN")
    inner = cell_argument(job, "cell", Arg("cell")) if s.kind == "cell" else cell(job, s.kind)
    args = [cst.Arg(inner)]
    for name in ("return_sequences", "return_state", "go_backwards"):
        if job.given(name) and job.literal(name) is not False:
            args.append(keyword_arg(name, job.expr(name)))
    return call("RNN", args)


# ---------------------------------------------------------------- the adapter
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
    packed = getattr(layer, "gets_packed", False) or getattr(layer, "gives_packed", False)
    if any(u.optional or (u.masked and s.sequences and not packed) for u in found):
        return False
    return not s.state or (not wrapped and all(_targets(job, u.node, s) for u in found))


def _native_module(job: Job, s: Settings, bidirectional: bool) -> cst.BaseExpression:
    # Initial values (rules/initial.py): one bias in Keras, so `bias_hh_l0` is zero and frozen; the forget gate's
    # bias is 1 unless unit_forget_bias=False; recurrent weights are orthogonal. GRU has both biases.
    if bidirectional:
        job.out["bidirectional"] = expression("True")
    if s.relu:
        job.out["nonlinearity"] = expression("'relu'")
    prepare(job, (job.row.torch[0],))
    with job.em.at_build():
        return module_call(job)


def _targets(job: Job, node: cst.Call, s: Settings) -> list[str]:
    """The names that `out, h, c = lstm(x)` assigns; [] if it stands anywhere else."""
    if not hasattr(job.em, "unpacked"):
        found: dict[cst.CSTNode, cst.BaseExpression] = {}
        for n in walk(job.em.it.module):
            if isinstance(n, cst.Assign) and len(n.targets) == 1 and isinstance(n.targets[0].target, cst.Tuple):
                found[n.value] = n.targets[0].target
        job.em.unpacked = found  # type: ignore[attr-defined]
    target = job.em.unpacked.get(node)  # type: ignore[attr-defined]
    if target is None or len(target.elements) != 1 + s.states:
        return []
    names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
    real = [n for n in names if n != "_"]
    return names if len(names) == 1 + s.states and len(set(real)) == len(real) else []


class Applied:
    """A recurrent layer applied; `__call__` is the `run` of its plan."""

    def __init__(self, job: Job, s: Settings):
        self.job, self.s = job, s

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

    bidirectional = False

    def result(self, callee: Any, x: cst.BaseExpression, state: cst.BaseExpression | None,
               mask: cst.BaseExpression | None, node: cst.Call) -> cst.BaseExpression:
        layer = self.job.em.it.layers[self.job.node]
        x = self.dropped(x)
        if self.s.backwards:
            x = build("{x}.flip(1)", x=x)
            mask = build("{m}.flip(1)", m=paren(mask)) if mask is not None else None
        if mask is not None and not getattr(layer, "gets_packed", False):
            self.job.em.helper("pack_masked")
            x = build("pack_masked({x}, {m})", x=x, m=mask)
        made: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(x)])
        if state is not None:
            made = build("{f}({x}, {s})", f=callee, x=x, s=self.state(state))
        return self.picked(made, node)

    def dropped(self, x: cst.BaseExpression) -> cst.BaseExpression:
        """Keras draws once for all steps: whole features are dropped."""
        if "dropout" not in {p.name for p in self.job.bound.signature.params} or self.job.literal(
                "dropout") in (0, 0.0):
            return x
        node = self.job.bound.args["dropout"]
        em = self.job.em
        literal = isinstance(node, cst.Float | cst.Integer)
        if not literal and em.scope.cls is not None and not isinstance(node, cst.Attribute):
            raise self.job.refuse("P202", "`dropout` is not a literal; keep it as an attribute of self")
        em.need("F")
        p = em.expr(node)
        flag = "self.training"
        return build(f"F.dropout1d({{x}}.mT, {{p}}, {flag}).mT", x=paren(x), p=p)

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
        if self.s.states == 1 and fact.kind is Kind.TENSOR:
            return build("{v}[None]", v=value)
        if self.s.states == 1 and isinstance(fact.payload, Items) and len(fact.payload.elements) == 1:
            return build("{v}[0][None]", v=value)
        raise self.job.refuse("P208", "what `initial_state` holds is not known")

    def picked(self, made: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
        s, layer = self.s, self.job.em.it.layers[self.job.node]
        if s.state:
            return self.unpacked(made, node)
        if s.sequences or getattr(layer, "gives_packed", False):
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


ARGS: dict[str, Callable[..., Any]] = {"rnn": nothing, "cell": cell_argument}
LAYERS: dict[str, Callable[[Job], Plan | None]] = {"rnn": rnn, "stacked_cells": stacked_cells}
__all__ = ["ARGS", "LAYERS", "Signature", "keyword", "needs"]
