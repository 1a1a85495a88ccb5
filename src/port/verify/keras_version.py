"""Which Keras a file runs on: told before Keras or TensorFlow is imported.

Keras 2 is what `tf.keras` means before TensorFlow 2.16, and later with tf_keras and TF_USE_LEGACY_KERAS=1.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path

VARIABLE = "TF_USE_LEGACY_KERAS"
_ASKED = ("1", "true", "True")  # as TensorFlow reads it
_NAMED = re.compile(r"^\s*(?:import|from)\s+tf_keras\b", re.MULTILINE)


def choose(path: Path, is_port: bool) -> None:
    """A file that names tf_keras runs on it; a port is written for Keras 3, whatever its source runs on."""
    if is_port:
        os.environ.pop(VARIABLE, None)
    elif path.is_file() and _NAMED.search(path.read_text(encoding="utf-8", errors="replace")):
        os.environ[VARIABLE] = "1"


def legacy() -> bool:
    """Does `tf.keras` mean tf_keras?"""
    return os.environ.get(VARIABLE) in _ASKED


def is_two() -> bool:
    return legacy() or importlib.metadata.version("keras").startswith("2.")
