"""State and parts of a body that is split by binding time into `__init__` and `forward`.

Names of attributes and sizes that depend on them are placeholders until the whole body is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import libcst as cst

from port.build import expression
from port.facts import Kind, Layout
from port.tf2torch.calls.foreign import sides
from port.tf2torch.calls.making import Plan
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Function, Size, has_tensor
from port.tf2torch.rules.constructors import user_module
from port.tf2torch.rules.naming import literal_name
from port.tf2torch.rules.turns import repeated
from port.tree import EXPRESSIONS, children, find, memo, named

Statements = list[cst.BaseStatement]
Made = TypeVar("Made")


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
    computed: dict[str, Any] = field(default_factory=dict)  # settings of a turn: the line that computes each, or None
    repeats: dict[str, Any] = field(default_factory=dict)  # ... as forward computes those that it reads


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
    loop_names: list[set[str]] = field(default_factory=list)
    boundary: bool = False
    given: set[str] = field(default_factory=set)  # settings that come from outside
    both: frozenset[str] = frozenset()  # settings that forward computes as `__init__` does, wherever they are set
    again: dict[str, Refused] = field(default_factory=dict)  # settings that would have to be: why
    models: dict[str, str] = field(default_factory=dict)
    result_of: Function | None = None  # curried builders: the inner function, whose result is returned
    refused: list[Refused] = field(default_factory=list)  # of branches that were left out
    globals_: bool = False  # a module-level graph: settings are globals and need no self

    @cached_property
    def repeated(self) -> frozenset[cst.CSTNode]:
        return repeated(self.function.node if self.function is not None else self.em.it.file.module)

    @cached_property
    def optional(self) -> frozenset[str]:
        """Variables that hold a tensor or None, where they are read."""
        root = self.em.it.module if self.function is None else self.function.node
        facts = ((n.value, self.em.fact(n)) for n in find(root, cst.Name))
        return frozenset(n for n, fact in facts if fact.kind is Kind.TENSOR and fact.symbol == "?")

    @cached_property
    def uncertain(self) -> frozenset[str]:
        """Variables of which a line asks whether they hold a layer, and those that hold a function as well."""
        root = self.em.it.module if self.function is None else self.function.node
        other = {t.target.value for a in find(root, cst.Assign) for t in a.targets if isinstance(t.target, cst.Name)
                 and any(self.em.fact(v).kind is Kind.FUNCTION for v in sides(a.value))}
        return asked(root) | other

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
        if name in self.both:
            return name
        for frame, names in zip(reversed(self.frames), reversed([set(), *self.loop_names]), strict=False):
            if name in names:
                self._repeat(frame, name)
                return name
        self.stored.setdefault(name, name)
        return f"self.{name}"

    def _repeat(self, frame: Frame, name: str) -> None:
        """Each turn of forward computes the setting as `__init__` does."""
        if name in frame.used:
            return
        frame.used.add(name)
        if name not in frame.computed:
            return  # of the header
        line = frame.computed[name]
        if line is None or name in named(line.body[0].value):
            raise self.unsettled(name, f"the loop computes `{name}` from settings in a way forward cannot repeat",
                                 frame.node)
        small = line.body[0]
        frame.repeats[name] = line.with_changes(body=[small.with_changes(value=self.forward(small.value))])

    def changes(self, name: str, node: Any) -> Refused:
        return self.unsettled(name, f"the setting `{name}` changes between two uses", node)

    def unsettled(self, name: str, message: str, node: Any) -> Refused:
        """One value of the setting does not do for all of forward: it may compute the setting itself."""
        refusal = Refused("P206", message, node)
        if self.function is not None and name not in self.given:
            self.again[name] = refusal
        return refusal

    def compute(self, names: set[str], line: cst.SimpleStatementLine) -> None:
        """A setting of a turn; one that gets several values, or only on a condition, cannot be repeated."""
        frame, small = self.frames[-1], line.body[0]
        if early := names & frame.used:
            raise self.changes(min(early), small)
        alone = frame.depth == 0 and isinstance(small, cst.Assign) and all(
            isinstance(t.target, cst.Name) for t in small.targets)
        for name in names:
            frame.computed[name] = line if alone and name not in frame.computed else None

    # ------------------------------------------------------------ stages
    def scope(self, stage: str) -> Scope:
        return Scope(stage=stage, function=self.function, names=Settings(self) if stage == "forward" else {},
                     on_module=self.on_module, sizes=str, build=lambda: self.scope("init"))

    def in_stage(self, stage: str, node: Any, want: Layout | None = None) -> Any:
        old, self.em.scope = self.em.scope, self.scope(stage)
        try:
            return self.em.expr(node, want) if type(node) in EXPRESSIONS else self.em._expr(node)
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
        if node in self.repeated:
            raise Refused("P206", "a layer is made at each turn of a comprehension, or by a lambda; write a loop, or a "
                          "function", node)
        old, self.em.scope = self.em.scope, self.scope("init")
        try:
            if isinstance(payload, Plan):
                ctor, base = payload.ctor(), payload.attr
                name = literal_name(self.em, node)
            else:
                ctor, base, name = user_module(self.em, node, payload)
        finally:
            self.em.scope = old
        return self.keep(node, ctor, name or base, bool(name))

    def keep(self, node: cst.Call, ctor: cst.BaseExpression, base: str, exact: bool) -> cst.BaseExpression:
        self.count += 1
        key = f"ATTR_{self.count}_"
        frame = self.frames[-1]
        if exact and frame.depth and base in self.uncertain:
            raise Refused("P206", f"`{base}` holds a layer or something else, by a setting", node)
        module = Module(key, ctor, base, exact, conditional=frame.depth > 0, out=self.em.it.outs.get(node))
        frame.modules.append(module)
        top = len(self.frames) == 1
        text = f"self.{key}" if top else key
        if module.out is not None:
            self.out_of[module.out] = text
        self.pending.append(Making(module, top))  # type: ignore[arg-type]
        self.made[node] = text
        return expression(text)


@memo
def asked(root: cst.CSTNode) -> frozenset[str]:
    """Variables that a condition asks for: `if norm`, `norm is not None`."""
    tests = [*(n.test for n in find(root, cst.If)), *(n.test for n in find(root, cst.IfExp)),
             *(n.test for n in find(root, cst.While)),
             *(side for n in find(root, cst.BooleanOperation) for side in (n.left, n.right)),
             *(n.expression for n in find(root, cst.UnaryOperation)), *(n.left for n in find(root, cst.Comparison))]
    return frozenset(n.value for n in tests if isinstance(n, cst.Name))


def settled(em: Emitter, made: Callable[[Split], Made], split: Callable[[frozenset[str]], Split]) -> Made:
    """What is made of a split; of another one where forward must compute settings too."""
    both: frozenset[str] = frozenset()
    while True:
        one, told = split(both), len(em.reports)
        try:
            return made(one)
        except Refused:
            if one.again.keys() <= both:
                raise
        left = {r.message for r in one.again.values()}
        em.reports[told:] = [r for r in em.reports[told:] if r[2] not in left]
        both |= one.again.keys()


@dataclass(eq=False)
class Making:
    """Stands among statements of `__init__` for `self.attr = ctor`."""

    module: Module
    top: bool
    lines: list[cst.EmptyLine] = field(default_factory=list)  # above it


def touches_tensor(split: Split, node: cst.CSTNode) -> bool:
    """Does evaluating this need a tensor (and not only its size)?"""
    em = split.em
    fact = em.fact(node)
    if isinstance(fact.payload, Size):
        return False
    if type(node) in EXPRESSIONS and has_tensor(fact):
        return True
    if type(node) is cst.Call and node in em.it.applications and fact.kind not in (Kind.LAYER, Kind.MODEL):
        callee = em.it.applications[node][0].payload
        if not isinstance(callee, Function) or any(has_tensor(f) for f in em.it.applications[node][1]):
            return True
    if type(node) is cst.Comparison and any(isinstance(c.operator, cst.Is | cst.IsNot) for c in node.comparisons):
        return any(touches_tensor(split, c) for c in (node.left,) if isinstance(c, cst.Call))
    if type(node) is cst.Lambda:
        return False
    return any(touches_tensor(split, c) for c in children(node))




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

    def with_changes(self, leading_lines: list[cst.EmptyLine]) -> LoopForward:
        self.leading_lines = list(leading_lines)
        return self
