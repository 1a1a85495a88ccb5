"""The one rule driven by rows: calls, layers, constants and subscripts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.binding import Bound, best_row, bind, literal_text, row_name
from port.build import build, drop_commas, expression, paren, parse, reflow, substitute
from port.facts import UNKNOWN, Fact, Kind, Layout, Sym
from port.table import Row, Signature
from port.tf2torch.infer import users
from port.tf2torch.infer.apply import ANY_LAYOUT, CHANNELS_LAST, FLIPS, MERGES, RANK_OF, SelfValue, wants_plain
from port.tf2torch.infer.conditions import default_fact, unmet
from port.tf2torch.infer.interp import code
from port.tf2torch.infer.shapes import mixes
from port.tf2torch.infer.values import (
    Class,
    Curried,
    Function,
    GraphModel,
    Instance,
    Items,
    LayerCall,
    SequentialModel,
    ShapeOf,
    has_tensor,
    tensors_in,
)
from port.tree import loads, walk

if TYPE_CHECKING:
    from port.tf2torch.emit import Emitter

SHORT = (("torch.nn.functional.", "F."), ("torch.nn.", "nn."), ("helpers.", ""))
DTYPES = {"float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool", "complex64",
          "complex128"}


@dataclass
class Job:
    """One row applied at one call; adapters read and write it."""

    em: Emitter
    row: Row
    bound: Bound
    node: cst.Call
    x: Fact = UNKNOWN  # layers: what arrives
    inputs: tuple[Fact, ...] = ()
    torch: Signature | None = None
    out: dict[str, cst.BaseExpression] = field(default_factory=dict)  # torch parameters, in order
    source: dict[str, str] = field(default_factory=dict)  # torch parameter -> tf parameter it came from
    before: list[Callable[[cst.BaseExpression], cst.BaseExpression]] = field(default_factory=list)
    after: list[Callable[[cst.BaseExpression], cst.BaseExpression]] = field(default_factory=list)
    before_modules: list[cst.BaseExpression] = field(default_factory=list)
    after_modules: list[cst.BaseExpression] = field(default_factory=list)
    callee: str = ""
    flipped: bool = False
    sequential: bool = False
    apply: Callable[..., cst.BaseExpression] | None = None  # adapters may take over the application
    stateless: bool = False
    want: Layout | None = None

    def given(self, name: str) -> bool:
        return name in self.bound.args

    def fact(self, name: str) -> Fact:
        if name in self.bound.args:
            return self.em.fact(self.bound.args[name])
        return default_fact(self.bound, name)

    def literal(self, name: str, otherwise: Any = ...) -> Any:
        return self.fact(name).literal(otherwise)

    def expr(self, name: str, want: Layout | None = None) -> cst.BaseExpression:
        """The argument translated; its default if it is not given."""
        if name in self.bound.args:
            return arrange(self, self.bound.args[name], want)
        default = self.bound.default(name)
        return expression(default if default is not None else "None")

    def refuse(self, code_: str, message: str) -> Exception:
        from port.tf2torch.emit import Refused

        return Refused(code_, message, self.node)


# ---------------------------------------------------------------- dispatch
def call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    if node in em.it.applications:
        callee, inputs = em.it.applications[node]
        return application(em, node, callee, inputs)
    if node in em.it.layers:
        made = plan(em, em.it.layers[node], first_input(em.it.layers[node]))
        if (made.job.after or made.job.before) and not em.it.layers[node].inputs:
            raise _refused("P204", "where this layer is applied is not seen: its activation or padding would be lost",
                           node)
        return made.ctor()
    symbol = em.symbol(node.func)
    if symbol in CHANNELS_LAST:
        return expression("'channels_last'")
    if symbol == "keras.activations.get":
        from port.tf2torch.adapt.activations import chosen

        return chosen(em, node)
    if symbol == "keras.Sequential":
        from port.tf2torch.rules.sequential import sequential

        return sequential(em, node)
    if symbol:
        from port.tf2torch.rules.control import expression_rule

        ruled = expression_rule(em, node, symbol)
        if ruled is not None:
            return ruled
    if isinstance(em.fact(node.func).payload, Class):
        from port.tf2torch.rules.classes import instance_call

        return instance_call(em, node)
    if symbol.split(".")[0] in ("tf", "keras"):
        return row_call(em, node, symbol)
    owner = em.fact(node.func.value) if isinstance(node.func, cst.Attribute) else UNKNOWN
    if isinstance(node.func, cst.Attribute) and owner.kind is Kind.MODEL and node.func.attr.value == "count_params":
        if any("Normalization" in layer.symbol for layer in em.it.layers.values()):
            raise _refused("P203", "Keras' count_params counts moving statistics too; sum the sizes you mean", node)
        return build("sum(p.numel() for p in {m}.parameters())", m=em.expr(node.func.value))
    if owner.kind is Kind.LAYER and node.func.attr.value == "compute_mask":  # type: ignore[union-attr]
        from port.tf2torch.rules import masking

        return masking.compute_mask(em, node, owner.payload)
    if owner.kind is Kind.TENSOR:
        return _tensor_method(em, node, owner)
    if isinstance(owner.payload, ShapeOf):
        from port.tf2torch.adapt import members

        return members.shape_method(em, node, owner) or em.generic(node)
    return _foreign_call(em, node)


def member(em: Emitter, node: cst.Attribute) -> cst.BaseExpression | None:
    """Attributes of shapes and dtypes that PyTorch spells otherwise."""
    from port.tf2torch.adapt import members

    return members.dtype_attribute(em, node) or members.shape_attribute(em, node, em.fact(node.value))


def _foreign_call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """A call of something that is not known: it gets tensors with their axes as in the source."""
    symbol = em.fact(node.func).symbol
    flipped = [a for a in node.args if em.fact(a.value).layout is Layout.FLIPPED]
    if not flipped or symbol.startswith(("builtins.", "list.")):
        return em.generic(node)
    return em.generic_call(node, [a.with_changes(value=em.expr(a.value, Layout.PLAIN)) if a in flipped else em._Arg(a)
                                  for a in node.args])


def _tensor_method(em: Emitter, node: cst.Call, owner: Fact) -> cst.BaseExpression:
    assert isinstance(node.func, cst.Attribute)
    name = node.func.attr.value
    value = em.expr(node.func.value)
    if name == "get_shape":
        return build("{x}.shape", x=value)
    if name == "numpy":
        return build("{x}.detach().cpu().numpy()", x=value)
    raise _refused("P201", f"method `{name}` of a TensorFlow tensor has no row", node)


def _refused(code_: str, message: str, node: cst.CSTNode) -> Exception:
    from port.tf2torch.emit import Refused

    return Refused(code_, message, node)


def Refused_() -> type[Exception]:
    from port.tf2torch.emit import Refused

    return Refused


TRAINING = ("keras.optimizers.", "keras.callbacks.", "keras.metrics.", "keras.losses.", "tf.data.", "tf.GradientTape",
            "tf.train.", "tf.compat.v1.train.", "tf.distribute.", "tf.summary.", "keras.utils.Sequence")


def unknown_symbol(em: Emitter, symbol: str, node: cst.CSTNode) -> Exception:
    if symbol.startswith(TRAINING):
        return _refused("P205", f"`{symbol}` belongs to training", node)
    near = difflib.get_close_matches(symbol, list(em.it.rows), 1, 0.8)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return _refused("P201", f"`{symbol}` has no row in the tables{hint}", node)


# ---------------------------------------------------------------- rows of functions
def allowed(job: Job) -> str:
    """'' if `only` and `facts` hold, else what does not."""
    return unmet_of(job)[1]


def unmet_of(job: Job) -> tuple[str, str]:
    """Code and message of what does not hold; ('', '') if the row fits."""
    code_, message = unmet(job.row, job.bound, job.fact,
                           lambda name: resolve_reaching(job.em, job.bound.args.get(name)))
    if "{}" in message:
        name = message[1:].partition("{")[0]
        value = code(job.bound.args[name]) if job.given(name) else job.bound.default(name)
        message = message.replace("{}", f"={value}")
    return code_, message


def resolve_reaching(em: Emitter, node: cst.BaseExpression | None) -> set[Any]:
    """Literals that can reach a setting: from the callers in this file; empty if not known."""
    if node is None:
        return set()
    fact = em.fact(node)
    if fact.values is not None:
        return set(fact.values)
    function = em.scope.function
    name = ""
    if isinstance(node, cst.Name):
        name = node.value
    elif fact.symbol.startswith("="):
        name = fact.symbol[1:]
        cls = em.scope.cls
        function = users.find_method(cls, "__init__") if cls is not None else function
    return users.reached(function, name) if function is not None and name in function.params else set()


def row_call(em: Emitter, node: cst.Call, symbol: str, receiver: cst.BaseExpression | None = None
             ) -> cst.BaseExpression:
    rows = em.it.rows.get(symbol)
    if not rows:
        raise unknown_symbol(em, symbol, node)
    problem = ("", "")
    for row in rows:
        if row.none:
            raise _refused("P203", f"`{symbol}`: {row.none}", node)
        for signature in row.tf:
            if not row_name(signature.name, symbol):
                continue
            job = Job(em, row, bind(signature, node), node)
            fault = ("P202", job.bound.problem) if job.bound.problem else unmet_of(job)
            if not fault[1]:
                return run(job, symbol)
            problem = problem if problem[1] else fault
    raise _refused(problem[0] or "P202", f"`{symbol}`: {problem[1]}", node)


def run(job: Job, symbol: str) -> cst.BaseExpression:
    from port.tf2torch import adapt

    em, row = job.em, job.row
    job.inputs = tuple(t for a in (*job.bound.args.values(), *(s.value for s in job.bound.stars[1:]))
                       for t in tensors_in(em.fact(a)))
    job.want, job.flipped = layout_of(job)
    python = adapt.python_form(job)
    if python is not None:
        return python
    if row.differs:
        em.report("P101", f"{symbol}: {row.differs}", job.node, symbol)
    if row.via:
        adapter = adapt.ROWS.get(row.via)
        if adapter is None:
            raise job.refuse("P203", f"`{symbol}` is not translated yet (adapter `{row.via}`)")
        built = adapter(job)
        if built is not None:
            return built
    template = row.expr.get("torch")
    if template is not None:
        new = fill_template(job, template)
    else:
        new = adapt.on_device(job, print_call(job))
    for wrap in job.after:
        new = wrap(new)
    return new


def layout_of(job: Job) -> tuple[Layout | None, bool]:
    """The layout that the tensors of a function are brought to (None: as they are); is it channels first?"""
    row, result = job.row, job.em.fact(job.node)
    if row.layout == FLIPS:
        return Layout.FLIPPED, True
    flipped = any(t.layout is Layout.FLIPPED for t in job.inputs)
    if row.returns not in ANY_LAYOUT:
        return Layout.PLAIN, False
    if not flipped:
        return None, False
    if row.returns == "reduce":
        mixed = mixes(job.inputs[0], job.literal(next((n for n in ("axis", "axes") if n in job.row.args), "")))
        return (Layout.PLAIN, False) if mixed else (None, True)
    made = tensors_in(result)
    layout = made[0].layout if made else Layout.FLIPPED
    return layout, layout is Layout.FLIPPED


def arrange(job: Job, node: cst.BaseExpression, want: Layout | None) -> cst.BaseExpression:
    """An argument of a function, its tensors in the layout that is wanted."""
    em, fact = job.em, job.em.fact(node)
    if want is None:
        return em.expr(node)
    if job.row.layout == FLIPS and job.row.kind == "function" and node is next(iter(job.bound.args.values())) and (
            fact.rank is None and fact.layout is Layout.PLAIN):
        rank = next((n + 2 for n in (1, 3) if f"{n}d" in job.row.name), 4)
        order = TO_FIRST_OF[rank]
        return build(f"{{x}}.permute{order}" if rank > 3 else "{x}.transpose(1, 2)", x=em.expr(node))
    if fact.kind is Kind.TENSOR:
        elementwise = want is Layout.FLIPPED and job.row.kind == "function" and job.row.returns in ELEMENTWISE
        return em.operand(node, fact, job.node) if elementwise else em.expr(node, want)
    if isinstance(node, cst.List | cst.Tuple) and tensors_in(fact):
        elements = [e.with_changes(value=arrange(job, e.value, want)) for e in node.elements]
        return node.with_changes(elements=elements)
    if any(t.layout is not want and (t.rank is None or t.rank > 2) and (
            t.rank is not None or want is Layout.FLIPPED or t.layout is Layout.FLIPPED) for t in tensors_in(fact)):
        raise job.refuse("P209", "a list of tensors in another layout than this needs; write the list out")
    return em.expr(node)


ELEMENTWISE = ("same", "broadcast", "compare", "cast")
TO_FIRST_OF = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}


def fill_template(job: Job, template: str) -> cst.BaseExpression:
    from port.tf2torch import adapt

    em = job.em
    nodes: dict[str, cst.BaseExpression] = {}
    template = adapt.shortened(job, template, nodes)
    tree = parse(template).deep_clone()
    em.needs_of(tree)
    _helpers_in(em, tree)
    free = {n.value for n in walk(tree) if isinstance(n, cst.Name)}
    for name in [p.name for p in job.bound.signature.params if p.name in free and p.name not in nodes]:
        arg = job.row.args.get(name)
        if arg is not None and arg.via:
            adapted = adapt.ARGS[arg.via](job, name, arg)
            nodes[name] = adapted if adapted is not None else expression("None")
        else:
            nodes[name] = job.expr(name, job.want)
    return _helper_names(substitute(tree, nodes))  # type: ignore[return-value]


def _helpers_in(em: Emitter, tree: cst.CSTNode) -> None:
    from port.tree import walk

    for n in walk(tree):
        if isinstance(n, cst.Attribute) and isinstance(n.value, cst.Name) and n.value.value == "helpers":
            em.helper(n.attr.value)


def _helper_names(tree: cst.CSTNode) -> cst.CSTNode:
    from port.tree import rebuild

    if isinstance(tree, cst.Attribute) and isinstance(tree.value, cst.Name) and tree.value.value == "helpers":
        return tree.attr
    return rebuild(tree, _helper_names)


def short(em: Emitter, name: str) -> str:
    """The name as the output writes it; notes the import or helper that it needs."""
    for prefix, to in SHORT:
        if name.startswith(prefix):
            if to:
                em.need(to[:-1])
            else:
                em.helper(name[len(prefix):])
            return to + name[len(prefix):]
    em.need(name.split(".")[0])
    return name


def map_args(job: Job) -> None:
    """Fill `job.out` from the call's arguments, in their order, then what defaults make necessary."""
    from port.tf2torch import adapt

    row = job.row
    for name in list(job.bound.args):
        if job.bound.args[name] is None:
            continue
        _map_one(job, name, adapt.ARGS)
    for p in job.bound.signature.params:
        if p.name not in job.bound.args and p.default is not None:
            _map_default(job, p.name, adapt.ARGS)
    for p in job.torch.params if job.torch is not None else ():
        if p.default is None and p.name not in job.out and any(
                a.to == p.name and job.bound.default(n) == "None" for n, a in row.args.items()):
            job.out[p.name] = expression("None")
    for name, value in row.fixed.items():
        if _default_of(job.torch, name) != value:
            job.out[name] = expression(re.sub(r"e([+-])0(\d)", r"e\1\2", repr(value)))
            _in_place(job, name)


def _in_place(job: Job, name: str) -> None:
    """A fixed argument stands before those that follow it in the signature and are given by keyword."""
    order = [p.name for p in job.torch.params] if job.torch is not None else []
    later = order[order.index(name) + 1:] if name in order else []
    behind = [n for n in job.out if n in later and job.source.get(n) in job.bound.keyword]
    for n in behind:
        job.out[n] = job.out.pop(n)


def _map_one(job: Job, name: str, adapters: Any) -> None:
    arg = job.row.args.get(name)
    if arg is None:
        if name in job.row.ignore or name in job.row.only or name in job.row.init:
            return
        raise job.refuse("P202", f"argument `{name}` has no counterpart")
    if arg.via:
        if arg.via not in adapters:
            raise job.refuse("P202", f"argument `{name}` is not translated yet (adapter `{arg.via}`)")
        value = adapters[arg.via](job, name, arg)
    else:
        value = job.expr(name, job.want)
    if value is not None and arg.to:
        job.out[arg.to] = value
        job.source[arg.to] = name


def _map_default(job: Job, name: str, adapters: Any) -> None:
    arg = job.row.args.get(name)
    if arg is None or (arg.to and arg.to in job.out):
        return
    if arg.via:
        if arg.via not in adapters:
            raise job.refuse("P202", f"argument `{name}` is not translated yet (adapter `{arg.via}`)")
        value = adapters[arg.via](job, name, arg)
    else:
        value = expression(job.bound.default(name) or "None")
    if value is None or not arg.to or job.torch is None:
        return
    if code(value) == next((p.default for p in job.torch.params if p.name == arg.to), None):
        return
    try:
        mine = literal_text(code(value))
    except LookupError:
        mine = ...
    if mine is ... or mine != _default_of(job.torch, arg.to):
        job.out[arg.to] = value


def _default_of(signature: Signature | None, name: str) -> Any:
    p = next((p for p in signature.params if p.name == name), None) if signature else None
    try:
        return literal_text(p.default if p is not None else None)
    except LookupError:
        return ...


def choose(job: Job, signatures: tuple[Signature, ...]) -> Signature:
    """The first overload that takes what is given."""
    for signature in signatures:
        names = {p.name for p in signature.params}
        targets = {job.row.args[n].to for n in job.bound.args if n in job.row.args and _says_something(job, n)}
        required = {p.name for p in signature.params if p.default is None and not p.star}
        possible = targets | set(job.row.fill) | {"input"} | {
            a.to for n, a in job.row.args.items() if job.bound.default(n) not in (None, "None")}
        if targets - {""} <= names | set() and required <= possible | set(job.row.ignore_torch):
            return signature
    return signatures[-1]


def _says_something(job: Job, name: str) -> bool:
    """An argument given as its own default None chooses no overload."""
    return not (job.literal(name) is None and job.bound.default(name) == "None")


def print_call(job: Job) -> cst.BaseExpression:
    signature = job.torch = choose(job, job.row.torch)
    map_args(job)
    names = {p.name for p in signature.params} | {"input"}
    job.out = {k: v for k, v in job.out.items() if k in names}
    for wrap in job.before:
        first = next(iter(p.name for p in signature.params))
        job.out[first] = wrap(job.out[first])
    if signature.attribute:
        return build("{x}." + signature.name.rpartition(".")[2], x=next(iter(job.out.values())))
    if signature.method or signature.name.startswith("tensor."):
        first = signature.params[0].name
        receiver = job.out.pop(first)
        args = arguments(job, Signature(signature.name, signature.params[1:]))
        func = cst.Attribute(paren(receiver), cst.Name(signature.name.rpartition(".")[2]))
        return cst.Call(func, args)
    new = cst.Call(expression(short(job.em, job.callee or signature.name)), arguments(job, signature),
                   whitespace_before_args=job.node.whitespace_before_args)
    return reflow(new, list(job.node.args))


def arguments(job: Job, signature: Signature) -> list[cst.Arg]:
    """`job.out` as arguments: positional where the call was and the order agrees, else by keyword."""
    order = [p.name for p in signature.params if not p.keyword_only and not p.star]
    star = next((p.name for p in signature.params if p.star == "*"), None)
    filled = [n for n in job.out if n not in job.source]
    sequence = [n for n in order if n in filled and (n in job.row.fill or _required(signature, n))]
    sequence += [n for n in job.out if n not in sequence]
    keyword_given = {job.source[n] for n in job.source if job.source[n] in job.bound.keyword}
    made: list[cst.Arg] = []
    positional = True
    for i, name in enumerate(sequence):
        source = job.source.get(name)
        fits = positional and i < len(order) and order[i] == name
        required = _required(signature, name) and job.row.kind != "function"
        by_name = not fits or (source in keyword_given) or (source is None and name not in job.row.fill
                                                             and not required)
        if name == star and job.bound.stars and source in job.bound.args:
            made += [a.with_changes(value=arrange(job, a.value, job.want), keyword=None) for a in job.bound.stars]
            continue
        if name == star:
            value = job.out[name]
            made.append(cst.Arg(value, star="*" if isinstance(value, cst.Tuple | cst.List) else ""))
            continue
        original = job.bound.nodes.get(source) if source else None
        if by_name:
            positional = False
        made.append(_arg(name if by_name else "", job.out[name], original))
    return drop_commas(made, list(job.node.args))


def _required(signature: Signature, name: str) -> bool:
    return any(p.name == name and p.default is None for p in signature.params)


def _arg(keyword: str, value: cst.BaseExpression, original: cst.Arg | None) -> cst.Arg:
    """Keeps the comment and line break that followed the original argument."""
    plain = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    if original is None:
        return cst.Arg(value, keyword=cst.Name(keyword) if keyword else None,
                       equal=plain if keyword else cst.MaybeSentinel.DEFAULT)
    equal = original.equal if original.keyword is not None and keyword else plain
    return original.with_changes(value=value, keyword=cst.Name(keyword) if keyword else None, star="",
                                 equal=equal if keyword else cst.MaybeSentinel.DEFAULT)


# ---------------------------------------------------------------- layers
@dataclass
class Plan:
    """How a layer is made and applied."""

    job: Job
    module: bool  # an attribute of the model; else only a function in forward
    attr: str
    make: Callable[[], cst.BaseExpression]
    run: Callable[..., cst.BaseExpression]  # (callee or None, inputs, node) -> expression

    def ctor(self) -> cst.BaseExpression:
        from port.tf2torch.rules.initial import note

        new = self.make()
        note(self.job, new)
        return new


def first_input(layer: LayerCall) -> Fact:
    return layer.inputs[-1] if layer.inputs else UNKNOWN


def layer_job(em: Emitter, layer: LayerCall, x: Fact, sequential: bool = False) -> Job:
    symbol = layer.symbol
    rows = em.it.rows.get(symbol)
    if not rows:
        raise unknown_symbol(em, symbol, layer.node)
    problem = ""
    merge = em.symbol(layer.node.func).rpartition(".")[2] in MERGES
    node = layer.node.with_changes(args=layer.node.args[1:]) if merge else layer.node
    for row in rows:
        if row.none:
            raise _refused("P203", f"`{symbol}`: {row.none}", layer.node)
        for signature in row.tf:
            if signature.name != symbol:
                continue
            job = Job(em, row, bind(signature, node, layer=True), node, x, sequential=sequential)
            message = job.bound.problem or allowed(job)
            if not message:
                return job
            problem = problem or message
    raise _refused("P202", f"`{symbol}`: {problem}", layer.node)


def plan(em: Emitter, layer: LayerCall, x: Fact, sequential: bool = False) -> Plan:
    """Decide how a layer is written; once per layer."""
    from port.tf2torch import adapt

    key = (layer.node, sequential)
    if key in em.plans:
        return em.plans[key]
    job = layer_job(em, layer, x, sequential)
    row = job.row
    job.inputs = tuple(tensors_in(x))
    rank = job.inputs[0].rank if job.inputs else None
    flat = rank is not None and rank < 3
    if row.layout == FLIPS and not flat:
        job.want, job.flipped = Layout.FLIPPED, True
    elif row.returns in ANY_LAYOUT and not wants_plain(row):
        job.flipped = any(t.layout is Layout.FLIPPED for t in job.inputs)
        job.want = Layout.FLIPPED if job.flipped and row.returns not in ("reduce", "same") else None
    else:
        job.want = Layout.PLAIN
    _common(job)
    if layer.symbol == "keras.layers.Rescaling" and any(
            isinstance(n, cst.List | cst.Tuple | cst.ListComp) for n in job.bound.args.values()):
        raise job.refuse("P202", "a scale or offset for each channel; multiply by a tensor of the right shape")
    if row.differs:
        em.report("P101", f"{row.name}: {row.differs}", layer.node, layer.symbol)
    functional = row.call is not None or "torch" in row.expr
    if row.via:
        adapter = adapt.LAYERS.get(row.via)
        if adapter is None:
            raise job.refuse("P203", f"`{layer.symbol}` is not translated yet (adapter `{row.via}`)")
        with em.at_build():
            made = adapter(job)
        if made is not None:
            made = made if sequential else _kept(em, layer, made)
            em.plans[key] = made
            return made
    made = _functional(job) if functional else _module(job)
    made = made if sequential else _kept(em, layer, made)
    em.plans[key] = made
    return made


def _kept(em: Emitter, layer: LayerCall, made: Plan) -> Plan:
    """In a class: arguments that only `__init__` knows make the layer a module of its own."""
    cls = em.scope.cls
    init = users.find_method(cls, "__init__") if cls is not None else None
    if made.module or init is None:
        return made
    used = {n for a in layer.node.args for n in loads(a)}
    if not used & (set(init.params) - {"self"} | init.assigned):
        return made

    def run(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        return cst.Call(callee, [cst.Arg(inputs[0])])

    return Plan(made.job, True, made.attr, made.make, run)


def _common(job: Job) -> None:
    for name, node in job.bound.common.items():
        if name == "trainable" and job.em.fact(node).literal(...) is not True:
            if job.em.fact(node).literal(...) is False:
                job.out_trainable = False  # type: ignore[attr-defined]
            else:
                raise job.refuse("P202", "`trainable` is not a literal")
        elif name == "activity_regularizer" and job.em.fact(node).literal(...) is not None:
            job.em.report("P205", "activity_regularizer adds to Keras' loss; add the term to your loss", job.node)
        elif name == "weights" and job.em.fact(node).literal(...) is not None:
            raise job.refuse("P207", "initial weights given as arrays")
        elif name == "dtype" and job.em.fact(node).literal(...) not in (None, "float32"):
            job.em.report("P103", "the layer's dtype is dropped: PyTorch modules follow the model's dtype", job.node)


def _module(job: Job) -> Plan:
    row = job.row

    def make() -> cst.BaseExpression:
        return module_call(job)

    def run_(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        value = inputs[0]
        for wrap in job.before:
            value = wrap(value)
        new: cst.BaseExpression = cst.Call(paren(callee), [cst.Arg(value)])
        for wrap in job.after:
            new = wrap(new)
        return new

    prepare(job)
    return Plan(job, True, row.attr or row.name, make, run_)


def prepare(job: Job, signatures: tuple[Signature, ...] | None = None) -> None:
    """Choose the torch signature and translate the arguments, as `__init__` writes them."""
    with job.em.at_build():
        _prepare(job, signatures)


def _prepare(job: Job, signatures: tuple[Signature, ...] | None) -> None:
    job.torch = choose(job, signatures or job.row.torch)
    job.callee = job.callee or job.torch.name
    map_args(job)
    for name, what in job.row.fill.items():
        if name not in job.out:
            job.out[name] = fill(job, what)
    names = {p.name for p in job.torch.params}
    job.out = {k: v for k, v in job.out.items() if k in names or any(p.star for p in job.torch.params)}


def fill(job: Job, what: str) -> Any:
    facts = tensors_in(job.x)
    shape = facts[0].shape if facts else None
    if what in ("channels", "features"):
        width = facts[0].width if facts else None
        try:
            return None if width is None else job.em.size(width, job.node)
        except Refused_():
            return None  # open: a Lazy module
    if what == "shape_tail":
        if shape is None or None in shape[1:]:
            raise job.refuse("P208", "the shape that arrives here is not known")
        return expression("(" + ", ".join(code(job.em.size(d)) for d in shape[1:]) + ",)")
    raise job.refuse("P208", f"`{what}` of the input is not known")


LAZY = {"nn.Linear", "nn.Conv1d", "nn.Conv2d", "nn.Conv3d", "nn.ConvTranspose1d", "nn.ConvTranspose2d",
        "nn.ConvTranspose3d", "nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d"}


def module_call(job: Job) -> cst.BaseExpression:
    assert job.torch is not None
    name = short(job.em, job.callee)
    open_sizes = [n for n in job.row.fill if job.out.get(n, ...) is None]
    if open_sizes:
        if name not in LAZY:
            raise job.refuse("P208", "how many channels or features arrive here is not known")
        job.em.report("P102", f"the input size of this {name} is not known; it is set at the first call", job.node)
        name = name.replace("nn.", "nn.Lazy")
        job.out = {k: v for k, v in job.out.items() if k not in open_sizes}
        torch = Signature(job.torch.name, tuple(p for p in job.torch.params if p.name not in open_sizes),
                          job.torch.method)
    else:
        torch = job.torch
    callee = getattr(job, "callee_expr", None)
    new: cst.BaseExpression = cst.Call(callee if callee is not None else expression(name), arguments(job, torch),
                                       whitespace_before_args=job.node.whitespace_before_args)
    new = reflow(new, list(job.node.args))
    wrapper = getattr(job, "after_make", "")
    if wrapper:
        new = cst.Call(cst.Name(wrapper), [cst.Arg(new)])
    if getattr(job, "out_trainable", True) is False:
        new = build("{m}.requires_grad_(False)", m=new)
    return new


def _functional(job: Job) -> Plan:
    row = job.row

    def make() -> cst.BaseExpression:
        if job.sequential and not row.torch and "torch" in row.expr:
            job.em.helper("Lambda")
            return build("Lambda(lambda x: {e})", e=template_layer(job, [cst.Name("x")]))
        if not row.torch:
            raise job.refuse("P206", f"`{row.name}` cannot be kept as an object; call it where it is used")
        prepare(job)
        return module_call(job)

    def run_(callee: Any, inputs: list[cst.BaseExpression], node: cst.Call) -> cst.BaseExpression:
        value = inputs[0]
        if "torch" in row.expr:
            return _finish(job, template_layer(job, inputs))
        fresh = Job(job.em, row, job.bound, job.node, job.x, job.inputs, flipped=job.flipped, want=job.want)
        fresh.torch = row.call
        if row.call is not None and row.call.name.endswith(".pad"):  # F.pad calls it `pad`; people write it bare
            fresh.bound = replace(job.bound, keyword=set())
        map_args(fresh)
        for wrap in fresh.before:
            value = wrap(value)
        names = [p.name for p in row.call.params]  # type: ignore[union-attr]
        fresh.out = {names[0]: value} | {k: v for k, v in fresh.out.items() if k in names}
        fresh.row = row
        args = _call_arguments(fresh, names[0])
        name = getattr(fresh, "callee_call", "") or short(job.em, row.call.name)  # type: ignore[union-attr]
        return _finish(fresh, cst.Call(expression(name), args))

    return Plan(job, False, row.attr or row.name, make, run_)


def _call_arguments(job: Job, first: str) -> list[cst.Arg]:
    value = job.out.pop(first)
    assert job.torch is not None
    rest = arguments(job, Signature(job.torch.name, job.torch.params[1:]))
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    multi = any("\n" in code(a.comma) for a in rest if isinstance(a.comma, cst.Comma))
    if multi:
        rest = [a.with_changes(comma=comma if i < len(rest) - 1 else cst.MaybeSentinel.DEFAULT,
                               whitespace_after_arg=cst.SimpleWhitespace("")) for i, a in enumerate(rest)]
    elif rest:
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))
    return [cst.Arg(value, comma=comma if rest else cst.MaybeSentinel.DEFAULT), *rest]


def _finish(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    for wrap in job.after:
        new = wrap(new)
    return new


def template_layer(job: Job, inputs: list[cst.BaseExpression]) -> cst.BaseExpression:
    """`lambda input: input.reshape(...)` of a row with the inputs put in."""
    tree = parse(job.row.expr["torch"]).deep_clone()
    job.em.needs_of(tree)
    _helpers_in(job.em, tree)
    nodes = {p.name: job.expr(p.name) for p in job.bound.signature.params}
    from port.tf2torch import adapt

    for name, arg in job.row.args.items():
        if arg.via and name in nodes:
            value = adapt.ARGS[arg.via](job, name, arg)
            if value is not None:
                nodes[name] = value
    body: cst.BaseExpression = tree
    if isinstance(tree, cst.Lambda):
        params = [p.name.value for p in tree.params.params]
        nodes.update(zip(params, inputs, strict=False))
        body = tree.body
    return _helper_names(substitute(body, nodes))  # type: ignore[return-value]


# ---------------------------------------------------------------- applications
def layer_args(node: cst.Call) -> list[cst.Arg]:
    return [a for a in node.args if a.keyword is None or a.keyword.value not in ("training", "name")]


def application(em: Emitter, node: cst.Call, callee: Fact, inputs: list[Fact]) -> cst.BaseExpression:
    payload = callee.payload
    if isinstance(payload, LayerCall) and payload.symbol != "keras.layers.Lambda":
        return apply_layer(em, node, payload, inputs)
    if isinstance(payload, Function) and callee.kind is Kind.FUNCTION:
        return apply_function(em, node, payload)
    if isinstance(payload, LayerCall):
        return _apply_lambda(em, node, payload)
    if isinstance(payload, users.Alternatives):
        return _apply_alternatives(em, node, payload)
    if isinstance(payload, Curried):
        return _apply_curried(em, node, payload)
    return _apply_model(em, node, payload)


def apply_layer(em: Emitter, node: cst.Call, layer: LayerCall, inputs: list[Fact]) -> cst.BaseExpression:
    made = plan(em, layer, inputs[0] if inputs else UNKNOWN)
    _drop_training(em, node)
    from port.tf2torch.rules import masking

    merge = node is layer.node  # layers.add([a, b]): made and applied in one call
    args = node.args[:1] if merge else layer_args(node)
    masking.guard(em, node, layer)
    if made.job.row.via in FULL:
        callee = _callee(em, node, layer, made, merge)
        return made.run(callee, args, node)
    if not args:
        raise _refused("P206", "a layer is called without an input", node)
    masked = masking.average(em, node, layer, args[0].value)
    if masked is not None:
        return masked
    extra = [a for a in args[1:] if not (a.keyword is not None and a.keyword.value == "mask"
                                         and em.fact(a.value).literal(...) is None)]
    if extra and not merge:
        raise _refused("P202", f"`{code(extra[0]).strip(', ')}` in the call of a layer", node)
    first = args[0].value
    fact = em.fact(first)
    if isinstance(fact.payload, Items) and isinstance(first, cst.List | cst.Tuple) and made.job.row.via in (
            "merge", "merge_average", "dot"):
        values = [em.expr(e.value, made.job.want) for e in first.elements]
    else:
        values = [em.expr(first)]
        if made.job.want is not None:
            values = [em.in_layout(first, values[0], made.job.want, RANK_OF.get(layer.symbol[-2:]))]
    masking.made(em, node, values[0])
    callee = _callee(em, node, layer, made, merge)
    out = em.fact(node)
    if made.job.want is Layout.PLAIN and out.layout is Layout.FLIPPED and (out.rank or 4) > 2 and (
            made.job.row.via != "conv_lstm"):  # takes steps of images, gives an image
        raise _refused("P209", f"inference and rule disagree about the layout of `{layer.symbol}`", node)
    return made.run(callee, values, node)


FULL = {"mha", "rnn", "bidirectional", "attention"}  # their adapters read the arguments of the call themselves


def _callee(em: Emitter, node: cst.Call, layer: LayerCall, made: Plan, merge: bool) -> cst.BaseExpression | None:
    if not made.module:
        return None
    if not merge and node.func is not layer.node:
        return em.expr(node.func)  # a variable or attribute holds it
    if em.scope.on_module is None:
        raise _refused("P206", "a layer with weights is created where no module can keep it", node)
    return em.scope.on_module(layer.node, made)


def _drop_training(em: Emitter, node: cst.Call) -> None:
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "training":
            value = em.fact(arg.value)
            if value.literal(...) in (True, False):
                em.report("P103", f"`training={code(arg.value)}` of this call is dropped: the mode is the module's "
                          "(.train(), .eval())", node)


def _apply_lambda(em: Emitter, node: cst.Call, layer: LayerCall) -> cst.BaseExpression:
    function = next(iter(layer.bound.values()))
    inner = em.expr(function)
    value = em.expr(node.args[0].value, Layout.PLAIN)
    if isinstance(inner, cst.Lambda) and len(inner.params.params) == 1:
        return substitute(inner.body.deep_clone(), {inner.params.params[0].name.value: value})  # type: ignore
    return cst.Call(paren(inner), [cst.Arg(value)])


def apply_function(em: Emitter, node: cst.Call, function: Function) -> cst.BaseExpression:
    """A call of the user's function: as it is, or of the module that the function became."""
    _drop_training(em, node)
    if function in em.classes and em.scope.on_module is not None:
        args = tensor_args(em, node, function)  # first: what is inside is made first
        return cst.Call(em.scope.on_module(node, function), args)
    return em.generic_call(node, kept_args(em, node, function))


def parameter_of(function: Function, node: cst.Call) -> list[tuple[cst.Arg, str]]:
    """Arguments with the parameters they go to ('' for stars)."""
    names = function.params[1:] if function.owner is not None and function.params[:1] == ["self"] else function.params
    out, at = [], 0
    for arg in node.args:
        if arg.star:
            out.append((arg, ""))
        elif arg.keyword is not None:
            out.append((arg, arg.keyword.value))
        else:
            out.append((arg, names[at] if at < len(names) else ""))
            at += 1
    return out


def tensor_args(em: Emitter, node: cst.Call, function: Function) -> list[cst.Arg]:
    """The tensors of a call, as `forward` of the module takes them."""
    made: list[Any] = []
    for arg, name in parameter_of(function, node):
        if name in function.tensors or (function, name) in em.it.ranks:
            want = Layout.FLIPPED if name in function.flipped else Layout.PLAIN
            fact = em.fact(arg.value)
            value = em.expr(arg.value, want if fact.kind is Kind.TENSOR and fact.rank not in (0, 1, 2) else None)
            keep = arg.keyword is not None and made and made[-1].keyword is not None
            made.append(cst.Arg(value, keyword=arg.keyword if keep else None,
                                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
                                if keep else cst.MaybeSentinel.DEFAULT))
    return made


def kept_args(em: Emitter, node: cst.Call, function: Function) -> list[cst.Arg]:
    """Arguments of a call to a function that stays one: without those of dropped parameters."""
    gone = em.dropped.get(function, set())
    made = []
    for arg, name in parameter_of(function, node):
        if name in gone or name == "training":
            continue
        fact = em.fact(arg.value)
        want = None
        if fact.kind is Kind.TENSOR and (fact.rank is None or fact.rank >= 3) and fact.layout is Layout.FLIPPED:
            want = Layout.FLIPPED if name in function.flipped else Layout.PLAIN
        made.append(arg.with_changes(value=em.expr(arg.value, want)))
    return drop_commas(made, list(node.args)) if len(made) < len(node.args) else made


def _apply_alternatives(em: Emitter, node: cst.Call, options: Any) -> cst.BaseExpression:
    if isinstance(options.functions[0].payload, Curried):
        if em.scope.on_module is None or not isinstance(node.func, cst.Call):
            raise _refused("P206", "a block chosen by a setting is not called where it is made", node)
        args = tensor_args(em, node, options.functions[0].payload.inner)
        return cst.Call(em.scope.on_module(node, options), args)
    modules = [o for o in options.functions if isinstance(o.payload, Function) and o.payload in em.classes]
    if modules and em.scope.on_module is not None:
        args = tensor_args(em, node, modules[0].payload)
        return cst.Call(em.scope.on_module(node, options), args)
    function = next((o.payload for o in options.functions if isinstance(o.payload, Function)), None)
    args = kept_args(em, node, function) if function is not None else list(node.args)
    return em.generic_call(node, args)


def _apply_curried(em: Emitter, node: cst.Call, curried: Curried) -> cst.BaseExpression:
    if node.func is not curried.node or em.scope.on_module is None:
        raise _refused("P206", f"what `{curried.outer.name}(...)` gives is not called where it is made", node)
    args = tensor_args(em, node, curried.inner)
    return cst.Call(em.scope.on_module(node, curried), args)


def _apply_model(em: Emitter, node: cst.Call, payload: Any) -> cst.BaseExpression:
    """A model or a layer of the user's own is called."""
    _drop_training(em, node)
    func = em.expr(node.func) if not (isinstance(node.func, cst.Call) and em.scope.on_module is not None
                                      and isinstance(payload, Instance)) else em.scope.on_module(node.func, payload)
    flipped = False
    method = None
    if isinstance(payload, Instance):
        method = users.find_method(payload.cls, "call")
    elif isinstance(payload, SequentialModel):
        flipped = payload in em.inner_sequentials
    made = []
    for i, arg in enumerate(node.args):
        name = arg.keyword.value if arg.keyword is not None else ""
        if name == "training":
            continue
        if method is not None and not name:
            names = [p for p in method.params if p != "self"]
            target = names[i] if i < len(names) else ""
            if target == "training":
                continue
            flipped = target in method.flipped
        fact = em.fact(arg.value)
        want = (Layout.FLIPPED if flipped else Layout.PLAIN) if fact.kind is Kind.TENSOR else None
        made.append(arg.with_changes(value=em.expr(arg.value, want)))
    from port.tf2torch.rules import masking

    if method is not None:
        made = masking.with_argument(em, node, method.params, made)
    if isinstance(payload, GraphModel):
        masking.no_mask_into_model(em, node)
    if isinstance(payload, GraphModel) and len(made) == 1 and isinstance(made[0].value, cst.List):
        made = [cst.Arg(e.value) for e in made[0].value.elements]
    args = drop_commas(made, list(node.args)) if len(made) != len(node.args) else made
    return node.with_changes(func=paren(func), args=args)


def _member(owner: cst.BaseExpression, path: str) -> cst.BaseExpression:
    """`owner.pointwise.bias`."""
    for name in path.split("."):
        owner = cst.Attribute(owner, cst.Name(name))
    return owner


def layer_weight(em: Emitter, node: cst.Attribute, layer: LayerCall) -> cst.BaseExpression:
    """`self.tokens.embeddings` -> `self.tokens.weight`; a transposed kernel is transposed back."""
    name = node.attr.value
    spec = layer.row.weights.get(name) if layer.row is not None else None
    owner = paren(em.expr(node.value))
    if isinstance(spec, str):
        return _member(owner, spec)
    if isinstance(spec, dict) and set(spec) == {"to", "permute"} and list(spec["permute"]) == [1, 0]:
        return cst.Attribute(_member(owner, spec["to"]), cst.Name("T"))
    if isinstance(spec, dict) and set(spec) <= {"to", "missing"}:
        return _member(owner, spec["to"])
    if isinstance(spec, dict) and "permute" in spec:
        raise _refused("P206", f"`{name}` of this layer has another order of axes in PyTorch", node)
    raise _refused("P204", f"`{name}` of a Keras layer", node)


# ---------------------------------------------------------------- names and subscripts
def constant(em: Emitter, node: cst.BaseExpression, symbol: str) -> cst.BaseExpression:
    """A symbol of the framework that is not called: `tf.float32`, `tf.newaxis`, `tf.nn.relu` as a value."""
    last = symbol.rpartition(".")[2]
    if symbol in ("tf.newaxis", "numpy.newaxis"):
        return expression("None")
    if symbol.startswith("tf.") and last in DTYPES and symbol.count(".") <= 2:
        em.need("torch")
        return expression(f"torch.{last}")
    for row in em.it.rows.get(symbol) or ():
        if row.none:
            raise _refused("P203", f"`{symbol}`: {row.none}", node)
        if row.kind == "constant" and row.torch:
            return expression(short(em, row.torch[0].name))
        if row.kind in ("function", "") and row.torch and len(row.torch) == 1 and not row.fixed and not row.via:
            plain = [a for a in row.args.values() if a.via]
            if not plain or all(a.via == "axis" for a in plain):
                from port.tf2torch import adapt

                template = adapt.activation_value(em, last)
                if template is not None:
                    return template
                return expression(short(em, row.torch[0].name))
    from port.tf2torch import adapt

    if symbol.startswith(("tf.nn.", "keras.activations.", "keras.ops.", "tf.math.", "tf.")):
        value = adapt.activation_value(em, last)
        if value is not None:
            return value
    raise unknown_symbol(em, symbol, node)


def own_attribute(em: Emitter, node: cst.Attribute, cls: Class) -> cst.BaseExpression | None:
    from port.tf2torch.rules import own

    return own.attribute(em, node, cls)


def subscript(em: Emitter, node: cst.Subscript) -> cst.BaseExpression:
    owner = em.fact(node.value)
    if isinstance(owner.payload, ShapeOf) and owner.payload.of.layout is Layout.FLIPPED:
        return _flipped_shape(em, node, owner.payload.of)
    if owner.kind is Kind.TENSOR and (owner.layout is Layout.FLIPPED):
        return _flipped_index(em, node, owner)
    if owner.kind is Kind.TENSOR or _looks_like_tensor(em, node, owner):
        return _plain_index(em, node)
    new = em.generic(node)
    return new.with_changes(value=paren(new.value)) if new is not node else node


def _looks_like_tensor(em: Emitter, node: cst.Subscript, owner: Fact) -> bool:
    """`x[:, ::-1]` of something unknown: no list, so a tensor (of a NumPy array, `.flip` would raise)."""
    return owner.payload is None and owner.kind in (Kind.PLAIN, Kind.UNKNOWN) and len(node.slice) > 1 and not (
        owner.values or owner.dtype)


def _plain_index(em: Emitter, node: cst.Subscript) -> cst.BaseExpression:
    """Negative steps become flips; `tf.newaxis` None."""
    flips: list[int] = []
    elements = []
    for axis, element in enumerate(node.slice):
        s = element.slice
        if isinstance(s, cst.Slice) and s.step is not None and em.fact(s.step).literal(...) == -1:
            if s.lower is not None or s.upper is not None:
                raise _refused("P203", "a slice with a negative step and bounds; flip first, then slice", node)
            flips.append(axis)
            s = s.with_changes(step=None, second_colon=cst.MaybeSentinel.DEFAULT)
        elif isinstance(s, cst.Slice) and s.step is not None and isinstance(
                em.fact(s.step).literal(...), int) and em.fact(s.step).value < 0:
            raise _refused("P203", "a slice with a negative step; flip first, then slice", node)
        if isinstance(s, cst.Index) and isinstance(s.value, cst.Ellipsis) and flips:
            raise _refused("P203", "a negative step before `...`", node)
        elements.append(element.with_changes(slice=em.generic(s)))
    value = paren(em.expr(node.value))
    whole = all(isinstance(e.slice, cst.Slice) and e.slice.lower is None and e.slice.upper is None
                and e.slice.step is None for e in elements)
    if flips and any(not isinstance(e.slice, cst.Slice) for e in elements):
        raise _refused("P203", "a negative step beside an index; flip first", node)
    new: cst.BaseExpression = value if flips and whole else node.with_changes(value=value, slice=elements)
    return build(f"{{x}}.flip({', '.join(map(str, flips))})", x=new) if flips else new


def _flipped_shape(em: Emitter, node: cst.Subscript, of: Fact) -> cst.BaseExpression:
    at = em.fact(node.slice[0].slice.value).literal(...) if isinstance(node.slice[0].slice, cst.Index) else ...
    rank = of.rank
    window = node.slice[0].slice
    if isinstance(window, cst.Slice) and rank is not None and window.step is None:
        low, high = (em.fact(p).literal(...) if p is not None else None for p in (window.lower, window.upper))
        if isinstance(low, int) and isinstance(high, int) and low >= 1 and low < high % rank <= rank - 1:
            return build(f"{{x}}[{low + 1}:{high % rank + 1}]", x=em.shape_expr(node.value))
        if low in (None, 0) and high == 1:
            return build("{x}[:1]", x=em.shape_expr(node.value))
    if not isinstance(at, int) or rank is None:
        raise _refused("P209", "the shape of a channels-first tensor is used in a way that cannot be reordered", node)
    at %= rank
    new = 0 if at == 0 else 1 if at == rank - 1 else at + 1
    value = em.shape_expr(node.value)
    return build(f"{{x}}[{new}]", x=value)


def _flipped_index(em: Emitter, node: cst.Subscript, owner: Fact) -> cst.BaseExpression:
    rank = owner.rank
    elements = list(node.slice)
    simple = all(isinstance(e.slice, cst.Slice) or (isinstance(e.slice, cst.Index) and isinstance(
        e.slice.value, cst.Ellipsis)) for e in elements)
    if rank is None or not simple:
        value = em.expr(node.value, Layout.PLAIN)
        return node.with_changes(value=paren(value), slice=[e.with_changes(slice=em.generic(e.slice))
                                                            for e in elements])
    slices: list[cst.BaseSlice] = []
    for e in elements:
        if isinstance(e.slice, cst.Index):
            slices += [cst.Slice(None, None, None)] * (rank - len(elements) + 1)
        else:
            slices.append(em.generic(e.slice))
    slices += [cst.Slice(None, None, None)] * (rank - len(slices))
    order = [slices[0], slices[-1], *slices[1:-1]]
    while len(order) > 1 and _is_whole(order[-1]):
        order.pop()
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.SubscriptElement(s, comma=comma if i < len(order) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, s in enumerate(order)]
    return node.with_changes(value=paren(em.expr(node.value)), slice=made)


def _is_whole(s: cst.BaseSlice) -> bool:
    return isinstance(s, cst.Slice) and s.lower is None and s.upper is None and s.step is None


__all__ = ["Job", "Plan", "SelfValue", "Sym", "best_row", "has_tensor"]
