"""Random draws of training mode: switched off on both sides, but first looked at, since numbers then cannot show them.

Dropout functions hand their input back. One pass in training mode lists the rates they were called with, and whether
anything else drew random numbers (stochastic depth, noise): a port that forgot one is told by that list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Found = dict[str, Any]


@dataclass
class Log:
    """What was drawn since `on` was set."""

    on: bool = False
    rates: list[float] = field(default_factory=list)
    raw: bool = False

    def rate(self, value: Any) -> None:
        try:
            number = float(value)
        except (TypeError, ValueError):  # a traced tensor
            return
        if self.on and 0 < number <= 1:
            self.rates.append(round(number, 6))

    def around(self, run: Callable[[], Any]) -> Found:
        """{rates, raw} of one run."""
        self.on, self.rates, self.raw = True, [], False
        try:
            run()
        finally:
            self.on = False
        return {"rates": sorted(self.rates), "raw": self.raw}

    def watch(self, owner: Any, names: Iterable[str]) -> None:
        """Note that one of these functions was called, and let it draw."""
        for name in names:
            if function := getattr(owner, name, None):
                setattr(owner, name, self._noting(function))

    def _noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*args: Any, **kwargs: Any) -> Any:
            self.raw = self.raw or self.on
            return function(*args, **kwargs)
        return noting


def faults(source: Found | None, target: Found | None) -> list[str]:
    """Dropout that only one side has; recurrent layers draw once or at every step, so there only the rates count."""
    if source is None or target is None:
        return []
    own: Counter[float] = Counter(source["rates"])
    port: Counter[float] = Counter(target["rates"])
    for rate in {*source.get("recurrent", ()), *target.get("recurrent", ())}:
        own[rate], port[rate] = min(own[rate], 1), min(port[rate], 1)
    if +own != +port:
        return [f"dropout in training mode: the source has {_words(own)}, the port {_words(port)}"]
    if source["raw"] != target["raw"]:
        which, other = ("source", "port") if source["raw"] else ("port", "source")
        return [f"random numbers in training mode (stochastic depth, noise): the {which} draws some, the {other} none"]
    return []


def _words(rates: Counter[float]) -> str:
    parts = [f"{rate:g}" + (f" {count} times" if count > 1 else "") for rate, count in sorted(rates.items()) if count]
    return ", ".join(parts) or "none"
