"""The text of expressions and of what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst
from libcst._nodes.op import BaseUnaryOp, _BaseOneTokenOp

from port.printing.parameters import annotation, lambda_, param, parameters
from port.printing.printer import Printer, Writers

# Operators by their one token; `!=` may also be `<>`.
_BETWEEN, _BEFORE = ({kind: kind()._get_token() for kind in vars(cst).values() if isinstance(kind, type)
                      and issubclass(kind, base) and kind is not cst.NotEqual and not kind.__abstractmethods__}
                     for base in (_BaseOneTokenOp, BaseUnaryOp))


def _in_parentheses(write: Callable[[Any, Printer], None]) -> Callable[..., None]:
    def writer(node: Any, to: Printer) -> None:
        if not node.lpar:
            return write(node, to)
        for left in node.lpar:
            to.tokens.append("(")
            to.space(left.whitespace_after)
        write(node, to)
        for right in node.rpar:
            to.space(right.whitespace_before)
            to.tokens.append(")")

    return writer


# ---------------------------------------------------------------- expressions
def _text(node: Any, to: Printer) -> None:
    to.tokens.append(node.value)


def _word(node: Any, to: Printer) -> None:
    """Most nodes are words, and few of these stand in parentheses."""
    if node.lpar:
        return _WORD_IN_PARENTHESES(node, to)
    to.tokens.append(node.value)


_WORD_IN_PARENTHESES = _in_parentheses(_text)


def _attribute(node: cst.Attribute, to: Printer) -> None:
    to.put(node.value)
    to.spaced(node.dot.whitespace_before, ".", node.dot.whitespace_after)
    to.put(node.attr)


def _call(node: cst.Call, to: Printer) -> None:
    to.put(node.func)
    to.spaced(node.whitespace_after_func, "(", node.whitespace_before_args)
    write, last = to.writers[cst.Arg], len(node.args)
    for i, arg in enumerate(node.args, 1):
        write(arg, to, default_comma=i < last)
    to.tokens.append(")")


def _arg(node: cst.Arg, to: Printer, default_comma: bool = False) -> None:
    star, after = node.whitespace_after_star, node.whitespace_after_arg
    if node.star or type(star) is not cst.SimpleWhitespace or star.value:
        to.tokens.append(node.star)
        to.space(star)
    if node.keyword is not None:
        to.put(node.keyword)
    if type(node.equal) is cst.AssignEqual:
        to.spaced(node.equal.whitespace_before, "=", node.equal.whitespace_after)
    elif node.keyword is not None and node.equal is cst.MaybeSentinel.DEFAULT:
        to.tokens.append(" = ")
    to.put(node.value)
    to.comma(node.comma, ", " if default_comma else "")
    if type(after) is not cst.SimpleWhitespace or after.value:
        to.space(after)


def _element(node: cst.Element, to: Printer, default_comma: bool = False,
             default_comma_whitespace: bool = False) -> None:
    to.put(node.value)
    to.comma(node.comma, (", " if default_comma_whitespace else ",") if default_comma else "")


def _dict_element(node: cst.DictElement, to: Printer, default_comma: bool = False,
                  default_comma_whitespace: bool = False) -> None:
    to.put(node.key)
    to.spaced(node.whitespace_before_colon, ":", node.whitespace_after_colon)
    to.put(node.value)
    to.comma(node.comma, (", " if default_comma_whitespace else ",") if default_comma else "")


def _starred(node: cst.StarredElement | cst.StarredDictElement, to: Printer, default_comma: bool = False,
             default_comma_whitespace: bool = False) -> None:
    if type(node) is cst.StarredElement and node.lpar:
        return node._codegen_impl(to, default_comma, default_comma_whitespace)
    to.tokens.append("*" if type(node) is cst.StarredElement else "**")
    to.space(node.whitespace_before_value)
    to.put(node.value)
    to.comma(node.comma, (", " if default_comma_whitespace else ",") if default_comma else "")


def _elements(nodes: Any, to: Printer) -> None:
    for i, element in enumerate(nodes, 1):
        to.put(element, default_comma=i < len(nodes), default_comma_whitespace=True)


def _tuple(node: cst.Tuple, to: Printer) -> None:
    if len(node.elements) == 1:
        to.put(node.elements[0], default_comma=True)
    else:
        _elements(node.elements, to)


def _list(node: cst.List, to: Printer) -> None:
    to.tokens.append("[")
    to.space(node.lbracket.whitespace_after)
    _elements(node.elements, to)
    to.space(node.rbracket.whitespace_before)
    to.tokens.append("]")


def _in_braces(node: cst.Dict | cst.Set, to: Printer) -> None:
    to.tokens.append("{")
    to.space(node.lbrace.whitespace_after)
    _elements(node.elements, to)
    to.space(node.rbrace.whitespace_before)
    to.tokens.append("}")


def _operation(node: Any, to: Printer) -> None:
    to.put(node.left)
    to.put(node.operator)
    to.put(node.right)


def _comparison(node: cst.Comparison, to: Printer) -> None:
    to.put(node.left)
    for target in node.comparisons:
        to.put(target)


def _target(node: cst.ComparisonTarget, to: Printer) -> None:
    to.put(node.operator)
    to.put(node.comparator)


def _operator(node: Any, to: Printer) -> None:
    to.spaced(node.whitespace_before, _BETWEEN[type(node)], node.whitespace_after)


def _not_equal(node: cst.NotEqual, to: Printer) -> None:
    to.spaced(node.whitespace_before, node.value, node.whitespace_after)


def _two_words(node: cst.IsNot | cst.NotIn, to: Printer) -> None:
    first, second = ("is", "not") if type(node) is cst.IsNot else ("not", "in")
    to.spaced(node.whitespace_before, first, node.whitespace_between)
    to.tokens.append(second)
    to.space(node.whitespace_after)


def _unary_operator(node: Any, to: Printer) -> None:
    to.tokens.append(_BEFORE[type(node)])
    to.space(node.whitespace_after)


def _unary_operation(node: cst.UnaryOperation, to: Printer) -> None:
    to.put(node.operator)
    to.put(node.expression)


def _if_else(node: cst.IfExp, to: Printer) -> None:
    to.put(node.body)
    to.spaced(node.whitespace_before_if, "if", node.whitespace_after_if)
    to.put(node.test)
    to.spaced(node.whitespace_before_else, "else", node.whitespace_after_else)
    to.put(node.orelse)


def _subscript(node: cst.Subscript, to: Printer) -> None:
    to.put(node.value)
    to.spaced(node.whitespace_after_value, "[", node.lbracket.whitespace_after)
    for i, element in enumerate(node.slice, 1):
        alone = len(node.slice) == 1 and type(element.comma) is cst.Comma  # a tuple of one
        to.put(element, default_comma=i < len(node.slice) or alone)
    to.space(node.rbracket.whitespace_before)
    to.tokens.append("]")


def _subscript_element(node: cst.SubscriptElement, to: Printer, default_comma: bool = False) -> None:
    to.put(node.slice)
    to.comma(node.comma, ", " if default_comma else "")


def _index(node: cst.Index, to: Printer) -> None:
    if node.star is not None:
        return node._codegen_impl(to)
    to.put(node.value)


def _slice(node: cst.Slice, to: Printer) -> None:
    if node.lower is not None:
        to.put(node.lower)
    to.put(node.first_colon)
    if node.upper is not None:
        to.put(node.upper)
    if type(node.second_colon) is cst.Colon:
        to.put(node.second_colon)
    elif node.step is not None:
        to.tokens.append(":")
    if node.step is not None:
        to.put(node.step)


def _concatenated(node: cst.ConcatenatedString, to: Printer) -> None:
    to.put(node.left)
    to.space(node.whitespace_between)
    to.put(node.right)


def _formatted(node: cst.FormattedString, to: Printer) -> None:
    to.tokens.append(node.start)
    for part in node.parts:
        to.put(part)
    to.tokens.append(node.end)


def _formatted_value(node: cst.FormattedStringExpression, to: Printer) -> None:
    if node.equal is not None or node.conversion is not None or node.format_spec is not None:
        return node._codegen_impl(to)
    to.tokens.append("{")
    to.space(node.whitespace_before_expression)
    to.put(node.expression)
    to.space(node.whitespace_after_expression)
    to.tokens.append("}")


def _generated(node: cst.GeneratorExp, to: Printer) -> None:
    to.put(node.elt)
    to.put(node.for_in)


def _list_generated(node: cst.ListComp, to: Printer) -> None:
    to.tokens.append("[")
    to.space(node.lbracket.whitespace_after)
    to.put(node.elt)
    to.put(node.for_in)
    to.space(node.rbracket.whitespace_before)
    to.tokens.append("]")


def _for_in(node: cst.CompFor, to: Printer) -> None:
    if node.asynchronous is not None:
        return node._codegen_impl(to)
    to.spaced(node.whitespace_before, "for", node.whitespace_after_for)
    to.put(node.target)
    to.spaced(node.whitespace_before_in, "in", node.whitespace_after_in)
    to.put(node.iter)
    for condition in node.ifs:
        to.put(condition)
    if node.inner_for_in is not None:
        to.put(node.inner_for_in)


def _comp_if(node: cst.CompIf, to: Printer) -> None:
    to.spaced(node.whitespace_before, "if", node.whitespace_before_test)
    to.put(node.test)


WORDS: tuple[type, ...] = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)
PARENTHESIZED = {
    **dict.fromkeys(WORDS, _text), cst.Attribute: _attribute,
    cst.Call: _call, cst.Tuple: _tuple, cst.List: _list, cst.Dict: _in_braces, cst.Set: _in_braces,
    cst.BinaryOperation: _operation,
    cst.BooleanOperation: _operation, cst.Comparison: _comparison, cst.UnaryOperation: _unary_operation,
    cst.IfExp: _if_else, cst.Subscript: _subscript, cst.ConcatenatedString: _concatenated,
    cst.FormattedString: _formatted, cst.GeneratorExp: _generated, cst.ListComp: _list_generated, cst.Lambda: lambda_}
EXPRESSIONS: Writers = {
    **{kind: _in_parentheses(write) for kind, write in PARENTHESIZED.items()}, **dict.fromkeys(WORDS, _word),
    **dict.fromkeys(_BETWEEN, _operator), **dict.fromkeys(_BEFORE, _unary_operator),
    cst.NotEqual: _not_equal, cst.IsNot: _two_words, cst.NotIn: _two_words,
    cst.Arg: _arg, cst.Element: _element, cst.DictElement: _dict_element, cst.StarredElement: _starred,
    cst.StarredDictElement: _starred, cst.ComparisonTarget: _target,
    cst.SubscriptElement: _subscript_element, cst.Index: _index, cst.Slice: _slice,
    cst.FormattedStringText: _text, cst.FormattedStringExpression: _formatted_value,
    cst.CompFor: _for_in, cst.CompIf: _comp_if, cst.Parameters: parameters, cst.Param: param,
    cst.Annotation: annotation}
