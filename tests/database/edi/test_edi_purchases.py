"""Our purchase orders by EDI: a supplier that we did not write takes them, sends and bills."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from activities.edi.supplier import EdiSupplier
from activities.provider_errors import Declined
from activities.providers.sandbox.supplier import SandboxSupplier
from domain.edi.partners import Partner
from domain.edi.written import Written, interchange
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.locations import Location
from starter.service.attention import AttentionList
from store.database import Pool
from store.purchasing import purchase_reads, purchases
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock import locations
from store.views.attention import AttentionTask
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of
from tests.support.trading import Trade, a_mock, faults_of

BEHAVIOURS = ("over-ship", "reject-all", "strict", "corrupt", "reject-ack", "no-ack")
"""With the days of its week these are all that mock-edi has as a supplier."""
_AT = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)


class Buyer(Trade):
    """We buy from mock-edi, to which we are ACME."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.bench = Bench(pool)
        self.supplier = EdiSupplier(pool, SandboxSupplier(pool, random=Random(1)))

    async def ready(self) -> None:
        terms = [
            SupplierItem.model_validate(
                {
                    "supplier": "mock",
                    "name": "Mock EDI",
                    "sku": sku,
                    "lead_time_days": 5,
                    "unit_price": price,
                    "currency": "USD",
                }
            )
            for sku, price in (("WIDGET-001", "12.50"), ("BRKT-050", "4.15"))
        ]
        async with self.pool.acquire() as conn:
            await locations.save(conn, [Location(location=one) for one in ("main", "shop")])
        await self.bench.purchasing.set_terms(terms)
        partner = {
            "partner": "mock",
            "name": "Mock EDI",
            "role": "supplier",
            "supplier": "mock",
            "ours": {"id": "ACME"},
            "theirs": {"id": "MOCKEDI"},
            "test": True,
            "item_numbers": "theirs",
            "items": [
                {"sku": "WIDGET-001", "number": "WIDGET-001"},
                {"sku": "BRKT-050", "number": "BRKT-050"},
            ],
        }
        await self.edi.save([Partner.model_validate(partner)], by="test")

    async def orders(self, po_id: str, **units: int) -> None:
        """A purchase order that is sent."""
        skus = {sku.replace("_", "-"): count for sku, count in units.items()}
        await self.bench.purchasing.propose("mock", "main", skus, po_id=po_id, who="t", why="t")
        order = await self.order(po_id)
        await self.supplier.place(order.document, x12="")
        async with self.pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.advance(conn, row, "approved")
            await purchases.advance(conn, row, "sent")

    async def order(self, po_id: str) -> PurchaseOrder:
        async with self.pool.acquire() as conn:
            return await purchase_reads.get(conn, po_id)

    async def tasks(self) -> list[str]:
        """What needs a person, with what suppliers answer otherwise than ordered."""
        return [*await super().tasks(), *(one.reason for one in await self.answers())]

    async def answers(self) -> list[AttentionTask]:
        """What they answer so."""
        found = await AttentionList(self.pool).tasks()
        return [one for one in found if one.kind == "purchase_answer"]

    async def them(self) -> Partner:
        """Who writes to us."""
        (partner,) = await self.edi.partners()
        return partner.model_copy(update={"ours": partner.theirs, "theirs": partner.ours})

    async def settle(self, mock: Any) -> None:
        """Carry everything back and forth until nothing is left."""
        for _ in range(6):
            went = await self.exchange(mock)
            mock.advance(everything=True)
            if not went and not mock.mailbox(partner="ACME"):
                return
            await self.pool.execute("update edi_document set try_after = now()")


@pytest.fixture
async def buyer(pool: Pool) -> Buyer:
    buyer = Buyer(pool)
    await buyer.ready()
    return buyer


async def test_an_order_is_confirmed_sent_and_billed_and_all_of_it_agrees(buyer: Buyer) -> None:
    with a_mock() as mock:
        await buyer.orders("PO-1", WIDGET_001=100, BRKT_050=40)
        ((code, raw),) = await buyer.goes()
        assert code == "850"
        assert faults_of(mock, raw) == []
        again = await buyer.supplier.place((await buyer.order("PO-1")).document, x12="")
        assert again.reference == "PO-1"
        assert await buyer.goes() == []
        assert mock.send(raw.decode())["orders"] == ["PO-1"]
        await buyer.settle(mock)

        order = await buyer.order("PO-1")
        assert order.state == "shipped"
        assert {line.sku: line.shipped for line in order.lines} == {
            "WIDGET-001": 100,
            "BRKT-050": 40,
        }
        confirmed = next(
            line for line in mock.order("PO-1", partner="ACME")["lines"] if line["line"] == "1"
        )
        dates = {str(line.due_on) for line in order.lines}
        assert confirmed["scheduled_on"] in dates
        assert await buyer.tasks() == []
        billed = await buyer.pool.fetchrow("select units, total from edi_bill")
        assert billed is not None
        assert billed["units"] == {"WIDGET-001": 100, "BRKT-050": 40}
        assert billed["total"] == Decimal("1416.00")
        assert mock.unacknowledged() == []


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_whatever_the_supplier_does_nothing_is_lost_and_a_person_hears_of_it(
    buyer: Buyer, behaviour: str
) -> None:
    with a_mock() as mock:
        mock.behaviour("ACME", behaviour)
        await buyer.orders("PO-2", WIDGET_001=10, BRKT_050=10)
        await buyer.settle(mock)
        order = await buyer.order("PO-2")
        tasks = " | ".join(await buyer.tasks())
        match behaviour:
            case "strict":
                assert tasks == ""
                assert order.state == "shipped"
            case "over-ship":
                assert "13 WIDGET-001 are sent, and 10 were ordered" in tasks
                assert "13 WIDGET-001 are billed, and 10 were ordered" in tasks
            case "reject-all":
                assert "refused" in tasks
                assert order.outstanding == 0
            case "corrupt":
                rejected = [
                    document.note
                    for one in await buyer.edi.list(direction="in")
                    for document in one.documents
                    if document.state == "rejected"
                ]
                assert len(rejected) == 3
                assert "segments, and there are" in str(rejected[0])
                assert order.state == "sent"
            case "reject-ack":
                assert "the partner rejected it" in tasks
            case "no-ack":
                await buyer.pool.execute(
                    "update edi_document set receipt_due = now() - interval '1 day'"
                )
                assert "has not acknowledged it" in " | ".join(await buyer.tasks())


async def test_a_short_shipment_is_a_task_until_the_rest_is_sent(buyer: Buyer) -> None:
    await buyer.orders("PO-5", WIDGET_001=10)
    them = await buyer.them()

    def notice(control: int, shipment_id: str, units: int) -> bytes:
        body: list[Written] = [
            ("BSN", "00", shipment_id, _AT.date(), "0805"),
            ("HL", 1, "", "S"),
            ("HL", 2, 1, "O"),
            ("PRF", "PO-5"),
            ("HL", 3, 2, "I"),
            ("LIN", 1, "VP", "WIDGET-001"),
            ("SN1", 1, units, "EA"),
            ("CTT", 3),
        ]
        return interchange(them, "856", control, body, at=_AT)

    await buyer.comes(notice(1, "SH-1", 8))
    assert "short: 8 of 10 WIDGET-001 are sent" in (await buyer.tasks())[0]
    await buyer.comes(notice(2, "SH-1", 8))
    assert len(await buyer.tasks()) == 2
    assert [line.shipped for line in (await buyer.order("PO-5")).lines] == [8]
    await buyer.comes(notice(3, "SH-2", 2))
    assert await buyer.tasks() == []
    await buyer.comes(notice(4, "SH-2", 2))
    assert await buyer.tasks() == []


def confirmation(them: Partner, po_id: str, control: int, *lines: tuple[Written, Written]) -> bytes:
    """An 855 of PO1 and ACK for each line."""
    body: list[Written] = [("BAK", "00", "AC", po_id, _AT.date())]
    for line in lines:
        body += line
    return interchange(them, "855", control, [*body, ("CTT", len(lines))], at=_AT)


async def test_an_answer_that_differs_is_one_task_until_somebody_agrees_to_it(
    buyer: Buyer,
) -> None:
    await buyer.orders("PO-6", WIDGET_001=10, BRKT_050=6)
    later = datetime(2027, 6, 1, tzinfo=UTC).date()
    brackets: tuple[Written, Written] = (
        ("PO1", 1, 6, "EA", "4.15", "", "VP", "BRKT-050"),
        ("ACK", "IA", 6, "EA", "067", later),
    )
    widgets: tuple[Written, Written] = (
        ("PO1", 2, 8, "EA", "13.00", "", "VP", "WIDGET-001"),
        ("ACK", "IQ", 8, "EA", "067", _AT.date()),
    )
    them = await buyer.them()
    await buyer.comes(confirmation(them, "PO-6", 1, brackets, widgets))
    (task,) = await AttentionList(buyer.pool).tasks()
    assert (task.kind, task.subject) == ("purchase_answer", "PO-6")
    for part in (
        "8 of 10 WIDGET-001 are confirmed",
        "WIDGET-001 costs 13.00, and was ordered at 12.50",
        f"BRKT-050 on {later}, later than",
    ):
        assert part in task.reason, task.reason
    await buyer.bench.purchasing.agree("PO-6", "yes", who="kim")
    assert [*await AttentionList(buyer.pool).tasks()] == []


async def test_an_answer_to_what_is_over_leads_to_its_purchase_order(buyer: Buyer) -> None:
    await buyer.orders("PO-7", WIDGET_001=10)
    await buyer.bench.purchasing.receive("PO-7", "all", who="dock")
    widgets: tuple[Written, Written] = (
        ("PO1", 1, 10, "EA", "12.50", "", "VP", "WIDGET-001"),
        ("ACK", "IA", 10, "EA", "067", _AT.date()),
    )
    await buyer.comes(confirmation(await buyer.them(), "PO-7", 1, widgets))
    (task,) = await AttentionList(buyer.pool).tasks()
    assert (task.kind, task.subject) == ("purchase_document", "PO-7")
    await buyer.comes(confirmation(await buyer.them(), "PO-none", 2, widgets))
    kinds = [(one.kind, one.subject) for one in await AttentionList(buyer.pool).tasks()]
    assert sorted(kinds) == [("edi", ""), ("purchase_document", "PO-7")]


async def test_a_buyer_sees_to_a_suppliers_document_on_the_page_of_its_order(
    buyer: Buyer,
) -> None:
    await buyer.orders("PO-8", WIDGET_001=10)
    odd: tuple[Written, Written] = (
        ("PO1", 7, 10, "EA", "12.50", "", "VP", "<b>BOLT</b>"),
        ("ACK", "IA", 10, "EA"),
    )
    await buyer.comes(confirmation(await buyer.them(), "PO-8", 1, odd))
    desk = await Desk(buyer.pool).signed_in("anna", "buyer")
    tasks = await desk.get("/app/tasks")
    assert "A supplier's document by EDI" in html.unescape(text_of(tasks))
    assert "app/purchases/PO-8" in tasks.text
    elsewhere = await Desk(buyer.pool).signed_in("ben", "buyer", locations=["shop"])
    assert "PO-8" not in (await elsewhere.get("/app/tasks")).text
    page = await desk.get("/app/purchases/PO-8")
    assert "the order has no line 7" in text_of(page)
    assert "<b>BOLT" not in page.text
    (path,) = set(re.findall(r'action="[^"]*(app/purchases/PO-8/documents/[0-9]+)"', page.text))
    none = await desk.send_form(path, why="")
    assert (none.status_code, "the order has no line 7" in text_of(none)) == (422, True)
    for _ in range(2):
        told = await desk.send_form(path, why="we called them")
        assert "The document is dealt with" in text_of(told)
        assert "settled: we called them (Anna (anna))" in text_of(told)
    assert "Nothing waits for you" in text_of(await desk.get("/app/tasks"))
    assert [*await AttentionList(buyer.pool).tasks()] == []
    strange = await desk.send_form("app/purchases/PO-8/documents/999", why="odd")
    assert strange.status_code == 404


async def test_what_x12_cannot_write_is_not_ordered_under_another_name(buyer: Buyer) -> None:
    terms = {"supplier": "mock", "sku": "NUT>8", "lead_time_days": 5, "unit_price": "0.10"}
    await buyer.bench.purchasing.set_terms(
        [SupplierItem.model_validate({**terms, "currency": "USD"})]
    )
    with pytest.raises(Declined, match="NUT>8 cannot be written in X12"):
        await buyer.orders("PO-4", **{"NUT>8": 10})


async def test_an_order_that_is_taken_back_ends_when_the_supplier_agrees(buyer: Buyer) -> None:
    with a_mock(despatch_delay_ms=3_600_000, invoice_delay_ms=7_200_000) as mock:
        await buyer.orders("PO-3", WIDGET_001=10)
        await buyer.exchange(mock)
        await buyer.exchange(mock)
        with pytest.raises(Declined, match="asked by an 860"):
            await buyer.supplier.cancel("PO-3")
        with pytest.raises(Declined, match="asked by an 860"):
            await buyer.supplier.cancel("PO-3")
        assert await buyer.exchange(mock) == ["860"]
        await buyer.exchange(mock)
        assert "see that nothing of PO-3 comes" in (await buyer.tasks())[0]
        order = await buyer.order("PO-3")
        assert order.outstanding == 0
        assert order.refused_at is not None
        assert mock.order("PO-3", partner="ACME")["status"] == "cancelled"
