"""From the two statement lists of a split to those of a class: names are put in, loops written."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.tf2torch.emit import Refused
from port.tf2torch.infer.values import is_placeholder
from port.tf2torch.rules.attribute_names import Names, kind_of
from port.tf2torch.rules.prune import negate
from port.tf2torch.rules.split import Branch, Frame, LoopForward, LoopInit, Making, Module, Split
from port.tree import changed, code, named, rebuild


# ---------------------------------------------------------------- placeholders
def resolve(tree: Any, mapping: dict[str, cst.BaseExpression], outs: dict[str, str]) -> Any:
    """The tree with ATTR_ and OUT_ placeholders replaced."""
    if type(tree) is not cst.Name:
        return rebuild(tree, lambda node: resolve(node, mapping, outs))
    if tree.value.startswith("ATTR_"):
        return mapping.get(tree.value, tree)
    if is_placeholder(tree.value):
        return resolve(expression(f"{outs[tree.value]}.out_channels"), mapping, outs)
    return tree


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
        if item.top:
            made = build_assign(f"self.{item.module.final}", ctor)
        elif kind_of(frame) == "one":
            made = cst.SimpleStatementLine([cst.Expr(build(f"{self.container(frame)}.append({{m}})", m=ctor))])
        elif kind_of(frame) == "dict":
            made = build_assign(code(self.names.init[item.module.key]), ctor)
        else:
            made = build_assign(item.module.final, ctor)
        return [changed(made, leading_lines=item.lines)]

    def container(self, frame: Frame) -> str:
        name = self.names.lists[frame.key]
        return f"self.{name}" if self.is_top(frame) and "[" not in name else name

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
        mirrors = [self.at(m, "init") for m in item.mirrors]
        flat_inner = id(outer) in self.flat and frame in outer.modules
        if frame.modules and id(frame) not in self.flat:
            kind = kind_of(frame)
            if kind == "several":
                body = self.several(frame, body, mirrors)
            elif kind == "dict":
                block = self.names.blocks[frame.key]
                body = [statement(f"{block} = nn.ModuleDict()"), *body,
                        statement(f"{self.container(frame)}.append({block})")]
        if frame.modules and not flat_inner:
            before.append(statement(f"{self.container(frame)} = nn.ModuleList()"))
            self.split.em.need("nn")
        body += mirrors
        if not body:
            return before
        target, iterable = item.header
        made = cst.For(target, self.at(iterable, "init"), cst.IndentedBlock(body), leading_lines=item.leading_lines)
        if before and item.leading_lines and item.leading_lines[0].comment is None:
            before[0] = before[0].with_changes(leading_lines=item.leading_lines[:1])
            made = made.with_changes(leading_lines=item.leading_lines[1:])
        return [*before, made]

    def finals(self, frame: Frame) -> list[str]:
        """The names of what one turn of a loop makes."""
        return [m.final if isinstance(m, Module) else self.names.lists[m.key] for m in frame.modules]

    def several(self, frame: Frame, body: list[Any], mirrors: list[Any]) -> list[Any]:
        """One inner ModuleList per turn: written at once if nothing stands between its modules or reads them."""
        finals = self.finals(frame)
        if len(finals) == 1:  # a list already
            return [*body, statement(f"{self.container(frame)}.append({finals[0]})")]
        makings = [i for i, s in enumerate(body) if _target_name(s) in finals]
        alone = all(isinstance(m, Module) for m in frame.modules)
        texts = [code(body[i]) for i in makings]
        others = [s for i, s in enumerate(body) if i not in makings] + mirrors
        refers = any(f"{f}." in text for f in finals for text in texts) or any(
            f in named(other) for f in finals for other in others)
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
        body = [*frame.repeats.values(), *self.forward(item.body, frame)]
        target: Any = item.target
        iterable: Any = item.iterable
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

    def unpacked(self, frame: Frame) -> str:
        kind = kind_of(frame)
        if kind == "dict":
            return self.names.blocks[frame.key]
        return ", ".join(self.finals(frame))


def _bracket(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.Tuple) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node


def build_assign(target: str, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(expression(target))], value)])  # type: ignore


def _target_name(s: Any) -> str:
    if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign):
        t = s.body[0].targets[0].target
        return t.value if isinstance(t, cst.Name) else ""
    return ""


def _value(s: Any) -> cst.BaseExpression:
    return s.body[0].value
