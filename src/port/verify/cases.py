"""What to verify: cases, settings, and the input specs `f32[2,7,3]`, `i32[2,7]<17`, `b[2,3]`, `f32(0,1)[4]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {"f16": "float16", "f32": "float32", "f64": "float64", "i8": "int8", "i32": "int32", "i64": "int64",
          "u8": "uint8", "b": "bool"}
SPEC = re.compile(r"(f16|f32|f64|i8|i32|i64|u8|b)(\+|\(([^,()]+),([^,()]+)\))?\[([0-9,\s]*)\](?:<(\d+))?")


@dataclass(frozen=True)
class Case:
    """`call`: Python text that gives a model, layer or function in the file; `ported_call` if the port's differs."""

    call: str
    inputs: tuple[str, ...] = ()
    name: str = ""
    ported_call: str = ""


@dataclass(frozen=True)
class Settings:
    device: str = "cpu"  # cpu | cuda, for the torch side
    dtypes: tuple[str, ...] = ("float64", "float32")
    seed: int = 0
    steps: int = 0  # steps of plain gradient descent: the behaviour stage, run only when asked for
    timeout: float = 600.0  # seconds for each child
    tf_python: str = ""
    torch_python: str = ""
    record: str = ""  # write the source side here and stop
    against: str = ""  # read the source side from here
    backends: tuple[str, ...] = ()  # of Keras, for the port's side: tensorflow | jax | torch; one verdict for each
    environment: tuple[tuple[str, str], ...] = ()  # further variables of both children


@dataclass(frozen=True)
class Spec:
    """One input tensor; `high` bounds whole numbers (exclusive), `low` and `high` an interval."""

    dtype: str
    shape: tuple[int, ...]
    low: float | None = None
    high: float | None = None

    @property
    def floating(self) -> bool:
        return self.dtype.startswith("float")

    def __str__(self) -> str:
        short = next(k for k, v in DTYPES.items() if v == self.dtype)
        interval = ""
        if self.low is not None:
            interval = "+" if self.high is None else f"({self.low:g},{self.high:g})"
        top = f"<{int(self.high)}" if self.high is not None and self.low is None else ""
        return f"{short}{interval}[{','.join(map(str, self.shape))}]{top}"


def parse(text: str) -> Spec:
    """`i32[2,7]<17` -> Spec('int32', (2, 7), high=17); ValueError says what is wrong."""
    match = SPEC.fullmatch(text.strip())
    if not match:
        raise ValueError(f"input {text!r} is not understood; write for example f32[2,7,3] or i32[2,7]<17")
    kind, mark, low, high, sizes, top = match.groups()
    shape = tuple(int(s) for s in sizes.split(",") if s.strip())
    if mark == "+":
        return Spec(DTYPES[kind], shape, low=0.0)
    if low is not None:
        return Spec(DTYPES[kind], shape, float(low), float(high))
    return Spec(DTYPES[kind], shape, high=float(top) if top else None)


def draw(spec: Spec, rng: np.random.Generator, padding: str = "") -> np.ndarray:
    """Random values: floats are float64 holding float32 numbers, so that both dtypes see the same input.

    `padding`: 'end' or 'start' puts zeros (padding ids) into integer inputs of rank 2, never a whole row.
    """
    if spec.dtype == "bool":
        return rng.random(spec.shape) < 0.6
    if not spec.floating:
        ids = rng.integers(int(spec.low or 0), int(spec.high or 5), size=spec.shape)
        if spec.low is not None:
            return ids.astype(spec.dtype)
        return _pad(ids, padding, int(spec.high or 5), rng).astype(spec.dtype)
    if spec.low is not None and spec.high is not None:
        values = rng.uniform(spec.low, spec.high, spec.shape)
    else:
        values = rng.normal(size=spec.shape)
        values = np.abs(values) + 0.1 if spec.low is not None else values
    return np.asarray(values, dtype="float32").astype("float64")


def _pad(values: np.ndarray, padding: str, high: int, rng: np.random.Generator) -> np.ndarray:
    if values.ndim != 2 or values.shape[1] < 4 or high < 2 or not padding:
        return values
    values = rng.integers(1, high, size=values.shape)
    length = values.shape[1]
    for row in range(1, len(values)):
        hidden = length // 3 + row % 2
        if padding == "start" and row % 2:
            values[row, :hidden] = 0
        else:
            values[row, length - hidden:] = 0
            values[row, 1] = 0  # and a hole
    return values


def grown(spec: Spec, free: tuple[int | None, ...] | None) -> Spec:
    """The second variant: batch plus one; sizes that `free` leaves open change by an odd number."""
    shape = list(spec.shape)
    if shape:
        shape[0] += 1
    for axis, size in enumerate(free or ()):
        if axis and size is None and axis < len(shape):
            shape[axis] += 3 if axis % 2 else 5
    return Spec(spec.dtype, tuple(shape), spec.low, spec.high)


def from_keras(shape: tuple[int | None, ...], dtype: str, vocabulary: int | None,
               pixels: bool = False) -> Spec:
    """A first guess for a Keras input: batch 2; unknown sizes odd, pairwise different; `pixels`: 0 to 255."""
    fill = {2: [7], 3: [7, 5], 4: [33, 45, 3], 5: [5, 9, 11, 3]}.get(len(shape), [7, 9, 11, 13, 15])
    sizes = [2, *(fill[i] if size is None else size for i, size in enumerate(shape[1:]))]
    if dtype == "bool" or dtype.startswith(("int", "uint")):
        kind = dtype if dtype in DTYPES.values() else "int32"
        return Spec(kind, tuple(sizes), high=None if kind == "bool" else float(vocabulary or 5))
    return Spec("float32", tuple(sizes), 0.0, 255.0) if pixels else Spec("float32", tuple(sizes))


def as_case(entry: dict[str, Any]) -> Case:
    """An entry of `[[tool.port.cases]]`."""
    unknown = set(entry) - {"call", "inputs", "input", "name", "ported_call"}
    if unknown or "call" not in entry:
        raise ValueError(f"case {entry}: " + (f"unknown {sorted(unknown)}" if unknown else "`call` is missing"))
    inputs = entry.get("inputs", entry.get("input", ()))
    inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    return Case(entry["call"], inputs, entry.get("name", ""), entry.get("ported_call", ""))
