"""Packages whose code is not read, and files that are not found: what they make and compute stays as it is."""

from __future__ import annotations

import sys

from port import table
from port.symbols import FRAMEWORKS

KNOWN = frozenset(("builtins", "numpy", *sys.stdlib_module_names))  # they look at tensors, and give none
# They read numbers out of what they are given, of either framework, or show it.
LOOKING = frozenset("""cv2 loguru matplotlib mlflow pandas PIL plotly rich scipy seaborn skimage sklearn tqdm
    wandb""".split())
READ = KNOWN | LOOKING | {"einops", "tree", *(root for roots in FRAMEWORKS.values() for root in roots)}


def is_foreign(symbol: str) -> bool:
    """Is this what such a package gives, or a file that is not found? `symbol`: as an import binds it."""
    head = symbol.lstrip(".").partition(".")[0]
    own = symbol.rpartition(".")[0] in table.own_modules()
    return bool(head) and (symbol.startswith(".") or head not in READ) and not own


def reason(symbol: str, what: str, advice: str = "port that package too, or name its file") -> str:
    """Why what is made of it cannot stay, and what to do."""
    home, _, name = symbol.rpartition(".")
    home = home if home.strip(".") else f"{home}."  # `from . import blocks`
    return f"`{name}` comes from `{home}`, whose code is not read here, and {what}: {advice}"
