"""Who makes whom in the finished output, and what is outermost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class, is_module
from port.tf2torch.initial.parts import parts_of
from port.tf2torch.initial.places import LISTS, Finder
from port.tf2torch.initial.scopes import Scopes, calls, loads, read
from port.tf2torch.initial.weights import Owner, Plan
from port.tree import code, find, walk

MODELS = ("keras.Model", "keras.Sequential")
Definition = cst.FunctionDef | cst.ClassDef


def module_classes(em: Emitter, scopes: Scopes) -> dict[str, cst.ClassDef]:
    """Classes that are modules, through each other and through those of other files too."""
    defs = scopes.nodes
    derived = {c.name for c in em.it.classes.values() if c.file is em.it.file and c not in em.refused
               and is_module(c) and any(isinstance(b.payload, Class) for b in c.bases)}
    found: dict[str, cst.ClassDef] = {n: d for n, d in defs.items()
                                      if isinstance(d, cst.ClassDef) and d.name.value in derived}
    while True:
        more = {n: d for n, d in defs.items() if isinstance(d, cst.ClassDef) and n not in found and any(
            code(a.value) in ("nn.Module", "BuiltOnCall") or any(
                key in found for key in scopes.stands_for(code(a.value), scopes.outer[n])) for a in d.bases)}
        if not more:
            return found
        found |= more


def constructor(node: cst.ClassDef) -> cst.FunctionDef | None:
    return next((s for s in node.body.body if isinstance(s, cst.FunctionDef)
                 and s.name.value == "__init__"), None)


def is_model(value: Any) -> bool:
    return type(value) is cst.Call and code(value.func) == "nn.Sequential"


def sequentials(body: list[Any], makes: Callable[[Any], bool] = is_model) -> set[str]:
    """Local variables that hold an `nn.Sequential`, or what else counts; 'model': one that is returned at once."""
    found = {t.target.value for s in body for n in find(s, cst.Assign, enter_functions=False)
             for t in n.targets if isinstance(t.target, cst.Name) and makes(n.value)}
    used = {n.value for s in body for n in loads(s)}
    if "model" not in found | used:
        found |= {"model" for s in body for n in find(s, cst.Return, enter_functions=False)
                  if is_model(n.value)}
    return found


class Layout:
    """Classes, functions and the module's own statements, with the layers they make."""

    def __init__(self, em: Emitter, body: list[Any]):
        self.em, self.body = em, [s for s in body if s is not None]
        self.scopes = Scopes(self.body)
        self.defs = self.scopes.nodes
        self.modules = module_classes(em, self.scopes)
        self.scopes.tables = tables = self._tables()
        self.refs = {**tables, **self.scopes.references()}
        self.apart: set[str] = set()  # classes that hold modules made elsewhere: each sees to its own layers
        self.held = self._held()
        self.owners: dict[Any, Owner] = {}
        passed = any(self.foreign(d) for d in self.modules.values())
        while more := {n for n, d in self.modules.items() if n not in self.apart and self.foreign(d, False)}:
            self.apart |= more
        bases = {key for name, d in self.modules.items() for a in d.bases
                 for key in self.scopes.stands_for(code(a.value), self.scopes.outer[name])}
        values = self._values()
        self.models = self._models()
        for name, node in self.modules.items():
            self._class(name, node, not passed and name not in bases | values)
        self._functions()
        self.loose = [s for s in self.body if not isinstance(s, Definition)]
        self.refs[""] = self.scopes.refers((x for s in self.loose for x in loads(s)), "")
        self._owner(Owner("", None, "module"), self.loose, sequentials(self.loose, self.makes))

    def _tables(self) -> dict[str, set[str]]:
        """Variables of the module that hold definitions as values, `BLOCKS = {"a": Block}`, with these."""
        found: dict[str, set[str]] = {}
        for s in self.body:
            for n in s.body if isinstance(s, cst.SimpleStatementLine) else ():
                if isinstance(n, cst.Assign) and isinstance(n.targets[0].target, cst.Name):
                    called = {id(c.func) for c in find(n.value, cst.Call)}
                    held = self.scopes.refers((x for x in loads(n.value) if id(x) not in called), "")
                    found |= {n.targets[0].target.value: held} if held else {}
        return found

    def extends_another_file(self, node: cst.ClassDef) -> bool:
        """Has it a base whose own layers another file fills?"""
        own = {d.name.value for d in self.modules.values()}
        return not any(code(a.value) == "nn.Module" or code(a.value) in own for a in node.bases)

    def _held(self) -> set[str]:
        """What some module class, or an nn.Sequential, makes: directly or through functions."""
        stack = [r for name in self.modules for r in self.refs[name]]
        for scope, part in self._parts():
            for n in calls(part):
                if code(n.func) in LISTS:
                    stack += self.scopes.refers(loads(n), scope)
        held: set[str] = set()
        while stack:
            name = stack.pop()
            if name not in held:
                held.add(name)
                stack += list(self.refs[name])
        return held

    def _values(self) -> set[str]:
        """Classes that are handed around as values: who makes them is not seen."""
        called = {id(n.func) for s in self.body for n in find(s, cst.Call)}
        return {key for scope, part in self._parts() for n in read(part) if id(n) not in called
                for key in self.scopes.stands_for(n.value, scope)} & self.modules.keys()

    def _models(self) -> set[str]:
        """Classes that were models in the source, and those that functions of the file make and give."""
        named = {c.name for c in self.em.it.classes.values() if c.file is self.em.it.file and c.root in MODELS}
        found = {name for name, node in self.modules.items() if node.name.value in named}
        for name, node in self.defs.items():
            if isinstance(node, cst.FunctionDef) and not self.scopes.outer[name]:
                given = [n.value.func for n in find(node.body, cst.Return, enter_functions=False)
                         if isinstance(n.value, cst.Call) and isinstance(n.value.func, cst.Name)]
                found |= self.scopes.refers(given, name)  # type: ignore[arg-type]
        return found & self.modules.keys()

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """All statements, in pieces, each with the scope of its names."""
        yield from (("", s) for s in self.body if not isinstance(s, Definition))
        for key, node in self.defs.items():
            yield (key if isinstance(node, cst.FunctionDef) else self.scopes.outer[key]), node

    def foreign(self, node: cst.ClassDef, given: bool = True) -> list[str]:
        """Attributes that hold modules made elsewhere: passed in (`given`), or imported. They keep their weights."""
        init = constructor(node)
        if init is None:
            return []
        params = {p.name.value for p in (*init.params.params, *init.params.kwonly_params)}
        calls = [n.func for s in node.body.body if s is not init for n in find(s, cst.Call)]
        run = {f.attr.value for f in calls if isinstance(f, cst.Attribute) and code(f.value) == "self"}
        found = self._of_other_files(init)
        for n in find(init.body, cst.Assign):
            name = code(n.targets[0].target).removeprefix("self.")
            passed = given and type(n.value) is cst.Name and n.value.value in params
            if name in run and (passed or self._imported(n.value)):
                found.append(name)
        return list(dict.fromkeys(found))

    def _of_other_files(self, init: cst.FunctionDef) -> list[str]:
        """Attributes that hold modules whose classes other files of the project define, or see to themselves."""
        held: list[str] = []
        elsewhere = self.em.elsewhere | {self.defs[name].name.value for name in self.apart}
        if not elsewhere:
            return held

        def foreign(x: cst.CSTNode) -> bool:
            if isinstance(x, cst.Call):
                return code(x.func).split(".")[0] in elsewhere
            return isinstance(x, cst.Name) and x.value in held

        for n in walk(init.body):
            if isinstance(n, cst.Assign) and any(map(foreign, walk(n.value))):
                held.append(code(n.targets[0].target))
            elif isinstance(n, cst.Expr) and isinstance(n.value, cst.Call) and isinstance(
                    n.value.func, cst.Attribute) and any(foreign(x) for a in n.value.args for x in walk(a)):
                held.append(code(n.value.func.value))
        return list(dict.fromkeys(h.removeprefix("self.") for h in held if h.startswith("self.")))

    def _imported(self, value: cst.BaseExpression) -> bool:
        if not isinstance(value, cst.Call):
            return False
        head = code(value.func).split(".")[0]
        root = self.em.it.names.bound.get(head, "").split(".")[0]
        own = ("tf", "keras", "functools", "torch")
        known = self.em.it.names.bound.get(head) is not None
        return known and root not in own and head not in self.defs

    # ------------------------------------------------------------ owners
    def _owner(self, owner: Owner, body: list[Any], roots: set[str]) -> None:
        finder = Finder(self.em.sites, frozenset(roots))
        for place in finder.find(body):
            for part in parts_of(self.em.sites[place.call.func], code(place.call.func), code(place.call)):
                owner.bound.append((part, place))
        self.owners[owner.node] = owner

    def _class(self, name: str, node: cst.ClassDef, plain: bool) -> None:
        init = constructor(node)
        held = name in self.held - self.apart
        outermost = not held or name in self.em.exported
        owner = Owner(name, node, "class", [], outermost, name in self.models, plain and not held)
        self._owner(owner, list(init.body.body) if init is not None else [], set())
        for method in node.body.body:
            if isinstance(method, cst.FunctionDef) and method is not init:
                self._owner(Owner(name, method, "method", [], False), list(method.body.body), set())

    def _functions(self) -> None:
        methods = {id(n) for d in self.modules.values() for n in find(d, cst.FunctionDef)}
        noted = [d for d in self.defs.values() if isinstance(d, cst.ClassDef) and any(
            code(a.value) == "FunctionalModel" for a in d.bases)]  # whose methods build as functions do
        built = {id(s) for d in noted for s in d.body.body if isinstance(s, cst.FunctionDef)}
        for name, node in self.defs.items():
            if isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock) and (
                    id(node) in built or id(node) not in methods):
                body = [s for s in node.body.body if not isinstance(s, Definition)]
                outermost = name not in self.held
                roots = sequentials(body, self.makes if outermost else is_model)
                self._owner(Owner(name, node, "function", [], outermost, not self.scopes.outer[name]), body, roots)

    def makes(self, value: Any) -> bool:
        """Is this a call that makes an `nn.Sequential`, or a layer of the source?"""
        return is_model(value) or (type(value) is cst.Call and value.func in self.em.sites)

    # ------------------------------------------------------------ what needs it
    def reach(self, names: set[str]) -> set[str]:
        found: set[str] = set()
        stack = list(names)
        while stack:
            top = stack.pop()
            if top not in found:
                found.add(top)
                stack += list(self.refs.get(top, ()))
        return found

    def needs(self, plan: Plan, names: set[str]) -> bool:
        """Is there, in these or in what they make, a module that `init_weights` treats?"""
        names = self.reach(names)
        owners = [o for o in self.owners.values() if o.name in names]
        return any(plan.treats(part) for o in owners for part, _ in o.bound) or any(
            f"if isinstance(module, {n}):" in plan.tails for n in names)

    def holds(self, plan: Plan, node: cst.CSTNode, scope: str) -> bool:
        """The same of one expression, in the definition of this key."""
        for n in find(node, cst.Call):
            if n.func in self.em.sites and any(
                    plan.treats(p) for p in parts_of(self.em.sites[n.func], code(n.func), "")):
                return True
        inside = self.scopes.refers(loads(node), scope)
        return bool(inside) and self.needs(plan, inside)
