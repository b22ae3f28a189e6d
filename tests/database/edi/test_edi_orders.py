"""Orders by EDI on the real database, with a trading partner that we did not write."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.errors import NotFound
from domain.orders.order import Order
from store.database import Pool
from store.views import attention
from tests.support.bench import Bench
from tests.support.trading import Trade, a_mock, faults_of

LINE = {"sku": "WIDGET-001", "quantity": "3", "uom": "EA", "price": "12.50"}


def bought(mock: Any, po: str, *lines: dict[str, str]) -> str:
    """Have the partner order something of us. Returns its interchange."""
    asked = {"partner": "NORTHWIND", "po_number": po, "requested_on": "2027-01-15"}
    answer = mock.post("/_mock/purchase", {**asked, "lines": list(lines) or [LINE]})
    assert answer.status == 201, answer.body
    return str(mock.mailbox(kind="order")[-1]["payload"])


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


@pytest.fixture
async def trade(pool: Pool, bench: Bench) -> Trade:
    trade = Trade(pool)
    await bench.stocked("WIDGET-001", 100)
    await trade.with_buyer()
    return trade


async def test_an_850_becomes_an_order_and_each_step_of_it_is_told_once(
    trade: Trade, bench: Bench
) -> None:
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500001001"))
        went = await trade.goes()
        assert len(went) == 1, went
        (receipt,) = went
        assert receipt[0] == "997"
        assert mock.send(receipt[1].decode())["accepted"]
        assert mock.unacknowledged() == []

        order_id = "b2b-4500001001"
        async with trade.pool.acquire() as conn:
            order = Order.model_validate(await conn.fetchval("select document_of(1)"))
        assert (order.channel_order_id, order.currency) == ("4500001001", "USD")
        assert [(line.sku, line.quantity) for line in order.lines] == [("WIDGET-001", 3)]
        assert order.shipping.address is not None
        assert order.shipping.address.city == "Boston"
        assert order.customer.id == "MOCKEDI"

        await trade.pool.execute(
            "update customer_order set decision = 'confirmed' where order_id = $1", order_id
        )
        (answer,) = await trade.goes()
        assert answer[0] == "855"
        assert b"BAK*00*AD*4500001001*" in answer[1]
        assert b"ACK*IA*3*EA~" in answer[1]
        assert faults_of(mock, answer[1]) == []
        assert mock.send(answer[1].decode())["accepted"]
        assert mock.get("/_mock/disagreements").body == []
        assert await trade.goes() == []
        assert await trade.tasks() == []


async def test_what_cannot_be_written_needs_a_person_until_it_can(trade: Trade) -> None:
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500001009"))
    await trade.pool.execute("update customer_order set decision = 'confirmed'")
    await trade.pool.execute("update edi_order set partner = 'gone'")
    await trade.goes()
    async with trade.pool.acquire() as conn:
        (task,) = await attention.tasks(conn)
    assert task.reason.startswith("what is due to gone cannot be written: there is no trading")
    await trade.pool.execute("update edi_order set partner = 'mock'")
    assert [code for code, _ in await trade.goes()] == ["855"]
    async with trade.pool.acquire() as conn:
        assert await attention.tasks(conn) == []


async def test_what_changes_after_the_855_is_told_by_an_865(trade: Trade) -> None:
    happens = "insert into order_event (order_no, effect, what, who) values (1, $1, $1, 'desk')"
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500001008", LINE, {**LINE, "quantity": "5"}))
        await trade.pool.execute("update customer_order set decision = 'confirmed'")
        assert [code for code, _ in await trade.goes()] == ["997", "855"]
        await trade.pool.execute(happens, "picked")
        assert await trade.goes() == []

        await trade.pool.execute("update order_line set cancelled = 2 where line_id = '2'")
        await trade.pool.execute(happens, "missing units cancelled")
        ((code, raw),) = await trade.goes()
        assert code == "865"
        assert b"BCA*04*AC*4500001008*" in raw
        assert b"POC*2*QD*3**EA*12.5**" in raw
        assert b"ACK*IQ*3*EA~" in raw
        assert raw.count(b"POC*") == 1
        assert faults_of(mock, raw) == []
        assert mock.send(raw.decode())["accepted"]

        await trade.pool.execute("update order_line set cancelled = ordered")
        await trade.pool.execute(happens, "cancelled")
        await trade.pool.execute(
            "update customer_order set decision = 'cancelled', reason = 'nobody makes it any more'"
        )
        ((code, raw),) = await trade.goes()
        assert b"BCA*01*AC*4500001008*" in raw
        assert raw.count(b"REF*ZZ**nobody makes it any more~\nACK*IR*0*EA~") == 2
        assert faults_of(mock, raw) == []
        assert await trade.goes() == []


async def test_what_cannot_be_taken_is_refused_line_by_line(trade: Trade) -> None:
    with a_mock() as mock:
        unknown = {**LINE, "sku": "NOT-OURS"}
        await trade.comes(bought(mock, "4500001002", LINE, unknown, {**LINE, "uom": "KG"}))
        await trade.pool.execute("update customer_order set decision = 'confirmed'")
        receipt, answer = await trade.goes()
        assert (receipt[0], answer[0]) == ("997", "855")
        assert faults_of(mock, answer[1]) == []
        text = answer[1].decode()
        assert "BAK*00*AC*" in text
        assert "ACK*IA*3*EA~" in text
        assert "REF*ZZ**we do not sell VP NOT-OURS" in text
        assert "REF*ZZ**the unit of measure KG is not agreed; EA are~" in text

        await trade.comes(bought(mock, "4500001003", unknown))
        receipt, answer = await trade.goes()
        assert b"BAK*00*RD*4500001003" in answer[1]
        assert b"REF*ZZ**none of its lines can be taken~" in answer[1]
        assert faults_of(mock, answer[1]) == []
        assert await trade.pool.fetchval("select count(*) from customer_order") == 1


async def test_an_order_that_comes_twice_is_answered_twice_and_placed_once(trade: Trade) -> None:
    with a_mock() as mock:
        raw = bought(mock, "4500001004")
        await trade.comes(raw)
        await trade.comes(raw)
        other = raw.replace("000000001", "000000099").replace("*1*X*", "*99*X*")
        other = other.replace("GE*1*1~", "GE*1*99~")
        await trade.comes(other)
        assert [code for code, _ in await trade.goes()] == ["997", "997", "997"]
        assert await trade.pool.fetchval("select count(*) from customer_order") == 1
        assert await trade.tasks() == []

        differing = other.replace("PO1*1*3*", "PO1*1*4*").replace("000000099", "000000100")
        await trade.comes(differing)
        assert "was placed before with other content" in (await trade.tasks())[0]

        await trade.comes(raw.replace("PO1*1*3*", "PO1*1*5*"))
        assert "which interchange" in (await trade.tasks())[0]
        assert b"TA1*000000001*" in (await trade.goes())[-1][1]


async def test_what_nobody_can_read_is_kept_and_waits_for_a_person(trade: Trade) -> None:
    with a_mock() as mock:
        raw = bought(mock, "4500001005")
    for broken in (raw.encode("utf-16"), raw[:300].encode(), raw.replace("MOCKEDI ", "NOBODY  ")):
        await trade.comes(broken)
    tasks = await trade.tasks()
    assert "ISA" in tasks[2]
    assert "ends before its trailer IEA" in tasks[1]
    assert "nobody is known who sends test interchanges as ZZ:NOBODY" in tasks[0]
    kept = [(await trade.edi.show(number)).raw for number in (1, 2)]
    assert kept == [raw.encode("utf-16").strip(), raw[:300].strip().encode()]
    told = [raw for code, raw in await trade.goes() if code == "TA1"]
    assert len(told) == 1
    assert b"*R*023~" in told[0]
    await trade.edi.settle(1, "they write UTF-16; told them")
    with pytest.raises(NotFound):
        await trade.edi.settle(1, "again")
    assert len(await trade.tasks()) == 2


async def test_what_is_not_acknowledged_in_time_is_a_task(trade: Trade) -> None:
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500001006"))
        await trade.pool.execute("update customer_order set decision = 'confirmed'")
        await trade.goes()
        await trade.pool.execute("update edi_document set receipt_due = now() - interval '1 hour'")
        assert "has not acknowledged it since" in (await trade.tasks())[0]
        answer = next(one for one in await trade.edi.list() if one.documents[0].code == "855")
        await trade.edi.send_again(answer.interchange.interchange_no)
        assert await trade.tasks() == []
        raw = (await trade.edi.show(answer.interchange.interchange_no)).raw
        assert raw is not None
        mock.send(raw.decode())
        await trade.comes(mock.mailbox(kind="acknowledgment")[0]["payload"])
        shown = await trade.edi.show(answer.interchange.interchange_no)
        assert shown.documents[0].state == "accepted"


async def test_control_numbers_have_no_gaps_and_a_person_that_is_erased_is_gone(
    trade: Trade,
) -> None:
    with a_mock() as mock:
        for number in range(3):
            await trade.comes(bought(mock, f"45000020{number}"))
    found = [re.search(rb"IEA\*1\*(\d+)", raw) for _, raw in await trade.goes()]
    assert [int(one[1]) for one in found if one] == [1, 2, 3]
    await trade.pool.execute(
        "update customer_order set decision = 'cancelled', state = 'cancelled'"
    )
    order_no = await trade.pool.fetchval("select min(order_no) from customer_order")
    assert await trade.pool.fetchval("select person_erased($1, 10, 'test', '')", order_no)
    left = await trade.pool.fetch("select raw from edi_interchange where direction = 'in'")
    assert [row["raw"] is None for row in left] == [True, False, False]
