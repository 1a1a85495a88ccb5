"""Cases that name a module of a package: `package.module:Builder(...)`, where SOURCE and PORTED may be folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .cases import Case

_NAMED = re.compile(r"\s*(?!lambda\b)([A-Za-z_]\w*(?:\.\w+)*)\s*:(?!=)\s*(.+)", re.DOTALL)


def split(call: str) -> tuple[str, str]:
    """('package.module', 'Builder(...)'); the name is '' where the call names none."""
    match = _NAMED.fullmatch(call)
    return (match[1], match[2]) if match else ("", call)


def grouped(cases: Sequence[Case]) -> dict[tuple[str, str], list[Case]]:
    """Cases by the modules they name, for the source and for the port, the calls without them."""
    out: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        name, call = split(case.call)
        other, ported = split(case.ported_call)
        plain = replace(case, call=call, ported_call=ported, name=case.name or (case.call if name else ""))
        out.setdefault((name, other or name), []).append(plain)
    return out


def find(place: Path, name: str) -> Path:
    """The file of module `name`: below the folder `place`, which may also be the package itself or a file in it.

    Never one of another folder beside it: the source may lie there, and would be compared with itself.
    """
    folder = place.resolve() if place.is_dir() else place.resolve().parent
    whole = folder
    while all((f / "__init__.py").exists() for f in (whole, whole.parent)):
        whole = whole.parent
    parts = name.split(".")
    for root in (folder, *folder.parents):
        base = root.joinpath(*parts)
        for path in (base.with_name(base.name + ".py"), base / "__init__.py"):
            if path.is_file() and whole in path.parents:
                return path
        if root != folder and not (root / "__init__.py").exists():
            break
    hint = f"; a package keeps its name: write it to FOLDER/{parts[0]}" if len(parts) > 1 else ""
    raise ValueError(f"{place}: no module {name} in it{hint}")
