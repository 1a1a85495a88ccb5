"""Constructors of base classes, called: those of the user's may take sizes that Keras infers.

`sizes`: what the called constructor takes before its own parameters.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.facts import Sym
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class
from port.tf2torch.rules import set_later
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import code


def super_call(em: Emitter, cls: Class, s: Any, small: cst.Expr, sizes: list[str]) -> list[Any]:
    """`super().__init__(units)` -> `super().__init__(in_features, units)`."""
    call = small.value
    text = code(small).replace(" ", "")
    if "__init__" not in text:
        return []
    if not isinstance(call, cst.Call):
        return []
    user_base = any(isinstance(b.payload, Class) for b in cls.bases)
    args = [cst.Arg(em.size(Sym(m), call)) for m in sizes]
    for a in call.args:
        name = a.keyword.value if a.keyword is not None else ""
        if a.star == "**" or name in SUPER_ONLY or not user_base:
            passed = isinstance(a.value, cst.Name) and a.value.value == name  # what comes from outside is told there
            if name and not passed:
                set_later.base_argument(em, name, a.value, cls)
            continue
        args.append(a.with_changes(value=em.expr(a.value), comma=cst.MaybeSentinel.DEFAULT))
    return [s.with_changes(body=[small.with_changes(value=expression("super().__init__()").with_changes(args=args))])]


def named_base(em: Emitter, call: cst.Call) -> Class | None:
    """The class of the user's of `Base.__init__(self, units)`."""
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "__init__" or not call.args or code(
            call.args[0].value) != "self":
        return None
    payload = em.fact(func.value).payload
    return payload if isinstance(payload, Class) else None


def base_call(em: Emitter, s: Any, small: cst.Expr, sizes: list[str]) -> list[Any]:
    call = cst.ensure_type(small.value, cst.Call)
    made = [cst.Arg(em.size(Sym(m), call)) for m in sizes]
    rest = [a.with_changes(value=em.expr(a.value), comma=cst.MaybeSentinel.DEFAULT) for a in call.args[1:] if not (
        a.star == "**" or (a.keyword is not None and a.keyword.value in SUPER_ONLY))]
    args = [call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT), *made, *rest]
    return [s.with_changes(body=[small.with_changes(value=call.with_changes(args=args))])]
