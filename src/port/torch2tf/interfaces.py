"""`--layout native`: which tensors of a public interface are channels last in Keras, said beside the line and reported.

The remark (`# x: NHWC, returns NHWC`) is what a reader of the port sees, and what `port verify` feeds it by
(`verify/layouts.py`).
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import ORDERS, Fact, Kind, Layout
from port.torch2tf.members import find_method
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, Function, Items, can_flip, tensors_in

LAST = {rank: last for rank, (_, last) in ORDERS.items()}


def is_public(w: Any, f: Function) -> bool:
    """Does code outside the project call it, in the order of axes that the target has?"""
    if not f.native or f.name == "__init__" or not isinstance(f.node, cst.FunctionDef):
        return False
    if f.owner is None and f.file is not None and f.env is not f.file.env:  # a function inside another one
        return False
    published = f.owner is not None and f.name == "forward" and f.owner.node in w.it.published
    return published or not f.inside


def remarked(w: Any, f: Function, new: cst.FunctionDef) -> cst.FunctionDef:
    """The function with the remark behind its head; what it says is reported, and what keeps the source's axes."""
    public = is_public(w, f)
    if not public and not _is_reachable(w, f):
        return new
    said = [f"{name}: {_order(f.held[name].rank)}" for name in f.arguments if f.is_flipped(name)]
    if given := _returned(f, public):
        said.append(f"returns {given}")
    if public:
        _report_kept(w, f)
    if not said:
        return new
    name = f"{f.owner.name}.{new.name.value}" if f.owner is not None else new.name.value
    _report(w, f.node, name, ", ".join(said))
    return _behind_head(new, ", ".join(said)) if public else new


def _is_reachable(w: Any, f: Function) -> bool:
    """A method that `forward` calls, of a model that users hold: `encode`, `forward_features`."""
    if f.owner is None or not f.owner.is_module or f.name in ("__init__", "forward") or f.name.startswith("_"):
        return False
    forward = find_method(f.owner, "forward")
    return f.inside and (forward is None or not forward.inside or f.owner.node in w.it.published)


def _order(rank: int | None) -> str:
    return LAST.get(rank or 0, "channels last")


def _report(w: Any, node: cst.CSTNode, name: str, said: str) -> None:
    w.report("P103", f"the interface of `{name}` has Keras' order of axes ({said}): whoever calls it, and is not "
             "ported in this run, must follow", node)


def _returned(f: Function, public: bool) -> str:
    """The orders of the tensors that it gives; by place where tensors of one rank differ."""
    parts = list(tensors_in(f.result)) if f.result is not None else []
    last = {p.rank or 0 for p in parts if can_flip(p) and p.layout is Layout.FLIPPED}
    if not last:
        return ""
    mixed = any(p.layout is not Layout.FLIPPED and (p.rank is None or p.rank in last) for p in parts)
    counted = _is_counted(f.result)
    if not mixed or not (counted or public):
        return ", ".join(_order(rank) for rank in sorted(last))
    if not counted:
        raise Refused("P209", f"some results of `{f.name}` are channels last in Keras and others are not: give them "
                      "one by one, in a tuple", f.node)
    return f"({', '.join(_order(p.rank) if p.layout is Layout.FLIPPED else '-' for p in parts)})"


def _is_counted(fact: Fact | None) -> bool:
    """A tensor, or a sequence of them of which the length is known."""
    if fact is None or not isinstance(fact.payload, Items):
        return fact is not None and fact.kind is Kind.TENSOR
    return not fact.payload.open and all(map(_is_counted, fact.payload.elements))


def _report_kept(w: Any, f: Function) -> None:
    """Tensors of a model's interface of which nothing shows that they are channels first in the source."""
    if f.owner is None or not f.owner.is_module or f.name != "forward":
        return
    kept = [f"`{name}`" for name in f.arguments if not f.is_flipped(name) and _may_be_image(f.held.get(name))]
    kept += ["the result"] if f.result is not None and any(map(_may_be_image, tensors_in(f.result))) else []
    if kept:
        word = "keep" if len(kept) > 1 else "keeps"
        w.report("P001", f"{', '.join(kept)} of `{f.owner.name}` {word} PyTorch's order of axes: nothing here shows "
                 "which of them are channels", f.node)


def _may_be_image(fact: Fact | None) -> bool:
    return (fact is not None and fact.kind is Kind.TENSOR and fact.layout is Layout.PLAIN
            and fact.dtype not in ("int64", "int32", "bool") and (fact.rank is None or fact.rank in LAST))


def _behind_head(new: cst.FunctionDef, said: str) -> cst.FunctionDef:
    body: Any = new.body
    if isinstance(body, cst.IndentedBlock):
        return new.with_changes(body=body.with_changes(header=commented(body.header, said)))
    return new.with_changes(body=body.with_changes(trailing_whitespace=commented(body.trailing_whitespace, said)))


def commented(end: cst.TrailingWhitespace, said: str) -> cst.TrailingWhitespace:
    """The end of a line with this remark, behind that of the source."""
    own = end.comment.value + "; " if end.comment is not None else "# "
    return end.with_changes(whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment(own + said))


# ---------------------------------------------------------------- Sequentials
def of_chain(w: Any, chain: Chain, takes: int | None, gives: int | None) -> None:
    """A Sequential that is a model by itself: the ranks of what it takes and gives channels last."""
    said = [f"{word} {LAST[rank]}" for word, rank in (("takes", takes), ("returns", gives)) if rank in LAST]
    if said:
        _report(w, chain.node, "Sequential", ", ".join(said))
        w.it.notes["sequential"] = ", ".join(said)


def behind_line(w: Any, line: Any) -> Any:
    """The line with the remark on the Sequential that was made in it, if one was."""
    said = w.it.notes.pop("sequential", "")
    if not said or not isinstance(line, cst.SimpleStatementLine):
        return line
    return line.with_changes(trailing_whitespace=commented(line.trailing_whitespace, said))
