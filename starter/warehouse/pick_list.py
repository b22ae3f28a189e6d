"""The pick list: what to take off the shelves, parcel by parcel, with a code for each to scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from runtime.papers.sheet import barcode, grid, pages, text
from starter.warehouse.words import WORDS, Words
from store.views.packing import Packing


def pick_list_pdf(parcels: Sequence[Packing]) -> bytes:
    """The list as PDF, in the first language of the seller. Kits are listed as their parts.

    Of several parcels, the first table says what is taken for all of them together.
    """
    seller = parcels[0].seller
    words = WORDS[seller.languages[0]]
    places = dict.fromkeys(parcel.location for parcel in parcels)
    story: list[Flowable] = [
        text(words.pick_list, 20, bold=True),
        text(words.at.format(location=", ".join(places))),
        text(words.parcels.format(number=len(parcels))),
    ]
    if len(parcels) > 1:
        story += [Spacer(0, 5 * mm), text(words.together, 12, bold=True)]
        units = Counter[str]()
        names: dict[str, str] = {}
        for parcel in parcels:
            units.update(_units(parcel))
            names |= parcel.names
        story.append(_table(units, names, words))
    for parcel in parcels:
        story += [
            CondPageBreak(60 * mm),
            Spacer(0, 8 * mm),
            grid(
                [
                    [
                        [
                            text(parcel.fulfilment_id, 12, bold=True),
                            text(words.at.format(location=parcel.location), 8, grey=True),
                            text(
                                words.service.format(service=parcel.order.shipping.service),
                                8,
                                grey=True,
                            ),
                        ],
                        barcode(parcel.fulfilment_id),
                    ]
                ],
                (0.5, 0.5),
                head=False,
            ),
            _table(_units(parcel), parcel.names, words),
        ]
    return pages(story, title=words.pick_list, author=seller.name, page=words.page)


def _units(parcel: Packing) -> Counter[str]:
    """SKU → units that are taken off the shelf."""
    units = Counter[str]()
    for goods in parcel.goods:
        for sku, each in goods.parts.items():
            units[sku] += each * goods.quantity
    return units


def _table(units: Mapping[str, int], names: Mapping[str, str], words: Words) -> Flowable:
    rows = [
        [
            text(f"{number} ×", 12, bold=True),
            [text(names.get(sku) or sku), *([text(sku, 8, grey=True)] if names.get(sku) else [])],
            barcode(sku),
        ]
        for sku, number in sorted(units.items())
    ]
    head = [text(words.quantity, 8, grey=True), text(words.goods, 8, grey=True), ""]
    return grid([head, *rows], (0.12, 0.43, 0.45), head=True)
