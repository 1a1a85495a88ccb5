"""Translate and verify published builders and the examples: `python -m corpus.run [--only NAME] [--jobs N]`."""

from __future__ import annotations

import argparse
import hashlib
import json
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus import fetch
from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, verify

HERE = Path(__file__).parent
RESULTS, STATE = HERE / "results.md", fetch.CACHE / "state.json"
VERDICTS = ("verified", "refused", "mismatch", "error")


@dataclass(frozen=True)
class Entry:
    """One builder: where its file is, and what to build and feed."""

    name: str
    call: str
    inputs: tuple[str, ...]
    package: str = ""
    file: str = ""
    keras: int = 3
    refused: str = ""  # why a refusal is expected

    def path(self, packages: dict[str, dict[str, str]]) -> Path:
        if not self.package:
            return HERE / "examples" / self.file
        return fetch.file_of(fetch.package(self.package, **packages[self.package]), self.file)


@dataclass(frozen=True)
class Found:
    """What is written about one entry."""

    verdict: str
    worst: float | None = None
    codes: str = ""
    note: str = ""


def entries(manifest: dict) -> Iterator[Entry]:
    for raw in manifest["builders"]:
        yield Entry(**{**raw, "inputs": tuple(raw["inputs"])})
    cases = tomllib.loads((HERE / "examples" / "cases.toml").read_text())["cases"]
    seen: Counter[str] = Counter()
    for raw in cases:
        stem = raw["file"].removesuffix(".py")
        seen[stem] += 1
        inputs = raw.get("inputs", raw.get("input", ()))
        given = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        yield Entry(f"examples/{stem}-{seen[stem]}", raw["call"], given, file=raw["file"])


def engine() -> str:
    """A digest of everything that decides a translation and its verdict."""
    total = hashlib.sha256()
    for folder, pattern in (("src/port", "*.py"), ("mappings", "*.yaml")):
        for path in sorted((HERE.parent / folder).rglob(pattern)):
            total.update(path.read_bytes())
    return total.hexdigest()


def examine(entry: Entry, source: Path, timeout: float) -> Found:
    """Translate one file, and verify the builder in it."""
    text = source.read_text(encoding="utf-8")
    result = translate(text, "tf2torch", path=str(source))
    counts = Counter(f.code for f in result.findings)
    codes = ", ".join(f"{code} x{n}" if n > 1 else code for code, n in sorted(counts.items()))
    refused = any(CATALOGUE[code].outcome is Outcome.REFUSED for code in counts)
    ported = fetch.CACHE / "ported" / f"{entry.name.replace('/', '-')}.py"
    ported.parent.mkdir(parents=True, exist_ok=True)
    ported.write_text(result.text, encoding="utf-8")
    if entry.keras != 3:
        return Found("refused" if refused else "error", None, codes, f"the reference needs Keras {entry.keras}")
    verdict = verify(source, ported, "tf2torch", [Case(entry.call, entry.inputs)], Settings(timeout=timeout))[0]
    worst = verdict.worst if verdict.worst == verdict.worst else None
    if verdict.status in ("verified", "mismatch"):
        return Found(verdict.status, worst, codes)
    return Found("refused" if refused else "error", worst, codes, verdict.message)


def attempt(entry: Entry, packages: dict[str, dict[str, str]], timeout: float) -> Found:
    try:
        return examine(entry, entry.path(packages), timeout)
    except Exception as fault:  # one entry must not end the run
        return Found("error", note=f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else ''}")


class State:
    """Finished entries, kept in a file of the cache after each one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done = json.loads(STATE.read_text()) if STATE.exists() else {}

    def key(self, entry: Entry, digest: str) -> str:
        return hashlib.sha256(json.dumps([asdict(entry), digest]).encode()).hexdigest()

    def get(self, entry: Entry, digest: str) -> Found | None:
        known = self.done.get(entry.name)
        return Found(**known["outcome"]) if known and known["key"] == self.key(entry, digest) else None

    def put(self, entry: Entry, digest: str, outcome: Found) -> None:
        with self.lock:
            self.done[entry.name] = {"key": self.key(entry, digest), "outcome": asdict(outcome)}
            STATE.parent.mkdir(parents=True, exist_ok=True)
            STATE.write_text(json.dumps(self.done, indent=1))


def row(entry: Entry, outcome: Found) -> str:
    worst = f"{outcome.worst:.1e}" if outcome.worst is not None else ""
    note = entry.refused if outcome.verdict == "refused" and entry.refused else outcome.note
    return f"| {entry.name} | {outcome.verdict} | {worst} | {outcome.codes} | {note.replace('|', '/')[:160]} |"


def table(found: list[tuple[Entry, Found]]) -> str:
    counts = Counter(outcome.verdict for _, outcome in found)
    head = ["# Results", "", "Written by `python -m corpus.run`. Worst error: float64, relative.", "",
            ", ".join(f"{counts[v]} {v}" for v in VERDICTS) + f", of {len(found)}.", "",
            "| builder | verdict | worst error | findings | note |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(e, o) for e, o in found)]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser("corpus.run", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="entries whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="entries at a time")
    parser.add_argument("--timeout", type=float, default=900, metavar="SECONDS", help="for each side of one entry")
    given = parser.parse_args()
    manifest = tomllib.loads((HERE / "manifest.toml").read_text())
    wanted = [e for e in entries(manifest) if not given.only or given.only in e.name]
    state, digest = State(), engine()

    def one(entry: Entry) -> tuple[Entry, Found]:
        outcome = state.get(entry, digest)
        if outcome is None:
            outcome = attempt(entry, manifest["packages"], given.timeout)
            state.put(entry, digest, outcome)
        print(row(entry, outcome), flush=True)
        return entry, outcome

    with ThreadPoolExecutor(given.jobs) as pool:
        found = list(pool.map(one, wanted))
    text = table(found)
    if not given.only:
        RESULTS.write_text(text, encoding="utf-8")
    print(text.splitlines()[4])
    return int(any(outcome.verdict in ("mismatch", "error") for _, outcome in found))


if __name__ == "__main__":
    raise SystemExit(main())
