"""Attention: nn.MultiheadAttention where the heads fill the width exactly, else helpers with Keras' call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import build, drop_commas, expression, paren
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout
from port.table import Arg
from port.tf2torch import masking
from port.tf2torch.adapt.cells import keyword_arg
from port.tf2torch.adapt.proofs import fills, function_of, is_row
from port.tf2torch.adapt.uses import Use, bound_call
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.making import Plan, module_call, prepare
from port.tf2torch.infer.masks import reading
from port.tf2torch.infer.values import Items, tensors_in
from port.tree import code

CALL = ("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask",
        "return_attention_scores", "training", "use_causal_mask")
KNOWN = {"query", "value", "key", "attention_mask", "return_attention_scores", "training", "use_causal_mask"}


def applications(job: Job, names: tuple[str, ...]) -> list[tuple[Use, list[Fact]]]:
    layer = job.em.it.layers[job.node]
    return [(Use(node, bound_call(node, list(node.args), names), False), facts)
            for node, (callee, facts) in job.em.it.applications.items() if callee.payload is layer]


# ---------------------------------------------------------------- the form
def mha(job: Job) -> Plan:
    found = applications(job, CALL)
    with job.em.at_build():
        whole = job.row.name.startswith("multi") and fits(job, found)
    if whole:
        return Plan(job, True, job.row.attr, lambda: _native_module(job, found), Native(job))
    return Plan(job, True, job.row.attr, lambda: _helper_module(job, found), Helper(job))


def fits(job: Job, found: list[tuple[Use, list[Fact]]]) -> bool:
    """num_heads * key_dim is the width of the query, and every call can be written."""
    none = job.literal("output_shape") is None
    value_dim = job.literal("value_dim")
    same = value_dim is None or (job.given("value_dim") and code(job.bound.args["value_dim"]) == code(
        job.bound.args["key_dim"]))
    if not none or not same or not found or not fills(job, width(job.inputs[0] if job.inputs else UNKNOWN)):
        return False
    return all(_writable(job, use, facts) for use, facts in found)


def width(fact: Fact) -> Dim:
    return fact.width


def _writable(job: Job, use: Use, facts: list[Fact]) -> bool:
    em, args = job.em, use.args
    if set(args) - KNOWN or not {"query", "value"} <= set(args):
        return False
    if any(t.mask is not None for f in facts for t in tensors_in(f)):
        return False  # Keras' own masks hide whole queries: NaN in torch
    key = args.get("key", args["value"])
    others = [args["query"], args["value"]] if use.given(em, "use_causal_mask") is not None else [args["value"]]
    if not all(isinstance(n, cst.Name | cst.Attribute) for n in (others if "key" not in args else others[:-1])):
        return False
    kinds = [width(em.fact(n)) for n in (args["query"], args["value"], key)]
    mask = use.given(em, "attention_mask")
    return None not in kinds and (mask is None or em.fact(mask).rank in (2, 3) or is_row(
        job, mask, function_of(job, use.node)))


# ---------------------------------------------------------------- making
def _native_module(job: Job, found: list[tuple[Use, list[Fact]]]) -> cst.BaseExpression:
    # Initial values (rules/initial.py): each third of in_proj_weight by itself; see docs/layers.md.
    use = found[0][0]
    query, value = (width(job.em.fact(use.args[n])) for n in ("query", "value"))
    key = width(job.em.fact(use.args["key"])) if "key" in use.args else value
    with job.em.at_build():
        job.out["embed_dim"] = job.em.size(query, job.node)
        for name, size in (("kdim", key), ("vdim", value)):
            if size != query and code(job.em.size(size, job.node)) != code(job.out["embed_dim"]):
                job.out[name] = job.em.size(size, job.node)
    job.row = replace(job.row, args={k: v for k, v in job.row.args.items()
                                     if k not in ("key_dim", "value_dim", "output_shape")},
                      ignore=(*job.row.ignore, "key_dim", "value_dim", "output_shape"))
    extra: dict[str, cst.BaseExpression] = {n: job.out.pop(n) for n in ("kdim", "vdim") if n in job.out}
    if extra:
        job.em.separate_projections = True
    prepare(job, (job.row.torch[0],))
    job.out |= extra
    with job.em.at_build():
        return module_call(job)


def _helper_module(job: Job, found: list[tuple[Use, list[Fact]]]) -> cst.BaseExpression:
    """`MultiHeadAttention(num_heads, key_dim, query_features, ...)`: Keras' own settings, then the widths."""
    facts = {n: job.em.fact(found[0][0].args[n]) if found and n in found[0][0].args else UNKNOWN
             for n in ("query", "value", "key")}
    facts["query"] = job.inputs[0] if job.inputs else facts["query"]
    if width(facts["query"]) is None or (found and width(facts["value"]) is None):
        raise job.refuse("P208", "how many features arrive at this attention is not known")
    job.row = replace(job.row, fixed={}, fill={}, args=job.row.args | (
        {"key_dim": Arg("key_dim"), "value_dim": Arg("value_dim"), "output_shape": Arg("output_features")}
        if job.row.name.startswith("multi") else {}))
    if isinstance(job.literal("output_shape", None), tuple):
        raise job.refuse("P202", "`output_shape` of several axes")
    prepare(job, (job.row.torch[-1],))
    with job.em.at_build():
        sizes = {n: job.em.size(width(f), job.node) for n, f in facts.items() if width(f) is not None}
        job.out["query_features"] = sizes["query"]
        for name in ("value", "key"):
            before = sizes["query" if name == "value" else "value"] if name in sizes else None
            if before is not None and code(sizes[name]) != code(before):
                job.out[f"{name}_features"] = sizes[name]
        job.source |= {n: n for n in job.out if n not in job.source}  # they follow in the helper's order
        for name in list(job.out):  # None is the default
            if code(job.out[name]) == "None":
                del job.out[name]
        return module_call(job)


# ---------------------------------------------------------------- calling
def joined(args: list[cst.Arg]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [a.with_changes(comma=comma if i < len(args) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, a in enumerate(args)]


def broken(callee: cst.BaseExpression, args: list[cst.Arg]) -> cst.Call:
    """A long call with each keyword on a line of its own."""
    made = cst.Call(callee, joined(args))
    if len(code(made)) < 85:
        return made
    turn = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
    split = [a.with_changes(comma=cst.Comma(whitespace_after=turn)) if i < len(args) - 1 and args[
        i + 1].keyword is not None else a for i, a in enumerate(made.args)]
    return made.with_changes(args=split, whitespace_before_args=turn)


class Native:
    """nn.MultiheadAttention: (query, key, value), masks True where attention is forbidden, a pair as result."""

    def __init__(self, job: Job):
        self.job = job

    def __call__(self, callee: Any, args: list[cst.Arg], node: cst.Call) -> cst.BaseExpression:
        em, found = self.job.em, bound_call(node, args, CALL)
        query, value = (em.expr(found[n], Layout.PLAIN) for n in ("query", "value"))
        key = em.expr(found["key"], Layout.PLAIN) if "key" in found and em.fact(
            found["key"]).literal(...) is not None else value
        made = [cst.Arg(v) for v in (query, key, value)]
        made += self.masks(callee, found, query, key)
        scores = self.flag(found, "return_attention_scores")
        made.append(keyword_arg("average_attn_weights" if scores else "need_weights", cst.Name("False")))
        new = broken(paren(callee), made)
        return new if scores else build("{r}[0]", r=new)

    def flag(self, found: dict[str, cst.BaseExpression], name: str) -> bool:
        value = self.job.em.fact(found[name]).literal(...) if name in found else False
        if not isinstance(value, bool):
            raise self.job.refuse("P202", f"`{name}` is not a literal")
        return value

    def masks(self, callee: Any, found: dict[str, cst.BaseExpression], query: Any, key: Any) -> list[cst.Arg]:
        em, node = self.job.em, found.get("attention_mask")
        causal = None
        if self.flag(found, "use_causal_mask"):
            em.need("torch")
            causal = build("torch.ones({q}.shape[1], {k}.shape[1], dtype=torch.bool, device={q}.device).triu(1)",
                           q=query, k=key)
        if node is None or em.fact(node).literal(...) is None:
            return [keyword_arg("attn_mask", causal)] if causal is not None else []
        em.report("P101", "nn.MultiheadAttention: a query that may see nothing gives zeros or NaN, as the kernel "
                  "that runs has it, in Keras the mean of the values", self.job.node, "keras.layers.MultiHeadAttention")
        fact, mask = em.fact(node), em.expr(node)
        if (fact.rank == 3 and fact.shape[1] == 1) or (fact.rank is None and is_row(self.job, node)):  # type: ignore
            own = isinstance(node, cst.Subscript) and is_row(self.job, node)
            row = em.expr(node.value) if own else build("{m}[:, 0]", m=paren(mask))  # type: ignore[attr-defined]
            hidden = self.optional(node, self.inverted(fact, row))
            made = [keyword_arg("key_padding_mask", hidden)]
            return [*made, keyword_arg("attn_mask", causal)] if causal is not None else made
        hidden = self.inverted(fact, mask)
        if causal is not None:
            hidden = build("{a} | {b}", a=paren(hidden), b=causal)
        if fact.rank == 3:
            hidden = build("{h}.repeat_interleave({c}.num_heads, 0)", h=paren(hidden), c=callee)
        return [keyword_arg("attn_mask", hidden if causal is not None else self.optional(node, hidden))]

    def inverted(self, fact: Fact, mask: cst.BaseExpression) -> cst.BaseExpression:
        return build("~{m}" if fact.dtype == "bool" else "~{m}.bool()", m=paren(mask))

    def optional(self, node: cst.BaseExpression, value: cst.BaseExpression) -> cst.BaseExpression:
        """A parameter that may be None stays None."""
        function = self.job.em.scope.function
        if isinstance(node, cst.Name) and function is not None and node.value in function.params:
            default = function.defaults.get(node.value)
            if default is not None and code(default) == "None":
                test = expression(f"{node.value} is None")
                return cst.IfExp(test=test, body=cst.Name("None"), orelse=value)
        return value


class Helper:
    """The helpers keep Keras' call; Keras' own masks are written into attention_mask."""

    def __init__(self, job: Job):
        self.job = job

    def __call__(self, callee: Any, args: list[cst.Arg], node: cst.Call) -> cst.BaseExpression:
        em, found = self.job.em, bound_call(node, args, CALL)
        if set(found) - KNOWN:
            raise self.job.refuse("P202", f"`{sorted(set(found) - KNOWN)[0]}` in the call of an attention layer")
        made: list[cst.Arg] = []
        for arg in args:
            name = next(n for n, v in found.items() if v is arg.value)
            if name not in ("training", "attention_mask"):
                made.append(arg.with_changes(value=em.expr(arg.value, Layout.PLAIN)))
        mask = self.mask(node, found)
        if mask is not None:
            made.append(keyword_arg("attention_mask", mask))
        keep = len(made) == len(args)
        return cst.Call(paren(callee), drop_commas(made, list(node.args)) if keep else joined(made))

    def mask(self, node: cst.Call, found: dict[str, cst.BaseExpression]) -> cst.BaseExpression | None:
        em = self.job.em
        parts: list[cst.BaseExpression] = []
        optional: set[str] = set()  # the mask that may be None: then it is the only one
        given = found.get("attention_mask")
        if given is not None and em.fact(given).literal(...) is not None:
            fact, value = em.fact(given), em.expr(given)
            maybe = fact.kind is not Kind.TENSOR or fact.symbol == "?"
            if fact.rank == 2:
                value = build("{m}[None]", m=paren(value))
            elif fact.rank is None:
                em.report("P103", "attention_mask is taken as (batch, queries, keys)", node)
            if maybe and any(masking.of_argument(em, node, found, n) is not None for n in ("query", "value", "key")):
                raise self.job.refuse("P206", "an attention_mask that may be None beside the masks of the inputs")
            parts.append(value)
        for name, index in (("query", "[:, :, None]"), ("value", "[:, None]"), ("key", "[:, None]")):
            mask = masking.of_argument(em, node, found, name)
            if mask is not None and not (name == "key" and code(found["key"]) == code(found["value"])):
                m = masking.text(em, mask, node, maybe=True)
                mine = {code(m)} if masking.may_be_none(em, mask) else set()
                if parts and mine != optional:
                    raise self.job.refuse("P206", "masks of which one may be None")
                optional = mine
                parts.append(build(f"{{m}}{index}", m=paren(m)))
        new = parts[0] if parts else None
        for other in parts[1:]:
            new = build("{a} & {b}", a=new, b=other)
        return new if not optional or new is None else cst.IfExp(
            test=expression(f"{optional.pop()} is None"), body=cst.Name("None"), orelse=new)


# ---------------------------------------------------------------- Attention and AdditiveAttention
LUONG = ("inputs", "mask", "training", "return_attention_scores", "use_causal_mask")


def attention(job: Job) -> Plan:
    def make() -> cst.BaseExpression:
        prepare(job)
        with job.em.at_build():
            return module_call(job)

    def run(callee: Any, args: list[cst.Arg], node: cst.Call) -> cst.BaseExpression:
        em = job.em
        found = {{"x": "inputs"}.get(n, n): v for n, v in bound_call(node, args, LUONG).items()}
        inputs = found.get("inputs")
        if inputs is None or set(found) - set(LUONG):
            raise job.refuse("P202", "an attention layer called in a way that is not understood")
        made = [cst.Arg(em.plain(inputs))]
        mask = _list_mask(job, inputs, found.get("mask"), node)
        if mask is not None:
            made.append(keyword_arg("mask", mask))
        made += [keyword_arg(n, em.expr(found[n])) for n in LUONG[3:] if n in found]
        return cst.Call(paren(callee), joined(made))

    return Plan(job, True, job.row.attr, make, run)


def _list_mask(job: Job, inputs: cst.BaseExpression, given: Any, node: cst.Call) -> cst.BaseExpression | None:
    em, fact = job.em, job.em.fact(inputs)
    if given is not None and em.fact(given).literal(...) is not None:
        return em.expr(given)
    if not isinstance(fact.payload, Items):
        raise job.refuse("P206", "the list of an attention layer is not written out")
    beside = [e.mask for e in fact.payload.elements]
    found = [reading(em.it, node, m, beside) for m in beside[:2]]
    if not any(m is not None for m in found):
        return None
    parts = [cst.Element(masking.text(em, m, node) if m is not None else expression("None")) for m in found]
    return cst.List(parts)


def nothing(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    return job.expr(name) if job.given(name) and job.literal(name) is not None else None


ARGS: dict[str, Callable[..., Any]] = {"mha": nothing}
LAYERS: dict[str, Callable[[Job], Plan | None]] = {"mha": mha, "attention": attention}
