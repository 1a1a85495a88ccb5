"""New code in the quotes that the file prefers."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import find, rebuild


def in_style(w: Any, tree: Any) -> Any:
    """New strings in the quotes that the file prefers."""
    if not single_quotes(w):
        return tree
    if type(tree) is cst.SimpleString:
        plain = tree.value.startswith('"') and not tree.value.startswith('"""') and not {"'", "\\"} & set(tree.value)
        return tree.with_changes(value=f"'{tree.value[1:-1]}'") if plain else tree
    return rebuild(tree, lambda child: in_style(w, child))


def single_quotes(w: Any) -> bool:
    it = getattr(w, "it", None)
    if it is None:
        return False
    if "quotes" not in it.notes:
        texts = [n.value for n in find(it.module, cst.SimpleString)]
        texts = [t for t in texts if not t.startswith(('"""', "'''"))]
        it.notes["quotes"] = 2 * len([t for t in texts if t[:1] == "'"]) > len(texts)
    return bool(it.notes["quotes"])
