"""Statements that set initial values: nn.init.f(m.weight), m.weight.data.normal_(), self.apply(f).

Keras makes the weights of its layers at the first call. Until then their `*_initializer` attributes can be set.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.torch2tf import anyname, foreign, init_values, initially, members
from port.torch2tf.layer_values import CLASSES, SETTINGS, leaf, weight_name, write_class
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, Layer, SelfOf, options
from port.tree import children, code, find

FAMILIES = {"Conv": [n for n in CLASSES if n.startswith("Conv")], "Linear": ["Linear"], "Embedding": ["Embedding"],
            "BatchNorm": [n for n in CLASSES if n.startswith("BatchNorm")], "LayerNorm": ["LayerNorm"],
            "Norm": [n for n in CLASSES if "Norm" in n], "ConvTranspose": [n for n in CLASSES if "ConvT" in n]}
KERAS_WORDS = {"Linear": "Dense", "BatchNorm": "BatchNormalization", "LayerNorm": "LayerNormalization",
               "Conv": "Conv", "Embedding": "Embedding", "Norm": "Normalization"}
EARLY = {"Bilinear", "MultiheadAttention", "PReLU"}  # helpers that hold their weights from the start


def statement(w: Any, node: cst.Call) -> list[Any] | None:
    """What stands for the statement; None if it does not speak of initial values."""
    found = init_call(w, node)
    if found is not None:
        name, target, args = found
        return _set(w, node, name, target, args)
    if isinstance(node.func, cst.Attribute) and node.func.attr.value == "apply" and len(node.args) == 1:
        return _apply(w, node)
    return None


def init_call(w: Any, node: cst.Call) -> tuple[str, cst.BaseExpression, list[cst.Arg]] | None:
    symbol = w.fact(node.func).symbol
    last = symbol.rpartition(".")[2]
    if symbol.startswith("helpers.") and last in init_values.SIGNATURES and node.args:
        return last, node.args[0].value, list(node.args[1:])
    if symbol.startswith(("torch.nn.init.", "timm.")) and (last in init_values.SIGNATURES or symbol.startswith(
            "torch.nn.init.")):
        if last not in init_values.SIGNATURES or not node.args:
            raise Refused("P203", f"`nn.init.{last}` has no initialiser in Keras", node)
        first = next((a for a in node.args if a.keyword is not None and a.keyword.value == "tensor"), node.args[0])
        return last, first.value, [a for a in node.args if a is not first]
    func = node.func
    if isinstance(func, cst.Attribute) and func.attr.value in init_values.METHODS:
        target = func.value
        held = target.value if isinstance(target, cst.Attribute) and target.attr.value == "data" else target
        if isinstance(held, cst.Attribute) and (held is not target or held.attr.value in ("weight", "bias")):
            return init_values.METHODS[func.attr.value], held, list(node.args)
    return None


def _set(w: Any, node: cst.Call, name: str, target: cst.BaseExpression, args: list[cst.Arg]) -> list[Any]:
    if isinstance(target, cst.Attribute) and target.attr.value == "data":
        target = target.value
    if w.options.init == "framework":
        return []
    if isinstance(target, cst.Attribute):
        place = _place(w, target)
        if place is not None:
            owner, weight, short = place
            swapped = weight == "embeddings"
            if short in EARLY:
                return assign_own(w, build(f"{{o}}.{weight}", o=owner), name, args)
            made = init_values.draw(w, name, args, swapped).node
            return [cst.Assign([cst.AssignTarget(cst.Attribute(owner, cst.Name(f"{weight}_initializer")))], made)]
        if _is_own(w, target):
            return assign_own(w, w.expr(target), name, args)
        if (kinds := _named_differently(w, target)) is not None:
            return [_by_kind(w, target, name, args, kinds)]
        if (missing := _missing(w, target.value)) is not None:
            return [cst.Raise(build(f"AttributeError({missing!r})"))]
    raise Refused("P203", f"`{name}` of `{code(target)}`: Keras makes the weights of layers at the first call; set the "
                  "layer's `kernel_initializer` where it is made", node)


def _named_differently(w: Any, target: cst.Attribute) -> dict[str, list[str]] | None:
    """Keras' names of the weight -> the classes of which isinstance says that the module is one; None if it has one."""
    found: dict[str, list[str]] = {}
    for kind in narrowed(w, target).get(code(target.value), ()) if target.attr.value in ("weight", "bias") else ():
        found.setdefault("" if kind in EARLY else weight_name(kind, target.attr.value), []).append(kind)
    return found if len(found) > 1 and "" not in found else None


def _by_kind(w: Any, target: cst.Attribute, name: str, args: list[cst.Arg], kinds: dict[str, list[str]]) -> cst.If:
    """`m.weight` of a Linear or an Embedding: each kind of layer has a name of its own for it."""
    chain: cst.If | cst.Else | None = None
    for weight, names in reversed(kinds.items()):
        made = init_values.draw(w, name, args, weight == "embeddings").node
        place = cst.Attribute(w.expr(target.value), cst.Name(f"{weight}_initializer"))
        body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(place)], made)])])
        if chain is None:
            chain = cst.Else(body)
            continue
        classes = [write_class(w, target, f"torch.nn.{n}") for n in names]
        asked = classes[0] if len(classes) == 1 else cst.Tuple([cst.Element(c) for c in classes])
        chain = cst.If(build("isinstance({m}, {c})", m=w.expr(target.value), c=asked), body, chain)
    assert isinstance(chain, cst.If)
    return chain


def assign_own(w: Any, target: Any, name: str, args: list[cst.Arg]) -> list[Any]:
    """A weight of the class itself exists from the start."""
    made = init_values.draw(w, name, args)
    if made.fans:
        w.helper("fill")
        return [cst.Expr(build("fill({t}, {i})", t=target, i=made.node))]
    return [_assigned(target, made.node)]


def _assigned(target: Any, made: Any) -> cst.Expr:
    return cst.Expr(build("{t}.assign({i}({t}.shape, {t}.dtype))", t=target, i=made))


def _missing(w: Any, node: cst.BaseExpression) -> str | None:
    """What Python says of `m.bn3`, if the class that isinstance asked for has no such attribute."""
    cls = narrowed_class(w, node.value) if isinstance(node, cst.Attribute) else None
    if cls is None or not isinstance(node, cst.Attribute) or any(b.symbol != "torch.nn.Module" for b in cls.bases):
        return None
    name = node.attr.value
    dynamic = anyname.ANY in cls.attrs or members.methods(cls, "__getattr__")
    if name in cls.attrs or dynamic or members.methods(cls, name) or name in members.MODULE_METHODS:
        return None
    return f"{cls.name!r} object has no attribute {name!r}"


def _is_own(w: Any, target: cst.Attribute) -> bool:
    fact = w.fact(target)
    return fact.kind is Kind.TENSOR and any(isinstance(o.payload, SelfOf) for o in options(w.fact(target.value)))


def _place(w: Any, target: cst.Attribute) -> tuple[Any, str, str] | None:
    """(layer as an expression, Keras' name of the weight, class of the module)."""
    name = target.attr.value
    if name not in ("weight", "bias") and not name.startswith("in_proj"):
        return None
    layer = known_layer(w, target.value)
    if layer is not None:
        short = layer.symbol.rpartition(".")[2]
        weight = name if short == "MultiheadAttention" else weight_name(short, name)
        return (leaf(w, target.value, layer), weight, short) if weight else None
    kinds = narrowed(w, target).get(code(target.value), ())
    names = {name if k == "MultiheadAttention" else weight_name(k, name) for k in kinds}
    if len(names) != 1 or "" in names:
        return None
    return w.expr(target.value), names.pop(), kinds[0]


def known_layer(w: Any, node: cst.BaseExpression) -> Layer | None:
    """The module that an expression is, if it is one kind of module; `m.bn2` of a class that isinstance tested."""
    fact = w.fact(node)
    if not isinstance(fact.payload, Layer) and isinstance(node, cst.Attribute):
        cls = narrowed_class(w, node.value)
        held = cls.attrs.get(node.attr.value) if cls is not None else None
        fact = held if held is not None else fact
    found = [o.payload for o in options(fact) if isinstance(o.payload, Layer)]
    if not found or len({f.symbol.rpartition(".")[2][:9] for f in found}) > 1:
        return None
    return found[0]


# ---------------------------------------------------------------- what isinstance says
def narrowed(w: Any, node: cst.CSTNode) -> dict[str, tuple[str, ...]]:
    """Text -> classes of torch.nn that it is, where the node stands."""
    return {k: tuple(v) for k, v in _tests(w).get(node, {}).items() if not isinstance(v, Class)}


def narrowed_class(w: Any, node: cst.BaseExpression) -> Class | None:
    found = _tests(w).get(node, {}).get(code(node))
    return found if isinstance(found, Class) else None


def _tests(w: Any) -> dict[cst.CSTNode, dict[str, Any]]:
    known = w.it.notes.get("isinstance tests")
    if known is None:
        known = w.it.notes["isinstance tests"] = {}
        _collect(w, w.it.module, {}, known)
    return known


def _collect(w: Any, node: cst.CSTNode, held: dict[str, Any], found: dict[cst.CSTNode, dict[str, Any]]) -> None:
    if not held and type(node) is not cst.If:
        inner: set[cst.CSTNode] = set()
        for each in find(node, cst.If):
            if each not in inner:
                inner.update(find(each, cst.If))
                _collect(w, each, held, found)
        return
    if type(node) in (cst.Attribute, cst.Comparison, cst.Name):
        found[node] = held
    if type(node) is cst.If:
        inside = {**held, **said(w, node.test)}
        _collect(w, node.test, inside, found)
        _collect(w, node.body, inside, found)
        if node.orelse is not None:
            _collect(w, node.orelse, held, found)
        return
    for child in children(node):
        _collect(w, child, held, found)


def said(w: Any, test: cst.BaseExpression) -> dict[str, Any]:
    """What is known where the test holds."""
    if isinstance(test, cst.BooleanOperation):
        if isinstance(test.operator, cst.And):
            return {**said(w, test.left), **said(w, test.right)}
        left, right = said(w, test.left), said(w, test.right)
        return {k: [*left[k], *right[k]] for k in left.keys() & right.keys()
                if isinstance(left[k], list) and isinstance(right[k], list)}
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Name) and test.func.value == "isinstance" and len(
            test.args) == 2:
        return _classes(w, code(test.args[0].value), test.args[1].value)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        asked = test.left
        if isinstance(asked, cst.Call) and code(asked.func) == "type" and isinstance(
                test.comparisons[0].operator, cst.Is | cst.Equal):
            return _classes(w, code(asked.args[0].value), test.comparisons[0].comparator)
        word = found_word(asked)
        if word is not None and isinstance(test.comparisons[0].operator, cst.NotEqual) and word[1] in FAMILIES:
            return {_module_of(w, word[0]): FAMILIES[word[1]]}
    return {}


def found_word(node: cst.BaseExpression) -> tuple[cst.BaseExpression, str] | None:
    """`classname.find('Conv')`: (classname, 'Conv')."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "find" and len(
            node.args) == 1 and isinstance(node.args[0].value, cst.SimpleString):
        return node.func.value, str(node.args[0].value.evaluated_value)
    return None


def _module_of(w: Any, name: cst.BaseExpression) -> str:
    """`m` of `classname = m.__class__.__name__`."""
    text = code(name)
    for at in find(w.it.module, cst.Assign):
        if code(at.targets[0].target) == text and code(at.value).endswith(".__class__.__name__"):
            return code(at.value).removesuffix(".__class__.__name__")
    return text.removesuffix(".__class__.__name__")


def _classes(w: Any, text: str, node: cst.BaseExpression) -> dict[str, Any]:
    nodes = [e.value for e in node.elements] if isinstance(node, cst.Tuple | cst.List) else [node]
    facts = [w.fact(n) for n in nodes]
    if len(facts) == 1 and isinstance(facts[0].payload, Class):
        return {text: facts[0].payload}
    symbols = [f.symbol for f in facts]
    if not all(s.startswith("torch.nn.") for s in symbols):
        return {}
    return {text: [s.removeprefix("torch.nn.").rpartition(".")[2].lstrip("_") for s in symbols]}


# ---------------------------------------------------------------- has it a bias, and other attributes
def has_weight(w: Any, node: cst.Comparison) -> Any:
    """`m.bias is not None` before the weights exist: `m.use_bias`; None if it is another comparison."""
    if len(node.comparisons) != 1 or code(node.comparisons[0].comparator) != "None":
        return None
    return _has(w, node.left, isinstance(node.comparisons[0].operator, cst.IsNot))


def exists_weight(w: Any, node: cst.Call, function: Function) -> Any:
    """The same for `exists(m.bias)` of the user's `exists`, which says whether its argument is not None."""
    body = function.node.body if isinstance(function.node, cst.FunctionDef) else None
    name = next(iter(function.params), "")
    if len(node.args) != 1 or len(function.params) != 1 or body is None or (
            code(body).strip() != f"return {name} is not None"):
        return None
    return _has(w, node.args[0].value, True)


def check_exists(w: Any, node: cst.Call) -> None:
    """Refuse `own_init_(m.weight)` of a layer that isinstance knows: Keras has no such weight before the first call."""
    for value in (a.value for a in node.args):
        if isinstance(value, cst.Attribute) and value.attr.value in ("weight", "bias") and (
                narrowed(w, value).get(code(value.value))):
            raise Refused("P203", f"`{code(value)}`: Keras makes the weights of layers at the first call; set the "
                          "layer's `kernel_initializer` where it is made", node)


def _has(w: Any, left: cst.BaseExpression, positive: bool) -> Any:
    if not isinstance(left, cst.Attribute) or left.attr.value not in ("weight", "bias"):
        return None
    place = _place(w, left)
    if place is None or place[2] in EARLY:
        return None
    owner, weight, _ = place
    attribute = {"bias": "use_bias", "beta": "center", "gamma": "scale"}.get(weight)
    if attribute is None:
        return cst.Name(str(positive))
    found = build(f"{{o}}.{attribute}", o=owner)
    return found if positive else build("not {x}", x=found)


def attribute(w: Any, node: cst.Attribute) -> Any:
    """`m.out_channels` of a module that isinstance knows: Keras' name of the setting."""
    name = node.attr.value
    if name not in SETTINGS or not narrowed(w, node).get(code(node.value)):
        return None
    return node.with_changes(value=w.expr(node.value), attr=cst.Name(SETTINGS[name]))


def class_word(w: Any, node: cst.Call) -> Any:
    """`classname.find('Linear')`, of a class name: the word that Keras' classes have."""
    word = found_word(node)
    if word is None or _module_of(w, word[0]) == code(word[0]):
        return None
    if word[1] not in KERAS_WORDS:
        raise Refused("P203", f"no class of Keras is called like `{word[1]}`: ask isinstance", node)
    new = cst.SimpleString(repr(KERAS_WORDS[word[1]]))
    return node.with_changes(args=[node.args[0].with_changes(value=new)])


def _apply(w: Any, node: cst.Call) -> list[Any] | None:
    """`self.apply(f)` runs f on each module: a loop over the layers."""
    assert isinstance(node.func, cst.Attribute)
    owner = node.func.value
    function = w.fact(node.args[0].value)
    held = function.payload
    if w.options.init == "framework" and isinstance(held, Function) and initially.only(
            w.it, held.node.body, held, set()):
        return []
    if w.fact(owner).kind not in (Kind.LAYER, Kind.MODEL):
        return None
    if not isinstance(function.payload, Function) and function.kind is not Kind.FUNCTION:
        raise Refused("P204", "what `apply` is given is not known to be a function", node)
    foreign.check_applied(function, node)
    loop = cst.parse_statement("for module in OWNER._flatten_layers():\n    FUNCTION(module)\n")
    assert isinstance(loop, cst.For)
    call = build("{f}(module)", f=w.expr(node.args[0].value))
    body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Expr(call)])])
    return [loop.with_changes(iter=build("{o}._flatten_layers()", o=w.expr(owner)), body=body)]
