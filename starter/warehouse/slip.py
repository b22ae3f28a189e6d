"""The packing slip: what is in a parcel, and for whom. It has no prices: a parcel may be a gift."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Spacer

from domain.orders.placed import day_in
from domain.sellers import address_lines
from runtime.papers.sheet import barcode, grid, pages, text
from starter.warehouse.words import WORDS, Words
from store.views.packing import Goods, Packing


def slip_pdf(parcel: Packing) -> bytes:
    """The slip as PDF, in the customer's language where the seller has it."""
    seller, words = parcel.seller, _words(parcel)
    return pages(_story(parcel), title=parcel.fulfilment_id, author=seller.name, page=words.page)


def slips_pdf(parcels: Sequence[Packing]) -> bytes:
    """The slips of several parcels as one PDF, each on a page of its own."""
    seller = parcels[0].seller
    words = WORDS[seller.languages[0]]
    story: list[Flowable] = []
    for parcel in parcels:
        story += [*([PageBreak()] if story else []), *_story(parcel)]
    return pages(story, title=words.slip, author=seller.name, page=words.page)


def _words(parcel: Packing) -> Words:
    return WORDS[parcel.seller.language_for(parcel.order.customer.locale)]


def _story(parcel: Packing) -> list[Flowable]:
    order, seller, words = parcel.order, parcel.seller, _words(parcel)
    receiver = order.shipping.address
    ordered_on = day_in(order.placed_at, ZoneInfo(seller.time_zone))
    story: list[Flowable] = [
        text(seller.name, 9, grey=True),
        text(words.slip, 20, bold=True),
        Spacer(0, 4 * mm),
        grid(
            [
                [
                    [
                        text(f"{words.order}: {order.channel_order_id}"),
                        text(f"{words.ordered_on}: {ordered_on.isoformat()}"),
                        text(parcel.fulfilment_id, 8, grey=True),
                    ],
                    barcode(parcel.fulfilment_id),
                ]
            ],
            (0.5, 0.5),
            head=False,
        ),
        Spacer(0, 4 * mm),
        text(words.deliver_to, 8, grey=True),
        text(receiver.name if receiver else order.customer.name, bold=True),
    ]
    if receiver is not None:
        lines = (receiver.company, *address_lines(receiver))
        story += [text(line) for line in lines if line]
    story += [
        Spacer(0, 6 * mm),
        grid(
            [
                [text(words.quantity, 8, grey=True), text(words.goods, 8, grey=True), ""],
                *(_row(goods) for goods in parcel.goods),
            ],
            (0.12, 0.43, 0.45),
            head=True,
        ),
    ]
    if order.gift_message:
        story += [
            Spacer(0, 10 * mm),
            text(words.gift, 8, grey=True),
            Spacer(0, 2 * mm),
            text(order.gift_message, 14),
        ]
    return story


def _row(goods: Goods) -> list[object]:
    name = [text(goods.name)] if goods.name and goods.name != goods.sku else []
    return [
        text(f"{goods.quantity} ×", 12, bold=True),
        [*name, text(goods.sku, 8 if name else 10, grey=bool(name))],
        barcode(goods.sku),
    ]
