"""What a run of the corpus writes: results.md, one line of history.csv, and the summary in the README."""

from __future__ import annotations

import datetime
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpus.entries import VERDICTS, Entry, Found
from port.findings import CATALOGUE

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
SIDES = {"tf": "TensorFlow to PyTorch", "torch": "PyTorch to TensorFlow"}
MARKS = "<!-- corpus: written by python -m corpus.run -->", "<!-- /corpus -->"
SILENT = "mismatch without a finding"


def line(entry: Entry, found: Found) -> str:
    worst = f" {found.worst:.1e}" if found.worst is not None else ""
    return f"{entry.side:5} {entry.name:45} {found.verdict:12}{worst} {found.note[:150]}"


def summary(counts: Mapping[tuple[str, str], int]) -> str:
    """One row per direction."""
    head = ["| builders of published packages | " + " | ".join(SILENT if v == "SILENT" else v for v in VERDICTS)
            + " | of |", "|---" * (len(VERDICTS) + 2) + "|"]
    rows = [f"| {SIDES[side]} | " + " | ".join(str(counts.get((side, v), 0)) for v in VERDICTS)
            + f" | {sum(n for (s, _), n in counts.items() if s == side)} |"
            for side in SIDES if any(s == side for s, _ in counts)]
    return "\n".join([*head, *rows])


def write(found: Sequence[tuple[Entry, Found]], speeds: Sequence[tuple[str, int, float]]) -> None:
    counts = Counter((entry.side, f.verdict) for entry, f in found)
    parts = ["# Results of the corpus",
             "Written by `python -m corpus.run`; what is run is in [manifest.toml](manifest.toml).",
             summary(counts), "\n".join(meaning()), "## Speed", "\n".join(speed(speeds)), "## Findings",
             "\n".join(codes(found)), "## Reasons of refusal",
             "The most frequent, each counted once for a refused builder whose files have it.",
             "\n".join(reasons(found)),
             "## Builders", "\n".join(table(found))]
    (HERE / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    history(counts)
    text = README.read_text(encoding="utf-8")
    if MARKS[0] in text:
        inside = re.compile(re.escape(MARKS[0]) + r".*?" + re.escape(MARKS[1]), re.DOTALL)
        README.write_text(inside.sub(lambda _: f"{MARKS[0]}\n{summary(counts)}\n{MARKS[1]}", text), encoding="utf-8")


def meaning() -> list[str]:
    return ["- *verified*: outputs, gradients and buffers agree (docs/verify.md); *not verified*: no verdict, for the "
            "reason given; *not run*: the run was cut short.",
            "- *refused*: the port cannot be built or run, and a finding in the files of the builder says so.",
            "- *mismatch*: numbers or structure differ, and a refusal is reported in these files; "
            f"*{SILENT}*: nothing is, a release blocker. *error*: a crash without a finding."]


def speed(speeds: Sequence[tuple[str, int, float]]) -> list[str]:
    out = ["| direction | lines of files that change | lines per second of processor time |", "|---|---|---|"]
    for side, title in SIDES.items():
        lines, seconds = (sum(s[i] for s in speeds if s[0] == side) for i in (1, 2))
        if seconds:
            out.append(f"| {title} | {lines} | {lines / seconds:.0f} |")
    return out


def codes(found: Sequence[tuple[Entry, Found]]) -> list[str]:
    """In how many builders each code occurs, and how often."""
    out = ["| code | meaning | TensorFlow builders | PyTorch builders | times |", "|---|---|---|---|---|"]
    for code in sorted({c for _, f in found for c in f.codes}):
        tf, torch = (sum(code in f.codes for e, f in found if e.side == side) for side in SIDES)
        times = sum(f.codes.get(code, 0) for _, f in found)
        out.append(f"| {code} | {CATALOGUE[code].title} | {tf} | {torch} | {times} |")
    return out


def reasons(found: Sequence[tuple[Entry, Found]], most: int = 40) -> list[str]:
    counts = Counter(re.sub(r"\bline \d+", "line N", reason) for _, f in found if f.verdict == "refused"
                     for reason in set(f.reasons))
    return ["| builders | reason |", "|---|---|", *(f"| {n} | {_cell(text)} |" for text, n in counts.most_common(most))]


def table(found: Sequence[tuple[Entry, Found]]) -> list[str]:
    out = ["| side | builder | verdict | worst error | findings | note |", "|---|---|---|---|---|---|"]
    for entry, f in found:
        worst = f"{f.worst:.1e}" if f.worst is not None else ""
        held = ", ".join(f"{code} x{n}" if n > 1 else code for code, n in sorted(f.codes.items()))
        out.append(f"| {entry.side} | {entry.name} | {f.verdict} | {worst} | {held} | {_cell(f.note)} |")
    return out


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ").replace(str(HERE), "corpus")[:200]


def history(counts: Mapping[tuple[str, str], int]) -> None:
    path = HERE / "history.csv"
    names = [(side, verdict) for side in SIDES for verdict in VERDICTS]
    if not path.exists():
        path.write_text("date,commit," + ",".join(f"{s} {v}" for s, v in names) + "\n")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True,
                            check=False).stdout.strip()
    with open(path, "a") as file:
        file.write(f"{datetime.date.today()},{commit}," + ",".join(str(counts.get(n, 0)) for n in names) + "\n")
