"""Signatures of the torch.nn modules that become layers, and a call matched with its signature."""

from __future__ import annotations

import ast
from functools import cache

import libcst as cst

from port.binding import bind
from port.table import Param, Signature

_CONV = "in_channels, out_channels, kernel_size, stride=1, padding=0, "
_PLACE = "device=None, dtype=None"
_NORM = f"eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, {_PLACE}, bias=True"
_INSTANCE = f"eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, {_PLACE}, bias=True"
_MAX = "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False"
_AVG = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True"
_RNN = "bias=True, batch_first=False, dropout=0.0, bidirectional=False, "
_TRANSFORMER = f"batch_first=False, norm_first=False, bias=True, {_PLACE}"
_TEXT = f"""
Linear(in_features, out_features, bias=True, {_PLACE})
Bilinear(in1_features, in2_features, out_features, bias=True, {_PLACE})
LazyLinear(out_features, bias=True, {_PLACE})
LazyConv*d(out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros',
  {_PLACE})
LazyBatchNorm*d(eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, {_PLACE}, bias=True)
Conv*d({_CONV}dilation=1, groups=1, bias=True, padding_mode='zeros', {_PLACE})
ConvTranspose*d({_CONV}output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', {_PLACE})
BatchNorm*d(num_features, {_NORM})
SyncBatchNorm(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, process_group=None,
  {_PLACE}, bias=True)
InstanceNorm*d(num_features, {_INSTANCE})
LayerNorm(normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, {_PLACE})
RMSNorm(normalized_shape, eps=None, elementwise_affine=True, {_PLACE})
GroupNorm(num_groups, num_channels, eps=1e-05, affine=True, {_PLACE}, bias=True)
LocalResponseNorm(size, alpha=0.0001, beta=0.75, k=1.0)
MaxPool*d({_MAX})
AvgPool1d({_AVG})
AvgPool2d({_AVG}, divisor_override=None)
AvgPool3d({_AVG}, divisor_override=None)
LPPool*d(norm_type, kernel_size, stride=None, ceil_mode=False)
AdaptiveAvgPool*d(output_size)
AdaptiveMaxPool*d(output_size, return_indices=False)
Dropout(p=0.5, inplace=False)
Dropout*d(p=0.5, inplace=False)
AlphaDropout(p=0.5, inplace=False)
FeatureAlphaDropout(p=0.5, inplace=False)
Identity(*args, **kwargs)
ReLU(inplace=False)
ReLU6(inplace=False)
LeakyReLU(negative_slope=0.01, inplace=False)
ELU(alpha=1.0, inplace=False)
CELU(alpha=1.0, inplace=False)
SELU(inplace=False)
PReLU(num_parameters=1, init=0.25, {_PLACE})
RReLU(lower=0.125, upper=0.3333333333333333, inplace=False)
GELU(approximate='none')
SiLU(inplace=False)
Mish(inplace=False)
Hardswish(inplace=False)
Hardsigmoid(inplace=False)
Hardtanh(min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None)
Hardshrink(lambd=0.5)
Softshrink(lambd=0.5)
Tanhshrink()
Softplus(beta=1.0, threshold=20.0)
Softsign()
Sigmoid()
LogSigmoid()
Tanh()
Threshold(threshold, value, inplace=False)
Softmax(dim=None)
Softmin(dim=None)
LogSoftmax(dim=None)
Softmax2d()
GLU(dim=-1)
Embedding(num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
  sparse=False, _weight=None, _freeze=False, {_PLACE})
EmbeddingBag(num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode='mean',
  sparse=False, _weight=None, include_last_offset=False, padding_idx=None, {_PLACE})
Flatten(start_dim=1, end_dim=-1)
Unflatten(dim, unflattened_size)
PixelShuffle(upscale_factor)
PixelUnshuffle(downscale_factor)
ChannelShuffle(groups)
Fold(output_size, kernel_size, dilation=1, padding=0, stride=1)
Unfold(kernel_size, dilation=1, padding=0, stride=1)
Upsample(size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None)
UpsamplingNearest2d(size=None, scale_factor=None)
UpsamplingBilinear2d(size=None, scale_factor=None)
ZeroPad*d(padding)
ConstantPad*d(padding, value)
ReflectionPad*d(padding)
ReplicationPad*d(padding)
CircularPad*d(padding)
CosineSimilarity(dim=1, eps=1e-08)
PairwiseDistance(p=2.0, eps=1e-06, keepdim=False)
LSTM(input_size, hidden_size, num_layers=1, {_RNN}proj_size=0, {_PLACE})
GRU(input_size, hidden_size, num_layers=1, {_RNN}{_PLACE})
RNN(input_size, hidden_size, num_layers=1, nonlinearity='tanh', {_RNN}{_PLACE})
LSTMCell(input_size, hidden_size, bias=True, {_PLACE})
GRUCell(input_size, hidden_size, bias=True, {_PLACE})
RNNCell(input_size, hidden_size, bias=True, nonlinearity='tanh', {_PLACE})
MultiheadAttention(embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None,
  vdim=None, batch_first=False, {_PLACE})
TransformerEncoderLayer(d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu, layer_norm_eps=1e-05,
  {_TRANSFORMER})
TransformerDecoderLayer(d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu, layer_norm_eps=1e-05,
  {_TRANSFORMER})
TransformerEncoder(encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True)
TransformerDecoder(decoder_layer, num_layers, norm=None)
Transformer(d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1,
  activation=F.relu, custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-05, {_TRANSFORMER})
"""
# modules without a counterpart: what to write instead
REFUSED = {
    "MaxUnpool1d": "Keras pools do not give indices; write the up path with UpSampling or Conv2DTranspose",
    "MaxUnpool2d": "Keras pools do not give indices; write the up path with UpSampling or Conv2DTranspose",
    "MaxUnpool3d": "Keras pools do not give indices; write the up path with UpSampling or Conv2DTranspose",
    "FractionalMaxPool2d": "the pooling regions are drawn at random; use tf.nn.fractional_max_pool",
    "FractionalMaxPool3d": "the pooling regions are drawn at random; use MaxPooling3D",
    "AdaptiveLogSoftmaxWithLoss": "write the clusters as Dense layers",
    "CrossMapLRN2d": "its gradient is not that of its value in torch; write nn.LocalResponseNorm",
    "DataParallel": "leave the wrapper out and build the model under tf.distribute.MirroredStrategy().scope()",
}


def _signature(line: str) -> Signature:
    name, _, rest = line.partition("(")
    spec = ast.parse(f"def f({rest}: pass").body[0].args  # type: ignore[attr-defined]
    required = len(spec.args) - len(spec.defaults)
    defaults = [None] * required + [ast.unparse(d) for d in spec.defaults]
    params = [Param(a.arg, d) for a, d in zip(spec.args, defaults, strict=True)]
    params += [Param(s.arg, None, star) for s, star in ((spec.vararg, "*"), (spec.kwarg, "**")) if s]
    return Signature(f"torch.nn.{name}", tuple(params))


@cache
def signatures() -> dict[str, Signature]:
    """Canonical name to signature; `Conv*d` stands for Conv1d, Conv2d and Conv3d."""
    lines = [line.replace("*d(", f"{n}d(", 1) for line in _TEXT.strip().replace("\n  ", " ").splitlines()
             for n in (range(1, 4) if "*d(" in line.split(" ")[0] else (1,))]
    return {s.name: s for s in map(_signature, lines)}


def bind_layer(symbol: str, call: cst.Call) -> tuple[dict[str, cst.BaseExpression], str]:
    """(parameter -> argument node, what does not fit)."""
    signature = signatures().get(symbol)
    if signature is None:
        return {}, "no signature of this module is known"
    if symbol == "torch.nn.Identity":
        return {}, ""
    bound = bind(signature, call)
    return bound.args, bound.problem


def default_of(symbol: str, parameter: str) -> str | None:
    """Source text of the default of a parameter; None if it has none."""
    found = [p for p in signatures()[symbol].params if p.name == parameter]
    return found[0].default if found else None
