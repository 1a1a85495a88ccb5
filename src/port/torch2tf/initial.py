"""Initial values: torch's defaults where Keras has others, parameters of the user's own, and nn.init."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import TIGHT, build, expression
from port.facts import Kind, Layout
from port.torch2tf.refused import Refused
from port.torch2tf.style import in_style
from port.torch2tf.values import Items
from port.tree import walk


def initializers(w: Any) -> str:
    """How the file spells keras.initializers."""
    return "initializers" if w.layers == "layers" else "keras.initializers"


def keeps_initial(w: Any, at: Any = None) -> bool:
    """Are torch's initial values written? Not with --init framework, nor where a loop sets all of them."""
    return w.options.init != "framework" and not (at is not None and w.covered(at.layer))


def default_init(w: Any, fan_in: cst.BaseExpression, at: Any = None) -> list[tuple[str, Any]]:
    """`**default_init(fan_in)`: kernel and bias uniform in +-1/sqrt(fan_in)."""
    if not keeps_initial(w, at):
        return []
    w.helper("default_init")
    return [("**", build("default_init({fan})", fan=fan_in))]


LAZY_BIAS = ("torch draws the bias from +-1/sqrt(fan_in), which is not known where the layer is made: here it starts "
             "at zero")


def lazy_init(at: Any) -> list[tuple[str, Any]]:
    """Of a module whose input size shows at the first call: uniform in +-1/sqrt(fan_in), which the kernel tells."""
    if not keeps_initial(at.w, at):
        return []
    at.w.need(initializers(at.w).split(".")[0])
    if at.lit("bias") is not False:
        at.w.report("P101", LAZY_BIAS, at.node, at.layer.symbol)
    return [("kernel_initializer", build(f'{initializers(at.w)}.VarianceScaling(1 / 3, mode="fan_in", '
                                         'distribution="uniform")'))]


# ---------------------------------------------------------------- parameters of the user's own
def write_parameter(w: Any, node: cst.Call, name: str) -> Any:
    """`nn.Parameter(torch.zeros(...))` as `self.add_weight(shape=..., initializer=..., name=...)`."""
    function = w.function
    if function is None or function.owner is None or not function.owner.is_module or function.static:
        raise Refused("P203", "an nn.Parameter outside of a module's methods: Keras' weights belong to a layer", node)
    if not node.args or (node.args[0].keyword is not None and node.args[0].keyword.value != "data"):
        raise Refused("P202", "an nn.Parameter without a value", node)
    value = node.args[0].value
    made = _recipe(w, value)
    settings: list[tuple[str, Any]] = [("shape", made.shape), ("initializer", made.initial)]
    if made.shape is None:
        settings = [("", made.initial), ("dtype", expression(f"{function.params[0]}.variable_dtype"))]
    elif made.dtype is not None:
        settings.append(("dtype", made.dtype))
    grad = next((a.value for a in node.args[1:]), None)
    if grad is not None and w.fact(grad).literal() is not True:
        settings.append(("trainable", w.expr(grad)))
    if name.isidentifier():
        settings.append(("name", cst.SimpleString(f'"{name}"')))
    args = [cst.Arg(v, keyword=cst.Name(k), equal=TIGHT) if k else cst.Arg(v) for k, v in settings]
    if made.shape is None:
        w.need("keras")
    return in_style(w, cst.Call(build(f"{function.params[0]}.add_weight" if made.shape is not None else (
        "keras.Variable")), args))


@dataclass(frozen=True)
class Recipe:
    """How a new tensor is made: its shape, an initialiser, a dtype that was asked for.

    No shape: `initial` is a value, whose shape shows when it is computed.
    """

    shape: cst.BaseExpression | None
    initial: cst.BaseExpression
    dtype: cst.BaseExpression | None = None


def _recipe(w: Any, node: cst.BaseExpression) -> Recipe:
    node = w.it.objects.get(("spread", node), node)
    symbol = w.fact(node.func).symbol if isinstance(node, cst.Call) else ""
    last = symbol.rpartition(".")[2]
    if symbol in MADE and isinstance(node, cst.Call):
        return _created(w, node, last)
    if isinstance(node, cst.Call):
        drawn = _drawn(w, node)
        if drawn is not None:
            return drawn
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        scaled = _scaled(w, node)
        if scaled is not None:
            return scaled
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in FILLED:
        filled = _filled(w, node)
        if filled is not None:
            return filled
    held = _held(w, node)
    if held is not None:
        return _recipe(w, held)
    if w.fact(node).kind is Kind.TENSOR:
        return _any_value(w, node)
    raise Refused("P203", "the value of this nn.Parameter is not understood", node)


def _drawn(w: Any, node: cst.Call) -> Recipe | None:
    """`nn.init.xavier_uniform_(torch.empty(a, b))`: fans are those of torch's layout (out, in, cells)."""
    from port.torch2tf import init_calls, init_values

    found = init_calls.init_call(w, node)
    if found is None:
        return None
    name, tensor, args = found
    inner, rank = _recipe(w, tensor), w.fact(tensor).rank
    if inner.shape is None:
        raise Refused("P208", "the shape of this nn.Parameter is not known", node)
    symmetric = name in ("xavier_uniform_", "xavier_normal_", "glorot_normal_")
    draw = init_values.draw(w, name, args, rank == 2 and name.startswith("kaiming"))
    initial = draw.node
    if draw.fans and not (rank == 2 and (symmetric or name.startswith("kaiming"))):
        w.helper("torch_fans")
        initial = build("torch_fans({i})", i=initial)
    return Recipe(inner.shape, initial, inner.dtype)


MADE = {f"torch.{n}" for n in ("zeros", "ones", "randn", "rand", "empty", "full", "Tensor", "FloatTensor", "tensor")}


FILLED = {"fill_": ("initializers.Constant({a})", 1), "uniform_": ("initializers.RandomUniform({a}, {b})", 2),
          "normal_": ("initializers.RandomNormal({a}, {b})", 2)}


def _filled(w: Any, node: cst.Call) -> Recipe | None:
    """`torch.zeros(...).fill_(value)`, also with random numbers."""
    assert isinstance(node.func, cst.Attribute)
    inner = node.func.value
    template, count = FILLED[node.func.attr.value]
    if not isinstance(inner, cst.Call) or w.fact(inner.func).symbol not in MADE or len(node.args) != count or any(
            a.keyword is not None or a.star for a in node.args):
        return None
    values = {name: w.expr(a.value) for name, a in zip("ab", node.args, strict=False)}
    w.need("initializers" if w.layers == "layers" else "keras")
    text = template.replace("initializers", initializers(w), 1)
    return Recipe(_recipe(w, inner).shape, build(text, **values))


def _held(w: Any, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a variable was given in the statement right above, where that says how the tensor is made."""
    if not isinstance(node, cst.Name) or w.function is None or not isinstance(w.function.node, cst.FunctionDef):
        return None
    for block in walk(w.function.node.body):
        if not isinstance(block, cst.IndentedBlock):
            continue
        for above, below in zip(block.body, block.body[1:], strict=False):
            if not (isinstance(above, cst.SimpleStatementLine) and isinstance(below, cst.SimpleStatementLine)):
                continue
            first = above.body[-1]
            if isinstance(first, cst.Assign) and len(first.targets) == 1 and isinstance(
                    first.targets[0].target, cst.Name) and first.targets[0].target.value == node.value and any(
                    n is node for n in walk(below)) and isinstance(first.value, cst.Call):
                return first.value
    return None


def _created(w: Any, node: cst.Call, last: str) -> Recipe:
    plain = [a.value for a in node.args if a.keyword is None and not a.star]
    named = {a.keyword.value: a.value for a in node.args if a.keyword is not None}
    dtype = w.expr(named["dtype"]) if "dtype" in named and w.fact(named["dtype"]).literal(...) is not None else None
    unknown = named.keys() - {"dtype", "device", "requires_grad", "size", "fill_value", "data", "generator"}
    if unknown or any(a.star == "**" for a in node.args):
        raise Refused("P202", f"`torch.{last}` with `{(sorted(unknown) or ['**'])[0]}`", node)
    if last == "tensor" or (last.endswith("Tensor") and plain and not _is_size(w, plain[0])):
        return _constant(w, node, plain[0] if plain else named["data"], dtype)
    if last == "full":
        size = named.get("size", plain[0] if plain else None)
        fill = named.get("fill_value", plain[-1] if plain else None)
        if size is None or fill is None:
            raise Refused("P202", "`torch.full` without size or value", node)
        return Recipe(_shape(w, [size]), _initializer(w, "Constant({v})", v=w.expr(fill)), dtype)
    if any(a.star == "*" for a in node.args):
        only = node.args[0].value
        shape = w.expr(only) if len(plain) == 0 and len(node.args) - len(named) == 1 else build(
            "({x})", x=cst.Tuple([_element(w, a) for a in node.args if a.keyword is None]))
    elif plain or "size" in named:
        shape = _shape(w, plain or [named["size"]])
    else:
        raise Refused("P202", f"`torch.{last}` without a size", node)
    return Recipe(shape, _STARTS[last](w), dtype)


def _element(w: Any, arg: cst.Arg) -> Any:
    return cst.StarredElement(w.expr(arg.value)) if arg.star == "*" else cst.Element(w.expr(arg.value))


def _text(text: str) -> Any:
    return lambda w: cst.SimpleString(f'"{text}"')


def _initializer(w: Any, template: str, **nodes: Any) -> cst.BaseExpression:
    w.need(initializers(w).split(".")[0])
    return build(f"{initializers(w)}.{template}", **nodes)


_STARTS: dict[str, Any] = {
    "zeros": _text("zeros"), "ones": _text("ones"), "empty": _text("zeros"), "Tensor": _text("zeros"),
    "FloatTensor": _text("zeros"), "randn": lambda w: _initializer(w, "RandomNormal(stddev=1.0)"),
    "rand": lambda w: _initializer(w, "RandomUniform(0.0, 1.0)"),
}


def _is_size(w: Any, node: cst.BaseExpression) -> bool:
    return not isinstance(node, cst.List | cst.Tuple) and w.fact(node).kind is not Kind.TENSOR


def _shape(w: Any, sizes: list[cst.BaseExpression]) -> cst.BaseExpression:
    """Sizes as one tuple."""
    if len(sizes) == 1:
        only = sizes[0]
        if isinstance(only, cst.Tuple | cst.List):
            return w.expr(only)
        fact = w.fact(only)
        if fact.kind is Kind.SHAPE or isinstance(fact.payload, Items) or isinstance(fact.literal(), tuple):
            return w.expr(only)
        return build("({x},)", x=w.expr(only))
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(sizes) - 1
    return cst.Tuple([cst.Element(w.expr(s), comma=comma if i < last else cst.MaybeSentinel.DEFAULT)
                      for i, s in enumerate(sizes)])


def _constant(w: Any, node: cst.Call, value: cst.BaseExpression, dtype: Any) -> Recipe:
    """torch.tensor(value): of a number, or of a nested list that is written."""
    if isinstance(value, cst.List | cst.Tuple):
        shape = w.fact(node).shape
        if shape is None or not all(isinstance(d, int) for d in shape):
            raise Refused("P208", "the shape of this nn.Parameter is not known", node)
        sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        return Recipe(build(f"({sizes})"), _initializer(w, "Constant({v})", v=w.expr(value)), dtype)
    return Recipe(build("()"), _initializer(w, "Constant({v})", v=w.expr(value)), dtype)


def _scaled(w: Any, node: cst.BinaryOperation) -> Recipe | None:
    """`0.02 * torch.randn(...)`, `torch.ones(dim) * init_values`."""
    for made, factor in ((node.left, node.right), (node.right, node.left)):
        symbol = w.fact(made.func).symbol if isinstance(made, cst.Call) else ""
        if symbol not in ("torch.randn", "torch.ones", "torch.zeros") or w.fact(factor).kind is Kind.TENSOR:
            continue
        inner = _recipe(w, made)
        if symbol == "torch.randn":
            return Recipe(inner.shape, _initializer(w, "RandomNormal(stddev={s})", s=w.expr(factor)), inner.dtype)
        if symbol == "torch.ones":
            return Recipe(inner.shape, _initializer(w, "Constant({s})", s=w.expr(factor)), inner.dtype)
        return inner
    return None


def _any_value(w: Any, node: cst.BaseExpression) -> Recipe:
    """Another tensor: its value."""
    fact = w.fact(node)
    if fact.shape is None or not all(isinstance(d, int) for d in fact.shape):
        return Recipe(None, w.expr(node, Layout.PLAIN))
    sizes = ", ".join(map(str, fact.shape)) + ("," if len(fact.shape) == 1 else "")
    cast = "keras.ops.cast" if w.target == "keras" else "tf.cast"
    w.need(cast.partition(".")[0])
    value = w.expr(node, Layout.PLAIN)
    return Recipe(build(f"({sizes})"), build(f"lambda shape, dtype=None: {cast}({{v}}, dtype)", v=value))


