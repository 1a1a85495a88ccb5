"""Functions and statements that stay what they are: expressions are translated, one refusal leaves one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Kind, Layout
from port.names import FRAMEWORKS, import_bindings
from port.tf2torch import lines
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Function, SequentialModel
from port.tf2torch.rules import control, sequential
from port.tree import code, rebuild, walk

DROPPED_DECORATORS = ("tf.function", "tf.autograph", "keras.saving.register_keras_serializable",
                      "tf.Module.with_name_scope",
                      "keras.utils.register_keras_serializable", "keras.api_export.keras_export",
                      "keras.export.keras_export", "tf.keras_export", "tf.compat.v1.keras_export")
TRAINING = ("compile", "fit", "fit_generator", "evaluate", "predict", "predict_on_batch", "train_on_batch",
            "test_on_batch", "load_weights", "save_weights", "save", "summary", "get_layer", "set_weights",
            "get_weights", "export", "add_loss", "add_metric", "to_json")


def suite(em: Emitter, body: Sequence[cst.CSTNode], kept_names: set[str]) -> list[Any]:
    """Statements translated one by one."""
    out: list[Any] = []
    for node in body:
        out += one(em, node, kept_names)
    return out or [statement("pass")]


def one(em: Emitter, node: Any, kept_names: set[str]) -> list[Any]:
    if isinstance(node, cst.SimpleStatementLine):
        return line(em, node, kept_names)
    try:
        em.check_layouts(node)
        if isinstance(node, cst.If):
            taken = decided(em, node)
            if any(em.it.relayout.get(place) for place in (node.body, ("else", node), getattr(node.orelse, "body", 0))):
                raise Refused("P209", "a tensor is channels first or last, depending on the path", node)
            return [_if(em, node, kept_names)] if taken is None else _taken(em, node, taken, kept_names)
        if isinstance(node, cst.For):
            if em.it.relayout.get(("before", node)) or em.it.relayout.get(node.body):
                raise Refused("P209", "a tensor is channels first or last, depending on the turn", node)
            head = node.with_changes(iter=em.expr(node.iter), orelse=_else(em, node.orelse, kept_names))
            return [head.with_changes(body=_block(em, node.body, kept_names))]
        if isinstance(node, cst.While):
            head = node.with_changes(test=em.expr(node.test), orelse=_else(em, node.orelse, kept_names))
            return [head.with_changes(body=_block(em, node.body, kept_names))]
        if isinstance(node, cst.With):
            return _with(em, node, kept_names)
        if isinstance(node, cst.Try):
            return [_try(em, node, kept_names)]
        if isinstance(node, cst.FunctionDef):
            return function(em, node)
        if isinstance(node, cst.ClassDef):
            from port.tf2torch.rules import classes

            return classes.convert(em, node)
        return [em._expr(node)]
    except Refused as refusal:
        return keep(em, node, refusal, kept_names)


def _block(em: Emitter, body: Any, kept_names: set[str]) -> Any:
    if isinstance(body, cst.IndentedBlock):
        kept: set[str] = set()  # imported in this block: other paths of the function do without the framework
        made = suite(em, body.body, kept)
        return body.with_changes(body=_with_imports(em, made, kept) if kept else made)
    return rebuild(body, em._child)


def _else(em: Emitter, orelse: Any, kept_names: set[str]) -> Any:
    return None if orelse is None else orelse.with_changes(body=_block(em, orelse.body, kept_names))


def decided(em: Emitter, node: cst.If) -> list[Any] | None:
    """Statements of the one branch that can be taken here; None if the condition stays."""
    known = em.fact(node).literal(...)
    function_ = em.scope.function
    absent = function_ is not None and any(isinstance(n, cst.Name) and n.value in function_.absent
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


def _taken(em: Emitter, node: cst.If, taken: list[Any], kept_names: set[str]) -> list[Any]:
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
        orelse = _else(em, orelse, kept_names)
    return node.with_changes(test=em.expr(node.test), body=_block(em, node.body, kept_names), orelse=orelse)


SCOPES = ("tf.name_scope", "keras.backend.name_scope", "keras.name_scope", "tf.compat.v1.name_scope",
          "tf.compat.v1.variable_scope", "tf.device", "tf.init_scope")


def is_scope(em: Emitter, node: cst.With) -> bool:
    return all(isinstance(i.item, cst.Call) and em.symbol(i.item.func) in SCOPES for i in node.items)


def _with(em: Emitter, node: cst.With, kept_names: set[str]) -> list[Any]:
    symbols = [em.symbol(i.item.func) if isinstance(i.item, cst.Call) else "" for i in node.items]
    if is_scope(em, node):
        inner = suite(em, node.body.body, kept_names)
        inner[0] = inner[0].with_changes(leading_lines=[*node.leading_lines, *inner[0].leading_lines])
        em.report("P001", "a name scope has no counterpart; its block is kept", node)
        return inner
    if any(s.endswith("GradientTape") for s in symbols):
        raise Refused("P205", "a gradient tape", node)
    return [node.with_changes(items=[i.with_changes(item=em.expr(i.item)) for i in node.items],
                              body=_block(em, node.body, kept_names))]


def _try(em: Emitter, node: cst.Try, kept_names: set[str]) -> Any:
    return node.with_changes(
        body=_block(em, node.body, kept_names),
        handlers=[h.with_changes(body=_block(em, h.body, kept_names)) for h in node.handlers],
        orelse=_else(em, node.orelse, kept_names),
        finalbody=None if node.finalbody is None else node.finalbody.with_changes(
            body=_block(em, node.finalbody.body, kept_names)))


def line(em: Emitter, node: cst.SimpleStatementLine, kept_names: set[str]) -> list[Any]:
    if len(node.body) == 1 and _framework_import(node.body[0]):
        return []  # what still needs it is given its own import
    try:
        if _is_alias(em, node):
            return []
        special = _special(em, node)
        if special is not None:
            return special
        out: list[Any] = []
        with lines.around(em, out, node):
            out.append(node.with_changes(body=[_small(em, s) for s in node.body]))
        return out
    except Refused as refusal:
        return keep(em, node, refusal, kept_names)


def _framework_import(small: Any) -> bool:
    if not isinstance(small, cst.Import | cst.ImportFrom):
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


def _public(function_: Function) -> bool:
    """Do only users outside the file call it? Then axes are as in the source."""
    if function_.owner is not None and function_.name in ("call", "__call__"):
        return not any(i.applied for i in function_.owner.instances)
    return function_.called == 0


def _small(em: Emitter, node: Any) -> Any:
    if isinstance(node, cst.Return) and node.value is not None and em.scope.function is not None:
        from port.tf2torch.rules.modules import Split, returned

        function_ = em.scope.function
        split = Split(em, function_, boundary=_public(function_))
        split.in_stage = lambda stage, n, want=None: em.expr(n, want)  # type: ignore[method-assign,assignment]
        return node.with_changes(value=returned(split, node.value, em.fact(node.value), function_.result))
    return em._expr(node)


DROPPED_CALLS = ("keras.backend.clear_session", "tf.compat.v1.disable_eager_execution",
                 "tf.compat.v1.enable_eager_execution", "keras.backend.set_image_data_format",
                 "keras.applications.imagenet_utils.validate_activation", "tf.random.set_seed_generator")


def dropped_statement(em: Emitter, small: Any) -> str:
    """What is left out because nothing in PyTorch needs it; '' if it stays."""
    value = getattr(small, "value", None)
    if isinstance(small, cst.Expr) and isinstance(value, cst.Call) and em.symbol(value.func) in DROPPED_CALLS:
        return code(value)
    if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Attribute) and (
            small.targets[0].target.attr.value == "__doc__") and value is not None and em.is_foreign(value):
        return code(small.targets[0].target)
    return ""


def _special(em: Emitter, node: cst.SimpleStatementLine) -> list[Any] | None:
    """Statements that become several, or none."""
    small = node.body[0]
    if len(node.body) != 1:
        return None
    gone = dropped_statement(em, small)
    if gone:
        em.report("P001", f"`{gone}` has no counterpart; it is dropped", small)
        return []
    loop = control.statement_rule(em, small, node)
    if loop is not None:
        return loop
    value = getattr(small, "value", None)
    if isinstance(small, cst.Expr) and isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
        owner = em.fact(value.func.value)
        if value.func.attr.value == "add" and isinstance(owner.payload, SequentialModel) and value.args:
            return sequential.add_lines(em, value, owner.payload, node)
    for n in walk(small, enter_functions=False):
        if isinstance(n, cst.Call) and isinstance(n.func, cst.Attribute) and n.func.attr.value in TRAINING and (
                em.fact(n.func.value).kind is Kind.MODEL or _is_model(em, n.func.value)):
            name = n.func.attr.value
            code_ = "P207" if "weights" in name or name == "save" else "P205"
            raise Refused(code_, f"`{name}` of a Keras model", small)
    return None


def _is_model(em: Emitter, node: cst.BaseExpression) -> bool:
    from port.tf2torch.infer.values import Instance

    payload = em.fact(node).payload
    return isinstance(payload, Instance) and payload.cls.root.startswith("keras.")


def marked(node: Any, refusal: Refused) -> Any:
    """The statement with its reason above it; once, also if the file has been through here before."""
    text = f"# port: {refusal.code} {' '.join(refusal.message.split())}"
    if any(ln.comment is not None and ln.comment.value.startswith("# port: P") for ln in node.leading_lines):
        return node
    return node.with_changes(leading_lines=[*node.leading_lines, cst.EmptyLine(comment=cst.Comment(text))])


def keep(em: Emitter, node: Any, refusal: Refused, kept_names: set[str]) -> list[Any]:
    """The original statement, marked; its framework is imported inside the function."""
    em.report(refusal.code, refusal.message, refusal.node or node)
    kept_names |= framework_names(em, node)
    em.kept.append(marked(node, refusal))
    return em.kept[-1:]


def framework_names(em: Emitter, node: cst.CSTNode) -> set[str]:
    """Names in a kept statement that imports of the source's framework bind."""
    return {n.value for n in walk(node) if isinstance(n, cst.Name)
            and em.it.names.bound.get(n.value, "").split(".")[0] in ("tf", "keras")}


def function(em: Emitter, node: cst.FunctionDef) -> list[Any]:
    """A function that stays one, or a builder of layers inside it."""
    known = em.it.functions.get(node)
    if known is not None and known in em.classes:
        spec = em.classes[known](known)
        return [spec.definition.with_changes(leading_lines=node.leading_lines)]
    return [plain_function(em, node, known, Scope(stage="plain", function=known))]


def plain_function(em: Emitter, node: cst.FunctionDef, known: Function | None, scope: Scope) -> Any:
    old, em.scope = em.scope, scope
    kept: set[str] = set()
    try:
        if not isinstance(node.body, cst.IndentedBlock):
            return em.generic(node)
        body = suite(em, node.body.body, kept)
        if known is not None and known.called == 0 and not known.owner:
            from port.tf2torch.rules.functional import _entry, split_docstring

            docstring, rest = split_docstring(body)
            body = [*docstring, *_entry(em, known, [p for p in known.params if p in known.flipped]), *rest]
        if kept:
            body = _with_imports(em, body, kept)
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


def decorators(em: Emitter, node: Any) -> list[cst.Decorator]:
    kept = []
    for d in node.decorators:
        target = d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator
        symbol = em.it.names.resolve(target)
        if symbol.startswith(DROPPED_DECORATORS) or symbol.endswith(("keras_export", "register_keras_serializable")):
            extra = ": torch.compile is the choice of whoever runs it; Python side effects now run at every call" if (
                symbol == "tf.function") else ""
            em.report("P001", f"the decorator `{code(d.decorator).split('(')[0]}` is dropped{extra}", d)
            continue
        if symbol.split(".")[0] in ("tf", "keras"):
            raise Refused("P203", f"the decorator `{code(d.decorator)}`", d)
        kept.append(d)
    return kept


def _with_imports(em: Emitter, body: list[Any], names: set[str]) -> list[Any]:
    from port.imports import local_imports
    from port.tf2torch.rules.functional import split_docstring

    docstring, rest = split_docstring(body)
    return [*docstring, *local_imports(em, names), *rest]


def refused_definition(em: Emitter, node: Any, refusal: Refused) -> list[Any]:
    """A whole function or class that stays in the source's framework."""
    em.report(refusal.code, refusal.message, refusal.node or node)
    em.kept.append(marked(left(em, node), refusal))
    return em.kept[-1:]


def left(em: Emitter, node: Any) -> Any:
    """A definition as the source has it, with its framework imported inside where that is possible."""
    names = framework_names(em, node)
    if not isinstance(node, cst.FunctionDef) or not isinstance(node.body, cst.IndentedBlock):
        em.top_level |= names
        return node
    signature = framework_names(em, node.params) | {n for d in node.decorators for n in framework_names(em, d)}
    em.top_level |= signature
    body = _with_imports(em, list(node.body.body), names - signature)
    return node.with_changes(body=node.body.with_changes(body=body))


__all__ = ["Layout", "decorators", "function", "keep", "one", "refused_definition", "suite"]
