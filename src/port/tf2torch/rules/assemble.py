"""From the two statement lists of a split to the text of a class: names, loops, and only what is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.tf2torch.emit import Refused
from port.tf2torch.rules.modules import Branch, Frame, LoopForward, LoopInit, Making, Module, Split, names_of
from port.tree import code, rebuild, walk


@dataclass
class Names:
    """Final expressions for the placeholders, in `__init__` and in `forward`."""

    init: dict[str, cst.BaseExpression] = field(default_factory=dict)
    forward: dict[str, cst.BaseExpression] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)  # frame key -> name of its list


def plural(name: str) -> str:
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    return name[:-1] + "ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else name + "s"


def kind_of(frame: Frame) -> str:
    """'one' module per turn, 'several' always the same, or a 'dict' where some are conditional."""
    if any(m.conditional for m in frame.modules):
        return "dict"
    return "one" if len(frame.modules) == 1 and isinstance(frame.modules[0], Module) else "several"


def assign_names(split: Split, forward: list[Any], taken: set[str]) -> Names:
    names = Names()
    flat = flattened(split.frames[0], forward)
    _name_frame(split.frames[0], names, top=True, taken=taken, flat=flat)
    return names


def flattened(frame: Frame, forward: list[Any]) -> set[int]:
    """Loops that only hold another loop, and do nothing else in forward: one list for both."""
    found: set[int] = set()
    for item in forward:
        if isinstance(item, LoopForward):
            found |= flattened(item.frame, item.body)
            if len(item.body) == 1 and isinstance(item.body[0], LoopForward) and item.iterable is None and len(
                    item.frame.modules) == 1 and item.frame.modules[0] is item.body[0].frame and (
                    item.body[0].iterable is None):
                found.add(id(item.frame))
        elif isinstance(item, Branch):
            found |= flattened(frame, item.body) | flattened(frame, item.orelse)
    return found


def _name_frame(frame: Frame, names: Names, top: bool, taken: set[str], flat: set[int]) -> None:
    wanted: list[tuple[Any, str]] = []
    for m in frame.modules:
        if isinstance(m, Module):
            wanted.append((m, m.base))
        elif m.modules:
            wanted.append((m, _list_base(m, flat)))
    counts: dict[str, int] = {}
    for _, base in wanted:
        counts[base] = counts.get(base, 0) + 1
    given: dict[str, int] = {}
    used = set(taken)
    for m, base in wanted:
        name = base
        if counts[base] > 1:
            given[base] = given.get(base, 0) + 1
            name = f"{base}{given[base]}"
        while name in used:
            name += "_"
        used.add(name)
        if isinstance(m, Module):
            m.final = name
            names.init[m.key] = names.forward[m.key] = cst.Name(name)
        else:
            names.lists[m.key] = name
            _name_loop(m, names, flat, container=f"self.{name}" if top else name)


def _list_base(frame: Frame, flat: set[int]) -> str:
    inner = frame
    while id(inner) in flat:
        inner = inner.modules[0]
    if kind_of(inner) == "one":
        return plural(inner.modules[0].base)
    return "blocks"


def _name_loop(frame: Frame, names: Names, flat: set[int], container: str) -> None:
    if id(frame) in flat:
        names.lists[frame.modules[0].key] = names.lists[frame.key]
        _name_loop(frame.modules[0], names, flat, container)
        return
    _name_frame(frame, names, top=False, taken=set(), flat=flat)
    kind = kind_of(frame)
    for m in frame.modules:
        if kind == "one":
            names.init[m.key] = expression(f"{container}[-1]")
        elif kind == "dict":
            key = m.final if isinstance(m, Module) else names.lists.get(m.key, "blocks")
            text = f"block['{key}']"
            names.init[m.key] = names.forward[m.key] = expression(text)
            if isinstance(m, Frame):
                names.lists[m.key] = text


# ---------------------------------------------------------------- placeholders
def resolve(tree: Any, mapping: dict[str, cst.BaseExpression], outs: dict[str, str]) -> Any:
    """The tree with ATTR_ and OUT_ placeholders replaced."""
    if isinstance(tree, cst.Name):
        if tree.value.startswith("ATTR_"):
            return mapping.get(tree.value, tree)
        if tree.value.startswith("OUT_"):
            return resolve(expression(f"{outs[tree.value]}.out_channels"), mapping, outs)
        return tree
    return rebuild(tree, lambda child: resolve(child, mapping, outs))


class Writer:
    """Compiles the intermediate statements."""

    def __init__(self, split: Split, names: Names, flat: set[int]):
        self.split, self.names, self.flat = split, names, flat
        self.outs = {f"OUT_{n}_": text for n, text in split.out_of.items()}

    def at(self, tree: Any, stage: str) -> Any:
        mapping = self.names.init if stage == "init" else self.names.forward
        try:
            return resolve(tree, mapping, self.outs)
        except KeyError as error:
            raise Refused("P208", "the size of a module's output is not known when the model is built",
                          None) from error

    # ------------------------------------------------------------ __init__
    def init(self, items: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for item in items:
            if isinstance(item, Making):
                out += self.making(item, frame)
            elif isinstance(item, Branch):
                body, orelse = self.init(item.body, frame), self.init(item.orelse, frame)
                out += self.branch(item, body, orelse, "init")
            elif isinstance(item, LoopInit):
                out += self.loop_init(item, frame)
            else:
                out.append(self.at(item, "init"))
        return out

    def making(self, item: Making, frame: Frame) -> list[Any]:
        ctor = self.at(item.module.ctor, "init")
        lines = getattr(item, "lines", [])
        if item.top:
            made = build_assign(f"self.{item.module.final}", ctor)
        elif kind_of(frame) == "one":
            made = cst.SimpleStatementLine([cst.Expr(build(f"{self.container(frame)}.append({{m}})", m=ctor))])
        elif kind_of(frame) == "dict":
            made = build_assign(code(self.names.init[item.module.key]), ctor)
        else:
            made = build_assign(item.module.final, ctor)
        return [made.with_changes(leading_lines=lines)]

    def container(self, frame: Frame) -> str:
        name = self.names.lists[frame.key]
        return f"self.{name}" if self.is_top(frame) and not name.startswith("block[") else name

    def is_top(self, frame: Frame) -> bool:
        outer = self.outer_of(frame, self.split.frames[0])
        while outer is not None and id(outer) in self.flat:
            outer = self.outer_of(outer, self.split.frames[0])
        return outer is self.split.frames[0]

    def outer_of(self, frame: Frame, root: Frame) -> Frame | None:
        for m in root.modules:
            if m is frame:
                return root
            if isinstance(m, Frame):
                found = self.outer_of(frame, m)
                if found is not None:
                    return found
        return None

    def branch(self, item: Branch, body: list[Any], orelse: list[Any], stage: str) -> list[Any]:
        if not body and not orelse:
            return []
        test = self.at(item.test, stage)
        if not body:
            test = build("not {t}", t=test) if not isinstance(test, cst.Comparison | cst.BooleanOperation) else (
                build("not ({t})", t=test))
            test = negate(item.test) or test
            body, orelse = orelse, []
        last: Any = None
        if len(orelse) == 1 and isinstance(orelse[0], cst.If):
            last = orelse[0].with_changes(leading_lines=[])
        elif orelse:
            last = cst.Else(cst.IndentedBlock(orelse))
        made = cst.If(test, cst.IndentedBlock(body), last, leading_lines=item.leading_lines,
                      whitespace_before_test=cst.SimpleWhitespace(" "))
        return [made]

    def loop_init(self, item: LoopInit, outer: Frame) -> list[Any]:
        frame = item.frame
        body = self.init(item.body, frame)
        before: list[Any] = []
        flat_inner = id(outer) in self.flat and frame in outer.modules
        if frame.modules and id(frame) not in self.flat:
            kind = kind_of(frame)
            if kind == "several":
                body = self.several(frame, body)
            elif kind == "dict":
                body = [statement("block = nn.ModuleDict()"), *body,
                        statement(f"{self.container(frame)}.append(block)")]
        if frame.modules and not flat_inner:
            before.append(statement(f"{self.container(frame)} = nn.ModuleList()"))
            self.split.em.need("nn")
        body += [self.at(m, "init") for m in item.mirrors]
        if not body:
            return before
        target, iterable = item.header
        made = cst.For(target, self.at(iterable, "init"), cst.IndentedBlock(body), leading_lines=item.leading_lines)
        if before and item.leading_lines and item.leading_lines[0].comment is None:
            before[0] = before[0].with_changes(leading_lines=item.leading_lines[:1])
            made = made.with_changes(leading_lines=item.leading_lines[1:])
        return [*before, made]

    def several(self, frame: Frame, body: list[Any]) -> list[Any]:
        """One inner ModuleList per turn: written at once if nothing stands between its modules."""
        finals = [m.final if isinstance(m, Module) else self.names.lists[m.key] for m in frame.modules]
        makings = [i for i, s in enumerate(body) if _target_name(s) in finals]
        alone = all(isinstance(m, Module) for m in frame.modules)
        used = {n.value for s in body for n in walk(s) if isinstance(n, cst.Name)}
        texts = [code(body[i]) for i in makings]
        refers = any(f"{f}." in t for f in finals for t in texts) or bool(
            {f for f in finals if any(f in {n.value for n in walk(body[j]) if isinstance(n, cst.Name)}
                                      for j in range(len(body)) if j not in makings)})
        del used
        together = makings == list(range(makings[0], makings[0] + len(makings))) if makings else False
        if alone and together and not refers:
            elements = [cst.Element(_value(body[i]), comma=cst.Comma(
                whitespace_after=cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))))
                for i in makings]
            elements[-1] = elements[-1].with_changes(comma=cst.Comma(
                whitespace_after=cst.ParenthesizedWhitespace(indent=True)))
            listed = cst.List(elements, lbracket=cst.LeftSquareBracket(cst.ParenthesizedWhitespace(
                indent=True, last_line=cst.SimpleWhitespace("    "))))
            call = build(f"{self.container(frame)}.append(nn.ModuleList({{l}}))", l=listed)
            line = cst.SimpleStatementLine([cst.Expr(call)], leading_lines=body[makings[0]].leading_lines)
            return [*body[:makings[0]], line, *body[makings[-1] + 1:]]
        return [*body, statement(f"{self.container(frame)}.append(nn.ModuleList([{', '.join(finals)}]))")]

    # ------------------------------------------------------------ forward
    def forward(self, items: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for item in items:
            if isinstance(item, Branch):
                body, orelse = self.forward(item.body, frame), self.forward(item.orelse, frame)
                out += self.branch(item, body, orelse, "forward")
            elif isinstance(item, LoopForward):
                out += self.loop_forward(item)
            else:
                out.append(self.at(item, "forward"))
        return out

    def loop_forward(self, item: LoopForward) -> list[Any]:
        frame = item.frame
        if id(frame) in self.flat:
            inner = item.body[0]
            inner.leading_lines = [*item.leading_lines, *[ln for ln in inner.leading_lines if ln.comment is not None]]
            return self.loop_forward(inner)
        body = [*self.used_settings(item), *self.forward(item.body, frame)]
        target, iterable = item.target, item.iterable
        if frame.modules:
            mine: cst.BaseExpression = expression(self.unpacked(frame))
            source = expression(self.container(frame))
            if iterable is None:
                target, iterable = mine, source
            else:
                assert target is not None
                target = cst.Tuple([cst.Element(_bracket(target)), cst.Element(_bracket(mine))], lpar=[], rpar=[])
                iterable = build("zip({a}, {b})", a=self.at(iterable, "forward"), b=source)
        else:
            iterable = self.at(iterable, "forward")
        if isinstance(target, cst.Tuple):
            target = target.with_changes(lpar=[], rpar=[])
        return [cst.For(target, iterable, cst.IndentedBlock(body), leading_lines=item.leading_lines)]

    def used_settings(self, item: LoopForward) -> list[Any]:
        """Settings of a turn that forward reads and that the header does not bind."""
        wanted = set(item.frame.used) - names_of(item.node.target)
        kept: list[Any] = []
        for s in reversed(item.settings):
            if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign):
                bound = {n for t in s.body[0].targets for n in names_of(t.target)}
                if bound & wanted:
                    from port.tree import named

                    wanted |= named(s.body[0].value)
                    kept.insert(0, s)
        for name in wanted & self.split.settings:
            if any(name in {n.value for n in walk(s) if isinstance(n, cst.Name)} for s in kept):
                raise Refused("P206", f"the loop computes `{name}` from settings in a way forward cannot repeat",
                              item.node)
        return kept

    def unpacked(self, frame: Frame) -> str:
        kind = kind_of(frame)
        if kind == "dict":
            return "block"
        finals = [m.final if isinstance(m, Module) else self.names.lists[m.key] for m in frame.modules
                  if isinstance(m, Module) or m.modules]
        return ", ".join(finals)


def _bracket(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.Tuple) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node


def negate(test: cst.BaseExpression) -> cst.BaseExpression | None:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        swap: dict[type, Any] = {cst.Is: cst.IsNot(), cst.IsNot: cst.Is(), cst.Equal: cst.NotEqual(),
                                 cst.NotEqual: cst.Equal()}
        operator = swap.get(type(test.comparisons[0].operator))
        if operator is not None:
            return test.with_changes(comparisons=[test.comparisons[0].with_changes(operator=operator)])
    return None


def build_assign(target: str, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(expression(target))], value)])  # type: ignore


def _target_name(s: Any) -> str:
    if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign):
        t = s.body[0].targets[0].target
        return t.value if isinstance(t, cst.Name) else ""
    return ""


def _value(s: Any) -> cst.BaseExpression:
    return s.body[0].value


# ---------------------------------------------------------------- only what is needed
_PURE = {"str", "int", "float", "len", "max", "min", "abs", "round", "list", "tuple", "sum", "chr", "range", "zip",
         "enumerate", "reversed", "format", "sorted", "dict", "bool", "isinstance", "getattr"}


def pure(node: cst.CSTNode) -> bool:
    """Can this be left out if its value is not used?"""
    for n in walk(node):
        if isinstance(n, cst.Call):
            name = n.func.value if isinstance(n.func, cst.Name) else (
                n.func.attr.value if isinstance(n.func, cst.Attribute) else "")
            if name not in _PURE:
                return False
        if isinstance(n, cst.Yield | cst.Await | cst.NamedExpr):
            return False
    return True


def prune(body: list[Any], keep: set[str]) -> list[Any]:
    """Without assignments that nothing reads, and without branches and loops that became empty."""
    while True:
        used = keep | _loads(body)
        smaller = _prune_once(body, used)
        if smaller is None:
            smaller = _without_idle(body, keep)
        if smaller is None:
            return body
        body = smaller


def _without_idle(body: list[Any], keep: set[str]) -> list[Any] | None:
    """Without an `if` that only changes a variable which nothing but itself reads (`if name is None: name = ...`)."""
    for i, s in enumerate(body):
        if not isinstance(s, cst.If) or s.orelse is not None or not pure(s.test):
            continue
        names = [_candidate(x) if isinstance(x, cst.SimpleStatementLine) else None for x in s.body.body]
        others = body[:i] + body[i + 1:]
        if None not in names and not set(names) & (keep | _loads(others)):
            return others
    return None


def _loads(body: list[Any]) -> set[str]:
    found: set[str] = set()
    for s in body:
        if isinstance(s, cst.SimpleStatementLine):
            small = s.body[0]
            own = _candidate(s)
            if own is not None:
                found |= {n.value for n in walk(small.value) if isinstance(n, cst.Name)} - {own}
            elif isinstance(small, cst.Assign):
                found |= {n.value for n in walk(small.value) if isinstance(n, cst.Name)}
                for t in small.targets:
                    if not isinstance(t.target, cst.Name):
                        found |= {n.value for n in walk(t.target) if isinstance(n, cst.Name)} - names_of(t.target)
            elif (grown := _grows(s)) is not None:
                found |= {n.value for n in walk(small) if isinstance(n, cst.Name)} - {grown}
            else:
                found |= {n.value for n in walk(small) if isinstance(n, cst.Name)}
        elif isinstance(s, cst.If):
            found |= {n.value for n in walk(s.test) if isinstance(n, cst.Name)}
            found |= _loads(list(s.body.body))
            if s.orelse is not None:
                found |= _loads([s.orelse] if isinstance(s.orelse, cst.If) else list(s.orelse.body.body))
        elif isinstance(s, cst.For):
            found |= {n.value for n in walk(s.iter) if isinstance(n, cst.Name)} | _loads(list(s.body.body))
        else:
            found |= {n.value for n in walk(s) if isinstance(n, cst.Name)}
    return found


def _grows(s: cst.SimpleStatementLine) -> str | None:
    """`skips_channels.append(...)`: of no use if the list is not read."""
    small = s.body[0]
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and isinstance(
            small.value.func, cst.Attribute) and small.value.func.attr.value == "append" and isinstance(
            small.value.func.value, cst.Name) and small.value.func.value.value.endswith("_channels") and all(
            pure(a) for a in small.value.args):
        return small.value.func.value.value
    return None


def _candidate(s: cst.SimpleStatementLine) -> str | None:
    small = s.body[0]
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(
            small.targets[0].target, cst.Name) and pure(small.value):
        return small.targets[0].target.value
    if isinstance(small, cst.AugAssign) and isinstance(small.target, cst.Name) and pure(small.value):
        return small.target.value
    return None


def _prune_once(body: list[Any], used: set[str]) -> list[Any] | None:
    out: list[Any] = []
    changed = False
    for s in body:
        if isinstance(s, cst.SimpleStatementLine):
            name = _candidate(s) or _grows(s)
            if name is not None and name not in used:
                changed = True
                continue
        elif isinstance(s, cst.If):
            new = _prune_if(s, used)
            changed |= new is not s
            if new is None:
                continue
            s = new
        elif isinstance(s, cst.For):
            inner = _prune_once(list(s.body.body), used)
            if inner is not None:
                changed = True
                if not inner and pure(s.iter):
                    continue
                s = s.with_changes(body=s.body.with_changes(body=inner or [statement("pass")]))
        elif isinstance(s, cst.FunctionDef) and s.name.value not in used:
            changed = True
            continue
        out.append(s)
    return out if changed else None


def _prune_if(s: cst.If, used: set[str]) -> cst.If | None:
    body = _prune_once(list(s.body.body), used)
    orelse: Any = s.orelse
    if isinstance(orelse, cst.If):
        orelse = _prune_if(orelse, used)
    elif isinstance(orelse, cst.Else):
        inner = _prune_once(list(orelse.body.body), used)
        if inner is not None:
            orelse = orelse.with_changes(body=orelse.body.with_changes(body=inner)) if inner else None
    if body is None and orelse is s.orelse:
        return s
    statements = list(s.body.body) if body is None else body
    if not statements and orelse is None:
        return None if pure(s.test) else s
    if not statements:
        if isinstance(orelse, cst.Else):
            test = negate(s.test) or build("not ({t})", t=s.test)
            return s.with_changes(test=test, body=orelse.body, orelse=None)
        statements = [statement("pass")]
    return s.with_changes(body=s.body.with_changes(body=statements), orelse=orelse)
