"""A class that derives from a layer of Keras, and adds to what that gives, holds one instead:

    class Ret(layers.Embedding):                        class Ret(layers.Layer):
        def call(self, inputs):                             def __init__(self, input_dim, output_dim, **kwargs):
            x = super().call(inputs)                            super().__init__(**kwargs)
            return [x, self.embeddings + 0.0]      ->           self.embedding = layers.Embedding(input_dim, output_dim)

                                                            def call(self, inputs):
                                                                x = self.embedding(inputs)
                                                                return [x, self.embedding.embeddings + 0.0]

The constructor takes what the base must have, and what calls of the project give it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from port.build import expression
from port.names import Names
from port.tf2torch.rules.bodies import split_docstring
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import code, find, rebuild

BASES = {"keras.layers.Embedding": ("embedding", ("embeddings", "input_dim", "output_dim", "mask_zero"))}
PASSED = ("call", "compute_mask", "compute_output_shape")


def rewrite(module: cst.Module, bound: Names, modules: Sequence[cst.Module], rows: Mapping[str, Any]) -> cst.Module:
    """The module with such classes written out; the same object without any."""
    body = [_class(s, bound, modules, rows) if isinstance(s, cst.ClassDef) else s for s in module.body]
    return module if all(a is b for a, b in zip(body, module.body, strict=True)) else module.with_changes(body=body)


def _class(node: cst.ClassDef, bound: Names, modules: Sequence[cst.Module], rows: Mapping[str, Any]) -> cst.ClassDef:
    base = bound.resolve(node.bases[0].value) if len(node.bases) == 1 and not node.keywords else ""
    methods = {s.name.value for s in node.body.body if isinstance(s, cst.FunctionDef)}
    taken = _taken(node.name.value, rows.get(base, ()), modules) if base in BASES else None
    if taken is None or "call" not in methods or methods & {"__init__", "build"} or not isinstance(
            node.bases[0].value, cst.Attribute):
        return node
    held, members = BASES[base]
    inside = [_held(s, node.name.value, held, members) for s in node.body.body]
    if any(_is_left(s) for s in inside):
        return node
    docstring, rest = split_docstring(inside)
    layer = node.bases[0].value
    given = ", ".join([*(p for p, d in taken if d is None), *(f"{p}={p}" for p, d in taken if d is not None)])
    params = ", ".join(["self", *(p if d is None else f"{p}={d}" for p, d in taken), "**kwargs"])
    init = cst.parse_statement(f"def __init__({params}):\n    super().__init__(**kwargs)\n"
                               f"    self.supports_masking = True\n    self.{held} = {code(layer)}({given})\n"
                               f"{_remembered(methods, taken)}")
    blank = [cst.EmptyLine(indent=False)]
    init = init.with_changes(leading_lines=blank if docstring else [])  # type: ignore[union-attr]
    return node.with_changes(
        bases=[node.bases[0].with_changes(value=layer.with_changes(attr=cst.Name("Layer")))],
        body=node.body.with_changes(body=[*docstring, init, *(
            [rest[0].with_changes(leading_lines=blank), *rest[1:]] if not docstring else rest)]))


def _remembered(methods: set[str], taken: Sequence[tuple[str, str | None]]) -> str:
    """What `compute_mask` of the layer depends on."""
    asked = "compute_mask" in methods and any(p == "mask_zero" for p, _ in taken)
    return "    self.mask_zero = mask_zero\n" if asked else ""


def _taken(name: str, rows: Sequence[Any], modules: Sequence[cst.Module]) -> list[tuple[str, str | None]] | None:
    """Parameters of the base, with their defaults, that it must have or that a call gives; None if that is not told."""
    params = [p for p in rows[0].tf[0].params if not p.star] if rows else []
    wanted = {p.name for p in params if p.default is None}
    for call in (c for m in modules for c in find(m, cst.Call) if code(c.func).rpartition(".")[2] == name):
        if any(a.star for a in call.args) or not params:
            return None
        wanted |= {params[i].name for i, a in enumerate(call.args) if a.keyword is None and i < len(params)}
        wanted |= {a.keyword.value for a in call.args if a.keyword is not None}
    known = {p.name for p in params} - {"weights"}  # arrays are told, or refused, where they are given
    if wanted - known - SUPER_ONLY - {"weights"}:
        return None
    flags = [("trainable", "True")] if "trainable" in wanted else []  # of its weights, which are the layer's now
    return [*((p.name, p.default) for p in params if p.name in wanted & known), *flags] if params else None


def _held(node: Any, name: str, held: str, members: Sequence[str]) -> Any:
    """`super().call(x)` -> `self.embedding(x)`; `self.embeddings` -> `self.embedding.embeddings`."""
    def change(child: Any) -> Any:
        func = child.func if isinstance(child, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value in PASSED and _is_super(func.value, name):
            new = rebuild(child, change)
            method = "" if func.attr.value == "call" else f".{func.attr.value}"
            return new.with_changes(func=expression(f"self.{held}{method}"))
        if isinstance(child, cst.Attribute) and code(child.value) == "self" and child.attr.value in members:
            return child.with_changes(value=expression(f"self.{held}"))
        return rebuild(child, change)

    return change(node)


def _is_super(node: Any, name: str) -> bool:
    return isinstance(node, cst.Call) and code(node).replace(" ", "") in ("super()", f"super({name},self)")


def _is_left(node: Any) -> bool:
    return any(isinstance(c.func, cst.Name) and c.func.value == "super" for c in find(node, cst.Call)) and not (
        isinstance(node, cst.FunctionDef) and node.name.value in ("get_config",))
