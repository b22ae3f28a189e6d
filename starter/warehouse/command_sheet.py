"""The sheet of commands: barcodes that a picker scans instead of touching a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from domain.sellers import Language
from runtime.papers.sheet import barcode, grid, pages, text
from starter.warehouse.words import WORDS

SPOTS_MAX: Final = 12
"""Spots of a cart that the sheet has codes for."""

_COMMANDS: Final[Mapping[str, Mapping[Language, str]]] = {
    "OL:DONE": {"en": "Done", "ko": "완료", "de": "Fertig"},
    "OL:SHORT": {"en": "Not there", "ko": "없음", "de": "Nicht da"},
    "OL:SKIP": {"en": "Later", "ko": "나중에", "de": "Später"},
    "OL:OTHER": {"en": "Other place", "ko": "다른 자리", "de": "Anderer Platz"},
    "OL:UNDO": {"en": "Undo", "ko": "되돌리기", "de": "Zurücknehmen"},
    "OL:PRINT": {"en": "Print the label", "ko": "라벨 인쇄", "de": "Etikett drucken"},
    "OL:CANCEL": {"en": "Give up", "ko": "그만두기", "de": "Aufgeben"},
    "OL:TAKE": {"en": "Take over", "ko": "이어받기", "de": "Übernehmen"},
}
_BEGIN: Final[Mapping[str, Mapping[Language, str]]] = {
    "OL:PICK": {"en": "Pick the next parcel", "ko": "다음 상자 피킹", "de": "Nächstes Paket"},
    "OL:BATCH": {"en": "Pick a wave, together", "ko": "묶음 피킹", "de": "Welle, zusammen"},
    "OL:CLUSTER": {
        "en": "Pick a wave, with a cart",
        "ko": "카트로 묶음 피킹",
        "de": "Welle, mit Wagen",
    },
    "OL:PACK": {"en": "Pack", "ko": "포장", "de": "Packen"},
    "OL:LOAD": {"en": "Hand over", "ko": "인계", "de": "Übergeben"},
    "OL:BACK": {"en": "Put back", "ko": "되돌려 놓기", "de": "Zurücklegen"},
    "OL:COLLECT": {"en": "Give out", "ko": "고객에게 내주기", "de": "Ausgeben"},
}
"""For the page of the floor: what begins work."""
_STOCK: Final[Mapping[str, Mapping[Language, str]]] = {
    "OL:RETURN": {"en": "Open a return", "ko": "반품 열기", "de": "Retoure öffnen"},
    "OL:COUNT": {"en": "Count", "ko": "재고 조사", "de": "Zählen"},
    "OL:MOVE": {"en": "Move", "ko": "자리 이동", "de": "Umlagern"},
    "OL:NOBODY": {"en": "Nobody's parcel", "ko": "누구의 것인지 모름", "de": "Niemandes Paket"},
    "OL:IS:new": {"en": "As new", "ko": "새것과 같음", "de": "Wie neu"},
    "OL:IS:opened": {"en": "Opened", "ko": "개봉됨", "de": "Geöffnet"},
    "OL:IS:used": {"en": "Used", "ko": "사용됨", "de": "Gebraucht"},
    "OL:IS:damaged": {"en": "Damaged", "ko": "파손됨", "de": "Beschädigt"},
    "OL:ALL": {"en": "Nothing is left there", "ko": "남은 것 없음", "de": "Dort ist nichts mehr"},
    "OL:WHY:lost": {"en": "Because it is lost", "ko": "이유: 분실", "de": "Weil es verloren ist"},
    "OL:WHY:found": {"en": "Because it was found", "ko": "이유: 찾음", "de": "Weil es da war"},
    "OL:OFF:broken": {"en": "Take off: broken", "ko": "빼기: 파손", "de": "Ausbuchen: kaputt"},
}
"""For what comes in, is counted or moved. A reason is kept as its code says it."""
_UNITS: Final[Mapping[Language, str]] = {"en": "{n} units", "ko": "{n}개", "de": "{n} Stück"}
_TITLE: Final[Mapping[Language, str]] = {
    "en": "Commands to scan",
    "ko": "스캔 명령",
    "de": "Befehle zum Scannen",
}
_SPOT: Final[Mapping[Language, str]] = {"en": "Spot {n}", "ko": "{n}번 칸", "de": "Fach {n}"}


def command_sheet_pdf(language: Language) -> bytes:
    """The sheet as PDF: what begins work, commands, the spots of a cart, and what is for stock."""
    commands = [(code, names[language]) for code, names in _COMMANDS.items()]
    units = [(f"OL:QTY:{n}", _UNITS[language].format(n=n)) for n in (2, 3, 4, 5, 6, 12)]
    spots = [(f"OL:POS:{n}", _SPOT[language].format(n=n)) for n in range(1, SPOTS_MAX + 1)]
    title = _TITLE[language]
    stock = [(code, names[language]) for code, names in _STOCK.items()]
    begin = [(code, names[language]) for code, names in _BEGIN.items()]
    return code_sheet_pdf(title, (begin, commands + units, spots, stock), language)


def code_sheet_pdf(
    title: str, groups: Sequence[Sequence[tuple[str, str]]], language: Language
) -> bytes:
    """Codes as barcodes, with the words above each: groups of them, apart from each other."""
    story: list[Flowable] = [text(title, 20, bold=True), Spacer(0, 4 * mm)]
    for number, codes in enumerate(groups):
        story += [Spacer(0, 6 * mm)] if number else []
        story.append(_grid(codes))
    return pages(story, title=title, author="Orderloom", page=WORDS[language].page)


def _grid(codes: Sequence[tuple[str, str]]) -> Flowable:
    """Two codes beside each other, far enough apart that a reader sees one of them."""
    cells = [[text(name, 12, bold=True), barcode(code)] for code, name in codes]
    if len(cells) % 2:
        cells.append([])
    rows = [[cells[at], cells[at + 1]] for at in range(0, len(cells), 2)]
    return grid(rows, (0.5, 0.5), head=False)
