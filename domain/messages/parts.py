"""What a template is made of, each part once as HTML and once as plain text.

Styles stand in each tag: many mail readers drop all others. Dark mode is the layout's.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from markupsafe import Markup

from domain.messages.facts import Facts, ToldItem
from domain.messages.words import WORDS

LINE: Final = 76
ITEMS_SHOWN: Final = 100
"""Of longer lists the rest is counted: large mailboxes cut a mail off after some 100 KB."""

_CELL: Final = "padding:6px 0;border-bottom:1px solid #d8dde3;font-size:16px;line-height:1.5"
_TEXT: Final = "margin:0 0 16px;font-size:16px;line-height:1.5"
_ROW: Final = Markup(
    '<tr><td class="rule" style="{0}">{1}</td>'
    '<td class="rule" align="right" style="{0}"><strong>{2}</strong></td></tr>'
)

_BY_DAY: Final = Markup("{0}<br>{1}")


class Parts(Protocol):
    """The functions that a template calls."""

    def p(self, caller: Callable[[], str]) -> str:
        """A paragraph: `{% call p() %}…{% endcall %}`."""
        ...

    def items(self, items: Sequence[ToldItem]) -> str:
        """What an order or a parcel holds."""
        ...

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """Names and their values, without those that have none."""
        ...

    def address(self, title: str, lines: Sequence[str]) -> str:
        """An address under its title; nothing where there is none."""
        ...

    def button(self, label: str) -> str:
        """The link to the customer's page; nothing where there is none."""
        ...


class HtmlParts:
    """As HTML. Whatever is filled in is escaped."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def p(self, caller: Callable[[], str]) -> str:
        """As of `Parts`, like the next ones."""
        return Markup('<p style="{}">{}</p>').format(
            _TEXT,
            Markup(caller().strip()),  # noqa: S704 - a template's own text: what it shows is escaped
        )

    def items(self, items: Sequence[ToldItem]) -> str:
        """What an order or a parcel holds."""
        rows = [
            _ROW.format(
                _CELL,
                _BY_DAY.format(one.name, one.day) if one.day else one.name,
                f"× {one.quantity}",
            )
            for one in items[:ITEMS_SHOWN]
        ]
        if len(items) > ITEMS_SHOWN:
            rows.append(_ROW.format(_CELL, _more(items, self._facts), ""))
        return _table(rows)

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """Names and their values."""
        return _table([_ROW.format(_CELL, name, value) for name, value in rows if value])

    def address(self, title: str, lines: Sequence[str]) -> str:
        """An address under its title."""
        if not lines:
            return ""
        return Markup('<p style="{}"><strong>{}</strong><br>{}</p>').format(
            _TEXT, title, Markup("<br>").join(lines)
        )

    def button(self, label: str) -> str:
        """The link to the customer's page."""
        if not self._facts.link:
            return ""
        return Markup(
            '<p style="margin:8px 0 24px"><a href="{}" style="display:inline-block;'
            "padding:12px 20px;border-radius:6px;background-color:{};color:#ffffff;"
            'font-size:16px;font-weight:bold;text-decoration:none">{}</a></p>'
        ).format(self._facts.link, self._facts.shop.colour, label)


class TextParts:
    """As plain text, wrapped."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def p(self, caller: Callable[[], str]) -> str:
        """As of `Parts`, like the next ones."""
        return f"{_wrapped(caller())}\n\n"

    def items(self, items: Sequence[ToldItem]) -> str:
        """What an order or a parcel holds."""
        shown = [
            f"  {one.quantity} × {one.name}{f', {one.day}' if one.day else ''}\n"
            for one in items[:ITEMS_SHOWN]
        ]
        if len(items) > ITEMS_SHOWN:
            shown.append(f"  {_more(items, self._facts)}\n")
        return "".join(shown) + "\n"

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """Names and their values."""
        shown = "".join(f"  {name}: {value}\n" for name, value in rows if value)
        return f"{shown}\n" if shown else ""

    def address(self, title: str, lines: Sequence[str]) -> str:
        """An address under its title."""
        return f"{title}\n" + "".join(f"  {line}\n" for line in lines) + "\n" if lines else ""

    def button(self, label: str) -> str:
        """The link to the customer's page."""
        return f"{label}:\n{self._facts.link}\n\n" if self._facts.link else ""


def _more(items: Sequence[ToldItem], facts: Facts) -> str:
    return WORDS[facts.language].more.format(number=len(items) - ITEMS_SHOWN)


def _table(rows: Sequence[Markup]) -> Markup:
    if not rows:
        return Markup("")
    return Markup(
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="margin:0 0 20px;border-collapse:collapse">{}</table>'
    ).format(Markup("").join(rows))


def _wrapped(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), LINE, break_long_words=False, break_on_hyphens=False
    )
