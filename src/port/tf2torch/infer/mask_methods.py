"""What `compute_mask` of the user's classes gives, read from its lines with the settings of one object."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from port.facts import UNKNOWN
from port.tf2torch.infer.values import Class, Instance, LayerCall, find_method
from port.tree import code, find

INPUTS = object()  # the inputs themselves
LOST = object()  # not followed


class Settings:
    """Values that attributes of one object have, where its class and the call that makes it tell them."""

    def __init__(self, instance: Instance):
        self.instance, self.given = instance, {name: (fact, text) for name, fact, text in instance.args}

    def value(self, node: cst.BaseExpression) -> Any:
        """A literal; LOST where it is not known."""
        try:
            return ast.literal_eval(code(node))
        except (ValueError, SyntaxError):
            pass
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self":
            return self._attribute(node.attr.value)
        return LOST

    def parameter(self, name: str) -> Any:
        """What the constructor was given for it."""
        init = find_method(self.instance.cls, "__init__")
        if init is None or name not in init.params or any(
                isinstance(t.target, cst.Name) and t.target.value == name for t in find(init.node, cst.AssignTarget)):
            return LOST
        if name in self.given:
            fact, text = self.given[name]
            owner, _, held = text.rpartition(".")
            return self._held(held) if owner == self.instance.cls.name else fact.literal(LOST)
        default = init.defaults.get(name)
        found = LOST if default is None else self.value(default)
        return self._held(default.value) if found is LOST and isinstance(default, cst.Name) else found

    def _attribute(self, name: str) -> Any:
        cls = self.instance.cls
        written = [a for a in find(cls.node, cst.Assign) for t in a.targets if isinstance(t.target, cst.Attribute)
                   and code(t.target) == f"self.{name}"]
        if not written:
            return self._held(name)
        value = written[0].value
        init = find_method(cls, "__init__")
        own = init is not None and written[0] in find(init.node, cst.Assign)
        if len(written) != 1 or not own:
            return LOST
        return self.parameter(value.value) if isinstance(value, cst.Name) else self.value(value)

    def _held(self, name: str) -> Any:
        """An attribute of the class: `MODE_ADD = 'add'`."""
        lines: list[Any] = [small for s in self.instance.cls.node.body.body if isinstance(s, cst.SimpleStatementLine)
                            for small in s.body]
        found = [a.value for a in lines if isinstance(a, cst.Assign) and [code(t.target) for t in a.targets] == [name]]
        return self.value(found[0]) if len(found) == 1 else LOST


def computed(cls: Class, instance: Instance, own: Any, arriving: Any, made: Callable[[], Any]) -> Any:
    """A mask, None, a tuple of such, or LOST. `arriving`: the masks of the inputs; `made`: that of zero ids."""
    params = [p.name.value for p in own.params.params]
    star = own.params.star_arg
    if len(params) < 2 and not isinstance(star, cst.Param):
        return LOST
    env = {params[1] if len(params) > 1 else star.name.value: INPUTS} | dict.fromkeys(params[2:3], arriving)
    reader = _Reader(cls, Settings(instance), made)
    ends = reader.run(own.body.body, env)
    results = [*reader.returned, *([None] if ends else [])]
    same = bool(results) and all(_same(r, results[0]) for r in results)
    return results[0] if same and results[0] is not INPUTS else LOST


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return a is b


class _Reader:
    def __init__(self, cls: Class, settings: Settings, made: Callable[[], Any]):
        self.cls, self.settings, self.made, self.returned = cls, settings, made, []  # type: ignore[var-annotated]

    def run(self, body: Sequence[Any], *envs: dict[str, Any]) -> list[dict[str, Any]]:
        """The variables behind the lines, for each path that gets there."""
        open_ = list(envs)
        for s in body:
            open_ = [after for env in open_ for after in self._statement(s, env)]
        return open_

    def _statement(self, s: Any, env: dict[str, Any]) -> list[dict[str, Any]]:
        if isinstance(s, cst.If):
            known = self._truth(s.test, env)
            taken = [s.body] if known is not False else []
            other: Any = s.orelse
            found = [e for block in taken for e in self.run(block.body, dict(env))]
            if known is True:
                return found
            return found + (self._statement(other, dict(env)) if isinstance(other, cst.If) else self.run(
                other.body.body if other is not None else (), dict(env)))
        small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
        if isinstance(small, cst.Return):
            self.returned.append(self._value(small.value, env) if small.value is not None else None)
            return []
        if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name):
            return [env | {small.targets[0].target.value: self._value(small.value, env)}]
        if isinstance(small, cst.Raise):
            return []
        if not isinstance(small, cst.Pass) and not (isinstance(small, cst.Expr) and isinstance(
                small.value, cst.SimpleString | cst.ConcatenatedString)):
            self.returned.append(LOST)
        return [env]

    def _value(self, node: cst.BaseExpression, env: dict[str, Any]) -> Any:
        if isinstance(node, cst.Name):
            return None if node.value == "None" else env.get(node.value, LOST)
        if isinstance(node, cst.List | cst.Tuple):
            return tuple(self._value(e.value, env) for e in node.elements)
        if isinstance(node, cst.Subscript):
            held, at = self._value(node.value, env), self.settings.value(node.slice[0].slice.value) if isinstance(
                node.slice[0].slice, cst.Index) else LOST
            fits = isinstance(held, tuple) and isinstance(at, int) and -len(held) <= at < len(held)
            return held[at] if fits else LOST
        if isinstance(node, cst.IfExp):
            known = self._truth(node.test, env)
            both = [self._value(node.body, env)] * (known is not False) + [self._value(node.orelse, env)] * (
                known is not True)
            return both[0] if all(_same(b, both[0]) for b in both) else LOST
        return self._call(node, env) if isinstance(node, cst.Call) else LOST

    def _call(self, node: cst.Call, env: dict[str, Any]) -> Any:
        """`K.not_equal(inputs, 0)`, and `self.embedding.compute_mask(inputs)`."""
        func = node.func
        first = self._value(node.args[0].value, env) if node.args and node.args[0].star != "**" else LOST
        if not isinstance(func, cst.Attribute) or first is not INPUTS:
            return LOST
        if func.attr.value == "not_equal" and len(node.args) == 2:
            return self.made() if self.settings.value(node.args[1].value) == 0 else LOST
        owner = func.value
        held = self.cls.attrs.get(owner.attr.value, UNKNOWN).payload if isinstance(owner, cst.Attribute) and code(
            owner.value) == "self" else None
        if func.attr.value != "compute_mask" or not isinstance(held, LayerCall) or (
                held.symbol != "keras.layers.Embedding"):
            return LOST
        zero = held.bound.get("mask_zero")
        on = False if zero is None else self.settings.parameter(zero.value) if isinstance(
            zero, cst.Name) and zero.value not in ("True", "False") else self.settings.value(zero)
        return self.made() if on is True else None if on is False else LOST

    def _truth(self, test: cst.BaseExpression, env: dict[str, Any]) -> bool | None:
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            known = self._truth(test.expression, env)
            return None if known is None else not known
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
            value = self.settings.value(test)
            return None if value is LOST else bool(value)
        operator, right = test.comparisons[0].operator, test.comparisons[0].comparator
        if isinstance(test.left, cst.Name) and test.left.value in env and code(right) == "None":
            left = env[test.left.value]
            if left is LOST or getattr(left, "kind", "embedding") not in ("embedding", "masking"):  # may be None
                return None
            return (left is None) == isinstance(operator, cst.Is | cst.Equal)
        a, b = self.settings.value(test.left), self.settings.value(right)
        if a is LOST or b is LOST or not isinstance(operator, cst.Equal | cst.NotEqual | cst.Is | cst.IsNot):
            return None
        return (a == b) == isinstance(operator, cst.Equal | cst.Is)
