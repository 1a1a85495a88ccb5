"""A Keras port inside `tf.function`, with sizes that are unknown there: what only works eagerly shows here.

The batch size is unknown, and so are the sizes that differ between the variants of the case. Results are kept beside
the eager ones, under 'graph'. Where only the batch may be unknown that is a note; where not even that, a fault. A
function's first axis need not be a batch: there it is enough to be traced with known sizes.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from . import inputs, sizes, store, user
from .passes import MODES

Arrays = dict[str, np.ndarray]
FRAME = re.compile(r'File "([^"]+)", line (\d+)')


def run(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str, out: Arrays, path: str
        ) -> dict[str, str]:
    """{fault, note}; empty where all is well, or the port is not TensorFlow's."""
    feeds = [inputs.feed(meta, given, v) for v in range(len(meta["specs"]))]
    axes = sizes.unknown([[x.shape for x in feed.arrays] for feed in feeds])
    drew = (meta.get("draws") or {}).get("raw")  # shared numbers are for eager calls
    modes = [m for m in MODES if m == "infer" or (meta["kind"] == "model" and not drew)]
    problems: list[str] = []
    for free, words in _levels(axes, meta["kind"]):
        used = feeds if free == axes else feeds[:1]
        try:
            for mode in modes:
                _mode(backend, obj, handles, given, used, free, (dtype, mode), out)
        except Exception as fault:
            problems.append(f"{words}: {explain(fault, path)}")
            continue
        return {"note": f"inside tf.function it cannot be traced with {problems[0]}"} if problems else {}
    return {"fault": f"it runs eagerly, but cannot be traced in tf.function with {problems[-1]}"}


def _levels(axes: list[list[int]], kind: str) -> list[tuple[list[list[int]], str]]:
    """From the least known to what must work."""
    batch = [[a for a in free if a == 0] for free in axes]
    levels = [(axes, "unknown sizes" if batch != axes else "an unknown batch size")]
    if batch != axes:
        levels.append((batch, "an unknown batch size"))
    if kind == "function":
        levels.append(([[] for _ in axes], "known sizes"))
    return levels


def _mode(backend: Any, obj: Any, handles: Any, given: Arrays, feeds: list[inputs.Feed], free: list[list[int]],
          which: tuple[str, str], out: Arrays) -> None:
    dtype, mode = which
    traced = backend.graph(obj, feeds[0], free, mode == "train")
    for variant, feed in enumerate(feeds if traced else ()):
        backend.assign(handles, store.under(given, "w"), frozen=True)
        place = f"{dtype}/graph/{variant}/{mode}"
        out.update({f"{place}/{i}": y for i, y in enumerate(traced(feed))})
        if mode == "train":
            out.update({f"{place}/{k}": v for k, v in backend.read(handles).items()
                        if f"{dtype}/buf/{variant}/train/{k}" in out})
    backend.assign(handles, store.under(given, "w"), frozen=True)


def explain(fault: BaseException, path: str) -> str:
    """The innermost line of the user's file, also where TensorFlow wrote the traceback into the message."""
    text = user.plain(str(fault))
    lines = [int(line) for file, line in FRAME.findall(text) if file == path]
    said = user.explain(fault, path)
    if not lines:
        return said
    what = [t.strip() for t in text.splitlines() if t.strip()]
    at = max((i for i, t in enumerate(what) if re.match(r"\w*(Error|Exception)\b", t)), default=len(what) - 1)
    told = what[at]
    if "Exception encountered when calling" in told and at + 1 < len(what):  # Keras' wrapping
        told = f"{told.split(':')[0]}: {what[at + 1]}"
    return f"{path.rsplit('/', 1)[-1]} {user.told(user.line(path, lines[-1]))}: {told[:300]}"
