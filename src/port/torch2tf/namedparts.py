"""Parts of a Sequential that are taken by name, `self.heads.head`: Keras' Sequential has them by number alone."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Fact
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, options
from port.tree import code, find


def write(w: Any, node: cst.Attribute, owner: Fact) -> Any:
    """`self.heads.layers[0]`, or what the dict holds that the Sequential was made of; None: it is no such part."""
    chains = [o.payload for o in options(owner) if isinstance(o.payload, Chain)]
    name = node.attr.value
    if not any(name in c.names for c in chains):
        return None
    chain = chains[0]
    if len(options(owner)) == 1 and (source := _dict(w, chain)) is not None:
        return build("{d}[{k}]", d=source, k=cst.SimpleString(f'"{name}"'))
    if len(options(owner)) != 1 or chain.open or not _listed(chain):
        raise _unknown(node)
    return build(f"{{o}}.layers[{chain.names.index(name)}]", o=paren(w.expr(node.value)))


def asked(w: Any, node: cst.Call) -> Any:
    """`hasattr(self.heads, "head")`; None if it asks for something else."""
    owners = options(w.fact(node.args[0].value)) if len(node.args) == 2 else ()
    chains = [o.payload for o in owners if isinstance(o.payload, Chain)]
    if not any(c.names for c in chains):
        return None
    source = _dict(w, chains[0]) if len(owners) == 1 else None
    if source is None:
        raise _unknown(node)
    return build("{k} in {d}", k=w.expr(node.args[1].value), d=source)


def _unknown(node: cst.CSTNode) -> Refused:
    return Refused("P206", f"`{code(node)}` takes a part of a Sequential by its name, which Keras does not keep: hold "
                   "the module in an attribute of its own", node)


def _listed(chain: Chain) -> bool:
    """OrderedDict([("conv", module), ...]): then the names are in order."""
    only = chain.node.args[0].value if len(chain.node.args) == 1 else None
    return isinstance(only, cst.Call)


def _dict(w: Any, chain: Chain) -> cst.BaseExpression | None:
    """The variable of this function that holds the dict of which the Sequential was made."""
    only = chain.node.args[0].value if len(chain.node.args) == 1 and not chain.node.args[0].star else None
    if w.function is None or not isinstance(only, cst.Name) or chain.node not in find(w.function.node, cst.Call):
        return None
    bound = [t for t in find(w.function.node, cst.AssignTarget) if code(t.target) == only.value]
    bound += [t for t in find(w.function.node, cst.AnnAssign) if code(t.target) == only.value]  # type: ignore[misc]
    return only if len(bound) == 1 else None
