"""Layers whose weight is read but that nothing calls: PyTorch makes it at once, Keras at the first call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.torch2tf.refused import Refused
from port.torch2tf.values import Function, Layer, options
from port.tree import walk

EMBEDDING = "torch.nn.Embedding"


def built(w: Any, f: Function, body: list[Any]) -> list[Any]:
    """The body of a constructor; embeddings that are only read, as a codebook is, are built at its end."""
    if f.name != "__init__" or f.owner is None or not f.owner.is_module:
        return body
    return [*body, *_lines(w, f)]


def _lines(w: Any, f: Function) -> Iterator[Any]:
    assert f.owner is not None
    own = {id(n) for n in walk(f.node.body) if isinstance(n, cst.Call)}
    for name, fact in f.owner.attrs.items():
        layers = [o.payload for o in options(fact) if isinstance(o.payload, Layer)]
        if len(layers) != 1 or not layers[0].read or layers[0].given or id(layers[0].node) not in own:
            continue
        if layers[0].symbol != EMBEDDING:
            w.report("P103", f"nothing here is seen to call `self.{name}`, whose weight is read: Keras makes it when "
                     "the layer is first called", layers[0].node)
        elif w.covered(layers[0]):
            raise Refused("P206", f"`self.{name}` is only read, never called, and its initial values are set from "
                          "outside, where Keras has made its weight: set them here", layers[0].node)
        else:
            yield cst.parse_statement(f"{f.params[0]}.{name}.build(None)")


__all__ = ["built"]
