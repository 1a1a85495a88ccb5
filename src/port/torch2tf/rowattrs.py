"""Attributes of tensors, sizes, and symbols of torch that stand as values."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port import table
from port.build import build, expression, helper_names, paren, parse
from port.facts import Kind, Layout
from port.torch2tf import args, dtypes, heldvalues
from port.torch2tf.refused import Refused
from port.torch2tf.rowforms import shape_of
from port.torch2tf.spread import bindings
from port.torch2tf.values import ShapeOf
from port.tree import find, walk

CONSTANTS = {"torch.pi": "math.pi", "torch.e": "math.e", "torch.inf": "math.inf", "torch.nan": "math.nan",
             "torch.Size": "tuple", "torch.newaxis": "None"}
FORMS = {  # attribute -> (tf, keras)
    "T": ("tf.transpose({x})", "keras.ops.transpose({x})"),
    "mT": ("tf.linalg.matrix_transpose({x})", "keras.ops.swapaxes({x}, -1, -2)"),
    "H": ("tf.linalg.adjoint({x})", ""), "mH": ("tf.linalg.adjoint({x})", ""),
    "data": ("tf.stop_gradient({x})", "keras.ops.stop_gradient({x})"),
    "real": ("tf.math.real({x})", "keras.ops.real({x})"), "imag": ("tf.math.imag({x})", "keras.ops.imag({x})"),
    "ndim": ("len({x}.shape)", ""), "is_cuda": ("False", ""), "is_sparse": ("False", ""), "is_quantized": ("False", ""),
    "is_mps": ("False", ""), "is_meta": ("False", ""), "is_nested": ("False", ""),
}
SAME = ("dtype", "device", "name")


def write_attribute(w: Any, node: cst.Attribute, name: str) -> Any:
    if name == "shape":
        return shape_of(w, node.value)
    if name in SAME:
        new = w.expr(node.value)
        return node if new is node.value else node.with_changes(value=paren(new))
    if name in ("T", "H") and w.fact(node.value).rank not in (2, None):
        raise Refused("P208", f"`.{name}` of more than two axes", node)
    if name in FORMS:
        tf, keras = FORMS[name]
        text = keras if w.target == "keras" and keras else tf
        for module in ("tf", "keras"):
            if text.startswith(f"{module}."):
                w.need(module)
        return build(text, x=w.expr(node.value, Layout.PLAIN if name in ("T", "mT", "H", "mH") else None))
    code = "P205" if name in ("grad", "requires_grad", "grad_fn", "is_leaf", "retains_grad") else "P203"
    raise Refused(code, f"`.{name}` of a tensor has no counterpart", node)


def write_shape_index(w: Any, node: cst.Subscript, shape: ShapeOf) -> Any:
    """`x.shape[1]`, `x.size()[2:]`: counted in the layout that the tensor has in the target."""
    owner = owner_of(w, node.value)
    index = node.slice[0].slice
    if owner is None or len(node.slice) != 1:
        return w.generic(node)
    if isinstance(index, cst.Index):
        return shape_of(w, owner, index.value)
    fact = w.fact(owner)
    if fact.layout is not Layout.FLIPPED or not isinstance(index, cst.Slice):
        w.need("keras")
        return node.with_changes(value=build("keras.ops.shape({x})", x=w.expr(owner)), slice=[
            e.with_changes(slice=w.generic(e.slice)) for e in node.slice])
    bounds = (index.lower, index.upper, index.step)
    low, high, step = (w.fact(p).literal(...) if p is not None else None for p in bounds)
    rank = _proven_rank(w, owner) if fact.rank is None else fact.rank
    if ... in (low, high, step) or rank is None:
        raise Refused("P209", "sizes of a channels-last tensor, by places that are not known", node)
    return _sizes(w, owner, list(range(rank))[low:high:step], rank)


def _proven_rank(w: Any, owner: cst.BaseExpression) -> int | None:
    """How many axes a variable has that is bound once, by the modules over space that it is given to."""
    if not isinstance(owner, cst.Name) or w.function is None or bindings(w.function.node)[owner.value] != 1:
        return None
    found = {w.it.ranks[n] for n in find(w.function.node, cst.Name) if n.value == owner.value and n in w.it.ranks}
    return found.pop() if len(found) == 1 else None


def _sizes(w: Any, owner: cst.BaseExpression, axes: list[int], rank: int) -> Any:
    moved = [args.moved_axis(a, rank) % rank for a in axes]
    w.need("keras")
    x = w.expr(owner)
    if moved == list(range(moved[0], moved[0] + len(moved))) if moved else False:
        high = "" if moved[-1] == rank - 1 else moved[-1] + 1
        return build(f"keras.ops.shape({{x}})[{moved[0] or ''}:{high}]", x=x)
    return build(f"tuple(keras.ops.shape({{x}})[i] for i in {tuple(moved)})", x=x)


def write_limit(w: Any, dtype: cst.BaseExpression, name: str) -> Any:
    """`torch.finfo(x.dtype).min` is `x.dtype.min`."""
    known = dtypes.dtype_name(w.fact(dtype).symbol)
    if name in ("min", "max") and (known or (isinstance(dtype, cst.Attribute) and dtype.attr.value == "dtype")) and (
            w.target == "tf"):
        return build(f"{{d}}.{name}", d=dtypes.spell(w, known) if known else w.expr(dtype))
    if known and not known.startswith("bfloat"):
        w.need("np")
        kind = "finfo" if known.startswith("float") else "iinfo"
        return build(f"np.{kind}(np.{known}).{name}")
    raise Refused("P208", "the dtype whose limits are asked is not known", dtype)


def owner_of(w: Any, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """x of `x.shape` and `x.size()`."""
    if isinstance(node, cst.Attribute) and node.attr.value == "shape":
        return node.value if w.fact(node.value).kind is Kind.TENSOR else None
    if isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Attribute) and (
            node.func.attr.value == "size"):
        return node.func.value if w.fact(node.func.value).kind is Kind.TENSOR else None
    return None


# ---------------------------------------------------------------- symbols
def write_symbol(w: Any, node: cst.BaseExpression, symbol: str) -> Any:
    """A dtype, a constant, or a function as a value."""
    dtype = dtypes.dtype_name(symbol)
    if dtype:
        return expression(dtypes.spell(w, dtype))
    if symbol in CONSTANTS:
        if CONSTANTS[symbol].startswith("math."):
            w.need("math")
        return expression(CONSTANTS[symbol])
    from port.torch2tf import losses

    if symbol in losses.FUNCTIONS:
        return losses.as_function(w, symbol, losses.FUNCTIONS[symbol], [], node)
    function = heldvalues.write(w, node, symbol) or function_value(w, symbol)
    if function is None:
        raise Refused("P201", f"`{symbol}` has no counterpart that could stand as a value", node, symbol)
    return function


def function_value(w: Any, symbol: str) -> Any:
    """`F.relu` as a value is `tf.nn.relu`: a function of one tensor that needs nothing else."""
    from port.torch2tf.binds import names_of
    from port.torch2tf.rowfind import spelled

    for name in names_of(symbol):
        for row in table.by_torch_name().get(name, ()):
            if row.kind != "function" or row.via or not spelled(w, row) or row.none:
                continue
            for signature in row.torch:
                needed = [p for p in signature.params if p.default is None and not p.star]
                if signature.name == name and len(needed) == 1 and signature.params[0] is needed[0]:
                    return _spelled(w, row, signature)
    return None


def _spelled(w: Any, row: Any, signature: Any) -> Any:
    from port.torch2tf import rows

    template = rows.template_of(w, row)
    if not template:
        chosen = rows.spelling(w, row)
        assert chosen is not None
        w.need(chosen.name.partition(".")[0])
        return expression(chosen.name)
    tree = parse(template)
    first = signature.params[0].name
    plain = isinstance(tree, cst.Call) and len(tree.args) == 1 and tree.args[0].keyword is None and isinstance(
        tree.args[0].value, cst.Name) and tree.args[0].value.value == first
    free = {n.value for n in walk(tree) if isinstance(n, cst.Name)}
    if any(p.name in free for p in signature.params[1:]):
        return None
    rows.note_needs(w, tree)
    if plain:
        return tree.func.deep_clone()  # type: ignore[attr-defined]
    return helper_names(expression(f"lambda {first}: {template}"))
