"""Recurrent modules, attention and transformer layers: helpers with torch's arguments and results."""

from __future__ import annotations

import libcst as cst

from port.build import expression
from port.torch2tf.layer_args import At, Passed, Plan, write_call
from port.torch2tf.layer_conv import place
from port.torch2tf.values import Layer

ONE_BIAS = ("torch keeps two biases that are added, Keras one: an optimiser moves the sum of torch's by both gradients "
            "(SGD: twice as far)")
COPIES = "torch copies the layer with its values, so that all copies start equal; here each draws its own"
HELPERS = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "MultiheadAttention", "TransformerEncoderLayer",
           "TransformerDecoderLayer", "TransformerEncoder", "TransformerDecoder", "Transformer")
RECURRENT = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
ATTENTION = ("embed_dim", "num_heads", "dropout", "bias", "kdim", "vdim", "batch_first")
BLOCK = ("d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps", "batch_first", "norm_first",
         "bias")


def recurrent(at: At) -> Plan:
    place(at)
    if at.short == "LSTM" and not at.is_lit("proj_size", 0):
        raise at.refuse("proj_size has no counterpart: put a Dense behind a cell of your own")
    names = RECURRENT if at.short != "RNN" else (*RECURRENT[:3], "nonlinearity", *RECURRENT[3:])
    if at.short != "GRU" and at.lit("bias") is not False:
        at.w.report("P101", ONE_BIAS, at.node, at.layer.symbol)
    return _helper(at, names)


def cell(at: At) -> Plan:
    place(at)
    names = ("input_size", "hidden_size", "bias", *(["nonlinearity"] if at.short == "RNNCell" else []))
    if at.short != "GRUCell" and at.lit("bias") is not False:
        at.w.report("P101", ONE_BIAS, at.node, at.layer.symbol)
    return _helper(at, names)


def attention(at: At) -> Plan:
    place(at)
    for name in ("add_bias_kv", "add_zero_attn"):
        if not at.is_lit(name, False):
            raise at.refuse(f"`{name}` is not written; append the row to key and value yourself")
    return _helper(at, ATTENTION)


def block(at: At) -> Plan:
    """A layer of a transformer, or nn.Transformer."""
    place(at)
    if at.short == "Transformer":
        for name in ("custom_encoder", "custom_decoder"):
            if at.lit(name) is not None:
                raise at.refuse(f"`{name}`: hold encoder and decoder yourself instead of nn.Transformer")
        return _helper(at, (*BLOCK[:2], "num_encoder_layers", "num_decoder_layers", *BLOCK[2:]))
    return _helper(at, BLOCK)


def stack(at: At) -> Plan:
    """TransformerEncoder and TransformerDecoder make their layers anew from the settings of the one they are given."""
    first = "encoder_layer" if at.short == "TransformerEncoder" else "decoder_layer"
    held = at.layer.facts[first].payload
    if not isinstance(held, Layer) or held.symbol != f"torch.nn.{at.short}Layer":
        raise at.refuse(f"only an nn.{at.short}Layer can be made anew; write the layers as a list")
    at.w.report("P101", COPIES, at.node, at.layer.symbol)
    return _helper(at, (first, "num_layers", "norm"))


def _helper(at: At, names: tuple[str, ...]) -> Plan:
    """The helper named like the module; what it does not take is at torch's default, or is dropped."""
    at.w.helper(at.short)
    passed: Passed = {n: n for n in names}
    if at.given("activation"):
        passed["activation"] = ("activation", _activation(at))
    return Plan((write_call(at, cst.Name(at.short), passed, (), names),))


def _activation(at: At) -> cst.BaseExpression:
    """A word stays; F.relu and F.gelu become their words; another function is translated as a value."""
    symbol = at.layer.facts["activation"].symbol
    words = {"torch.nn.functional.relu": '"relu"', "torch.nn.functional.gelu": '"gelu"', "torch.relu": '"relu"',
             "torch.nn.functional.silu": '"silu"', "torch.tanh": '"tanh"'}
    return expression(words[symbol]) if symbol in words else at.expr("activation")
