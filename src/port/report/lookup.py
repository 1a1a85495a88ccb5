"""The texts of `port ops` and `port explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from port.findings import CATALOGUE
from port.table import Param, Row, Signature


def explain(code: str) -> str:
    """One entry of the catalogue; KeyError if there is none."""
    entry = CATALOGUE[code]
    return f"{entry.id} {entry.title} ({entry.outcome.value})\n\n{entry.what}\n\nWhat to do: {entry.do}"


def codes() -> str:
    return "\n".join(f"{entry.id}  {entry.outcome.value:8}  {entry.title}" for entry in CATALOGUE.values())


def page() -> str:
    """docs/findings.md: the whole catalogue."""
    head = ("# Findings\n\nWritten from the catalogue, `src/port/findings.py`, by `port explain --page`. `port explain "
            "CODE` shows one entry.\n\n`refused` and `internal` need a person (exit code 1). `# port: ignore[CODE]` on "
            "the line accepts one.\n")
    parts = [f"## {code.id}: {code.title}\n\n{code.outcome.value}. {code.what}\n\nWhat to do: {code.do}\n"
             for code in CATALOGUE.values()]
    return "\n".join((head, *parts))


def ops(rows: Mapping[str, tuple[Row, ...]], query: str) -> Iterator[str]:
    """One text per row whose name or signatures hold `query`; brief if there is none to look for."""
    wanted = query.lower()
    for group in rows.values():
        for row in group:
            if any(wanted in name.lower() for name in _names(row)):
                yield _full(row) if query else _brief(row)


def _names(row: Row) -> list[str]:
    return [row.name, *(signature.name for signature in (*row.tf, *row.torch))]


def _brief(row: Row) -> str:
    tf, torch = (_side(signatures, row.expr.get(side, ""), row)
                 for side, signatures in (("tf", row.tf), ("torch", row.torch)))
    return f"{tf:44} {_arrow(row)} {torch}"


def _side(signatures: tuple[Signature, ...], expression: str, row: Row) -> str:
    if signatures:
        return signatures[0].name
    return expression or (f"(adapter {row.via})" if row.via else "-")


def _arrow(row: Row) -> str:
    """How sure: `==` proven equal by samples, `~=` with a declared divergence, `!=` no equivalent, `=?` no samples."""
    if row.none:
        return "!="
    if row.differs:
        return "~="
    return "==" if row.sample else "=?"


def _full(row: Row) -> str:
    lines = [f"{row.name}  ({row.file})"]
    lines += [f"  tf     {_signature(signature)}" for signature in row.tf]
    lines += [f"  torch  {_signature(signature)}" for signature in row.torch]
    lines += [f"  as {side}: {text}" for side, text in row.expr.items()]
    if row.none:
        lines.append(f"  no equivalent: {row.none}")
    elif row.differs:
        lines.append(f"  differs: {row.differs}")
    else:
        lines.append("  exact: proven by its samples" if row.sample else "  not proven: the row has no samples")
    if row.ignore:
        lines.append(f"  dropped: {', '.join(row.ignore)}")
    return "\n".join(lines)


def _signature(signature: Signature) -> str:
    if signature.attribute:
        return signature.name
    return f"{signature.name}({', '.join(map(_param, signature.params))})"


def _param(param: Param) -> str:
    default = "" if param.default is None else f"={param.default}"
    return f"{param.star}{param.name}{default}"
