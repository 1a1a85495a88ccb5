"""Source text in, translated text and findings out: the order of the passes."""

from __future__ import annotations

from port.result import Options, Result


def translate(text: str, direction: str, options: Options = Options(), path: str = "") -> Result:
    """Translate one file. `direction` is 'tf2torch' or 'torch2tf'; never runs the code, never raises for bad input."""
    raise NotImplementedError
