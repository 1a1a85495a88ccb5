"""What a run has to do: which files are translated together, with which settings, and under which name to remember it.

The name (`Task.key`) covers all that a translation can depend on: the versions and tables, the direction, the
settings, and the path, content and imports of every file that these files lead to, also of files not named. So a
result that is found under it is never stale.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from port import __version__, files, project, table
from port.project import Member, Reader
from port.result import Options
from port.symbols import uses


@dataclass(frozen=True)
class Task:
    """Files that are translated together, and those of them whose results are wanted."""

    found: tuple[files.Found, ...]
    wanted: tuple[files.Found, ...]
    options: Options
    key: str = ""  # '': not to be remembered
    idle: bool = False  # nothing in them, nor in what they import, is of the framework


def tasks(sources: Mapping[files.Found, files.Source | None], direction: str, options: Callable[[Path], Options],
          reader: Reader) -> list[Task]:
    """The work on these files, each as read, if it could be read; `reader` gives the imports of a text."""
    texts = {found.path.resolve(): source.text for found, source in sources.items()
             if source is not None}
    used = any(uses(text, direction) for text in texts.values())
    known = table.by_tf_name if direction == "tf2torch" else table.by_torch_name
    mappings = options(next(iter(sources)).path).mappings if sources else ()  # of the whole project
    with table.added(mappings):
        rows = project.has_rows(known() if used else ())  # loaded only where they can matter
    members = project.closure(texts, rows, reader, through=direction == "torch2tf")
    top = project.tied(members, direction)
    together: dict[Path, list[files.Found]] = {}
    for found in sources:
        path = found.path.resolve()
        together.setdefault(top.get(path, path), []).append(found)
    return [task for group in together.values() for task in _of_group(group, members, direction, options)]


def _of_group(group: Sequence[files.Found], members: Mapping[Path, Member], direction: str,
              options: Callable[[Path], Options]) -> Iterator[Task]:
    by_options: dict[Options, list[files.Found]] = {}
    for found in group:
        by_options.setdefault(options(found.path), []).append(found)
    paths = [found.path.resolve() for found in group]
    readable = all(path in members for path in paths)
    reached = project.reached(paths, members) if readable else []
    idle = readable and (not any(uses(m.text, direction) for m in reached) or (direction == "torch2tf" and all(
        project.hands_on(members[path].text) for path in paths)))
    for chosen, wanted in by_options.items():
        key = _key(group, wanted, reached, direction, chosen) if readable and not idle else ""
        yield Task(tuple(group), tuple(wanted), chosen, key, idle)


def _key(group: Sequence[files.Found], wanted: Sequence[files.Found], reached: Sequence[Member], direction: str,
         options: Options) -> str:
    digest = hashlib.blake2b(f"{release()}\0{direction}\0{options}\0".encode(), digest_size=20)
    for names in (group, wanted):
        digest.update(repr([str(found.path) for found in names]).encode())
    for member in reached:
        leads = sorted((key, str(target.path), target.name) for key, target in member.targets.items())
        digest.update(repr((str(member.path), digest_of(member.text), leads, list(map(str, member.stars)))).encode())
    return digest.hexdigest()


def digest_of(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@cache
def release() -> str:
    """What the translator itself is: its own files, the tables, libcst and Python."""
    try:
        parser = version("libcst")
    except PackageNotFoundError:
        parser = ""
    own = Path(__file__).parent
    parts = [*sorted(p for p in own.rglob("*") if p.suffix in (".py", ".yaml")), *sorted(table.folder().glob("*.yaml"))]
    stats = [(path.name, stat.st_size, stat.st_mtime_ns) for path in parts for stat in [path.stat()]]
    text = repr((__version__, sys.version_info[:3], parser, stats))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
