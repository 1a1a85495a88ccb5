"""Exchange between the processes: `.npz` without pickle, with one JSON text under the key `meta`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def write(path: Path, meta: dict[str, Any], arrays: Arrays) -> None:
    """Atomic: a reader that waits for the file never sees half of it."""
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as file:
        np.savez(file, **{"meta": text, **arrays})  # type: ignore[arg-type]
    os.replace(part, path)


def read(path: Path) -> tuple[dict[str, Any], Arrays]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return json.loads(arrays.pop("meta").tobytes().decode()), arrays


def wait(path: Path, seconds: float) -> bool:
    """True once the file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def under(arrays: Arrays, prefix: str) -> Arrays:
    """The arrays below `prefix/`, without it."""
    return {k[len(prefix) + 1:]: v for k, v in arrays.items() if k.startswith(prefix + "/")}


def bundle(path: Path, parts: list[tuple[dict[str, Any], Arrays]], head: dict[str, Any]) -> None:
    """Several cases in one file, for `--record`."""
    arrays = {f"{i}/{k}": v for i, (_, part) in enumerate(parts) for k, v in part.items()}
    write(path, {**head, "cases": [meta for meta, _ in parts]}, arrays)


def unbundle(path: Path) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Arrays]]]:
    """(head, cases); a head with the key 'fatal' has no cases."""
    meta, arrays = read(path)
    return meta, [(part, under(arrays, str(i))) for i, part in enumerate(meta.get("cases", ()))]
