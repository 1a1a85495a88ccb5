"""Random draws of training mode: switched off on both sides, but first looked at, since numbers then cannot show them.

Dropout functions hand their input back. One pass in training mode lists the rates they were called with, and whether
anything else drew random numbers (stochastic depth, noise): a port that forgot one is told by that list.

Normal and uniform numbers that a call draws itself (a variational autoencoder, blocks that are dropped) are shared: the
n-th draw of a call gives the same numbers on both sides. Of images they lie at the same places whichever order the axes
have, which the sizes tell: where two of them are equal, no numbers are shared. Python's and numpy's own generators
start anew with every call.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import passes
from .user import FRAMEWORKS

# Attributes that hold the rate of random draws, when they are floats in (0, 1], with the value at which none is seen.
RATES = dict.fromkeys(("rate", "dropout", "recurrent_dropout", "_dropout", "stddev", "drop_rate", "drop_path_rate",
                       "drop_prob", "drop_path", "dropout_rate", "p"), 0.0) | {"survival_probability": 1.0}
Found = dict[str, Any]
Rate = tuple[Any, str, float]  # a layer, its attribute, and what that was


@dataclass
class Log:
    """What was drawn since `on` was set."""

    on: bool = False
    rates: list[float] = field(default_factory=list)
    raw: bool = False
    sharing: bool = False
    count: int = 0  # of shared draws in this call

    @contextmanager
    def shared(self) -> Iterator[None]:
        """For one call of the model."""
        self.sharing, self.count = True, 0
        random.seed(7)
        np.random.seed(7)
        try:
            yield
        finally:
            self.sharing = False

    def numbers(self, kind: str, shape: Any) -> np.ndarray | None:
        """Of the next 'normal' or 'uniform' draw; None where it must draw itself."""
        try:
            sizes = tuple(int(n) for n in np.atleast_1d(np.asarray(shape)))
        except (TypeError, ValueError, NotImplementedError):  # sizes that are not known while tracing
            return None
        large = [n for n in sizes[1:] if n > 1]
        if not self.sharing or (len(sizes) > 3 and len(set(large)) < len(large)):
            return None
        self.raw, self.count = self.raw or self.on, self.count + 1
        rng = np.random.default_rng([self.count, 23])
        axes = [0, *sorted(range(1, len(sizes)), key=sizes.__getitem__)] if len(sizes) > 3 else list(range(len(sizes)))
        ordered = [sizes[a] for a in axes]
        values = rng.normal(size=ordered) if kind == "normal" else rng.random(ordered)
        return values.transpose(np.argsort(axes)).astype("float32").astype("float64")

    def share(self, owner: Any, make: Callable[[np.ndarray, Any], Any]) -> None:
        """`owner.normal` and `owner.uniform` of TensorFlow or Keras; `make`: an array to a tensor of a dtype."""
        def patch(kind: str, names: tuple[str, str]) -> None:
            own = getattr(owner, kind)

            def draw(shape: Any, low: Any = 0.0, high: Any = 1.0, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
                low, high = kwargs.pop(names[0], low), kwargs.pop(names[1], high)
                given = {} if dtype is None else {"dtype": dtype}
                found = self.numbers(kind, shape)
                if found is None:
                    return own(shape, low, high, *args, **given, **kwargs)
                return make(low + found * (high if kind == "normal" else high - low), dtype)

            setattr(owner, kind, draw)

        patch("normal", ("mean", "stddev"))
        patch("uniform", ("minval", "maxval"))

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
        return {"rates": sorted(self.rates), "raw": self.raw, "shared": self.count}

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


def silence(layers: Iterable[Any], assign: Callable[[Any, str, float], None], infer: Callable[[], list[np.ndarray]]
            ) -> list[str]:
    """Switch random draws off; the names of the classes that drew. In a class of the user's such an attribute may be a
    number of another kind (`x * self.rate`): where inference reads it, it stays what it was.
    """
    found = [(layer, name, value) for layer in layers for name in RATES
             if isinstance(value := vars(layer).get(name), float) and 0 < value <= 1
             and (name != "p" or "drop" in type(layer).__name__.lower())]
    own: dict[tuple[type, str], list[Rate]] = {}
    for rate in found:
        if type(rate[0]).__module__.partition(".")[0] not in FRAMEWORKS:
            own.setdefault((type(rate[0]), rate[1]), []).append(rate)
    before = infer() if own else []
    told = bool(own) and _alike(before, infer())  # else inference draws as well, and shows nothing
    _switch(found, assign)
    if not told or _alike(before, infer()):
        return [type(layer).__name__ for layer, *_ in found]
    for group in own.values():
        _restore(group, assign)
    read = []
    for group in own.values():
        _switch(group, assign)
        if not _alike(before, infer()):
            _restore(group, assign)
            read += group
    return [type(layer).__name__ for layer, name, _ in found if not any(layer is r[0] and name == r[1] for r in read)]


def _switch(rates: Iterable[Rate], assign: Callable[[Any, str, float], None]) -> None:
    for layer, name, _ in rates:
        assign(layer, name, RATES[name])


def _restore(rates: Iterable[Rate], assign: Callable[[Any, str, float], None]) -> None:
    for layer, name, value in rates:
        assign(layer, name, value)


def _alike(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    return len(before) == len(after) and all(
        a.shape == b.shape and passes.same(a, b) for a, b in zip(before, after, strict=True))


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
