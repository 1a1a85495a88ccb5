"""Activations: names, functions and settings to what PyTorch calls them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Kind
from port.tf2torch.adapt import pure
from port.tf2torch.adapt.acting import acted
from port.tf2torch.calls.job import Job, given_openly, resolve_reaching
from port.tf2torch.calls.layers import plan
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.named import evaluated, is_bound
from port.tf2torch.infer.values import EITHER, Function, LayerCall
from port.tree import code, loads

# Keras name: (as a function of {x}, as a module); DIM is the channel axis. Values: Keras 3's defaults.
NAMES = {
    "relu": ("F.relu({x})", "nn.ReLU()"),
    "sigmoid": ("torch.sigmoid({x})", "nn.Sigmoid()"),
    "tanh": ("torch.tanh({x})", "nn.Tanh()"),
    "softmax": ("F.softmax({x}, dim=DIM)", "nn.Softmax(dim=DIM)"),
    "log_softmax": ("F.log_softmax({x}, dim=DIM)", "nn.LogSoftmax(dim=DIM)"),
    "gelu": ("F.gelu({x})", "nn.GELU()"),
    "swish": ("F.silu({x})", "nn.SiLU()"),
    "silu": ("F.silu({x})", "nn.SiLU()"),
    "elu": ("F.elu({x})", "nn.ELU()"),
    "selu": ("F.selu({x})", "nn.SELU()"),
    "celu": ("F.celu({x})", "nn.CELU()"),
    "softplus": ("F.softplus({x})", "nn.Softplus()"),
    "softsign": ("F.softsign({x})", "nn.Softsign()"),
    "relu6": ("F.relu6({x})", "nn.ReLU6()"),
    "leaky_relu": ("F.leaky_relu({x}, 0.2)", "nn.LeakyReLU(0.2)"),
    "hard_sigmoid": ("F.hardsigmoid({x})", "nn.Hardsigmoid()"),
    "hard_swish": ("F.hardswish({x})", "nn.Hardswish()"),
    "hard_silu": ("F.hardswish({x})", "nn.Hardswish()"),
    "hard_tanh": ("F.hardtanh({x})", "nn.Hardtanh()"),
    "mish": ("F.mish({x})", "nn.Mish()"),
    "log_sigmoid": ("F.logsigmoid({x})", "nn.LogSigmoid()"),
    "tanh_shrink": ("F.tanhshrink({x})", "nn.Tanhshrink()"),
    "soft_shrink": ("F.softshrink({x})", "nn.Softshrink()"),
    "hard_shrink": ("F.hardshrink({x})", "nn.Hardshrink()"),
    "exponential": ("torch.exp({x})", ""),
    "linear": ("{x}", ""),
}
# Classes of layers that are one activation, where they are made without arguments.
CLASSES = {"ReLU": "relu", "ELU": "elu", "Softmax": "softmax"}
USUAL = ("relu", "sigmoid", "tanh", "softmax", "elu", "selu", "gelu", "silu", "swish", "softplus", "linear")
PREFIXES = ("tf.nn.", "keras.activations.", "keras.ops.", "tf.math.", "tf.")


def template(name: str, flipped: bool, module: bool = False) -> str:
    text = NAMES[name][module]
    return text.replace("DIM", "1" if flipped else "-1")


def apply_name(job: Job, name: str) -> None:
    """Put the activation of that name behind the layer."""
    if name == "linear":
        return
    if name not in NAMES:
        raise job.refuse("P201", f"the activation `{name}` has no row")
    flipped = job.flipped
    needs(job.em, template(name, flipped))
    job.after.append(lambda x: build(template(name, flipped), x=x))
    module = template(name, flipped, True)
    job.after_modules.append(expression(module) if module else expression(""" "" """.strip()))
    if job.sequential:
        if not module:
            raise job.refuse("P206", f"the activation `{name}` has no module for nn.Sequential")
        job.em.need("nn")


def needs(em: Emitter, text: str) -> None:
    for name in ("torch", "F", "nn"):
        if f"{name}." in text:
            em.need(name)


def activation_value(em: Emitter, name: str) -> cst.BaseExpression | None:
    """The activation as a value that can be passed on: `tf.nn.relu` -> `F.relu`."""
    if name not in NAMES:
        return None
    text = NAMES[name][0].replace("DIM", "-1")
    needs(em, text)
    if name == "linear":
        return expression("lambda x: x")
    plain = text.removesuffix("({x})")
    if plain != text:
        return expression(plain)
    return expression(f"lambda x: {text.format(x='x')}")


def activation(job: Job, name: str, arg: Any) -> None:
    """`activation=` of a layer: applied behind it."""
    if not job.given(name):
        value = job.literal(name)
        if value not in (None, ...):
            apply_name(job, value)
        return
    node = job.bound.args[name]
    if isinstance(job.node, cst.Call) and evaluated(job.node.func) is node:
        return _class(job, node)
    fact = job.em.fact(node)
    value = fact.literal(...)
    if isinstance(node, cst.Call) and job.em.symbol(node.func) == "keras.activations.get" and node.args:
        node = node.args[0].value
        value = job.em.fact(node).literal(...)
    if value is None or isinstance(value, str):
        if value:
            apply_name(job, value)
        return
    symbol = job.em.symbol(node) if isinstance(node, cst.Name | cst.Attribute) else ""
    if symbol.startswith(PREFIXES):
        apply_name(job, symbol.rpartition(".")[2])
    elif (fact.symbol == "port.activation" and not isinstance(node, cst.Call)) or isinstance(
            fact.payload, Function) or (fact.kind is Kind.FUNCTION and fact.payload is not None):
        function = fact.payload
        job.after.append(lambda x: acted(job.em, function, job.em.expr(node), x, job.flipped))
        _no_module(job, node)
    elif isinstance(fact.payload, LayerCall) and isinstance(node, cst.Call):
        _layer_activation(job, node, fact.payload)
    elif fact.kind is Kind.PLAIN:
        _setting(job, node)
    elif job.em.scope.stage == TRACED and fact.symbol.startswith(EITHER) and not job.flipped:
        _open_setting(job, node)
    else:
        raise job.refuse("P202", f"the activation `{code(node)}` is not known")


def _no_module(job: Job, node: cst.BaseExpression) -> None:
    if job.sequential:
        raise job.refuse("P206", f"the function `{code(node)}` as an activation inside Sequential")


def _layer_activation(job: Job, node: cst.Call, layer: LayerCall) -> None:
    made = plan(job.em, layer, job.x, job.sequential)
    if made.module:
        raise job.refuse("P206", "a layer with weights as an activation")
    job.after.append(lambda x: made.run(None, [x], node))
    if job.sequential:
        job.after_modules.append(made.ctor())


def _setting(job: Job, node: cst.BaseExpression) -> None:
    """A string that callers choose: a table of the names that reach it; others raise KeyError."""
    reached = {r for r in resolve_reaching(job.em, node) if r is None or isinstance(r, str)}
    if not reached:
        _open_setting(job, node)
        return
    unknown = {r for r in reached if r is not None and r not in NAMES}
    if unknown:
        raise job.refuse("P201", f"the activation `{sorted(unknown)[0]}` has no row")
    _from_table(job, node, reached)


def _open_setting(job: Job, node: cst.BaseExpression) -> None:
    """No call of the project shows what it is: a function, or one of the names that callers will want."""
    value = either(job.em, node)
    if job.sequential:
        job.em.helper("Lambda")
        job.after_modules.append(build("Lambda({f})", f=value))
    job.after.append(lambda x: acted(job.em, None, _seen(job.em, node), x, job.flipped))


def _seen(em: Emitter, node: cst.BaseExpression) -> cst.BaseExpression:
    """The same where the layer is applied, which may be another function than the one that makes it."""
    function = em.scope.function
    known = {"self", *em.it.globals.names} | ({*function.params, *function.assigned} if function is not None else set())
    if loads(node) - known:
        raise Refused("P202", f"no call in this project shows which activation `{code(node)}` is", node)
    return either(em, node)


def either(em: Emitter, node: cst.BaseExpression) -> cst.BaseExpression:
    """`act if callable(act) else ACTIVATIONS[act]`."""
    if not isinstance(node, cst.Name | cst.Attribute | cst.Subscript):
        raise Refused("P202", f"no call in this project shows which activation `{code(node)}` is", node)
    table = remember(em, {None, *USUAL}, False)
    return build(f"{{a}} if callable({{a}}) else {table}[{{a}}]", a=em.expr(node))


def _class(job: Job, node: cst.BaseExpression) -> None:
    """A layer class that callers choose by name: a table of those that reach it, each of which is one activation."""
    names = {r for r in resolve_reaching(job.em, node) if isinstance(r, str)}
    reached: set[str | None] = {n for n in names if is_bound(job.em.it.file, n)}  # Python finds no others either
    if not reached:
        raise job.refuse("P202", f"no call in this project shows which class `{code(node)}` names")
    for name in sorted(map(str, reached)):
        known = name in CLASSES and job.em.it.names.resolve(cst.Name(name)) == f"keras.layers.{name}"
        if not known and (name in CLASSES or job.flipped or job.sequential or pure.made(job.em, name) is None):
            raise job.refuse("P206", f"`eval` of `{name}`, which `{code(node)}` may be: call the class by its name")
    _from_table(job, node, reached)


def _from_table(job: Job, node: cst.BaseExpression, reached: set[str | None]) -> None:
    """`ACTIVATIONS[name](x)`; if the table has softmax along other axes, of the tensor with its axes in that order."""
    text = "ACTIVATIONS[{name}]({x})"
    try:
        table = remember(job.em, reached, job.flipped)
        if job.sequential:
            job.em.helper("Lambda")
            job.after_modules.append(build(f"Lambda({table}[{{name}}])", name=job.em.expr(node)))
    except Refused:
        if job.sequential:
            raise
        there, back = ("1, -1", "-1, 1") if job.flipped else ("-1, 1", "1, -1")
        remember(job.em, reached, not job.flipped)
        text = f"ACTIVATIONS[{{name}}]({{x}}.movedim({there})).movedim({back})"
    em = job.em
    job.after.append(lambda x: build(text, name=em.expr(node), x=x))


def chosen(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`keras.activations.get(activation)`: the function of that name."""
    if not node.args:
        raise Refused("P202", "keras.activations.get without a name", node)
    given = node.args[0].value
    value = em.fact(given).literal(...)
    if value is None or isinstance(value, str):
        found = activation_value(em, value or "linear")
        if found is None:
            raise Refused("P201", f"the activation `{value}` has no row", node)
        return found
    reached = {r for r in resolve_reaching(em, given) if r is None or isinstance(r, str)}
    if not reached or given_openly(em, given):
        return either(em, given)
    reached = _offered(reached)
    unknown = sorted(r for r in reached if r is not None and r not in NAMES)
    if unknown:
        raise Refused("P201", f"the activation `{unknown[0]}` has no row", node)
    return build(f"{remember(em, reached, False)}[{{name}}]", name=em.expr(given))


def activation_object(em: Emitter, layer: LayerCall) -> cst.BaseExpression | None:
    """`Activation(name)` that is kept or returned before it is applied: a module; None for any other layer."""
    given = layer.bound.get("activation")
    if layer.symbol != "keras.layers.Activation" or layer.inputs or given is None:
        return None
    value = em.fact(given).literal(...)
    if isinstance(value, str):
        module = NAMES.get(value, ("", ""))[1].replace("DIM", "-1")
        needs(em, module)
        return expression(module) if module else None
    reached = {r for r in resolve_reaching(em, given) if r in NAMES} | {*USUAL}
    em.helper("Lambda")
    return build(f"Lambda({remember(em, reached, False)}[{{name}}])", name=em.expr(given))


def _offered(reached: set[str | None]) -> set[str | None]:
    """Where the project shows no name at all, only the default None, callers will want the usual ones."""
    return reached | {*USUAL} if reached == {None} else reached


def remember(em: Emitter, names: set[str | None], flipped: bool) -> str:
    """The name of the table in the output that holds these activations."""
    for name in names:
        key = "None" if name is None else repr(name)
        known = CLASSES.get(name or "", name or "linear")
        em_value = activation_value(em, known)
        text = code(em_value) if em_value is not None else pure.made(em, known) or ""
        if known in ("softmax", "log_softmax") and flipped:
            text = text.replace("dim=-1", "dim=1")
        if em.activations.get(key, text) != text:
            raise Refused("P206", f"the activation `{name}` is used along different axes")
        em.activations[key] = text
    return "ACTIVATIONS"


ARGS = {"activation": activation, "activation_function": activation}
