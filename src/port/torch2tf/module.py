"""One file: facts, then statement by statement into Keras, then the imports."""

from __future__ import annotations

import libcst as cst

from port.facts import Fact
from port.names import Names
from port.result import Options, Result


def translate(text: str, module: cst.Module, bound: Names, options: Options,
              params: dict[str, Fact] | None = None) -> Result:
    """`module`, which was parsed from `text`, as Keras 3 code."""
    raise NotImplementedError("torch2tf is not available yet")
