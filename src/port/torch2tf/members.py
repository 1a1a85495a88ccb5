"""Facts of attributes, subscripts and elements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.scopes import Env, File
from port.torch2tf import either, foreign, links
from port.torch2tf.values import (
    BOTTOM,
    PLAIN,
    TEXT,
    Alternatives,
    Bound,
    Chain,
    Class,
    Function,
    Instance,
    Items,
    Layer,
    Mapping,
    Origin,
    Origins,
    Partial,
    SelfOf,
    ShapeOf,
    Size,
    is_none,
    join,
    literal,
    one_of,
    options,
    text,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

PLAIN_ATTRIBUTES = {"dtype", "device", "requires_grad", "is_cuda", "is_sparse", "layout", "names", "grad_fn",
                    "is_leaf", "is_floating_point"}
SAME_TENSOR = {"data", "grad", "real"}
MODULE_METHODS = frozenset("""
    add_module apply bfloat16 buffers children cpu cuda double eval extra_repr float forward get_buffer
    get_parameter get_submodule half load_state_dict modules named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_module register_parameter requires_grad_
    _load_from_state_dict _register_load_state_dict_pre_hook _register_state_dict_hook _save_to_state_dict
    register_load_state_dict_post_hook register_load_state_dict_pre_hook
    state_dict to train type zero_grad _modules _parameters _buffers __call__""".split())


def origin_of(fact: Fact) -> Origin | None:
    exact = fact.kind is Kind.TENSOR and isinstance(fact.payload, Origin) and not fact.payload.more
    return fact.payload if exact else None


def origins_of(fact: Fact) -> Iterable[Origin]:
    """The parameters that must have the rank and layout of this tensor."""
    if fact.kind is Kind.TENSOR and isinstance(fact.payload, Origin):
        return (fact.payload,)
    return fact.payload.parts if fact.kind is Kind.TENSOR and isinstance(fact.payload, Origins) else ()


# ---------------------------------------------------------------- attributes
def attribute(it: Interp, node: cst.Attribute, owner: Fact, env: Env) -> Fact:
    name = node.attr.value
    if (told := of_callable(owner, name)) is not None:
        return told
    if owner.kind is Kind.FUNCTION and owner.symbol and owner.payload is None:
        return it.symbol(f"{owner.symbol}.{name}")
    found: Fact | None = None
    for option in options(owner):
        found = join(found, _attribute(it, option, name))
    return found if found is not None else UNKNOWN


def of_callable(owner: Fact, name: str) -> Fact | None:
    """What functions, classes and partials say of themselves: `norm.__name__`, `norm.func`; None of anything else."""
    if owner.kind is not Kind.FUNCTION or name not in ("__name__", "__qualname__", "func", "keywords"):
        return None
    held = [o.payload for o in options(owner)]
    if name.startswith("__"):
        named = all(isinstance(h, Class | Function | Partial) or o.symbol.startswith("torch.nn.") or text(o)
                    for h, o in zip(held, options(owner), strict=True))
        return TEXT if named else None
    if name == "keywords":
        return PLAIN if any(isinstance(h, Partial) for h in held) else None
    inner = [o for h in held if isinstance(h, Partial) for o in options(h.function)]
    return one_of(inner) if inner else None if any(isinstance(h, Class) for h in held) else BOTTOM


def _attribute(it: Interp, owner: Fact, name: str) -> Fact:
    if owner is BOTTOM:
        return of_some_settings(it, name)
    payload = owner.payload
    if owner.kind is Kind.TENSOR:
        return tensor_attribute(owner, name)
    if is_apply(owner, name):
        return owner
    if isinstance(payload, SelfOf):
        return of_self(it, owner, payload, name)
    if isinstance(payload, Instance):
        return of_class(it, owner, payload, name)
    if isinstance(payload, Class):
        return _of_class_object(it, payload, name)
    if isinstance(payload, File):
        return links.member(it, payload, name)
    if isinstance(payload, Mapping) and payload.kind == "modules" and name in payload.values:
        return payload.values[name]
    if isinstance(payload, Items) and name in payload.names:
        return payload.elements[payload.names[name]]
    if isinstance(payload, Chain) and name in payload.names and len(payload.names) == len(payload.children):
        payload.indexed = True
        return payload.children[payload.names.index(name)]
    if isinstance(payload, Items) and name in ("values", "indices") and len(payload.elements) == 2:
        return payload.elements[name == "indices"]  # of x.max(1), x.sort(), x.topk(k)
    if isinstance(payload, Layer):
        payload.read |= name == "weight" and bool(it.current) and it.current[-1].name != "__init__"
        return _maybe_left_out(it, payload, name, layer_attribute(owner, payload, name))
    if owner.kind is Kind.FUNCTION and name.startswith("__"):  # `func.__init__` of what a decorator takes: without end
        return BOTTOM
    kind = ("module" if owner.kind is Kind.LAYER else "shape" if owner.kind is Kind.SHAPE
            else "list" if isinstance(payload, Items) else "dict" if isinstance(payload, Mapping) else "object")
    return Fact(Kind.FUNCTION, symbol=f"{kind}.{name}", payload=Bound(owner, name))


def is_apply(owner: Fact, name: str) -> bool:
    """`Swish.apply` of a function that stands for a class of autograd."""
    return name == "apply" and isinstance(owner.payload, Function) and owner.payload.applied


def of_some_settings(it: Interp, name: str) -> Fact:
    """`config.width` of an unknown `config`: what the one class of settings in this file, or project, says of it."""
    known = [c for c in it.classes.values() if c.fields and not c.is_module and name in c.fields and name in c.attrs]
    known = [c for c in known if c.file is it.file] or known
    found = known[0].attrs[name] if len(known) == 1 else BOTTOM
    return found if found.kind is Kind.PLAIN else BOTTOM


def tensor_attribute(owner: Fact, name: str) -> Fact:
    if name == "shape":
        return Fact(Kind.SHAPE, payload=ShapeOf(owner))
    if name == "ndim":
        return literal(owner.rank) if owner.rank is not None else PLAIN
    if name in ("T", "H"):
        return tensor(None if owner.shape is None else tuple(reversed(owner.shape)), owner.dtype)
    if name in ("mT", "mH"):
        shape = owner.shape
        return tensor(None if shape is None else (*shape[:-2], shape[-1], shape[-2]), owner.dtype)
    if name in SAME_TENSOR:
        return owner
    if name in PLAIN_ATTRIBUTES:
        return Fact(Kind.PLAIN, symbol=f"tensor.{name}", dtype=owner.dtype if name == "dtype" else None)
    return Fact(Kind.FUNCTION, symbol=f"tensor.{name}", payload=Bound(owner.but(values=None), name))


SETTINGS = frozenset("""in_features out_features in_channels out_channels num_features embedding_dim p eps kernel_size
    stride padding dilation num_heads embed_dim hidden_size groups""".split())


def layer_attribute(owner: Fact, layer: Layer, name: str) -> Fact:
    if name in ("weight", "bias", "running_mean", "running_var"):
        return tensor(None, "float")
    if name in layer.facts:
        return layer.facts[name]
    if name in SETTINGS:
        return PLAIN
    return Fact(Kind.FUNCTION, symbol=f"module.{name}", payload=Bound(owner, name))


WITHOUT = {"bias": ("bias", "affine", "elementwise_affine"), "weight": ("affine", "elementwise_affine")}


def _maybe_left_out(it: Interp, layer: Layer, name: str, found: Fact) -> Fact:
    """A bias, or the weights of a norm, that a setting leaves out are None."""
    given = [it.fact(layer.bound[setting]).literal(...) for setting in WITHOUT.get(name, ()) if setting in layer.bound]
    if all(value is True for value in given):
        return found
    return literal(None) if False in given else join(found, literal(None))


def of_self(it: Interp, owner: Fact, payload: SelfOf, name: str) -> Fact:
    cls = payload.cls
    if payload.above:
        for base in cls.bases:
            if isinstance(base.payload, Class):
                method = find_method(base.payload, name)
                if method is not None:
                    return Fact(Kind.FUNCTION, payload=method)
        kind = "module" if cls.is_module or not name.startswith("__") else "object"
        return Fact(Kind.FUNCTION, symbol=f"{kind}.{name}", payload=Bound(owner, name))
    if name == "training":
        return Fact(Kind.PLAIN, symbol="self.training")
    return of_class(it, owner, payload, name)


def of_class(it: Interp, owner: Fact, payload: Instance | SelfOf, name: str) -> Fact:
    """An attribute of an object: what any method of its line of inheritance puts there."""
    cls = payload.cls
    if it.current:
        cls.readers.setdefault(name, {})[it.current[-1]] = None
    if name in cls.attrs:
        return _of_line(cls, name)
    found: Fact | None = None
    for method in called(payload, name):
        if any(_is_property(d) for d in method.node.decorators):  # type: ignore[union-attr]
            method.callers[it.current[-1] if it.current else None] = None
            result = method.result or BOTTOM
        else:
            result = Fact(Kind.FUNCTION, payload=method)
        found = join(found, result)
    if found is not None:
        return found
    if name == "__class__":
        return Fact(Kind.FUNCTION, payload=cls)
    if cls.is_module and name in MODULE_METHODS:
        return Fact(Kind.FUNCTION, symbol=f"module.{name}", payload=Bound(owner, name))
    from port.torch2tf import anyname

    return anyname.held(it, cls) or BOTTOM


def _of_line(cls: Class, name: str) -> Fact:
    """What is put there by the class, those above it and those below it: others that share a base have their own."""
    whole = cls.attrs[name]
    if cls.seen.get(name, (None,))[0] is not whole:
        own = [fact for site, fact in cls.places.get(name, {}).items() if (by := cls.setters.get(site)) is None
               or cls.is_below(by) or by.is_below(cls)]
        joined = len(own) > 1 and any(isinstance(o.payload, Items | Mapping) for fact in own for o in options(fact))
        cls.seen[name] = whole, whole if joined else one_of(own) or whole  # what all append to is one list
    return cls.seen[name][1]


def _is_property(decorator: cst.Decorator) -> bool:
    return isinstance(decorator.decorator, cst.Name) and decorator.decorator.value in ("property", "cached_property")


def _of_class_object(it: Interp, cls: Class, name: str) -> Fact:
    if name in cls.attrs:
        return cls.attrs[name]
    method = find_method(cls, name)
    return Fact(Kind.FUNCTION, payload=method) if method is not None else UNKNOWN


def fields(cls: Class) -> list[str]:
    """The fields of a class of settings, behind those of the classes that it inherits from."""
    above = [name for base in cls.bases if isinstance(base.payload, Class) for name in fields(base.payload)]
    return [*dict.fromkeys([*above, *cls.fields])]


def find_method(cls: Class, name: str) -> Function | None:
    if name in cls.methods:
        return cls.methods[name]
    for base in cls.bases:
        if isinstance(base.payload, Class):
            found = find_method(base.payload, name)
            if found is not None:
                return found
    return None


def called(payload: Instance | SelfOf, name: str) -> list[Function]:
    """The methods of this name that an object may have."""
    if isinstance(payload, Instance) and payload.exact:
        found = find_method(payload.cls, name)
        return [found] if found is not None else []
    return methods(payload.cls, name)


def methods(cls: Class, name: str) -> list[Function]:
    """The method that `self.name` calls: that of the class, and those that subclasses put in its place."""
    found = find_method(cls, name)
    out = [found] if found is not None else []
    todo = list(cls.subclasses)
    while todo:
        sub = todo.pop()
        todo += sub.subclasses
        if name in sub.methods and sub.methods[name] not in out:
            out.append(sub.methods[name])
    return out


# ---------------------------------------------------------------- elements
def element_of(it: Interp, fact: Fact) -> Fact:
    """What a loop over this gives at each turn."""
    payload = fact.payload
    if fact.kind is Kind.TENSOR:
        return tensor(None if not fact.shape else fact.shape[1:], fact.dtype)
    if fact is BOTTOM or is_none(fact):  # nobody goes through None: another value will come
        return BOTTOM
    if isinstance(payload, Items):
        payload.counted = True
        return payload.any() or BOTTOM
    if isinstance(payload, Chain):
        payload.indexed = payload.looped = True
        found: Fact | None = None
        for child in payload.children:
            found = join(found, child)
        return found or BOTTOM
    if fact.kind is Kind.SHAPE:
        return Fact(Kind.PLAIN, payload=Size(None))
    if isinstance(payload, Alternatives):
        whole: Fact | None = None
        for option in payload.options:
            whole = join(whole, element_of(it, option))
        return whole or UNKNOWN
    values = fact.literal(...)
    if isinstance(values, tuple):
        one: Fact | None = None
        for value in values:
            one = join(one, literal(value))
        return one or PLAIN
    return PLAIN if fact.kind is Kind.PLAIN else foreign.made(fact)


def unpack(it: Interp, fact: Fact, count: int) -> list[Fact]:
    """The parts of a value that is assigned to `count` targets."""
    fact = either.part(fact, "tuple") or fact
    payload = fact.payload
    if isinstance(payload, Items) and not payload.open and len(payload.elements) == count:
        return list(payload.elements)
    if isinstance(payload, Items) and count in payload.forms:
        return list(payload.forms[count].elements)
    if isinstance(payload, ShapeOf):
        shape = payload.of.shape
        if payload.start == 0 and payload.stop is None:
            it.prove_rank(payload.of, count)
        whole = shape is not None and payload.start == 0 and payload.stop is None and len(shape) == count
        return [Fact(Kind.PLAIN, payload=Size(shape[i] if whole and shape else None, i == payload.start == 0))
                for i in range(count)]
    value = fact.literal(...)
    if isinstance(value, tuple) and len(value) == count:
        return [literal(v) for v in value]
    return [element_of(it, fact)] * count


# ---------------------------------------------------------------- subscripts
def subscript(it: Interp, node: cst.Subscript, owner: Fact) -> Fact:
    found: Fact | None = None
    every = options(owner)
    indexed = [o for o in every if not isinstance(o.payload, Layer)] or every  # of others a setting says so
    for option in indexed:
        found = join(found, _subscript(it, node, option))
    return found if found is not None else UNKNOWN


def _subscript(it: Interp, node: cst.Subscript, owner: Fact) -> Fact:
    from port.torch2tf import shapes

    if owner is BOTTOM:
        return BOTTOM
    payload = owner.payload
    if owner.kind is Kind.TENSOR:
        return shapes.index(it, node, owner)
    index = node.slice[0].slice if len(node.slice) == 1 else None
    at = it.fact(index.value).literal(...) if isinstance(index, cst.Index) else ...
    if isinstance(payload, ShapeOf):
        return _index_shape(it, index, at, payload)
    if isinstance(payload, Chain):
        payload.indexed = True
        return _index_chain(it, node, index, at, payload)
    if isinstance(payload, Items):
        payload.counted = True
        if isinstance(index, cst.Slice):
            low, high, step = (it.fact(p).literal(...) if p is not None else None
                               for p in (index.lower, index.upper, index.step))
            exact = not payload.open and ... not in (low, high, step)
            elements = payload.elements[low:high:step] if exact else list(payload.elements)
            return it.fresh(Items(elements, payload.kind, payload.open or not exact)).but(kind=owner.kind)
        return payload.take(at) or BOTTOM
    if isinstance(payload, Mapping):
        if at is not ... and at in payload.values:
            return payload.values[at]
        if at is not ... and payload.any is not None:
            return payload.any
        return one_of(payload.every) or BOTTOM
    value = owner.literal(...)
    if isinstance(value, tuple | str) and isinstance(at, int) and -len(value) <= at < len(value):
        return literal(value[at])
    return PLAIN if owner.kind is Kind.PLAIN else foreign.made(owner)


def _index_chain(it: Interp, node: cst.Subscript, index: Any, at: Any, chain: Chain) -> Fact:
    if isinstance(index, cst.Slice):
        low, high = (it.fact(p).literal(...) if p is not None else None for p in (index.lower, index.upper))
        exact = low is not ... and high is not ... and not chain.open and index.step is None
        if not exact and node in chain.slices:  # `self.blocks = self.blocks[:n]`, read again
            part = chain
        else:
            part = it.objects.setdefault(("slice", node, id(chain)), Chain(chain.node, slices={*chain.slices, node}))
            part.children = chain.children[low:high] if exact else list(chain.children)
            part.open = not exact
        return Fact(Kind.LAYER, symbol="torch.nn.Sequential", payload=part)
    if isinstance(at, int) and not chain.open and -len(chain.children) <= at < len(chain.children):
        return chain.children[at]
    return element_of(it, Fact(Kind.LAYER, payload=chain))


def _index_shape(it: Interp, index: Any, at: Any, shape: ShapeOf) -> Fact:
    known = shape.of.shape
    dims: tuple[Dim, ...] | None = None if known is None else known[shape.start:shape.stop]
    if isinstance(index, cst.Slice):
        low, high = (it.fact(p).literal(...) if p is not None else None for p in (index.lower, index.upper))
        whole = shape.start == 0 and shape.stop is None
        if whole and isinstance(low, int | None) and isinstance(high, int | None) and index.step is None:
            return Fact(Kind.SHAPE, payload=ShapeOf(shape.of, low or 0, high))
        return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, payload=Size(None))], "tuple", True))
    first = at == 0 and shape.start == 0
    if isinstance(at, int) and dims is not None and -len(dims) <= at < len(dims):
        return Fact(Kind.PLAIN, payload=Size(dims[at], first))
    return Fact(Kind.PLAIN, payload=Size(None, first))


def has_layout(fact: Fact) -> bool:
    return fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED
