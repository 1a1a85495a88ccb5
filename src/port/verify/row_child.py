"""Run snippets in one framework: `row_child.py tf|torch JOBS.json IN.npz OUT.npz`. OUT holds arrays and errors.

Every job runs in float64 and float32; floats that come out are weighed with random numbers that depend only
on the job and their shape, and the gradients of that sum are stored beside them.
"""

import json
import os
import sys
import warnings
import zlib

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")


NO_NUMBERS = {"Generator", "DType", "dtype", "str"}


def cotangent(job, number, shape):
    return np.random.default_rng(zlib.crc32(f"{job}/{number}".encode())).normal(size=shape)


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and value and all(type(v) is int for v in value):
        return [np.array(value)]  # a shape
    if isinstance(value, list | tuple) and not hasattr(value, "numel"):
        return [leaf for item in value for leaf in flat(item)]
    return [] if value is None or type(value).__name__ in NO_NUMBERS else [value]


def asked(grad, name):
    """Is the gradient of this tensor compared? `grad` is yes, no, or names."""
    return name in grad if isinstance(grad, list) else grad


def rounded(array, dtype):
    if array.dtype.kind == "f":
        return array.astype(dtype)
    return array.astype("complex128" if dtype == "float64" else "complex64") if array.dtype.kind == "c" else array


def run_tf(job, function, arrays, grad):
    import tensorflow as tf

    given = {name: tf.constant(a) for name, a in arrays.items()}
    wrt = {n: t for n, t in given.items() if t.dtype.is_floating and asked(grad, n)}
    with tf.GradientTape() as tape:
        tape.watch(list(wrt.values()))
        outs = [tf.convert_to_tensor(o) for o in flat(function(**given))]
        terms = [tf.reduce_sum(tf.cast(o, "float64") * cotangent(job, i, o.shape))
                 for i, o in enumerate(outs) if o.dtype.is_floating]
        loss = tf.add_n(terms) if terms else None
    grads = {}
    if wrt and loss is not None:
        found = tape.gradient(loss, list(wrt.values()), unconnected_gradients="zero")
        grads = {n: tf.convert_to_tensor(g).numpy() for n, g in zip(wrt, found, strict=True)}
    return [o.numpy() for o in outs], grads


def run_torch(job, function, arrays, grad):
    import torch

    def given(a):  # whole numbers are int64 in torch code
        tensor = torch.tensor(a)
        return tensor.long() if tensor.dtype == torch.int32 else tensor

    inputs = {name: given(a) for name, a in arrays.items()}
    wrt = {n: t.requires_grad_() for n, t in inputs.items() if t.is_floating_point() and asked(grad, n)}
    outs = [torch.as_tensor(o) for o in flat(function(**inputs))]
    terms = [(o.double() * torch.tensor(cotangent(job, i, tuple(o.shape)))).sum()
             for i, o in enumerate(outs) if o.is_floating_point()]
    loss = sum(terms) if terms else None
    grads = {}
    if wrt and torch.is_tensor(loss):
        found = ([None] * len(wrt) if not loss.requires_grad
                 else torch.autograd.grad(loss, list(wrt.values()), allow_unused=True))
        grads = {n: (torch.zeros_like(t) if g is None else g).numpy()
                 for (n, t), g in zip(wrt.items(), found, strict=True)}
    return [o.detach().resolve_conj().numpy() for o in outs], grads


def graft():
    """Old function names that only tf.keras still has: add them to keras, so that one import serves all."""
    import keras
    import tensorflow as tf

    for module in ("backend", "losses"):
        old, new = getattr(tf.keras, module), getattr(keras, module)
        for name in set(dir(old)) - set(dir(new)):
            setattr(new, name, getattr(old, name))


def main(framework, jobs_path, inputs_path, out_path):
    with open(jobs_path, encoding="utf-8") as handle:
        jobs = json.load(handle)
    run, out, errors = (run_tf if framework == "tf" else run_torch), {}, {}
    with np.load(inputs_path, allow_pickle=False) as stored:
        inputs = {name: stored[name] for name in stored.files}
    if framework == "tf":
        graft()
    for job in jobs["run"]:
        for dtype in job["dtypes"]:
            arrays = {n: rounded(inputs[f"{job['id']}|{n}"], dtype) for n in job["inputs"]}
            if framework == "tf":
                import keras

                keras.config.set_dtype_policy(dtype if "keras.layers." in job["source"] else "float32")
            try:
                space: dict[str, object] = {}
                exec(compile(job["source"], job["id"], "exec"), space)
                outs, grads = run(job["id"], space["f"], arrays, job["grad"])
            except Exception as fault:
                errors[f"{job['id']}|{dtype}"] = f"{type(fault).__name__}: {str(fault)[:300]}"
                continue
            for i, o in enumerate(outs):
                out[f"{job['id']}|{dtype}|result {i}"] = o
            for n, g in grads.items():
                out[f"{job['id']}|{dtype}|gradient of {n}"] = g
    errors |= signatures(jobs["signatures"])
    np.savez(out_path, errors=np.array(json.dumps(errors)), **out)


def signatures(wanted):
    """Names that do not exist or have other parameters: {'signature NAME': message}."""
    import inspect

    faults = {}
    for name, params in wanted:
        try:
            found = resolve(name)
            real = list(inspect.signature(found).parameters.values()) if params else []
        except AttributeError:
            faults[f"signature {name}"] = "does not exist"
            continue
        except ValueError:
            continue  # a builtin without a signature
        names = [p.name for p in real] or params
        if any(p.kind == p.VAR_KEYWORD for p in real):
            continue
        if [p for p in params if p not in names] or [n for n in names if n in params] != params:
            faults[f"signature {name}"] = f"has parameters {', '.join(names)}"
    return faults


def resolve(name):
    import importlib
    from functools import reduce

    root, _, path = name.replace("tensor.", "torch.Tensor.", 1 if name.startswith("tensor.") else 0).partition(".")
    return reduce(getattr, path.split("."), importlib.import_module({"tf": "tensorflow"}.get(root, root)))


if __name__ == "__main__":
    main(*sys.argv[1:])
