"""Members that come from Keras' base classes and that nn.Module lacks, used on `self` or on a model."""

from __future__ import annotations

import libcst as cst

from port.build import expression
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.definitions import asks_for_shapes
from port.tf2torch.infer.values import Class, GraphModel, Instance, SequentialModel, find_method
from port.tree import code

MODULES = ("keras.Model", "keras.layers.Layer", "keras.Sequential")
DTYPES = ("dtype", "compute_dtype", "variable_dtype", "_compute_dtype", "_dtype")
LOSSES = ("add_loss", "add_metric", "losses", "metrics", "add_update", "updates", "compiled_loss", "compiled_metrics",
          "optimizer", "compute_loss")
WEIGHTS = ("weights", "trainable_weights", "non_trainable_weights", "variables", "trainable_variables",
           "non_trainable_variables", "get_weights", "set_weights", "count_params", "add_weight", "add_variable")
OTHERS = ("name", "input_spec", "build", "compute_output_shape", "compute_output_spec", "get_config",
          "layers", "_layers", "inputs", "outputs", "input_shape", "output_shape", "get_layer", "summary", "stateful",
          "input", "output", "get_build_config", "reset_states", "reset_state", "set_state_tree", "built",
          "dtype_policy", "quantization_mode", "path", "trainable", "activity_regularizer")


def attribute(em: Emitter, node: cst.Attribute, cls: Class) -> cst.BaseExpression | None:
    """What stands for it; None if it is the user's, or nn.Module has it too."""
    name = node.attr.value
    if cls.root not in MODULES or _assigned(cls, name):
        return None
    if name in DTYPES:
        em.need("torch")
        return expression("torch.get_default_dtype()")
    _refuse(node, "a Keras layer here")
    return None


def of_model(em: Emitter, node: cst.Attribute) -> None:
    """Refuses what only Keras' models have, read from an object."""
    owner = em.fact(node.value)
    cls = owner.payload.cls if isinstance(owner.payload, Instance) else None
    if cls is not None and (cls.root not in MODULES or _assigned(cls, node.attr.value)):
        return
    if cls is not None or isinstance(owner.payload, GraphModel | SequentialModel):
        _refuse(node, "a Keras model")


def _refuse(node: cst.Attribute, owner: str) -> None:
    name, text = node.attr.value, code(node)
    if name in LOSSES:
        raise Refused("P205", f"`{text}` belongs to Keras' training loop; return the term, or compute it there", node)
    if name in WEIGHTS:
        raise Refused("P206", f"`{text}` of {owner}; nn.Module has `parameters()` and nn.Parameter", node)
    if name in OTHERS:
        raise Refused("P206", f"`{text}` comes from Keras' base class; nn.Module has no such member", node)


def _assigned(cls: Class, name: str) -> bool:
    own = name in cls.attrs or (name not in ("build", "compute_output_spec") and find_method(cls, name) is not None
                                and (name != "compute_output_shape" or asks_for_shapes(cls)))
    return own or any(isinstance(b.payload, Class) and _assigned(b.payload, name) for b in cls.bases)
