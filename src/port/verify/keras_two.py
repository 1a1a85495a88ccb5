"""What differs between the versions of Keras, for Keras 2: `keras` is a namespace with the names of Keras 3."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from . import keras_inputs, keras_version
from .draws import Log
from .tf_modules import Held

ENGINE = "tensorflow"
two: Any = importlib.import_module("tf_keras" if keras_version.legacy() else "keras")
Functional: type = importlib.import_module(f"{two.Model.__module__.rpartition('.')[0]}.functional").Functional
PRIVATE = ("_layers", "_metrics", "_losses", "_callable_losses", "_updates", "_nodes", "_optimizer", "optimizer",
           "_trainable_weights", "_non_trainable_weights", "_inbound_nodes_value", "_outbound_nodes_value",
           "_input_layers", "_output_layers", "_input_coordinates", "_output_coordinates", "_network_nodes",
           "_nodes_by_depth", "_layer_call_argspecs", "_nested_inputs", "_nested_outputs",
           "_obj_reference_counts_dict", "_train_counter", "_test_counter", "_predict_counter",
           "compiled_loss", "compiled_metrics")  # attributes that Keras keeps for itself


def _set_policy(name: str) -> None:
    two.mixed_precision.set_global_policy(name)


def _numpy(value: Any) -> np.ndarray:
    return np.array(value)


def _is_float(dtype: str) -> bool:
    return bool(tf.as_dtype(dtype).is_floating)


keras: Any = SimpleNamespace(
    layers=two.layers, Model=two.Model, Sequential=two.Sequential,
    Variable=tf.Variable, utils=two.utils,
    config=SimpleNamespace(floatx=two.backend.floatx, set_floatx=two.backend.set_floatx, set_dtype_policy=_set_policy),
    backend=SimpleNamespace(standardize_dtype=lambda dtype: tf.as_dtype(dtype).name, is_float_dtype=_is_float),
    tree=SimpleNamespace(flatten=tf.nest.flatten, pack_sequence_as=tf.nest.pack_sequence_as),
    ops=SimpleNamespace(transpose=tf.transpose, cast=tf.cast, sum=tf.reduce_sum, is_tensor=tf.is_tensor,
                        convert_to_tensor=tf.convert_to_tensor, convert_to_numpy=_numpy))


def prepare(log: Log, tensor: Callable[[np.ndarray, str], Any]) -> None:
    """Keras 2 draws through TensorFlow, which `keras_tensorflow` watches."""
    keras_inputs.follow(two.layers, two.backend.floatx)


def mode(layer: Any, training: bool) -> dict[str, bool]:
    """The argument that says so; layers without one hand it on through the global phase."""
    two.backend.set_learning_phase(int(training))
    return {"training": training} if layer._expects_training_arg else {}


def struct(model: Any) -> Any:
    """How the inputs of a functional model are nested, or None."""
    return getattr(model, "_nested_inputs", None) if isinstance(model, Functional) else None


def sublayers(layer: Any) -> list[Any]:
    """Layers that this one follows, in order."""
    return list(layer._flatten_layers(recursive=False, include_self=False))


def direct(layer: Any) -> list[Any]:
    """Variables of the layer itself."""
    return [_held(layer, v) for v in (*layer._trainable_weights, *layer._non_trainable_weights)]


def weights(layer: Any) -> list[Any]:
    """Variables of the layer and of all below it."""
    return [held for sub in layer._flatten_layers() for held in direct(sub)]


def _held(layer: Any, variable: Any) -> Held:
    return Held(variable, newer(layer, variable.name.partition(":")[0].rpartition("/")[2]), bool(layer.trainable))


def newer(layer: Any, name: str) -> str:
    """The name that Keras 3 has for a weight."""
    depthwise = isinstance(layer, two.layers.DepthwiseConv2D | two.layers.DepthwiseConv1D)
    return "kernel" if depthwise and name == "depthwise_kernel" else name


def is_own(klass: type) -> bool:
    return klass.__module__.startswith(("keras.", "tf_keras."))


def raw(variable: Any) -> Any:
    """What holds the numbers, whose identity says which variable it is."""
    return variable


def snake(name: str) -> str:
    """The name that Keras gives to layers of a class."""
    parted = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
    return f"private{parted}" if parted.startswith("_") else parted


def axis(layer: Any) -> int:
    """Of the channels of a batch norm, which Keras 2 keeps in a list."""
    return int(np.ravel(layer.axis)[0])
