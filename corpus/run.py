"""Translate and verify the builders of published packages: `python -m corpus.run [--only NAME] [--jobs N]`."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import math
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from corpus import entries, fetch, ported, probe, results
from corpus.entries import Entry, Found, State
from port.verify.parent import Case, Settings, verify

HERE = Path(__file__).parent
STOPS = ("refused", "internal")  # outcomes after which a builder may fail, told


def environment(package: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the children need: the paths of requirements, stand-ins for optional imports, settings of the package."""
    about = manifest["packages"][package]
    folders = fetch.requirements(about.get("requires", ()), manifest["requirements"], manifest["packages"])
    path = [str(HERE / "support"), *(str(fetch.tree(f.name.rsplit("-", 1)[0], manifest["packages"])
                                         if f.parent.name == "packages" else f) for f in folders)]
    return {"PYTHONPATH": os.pathsep.join(path), "PORT_CORPUS_STUBS": ",".join(about.get("stubs", ())),
            **about.get("env", {})}


def legacy(*wanted: Entry) -> dict[str, str]:
    """What makes `tf.keras` Keras 2, where a builder needs it."""
    return {"TF_USE_LEGACY_KERAS": "1"} if any(entry.keras == 2 for entry in wanted) else {}


def findings(entry: Entry, port: ported.Ported, texts: Mapping[Path, str], tree: Path) -> Found:
    """The findings of the builder's file and of all that it imports, before anything is run."""
    inside = {str(path.relative_to(tree.resolve())) for path in texts}
    held = [f for name in sorted(inside & set(port.findings)) for f in port.findings[name]]
    stops = [f for f in held if f["outcome"] in STOPS]
    reasons = [f"{f['code']} {f['message']}" for f in stops]
    reasons += [f"{name}: {port.errors[name]}" for name in sorted(inside & set(port.errors))]
    return Found("", None, dict(Counter(f["code"] for f in held)), "", tuple(dict.fromkeys(reasons)))


def examine(entry: Entry, tree: Path, folder: Path, built: str | None, base: Found, timeout: float,
            environment: Mapping[str, str]) -> Found:
    """The verdict on one builder; `built` says what went wrong when its port was built, if that is known."""
    failed = "refused" if base.reasons else "error"
    if entry.unverifiable:
        return replace(base, verdict="not verified", note=entry.unverifiable)
    if built:
        return replace(base, verdict=failed, note=f"port: {built}")
    wait_for_memory()
    source, target = (tree / entry.file, folder / entry.file) if entry.file else (tree, folder)
    settings = Settings(timeout=timeout, environment=tuple(environment.items()))
    verdict = verify(source, target, entry.direction, [Case(entry.call, entry.inputs)], settings)[0]
    worst = verdict.worst if verdict.worst == verdict.worst else None
    found = replace(base, verdict=verdict.status, worst=worst, note=verdict.message)
    if verdict.status == "mismatch":
        return found if base.reasons else replace(found, verdict="SILENT")
    if verdict.status == "error" and not verdict.message.startswith("source"):
        return replace(found, verdict=failed)
    return found


def wait_for_memory(least: int = 4_000_000) -> None:
    """Two frameworks and the arrays of a large model take gigabytes: wait until so many kB are free."""
    for _ in range(60):
        text = Path("/proc/meminfo").read_text() if Path("/proc/meminfo").exists() else f"MemAvailable: {least}"
        if int(text.partition("MemAvailable:")[2].split()[0]) >= least:
            return
        time.sleep(5)


def unit(group: list[Entry], manifest: Mapping[str, Any], state: State, given: argparse.Namespace,
         told: Callable[[Entry, Found], None]) -> tuple[int, float]:
    """A package, or one builder of it: fetched, translated, verified; (lines, seconds of translating)."""
    first = group[0]
    about = manifest["packages"][first.package]
    name = entries.port_name(first, about)
    if time.monotonic() > given.end and (about.get("apart") or not ported.is_known(
            name, first.direction, about.get("only", ()))):
        return _unreached(group, told)
    try:
        tree = fetch.tree(first.package, manifest["packages"])
        port = ported.translate(name, tree, first.direction, entries.chosen(first, tree, about), 4 * given.timeout)
        around = environment(first.package, manifest)
    except (subprocess.SubprocessError, OSError, ValueError) as fault:
        for entry in group:
            told(entry, Found("error", note=f"{type(fault).__name__}: {fault}"[:300]))
        return 0, 0.0
    verifier = ported.engine("src/port/verify", "corpus/support")
    open_: list[tuple[Entry, str, Found]] = []
    for entry in group:
        texts = entries.closure(entry.path(tree))
        mine = entries.closure(entry.path(port.folder))
        base = findings(entry, port, texts, tree)
        digest = entries.key(entry, [*texts.values(), *mine.values()], verifier, repr(base), repr(about))
        known = state.get(entry, digest)
        if known is not None:
            told(entry, known)
        else:
            open_.append((entry, digest, base))
    calls = [{"name": e.name, "file": e.file, "call": e.call} for e, _, _ in open_ if not e.unverifiable]
    other = "torch" if first.side == "tf" else "tf"
    variables = around | legacy(*group)
    late = time.monotonic() > given.end
    built = {} if late or not calls else probe.run(other, name, port.folder, calls, 60 + 30 * len(calls),
                                                   variables)
    for entry, digest, base in open_:
        if time.monotonic() > given.end:
            _unreached([entry], told)
            continue
        found = examine(entry, tree, port.folder, built.get(entry.name), base, given.timeout, around | legacy(entry))
        give_back()
        state.put(entry, digest, found)
        told(entry, found)
    return port.lines, port.seconds


def give_back() -> None:
    """glibc keeps what threads have freed: gigabytes after a large model, which the next ones need."""
    with contextlib.suppress(OSError, AttributeError):  # another libc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _unreached(group: list[Entry], told: Callable[[Entry, Found], None]) -> tuple[int, float]:
    for entry in group:
        told(entry, Found("not run", note="the run was cut short"))
    return 0, 0.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("corpus.run", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="entries whose name contains this")
    parser.add_argument("--side", choices=("tf", "torch"), help="entries whose source is in this framework")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="packages at a time")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for each side of one entry")
    parser.add_argument("--minutes", type=float, default=math.inf,
                        help="begin no further builder after so long; what is known is told all the same")
    given = parser.parse_args()
    given.end = time.monotonic() + 60 * given.minutes
    return given


def main() -> int:
    given = arguments()
    manifest, wanted = entries.load()
    chosen = [e for e in wanted if (not given.only or given.only in e.name) and given.side in (None, e.side)]
    state, done = State(), {}
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    task = bar.add_task("builders", total=len(chosen))

    def told(entry: Entry, found: Found) -> None:
        done[entry] = found
        bar.console.print(results.line(entry, found), markup=False, highlight=False, soft_wrap=True)
        bar.advance(task)

    with bar, ThreadPoolExecutor(given.jobs) as pool:
        speeds = list(pool.map(lambda group: (group[0].side, *unit(group, manifest, state, given, told)),
                               entries.units(chosen, manifest["packages"])))
    if chosen == wanted:
        results.write([(e, done[e]) for e in wanted], speeds)
    print(results.summary(Counter((e.side, f.verdict) for e, f in done.items())))
    return int(any(f.verdict in ("SILENT", "error") for f in done.values()))


if __name__ == "__main__":
    raise SystemExit(main())
