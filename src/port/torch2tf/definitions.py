"""Functions and classes of the user, as they are defined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, tensor
from port.names import Names
from port.scopes import Env
from port.torch2tf import owngradients
from port.torch2tf.values import (
    BOTTOM,
    NONE,
    PLAIN,
    Class,
    Function,
    Places,
    one_of,
    put,
)
from port.tree import code, find, memo, walk

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


# Methods that only tensors have: proof that a parameter is one.
TENSOR_METHODS = frozenset("""
    add add_ amax argmax bmm chunk clamp clone contiguous copy_ cumsum detach dim exp expand expand_as flatten float
    gather half index_select log long masked_fill masked_fill_ matmul mean mT mul mul_ new_zeros norm numel permute
    pow relu repeat repeat_interleave requires_grad_ reshape scatter sigmoid size softmax sqrt squeeze tanh to topk
    transpose type_as unbind unsqueeze view view_as flip scatter_ scatter_add scatter_add_ index_add index_add_
    index_copy index_fill unfold narrow logsumexp masked_select masked_scatter new_ones new_full new_tensor new_empty
    amin addmm baddbmm addcmul addcdiv lerp rsqrt erf clamp_ clamp_min clamp_max log_softmax mm mv tril triu
    ndimension sub_ div_ fill_ zero_ normal_ uniform_ bernoulli_ index_put index_put_ cumprod mH eq ne ge gt le lt
    bfloat16 double type chunk_ roll diag_embed movedim""".split())
TENSOR_WORDS = ("dim", "keepdim", "unbiased")  # keywords that NumPy's methods of the same names do not have
PICKING = ("index_select", "gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "index_add", "index_add_",
           "index_copy", "index_copy_", "index_fill", "index_fill_", "take_along_dim")
WHOLE = Fact(Kind.PLAIN, dtype="int")  # a Python int
NUMBERS = {"int": WHOLE, "float": Fact(Kind.PLAIN, dtype="float"), "bool": PLAIN, "str": PLAIN}


def define(it: Interp, node: cst.FunctionDef | cst.ClassDef, env: Env) -> None:
    helper = it.helpers.get(node)
    if helper:
        env.names[node.name.value] = Fact(Kind.FUNCTION, symbol=f"helpers.{helper}")
        return
    if isinstance(node, cst.ClassDef):
        fact = Fact(Kind.FUNCTION, payload=define_class(it, node, env))
    else:
        fact = Fact(Kind.FUNCTION, payload=make_function(it, node, env))
    env.names[node.name.value] = fact
    for decorator in node.decorators:
        it.ev(decorator.decorator, env)


def make_function(it: Interp, node: cst.FunctionDef, env: Env, owner: Class | None = None) -> Function:
    function = it.functions.get(node)
    if function is not None:
        function.env = env
        return function
    function = it.functions[node] = Function(node.name.value, node, env, owner, native=it.native, file=it.file)
    read_parameters(function, node.params)
    params = frozenset(function.params)
    function.evidence = _evidence(it.names, node) & params
    function.bounded = (_in_bounds(node) & params) - function.evidence
    function.picks = _picks(it.names, node) & params
    function.static = any(isinstance(d.decorator, cst.Name) and d.decorator.value == "staticmethod"
                          for d in node.decorators)
    function.applied = owngradients.is_applied(it.names, node)
    function.yields = bool(find(node.body, cst.Yield, enter_functions=False))
    if owner is None and env is not it.globals:
        it.enqueue(function)
    return function


def read_parameters(function: Function, params: cst.Parameters) -> None:
    for p in (*params.posonly_params, *params.params, *params.kwonly_params):
        function.params.append(p.name.value)
        if p.default is not None:
            function.defaults[p.name.value] = p.default
        if p.annotation is not None:
            function.hints[p.name.value] = code(p.annotation.annotation)
    if isinstance(params.star_arg, cst.Param):
        function.star = params.star_arg.name.value
    if params.star_kwarg is not None:
        function.kwstar = params.star_kwarg.name.value


@memo
def _evidence(names: Names, node: cst.FunctionDef) -> frozenset[str]:
    """Variables that are used as only a tensor can be: by its methods, or as the input of a torch function."""
    found = set()
    if not names.uses("torch2tf"):  # NumPy's arrays have the same methods
        return frozenset()
    sliced, arrays = set(), False
    for n in walk(node.body):
        if type(n) in (cst.Attribute, cst.Call) and (base := _used_as_tensor(n)):
            found |= base
        elif type(n) is cst.Subscript and len(n.slice) > 1 and any(type(s.slice) is cst.Slice for s in n.slice):
            sliced.add(_indexed(n))  # `x[:, 1:]`: lists are not indexed so
        elif type(n) is cst.Name:
            arrays = arrays or names.bound.get(n.value, "").startswith("numpy")
        elif type(n) is cst.Call and n.args and isinstance(n.args[0].value, cst.Name):
            symbol = names.resolve(n.func)
            if symbol.startswith(("torch.nn.functional.", "einops.")) or (
                    symbol.startswith("torch.") and symbol.count(".") == 1 and symbol.islower()
                    and symbol not in _NUMBERS_FIRST):
                found.add(n.args[0].value.value)
    return frozenset(found if arrays else found | sliced)


@memo
def _in_bounds(node: cst.FunctionDef) -> frozenset[str]:
    """Variables of which a chained comparison is asserted, `assert 0 <= p <= 1`: they are numbers."""
    chains = [n for a in find(node.body, cst.Assert) for n in walk(a.test)
              if type(n) is cst.Comparison and len(n.comparisons) > 1]
    return frozenset(c.comparator.value for n in chains for c in n.comparisons
                     if isinstance(c.comparator, cst.Name))


def _used_as_tensor(n: cst.CSTNode) -> set[str]:
    """x of `x.view`, `x[:, 0].flip`, `x.var(dim=0)`; x and y of `(x - y).pow(2)`: numbers have no such methods."""
    if type(n) is cst.Attribute:
        return _operands(n.value) if n.attr.value in ("mT", "mH") else set()
    if type(n) is not cst.Call or type(n.func) is not cst.Attribute:
        return set()
    known = n.func.attr.value in TENSOR_METHODS or any(  # `settings.dim`, which is not called, is no method
        a.keyword is not None and a.keyword.value in TENSOR_WORDS for a in n.args)
    return _operands(n.func.value) if known else set()


def _operands(node: cst.CSTNode) -> set[str]:
    """The names that an expression is computed from by arithmetic."""
    if isinstance(node, cst.BinaryOperation):
        return _operands(node.left) | _operands(node.right)
    if isinstance(node, cst.UnaryOperation):
        return _operands(node.expression)
    return {name} if (name := _indexed(node)) else set()


def _indexed(node: cst.CSTNode) -> str:
    """x of `x` and `x[:, -1]`."""
    while isinstance(node, cst.Subscript):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""


@memo
def _picks(names: Names, node: cst.FunctionDef) -> frozenset[str]:
    """Variables that pick elements of a tensor: whole numbers."""
    found = set()
    for n in find(node.body, cst.Call):
        if not isinstance(n.func, cst.Attribute):
            continue
        symbol = names.resolve(n.func)
        plain = [a.value for a in n.args if a.keyword is None]
        named = [a.value for a in n.args if a.keyword is not None and a.keyword.value == "index"]
        if symbol in ("torch.nn.functional.one_hot", "torch.nn.functional.embedding"):
            named += plain[:1]
        elif n.func.attr.value in PICKING:
            named += plain[2:3] if symbol.startswith("torch.") else plain[1:2]
        for value in named:
            while isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
                value = value.func.value
            found.add(_indexed(value))
    return frozenset(found)


_NUMBERS_FIRST = {"torch.arange", "torch.zeros", "torch.ones", "torch.full", "torch.eye", "torch.rand", "torch.randn",
                  "torch.linspace", "torch.tensor", "torch.device", "torch.randint", "torch.empty", "torch.load",
                  "torch.as_tensor", "torch.from_numpy", "torch.manual_seed", "torch.is_tensor", "torch.randperm"}


def define_class(it: Interp, node: cst.ClassDef, env: Env) -> Class:
    cls = it.classes.get(node)
    if cls is not None:
        return cls
    cls = it.classes[node] = Class(node.name.value, node, env, file=it.file)
    for base in node.bases:
        fact = it.ev(base.value, env)
        cls.bases.append(fact)
        if isinstance(fact.payload, Class):
            cls.root = cls.root or fact.payload.root
            cls.attrs, cls.readers, cls.places = fact.payload.attrs, fact.payload.readers, fact.payload.places
            cls.setters = fact.payload.setters
            fact.payload.subclasses.append(cls)
        elif fact.symbol.startswith("torch."):
            cls.root = cls.root or fact.symbol
    if cls.is_module:
        _give_root(cls, cls.root)
    body_env = Env(env)
    from port.torch2tf import flow

    for statement in node.body.body:
        if isinstance(statement, cst.FunctionDef):
            cls.methods[statement.name.value] = make_function(it, statement, env, cls)
            for decorator in statement.decorators:
                it.ev(decorator.decorator, env)
        elif isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                flow.simple(it, small, body_env)
                if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                    cls.fields.append(small.target.value)
                    body_env.names.setdefault(small.target.value, _of_field(it, small))
        elif isinstance(statement, cst.BaseCompoundStatement):
            flow.compound(it, statement, body_env)
    for name, fact in body_env.names.items():
        held = fact.but(values=None) if fact.kind is Kind.PLAIN else fact
        cls.attrs[name] = put(cls.places.setdefault(name, Places()), (node, name), held)
    return cls


def _give_root(cls: Class, root: str) -> None:
    """What a module inherits from has its `forward`, also without a base of the framework of its own."""
    for above in (base.payload for base in cls.bases if isinstance(base.payload, Class)):
        if not above.root:
            above.root = root if "forward" in above.methods else ""
            _give_root(above, root)


def _of_field(it: Interp, node: cst.AnnAssign) -> Fact:
    """What the hint of a field says; a class or function that the constructor is given is known from its callers."""
    hint = code(node.annotation.annotation)
    return hinted(it, hint) or (BOTTOM if "Callable" in hint else UNKNOWN)


def classes_hinted(function: Function, hint: str) -> Fact | None:
    """The classes of modules that `type[Block]` or `type[Union[Block, Other]]` names: any of them may be passed."""
    bare = re.sub(r"[\s\"']", "", hint)
    held = re.fullmatch(r"(?:typing\.)?[tT]ype\[(?:(?:typing\.)?Union\[([\w.,]+)\]|([\w.|]+))\]", bare)
    if held is None:
        return None
    found = [function.env.get(name) for name in re.split("[,|]", held[1] or held[2])]
    known = all(f is not None and isinstance(f.payload, Class) and f.payload.is_module for f in found)
    return one_of(f for f in found if f is not None) if known else None


def hinted(it: Interp, hint: str) -> Fact | None:
    """What a type hint says."""
    bare = hint.replace(" ", "").strip("\"'")
    optional = bare.startswith("Optional[") or bare.endswith("|None") or bare.startswith("None|")
    bare = bare.removeprefix("Optional[").removesuffix("]") if optional and "[" in bare else bare
    bare = bare.removesuffix("|None").removeprefix("None|")
    symbol = it.names.resolve_text(bare)
    last = bare.rpartition(".")[2]
    if symbol in ("torch.Tensor", "torch.FloatTensor", "torch.LongTensor", "torch.BoolTensor", "torch.IntTensor") or (
            last == "Tensor" and (symbol or bare == "Tensor")):
        dtype = {"LongTensor": "int64", "BoolTensor": "bool", "IntTensor": "int32", "FloatTensor": "float"}.get(last)
        return tensor(None, dtype).but(values=NONE.values if optional else None)
    return NUMBERS.get(bare)
