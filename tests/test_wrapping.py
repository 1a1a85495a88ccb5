"""Too long lines: broken as a formatter would, and nothing else changes."""

from __future__ import annotations

import ast

import pytest

from port.wrapping import LIMIT, wrapped

A, B = "a" * 52, "b" * 52


@pytest.mark.parametrize(("line", "broken"), [
    (f"x = f({A}, {B}, c=1, d=2)  # why\n", f"x = f(\n    {A}, {B}, c=1, d=2\n)  # why\n"),
    (f"y = f([{A}, g({B}), h(1, 2, 3)])\n", f"y = f([\n    {A},\n    g({B}),\n    h(1, 2, 3),\n])\n"),
    (f"x_y = {A}(1, 2), {B}, 1\n", f"x_y = (\n    {A}(1, 2), {B}, 1\n)\n"),
    (f"x_abc={A}(1, 2), {B}, 1\n", f"x_abc=(\n    {A}(1, 2), {B}, 1\n)\n"),
    (f"x = f(lambda a, b: {A} + {B}, 3, 4, 5)\n",
     f"x = f(\n    lambda a, b: {A} + {B},\n    3,\n    4,\n    5,\n)\n"),
    (f"x = f({A}, g({A}, {B}, {B}))\n",
     f"x = f(\n    {A},\n    g(\n        {A},\n        {B},\n        {B},\n    ),\n)\n"),
    (f"{A} = [{B} for a, b in c if a and b]\n", f"{A} = [\n    {B} for a, b in c if a and b\n]\n"),
    (f"f(lambda x: g(x, {A}, {B}, c=[[0, 0], [{A}, 1], [0, 0]]))\n",
     f"f(\n    lambda x: g(\n        x,\n        {A},\n        {B},\n        "
     f"c=[[0, 0], [{A}, 1], [0, 0]],\n    )\n)\n"),
    (f"if 1:\n    x = {A}[0]({B}, y)[z][aa]\n", f"if 1:\n    x = {A}[0](\n        {B}, y\n    )[z][aa]\n"),
])
def test_brackets_are_broken(line: str, broken: str) -> None:
    assert wrapped(line, "") == broken
    assert ast.dump(ast.parse(line)) == ast.dump(ast.parse(broken))


@pytest.mark.parametrize("text", [
    f"f(1,\n  {A}={A}, b={B},\n  c=2)\n",  # a line inside brackets: no tuple is assigned there
    f"f(1,\n  {A}, {B}, b=a,\n  c=2)\n",
    f"x = {A}, {A}, {B}; y = 2\n",  # two statements
    f"{A} == \\\n    b={A}, {B}, 1, 2, 3\n",
    f"x = {A} + {B} + {A}[0] + {B}\n",  # no brackets worth a line
    f"# f({A}, {B}, {A})\n",
    f"x = f({A}, {B}, {A})  # port: ignore[P203]\n",  # a line that a tool reads
    f'"""Says\nx = f({A}, {B}, {A})\n"""\n',
    f'@says("""one\nx = f({A}, {B}, {A})\n""")\ndef f():\n    pass\n',
    f"x = '{A} f({A}, {B})'\n",
    f"f({A}, {B}, {A}\n",  # what cannot be read
])
def test_what_has_a_meaning_as_it_stands_stays(text: str) -> None:
    assert len(text) > LIMIT and wrapped(text, "") == text


def test_lines_of_the_source_stay_and_newlines_are_kept() -> None:
    long = f"x = f({A}, {B}, {A}, c)\r\n"
    assert wrapped(long, long) == long
    assert wrapped(long, "") == f"x = f(\r\n    {A},\r\n    {B},\r\n    {A},\r\n    c,\r\n)\r\n"
