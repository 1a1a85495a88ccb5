"""Text as it was before its long lines were broken."""

from __future__ import annotations

import re


def oneline(text: str) -> str:
    text = re.sub(r"([(\[{])\n\s+", r"\1", text)
    return re.sub(r",\n\s+", ", ", re.sub(r",?\n\s*([)\]}])", r"\1", text))
