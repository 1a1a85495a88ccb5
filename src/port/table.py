"""Rows: one op, both directions, from `mappings/*.yaml`; see docs/rows.md for the grammar."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

V1 = "tf.compat.v1."
VERSION = 3  # of the compiled form: raise it whenever `rowfile` produces something else


@dataclass(frozen=True)
class Param:
    name: str
    default: str | None = None  # source text of the default; None: required
    star: str = ""  # '', '*' or '**'
    keyword_only: bool = False


@dataclass(frozen=True)
class Signature:
    """A callable written as Python: canonical name, parameters. `method`: called on its first parameter."""

    name: str
    params: tuple[Param, ...]
    method: bool = False
    attribute: bool = False  # an attribute or constant: written without parentheses

    @cached_property
    def by_name(self) -> dict[str, Param]:
        return {p.name: p for p in self.params}

    @cached_property
    def positional(self) -> tuple[Param, ...]:
        return tuple(p for p in self.params if not p.keyword_only and not p.star)

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.params if p.default is None and not p.star)


@dataclass(frozen=True)
class Arg:
    """How one parameter of one side becomes one of the other; see docs/rows.md."""

    to: str
    via: str | None = None
    with_: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True)
class Row:
    name: str
    tf: tuple[Signature, ...] = ()
    torch: tuple[Signature, ...] = ()  # overloads: the first that can hold the given arguments is used
    call: Signature | None = None  # layers without weights: their form as a function of the input
    args: dict[str, Arg] = field(default_factory=dict)  # tf parameter -> torch parameter
    only: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # tf parameter -> literals allowed
    only_torch: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # the same about torch parameters
    ignore: tuple[str, ...] = ()  # tf parameters that may be dropped
    ignore_torch: tuple[str, ...] = ()
    fill: dict[str, str] = field(default_factory=dict)  # torch parameter -> fact of the input ('channels')
    fixed: dict[str, Any] = field(default_factory=dict)  # torch parameter -> the literal it always has
    facts: tuple[str, ...] = ()  # preconditions, by name
    facts_torch: tuple[str, ...] = ()  # preconditions about torch parameters
    layout: str = ""  # 'nchw': the op wants channels first in torch, channels last in TF
    expr: dict[str, str] = field(default_factory=dict)  # {'torch': 'x * torch.sigmoid(x)'}, see docs
    via: str | None = None  # adapter that builds the whole call
    weights: dict[str, Any] = field(default_factory=dict)
    init: dict[str, str] = field(default_factory=dict)  # tf initialiser parameter -> torch parameter it fills
    differs: str = ""  # the declared divergence, with its formula
    residue: str = ""  # why the numbers differ by rounding (up to 1e-6) even in float64
    note: str = ""  # a corner case where numbers differ; shown by `port ops`, not reported at each use
    draws: bool = False  # random: only shape and dtype can agree
    dtypes: tuple[str, ...] = ()  # what the prover runs in, where TF does not take both float64 and float32
    grad: bool | tuple[str, ...] = True  # False: one side has no gradient here; names: those tensors alone have one
    none: str = ""  # no equivalent: what to write instead
    kind: str = ""  # 'layer' | 'function' | 'method' | 'attribute' | 'constant' | 'object' | 'prefix'
    returns: str = ""  # name of the shape rule that inference uses for the result
    dtype: str = ""  # dtype of the result where it is not that of the first tensor ('dtype': of that argument)
    attr: str = ""  # layers: the attribute name when the source gives none ('conv')
    sample: tuple[dict[str, Any], ...] = ()
    file: str = ""


Texts = tuple[tuple[str, str], ...]  # files of rows: name and content
_ADDED: ContextVar[Texts] = ContextVar("added", default=())


@contextmanager
def added(texts: Texts) -> Iterator[None]:
    """The rows of these files, before all others, for what is asked meanwhile; a faulty one is a RowError."""
    token = _ADDED.set(texts)
    try:
        yield
    finally:
        _ADDED.reset(token)


class Index(Mapping[str, tuple[Row, ...]]):
    """Canonical name to rows. A name without rows takes those of the longest prefix row (`tf.strings.*`)."""

    def __init__(self, numbers: dict[str, list[int]]):
        self._numbers, self._added = numbers, _ADDED.get()
        self._asked: dict[str, tuple[Row, ...]] = {}

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        found = self._asked.get(name)
        if found is None:
            found = tuple(_row(number, self._added) for number in self._numbers[self._find(name)])
            self._asked[name] = found
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def _find(self, name: str) -> str:
        if name in self._numbers:
            return name
        old = f"{V1}{name[3:]}" if name.startswith("tf.") else ""
        if old in self._numbers:
            return old  # TF 1 code that says `import tensorflow as tf`
        new = f"tf.{name[len(V1):]}" if name.startswith(V1) else ""
        return self._prefix(name) or self._prefix(old) or self._prefix(new) or name

    def _prefix(self, name: str) -> str:
        while "." in name:
            name = name.rpartition(".")[0]
            if f"{name}.*" in self._numbers:
                return f"{name}.*"
        return ""


def load() -> Mapping[str, tuple[Row, ...]]:
    """All rows by name."""
    return Index(_compiled()["names"])


def by_tf_name() -> Mapping[str, tuple[Row, ...]]:
    """Canonical TF name (`tf.reduce_sum`, `keras.ops.sum`) to the rows that hold it, in order."""
    return Index(_compiled()["tf"])


def by_torch_name() -> Mapping[str, tuple[Row, ...]]:
    """Canonical torch name to rows; for a torch name of several rows, the usual TF spelling comes first."""
    return Index(_compiled()["torch"])


def own_modules() -> frozenset[str]:
    """Modules of the project that rows of its own name."""
    return _own_modules(_ADDED.get())


@lru_cache(8)
def _own_modules(texts: Texts) -> frozenset[str]:
    files = {name for name, _ in texts}
    names = {signature.name for group in (load().values() if texts else ()) for row in group if row.file in files
             for signature in (*row.tf, *row.torch)}
    return frozenset(name.rpartition(".")[0] for name in names
                     if name.partition(".")[0] not in ("tf", "keras", "torch", "tensor"))


def folder() -> Path:
    """`mappings/` inside the installed package, or at the top level of a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "mappings"
    return installed if installed.is_dir() else here.parents[1] / "mappings"


def _compiled() -> dict[str, Any]:
    return _compiled_with(_ADDED.get())


@cache
def _compiled_with(added: Texts) -> dict[str, Any]:
    """Plain data of all rows: from the cache if the files are unchanged, else compiled and cached."""
    texts = {name: text.encode() for name, text in added}
    texts |= {path.name: path.read_bytes() for path in sorted(folder().glob("[!_]*.yaml"))}
    digest = hashlib.blake2b(repr((VERSION, sys.version_info[:2])).encode(), digest_size=16)
    for name, text in texts.items():
        digest.update(b"%s\0%d\0%s" % (name.encode(), len(text), text))
    target = _cache_folder() / f"rows-{digest.hexdigest()}.marshal"
    try:
        return marshal.loads(target.read_bytes())
    except (OSError, ValueError, EOFError, TypeError):
        pass
    from port import rowfile  # needs PyYAML; only when the cache does not serve

    for name, own in added:
        rowfile.check_foreign(name, own)
    compiled = rowfile.compile_rows({name: text.decode() for name, text in texts.items()})
    _write(target, marshal.dumps(compiled))
    return compiled


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(base or os.path.expanduser("~/.cache")) / "port"


def _write(target: Path, data: bytes) -> None:
    """Atomically; a cache that cannot be written is no fault."""
    import tempfile  # slow to import, needed once

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as handle:
            handle.write(data)
        os.replace(handle.name, target)
        for old in target.parent.glob("rows-*.marshal"):
            if old.stat().st_mtime < time.time() - 30 * 86400:
                old.unlink()
    except OSError:
        pass


@cache
def _row(number: int, added: Texts) -> Row:
    plain = dict(_compiled_with(added)["rows"][number])
    for side in ("tf", "torch"):
        plain[side] = tuple(map(_signature, plain.get(side, ())))
    if "call" in plain:
        plain["call"] = _signature(plain["call"])
    plain["args"] = {name: Arg(*arg) for name, arg in plain.get("args", {}).items()}
    return Row(**plain)


def _signature(plain: tuple[Any, ...]) -> Signature:
    name, params, method, attribute = plain
    return Signature(name, tuple(Param(*p) for p in params), method, attribute)
