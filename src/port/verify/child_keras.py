"""The Keras child: a backend of `source` and `target`, on TensorFlow, JAX or PyTorch (see `keras_tensorflow`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import cases, compare, draws, inputs, keras_any, layouts, results, user
from . import keras_units as units_of
from . import keras_watch as watch
from .inputs import Feed
from .keras_any import engine, keras
from .user import builders, positional

Cotangent = Callable[[int, Any], np.ndarray]
SIDE = "tf"
LOG = draws.Log()
resized: Callable[..., bool] = getattr(engine, "resized", lambda forget=False: False)
disturb = getattr(engine, "disturb", None)
widen: Callable[[], bool] = getattr(engine, "widen", lambda: False)


def setup(job: dict[str, Any]) -> None:
    engine.setup(LOG)
    watch.install(job["path"])
    keras_any.prepare(LOG, engine.tensor)
    dtype(job["dtypes"][0])


def dtype(name: str) -> None:
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def load(job: dict[str, Any], name: str) -> ModuleType:
    dtype(name)
    keras.utils.set_random_seed(0)
    module = user.load(Path(job["path"]), name, job.get("module", ""))
    module.port_dtype = name  # type: ignore[attr-defined]
    return module


def evaluate(module: ModuleType, text: str) -> Any:
    return eval(text, vars(module))


def kind(obj: Any) -> str:
    if units_of.is_model(obj):
        return "model"
    if callable(obj):
        return "function"
    raise TypeError(f"the call gives a {type(obj).__name__}, not a model, layer or function")


def free(obj: Any) -> list[tuple[int | None, ...]] | None:
    """Shapes of the inputs, if the model says them."""
    found = getattr(obj, "inputs", None) if isinstance(obj, keras.Model) else None
    return [tuple(i.shape) for i in keras.tree.flatten(found)] if found else None


def specs(obj: Any) -> list[list[cases.Spec]]:
    """Guesses at the inputs, the best first."""
    if not isinstance(obj, keras.Model) or not getattr(obj, "inputs", None):
        return []
    embeddings = [e.input_dim for e in obj._flatten_layers() if isinstance(e, keras.layers.Embedding)]
    pixels = any(isinstance(r, keras.layers.Rescaling) and 0 < np.max(r.scale) < 0.02 for r in obj._flatten_layers())
    fewest = min(embeddings, default=None)
    return [[cases.from_keras(tuple(i.shape), keras.backend.standardize_dtype(i.dtype), fewest, pixels)
             for i in keras.tree.flatten(obj.inputs)]]


def pads(obj: Any) -> bool:
    return isinstance(obj, keras.layers.Layer) and any(
        getattr(layer, "mask_zero", False) for layer in obj._flatten_layers())


def packs(obj: Any, given: Feed) -> bool:
    """Several tensors in one argument? What the source does, unless the port takes them one by one."""
    if given.packed is False or len(given.arrays) < 2 or not given.plain or not isinstance(obj, keras.layers.Layer):
        return False
    return len(positional(obj.call)) == 1


def lay_out(obj: Any, module: ModuleType, text: str) -> str:
    """Note on the object of `text` in which order of axes it takes and gives tensors, if it says so."""
    found = layouts.find(obj, module, text)
    if found.said:
        getattr(obj, "__func__", obj)._port_layouts = found
    return found.said


def call(obj: Any, given: Feed, xs: list[Any], training: bool) -> Any:
    laid: layouts.Layouts = getattr(obj, "_port_layouts", layouts.NONE)
    xs = layouts.inward(xs, layouts.places(laid, obj, given), keras.ops.transpose)
    return layouts.outward(_called(obj, given, xs, training), laid, keras.ops.transpose)


def _called(obj: Any, given: Feed, xs: list[Any], training: bool) -> Any:
    with LOG.shared():
        if not isinstance(obj, keras.layers.Layer):
            mode = {"training": training} if units_of.is_model(obj) and "training" in positional(
                obj.__call__, ()) else {}
            return inputs.call(obj, given, xs, False, **mode)
        struct, mode = keras_any.struct(obj), keras_any.mode(obj, training)
        if struct is not None and given.plain:
            return obj(keras.tree.pack_sequence_as(struct, xs), **mode)
        return inputs.call(obj, given, xs, packs(obj, given), **mode)


def tensors(given: Feed) -> list[Any]:
    return [engine.tensor(x, keras.config.floatx() if x.dtype.kind == "f" else None) for x in given.arrays]


def floating(value: Any) -> bool:
    return keras.backend.is_float_dtype(keras.backend.standardize_dtype(value.dtype))


def numpy(value: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(value))


def start(obj: Any, given: Feed, first: bool) -> tuple[Any, list[str], draws.Found | None]:
    """Build by calling once, then switch random draws off: (structure of the result, notes, what drew)."""
    resized(forget=True)
    result = structure(call(obj, given, tensors(given), False))
    layers = list(obj._flatten_layers()) if isinstance(obj, keras.layers.Layer) else []
    if not all(layer.built for layer in layers):  # auxiliary heads, say, which only training calls
        call(obj, given, tensors(given), True)
    drew = LOG.around(lambda: call(obj, given, tensors(given), True)) if first and layers else None
    if drew:
        drew["recurrent"] = [round(rate, 6) for layer in layers for name in ("dropout", "recurrent_dropout")
                             if isinstance(layer, units_of.RNN) and (rate := float(getattr(layer, name, 0) or 0))]
    off = draws.silence(layers, object.__setattr__, lambda: forward(obj, given, False)[0])
    return result, [f"dropout switched off in {', '.join(sorted(set(off)))}"] if off else [], drew


def units(obj: Any) -> tuple[list[dict[str, Any]], Any]:
    return units_of.find(obj) if units_of.is_model(obj) else ([], [])


assign, read = units_of.assign, units_of.read


def structure(value: Any) -> Any:
    def about(leaf: Any) -> list[Any]:
        leaf = keras.ops.convert_to_tensor(leaf)
        return [list(leaf.shape), keras.backend.standardize_dtype(leaf.dtype)]
    return results.structure(value, about)


def flat(value: Any) -> list[Any]:
    return results.flat(value, keras.ops.convert_to_tensor)


def forward(obj: Any, given: Feed, training: bool) -> tuple[list[np.ndarray], Any]:
    value = call(obj, given, tensors(given), training)
    return [numpy(y) for y in flat(value)], structure(value)


def gradients(obj: Any, handles: Any, given: Feed, cotangent: Cotangent, training: bool
              ) -> dict[str, dict[Any, np.ndarray]]:
    """y, dx, dw (trainable weights) and, in training mode, buf: every weight that is not trained."""
    xs = tensors(given)
    places = [i for i, x in enumerate(xs) if floating(x)]
    held = {f"{i}/{n}": v for i, (_, w) in enumerate(handles) for n, v in w.items()}
    trained = {k: v for k, v in held.items() if v.trainable}
    rest = {k: v for k, v in held.items() if not v.trainable}

    def run(floats: list[Any]) -> list[Any]:
        full = list(xs)
        for place, value in zip(places, floats, strict=True):
            full[place] = value
        return flat(call(obj, given, full, training))

    def total(ys: list[Any]) -> Any:
        floatx = keras.config.floatx()
        terms = [keras.ops.sum(keras.ops.cast(y, floatx) * engine.tensor(cotangent(i, tuple(y.shape)), floatx))
                 for i, y in enumerate(ys) if floating(y)]
        return sum(terms[1:], terms[0]) if terms else None

    ys, found = engine.gradients(run, [xs[i] for i in places], list(trained.values()), list(rest.values()), total)
    arrays = [numpy(g) for g in found]
    out: dict[str, dict[Any, np.ndarray]] = {
        "y": {i: numpy(y) for i, y in enumerate(ys)}, "dx": dict(zip(places, arrays, strict=False)),
        "dw": dict(zip(trained, arrays[len(places):], strict=True))}
    if training:
        out["buf"] = {k: numpy(v.value) for k, v in rest.items()}
    return out


def graph(obj: Any, given: Feed, axes: list[list[int]], training: bool) -> Callable[[Feed], list[np.ndarray]] | None:
    """The call traced by `tf.function`, `axes` of each input being unknown; None: this engine has no such thing."""
    if not hasattr(engine, "trace"):
        return None
    traced = engine.trace(lambda xs: flat(call(obj, given, xs, training)), tensors(given), axes)
    return lambda feed: [numpy(y) for y in traced(tensors(feed))]


def calibrate(obj: Any, given: Feed, near: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """Moving statistics of every batch norm from what reaches it in inference, through `near(mean, variance)`."""
    def around(layer: Any, original: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(layer, keras.layers.BatchNormalization) and args:
            axis = keras_any.axis(layer)
            x = np.moveaxis(numpy(args[0]), axis, -1).reshape(-1, args[0].shape[axis])
            mean, variance = near(x.mean(0), x.var(0))
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        return original(*args, **kwargs)

    if isinstance(obj, keras.layers.Layer):
        with watch.Tap(around):
            call(obj, given, tensors(given), False)


def record(obj: Any, handles: Any, given: Feed, training: bool) -> tuple[list[Any], dict[str, np.ndarray]]:
    return watch.record(lambda: call(obj, given, tensors(given), training), handles)


describe = watch.describe


def discover(module: ModuleType) -> list[str]:
    """Calls worth verifying: models at module level, and builders whose arguments all have defaults."""
    found = [n for n, v in vars(module).items() if isinstance(v, keras.Model) and getattr(v, "inputs", None)]
    own = {n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, keras.Model)}
    return found + [f"{name}()" for name in builders(module, {"Model", "Sequential", *own})]


def localise(obj: Any, handles: Any, given: Feed, training: bool, plan: dict[int, Any],
             classes: dict[int, list[str]], same: bool) -> list[Any]:
    from . import keras_feed

    return keras_feed.run(lambda: call(obj, given, tensors(given), training), handles, plan, classes, same)


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
