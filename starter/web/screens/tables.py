"""Rows of tables for screens that are too narrow for columns: each cell has its head with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

_TAG: Final = re.compile(r"<(tr|td|th)\b([^>]*)>(\s*</td>)?")
"""A row or a cell, and the end of a cell in which nothing stands."""
_ROWS: Final = re.compile(r'\browspan="(\d+)"')


def headed(rows: str, heads: Sequence[tuple[str, str]]) -> Markup:
    """The same rows of HTML, with `data-head` on each cell: a style sheet can show a row as a card.

    `heads`: (sentence, kind) of each column.
    """
    column = 0
    # How many more rows a cell above takes of each column.
    taken = [0] * len(heads)

    def marked(found: re.Match[str]) -> str:
        nonlocal column
        tag, attributes, empty = found.groups(default="")
        head = ""
        if tag == "tr":
            column = 0
        else:
            while column < len(heads) and taken[column]:
                taken[column] -= 1
                column += 1
            if column < len(heads):
                if tag == "td" and not empty:
                    head = f' data-head="{escape(heads[column][0])}"'
                if long := _ROWS.search(attributes):
                    taken[column] = int(long[1]) - 1
            column += 1
        return f"<{tag}{attributes}{head}>{empty}"

    return Markup(_TAG.sub(marked, rows))  # noqa: S704  (a template has escaped every text)
