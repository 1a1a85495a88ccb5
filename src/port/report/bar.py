"""A progress bar for long runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
FEW = 8  # files that are done before anyone looks


def watched(items: Iterable[Item], total: int, console: Console | None = None) -> Iterator[Item]:
    """The items, with a bar on stderr while they come; only on a terminal, and gone at the end."""
    console = console or Console(stderr=True)
    if not console.is_terminal or total <= FEW:
        yield from items
        return
    columns = TextColumn("translating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        for item in items:
            bar.advance(task)
            yield item
