"""A body that applies layers, split by binding time into `__init__` and `forward`.

What depends only on settings goes to `__init__`, what touches tensors to `forward`; control flow on settings
stands in both. Sizes of tensors are mirrored in `__init__` (see infer/flow.py). Names of attributes and sizes
that depend on them are placeholders until the whole body is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym
from port.tf2torch import lines
from port.tf2torch.calls.applying import parameter_of
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.calls.making import Plan
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer import users
from port.tf2torch.infer.flow import singular
from port.tf2torch.infer.values import (
    Class,
    Curried,
    Function,
    GraphModel,
    Instance,
    Items,
    LayerCall,
    SequentialModel,
    has_tensor,
)
from port.tree import code, named, rebuild, walk

Statements = list[cst.BaseStatement]


@dataclass
class Module:
    """One module attribute: how it is made, and under which name it will be kept."""

    key: str
    ctor: cst.BaseExpression
    base: str
    exact: bool  # the source gave the name
    final: str = ""
    conditional: bool = False
    out: int | None = None


@dataclass
class Frame:
    """A loop (or the body itself, at the bottom): modules that one turn makes."""

    node: cst.CSTNode | None = None
    modules: list[Any] = field(default_factory=list)  # Module or Frame
    depth: int = 0  # of settings-conditions inside this frame
    key: str = ""
    conditional: bool = False
    inline: bool = False
    used: set[str] = field(default_factory=set)  # settings of a turn that forward reads


class Settings(dict):  # type: ignore[type-arg]
    """Local settings as `forward` writes them; remembers which are read."""

    def __init__(self, split: Split):
        super().__init__()
        self.split = split

    def __contains__(self, name: object) -> bool:
        return self.split.setting(str(name)) is not None

    def __getitem__(self, name: str) -> str:
        return self.split.read(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (dict.get would not call __getitem__)


@dataclass
class Split:
    """State of one split."""

    em: Emitter
    function: Function | None
    settings: set[str] = field(default_factory=set)  # names bound in __init__ so far (parameters, locals)
    stored: dict[str, str] = field(default_factory=dict)  # settings that forward reads -> attribute
    frames: list[Frame] = field(default_factory=lambda: [Frame()])
    held: dict[str, str] = field(default_factory=dict)  # variable that holds a layer -> how forward calls it
    made: dict[cst.CSTNode, str] = field(default_factory=dict)  # call that made a module -> callee text
    count: int = 0
    pending: list[cst.BaseStatement] = field(default_factory=list)  # ctor statements before the current statement
    out_of: dict[int, str] = field(default_factory=dict)  # OUT placeholder -> module key
    renames: dict[str, str] = field(default_factory=dict)
    loop_names: list[set[str]] = field(default_factory=list)
    boundary: bool = False
    outer: set[str] = field(default_factory=set)
    models: dict[str, str] = field(default_factory=dict)
    result_of: Function | None = None  # curried builders: the inner function, whose result is returned
    globals_: bool = False  # a module-level graph: settings are globals and need no self

    # ------------------------------------------------------------ settings in forward
    def setting(self, name: str) -> str | None:
        if name in self.held:
            return self.held[name]
        if self.loop_names and any(name in s for s in self.loop_names):
            return name
        return name if name in self.settings else None

    def read(self, name: str) -> str:
        if name in self.held:
            return self.held[name]
        for frame, names in zip(reversed(self.frames), reversed([set(), *self.loop_names]), strict=False):
            if name in names:
                frame.used.add(name)
                return name
        self.stored.setdefault(name, name)
        return f"self.{name}"

    # ------------------------------------------------------------ stages
    def scope(self, stage: str) -> Scope:
        return Scope(stage=stage, function=self.function, names=Settings(self) if stage == "forward" else {},
                     on_module=self.on_module, sizes=str, build=lambda: self.scope("init"))

    def in_stage(self, stage: str, node: Any, want: Layout | None = None) -> Any:
        old, self.em.scope = self.em.scope, self.scope(stage)
        try:
            return self.em.expr(node, want) if isinstance(node, cst.BaseExpression) else self.em._expr(node)
        finally:
            self.em.scope = old

    def init(self, node: Any) -> Any:
        return self.in_stage("init", node)

    def forward(self, node: Any, want: Layout | None = None) -> Any:
        return self.in_stage("forward", node, want)

    # ------------------------------------------------------------ modules
    def on_module(self, node: cst.Call, payload: Any) -> cst.BaseExpression:
        """A module is made here: keep it; gives the expression that forward calls."""
        if node in self.made:
            return expression(self.made[node])
        old, self.em.scope = self.em.scope, self.scope("init")
        try:
            if isinstance(payload, Plan):
                ctor, base = payload.ctor(), payload.attr
                name = literal_name(self.em, node)
            else:
                ctor, base, name = self._user_module(node, payload)
        finally:
            self.em.scope = old
        return self.keep(node, ctor, name or base, bool(name))

    def keep(self, node: cst.Call, ctor: cst.BaseExpression, base: str, exact: bool) -> cst.BaseExpression:
        self.count += 1
        key = f"ATTR_{self.count}_"
        frame = self.frames[-1]
        module = Module(key, ctor, base, exact, conditional=frame.depth > 0, out=self.em.it.outs.get(node))
        frame.modules.append(module)
        top = len(self.frames) == 1
        text = f"self.{key}" if top else key
        if module.out is not None:
            self.out_of[module.out] = text
        self.pending.append(Making(module, top))  # type: ignore[arg-type]
        self.made[node] = text
        return expression(text)

    def _user_module(self, node: cst.Call, payload: Any) -> tuple[cst.BaseExpression, str, str]:
        em = self.em
        if isinstance(payload, Function):
            spec = em.classes[payload](payload)
            return ctor_call(self, node, payload, spec.name, spec), payload.name.strip("_"), constant_name(em, node)
        if isinstance(payload, Curried):
            spec = em.classes[payload.outer](payload.outer)
            return (curried_ctor(self, node, payload, spec), snake(payload.outer.name), constant_name(em, payload.node))
        if isinstance(payload, users.Alternatives) and isinstance(payload.functions[0].payload, Curried):
            return curried_choice(self, node, [o.payload for o in payload.functions]), "block", ""
        if isinstance(payload, users.Alternatives):
            options = [o.payload for o in payload.functions if isinstance(o.payload, Function)]
            specs = [em.classes[o](o) for o in options]
            call = ctor_call(self, node, options[0], code(em.expr(node.func)), specs[0], options)
            return call, node.func.value if isinstance(node.func, cst.Name) else "block", ""
        if isinstance(payload, Instance):
            base = snake(payload.cls.name)
            return em.expr(node), base, constant_name(em, node)
        raise Refused("P206", "a module made in a way that is not understood", node)


@dataclass(eq=False)
class Making:
    """Stands among statements of `__init__` for `self.attr = ctor`."""

    module: Module
    top: bool


def snake(name: str) -> str:
    out = "".join(f"_{c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower()
                  for i, c in enumerate(name))
    return out.strip("_")


def camel(name: str) -> str:
    parts = [p for p in name.replace("-", "_").strip("_").split("_") if p]
    return "".join(p[:1].upper() + p[1:] for p in parts) or "Model"


def literal_name(em: Emitter, node: cst.Call) -> str:
    """The attribute name that the source's `name=` gives: literal, or the constant part of an expression."""
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "name":
            return _name_text(em, arg.value)
    return ""


def _name_text(em: Emitter, node: cst.BaseExpression) -> str:
    value = em.fact(node).literal(None)
    text = value if isinstance(value, str) else ""
    if not text and isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        right = em.fact(node.right).literal(None)
        text = right if isinstance(right, str) else ""
    elif not text and isinstance(node, cst.FormattedString) and node.parts:
        last = node.parts[-1]
        text = last.value if isinstance(last, cst.FormattedStringText) else ""
    elif not text and isinstance(node, cst.BooleanOperation):
        return _name_text(em, node.right)
    elif not text and isinstance(node, cst.IfExp):
        return _name_text(em, node.orelse) or _name_text(em, node.body)
    text = "".join(c if c.isalnum() else "_" for c in text).strip("_").lower()
    if text and text[0].isdigit():
        text = ""
    return text if text.isidentifier() and text not in RESERVED else ""


def constant_name(em: Emitter, node: cst.Call) -> str:
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "name":
            value = em.fact(arg.value).literal(None)
            if isinstance(value, str):
                return _name_text(em, arg.value)
    return ""


RESERVED = {"training", "forward", "modules", "parameters", "children", "buffers", "state_dict", "train", "eval",
            "apply", "type", "float", "double", "half", "to", "cuda", "cpu", "add_module", "register_buffer", "class",
            "def", "for", "if", "in", "is", "lambda", "pass", "not", "or", "and", "from", "import", "with", "as"}


def ctor_call(split: Split, node: cst.Call, function: Function, name: str, spec: Any,
              options: list[Function] | None = None) -> cst.BaseExpression:
    """The class that a builder became, made with the sizes and settings of this call."""
    em = split.em
    args = [em.it.facts.get(a.value, UNKNOWN) for a in node.args]
    bound = users.bind_args(function, node, args) or {}
    sizes = users.bindings_of(em.it, node, function, bound)
    made: list[cst.Arg] = []
    plain = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    keyword_seen = False
    for arg, parameter in parameter_of(function, node):
        if parameter in spec.dropped:
            continue
        if parameter in function.tensors or (function, parameter) in em.it.ranks:
            for mirror in spec.mirrors_of(parameter):
                value = em.size(sizes.get(mirror), node)
                by_name = keyword_seen or arg.keyword is not None
                made.append(cst.Arg(value, keyword=cst.Name(mirror) if by_name else None,
                                    equal=plain if by_name else cst.MaybeSentinel.DEFAULT, comma=arg.comma))
            continue
        keyword_seen = keyword_seen or arg.keyword is not None or bool(arg.star)
        made.append(arg.with_changes(value=em.expr(arg.value)))
    from port.build import drop_commas, reflow

    return reflow(cst.Call(expression(name), drop_commas(made, list(node.args)),
                           whitespace_before_args=node.whitespace_before_args), list(node.args))


def curried_choice(split: Split, node: cst.Call, options: list[Curried]) -> cst.BaseExpression:
    """One of several blocks, chosen by a setting: all must take the same arguments."""
    specs = [split.em.classes[o.outer](o.outer) for o in options]
    mirrors = dict.fromkeys(m for s in specs for m in s.mirrors)
    if any(list(mirrors) != s.mirrors for s in specs):
        raise Refused("P206", "blocks chosen by a setting need different sizes", node)
    dropped = set.intersection(*[s.dropped for s in specs])
    if any(s.dropped != dropped for s in specs):
        raise Refused("P206", "blocks chosen by a setting take different arguments", node)
    call = options[0].node
    return curried_ctor(split, node, options[0], specs[0], split.em.expr(call.func))


def curried_ctor(split: Split, node: cst.Call, curried: Curried, spec: Any,
                 callee: cst.BaseExpression | None = None) -> cst.BaseExpression:
    """`MBConvBlock(16, 24)(x)`: the sizes of x come first, then the settings."""
    em = split.em
    args = [em.it.facts.get(a.value, UNKNOWN) for a in node.args]
    sizes = users.bindings_of(em.it, node, curried.inner, users.bind_args(curried.inner, node, args) or {})
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.Arg(em.size(sizes.get(m), node), comma=comma) for m, _ in spec.mirrors]
    for arg, parameter in parameter_of(curried.outer, curried.node):
        if parameter not in spec.dropped:
            made.append(arg.with_changes(value=em.expr(arg.value)))
    from port.build import drop_commas, reflow

    call = cst.Call(callee or expression(spec.name), drop_commas(made, list(curried.node.args)),
                    whitespace_before_args=curried.node.whitespace_before_args)
    return reflow(call, list(curried.node.args))


# ---------------------------------------------------------------- statements
def block(split: Split, body: Sequence[cst.CSTNode]) -> tuple[list[Any], Statements, bool]:
    """Statements of `__init__` and of `forward`; True if the end cannot be reached."""
    init: list[Any] = []
    forward: Statements = []
    nodes = list(body)
    for at, node in enumerate(nodes):
        if isinstance(node, cst.If):
            ended = _if(split, node, nodes[at + 1:], init, forward)
            if ended is not None:
                return init, forward, ended
        elif isinstance(node, cst.For | cst.While):
            _mirrors(split, node, init)
            _loop(split, node, init, forward)
        elif isinstance(node, cst.With):
            a, b, ended = block(split, node.body.body)
            init += a
            forward += b
            if ended:
                return init, forward, True
        elif isinstance(node, cst.FunctionDef):
            _nested(split, node, init)
        elif isinstance(node, cst.SimpleStatementLine):
            _mirrors(split, node, init)
            with lines.around(split.em, forward, node):
                ended = _line(split, node, init, forward)
            if ended:
                return init, forward, True
        else:
            raise Refused("P206", f"a {type(node).__name__.lower()} statement among layers", node)
    return init, forward, False


def _mirrors(split: Split, node: cst.CSTNode, init: list[Any]) -> None:
    for name, dim in split.em.it.before.get(node, {}).items():
        _mirror(split, name, dim, init)


def _mirror(split: Split, name: str, dim: Dim, init: list[Any]) -> None:
    if dim is None or (isinstance(dim, Sym) and dim.text == name):
        return
    init.append(statement(f"{name} = {dim}"))


def _take(split: Split, init: list[Any]) -> None:
    init += split.pending
    split.pending = []


def _line(split: Split, node: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> bool:
    """One line; comments above go where its statement goes, to `forward` if it is split."""
    ended = False
    from port.tf2torch.rules.plain import dropped_statement

    for small in node.body:
        line = node.with_changes(body=[small])
        gone = dropped_statement(split.em, small)
        if gone:
            split.em.report("P001", f"`{gone}` has no counterpart; it is dropped", small)
            continue
        if isinstance(small, cst.Return):
            _return(split, small, line, init, forward)
            ended = True
        elif isinstance(small, cst.Raise):
            init.append(line.with_changes(body=[split.init(small)]))
            ended = True
        elif isinstance(small, cst.Assign | cst.AnnAssign | cst.AugAssign):
            _assign(split, small, line, init, forward)
        elif isinstance(small, cst.Expr):
            _expr(split, small, line, init, forward)
        elif isinstance(small, cst.Pass):
            continue
        elif isinstance(small, cst.Import | cst.ImportFrom):
            init.append(line)
        elif isinstance(small, cst.Assert | cst.Del | cst.Global | cst.Nonlocal):
            init.append(line.with_changes(body=[split.init(small)]))
        else:
            raise Refused("P206", f"a {type(small).__name__.lower()} statement among layers", small)
    return ended


def touches_tensor(split: Split, node: cst.CSTNode) -> bool:
    """Does evaluating this need a tensor (and not only its size)?"""
    from port.tf2torch.infer.values import Size

    em = split.em
    fact = em.fact(node)
    if isinstance(fact.payload, Size):
        return False
    if isinstance(node, cst.BaseExpression) and has_tensor(fact):
        return True
    if isinstance(node, cst.Call) and node in em.it.applications:
        callee = em.it.applications[node][0].payload
        if not isinstance(callee, Function) or any(has_tensor(f) for f in em.it.applications[node][1]):
            return True
    if isinstance(node, cst.Comparison) and any(isinstance(c.operator, cst.Is | cst.IsNot) for c in node.comparisons):
        return any(touches_tensor(split, c) for c in (node.left,) if isinstance(c, cst.Call))
    if isinstance(node, cst.Lambda):
        return False
    return any(touches_tensor(split, c) for c in _parts(node))


def _parts(node: cst.CSTNode) -> list[cst.CSTNode]:
    from port.tree import children

    return list(children(node))


def _assign(split: Split, small: Any, line: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> None:
    em = split.em
    value = small.value
    targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else [small.target]
    fact = em.fact(value) if value is not None else UNKNOWN
    if _is_input(split, value):
        if len(targets) > 1:
            forward.append(line.with_changes(body=[cst.Assign([cst.AssignTarget(targets[0])], targets[-1])]))
        return
    if value is not None and fact.kind in (Kind.LAYER, Kind.MODEL) and not touches_tensor(split, value):
        _hold(split, targets, value, fact, line, init)
        return
    if (isinstance(value, cst.List) and not value.elements and isinstance(targets[0], cst.Name)
            and _holds_tensors(split, targets[0].value)):
        forward.append(line)
        init.append(statement(f"{targets[0].value}_channels = []"))
        return
    if value is not None and (touches_tensor(split, value) or any(
            touches_tensor(split, t) for t in targets if not isinstance(t, cst.Name | cst.Tuple | cst.List))):
        new = split.forward(small)
        had = bool(split.pending)
        _take(split, init)
        del had
        forward.append(line.with_changes(body=[_targets(small, new)]))
        for t in targets:
            split.settings -= names_of(t)
        return
    if value is not None and _holds_layers(fact):
        _hold_list(split, targets, value, fact, line, init)
        return
    new = split.init(small)
    if not (isinstance(new, cst.Assign) and code(new.targets[0].target) == code(new.value)):
        init.append(line.with_changes(body=[new]))
    for t in targets:
        names = names_of(t)
        if split.loop_names:
            split.loop_names[-1] |= names
        else:
            split.settings |= names


def _targets(small: Any, new: Any) -> Any:
    """Targets stay; only the value was translated in forward's terms."""
    if isinstance(small, cst.Assign):
        return new.with_changes(targets=[t.with_changes(target=o.target) if isinstance(o.target, cst.Name)
                                         else t for t, o in zip(new.targets, small.targets, strict=True)])
    return new


def names_of(target: cst.BaseExpression) -> set[str]:
    if isinstance(target, cst.Name):
        return {target.value}
    if isinstance(target, cst.Tuple | cst.List):
        return {n for e in target.elements for n in names_of(e.value)}
    return set()


def _is_input(split: Split, value: Any) -> bool:
    return isinstance(value, cst.Call) and split.em.symbol(value.func) == "keras.Input" and (
        split.em.fact(value).kind is Kind.TENSOR)


def _holds_tensors(split: Split, name: str) -> bool:
    """Will this list get tensors? Told by any later append of one."""
    nodes = split.em.it.appended
    return name in nodes


def _holds_layers(fact: Fact) -> bool:
    return isinstance(fact.payload, Items) and bool(fact.payload.elements) and all(
        e.kind in (Kind.LAYER, Kind.MODEL) for e in fact.payload.elements)


def _hold(split: Split, targets: list[Any], value: Any, fact: Fact, line: cst.SimpleStatementLine,
          init: list[Any]) -> None:
    """`dense = Dense(10)`: the variable names the attribute."""
    em = split.em
    name = targets[0].value if isinstance(targets[0], cst.Name) else ""
    if isinstance(value, cst.Name | cst.Subscript | cst.Attribute):
        if name and isinstance(value, cst.Name):
            split.held[name] = split.read(value.value) if value.value in split.held else value.value
            return
        raise Refused("P206", "a layer is taken from somewhere else", value)
    payload = fact.payload
    old, em.scope = em.scope, split.scope("init")
    try:
        if isinstance(payload, LayerCall):
            made = plan(em, payload, first_input(payload))
            if not made.module:
                made_text = f"FUNC_{len(split.held)}"
                split.held[name] = made_text
                return
            ctor = made.ctor()
        else:
            ctor = em.expr(value)
    finally:
        em.scope = old
    text = split.keep(value, ctor, name or "layer", bool(name))
    split.held[name] = code(text)
    _take(split, init)
    if line.leading_lines and init and isinstance(init[-1], Making):
        init[-1].lines = line.leading_lines  # type: ignore[attr-defined]


def _hold_list(split: Split, targets: list[Any], value: Any, fact: Fact, line: cst.SimpleStatementLine,
               init: list[Any]) -> None:
    name = targets[0].value if isinstance(targets[0], cst.Name) else "layers"
    new = split.init(value)
    split.em.need("nn")
    text = split.keep(value, build("nn.ModuleList({x})", x=new), name, True)
    split.held[name] = code(text)
    _take(split, init)


def _expr(split: Split, small: cst.Expr, line: cst.SimpleStatementLine, init: list[Any], forward: Statements) -> None:
    value = small.value
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value in (
            "append", "extend") and isinstance(value.func.value, cst.Name) and value.args:
        fact = split.em.fact(value.args[0].value)
        if has_tensor(fact):
            forward.append(line.with_changes(body=[split.forward(small)]))
            _take(split, init)
            name = value.func.value.value
            facts = users.tensors_in(fact)
            size = facts[0].shape[-1] if facts and facts[0].shape else None
            if size is not None and value.func.attr.value == "append":
                init.append(statement(f"{name}_channels.append({size})"))
            return
        if fact.kind is Kind.LAYER:
            raise Refused("P206", "layers collected in a list outside a class", value)
    if touches_tensor(split, value):
        forward.append(line.with_changes(body=[split.forward(small)]))
        _take(split, init)
        return
    init.append(line.with_changes(body=[split.init(small)]))


def _return(split: Split, small: cst.Return, line: cst.SimpleStatementLine, init: list[Any],
            forward: Statements) -> None:
    em = split.em
    if small.value is None:
        forward.append(line)
        return
    fact = em.fact(small.value)
    owner = split.result_of or split.function
    result = owner.result if owner is not None else None
    new = returned(split, small.value, fact, result)
    _take(split, init)
    forward.append(line.with_changes(body=[small.with_changes(value=new)]))
    if owner is not None and owner in em.it.wants_out:
        sizes = _out_sizes(fact)
        if sizes is not None:
            init.append(statement(f"self.out_channels = {sizes}"))


def _out_sizes(fact: Fact) -> str | None:
    if fact.kind is Kind.TENSOR:
        return str(fact.shape[-1]) if fact.shape and fact.shape[-1] is not None else None
    if isinstance(fact.payload, Items):
        parts = [_out_sizes(e) for e in fact.payload.elements]
        return f"({', '.join(p or 'None' for p in parts)},)"
    return None


def returned(split: Split, node: cst.BaseExpression, fact: Fact, result: Fact | None) -> cst.BaseExpression:
    """A returned value: as the source has it at a public boundary, else in the layout that callers expect."""
    if isinstance(node, cst.List | cst.Tuple) and isinstance(fact.payload, Items):
        elements = []
        for i, e in enumerate(node.elements):
            inner = fact.payload.elements[i] if i < len(fact.payload.elements) else UNKNOWN
            wanted = result.payload.elements[i] if result is not None and isinstance(
                result.payload, Items) and i < len(result.payload.elements) else None
            elements.append(e.with_changes(value=returned(split, e.value, inner, wanted)))
        return node.with_changes(elements=elements)
    if isinstance(node, cst.Dict):
        return node.with_changes(elements=[e.with_changes(value=returned(
            split, e.value, split.em.fact(e.value), None)) for e in node.elements])
    if fact.kind is not Kind.TENSOR:
        return split.forward(node)
    if split.boundary:
        return split.forward(node, Layout.PLAIN)
    return split.forward(node, result.layout if result is not None and result.kind is Kind.TENSOR else None)


def _if(split: Split, node: cst.If, rest: list[cst.CSTNode], init: list[Any],
        forward: Statements) -> bool | None:
    """None: go on with the next statement; else the rest was handled here."""
    known = split.em.fact(node).literal(...)
    if known is not ...:
        taken = node.body if known else node.orelse
        if taken is None:
            return None
        if isinstance(taken, cst.If):
            return _if(split, taken, rest, init, forward)
        inner = taken.body.body if isinstance(taken, cst.Else) else taken.body
        a, b, ended = block(split, inner)
        _lead(node, a, b)
        init += a
        forward += b
        return True if ended else None
    split.em.check_layouts(node)
    tensor_test = touches_tensor(split, node.test)
    _mirrors(split, node, init)
    if tensor_test:
        raise Refused("P206", "a condition on the values of tensors among layers", node)
    frame = split.frames[-1]
    frame.depth += 1
    before = set(split.settings)
    held = dict(split.held)
    a, b, ended = _branch(split, node.body.body, node.body)
    after = set(split.settings)
    split.settings = set(before)
    orelse_init: list[Any] = []
    orelse_forward: Statements = []
    ended_other = False
    if node.orelse is not None:
        if isinstance(node.orelse, cst.If):
            got = _if(split, node.orelse, [], orelse_init, orelse_forward)
            ended_other = bool(got)
            for name, dim in split.em.it.after.get(node.orelse, {}).items():
                _mirror(split, name, dim, orelse_init)
        else:
            orelse_init, orelse_forward, ended_other = _branch(split, node.orelse.body.body, node.orelse.body)
    if node.orelse is None:
        orelse_forward += relayouts(split.em, ("else", node))
    rest_used = ended and node.orelse is None and bool(rest)
    if rest_used:  # `if cond: return ...`: what follows is the else branch of __init__
        orelse_init, orelse_forward, ended_other = block(split, rest)
    split.settings |= after
    split.held |= held
    frame.depth -= 1
    if a or orelse_init:
        test = split.init(node.test)
        init.append(_make_if(node, test, a, orelse_init, keep_lines=not (b or orelse_forward)))
    if b or (orelse_forward and not rest_used):
        test = split.forward(node.test)
        forward.append(_make_if(node, test, b, [] if rest_used else orelse_forward, keep_lines=True))
    if rest_used:
        forward += orelse_forward
        return ended_other
    return True if ended and ended_other else None


def _branch(split: Split, body: Sequence[cst.CSTNode], key: cst.CSTNode) -> tuple[list[Any], Statements, bool]:
    try:
        a, b, ended = block(split, body)
    except Refused as refusal:
        split.pending = []
        split.em.report(refusal.code, refusal.message, refusal.node or body[0])
        message = refusal.message.replace("'", '"')
        stop = cst.parse_statement(f"raise NotImplementedError('not ported: {message}')")
        comment = cst.EmptyLine(comment=cst.Comment(f"# port: {refusal.code} {refusal.message}"))
        return [stop.with_changes(leading_lines=[comment])], [], True
    for name, dim in split.em.it.after.get(key, {}).items():
        _mirror(split, name, dim, a)
    b += relayouts(split.em, key)
    return a, b, ended


def relayouts(em: Emitter, place: Any) -> Statements:
    """Permutes where paths of different layouts meet."""
    from port.tf2torch.rules.functional import permute_line

    return [permute_line(name, name, rank) for name, rank in em.it.relayout.get(place, {}).items()]


def _lead(node: cst.If, init: list[Any], forward: Statements) -> None:
    """Comments above an `if` that was decided go with what is left of it."""
    if not any(line.comment is not None for line in node.leading_lines):
        lines = [ln for ln in node.leading_lines if ln.comment is None][:1]
        if lines and forward and not forward[0].leading_lines:  # type: ignore[attr-defined]
            forward[0] = forward[0].with_changes(leading_lines=lines)
        return
    for target in (forward, init):
        if target and not isinstance(target[0], Making) and hasattr(target[0], "leading_lines"):
            target[0] = target[0].with_changes(leading_lines=[*node.leading_lines, *target[0].leading_lines])
            return


def _make_if(node: cst.If, test: cst.BaseExpression, body: list[Any], orelse: list[Any], keep_lines: bool) -> Any:
    return Branch(node, test, body, orelse, list(node.leading_lines) if keep_lines else _blank(node))


def _blank(node: Any) -> list[cst.EmptyLine]:
    return [line for line in node.leading_lines if line.comment is None][:1]


@dataclass(eq=False)
class Branch:
    """An `if` that may still hold Making statements."""

    node: cst.If
    test: cst.BaseExpression
    body: list[Any]
    orelse: list[Any]
    leading_lines: list[cst.EmptyLine]

    def with_changes(self, leading_lines: list[cst.EmptyLine]) -> Branch:
        return Branch(self.node, self.test, self.body, self.orelse, list(leading_lines))


def _nested(split: Split, node: cst.FunctionDef, init: list[Any]) -> None:
    """A function defined among layers: a helper on settings, or a builder."""
    function = split.em.it.functions.get(node)
    if function is not None and function.stateful:
        spec = split.em.classes[function](function)
        init.append(spec.definition)
    elif function is not None and any(has_tensor(r) for r in function.returns):
        raise Refused("P206", f"`{node.name.value}` works on tensors and is defined among layers; define it outside",
                      node)
    else:
        init.append(split.init(node))
    split.settings.add(node.name.value)


# ---------------------------------------------------------------- loops
@dataclass(eq=False)
class LoopInit:
    """A loop of `__init__`, until the names of its modules are known."""

    node: Any
    frame: Frame
    header: Any
    body: list[Any]
    mirrors: list[Any]
    leading_lines: list[cst.EmptyLine]
    inner: bool  # inside another loop

    def with_changes(self, leading_lines: list[cst.EmptyLine]) -> LoopInit:
        self.leading_lines = list(leading_lines)
        return self


@dataclass(eq=False)
class LoopForward:
    node: Any
    frame: Frame
    target: cst.BaseExpression | None
    iterable: cst.BaseExpression | None
    body: list[Any]
    leading_lines: list[cst.EmptyLine]
    settings: list[Any]

    def with_changes(self, leading_lines: list[cst.EmptyLine]) -> LoopForward:
        self.leading_lines = list(leading_lines)
        return self


def _loop(split: Split, node: Any, init: list[Any], forward: Statements) -> None:
    split.em.check_layouts(node)
    if isinstance(node, cst.While):
        if touches_tensor(split, node):
            raise Refused("P206", "a while loop among layers", node)
        init.append(split.init(node))
        return
    em = split.em
    if not any(touches_tensor(split, s) or _makes_layers(split, s) for s in node.body.body):
        init.append(split.init(node))
        split.settings |= names_of(node.target) | {n for s in walk(node.body) if isinstance(s, cst.Assign)
                                                   for t in s.targets for n in names_of(t.target)}
        return
    split.count += 1
    frame = Frame(node, key=f"LIST_{split.count}_", conditional=split.frames[-1].depth > 0)
    split.frames[-1].modules.append(frame)
    tensor_names = {n for n, f in _loop_facts(em, node.target) if has_tensor(f)}
    split.frames.append(frame)
    split.loop_names.append(names_of(node.target) - tensor_names)
    body_init, body_forward, _ = block(split, node.body.body)
    settings = split.loop_names.pop()
    split.frames.pop()
    mirrors: list[Any] = []
    for name, dim in em.it.after.get(node.body, {}).items():
        _mirror(split, name, dim, mirrors)
    split.settings |= settings
    header = (_count_target(em, node.target), split.init(_count_header(split, node)))
    body_forward += relayouts(em, node.body)
    forward += relayouts(em, ("before", node))
    lines = list(node.leading_lines)
    has_modules = bool(frame.modules)
    init.append(LoopInit(node, frame, header, body_init, mirrors, _blank(node) if body_forward else lines,
                         len(split.frames) > 1))
    if not has_modules and not mirrors and not body_init:
        init.pop()
    if body_forward:
        target, iterable = _forward_header(split, node, frame, tensor_names)
        forward.append(LoopForward(node, frame, target, iterable, body_forward, lines, body_init))  # type: ignore


def _makes_layers(split: Split, node: cst.CSTNode) -> bool:
    return any(isinstance(n, cst.Call) and (n in split.em.it.layers) for n in walk(node))


def _loop_facts(em: Emitter, target: cst.BaseExpression) -> list[tuple[str, Fact]]:
    if isinstance(target, cst.Name):
        return [(target.value, em.fact(target))]
    if isinstance(target, cst.Tuple | cst.List):
        return [p for e in target.elements for p in _loop_facts(em, e.value)]
    return []


def _count_target(em: Emitter, target: cst.BaseExpression) -> cst.BaseExpression:
    """Loop variables that are tensors become their counts."""
    if isinstance(target, cst.Name):
        return cst.Name(f"{target.value}_channels") if has_tensor(em.fact(target)) else target
    if isinstance(target, cst.Tuple | cst.List):
        return target.with_changes(elements=[e.with_changes(value=_count_target(em, e.value))
                                             for e in target.elements])
    return target


def _count_header(split: Split, node: cst.For) -> cst.BaseExpression:
    """The iterable with lists of tensors replaced by the lists of their counts."""
    def change(n: cst.CSTNode) -> cst.CSTNode:
        if isinstance(n, cst.Name) and has_tensor(split.em.fact(n)):
            return cst.Name(f"{n.value}_channels")
        return rebuild(n, change)

    return change(node.iter)  # type: ignore[return-value]


def _forward_header(split: Split, node: cst.For, frame: Frame, tensor_names: set[str]) -> tuple[Any, Any]:
    """(target, iterable) without the modules; (None, None) if forward needs neither settings nor tensors."""
    if frame.used or not frame.modules:
        frame.used |= names_of(node.target) & frame.used
        return node.target, split.forward(node.iter)
    if not tensor_names:
        return None, None
    if isinstance(node.iter, cst.Call) and isinstance(node.iter.func, cst.Name) and node.iter.func.value == "zip" and (
            isinstance(node.target, cst.Tuple)):
        keep = [(e.value, a.value) for e, a in zip(node.target.elements, node.iter.args, strict=False)
                if names_of(e.value) & tensor_names]
        if len(keep) == 1:
            return keep[0][0], split.forward(keep[0][1])
    return node.target, split.forward(node.iter)


__all__ = ["Class", "GraphModel", "SequentialModel", "Split", "named", "singular"]
