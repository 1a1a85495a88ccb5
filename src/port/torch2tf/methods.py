"""Methods of modules, and functions of the framework that are no ops: devices, modes, checkpoints, seeds."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind
from port.torch2tf import chainturns, dtypes, layercalls, layers, namedchildren, ownweights, probes, weightnorm
from port.torch2tf.above import parents
from port.torch2tf.refused import Refused
from port.torch2tf.rowfind import training
from port.torch2tf.values import Bound, Chain, Items, Layer, Mapping, options
from port.tree import code

DROPPED = {"to", "cuda", "cpu", "eval", "train", "share_memory"}  # the module itself, in Keras
DTYPES = {"half": "float16", "double": "float64", "bfloat16": "bfloat16"}


# Methods of Keras models that no nn.Module has: code that stayed in TensorFlow when it was ported to PyTorch.
KERAS_METHODS = {"fit", "evaluate", "predict", "predict_on_batch", "train_on_batch", "test_on_batch", "summary",
                 "save_weights", "load_weights", "get_layer", "get_weights", "set_weights"}


def is_keras_method(node: cst.Call, name: str) -> bool:
    """nn.Module has a `compile` as well, but no optimizer in it."""
    named = {a.keyword.value for a in node.args if a.keyword is not None}
    return name in KERAS_METHODS or (name == "compile" and bool(named & {"optimizer", "loss", "metrics"}))


def check_dtype(w: Any, node: cst.Call) -> None:
    """`.to(torch.float64)` is not only a device."""
    for arg in node.args:
        if dtypes.dtype_name(w.fact(arg.value).symbol) or (arg.keyword is not None and arg.keyword.value == "dtype"):
            raise Refused("P203", "`.to()` changes the dtype of a module; give Keras' layers a dtype policy", node)


def of_module(w: Any, node: cst.Call, bound: Bound) -> Any:
    """A method that every nn.Module has."""
    name, func = bound.name, node.func
    if not isinstance(func, cst.Attribute):
        raise Refused("P204", f"`{name}` of a module, taken as a value", node)
    owner = func.value
    payloads = [o.payload for o in options(bound.owner)]
    if name in ("__init__", "__setattr__", "extra_repr"):
        node = layercalls.named(w, node) if name == "__init__" else node
        return node.with_changes(func=w.generic(func), args=[w.expr(a) for a in node.args])
    if name == "forward":
        return node.with_changes(func=func.with_changes(value=w.expr(owner), attr=cst.Name("call")),
                                 args=[w.expr(a) for a in node.args])
    if name in DROPPED:
        check_dtype(w, node)
        return w.expr(owner)
    if any(isinstance(p, Chain) for p in payloads) and name in ("append", "add_module") and node.args:
        for chain in payloads:
            if isinstance(chain, Chain):
                chainturns.grown(w, chain, node)
        return cst.Call(cst.Attribute(paren(w.expr(owner)), cst.Name("add")), [cst.Arg(w.expr(node.args[-1].value))])
    if any(isinstance(p, Items) for p in payloads) and name in ("add_module", "register_module"):
        raise Refused("P206", "a ModuleList whose modules have names and are taken by number as well; hold them in an "
                      "nn.ModuleDict", node)
    if any(isinstance(p, Items | Mapping) for p in payloads):
        return node.with_changes(func=func.with_changes(value=w.expr(owner)), args=[w.expr(a) for a in node.args])
    if name == "parameters":
        if not ownweights.only_own(bound.owner):
            w.report("P103", "`parameters()` is `trainable_variables`: Keras makes them at the first call, and none "
                     "before", node)
        return cst.Attribute(paren(w.expr(owner)), cst.Name("trainable_variables"))
    if name == "modules":
        return cst.Call(cst.Attribute(paren(w.expr(owner)), cst.Name("_flatten_layers")))
    if name in DTYPES:
        raise Refused("P203", f"`.{name}()` changes the dtype of a module; give Keras' layers a dtype policy", node)
    if name in namedchildren.METHODS:
        return namedchildren.write(w, node)
    if is_keras_method(node, name):
        return node.with_changes(func=func.with_changes(value=w.expr(owner)), args=[w.expr(a) for a in node.args])
    if name in ("state_dict", "load_state_dict", *FILE_HOOKS):
        raise Refused("P207", f"`{name}`: weights files of PyTorch are not read by Keras", node)
    if name == "zero_grad":
        raise Refused("P205", "`zero_grad` belongs to training code", node)
    raise Refused("P203", f"`{name}` of a module has no counterpart in Keras", node)


FILE_HOOKS = ("_load_from_state_dict", "_save_to_state_dict", "_register_load_state_dict_pre_hook",
              "register_load_state_dict_pre_hook", "register_load_state_dict_post_hook",
              "_register_state_dict_hook")


# ---------------------------------------------------------------- functions
def checkpoint(w: Any, node: cst.Call) -> Any:
    """checkpoint(f, x) saves memory and changes no number: f(x)."""
    called = w.it.objects.get(node)
    if not isinstance(called, cst.Call):
        raise Refused("P204", "what checkpoint() calls is not written by itself", node)
    w.report("P001", "checkpoint() saves memory in PyTorch; the function is called directly", node)
    if w.function is not None:
        parents(w.it, w.function.node)[called] = node
    return w.expr(called)


def _seed(w: Any, node: cst.Call) -> Any:
    w.need("keras")
    return cst.Call(expression("keras.utils.set_random_seed"), [w.expr(a) for a in node.args])


def _false(w: Any, node: cst.Call) -> Any:
    return cst.Name("False")


def _first(w: Any, node: cst.Call) -> Any:
    return w.expr(node.args[0].value)


def _is_tensor(w: Any, node: cst.Call) -> Any:
    if w.target == "keras":
        w.need("keras")
        return cst.Call(expression("keras.ops.is_tensor"), [w.expr(a) for a in node.args])
    w.need("tf")
    return cst.Call(expression("tf.is_tensor"), [w.expr(a) for a in node.args])


def _floatx(w: Any, node: cst.Call) -> Any:
    w.need("keras")
    return expression("keras.config.floatx()")


def _training_code(w: Any, node: cst.Call) -> Any:
    raise training(w.it.names.resolve(node.func), node)


def _fans(w: Any, node: cst.Call) -> Any:
    """Of a weight that the class made itself: it has torch's layout."""
    weight = node.args[0].value if node.args else None
    if weight is None or w.fact(weight).symbol != "weight":
        raise Refused("P204", "the fans of a weight whose layout in Keras is not known", node)
    w.helper("fans")
    return build("fans({x})", x=w.expr(weight))


def _weights_file(w: Any, node: cst.Call) -> Any:
    raise Refused("P207", "weights files of PyTorch are not read by Keras", node)


def _packing(w: Any, node: cst.Call) -> Any:
    """Packed sequences: a padded one with its lengths, which the helpers for recurrent modules understand."""
    name = w.it.names.resolve(node.func).rpartition(".")[2]
    w.helper(name)
    return node.with_changes(func=cst.Name(name), args=[w.expr(a) for a in node.args])


FUNCTIONS: dict[str, Any] = {
    "torch.nn.utils.rnn.pack_padded_sequence": _packing, "torch.nn.utils.rnn.pad_packed_sequence": _packing,
    "torch.get_default_dtype": _floatx, "torch.nn.init._calculate_fan_in_and_fan_out": _fans,
    "torch.utils.checkpoint.checkpoint": checkpoint, "torch.manual_seed": _seed, "torch.jit.is_scripting": _false,
    "torch.jit.is_tracing": _false, "torch.compile": _first, "torch.jit.script": _first, "torch.jit.ignore": _first,
    "torch.is_tensor": _is_tensor, "torch.save": _weights_file,
    "torch.load": _weights_file, "torch.hub.load_state_dict_from_url": _weights_file,
    "torch.utils.model_zoo.load_url": _weights_file, "torch.utils.data.DataLoader": _training_code,
    "torch.utils.data.TensorDataset": _training_code,
} | dict.fromkeys(weightnorm.SYMBOLS, weightnorm.write) | {f"torch.optim.{name}": _training_code
     for name in (
    "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "Adafactor", "LBFGS")}


# ---------------------------------------------------------------- builtins
def _isinstance(w: Any, node: cst.Call) -> Any:
    """`isinstance(m, nn.Conv2d)`: the class itself."""
    if len(node.args) != 2:
        return w.generic(node)
    if w.fact(node.args[1].value).symbol == "torch.Tensor":
        made: Any = _is_tensor(w, node)
        return made.with_changes(args=[made.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)])
    asked = _classes(w, node.args[1].value)
    if w.fact(node.args[1].value).symbol != "torch.nn.Module":
        for held in options(w.fact(node.args[0].value)):
            if isinstance(held.payload, Layer):
                weightnorm.check_read(w, node, held.payload)
    return node.with_changes(args=[w.expr(node.args[0]), node.args[1].with_changes(value=asked)])


def _classes(w: Any, node: cst.BaseExpression) -> Any:
    if isinstance(node, cst.Tuple):
        made = [e.with_changes(value=_classes(w, e.value)) for e in node.elements]
        texts = [code(e.value) for e in made]
        made = [e for i, e in enumerate(made) if texts[i] not in texts[:i]]  # several modules are one layer
        return made[0].value if len(made) == 1 else node.with_changes(elements=made)
    symbol = w.fact(node).symbol if w.fact(node).kind is Kind.FUNCTION else ""
    if symbol == "torch.nn.Module":
        return w.layer("Layer")
    if symbol.startswith("torch.nn."):
        return layers.write_class(w, node, symbol)
    return w.expr(node)


def _partial(w: Any, node: cst.Call) -> Any:
    symbol = w.fact(node.args[0].value).symbol if node.args else ""
    if symbol.startswith("torch.nn.") and symbol.rpartition(".")[2][:1].isupper():
        return layers.write_partial(w, node, symbol)
    return build("{x}", x=w.generic(node))


def length(w: Any, node: cst.Call) -> Any:
    """`len(x)` of a tensor: inside tf.function it may be a size that only running it tells. None: of something else."""
    if not node.args or any(o.kind is not Kind.TENSOR for o in options(w.fact(node.args[0].value))):
        return None
    w.need("keras")
    return build("keras.ops.shape({x})[0]", x=w.expr(node.args[0].value))


def _next(w: Any, node: cst.Call) -> Any:
    """`next(module.parameters())`: Keras' variables are a list. None: of something else."""
    first = node.args[0].value if node.args else None
    if not isinstance(first, cst.Call) or w.fact(first.func).symbol != "module.parameters":
        return None
    listed = node.args[0].with_changes(value=build("iter({v})", v=w.expr(first)))
    return node.with_changes(args=[listed, *(a.with_changes(value=w.expr(a.value)) for a in node.args[1:])])


BUILTINS: dict[str, Any] = {"builtins.len": length, "builtins.next": _next, "builtins.isinstance": _isinstance,
                            "functools.partial": _partial, "builtins.hasattr": probes.write,
                            "builtins.getattr": probes.write}
