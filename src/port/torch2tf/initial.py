"""Initial values: torch's defaults where Keras has others, parameters of the user's own, and nn.init."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build


def initializers(w: Any) -> str:
    """How the file spells keras.initializers."""
    return "initializers" if w.layers == "layers" else "keras.initializers"


def keeps_initial(w: Any, at: Any = None) -> bool:
    """Are torch's initial values written? Not with --init framework, nor where a loop sets all of them."""
    return w.options.init != "framework" and not (at is not None and w.covered(at.layer))


def default_init(w: Any, fan_in: cst.BaseExpression, at: Any = None) -> list[tuple[str, Any]]:
    """`**default_init(fan_in)`: kernel and bias uniform in +-1/sqrt(fan_in)."""
    if not keeps_initial(w, at):
        return []
    w.helper("default_init")
    return [("**", build("default_init({fan})", fan=fan_in))]


def write_parameter(w: Any, node: cst.Call, name: str) -> Any:
    """`nn.Parameter(torch.zeros(...))` as `self.add_weight(...)`."""
    raise w.refused("P203", "nn.Parameter", node)
