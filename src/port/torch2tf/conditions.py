"""Does a row hold for a call of torch: its conditions, each about the effective value of a parameter."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.facts import Fact, Kind, dim_value
from port.torch2tf.jobs import Job, facts_in
from port.torch2tf.values import Items, ShapeOf, Size, may_be_none

FLOATS = ("float", "float16", "float32", "float64", "bfloat16")
WHOLE = ("int8", "int16", "int32", "int64", "uint8")
_FACT = re.compile(r"(\w+)\(([\w, ]+)\)(?:(=|>=|<=|<|>)(.*))?")


def unmet(job: Job) -> tuple[str, str] | None:
    """None if the row holds, else the code of a finding and what does not hold."""
    row = job.row
    if not row.tf:
        for name, values in row.only_torch.items():
            if not _one_of(job, name, values):
                return "P202", f"`{name}` is not one of {', '.join(map(repr, values))}"
    for name, value in row.fixed.items() if row.tf else ():
        if not _one_of(job, name, (value,)):
            return "P202", f"`{name}` is not {value!r}"
    facts = row.facts_torch if not row.tf else (*row.facts_torch, *backwards(job))
    for text in facts:
        if not holds(job, text):
            return "P208", f"it is not known that {_said(text)}"
    return None


def backwards(job: Job) -> list[str]:
    """The row's conditions about TF parameters, in torch's names; those of parameters that torch lacks fall away."""
    names = {n: a.to for n, a in job.row.args.items() if a.to}
    has = {p.name for p in job.bound.signature.params}
    out = []
    for text in job.row.facts:
        kind, params, sign, wanted = _FACT.fullmatch(text).groups()  # type: ignore[union-attr]
        mapped = [names.get(p.strip(), "") for p in params.split(",")]
        if kind in ("plain", "number", "sequence", "present") and mapped[0] not in has:
            continue
        power = re.sub(r"\w+(?=\*\*)", lambda m: names.get(m[0], m[0]), wanted or "")
        out.append(f"{kind}({', '.join(mapped)}){sign or ''}{power}")
    return out


def _one_of(job: Job, name: str, values: tuple[Any, ...]) -> bool:
    if name not in {p.name for p in job.bound.signature.params}:
        return True  # another overload has it
    if name not in job.bound.args and job.bound.default(name) is None:
        return None in values
    fact = job.fact(name)
    value = job.literal(name)
    if value is ...:
        reached = () if fact.kind is Kind.TENSOR else fact.values or ()  # a tensor that may be None has that value
        symbol = any(isinstance(v, str) and v == fact.symbol for v in values if fact.symbol)
        return symbol or (bool(reached) and all(any(same(r, v) for v in values) for r in reached))
    return any(same(value, v) for v in values)


def same(a: Any, b: Any) -> bool:
    b = tuple(b) if isinstance(b, list) else b
    return a == b and isinstance(a, bool) == isinstance(b, bool)


_MEANS = {"rank": "`{}` has {} axes", "number": "`{}` is a Python number", "plain": "`{}` is a Python value",
          "tensor": "`{}` is a tensor",
          "simple": "`{}` is a variable, which may be read twice",
          "float": "`{}` holds floats", "whole": "`{}` holds whole numbers",
          "dtype": "`{}` is {}", "present": "`{}` is given", "absent": "`{}` is left out",
          "sequence": "`{}` is a list", "static": "the sizes of `{}` are known", "ranked": "how many axes `{}` has"}


def _said(text: str) -> str:
    kind, names, sign, wanted = _FACT.fullmatch(text).groups()  # type: ignore[union-attr]
    return _MEANS.get(kind, f"{kind} holds for `{{}}`").format(names, f"{sign} {wanted}".strip("= "))


def _open(job: Job, name: str) -> bool:
    """May this be a tensor, and may it be left out: who calls decides?"""
    fact = job.fact(name)
    return fact.kind is Kind.TENSOR and may_be_none(fact) and job.bound.default(name) == "None"


def holds(job: Job, text: str) -> bool:
    kind, names, sign, wanted = _FACT.fullmatch(text).groups()  # type: ignore[union-attr]
    facts = [job.fact(n.strip()) for n in names.split(",")]
    first, name = facts[0], names.strip()
    node = job.bound.args.get(name)
    if kind in ("present", "absent"):
        none = not job.given(name) or job.literal(name) is None
        return none is (kind == "absent") and not (job.given(name) and _open(job, name))
    if kind == "plain":
        return first.kind is Kind.PLAIN and (first.values is not None or is_number(first))
    if kind == "number":
        return is_number(first)
    if kind == "sequence":
        return is_sequence(first) or isinstance(node, cst.Tuple | cst.List)
    if kind == "mixed":
        return mixed(facts)
    if kind == "counts":  # a width of whole numbers is seldom sure: torch promotes them, TensorFlow raises
        return isinstance(node, cst.List | cst.Tuple) and any(job.w.fact(e.value).dtype in WHOLE for e in node.elements)
    if kind == "tensor":
        return all(f.kind is Kind.TENSOR for f in facts) and not any(_open(job, n.strip()) for n in names.split(","))
    if kind == "simple":
        return isinstance(node, cst.Name) or (isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name))
    if kind in ("float", "whole", "dtype"):
        return _dtype(kind, facts, wanted)
    return _sizes(job, kind, facts, name, sign, wanted)


def _dtype(kind: str, facts: list[Fact], wanted: str) -> bool:
    if kind == "dtype":
        return facts[0].dtype == wanted
    known = FLOATS if kind == "float" else WHOLE
    return all(f.dtype in known for f in facts)


def _sizes(job: Job, kind: str, facts: list[Fact], name: str, sign: str, wanted: str) -> bool:
    first = facts[0]
    if kind == "rank":
        ranks = [f.rank for f in facts]
        if None in ranks:
            return False
        if not sign:
            return len(set(ranks)) == 1
        number = int(wanted)
        return all({"=": r == number, ">=": r >= number, "<=": r <= number, "<": r < number,  # type: ignore[operator]
                    ">": r > number}[sign] for r in ranks)  # type: ignore[operator]
    if kind == "inside":  # an index that is surely smaller than the tensor on another axis than `dim`
        return _smaller(job, facts)
    if kind == "ranked":
        return all(f.rank is not None for f in facts)
    if kind == "shape":  # of one shape
        return len({f.shape for f in facts}) == 1 and first.shape is not None and None not in first.shape
    if kind == "static":
        tensors = [t for n in name.split(",") if n.strip() in job.bound.args
                   for t in facts_in(job.w, job.bound.args[n.strip()])]
        return all(t.shape is not None and None not in t.shape for t in tensors)
    if kind == "channels":
        base, _, power = wanted.partition("**")
        factor = job.literal(base)
        size = dim_value(first.shape[1]) if first.shape and len(first.shape) > 1 else None
        return isinstance(factor, int) and size == factor ** int(power or 1)
    raise ValueError(f"no such fact: {kind}")


def _smaller(job: Job, facts: list[Fact]) -> bool:
    x, index, dim = facts[0].shape, facts[1].shape, job.literal("dim")
    if x is None or index is None or len(x) != len(index) or not isinstance(dim, int):
        return False
    sizes = [(dim_value(a), dim_value(b)) for i, (a, b) in enumerate(zip(x, index, strict=True)) if i != dim % len(x)]
    return any(a is not None and b is not None and b < a for a, b in sizes)


def mixed(facts: list[Fact]) -> bool:
    """Whole numbers among tensors of which some may hold anything: torch promotes when they meet, TensorFlow raises."""
    dtypes = {f.dtype for f in facts if f.kind in (Kind.TENSOR, Kind.UNKNOWN)}
    return None in dtypes and bool(dtypes & set(WHOLE))


def is_number(fact: Fact) -> bool:
    """A Python number: a literal, a size, or what is only known to be one."""
    if fact.kind is not Kind.PLAIN:
        return False
    if fact.values is not None:
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in fact.values)
    return isinstance(fact.payload, Size) or fact.dtype in ("int", "float")


def is_sequence(fact: Fact) -> bool:
    if isinstance(fact.payload, ShapeOf | Items):
        return True
    return bool(fact.values) and all(isinstance(v, tuple) for v in fact.values or ())
