"""EDI with a worker: the order's workflow confirms, changes and sends; purchases go and come."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.edi.partners import Partner
from domain.edi.written import Written, interchange
from domain.orders.channels import Channel
from domain.orders.providers import ON_ACCOUNT
from domain.purchasing.purchase_orders import SupplierItem
from tests.support.shop import Shop
from tests.support.trading import a_buyer

AT = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)
TODAY = date(2026, 11, 30)


def turned(partner: Partner) -> Partner:
    """The partner as it writes to us: what is ours is theirs."""
    return partner.model_copy(update={"ours": partner.theirs, "theirs": partner.ours})


async def test_an_order_is_confirmed_changed_and_sent_by_its_workflow(shop: Shop) -> None:
    partner = a_buyer()
    await shop.stocked("WIDGET-001", 50)
    await shop.channels.save([Channel(channel="b2b", kind="b2b", providers=(ON_ACCOUNT,))])
    await shop.edi.save([partner], by="test")
    control = 0

    async def sends(code: str, *body: Written) -> None:
        nonlocal control
        control += 1
        await shop.edi.receive("test", interchange(turned(partner), code, control, body, at=AT))

    async def answered(code: str, said: bytes) -> bytes:
        async def look() -> bytes | None:
            for one in await shop.edi.list(direction="out"):
                raw = (await shop.edi.show(one.interchange.interchange_no)).raw or b""
                if one.documents[0].code == code and said in raw:
                    return raw
            return None

        return await shop.until(look, f"{code} says {said!r}")

    line = ("PO1", 1, 10, "EA", "12.50", "", "VP", "WIDGET-001")
    await sends(
        "850",
        ("BEG", "00", "SA", "EDI-WORKER-1", "", TODAY),
        ("CUR", "BY", "USD"),
        ("N1", "ST", "Mock EDI Supply Co"),
        ("N3", "500 Seaport Boulevard"),
        ("N4", "Boston", "MA", "02210", "US"),
        line,
        ("CTT", 1),
    )
    await answered("855", b"ACK*IA*10*EA~")

    change = ("BCH", "04", "SA", "EDI-WORKER-1", "", "1", TODAY)
    less = ("POC", 1, "QD", 6, "", "EA", "12.50", "", "VP", "WIDGET-001")
    await sends("860", change, less, ("CTT", 1))
    await answered("865", b"ACK*IA*6*EA~")
    order = await shop.orders.get("b2b-EDI-WORKER-1")
    assert [row.ordered - row.cancelled for row in order.lines] == [6]

    await shop.drive("b2b-EDI-WORKER-1:1", "shipped")
    await answered("856", b"SN1*1*6*EA**6*EA~")
    await answered("810", b"TDS*7500~")

    await sends("860", ("BCH", "01", "SA", "EDI-WORKER-1", "", "2", TODAY), ("CTT", 0))
    refused = await answered("865", b"BCA*01*RD*")
    assert b"REF*ZZ**" in refused


async def test_a_purchase_order_goes_to_a_supplier_and_its_answer_ends_the_wait(
    shop: Shop,
) -> None:
    supplier = Partner.model_validate(
        {
            "partner": "mill",
            "name": "Mill",
            "role": "supplier",
            "supplier": "mill",
            "ours": {"id": "ORDERLOOM"},
            "theirs": {"id": "MILL"},
        }
    )
    await shop.stocked("TEA", 1)
    terms = {"supplier": "mill", "sku": "TEA", "lead_time_days": 5, "unit_price": "2.50"}
    await shop.purchasing.set_terms([SupplierItem.model_validate({**terms, "currency": "USD"})])
    await shop.edi.save([supplier], by="test")
    po_id = "PO-EDI-WORKER"
    await shop.purchasing.propose("mill", "main", {"TEA": 12}, po_id=po_id, who="t", why="t")

    async def sent() -> bool:
        return (await shop.purchasing.order(po_id)).state == "sent"

    await shop.until(sent, "it is sent")
    (document,) = await shop.edi.of_order(po_id=po_id)
    assert (document.code, document.state) == ("850", "open")
    answer = (
        ("BAK", "00", "AC", po_id, TODAY),
        ("PO1", 1, 12, "EA", "2.50", "", "BP", "TEA"),
        ("ACK", "IA", 12, "EA", "067", date(2027, 1, 20)),
        ("CTT", 1),
    )
    await shop.edi.receive("test", interchange(turned(supplier), "855", 1, answer, at=AT))

    async def acknowledged() -> bool:
        order = await shop.purchasing.order(po_id)
        return order.state == "acknowledged" and order.due_on == date(2027, 1, 20)

    await shop.until(acknowledged, "the supplier's day is known")
