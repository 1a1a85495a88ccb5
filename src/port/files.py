"""Source files on disk: found, read with their encoding, and replaced atomically; nothing here knows Python code."""

from __future__ import annotations

import os
import tokenize
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path


class FileProblem(Exception):
    """A file that cannot be read or written; the message is for the user."""


@dataclass(frozen=True)
class Source:
    """One file as read. `text` has no byte order mark and keeps its own newlines (CRLF stays CRLF)."""

    path: Path
    raw: bytes
    text: str
    encoding: str
    mode: int
    pack: Callable[[str], str] | None = None  # of a notebook: from the text of its cells to that of the file

    def encode(self, text: str) -> bytes:
        """`text` as bytes in this file's encoding, byte order mark included."""
        try:
            text = self.pack(text) if self.pack is not None else text
        except ValueError as problem:
            raise FileProblem(str(problem)) from None
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            bad = error.object[error.start : error.end]
            raise FileProblem(f"the translation holds {bad!r}, which {self.encoding} cannot encode") from None


def read(path: Path) -> Source:
    """Read one file in the encoding that its cookie or byte order mark declares; a notebook as its code cells."""
    try:
        raw, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise FileProblem(error.strerror or str(error)) from None
    if path.suffix == ".ipynb":
        return _notebook(path, raw, mode)
    try:
        head = raw[:4096].replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # a lone CR ends a line too
        encoding, _ = tokenize.detect_encoding(BytesIO(head).readline)
        return Source(path, raw, raw.decode(encoding), encoding, mode)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise FileProblem(f"cannot be decoded: {error}") from None


def _notebook(path: Path, raw: bytes, mode: int, clear: bool = False) -> Source:
    from port import notebooks

    encoding = "utf-8-sig" if raw.startswith(BOM_UTF8) else "utf-8"
    try:
        book = notebooks.read(raw.decode(encoding))
    except ValueError as problem:
        raise FileProblem(str(problem)) from None
    return Source(path, raw, book.module(), encoding, mode, book.pack_cleared if clear else book.pack)


def without_outputs(source: Source) -> Source:
    """A notebook whose outputs are left out when it is written; any other file as it is."""
    return _notebook(source.path, source.raw, source.mode, clear=True) if source.pack is not None else source


def replace(source: Source, content: bytes) -> None:
    """Replace the file that `source` was read from, unless it has changed since. Follows symlinks."""
    target = _real(source.path)
    try:
        if target.read_bytes() != source.raw:
            raise FileProblem("changed on disk while it was translated; not written")
        if not os.access(target, os.W_OK):
            raise FileProblem("is read-only; not written")
    except OSError as error:
        raise FileProblem(error.strerror or str(error)) from None
    write(target, content)


def write(path: Path, content: bytes, mode: int | None = None, sync: bool = True) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    An existing file keeps its mode; a new one gets `mode`, else the usual one. Without `sync` a loss of power may
    cost the content.
    """
    target = _real(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(temporary, content, sync)
            mode = target.stat().st_mode if target.exists() else mode
            if mode is not None:
                temporary.chmod(mode & 0o7777)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise FileProblem(error.strerror or str(error)) from None


def _write_through(path: Path, content: bytes, sync: bool) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        if sync:
            os.fsync(stream.fileno())


def _real(path: Path) -> Path:
    """Like `Path.resolve`, but a loop of symlinks is left for the reader to stumble over."""
    return Path(os.path.realpath(path))


@dataclass(frozen=True)
class Found:
    """A file to translate, and its path below the argument that named it (a file's own name, else a path)."""

    path: Path
    relative: Path


def find(paths: Sequence[Path], exclude: Sequence[str] = (), output: Path | None = None) -> list[Found]:
    """The files that `paths` name, directories walked for *.py and *.ipynb, each real file once, in a stable order.

    A path that does not exist is in the list too, so that reading it names the problem.
    `exclude` are glob patterns for files met on a walk, and `output` is a folder of results that are no sources;
    a file named outright is never left out.
    """
    results = _real(output) if output else None
    found: dict[Path, Found] = {}
    for path in paths:
        if path.is_dir():
            walked = [p for p in _walk(path) if not _excluded(p, path, exclude)]
            candidates = [Found(p, p.relative_to(path)) for p in walked if results not in _real(p).parents]
        else:
            candidates = [Found(path, Path(path.name))]
        for candidate in candidates:
            found.setdefault(_real(candidate.path), candidate)
    return list(found.values())


def _excluded(path: Path, top: Path, patterns: Sequence[str]) -> bool:
    return matches(path.relative_to(top), patterns)


def matches(relative: Path, patterns: Sequence[str]) -> bool:
    """Does one of the glob patterns match the end of this path, or of a folder above it?"""
    parts = [relative, *relative.parents]
    return any(part.match(pattern) for pattern in patterns for part in parts if part.name)


def _walk(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not _skipped(Path(folder, name)))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith((".py", ".ipynb")))


def _skipped(folder: Path) -> bool:
    """Hidden folders, caches and virtual environments hold no source of the project."""
    name = folder.name
    return name.startswith(".") or name in ("__pycache__", "node_modules") or (folder / "pyvenv.cfg").exists()
