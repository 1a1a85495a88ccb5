"""Published packages through pip, checked by their digest and unpacked into an ignored cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).parent / ".cache"


def package(name: str, version: str, sha256: str) -> Path:
    """The folder with the unpacked package; fetched at the first use."""
    folder = CACHE / f"{name}-{version}"
    if (folder / ".complete").exists():
        return folder
    archive = _archive(folder, name, version, sha256)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")
    (folder / ".complete").touch()
    return folder


def _archive(folder: Path, name: str, version: str, sha256: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":none:",
                    f"{name}=={version}", "-d", str(folder)], check=True, capture_output=True, text=True)
    for path in folder.iterdir():
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
    raise ValueError(f"{name} {version}: what pip fetched has another digest than the manifest")


def file_of(folder: Path, inside: str) -> Path:
    """A file of a wheel, or below the one top folder of a source archive."""
    return next(p for p in (folder / inside, *folder.glob(f"*/{inside}")) if p.exists())
