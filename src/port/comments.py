"""The comments by which a file speaks to `port`: `# port: ignore[CODE]`, `# port: skip`, `# port: skip-file`."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO

from port.findings import CATALOGUE, Finding

_WORDS = re.compile(r"#\s*port:\s*(?:(skip-file|skip)(?![\w-])|ignore\[([^\]]*)\])")


@dataclass(frozen=True)
class Comments:
    """Where they stand: lines count from 1, columns from 0. Read from comments only, never from strings."""

    ignored: dict[int, tuple[str, ...]] = field(default_factory=dict)  # line -> codes
    skipped: dict[int, int] = field(default_factory=dict)  # line of code -> column of the comment
    idle: dict[int, int] = field(default_factory=dict)  # the same of a skip on a line that has no code
    whole: bool = False
    columns: dict[int, int] = field(default_factory=dict)  # of the comments that ignore


def read(text: str) -> Comments:
    """The comments of one file; none if it is not Python."""
    found = Comments()
    whole = False
    if "port:" not in text:
        return found
    try:
        for token in tokenize.generate_tokens(StringIO(text, newline="").readline):
            match = _WORDS.search(token.string) if token.type == tokenize.COMMENT else None
            if not match:
                continue
            line, column = token.start
            if match[1] == "skip-file":
                whole = True
            elif match[1]:
                (found.skipped if token.line[:column].strip() else found.idle)[line] = column
            else:
                found.ignored[line] = tuple(code.strip() for code in match[2].split(","))
                found.columns[line] = column
    except (tokenize.TokenError, SyntaxError):
        return Comments()
    return Comments(found.ignored, found.skipped, found.idle, whole, found.columns)


def accept(findings: Sequence[Finding], text: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Split into findings that stand and those accepted by `# port: ignore[CODE, ...]` on their first or last line."""
    ignored = read(text).ignored if findings and "port:" in text else {}

    def is_accepted(finding: Finding) -> bool:
        return any(finding.code in ignored.get(line, ()) for line in _lines(finding))

    stand = tuple(finding for finding in findings if not is_accepted(finding))
    return stand, tuple(finding for finding in findings if is_accepted(finding))


def unused(accepted: Sequence[Finding], text: str) -> list[Finding]:
    """Suppressions without effect: codes that nothing was accepted by, and skips beside no code."""
    comments = read(text)
    used = {(line, finding.code) for finding in accepted for line in _lines(finding)}
    found = [Finding(line, comments.columns[line], "P002", f"nothing here has the code {code}" if code in CATALOGUE
                     else f"there is no code {code!r}")
             for line, codes in comments.ignored.items() for code in codes if (line, code) not in used]
    return found + [Finding(line, column, "P002", "`# port: skip` stands on a line without code")
                    for line, column in comments.idle.items()]


def _lines(finding: Finding) -> tuple[int, int]:
    return finding.line, finding.end_line or finding.line
