"""Statements of constructors that only set initial values: what they use need not be ported.

`self.init_weights()` whose method stays in PyTorch, or a walk over named modules, is left out with a finding: the model
computes the same from the same weights, and only starts from the defaults of its layers. That nothing else is done
there is proven by what the code calls and sets; buffers, which no weights file need hold, are never taken for weights.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.scopes import Env
from port.torch2tf import users
from port.torch2tf.members import MODULE_METHODS
from port.torch2tf.refused import Refused
from port.torch2tf.values import MAYBE_WEIGHT, Bound, Function, Instance, Partial, SelfOf, is_none, options
from port.tree import code, find, named, target_names, walk

NOTE = "initial values"  # statements that are left out -> why
BUILTINS = frozenset("isinstance hasattr getattr len range enumerate zip min max abs float int str bool round sorted "
                     "reversed tuple list dict set type ValueError AssertionError RuntimeError "
                     "NotImplementedError".split())
WALKS = frozenset("modules named_modules children named_children parameters named_parameters apply".split())
TEXTS = frozenset("startswith endswith split rsplit find lower upper strip replace format join items keys values "
                  "get".split())
NUMBERS = frozenset(f"numpy.{name}" for name in "prod sqrt log exp arange linspace floor ceil".split())
VIEWS = frozenset("view reshape size dim numel narrow chunk".split())  # methods of tensors
CHANGES = (cst.Global, cst.Nonlocal, cst.Del, cst.Yield, cst.Await, cst.ClassDef)
OTHERS = ("torch.nn.utils.", "torch.ao.", "torch.quantization.")  # they put something else in the place of weights
EFFECTS = ("manual_seed", "save", "load", "use_deterministic_algorithms")  # functions of torch that do something


def left_out(w: Any, node: Any) -> list[Any] | None:
    """Nothing, for a statement that was found to set only what is not ported; None for any other."""
    why = w.it.notes.get(NOTE, {}).get(node) if NOTE in w.it.notes else None
    return None if why is None else _reported(w, node, why)


def _reported(w: Any, node: cst.CSTNode, why: Refused) -> list[Any]:
    w.report("P101", f"initial values are left out, and these weights start with the defaults of their layers: {why}",
             node)
    return []


def instead(w: Any, node: Any, why: Refused) -> list[Any] | None:
    """The same for a statement that cannot be written; None if it does more."""
    held = w.function
    if held is None or held.name != "__init__" or held.owner is None or not held.owner.is_module or not isinstance(
            node, cst.For | cst.SimpleStatementLine) or not only(w.it, node, held, set()):
        return None
    if isinstance(node, cst.SimpleStatementLine) and not all(isinstance(s, cst.Expr) for s in node.body):
        return None
    return _reported(w, node, why)


def note(w: Any, root: cst.CSTNode, nodes: set[cst.CSTNode]) -> set[cst.CSTNode]:
    """Of what is used and not ported: what stands in statements of constructors that only set initial values."""
    found: set[cst.CSTNode] = set()
    for function in find(root, cst.FunctionDef):
        held = w.it.functions.get(function)
        if held is None or held.name != "__init__" or held.owner is None or not held.owner.is_module:
            continue
        for line in find(function.body, cst.SimpleStatementLine):
            inside = nodes.intersection(walk(line))
            if inside and all(isinstance(s, cst.Expr) for s in line.body) and only(w.it, line, held, set()):
                first = code(next(n for n in walk(line) if n in inside))
                why = Refused("P206", f"it uses `{first}`, which is not ported")
                w.it.notes.setdefault(NOTE, {})[line] = why
                found |= set(walk(line))
    return found


# ---------------------------------------------------------------- the proof
def only(it: Any, node: cst.CSTNode, function: Function, seen: set[Function]) -> bool:
    """Does this code of a function do nothing but set values of weights?"""
    for n in walk(node):
        if isinstance(n, CHANGES):
            return False
        if isinstance(n, cst.Call) and not _harmless(it, n, function, seen):
            return False
        if isinstance(n, cst.Assign) and not all(_harmless_target(it, t.target, function) for t in n.targets):
            return False
        if isinstance(n, cst.AugAssign | cst.AnnAssign | cst.For | cst.NamedExpr) and not _harmless_target(
                it, n.target, function):
            return False
    return True


def _harmless_target(it: Any, target: cst.BaseExpression, function: Function) -> bool:
    if isinstance(target, cst.Tuple | cst.List):
        return all(_harmless_target(it, e.value, function) for e in target.elements)
    if isinstance(target, cst.Attribute) and target.attr.value == "data":
        return _is_weight(it, target.value, function)
    return isinstance(target, cst.Name)


def _is_weight(it: Any, node: cst.BaseExpression, function: Function) -> bool:
    """A parameter of a module, or of the function, which only its callers know."""
    while True:
        if isinstance(node, cst.Attribute) and node.attr.value == "data":
            node = node.value
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value.endswith("_"):
            node = node.func.value  # tensor.mul_(std).add_(mean)
        elif isinstance(node, cst.Subscript):
            node = node.value
        else:
            break
    if isinstance(node, cst.Attribute) and node.attr.value in ("weight", "bias"):
        return not any(isinstance(o.payload, SelfOf | Instance) for o in options(it.fact(node.value))) or (
            it.fact(node).symbol in ("weight", MAYBE_WEIGHT))
    if it.fact(node).symbol in ("weight", MAYBE_WEIGHT):
        return True
    return isinstance(node, cst.Name) and (_walked(function, node.value) or node.value in {
        p.name.value for n in walk(function.node) if isinstance(n, cst.FunctionDef | cst.Lambda)
        for p in find(n.params, cst.Param)})


def _walked(function: Function, name: str) -> bool:
    """`for name, p in self.named_parameters():`"""
    return any(isinstance(loop.iter, cst.Call) and isinstance(loop.iter.func, cst.Attribute)
               and loop.iter.func.attr.value in ("parameters", "named_parameters")
               and name in target_names(loop.target) for loop in find(function.node, cst.For))


def _fact(it: Any, node: cst.BaseExpression, function: Function) -> Fact:
    """What is known of a name or attribute, also in functions that stay in PyTorch, which are not read."""
    if id(node) in it.facts or not isinstance(node, cst.Name | cst.Attribute):
        return it.fact(node)  # type: ignore[no-any-return]
    return it.ev(node, Env(function.env, dict.fromkeys(function.params, UNKNOWN)))  # type: ignore[no-any-return]


def _harmless(it: Any, node: cst.Call, function: Function, seen: set[Function]) -> bool:
    callee = it.receivers.get(node) or _fact(it, node.func, function)
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    if callee.symbol == "builtins.isinstance":
        return True
    handed = [o for a in node.args for o in options(_fact(it, a.value, function)) if o.kind is Kind.FUNCTION]
    if not all(_known(it, o, seen) for o in handed):
        return False
    if name.endswith("_") and isinstance(node.func, cst.Attribute) and not callee.symbol.startswith("torch."):
        return name != "requires_grad_" and _is_weight(it, node.func.value, function)
    return all(_does_nothing_else(it, node, one, name, function, seen) for one in options(callee))


def _does_nothing_else(it: Any, node: cst.Call, callee: Fact, name: str, function: Function, seen: set[Function]
                       ) -> bool:
    symbol = callee.symbol
    if isinstance(node.func, cst.Name) and (holder := _holder(it, node.func.value, function)) is not None:
        return node.func.value not in holder.defaults  # what callers hand on is looked at there
    if isinstance(node.func, cst.Name) and callee.payload is None and _made_here(it, node.func.value, function, seen):
        return True
    if isinstance(callee.payload, Function | Partial):
        return _known(it, callee, seen) and _handed_on(it, node, callee, function) and all(
            _is_weight(it, a.value, function) for a in node.args if it.fact(a.value).kind is Kind.TENSOR)
    if symbol.startswith(OTHERS):
        return False
    if symbol.startswith("torch."):
        last = symbol.rpartition(".")[2]
        if not last.endswith("_"):
            return not last.startswith("set_") and last not in EFFECTS
        return bool(node.args) and _is_weight(it, node.args[0].value, function)
    if symbol.partition(".")[0] == "builtins":
        return symbol.removeprefix("builtins.") in BUILTINS
    if isinstance(callee.payload, Bound) and (name in TEXTS or name in MODULE_METHODS):
        return name in WALKS or (not symbol.startswith("module.") and name in TEXTS)
    if symbol.startswith(("math.", "functools.partial", "warnings.")) or symbol in NUMBERS:
        return True
    known = callee.payload is not None and not isinstance(callee.payload, Bound)
    return not known and (name in TEXTS or name in WALKS or name in VIEWS or _by_name(it, name, seen))


def _holder(it: Any, name: str, function: Function) -> Function | None:
    """The function that takes an argument of this name: this one, or one around it."""
    if name in function.arguments:
        return function
    if name in {n for t in find(function.node, cst.AssignTarget) for n in named(t)}:
        return None
    around = (f for f in it.functions.values() if f is not function and name in f.arguments)
    return next((f for f in around if any(n is function.node for n in walk(f.node))), None)


def _made_here(it: Any, name: str, function: Function, seen: set[Function]) -> bool:
    """Does the variable hold what a function gives that does nothing else, and gives nothing that does?"""
    values = [a.value for a in find(function.node, cst.Assign) for t in a.targets if name in named(t)]
    return bool(values) and all(isinstance(v, cst.Call) and isinstance(made := _fact(it, v.func, function).payload,
                                                                        Function) and _known(
        it, Fact(Kind.FUNCTION, payload=made), seen) for v in values)


def _handed_on(it: Any, node: cst.Call, callee: Fact, function: Function) -> bool:
    """Is it known what the function gets for each parameter that it calls? One that is given nothing does nothing."""
    held = callee.payload
    if not isinstance(held, Function):
        return True
    called = {c.func.value for c in find(held.node.body, cst.Call) if isinstance(c.func, cst.Name) and c.args}
    given = users.names_given(held, node)
    for name in called.intersection(held.arguments):
        value = given.get(name)
        own = isinstance(value, cst.Name) and value.value in function.arguments
        if value is None or not (own or _fact(it, value, function).kind is Kind.FUNCTION):
            return False
    return True


def _by_name(it: Any, name: str, seen: set[Function]) -> bool:
    """A method of a module that is not known: all of this name that the project has."""
    found = [f for f in it.functions.values() if f.owner is not None and f.name == name]
    return bool(found) and all(_known(it, Fact(Kind.FUNCTION, payload=f), seen) for f in found)


def _known(it: Any, fact: Fact, seen: set[Function]) -> bool:
    """What is handed on or called: a function of the user's that does nothing else; or a class that is asked for."""
    held = fact.payload
    if isinstance(held, Partial):
        return all(_known(it, o, seen) for o in options(held.function))
    if not isinstance(held, Function):
        public = fact.symbol.startswith(("torch.nn.", "builtins.")) and not fact.symbol.startswith(OTHERS)
        return is_none(fact) or public or isinstance(held, Bound)
    if held in seen:
        return True
    seen.add(held)
    with it.within(held.file):
        return only(it, held.node.body, held, seen)
