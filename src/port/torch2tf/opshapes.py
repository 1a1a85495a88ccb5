"""Facts of the framework's functions and tensor methods: shape, dtype, and the layout that their tensors must have.

A rule is found by the name of the function; a method is the function with its tensor as first argument. A name without
a rule gives a tensor of which nothing is known, in the source's layout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from port.facts import Fact, tensor
from port.torch2tf.opargs import DTYPES, PLAIN, Args, Result
from port.torch2tf.opaxes import (
    expand,
    expand_as,
    flatten,
    like_second,
    matrix_transpose,
    permute,
    rank_kept,
    repeat,
    selected,
    squeeze,
    transpose,
    unflatten,
    unsqueeze,
    view,
)
from port.torch2tf.opcreate import (
    arange,
    cartesian_prod,
    created,
    embedding,
    eye,
    from_data,
    full,
    item,
    like,
    linspace,
    meshgrid,
    new_from_data,
    new_full,
    new_tensor,
    number,
    one_hot,
    packed,
    pad_sequence,
    rank,
    scalar,
    size,
    unpacked,
)
from port.torch2tf.opelements import (
    cast,
    elementwise,
    floating,
    of_dtype,
    pair,
    placed,
    plain_same,
    reduce,
    rolled,
    same,
    same_pair,
    topk,
    total,
    where,
)
from port.torch2tf.opparts import cat, chunk, einsum, gathered, glu, linear, matmul, stack, unbind
from port.torch2tf.opspatial import imaged, padded, pool, resized, spatial, unfolded
from port.torch2tf.values import PLAIN as NUMBER

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


INITIAL = frozenset(("he_normal_", "lecun_normal_", "glorot_normal_", "truncated_normal_", "variance_scaling_",
                     "keras_fans_"))  # helpers of tf2torch


def function(it: Interp, node: cst.Call, name: str, facts: list[Fact]) -> Fact:
    names = [a.keyword.value if a.keyword is not None else "" for a in node.args]
    return _apply(it, Args(it, node, facts, names, [a.value for a in node.args]), name)


def own(it: Interp, node: cst.Call, facts: list[Fact]) -> Fact:
    """A function of the project that a row of its own translates: nothing is known of its result."""
    return function(it, node, "", facts)


def method(it: Interp, node: cst.Call, name: str, owner: Fact, facts: list[Fact]) -> Fact:
    names = ["", *(a.keyword.value if a.keyword is not None else "" for a in node.args)]
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    return _apply(it, Args(it, node, [owner, *facts], names, [receiver, *(a.value for a in node.args)]), name)


def _apply(it: Interp, a: Args, name: str) -> Fact:
    if name.endswith("_") and not name.startswith("_") and name[:-1] in RULES and name not in INITIAL:
        name = name[:-1]
    if name.startswith(("nn.utils.rnn.", "linalg.", "special.", "nn.functional.")):
        name = name.rpartition(".")[2]
    rule = same if name.startswith("nn.init.") or name in INITIAL else RULES.get(name)
    if rule is None:
        it.wants[a.node] = PLAIN
        return tensor() if not name.startswith(("is_", "get_", "cuda", "distributed", "jit", "backends")) else NUMBER
    result, want = rule(a)
    it.wants[a.node] = want
    return result


def _rules() -> dict[str, Callable[[Args], Result]]:
    table: dict[str, Callable[[Args], Result]] = {}

    def put(rule: Callable[[Args], Result], names: str) -> None:
        table.update(dict.fromkeys(names.split(), rule))

    put(same, """
        relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid tanh softplus hardtanh hardswish hardsigmoid
        logsigmoid softsign tanhshrink hardshrink softshrink abs absolute neg negative exp expm1 log log2 log10
        log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh arctan arcsin
        arccos sign floor ceil round trunc frac erf erfc erfinv detach clone contiguous clamp clamp_min clamp_max
        clip dropout alpha_dropout feature_dropout requires_grad cpu cuda nan_to_num
        bitwise_not rad2deg deg2rad lgamma digamma sgn zero fill normal uniform exponential bernoulli retain_grad
        pin_memory variable autograd.Variable threshold rrelu sigmoid_ special_expit mul_ softmax log_softmax
        softmin normalize flip flipud logcumsumexp gumbel_softmax""")
    put(rolled, "roll")
    put(plain_same, """
        fliplr tril triu sort_values index_fill index_add index_copy scatter scatter_add scatter_reduce masked_scatter
        layer_norm rms_norm diag_embed index_put conj""")
    put(elementwise, """
        add sub subtract mul multiply div divide true_divide floor_divide fmod remainder pow maximum minimum atan2
        addcmul addcdiv lerp masked_fill logaddexp hypot float_power rsub prelu bitwise_and bitwise_or bitwise_xor
        dist_ xlogy copysign fmax fmin type_as""")
    put(of_dtype("bool", elementwise), """
        eq ne lt le gt ge logical_and logical_or logical_xor isclose greater less greater_equal less_equal not_equal""")
    put(of_dtype("bool", same), "logical_not isnan isinf isfinite isneginf isposinf")
    put(where, "where")
    for name, dtype in DTYPES.items():
        put(of_dtype(dtype, same), name)
    put(of_dtype("float32", same), "float")
    put(cast, "to type")
    put(reduce, "mean amax amin logsumexp var std norm vector_norm nanmean")
    put(total(reduce), "sum prod nansum")
    put(total(same), "cumsum cumprod")
    put(of_dtype("int64", reduce), "count_nonzero")
    put(of_dtype("bool", reduce), "any all")
    put(of_dtype("int64", placed), "argmax argmin")
    put(pair(only_with_dim=True), "max min")
    put(pair(), "median mode kthvalue")
    put(pair(second=None), "var_mean std_mean aminmax")
    put(same_pair, "sort cummax cummin")
    put(topk, "topk")
    put(of_dtype("int64", plain_same), "argsort multinomial")
    put(view, "view reshape")
    put(permute, "permute")
    put(transpose, "transpose swapaxes swapdims")
    put(matrix_transpose, "t adjoint inverse pinverse")
    put(unsqueeze, "unsqueeze")
    put(squeeze, "squeeze")
    put(flatten, "flatten ravel")
    put(unflatten, "unflatten")
    put(expand, "expand broadcast_to")
    put(expand_as, "expand_as")
    put(like_second, "view_as reshape_as")
    put(repeat, "repeat tile")
    put(rank_kept, """
        repeat_interleave narrow unique_consecutive take_along_dim movedim moveaxis rot90 diff cross
        inv cholesky""")
    put(selected, "index_select take_along_dim")
    put(glu, "glu")
    put(chunk, "chunk split tensor_split split_with_sizes")
    put(unbind, "unbind")
    put(cat, "cat concat concatenate")
    put(stack, "stack")
    put(matmul, "matmul bmm mm mv dot")
    put(einsum, "einsum")
    put(linear, "linear")
    put(gathered, "gather")
    for n in (1, 2, 3):
        put(spatial(n + 2), f"conv{n}d conv_transpose{n}d")
        put(pool(n + 2), f"max_pool{n}d avg_pool{n}d adaptive_avg_pool{n}d adaptive_max_pool{n}d lp_pool{n}d")
        put(pool(n + 2), f"max_pool{n}d_same avg_pool{n}d_same")
    put(spatial(4), "center_crop resize_bicubic")
    put(same, "relu sparsemax slice_update")
    put(floating, "softmax log_softmax sigmoid tanh logsigmoid softplus gelu silu exp log sqrt rsqrt sin cos erf")
    put(resized, "interpolate upsample pixel_shuffle pixel_unshuffle grid_sample batch_norm local_response_norm")
    put(imaged, "group_norm instance_norm dropout1d dropout2d dropout3d")
    put(padded, "pad")
    put(unfolded, "unfold")
    put(created, "zeros ones rand randn empty randperm")
    put(full, "full")
    put(new_tensor, "new_zeros new_ones new_empty")
    put(new_full, "new_full")
    put(new_from_data, "new_tensor")
    put(arange, "arange range")
    put(linspace, "linspace logspace")
    put(eye, "eye")
    put(like, "zeros_like ones_like rand_like randn_like empty_like full_like")
    put(from_data, "tensor as_tensor from_numpy FloatTensor LongTensor asarray Tensor")
    put(one_hot, "one_hot")
    put(embedding, "embedding")
    put(meshgrid, "meshgrid")
    put(packed, "pack_padded_sequence pack_sequence")
    put(unpacked, "pad_packed_sequence")
    put(pad_sequence, "pad_sequence")
    put(cartesian_prod, "cartesian_prod")
    put(size, "size")
    put(number, """
        numel nelement tolist numpy data_ptr element_size stride is_floating_point is_contiguous get_device
        dtype_ device finfo iinfo is_tensor is_grad_enabled manual_seed backward storage""")
    put(item, "item")
    put(rank, "dim ndimension")
    put(scalar, """
        cross_entropy mse_loss l1_loss smooth_l1_loss binary_cross_entropy binary_cross_entropy_with_logits
        nll_loss kl_div huber_loss cosine_embedding_loss triplet_margin_loss""")
    put(plain_same, "scaled_dot_product_attention")
    return table


RULES = _rules()
