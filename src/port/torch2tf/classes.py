"""Functions and classes of the user: modules become layers, `forward` becomes `call`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.facts import ORDERS, Fact, Kind
from port.torch2tf import (
    apart,
    compound,
    constants,
    foreign,
    freezing,
    heldparts,
    hints,
    interfaces,
    keywords,
    leaving,
    nogradient,
    owngradients,
    ownnames,
    stars,
    unbuilt,
)
from port.torch2tf.refused import Refused
from port.torch2tf.rowfind import training
from port.torch2tf.values import TO_FIRST, Class, Function, Items, can_flip, may_be_none, tensors_in
from port.tree import code, find, walk

NOT_ON_MODEL = {"layers"}  # attributes that keras.Model keeps for itself
CACHES = ("functools.lru_cache", "functools.cache")
DROPPED_DECORATORS = ("torch.jit.", "torch.compile", "torch.compiler.", "torch._dynamo.", "torch.fx.")


def definition(w: Any, node: Any) -> list[Any]:
    if node not in w.it.classes and node not in w.it.functions:
        raise Refused("P206", f"`{node.name.value}` is defined where its surroundings are not read", node)
    if isinstance(node, cst.ClassDef):
        return [class_(w, w.it.classes[node])]
    if any(w.it.names.resolve(d.decorator) == "torch.jit._overload_method" for d in node.decorators):
        return []  # a signature for PyTorch's compiler; the method follows
    f = w.it.functions[node]
    stays = w.cls is not None and leaving.may_stay(w, f)
    return [leaving.method(w, f, function) if stays else function(w, f)]


# ---------------------------------------------------------------- functions
def function(w: Any, f: Function) -> cst.FunctionDef:
    node = f.node
    assert isinstance(node, cst.FunctionDef)
    no_training_code(w, node)
    if f in w.it.unsteady:
        raise Refused("P209", f"the order of axes in `{f.name}` does not settle: what it gives comes back to it in "
                      "another one; take variables, or classes, of their own for the two", node)
    heldparts.check(w, node.body)
    saved = (w.function, w.modes)
    w.function, w.modes = f, {}
    w.inline |= inline_lists(node)
    try:
        decorators, stops = _decorators(w, node)
        docstring, rest = leaving.split_docstring(list(node.body.body)) if isinstance(
            node.body, cst.IndentedBlock) else ([], None)
        if stops:
            constants.give(w, node)
        body = _body(w, f, rest) if rest is not None else None
        if body is not None:
            body = unbuilt.built(w, f, epilogue(w, f, body))
            whole = compound.block(w, node.body, [*docstring, *prologue(w, f), *body])
        else:
            whole = compound.block(w, node.body)
        name = "call" if f.owner is not None and f.owner.is_module and f.name == "forward" else f.name
        returns = node.returns.with_changes(annotation=hints.hint(w, node.returns.annotation)) if (
            node.returns is not None) else None
        new = node.with_changes(name=cst.Name(name), params=parameters(w, f, node), body=whole, returns=returns,
                                decorators=decorators)
        found = stars.plan(w, f)
        new = new if found is None else stars.named(f, new, found)
        if (held := keywords.plan(w.it, f)) is not None:
            new = new.with_changes(params=stars.with_names(new.params, held))
        return interfaces.remarked(w, f, new)
    finally:
        w.function, w.modes = saved


def _body(w: Any, f: Function, rest: list[Any]) -> list[Any]:
    """The statements; of a function that others call to read a weights file, that Keras does not."""
    try:
        return compound.suite(w, rest)
    except Refused as refusal:
        method = f.owner is not None and f.name not in ("__init__", "forward")
        called = method or any(c is not None for c in f.callers)
        if refusal.code != "P207" or not called:
            raise
        return [compound.no_weights(w, refusal, f.node)]


TRAINING = frozenset(("backward", "zero_grad", "clip_grad_norm_", "clip_grad_value_", "param_groups"))


def no_training_code(w: Any, node: cst.FunctionDef) -> None:
    """Gradients and optimizer steps are written by tapes in TensorFlow: not yet translated."""
    for n in walk(node.body):
        if type(n) is cst.Attribute and n.attr.value in TRAINING and w.fact(n.value).kind is not Kind.LAYER:
            raise Refused("P205", f"`.{n.attr.value}` belongs to training code", n)
        elif type(n) is cst.Call:
            symbol = w.it.names.resolve(n.func)
            if symbol.startswith(("torch.optim.", "torch.utils.data.")):
                raise training(symbol, n)


def _decorators(w: Any, node: cst.FunctionDef) -> tuple[list[cst.Decorator], bool]:
    kept, stops = [], False
    for d in node.decorators:
        target = d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator
        symbol = w.it.names.resolve(target)
        if symbol in nogradient.OFF:
            stops = True
        elif symbol.startswith("torch.") and symbol.endswith(".autocast"):
            w.report("P103", "the function runs in the layers' own dtype: Keras chooses precision by dtype policy", d)
        elif symbol in CACHES and _gives_tensors(w, node):
            w.report("P103", "the tensors are made at each call: inside tf.function those of another trace cannot be "
                     "used, so that they are not cached", d)
            w.spent.add(code(target))
        elif symbol == owngradients.FUNCTION:
            kept.append(d.with_changes(decorator=owngradients.decorator(w, node)))
        elif symbol.startswith("torch.") and not symbol.startswith(DROPPED_DECORATORS):
            raise Refused("P203", f"the decorator `{symbol}` has no counterpart", node)
        elif not symbol.startswith("torch."):
            kept.append(d)
    return kept, stops


def _gives_tensors(w: Any, node: cst.FunctionDef) -> bool:
    """Does it give tensors that it makes, and does nothing ask for its cache?"""
    result, name = w.it.functions[node].result, node.name.value
    asked = any(code(n.value).rpartition(".")[2] == name and n.attr.value.startswith("cache_")
                for n in find(w.it.module, cst.Attribute))
    return result is not None and any(True for _ in tensors_in(result)) and not asked


def parameters(w: Any, f: Function, node: cst.FunctionDef) -> cst.Parameters:
    params = w.expr(node.params)
    if f not in w.trained:
        return params
    new = cst.Param(cst.Name("training"), default=cst.Name("None"),
                    equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")))
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if params.kwonly_params or isinstance(params.star_arg, cst.Param):
        given = list(params.kwonly_params)
        if given:
            given[-1] = given[-1].with_changes(comma=comma)
        return params.with_changes(kwonly_params=[*given, new])
    given = list(params.params)
    if given:
        given[-1] = given[-1].with_changes(comma=comma)
    return params.with_changes(params=[*given, new])


def prologue(w: Any, f: Function) -> list[Any]:
    """A root takes images as PyTorch has them: its channels-last parameters are transposed first of all."""
    if f.chooses:
        return []
    made: list[Any] = []
    for name in f.arguments:
        if not f.is_flipped(name):
            continue
        held = f.held[name]
        rank = len(held.shape or ())
        order = {3: "[0, 2, 1]", 4: "[0, 2, 3, 1]", 5: "[0, 2, 3, 4, 1]"}[rank]
        value = w.transposed(cst.Name(name), order)
        first, last = ORDERS[rank]
        line = remarked(cst.Assign([cst.AssignTarget(cst.Name(name))], value), f"{first} to {last}")
        if may_be_none(held):
            test = cst.parse_expression(f"{name} is not None")
            made.append(cst.If(test, cst.IndentedBlock([line])))
        else:
            made.append(line)
    return made


def remarked(small: cst.BaseSmallStatement, remark: str) -> cst.SimpleStatementLine:
    return cst.SimpleStatementLine([small], trailing_whitespace=cst.TrailingWhitespace(
        cst.SimpleWhitespace("  "), cst.Comment(f"# {remark}")))


def epilogue(w: Any, f: Function, body: list[Any]) -> list[Any]:
    """The remark beside the transpose that gives the result back as PyTorch has it."""
    result = f.result
    if f.chooses or result is None or not can_flip(result) or (not f.flipped and result.layout is not (
            result.layout.FLIPPED)):
        return body
    first, last = ORDERS[len(result.shape or ())]
    order = str(list(TO_FIRST[len(result.shape or ())]))
    out = []
    for s in body:
        if (isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[-1], cst.Return) and s.body[-1].value
                and code(s.body[-1].value).rstrip(")").endswith(order) and s.trailing_whitespace.comment is None):
            s = s.with_changes(trailing_whitespace=cst.TrailingWhitespace(
                cst.SimpleWhitespace("  "), cst.Comment(f"# {last} to {first}")))
        out.append(s)
    return out


def inline_lists(node: cst.FunctionDef) -> set[Any]:
    """Lists whose modules go into a Sequential and that nobody indexes: `layers = [...]`, `layers += [...]`."""
    spread: set[str] = set()
    indexed: set[str] = set()
    found: set[Any] = set()
    for call in find(node.body, cst.Call):
        if code(call.func).endswith("Sequential"):
            spread |= {a.value.value for a in call.args if a.star == "*" and isinstance(a.value, cst.Name)}
            found |= {a.value for a in call.args if a.star == "*" and isinstance(a.value, cst.List)}
        elif isinstance(call.func, cst.Name) and call.func.value == "len":
            indexed |= {a.value.value for a in call.args if isinstance(a.value, cst.Name)}
    if not spread:
        return found
    indexed |= {n.value.value for n in find(node.body, cst.Subscript) if isinstance(n.value, cst.Name)}
    simple = [(n.targets[0].target, n.value) for n in find(node.body, cst.Assign) if len(n.targets) == 1]
    for target, value in [*simple, *((n.target, n.value) for n in find(node.body, cst.AugAssign))]:
        if isinstance(target, cst.Name) and target.value in spread - indexed and isinstance(value, cst.List):
            found.add(value)
    return found


# ---------------------------------------------------------------- classes
def class_(w: Any, cls: Class) -> cst.ClassDef:
    saved = w.cls
    w.cls = cls
    try:
        if cls.is_module:
            w.by(cls.node, "rule classes")
            ownnames.check(w, cls)
            heldparts.check_parts(w, cls)
        bases = [b.with_changes(value=base(w, cls, b.value)) for b in cls.node.bases]
        try:
            body = unbuilt.with_build(w, cls, compound.suite(w, cls.node.body.body))
        except Refused:
            leaving.find_others(w, cls, function)
            raise
        decorators = [d for d in cls.node.decorators if not w.it.names.resolve(
            d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator).startswith("torch")]
        return cls.node.with_changes(bases=bases, body=cls.node.body.with_changes(body=body), decorators=decorators)
    finally:
        w.cls = saved


def base(w: Any, cls: Class, node: cst.BaseExpression) -> Any:
    symbol = w.it.names.resolve(node)
    if not symbol.startswith("torch."):
        foreign.check_base(w, cls, w.fact(node), node)
    if not symbol.startswith("torch"):
        return apart.base(node)
    if symbol == "torch.nn.Module":
        if is_held(cls) or NOT_ON_MODEL & cls.attrs.keys():
            return w.layer("Layer")
        w.need("keras")
        return expression("keras.Model")
    raise Refused("P206", f"a class that inherits from `{symbol}`; hold such a module instead", node)


def is_held(cls: Class) -> bool:
    """Is it, or a class that inherits from it, used by other modules of the file?"""
    return cls.held or any(is_held(sub) for sub in cls.subclasses)


# ---------------------------------------------------------------- who takes `training`
def trained(it: Any) -> set[Function]:
    """Functions whose body reads self.training, and methods that call such a method."""
    found = {f for f in it.functions.values() if f.owner is not None and isinstance(f.node, cst.FunctionDef)
             and f.name != "__init__" and _reads_training(it, f.node.body)}
    grew = True
    while grew:
        grew = False
        for f in it.functions.values():
            if f in found or f.owner is None or not isinstance(f.node, cst.FunctionDef) or f.name == "__init__":
                continue
            for n in find(f.node.body, cst.Call):
                callee = it.receivers.get(n)
                if callee is not None and callee.payload in found and callee.payload.name != "forward":
                    found.add(f)
                    grew = True
                    break
    return found


def _reads_training(it: Any, body: cst.CSTNode) -> bool:
    read = [n for n in find(body, cst.Attribute) if n.attr.value == "training"
            and it.fact(n).symbol == "self.training"]
    passed = {c.args[0].value for c in find(body, cst.Call) if freezing.follows(it, c)} if read else set()
    return any(n not in passed for n in read)


__all__ = ["Fact", "Items", "class_", "definition", "function", "trained"]
