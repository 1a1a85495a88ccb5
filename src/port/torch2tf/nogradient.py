"""When a block computes no gradients: `with torch.no_grad():`, or a context that a setting chooses.

`context = torch.no_grad if self.freeze else nullcontext`, then `with context():`, is a condition on `self.freeze`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import build, paren
from port.torch2tf.devices import occurrences
from port.torch2tf.refused import Refused
from port.torch2tf.spread import bindings
from port.tree import code, find, walk

OFF = ("torch.no_grad", "torch.inference_mode")
SET = "torch.set_grad_enabled"
ON = ("torch.enable_grad", "contextlib.nullcontext")
AGAIN = ("torch.enable_grad", SET)  # inside a block without gradients, these would compute some again
PURE = (cst.Name, cst.Attribute, cst.UnaryOperation, cst.BooleanOperation, cst.Comparison, cst.ComparisonTarget,
        cst.Integer)


@dataclass(frozen=True)
class Stops:
    """Gradients stop always, never, or where one of these holds (False: where it does not)."""

    always: bool = False
    tests: tuple[tuple[cst.BaseExpression, bool], ...] = ()

    @property
    def never(self) -> bool:
        return not self.always and not self.tests


def of(w: Any, node: cst.With) -> Stops | None:
    """When the block computes no gradients; None if its contexts say something else."""
    found = Stops()
    for item in node.items:
        one = _context(w, item.item) if item.asname is None else None
        if one is None:
            return None
        found = Stops(found.always or one.always, (*found.tests, *one.tests))
    symbols = {_symbol(w, n) for i in node.items for n in walk(i.item) if isinstance(n, cst.Name | cst.Attribute)}
    return found if any(s.startswith("torch.") for s in symbols) or any(
        isinstance(_bare(i.item), cst.Name) for i in node.items) else None


def condition(w: Any, stops: Stops) -> Any:
    """The test in Keras."""
    made = None
    for test, holds in stops.tests:
        one = w.expr(test) if holds else build("not {t}", t=paren(w.expr(test)))
        made = one if made is None else build("{a} or {b}", a=paren(made), b=paren(one))
    return made


def dropped(w: Any, node: cst.Assign) -> bool:
    """Is this `context = torch.no_grad if freeze else nullcontext`, of a variable that `with` alone takes?"""
    target = node.targets[0].target
    function = w.function
    if function is None or len(node.targets) != 1 or not isinstance(target, cst.Name) or not isinstance(
            node.value, cst.IfExp | cst.Call):
        return False
    blocks = [b for b in find(function.node.body, cst.With) if any(
        isinstance(_bare(i.item), cst.Name) and code(_bare(i.item)) == target.value for i in b.items)]
    taken = sum(code(_bare(i.item)) == target.value for b in blocks for i in b.items)
    if not blocks or occurrences(function.node.body, target.value) != 1 + taken or any(
            of(w, b) is None for b in blocks):
        return False
    w.spent.update(n.value for n in find(node.value, cst.Name))
    return True


def _bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """`context` of `context()`."""
    return node.func if isinstance(node, cst.Call) and not node.args else node


def _symbol(w: Any, node: cst.CSTNode) -> str:
    return w.it.names.resolve(node)  # type: ignore[no-any-return]


def _context(w: Any, node: cst.BaseExpression, called: bool = False) -> Stops | None:
    """Of a context; `called`: of what gives one when it is called without arguments."""
    if isinstance(node, cst.IfExp):
        body, orelse = _context(w, node.body, called), _context(w, node.orelse, called)
        if body is None or orelse is None or body.tests or orelse.tests:
            return None
        return body if body == orelse else _tested(w, node.test, body.always)
    if isinstance(node, cst.Name) and not called and (value := _held(w, node)) is not None:
        return _context(w, value)
    if isinstance(node, cst.Call) and not called:
        if not node.args and isinstance(node.func, cst.Name) and (value := _held(w, node.func)) is not None:
            return _context(w, value, called=True)
        if not node.args and isinstance(node.func, cst.IfExp):
            return _context(w, node.func, called=True)
        symbol = _symbol(w, node.func)
        if symbol in OFF and not node.args:
            return Stops(True)
        if symbol in ON:
            return Stops() if not node.args or symbol == ON[1] else None
        if symbol in (SET, OFF[1]) and len(node.args) == 1 and not node.args[0].star:
            return _tested(w, node.args[0].value, symbol != SET)
        return None
    symbol = _symbol(w, node) if called else ""
    return Stops(True) if symbol in OFF else Stops() if symbol in ON else None


def _held(w: Any, name: cst.Name) -> cst.BaseExpression | None:
    """What a variable is set to, once in the function."""
    if w.function is None or bindings(w.function.node)[name.value] != 1:
        return None
    found = [n.value for n in find(w.function.node, cst.Assign) if len(n.targets) == 1
             and code(n.targets[0].target) == name.value]
    return found[0] if len(found) == 1 else None


def _tested(w: Any, test: cst.BaseExpression, holds: bool) -> Stops | None:
    """Gradients stop if the test holds, or does not; it is asked again behind the block."""
    known = w.fact(test).literal(...)
    if isinstance(known, bool):
        return Stops(known is holds)
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _tested(w, test.expression, not holds)
    body = w.function.node if w.function is not None else w.it.module
    bound = bindings(body)
    changed = {code(n.target) for n in walk(body) if isinstance(n, cst.AssignTarget | cst.AugAssign)}
    for n in walk(test):
        plain = isinstance(n, PURE) or not isinstance(n, cst.BaseExpression)
        if not plain or (isinstance(n, cst.Name) and bound[n.value] > 1) or (
                isinstance(n, cst.Attribute) and code(n) in changed):
            raise Refused("P203", f"whether gradients are computed hangs on `{code(test)}`, which may be something "
                          "else behind the block: give it a variable of its own", test)
    return Stops(False, ((test, holds),))
