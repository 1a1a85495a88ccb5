"""Adapters of functions: casts, shapes, paddings, permutations."""

from __future__ import annotations

from typing import Any

ARGS: dict[str, Any] = {}
ROWS: dict[str, Any] = {}
