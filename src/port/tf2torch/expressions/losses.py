"""Loss objects that are called: what stands for one takes the labels and the predictions, and nothing else."""

from __future__ import annotations

import libcst as cst

from port.tf2torch.emit import Emitter, Refused
from port.tree import code, find

LOSSES = ("keras.losses.", "tf.losses.", "tf.compat.v1.keras.losses.")


def check(em: Emitter, node: cst.Call) -> None:
    """Refuse weights of examples."""
    more = [a for i, a in enumerate(node.args) if (a.keyword is None and i > 1) or (
        a.keyword is not None and a.keyword.value not in ("y_true", "y_pred"))]
    if more and _is_loss(em, node.func):
        name = more[0].keyword.value if more[0].keyword is not None else "sample_weight"
        raise Refused("P202", f"`{name}` in the call of a loss: make it with `reduction=None`, multiply what it gives "
                      "by the weights, and take the mean", node)


def _is_loss(em: Emitter, func: cst.BaseExpression) -> bool:
    if isinstance(func, cst.Call):
        return em.symbol(func.func).startswith(LOSSES)
    return isinstance(func, cst.Name | cst.Attribute) and any(
        isinstance(s.value, cst.Call) and code(t.target) == code(func) and em.symbol(s.value.func).startswith(LOSSES)
        for s in find(em.it.module, cst.Assign) for t in s.targets)
