"""Methods that stay in PyTorch while their class is ported: what trains, inspects or converts it.

The method keeps its text, with the reason above it and its imports inside. Nothing that is ported may use it; neither
may it have a name that PyTorch or Keras call by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port import imports
from port.torch2tf.members import MODULE_METHODS
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function

# Methods that Keras calls, and those of PyTorch whose redefinition decides how a module computes.
CALLED = (MODULE_METHODS - {n for n in MODULE_METHODS if "state_dict" in n}) | frozenset("""
    forward eval call build compute_output_shape compute_output_spec compute_mask get_config from_config
    get_build_config build_from_config train_step test_step predict_step make_train_function make_test_function
    make_predict_function compute_loss compute_metrics reset_metrics add_weight add_loss save_own_variables
    load_own_variables save_assets load_assets stateless_call count_params""".split())

SCRIPTED = ("__prepare_scriptable__",)  # torch.jit.script calls it, and nothing else does


def may_stay(w: Any, f: Function) -> bool:
    """A method that its class can do without."""
    cls: Class | None = f.owner
    return (cls is not None and f.node in cls.node.body.body and cls.node not in w.written_as
            and f.name not in CALLED and (f.name in SCRIPTED or not (
                f.name.startswith("__") and f.name.endswith("__"))))


def method(w: Any, f: Function, write: Any) -> cst.FunctionDef:
    """The method in Keras, or as it was; what it needs is noted only if it is written."""
    node = f.node
    assert isinstance(node, cst.FunctionDef)
    if node in w.left:
        return as_it_was(w, node, w.left[node])
    try:
        with w.tentative():
            return write(w, f)  # type: ignore[no-any-return]
    except Refused as refusal:
        w.left[node] = refusal.kept()
        return as_it_was(w, node, refusal)


def find_others(w: Any, cls: Class, write: Any) -> None:
    """Of a class that is refused: those that would stay in any case."""
    for f in cls.methods.values():
        if may_stay(w, f) and f.node not in w.left:
            method(w, f, write)


def as_it_was(w: Any, node: cst.FunctionDef, refusal: Refused) -> cst.FunctionDef:
    w.report(refusal.code, refusal.args[0], refusal.node or node, refusal.symbol)
    w.kept.append(node)
    return marked(with_imports(w, node), refusal)


def marked(node: Any, refusal: Refused, above: Sequence[cst.EmptyLine] = ()) -> Any:
    """The statement with the reason above it, if it has none: a file may have been through here before."""
    if any(e.comment is not None and e.comment.value.startswith("# port: P") for e in (*node.leading_lines, *above)):
        return node
    note = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {' '.join(refusal.args[0].split())}"))
    return node.with_changes(leading_lines=[*node.leading_lines, note])


def with_imports(w: Any, node: cst.FunctionDef) -> cst.FunctionDef:
    """A function that stays in PyTorch imports it itself; what its head needs is imported at the top."""
    head = w.framework_names(node.params) | {n for d in node.decorators for n in w.framework_names(d)}
    head |= w.framework_names(node.returns) if node.returns is not None else set()
    w.top_level |= head
    if not isinstance(node.body, cst.IndentedBlock):
        w.top_level |= w.framework_names(node)
        return node
    docstring, rest = split_docstring(list(node.body.body))
    lines = imports.local_imports(w, w.framework_names(node.body) - head, rest)
    return node.with_changes(body=node.body.with_changes(body=[*docstring, *lines, *rest]))


def split_docstring(body: list[Any]) -> tuple[list[Any], list[Any]]:
    first = body[0] if body else None
    is_doc = isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr) and isinstance(
        first.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    return (body[:1], body[1:]) if is_doc else ([], body)
