"""The import table of docs/architecture.md is true: no module of `src/port/` imports what it may not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "port"
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "torch"}
ROW = re.compile(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def table() -> dict[str, set[str]]:
    """Module to the modules that it may import."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return {name: set(re.findall(r"[\w.]+", allowed)) for name, allowed in ROW.findall(text)}


def imported(file: Path) -> Iterator[str]:
    """Absolute dotted names that a file imports, wherever in it; relative imports stay inside their package."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, f"{file}: relative import above its own package"


def module_of(parts: Sequence[str]) -> str:
    """The row of the table that these names below `port` belong to: `tf2torch.infer` where it has one, else `tf2torch`.

    Parts of one package that the table lists alone (`tf2torch.infer`) are held against each other like modules.
    """
    both = ".".join(parts[:2])
    return both if both in table() else parts[0]


def row_of(file: Path) -> str:
    return module_of(file.relative_to(PACKAGE).with_suffix("").parts)


def is_text(file: Path) -> bool:
    """Helper functions are texts that are written into ported files; `port` never imports them."""
    return file.relative_to(PACKAGE).parts[0] == "helpers" and file.name != "__init__.py"


FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if file != PACKAGE / "__init__.py" and not is_text(file)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_imports_only_what_the_table_allows(file: Path) -> None:
    module, modules = row_of(file), {row_of(other) for other in FILES}
    assert module in table(), f"docs/architecture.md does not list {module}"
    parts = [name.split(".") for name in imported(file)]
    used = {module_of(name[1:]) for name in parts if name[0] == "port" and len(name) > 1} & modules
    assert used - {module} <= table()[module], f"{module} may import {table()[module]}"
    if module != "verify":
        assert not {name[0] for name in parts} & FRAMEWORKS, "only verify/ may import a framework"


def test_the_table_names_modules_that_exist_or_are_planned() -> None:
    listed = set(table())
    assert all(allowed <= listed | {""} for allowed in table().values())


def test_dependencies_go_one_way() -> None:
    """A row may import rows above it only; so no import is hidden in a function for the sake of a cycle."""
    seen: set[str] = set()
    for module, allowed in table().items():
        assert allowed <= seen, f"{module} may import what stands below it: {allowed - seen}"
        seen.add(module)


def test_no_file_of_tf2torch_imports_in_a_circle() -> None:
    """Also inside its packages, and also by an import inside a function."""
    names = {".".join(("port", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): file
             for file in FILES if row_of(file).startswith("tf2torch.")}
    open_: dict[str, set[str]] = {}
    for name, file in names.items():
        needs = {full if full in names else full.rpartition(".")[0] for full in imported(file)}
        open_[name] = needs & names.keys() - {name}
    while free := {name for name, needs in open_.items() if not needs}:
        open_ = {name: needs - free for name, needs in open_.items() if name not in free}
    assert not open_, f"these import each other, or what does: {sorted(open_)}"
