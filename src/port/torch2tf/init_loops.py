"""Initial values that are set in loops: over the parameters of a recurrent module, over the parts of one weight."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.torch2tf import init_values
from port.torch2tf.binds import tuple_of
from port.torch2tf.init_calls import init_call, known_layer, narrowed
from port.torch2tf.layer_values import weight_name
from port.torch2tf.refused import Refused
from port.torch2tf.values import Items, Layer, options
from port.tree import code, find, named

RECURRENT = ("LSTM", "GRU", "RNN")
CELLS = {"LSTM": "LSTMCell", "GRU": "GRUCell", "RNN": "SimpleRNNCell"}
PLAIN = tuple(f"torch.nn.{kind}" for kind in ("Linear", "Conv1d", "Conv2d", "Conv3d"))  # kernels with Keras' fans
WITH_PARTS = frozenset(("MultiheadAttention", *(f"Transformer{part}" for part in (
    "", "Encoder", "Decoder", "EncoderLayer", "DecoderLayer"))))  # modules of PyTorch that hold such layers
PARTS = {"out_proj", "linear1", "linear2"}
PARAMETERS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
FORGET = "forget gate"


def statement(w: Any, node: Any) -> list[Any] | None:
    """What stands for a compound statement that only sets initial values; None for any other."""
    if isinstance(node, cst.If):
        return [] if _waits_for_sizes(node) else None
    if isinstance(node, cst.For):
        return _over_parameters(w, node) or _over_parts(w, node)
    return None


def _waits_for_sizes(node: cst.If) -> bool:
    """`if module.has_uninitialized_params(): module.reset_parameters = ...; return`: all layers of Keras are lazy."""
    return node.orelse is None and "has_uninitialized_params()" in code(node.test) and all(
        isinstance(small, cst.Return) or code(small).partition(" = ")[0].endswith(".reset_parameters")
        for line in node.body.body for small in getattr(line, "body", ()))


# ---------------------------------------------------------------- parameters of recurrent modules
def _over_parameters(w: Any, node: cst.For) -> list[Any] | None:
    """`for name, param in module.named_parameters():` of an nn.LSTM, nn.GRU or nn.RNN."""
    call, target = node.iter, node.target
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.args or (
            call.func.attr.value != "named_parameters") or not isinstance(target, cst.Tuple) or not isinstance(
            node.body, cst.IndentedBlock):
        return None
    owner, kinds = call.func.value, _kinds(w, call)
    if code(owner) == "self" and not kinds:
        return _over_layers(w, node)
    if not kinds:
        return _over_list(w, node, owner)
    if len(kinds) != 1 or kinds[0] not in RECURRENT:
        return None
    name, param = (code(e.value) for e in target.elements)
    drawn: dict[str, dict[str, Any]] = {}
    for each in PARAMETERS:
        drawn[each] = {}
        _run(w, list(node.body.body), (name, param, code(owner)), each, drawn[each])
    found = _cells(w, kinds[0], drawn, node)
    if not found:
        return []
    cell = cst.Name("cell")
    lines = [_line(f"cell.{attribute}", value) for attribute, value in found.items()]
    test = build("isinstance(cell, {c})", c=w.layer(CELLS[kinds[0]]))
    loop = cst.For(cell, build("{m}._flatten_layers()", m=w.expr(owner)),
                   cst.IndentedBlock([cst.If(test, cst.IndentedBlock(lines))]))
    return [loop.with_changes(leading_lines=node.leading_lines)]


SOME = 30  # numbers of modules with which a test of the names is tried


def _over_list(w: Any, node: cst.For, owner: cst.BaseExpression) -> list[Any] | None:
    """`for name, p in self.linears.named_parameters():` of a list of layers: their initialisers, one by one."""
    held = w.fact(owner).payload
    layers = [o.payload for e in held.elements for o in options(e)] if isinstance(held, Items) and (
        held.kind == "modules") else []
    shorts = {layer.symbol.rpartition(".")[2] for layer in layers if isinstance(layer, Layer)}
    if not layers or not all(isinstance(layer, Layer) for layer in layers) or shorts != {"Linear"}:
        return None
    assert isinstance(node.target, cst.Tuple)
    name, param = (code(e.value) for e in node.target.elements)
    lines: list[Any] = []
    layer_name = cst.Name("layer" if "layer" not in named(w.function.node) else "each_layer")
    for each in ("weight", "bias"):
        found = [_drawn(w, node, (name, param, code(owner)), f"{i}.{each}") for i in range(SOME)]
        if len({None if f is None else code(f) for f in found}) > 1:
            raise Refused("P203", "a loop over the parameters of a list that takes them by number", node)
        if found[0] is not None:
            lines.append(_line(f"{layer_name.value}.{weight_name('Linear', each)}_initializer", found[0]))
    if not lines:
        return []
    return [cst.For(layer_name, w.expr(owner), cst.IndentedBlock(lines), leading_lines=node.leading_lines)]


def _over_layers(w: Any, node: cst.For) -> list[Any] | None:
    """`for name, p in self.named_parameters(): if name.endswith('c_proj.weight'): init(p)`, as GPT-2 does.

    The name of a parameter ends with that of the attribute that holds its layer; None if that does not tell which
    ones the loop takes.
    """
    assert isinstance(node.target, cst.Tuple)
    name, param = (code(e.value) for e in node.target.elements)
    if not all(_is_end(test, name) for n in find(node, cst.If) for test in _parts(n.test)):
        return None
    holders: dict[str, list[Any]] = {}
    for cls in w.it.classes.values():
        for attribute, fact in cls.attrs.items() if cls.is_module else ():
            holders.setdefault(attribute, []).append((cls, options(fact)))
    words = {n.evaluated_value for f in w.it.files for n in find(f.module, cst.SimpleString)}
    known = frozenset[str]().union(*(named(f.module) for f in w.it.files))
    shared = {code(t.target).split(".")[-2] for f in w.it.files for t in find(f.module, cst.AssignTarget)
              if code(t.target).endswith((".weight", ".bias"))}
    other = words | shared | (PARTS if known & WITH_PARTS else set())
    lines: list[Any] = []
    for attribute, held in holders.items():
        found = {each: _drawn(w, node, (name, param, "self"), f"{attribute}.{each}") for each in ("weight", "bias")}
        if not any(found.values()):
            continue
        plain = all(isinstance(o.payload, Layer) and o.payload.symbol in PLAIN for _, kinds in held for o in kinds)
        here = all(cls.node in w.it.module.body for cls, _ in held)
        if not plain or not here or attribute in other:
            return None
        owners = [cst.Name(cls.name) for cls, _ in held]
        test = build("isinstance(module, {c})", c=owners[0] if len(owners) == 1 else tuple_of(owners))
        body = [_line(f"module.{attribute}.{weight_name('Linear', each)}_initializer", value)
                for each, value in found.items() if value is not None]
        lines.append(cst.If(test, cst.IndentedBlock(body)))
    others = [each for part in ("0.weight", "0.bias", "weight", "bias", "0.in_proj_weight", "0.weight_ih_l0")
              if (each := _drawn(w, node, (name, param, "self"), part)) is not None]
    if not lines or others:
        return None
    return [cst.For(cst.Name("module"), build("self._flatten_layers()"), cst.IndentedBlock(lines),
                    leading_lines=node.leading_lines)]


def _line(place: str, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    target = cst.AssignTarget(build(place))  # type: ignore[arg-type]
    return cst.SimpleStatementLine([cst.Assign([target], value)])


def _parts(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation):
        return [*_parts(test.left), *_parts(test.right)]
    return _parts(test.expression) if isinstance(test, cst.UnaryOperation) else [test]


def _is_end(test: cst.BaseExpression, name: str) -> bool:
    """Does it ask how the name ends, from the attribute of a layer on?"""
    word = test.args[0].value if isinstance(test, cst.Call) and len(test.args) == 1 else None
    return isinstance(word, cst.SimpleString) and code(test.func) == f"{name}.endswith" and (  # type: ignore[attr-defined]
        str(word.evaluated_value).count(".") == 1)


def _drawn(w: Any, node: cst.For, names: tuple[str, str, str], value: str) -> cst.BaseExpression | None:
    """The initialiser that the body gives the parameter of this name."""
    drawn: dict[str, Any] = {}
    assert isinstance(node.body, cst.IndentedBlock)
    _run(w, list(node.body.body), names, value, drawn)
    if drawn.keys() - {"whole"}:
        raise Refused("P203", f"`{code(node.target)}` in a loop over parameters", node)
    return drawn["whole"][1] if drawn else None


def _kinds(w: Any, call: cst.Call) -> tuple[str, ...]:
    assert isinstance(call.func, cst.Attribute)
    layer = known_layer(w, call.func.value)
    if layer is not None:
        return (layer.symbol.rpartition(".")[2],)
    return narrowed(w, call.func).get(code(call.func.value), ())


def _run(w: Any, body: list[Any], names: tuple[str, str, str], value: str, drawn: dict[str, Any]) -> None:
    """What the body of the loop sets for the parameter of this name."""
    for node in body:
        if isinstance(node, cst.If):
            if _holds(node.test, names[0], value):
                _run(w, list(node.body.body), names, value, drawn)
            elif isinstance(node.orelse, cst.If):
                _run(w, [node.orelse], names, value, drawn)
            elif node.orelse is not None:
                _run(w, list(node.orelse.body.body), names, value, drawn)
            continue
        for small in getattr(node, "body", ()):
            if not isinstance(small, cst.Expr) or not isinstance(small.value, cst.Call):
                raise Refused("P203", f"`{code(small)}` in a loop over parameters", node)
            _set(w, small.value, names, value, drawn)


def _set(w: Any, call: cst.Call, names: tuple[str, str, str], value: str, drawn: dict[str, Any]) -> None:
    param, owner = names[1], names[2]
    if code(call.func) == f"{param}.requires_grad_":
        drawn["frozen"] = True
        return
    found = init_call(w, call)
    if found is None:
        raise Refused("P203", f"`{code(call)}` in a loop over parameters", call)
    name, target, args = found
    text = code(target).replace(".detach()", "").replace(".data", "")
    if text == param:
        drawn["whole"] = (name, init_values.draw(w, name, args).node)
    elif text == f"{param}[{owner}.hidden_size:2 * {owner}.hidden_size]" and name == "ones_":
        drawn[FORGET] = True
    else:
        raise Refused("P203", f"`{code(call)}`: a part of the weights of a recurrent module", call)


def _holds(test: cst.BaseExpression, name: str, value: str) -> bool:
    """A test of the parameter's name."""
    if isinstance(test, cst.BooleanOperation):
        both = (_holds(test.left, name, value), _holds(test.right, name, value))
        return all(both) if isinstance(test.operator, cst.And) else any(both)
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return not _holds(test.expression, name, value)
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute) and code(test.func.value) == name and len(
            test.args) == 1 and isinstance(test.args[0].value, cst.SimpleString):
        word = str(test.args[0].value.evaluated_value)
        if test.func.attr.value in ("startswith", "endswith"):
            return value.startswith(word) if test.func.attr.value == "startswith" else value.endswith(word)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and isinstance(
            test.left, cst.SimpleString) and code(test.comparisons[0].comparator) == name and isinstance(
            test.comparisons[0].operator, cst.In | cst.NotIn):
        return (str(test.left.evaluated_value) in value) is isinstance(test.comparisons[0].operator, cst.In)
    raise Refused("P203", f"`{code(test)}` in a loop over parameters is not understood", test)


def _cells(w: Any, kind: str, drawn: dict[str, dict[str, Any]], node: cst.For) -> dict[str, Any]:
    """Attribute of the Keras cell -> its value."""
    found: dict[str, Any] = {}
    for parameter, attribute in (("weight_ih_l0", "kernel_initializer"), ("weight_hh_l0", "recurrent_initializer")):
        if "whole" in drawn[parameter]:
            found[attribute] = drawn[parameter]["whole"][1]
    first, second = drawn["bias_ih_l0"], drawn["bias_hh_l0"]
    if "whole" not in first and "whole" not in second and FORGET not in first | second:
        return found
    if "whole" not in first or "whole" not in second or code(first["whole"][1]) != code(second["whole"][1]) or (
            kind != "GRU" and first["whole"][0] != "zeros_") or FORGET in second:
        raise Refused("P203", "Keras has the sum of both biases: set both, to zero", node)
    found["bias_initializer"] = first["whole"][1]
    if FORGET in first and kind == "LSTM":
        found["unit_forget_bias"] = cst.Name("True")
    return found


# ---------------------------------------------------------------- parts of one weight
def _over_parts(w: Any, node: cst.For) -> list[Any] | None:
    """`for weight in module.in_proj_weight.chunk(3): init(weight)`: query, key and value, each by itself."""
    text, target = code(node.iter).replace(".detach()", "").replace(".data", ""), code(node.target)
    if not text.endswith(".in_proj_weight.chunk(3)") or not isinstance(node.body, cst.IndentedBlock):
        return None
    line = node.body.body[0]
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    found = init_call(w, small.value) if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) else None
    if len(node.body.body) != 1 or found is None or code(found[1]) != target:
        return None
    inner = node.iter
    while isinstance(inner, cst.Call | cst.Attribute) and not code(inner).endswith(".in_proj_weight"):
        inner = inner.func if isinstance(inner, cst.Call) else inner.value
    assert isinstance(inner, cst.Attribute)
    w.need("keras")
    owner, draw = w.expr(inner.value), init_values.draw(w, found[0], found[2]).node
    parts = build("[{draw}(({m}.embed_dim, {m}.embed_dim)) for _ in range(3)]", m=owner, draw=draw)
    made = build(f"{{m}}.in_proj_weight.assign(keras.ops.concatenate({target}s))", m=owner)
    return [cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(f"{target}s"))], parts)],
                                    leading_lines=node.leading_lines), cst.SimpleStatementLine([cst.Expr(made)])]
