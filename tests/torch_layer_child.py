"""One side of `test_torch_layers`: runs every case of a group and writes its numbers.

python torch_layer_child.py torch|keras FOLDER: reads cases.json ([{source, keras, inputs, e}]); the Keras side reads
the weights and inputs that the torch side wrote. Keys: 'case/out/train/0', 'case/grad/infer/in0', 'case/buffer/name'.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

FOLDER = sys.argv[2]
CASES = json.loads(Path(f"{FOLDER}/cases.json").read_text())
OUT = {}


def numbers(name, shape, kind="f"):
    rng = np.random.default_rng(list(name.encode()))
    if kind.startswith("i"):
        return rng.integers(0, int(kind[2:]), size=shape)
    x = rng.normal(size=shape)
    return np.abs(x) + 0.1 if kind == "+" else x * 20 if kind == "x" else x


def keywords(case, make):
    """The further arguments of the call: `t[2,3]` numbers, `b[2,3]` a mask that leaves the first entry of each row."""
    class Kind:
        def __init__(self, boolean):
            self.boolean = boolean

        def __getitem__(self, shape):
            a = numbers(str(shape), shape)
            return make((a > 0.3) & (np.arange(shape[-1]) > 0) if self.boolean else a)

    return eval(case.get("call") or "{}", {"t": Kind(False), "b": Kind(True)})


def flat(y):
    return [z for part in y for z in flat(part)] if isinstance(y, (list, tuple)) else [] if y is None else [y]


# ---------------------------------------------------------------- torch
def torch_side(dtype):
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_default_dtype(getattr(torch, dtype))
    torch.set_num_threads(1)
    for i, case in enumerate(CASES):
        torch.manual_seed(0)
        module = eval(case["source"], {"nn": nn, "torch": torch, "F": F})
        for name, p in module.named_parameters():
            p.data = torch.tensor(numbers(f"{i}/{name}", p.shape) * 0.5, dtype=p.dtype)
        for name, p in module.named_buffers():
            if p.is_floating_point():
                p.data = torch.tensor(np.abs(numbers(f"{i}/{name}", p.shape)) + 0.5, dtype=p.dtype)
        OUT[f"{i}/w"] = np.array(json.dumps([[path, type(m).__name__, [n for n, _ in own(m)]]
                                             for path, m in module.named_modules() if own(m)]))
        for name, p in module.state_dict().items():
            OUT[f"{i}/w/{name}"] = p.numpy().copy()
        for mode in case["modes"]:
            module.train(mode == "train")
            torch_run(torch, i, module, case, mode)
        for name, p in module.named_buffers():
            if p.is_floating_point():
                OUT[f"{i}/buffer/{name}"] = p.numpy().copy()


def own(module):
    return [(n, p) for n, p in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]]


def torch_run(torch, i, module, case, mode):
    inputs = [torch.tensor(numbers(f"{i}/in{j}", shape, kind)) for j, (kind, shape) in enumerate(case["inputs"])]
    inputs = [x.to(torch.get_default_dtype()).requires_grad_() if x.is_floating_point() else x for x in inputs]
    module.zero_grad()
    default = torch.get_default_dtype()
    more = keywords(case, lambda a: torch.tensor(a, dtype=default if a.dtype.kind == "f" else None))
    ys = flat(module(*[x + 0 if x.is_floating_point() else x for x in inputs], **more))
    for j, y in enumerate(ys):
        OUT[f"{i}/out/{mode}/{j}"] = y.detach().numpy()
    total = sum((y * torch.tensor(numbers(f"{i}/c{j}", y.shape)).to(y.dtype)).sum() for j, y in enumerate(ys)
                if y.is_floating_point())
    total.backward()
    for j, x in enumerate(inputs):
        if x.is_floating_point():
            OUT[f"{i}/grad/{mode}/in{j}"] = x.grad.numpy()
    for name, p in module.named_parameters():
        OUT[f"{i}/grad/{mode}/{name}"] = (torch.zeros_like(p) if p.grad is None else p.grad).numpy().copy()


# ---------------------------------------------------------------- keras
def keras_side(dtype):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf

    keras.config.set_floatx(dtype)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    ref = np.load(f"{FOLDER}/torch.npz")
    for i, case in enumerate(CASES):
        if case["keras"] is None:
            continue
        names = {"__name__": f"case{i}"}
        try:
            exec(compile(case["keras"], f"case{i}.py", "exec"), names)
            keras_case(keras, tf, i, names["Case"](), case, ref, dtype)
        except Exception as fault:  # reported with its case
            OUT[f"{i}/fault"] = np.array(f"{type(fault).__name__}: {str(fault)[:600]}")


def keras_case(keras, tf, i, model, case, ref, dtype):
    inputs = [tf.constant(numbers(f"{i}/in{j}", shape, kind)) for j, (kind, shape) in enumerate(case["inputs"])]
    inputs = [tf.cast(x, dtype) if x.dtype.is_floating else x for x in inputs]
    call = keywords(case, lambda a: tf.constant(a, dtype if a.dtype.kind == "f" else None))
    model(*inputs, **call)
    pairs = list(pair(keras, i, model, ref))
    used = set()
    for _, var, to, _, value in pairs:
        var.assign(to(value))
        used.add(id(var))
    left = [v.path for v in model.variables if id(v) not in used and "seed" not in v.path]
    assert not left, f"weights without a partner: {left}"
    for mode in case["modes"]:
        with tf.GradientTape() as tape:
            for x in inputs:
                if x.dtype.is_floating:
                    tape.watch(x)
            ys = flat(model(*inputs, training=mode == "train", **call))
            total = sum(tf.reduce_sum(y * tf.cast(numbers(f"{i}/c{j}", y.shape), y.dtype)) for j, y in enumerate(ys)
                        if y.dtype.is_floating)
        for j, y in enumerate(ys):
            OUT[f"{i}/out/{mode}/{j}"] = y.numpy()
        train = [(n, v, back) for n, v, _, back, _ in pairs if v.trainable]
        floats = [(j, x) for j, x in enumerate(inputs) if x.dtype.is_floating]
        found = tape.gradient(total, [x for _, x in floats] + [v.value for _, v, _ in train],
                              unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for (j, _), g in zip(floats, found, strict=False):
            OUT[f"{i}/grad/{mode}/in{j}"] = tf.convert_to_tensor(g).numpy()
        for (name, _, back), g in zip(train, found[len(floats):], strict=True):
            for n, a in back(tf.convert_to_tensor(g).numpy()).items() if name is None else [(name, back(
                    tf.convert_to_tensor(g).numpy()))]:
                OUT[f"{i}/grad/{mode}/{n}"] = a
    for name, var, _, _, _ in pairs:
        if name is not None and not var.trainable:
            OUT[f"{i}/buffer/{name}"] = var.numpy()


def moved(rank):
    """Axes of a kernel: torch's (out, in, k..) as Keras' (k.., in, out); and back."""
    to = (*range(2, rank), 1, 0)
    return (lambda a: a.transpose(to)), (lambda a: a.transpose(np.argsort(to)))


def same(a):
    return a


def pair(keras, i, model, ref):
    """(torch name, Keras variable, function to Keras, function to torch, value)."""
    held = [layer for layer in walk(model) if layer._trainable_variables or hasattr(layer, "moving_mean")]
    units = json.loads(str(ref[f"{i}/w"])) if f"{i}/w" in ref else []
    for path, kind, names in units:
        at = f"{path}." if path else ""
        values = {n: ref[f"{i}/w/{at}{n}"] for n in names if f"{i}/w/{at}{n}" in ref}
        if kind in SPECIAL:
            yield from SPECIAL[kind](at, values, held)
            continue
        layer = held.pop(0)
        for n, value in values.items():
            if n == "num_batches_tracked":
                continue
            name = next(k for k in KEYS[n] if hasattr(layer, k))
            var = getattr(layer, name)
            to, back = moved(value.ndim) if name == "kernel" else (same, same)
            if name == "alpha":
                shape = tuple(var.shape)
                to, back = (lambda a, s=shape: a.reshape(s)), (lambda a, s=value.shape: a.reshape(s))
            yield f"{at}{n}", var, to, back, value


def walk(layer):
    """All layers, each before its own, in the order in which they were set."""
    for child in layer._layers:
        yield child
        yield from walk(child)


KEYS = {"weight": ("kernel", "gamma", "embeddings", "alpha", "scale", "weight"), "bias": ("bias", "beta"),
        "running_mean": ("moving_mean",), "running_var": ("moving_variance",)}


def swap(a):
    """torch's gates r, z, n as Keras' z, r, h along the last axis; its own inverse."""
    return np.concatenate([a[..., a.shape[-1] // 3:2 * (a.shape[-1] // 3)], a[..., :a.shape[-1] // 3],
                           a[..., 2 * (a.shape[-1] // 3):]], -1)


def recurrent(at, values, held):
    """One Keras layer per layer and direction."""
    for suffix in [n[len("weight_ih"):] for n in values if n.startswith("weight_ih")]:
        layer = held.pop(0)
        layer = getattr(layer, "cell", layer)
        gru = layer.__class__.__name__.startswith("GRU")
        to = (lambda a: swap(a.T)) if gru else (lambda a: a.T)
        back = (lambda a: swap(a).T) if gru else (lambda a: a.T)
        yield f"{at}weight_ih{suffix}", layer.kernel, to, back, values[f"weight_ih{suffix}"]
        yield f"{at}weight_hh{suffix}", layer.recurrent_kernel, to, back, values[f"weight_hh{suffix}"]
        names = [f"{at}bias_{x}{suffix}" for x in ("ih", "hh")]
        if f"bias_ih{suffix}" in values:
            both = [values[f"bias_{x}{suffix}"] for x in ("ih", "hh")]
            if gru:
                yield (None, layer.bias, (lambda v: np.stack([swap(a) for a in v])),
                       (lambda g, n=names: {k: swap(a) for k, a in zip(n, g, strict=True)}), both)
            else:
                yield None, layer.bias, sum, (lambda g, n=names: dict.fromkeys(n, g)), both


def attention(at, values, held):
    layer = held.pop(0)
    for n, value in values.items():
        yield f"{at}{n}", getattr(layer, n), same, same, value


SPECIAL = {**dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"), recurrent),
           "MultiheadAttention": attention}

if __name__ == "__main__":
    {"torch": torch_side, "keras": keras_side}[sys.argv[1]](sys.argv[3])
    np.savez(f"{FOLDER}/{sys.argv[1]}.npz", **OUT)
