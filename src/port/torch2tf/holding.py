"""Classes that inherit from a layer or container of torch.nn, read as classes that hold one.

`class Block(nn.Sequential)` with `super().__init__(a, b)` is read as a module whose `self.blocks` is
`nn.Sequential(a, b)` and whose forward applies it: Keras' own layers and Sequential are no bases for that, as their
constructors and weights are others.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import libcst as cst

from port.build import build, expression, statement
from port.names import Names, dotted_name
from port.torch2tf import keywords, layer_signatures, oldways, ownnorm
from port.tree import code, find, rebuild, walk

CONTAINERS = frozenset(("Sequential", "ModuleList", "ModuleDict"))
LAYERS = frozenset("""
    Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Linear LayerNorm GroupNorm BatchNorm1d
    BatchNorm2d BatchNorm3d AvgPool1d AvgPool2d AvgPool3d MaxPool1d MaxPool2d MaxPool3d AdaptiveAvgPool1d
    AdaptiveAvgPool2d Dropout Dropout2d ReLU GELU SiLU""".split())
OF_CONTAINERS = frozenset(("append", "extend", "insert", "children", "named_children", "items", "values", "keys"))
CONVS = ("Conv1d", "Conv2d", "Conv3d")
PAIRS = ("stride", "dilation", "kernel_size")
# Builtins that go through a container.
OVER = frozenset(("len", "enumerate", "list", "tuple", "iter", "reversed", "zip"))
OF_LAYERS = frozenset("""
    weight bias stride padding dilation groups kernel_size in_channels out_channels in_features out_features eps
    normalized_shape num_groups num_channels num_features running_mean running_var momentum affine p inplace""".split())

_CONV = ("weight", "bias", "stride", "padding", "dilation", "groups")
FUNCTIONS = {"layer_norm": ("normalized_shape", "weight", "bias", "eps"), "linear": ("weight", "bias"),
             "group_norm": ("num_groups", "weight", "bias", "eps"), "conv1d": _CONV, "conv2d": _CONV, "conv3d": _CONV}


def read(module: cst.Module, names: Names, helpers: Container[cst.CSTNode]
         ) -> tuple[cst.Module, dict[cst.CSTNode, cst.CSTNode]]:
    """The module, and for each class that is read another way: how it is written. `helpers` have ways of their own."""
    written: dict[cst.CSTNode, cst.CSTNode] = {}
    body: list[Any] = []
    for node in module.body:
        new = _held(node, names) if isinstance(node, cst.ClassDef) and node not in helpers else None
        if new is not None:
            written[new] = node
        body.append(node if new is None else new)
    return (module.with_changes(body=body) if written else module), written


def _held(node: cst.ClassDef, names: Names) -> cst.ClassDef | None:
    if len(node.bases) != 1 or node.bases[0].star or not isinstance(node.body, cst.IndentedBlock):
        return None
    base = node.bases[0].value
    package, _, kind = names.resolve(base).rpartition(".")
    module = _module(base, names)
    if package != "torch.nn" or kind not in CONTAINERS | LAYERS or module is None:
        return None
    if kind in CONVS:
        node = _paired_before(node, kind)
    node = oldways.read(ownnorm.read(node, names) if kind in ownnorm.KINDS else node)
    methods: dict[str, Any] = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    init = methods.get("__init__")
    if init is not None and sum(_is_super(c, "__init__") for c in find(init, cst.Call)) != 1:
        return None
    name = name_of(kind)
    if any(type(n) is cst.Attribute and n.attr.value == name for n in walk(node)):
        return None
    parts = _parts(node, init, methods) if kind == "Sequential" and init is not None else frozenset[str]()
    change = _Held(dotted_name(base), kind, name, _own(node, methods), names, parts)
    change.keeps_padding = kind in CONVS and change.pads_itself(node)
    body: list[Any] = [change.read(s) if isinstance(s, cst.FunctionDef) else s for s in node.body.body]
    if not change.made and init is not None:
        return None
    at = next((i for i, s in enumerate(body) if isinstance(s, cst.FunctionDef)), len(body))
    if init is None:
        params, args = _passed(kind)
        if change.keeps_padding and change.only_read:
            args = args.replace("padding=padding", "padding=0")
        first: Any = statement(f"def __init__(self, {params}):\n    super().__init__()\n"
                               f"    self.{name} = {dotted_name(base)}({args})\n"
                               + "    self.padding = padding\n" * change.keeps_padding)
        body.insert(at, first.with_changes(leading_lines=[cst.EmptyLine(indent=False)] if at else []))
        if at + 1 < len(body) and not body[at + 1].leading_lines:
            body[at + 1] = body[at + 1].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    if "forward" not in methods and kind not in ("ModuleList", "ModuleDict"):
        forward: Any = statement(f"def forward(self, x):\n    return self.{name}(x)\n")
        body.append(forward.with_changes(leading_lines=[cst.EmptyLine(indent=False)]))
    return node.with_changes(bases=[node.bases[0].with_changes(value=module)],
                             body=node.body.with_changes(body=body))


def _paired_before(node: cst.ClassDef, kind: str) -> cst.ClassDef:
    """`self.stride = self.stride if len(self.stride) == 2 else [self.stride[0]] * 2` of what a convolution was given.

    PyTorch takes `[2]` for a pair, which Keras does not: the class makes it one before it makes the convolution.
    """
    axes = kind[-2]
    init = next((s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None)
    calls = [c for c in find(init, cst.Call) if _is_super(c, "__init__")] if init is not None else []
    if init is None or len(calls) != 1 or not isinstance(init.body, cst.IndentedBlock):
        return node
    given = layer_signatures.bind_layer(f"torch.nn.{kind}", calls[0])[0]
    checks = {f"self.{n} = self.{n} if len(self.{n}) == {axes} else [self.{n}[0]] * {axes}": code(given[n])
              for n in PAIRS if isinstance(given.get(n), cst.Name)}
    body: list[Any] = list(init.body.body)
    found = [line for line in body if code(line).strip() in checks]
    at = next((i for i, line in enumerate(body) if calls[0] in walk(line)), len(body))
    if not found or at > body.index(found[0]):
        return node
    made = [statement(f"{n} = {n} if isinstance({n}, int) or len({n}) == {axes} else [{n}[0]] * {axes}\n")
            for n in (checks[code(line).strip()] for line in found)]
    rest = [line for line in body if line not in found]
    return node.with_deep_changes(init.body, body=[*rest[:at], *made, *rest[at:]])  # type: ignore[return-value]


def _module(base: cst.BaseExpression, names: Names) -> cst.BaseExpression | None:
    """nn.Module, as the file can call it."""
    if isinstance(base, cst.Attribute):
        return base.with_changes(attr=cst.Name("Module"))
    for bound, symbol in names.bound.items():
        if symbol in ("torch", "torch.nn", "torch.nn.Module"):
            return expression(bound + "torch.nn.Module".removeprefix(symbol))
    return None


def name_of(kind: str) -> str:
    if kind in CONTAINERS:
        return "blocks"
    return next((word for word in ("conv", "linear", "norm") if word in kind.lower()), "inner")


def _passed(kind: str) -> tuple[str, str]:
    """Parameters of the constructor that the class has from its base, and how they are passed on."""
    if kind in CONTAINERS:
        return "*args", "*args"
    params = [p for p in layer_signatures.signatures()[f"torch.nn.{kind}"].params if p.name not in keywords.FIXED]
    text = ", ".join(p.name if p.default is None else f"{p.name}={p.default}" for p in params)
    required = [p.default is None for p in params]
    return text, ", ".join(p.name if all(required[:i + 1]) else f"{p.name}={p.name}" for i, p in enumerate(params))


def _own(node: cst.ClassDef, methods: Mapping[str, Any]) -> frozenset[str]:
    """Attributes that the class sets itself."""
    return frozenset(methods) | {t.target.attr.value for t in find(node, cst.AssignTarget)
                                 if isinstance(t.target, cst.Attribute)}


def _parts(node: cst.ClassDef, init: cst.FunctionDef, methods: Mapping[str, Any]) -> frozenset[str]:
    """Attributes by which alone a Sequential is given modules, `self.norm = nn.BatchNorm2d(n)`: it applies them."""
    if "forward" in methods and not any(_is_super(n, "forward") or any(map(is_self, gone_through(n)))
                                        for n in walk(node)):
        return frozenset()
    made = [_part(s) for s in init.body.body]
    read = [n.attr.value for n in find(node, cst.Attribute) if is_self(n.value)]
    return frozenset(name for name in made if name and read.count(name) == 1)


def _part(line: Any) -> str:
    """`norm` of `self.norm = nn.BatchNorm2d(n)`, a call of a class."""
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or not isinstance(small.value, cst.Call):
        return ""
    target, word = small.targets[0].target, dotted_name(small.value.func).rpartition(".")[2].lstrip("_")
    return target.attr.value if isinstance(target, cst.Attribute) and is_self(target.value) and (
        word[:1].isupper()) else ""


def _is_super(node: cst.CSTNode, method: str) -> bool:
    """`super().method(...)` or `super(Block, self).method(...)`."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == method and (
        isinstance(node.func.value, cst.Call) and dotted_name(node.func.value.func) == "super")


def is_self(node: Any) -> bool:
    return isinstance(node, cst.Name) and node.value == "self"


def gone_through(node: Any) -> list[cst.BaseExpression]:
    if isinstance(node, cst.Subscript | cst.StarredElement):
        return [node.value]
    if isinstance(node, cst.For | cst.CompFor):
        return [node.iter]
    if isinstance(node, cst.Call):
        whole = isinstance(node.func, cst.Name) and node.func.value in OVER
        part = isinstance(node.func, cst.Attribute) and node.func.attr.value in (OF_CONTAINERS | {"add_module"})
        return [*(a.value for a in node.args if whole or a.star), *([node.func.value] if part else [])]  # type: ignore
    return []


class _Held:
    """`self`, where it stands for the layer that the class was, is what it holds."""

    def __init__(self, base: str, kind: str, name: str, own: frozenset[str], names: Names, parts: frozenset[str]):
        self.base, self.kind, self.own, self.names, self.made = base, kind, own, names, False
        self.parts = parts
        self.keeps_padding = self.only_read = False
        self.held: Any = cst.parse_expression(f"self.{name}")
        self.container = kind in CONTAINERS
        self.changes: dict[type, Any] = {
            cst.IndentedBlock: self._block, cst.Call: self._call, cst.Expr: self._added, cst.Subscript: self._value,
            cst.For: self._iterable, cst.CompFor: self._iterable, cst.Attribute: self._attribute}

    def read(self, node: Any) -> Any:
        new = rebuild(node, self.read)
        change = self.changes.get(type(node))
        return new if change is None else change(node, new)

    def _block(self, old: cst.IndentedBlock, new: cst.IndentedBlock) -> Any:
        """`super().__init__(...)` is two statements."""
        body: list[Any] = []
        for node in new.body:
            small = node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None
            if _part(node) in self.parts:
                body = self._with_part(body, node)
                continue
            if not isinstance(small, cst.Expr) or not _is_super(small.value, "__init__"):
                body.append(node)
                continue
            self.made = True
            call: Any = small.value
            made = call.with_changes(func=cst.parse_expression(self.base))
            padding = self._given_padding(made) if self.keeps_padding else None
            if padding is not None and self.only_read:
                made = made.with_changes(args=[a.with_changes(value=cst.Integer("0")) if a.value is padding else a
                                               for a in made.args])
            line: Any = node
            bare = call.with_changes(args=[], whitespace_before_args=cst.SimpleWhitespace(""))
            body += [line.with_changes(body=[cst.Expr(bare)],
                                       trailing_whitespace=cst.TrailingWhitespace()),
                     line.with_changes(leading_lines=[], body=[cst.Assign([cst.AssignTarget(self.held)], made)])]
            if self.keeps_padding:
                body.append(statement(f"self.padding = {'0' if padding is None else code(padding)}\n"))
        return new.with_changes(body=body) if len(body) != len(new.body) else new

    def _with_part(self, body: list[Any], node: Any) -> list[Any]:
        """`self.norm = nn.BatchNorm2d(n)` of a Sequential: one more argument of what the class holds, or append."""
        value = node.body[0].value
        last = body[-1].body[0] if body and isinstance(body[-1], cst.SimpleStatementLine) else None
        if isinstance(last, cst.Assign) and last.targets[0].target is self.held and not node.leading_lines:
            held: Any = last.value
            behind = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            before = [*held.args[:-1], held.args[-1].with_changes(comma=behind)] if held.args else []
            new = last.with_changes(value=held.with_changes(args=[*before, cst.Arg(value)]))
            return [*body[:-1], body[-1].with_changes(body=[new])]
        added = cst.Call(cst.Attribute(self.held, cst.Name("append")), [cst.Arg(value)])
        return [*body, node.with_changes(body=[cst.Expr(added)])]

    def _call(self, old: cst.Call, new: cst.Call) -> Any:
        func = new.func
        if self.container and dotted_name(func) in ("self._modules.values", "self._modules.items"):
            name = dotted_name(func).rpartition(".")[2]
            if self.kind != "ModuleDict" and name == "values":
                return self.held
            return new.with_changes(func=cst.Attribute(self.held, cst.Name(
                name if self.kind == "ModuleDict" else "named_children")))
        if _is_super(new, "forward"):
            return new.with_changes(func=self.held)
        if not self.container:
            only = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in new.args[:1]]
            return new.with_changes(func=self.held, args=only) if self._is_whole(old) else new
        if isinstance(func, cst.Name) and func.value in OVER and any(is_self(a.value) for a in new.args):
            return new.with_changes(args=[a.with_changes(value=self.held) if is_self(a.value) else a
                                          for a in new.args])
        if isinstance(func, cst.Attribute) and is_self(func.value) and func.attr.value in OF_CONTAINERS - self.own:
            return new.with_changes(func=func.with_changes(value=self.held))
        return new

    def _is_whole(self, node: cst.Call) -> bool:
        """`F.layer_norm(x, self.normalized_shape, self.weight, ...)`: what the layer itself computes."""
        package, _, function = self.names.resolve(node.func).rpartition(".")
        own = FUNCTIONS.get(function, ())
        kind = self.kind.lower() == function.replace("_", "") and not {"padding_mode", *own} & self.own
        return kind and package == "torch.nn.functional" and all(a.keyword is None for a in node.args) and [
            dotted_name(a.value) for a in node.args[1:]] == [f"self.{name}" for name in own]

    def pads_itself(self, node: cst.ClassDef) -> bool:
        """Does it only hand its padding to F.conv2d with a kernel of its own? Keras' convolution does not say it."""
        calls = [c for c in find(node, cst.Call) if not self._is_whole(c)
                 and self.names.resolve(c.func) in ("torch.nn.functional.conv1d", "torch.nn.functional.conv2d",
                                                    "torch.nn.functional.conv3d")]
        handed = [a.value for c in calls for i, a in enumerate(c.args)
                  if (i == 4 if a.keyword is None else a.keyword.value == "padding")]
        whole = [a.value for c in find(node, cst.Call) if self._is_whole(c) for a in c.args]
        read = [n for n in find(node, cst.Attribute) if is_self(n.value) and n.attr.value == "padding"]
        self.only_read = not whole and not any(_is_super(c, "forward") for c in find(node, cst.Call))
        return "padding" not in self.own and any(n is h for n in read for h in handed) and all(
            any(n is h for h in (*handed, *whole)) for n in read)

    def _given_padding(self, made: cst.Call) -> cst.BaseExpression | None:
        return layer_signatures.bind_layer(f"torch.nn.{self.kind}", made)[0].get("padding")

    def _added(self, old: cst.Expr, new: cst.Expr) -> Any:
        """`self.add_module(name, module)`."""
        call = new.value
        if not self.container or not isinstance(call, cst.Call) or dotted_name(call.func) != "self.add_module":
            return new
        if self.kind != "ModuleDict":
            return new.with_changes(value=call.with_changes(func=cst.Attribute(self.held, cst.Name("add_module"))))
        if len(call.args) != 2:
            return new
        place: Any = build("{o}[{k}]", o=self.held, k=call.args[0].value)
        return cst.Assign([cst.AssignTarget(place)], call.args[1].value)

    def _value(self, old: cst.Subscript, new: cst.Subscript) -> Any:
        if self.kind in CONVS[1:] and code(old).replace(".size()", ".shape") in (
                "self.weight.shape[2:]", f"self.weight.shape[-{self.kind[-2]}:]") and "weight" not in self.own:
            return cst.Attribute(self.held, cst.Name("kernel_size"))
        return new.with_changes(value=self.held) if self.container and is_self(new.value) else new

    def _iterable(self, old: Any, new: Any) -> Any:
        return new.with_changes(iter=self.held) if self.container and is_self(new.iter) else new

    def _attribute(self, old: cst.Attribute, new: cst.Attribute) -> Any:
        if self.container or not is_self(new.value) or new.attr.value not in OF_LAYERS - self.own or (
                self.keeps_padding and new.attr.value == "padding"):
            return new
        return new.with_changes(value=self.held)
