"""What is answered where goods do not fill the customer's unit of measure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from domain.edi.answers import Parcel, Standing, confirmation, our_change, shipping_notice
from domain.edi.asked import AskedLine, AskedOrder
from tests.support.trading import a_buyer

DAY = date(2026, 11, 30)
LINE = AskedLine(
    line_id="1", numbers=(("VP", "TEA"),), quantity=Decimal(2), unit="CS", price=Decimal("62.50")
)
ASKED = AskedOrder(number="4500", ordered_on=DAY, currency="USD", lines=(LINE,))
PARTNER = a_buyer(units={"EA": 1, "CS": 12})


def test_units_that_fill_no_case_are_told_one_by_one() -> None:
    stands = {"1": Standing(24, waiting=7, promised_on=DAY)}
    said = confirmation(PARTNER, ASKED, stands, our_number="b2b-4500", today=DAY)
    assert [one for one in said if one[0] == "ACK"] == [
        ("ACK", "IQ", Decimal(17), "EA"),
        ("ACK", "IB", Decimal(7), "EA", "067", DAY),
    ]
    left_at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    units = {"1": 17}
    parcel = Parcel("b2b-4500:1", left_at, "UPS", "1Z", units, "main")
    notice = shipping_notice(PARTNER, ASKED, parcel, skus={"1": "TEA"}, our_number="b2b-4500")
    assert ("SN1", "1", Decimal(17), "EA", "", Decimal(2), "CS") in notice
    whole = Parcel("b2b-4500:1", left_at, "UPS", "1Z", {"1": 12}, "main")
    notice = shipping_notice(PARTNER, ASKED, whole, skus={"1": "TEA"}, our_number="b2b-4500")
    assert ("SN1", "1", Decimal(1), "CS", "", Decimal(2), "CS") in notice


def test_a_day_that_moves_is_told_and_goods_that_came_are_no_news() -> None:
    told = Standing(24, waiting=12, promised_on=DAY)
    later = Standing(24, waiting=12, promised_on=date(2026, 12, 7))
    assert later.differs(told)
    assert not Standing(24).differs(told)
    said = our_change(PARTNER, ASKED, {"1": told}, {"1": later}, today=DAY, why="")
    assert said[2] == ("POC", "1", "CA", Decimal(2), "", "CS", Decimal("62.50"), "", "VP", "TEA")
    assert said[3:-1] == [
        ("ACK", "IQ", Decimal(1), "CS"),
        ("ACK", "IB", Decimal(1), "CS", "067", date(2026, 12, 7)),
    ]


def test_the_price_of_a_case_is_parted_as_finely_as_a_price_may_be() -> None:
    assert PARTNER.price_of(Decimal("62.50"), "CS") == Decimal("5.208333")
    assert PARTNER.price_of(Decimal("60.00"), "CS") == Decimal(5)
