"""What a module gives that is passed in from outside is told by its use: `self.backbone(x).mean(dim=1)` is of a tensor.

Nothing calls the constructor, so what it is given is not known when all else is: then the places that take something
for a tensor, as nothing but one can be taken, are read again with it. It has the source's axes, like all of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf import members
from port.torch2tf.binds import names_of
from port.torch2tf.definitions import TENSOR_WORDS
from port.torch2tf.values import BOTTOM, TENSOR

if TYPE_CHECKING:
    from port.scopes import Env
    from port.torch2tf.interp import Interp

# Methods of tensors alone: neither NumPy's arrays nor modules, lists, strings, files or tables have them.
OWN = frozenset("""
    amax amin bmm chunk contiguous detach expand expand_as gather index_select log_softmax logsumexp masked_fill
    masked_fill_ movedim new_full new_ones new_tensor new_zeros permute relu repeat_interleave scatter scatter_add
    sigmoid softmax tanh topk type_as unbind unsqueeze view_as""".split())


def method(it: Interp, node: cst.Call, callee: Fact, env: Env) -> Fact:
    """The callee, or the method of a tensor that it must be."""
    func = node.func
    if not isinstance(func, cst.Attribute) or not _proven(it, node, func.attr.value):
        return callee
    owner = it.fact(func.value)
    number = owner.kind is Kind.PLAIN and owner.payload is None and owner.values is None and not owner.symbol and (
        isinstance(func.value, cst.BinaryOperation))  # `(logits / T).softmax(dim=-1)`, and nothing tells of logits
    if owner is not BOTTOM and not number:
        return callee
    if not it.late:
        it.untold.update(dict.fromkeys(it.current[-1:]))
        return callee
    it.note(func.value, TENSOR)
    if isinstance(func.value, cst.Name):
        env.names[func.value.value] = TENSOR
    told = members.tensor_attribute(TENSOR, func.attr.value)
    it.note(func, told)
    return told


def _proven(it: Interp, node: cst.Call, name: str) -> bool:
    words = any(a.keyword is not None and a.keyword.value in TENSOR_WORDS for a in node.args)
    return name in OWN or (words and any(row in it.rows for row in names_of(f"tensor.{name}")))
