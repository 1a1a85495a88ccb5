"""Own walks, printing and places against libcst's, on every kind of node that the golden files and Keras hold."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from port.places import spans
from port.printing import printed
from port.syntax import syntax_error
from port.tree import code, module_code, walk

HERE = Path(__file__).parent
FILES = [*sorted(HERE.glob("golden/tf2torch/*/tf_version.py")), HERE / "test_rows.py", HERE / "test_laws.py"]
SYNTAX = '''
import os; from . import (a, b as c,)  # why
from a.b import c, d as e; assert a
def g(a: int=1, *, b: str, **k): return [(i for i in -x), [i for j in x if j if i for i in j], lambda: 0, a is not b]
@decorator(1)
class A(B, metaclass=M):

    x: int = 1; y = 2

    async def f(self, a, /, b=2, *args: int, c, **kw) -> int:
        async with x as y, z: pass
        for i in (1, 2):  # turn
            if a: continue
            elif b:
                break
            else: del a
        else:
            yield
        while not (a and b): b += 1
        try:
            raise E from e
        except (E, F) as e:
            assert a, "b"
        finally:
            global g
        return lambda x, *y: [*x, {**y, 'a': -1}, {i for i in x if i}, x[1:2, ...], f'{a!r:>{b}}', (yield x),
                              a if b else c]


match a:
    case [1, *rest] | {'a': 2, **kw} if b: await x
    case A(1, b=2) as c:
        (n := 1)
        # the end
x = """a
b""" 'c' ; y = (1 +
   2)
'''


def nodes(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [node, *(n for child in node.children for n in nodes(child))]


@pytest.mark.parametrize("text", [SYNTAX, SYNTAX.replace("\n", "\r\n"), *(f.read_text() for f in FILES)])
def test_places_and_texts_are_those_of_libcst(text: str) -> None:
    module = cst.parse_module(text)
    every = walk(module)
    expected = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    places = {n: (p.start.line, p.start.column, p.end.line, p.end.column) for n, p in expected.items()}
    assert spans(module, set(every)).items() >= {(n, places[n]) for n in every}
    for node in every[::7]:  # alone too: what else is noted must not matter
        assert spans(module, {node})[node] == places[node]
    blank = cst.Module([])
    alone = [n for n in every if not isinstance(n, cst.Param | cst.Parameters | cst.Annotation)]  # these need context
    assert all(printed(n, "    ", "\n") == blank.code_for_node(n) for n in alone)
    assert module_code(module) == text


def dumped(text: str) -> str:
    return ast.dump(ast.parse(f"({text})", mode="eval"))


@pytest.mark.parametrize("text", [SYNTAX, *(f.read_text() for f in FILES)])
def test_code_is_the_expression_on_one_line(text: str) -> None:
    found = [n for n in walk(cst.parse_module(text)) if isinstance(n, cst.Call | cst.Subscript | cst.List | cst.Dict)]
    remarks = [n for n in found if "#" in printed(n, "    ", "\n")]  # a comment keeps its line
    for node in set(found) - set(remarks):
        exact = printed(node, "    ", "\n")
        assert dumped(code(node)) == dumped(exact)
        assert "\n" not in code(node) or '"""' in exact
    assert all(dumped(code(n)) == dumped(printed(n, "    ", "\n")) for n in remarks)


@pytest.mark.parametrize(("text", "line"), [
    ("f(\n    a,\n    b=[\n        1,\n        2,\n    ],\n)", "f(a, b=[1, 2])"), ("(\n    a,\n)", "(a,)"),
    ("x[\n    a,\n]", "x[a,]"), ("(x\n .y()\n .z)", "(x.y().z)"), ("(a\n + b)", "(a + b)"),
    ("f(a,  # why\n  b)", "f(a,  # why\n  b)")])
def test_line_breaks_go_with_what_they_stand_for(text: str, line: str) -> None:
    assert code(cst.parse_expression(text)) == line


@pytest.mark.parametrize("text", [SYNTAX, *(f.read_text() for f in FILES)])
def test_walk_meets_the_nodes_of_libcst_in_order(text: str) -> None:
    module = cst.parse_module(text)
    walked = walk(module)
    assert len(set(walked)) == len(walked)
    kinds = (cst.BaseExpression, cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.Arg, cst.Param)
    assert {n for n in nodes(module) if isinstance(n, kinds)} == {n for n in walked if isinstance(n, kinds)}
    outer = walk(module, enter_functions=False)
    inner = [n for n in walked if isinstance(n, cst.FunctionDef | cst.ClassDef | cst.Lambda)]
    below = {n for d in inner for n in walk(d)[1:]}
    assert list(outer) == [n for n in walked if n not in below]


def test_new_nodes_are_printed_with_the_defaults_of_libcst() -> None:
    x, y = cst.Name("x"), cst.Name("y")
    keyword = cst.Arg(y, keyword=x)
    small = [cst.Assign([cst.AssignTarget(x)], y), cst.Return(), cst.Return(y), cst.Expr(x)]
    line, empty = cst.SimpleStatementLine(small), cst.IndentedBlock([])
    chain = cst.If(x, empty, cst.If(y, cst.IndentedBlock([line]), cst.Else(empty)))
    made = [cst.Call(x, [cst.Arg(y), keyword, keyword]), cst.Tuple([cst.Element(x)]), cst.List([cst.Element(x)] * 2),
            cst.Tuple([cst.Element(x)] * 3), cst.Dict([cst.DictElement(x, y)] * 2), line, cst.SimpleStatementLine([]),
            chain, cst.ClassDef(x, empty), cst.ClassDef(x, empty, [cst.Arg(x)], [keyword]),
            cst.FunctionDef(x, cst.Parameters([cst.Param(x), cst.Param(y)]), empty, returns=cst.Annotation(y)),
            cst.FunctionDef(x, cst.Parameters(), empty, asynchronous=cst.Asynchronous()),
            cst.BinaryOperation(x, cst.Add(), y, lpar=[cst.LeftParen()], rpar=[cst.RightParen()]),
            cst.Comparison(x, [cst.ComparisonTarget(cst.NotIn(), y)]), cst.Module([chain], has_trailing_newline=False)]
    assert [code(n) for n in made] == [cst.Module([]).code_for_node(n) for n in made]


def test_syntax_errors_are_found() -> None:
    assert syntax_error("x = 1\n") == ""
    assert syntax_error("pattern = '\\d'\n") == ""
    assert syntax_error("type X[T] = list[T]\n") == "", "syntax of a Python later than 3.11"
    assert syntax_error("x = (1\n")
    assert syntax_error("def f():\nreturn\n")
    assert syntax_error("def f(a, a):\n    pass\n")
