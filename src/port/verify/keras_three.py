"""What differs between the versions of Keras, for Keras 3; `keras_two` has the same names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras.src import backend
from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE

from . import keras_inputs
from .draws import Log

ENGINE = keras.backend.backend()
RAW = ("normal", "uniform", "truncated_normal", "categorical", "randint", "binomial", "beta", "gamma", "shuffle")
# attributes that Keras keeps for itself
PRIVATE = ("_layers", "_metrics", "_tracker", "_functional", "_operations", "_nodes", "_saved_model_inputs_spec",
           "_trainable_variables", "_non_trainable_variables", "_variables", "_seed_generators", "_losses",
           "_inbound_nodes", "_outbound_nodes", "_parent_path", "_optimizer", "optimizer", "_compile_metrics",
           "_compile_loss", "_modules", "_torch_params", "_parameters", "_buffers")
Functional: type = keras.src.models.functional.Functional
snake = keras.src.utils.naming.to_snake_case


def prepare(log: Log, tensor: Callable[[np.ndarray, str], Any]) -> None:
    """For good: random draws are noted in `log`, dropout does nothing, and float64 stays what it is."""
    BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # Keras on JAX and PyTorch meets every float64 with float32
    keras_inputs.follow(keras.layers, keras.config.floatx)
    log.watch(backend.random, RAW)
    log.share(backend.random, lambda values, dtype: tensor(
        values, keras.backend.standardize_dtype(dtype or keras.config.floatx())))

    def quiet(inputs: Any, rate: Any, *_: Any, **__: Any) -> Any:
        log.rate(rate)
        return keras.ops.convert_to_tensor(inputs)

    backend.random.dropout = quiet


def mode(layer: Any, training: bool) -> dict[str, bool]:
    """The argument that says so; every layer takes it."""
    return {"training": training}


def struct(model: Any) -> Any:
    """How the inputs of a functional model are nested, or None."""
    return getattr(model, "_inputs_struct", None)


def sublayers(layer: Any) -> list[Any]:
    """Layers that this one follows, in order."""
    return list(getattr(layer, "_layers", ()))


def direct(layer: Any) -> list[Any]:
    """Variables of the layer itself."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def weights(layer: Any) -> list[Any]:
    """Variables of the layer and of all below it."""
    return list(layer.weights)


def is_own(klass: type) -> bool:
    return klass.__module__.startswith("keras.")


def newer(layer: Any, name: str) -> str:
    """The name that Keras 3 has for a weight."""
    return name


def raw(variable: Any) -> Any:
    """What holds the numbers, whose identity says which variable it is."""
    return variable.value


def axis(layer: Any) -> int:
    """Of the channels of a batch norm."""
    return int(layer.axis)
