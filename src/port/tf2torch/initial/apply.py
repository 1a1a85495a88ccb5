"""Where `init_weights` is applied: at the end of outermost classes and on `nn.Sequential` models."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import libcst as cst

from port.tf2torch.initial.layout import Definition, Layout, constructor, is_model, sequentials
from port.tf2torch.initial.scopes import loads
from port.tf2torch.initial.weights import Owner, Plan
from port.tree import code, find, rebuild, walk

APPLY = "self.apply(init_weights)"
COMPOUND = (cst.If, cst.For, cst.While, cst.With, cst.Try, cst.Else, cst.ExceptHandler, cst.Finally)
AROUND = (*COMPOUND, cst.FunctionDef, cst.ClassDef, cst.IndentedBlock)


def is_apply(s: Any) -> bool:
    return (type(s) is cst.SimpleStatementLine and len(s.body) == 1 and type(s.body[0]) is cst.Expr
            and code(s).strip() == APPLY)


class Changes:
    """Puts the applications into the output."""

    def __init__(self, layout: Layout, plan: Plan, name: str):
        self.layout, self.plan, self.name = layout, plan, name
        self.after: dict[Any, list[str]] = {}
        for node, owner in layout.owners.items():
            if owner.kind in ("class", "method"):
                self.after[node] = plan.deviations(owner)
            else:  # those of an outermost function have their lines behind the model
                plan.deviations(replace(owner, bound=[b for b in owner.bound
                                                      if not owner.outermost or not _root(b[1])]))

    def module(self, body: list[Any]) -> list[Any]:
        new = [self.any(s) if s is not None else None for s in body]
        if not self.layout.needs(self.plan, {""}):
            return new
        return Sequence(self, self.layout.owners[None], [s for s in new if s is not None]).block(new)

    def any(self, node: Any) -> Any:
        kind = type(node)
        if kind is cst.ClassDef and node in self.layout.owners:
            return self.cls(node)
        if kind is cst.FunctionDef and node in self.layout.owners:
            return self.function(node)
        return rebuild(node, self.any) if kind in AROUND else node

    def cls(self, node: cst.ClassDef) -> Any:
        owner, init = self.layout.owners[node], constructor(node)
        if not self.layout.needs(self.plan, {owner.name}):
            node = _without(node)  # of a `build`
            init = constructor(node)
        if init is None:
            return node
        lines = [s for s in init.body.body if not is_apply(s)]
        if (owner.outermost or owner.model) and self.layout.needs(self.plan, {owner.name}):
            lines += [*self.application(node), *parsed(self.after[node])]
        new = init.with_changes(body=init.body.with_changes(body=lines))
        body = [new if s is init else s for s in node.body.body]
        return node.with_changes(body=node.body.with_changes(body=body))

    def application(self, node: cst.ClassDef) -> list[Any]:
        if self.layout.extends_another_file(node):
            own = dict.fromkeys(attribute for _, place in self.layout.owners[node].bound
                                if (attribute := _attribute(place)))
            return parsed([f"self.{attribute}.apply({self.name})" for attribute in own])
        others = self.layout.foreign(node)
        if not others:
            return parsed([f"self.apply({self.name})"])
        owner = self.layout.owners[node]
        if not owner.bound and not self.layout.refs[owner.name] - self.layout.apart:
            return []
        test = f"name != '{others[0]}'" if len(others) == 1 else f"name not in {tuple(others)}"
        return parsed(["for name, module in self.named_children():",
                       f"    if {test}:  # made elsewhere: keeps its weights",
                       f"        module.apply({self.name})"])

    def function(self, node: cst.FunctionDef) -> Any:
        owner = self.layout.owners[node]
        if owner.kind == "method":
            return node
        body = [self.any(s) for s in node.body.body]
        if (owner.outermost or owner.model) and self.layout.needs(self.plan, {owner.name}):
            body = Sequence(self, owner, body).block(body)
        return node.with_changes(body=node.body.with_changes(body=body))


class Sequence:
    """The `nn.Sequential` models of one function, or of the module's own statements."""

    def __init__(self, changes: Changes, owner: Owner, body: list[Any]):
        self.to, self.owner, self.name = changes, owner, changes.name
        plain = [s for s in body if not isinstance(s, Definition)]
        self.makes = changes.layout.makes if owner.outermost else is_model  # layers belong to what holds them
        names = sequentials(plain, self.makes)
        self.inner = inner = {n.value for s in plain for c in find(s, cst.Call, enter_functions=False)
                 if _takes(c, names) for a in c.args for n in loads(a)}
        self.roots = {r for r in names - inner if any(self._fills(s, r) for s in plain)}
        self.returned = {n.value.value for s in plain for n in find(s, cst.Return, enter_functions=False)
                         if isinstance(n.value, cst.Name)}

    def _fills(self, s: Any, root: str) -> bool:
        """Does a statement put something that needs it into this model?"""
        for n in walk(s, enter_functions=False):
            value = getattr(n, "value", None)
            own = (isinstance(n, cst.Assign) and self.makes(value) and code(n.targets[0].target) == root) or (
                _grown(n) == root) or (root == "model" and isinstance(n, cst.Return) and is_model(value))
            if own and self.to.layout.holds(self.to.plan, n, self.owner.name):
                return True
        return False

    def tail(self, root: str) -> list[Any]:
        """`model.apply(init_weights)` and what deviates."""
        return parsed([f"{root}.apply({self.name})", *self.deviating(root)])

    def deviating(self, root: str) -> list[str]:
        bound = [b for b in self.owner.bound if _root(b[1]) == root and self.owner.outermost]
        return self.to.plan.deviations(replace(self.owner, bound=bound))

    def block(self, body: list[Any]) -> list[Any]:
        out: list[Any] = []
        for i, s in enumerate(body):
            if isinstance(s, cst.SimpleStatementLine):
                out += self.line(s, body[i + 1:])
            elif type(s) in COMPOUND:
                new = rebuild(s, self._inside)
                out.append(new)
                for root in sorted(self.roots - self.returned):
                    if _grows(s, root) and not any(_grows(r, root) for r in body[i + 1:] if r is not None):
                        out += self.tail(root)
            else:
                out.append(s)
        return out

    def _inside(self, node: Any) -> Any:
        """Only returns are looked at below a condition or loop."""
        if type(node) is cst.IndentedBlock:
            made: list[Any] = []
            for s in node.body:
                if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Return):
                    made += self._return(s, s.body[0])
                elif isinstance(s, cst.SimpleStatementLine):
                    made.append(self.loose(s))
                else:
                    made.append(self._inside(s))
            return node.with_changes(body=made)
        return rebuild(node, self._inside) if type(node) in COMPOUND else node

    def line(self, s: cst.SimpleStatementLine, rest: list[Any]) -> list[Any]:
        small = s.body[0]
        value = getattr(small, "value", None)
        if isinstance(small, cst.Return):
            return self._return(s, small)
        root = _grown(small)
        if isinstance(small, cst.Assign) and self.makes(value):
            root = code(small.targets[0].target)
        if root not in self.roots - self.returned or any(_grows(r, root) for r in rest if r is not None):
            return [self.loose(s)]
        if isinstance(small, cst.Assign) and value is not None and not self.deviating(root):
            return [s.with_changes(body=[small.with_changes(value=self.applied(value))])]
        return [s, *self.tail(root)]

    def _return(self, s: cst.SimpleStatementLine, small: cst.Return) -> list[Any]:
        value = small.value
        if isinstance(value, cst.Name) and value.value in self.roots:
            tail = self.tail(value.value)
            tail[0] = tail[0].with_changes(leading_lines=s.leading_lines)
            return [*tail, s.with_changes(leading_lines=[])]
        if value is None or not is_model(value) or not self.to.layout.holds(self.to.plan, value, self.owner.name):
            return [self.loose(s)]
        if "model" in self.roots and self.deviating("model"):
            target = cst.AssignTarget(cst.Name("model"))
            return [s.with_changes(body=[cst.Assign([target], value)]), *self.tail("model"),
                    *parsed(["return model"])]
        return [s.with_changes(body=[small.with_changes(value=self.applied(value))])]

    def loose(self, s: cst.SimpleStatementLine) -> Any:
        """A line whose layers nothing else reaches, as those of a list: each is initialised where it is made."""
        small = s.body[0]
        names = {code(t.target) for t in small.targets} if isinstance(small, cst.Assign) else {_grown(small)}
        if not isinstance(small, cst.Assign | cst.Return | cst.Expr) or names & (self.inner | self.roots):
            return s
        return rebuild(s, self._loose)

    def _loose(self, node: Any) -> Any:
        if self.makes(node) and self.to.layout.holds(self.to.plan, node, self.owner.name):
            return self.applied(node)
        return rebuild(node, self._loose)

    def applied(self, value: cst.BaseExpression) -> cst.BaseExpression:
        return cst.Call(cst.Attribute(value, cst.Name("apply")), [cst.Arg(cst.Name(self.name))])


def _without(node: cst.ClassDef) -> cst.ClassDef:
    def change(n: Any) -> Any:
        block = isinstance(n, cst.IndentedBlock)
        kept = [s for s in n.body if not is_apply(s)] if block else []
        n = n.with_changes(body=kept or parsed(["pass"])) if block and len(kept) < len(n.body) else n
        return rebuild(n, change) if isinstance(n, AROUND) else n

    return change(node)  # type: ignore[no-any-return]


def _root(place: Any) -> str:
    """The variable through which a place is reached."""
    loops = [h.partition(" in ")[2] for h in place.header if h.startswith("for ")]
    first = loops[0] if loops else place.text
    return first.split(".")[0].split("[")[0].rstrip(":")


def _attribute(place: Any) -> str:
    """The attribute of `self` through which a place is reached."""
    loops = [h.partition(" in ")[2] for h in place.header if h.startswith("for ")]
    owner, _, rest = (loops[0] if loops else place.text).partition(".")
    return re.split(r"\W", rest)[0] if owner == "self" else ""


def _takes(call: cst.Call, roots: set[str]) -> bool:
    """Does this call put its arguments into an nn.Sequential?"""
    if is_model(call):
        return True
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in ("append", "add_module") and (
        code(call.func.value) in roots)


def _grown(small: Any) -> str:
    """The variable to which a module is added here."""
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in (
            "append", "add_module", "extend"):
        return code(call.func.value)
    return ""


def _grows(node: Any, name: str) -> bool:
    return any(_grown(n) == name for n in walk(node))


def parsed(lines: list[str]) -> list[Any]:
    return list(cst.parse_module("\n".join(lines) + "\n").body) if lines else []
