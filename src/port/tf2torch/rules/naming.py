"""Names of attributes and classes: those that the source gives, in Python's spelling."""

from __future__ import annotations

import libcst as cst

from port.imports import LINES, has_helper
from port.tf2torch.emit import Emitter


def snake(name: str) -> str:
    out = "".join(f"_{c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower()
                  for i, c in enumerate(name))
    return out.strip("_")


def camel(name: str) -> str:
    parts = [p for p in name.replace("-", "_").strip("_").split("_") if p]
    return "".join(p[:1].upper() + p[1:] for p in parts) or "Model"


def literal_name(em: Emitter, node: cst.Call) -> str:
    """The attribute name that the source's `name=` gives: literal, or the constant part of an expression."""
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "name":
            return _name_text(em, arg.value)
    return ""


def _name_text(em: Emitter, node: cst.BaseExpression) -> str:
    value = em.fact(node).literal(None)
    text = value if isinstance(value, str) else ""
    if not text and isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        right = em.fact(node.right).literal(None)
        text = right if isinstance(right, str) else ""
    elif not text and isinstance(node, cst.FormattedString) and node.parts:
        last = node.parts[-1]
        text = last.value if isinstance(last, cst.FormattedStringText) else ""
    elif not text and isinstance(node, cst.BooleanOperation):
        return _name_text(em, node.right)
    elif not text and isinstance(node, cst.IfExp):
        return _name_text(em, node.orelse) or _name_text(em, node.body)
    text = "".join(c if c.isalnum() else "_" for c in text).strip("_").lower()
    if text and text[0].isdigit():
        text = ""
    return text if text.isidentifier() and text not in RESERVED else ""


def constant_name(em: Emitter, node: cst.Call) -> str:
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "name":
            value = em.fact(arg.value).literal(None)
            if isinstance(value, str):
                return _name_text(em, arg.value)
    return ""


RESERVED = {"training", "forward", "modules", "parameters", "children", "buffers", "state_dict", "train", "eval",
            "apply", "type", "float", "double", "half", "to", "cuda", "cpu", "add_module", "register_buffer", "class",
            "def", "for", "if", "in", "is", "lambda", "pass", "not", "or", "and", "from", "import", "with", "as"}


def free_name(em: Emitter, name: str) -> str:
    """A class name that the file does not use yet, nor will: torch.nn.functional is imported as F."""
    while (name in LINES or name in em.it.globals.names or name in em.it.names.bound or name in em.it_classes
           or has_helper(name)):
        name = "Net" if name == "Model" else name + "Model"
    return name
