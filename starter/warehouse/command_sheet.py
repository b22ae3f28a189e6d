"""The sheet of commands: barcodes that a picker scans instead of touching a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from domain.sellers import Language
from starter.warehouse.sheet import barcode, grid, pages, text
from starter.warehouse.words import WORDS

SPOTS_MAX: Final = 12
"""Spots of a cart that the sheet has codes for."""

_COMMANDS: Final[Mapping[str, Mapping[Language, str]]] = {
    "OL:DONE": {"en": "Done", "ko": "완료", "de": "Fertig"},
    "OL:SHORT": {"en": "Not there", "ko": "없음", "de": "Nicht da"},
    "OL:SKIP": {"en": "Later", "ko": "나중에", "de": "Später"},
    "OL:OTHER": {"en": "Other place", "ko": "다른 자리", "de": "Anderer Platz"},
    "OL:UNDO": {"en": "Undo", "ko": "되돌리기", "de": "Zurücknehmen"},
    "OL:CANCEL": {"en": "Give up", "ko": "그만두기", "de": "Aufgeben"},
    "OL:TAKE": {"en": "Take over", "ko": "이어받기", "de": "Übernehmen"},
}
_UNITS: Final[Mapping[Language, str]] = {"en": "{n} units", "ko": "{n}개", "de": "{n} Stück"}
_TITLE: Final[Mapping[Language, str]] = {
    "en": "Commands to scan",
    "ko": "스캔 명령",
    "de": "Befehle zum Scannen",
}
_SPOT: Final[Mapping[Language, str]] = {"en": "Spot {n}", "ko": "{n}번 칸", "de": "Fach {n}"}


def command_sheet_pdf(language: Language) -> bytes:
    """The sheet as PDF: commands, and the spots of a cart."""
    commands = [(code, names[language]) for code, names in _COMMANDS.items()]
    units = [(f"OL:QTY:{n}", _UNITS[language].format(n=n)) for n in (2, 3, 4, 5, 6, 12)]
    spots = [(f"OL:POS:{n}", _SPOT[language].format(n=n)) for n in range(1, SPOTS_MAX + 1)]
    title = _TITLE[language]
    story: list[Flowable] = [text(title, 20, bold=True), Spacer(0, 4 * mm), _grid(commands + units)]
    story += [Spacer(0, 6 * mm), _grid(spots)]
    return pages(story, title=title, author="Orderloom", page=WORDS[language].page)


def _grid(codes: Sequence[tuple[str, str]]) -> Flowable:
    """Two codes beside each other, far enough apart that a reader sees one of them."""
    cells = [[text(name, 12, bold=True), barcode(code)] for code, name in codes]
    if len(cells) % 2:
        cells.append([])
    rows = [[cells[at], cells[at + 1]] for at in range(0, len(cells), 2)]
    return grid(rows, (0.5, 0.5), head=False)
