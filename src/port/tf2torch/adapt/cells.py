"""The helper cells that a recurrent layer can be, and its module over steps."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, tensor
from port.table import Arg
from port.tf2torch.adapt.activations import activation_value
from port.tf2torch.adapt.args import ARGS as ADAPTERS
from port.tf2torch.adapt.settings import Settings, activation_name
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.layers import layer_job
from port.tf2torch.calls.making import fill
from port.tf2torch.infer.values import LayerCall, tensors_in
from port.tf2torch.initial.sites import note
from port.tree import code

CELLS = {"lstm": "LSTMCell", "gru": "GRUCell", "rnn": "SimpleRNNCell"}


def function_value(job: Job, name: str, otherwise: str) -> cst.BaseExpression | None:
    """An activation as a value; None if it is the default of the helper cell."""
    known = activation_name(job, name)
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


def made_call(name: str, args: list[cst.Arg]) -> cst.Call:
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
    for name, arg in job.row.args.items():
        if arg.via in ("regularizer", "constraint") and job.given(name):
            ADAPTERS[arg.via](job, name, arg)
    new = made_call(CELLS[kind], args)
    note(job, new)
    return new


def cell_argument(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """The cell of keras.layers.RNN: a layer of Keras, or a list of them."""
    return _cell_value(job, job.bound.args[name], job.x)


def _cell_value(job: Job, node: cst.BaseExpression, x: Fact) -> cst.BaseExpression:
    fact = job.em.fact(node)
    if isinstance(node, cst.List | cst.Tuple):
        job.em.helper("StackedRNNCells")
        return made_call("StackedRNNCells", [cst.Arg(_cell_value(job, e.value, UNKNOWN)) for e in node.elements])
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
    arrives = tensor((None, width[0].width)) if width and width[0].width is not None else (
        layer.inputs[-1] if layer.inputs else UNKNOWN)
    return cell(layer_job(job.em, layer, arrives), kind)


def rnn_module(job: Job, s: Settings, backwards: bool = False) -> cst.Call:
    """`RNN(LSTMCell(...), return_sequences=True)`."""
    job.em.helper("RNN")
    inner = cell_argument(job, "cell", Arg("cell")) if s.kind == "cell" else cell(job, s.kind)
    args = [cst.Arg(inner)]
    for name in ("return_sequences", "return_state"):
        if job.given(name) and job.literal(name) is not False:
            args.append(keyword_arg(name, job.expr(name)))
    if s.backwards or backwards:
        args.append(keyword_arg("go_backwards", cst.Name("True")))
    return made_call("RNN", args)
