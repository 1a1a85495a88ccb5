"""The TensorFlow/Keras child: a backend of `side`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from . import cases, compare, tf_feed, tf_grouped, user
from . import tf_units as units_of
from . import tf_watch as watch
from .user import DROPS, builders, positional

Cotangent = Callable[[int, Any], np.ndarray]
SIDE = "tf"
_resized = _disturb = False



def setup(job: dict[str, Any]) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.run_functions_eagerly(True)
    watch.install(job["path"])
    _watch_resize()
    tf_grouped.install()
    keras.random.dropout = lambda inputs, *_, **__: inputs
    tf.nn.dropout = lambda x, *_, **__: x
    dtype(job["dtypes"][0])


def _watch_resize() -> None:
    """tf.image.resize computes in float32: note that it was used, and on request add such rounding once more."""
    resize = tf.image.resize

    def watched(*args: Any, **kwargs: Any) -> Any:
        global _resized
        _resized = True
        result = resize(*args, **kwargs)
        if _disturb and result.dtype.is_floating:
            noise = tf.random.stateless_normal(tf.shape(result), (3, 5), dtype=result.dtype)
            result = result * (1 + 6e-8 * noise) if result.dtype == tf.float64 else tf.cast(
                tf.cast(result, "float64") * (1 + 6e-8 * tf.cast(noise, "float64")), "float32")
        return result

    tf.image.resize = watched


def resized() -> bool:
    return _resized


def disturb(on: bool) -> None:
    global _disturb
    _disturb = on


def dtype(name: str) -> None:
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def load(path: Path, name: str) -> ModuleType:
    dtype(name)
    keras.utils.set_random_seed(0)
    module = user.load(path, name)
    module.port_dtype = name  # type: ignore[attr-defined]
    return module


def evaluate(module: ModuleType, text: str) -> Any:
    return eval(text, vars(module))


def kind(obj: Any) -> str:
    if isinstance(obj, keras.layers.Layer):
        return "model"
    if callable(obj):
        return "function"
    raise TypeError(f"the call gives a {type(obj).__name__}, not a model, layer or function")


def free(obj: Any) -> list[tuple[int | None, ...]] | None:
    inputs = getattr(obj, "inputs", None) if isinstance(obj, keras.Model) else None
    return [tuple(i.shape) for i in tf.nest.flatten(inputs)] if inputs else None


def specs(obj: Any) -> list[cases.Spec]:
    if not isinstance(obj, keras.Model) or not getattr(obj, "inputs", None):
        return []
    embeddings = [e.input_dim for e in obj._flatten_layers() if isinstance(e, keras.layers.Embedding)]
    pixels = any(isinstance(r, keras.layers.Rescaling) and 0 < np.max(r.scale) < 0.02 for r in obj._flatten_layers())
    return [cases.from_keras(tuple(i.shape), str(i.dtype), min(embeddings, default=None), pixels)
            for i in tf.nest.flatten(obj.inputs)]


def pads(obj: Any) -> bool:
    return isinstance(obj, keras.layers.Layer) and any(
        getattr(layer, "mask_zero", False) for layer in obj._flatten_layers())


def call(obj: Any, xs: list[Any], training: bool) -> Any:
    if not isinstance(obj, keras.layers.Layer):
        return obj(*xs)
    struct = getattr(obj, "_inputs_struct", None)
    if struct is not None:
        return obj(tf.nest.pack_sequence_as(struct, xs), training=training)
    if len(xs) > 1 and len(positional(obj.call)) == 1:
        return obj(xs, training=training)
    return obj(*xs, training=training)


def tensors(xs: list[np.ndarray]) -> list[Any]:
    return [tf.constant(x, dtype=keras.config.floatx() if x.dtype.kind == "f" else None) for x in xs]


def start(obj: Any, xs: list[np.ndarray]) -> tuple[Any, list[str]]:
    """Build by calling once, then switch random draws off: (structure of the result, notes)."""
    global _resized
    _resized = False
    result = structure(call(obj, tensors(xs), False))
    off = []
    for layer in obj._flatten_layers() if isinstance(obj, keras.layers.Layer) else ():
        for name in DROPS:
            value = vars(layer).get(name)
            if isinstance(value, float) and 0 < value <= 1:
                object.__setattr__(layer, name, 0.0)
                off.append(type(layer).__name__)
    return result, [f"dropout switched off in {', '.join(sorted(set(off)))}"] if off else []


def units(obj: Any) -> tuple[list[dict[str, Any]], Any]:
    return units_of.find(obj) if isinstance(obj, keras.layers.Layer) else ([], [])


def assign(handles: Any, arrays: dict[str, np.ndarray], frozen: bool = False) -> None:
    units_of.assign(handles, arrays, frozen)


def read(handles: Any) -> dict[str, np.ndarray]:
    return units_of.read(handles)


def structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {"dict": {str(k): structure(v) for k, v in value.items()}}
    if isinstance(value, list | tuple):
        return {type(value).__name__ if type(value) in (list, tuple) else "tuple": [structure(v) for v in value]}
    if value is None:
        return None
    value = tf.convert_to_tensor(value)
    return [list(value.shape), value.dtype.name]


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in flat(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flat(item)]
    return [] if value is None else [tf.convert_to_tensor(value)]


def forward(obj: Any, xs: list[np.ndarray], training: bool) -> tuple[list[np.ndarray], Any]:
    value = call(obj, tensors(xs), training)
    return [y.numpy() for y in flat(value)], structure(value)


def gradients(obj: Any, handles: Any, xs: list[np.ndarray], cotangent: Cotangent, training: bool
              ) -> dict[str, dict[Any, np.ndarray]]:
    """y, dx, dw (trainable weights) and, in training mode, buf: every weight that is not trained."""
    inputs = tensors(xs)
    floats = [x for x in inputs if x.dtype.is_floating]
    held = {f"{i}/{n}": v for i, (_, w) in enumerate(handles) for n, v in w.items()}
    trained = {k: v for k, v in held.items() if v.trainable}
    with tf.GradientTape() as tape:
        tape.watch(floats)
        ys = flat(call(obj, inputs, training))
        kind = keras.config.floatx()
        terms = [tf.reduce_sum(tf.cast(y, kind) * tf.constant(cotangent(i, y.shape), kind))
                 for i, y in enumerate(ys) if y.dtype.is_floating]
        loss = tf.add_n(terms) if terms else tf.constant(0.0)
    found = tape.gradient(loss, [*floats, *(v.value for v in trained.values())], unconnected_gradients="zero")
    found = [tf.convert_to_tensor(g).numpy() for g in found]
    places = [i for i, x in enumerate(inputs) if x.dtype.is_floating]
    out: dict[str, dict[Any, np.ndarray]] = {
        "y": {i: y.numpy() for i, y in enumerate(ys)}, "dx": dict(zip(places, found, strict=False)),
        "dw": dict(zip(trained, found[len(floats):], strict=True))}
    if training:
        out["buf"] = {k: np.array(v.numpy()) for k, v in held.items() if not v.trainable}
    return out


def calibrate(obj: Any, xs: list[np.ndarray], near: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """Moving statistics of every batch norm from what reaches it in inference, through `near(mean, variance)`."""
    def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(layer, keras.layers.BatchNormalization) and args:
            x = np.moveaxis(args[0].numpy(), layer.axis, -1).reshape(-1, args[0].shape[layer.axis])
            mean, variance = near(x.mean(0), x.var(0))
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        return original(*args, **kwargs)

    if isinstance(obj, keras.layers.Layer):
        with watch.Tap(around):
            call(obj, tensors(xs), False)


def record(obj: Any, handles: Any, xs: list[np.ndarray], training: bool) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Inputs and outputs (before a fused activation) of every unit, in the order of the calls."""
    index = {id(layer): i for i, (layer, _) in enumerate(handles)}
    calls: list[Any] = []
    kept: dict[str, np.ndarray] = {}

    def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
        if id(layer) not in index:
            return original(*args, **kwargs)
        before: list[Any] = []
        given = watch.arrays([args, kwargs])

        def fused(value: Any, activation: Any) -> Any:
            before.append(value)
            return activation(value)

        with watch.BeforeActivation(layer, fused):
            result = original(*args, **kwargs)
        number = len(calls)
        outs = watch.arrays(before or result)
        calls.append({"unit": index[id(layer)], "in": len(given), "out": len(outs), "order": watch.note_call(layer)})
        kept.update({f"{number}/in/{j}": a for j, a in enumerate(given)})
        kept.update({f"{number}/out/{j}": a for j, a in enumerate(outs)})
        return result

    with watch.Tap(around):
        call(obj, tensors(xs), training)
    return calls, kept


def describe(units: list[dict[str, Any]], handles: Any) -> None:
    """Fill in what is known only after calls: order and lines."""
    for unit, (layer, _) in zip(units, handles, strict=True):
        entry = watch.entry_of(layer)
        unit["first_call"] = entry["first_call"]
        unit["lines"] = entry["called"] or entry["created"]


def discover(module: ModuleType) -> list[str]:
    """Calls worth verifying: models at module level, and builders whose arguments all have defaults."""
    found = [n for n, v in vars(module).items() if isinstance(v, keras.Model) and getattr(v, "inputs", None)]
    own = {n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, keras.Model)}
    return found + [f"{name}()" for name in builders(module, {"Model", "Sequential", *own})]


def localise(obj: Any, handles: Any, xs: list[np.ndarray], training: bool, plan: dict[int, Any],
             classes: dict[int, list[str]]) -> list[Any]:
    return tf_feed.run(lambda: call(obj, tensors(xs), training), handles, plan, classes)


def prepare_attribution() -> None:
    """For good, and before the file is loaded: constants are made in modules, `__init__` and `build` too."""
    from . import tf_exact  # its patches reach into TensorFlow; nothing but this needs them

    tf_exact.install()


def attribute(build: Any) -> dict[str, Any]:
    """{names, error, moved}: the constants that Keras rounds, if the residue is gone without that; else {tried, error}.

    `build` makes the object and gives a function that runs it. `moved`: what one float32 ulp of these constants does to
    the source, by kind of result.
    """
    from . import tf_exact

    rerun = build()
    tf_exact.forget()  # what initialisers met
    with watch.Tap(tf_exact.around):
        rows = rerun()
    names, error = tf_exact.met(), max((r.error for r in rows), default=0.0)
    found = {"exact": True, "error": error, "names": [], "tried": names}
    if not names or any(r.bad for r in rows):
        return found
    tf_exact.move(1.0)  # before it is built anew: constants are cast in constructors too
    try:
        return {**found, "names": names, "moved": compare.effects(build()())}
    finally:
        tf_exact.move(0.0)
