"""The Keras half of `test_helpers`: each case's inputs, weights, outputs and input gradients, as .npz."""

import sys

import keras
import numpy as np
import tensorflow as tf
from keras.src.applications.imagenet_utils import correct_pad

keras.config.set_floatx("float64")
L = keras.layers
ARRAYS = {}


def numbers(name, shape):
    """Random numbers that both processes could draw: the seed is the name."""
    return np.random.default_rng(list(name.encode())).normal(size=shape)


def case(name, layer, *shapes, apart=False, **kwargs):
    """Call the layer on random inputs of these shapes: several are a list, or arguments of their own (`apart`)."""
    inputs = [tf.constant(numbers(f"{name}/{i}", shape)) for i, shape in enumerate(shapes)]

    def call():
        return layer(*(inputs if apart else [inputs if shapes[1:] else inputs[0]]), **kwargs)

    call()
    for weight in getattr(layer, "weights", ()):
        path = weight.path.split("/", 1)[1] if "/" in weight.path else weight.path
        weight.assign(numbers(f"{name}/{path}", weight.shape) / 2)
        ARRAYS[f"{name}:weight:{path}"] = weight.numpy()
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        outputs = tf.nest.flatten(call())
        cotangents = [numbers(f"{name}/cotangent{i}", y.shape) for i, y in enumerate(outputs)]
        total = sum(tf.reduce_sum(tf.cast(y, "float64") * c) for y, c in zip(outputs, cotangents, strict=True))
    ARRAYS[f"{name}:gradient"] = tape.gradient(total, inputs[0]).numpy()
    for i, x in enumerate(inputs):
        ARRAYS[f"{name}:input:{i}"] = x.numpy()
    for i, y in enumerate(outputs):
        ARRAYS[f"{name}:output:{i}"] = y.numpy()


def mask(*lengths, size=5):
    return tf.constant([[i < n for i in range(size)] for n in lengths])


def convolutions():
    for k, s in [(2, 1), (2, 2), (3, 2), (4, 3), (3, 1)]:
        case(f"conv1d {k} {s}", L.Conv1D(4, k, s, "same"), (2, 11, 3))
        case(f"conv2d {k} {s}", L.Conv2D(4, (k, 3), (s, 2), "same"), (2, 11, 8, 3))
        case(f"conv3d {k} {s}", L.Conv3D(4, (k, 3, 2), (s, 2, 1), "same"), (2, 6, 7, 5, 3))
        for kind, letter in ((L.MaxPooling1D, "max"), (L.AveragePooling1D, "avg")):
            case(f"{letter}1d {k} {s}", kind(k, s, "same"), (2, 11, 3))
        for kind, letter in ((L.MaxPooling2D, "max"), (L.AveragePooling2D, "avg")):
            case(f"{letter}2d {k} {s}", kind((k, 3), (s, 2), "same"), (2, 11, 8, 3))
        for kind, letter in ((L.MaxPooling3D, "max"), (L.AveragePooling3D, "avg")):
            case(f"{letter}3d {k} {s}", kind((k, 3, 2), (s, 2, 1), "same", dtype="float32"), (2, 6, 7, 5, 3))
    case("conv2d dilated", L.Conv2D(4, 3, 1, "same", dilation_rate=(1, 2)), (2, 11, 8, 3))
    case("conv2d grouped", L.Conv2D(6, 3, 2, "same", groups=2, use_bias=False), (2, 10, 7, 4))
    for padding in ("same", "valid"):
        case(f"separable1d {padding}", L.SeparableConv1D(5, 3, 2, padding, depth_multiplier=2), (2, 10, 4))
        case(f"separable2d {padding}", L.SeparableConv2D(5, (3, 2), 2, padding, depth_multiplier=2), (2, 10, 7, 4))
        case(f"conv_lstm1d {padding}", L.ConvLSTM1D(2, 3, padding=padding, return_sequences=True), (2, 4, 7, 3))
        case(f"conv_lstm2d {padding}", L.ConvLSTM2D(2, (3, 2), padding=padding, return_state=True), (2, 4, 7, 6, 3))


def recurrent():
    layers = {"lstm": L.LSTM, "gru": L.GRU, "rnn": L.SimpleRNN}
    masked = mask(5, 2, 3)
    gaps = tf.constant([[True, False, True, True, False], [False, False, True, False, True], [True] * 5])
    for name, layer in layers.items():
        case(f"{name} plain", layer(4), (3, 5, 2))
        case(f"{name} sequence", layer(4, return_sequences=True, return_state=True), (3, 5, 2))
        case(f"{name} no bias", layer(4, use_bias=False), (3, 5, 2))
        case(f"{name} relu", layer(4, activation="relu"), (3, 5, 2))
        case(f"{name} backwards", layer(4, go_backwards=True, return_sequences=True), (3, 5, 2))
        case(f"{name} mask", layer(4, return_sequences=True), (3, 5, 2), mask=masked)
        case(f"{name} gaps", layer(4, return_sequences=True, return_state=True), (3, 5, 2), mask=gaps)
        case(f"{name} gaps backwards", layer(4, go_backwards=True), (3, 5, 2), mask=gaps)
        for mode in ("concat", "sum", "mul", "ave", None):
            case(f"{name} both {mode}", L.Bidirectional(layer(4, return_sequences=True), merge_mode=mode), (3, 5, 2))
            case(f"{name} both gaps {mode}",
                 L.Bidirectional(layer(4, return_sequences=True, return_state=True), merge_mode=mode), (3, 5, 2),
                 mask=gaps)
        case(f"{name} both last", L.Bidirectional(layer(4)), (3, 5, 2), mask=gaps)
        case(f"{name} both states", L.Bidirectional(layer(4, return_state=True)), (3, 5, 2))
    for name in ("lstm", "gru"):
        case(f"{name} hard", layers[name](4, recurrent_activation="hard_sigmoid"), (3, 5, 2))
    case("gru before", L.GRU(4, reset_after=False, return_sequences=True), (3, 5, 2))
    cells = [L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)]
    case("stacked", L.RNN(cells, return_sequences=True), (3, 5, 2))
    case("stacked gaps", L.RNN([L.LSTMCell(4), L.SimpleRNNCell(2)]), (3, 5, 2), mask=gaps)
    case("time distributed", L.TimeDistributed(L.Dense(4)), (3, 5, 2))


def attention():
    seen = tf.constant(numbers("seen", (2, 5, 7)) > 0)
    seen &= tf.range(7) < 6
    blind = tf.concat([tf.zeros_like(seen[:, :1]), seen[:, 1:]], 1)  # the first query may see nothing
    square = tf.constant(numbers("square", (2, 5, 5)) > -1)
    query, value = (2, 5, 8), (2, 7, 9)
    mha = lambda **kwargs: L.MultiHeadAttention(2, 3, **kwargs)  # noqa: E731
    case("mha", mha(), query, value, apart=True)
    case("mha sizes", mha(value_dim=4, output_shape=6, use_bias=False), query, value, apart=True)
    case("mha key", mha(), query, value, (2, 7, 3), apart=True)
    case("mha mask", mha(), query, value, apart=True, attention_mask=seen)
    case("mha blind", mha(), query, value, apart=True, attention_mask=blind)
    case("mha blind scores", mha(), query, value, apart=True, attention_mask=blind, return_attention_scores=True)
    case("mha causal", mha(), query, (2, 5, 8), apart=True, attention_mask=square, use_causal_mask=True)
    case("mha causal only", mha(dropout=0.5), query, query, apart=True, use_causal_mask=True)
    case("gqa", L.GroupQueryAttention(3, 4, 2), query, value, apart=True, attention_mask=blind)
    case("gqa scores", L.GroupQueryAttention(3, 4, 1), query, query, apart=True, use_causal_mask=True,
         return_attention_scores=True)
    masks = [mask(5, 3), mask(2, 7, size=7)]
    query, value = (2, 5, 4), (2, 7, 4)
    case("attention", L.Attention(), query, value)
    case("attention scaled", L.Attention(use_scale=True), query, value, value, return_attention_scores=True)
    case("attention mask", L.Attention(), query, value, mask=masks, use_causal_mask=True)
    case("attention concat", L.Attention(score_mode="concat", use_scale=True), query, value, mask=masks)
    case("additive", L.AdditiveAttention(), query, value, value, return_attention_scores=True)
    case("additive plain", L.AdditiveAttention(use_scale=False), query, value, mask=masks)


def others():
    for i, settings in enumerate([{"threshold": 0.5}, {"threshold": 0.5, "negative_slope": 0.25},
                                  {"max_value": 1.0, "threshold": 0.25}, {"max_value": 0.5, "negative_slope": 0.25}]):
        case(f"relu {i}", L.ReLU(**settings), (4, 5))
    case("prelu", L.PReLU(), (4, 5, 3))
    case("prelu shared", L.PReLU(shared_axes=[1]), (4, 5, 3))
    case("dot 2", L.Dot(1), (3, 5), (3, 5))
    case("dot normalize", L.Dot(1, normalize=True), (3, 5), (3, 5))
    case("dot 3", L.Dot((2, 1)), (2, 3, 5), (2, 5, 4))
    case("dot mixed", L.Dot((1, 2)), (2, 4, 5), (2, 3, 4))
    case("dot ranks", L.Dot((2, 1), normalize=True), (2, 3, 5), (2, 5))
    case("einsum 1", L.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"), (2, 3, 5))
    case("einsum 2", L.EinsumDense("...x,xy->...y", 4, bias_axes="y"), (2, 3, 5))
    case("einsum 3", L.EinsumDense("abc,cde->abde", (3, 2, 4), bias_axes="be"), (2, 3, 5))
    case("einsum 4", L.EinsumDense("abcd,cde->abe", (None, 6)), (2, 3, 4, 5))
    case("normalization", L.Normalization(mean=[0.5, 0.25, 1.0], variance=[0.25, 0.0, 4.0]), (2, 5, 3))
    case("normalization back", L.Normalization(mean=1.5, variance=4.0, invert=True), (2, 5, 3))
    case("feature normalization", L.Normalization(), (2, 5, 3))
    case("layer norm", L.LayerNormalization(axis=1), (2, 4, 5))
    case("layer norm channels", L.LayerNormalization(), (2, 4, 5, 3))
    case("no scale", L.BatchNormalization(scale=False), (2, 4, 5, 3), training=True)
    case("no offset", L.BatchNormalization(center=False), (2, 4, 5, 3), training=True)
    frozen = L.BatchNormalization()
    frozen.trainable = False
    case("frozen norm 3", frozen, (2, 4, 5, 3), training=True)  # its variances are positive under this name
    case("layer norm no scale", L.LayerNormalization(scale=False), (2, 4, 3))
    case("crop", L.CenterCrop(3, 4), (2, 6, 7, 3))
    case("bicubic up", L.UpSampling2D((2, 3), interpolation="bicubic"), (2, 5, 4, 3))
    case("bicubic size", lambda x: tf.cast(tf.image.resize(x, (7, 3), "bicubic"), x.dtype), (2, 5, 4, 3))
    case("sparsemax", lambda x: keras.activations.sparsemax(x), (4, 5))
    for mode in ("one_hot", "multi_hot", "count"):
        tokens = np.array([[1, 3, 1], [0, 2, 2]]) if mode != "one_hot" else np.array([1, 3, 0])
        ARRAYS[f"encode {mode}:output:0"] = L.CategoryEncoding(4, mode)(tokens).numpy()
    for name in ("HeNormal", "LecunNormal", "GlorotNormal", "TruncatedNormal"):
        draws = getattr(keras.initializers, name)(seed=1)((3, 3, 60, 90)).numpy()
        ARRAYS[f"draws {name}:output:0"] = np.array([draws.std(), np.abs(draws).max()])
    for mode in ("fan_in", "fan_out", "fan_avg"):
        for kind in ("truncated_normal", "untruncated_normal", "uniform"):
            draws = keras.initializers.VarianceScaling(3.0, mode, kind, seed=1)((3, 3, 60, 90)).numpy()
            ARRAYS[f"draws {mode} {kind}:output:0"] = np.array([draws.std()])
    for name in ("he_normal", "lecun_uniform", "glorot_normal", "glorot_uniform"):
        draws = keras.initializers.get(name)((3, 60, 90)).numpy()
        ARRAYS[f"draws fans {name}:output:0"] = np.array([draws.std(), np.abs(draws).max()])
    for size in ((6, 7), (7, 8)):
        pad = correct_pad(tf.zeros((1, *size, 3)), (3, 5))
        ARRAYS[f"correct_pad {size[0]}:output:0"] = L.ZeroPadding2D(pad)(numbers("pad", (1, *size, 3))).numpy()
    block = keras.ops.slice_update(numbers("x", (2, 3, 4)), (1, 2, 0), numbers("block", (1, 2, 4)))
    ARRAYS["slice_update:output:0"] = block.numpy()  # moved to lie inside
    for i, pad in enumerate((2, (1, 2), ((1, 2), (3, 4)))):
        ARRAYS[f"pad_amounts {i}:output:0"] = L.ZeroPadding2D(pad)(numbers("pad", (1, 4, 5, 3))).numpy()
    x = tf.ones((200, 300), "float64")
    ARRAYS["draws noise:output:0"] = np.array([L.GaussianNoise(0.5, seed=1)(x, training=True).numpy().std()])
    ARRAYS["draws dropout:output:0"] = np.array([L.GaussianDropout(0.2, seed=1)(x, training=True).numpy().std()])


if __name__ == "__main__":
    convolutions()
    recurrent()
    attention()
    others()
    np.savez(sys.argv[1], **ARRAYS)
