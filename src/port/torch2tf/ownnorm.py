"""Batch norms whose `forward` is PyTorch's own, written out: `F.batch_norm` over the layer's buffers, and more.

Classes repeat that code to do one thing behind it (an activation), or for what compiles them. Whether it still is the
layer's is tried: the statements are run over every mode the layer can be in, and what `F.batch_norm` is given there is
held against what PyTorch gives it. Then they are `super().forward(x)`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from port.names import Names, dotted_name
from port.tree import find, replaced, walk

KINDS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
_PARAMS = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
_COUNT = "self.num_batches_tracked"
_READ = frozenset((*_PARAMS, "track_running_stats", "training"))
_DEFAULTS = {"weight": None, "bias": None, "training": False, "momentum": 0.1, "eps": 1e-5}


def read(node: cst.ClassDef, names: Names) -> cst.ClassDef:
    """The class with `super().forward(x)` for that code; the class itself if it does something else."""
    forward = next((s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "forward"), None)
    calls = [] if forward is None else [c for c in find(forward, cst.Call) if names.resolve(c.func) in (
        "torch.nn.functional.batch_norm", "torch.batch_norm")]
    if forward is None or not isinstance(forward.body, cst.IndentedBlock) or len(calls) != 1 or _sets(node):
        return node
    call, body = calls[0], forward.body.body
    at = next(i for i, s in enumerate(body) if any(n is call for n in walk(s)))
    if not isinstance(body[at], cst.SimpleStatementLine) or not call.args or call.args[0].keyword or call.args[0].star:
        return node
    modes = [_Mode(a, b, c) for a, b, c in itertools.product((True, False), repeat=3)]
    about = [s for s in body[:at] if _ran(modes, s)]
    if not all(_is_usual(mode, call) for mode in modes):
        return node
    whole: Any = cst.parse_expression("super().forward()")
    made = whole.with_changes(args=[call.args[0].with_changes(
        comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))])
    kept = [replaced(s, call, made) if s is body[at] else s for s in body if not any(s is a for a in about)]
    if any(isinstance(n, cst.Name) and n.value in modes[0].local for s in kept for n in walk(s)):
        return node
    new: cst.ClassDef = replaced(node, forward, forward.with_changes(body=forward.body.with_changes(body=kept)))
    return new


def _sets(node: cst.ClassDef) -> bool:
    """Does the class set, or define, something that the layer computes with?"""
    own = {s.name.value for s in node.body.body if isinstance(s, cst.FunctionDef)}
    targets: list[Any] = [t.target for t in find(node, cst.AssignTarget)]
    own |= {t.attr.value for t in targets if isinstance(t, cst.Attribute)} - {"num_batches_tracked"}
    return bool(own & {"_check_input_dim", *_READ})


def _ran(modes: list[_Mode], node: Any) -> bool:
    """Run a statement in every mode; False, and nothing is changed, if it is none of those known here."""
    after = [replace(mode, local=dict(mode.local)) for mode in modes]
    try:
        for mode in after:
            _run(mode, node)
    except _Other:
        return False
    modes[:] = after
    return True


@dataclass
class _Mode:
    """One mode of the layer, and what the statements have bound and counted in it."""

    training: bool
    tracked: bool
    averaged: bool  # momentum is None: the mean of all batches
    counted: int = 0
    local: dict[str, object] = field(default_factory=dict)

    def of_self(self, name: str) -> object:
        known: dict[str, object] = {
            "training": self.training, "track_running_stats": self.tracked, "weight": "weight", "bias": "bias",
            "momentum": None if self.averaged else "momentum", "eps": "eps"}
        if name in ("running_mean", "running_var", "num_batches_tracked"):
            return (name, self.counted) if name == "num_batches_tracked" and self.tracked else (
                name if self.tracked else None)
        if name not in known:
            raise _Other
        return known[name]


class _Other(Exception):
    """Something that this does not know how to run."""


def _is_usual(mode: _Mode, call: cst.Call) -> bool:
    """Is `F.batch_norm` given what the layer gives it in this mode?"""
    given: dict[str, object] = dict(_DEFAULTS)
    try:
        for i, arg in enumerate(call.args[1:], 1):
            if arg.star or (arg.keyword is None and i >= len(_PARAMS)):
                return False
            given[arg.keyword.value if arg.keyword else _PARAMS[i]] = _value(mode, arg.value)
    except _Other:
        return False
    stats = ("running_mean", "running_var") if mode.tracked else (None, None)
    usual: dict[str, object] = {"running_mean": stats[0], "running_var": stats[1], "weight": "weight", "bias": "bias",
                                "training": mode.training or not mode.tracked, "eps": "eps"}
    if given.keys() - usual.keys() != {"momentum"} or any(given.get(k, k) != v for k, v in usual.items()):
        return False
    if given["momentum"] is None or not (mode.training and mode.tracked):  # PyTorch raises, or nothing depends on it
        return True
    return given["momentum"] == (("average", 1) if mode.averaged else "momentum")


# ---------------------------------------------------------------- a few statements and expressions, run
def _run(mode: _Mode, node: Any) -> None:
    if isinstance(node, cst.SimpleStatementLine):
        for small in node.body:
            _line(mode, small)
    elif isinstance(node, cst.If):
        if _value(mode, node.test):
            _suite(mode, node.body)
        elif node.orelse is not None:
            _run(mode, node.orelse)
    elif isinstance(node, cst.Else):
        _suite(mode, node.body)
    else:
        raise _Other


def _suite(mode: _Mode, body: Any) -> None:
    for inner in body.body:
        (_run if isinstance(body, cst.IndentedBlock) else _line)(mode, inner)


def _line(mode: _Mode, node: Any) -> None:
    if isinstance(node, cst.Pass):
        return
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target = node.targets[0].target
        if isinstance(target, cst.Name):
            mode.local[target.value] = _value(mode, node.value)
            return
        if dotted_name(target) == _COUNT and _adds_one(node.value):
            mode.counted += 1
            return
    if isinstance(node, cst.AugAssign) and isinstance(node.operator, cst.AddAssign) and dotted_name(
            node.target) == _COUNT and _is_one(node.value):
        mode.counted += 1
        return
    call = node.value if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call) else None
    if call is not None and dotted_name(call.func) == "self._check_input_dim":
        return
    if call is not None and dotted_name(call.func) == f"{_COUNT}.add_" and len(call.args) == 1 and _is_one(
            call.args[0].value):
        mode.counted += 1
        return
    raise _Other


def _is_one(node: Any) -> bool:
    return isinstance(node, cst.Integer | cst.Float) and float(node.value) == 1


def _adds_one(node: Any) -> bool:
    return isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and dotted_name(
        node.left) == _COUNT and _is_one(node.right)


def _value(mode: _Mode, node: Any) -> object:
    if isinstance(node, cst.Name):
        constants: dict[str, object] = {"None": None, "True": True, "False": False}
        if node.value in constants:
            return constants[node.value]
        if node.value not in mode.local:
            raise _Other
        return mode.local[node.value]
    if isinstance(node, cst.Float | cst.Integer):
        return float(node.value)
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self":
        return mode.of_self(node.attr.value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return not _value(mode, node.expression)
    if isinstance(node, cst.BooleanOperation):
        left = _value(mode, node.left)
        return (left and _value(mode, node.right)) if isinstance(node.operator, cst.And) else (
            left or _value(mode, node.right))
    if isinstance(node, cst.IfExp):
        return _value(mode, node.body if _value(mode, node.test) else node.orelse)
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        operator, right = node.comparisons[0].operator, _value(mode, node.comparisons[0].comparator)
        if right is None and isinstance(operator, cst.Is | cst.IsNot):
            return (_value(mode, node.left) is None) == isinstance(operator, cst.Is)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide) and _is_one(node.left):
        return ("average", _counted(_value(mode, _number(node.right))))
    raise _Other


def _number(node: Any) -> Any:
    """`n` of `float(n)`, `n.item()`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "float" and (
            len(node.args) == 1):
        return node.args[0].value
    return node


def _counted(value: object) -> int:
    if not isinstance(value, tuple) or value[0] != "num_batches_tracked":
        raise _Other
    return int(value[1])
