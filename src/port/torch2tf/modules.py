"""Facts of modules: made, held in containers, and applied to tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout, tensor
from port.torch2tf import (
    alike,
    anyname,
    assignments,
    meetings,
    members,
    modshapes,
    namedchildren,
    opshapes,
    outcomes,
    users,
)
from port.torch2tf.values import (
    BOTTOM,
    PLAIN,
    Alternatives,
    Chain,
    Function,
    Instance,
    Items,
    Layer,
    Mapping,
    Origin,
    SelfOf,
    can_flip,
    join,
    options,
    put,
    put_inputs,
    same,
    tensors_in,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


# Parameters of layers that are Python ints.
WHOLE = frozenset(("in_features", "out_features", "in_channels", "out_channels", "num_features", "num_embeddings",
                   "embedding_dim", "embed_dim", "hidden_size", "input_size", "num_heads", "groups", "num_groups"))


# Methods of nn.quantized.FloatFunctional, which is not ported, but others hold what it gives beside the ported.
FUNCTIONAL = {"cat": "cat", "add": "add", "add_relu": "add", "mul": "mul"}


# ---------------------------------------------------------------- made
def make(it: Interp, node: cst.Call, symbol: str, args: list[Fact]) -> Fact:
    """A call of a class of torch.nn."""
    name = symbol.rpartition(".")[2]
    if name == "Sequential":
        return _chain(it, node, args)
    if name in ("ModuleList", "ParameterList"):
        items = args[0].payload if args else None
        if isinstance(items, Items):
            made = Items(list(items.elements), "modules", items.open, depth=it.depth)
            return Fact(Kind.LAYER, symbol=symbol, payload=it.renewed(node, made))
        element = members.element_of(it, args[0]) if args else None
        made = Items([] if element is None else [element], "modules", element is not None, depth=it.depth)
        return Fact(Kind.LAYER, symbol=symbol, payload=it.renewed(node, made))
    if name in ("ModuleDict", "ParameterDict"):
        given = args[0].payload if args else None
        found = Mapping(dict(given.values), given.any, "modules") if isinstance(given, Mapping) else Mapping(
            kind="modules")
        return Fact(Kind.LAYER, symbol=symbol, payload=it.renewed_dict(node, found))
    if name in ("Parameter", "Buffer"):
        inner = args[0] if args else tensor()
        return tensor(inner.shape, inner.dtype or "float").but(symbol="weight")
    return _layer(it, node, symbol)


def _layer(it: Interp, node: cst.Call, symbol: str) -> Fact:
    layer = it.layers.setdefault((node, symbol), Layer(node, symbol, {}, {}))
    names = modshapes.parameters(it, symbol)
    at = 0
    for arg in node.args:
        if arg.star:
            layer.problem = f"`{arg.star}` arguments hide what the layer is given"
            continue
        name = arg.keyword.value if arg.keyword is not None else names[at] if at < len(names) else f"?{at}"
        at += arg.keyword is None
        layer.bound[name] = arg.value
        layer.facts[name] = it.fact(arg.value)
        if name in WHOLE:
            users.prove_whole(it, arg.value)
    return Fact(Kind.LAYER, symbol=symbol, payload=layer)


def _chain(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    chain = it.objects.get(node)
    if not isinstance(chain, Chain):
        chain = it.objects[node] = Chain(node, depth=it.depth)
    children: list[Fact] = []
    for arg, given in zip(node.args, args, strict=True):
        fact = _before(chain, given)
        payload = fact.payload
        if isinstance(payload, Mapping):
            chain.names = [str(k) for k in payload.values]
            children += payload.values.values()
            if payload.any is not None:  # layers[f"block_{i}"] = Block(...)
                chain.open = True
                chain.repeats.add(len(children))
                children.append(payload.any)
        elif isinstance(payload, Items) and arg.star:
            if payload.open:
                chain.open = True
                chain.repeats |= set(range(len(children), len(children) + len(payload.elements)))
            children += payload.elements
        elif arg.star:
            chain.repeats.add(len(children))
            children.append(members.element_of(it, fact))
            chain.open = True
        else:
            children.append(fact)
    before = list(chain.children)
    joined = [join(a, b) for a, b in zip(before, children, strict=False)]
    chain.children = [*joined, *before[len(joined):], *children[len(joined):]]
    if len(before) != len(chain.children) or not all(map(same, before, chain.children)):
        it.touched(chain)
    return Fact(Kind.LAYER, symbol="torch.nn.Sequential", payload=chain)


def _before(chain: Chain, fact: Fact) -> Fact:
    """What `self.g = nn.Sequential(self.g, ...)` wraps: of all that the attribute ever holds, what is not the chain."""
    parts = options(fact)
    kept = tuple(o for o in parts if not _is_or_holds(o, chain))
    if len(kept) == len(parts):
        return fact
    if chain.depth:  # a loop wraps what the turn before has made
        chain.open = True
    return BOTTOM if not kept else kept[0] if len(kept) == 1 else fact.but(payload=Alternatives(kept))


def _is_or_holds(fact: Fact, chain: Chain) -> bool:
    held = fact.payload
    return held is chain or (isinstance(held, Chain) and any(
        _is_or_holds(o, chain) for child in held.children for o in options(child)))


# ---------------------------------------------------------------- applied
def apply(it: Interp, node: cst.Call | None, callee: Fact, args: list[Fact], site: Any = None) -> Fact:
    """`module(x)`; `site` tells the places apart that apply it, where there is no call."""
    payload = callee.payload
    site = node if site is None else site
    if node is not None and isinstance(payload, Layer | Chain):
        _takes_tensor(it, node, args)
        _takes_rank(it, node, callee, args)
    if isinstance(payload, Layer):
        return apply_layer(it, node, payload, args, site)
    if isinstance(payload, Chain):
        payload.inside = True
        result = apply_chain(it, payload, args, site)
        if node is not None and payload.inputs:
            it.wants[node] = Layout.PLAIN if meetings.is_enclosed(it, payload) else payload.inputs[0].layout
        return result
    if isinstance(payload, Instance):
        return users.apply(it, node, payload, args, site)
    if isinstance(payload, SelfOf):
        return users.apply(it, node, payload, args, site)
    if isinstance(payload, Alternatives):
        if any(meetings.is_enclosed(it, option.payload) for option in payload.options):
            args = [outcomes.as_public(fact) if fact.kind is Kind.TENSOR else fact for fact in args]
        found: Fact | None = None
        with ranks_open(it, payload.options):
            for option in payload.options:
                found = join(found, apply(it, node, option, args, site))
        return found or BOTTOM
    return tensor()


@contextmanager
def ranks_open(it: Interp, modules: Sequence[Fact]) -> Iterator[None]:
    """A setting chooses one of these: if one takes any rank (nn.Linear), that another takes images proves nothing."""
    outer = it.ranks_open
    it.ranks_open |= len(modules) > 1 and any(
        isinstance(m.payload, Layer) and m.payload.symbol.rpartition(".")[2] in modshapes.LAST_AXIS for m in modules)
    try:
        yield
    finally:
        it.ranks_open = outer


def _takes_tensor(it: Interp, node: cst.Call, args: list[Fact]) -> None:
    """What is given to a module of the framework is a tensor: a parameter of which no caller tells."""
    function, first = (it.current[-1] if it.current else None), node.args[0].value if node.args else None
    if function is None or not isinstance(first, cst.Name) or args[0].kind is not Kind.UNKNOWN:
        return
    if first.value in function.params and first.value not in function.evidence and not node.args[0].star and (
            function.held.get(first.value) is args[0]):
        function.evidence |= {first.value}
        it.enqueue(function)


def _takes_rank(it: Interp, node: cst.Call, callee: Fact, args: list[Fact]) -> None:
    """What a module over space is given has the rank that it takes, though nothing else tells of it."""
    rank = _spatial_rank(it, Chain(node, [callee])) or namedchildren.spatial_rank(callee)
    if rank is None or it.ranks_open or not args or node.args[0].star:
        return
    if args[0].kind is Kind.TENSOR and args[0].shape is None:
        it.ranks[node.args[0].value] = rank


def apply_layer(it: Interp, node: cst.Call | None, layer: Layer, args: list[Fact], site: Any) -> Fact:
    enclosed = meetings.is_enclosed(it, layer)
    if enclosed and args and args[0].kind is Kind.TENSOR:
        args = [_inward(it, args[0], modshapes.SPATIAL.get(layer.symbol.rpartition(".")[2])), *args[1:]]
    put_inputs(layer, site, [_bare(fact) for fact in args])
    result, want = modshapes.result(it, layer, args)
    if enclosed:
        result, want = outcomes.as_public(result), Layout.PLAIN
    if node is not None:
        it.wants[node] = want
    layer.output = put(layer.results, site, _bare(result))
    return result


def _inward(it: Interp, x: Fact, rank: int | None) -> Fact:
    """What the inside of an enclosed module gets: its tensor, channels last."""
    it.prove_rank(x, rank)
    return tensor(x.shape if x.shape is not None or rank is None else (None,) * rank, x.dtype, Layout.FLIPPED)


def _bare(fact: Fact) -> Fact:
    return fact.but(payload=None) if fact.kind is Kind.TENSOR else fact


def apply_chain(it: Interp, chain: Chain, args: list[Fact], site: Any) -> Fact:
    x = args[0] if args else tensor()
    if x is BOTTOM:
        return BOTTOM
    enclosed = meetings.is_enclosed(it, chain)
    if enclosed and x.kind is Kind.TENSOR:
        rank = _spatial_rank(it, chain)
        x = _inward(it, x, rank) if rank is not None else x
    if x.kind is Kind.TENSOR and x.layout is Layout.PLAIN:
        rank = _spatial_rank(it, chain)
        already = bool(chain.inputs) and chain.inputs[0].layout is Layout.FLIPPED
        if x.shape is None and rank:
            it.prove_rank(x, rank)
        if (rank is not None and (x.rank == rank or x.shape is None)) or (already and can_flip(x)):
            it.want_flipped(x)
            shape = x.shape if x.shape is not None else (None,) * (rank or 4)
            x = x.but(shape=shape, layout=Layout.FLIPPED, payload=None)
    put_inputs(chain, site, [_bare(x)])
    x = _through(it, chain, x, site)
    if enclosed:
        chain.inner, x = _bare(x), outcomes.as_public(x)
    chain.output = put(chain.results, site, _bare(x))
    return x


def one_layout(it: Interp, modules: Sequence[Fact], args: list[Fact]) -> bool:
    """Where one of several modules is applied, and one of them is over space, all get channels last."""
    if len(modules) < 2 or not args or not can_flip(args[0]) or not any(_spatial(it, m.payload) for m in modules):
        return False
    it.want_flipped(args[0])
    if args[0].layout is Layout.PLAIN:
        args[0] = args[0].but(layout=Layout.FLIPPED, payload=None)
    return True


def _spatial(it: Interp, payload: Any) -> bool:
    if meetings.is_enclosed(it, payload):
        return False
    if isinstance(payload, Layer):
        return modshapes.wish(payload.symbol) is True
    if isinstance(payload, Chain):
        return _spatial_rank(it, payload) is not None
    forwards = members.called(payload, "forward") if isinstance(payload, Instance) else []
    return any(m.chooses and bool(m.arguments) and m.is_flipped(m.arguments[0]) for m in forwards)


def _through(it: Interp, chain: Chain, x: Fact, site: Any) -> Fact:
    """One child after the other; a part that may be repeated takes what it gives as well."""
    at = 0
    while at < len(chain.children):
        end = at + 1
        if at in chain.repeats:
            while end in chain.repeats:
                end += 1
        for turn in range(2 if at in chain.repeats else 1):
            before = x
            for i in range(at, end):
                chain.arrivals.setdefault(i, {})[site, turn] = _bare(x)
                given = [x]
                one_layout(it, options(chain.children[i]), given)
                x = apply(it, None, chain.children[i], given, (site, i, turn))
                _prove_rank(it, chain, i, x)
            x = join(before, x) if turn else x
        at = end
        if not any(True for _ in tensors_in(x)):
            break
    return x


def _prove_rank(it: Interp, chain: Chain, at: int, x: Fact) -> None:
    """What a child gives has the rank, and should have the layout, that the next one takes, or another of its place."""
    after = at if at in chain.repeats else at + 1
    if x.kind is not Kind.TENSOR or x.layout is Layout.FLIPPED or after >= len(chain.children):
        return
    for child in options(chain.children[after]):
        part = Chain(chain.node, [child])
        rank = _spatial_rank(it, part)
        if rank is not None:
            for giver in options(chain.children[at]):
                users.prove_result(it, giver.payload, rank)


def apply_roots(it: Interp) -> None:
    """Sequentials that no code of the file applies: their users give them tensors in the source's layout."""
    chains = [c for c in it.objects.values() if isinstance(c, Chain)]
    inner = {id(child.payload) for chain in chains for child in chain.children}
    for chain in [c for c in chains if c.given.keys() <= {"root"} and id(c) not in inner]:
        rank = _spatial_rank(it, chain)
        if chain.given.keys() - {"root"}:  # inside another one that was applied meanwhile
            continue
        if chain.looped and any(isinstance(c.payload, Layer) and c.payload.given for c in chain.children):
            continue  # a loop applies its children
        if rank is not None:
            chain.output = apply_chain(it, chain, [tensor((None,) * rank, "float", Layout.FLIPPED)], "root")
            continue
        # The input as if it were a parameter: what is done with it may prove its rank.
        given = Function("<input>", cst.Lambda(cst.Parameters(), cst.Name("None")), it.globals)
        apply_chain(it, chain, [tensor(None, "float").but(payload=Origin(given, "x"))], "root")
        it.drain()
        known = given.ranks.get("x")
        chain.output = None
        chain.output = apply_chain(it, chain, [tensor(None if known is None else (None,) * known, "float")], "root")


def _spatial_rank(it: Interp, chain: Chain) -> int | None:
    """The rank that the first of its modules over space takes; None if one before it wants the source's axes."""
    for child in chain.children:
        payload = child.payload
        if meetings.is_enclosed(it, payload):
            return None
        if isinstance(payload, Layer):
            if modshapes.wish(payload.symbol) is False:
                return None
            rank = modshapes.SPATIAL.get(payload.symbol.rpartition(".")[2])
            if rank is not None and not payload.symbol.rpartition(".")[2].startswith("Dropout"):
                return rank
        elif isinstance(payload, Chain):
            return _spatial_rank(it, payload)
        elif isinstance(payload, Instance):
            for method in members.called(payload, "forward"):
                if alike.taken(it, method):
                    continue
                first = method.arguments[0] if method.arguments else ""
                held = method.held.get(first)
                return held.rank if held is not None and method.is_flipped(first) else None
    return None


# ---------------------------------------------------------------- methods of modules
def method(it: Interp, node: cst.Call, name: str, owner: Fact, args: list[Fact]) -> Fact:
    payload = owner.payload
    if name in ("forward", "__call__"):
        return apply(it, node, owner, args)
    if name in ("to", "cuda", "cpu", "eval", "train", "half", "float", "double", "requires_grad_", "apply", "type"):
        return owner
    if isinstance(payload, Items) and name in ("append", "extend", "insert", "pop"):
        from port.torch2tf import calls

        return calls._list_method(it, node, payload, name, args)
    if isinstance(payload, Items) and name in ("add_module", "register_module") and len(args) == 2:
        return _named(it, node, payload, args)
    if isinstance(payload, Mapping) and name in ("items", "values", "keys"):
        from port.torch2tf import dicts

        return dicts.method(it, node, payload, name, args)
    if isinstance(payload, Chain) and name in ("append", "extend", "add_module", "insert"):
        return _grow(it, payload, name, args)
    if name in namedchildren.METHODS and (parts := namedchildren.listed(it, owner, name)) is not None:
        return parts
    if isinstance(payload, SelfOf):
        return _own(it, node, payload, name, args)
    if isinstance(payload, Layer) and payload.symbol.endswith(".FloatFunctional") and name in FUNCTIONAL:
        return opshapes.function(it, node, FUNCTIONAL[name], args)
    return PLAIN


def _named(it: Interp, node: cst.Call, items: Items, args: list[Fact]) -> Fact:
    """`blocks.add_module("pad", module)` of an nn.ModuleList."""
    if items.add(node, args[1], it.depth):
        it.touched(items)
    name = args[0].literal(...)
    if isinstance(name, str):
        items.names[name] = items.sites[node]
    else:
        items.counted = True
    return PLAIN


def _grow(it: Interp, chain: Chain, name: str, args: list[Fact]) -> Fact:
    new = args[-1] if args else UNKNOWN
    if all(not same(new, child) for child in chain.children):
        if it.depth > chain.depth:
            chain.repeats.add(len(chain.children))
        chain.children.append(new)
        chain.open = True
        it.touched(chain)
    return Fact(Kind.LAYER, symbol="torch.nn.Sequential", payload=chain)


def _own(it: Interp, node: cst.Call, owner: SelfOf, name: str, args: list[Fact]) -> Fact:
    if name in ("add_module", "register_module") and anyname.is_pair(node):
        pair = members.unpack(it, args[0], 2)
        anyname.put(it, owner.cls, pair[0], pair[1], node)
        return PLAIN
    key = args[0].literal(...) if args else ...
    if name in ("add_module", "register_module") and not isinstance(key, str) and len(args) == 2:
        anyname.put(it, owner.cls, args[0], args[1], node)
    if name in ("register_buffer", "register_parameter", "add_module", "register_module") and isinstance(key, str):
        value = args[1] if len(args) > 1 else PLAIN
        value = value.but(payload=None) if value.kind is Kind.TENSOR else value
        assignments.set_attribute(it, owner.cls, key, value, node)
        return PLAIN
    if name in ("modules", "children", "named_modules", "parameters", "named_parameters", "named_children", "buffers"):
        element: Any = tensor() if "parameters" in name or name == "buffers" else UNKNOWN
        if name.startswith("named"):
            element = Fact(Kind.PLAIN, payload=Items([PLAIN, element], "tuple"))
        return Fact(Kind.PLAIN, payload=Items([element], open=True))
    return PLAIN
