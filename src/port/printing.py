"""The text of nodes. libcst's own printing asks every node, each white space too, through four calls and a context
manager or two; the commonest kinds are written here straight away, and what is not listed prints itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.printer import Printer, Writers


def printed(node: cst.CSTNode, indent: str, newline: str) -> str:
    printer = Printer(indent, newline, WRITERS)
    printer.put(node)
    return "".join(printer.tokens)


def _in_parentheses(write: Callable[[Any, Printer], None]) -> Callable[..., None]:
    def writer(node: Any, to: Printer) -> None:
        for left in node.lpar:
            to.tokens.append("(")
            to.space(left.whitespace_after)
        write(node, to)
        for right in node.rpar:
            to.space(right.whitespace_before)
            to.tokens.append(")")

    return writer


# ---------------------------------------------------------------- expressions
def _word(node: Any, to: Printer) -> None:
    to.tokens.append(node.value)


def _attribute(node: cst.Attribute, to: Printer) -> None:
    to.put(node.value)
    to.spaced(node.dot.whitespace_before, ".", node.dot.whitespace_after)
    to.put(node.attr)


def _call(node: cst.Call, to: Printer) -> None:
    to.put(node.func)
    to.spaced(node.whitespace_after_func, "(", node.whitespace_before_args)
    for i, arg in enumerate(node.args, 1):
        to.put(arg, default_comma=i < len(node.args))
    to.tokens.append(")")


def _arg(node: cst.Arg, to: Printer, default_comma: bool = False) -> None:
    to.tokens.append(node.star)
    to.space(node.whitespace_after_star)
    if node.keyword is not None:
        to.put(node.keyword)
    if type(node.equal) is cst.AssignEqual:
        to.spaced(node.equal.whitespace_before, "=", node.equal.whitespace_after)
    elif node.keyword is not None and node.equal is cst.MaybeSentinel.DEFAULT:
        to.tokens.append(" = ")
    to.put(node.value)
    to.comma(node.comma, ", " if default_comma else "")
    to.space(node.whitespace_after_arg)


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


def _dict(node: cst.Dict, to: Printer) -> None:
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


# ---------------------------------------------------------------- statements
def _assign(node: cst.Assign, to: Printer, default_semicolon: bool = False) -> None:
    for target in node.targets:
        to.put(target)
    to.put(node.value)
    _semicolon(node, to, default_semicolon)


def _assign_target(node: cst.AssignTarget, to: Printer) -> None:
    to.put(node.target)
    to.spaced(node.whitespace_before_equal, "=", node.whitespace_after_equal)


def _expr(node: cst.Expr, to: Printer, default_semicolon: bool = False) -> None:
    to.put(node.value)
    _semicolon(node, to, default_semicolon)


def _return(node: cst.Return, to: Printer, default_semicolon: bool = False) -> None:
    to.tokens.append("return")
    if not isinstance(node.whitespace_after_return, cst.MaybeSentinel):
        to.space(node.whitespace_after_return)
    elif node.value is not None:
        to.tokens.append(" ")
    if node.value is not None:
        to.put(node.value)
    _semicolon(node, to, default_semicolon)


def _semicolon(node: Any, to: Printer, default: bool) -> None:
    if isinstance(node.semicolon, cst.Semicolon):
        to.put(node.semicolon)
    elif default:
        to.tokens.append("; ")


def _statement_line(node: cst.SimpleStatementLine, to: Printer) -> None:
    if not node.body:
        return node._codegen_impl(to)  # a pass
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    for i, small in enumerate(node.body, 1):
        to.put(small, default_semicolon=i < len(node.body))
    to.line_end(node.trailing_whitespace)


def _block(node: cst.IndentedBlock, to: Printer) -> None:
    if not node.body:
        return node._codegen_impl(to)  # a pass
    to.line_end(node.header)
    to.increase_indent(to.default_indent if node.indent is None else node.indent)
    with to.record_syntactic_position(node, start_node=node.body[0], end_node=node.body[-1]):
        for statement in node.body:
            to.put(statement)
    to.lines(node.footer)
    to.decrease_indent()


def _if(node: cst.If, to: Printer, is_elif: bool = False) -> None:
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    with to.record_syntactic_position(node, end_node=node.orelse or node.body):
        to.tokens.append("elif" if is_elif else "if")
        to.space(node.whitespace_before_test)
        to.put(node.test)
        to.space(node.whitespace_after_test)
        to.tokens.append(":")
        to.put(node.body)
        if isinstance(node.orelse, cst.If):
            to.put(node.orelse, is_elif=True)
        elif node.orelse is not None:
            to.put(node.orelse)


def _else(node: cst.Else, to: Printer) -> None:
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    with to.record_syntactic_position(node, end_node=node.body):
        to.tokens.append("else")
        to.space(node.whitespace_before_colon)
        to.tokens.append(":")
        to.put(node.body)


def _function(node: cst.FunctionDef, to: Printer) -> None:
    if node.type_parameters is not None or node.asynchronous is not None:
        return node._codegen_impl(to)
    _decorated(node, to)
    with to.record_syntactic_position(node, end_node=node.body):
        to.tokens.append("def")
        to.space(node.whitespace_after_def)
        to.put(node.name)
        to.space(node.whitespace_after_name)
        to.space(node.whitespace_after_type_parameters)
        to.tokens.append("(")
        to.space(node.whitespace_before_params)
        to.put(node.params)
        to.tokens.append(")")
        if node.returns is not None:
            node.returns._codegen(to, default_indicator="->")
        to.space(node.whitespace_before_colon)
        to.tokens.append(":")
        to.put(node.body)


def _class(node: cst.ClassDef, to: Printer) -> None:
    if node.type_parameters is not None:
        return node._codegen_impl(to)
    _decorated(node, to)
    args = (*node.bases, *node.keywords)
    with to.record_syntactic_position(node, end_node=node.body):
        to.tokens.append("class")
        to.space(node.whitespace_after_class)
        to.put(node.name)
        to.space(node.whitespace_after_name)
        to.space(node.whitespace_after_type_parameters)
        if isinstance(node.lpar, cst.LeftParen):
            to.put(node.lpar)
        elif args:
            to.tokens.append("(")
        for i, arg in enumerate(args, 1):
            to.put(arg, default_comma=i < len(args))
        if isinstance(node.rpar, cst.RightParen):
            to.put(node.rpar)
        elif args:
            to.tokens.append(")")
        to.space(node.whitespace_before_colon)
        to.tokens.append(":")
        to.put(node.body)


def _decorated(node: cst.FunctionDef | cst.ClassDef, to: Printer) -> None:
    to.lines(node.leading_lines)
    for decorator in node.decorators:
        to.put(decorator)
    to.lines(node.lines_after_decorators)
    to.add_indent_tokens()


def _module(node: cst.Module, to: Printer) -> None:
    to.lines(node.header)
    for statement in node.body:
        to.put(statement)
    to.lines(node.footer)
    if node.has_trailing_newline and not to.tokens:
        to.tokens.append(to.default_newline)
    elif not node.has_trailing_newline:
        to.pop_trailing_newline()


EXPRESSIONS = {
    cst.Name: _word, cst.Integer: _word, cst.Float: _word, cst.SimpleString: _word, cst.Attribute: _attribute,
    cst.Call: _call, cst.Tuple: _tuple, cst.List: _list, cst.Dict: _dict, cst.BinaryOperation: _operation,
    cst.BooleanOperation: _operation, cst.Comparison: _comparison}
COMPOUND: Writers = {
    cst.IndentedBlock: _block, cst.If: _if, cst.Else: _else, cst.FunctionDef: _function, cst.ClassDef: _class}
WRITERS: Writers = {
    **{kind: _in_parentheses(write) for kind, write in EXPRESSIONS.items()}, **COMPOUND,
    cst.Arg: _arg, cst.Element: _element, cst.DictElement: _dict_element, cst.ComparisonTarget: _target,
    cst.Assign: _assign, cst.AssignTarget: _assign_target, cst.Expr: _expr, cst.Return: _return,
    cst.SimpleStatementLine: _statement_line, cst.Module: _module}
