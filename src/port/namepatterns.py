"""Names that code puts together, for `getattr` and `setattr`: `f"stage{i}"`, `"stage" + str(i)`, `"stage%d" % i`."""

from __future__ import annotations

import re

import libcst as cst

ANYTHING = ".+"


def pattern(node: cst.BaseExpression) -> str:
    """A regular expression of the strings that this expression may give."""
    if isinstance(node, cst.SimpleString):
        return re.escape(str(node.evaluated_value))
    if isinstance(node, cst.FormattedString):
        return "".join(re.escape(p.value) if isinstance(p, cst.FormattedStringText) else ANYTHING for p in node.parts)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return pattern(node.left) + pattern(node.right)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return _filled(node.left, r"%[-+ #0-9.]*[a-zA-Z]")
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
        return _filled(node.func.value, r"\{[^{}]*\}")
    return ANYTHING


def _filled(form: cst.BaseExpression, place: str) -> str:
    """Of a form whose places are filled."""
    if not isinstance(form, cst.SimpleString):
        return ANYTHING
    return ANYTHING.join(map(re.escape, re.split(place, str(form.evaluated_value))))


def meet(one: str, other: str) -> bool:
    """May two such expressions give one name? Told by their first and last parts: in doubt, yes."""
    if ANYTHING not in one or ANYTHING not in other:
        return re.fullmatch(one, _plain(other)) is not None if ANYTHING in one else (
            re.fullmatch(other, _plain(one)) is not None)
    (a, *_, b), (c, *_, d) = one.split(ANYTHING), other.split(ANYTHING)
    return (a.startswith(c) or c.startswith(a)) and (b.endswith(d) or d.endswith(b))


def _plain(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped)
