"""A call of a torch function or tensor method, written by its row read backwards."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import libcst as cst

from port import table
from port.build import argument, build, drop_commas, expression, helper_names, parse, reflow, substitute
from port.facts import Kind
from port.table import Row
from port.torch2tf import args as adapters
from port.torch2tf import castforms, losses, mathforms, padforms, partforms, rowforms, spatial, writes
from port.torch2tf.jobs import ABSENT, Job, shown
from port.torch2tf.refused import Refused
from port.torch2tf.rowattrs import write_attribute, write_limit, write_shape_index, write_symbol
from port.torch2tf.rowfind import find, spelling, template_of
from port.torch2tf.rowindex import write_index, write_store
from port.torch2tf.rowops import (
    write_augmented,
    write_augmented_value,
    write_binary,
    write_comparison,
    write_unary,
)
from port.tree import clone, code, named, rebuild, walk


def write_call(w: Any, node: cst.Call, symbol: str, receiver: cst.BaseExpression | None = None) -> cst.BaseExpression:
    """The call in the target's framework; raises Refused where no row holds."""
    if symbol.startswith("tensor.") and symbol.endswith("_") and not symbol.endswith("__"):
        symbol = _result_alone(w, node, symbol, receiver)
    job = find(w, node, symbol, receiver)
    w.by(node, f"row {job.row.name}")
    if job.row.differs:
        w.report("P101", f"{symbol}: {job.row.differs}", node, symbol)
    new = finished(job, written(job))
    if isinstance(new, cst.Tuple) and w.unpacked(node):
        return new.with_changes(lpar=[], rpar=[])
    return new


VIEWS = ("view", "reshape", "transpose", "permute", "squeeze", "unsqueeze", "expand", "narrow", "select", "flatten",
         "t", "detach", "view_as", "contiguous", "diagonal", "index_select")


def _result_alone(w: Any, node: cst.Call, symbol: str, receiver: cst.BaseExpression | None) -> str:
    """A method in place whose result alone is seen: of a value that nothing else holds, or in a chain of such."""
    called = receiver.func.attr.value if isinstance(receiver, cst.Call) and isinstance(
        receiver.func, cst.Attribute) else ""
    fresh = isinstance(receiver, cst.BinaryOperation) or (isinstance(receiver, cst.Call) and called not in VIEWS)
    if node in w.chains or fresh or symbol == "tensor.requires_grad_":
        return "tensor." + out_of_place(symbol.removeprefix("tensor."))
    name = receiver
    while isinstance(name, cst.Call) and isinstance(name.func, cst.Attribute) and name.func.attr.value.endswith("_"):
        w.chains.add(name)
        name = name.func.value
    if w.function is None or not isinstance(name, cst.Name) or not isinstance(w.function.node, cst.FunctionDef):
        raise Refused("P203", f"`{shown(symbol)}` changes a tensor in place, and TensorFlow's cannot be: bind the "
                      "result", node, symbol)
    writes.of_variable(w, name, node, bound=False)
    return "tensor." + out_of_place(symbol.removeprefix("tensor."))


# ---------------------------------------------------------------- writing
def written(job: Job) -> cst.BaseExpression:
    adapters.prepare(job)
    if job.row.via and not job.row.tf:
        return forms()[job.row.via](job)
    template = template_of(job.w, job.row)
    return from_template(job, template) if template else backwards(job)


def forms() -> dict[str, Any]:
    return (castforms.ROWS | rowforms.ROWS | partforms.ROWS | padforms.ROWS | spatial.ROWS | mathforms.ROWS
            | losses.ROWS)


def finished(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    """With the whitespace of the original call where both are calls."""
    if isinstance(new, cst.Call) and new.args and not isinstance(job.node.whitespace_before_args, cst.SimpleWhitespace):
        return reflow(new.with_changes(whitespace_before_args=job.node.whitespace_before_args), list(job.node.args))
    return new


def from_template(job: Job, template: str) -> cst.BaseExpression:
    """An expression with torch's parameter names as free names; arguments that say nothing are left out."""
    tree = _spaced(job, clone(parse(template)))
    free = named(tree)
    values: dict[str, Any] = {}
    for p in job.bound.signature.params:
        if p.name in free:
            values[p.name] = adapters.value(job, p.name)
    tree = pruned(job, tree, values)  # type: ignore[assignment]
    note_needs(job.w, tree)
    nodes = {n: expression("None") if v is ABSENT else v for n, v in values.items()}
    return substitute(helper_names(tree), nodes)  # type: ignore[return-value]


def _spaced(job: Job, tree: cst.CSTNode) -> cst.CSTNode:
    """Keyword arguments with the spaces that the source puts around `=`."""
    tree = rebuild(tree, lambda child: _spaced(job, child))
    given = job.bound.nodes.get(tree.value.value) if isinstance(tree, cst.Arg) and isinstance(
        tree.value, cst.Name) else None
    if given is None or given.keyword is None or tree.keyword is None:  # type: ignore[attr-defined]
        return tree
    return tree.with_changes(equal=given.equal)


def pruned(job: Job, tree: cst.CSTNode, values: dict[str, Any]) -> cst.CSTNode:
    """Without keyword arguments that are absent, or the default of the TF function that they are given to."""
    node = rebuild(tree, lambda child: pruned(job, child, values))
    if not isinstance(node, cst.Call):
        return node
    kept = [a for a in node.args if not _says_nothing(job, node, a, values)]
    last = kept[-1].value if kept and kept[-1].keyword is None else None
    if isinstance(last, cst.Name) and values.get(last.value) is ABSENT:
        kept.pop()
    if len(kept) == len(node.args):
        return node
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(args=kept)


def _says_nothing(job: Job, call: cst.Call, arg: cst.Arg, values: dict[str, Any]) -> bool:
    if arg.keyword is None or not isinstance(arg.value, cst.Name) or arg.value.value not in values:
        return False
    name = arg.value.value
    if values[name] is ABSENT:
        return True
    if job.given(name):
        return False  # what the source says stays said
    from port.names import dotted_name

    function = dotted_name(call.func)
    if function.startswith("helpers."):
        return helper_default(function.removeprefix("helpers."), arg.keyword.value) == code(values[name])
    default = tf_default(function, arg.keyword.value)
    return default is not None and default == code(values[name])


@cache
def helper_defaults(name: str) -> dict[str, str]:
    """Parameters of a helper that have a default."""
    import ast

    text = (Path(__file__).parents[1] / "helpers" / "keras" / f"{name}.py").read_text()
    tree = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == name)
    plain = tree.args.args
    named = zip(plain[len(plain) - len(tree.args.defaults):], tree.args.defaults, strict=True)
    return {a.arg: ast.unparse(d) for a, d in named}


def helper_default(name: str, parameter: str) -> str | None:
    return helper_defaults(name).get(parameter)


def tf_default(function: str, parameter: str) -> str | None:
    """The default of a parameter, as rows tell it."""
    for row in table.by_tf_name().get(function, ()):
        for signature in row.tf:
            if signature.name == function:
                return next((p.default for p in signature.params if p.name == parameter), None)
    return _DEFAULTS.get(function, {}).get(parameter)


_DEFAULTS = {"tf.constant": {"dtype": "None"}, "tf.zeros": {"dtype": "tf.float32"}, "tf.ones": {"dtype": "tf.float32"}}


def note_needs(w: Any, tree: cst.CSTNode) -> None:
    for n in walk(tree):
        if type(n) is cst.Name and n.value == "tf" and w.target == "keras":
            raise Refused("P203", "keras.ops has nothing that computes this, only TensorFlow")
        if type(n) is cst.Name and n.value in ("tf", "keras", "math", "np"):
            w.need(n.value)
        if type(n) is cst.Attribute and isinstance(n.value, cst.Name) and n.value.value == "helpers":
            w.helper(n.attr.value)


# ---------------------------------------------------------------- a row with a TF signature, backwards
def backwards(job: Job) -> cst.BaseExpression:
    signature = spelling(job.w, job.row)
    assert signature is not None
    made: list[cst.Arg] = []
    positional = True
    for p in signature.params:
        value, source = tf_value(job, p.name, p.default)
        if value is None:
            positional = False
            continue
        by_word = not positional or p.keyword_only or (p.default is not None and (
            not source or source in job.bound.keyword or source not in job.bound.nodes))
        positional = positional and not by_word
        made.append(argument(p.name if by_word else "", value, job.bound.nodes.get(source)))
    note_needs(job.w, parse(signature.name))
    new = cst.Call(parse(signature.name), drop_commas(made, list(job.node.args)))
    return new


def tf_value(job: Job, name: str, default: str | None) -> tuple[cst.BaseExpression | None, str]:
    """What a TF parameter gets (None: its default), and the torch parameter that it comes from."""
    arg = job.row.args.get(name)
    if arg is None:
        allowed = job.row.only.get(name)
        if allowed is None or any(_same(default, v) for v in allowed):
            return None, ""
        return expression(_literal_code(allowed[0])), ""
    has = {p.name for p in job.bound.signature.params}
    if arg.to not in has:
        return None, ""
    value = adapters.value(job, arg.to, arg.via or "", of=_torch_name(job.row, arg.of))
    if value is ABSENT or (not job.given(arg.to) and default is not None and code(value) == default):
        return None, ""
    return value, arg.to


def _torch_name(row: Row, tf_name: str | None) -> str:
    return row.args[tf_name].to if tf_name in row.args else ""


def _same(default: str | None, allowed: Any) -> bool:
    return default is not None and default in (repr(allowed), allowed)


def _literal_code(value: Any) -> str:
    return value if isinstance(value, str) and value.startswith(("tf.", "keras.")) else repr(value)


def out_of_place(method: str) -> str:
    """`add_` is `add`, of which the result is bound to the name; a method that is in place only keeps its name."""
    return method if f"tensor.{method}" in table.by_torch_name() else method.removesuffix("_")


# ---------------------------------------------------------------- results of several parts
def write_part(w: Any, node: cst.CSTNode, index: int | str) -> Any:
    """`x.max(1)[0]`, `x.sort().indices`: that part alone, or None if the call is no pair."""
    if not isinstance(node, cst.Call):
        return None
    if w.fact(node.func).kind is not Kind.FUNCTION:
        return None
    symbol = w.fact(node.func).symbol
    receiver = node.func.value if symbol.startswith("tensor.") and isinstance(node.func, cst.Attribute) else None
    at = {"values": 0, "indices": 1}.get(index, index) if isinstance(index, str) else index
    if not symbol.startswith(("tensor.", "torch.")) or at not in (0, 1):
        return None
    job = find(w, node, symbol, receiver, part=True)
    if job.row.returns != "pair" or not template_of(w, job.row):
        return None
    tree = parse(template_of(w, job.row))
    if not isinstance(tree, cst.Tuple):
        return build(f"{{x}}[{at}]", x=write_call(w, node, symbol, receiver))
    adapters.prepare(job)
    return from_template(job, code(tree.elements[int(at)].value))


def write_member(w: Any, node: cst.Attribute) -> Any:
    """`x.max(1).values`, `torch.finfo(x.dtype).min`: attributes of what a call of the framework gives."""
    name, inner = node.attr.value, node.value
    if not isinstance(inner, cst.Call):
        return None
    if name in ("values", "indices"):
        return write_part(w, inner, name)
    if w.fact(inner.func).symbol in ("torch.finfo", "torch.iinfo") and len(inner.args) == 1:
        return write_limit(w, inner.args[0].value, name)
    return None


def write_taken(w: Any, node: cst.Subscript) -> Any:
    """`x.max(1)[0]`."""
    index = node.slice[0].slice
    at = w.fact(index.value).literal(...) if isinstance(index, cst.Index) and len(node.slice) == 1 else ...
    return write_part(w, node.value, at) if at in (0, 1) else None


__all__ = ["find", "out_of_place", "write_attribute", "write_augmented", "write_augmented_value", "write_binary",
           "write_call", "write_comparison", "write_index", "write_member",
           "write_part", "write_shape_index", "write_store",
           "write_symbol", "write_taken", "write_unary", "written"]
