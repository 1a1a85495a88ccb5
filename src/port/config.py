"""`[tool.port]` in pyproject.toml: how to translate, what to leave out, and the cases to verify."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from port import files

CHOICES: Mapping[str, tuple[str, ...]] = {
    "layout": ("preserve", "native"),
    "init": ("keep", "framework"),
    "target": ("tf", "keras"),
}
CASE_KEYS = ("call", "input", "inputs", "name", "ported_call")


class ConfigProblem(Exception):
    """A fault in the configuration; the message names the file and the key."""


@dataclass(frozen=True)
class CaseConfig:
    """One `[[tool.port.cases]]`: a source file (relative to pyproject.toml) and the case, which verify reads."""

    file: str
    entry: dict[str, Any]


@dataclass(frozen=True)
class Override:
    """One `[[tool.port.overrides]]`: glob patterns of files, and the settings that they get."""

    files: tuple[str, ...]
    options: dict[str, Any]


@dataclass(frozen=True)
class Config:
    """What pyproject.toml says; `options` holds only the keys that were given."""

    root: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    cases: tuple[CaseConfig, ...] = ()
    overrides: tuple[Override, ...] = ()

    def options_for(self, path: Path) -> dict[str, Any]:
        """The settings of one file: those of all files, and over them those that name it, the last one first."""
        if self.root is None or self.root.resolve() not in path.resolve().parents:
            return self.options
        relative = path.resolve().relative_to(self.root.resolve())
        found = dict(self.options)
        for override in self.overrides:
            if files.matches(relative, override.files):
                found |= override.options
        return found

    def cases_for(self, path: Path) -> list[dict[str, Any]]:
        """The cases that belong to one source file."""
        if self.root is None:
            return []
        return [case.entry for case in self.cases if (self.root / case.file).resolve() == path.resolve()]


def load(start: Path) -> Config:
    """The nearest pyproject.toml with a `[tool.port]`, looking upwards from `start`; else an empty Config."""
    here = start.resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            section = _section(file)
            if section is not None:
                return _config(section, file)
    return Config()


def _section(file: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigProblem(f"{file}: {error}") from None
    tool = document.get("tool", {})
    section = tool.get("port") if isinstance(tool, dict) else None
    if section is not None and not isinstance(section, dict):
        raise ConfigProblem(f"{file}: tool.port must be a table")
    return section


def _config(section: dict[str, Any], file: Path) -> Config:
    where = f"{file}: tool.port"
    _known(section, (*CHOICES, "exclude", "cases", "overrides", "mappings"), where)
    cases = tuple(_case(case, file) for case in _tables(section, "cases", where))
    overrides = tuple(_override(one, f"{where}.overrides") for one in _tables(section, "overrides", where))
    exclude = _strings(section.get("exclude", []), f"{where}.exclude")
    options = _options(section, where)
    if "mappings" in section:
        names = _strings(section["mappings"], f"{where}.mappings")
        options["mappings"] = tuple((name, rows(file.parent, name, f"{where}.mappings")) for name in names)
    return Config(file.parent, options, exclude, cases, overrides)


def rows(root: Path, name: str, where: str) -> str:
    """The text of a file of rows, which must lie in the project."""
    path = (root / name).resolve()
    if root.resolve() not in path.parents:
        raise ConfigProblem(f"{where}: {name} lies outside of the project")
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigProblem(f"{where}: {name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigProblem(f"{where}: {name}: {error}") from None


def _tables(section: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    raw = section.get(key, [])
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise ConfigProblem(f"{where}.{key} must be written as [[tool.port.{key}]]")
    return raw


def _override(raw: dict[str, Any], where: str) -> Override:
    _known(raw, ("files", *CHOICES), where)
    if not raw.get("files"):
        raise ConfigProblem(f"{where}: `files` must say which files, as in files = [\"models/*.py\"]")
    return Override(_strings(raw["files"], f"{where}.files"), _options(raw, where))


def _options(table: dict[str, Any], where: str) -> dict[str, Any]:
    return {key: _option(key, table[key], where) for key in CHOICES if key in table}


def _option(key: str, value: object, where: str) -> object:
    if value not in CHOICES[key]:
        raise ConfigProblem(f"{where}.{key} must be one of {', '.join(CHOICES[key])}")
    return value


def _case(raw: dict[str, Any], file: Path) -> CaseConfig:
    _known(raw, ("file", *CASE_KEYS), f"{file}: tool.port.cases")
    for key in ("file", "call"):
        if not isinstance(raw.get(key), str):
            raise ConfigProblem(f"{file}: tool.port.cases: `{key}` must be given, as a string")
    return CaseConfig(raw["file"], {key: value for key, value in raw.items() if key != "file"})


def _strings(value: object, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigProblem(f"{where} must be a string or a list of strings")
    return tuple(items)


def _known(table: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(allowed)}"
            raise ConfigProblem(f"{where}: unknown key {key!r}{hint}")
