"""One JSON document for a run; docs/formats.md describes it. Keys are only ever added without a new SCHEMA."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import port
from port.findings import CATALOGUE, Finding
from port.report.model import CaseVerdict, FileReport, Report

SCHEMA = 1


def render(report: Report) -> str:
    document = {
        "port": port.__version__,
        "schema": SCHEMA,
        "direction": report.direction,
        "exit_code": report.exit_code,
        "counts": report.counts(),
        "files": [_file(file) for file in report.files],
    }
    return json.dumps(document, indent=2)


def _file(file: FileReport) -> dict[str, Any]:
    findings = [_finding(file, f, False) for f in file.findings] + [_finding(file, f, True) for f in file.accepted]
    return {
        "path": file.path,
        "changed": file.changed,
        "written": file.written or None,
        "error": file.error or None,
        "diff": "\n".join(file.diff()),
        "findings": sorted(findings, key=lambda f: (f["cell"] or 0, f["line"], f["column"])),
        "edits": [asdict(edit) for edit in file.result.edits] if file.result else [],
        "verdicts": [_verdict(verdict) for verdict in file.verdicts],
    }


def _verdict(verdict: CaseVerdict) -> dict[str, Any]:
    whole = verdict.whole.as_dict() if verdict.whole else {}
    return {**whole, "case": verdict.case, "status": verdict.status, "text": verdict.text}


def _finding(file: FileReport, finding: Finding, accepted: bool) -> dict[str, Any]:
    code = CATALOGUE[finding.code]
    extra = {"outcome": code.outcome.value, "title": code.title, "do": code.do, "accepted": accepted,
             "cell": file.place(finding.line)[0] or None}
    return {**asdict(file.in_cell(finding)), **extra}
