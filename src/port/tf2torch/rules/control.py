"""tf.cond, tf.while_loop, tf.map_fn and their like: ordinary Python in PyTorch (golden: tf_ops_function)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, expression, substitute
from port.facts import Kind, Layout
from port.tf2torch import settings
from port.tf2torch.calls.handed import check_handed
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.branches import PHASES
from port.tf2torch.infer.values import Function, SelfValue, ShapeOf
from port.tf2torch.rules import traced
from port.tree import changed, clone, code, find, loads


def _call_of(em: Emitter, function: cst.BaseExpression, args: list[cst.BaseExpression]) -> cst.BaseExpression:
    """`function(*args)`, a lambda being opened."""
    new = em.expr(function)
    if isinstance(new, cst.Lambda):
        own = {p.name.value: p.default for p in new.params.params if p.default is not None}
        names = [p.name.value for p in new.params.params]
        return substitute(clone(new.body), own | dict(zip(names, args, strict=False)))  # type: ignore[return-value]
    return cst.Call(new, [cst.Arg(a) for a in args])


def cond(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    test = keyword(node, "pred", 0)
    yes = keyword(node, "true_fn", 1)
    no = keyword(node, "false_fn", 2)
    if test is None or yes is None or no is None:
        raise Refused("P202", "tf.cond without its three arguments", node)
    return cst.IfExp(test=em.expr(test), body=_branch(em, yes, node), orelse=_branch(em, no, node))


def _branch(em: Emitter, function: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
    """What one of the functions gives, in the layout of both."""
    fact = em.fact(node)
    if isinstance(function, cst.Lambda) and not function.params.params and fact.kind is Kind.TENSOR:
        return em.expr(function.body, fact.layout if fact.rank is None or fact.rank > 2 else None)
    return _call_of(em, function, [])


def by_phase(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`K.in_train_phase(x, alt)`: the one or the other, by the mode of the module; functions are called."""
    x, alt = keyword(node, "x", 0), keyword(node, "alt", 1)
    mode = keyword(node, "training", 2)
    if mode is None or em.fact(mode).literal(...) is None:
        mode = None
        if not em.scope.training:
            raise Refused("P203", "which mode this is in is not known: write `if self.training:` in a module", node)
    if x is None or alt is None:
        raise Refused("P202", f"`{code(node.func)}` without what it chooses from", node)
    test = em.expr(mode) if mode is not None else expression("self.training")
    new = cst.IfExp(test=test, body=_of_phase(em, x, node), orelse=_of_phase(em, alt, node))
    if em.symbol(node.func).endswith("in_test_phase"):
        new = changed(new, body=new.orelse, orelse=new.body)
    return new


def _of_phase(em: Emitter, value: cst.BaseExpression, node: cst.Call) -> cst.BaseExpression:
    fact = em.fact(node)
    if em.fact(value).kind is Kind.TENSOR:
        return em.expr(value, fact.layout if fact.rank is None or fact.rank > 2 else None)
    function = em.fact(value).payload
    if not isinstance(function, Function):
        raise Refused("P202", f"whether `{code(value)}` is a function is not known", node)
    given = function.result
    if not isinstance(value, cst.Lambda) and (given is None or given.layout is not fact.layout):
        raise Refused("P209", f"what `{code(value)}` gives has other axes here than the other one", node)
    return _branch(em, value, node)


def map_fn(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    function = keyword(node, "fn", 0) or keyword(node, "f", 0)
    elems = keyword(node, "elems", 1) or keyword(node, "xs", 1)
    if function is None or elems is None or len(node.args) > 2:
        raise Refused("P202", "tf.map_fn with more than a function and its elements", node)
    if isinstance(elems, cst.Tuple | cst.List):
        raise Refused("P202", "tf.map_fn over several tensors", node)
    check_handed(em, function, node)
    name = "row"
    if isinstance(function, cst.Lambda) and function.params.params:
        name = function.params.params[0].name.value
    em.need("torch")
    body = _call_of(em, function, [cst.Name(name)])
    return build(f"torch.stack([{{b}} for {name} in {{x}}])", b=body, x=em.expr(
        elems, Layout.PLAIN if em.fact(elems).kind is Kind.TENSOR else None))


def backend_name(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    em.report("P001", "the backend's name stays the one that was translated", node)
    return expression("'tensorflow'")


EXPRESSIONS = {**dict.fromkeys(PHASES, by_phase),
               "tf.cond": cond, "keras.ops.cond": cond, "tf.map_fn": map_fn, "keras.ops.map": map_fn,
               "tf.vectorized_map": map_fn, "keras.ops.vectorized_map": map_fn,
               "keras.backend.map_fn": map_fn, "keras.backend.backend": backend_name,
               "keras.config.backend": backend_name}


def moments(em: Emitter, small: Any) -> Any:
    """`mean, var = tf.nn.moments(...)`: var_mean gives them the other way round, so the names change places."""
    value = getattr(small, "value", None)
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or not isinstance(value, cst.Call):
        return None
    target = small.targets[0].target
    if em.symbol(value.func) not in ("tf.nn.moments", "keras.ops.moments") or not isinstance(target, cst.Tuple):
        return None
    new = em.expr(value)
    if len(target.elements) != 2 or not isinstance(new, cst.Subscript):
        return None
    first, second = target.elements
    names = [first.with_changes(value=second.value), second.with_changes(value=first.value)]
    return small.with_changes(value=new.value, targets=[small.targets[0].with_changes(
        target=target.with_changes(elements=names))])


def rank_check(em: Emitter, small: Any) -> cst.Assert | None:
    """`x.shape.assert_has_rank(3)` -> `assert len(x.shape) == 3`; None for anything else."""
    call = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or len(call.args) != 1 or (
            call.func.attr.value != "assert_has_rank" or not isinstance(em.fact(call.func.value).payload, ShapeOf)):
        return None
    return cst.Assert(build("len({s}) == {n}", s=em.shape_expr(call.func.value), n=em.expr(call.args[0].value)))


def statement_rule(em: Emitter, small: Any, line: cst.SimpleStatementLine) -> list[Any] | None:
    """`x, i = tf.while_loop(cond, body, [x, i])`: assign, then loop. Other statements that PyTorch writes otherwise."""
    value = getattr(small, "value", None)
    swapped = moments(em, small)
    if swapped is not None:
        return [line.with_changes(body=[swapped])]
    if (checked := rank_check(em, small) or traced.handed_over(em, small)) is not None:
        return [line.with_changes(body=[checked])]
    if not isinstance(value, cst.Call) or em.symbol(value.func) not in ("tf.while_loop", "keras.ops.while_loop"):
        return None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        raise Refused("P202", "the result of tf.while_loop is not assigned to variables", value)
    test, body = keyword(value, "cond", 0), keyword(value, "body", 1)
    start = keyword(value, "loop_vars", 2)
    target = small.targets[0].target
    allowed = {"cond", "body", "loop_vars", "parallel_iterations", "swap_memory", "name", "back_prop"}
    if any(a.keyword is not None and a.keyword.value not in allowed for a in value.args):
        raise Refused("P202", "tf.while_loop with an iteration limit or shape invariants", value)
    if test is None or body is None or not isinstance(start, cst.List | cst.Tuple):
        raise Refused("P202", "tf.while_loop whose variables are not written out", value)
    names = [target] if not isinstance(target, cst.Tuple | cst.List) else [e.value for e in target.elements]
    if len(names) != len(start.elements) or not all(isinstance(n, cst.Name) for n in names):
        raise Refused("P202", "tf.while_loop whose results are not one variable each", value)
    values = [em.expr(e.value) for e in start.elements]
    held = [cst.Name(n.value) for n in names]  # type: ignore[attr-defined]
    setup = _assign(names, values)
    step = _assign(names, [_call_of(em, body, list(held))])
    loop = cst.While(_call_of(em, test, list(held)), cst.IndentedBlock([step]))
    return [setup.with_changes(leading_lines=line.leading_lines), loop]


def _assign(names: list[Any], values: list[cst.BaseExpression]) -> cst.SimpleStatementLine:
    def joined(parts: list[Any]) -> Any:
        return parts[0] if len(parts) == 1 else cst.Tuple([cst.Element(p) for p in parts], lpar=[], rpar=[])

    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(joined(names))], joined(values))])


def expression_rule(em: Emitter, node: cst.Call, symbol: str) -> cst.BaseExpression | None:
    rule = settings.as_given if symbol in settings.GETTERS else EXPRESSIONS.get(symbol)
    return rule(em, node) if rule is not None else None


# ---------------------------------------------------------------- blocks
SCOPES = ("tf.name_scope", "keras.backend.name_scope", "keras.name_scope", "tf.compat.v1.name_scope",
          "tf.compat.v1.variable_scope", "tf.variable_scope", "tf.device", "tf.init_scope")


def is_scope(em: Emitter, node: cst.With) -> bool:
    """Does it only name what is made in it? `self.name_scope` is what a tf.Module has for it."""
    return all((isinstance(i.item, cst.Call) and em.symbol(i.item.func) in SCOPES) or (
        isinstance(i.item, cst.Attribute) and i.item.attr.value == "name_scope"
        and isinstance(em.fact(i.item.value).payload, SelfValue)) for i in node.items)


def opened(node: cst.With, inner: list[Any]) -> list[Any]:
    """`inner`, the translated block of a scope, without the scope; it may not use that."""
    names = {n.value for i in node.items if i.asname is not None for n in find(i.asname.name, cst.Name)}
    if used := names & {n for s in inner for n in loads(s)}:
        raise Refused("P203", f"`{min(used)}`, a scope of names, has no counterpart in PyTorch", node)
    return inner


def caught(em: Emitter, node: cst.BaseExpression | None) -> cst.BaseExpression | None:
    """The exceptions of a handler: TensorFlow's own are PyTorch's RuntimeError."""
    kinds = [e.value for e in node.elements] if isinstance(node, cst.Tuple) else [node] if node is not None else []
    own = [k for k in kinds if em.symbol(k).startswith("tf.errors.")]
    if not own:
        return node if node is None else em.expr(node)
    em.report("P103", f"`{code(own[0])}` is taken as RuntimeError, which PyTorch's operations raise", node)
    texts = dict.fromkeys("RuntimeError" if k in own else code(k) for k in kinds)
    return expression(f"({', '.join(texts)})" if len(texts) > 1 else next(iter(texts)))
