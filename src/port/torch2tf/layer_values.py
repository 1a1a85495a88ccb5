"""Classes of torch.nn as values, in isinstance and in functools.partial; attributes of layers."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Fact, Kind
from port.torch2tf import meetings, modshapes, weightnorm
from port.torch2tf.holding import CONVS, PAIRS
from port.torch2tf.layer_recurrent import HELPERS
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_LAST, Layer, options
from port.tree import code, find, named

# Class in torch.nn -> class in keras.layers: what isinstance asks, and whose initialisers are set.
CLASSES = {
    "Linear": "Dense", "LayerNorm": "LayerNormalization", "GroupNorm": "GroupNormalization", "Embedding": "Embedding",
    "SyncBatchNorm": "BatchNormalization", "modules.batchnorm._BatchNorm": "BatchNormalization",
    "RMSNorm": "RMSNormalization", "Dropout": "Dropout", "ReLU": "ReLU", "LeakyReLU": "LeakyReLU", "ELU": "ELU",
    "Softmax": "Softmax", "Identity": "Identity", "Flatten": "Flatten", "AlphaDropout": "AlphaDropout",
}
CLASSES |= {f"{a}{n}d": b.replace("*", str(n)) for n in (1, 2, 3) for a, b in (
    ("Conv", "Conv*D"), ("ConvTranspose", "Conv*DTranspose"), ("BatchNorm", "BatchNormalization"),
    ("InstanceNorm", "GroupNormalization"), ("Dropout", "SpatialDropout*D"))}
CLASSES |= {f"Lazy{name}": target for name, target in CLASSES.items()
            if name.startswith(("Linear", "Conv", "BatchNorm"))}
# Modules whose call takes no argument that matters.
NO_SETTINGS = {"ReLU": "ReLU", "Identity": "Identity", "SELU": '"selu"', "SiLU": '"silu"', "Mish": '"mish"',
               "Hardswish": '"hard_swish"', "Hardsigmoid": '"hard_sigmoid"', "Tanh": '"tanh"', "Sigmoid": '"sigmoid"',
               "ReLU6": '"relu6"', "Softsign": '"softsign"', "GELU": '"gelu"'}
KERNELS = "attention.SDPBackend."
# Functions with torch's signature that make the layers.
MAKERS = {"LayerNorm": "layer_norm", "Linear": "make_linear", "GroupNorm": "make_group_norm", "Dropout": "make_dropout",
          "InstanceNorm2d": "make_instance_norm", "InstanceNorm1d": "make_instance_norm",
          "InstanceNorm3d": "make_instance_norm", "Embedding": "Embedding", "LeakyReLU": "make_leaky_relu",
          "Conv1d": "make_conv1d", "Conv2d": "make_conv2d", "Conv3d": "make_conv3d", "PReLU": "PReLU",
          "RMSNorm": "rms_normalization"}
MAKERS |= dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), "batch_norm") | {n: n for n in HELPERS}
CONTAINERS = {"ModuleList": "list", "ParameterList": "list", "ModuleDict": "dict", "ParameterDict": "dict"}


def write_class(w: Any, node: cst.BaseExpression, symbol: str) -> Any:
    """The class that isinstance asks for."""
    short = symbol.removeprefix("torch.nn.")
    if short == "Sequential":
        w.need("keras")
        return expression("keras.Sequential")
    if short == "Parameter":
        w.need("keras")
        return expression("keras.Variable")
    if short in CONTAINERS:
        return cst.Name(CONTAINERS[short])
    if short in HELPERS:
        w.helper(short)
        return cst.Name(short)
    if short == "PReLU":
        w.helper("PReLU")
        return build("({a}, PReLU)", a=w.layer("PReLU"))
    if short not in CLASSES:
        raise Refused("P203", f"isinstance of `nn.{short}`: several modules become the same Keras layer", node, symbol)
    return w.layer(CLASSES[short])


# ---------------------------------------------------------------- values
def write_class_value(w: Any, node: cst.BaseExpression, symbol: str) -> Any:
    """A class as a value is called later, with torch's arguments: a function that takes them."""
    short = symbol.removeprefix("torch.nn.")
    if short.startswith(KERNELS):
        w.report("P103", f"`{short}` says which kernel computes attention, which TensorFlow chooses: its name is kept",
                 node)
        return cst.SimpleString(repr(short.removeprefix(KERNELS)))
    given = calls_through_value(w, symbol)
    if short == "Module":
        return w.layer("Layer")
    if short in CONTAINERS:
        return cst.Name(CONTAINERS[short])
    if short in NO_SETTINGS:
        return _no_settings(w, short, given)
    if short in MAKERS:
        return _kept_first(w, node, symbol, cst.Name(_maker(w, short, given)),
                           [la for la in w.it.layers.values() if la.symbol == symbol and la.node in given])
    raise Refused("P203", f"`nn.{short}` as a value: pass a function that makes the layer", node, symbol)


def write_made(w: Any, node: cst.Call, layer: Layer) -> Any:
    """`nn.Conv2d(cin, cout, **kwargs)`, of which not all is seen: a function makes it that takes torch's arguments."""
    short = layer.symbol.removeprefix("torch.nn.")
    if short not in MAKERS:
        raise Refused("P202", layer.problem, node)
    return cst.Call(cst.Name(_maker(w, short, [node])), [w.expr(a) for a in node.args])


def _no_settings(w: Any, short: str, given: list[cst.Call]) -> Any:
    target = NO_SETTINGS[short]
    bare = all(not c.args for c in given)
    parameters = "" if bare else "*args, **kwargs" if short == "Identity" else "inplace=False"
    if not target.startswith('"'):
        if bare:
            return w.layer(target)
        return build(f"lambda {parameters}: {{c}}()", c=w.layer(target))
    return build(f"lambda {parameters}: {{c}}({target})".replace("lambda :", "lambda:"), c=w.layer("Activation"))


def _maker(w: Any, short: str, given: list[cst.Call]) -> str:
    name = MAKERS[short]
    if name == "batch_norm":
        from port.torch2tf.layer_norm import UNBIASED

        for call in given:
            w.report("P101", UNBIASED, call, f"torch.nn.{short}")
        plain = all(len(c.args) == 1 and (c.args[0].keyword is None or c.args[0].keyword.value == "num_features")
                    and not c.args[0].star for c in given)
        w.helper("batch_norm" if plain and not partials(w, f"torch.nn.{short}") else "batch_norm_settings")
        return name
    w.helper(name)
    return name.removeprefix("make_") if name.startswith("make_") else name


def _kept_first(w: Any, node: cst.CSTNode, symbol: str, maker: Any, made: list[Layer]) -> Any:
    """The function that makes layers, some of which must keep channels first (meetings.py)."""
    kept = meetings.all_enclosed(w.it, made)
    if kept is None:
        raise Refused("P209", "what this makes has channels first at one place and last at another", node, symbol)
    if not kept:
        return maker
    rank = modshapes.rank_taken(made[0])
    if rank not in TO_LAST:
        raise Refused("P208", f"how many axes `nn.{symbol.rpartition('.')[2]}` gets is not known", node, symbol)
    w.helper("channels_first")
    return build("channels_first({m}, {n})", m=maker, n=expression(str(rank - 2)))


def calls_through_value(w: Any, symbol: str) -> list[cst.Call]:
    """Calls of a variable that may hold this class."""
    return [node for node in _by_symbol(w)[0].get(symbol, ()) if meetings.is_through_value(w.it, node)]


def partials(w: Any, symbol: str) -> list[cst.Call]:
    return _by_symbol(w)[1].get(symbol, [])


def _by_symbol(w: Any) -> tuple[dict[str, list[cst.Call]], dict[str, list[cst.Call]]]:
    """Calls of framework symbols, and partials of them: facts are settled when code is written."""
    if "by symbol" not in w.it.notes:
        called: dict[str, list[cst.Call]] = {}
        made: dict[str, list[cst.Call]] = {}
        for node, callee in w.it.receivers.items():
            if type(node) is not cst.Call:
                continue
            for symbol in dict.fromkeys(o.symbol for o in options(callee) if o.symbol and o.payload is None):
                called.setdefault(symbol, []).append(node)
            if callee.symbol == "functools.partial" and node.args:
                made.setdefault(w.fact(node.args[0].value).symbol, []).append(node)
        w.it.notes["by symbol"] = called, made
    return w.it.notes["by symbol"]  # type: ignore[no-any-return]


def write_partial(w: Any, node: cst.Call, symbol: str) -> Any:
    """`partial(nn.LayerNorm, eps=1e-6)`: the function that makes the layer, with the same settings."""
    short = symbol.removeprefix("torch.nn.")
    if short in NO_SETTINGS and all(a.keyword is not None and a.keyword.value == "inplace" for a in node.args[1:]):
        return w.layer(NO_SETTINGS[short]) if not NO_SETTINGS[short].startswith('"') else write_class_value(
            w, node.args[0].value, symbol)
    if short not in MAKERS:
        raise Refused("P203", f"a partial of `nn.{short}`: write a function that makes the layer", node, symbol)
    made = [la for (call, _), la in w.it.layers.items() if la.symbol == symbol and any(
        k[2] is node and v is call for k, v in w.it.objects.items() if isinstance(k, tuple) and k[0] == "partial")]
    maker = _kept_first(w, node, symbol, cst.Name(_maker(w, short, calls_through_value(w, symbol))), made)
    first = node.args[0].with_changes(value=maker)
    return node.with_changes(args=[first, *(w.expr(a) for a in node.args[1:])])


# ---------------------------------------------------------------- attributes of layers
SETTINGS = {"out_features": "units", "out_channels": "filters", "embedding_dim": "output_dim", "num_embeddings":
            "input_dim", "p": "rate", "eps": "epsilon", "kernel_size": "kernel_size", "stride": "strides",
            "dilation": "dilation_rate", "groups": "groups"}
STATISTICS = {"running_mean": "moving_mean", "running_var": "moving_variance"}


def write_member(w: Any, node: cst.Attribute, owner: Fact) -> Any:
    """An attribute of a layer that the file reads (`self.fc.weight`); None if it is an attribute of the user's own."""
    layers = [o.payload for o in options(owner) if isinstance(o.payload, Layer)]
    if not layers:
        return None
    name, short = node.attr.value, layers[0].symbol.rpartition(".")[2]
    if len({layer.symbol for layer in layers}) > 1:
        raise Refused("P204", f"`.{name}` of one of several kinds of layers", node)
    if name in ("weight", "bias") or name in STATISTICS:
        return weight(w, node, layers[0])
    given = [layer.bound[name] for layer in layers if name in layer.bound]
    if len(given) == len(layers) and len({code(g) for g in given}) == 1 and all(_evident(w, g) for g in given):
        return w.expr(given[0])
    if name in SETTINGS and (name in layers[0].bound or (short in CONVS and name in PAIRS)):
        return cst.Attribute(leaf(w, node.value, layers[0]), cst.Name(SETTINGS[name]))
    if len(layers) == 1 and name in layers[0].bound and _is_parameter_here(w, layers[0], layers[0].bound[name]):
        return w.expr(layers[0].bound[name])
    raise Refused("P204", f"`.{name}` of `nn.{short}`", node)


def _evident(w: Any, node: cst.BaseExpression) -> bool:
    """An argument that means the same elsewhere: a number."""
    return w.fact(node).literal(...) is not ... and w.fact(node).kind is Kind.PLAIN


def _is_parameter_here(w: Any, layer: Layer, node: cst.BaseExpression) -> bool:
    """A parameter of the function that reads the setting, which made the layer and binds the name to nothing else."""
    f = w.function
    return f is not None and isinstance(node, cst.Name) and node.value in f.params and layer.node in find(
        f.node, cst.Call) and not any(node.value in named(t) for t in find(f.node, cst.AssignTarget)
                                      if not isinstance(t.target, cst.Attribute | cst.Subscript))


def leaf(w: Any, node: cst.BaseExpression, layer: Layer) -> Any:
    """The layer that holds the weights: of a padded convolution, which is a Sequential, the one with a kernel."""
    from port.torch2tf.layers import write_layer

    weightnorm.check_read(w, node, layer)
    written = w.expr(node)
    elements = write_layer(w, layer.node, layer).elements
    if len(elements) == 1:
        return paren(written)
    at = next(i for i, e in enumerate(elements) if (isinstance(e, cst.Call) and "default_init" in code(e))
              or "Conv" in code(e).partition("(")[0])
    return build(f"{{x}}.layers[{at - len(elements)}]", x=paren(written))


def weight_name(short: str, name: str) -> str:
    """Keras' name of a weight of a module: 'kernel', 'gamma', ...; '' if it has none of its own."""
    if name in STATISTICS:
        return STATISTICS[name]
    if short == "Linear" or short.startswith(("Conv", "Lazy")):
        return {"weight": "kernel", "bias": "bias"}[name]
    if "Norm" in short:
        return ("scale" if short == "RMSNorm" else "gamma") if name == "weight" else "beta"
    return {"Embedding": "embeddings", "EmbeddingBag": "embeddings", "PReLU": "alpha", "Bilinear": "weight"}.get(
        short, "") if name == "weight" else "bias" if short == "Bilinear" else ""


def weight(w: Any, node: cst.Attribute, layer: Layer) -> Any:
    """A weight as a tensor in torch's layout."""
    short, name = layer.symbol.rpartition(".")[2], node.attr.value
    target = weight_name(short, name)
    if not target:
        raise Refused("P204", f"`.{name}` of `nn.{short}`", node)
    found: cst.BaseExpression = cst.Attribute(leaf(w, node.value, layer), cst.Name(target))
    if target == "kernel":
        rank = 2 if short.endswith("Linear") else int(short[-2]) + 2
        order = [rank - 1, rank - 2, *range(rank - 2)]
        return w.transposed(found, str(order))
    return found


