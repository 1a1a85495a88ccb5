"""The text of statements."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.printing.printer import Printer, Writers


def _assign(node: cst.Assign, to: Printer, default_semicolon: bool = False) -> None:
    with to.record_syntactic_position(node):
        for target in node.targets:
            to.put(target)
        to.put(node.value)
    _semicolon(node, to, default_semicolon)


def _assign_target(node: cst.AssignTarget, to: Printer) -> None:
    to.put(node.target)
    to.spaced(node.whitespace_before_equal, "=", node.whitespace_after_equal)


def _expr(node: cst.Expr, to: Printer, default_semicolon: bool = False) -> None:
    with to.record_syntactic_position(node):
        to.put(node.value)
    _semicolon(node, to, default_semicolon)


def _word(to: Printer, word: str, space: Any, value: cst.BaseExpression | None) -> None:
    """A keyword that may have a value."""
    to.tokens.append(word)
    if not isinstance(space, cst.MaybeSentinel):
        to.space(space)
    elif value is not None:
        to.tokens.append(" ")
    if value is not None:
        to.put(value)


def _return(node: cst.Return, to: Printer, default_semicolon: bool = False) -> None:
    _word(to, "return", node.whitespace_after_return, node.value)
    _semicolon(node, to, default_semicolon)


def _raise(node: cst.Raise, to: Printer, default_semicolon: bool = False) -> None:
    _word(to, "raise", node.whitespace_after_raise, node.exc)
    if node.cause is not None:
        to.put(node.cause, default_space=" ")
    _semicolon(node, to, default_semicolon)


def _assert(node: cst.Assert, to: Printer, default_semicolon: bool = False) -> None:
    to.tokens.append("assert")
    to.space(node.whitespace_after_assert)
    to.put(node.test)
    to.comma(node.comma, "" if node.msg is None else ", ")
    if node.msg is not None:
        to.put(node.msg)
    _semicolon(node, to, default_semicolon)


def _import_from(node: cst.ImportFrom, to: Printer, default_semicolon: bool = False) -> None:
    if node.relative or node.lpar is not None or node.module is None or isinstance(node.names, cst.ImportStar):
        return node._codegen_impl(to, default_semicolon)
    to.tokens.append("from")
    to.space(node.whitespace_after_from)
    to.put(node.module)
    to.spaced(node.whitespace_before_import, "import", node.whitespace_after_import)
    for i, alias in enumerate(node.names, 1):
        to.put(alias, default_comma=i < len(node.names))
    _semicolon(node, to, default_semicolon)


def _alias(node: cst.ImportAlias, to: Printer, default_comma: bool = False) -> None:
    to.put(node.name)
    if node.asname is not None:
        to.put(node.asname)
    to.comma(node.comma, ", " if default_comma else "")


def _semicolon(node: Any, to: Printer, default: bool) -> None:
    if type(node.semicolon) is cst.Semicolon:
        to.put(node.semicolon)
    elif default:
        to.tokens.append("; ")


def _statement_line(node: cst.SimpleStatementLine, to: Printer) -> None:
    if not node.body:
        return node._codegen_impl(to)  # a pass
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    with to.record_syntactic_position(node, end_node=node.body[-1]):
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
            to.put(node.returns, default_indicator="->")
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


def _decorator(node: cst.Decorator, to: Printer) -> None:
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    with to.record_syntactic_position(node):
        to.tokens.append("@")
        to.space(node.whitespace_after_at)
        to.put(node.decorator)
    to.line_end(node.trailing_whitespace)


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


def _for(node: cst.For, to: Printer) -> None:
    if node.asynchronous is not None:
        return node._codegen_impl(to)
    to.lines(node.leading_lines)
    to.add_indent_tokens()
    with to.record_syntactic_position(node, end_node=node.orelse or node.body):
        to.tokens.append("for")
        to.space(node.whitespace_after_for)
        to.put(node.target)
        to.spaced(node.whitespace_before_in, "in", node.whitespace_after_in)
        to.put(node.iter)
        to.space(node.whitespace_before_colon)
        to.tokens.append(":")
        to.put(node.body)
        if node.orelse is not None:
            to.put(node.orelse)


# Those that say themselves where their code proper stands.
RECORDED: Writers = {
    cst.IndentedBlock: _block, cst.If: _if, cst.Else: _else, cst.For: _for, cst.FunctionDef: _function,
    cst.ClassDef: _class, cst.Decorator: _decorator, cst.SimpleStatementLine: _statement_line, cst.Assign: _assign,
    cst.Expr: _expr}
STATEMENTS: Writers = {
    **RECORDED, cst.AssignTarget: _assign_target, cst.Return: _return, cst.Raise: _raise,
    cst.Assert: _assert, cst.ImportFrom: _import_from, cst.ImportAlias: _alias, cst.Module: _module}
