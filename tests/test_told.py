"""Rows that say that there is no equivalent, or what differs: who calls such a symbol is told what the row says."""

from __future__ import annotations

import pytest

from port import table
from port.table import Row
from port.translate import translate

# Layers, and what layers are made with, have words of their own; rules drop or read these.
SERVED = ("layers_", "initializers", "applications", "activations")

OWN_WORDS = ("_", ".backward")  # what changes tensors in place, and gradients, are refused before rows are asked


def without() -> list[tuple[str, str, Row]]:
    """Each symbol of a row without an equivalent, with the side that it is of."""
    found = []
    for side, index in (("tf", table.by_tf_name()), ("torch", table.by_torch_name())):
        found += [(side, name, index[name][0]) for name in index
                  if all(row.none for row in index[name]) and not index[name][0].file.startswith(SERVED)]
    return found


def source(side: str, name: str) -> str:
    called = name.replace(".*", ".anything")
    if side == "tf":
        package = {"tfp": "tensorflow_probability as tfp"}.get(called.partition(".")[0], called.partition(".")[0])
        package = "keras" if package == "tf" else package
        return f"import {package}\nimport tensorflow as tf\n\n\ndef f(x):\n    return {called}(x)\n"
    called = called.replace("tensor.", "x.", 1) if called.startswith("tensor.") else called
    root = called.partition(".")[0] if not called.startswith("x.") else "torch"
    return f"import torch\nimport {root}\n\n\ndef f(x: torch.Tensor):\n    return {called}(x)\n"


@pytest.mark.parametrize("side", ["tf", "torch"])
def test_what_the_row_says_is_told(side: str) -> None:
    silent = []
    for name, row in [(name, row) for s, name, row in without() if s == side]:
        result = translate(source(side, name), "tf2torch" if side == "tf" else "torch2tf")
        refused = any(f.code in ("P203", "P205") for f in result.findings)
        if not any(row.none in f.message for f in result.findings) and not (refused and name.endswith(OWN_WORDS)):
            silent.append((name, [(f.code, f.message[:90]) for f in result.findings]))
    assert not silent, f"{len(silent)}: {silent}"


@pytest.mark.parametrize(("text", "direction"), [
    ("import keras\n\n\ndef f(x):\n    return keras.ops.top_k(x, 3, sorted=False)\n", "tf2torch"),
    ("import torch\n\n\ndef f(x: torch.Tensor):\n    return torch.topk(x, 3, sorted=False)\n", "torch2tf")])
def test_an_order_that_nobody_promises_is_told(text: str, direction: str) -> None:
    """Numbers that are equal as sets only."""
    def told(source: str) -> bool:
        return any(f.code == "P101" and "another order" in f.message for f in translate(source, direction).findings)

    assert told(text) and not told(text.replace("sorted=False", "sorted=True"))
