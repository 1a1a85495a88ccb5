"""The small languages inside rows: signatures, argument maps, samples and expressions, from text to plain data."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from typing import Any

# names in expressions that are no parameter
FREE = {"helpers", "F", "torch", "nn", "math", "tf", "keras", "np", "len", "range", "tuple", "list", "reversed",
        "int", "float", "bool", "min", "max", "zip", "sum", "enumerate", "slice", "sorted", "dict", "isinstance"}


class Bad(Exception):
    """A row that breaks the grammar."""


class RowError(ValueError):
    """Rows that break the grammar: one line per fault, with file and row."""


def each(sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One sample for each combination of the `{each: [...]}` in it."""
    choices = [v["each"] if isinstance(v, dict) and "each" in v else [v] for v in sample.values()]
    for values in itertools.product(*choices):
        yield dict(zip(sample, values, strict=True))


def argument(arg: Any) -> tuple[str, str | None, tuple[str, ...], str | None]:
    if isinstance(arg, str):
        return (arg, None, (), None)
    if not isinstance(arg, dict) or arg.keys() - {"to", "via", "with", "of"} or not {*arg} & {"to", "via"}:
        raise Bad(f"argument {arg!r}: expected a name or {{to, via, with, of}}")
    with_ = arg.get("with", ())
    with_ = (with_,) if isinstance(with_, str) else tuple(with_)
    return (arg.get("to", ""), arg.get("via"), with_, arg.get("of"))


def braces(text: str) -> list[str]:
    """`tf.{,math.}exp(x)` is two signatures."""
    head, paren, rest = text.partition("(")
    parts = re.split(r"\{([^}]*)\}", head)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(choice) + paren + rest for choice in itertools.product(*choices)]


def parse_signature(text: str) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Plain signature, and the names that its parameters have in the row's first signature where they differ:
    `keras.ops.sum(x: input_tensor, axis=None)`."""
    name, paren, _ = text.partition("(")
    if not re.fullmatch(r"[\w.]+(\.\*)?", name):
        raise Bad(f"signature {text!r}: not a dotted name")
    if not paren:
        return (name, (), False, True), {}
    try:
        spec = ast.parse(f"def f{text[len(name):]}: pass").body[0].args  # type: ignore[attr-defined]
    except SyntaxError as fault:
        raise Bad(f"signature {text!r}: {fault.msg}") from fault
    plain = spec.posonlyargs + spec.args
    defaults = [None] * (len(plain) - len(spec.defaults)) + [ast.unparse(d) for d in spec.defaults]
    params = [(p.arg, d, "", False) for p, d in zip(plain, defaults, strict=True)]
    if spec.vararg:
        params.append((spec.vararg.arg, None, "*", False))
    for p, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        params.append((p.arg, d and ast.unparse(d), "", True))
    if spec.kwarg:
        params.append((spec.kwarg.arg, None, "**", False))
    every = [*plain, *spec.kwonlyargs, *([spec.vararg] if spec.vararg else [])]
    renamed = {ast.unparse(p.annotation): p.arg for p in every if p.annotation}
    return (name, tuple(params), name.startswith("tensor."), False), renamed


def expr_names(text: str) -> list[ast.Name]:
    """The free names of an expression, in order of appearance."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as fault:
        raise Bad(f"expression {text!r}: {fault.msg}") from fault
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in bound | FREE]
    return sorted(names, key=lambda n: (n.lineno, n.col_offset))
