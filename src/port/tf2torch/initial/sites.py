"""Which calls of the output make a layer of the source."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.initial.parts import Site
from port.tf2torch.initial.reader import arguments, forgets
from port.tree import find


def note(job: Any, new: cst.CSTNode) -> None:
    """Remembers which calls make the layer: their callee is found again in the finished output."""
    own = ("own",) if job.bound.signature.name.startswith("helpers.") else ()
    site = Site(job, arguments(job.em, job), (*own, "forget") if own and forgets(job.em, job) else own)
    for call in find(new, cst.Call):
        job.em.sites.setdefault(call.func, site)
