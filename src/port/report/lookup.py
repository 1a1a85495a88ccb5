"""The texts of `port ops` and `port explain`."""

from __future__ import annotations

import difflib
import textwrap
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
    """One text per row whose names or texts hold every word of `query`; brief if there is none to look for.

    Where a name is exactly that of a row, only such rows.
    """
    words = query.lower().split()
    every = [row for group in rows.values() for row in group]
    exact = [row for row in every if query and query in _names(row)]
    for row in exact or every:
        if exact or all(word in _searched(row) for word in words):
            yield _full(row) if query else _brief(row)


def nearest(rows: Mapping[str, tuple[Row, ...]], query: str, most: int = 3) -> list[str]:
    """The known symbols that are spelled most like `query`, by their last part where that is all that was asked for."""
    names = {s.name for group in rows.values() for row in group for s in (*row.tf, *row.torch)}
    if "." not in query:
        last: dict[str, str] = {}
        for name in sorted(names, key=len):
            last.setdefault(name.rpartition(".")[2].lower(), name)
        return [last[n] for n in difflib.get_close_matches(query.lower(), last, most)]
    return difflib.get_close_matches(query, names, most)


def _names(row: Row) -> list[str]:
    return [row.name, *(signature.name for signature in (*row.tf, *row.torch))]


def _searched(row: Row) -> str:
    parts = [*_names(row), *row.expr.values(), row.differs, row.none, row.note]
    parts += [p.name for signature in (*row.tf, *row.torch) for p in signature.params]
    return "\n".join(parts).lower()


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
    if row.only:
        lines += [f"  only {name}: {', '.join(map(repr, values))}" for name, values in row.only.items()]
    if row.ignore:
        lines.append(f"  dropped: {', '.join(row.ignore)}")
    if row.note:
        lines.append(f"  note: {row.note}")
    return "\n".join([*lines, *_example(row)])


def _example(row: Row) -> list[str]:
    from port.report import example  # it needs the translator

    found = example.of(row)
    if found is None:
        return []
    source, ported = (textwrap.indent(text, "    ") for text in found)
    return ["  for example", source, "  becomes", ported]


def _signature(signature: Signature) -> str:
    if signature.attribute:
        return signature.name
    return f"{signature.name}({', '.join(map(_param, signature.params))})"


def _param(param: Param) -> str:
    default = "" if param.default is None else f"={param.default}"
    return f"{param.star}{param.name}{default}"
