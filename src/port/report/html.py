"""One self-contained page for a run: overview, side-by-side diffs with findings in the margin, verdicts with plots."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

import port
from port.findings import CATALOGUE, Outcome
from port.report import htmldiff
from port.report.hunks import opcodes, split
from port.report.markup import Html, join, tag
from port.report.model import FileReport, Report, plural
from port.sites import sites

PAGE = Path(__file__).parent / "page"
OPEN = 5  # so many diffs are open when the page is; of more files each is opened by the reader


@dataclass(frozen=True)
class Coverage:
    """Uses of the source's framework in a file: in all, and those that are left in the translation."""

    before: int
    left: int

    @property
    def percent(self) -> int | None:
        """Rounded down, so that 100 says that nothing is left; None where there was nothing to port."""
        return 100 * max(self.before - self.left, 0) // self.before if self.before else None


def render(report: Report) -> str:
    title = f"port {report.direction}: {plural(len(report.files), 'file')}"
    style, script = _asset("page.css"), _asset("page.js")
    numbered = list(enumerate(report.files, 1))
    covered = {n: coverage(file, report.direction) for n, file in numbered}
    shown = [(n, file) for n, file in numbered if file.changed or file.findings or file.accepted or file.problems()
             or file.verdicts]
    unfolded = sum(file.changed for _, file in shown) <= OPEN
    values = {
        "title": tag("title", title),
        "policy": tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; "
                      f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"),
        "style": Html(style), "script": Html(script),
        "heading": tag("h1", title), "summary": tag("p", _summary(report)),
        "filters": _filters(report), "overview": _overview(numbered, covered, {n for n, _ in shown}),
        "files": join(_file(n, file, covered[n], unfolded) for n, file in shown),
        "version": f"port {port.__version__}",
    }
    return Template(_asset("page.html")).substitute(values)


@cache
def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Only the style and script of this package run in the page, whatever a source file holds."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def coverage(file: FileReport, direction: str) -> Coverage:
    if file.result is None:
        return Coverage(0, 0)
    before = len(sites(file.result.source, direction) or ())
    return Coverage(before, len(sites(file.result.text, direction) or ()) if file.changed else before)


def _summary(report: Report) -> str:
    changed, written = sum(f.changed for f in report.files), sum(bool(f.written) for f in report.files)
    parts = []
    if any(f.result is not None or f.error for f in report.files):
        wrote = f", {written} written" if written else ""
        parts.append(f"{changed} of {plural(len(report.files), 'file')} changed{wrote}")
    verdicts = [v for f in report.files for v in f.verdicts]
    if verdicts:
        parts.append(f"{sum(v.status == 'verified' for v in verdicts)} of {plural(len(verdicts), 'case')} verified")
    else:
        parts.append("nothing was verified: run with --verify")
    failed = sum(f.failed for f in report.files)
    return "; ".join(parts + ([f"{failed} failed"] if failed else [])) + "."


# ---------------------------------------------------------------- filters
def _filters(report: Report) -> Html:
    found = [f for file in report.files for f in (*file.findings, *file.accepted)]
    outcomes, codes = Counter(f.outcome for f in found), Counter(f.code for f in found)
    boxes = [tag("label", tag("input", type="checkbox", name="outcome", value=o.value, checked=True),
                 tag("span", o.value, class_=f"outcome {o.value}"), f" {outcomes[o]}") for o in Outcome if outcomes[o]]
    options = [tag("option", f"{code} {CATALOGUE[code].title} ({number})", value=code)
               for code, number in sorted(codes.items())]
    select = tag("label", "code ", tag("select", tag("option", "all", value=""), *options, id="code"))
    inside = [tag("fieldset", tag("legend", "findings"), *boxes, select)] if found else []
    return tag("form", *inside, tag("output", plural(len(found), "finding"), id="count", aria_live="polite"),
               id="filters")


# ---------------------------------------------------------------- overview
def _overview(files: list[tuple[int, FileReport]], covered: dict[int, Coverage], shown: set[int]) -> Html:
    heads = [tag("th", name, scope="col") for name in ("file", "ported", "lines", "findings", "cases")]
    rows = [_overview_row(n, file, covered[n], n in shown) for n, file in files]
    whole = Coverage(sum(c.before for c in covered.values()), sum(c.left for c in covered.values()))
    total = tag("tr", tag("th", "all", scope="row"), tag("td", _bar(whole)), tag("td"), tag("td"), tag("td"))
    body = [tag("tbody", *rows)] + ([tag("tfoot", total)] if len(files) > 1 else [])
    return tag("table", tag("thead", tag("tr", *heads)), *body, class_="overview")


def _overview_row(n: int, file: FileReport, covered: Coverage, linked: bool) -> Html:
    name = tag("a", file.path, href=f"#f{n}") if linked else file.path
    kinds = Counter(f.outcome for f in file.findings)
    findings = join((tag("span", f"{number} {o.value}", class_=f"outcome {o.value}") for o in Outcome
                     if (number := kinds[o])), " ")
    cases = join((tag("span", v.status, class_=f"status {v.status.replace(' ', '-')}") for v in file.verdicts), " ")
    return tag("tr", tag("th", name, scope="row"), tag("td", _bar(covered) if file.result else ""),
               tag("td", _lines(file)), tag("td", findings), tag("td", cases), data_file=f"f{n}")


def _bar(covered: Coverage) -> Html:
    """How many of the uses of the source's framework are gone."""
    percent = covered.percent
    if percent is None:
        return tag("span", "nothing to port", class_="dim")
    parts = [tag("rect", width=100, height=8, class_="rest"), tag("rect", width=percent, height=8, class_="done")]
    told = f"{covered.before - covered.left} of {covered.before} uses of the framework are ported"
    return join((tag("svg", tag("title", told), *parts, viewBox="0 0 100 8", width=100, height=8, role="img",
                     class_="bar"), f" {percent} % of {covered.before}"))


def _lines(file: FileReport) -> str:
    if file.result is None:
        return "failed" if file.error else ""
    if not file.changed:
        return "unchanged"
    changes = [op for group in opcodes(split(file.result.source), split(file.result.text), 0) for op in group]
    return f"+{sum(op[4] - op[3] for op in changes)} −{sum(op[2] - op[1] for op in changes)}"


# ---------------------------------------------------------------- files
def _file(n: int, file: FileReport, covered: Coverage, unfolded: bool) -> Html:
    from port.report import htmlcases  # numpy comes with it

    parts = [tag("h2", tag("a", file.path, href=f"#f{n}"), " ", _bar(covered) if file.result else "")]
    parts += [tag("p", problem, class_="problem") for problem in file.problems()]
    if file.written:
        parts.append(tag("p", f"written to {file.written}", class_="dim"))
    if file.verdicts:
        parts += [tag("h3", "Verification"), *[htmlcases.case(v) for v in file.verdicts]]
    if file.changed:
        table = tag("div", htmldiff.diff(file, f"f{n}"), class_="scroll", role="region", tabindex=0,
                    aria_label=f"differences of {file.path}")
        parts.append(tag("details", tag("summary", "Source and translation"), table, class_="sides", open=unfolded))
    elif file.findings or file.accepted:
        parts += [tag("h3", "Findings"), tag("div", htmldiff.notes(file), class_="alone")]
    return tag("section", *parts, id=f"f{n}", class_="file", tabindex=-1)
