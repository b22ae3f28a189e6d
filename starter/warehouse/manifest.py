"""The manifest: which parcels a carrier has taken at once, to be signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from domain.sellers import Language
from runtime.papers.sheet import barcode, grid, pages, text
from starter.warehouse.words import WORDS
from store.warehouse.parcel_runs import ClosedManifest


class _Words(NamedTuple):
    title: str
    carrier: str
    parcels: str
    parcel: str
    number: str
    by: str
    signature: str


_WORDS: Final[Mapping[Language, _Words]] = {
    "en": _Words(
        "Manifest {n}",
        "Carrier: {carrier}",
        "Parcels: {n}",
        "Parcel",
        "Tracking number",
        "Handed over by {who}, {at}",
        "Taken by (name, date, signature):",
    ),
    "ko": _Words(
        "인계 목록 {n}",
        "운송사: {carrier}",
        "상자: {n}",
        "상자",
        "운송장 번호",
        "인계: {who}, {at}",
        "인수자 (이름, 날짜, 서명):",
    ),
    "de": _Words(
        "Übergabeliste {n}",
        "Versender: {carrier}",
        "Pakete: {n}",
        "Paket",
        "Sendungsnummer",
        "Übergeben von {who}, {at}",
        "Übernommen von (Name, Datum, Unterschrift):",
    ),
}


def manifest_pdf(manifest: ClosedManifest, language: Language) -> bytes:
    """The manifest as PDF, with the number of its parcels and the number of each."""
    words = _WORDS[language]
    title = words.title.format(n=manifest.manifest_no)
    at = f"{manifest.closed_at:%Y-%m-%d %H:%M} UTC"
    story: list[Flowable] = [
        text(title, 20, bold=True),
        text(words.carrier.format(carrier=manifest.carrier), 12, bold=True),
        text(words.parcels.format(n=len(manifest.parcels)), 12, bold=True),
        text(WORDS[language].at.format(location=manifest.location)),
        text(words.by.format(who=manifest.who, at=at)),
        Spacer(0, 6 * mm),
        grid(
            [
                [text("", 8), text(words.parcel, 8, grey=True), text(words.number, 8, grey=True)],
                *(
                    [
                        text(f"{number}", 10),
                        text(one.part_id),
                        barcode(one.tracking_number) if one.tracking_number else "",
                    ]
                    for number, one in enumerate(manifest.parcels, start=1)
                ),
            ],
            (0.1, 0.4, 0.5),
            head=True,
        ),
        Spacer(0, 12 * mm),
        text(words.signature),
        Spacer(0, 14 * mm),
        text("_" * 50),
    ]
    return pages(story, title=title, author=manifest.who, page=WORDS[language].page)
