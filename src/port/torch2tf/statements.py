"""Statements of functions and of the module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import build, fitted, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import (
    anyname,
    buffers,
    carried,
    chainturns,
    containers,
    devices,
    either,
    freezing,
    hidden,
    init_calls,
    init_own,
    init_parts,
    inplace,
    interfaces,
    methods,
    nogradient,
    ownnames,
    rows,
    spread,
    tying,
    unpacking,
    waiting,
)
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, Items, SelfOf, can_flip, options, tensors_in
from port.tree import changed, kinds, walk

BLANK = cst.Module([])
SMALL = kinds(cst.BaseSmallStatement)
NO_EFFECT = ("torch._C._log_api_usage_once", "torch.fx.wrap")  # they tell PyTorch's own tools something


def line(w: Any, node: cst.SimpleStatementLine) -> list[Any]:
    """One line: most often one small statement, which becomes one, several or none."""
    smalls: list[Any] = []
    whole: list[Any] = []
    outer, w.guards = w.guards, []
    try:
        for small in node.body:
            for made in simple(w, small):
                if type(made) in SMALL:
                    smalls.append(made)
                else:
                    whole.append(made)
        return [*w.guards, *_lines(w, node, smalls, whole)]
    finally:
        w.guards = outer


def _lines(w: Any, node: cst.SimpleStatementLine, smalls: list[Any], whole: list[Any]) -> list[Any]:
    if len(node.body) > 1 and not whole and len(smalls) == len(node.body):
        return [changed(node, body=smalls)]
    lines: list[Any] = [
        cst.SimpleStatementLine([changed(s, semicolon=cst.MaybeSentinel.DEFAULT)]) for s in smalls] + whole
    if lines:
        raises = type(node.body[0]) is cst.Raise  # a mark above it is of stopping.py
        lines[0] = changed(lines[0], leading_lines=node.leading_lines if raises else own_lines(node.leading_lines))
        if type(lines[-1]) is cst.SimpleStatementLine:
            lines[-1] = changed(lines[-1], trailing_whitespace=node.trailing_whitespace)
        lines[-1] = interfaces.behind_line(w, lines[-1])
    return lines


def own_lines(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Without the marks of the translation into PyTorch, which are answered here."""
    return [e for e in lines if e.comment is None or not e.comment.value.startswith("# port: P")]


def simple(w: Any, node: cst.BaseSmallStatement) -> list[Any]:
    """Small statements, or whole ones, that stand for this one."""
    if type(node) is cst.Import or type(node) is cst.ImportFrom:
        from port.torch2tf import importing

        return importing.local(w, node)
    if type(node) is cst.Assign:
        return assign(w, node)
    if type(node) is cst.AnnAssign:
        hidden.check(w, node)
        value = None if node.value is None else _valued(w, node.value, _target_name(node.target))
        return [node.with_changes(annotation=w.expr(node.annotation), value=value)]
    if type(node) is cst.AugAssign:
        return augmented(w, node)
    if type(node) is cst.Expr:
        return expression_statement(w, node)
    if type(node) is cst.Return:
        return [returned(w, node)]
    if type(node) is cst.Del:
        return [node]
    if type(node) is cst.Assert and any(w.fact(n).symbol == "torch.__version__" for n in walk(node.test)):
        w.report("P103", "what version of PyTorch there is does not matter in Keras: left out", node)
        return []
    return [w.generic(node)]


# ---------------------------------------------------------------- assignments
def assign(w: Any, node: cst.Assign) -> list[Any]:
    target = node.targets[0].target
    if tying.replaced(w, node) or devices.dropped(w, node) or nogradient.dropped(w, node) or spread.unread(
            w.it, w.function, node) or spread.short(w.it, w.function, node):
        return []
    hidden.check(w, node)
    for each in node.targets:
        if type(each.target) is cst.Attribute:
            carried.check(w, each.target.value, each.target.attr.value, node.value, node)
            buffers.check_assigned(w, node, each.target)
    unpacking.check_parts(w, node)
    if len(node.targets) == 1:
        tied = tying.assignment(w, node)
        if tied is not None:
            return tied
        special = inplace.store(w, node) if type(target) is cst.Subscript else (
            inplace.same_name(w, node) or unpacking.whole_shape(w, node))
        if special is not None:
            return special
    single = unpacking.one_part(w, node, target, _place)
    if single is not None:
        return [single]
    apart = type(target) in (cst.Tuple, cst.List)
    w.targets = len(target.elements) if apart else 0  # type: ignore[attr-defined]
    w.value = node.value
    w.unused = unpacking.unused(target)
    try:
        value = _valued(w, node.value, _target_name(target), wanted(w, target, node.value))
    finally:
        w.targets, w.value, w.unused = 0, None, frozenset()
    value = containers.iterable(w, node.value, value) if apart else value
    targets = [changed(t, target=_place(w, t.target)) for t in node.targets]
    if type(value) is cst.Name and type(target) is cst.Name and value.value == target.value and (
            value is not node.value):
        return []  # x = x.clone(), x = x.to(device)
    return [changed(node, targets=targets, value=value)]


def _place(w: Any, target: Any) -> Any:
    """A target: what stands in subscripts and before dots is an expression."""
    if type(target) is cst.Subscript:
        return w.generic(target)
    if type(target) is cst.Attribute:
        freezing.check_target(w, target)
        symbol = w.it.names.resolve(target)
        if symbol.startswith("torch.backends."):
            raise Refused("P203", f"`{symbol}` is a switch of PyTorch's kernels, which Keras does not have", target)
        if symbol.startswith("torch."):
            raise Refused("P206", f"`{symbol}` of PyTorch is replaced, which Keras would not follow", target)
        own = ownnames.kept(w.fact(target.value), target.attr.value)
        return changed(target, value=w.expr(target.value), attr=changed(target.attr, value=own))
    return target


def _valued(w: Any, node: cst.BaseExpression, name: str, want: Layout | None = None) -> Any:
    outer, w.attribute = w.attribute, name or w.attribute
    try:
        return w.expr(node, want)
    finally:
        w.attribute = outer


def _target_name(target: Any) -> str:
    return target.attr.value if type(target) is cst.Attribute else target.value if isinstance(
        target, cst.Name) else ""


def wanted(w: Any, target: Any, value: cst.BaseExpression) -> Layout | None:
    """The layout in which an attribute, or a list, holds its tensors, and in which one is taken to pieces."""
    fact: Fact = w.fact(value)
    if isinstance(target, cst.Tuple | cst.List):
        return Layout.PLAIN if fact.kind is Kind.TENSOR else None
    if type(target) is cst.Subscript and isinstance(held := w.fact(target.value).payload, Items) and held.plain:
        return Layout.PLAIN if fact.kind is Kind.TENSOR else None
    if type(target) is cst.Attribute and fact.kind is Kind.TENSOR:
        for owner in options(w.fact(target.value)):
            if isinstance(owner.payload, SelfOf):
                held = owner.payload.cls.attrs.get(target.attr.value)
                if held is not None and held.kind is Kind.TENSOR and can_flip(fact):
                    return held.layout
    return None


def augmented(w: Any, node: cst.AugAssign) -> list[Any]:
    target, fact = node.target, w.fact(node.target)
    if isinstance(target, cst.Subscript) and w.fact(target.value).kind is Kind.TENSOR:
        return inplace.augmented_store(w, node)
    if isinstance(target, cst.Name) and fact.kind is Kind.TENSOR:
        inplace.no_caller_sees(w, target, node)
    if Kind.TENSOR in (fact.kind, w.fact(node.value).kind):
        return [rows.write_augmented(w, node)]
    grown = isinstance(fact.payload, Items) and fact.payload.plain
    return [node.with_changes(target=_place(w, target), value=w.plain(node.value) if grown else w.expr(node.value))]


# ---------------------------------------------------------------- expressions, return
def expression_statement(w: Any, node: cst.Expr) -> list[Any]:
    value = node.value
    if isinstance(value, cst.Yield) and isinstance(value.value, cst.BaseExpression) and w.function is not None:
        given = w.function.result.payload if w.function.result is not None else None
        whole = given.elements[0] if isinstance(given, Items) and given.elements else None
        return [changed(node, value=changed(value, value=result(w, value.value, whole)))]
    if isinstance(value, cst.Call):
        if w.it.names.resolve(value.func) in NO_EFFECT:
            return []
        for written in (init_parts.statement, init_own.statement, init_calls.statement, inplace.call_statement,
                        inplace.function_statement, freezing.statement, waiting.statement):
            made = written(w, value)
            if made is not None:
                return made
        mode = _mode(w, value)
        if mode is not None:
            return []
        made = module_statement(w, value)
        if made is not None:
            return made
    return [changed(node, value=w.expr(value))]


def _mode(w: Any, node: cst.Call) -> str | None:
    """`model.eval()`: the calls below say training=False."""
    if freezing.follows(w.it, node):
        return "None"
    if not isinstance(node.func, cst.Attribute) or w.fact(node.func).symbol not in ("module.eval", "module.train"):
        return None
    mode = "True" if node.func.attr.value == "train" else "False"
    if node.args:
        known = w.fact(node.args[0].value).literal(...)
        if not isinstance(known, bool):
            raise Refused("P203", "`.train(mode)` with a mode that is not written here", node)
        mode = str(known)
    if isinstance(node.func.value, cst.Attribute):
        w.report("P103", f"`{BLANK.code_for_node(node)}` of a part of a model is dropped: give its calls "
                 f"`training={mode}`", node)
    w.modes[BLANK.code_for_node(node.func.value)] = mode
    return mode


def module_statement(w: Any, node: cst.Call) -> list[Any] | None:
    """`self.register_buffer(...)`, `self.add_module(...)`, `self.apply(...)`."""
    symbol = w.fact(node.func).symbol
    if not symbol.startswith("module.") or not isinstance(node.func, cst.Attribute):
        return None
    name, owner = node.func.attr.value, node.func.value
    if name in ("register_buffer", "register_parameter", "add_module", "register_module") and len(node.args) >= 2:
        owners = [o.payload for o in options(w.fact(owner))]
        if name in ("add_module", "register_module") and all(isinstance(o, Items) and o.named for o in owners):
            place = build("{o}[{k}]", o=paren(w.expr(owner)), k=w.expr(node.args[0].value))
            return [cst.Assign([cst.AssignTarget(place)], w.expr(node.args[1].value))]  # type: ignore[arg-type]
        if any(not isinstance(o, SelfOf) for o in owners):
            return None
        return _registered(w, node, owner, name)
    if name in ("add_module", "register_module") and anyname.is_pair(node) and all(
            isinstance(o.payload, SelfOf) for o in options(w.fact(owner))):
        return [cst.Expr(build("setattr({o}, *{p})", o=w.expr(owner), p=w.expr(node.args[0].value)))]
    if name == "append" and len(node.args) == 1:
        chains = [o.payload for o in options(w.fact(owner))]
        for chain in chains:
            if isinstance(chain, Chain):
                chainturns.grown(w, chain, node)
        if all(isinstance(c, Chain) and not c.indexed for c in chains):
            return [cst.Expr(build("{o}.add({x})", o=paren(w.expr(owner)), x=x))
                    for x in containers.parts_of(w, node.args[0].value)]
    if name in methods.FILE_HOOKS and w.function is not None and w.function.name == "__init__":
        w.report("P207", f"`{name}`: weights files of PyTorch are not read by Keras", node)
        return []
    methods.check_dtype(w, node)
    return [] if name in ("to", "cuda", "cpu", "share_memory", "flatten_parameters") else None


def _registered(w: Any, node: cst.Call, owner: cst.BaseExpression, method: str) -> list[Any]:
    key, value = node.args[0].value, node.args[1].value
    name = w.fact(key).literal(...)
    if not isinstance(name, str):
        target = paren(w.expr(owner))
        return [cst.Expr(build("setattr({o}, {k}, {v})", o=target, k=w.expr(key), v=w.expr(value)))]
    carried.check(w, owner, name, value, node)
    if method == "register_buffer" and (variable := buffers.registered(w, node, name, value)) is not None:
        return [variable]
    new = _valued(w, value, name)
    place = cst.AssignTarget(cst.Attribute(w.expr(owner), cst.Name(name)))
    return [cst.Assign([place], new)]


def returned(w: Any, node: cst.Return) -> Any:
    function = w.function
    if node.value is None or function is None:
        return w.generic(node)
    buffers.check_returned(w, node)
    return changed(node, value=result(w, node.value, function.result))


def result(w: Any, node: cst.BaseExpression, whole: Fact | None) -> Any:
    """A returned value in the layout that callers of the function get; a root gives the source's."""
    function = w.function
    fact: Fact = w.fact(node)
    if isinstance(node, cst.IfExp) and either.parts(w.it, node):
        return fitted(node, node.with_changes(body=result(w, node.body, whole), test=w.expr(node.test),
                                              orelse=result(w, node.orelse, whole)))
    if isinstance(node, cst.Tuple) and whole is not None and isinstance(whole.payload, Items):
        parts = whole.payload.elements
        if len(parts) == len(node.elements):
            return node.with_changes(elements=[e.with_changes(value=result(w, e.value, p))
                                               for e, p in zip(node.elements, parts, strict=True)])
    if fact.kind is not Kind.TENSOR:
        known = function.chooses and whole is not None and any(True for _ in tensors_in(whole))
        return w.expr(node) if known else w.plain(node)
    want = Layout.PLAIN if not function.chooses else whole.layout if whole is not None else fact.layout
    if fact.shape is None and whole is not None and whole.shape is not None:  # a use of the result proves its rank
        return w.reordered(fact.but(shape=whole.shape), w.expr(node), want, node)
    return w.expr(node, want if fact.rank is None or fact.rank >= 3 else None)
