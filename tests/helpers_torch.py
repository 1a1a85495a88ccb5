"""The torch half of `test_helpers`: the same cases through the helpers. Prints one line per case: name, worst error."""

import torch
import torch.nn.functional as F
from helpers_harness import (
    FOLDER,
    NAMES,
    REFERENCE,
    ROWS,
    WORST,
    check,
    compare,
    flatten,
    helper,
    loaded,
    numbers,
    weights,
)
from torch import nn

ELSEWHERE = {"obtain_input_shape", "BuiltOnCall", "FunctionalModel", "Symbol", "layer_output", "named",
             "carried", "masked", "merged", "traced", "with_weights"}  # by models that use them


def convolutions():
    for k, s in [(2, 1), (2, 2), (3, 2), (4, 3), (3, 1)]:
        for n, c, shape, stride in [(1, 3, (k,), (s,)), (2, 3, (k, 3), (s, 2)), (3, 3, (k, 3, 2), (s, 2, 1))]:
            name = f"conv{n}d {k} {s}"
            conv = helper(f"Conv{n}dSame")(c, 4, shape, stride=stride)
            check(name, loaded(conv, weights(name, f"conv{n}d_layer")), first=1)
            lazy, x = helper(f"LazyConv{n}dSame")(4, shape, stride=stride), torch.rand(1, c, *(7,) * n)
            assert torch.equal(lazy(x), lazy(x)), "the first call pads as the later ones do"
            check(name, loaded(lazy, weights(name, f"conv{n}d_layer")), first=1)
            for kind in ("max", "avg"):
                pool = helper(f"{kind}_pool{n}d_same")
                shape_, stride_ = (shape, stride) if n > 1 else (k, s)
                check(f"{kind}{n}d {k} {s}", lambda x, pool=pool, k=shape_, s=stride_: pool(x, k, s), first=1)
    conv = helper("Conv2dSame")(3, 4, 3, dilation=(1, 2))
    check("conv2d dilated", loaded(conv, weights("conv2d dilated", "conv2d_layer")), first=1)
    conv = helper("Conv2dSame")(4, 6, 3, stride=2, groups=2, bias=False)
    check("conv2d grouped", loaded(conv, weights("conv2d grouped", "conv2d_layer")), first=1)
    for padding in ("same", "valid"):
        for n, shape in ((1, 3), (2, (3, 2))):
            name = f"separable{n}d {padding}"
            conv = helper(f"SeparableConv{n}d")(4, 5, shape, stride=2, padding=padding, depth_multiplier=2)
            check(name, loaded(conv, weights(name, f"separable_conv{n}d_layer")), first=1)
            name = f"conv_lstm{n}d {padding}"
            rnn = helper("RNN")(helper(f"ConvLSTM{n}dCell")(3, 2, shape, padding=padding), n == 1, n == 2)
            rnn = loaded(rnn, weights(name, f"conv_lstm{n}d_layer"))
            if n == 1:
                check(name, rnn, first=2)
            else:
                check(name, lambda x, rnn=rnn: rnn(x.movedim(-1, 2)),
                      flat=lambda y: [z.movedim(1, -1) for z in y])


def recurrent():
    masked = torch.arange(5) < torch.tensor([[5], [2], [3]])
    gaps = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1] * 5]).bool()

    rows = {"LSTMCell": "lstm_cell_layer", "GRUCell": "gru_cell_layer", "SimpleRNNCell": "simple_rnn_cell_layer"}

    def cell(kind, name, size=2, units=4, part="", row=0, **settings):
        module = helper(kind)(size, units, **settings)
        rules = ROWS[rows[kind]][row]
        return loaded(module, weights(name, rules=rules, part=part))

    for short, kind in {"lstm": "LSTMCell", "gru": "GRUCell", "rnn": "SimpleRNNCell"}.items():
        def one(text, mask=None, returns=(False, False, False), short=short, kind=kind, **settings):
            name = f"{short} {text}"
            rnn = helper("RNN")(cell(kind, name, **settings), *returns)
            check(name, lambda x: rnn(x, mask=mask), flat=flatten)

        one("plain")
        one("sequence", returns=(True, True))
        one("no bias", bias=False)
        one("relu", activation=F.relu)
        one("backwards", returns=(True, False, True))
        one("mask", masked, (True,))
        one("gaps", gaps, (True, True))
        one("gaps backwards", gaps, (False, False, True))
        if kind != "SimpleRNNCell":
            one("hard", recurrent_activation=F.hardsigmoid)

        def both(text, merge_mode="concat", mask=None, returns=(), short=short, kind=kind):
            name = f"{short} both {text}"
            parts = sorted({k.split(":")[2].split("/")[0] for k in REFERENCE if k.startswith(f"{name}:weight:")})
            back, ahead = (cell(kind, name, part=f"{part}/") for part in parts)
            sides = helper("RNN")(ahead, *returns), helper("RNN")(back, *returns, go_backwards=True)
            module = helper("Bidirectional")(*sides, merge_mode)
            check(name, lambda x: module(x, mask=mask), flat=flatten)

        for mode in ("concat", "sum", "mul", "ave", None):
            both(str(mode), mode, returns=(True,))
            both(f"gaps {mode}", mode, gaps, (True, True))
        both("last", mask=gaps)
        both("states", returns=(False, True))

    name = "gru before"
    check(name, helper("RNN")(cell("GRUCell", name, row=1, reset_after=False), return_sequences=True))
    part = "stacked_rnn_cells/"
    cells = [cell("LSTMCell", "stacked", part=f"{part}lstm_cell/"),
             cell("GRUCell", "stacked", 4, 3, f"{part}gru_cell/"),
             cell("SimpleRNNCell", "stacked", 3, 2, f"{part}simple_rnn_cell/")]
    check("stacked", helper("RNN")(helper("StackedRNNCells")(*cells), return_sequences=True))
    cells = []
    for kind, size, units, text in (("LSTMCell", 2, 4, "lstm_cell"), ("SimpleRNNCell", 4, 2, "simple_rnn_cell")):
        found = next(k for k in REFERENCE if k.startswith("stacked gaps:weight:") and f"/{text}" in k)
        cells.append(cell(kind, "stacked gaps", size, units, found.split(":")[2].rpartition("/")[0] + "/"))
    stacked = helper("RNN")(helper("StackedRNNCells")(*cells))
    check("stacked gaps", lambda x: stacked(x, mask=gaps))
    rules = {f"dense/{k}": v for k, v in ROWS["dense_layer"][0].items()}
    module = loaded(nn.Linear(2, 4), weights("time distributed", rules=rules))
    check("time distributed", helper("TimeDistributed")(module))


def native():
    """The forms that docs/layers.md asks for where nn.LSTM, nn.GRU and nn.RNN suffice, on the same references."""
    gaps = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1] * 5]).bool()
    for short, kind, row in (("lstm", nn.LSTM, "lstm_layer"), ("gru", nn.GRU, "gru_layer"),
                             ("rnn", nn.RNN, "simple_rnn_layer")):
        def state(module, name, part="", suffix="", row=row):
            rules = {k: v | {"to": [t + suffix for t in v["to"]] if isinstance(v["to"], list) else v["to"] + suffix}
                     for k, v in ROWS[row][0].items()}
            module.load_state_dict(weights(name, rules=rules, part=part), strict=False)

        def last(result, short=short):
            return result[1][0] if short == "lstm" else result[1]

        def one(text, call, short=short, kind=kind, last=last):
            module = kind(2, 4, batch_first=True)
            module.bias_hh_l0.detach().zero_()
            state(module, f"{short} {text}")
            check(f"{short} {text}", lambda x: call(module, x), flat=flatten)

        one("plain", lambda m, x, last=last: last(m(x))[-1])
        one("sequence", lambda m, x, last=last: [m(x)[0], last(m(x))[-1], *([m(x)[1][1][-1]] if m.mode == "LSTM"
                                                                            else [])])
        one("backwards", lambda m, x: m(x.flip(1))[0])
        one("gaps backwards", lambda m, x, last=last: last(m(helper("pack_masked")(x.flip(1), gaps.flip(1))))[-1])

        def both(text, call, short=short, kind=kind):
            name = f"{short} both {text}"
            module = kind(2, 4, batch_first=True, bidirectional=True)
            module.bias_hh_l0.detach().zero_()
            module.bias_hh_l0_reverse.detach().zero_()
            parts = sorted({k.split(":")[2].split("/")[0] for k in REFERENCE if k.startswith(f"{name}:weight:")})
            state(module, name, f"{parts[1]}/")
            state(module, name, f"{parts[0]}/", "_reverse")
            check(name, lambda x: call(module, x), flat=flatten)

        both("concat", lambda m, x: m(x)[0])
        both("sum", lambda m, x: m(x)[0].unflatten(-1, (2, -1)).sum(-2))
        both("mul", lambda m, x: m(x)[0].unflatten(-1, (2, -1)).prod(-2))
        both("ave", lambda m, x: m(x)[0].unflatten(-1, (2, -1)).mean(-2))
        both("None", lambda m, x: m(x)[0].chunk(2, -1))
        both("last", lambda m, x, last=last: last(m(helper("pack_masked")(x, gaps))).transpose(0, 1).flatten(1))


def attention():
    seen = (numbers("seen", (2, 5, 7)) > 0) & (torch.arange(7) < 6)
    blind = torch.cat([torch.zeros_like(seen[:, :1]), seen[:, 1:]], 1)
    square = numbers("square", (2, 5, 5)) > -1
    rules = ROWS["group_query_attention_layer"][0]

    def mha(name, *sizes, call=(), kind="MultiHeadAttention", **settings):
        module = loaded(helper(kind)(*sizes, **settings), weights(name, rules=rules)).eval()
        check(name, lambda *x: module(*x, **dict(call)), flat=flatten)

    mha("mha", 2, 3, 8, 9)
    mha("mha sizes", 2, 3, 8, 9, value_dim=4, output_features=6, bias=False)
    mha("mha key", 2, 3, 8, 9, 3)
    mha("mha mask", 2, 3, 8, 9, call={"attention_mask": seen})
    mha("mha blind", 2, 3, 8, 9, call={"attention_mask": blind})
    mha("mha blind scores", 2, 3, 8, 9, call={"attention_mask": blind, "return_attention_scores": True})
    mha("mha causal", 2, 3, 8, call={"attention_mask": square, "use_causal_mask": True})
    mha("mha causal only", 2, 3, 8, dropout=0.5, call={"use_causal_mask": True})
    mha("gqa", 3, 4, 2, 8, 9, kind="GroupQueryAttention", call={"attention_mask": blind})
    mha("gqa scores", 3, 4, 1, 8, kind="GroupQueryAttention",
        call={"use_causal_mask": True, "return_attention_scores": True})

    masks = [torch.arange(5) < torch.tensor([[5], [3]]), torch.arange(7) < torch.tensor([[2], [7]])]

    def plain(name, module, row="attention_layer", **call):
        loaded(module, weights(name, row))
        check(name, lambda *x: module(x, **call), flat=flatten)

    plain("attention", helper("Attention")())
    plain("attention scaled", helper("Attention")(use_scale=True), return_attention_scores=True)
    plain("attention mask", helper("Attention")(), mask=masks, use_causal_mask=True)
    plain("attention concat", helper("Attention")(True, "concat"), mask=masks)
    plain("additive", helper("AdditiveAttention")(4), "additive_attention_layer", return_attention_scores=True)
    plain("additive plain", helper("AdditiveAttention")(4, False), "additive_attention_layer", mask=masks)


def others():
    for i, settings in enumerate([{"threshold": 0.5}, {"threshold": 0.5, "negative_slope": 0.25},
                                  {"max_value": 1.0, "threshold": 0.25}, {"max_value": 0.5, "negative_slope": 0.25}]):
        check(f"relu {i}", lambda x, settings=settings: helper("relu")(x, **settings))
    for name, shape in (("prelu", (5, 3)), ("prelu shared", (1, 3))):
        check(name, loaded(helper("PReLU")(*shape), weights(name, rules={"alpha": "weight"})))
    dot = helper("dot")
    for name, *settings in (("dot 2", 1), ("dot normalize", 1, True), ("dot 3", (2, 1)), ("dot mixed", (1, 2)),
                            ("dot ranks", (2, 1), True)):
        check(name, lambda x, y, settings=settings: dot([x, y], *settings))
    for name, *settings in [("einsum 1", (3, 5), "abc,cd->abd", (None, 4), "d"),
                            ("einsum 2", (3, 5), "...x,xy->...y", 4, "y"),
                            ("einsum 3", (3, 5), "abc,cde->abde", (3, 2, 4), "be"),
                            ("einsum 4", (3, 4, 5), "abcd,cde->abe", (None, 6))]:
        check(name, loaded(helper("EinsumDense")(*settings), weights(name, "einsum_dense_layer")))
    check("normalization", helper("Normalization")([0.5, 0.25, 1.0], [0.25, 0.0, 4.0]))
    check("normalization back", helper("Normalization")(1.5, 4.0, invert=True))
    check("feature normalization", helper("FeatureNormalization")(3))
    norm = helper("AxisLayerNorm")
    check("layer norm", loaded(norm(4, dim=1, eps=1e-3), weights("layer norm", "layer_normalization_layer")))
    module = loaded(norm(3, dim=1, eps=1e-3), weights("layer norm channels", "layer_normalization_layer"))
    check("layer norm channels", module, first=1)
    rules = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    for name, without in (("no scale", "without_scale"), ("no offset", "without_offset")):
        module = helper(without)(nn.BatchNorm2d(3, eps=1e-3))
        module.load_state_dict(weights(name, rules=rules), strict=False)
        check(name, module, first=1)
    module = helper("set_trainable")(nn.Sequential(nn.BatchNorm2d(3, eps=1e-3)), False).train()
    module[0].load_state_dict(weights("frozen norm 3", rules=rules), strict=False)
    check("frozen norm 3", module, first=1)
    assert not any(p.requires_grad for p in module.parameters())
    helper("set_trainable")(module, True).train()(torch.rand(2, 3, 4, 5))
    assert module[0].training and all(p.requires_grad for p in module.parameters()), "it trains again"
    module = helper("without_scale")(nn.LayerNorm(3, eps=1e-3))
    check("layer norm no scale", loaded(module, weights("layer norm no scale", "layer_normalization_layer")))
    check("crop", lambda x: helper("center_crop")(x, 3, 4), first=1)
    check("bicubic up", lambda x: helper("resize_bicubic")(x, scale_factor=(2, 3)), first=1)
    check("bicubic size", lambda x: helper("resize_bicubic")(x, 7, 3), first=1)
    check("sparsemax", helper("sparsemax"))
    tokens = torch.tensor([[1, 3, 1], [0, 2, 2]])
    encode = helper("category_encoding")
    compare("encode one_hot", [encode(torch.tensor([1, 3, 0]), 4, "one_hot")])
    compare("encode multi_hot", [encode(tokens, 4)])
    compare("encode count", [encode(tokens, 4, "count")])
    draws()
    modules()


def draws():
    """Distributions: standard deviation and largest value."""
    for name in ("he_normal_", "lecun_normal_", "glorot_normal_", "truncated_normal_"):
        weight = torch.empty(90, 60, 3, 3)
        helper(name)(weight)
        keras_name = "".join(word.title() for word in name.split("_"))
        compare(f"draws {keras_name}", [torch.stack([weight.std(), weight.abs().max()])])
    for mode in ("fan_in", "fan_out", "fan_avg"):
        for kind in ("truncated_normal", "untruncated_normal", "uniform"):
            weight = torch.empty(90, 60, 3, 3)
            helper("variance_scaling_")(weight, 3.0, mode, kind)
            compare(f"draws {mode} {kind}", [weight.std()[None]])
    for name in ("he_normal", "lecun_uniform", "glorot_normal", "glorot_uniform"):
        weight = helper("keras_fans_")(torch.empty(3, 60, 90), name)
        compare(f"draws fans {name}", [torch.stack([weight.std(), weight.abs().max()])])
    x = torch.ones(200, 300)
    compare("draws noise", [helper("GaussianNoise")(0.5)(x).std()[None]])
    compare("draws dropout", [helper("GaussianDropout")(0.2)(x).std()[None]])
    for name, module in (("noise", helper("GaussianNoise")(0.5)), ("dropout", helper("GaussianDropout")(0.2)),
                         ("shaped", helper("Dropout")(0.5, (None, 1)))):
        assert module.eval()(x) is x or torch.equal(module(x), x), name
    shaped = helper("Dropout")(0.5, (None, 1))(x)
    assert (shaped == shaped[:, :1]).all() and set(shaped.unique().tolist()) == {0.0, 2.0}


def modules():
    """Those that only move numbers, and packing."""
    for size in ((6, 7), (7, 8)):
        x = numbers("pad", (1, *size, 3)).movedim(-1, 1)
        compare(f"correct_pad {size[0]}", [F.pad(x, helper("correct_pad")(x, (3, 5))).movedim(1, -1)])
    for i, padding in enumerate((2, (1, 2), ((1, 2), (3, 4)))):
        x = numbers("pad", (1, 4, 5, 3)).movedim(-1, 1)
        compare(f"pad_amounts {i}", [F.pad(x, helper("pad_amounts")(padding)).movedim(1, -1)])
    x = numbers("x", (2, 3, 4))
    assert torch.equal(helper("Permute")(0, 2, 1)(x), x.mT)
    assert torch.equal(helper("Reshape")(6, -1)(x), x.reshape(2, 6, 2))
    assert torch.equal(helper("Lambda")(lambda x: x + 1)(x), x + 1)
    mask = torch.tensor([[False, True, True], [True, False, False]])
    lined = helper("aligned")([numbers("x", (2, 4)), x])
    assert [tuple(t.shape) for t in lined] == [(2, 1, 4), (2, 3, 4)] and torch.equal(lined[1], x)
    norm = nn.BatchNorm1d(4).train()
    y = helper("on_last_axis")(norm, x)
    assert torch.allclose(y, norm(x.mT).mT) and y.shape == x.shape
    for given in ({}, {"bias": False}, {"elementwise_affine": False}):
        lazy, norm = helper("LazyLayerNorm")(eps=1e-3, **given).to(x), nn.LayerNorm(4, eps=1e-3, **given).to(x)
        assert torch.equal(lazy(x), norm(x)) and type(lazy) is nn.LayerNorm and repr(lazy) == repr(norm)
        assert [p.dtype for p in lazy.parameters()] == [p.dtype for p in norm.parameters()]
        lazy.load_state_dict(norm.state_dict())
    norm = nn.BatchNorm1d(4).train()
    steps = helper("TimeDistributedSteps")(norm)(x)
    assert all(torch.allclose(steps[:, i], norm(x[:, i])) for i in range(3))
    assert not torch.allclose(steps, norm(x.mT).mT)
    compare("slice_update", [helper("slice_update")(x, (1, 2, 0), numbers("block", (1, 2, 4)))])
    packed = helper("pack_masked")(x, mask)
    steps, lengths = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    assert lengths.tolist() == [2, 1] and torch.equal(steps[0], x[0, 1:]) and torch.equal(steps[1, 0], x[1, 0])


if __name__ == "__main__":
    for part in (convolutions, recurrent, native, attention, others):
        part()
    missing = {k.split(":")[0] for k in REFERENCE} - set(WORST)
    assert not missing, f"no torch half: {missing}"
    unread = {path.stem for path in FOLDER.glob("*.py")} - set(NAMES) - ELSEWHERE
    assert not unread, f"never run: {unread}"
    for name, worst in WORST.items():
        print(f"{name}\t{worst:.3g}")
