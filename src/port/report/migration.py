"""`port status` as text and as JSON; see docs/formats.md."""

from __future__ import annotations

import json

import port
from port.report.model import plural
from port.status import Status

_SIDES = {"tf2torch": ("TensorFlow/Keras", "PyTorch"), "torch2tf": ("PyTorch", "TensorFlow/Keras")}
_FEW = 10


def as_json(status: Status) -> str:
    document = {
        "port": port.__version__,
        "schema": 1,
        "direction": status.direction,
        "files": status.counts(),
        "sites": {"left": status.left, "ported": status.ported},
        "symbols": status.symbols(),
        "models": [{"file": m.file, "call": m.call, "status": m.status} for m in status.models],
        "by_file": [{"path": f.path, "state": f.state, "left": dict(f.left), "ported": f.ported}
                    for f in status.files],
    }
    return json.dumps(document, indent=2)


def as_text(status: Status) -> str:
    source, target = _SIDES[status.direction]
    counts = status.counts()
    words = {"source": f"{source} only", "mixed": "both", "ported": f"{target} only", "plain": "neither",
             "unreadable": "not readable"}
    lines = [f"{plural(len(status.files), 'file')}: " + ", ".join(
        f"{counts[state]} {word}" for state, word in words.items() if counts[state] or state != "unreadable")]
    total = status.left + status.ported
    done = f" ({100 * status.ported // total} % ported)" if total else ""
    lines.append(f"{plural(status.left, 'use')} of {source} left, {status.ported} of {target}{done}")
    lines += [f"  {uses:6} {symbol}" for symbol, uses in list(status.symbols().items())[:_FEW]]
    if len(status.symbols()) > _FEW:
        lines.append(f"         and {plural(len(status.symbols()) - _FEW, 'other symbol')}")
    verified = sum(model.status == "verified" for model in status.models)
    lines.append(f"{verified} of {plural(len(status.models), 'configured case')} verified as it stands")
    lines += [f"  {model.status}: {model.file}: {model.call}" for model in status.models]
    return "\n".join(lines)
