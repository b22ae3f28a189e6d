"""All that is printed on a warehouse's papers in a language. `{…}` is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.sellers import Language


@dataclass(frozen=True)
class Words:
    """One language. A field that a language lacks is an error when this module is loaded."""

    slip: str
    order: str
    ordered_on: str
    deliver_to: str
    quantity: str
    goods: str
    gift: str
    pick_list: str
    parcels: str
    at: str
    together: str
    service: str
    page: str


WORDS: Final[Mapping[Language, Words]] = {
    "en": Words(
        slip="Packing slip",
        order="Order",
        ordered_on="Date of order",
        deliver_to="Deliver to",
        quantity="Quantity",
        goods="Goods",
        gift="A message for you",
        pick_list="Pick list",
        parcels="Parcels: {number}",
        at="Location: {location}",
        together="All together",
        service="Service: {service}",
        page="Page {page}",
    ),
    "ko": Words(
        slip="포장 명세서",
        order="주문 번호",
        ordered_on="주문일",
        deliver_to="배송지",
        quantity="수량",
        goods="품목",
        gift="선물 메시지",
        pick_list="피킹 목록",
        parcels="포장 수: {number}",
        at="위치: {location}",
        together="합계",
        service="배송 방법: {service}",
        page="{page} 쪽",
    ),
    "de": Words(
        slip="Packzettel",
        order="Bestellung",
        ordered_on="Bestelldatum",
        deliver_to="Lieferadresse",
        quantity="Menge",
        goods="Waren",
        gift="Eine Nachricht für Sie",
        pick_list="Pickliste",
        parcels="Pakete: {number}",
        at="Lagerort: {location}",
        together="Alles zusammen",
        service="Versandart: {service}",
        page="Seite {page}",
    ),
}
