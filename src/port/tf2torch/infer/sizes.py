"""What functions give for sizes, which are Python's numbers in PyTorch, and for shapes, sequences of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from port.binding import Bound
from port.facts import UNKNOWN, Dim, Fact, Kind, arithmetic, tensor
from port.table import Row
from port.tf2torch.infer.arrays import is_written
from port.tf2torch.infer.attributes import variable_of
from port.tf2torch.infer.conditions import SETTING, USUAL, is_exact_number, is_number, is_sequence
from port.tf2torch.infer.given import sizes_of
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.opshapes import dtype_of
from port.tf2torch.infer.values import Items, ShapeOf, Size, has_tensor

# Functions that Python has too: what they are for numbers (rows by name).
OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "floordiv": "//", "floormod": "%", "divide": "/",
             "pow": "**"}
COMPARISONS = {"equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">",
               "greater_equal": ">="}
LOGICAL = {"logical_and": "{a} and {b}", "logical_or": "{a} or {b}", "logical_not": "not {a}"}
OF_ONE = {"negative": "-{x}", "square": "{x} ** 2", "clip_by_value": "min(max({x}, {low}), {high})"}
PYTHON = {"cast": "", "sqrt": "math.sqrt", "exp": "math.exp", "log": "math.log", "maximum": "max", "minimum": "min",
          "abs": "abs", "floor": "math.floor", "ceil": "math.ceil", "pow": "math.pow"}
WHOLE = ("maximum", "minimum", "abs")  # of these, what gives whole numbers for whole numbers
OF_SHAPES = {"reduce_prod": "math.prod", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min"}
WHERE = ("where", "keras_where")
ITSELF = ("identity", "stop_gradient")
BOOL = "bool"  # `Fact.dtype` of a Python value that is True or False


# ---------------------------------------------------------------- what is a size
def is_counted(fact: Fact) -> bool:
    """A whole number of Python that is computed: a size, not one that is written out."""
    return isinstance(fact.payload, Size) or (fact.kind is Kind.PLAIN and fact.values is None and fact.dtype == "int")


def is_sizes(fact: Fact) -> bool:
    """A sequence of numbers, a size among them: a shape, or a list that tells its sizes."""
    if isinstance(fact.payload, ShapeOf):
        return True
    return isinstance(fact.payload, Items) and any(map(is_counted, fact.payload.elements))


def is_truth(fact: Fact) -> bool:
    """True or False, as Python computes it."""
    return fact.kind is Kind.PLAIN and fact.dtype == BOOL


def are_numbers(facts: list[Fact]) -> bool:
    """Python's numbers, one of them computed; beside whole ones may stand what is not known, as a setting."""
    sure = [f for f in facts if is_exact_number(f) or f.dtype == SETTING]
    if not any(f.values is None and is_exact_number(f) for f in sure):
        return False
    return len(sure) == len(facts) or (not any(map(is_float, facts)) and all(
        f in sure or _is_setting(f) for f in facts))


def _is_setting(fact: Fact) -> bool:
    return fact.kind is Kind.PLAIN and fact.values is None and fact.payload is None and fact.dtype in (None, *USUAL)


def is_float(fact: Fact) -> bool:
    """Is it, or is one of its elements, a number that is no whole one?"""
    if isinstance(fact.payload, Items):
        return any(map(is_float, fact.payload.elements))
    return fact.dtype in ("float", "float?") or any(_holds_float(v) for v in fact.values or ())


def _holds_float(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, tuple) and any(map(_holds_float, value)))


def is_computed_float(fact: Fact) -> bool:
    """Python may have a whole number there, as of `tf.cast(tf.shape(x)[1], tf.float32)`."""
    return fact.values is None and is_float(fact)


def is_table(fact: Fact) -> bool:
    """A sequence of numbers, computed or written out."""
    if is_sizes(fact) or is_written(fact):
        return not has_tensor(fact)
    elements = _elements(fact)
    return bool(elements) and all(is_exact_number(e) or is_table(e) for e in elements)


def number(whole: bool, facts: list[Fact], dim: Dim = None) -> Fact:
    """The fact of a number that was computed from these."""
    if not whole:
        return Fact(Kind.PLAIN, symbol="=", dtype="float")
    if any(map(_is_setting, facts)):
        return Fact(Kind.PLAIN, symbol="=", dtype="int?")
    return Fact(Kind.PLAIN, payload=Size(dim, _variable(facts)))


def _variable(facts: list[Fact]) -> str:
    """The variable that holds the tensor whose sizes they are."""
    names = [f.payload.of if isinstance(f.payload, Size) else f.payload.name for f in facts
             if isinstance(f.payload, Size | ShapeOf)]
    return next((n for n in names if n), "")


def shape(dims: list[Dim] | None, facts: list[Fact], form: str = "tensor") -> Fact:
    """The fact of a sequence of sizes that was made from these."""
    held = ShapeOf(tensor(None if dims is None else tuple(dims)), _variable(facts), form)
    return Fact(Kind.PLAIN if form == "list" else Kind.SHAPE, payload=held)


# ---------------------------------------------------------------- what operators give
_SYMBOLS: dict[type[cst.BaseBinaryOp], str] = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.FloorDivide: "//", cst.Modulo: "%"}


def is_vector(fact: Fact) -> bool:
    """A shape that is a tensor in the source, where `+` and `==` go by element."""
    return fact.kind is Kind.SHAPE and isinstance(fact.payload, ShapeOf) and fact.payload.form == "tensor"


def combined(it: Interp, node: cst.BinaryOperation, a: Fact, b: Fact) -> Fact | None:
    """Of a shape and a number, or of two shapes; None if there is no shape, or Python cannot say it."""
    op = _SYMBOLS.get(type(node.operator))
    if op is None or not (is_sizes(a) or is_sizes(b)):
        return None
    if is_vector(a) or is_vector(b):
        listed, one, at = (a, b, node.right) if is_vector(a) else (b, a, node.left)
        dims = _dims(listed)
        if is_number(one) or _is_setting(one):
            given = it.dim(at, one)
            known = [arithmetic(op, *((d, given) if listed is a else (given, d))) for d in dims or ()]
            return shape(None if dims is None else known, [listed])
        return tensor((None if dims is None else len(dims),), "int32") if is_sequence(one) else None
    if op != "+" or not (is_sequence(a) and is_sequence(b)):
        return None
    first, second = _dims(a), _dims(b)
    dims = None if first is None or second is None else [*first, *second]
    tuples = any(isinstance(f.payload, ShapeOf) and f.payload.form == "tuple" for f in (a, b))
    return shape(dims, [a, b], "tuple" if tuples else "list")


def compared(facts: list[Fact]) -> Fact | None:
    """By element, where a shape is a tensor; True or False for numbers."""
    vector = next(filter(is_vector, facts), None)
    if vector is None:
        return Fact(Kind.PLAIN, symbol="=", dtype=BOOL) if are_numbers(facts) else None
    dims = _dims(vector)
    return tensor((None if dims is None else len(dims),), "bool")


# ---------------------------------------------------------------- what rows give
def in_order(row: Row, bound: Bound) -> dict[str, cst.BaseExpression]:
    """What is given and says something, by the names of the parameters, in their order."""
    return {p.name: bound.args[p.name] for p in bound.signature.params
            if p.name in bound.args and p.name not in row.ignore}


def of_sizes(it: Interp, row: Row, bound: Bound) -> Fact | None:
    """What this call gives if it gets sizes and Python can say it as well; None if that is not so."""
    nodes = in_order(row, bound)
    facts = {n: it.facts.get(a, UNKNOWN) for n, a in nodes.items()}
    name, values = row.name.removeprefix("v1_"), list(facts.values())
    if not values:
        return None
    if name in ("rank", "size") and not is_sizes(values[0]):
        held = values[0].kind is Kind.TENSOR or values[0].payload is None
        return Fact(Kind.PLAIN, payload=Size(None, variable_of(next(iter(nodes.values()))) if held else ""))
    if name in OPERATORS and len(values) == 2 and are_numbers(values):
        a, b = nodes.values()
        op = OPERATORS[name]
        dim = arithmetic(op, it.dim(a, values[0]), it.dim(b, values[1])) if op in ("+", "-", "*", "//") else None
        return number(name != "divide" and not any(map(is_float, values)), values, dim)
    if (name in OF_ONE or name in WHOLE) and are_numbers(values):
        return number(not any(map(is_float, values)), values)
    if (name in COMPARISONS and are_numbers(values)) or (name in LOGICAL and all(map(is_truth, values))):
        return Fact(Kind.PLAIN, symbol="=", dtype=BOOL)
    if name in WHERE and len(values) == 3 and is_truth(values[0]) and all(map(is_number, values[1:])):
        return number(not any(map(is_float, values[1:])), values[1:])
    return _of_shape(name, facts) or _of_numbers(row, values)


def _of_shape(name: str, facts: dict[str, Fact]) -> Fact | None:
    first, *others = facts
    x, along = facts[first], facts.get("axis", UNKNOWN).literal(...) if "axis" in facts else None
    if along not in (None, 0, -1):
        return None
    if name == "expand_dims":
        return shape([x.payload.dim if isinstance(x.payload, Size) else None], [x]) if is_counted(x) else None
    if name == "reshape" and is_counted(x) and facts.get("shape", UNKNOWN).literal() in ((1,), (-1,)):
        return shape([x.payload.dim if isinstance(x.payload, Size) else None], [x])
    if name == "stack":
        return shape(_dims(x), _elements(x) or [x]) if is_sizes(x) else None
    if name == "concat":
        parts = _elements(x)
        flat = not any(isinstance(e.payload, Items | ShapeOf) for p in parts for e in _elements(p))
        dims = [_dims(p) for p in parts]
        known = None if None in dims else [d for part in dims for d in part or ()]
        return shape(known, parts) if flat and any(map(is_sizes, parts)) else None
    if name in ITSELF and (is_sizes(x) or is_counted(x)):
        return x
    if not is_sizes(x) or has_tensor(x):
        return None
    if name in OF_SHAPES and not {*others} - {"axis"}:
        return number(True, [x] if not _elements(x) else _elements(x))
    if name == "size":
        return number(True, [x])
    if name == "unstack" and isinstance(x.payload, ShapeOf):
        return Fact(Kind.PLAIN, payload=ShapeOf(x.payload.of, x.payload.name, "list"))
    picks = facts.get("indices", UNKNOWN).literal(...)
    if name == "gather" and isinstance(x.payload, ShapeOf) and {*others} <= {"indices", "axis"}:
        of = x.payload.of.shape
        if isinstance(picks, int):
            return Fact(Kind.PLAIN, payload=Size(_at(of, picks), x.payload.name))
        if isinstance(picks, tuple) and all(isinstance(p, int) for p in picks):
            return shape([_at(of, p) for p in picks], [x])
    return None


def _at(dims: tuple[Dim, ...] | None, place: int) -> Dim:
    return dims[place] if dims is not None and -len(dims) <= place < len(dims) else None


def _elements(fact: Fact) -> list[Fact]:
    return fact.payload.elements if isinstance(fact.payload, Items) else []


def _dims(fact: Fact) -> list[Dim] | None:
    """The sizes in it; None if their number is not known."""
    if isinstance(fact.payload, Items) and (not fact.payload.whole or any(has_tensor(e) for e in _elements(fact))):
        return None
    return sizes_of(fact) if isinstance(fact.payload, ShapeOf | Items) or fact.values else None


def _of_numbers(row: Row, facts: list[Fact]) -> Fact | None:
    """A number, if the function is one of Python's and all it gets are numbers."""
    if row.name not in PYTHON:
        return None
    numbers = facts[:1] if row.name == "cast" else facts
    exact = all(is_exact_number(f) or f.dtype == SETTING or is_truth(f) for f in numbers)
    if not exact and not (row.name == "cast" and is_number(facts[0])):
        return None
    kind = dtype_of(facts[1]) if row.name == "cast" and len(facts) > 1 else ""
    if is_truth(facts[0]) and kind:
        return facts[0] if kind == "bool" else number(kind.startswith(("int", "uint")), [])
    if kind and kind.startswith(("int", "uint")):
        return facts[0] if isinstance(facts[0].payload, Size) else Fact(
            Kind.PLAIN, symbol="=", dtype="int" if exact else "int?")
    return Fact(Kind.PLAIN, symbol="=", dtype="float" if exact else "float?")


# ---------------------------------------------------------------- where a row needs a tensor
_SPEC = re.compile(r"(f|i|b|c|u)\w*[^\w\[]*[^\[\]]*\[[\d,]*\].*")


def takes_tensor(row: Row, name: str) -> str:
    """'one' if the row's samples give a tensor there, 'list' for a list of tensors, else ''."""
    given = [v for s in row.sample if name in s for v in (
        s[name]["each"] if isinstance(s[name], dict) and "each" in s[name] else [s[name]])]
    lists = [v for v in given if isinstance(v, list) and any(map(_is_spec, v))]
    return "list" if lists else "one" if any(map(_is_spec, given)) else ""


def _is_spec(value: object) -> bool:
    return isinstance(value, str) and _SPEC.fullmatch(value) is not None


def made_tensors(it: Interp, row: Row, bound: Bound) -> Iterator[Fact]:
    """Of a call without tensors: those that shapes become."""
    for name, node in bound.args.items():
        fact = it.facts.get(node, UNKNOWN)
        if is_sizes(fact) and not has_tensor(fact) and takes_tensor(row, name) == "one":
            dims = _dims(fact)
            yield tensor((None if dims is None else len(dims),), "int32")
