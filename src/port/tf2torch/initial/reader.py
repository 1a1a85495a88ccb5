"""What the argument of a layer says about its initial values: a string, an object, a dict, a setting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from port.facts import Kind
from port.names import dotted_name
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.arrivals import giver, reached
from port.tf2torch.infer.values import OPEN, Class, Function, find_method
from port.tf2torch.initial.afterwards import of_layer
from port.tf2torch.initial.initializers import PARAMETERS, Spec, canonical, literal, named, snake, unknown
from port.tf2torch.initial.returned import given_by, returned
from port.tf2torch.initial.setters import FORGET
from port.tree import code, find

OWNERS = ("keras.initializers.", "tf.initializers.", "tf.compat.v1.initializers.")


@dataclass
class Reader:
    """Resolves the expression of an initialiser in the scope in which a layer is made."""

    em: Emitter
    function: Function | None
    cls: Class | None
    depth: int = 0
    here: bool = False  # what is read is written where it stands: parameters keep their names

    def read(self, node: cst.BaseExpression | None, default: str = "glorot_uniform") -> Spec:
        """`default`: of the layer's signature; None as a value is Keras' own default."""
        if node is None:
            return named(default)
        if self.depth > 8:
            return unknown(code(node))
        self.depth += 1
        try:
            return self._read(node)
        finally:
            self.depth -= 1

    def _read(self, node: cst.BaseExpression) -> Spec:
        value = self.em.fact(node).literal(...)
        if value is None or isinstance(value, str):
            return named(value)
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Dict):
            return self._dict(node)
        if isinstance(node, cst.IfExp):
            a, b = self.read(node.body), self.read(node.orelse)
            return a if a == b else unknown(code(node))
        symbol = self.symbol(node)
        if symbol:
            return self._object(symbol, [], node)
        if isinstance(node, cst.Name):
            return self._name(node)
        if isinstance(node, cst.Attribute) and code(node.value) == "self":
            return self._own(node)
        return unknown(code(node))

    def symbol(self, node: cst.BaseExpression) -> str:
        if not isinstance(node, cst.Name | cst.Attribute):
            return ""
        fact = self.em.it.facts.get(node)
        known = fact is not None and (fact.kind is not Kind.FUNCTION or fact.payload is not None
                                      or fact.symbol.startswith("builtins."))
        symbol = "" if known else self.em.it.names.resolve(node)
        return symbol if symbol.split(".")[0] in ("tf", "keras") else ""

    # ------------------------------------------------------------ objects
    def _call(self, node: cst.Call) -> Spec:
        symbol = self.symbol(node.func)
        if symbol in ("keras.initializers.get", "keras.initializers.deserialize") and node.args:
            return self.read(node.args[0].value)
        if symbol:
            return self._object(symbol, list(node.args), node)
        payload = self.em.fact(node.func).payload
        return self._returned(payload, node) if isinstance(payload, Function) else unknown(code(node))

    def _returned(self, function: Function, node: cst.Call) -> Spec:
        """`get_initializer(0.02)` of a function that does nothing but return an initialiser."""
        value, given = returned(function.node), given_by(node, function.node)
        if value is None or given is None:
            return unknown(code(node))
        spec = Reader(self.em, function, None, self.depth, here=True).read(value)
        known = {name: self._argument(given[name]) for name in spec.names & given.keys()}
        return replace(spec.put({name: cst.parse_expression(text) for name, (_, text, _) in known.items()}),
                       local=any(here for _, _, here in known.values()))

    def _object(self, symbol: str, args: list[cst.Arg], node: cst.BaseExpression) -> Spec:
        last = symbol.rpartition(".")[2]
        if not symbol.startswith(OWNERS) and not last.endswith("_initializer"):
            return unknown(code(node))
        name = snake(last.removesuffix("_initializer"))
        if name not in PARAMETERS:
            return unknown(code(node))
        given: dict[str, cst.BaseExpression] = {}
        for i, a in enumerate(args):
            order = list(PARAMETERS[name])
            if a.star:
                return unknown(code(node))
            if a.keyword is not None:
                given[a.keyword.value] = a.value
            elif i < len(order):
                given[order[i]] = a.value
        v1 = symbol.startswith("tf.compat.v1.")
        return self._spec(name, given, node, {"stddev": 1.0, "minval": 0.0, "maxval": 1.0} if v1 else {})

    def _dict(self, node: cst.Dict) -> Spec:
        items = {self.text_of(e.key): e.value for e in node.elements if isinstance(e, cst.DictElement)}
        name = self.text_of(items.get("class_name"))
        config = items.get("config")
        given = {}
        if isinstance(config, cst.Dict):
            for e in config.elements:
                if not isinstance(e, cst.DictElement):
                    return unknown(code(node))
                given[self.text_of(e.key)] = e.value
        elif config is not None:
            return unknown(code(node))
        name = snake(name)
        return self._spec(name, given, node, {}) if name in PARAMETERS else unknown(code(node))

    def text_of(self, node: cst.BaseExpression | None) -> str:
        value = self.em.fact(node).literal(None) if node is not None else None
        if value is None and isinstance(node, cst.SimpleString):
            value = node.evaluated_value
        return value if isinstance(value, str) else ""

    def _spec(self, name: str, given: dict[str, cst.BaseExpression], node: cst.BaseExpression,
              defaults: dict[str, Any]) -> Spec:
        args: list[tuple[str, str]] = []
        local = False
        known = PARAMETERS[name]
        for key in given.keys() - known.keys() - {"seed", "dtype"}:
            return unknown(f"{key} of {code(node)}")
        for key, default in known.items():
            if key not in given:
                if key in defaults and defaults[key] != default:
                    args.append((key, repr(defaults[key])))
                continue
            value, text, here = self._argument(given[key])
            local = local or here
            if value is ... or value != default:
                args.append((key, text))
        return canonical(Spec(name, tuple(args), local))

    def _argument(self, node: cst.BaseExpression) -> tuple[Any, str, bool]:
        """(literal or ..., text, is it only valid where the layer is made?)"""
        value = self.em.fact(node).literal(...)
        if value is ...:
            value = literal(code(node))
        if value is not ... and not isinstance(node, cst.Name):
            return value, code(node) if not isinstance(value, str) else repr(value), False
        if isinstance(node, cst.Name) and self.function is not None and node.value in self.function.params:
            if self.here:
                return ..., node.value, False
            values = reached(self.function, node.value)
            if len(values) == 1 and OPEN not in self.function.reaching.get(node.value, set()):
                value = next(iter(values))
                return value, repr(value), False
        if all(self.is_global(n) for n in find(node, cst.Name)):
            return value, code(self.em.expr(node)), False
        if value is not ...:
            return value, repr(value), False
        return ..., code(self.em.expr(node)), True

    def is_global(self, name: cst.Name) -> bool:
        """A constant of the module (or one of its imports, as `np`), not a local of the same name."""
        if self.function is not None and (name.value in self.function.params
                                          or assigned(self.function.node.body, name.value)):
            return False
        return bool(assigned(self.em.it.module, name.value)) or name.value in self.em.it.names.bound

    # ------------------------------------------------------------ names
    def _name(self, node: cst.Name) -> Spec:
        name = node.value
        if self.function is not None:
            values = assigned(self.function.node.body, name)
            if values:
                return self.read(values[0]) if len(values) == 1 else unknown(name)
            owner = giver(self.em.it, self.function, name)
            if name in owner.params:
                return self._parameter(owner, name)
        values = assigned(self.em.it.module, name)
        if len(values) == 1:
            return Reader(self.em, None, None, self.depth).read(values[0])
        return unknown(name)

    def _parameter(self, function: Function, name: str) -> Spec:
        """A setting: the one value that reaches it."""
        reaching = function.reaching.get(name, set())
        found = reached(function, name)
        default = function.defaults.get(name)
        if OPEN not in reaching and len(found) == 1 and (literal := next(iter(found))) is not ... and (
                literal is None or isinstance(literal, str)):
            return named(literal)
        if not reaching and not found and default is not None:
            return Reader(self.em, None, None, self.depth).read(default)
        if len(found) > 1 and all(isinstance(f, str | None) for f in found) and OPEN not in reaching:
            specs = {named(f) for f in found}
            several = " or ".join(sorted(map(repr, found)))
            return specs.pop() if len(specs) == 1 else unknown(name, f"may be {several}")
        return unknown(name)

    def _own(self, node: cst.Attribute) -> Spec:
        """`self.init`, set once in the constructor."""
        init = find_method(self.cls, "__init__") if self.cls is not None else None
        values = [] if init is None else assigned(init.node.body, code(node).replace(" ", ""))
        if init is None or len(values) != 1:
            return unknown(code(node))
        return Reader(self.em, init, self.cls, self.depth).read(values[0])


def assigned(body: cst.CSTNode, name: str) -> list[cst.BaseExpression]:
    """Values assigned to a name in this scope (not in functions inside it)."""
    return [n.value for n in find(body, cst.Assign, enter_functions=False)
            for t in n.targets if dotted_name(t.target) == name]


# Modules of PyTorch that are read back start from PyTorch's values, unless these are all set afterwards.
AFTERWARDS = {"helpers.MultiheadAttention": ("kernel_initializer", "bias_initializer"), **dict.fromkeys(
    ("helpers.LSTM", "helpers.GRU", "helpers.RNN"),
    ("kernel_initializer", "recurrent_initializer", "bias_initializer"))}


def arguments(em: Emitter, job: Any) -> dict[str, Spec]:
    """Initialisers of a layer by their Keras names; read where the layer is made."""
    scope = em.scope
    reader = Reader(em, scope.function, scope.cls)
    symbol = job.bound.signature.name
    found: dict[str, Spec] = {}
    for key in AFTERWARDS.get(symbol, ()):
        late = of_layer(em, scope.cls or scope.function, job.node, symbol, key)
        if late is not None:
            found[key] = Reader(em, late.function, None).read(late.value)
    if found and len(found) < len(AFTERWARDS[symbol]):
        em.report("P103", "initial values of this layer: only some are set afterwards; all are PyTorch's here",
                  job.node)
        found = {}
    for key in job.row.init:
        default = literal(job.bound.default(key) or "...")
        node = job.bound.args.get(key)
        late = of_layer(em, scope.cls or scope.function, job.node, symbol, key)
        if late is not None:
            found[key] = Reader(em, late.function, scope.cls if late.layer is not None else None).read(late.value)
            continue
        found[key] = named(default) if node is None and default is not ... else reader.read(node)
    return found


def forgets(em: Emitter, job: Any) -> bool:
    """Is `unit_forget_bias` set afterwards?"""
    owner = em.scope.cls or em.scope.function
    late = of_layer(em, owner, job.node, job.bound.signature.name, FORGET)
    return late is not None and em.fact(late.value).literal(code(late.value) == "True") is True


def is_object(em: Emitter, node: cst.BaseExpression) -> bool:
    """An initialiser object or class: nothing that can stay in the output."""
    target = node.func if isinstance(node, cst.Call) else node
    if type(target) not in (cst.Name, cst.Attribute):
        return False
    symbol = em.it.names.resolve(target)
    return symbol.startswith(OWNERS) or (symbol.startswith("tf.") and symbol.endswith("_initializer"))


def is_only_argument(em: Emitter, small: cst.CSTNode) -> bool:
    """`INIT = initializers.HeNormal()` whose name is given to layers alone: what they are given is said elsewhere."""
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if not isinstance(small, cst.Assign) or not isinstance(target, cst.Name) or not is_object(em, small.value):
        return False
    objects = [n for n in find(em.it.module, cst.Assign) if len(n.targets) == 1 and is_object(em, n.value)]
    made = [n.targets[0].target for n in objects]
    keys = {id(a.keyword) for a in find(em.it.module, cst.Arg)}
    keys |= {id(a.attr) for a in find(em.it.module, cst.Attribute)}
    names = [n for n in find(em.it.module, cst.Name) if n.value == target.value and not (n in made or id(n) in keys)]
    given = {id(a.value) for a in find(em.it.module, cst.Arg)
             if a.keyword is not None and a.keyword.value.endswith("_initializer")}
    return bool(names) and all(id(n) in given for n in names)
