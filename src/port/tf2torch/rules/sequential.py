"""`Sequential`, as a list or by `.add`: one module per layer and one for its activation (golden convention 3)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import breaks_line, build, expression, paren, without_comment
from port.facts import Fact, Kind, Layout
from port.tf2torch.calls.layers import first_input, own_modules, plan
from port.tf2torch.emit import TO_FIRST, TO_LAST, Emitter, Refused
from port.tf2torch.infer.layers import rank_of
from port.tf2torch.infer.values import Function, Instance, LayerCall, SequentialModel, tensors_in
from port.tf2torch.rules.naming import literal_name
from port.tree import FIELDS, code, rebuild


def expects_flipped(model: SequentialModel) -> bool:
    """A Sequential without an Input of its own that is applied to channels-first tensors."""
    if not model.inputs:
        return False
    return any(t.layout is Layout.FLIPPED for t in tensors_in(model.inputs[-1]))


def layer_modules(em: Emitter, node: cst.BaseExpression, fact: Fact) -> list[cst.BaseExpression]:
    """Modules of one layer, with the permutes that its place asks for."""
    if fact.kind is Kind.TENSOR or (isinstance(node, cst.Call) and em.symbol(node.func) == "keras.layers.InputLayer"):
        if fact.layout is Layout.FLIPPED and fact.rank in TO_FIRST:
            return [permute(em, TO_FIRST[fact.rank])]
        return []
    if not isinstance(fact.payload, LayerCall):
        if isinstance(fact.payload, Instance | SequentialModel) or fact.kind in (Kind.LAYER, Kind.MODEL):
            return [em.expr(node)]
        raise Refused("P206", "an element of this Sequential is not a layer that is known", node)
    layer = fact.payload
    if not isinstance(node, cst.Call):
        raise Refused("P206", "a layer held by a variable is put into a Sequential", node)
    x = first_input(layer)
    made = plan(em, layer, x, sequential=True)
    modules = own_modules(em, layer, made, node)
    arrives = tensors_in(x)
    wanted = _by_lambda(em, layer, node) if layer.symbol == "keras.layers.Lambda" else made.job.want
    if arrives and wanted is not None and arrives[0].rank is not None and arrives[0].rank > 2 and (
            arrives[0].layout is not wanted):
        dims = (TO_FIRST if wanted is Layout.FLIPPED else TO_LAST)[arrives[0].rank]
        modules.insert(0, permute(em, dims))
    elif not arrives and layer.inputs and wanted is Layout.FLIPPED and (rank := rank_of(layer.symbol)) is not None:
        modules.insert(0, permute(em, TO_FIRST[rank]))  # what is not followed has the source's axes
    elif arrives and wanted is not None and arrives[0].rank is None and arrives[0].layout is not wanted:
        raise Refused("P208", "the rank that arrives at this layer is not known", node)
    return modules


def standing(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """One module for a layer, with its activation and padding: among others of a list, which one line calls."""
    modules = layer_modules(em, node, em.fact(node))
    if len(modules) == 1:
        return modules[0]
    em.need("nn")
    return cst.Call(expression("nn.Sequential" if modules else "nn.Identity"), [cst.Arg(m) for m in modules])


def _by_lambda(em: Emitter, layer: LayerCall, node: cst.Call) -> Layout:
    """The function of a Lambda layer is written for the source's axes, if nothing else applies it."""
    function = em.fact(layer.bound["function"]).payload if "function" in layer.bound else None
    if isinstance(function, Function) and function.flipped & set(function.params[:1]):
        raise Refused("P209", "the function of this Lambda layer is applied to channels-first tensors elsewhere", node)
    return Layout.PLAIN


def permute(em: Emitter, dims: tuple[int, ...]) -> cst.BaseExpression:
    em.helper("Permute")
    return expression(f"Permute({', '.join(map(str, dims))})")


def comment_of(module: cst.BaseExpression) -> str:
    """The golden remark on a permute."""
    if isinstance(module, cst.Call) and isinstance(module.func, cst.Name) and module.func.value == "Permute":
        dims = tuple(int(a.value.value) for a in module.args if isinstance(a.value, cst.Integer))
        remarks: dict[tuple[int, ...], str] = {(0, 3, 1, 2): "# NHWC -> NCHW", (0, 2, 3, 1): "# NCHW -> NHWC"}
        return remarks.get(dims, "")
    return ""


def implicit_input(em: Emitter, model: SequentialModel) -> list[cst.BaseExpression]:
    """`input_shape=` on the first layer acts as an Input."""
    first = model.layers[0] if model.layers else None
    if first is None or not isinstance(first.payload, LayerCall):
        return []
    arrives = tensors_in(first_input(first.payload))
    has_own = model.alone or keyword(first.payload.node, "input_shape") is not None
    if has_own and arrives and arrives[0].layout is Layout.FLIPPED and arrives[0].rank in TO_FIRST:
        return [permute(em, TO_FIRST[arrives[0].rank])]
    return []


def exit_modules(em: Emitter, model: SequentialModel) -> list[cst.BaseExpression]:
    """A Sequential that stands alone gives what the source gives."""
    out = model.output
    if model.inputs or out is None or out.layout is not Layout.FLIPPED:
        return []
    if out.rank is None:
        raise Refused("P208", "the rank of this Sequential's output is not known", model.node)
    return [permute(em, TO_LAST[out.rank])] if out.rank in TO_LAST else []




def sequential(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`Sequential([...])` -> `nn.Sequential(...)`."""
    fact = em.fact(node)
    model = fact.payload
    if em.scope.stage == "forward":
        raise Refused("P206", "a Sequential is made among tensors, where no module can keep it", node)
    em.need("nn")
    layers = keyword(node, "layers", 0)
    if isinstance(model, SequentialModel) and expects_flipped(model):
        em.inner_sequentials.add(model.node)
    if not isinstance(model, SequentialModel) or layers is None:
        return expression("nn.Sequential()")
    if not isinstance(layers, cst.List | cst.Tuple):
        return build("nn.Sequential(*{x})", x=paren(module_list(em, layers)))
    added = em.it.added.get(model.node, False)
    rows: list[tuple[list[cst.BaseExpression], Any]] = []
    start = implicit_input(em, model)
    for i, element in enumerate(layers.elements):
        modules = layer_modules(em, element.value, em.fact(element.value))
        if i == 0:
            modules = start + modules
        if i == len(layers.elements) - 1 and not added:
            modules = modules + exit_modules(em, model)
        rows.append((modules, element))
    return _call(layers, rows)


def module_list(em: Emitter, node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression for a list of layers as one for the list of their modules."""
    if isinstance(node, cst.List | cst.Tuple):
        modules = [m for e in node.elements for m in layer_modules(em, e.value, em.fact(e.value))]
        return cst.List([cst.Element(m) for m in modules])
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return node.with_changes(left=module_list(em, node.left), right=module_list(em, node.right))
    if isinstance(node, cst.ListComp) and node.for_in.inner_for_in is None and not node.for_in.ifs:
        modules = layer_modules(em, node.elt, em.fact(node.elt))
        header = node.for_in.with_changes(iter=em.expr(node.for_in.iter))
        if len(modules) == 1:
            return node.with_changes(elt=modules[0], for_in=header)
        each = cst.CompFor(cst.Name("module"), cst.Tuple([cst.Element(m) for m in modules]))
        return node.with_changes(elt=cst.Name("module"), for_in=header.with_changes(inner_for_in=each))
    inner = node.for_in.inner_for_in if isinstance(node, cst.ListComp) and not node.for_in.ifs else None
    if isinstance(node, cst.ListComp) and inner is not None and inner.inner_for_in is None and not inner.ifs and (
            isinstance(inner.iter, cst.List | cst.Tuple)) and code(node.elt) == code(inner.target):
        modules = [m for e in inner.iter.elements for m in layer_modules(em, e.value, em.fact(e.value))]
        each = inner.with_changes(iter=cst.Tuple([cst.Element(m) for m in modules]))
        return node.with_changes(for_in=node.for_in.with_changes(iter=em.expr(node.for_in.iter), inner_for_in=each))
    raise Refused("P206", "the layers of this Sequential are computed in a way that is not followed", node)


def _call(layers: cst.List | cst.Tuple, rows: list[tuple[list[cst.BaseExpression], Any]]) -> cst.BaseExpression:
    multi = bool(layers.elements) and any(breaks_line(e.comma) for e in layers.elements)
    between: Any = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if multi:
        between = without_comment(next(e.comma for e in layers.elements if breaks_line(e.comma)))
    args: list[cst.Arg] = []
    for modules, element in rows:
        for i, module in enumerate(modules):
            last = i == len(modules) - 1
            comma = element.comma if last and isinstance(element.comma, cst.Comma) else between
            note = comment_of(module)
            if note and multi and isinstance(comma, cst.Comma):
                comma = _commented(comma, note)
            args.append(cst.Arg(module, comma=comma))
    bracket = layers.lbracket.whitespace_after if isinstance(layers, cst.List) else cst.SimpleWhitespace("")
    if args:
        after = layers.rbracket.whitespace_before if isinstance(layers, cst.List) else cst.SimpleWhitespace("")
        note = comment_of(args[-1].value)
        if multi:
            closing = cst.Comma(whitespace_after=after)
            args[-1] = args[-1].with_changes(comma=_commented(closing, note) if note else closing)
        else:
            args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=after)
    made = cst.Call(expression("nn.Sequential"), args, whitespace_before_args=bracket)
    deep = len(bracket.last_line.value) - 4 if isinstance(bracket, cst.ParenthesizedWhitespace) and multi else 0
    return made if deep <= 0 else _outdented(made, deep)


def _outdented(node: Any, by: int) -> Any:
    """The list had a bracket of its own on a line: its lines move to the left.

    What has no line break inside stays the same object: calls of layers are known by it (initial/sites.py).
    """
    if isinstance(node, cst.ParenthesizedWhitespace):
        text = node.last_line.value
        moves = node.indent and len(text) >= by
        return node.with_changes(last_line=cst.SimpleWhitespace(text[by:])) if moves else node
    return rebuild(node, lambda child: _outdented(child, by), FIELDS[type(node)])


def _commented(comma: cst.Comma, note: str) -> cst.Comma:
    after = comma.whitespace_after
    if not isinstance(after, cst.ParenthesizedWhitespace) or after.first_line.comment is not None:
        return comma
    return comma.with_changes(whitespace_after=after.with_changes(first_line=after.first_line.with_changes(
        whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment(note))))


def add_lines(em: Emitter, call: cst.Call, model: SequentialModel, line: cst.SimpleStatementLine) -> list[Any]:
    """`model.add(layer)` -> one `.append` per module; a literal name needs `.add_module`."""
    node = call.args[0].value
    fact = em.fact(node)
    modules = layer_modules(em, node, fact)
    index = next((i for i, f in enumerate(model.layers) if f is fact or f.payload is fact.payload), -1)
    if index == 0 and fact.kind is not Kind.TENSOR:
        modules = implicit_input(em, model) + modules
    if index == len(model.layers) - 1:
        modules = modules + exit_modules(em, model)
    owner = call.func.value if isinstance(call.func, cst.Attribute) else cst.Name("model")
    name = literal_name(em, node) if isinstance(node, cst.Call) else ""
    lines: list[Any] = []
    for i, module in enumerate(modules):
        keep = name and isinstance(fact.payload, LayerCall) and plan(em, fact.payload, first_input(
            fact.payload), sequential=True).module and _is_main(module)
        new = build(f"{{m}}.add_module('{name}', {{x}})", m=owner, x=module) if keep else build(
            "{m}.append({x})", m=owner, x=module)
        made = line.with_changes(body=[cst.Expr(new)], leading_lines=line.leading_lines if i == 0 else [])
        if i < len(modules) - 1:
            made = made.with_changes(trailing_whitespace=cst.TrailingWhitespace())
        note = comment_of(module)
        if note and made.trailing_whitespace.comment is None:
            made = made.with_changes(trailing_whitespace=cst.TrailingWhitespace(
                cst.SimpleWhitespace("  "), cst.Comment(note)))
        lines.append(made)
    return lines


def _is_main(module: cst.BaseExpression) -> bool:
    """The module with the weights among those of one layer."""
    plain = ("nn.ZeroPad", "nn.Constant", "Permute", "nn.ReLU", "nn.Sigmoid", "nn.Tanh", "nn.Softmax", "nn.GELU",
             "nn.SiLU", "nn.ELU", "nn.SELU", "nn.LeakyReLU")
    return not code(module).startswith(plain)
