"""Sequential models that are no chain of one tensor become functional ones, before anything is inferred.

`model = Sequential(); model.add(LSTM(5))` is read as `x = LSTM(5)(inputs); model = Model(inputs, x)`: golden
convention 3 then follows from convention 2. The layers stay the nodes they were, so findings keep their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.binding import keyword
from port.names import Names
from port.tf2torch.rules.sequential_input import INPUT, RECURRENT, implied, is_input, symbol_of
from port.tree import code, named, walk

MODEL = "_port_Model"
READS = {"GlobalAveragePooling1D", "GlobalAvgPool1D"}
SIMPLE = {"Dense", "Dropout", "Activation", "LayerNormalization", "Embedding"}


@dataclass
class Chain:
    """One Sequential: its name, where it begins and ends in a body, its layers in order."""

    call: cst.Call
    variable: str = ""  # '' if it is returned at once
    start: int = 0
    end: int = 0
    layers: list[cst.BaseExpression] = field(default_factory=list)
    straight: bool = True  # no layer is added in a loop or branch
    number: int = 0


@dataclass
class Found:
    """The models of a file that are read as functional ones: layers by the number in their marker."""

    leave: set[cst.Call]  # those that could not be translated this way
    calls: list[cst.Call] = field(default_factory=list)
    layers: list[list[cst.BaseExpression]] = field(default_factory=list)


def untranslated(names: Names, text: str) -> set[cst.Call]:
    """The models whose markers are left in the output: a refusal would show code that nobody wrote."""
    return {call for i, call in enumerate(names.models) if f"{MODEL}{i}(" in text}


def rewrite(module: cst.Module, names: Names, leave: set[cst.Call]) -> cst.Module | None:
    """The module with such models in functional form; None if there are none."""
    chains = Found(leave)
    body = _body(list(module.body), names, chains)
    new = []
    for s in body:
        if isinstance(s, cst.FunctionDef) and isinstance(s.body, cst.IndentedBlock):
            inner = _body(list(s.body.body), names, chains, s)
            s = s.with_changes(body=s.body.with_changes(body=inner)) if inner != list(s.body.body) else s
        new.append(s)
    if not chains.calls:
        return None
    names.bound |= {INPUT: "keras.Input"} | {f"{MODEL}{i}": "keras.Model" for i in range(len(chains.calls))}
    names.chains, names.models = chains.layers, chains.calls
    return module.with_changes(body=new)


def _body(nodes: list[Any], names: Names, chains: Found, function: Any = None) -> list[Any]:
    out: list[Any] = []
    at = 0
    while at < len(nodes):
        chain = _chain(nodes, at, names)
        made = None
        if chain is not None and chain.call not in chains.leave and _needed(chain, names):
            chain.number = len(chains.calls)
            made = _functional(chain, nodes, names, function)
        if made is None:
            out.append(nodes[at])
            at += 1
            continue
        assert chain is not None
        out += made
        chains.calls.append(chain.call)
        chains.layers.append(chain.layers if chain.straight else [])
        at = chain.end + 1
    return out


# ---------------------------------------------------------------- finding
def _chain(nodes: Sequence[Any], at: int, names: Names) -> Chain | None:
    """The Sequential that begins in this statement."""
    s = nodes[at]
    if not isinstance(s, cst.SimpleStatementLine) or len(s.body) != 1:
        return None
    small = s.body[0]
    value: Any = getattr(small, "value", None)
    if symbol_of(names, value) != "keras.Sequential" or not isinstance(small, cst.Assign | cst.Return):
        return None
    given = keyword(value, "layers", 0)
    chain = Chain(value, start=at, end=at)
    if given is not None and not isinstance(given, cst.List | cst.Tuple):
        return None
    if given is not None:
        if any(isinstance(e, cst.StarredElement) for e in given.elements):
            return None
        chain.layers = [e.value for e in given.elements]
    if isinstance(small, cst.Return):
        return chain if chain.layers else None
    if len(small.targets) != 1 or not isinstance(small.targets[0].target, cst.Name):
        return None
    chain.variable = small.targets[0].target.value
    return _with_adds(chain, nodes, at)


def _with_adds(chain: Chain, nodes: Sequence[Any], at: int) -> Chain | None:
    own = [isinstance(s, cst.FunctionDef | cst.ClassDef) for s in nodes]  # their names are their own
    found = [i for i in range(at + 1, len(nodes)) if not own[i] and _adds(nodes[i], chain.variable)]
    chain.end = found[-1] if found else at
    for s in nodes[at + 1:chain.end + 1]:
        if isinstance(s, cst.FunctionDef | cst.ClassDef):
            continue
        calls = _adds(s, chain.variable)
        uses = sum(isinstance(n, cst.Name) and n.value == chain.variable for n in walk(s))
        if uses != len(calls):
            return None
        chain.layers += [c.args[0].value for c in calls]
        chain.straight &= isinstance(s, cst.SimpleStatementLine)
    return chain if chain.layers else None


def _adds(node: cst.CSTNode, name: str) -> list[cst.Call]:
    """Calls `name.add(layer)` that are statements of their own, in order."""
    found = []
    for n in walk(node):
        if isinstance(n, cst.Expr) and isinstance(n.value, cst.Call) and isinstance(
                n.value.func, cst.Attribute) and n.value.func.attr.value == "add" and isinstance(
                n.value.func.value, cst.Name) and n.value.func.value.value == name and len(n.value.args) == 1:
            found.append(n.value)
    return found


def _needed(chain: Chain, names: Names) -> bool:
    symbols = [symbol_of(names, n) for n in chain.layers]
    kinds = [s.rpartition(".")[2] for s in symbols if ".layers." in s]
    if any(k in RECURRENT for k in kinds):
        return True
    for n, layer in ((symbol_of(names, n).rpartition(".")[2], n) for n in chain.layers):
        if n == "TimeDistributed" and isinstance(layer, cst.Call) and layer.args and symbol_of(
                names, layer.args[0].value).rpartition(".")[2] not in SIMPLE:
            return True
    masks = any(k == "Masking" for k in kinds) or any(
        isinstance(n, cst.Call) and k == "Embedding" and keyword(n, "mask_zero") is not None
        for n, k in ((n, symbol_of(names, n).rpartition(".")[2]) for n in chain.layers))
    return masks and any(k in READS for k in kinds)


# ---------------------------------------------------------------- the functional form
def _functional(chain: Chain, nodes: Sequence[Any], names: Names, function: Any) -> list[Any] | None:
    given = implied(chain.layers, names)
    if given is None:
        return None
    taken = named(function) if function is not None else {n for s in nodes for n in named(s)}
    x = next(n for n in ("x", "hidden", "features", "x_") if n not in taken)
    inputs = next(n for n in ("inputs", "input_", "model_inputs", "inputs_") if n not in taken)
    first = nodes[chain.start]
    layers = chain.layers[1:] if is_input(chain.layers[0], names) else chain.layers
    chain.layers = layers
    begin = cst.SimpleStatementLine([_assign(inputs, given)])
    if not layers:
        return None
    if chain.straight:
        return _straight(chain, nodes, begin, x, inputs, layers, first)
    begin = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(x)), cst.AssignTarget(
        cst.Name(inputs))], given)], leading_lines=first.leading_lines)
    out: list[Any] = [begin]
    out += [cst.SimpleStatementLine([_assign(x, _applied(e, x))]) for e in _list(chain.call) if e in layers]
    for s in nodes[chain.start + 1:chain.end + 1]:
        adds = _adds(s, chain.variable)
        if not (len(adds) == 1 and isinstance(s, cst.SimpleStatementLine) and is_input(adds[0].args[0].value, names)):
            out.append(_replaced(s, chain.variable, x, names))
    return [*out, cst.SimpleStatementLine([_assign(chain.variable, _model(chain, cst.Name(inputs), cst.Name(x)))])]


def _assign(name: str, value: cst.BaseExpression) -> cst.Assign:
    return cst.Assign([cst.AssignTarget(cst.Name(name))], value)


def _list(call: cst.Call) -> list[cst.BaseExpression]:
    given = keyword(call, "layers", 0)
    return [e.value for e in given.elements] if isinstance(given, cst.List | cst.Tuple) else []


def _straight(chain: Chain, nodes: Sequence[Any], begin: Any, x: str, inputs: str, layers: list[cst.BaseExpression],
              first: Any) -> list[Any]:
    notes = _notes(chain, nodes)
    out: list[Any] = [begin]
    held = inputs
    between: list[Any] = [*_list(chain.call), *nodes[chain.start + 1:chain.end + 1]]
    for s in between:
        calls = _adds(s, chain.variable) if isinstance(s, cst.SimpleStatementLine) else []
        layer = calls[0].args[0].value if calls else s
        if isinstance(layer, cst.BaseExpression):
            if layer in layers[:-1]:
                line = cst.SimpleStatementLine([_assign(x, _applied(layer, held))])
                out.append(line.with_changes(**notes.get(layer, {})))
                held = x
        else:
            out.append(s)  # what the user does between two layers
    whole = _model(chain, cst.Name(inputs), _applied(layers[-1], held))
    returned = nodes[chain.end + 1] if chain.end + 1 < len(nodes) else None
    last: Any = _assign(chain.variable, whole) if chain.variable else cst.Return(whole)
    if chain.variable and isinstance(returned, cst.SimpleStatementLine) and code(
            returned).strip() == f"return {chain.variable}":
        last = cst.Return(whole)
        chain.end += 1
    out.append(cst.SimpleStatementLine([last]).with_changes(**notes.get(layers[-1], {})))
    remarks = [ln for ln in first.leading_lines if ln.comment is not None]  # the line of the Input vanishes
    return [begin, out[1].with_changes(leading_lines=[*remarks, *out[1].leading_lines]), *out[2:]]


def _applied(layer: cst.BaseExpression, held: str) -> cst.Call:
    return cst.Call(layer, [cst.Arg(cst.Name(held))])


def _model(chain: Chain, inputs: cst.BaseExpression, outputs: cst.BaseExpression) -> cst.Call:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    keep = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in chain.call.args
            if a.keyword is not None and a.keyword.value == "name"]
    args = [cst.Arg(inputs, comma=comma), cst.Arg(outputs, comma=comma if keep else cst.MaybeSentinel.DEFAULT), *keep]
    return cst.Call(cst.Name(f"{MODEL}{chain.number}"), args)


def _replaced(node: Any, variable: str, x: str, names: Names) -> Any:
    """`model.add(L)` below this statement as `x = L(x)`."""
    class Change(cst.CSTTransformer):
        def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> Any:
            for call in _adds(original_node, variable):
                if not is_input(call.args[0].value, names):
                    return _assign(x, _applied(call.args[0].value, x))
            return updated_node

    return node.visit(Change())


def _notes(chain: Chain, nodes: Sequence[Any]) -> dict[cst.BaseExpression, dict[str, Any]]:
    """Comments around each layer: above it, and behind it."""
    found: dict[cst.BaseExpression, dict[str, Any]] = {}
    given = keyword(chain.call, "layers", 0)
    if isinstance(given, cst.List):
        space: Any = given.lbracket.whitespace_after
        for e in given.elements:
            lines = [ln for ln in getattr(space, "empty_lines", []) if ln.comment is not None]
            space = getattr(e.comma, "whitespace_after", None) or given.rbracket.whitespace_before
            after = getattr(space, "first_line", None)
            found[e.value] = {"leading_lines": lines} | (
                {"trailing_whitespace": after} if after is not None and after.comment is not None else {})
    for s in nodes[chain.start + 1:chain.end + 1]:
        for call in _adds(s, chain.variable) if isinstance(s, cst.SimpleStatementLine) else []:
            found[call.args[0].value] = {"leading_lines": s.leading_lines,
                                         "trailing_whitespace": s.trailing_whitespace}
    return found
