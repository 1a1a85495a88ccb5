"""Functions and statements that stay what they are: expressions are translated, one refusal leaves one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Kind
from port.names import FRAMEWORKS, import_bindings
from port.tf2torch import lines
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Function, Instance, SequentialModel
from port.tf2torch.initial import afterwards
from port.tf2torch.initial.reader import is_only_argument
from port.tf2torch.rules import commented, control, fallbacks, sequential, set_later, updates
from port.tf2torch.rules.bodies import split_docstring
from port.tf2torch.rules.dropped import decorators, dropped_statement, is_only_called, only_unmasks, summary
from port.tf2torch.rules.entries import entry_lines, relayouts
from port.tf2torch.rules.kept import keep, with_imports
from port.tf2torch.rules.returns import returned
from port.tree import changed, code, find, rebuild, walk

TRAINING = ("compile", "fit", "fit_generator", "evaluate", "predict", "predict_on_batch", "train_on_batch",
            "test_on_batch", "load_weights", "save_weights", "save", "summary", "get_layer", "set_weights",
            "get_weights", "export", "add_loss", "add_metric", "to_json")


def suite(em: Emitter, body: Sequence[cst.CSTNode], kept_names: set[str]) -> list[Any]:
    """Statements translated one by one."""
    out = commented.suite(em, body, lambda node: one(em, node, kept_names))
    return updates.merged(out) or [statement("pass")]


def one(em: Emitter, node: Any, kept_names: set[str]) -> list[Any]:
    if isinstance(node, cst.SimpleStatementLine):
        return line(em, node, kept_names)
    try:
        em.check_layouts(node)
        if isinstance(node, cst.If):
            taken = decided(em, node)
            if em.it.relayout.get(node.orelse):
                raise Refused("P209", "a tensor is channels first or last, depending on the path", node)
            return [_if(em, node, kept_names)] if taken is None else _taken(em, node, taken, kept_names)
        if isinstance(node, cst.For | cst.While) and em.it.relayout.get(node.body) and any(
                isinstance(n, cst.Continue) for n in walk(node.body)):
            raise Refused("P209", "a tensor is channels first or last, depending on the turn", node)
        if isinstance(node, cst.For):
            if only_sets_initializers(em, node):
                return []
            if (frozen := set_later.set_in_loop(em, node)) is not None:
                return [frozen]
            iterable, orelse = em.expr(node.iter), _else(em, node.orelse)
            return [*relayouts(em, ("before", node)), node.with_changes(
                iter=iterable, orelse=orelse, body=_block(em, node.body))]
        if isinstance(node, cst.While):
            test, orelse = em.expr(node.test), _else(em, node.orelse)
            return [*relayouts(em, ("before", node)), node.with_changes(
                test=test, orelse=orelse, body=_block(em, node.body))]
        if isinstance(node, cst.With):
            return _with(em, node, kept_names)
        if isinstance(node, cst.Try) and only_unmasks(em, node):
            return []
        if isinstance(node, cst.Try):
            if node.orelse is None and node.finalbody is None and all(
                    isinstance(s, cst.SimpleStatementLine) and _is_alias(em, s) for s in node.body.body):
                return []
            taken = fallbacks.running(em, node)
            return [_try(em, node)] if taken is None else _taken(em, node, taken, kept_names)
        if isinstance(node, cst.FunctionDef):
            return function(em, node)
        if isinstance(node, cst.ClassDef):
            return em.handlers.definition(em, node)
        return [em._expr(node)]
    except Refused as refusal:
        return keep(em, node, refusal, kept_names)


def only_sets_initializers(em: Emitter, node: cst.For) -> bool:
    if not afterwards.is_loop(em, node):
        return False
    em.report("P001", "the initial values are read where the layers are made; the loop over them is dropped", node)
    return True


def only_sets_one(em: Emitter, node: cst.SimpleStatementLine) -> bool:
    """`self.head.kernel_initializer = ...` after the layer is made."""
    if not afterwards.is_line(em, node):
        return False
    em.report("P001", "the initial values are read where the layer is made; the assignment is dropped", node)
    return True


def _block(em: Emitter, body: Any) -> Any:
    if isinstance(body, cst.IndentedBlock):
        kept: set[str] = set()  # imported in this block: other paths of the function do without the framework
        made = [*suite(em, body.body, kept), *relayouts(em, body)]
        return changed(body, body=with_imports(em, made, kept) if kept else made)
    if em.it.relayout.get(body):
        raise Refused("P209", "a tensor is channels first or last, depending on the path: write it on several lines")
    return rebuild(body, em._child)


def _else(em: Emitter, orelse: Any) -> Any:
    return None if orelse is None else changed(orelse, body=_block(em, orelse.body))


def decided(em: Emitter, node: cst.If) -> list[Any] | None:
    """Statements of the one branch that can be taken here; None if the condition stays."""
    known = em.fact(node).literal(...)
    function_ = em.scope.function
    absent = function_ is not None and any(type(n) is cst.Name and n.value in function_.absent
                                           for n in walk(node.test))
    if code(node.test) == "not self.built" and em.scope.cls is not None:
        known, absent = False, True  # what `build` does is done in the constructor
    if known is ... or not (absent or em.is_foreign(node.test)):
        return None
    if known:
        return list(node.body.body)
    if isinstance(node.orelse, cst.If):
        return [node.orelse]
    return list(node.orelse.body.body) if node.orelse is not None else []


def _taken(em: Emitter, node: cst.If | cst.Try, taken: list[Any], kept_names: set[str]) -> list[Any]:
    if not taken:
        return []
    inner = [x for s in taken for x in one(em, s, kept_names)]
    if inner and hasattr(inner[0], "leading_lines"):
        inner[0] = inner[0].with_changes(leading_lines=[*node.leading_lines, *inner[0].leading_lines])
    return inner


def _if(em: Emitter, node: cst.If, kept_names: set[str]) -> Any:
    orelse: Any = node.orelse
    if isinstance(orelse, cst.If):
        taken = decided(em, orelse)
        if taken is None:
            orelse = _if(em, orelse, kept_names)
        else:
            inner = _taken(em, orelse, taken, kept_names)
            orelse = cst.Else(cst.IndentedBlock(inner)) if inner else None
    elif orelse is not None:
        orelse = _else(em, orelse)
    elif lines := relayouts(em, ("else", node)):
        orelse = cst.Else(cst.IndentedBlock(lines))
    return changed(node, test=em.expr(node.test), body=_block(em, node.body), orelse=orelse)


def _with(em: Emitter, node: cst.With, kept_names: set[str]) -> list[Any]:
    symbols = [em.symbol(i.item.func) if isinstance(i.item, cst.Call) else "" for i in node.items]
    if control.is_scope(em, node):
        inner = control.opened(node, suite(em, node.body.body, kept_names))
        inner[0] = inner[0].with_changes(leading_lines=[*node.leading_lines, *inner[0].leading_lines])
        em.report("P001", "a name scope has no counterpart; its block is kept", node)
        return inner
    if symbols == ["tf.control_dependencies"]:
        return _in_order(em, node, kept_names)
    if any(s.endswith("GradientTape") for s in symbols):
        raise Refused("P205", "a gradient tape", node)
    return [node.with_changes(items=[i.with_changes(item=em.expr(i.item)) for i in node.items],
                              body=_block(em, node.body))]


def _in_order(em: Emitter, node: cst.With, kept_names: set[str]) -> list[Any]:
    """`with tf.control_dependencies([a, b()]):` is its calls, then its block: PyTorch runs in program order."""
    args = node.items[0].item.args  # type: ignore[attr-defined]
    first = args[0].value if args else cst.List([])
    parts = [e.value for e in first.elements] if isinstance(first, cst.List | cst.Tuple) else [first]
    before = [p for p in parts if not isinstance(p, cst.Name | cst.Attribute)]
    inner = [*suite(em, [cst.SimpleStatementLine([cst.Expr(p)]) for p in before], kept_names)] if before else []
    inner += suite(em, node.body.body, kept_names)
    inner[0] = inner[0].with_changes(leading_lines=[*node.leading_lines, *inner[0].leading_lines])
    em.report("P001", "PyTorch runs in program order; what has to come first does", node)
    return inner


def _try(em: Emitter, node: cst.Try) -> Any:
    return node.with_changes(
        body=_block(em, node.body),
        handlers=[h.with_changes(type=control.caught(em, h.type), body=_block(em, h.body)) for h in node.handlers],
        orelse=_else(em, node.orelse),
        finalbody=None if node.finalbody is None else node.finalbody.with_changes(
            body=_block(em, node.finalbody.body)))


def line(em: Emitter, node: cst.SimpleStatementLine, kept_names: set[str]) -> list[Any]:
    if len(node.body) == 1 and _framework_import(node.body[0]):
        return []  # what still needs it is given its own import
    try:
        if _is_alias(em, node) or only_sets_one(em, node) or is_only_argument(em, node.body[0]) or is_only_called(
                em, node.body[0]):
            return []
        special = special_statement(em, node)
        if special is not None:
            return special
        out: list[Any] = []
        with lines.around(em, out, node):
            out.append(changed(node, body=[_small(em, s) for s in node.body]))
        return out
    except Refused as refusal:
        return keep(em, node, refusal, kept_names)


def _framework_import(small: Any) -> bool:
    if type(small) not in (cst.Import, cst.ImportFrom):
        return False
    found = import_bindings(small)
    return bool(found) and all(b.split(".")[0] in FRAMEWORKS["tf2torch"] for b in found.values())


def _is_alias(em: Emitter, node: cst.SimpleStatementLine) -> bool:
    """`L = tf.keras.layers`: every use of the alias is resolved, so it goes."""
    small = node.body[0]
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or not isinstance(
            small.targets[0].target, cst.Name):
        return False
    symbol = em.it.names.resolve(small.value)
    name = small.targets[0].target.value
    return bool(symbol) and symbol.split(".")[0] in ("tf", "keras") and em.it.names.bound.get(name) == symbol


def is_public(em: Emitter, function_: Function) -> bool:
    """Do only users outside the file call it? Then axes are as in the source."""
    if em.it.plain_axes(function_):
        return True
    if function_.owner is not None and function_.name in ("call", "__call__"):
        return not function_.owner.inside
    return function_.called == 0


def _small(em: Emitter, node: Any) -> Any:
    if isinstance(node, cst.Return) and node.value is not None and em.scope.function is not None:
        function_ = em.scope.function
        return node.with_changes(value=returned(em, em.expr, node.value, em.fact(node.value), function_.result,
                                                is_public(em, function_)))
    return em._expr(node)


def special_statement(em: Emitter, node: cst.SimpleStatementLine) -> list[Any] | None:
    """Statements that become several, or none."""
    small = node.body[0]
    if len(node.body) != 1:
        return None
    gone = dropped_statement(em, small)
    if gone:
        em.report("P001", f"`{gone}` has no counterpart; it is dropped", small)
        return []
    if (shown := summary(em, small)) is not None:
        return [node.with_changes(body=[shown])]
    if (later := set_later.set_attribute(em, small)) is not None:
        return [node.with_changes(body=[later])]
    if (changed_in_place := updates.update(em, small)) is not None:
        return [changed_in_place.with_changes(leading_lines=node.leading_lines)]
    loop = control.statement_rule(em, small, node)
    if loop is not None:
        return loop
    value = getattr(small, "value", None)
    if isinstance(small, cst.Expr) and isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
        owner = em.fact(value.func.value)
        if value.func.attr.value == "add" and isinstance(owner.payload, SequentialModel) and value.args:
            return sequential.add_lines(em, value, owner.payload, node)
    for n in find(small, cst.Call, enter_functions=False):
        if isinstance(n.func, cst.Attribute) and n.func.attr.value in TRAINING and (
                em.fact(n.func.value).kind is Kind.MODEL or _is_model(em, n.func.value)):
            name = n.func.attr.value
            code_ = "P207" if "weights" in name or name == "save" else "P205"
            raise Refused(code_, f"`{name}` of a Keras model", small)
    return None


def _is_model(em: Emitter, node: cst.BaseExpression) -> bool:
    payload = em.fact(node).payload
    return isinstance(payload, Instance) and payload.cls.root.startswith("keras.")


def function(em: Emitter, node: cst.FunctionDef) -> list[Any]:
    """A function that stays one, or a builder of layers inside it."""
    known = em.it.functions.get(node)
    if known is not None and known in em.classes:
        spec = em.classes[known](known)
        return [spec.definition.with_changes(leading_lines=node.leading_lines)]
    inner = replace(em.scope, function=known) if em.scope.stage == TRACED else Scope(stage="plain", function=known)
    return [plain_function(em, node, known, inner)]


def plain_function(em: Emitter, node: cst.FunctionDef, known: Function | None, scope: Scope) -> Any:
    old, em.scope = em.scope, scope
    kept: set[str] = set()
    try:
        if not isinstance(node.body, cst.IndentedBlock):
            return em.generic(node)
        body = suite(em, node.body.body, kept)
        if known is not None and em.scope.stage == TRACED and any(s in em.kept for s in body):
            em.refused.add(known)
        if known is not None and not known.owner and (known.called == 0 or em.it.plain_axes(known)):
            docstring, rest = split_docstring(body)
            turned = entry_lines(em, known, [p for p in known.params if p in known.flipped])
            body = [*docstring, *(statement(f"{n} = {of}") for n, of in scope.measured.items()), *turned, *rest]
        if kept:
            body = with_imports(em, body, kept)
        params = rebuild(node.params, em._child)
        new = node.with_changes(body=node.body.with_changes(body=body), params=params,
                                decorators=decorators(em, node))
        return _drop_params(em, new, known)
    finally:
        em.scope = old


def _drop_params(em: Emitter, node: cst.FunctionDef, known: Function | None) -> cst.FunctionDef:
    gone = em.dropped.get(known, set()) if known is not None else set()
    if not gone:
        return node
    params = [p for p in node.params.params if p.name.value not in gone]
    return node.with_changes(params=node.params.with_changes(params=params))
