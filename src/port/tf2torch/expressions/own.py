"""Members that a class has from Keras' base class and nn.Module lacks, used on `self`."""

from __future__ import annotations

import libcst as cst

from port.build import expression
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Class, find_method

MODULES = ("keras.Model", "keras.layers.Layer", "keras.Sequential")
DTYPES = ("dtype", "compute_dtype", "variable_dtype", "_compute_dtype", "_dtype")
LOSSES = ("add_loss", "add_metric", "losses", "metrics", "add_update", "updates", "compiled_loss", "compiled_metrics",
          "optimizer", "compute_loss")
WEIGHTS = ("weights", "trainable_weights", "non_trainable_weights", "variables", "trainable_variables",
           "non_trainable_variables", "get_weights", "set_weights", "count_params", "add_weight", "add_variable")
OTHERS = ("name", "input_spec", "build", "compute_output_shape", "compute_output_spec", "get_config",
          "layers", "_layers", "inputs", "outputs", "input_shape", "output_shape", "get_layer", "summary", "stateful",
          "dtype_policy", "quantization_mode", "path", "trainable", "activity_regularizer")


def attribute(em: Emitter, node: cst.Attribute, cls: Class) -> cst.BaseExpression | None:
    """What stands for it; None if it is the user's, or nn.Module has it too."""
    name = node.attr.value
    if cls.root not in MODULES or _assigned(cls, name):
        return None
    if name in DTYPES:
        em.need("torch")
        return expression("torch.get_default_dtype()")
    if name in LOSSES:
        raise Refused("P205", f"`self.{name}` belongs to Keras' training loop; return the term, or compute it there",
                      node)
    if name in WEIGHTS:
        raise Refused("P206", f"`self.{name}` of a Keras layer here; nn.Module has `parameters()` and nn.Parameter",
                      node)
    if name in OTHERS:
        raise Refused("P206", f"`self.{name}` comes from Keras' base class; nn.Module has no such member", node)
    return None


def _assigned(cls: Class, name: str) -> bool:
    own = name in cls.attrs or (name not in ("build", "compute_output_shape", "compute_output_spec")
                                and find_method(cls, name) is not None)
    return own or any(isinstance(b.payload, Class) and _assigned(b.payload, name) for b in cls.bases)
