"""Names as the output writes them, and the imports and helpers that they need."""

from __future__ import annotations

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tree import walk

SHORT = (("torch.nn.functional.", "F."), ("torch.nn.", "nn."), ("helpers.", ""))
DTYPES = {"float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool", "complex64",
          "complex128"}


def helpers_in(em: Emitter, tree: cst.CSTNode) -> None:
    for n in walk(tree):
        if type(n) is cst.Attribute and type(n.value) is cst.Name and n.value.value == "helpers":
            em.helper(n.attr.value)


def short(em: Emitter, name: str) -> str:
    """The name as the output writes it; notes the import or helper that it needs."""
    for prefix, to in SHORT:
        if name.startswith(prefix):
            if to:
                em.need(to[:-1])
            else:
                em.helper(name[len(prefix):])
            return to + name[len(prefix):]
    em.need(name.split(".")[0])
    return name
