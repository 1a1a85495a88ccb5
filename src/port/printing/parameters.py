"""The text of parameters and lambdas."""

from __future__ import annotations

import libcst as cst

from port.printing.printer import Printer


def lambda_(node: cst.Lambda, to: Printer) -> None:
    if isinstance(node.whitespace_after_lambda, cst.MaybeSentinel):
        return node.with_changes(lpar=(), rpar=())._codegen_impl(to)  # its parentheses are written around it
    to.tokens.append("lambda")
    to.space(node.whitespace_after_lambda)
    to.put(node.params)
    to.put(node.colon)
    to.put(node.body)


# ---------------------------------------------------------------- parameters
def parameters(node: cst.Parameters, to: Printer) -> None:
    star = node.star_arg
    if node.posonly_params or type(node.posonly_ind) is cst.ParamSlash:
        return node._codegen_impl(to)
    more = star is not cst.MaybeSentinel.DEFAULT or bool(node.kwonly_params) or node.star_kwarg is not None
    for i, param in enumerate(node.params, 1):
        to.put(param, default_star="", default_comma=more or i < len(node.params))
    if type(star) is cst.Param:
        to.put(star, default_star="*", default_comma=bool(node.kwonly_params) or node.star_kwarg is not None)
    elif type(star) is cst.ParamStar:
        to.put(star)
    elif node.kwonly_params:
        to.tokens.append("*, ")
    for i, param in enumerate(node.kwonly_params, 1):
        to.put(param, default_star="", default_comma=node.star_kwarg is not None or i < len(node.kwonly_params))
    if node.star_kwarg is not None:
        to.put(node.star_kwarg, default_star="**", default_comma=False)


def param(node: cst.Param, to: Printer, default_star: str | None = None, default_comma: bool = False) -> None:
    star = node.star if isinstance(node.star, str) else default_star
    if star is None:
        return node._codegen_impl(to)  # says what is missing
    to.tokens.append(star)
    to.space(node.whitespace_after_star)
    to.put(node.name)
    if node.annotation is not None:
        to.put(node.annotation, default_indicator=":")
    if type(node.equal) is cst.AssignEqual:
        to.put(node.equal)
    elif node.default is not None and node.equal is cst.MaybeSentinel.DEFAULT:
        to.tokens.append(" = ")
    if node.default is not None:
        to.put(node.default)
    to.comma(node.comma, ", " if default_comma else "")
    to.space(node.whitespace_after_param)


def annotation(node: cst.Annotation, to: Printer, default_indicator: str | None = None) -> None:
    before = node.whitespace_before_indicator
    if default_indicator is None or isinstance(before, cst.MaybeSentinel):
        return node._codegen_impl(to, default_indicator)
    to.spaced(before, default_indicator, node.whitespace_after_indicator)
    to.put(node.annotation)
