"""Changes of orders by EDI: the order decides, and the customer hears what."""

from __future__ import annotations

import pytest

from domain.orders.edit_messages import EditRequest
from domain.orders.messages import CancelRequest
from starter.service.channels import Channels
from store.database import Pool
from tests.database.edi.test_edi_orders import bought
from tests.support.bench import Bench
from tests.support.trading import Trade, a_mock, faults_of


@pytest.fixture
async def trade(pool: Pool) -> Trade:
    trade = Trade(pool)
    await Bench(pool).stocked("WIDGET-001", 100)
    await trade.with_buyer()
    return trade


async def test_an_860_is_asked_of_the_order_and_answered_by_an_865(trade: Trade) -> None:
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500003001"))
        await trade.pool.execute("update customer_order set decision = 'confirmed'")
        await trade.exchange(mock)
        mock.mailbox(leave=False)

        change = {"lines": [{"line": "1", "quantity": "2"}]}
        assert mock.post("/_mock/purchase/4500003001/change", change).status == 200
        await trade.comes(mock.mailbox(leave=False)[0]["payload"])
        (request,) = trade.asked
        assert isinstance(request, EditRequest)
        assert [(line.line_id, line.quantity) for line in request.lines] == [("1", 2)]
        receipt, answer = await trade.goes()
        assert (receipt[0], answer[0]) == ("997", "865")
        assert b"BCA*04*AC*4500003001" in answer[1]
        assert b"ACK*IA*2*EA~" in answer[1]
        assert faults_of(mock, answer[1]) == []
        assert mock.send(answer[1].decode())["accepted"]
        assert mock.get("/_mock/disagreements").body == []

        trade.refusal = "2 units have left"
        assert mock.post("/_mock/purchase/4500003001/change", {"cancel": True}).status == 200
        await trade.comes(mock.mailbox(kind="change", leave=False)[0]["payload"])
        assert isinstance(trade.asked[-1], CancelRequest)
        answer = (await trade.goes())[-1]
        assert b"BCA*01*RD*4500003001" in answer[1]
        assert b"REF*ZZ**2 units have left~" in answer[1]
        assert faults_of(mock, answer[1]) == []


async def test_what_no_order_can_be_asked_is_refused_with_its_reason(trade: Trade) -> None:
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500003002"))
        mock.mailbox(leave=False)
        change = {"lines": [{"line": "1", "quantity": "2", "price": "9.99"}]}
        assert mock.post("/_mock/purchase/4500003002/change", change).status == 200
        raw = mock.mailbox(leave=False)[0]["payload"]
        await trade.goes()

        await trade.comes(raw)
        assert b"REF*ZZ**line 1: a price is not changed by an 860" in (await trade.goes())[-1][1]
        unknown = raw.replace("4500003002", "4500009999").replace("000000002", "000000012")
        await trade.comes(unknown)
        answer = (await trade.goes())[-1][1]
        assert b"BCA*04*RD*4500009999" in answer
        assert b"REF*ZZ**there is no order 4500009999~" in answer
        assert faults_of(mock, answer) == []
        assert trade.asked == []


async def test_a_change_waits_for_its_order_to_be_placed(trade: Trade) -> None:
    channels = Channels(trade.pool)
    await channels.retire("b2b")
    with a_mock() as mock:
        await trade.comes(bought(mock, "4500003003"))
        mock.mailbox(leave=False)
        change = {"lines": [{"line": "1", "quantity": "2"}]}
        assert mock.post("/_mock/purchase/4500003003/change", change).status == 200
        await trade.comes(mock.mailbox(leave=False)[0]["payload"])
        assert [code for code, _ in await trade.goes()] == ["997", "997"]
        assert "b2b is retired" in (await trade.tasks())[0]

        await channels.reopen("b2b")
        for _ in range(3):
            await trade.pool.execute("update edi_document set try_after = now()")
            await trade.inbox.work_through()
        assert len(trade.asked) == 1
        assert [code for code, _ in await trade.goes()] == ["865"]
        assert await trade.tasks() == []
