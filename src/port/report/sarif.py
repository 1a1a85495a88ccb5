"""SARIF 2.1.0, the format of code-scanning services; columns count from 1 there."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import port
from port.findings import CATALOGUE, Code, Finding, Outcome
from port.report.model import FileReport, Report


def render(report: Report) -> str:
    codes = list(CATALOGUE.values())
    driver = {"name": "port", "version": port.__version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [result for file in report.files for result in _results(file)],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.what},
        "help": {"text": code.do},
        "defaultConfiguration": {"level": level(code.outcome)},
    }


def level(outcome: Outcome) -> str:
    if outcome is Outcome.INTERNAL:
        return "error"
    return "warning" if outcome is Outcome.REFUSED else "note"


def _results(file: FileReport) -> list[dict[str, Any]]:
    suppressed = [{"kind": "inSource"}]
    stand = [_result(file, finding) for finding in file.findings]
    return stand + [{**_result(file, finding), "suppressions": suppressed} for finding in file.accepted]


def _result(file: FileReport, finding: Finding) -> dict[str, Any]:
    location = {"artifactLocation": {"uri": _uri(file.path)}, "region": _region(file.in_cell(finding))}
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CATALOGUE).index(finding.code),
        "level": level(finding.outcome),
        "message": {"text": _message(file, finding)},
        "locations": [{"physicalLocation": location}],
    }


def _message(file: FileReport, finding: Finding) -> str:
    cell, _ = file.place(finding.line)
    return f"cell {cell}: {finding.message}" if cell else finding.message


def _region(finding: Finding) -> dict[str, int]:
    region = {"startLine": max(finding.line, 1), "startColumn": finding.column + 1}
    if finding.end_line:
        region |= {"endLine": finding.end_line, "endColumn": finding.end_column + 1}
    return region


def _uri(path: str) -> str:
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())


def _invocation(report: Report) -> dict[str, Any]:
    problems = [(file.path, problem) for file in report.files for problem in file.problems()]
    notes = [{"level": "error", "message": {"text": f"{path}: {text}"}} for path, text in problems]
    ran = report.exit_code != 2
    return {"executionSuccessful": ran, "exitCode": report.exit_code, "toolExecutionNotifications": notes}
