"""Adapters of padding: Keras' names and TensorFlow's amounts in PyTorch's terms."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Layout, dim_value
from port.table import Arg
from port.tf2torch.adapt.args import one
from port.tf2torch.calls.job import Job, resolve_reaching
from port.tf2torch.infer.given import pair as pair_of
from port.tf2torch.infer.values import tensors_in
from port.tree import code


# ---------------------------------------------------------------- padding
def same_amounts(size: Any, kernel: Any, stride: Any, dilation: Any) -> tuple[int, int] | None:
    """TensorFlow's 'same' padding of one axis: the odd cell goes to the end. Formula: semantics.md, rule 2."""
    size = dim_value(size) if size is not None else None
    if not all(isinstance(v, int) for v in (kernel, stride, dilation)):
        return None
    if kernel == 1 or (stride >= (kernel - 1) * dilation + 1 and size is not None and size % stride == 0):
        return (0, 0)
    if size is None:
        return None
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def amounts(job: Job, kernel: str, stride: str) -> list[tuple[int, int]] | None:
    """'same' amounts of every spatial axis, first to last; None if a size is open."""
    facts = tensors_in(job.x)
    found = facts[0].shape if facts else None
    n = int(job.row.tf[0].name.replace("Transpose", "")[-2]) if job.row.tf[0].name.replace(
        "Transpose", "")[-1] == "D" else 2
    k = pair_of(job.literal(kernel, None), n)
    s = pair_of(job.literal(stride, None), n)
    if stride == "strides" and job.literal(stride, 0) is None:
        s = k
    d = pair_of(job.literal("dilation_rate", 1), n) if "dilation_rate" in job.row.args else [1] * n
    sizes = found[1:-1] if found is not None and len(found) == n + 2 else [None] * n
    out = [same_amounts(*v) for v in zip(sizes, k, s, d, strict=True)]
    return None if None in out else out  # type: ignore[return-value]


def pad_before(job: Job, amounts_: list[tuple[int, int]], value: str = "") -> None:
    flat = [v for pair_ in reversed(amounts_) for v in pair_]
    text = f"({', '.join(map(str, flat))})"
    tail = f", value={value}" if value else ""
    job.em.need("F")
    if value:
        job.em.need("math")
    job.before.append(lambda x: build(f"F.pad({{x}}, {text}{tail})", x=x))
    n = len(amounts_)
    if job.sequential:
        job.em.need("nn")
    module = f"nn.ConstantPad{n}d({text}, {value})" if value else f"nn.ZeroPad{n}d({text})"
    job.before_modules.append(expression(module))


def conv_padding(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """valid, same, causal; see the golden conventions, rule 9."""
    value = job.literal(name)
    value = value.lower() if isinstance(value, str) else value
    if value == "valid":
        return None
    if value == "causal":
        _causal(job)
        return None
    if value is ...:
        return _open_padding(job, name)
    if value != "same":
        raise job.refuse("P202", f"padding {value!r}")
    return same(job)


def same(job: Job) -> cst.BaseExpression | None:
    stride, kernel = job.literal("strides"), job.literal("kernel_size")
    if one(kernel):
        return None
    if one(stride):
        return expression("'same'")
    known = amounts(job, "kernel_size", "strides")
    if known is not None:
        if all(a == b for a, b in known):
            values = [a for a, _ in known]
            if not any(values):
                return None
            return expression(str(values[0]) if len(set(values)) == 1 else str(tuple(values)))
        pad_before(job, known)
        return None
    n = job.row.torch[0].name[-2]
    job.callee = f"helpers.Conv{n}dSame"
    return None


def _causal(job: Job) -> None:
    k, d = job.literal("kernel_size"), job.literal("dilation_rate")
    k = k[0] if isinstance(k, tuple) else k
    d = d[0] if isinstance(d, tuple) else d
    if isinstance(k, int) and isinstance(d, int):
        pad_before(job, [((k - 1) * d, 0)])
        return
    job.em.need("F")
    kernel, dilation = job.bound.args.get("kernel_size"), job.bound.args.get("dilation_rate")

    def amount() -> cst.BaseExpression:
        assert kernel is not None
        left = build("({k} - 1)", k=job.em.expr(kernel)) if not isinstance(k, int) else expression(str(k - 1))
        if d == 1 or dilation is None:
            return left
        return build("{a} * {d}", a=left, d=job.em.expr(dilation))

    job.before.append(lambda x: build("F.pad({x}, ({n}, 0))", x=x, n=amount()))
    job.em.need("nn")
    job.before_lazy = lambda: build("nn.ZeroPad1d(({n}, 0))", n=amount())


def _open_padding(job: Job, name: str) -> cst.BaseExpression | None:
    """A setting: PyTorch takes the strings too, but refuses 'same' with a stride."""
    node = job.bound.args[name]
    reached = resolve_reaching(job.em, node)
    lowered = {r.lower() if isinstance(r, str) else r for r in reached}
    if lowered == {"valid"}:
        return None
    if lowered == {"same"}:
        return same(job)
    if not lowered <= {"same", "valid"} or not lowered:
        raise job.refuse("P202", f"which padding `{name}` is cannot be told")
    if one(job.literal("strides")) or _never_strided(job, node) or _same_at_one(job, node):
        return job.expr(name)
    n = job.row.torch[0].name[-2]
    value = job.expr(name)

    def callee(lazy: bool) -> cst.BaseExpression:
        conv = f"LazyConv{n}d" if lazy else f"Conv{n}d"
        job.em.helper(f"{conv}Same")
        job.em.need("nn")
        return build(f"({conv}Same if {{p}} == 'same' else nn.{conv})", p=value)

    job.callee_expr = callee
    return None


def _same_at_one(job: Job, padding: cst.BaseExpression) -> bool:
    """`'same' if strides == 1 else 'valid'`."""
    if not isinstance(padding, cst.IfExp) or job.em.fact(padding.body).literal(...) != "same":
        return False
    test, strides = padding.test, job.bound.args.get("strides")
    if strides is None or not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    equal = isinstance(test.comparisons[0].operator, cst.Equal)
    return equal and code(test.left) == code(strides) and one(job.em.fact(test.comparisons[0].comparator).literal(...))


def _never_strided(job: Job, padding: cst.BaseExpression) -> bool:
    """In every call that is seen, 'same' comes with stride 1."""
    function = job.em.scope.function
    strides = job.bound.args.get("strides")
    if function is None or not isinstance(padding, cst.Name) or not function.bindings:
        return False
    for binding in function.bindings:
        p = binding.get(padding.value, ...)
        s = binding.get(strides.value, ...) if isinstance(strides, cst.Name) else job.literal("strides")
        if p is ... or (p == "same" and not one(s)):
            return False
    return True


def pool_padding(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    value = job.literal(name)
    if value == "valid":
        return None
    if value != "same":
        raise job.refuse("P202", f"which padding `{name}` is cannot be told")
    kernel, stride = job.literal("pool_size"), job.literal("strides")
    stride = kernel if stride is None else stride
    if one(kernel):
        return None
    known = amounts(job, "pool_size", "strides")
    kind = "avg" if "Average" in job.row.tf[0].name or "Avg" in job.row.tf[0].name else "max"
    if known is not None and not any(a or b for a, b in known):
        return None
    n = int(job.row.torch[0].name[-2])
    if kind == "max" and known is not None:
        pad_before(job, known, "-math.inf")
        return None
    if kind == "max" and isinstance(kernel, int | tuple) and isinstance(stride, int | tuple):
        job.em.helper("same_padding")
        job.em.need("F", "math")
        k = kernel if isinstance(kernel, tuple) else (kernel,) * n
        s = stride if isinstance(stride, tuple) else (stride,) * n
        if job.sequential:
            _helper_call(job, kind, n)
            return None
        job.before.append(lambda x: build(f"F.pad({{x}}, same_padding({{x}}, {k}, {s}), value=-math.inf)", x=x))
        return None
    _helper_call(job, kind, n)
    return None


def _helper_call(job: Job, kind: str, n: int) -> None:
    job.callee_call = f"{kind}_pool{n}d_same"
    job.em.helper(job.callee_call)


def zero_padding(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """Keras lists the first axis first, F.pad the last axis first."""
    value = job.literal(name)
    n = int(job.row.tf[0].name[-2])
    if value is ...:
        return _pad_expression(job, name, n)
    return expression(str(tuple(v for p in reversed(pairs(job, value, n)) for v in p)))


def _pad_expression(job: Job, name: str, n: int) -> cst.BaseExpression:
    node = job.bound.args[name]
    if isinstance(node, cst.Tuple | cst.List) and len(node.elements) == n:
        flat: list[cst.BaseExpression] = []
        for element in reversed(node.elements):
            inner = element.value
            if isinstance(inner, cst.Tuple | cst.List) and len(inner.elements) == 2:
                flat += [job.em.expr(e.value) for e in inner.elements]
            else:
                flat += [job.em.expr(inner)] * 2
        return cst.Tuple([cst.Element(e) for e in flat], lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    if isinstance(node, cst.Call):
        symbol = job.em.symbol(node.func)
        if symbol.endswith("imagenet_utils.correct_pad"):
            job.em.helper("correct_pad")
            kernel = job.em.expr(node.args[1].value)
            return build("correct_pad({x}, {k})", x=job.em.expr(node.args[0].value, Layout.FLIPPED), k=kernel)
    value = job.expr(name)
    if isinstance(node, cst.Name) and n == 2 and not isinstance(job.em.fact(node).literal(...), tuple):
        job.em.helper("pad_amounts")
        return build("pad_amounts({p})", p=value)
    raise job.refuse("P202", f"`{name}` is not written out")


def pairs(job: Job, value: Any, n: int) -> list[tuple[int, int]]:
    if isinstance(value, int):
        return [(value, value)] * n
    each = [value] if n == 1 else value
    found = [(v, v) if isinstance(v, int) else v for v in each] if isinstance(each, list | tuple) else []
    if len(found) != n or any(not isinstance(p, list | tuple) or len(p) != 2 for p in found):
        raise job.refuse("P202", f"{value!r} is not one number or pair for each of {n} axes")
    return [(p[0], p[1]) for p in found]


ARGS = {f.__name__: f for f in (conv_padding, pool_padding, zero_padding)}
