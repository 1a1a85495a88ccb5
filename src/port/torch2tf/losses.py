"""Loss objects of torch.nn: functions of tensors, with the settings that they were made with."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.torch2tf.jobs import Job
from port.torch2tf.refused import Refused
from port.torch2tf.rowforms import made

_OLD = ("size_average", "reduce")
# class -> (function, parameters of the class in order, tensors that the object is called with)
LOSSES: dict[str, tuple[str, str, str]] = {
    "CrossEntropyLoss": ("cross_entropy", "weight size_average ignore_index reduce reduction label_smoothing", ""),
    "NLLLoss": ("nll_loss", "weight size_average ignore_index reduce reduction", ""),
    "MSELoss": ("mse_loss", "size_average reduce reduction", ""),
    "L1Loss": ("l1_loss", "size_average reduce reduction", ""),
    "SmoothL1Loss": ("smooth_l1_loss", "size_average reduce reduction beta", ""),
    "HuberLoss": ("huber_loss", "reduction delta", ""),
    "BCELoss": ("binary_cross_entropy", "weight size_average reduce reduction", ""),
    "BCEWithLogitsLoss": ("binary_cross_entropy_with_logits", "weight size_average reduce reduction pos_weight", ""),
    "KLDivLoss": ("kl_div", "size_average reduce reduction log_target", ""),
    "PoissonNLLLoss": ("poisson_nll_loss", "log_input full size_average eps reduce reduction", ""),
    "GaussianNLLLoss": ("gaussian_nll_loss", "full eps reduction", "input target var"),
    "SoftMarginLoss": ("soft_margin_loss", "size_average reduce reduction", ""),
    "HingeEmbeddingLoss": ("hinge_embedding_loss", "margin size_average reduce reduction", ""),
    "MarginRankingLoss": ("margin_ranking_loss", "margin size_average reduce reduction", "input1 input2 target"),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", "margin size_average reduce reduction", "input1 input2 target"),
    "TripletMarginLoss": ("triplet_margin_loss", "margin p eps swap size_average reduce reduction",
                          "anchor positive negative"),
}
FUNCTIONS = {f"torch.nn.functional.{function}": tensors or "input target" for function, _, tensors in LOSSES.values()}


def write_loss(w: Any, node: cst.Call, symbol: str) -> Any:
    """`nn.MSELoss()` is `lambda input, target: tf.reduce_mean(tf.square(input - target))`."""
    entry = LOSSES.get(symbol.rpartition(".")[2])
    if entry is None:
        raise Refused("P201", f"there is no row for the loss `{symbol}`", node, symbol)
    function, names, tensors = entry
    settings = []
    for position, arg in enumerate(node.args):
        name = arg.keyword.value if arg.keyword is not None else names.split()[position]
        if name in _OLD and w.fact(arg.value).literal(...) is not None:
            raise Refused("P202", f"`{name}` is an old setting of losses: give `reduction`", node, symbol)
        if name not in _OLD:
            settings.append(cst.Arg(arg.value, keyword=cst.Name(name)))
    return as_function(w, f"torch.nn.functional.{function}", tensors or "input target", settings, node)


def as_function(w: Any, symbol: str, tensors: str, settings: list[cst.Arg], at: cst.CSTNode) -> Any:
    """The function with its settings, as a value."""
    from port.torch2tf import rows

    names = tensors.split()
    call = cst.Call(cst.Name("loss"), [*(cst.Arg(cst.Name(n)) for n in names), *settings])
    try:
        made = rows.write_call(w, call, symbol)
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, at, symbol) from None
    if isinstance(made, cst.Call) and isinstance(made.func, cst.Name) and [
            a.value.value if isinstance(a.value, cst.Name) and a.keyword is None else "" for a in made.args] == names:
        return made.func
    return expression(f"lambda {', '.join(names)}: x").with_changes(body=made)


def loss(job: Job) -> cst.BaseExpression:
    """One value per element, reduced as torch reduces: over all."""
    from port.torch2tf.rows import from_template, template_of

    each = from_template(job, template_of(job.w, job.row))
    how = job.literal("reduction")
    if how == "none":
        return each
    return made(job, "tf.reduce_mean({l})" if how == "mean" else "tf.reduce_sum({l})",
                "keras.ops.mean({l})" if how == "mean" else "keras.ops.sum({l})", l=each)


ROWS: dict[str, Any] = {"loss": loss}
