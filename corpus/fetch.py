"""Published packages through pip, checked by their digest and unpacked into an ignored cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"
Packages = Mapping[str, Mapping[str, Any]]


def package(name: str, packages: Packages) -> Path:
    """The folder with the unpacked package; fetched at the first use."""
    version, sha256 = packages[name]["version"], packages[name]["sha256"]
    folder = CACHE / "packages" / f"{name}-{version}"
    if not (folder / ".complete").exists():
        archive = _archive(name, version, sha256)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(folder)
        else:
            with tarfile.open(archive) as source:
                source.extractall(folder, filter="data")
        for library in folder.rglob("*.so"):  # built for another build of the framework
            library.unlink()
        (folder / ".complete").touch()
    return folder


def _archive(name: str, version: str, sha256: str) -> Path:
    folder = CACHE / "dl"
    folder.mkdir(parents=True, exist_ok=True)
    known = _with_digest(folder, sha256)
    if known is None:
        with tempfile.TemporaryDirectory(dir=CACHE) as fresh:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", fresh,
                            f"{name}=={version}"], check=True, capture_output=True, text=True)
            for path in Path(fresh).iterdir():
                shutil.move(path, folder / path.name)
        known = _with_digest(folder, sha256)
    if known is None:
        raise ValueError(f"{name} {version}: what pip fetched has another digest than the manifest")
    return known


def _with_digest(folder: Path, sha256: str) -> Path | None:
    return next((p for p in folder.iterdir() if hashlib.sha256(p.read_bytes()).hexdigest() == sha256), None)


def tree(name: str, packages: Packages) -> Path:
    """One folder with the modules of the package, and of those that it needs as source beside it."""
    root = CACHE / "source" / name
    if not (root / ".complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        for part in (name, *packages[name].get("with", ())):
            for item in _modules(package(part, packages)):
                target = root / item.name
                if item.is_dir():
                    shutil.copytree(item, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pyc"))
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(item, target)
        (root / ".complete").touch()
    return root


def _modules(folder: Path) -> Iterable[Path]:
    """What is importable at the top of a wheel, or below the one folder of a source archive."""
    inside = [p for p in folder.iterdir() if p.is_dir()]
    top = inside[0] if len(inside) == 1 and not (inside[0] / "__init__.py").exists() and any(
        (inside[0] / n).exists() for n in ("setup.py", "pyproject.toml", "PKG-INFO")) else folder
    return [p for p in top.iterdir() if p.is_dir() and not p.name.endswith((".dist-info", ".egg-info", ".libs"))
            and p.name not in ("tests", "test", "docs", "examples", "bin")]


def requirements(names: Iterable[str], versions: Mapping[str, str], packages: Packages) -> list[Path]:
    """Folders to put on the path for what the import of a package needs besides its own sources."""
    folders = [package(name, packages) for name in names if name in packages]
    wanted = [name for name in names if name not in packages]
    extras = CACHE / "extras"
    missing = [f"{name}=={versions[name]}" for name in wanted if not (extras / f".{name}-{versions[name]}").exists()]
    if missing:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(extras),
                        *missing], check=True, capture_output=True, text=True)
        for name in wanted:
            (extras / f".{name}-{versions[name]}").touch()
    return [*folders, *([extras] if wanted else [])]
