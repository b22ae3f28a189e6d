"""A customer that we did not write trades with us, well and badly; files are carried by folders."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from activities.aftersales.returns import ApproveReturn
from activities.edi.exchange import EdiExchange
from activities.notifications.sending import Sender
from activities.payments.contracts import Refund
from activities.stock.edits import Edits
from domain.aftersales.return_counts import Found
from domain.edi.partners import Folders
from domain.ids import fulfilment_id
from domain.orders.edit_messages import EditRequest
from domain.orders.messages import CancelRequest, OrderRequest
from domain.orders.order import Order
from domain.orders.quantities import LineUnits
from domain.stock.edit_answers import ApplyEdit
from store.database import Pool
from store.views import audit
from tests.support.bench import Bench, authorizing
from tests.support.receiver import HERE, sending
from tests.support.trading import Trade, a_mock, faults_of

BEHAVIOURS = ("no-ack", "corrupt", "reject-ack")
"""With the days of the week these are all that mock-edi has as a customer."""

DAYS = (
    *("accept", "late", "strict", "duplicate-order", "change-after-confirm", "cancel-late"),
    "accept",
)


class Week(Trade):
    """Orders of a customer, and our warehouse."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.bench = Bench(pool)

    async def _ask(self, order_id: str, request: OrderRequest) -> str | None:
        """An order takes what is asked for while none of it has left."""
        part = fulfilment_id(order_id, 1)
        if isinstance(request, CancelRequest):
            self.refusal = "all of it has left"
        elif isinstance(request, EditRequest) and request.request_id is not None:
            (line,) = (await self.order(order_id)).lines
            fulfilments: dict[str, LineUnits] = {part: {line.line_id: line.quantity}}
            ask = ApplyEdit(
                order_id=order_id,
                request_id=request.request_id,
                request=request,
                fulfilments=fulfilments,
            )
            answer = await Edits(self.pool).apply_edit(ask)
            assert answer.applied is not None, answer
            self.refusal = ""
        return await super()._ask(order_id, request)

    async def confirmed(self) -> None:
        """Every order that has come is confirmed."""
        found = await self.pool.fetch(
            "select document_of(order_no) as order from customer_order where decision = 'received'"
        )
        for row in found:
            order = Order.model_validate(row["order"])
            await self.bench.reserve(order)
            await self.bench.authorizations.authorize_payment(authorizing(order))

    async def order(self, order_id: str) -> Order:
        number = "select document_of(order_no) from customer_order where order_id = $1"
        return Order.model_validate(await self.pool.fetchval(number, order_id))

    async def ships(self, order_id: str) -> None:
        """The warehouse hands all of an order over, and it is charged."""
        part = await self.bench.at(await self.order(order_id), "shipped")
        await self.bench.charged(part)

    async def returns(self, order: Order, units: int) -> None:
        """Some units come back, are counted, and lower what is owed."""
        await self.bench.scan(fulfilment_id(order.order_id, 1), "delivered")
        ask = ApproveReturn(
            order_id=order.order_id,
            request_id="back",
            units={"1": units},
            reason="too many",
            reason_codes={"1": "other"},
            who="customer",
        )
        back = (await self.bench.returns.approve_return(ask)).return_id
        await self.bench.warehouse.receive_return(back, {"1": [Found(quantity=units)]}, who="dock")
        await self.bench.payments.refund_payment(Refund(refund_id=back))

    async def settled(self, mock: Any, rounds: int = 4) -> None:
        for _ in range(rounds):
            await self.exchange(mock)
            mock.advance(everything=True)
            await self.confirmed()


@pytest.fixture
async def week(pool: Pool) -> Week:
    week = Week(pool)
    await week.bench.stocked("WIDGET-001", 1000)
    await week.with_buyer()
    return week


def asks(mock: Any, po: str, quantity: int = 10, behaviour: str = "accept") -> None:
    mock.behaviour("NORTHWIND", behaviour)
    line = {"sku": "WIDGET-001", "quantity": str(quantity), "uom": "EA", "price": "12.50"}
    order = {"partner": "NORTHWIND", "po_number": po, "requested_on": "2027-01-15"}
    answer = mock.post("/_mock/purchase", {**order, "lines": [line]})
    assert answer.status == 201, answer.body


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_whatever_the_customer_does_one_order_comes_of_it_and_a_person_hears_the_rest(
    week: Week, behaviour: str
) -> None:
    with a_mock() as mock:
        asks(mock, "PO-7", behaviour=behaviour)
        await week.settled(mock)
        orders = await week.pool.fetchval("select count(*) from customer_order")
        tasks = " | ".join(await week.tasks())
        match behaviour:
            case "no-ack":
                assert orders == 1
                await week.pool.execute(
                    "update edi_document set receipt_due = now() - interval '1 day'"
                )
                assert "has not acknowledged it" in " | ".join(await week.tasks())
            case "corrupt":
                assert orders == 0
                (came,) = await week.edi.list(direction="in")
                assert came.documents[0].state == "rejected"
            case "reject-ack":
                assert orders == 1
                assert "the partner rejected it" in tasks


async def test_a_weeks_orders_parcels_bills_and_credits_agree_on_both_sides(week: Week) -> None:
    """Each day the customer behaves in another way, and each order is paid by invoice."""
    with a_mock() as mock:
        for day, behaviour in enumerate(DAYS):
            asks(mock, f"PO-{day}", quantity=10 + day, behaviour=behaviour)
            await week.settled(mock, rounds=3)
            await week.ships(f"b2b-PO-{day}")
            await week.settled(mock, rounds=3)
        assert len(week.asked) == 2
        # It cancels when it hears that goods have left: it is told no, and that they are billed.
        found = mock.get("/_mock/disagreements").body
        assert [(one["order"], one["rule"]) for one in found] == [("PO-5", "billed-cancelled")]
        assert await week.tasks() == []
        ours = await week.pool.fetch(
            "select channel_order_id, total_minor from customer_order order by order_no"
        )
        assert len(ours) == len(DAYS)
        for row in ours:
            theirs = mock.order(row["channel_order_id"], partner="NORTHWIND")
            (line,) = theirs["lines"]
            assert line["shipped"] == line["quantity"] == line["invoiced"]
            assert float(theirs["total"]) * 100 == row["total_minor"]

        # An order of last week is over. Two of its units come back.
        await week.pool.execute("update edi_order set ended_at = now()")
        order = await week.order("b2b-PO-0")
        await week.returns(order, 2)
        await week.bench.refunded(order, amount=Decimal("5.00"))
        notes = [raw for code, raw in await week.goes() if code == "810"]
        assert len(notes) == 2
        for raw in notes:
            assert faults_of(mock, raw) == []
            assert b"*PO-0***CR*00~" in raw
            assert b"REF*IV*INV-" in raw
            assert mock.send(raw.decode())["accepted"]
        assert b"IT1*1*-2*EA*12.5**" in notes[0]
        assert b"TDS*-2500~" in notes[0]
        assert b"REF*ZZ**scratched~" in notes[1]
        assert b"TDS*-500~" in notes[1]
        assert b"SAC*A*C310***500~" in notes[1]
        assert len(mock.get("/_mock/disagreements").body) == 1
        assert await week.goes() == []
    async with week.pool.acquire() as conn:
        found = await audit.look(conn)
        owed = await conn.fetchval(
            "select sum(amount_minor) from posting where account = 'trade_receivables'"
        )
        billed = await conn.fetchval(
            "select sum(case kind when 'invoice' then amount_minor else -amount_minor end) "
            "from document"
        )
    assert not found.violations, found.violations
    assert owed == billed


async def test_a_cancellation_that_comes_when_goods_have_left_is_refused(week: Week) -> None:
    with a_mock() as mock:
        asks(mock, "PO-8", behaviour="cancel-late")
        await week.exchange(mock)
        await week.confirmed()
        await week.exchange(mock)
        await week.ships("b2b-PO-8")
        week.refusal = "all of it has left"
        await week.exchange(mock)
        await week.exchange(mock)
        assert len(week.asked) == 1
        answer = next(
            one for one in await week.edi.list(direction="out") if one.documents[0].code == "865"
        )
        raw = (await week.edi.show(answer.interchange.interchange_no)).raw
        assert raw is not None
        assert b"REF*ZZ**all of it has left~" in raw
        assert faults_of(mock, raw) == []


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(incoming=str(tmp_path / "in"), outgoing=str(tmp_path / "out"))


async def test_files_come_and_go_by_folders_and_a_crash_sends_the_same_again(
    week: Week, folders: Folders
) -> None:
    await week.with_buyer(folders=folders.model_dump())
    exchange = EdiExchange(week.pool, Sender(HERE), settled_s=0)
    incoming, outgoing = Path(folders.incoming), Path(folders.outgoing)
    with a_mock() as mock:
        asks(mock, "PO-9")
        raw = mock.mailbox()[0]["payload"]
        await exchange.carry()
        (incoming / "order.edi").write_text(raw, encoding="utf-8")
        (incoming / "half.edi.part").write_text(raw[:100], encoding="utf-8")
        (incoming / "odd.edi").write_text("no X12", encoding="utf-8")
        await exchange.carry()
        assert sorted(one.name for one in incoming.iterdir()) == ["half.edi.part", "processed"]
        processed = sorted(one.name for one in (incoming / "processed").iterdir())
        assert processed == ["odd.edi", "order.edi"]
        await week.inbox.work_through()
        await week.confirmed()
        await week.telling.tell()
        await exchange.carry()
        names = sorted(one.name for one in outgoing.iterdir())
        assert names == ["mock-000000001.edi", "mock-000000002.edi"]
        before = [(outgoing / name).read_bytes() for name in names]
        assert all(faults_of(mock, one) == [] for one in before)

        # It was written, and the worker died before that was noted.
        await week.pool.execute("update edi_interchange set done_at = null where direction = 'out'")
        await exchange.carry()
        assert sorted(one.name for one in outgoing.iterdir()) == names
        assert [(outgoing / name).read_bytes() for name in names] == before


async def test_what_is_posted_arrives_and_what_is_refused_goes_again(week: Week) -> None:
    secret = SecretStr("Basic " + b64encode(b"edi:s3cret").decode())
    with a_mock() as mock:
        await week.with_buyer(url=f"{mock.base}/edi")
        asks(mock, "PO-11")
        await week.comes(mock.mailbox(leave=False)[0]["payload"])
        async with sending() as sender:
            mock.server.mock.config.basic_auth = "edi:s3cret"
            await EdiExchange(week.pool, sender).carry()
            (task,) = await week.tasks()
            assert "401" in task
            await week.pool.execute("update edi_interchange set try_after = now()")
            await EdiExchange(week.pool, sender, authorization={"mock": secret}).carry()
        assert await week.tasks() == []
        mock.server.mock.config.basic_auth = None
        assert mock.unacknowledged() == []


async def test_a_folder_that_cannot_be_written_to_holds_back_what_follows(
    week: Week, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    in_the_way = str(tmp_path / "file" / "there")
    there = {"incoming": in_the_way, "outgoing": in_the_way}
    await week.with_buyer(folders=there)
    exchange = EdiExchange(week.pool, Sender(HERE), settled_s=0)
    with a_mock() as mock:
        asks(mock, "PO-10")
        await week.comes(mock.mailbox()[0]["payload"])
    await week.confirmed()
    await week.telling.tell()
    await exchange.carry()
    await exchange.carry()
    first, second = reversed(await week.edi.list(direction="out"))
    assert "cannot be written to" in str(first.interchange.error)
    told = [task for task in await week.tasks() if "cannot be read" in task]
    assert told == ["the folder cannot be read: Not a directory"]
    assert second.interchange.error is None
    there = {"incoming": in_the_way, "outgoing": str(tmp_path / "out")}
    await week.with_buyer(folders=there)
    await week.edi.send_again(first.interchange.interchange_no)
    await exchange.carry()
    assert len(list((tmp_path / "out").iterdir())) == 2
    (tmp_path / "file").unlink()
    await exchange.carry()
    assert await week.tasks() == []
