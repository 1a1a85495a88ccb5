"""HTML that cannot be broken into: text is escaped unless it is `Html`, and only `tag` and `join` make that."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset(("br", "input", "meta", "col"))
# What a reader would not see, or would see in another order than a program does (Trojan Source), is spelled out.
_UNSEEN = {code: f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{code:04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}" for code in (
    *range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F),
    0x2028, 0x2029, *range(0x2060, 0x2070), *range(0xD800, 0xE000), 0xFEFF)} | {0x0C: "\N{SYMBOL FOR FORM FEED}"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    return value if isinstance(value, Html) else Html(_escaped(value))


def _escaped(value: object) -> str:
    return html.escape(str(value).translate(_UNSEEN))


def join(parts: Iterable[object], between: str = "") -> Html:
    return Html(text(between).join(text(part) for part in parts))


def tag(element: str, /, *inside: object, **attributes: object) -> Html:
    """`tag("td", "a < b", class_="code")`. Attributes that are None or False are left out; `data_x` is `data-x`."""
    shown = [f" {_name(key)}" if value is True else f' {_name(key)}="{_escaped(value)}"'
             for key, value in attributes.items() if value is not None and value is not False]
    start = f"<{element}{''.join(shown)}>"
    return Html(start) if element in _VOID else Html(f"{start}{join(inside)}</{element}>")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
