"""What is left in the source's framework, and why."""

from __future__ import annotations

import libcst as cst


class Refused(Exception):
    """A construct that cannot be ported; caught where a whole statement or definition can be left as it was."""

    def __init__(self, code: str, message: str, node: cst.CSTNode | None = None, symbol: str = ""):
        super().__init__(message)
        self.code, self.message, self.node, self.symbol = code, message, node, symbol

    def kept(self) -> Refused:
        """The same, without the frames that it came through: where a refusal is noted, they would hold all trees."""
        self.__traceback__ = self.__context__ = None
        return self
