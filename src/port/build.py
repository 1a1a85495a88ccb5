"""New code from templates: `build("{x}.permute({dims})", x=node)` with nodes put in, parenthesised where needed."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

import libcst as cst

from port.printing.printer import breaks
from port.tree import EXPRESSIONS, changed, clone, code, rebuild

# How tightly an expression binds: an operand is put in parentheses if it binds less tightly than its place.
_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float, cst.SimpleString, cst.List,
          cst.Dict, cst.Set, cst.ListComp, cst.FormattedString, cst.Ellipsis, cst.ConcatenatedString)
_LOOSE_PLACES = (cst.Arg, cst.Index, cst.Element, cst.StarredElement, cst.Slice, cst.DictElement, cst.ListComp,
                 cst.Assign, cst.Return, cst.Expr, cst.Tuple, cst.List)


def is_atom(node: cst.BaseExpression) -> bool:
    return type(node) in _ATOMS or bool(getattr(node, "lpar", ()))


def paren(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression, safe as an operand."""
    return node if is_atom(node) else _in_parentheses(node)


def owner(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression, safe in front of a dot: `3.shape` is not read as an attribute."""
    return _in_parentheses(node) if type(node) is cst.Integer and not node.lpar else paren(node)


def _in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


# Fields that hold operands: what stands there must bind tightly.
_OPERANDS: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.IfExp: ("body", "test", "orelse"), cst.BooleanOperation: ("left", "right"), cst.Comparison: ("left",),
    cst.ComparisonTarget: ("comparator",), cst.UnaryOperation: ("expression",), cst.BinaryOperation: ("left", "right"),
    cst.Attribute: ("value",), cst.Subscript: ("value",), cst.Call: ("func",), cst.Await: ("expression",)}


def fitted(old: Any, new: Any) -> Any:
    """What `old` became, its new operands in parentheses where the old ones had some, or were of another kind."""
    if new is old or type(new) is not type(old):
        return new
    changes = {}
    for name in _OPERANDS.get(type(old), ()):
        before, after = getattr(old, name), getattr(new, name)
        alike = type(after) is type(before) and type(getattr(after, "operator", None)) is type(
            getattr(before, "operator", None)) and not getattr(before, "lpar", ())
        if after is not before and not alike:
            changes[name] = owner(after) if type(old) is cst.Attribute else paren(after)
    return changed(new, **changes) if changes else new


@cache
def parse(text: str) -> cst.BaseExpression:
    """The expression; one that breaks its line outside brackets of its own is put in some."""
    try:
        return cst.parse_expression(text)
    except cst.ParserSyntaxError:
        if "\n" not in text:
            raise
        return cst.parse_expression(f"({text})")


@lru_cache(1 << 10)
def parse_line(text: str) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    return cst.parse_statement(text)


def expression(text: str) -> cst.BaseExpression:
    """A fresh copy of a parsed expression."""
    if text.isidentifier():
        return cst.Name(text)
    return clone(parse(text))


def substitute(tree: cst.CSTNode, nodes: dict[str, cst.BaseExpression]) -> cst.CSTNode:
    """The tree with names replaced; keyword names and attributes stay."""
    if type(tree) is cst.Name:
        return nodes.get(tree.value, tree)
    if type(tree) is cst.Arg:
        value = substitute(tree.value, nodes)
        return tree if value is tree.value else changed(tree, value=value)
    if type(tree) is cst.Attribute:
        value = substitute(tree.value, nodes)
        return tree if value is tree.value else changed(tree, value=owner(value))  # type: ignore[arg-type]
    loose = type(tree) in _LOOSE_PLACES

    def change(child: cst.CSTNode) -> cst.CSTNode:
        new = substitute(child, nodes)
        plain = new is child or loose or type(new) not in EXPRESSIONS or type(child) is not cst.Name
        return new if plain else paren(new)  # type: ignore[arg-type]

    return rebuild(tree, change)


def helper_names(tree: cst.CSTNode) -> cst.CSTNode:
    """`helpers.x` of a row as `x`, which the file holds."""
    if type(tree) is cst.Attribute and type(tree.value) is cst.Name and tree.value.value == "helpers":
        return tree.attr
    return rebuild(tree, helper_names)


@lru_cache(1 << 10)
def _with_names(template: str) -> str:
    """`{x}.shape` as Python: `ARG_x.shape`."""
    return re.sub(r"\{(\w+)\}", r"ARG_\1", template)


def build(template: str, **nodes: Any) -> cst.BaseExpression:
    """`{name}` in the template are nodes; text is allowed too."""
    ready = {f"ARG_{k}": expression(v) if isinstance(v, str) else v for k, v in nodes.items()}
    tree = clone(parse(_with_names(template)))
    return substitute(tree, ready) if ready else tree  # type: ignore[return-value]


def statement(template: str, **nodes: Any) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    ready = {f"ARG_{k}": expression(v) if isinstance(v, str) else v for k, v in nodes.items()}
    tree = clone(parse_line(_with_names(template)))
    return substitute(tree, ready) if ready else tree  # type: ignore[return-value]


TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))  # `name=value`
COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
_ARGUMENT = cst.Arg(cst.Name("value"))


def argument(keyword: str, value: cst.BaseExpression, original: cst.Arg | None) -> cst.Arg:
    """An argument of a call; `original`: it keeps the comment and line break that followed the original argument."""
    equal = original.equal if original is not None and original.keyword is not None and keyword else TIGHT
    return changed(original or _ARGUMENT, value=value, keyword=cst.Name(keyword) if keyword else None, star="",
                   equal=equal if keyword else cst.MaybeSentinel.DEFAULT)


def drop_commas(args: list[cst.Arg], original: list[cst.Arg]) -> list[cst.Arg]:
    """Arguments with the separators of the original call: the last one ends as the original last did."""
    if not args:
        return args
    last = original[-1].comma if original else cst.MaybeSentinel.DEFAULT
    multi = len(original) > 0 and breaks_line(original[0].comma)
    out = []
    for i, arg in enumerate(args):
        if i == len(args) - 1:
            comma = _with_comment_of(last, arg.comma) if original else cst.MaybeSentinel.DEFAULT
            after = original[-1].whitespace_after_arg if original else cst.SimpleWhitespace("")
            out.append(changed(arg, comma=comma, whitespace_after_arg=after))
        elif isinstance(arg.comma, cst.MaybeSentinel) or (original and arg.comma is original[-1].comma):
            like = original[0].comma if multi else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            out.append(changed(arg, comma=without_comment(like)))
        else:
            out.append(arg)
    return out


def reflow(call: cst.Call, original: list[cst.Arg]) -> cst.Call:
    """A call that lost arguments and has no remarks inside goes on one line, if it fits there."""
    spaces = [call.whitespace_before_args, *(s for arg in call.args for s in (arg.comma, arg.whitespace_after_arg))]
    if not any(map(breaks_line, spaces)) or "#" in code(call):
        return call
    flat = _flat(call)
    return flat if len(code(flat)) <= 80 and "\n" not in code(flat) else call


def breaks_line(space: Any) -> bool:
    """Is there a line break in this white space, or around this comma?"""
    if type(space) is cst.Comma:
        return breaks_line(space.whitespace_before) or breaks_line(space.whitespace_after)
    return breaks(space) or (type(space) is cst.SimpleWhitespace and "\n" in space.value)


def _flat(call: cst.Call) -> cst.Call:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    none = cst.SimpleWhitespace("")
    args = [changed(a, comma=comma if i < len(call.args) - 1 else cst.MaybeSentinel.DEFAULT, whitespace_after_arg=none)
            for i, a in enumerate(call.args)]
    return changed(call, args=args, whitespace_before_args=none)


def _with_comment_of(last: Any, own: Any) -> Any:
    """The end of the call, with the remark that followed this argument."""
    a, b = getattr(own, "whitespace_after", None), getattr(last, "whitespace_after", None)
    if isinstance(a, cst.ParenthesizedWhitespace) and a.first_line.comment is not None and isinstance(
            b, cst.ParenthesizedWhitespace) and own is not last:
        return last.with_changes(whitespace_after=b.with_changes(first_line=a.first_line))
    return last


def without_comment(comma: Any) -> Any:
    after = getattr(comma, "whitespace_after", None)
    if isinstance(after, cst.ParenthesizedWhitespace) and after.first_line.comment is not None:
        clean = after.with_changes(first_line=after.first_line.with_changes(
            comment=None, whitespace=cst.SimpleWhitespace("")))
        return comma.with_changes(whitespace_after=clean)
    return comma
