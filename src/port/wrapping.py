"""Lines that became too long are broken inside their brackets, as a formatter would break them; no others."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

LIMIT = 120
OPEN, CLOSE = "([{", ")]}"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
# Comments and strings, in the order in which they stand: what is in one is not the other.
_QUOTED = r"""#[^\r\n]*|('{3}|"{3})(?:[^\\]|\\.)*?\1|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'"""
STRING = re.compile(_QUOTED, re.DOTALL)
TOKEN = re.compile(_QUOTED + r"|[()\[\]{}]", re.DOTALL)
LEAST = 30  # characters in brackets that are worth a line of their own


@dataclass(frozen=True)
class Bracket:
    """One pair at the top of a line: the columns of its two ends, of the commas between, and whether it loops."""

    start: int
    end: int
    commas: tuple[int, ...]
    loops: bool


def wrapped(text: str, source: str) -> str:
    """`text`, whose too long lines are broken unless the source has them too."""
    lines = LINE.findall(text)
    known = set(source.splitlines()) if any(len(line) > LIMIT for line in lines) else set()
    long = [i for i, line in enumerate(lines) if len(line.rstrip("\r\n")) > LIMIT and line.rstrip("\r\n") not in known]
    held = _in_strings(text) if long else set()
    for i in long:
        if i not in held:
            body = lines[i].rstrip("\r\n")
            ending = lines[i][len(body):]
            if (at := _bare_tuple(body)) and not _continues("".join(lines[:i])):
                body = f"{body[:at]}({body[at:]})"
            lines[i] = (ending or "\n").join(broken(body)) + ending
    return "".join(lines)


def _in_strings(text: str) -> set[int]:
    """Numbers, from 0, of the lines that belong to strings of several lines."""
    held: set[int] = set()
    line, done = 0, 0
    for found in STRING.finditer(text):
        if not found[0].startswith("#") and (more := _newlines(found[0])):
            line, done = line + _newlines(text[done:found.start()]), found.start()
            held.update(range(line, line + more + 1))
    return held


def _continues(before: str) -> bool:
    """Does a line that stands behind this text go on with a statement?"""
    words = [found[0] for found in TOKEN.finditer(before)]
    return before.rstrip("\r\n").endswith("\\") or sum((w in OPEN) - (w in CLOSE) for w in words) > 0


def _newlines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def broken(line: str) -> list[str]:
    """One line as several; as it is where no bracket can be broken."""
    found = _brackets(line) if len(line) > LIMIT else []
    if not found or max(b.end - b.start for b in found) < LEAST:
        return [line]
    pair = max(found, key=lambda b: b.end - b.start)
    indent = line[:len(line) - len(line.lstrip())]
    start, end = pair.start, pair.end
    inner = _brackets(line[start + 1:end])
    if len(inner) == 1 and inner[0].start == 0 and inner[0].end == end - start - 2 and not pair.commas:
        start, end = start + 1, end - 1  # f([ ... ]): both at once
        pair = Bracket(start, end, tuple(c + start for c in inner[0].commas), inner[0].loops)
    head, body, tail = line[:start + 1], line[start + 1:end].strip(), indent + line[end:]
    if len(head) > LIMIT or not body:
        return [line]
    deeper = indent + " " * 4
    if pair.loops or not pair.commas or (len(deeper + body) <= LIMIT and line[start] == "("):
        return [head, *broken(deeper + body), tail]
    ends = [*pair.commas, end]
    parts = [line[a + 1:b].strip() for a, b in zip([start, *pair.commas], ends, strict=True)]
    return [head, *(piece for part in parts if part for piece in broken(f"{deeper}{part},")), tail]


def _bare_tuple(line: str) -> int:
    """Where the value of `return a, b` and `x = a, b` begins, which is a tuple without parentheses; 0 if it is none."""
    start, depth, commas, indent = 0, 0, 0, len(line) - len(line.lstrip())
    for token in _tokens(line):
        word, top = token.string, depth == 0
        if token.type == tokenize.COMMENT or (top and word in ("lambda", "for", ";")):
            return 0
        depth += token.type == tokenize.OP and (word in OPEN) - (word in CLOSE)
        if top and ((token.type == tokenize.NAME and word == "return") or (token.type == tokenize.OP and word == "=")):
            start, commas = token.end[1] + indent, 0
        commas += top and token.type == tokenize.OP and word == ","
    return start + len(line[start:]) - len(line[start:].lstrip()) if start and commas else 0


def _tokens(line: str) -> list[tokenize.TokenInfo]:
    """None if the line is no code that stands alone."""
    try:
        return list(tokenize.generate_tokens(io.StringIO(line.lstrip()).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return []


def _brackets(line: str) -> list[Bracket]:
    """The pairs that lie in no other; none if the line is no code that stands alone, or speaks to a tool at its end."""
    found: list[Bracket] = []
    stack: list[int] = []
    commas: list[int] = []
    loops, lambdas, indent = False, 0, len(line) - len(line.lstrip())
    for token in _tokens(line):
        word, at = token.string, token.start[1] + indent
        if token.type == tokenize.COMMENT and (not found or "port:" in word or "noqa" in word):
            return []
        if token.type == tokenize.NAME and len(stack) == 1:
            loops |= word == "for"
            lambdas += word == "lambda"
        elif token.type != tokenize.OP:
            continue
        elif word in OPEN:
            commas, loops, lambdas = (commas, loops, lambdas) if stack else ([], False, 0)
            stack.append(at)
        elif word in CLOSE:
            if not stack:
                return []
            start = stack.pop()
            found += [] if stack else [Bracket(start, at, tuple(commas), loops)]
        elif len(stack) == 1 and word == ":" and lambdas:
            lambdas -= 1
        elif len(stack) == 1 and word == "," and not lambdas:
            commas.append(at)
    return found
