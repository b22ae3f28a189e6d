"""Receipts of what we send: late, out of their sequence, of what was never sent; and bad input."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from activities.edi import inbox
from activities.edi.exchange import EdiExchange
from activities.notifications.sending import Sender
from domain.edi.acknowledgements import JudgedGroup, judge
from domain.edi.parsed import Interchange
from domain.edi.partners import Partner
from domain.edi.rules import Agreed
from domain.edi.written import Written, envelope, interchange
from store import clock
from store.database import Pool
from store.edi import partners
from tests.support.bench import Bench
from tests.support.receiver import HERE
from tests.support.trading import Trade, a_buyer

AT = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)


class Partnered(Trade):
    """We trade with somebody whose every byte the test says."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.them = a_buyer()
        self._control = 100

    def says(self, code: str, *body: Written, partner: Partner | None = None) -> bytes:
        """An interchange as the partner writes it, with the next of its numbers."""
        them = partner or self.them
        self._control += 1
        turned = them.model_copy(update={"ours": them.theirs, "theirs": them.ours})
        if code == "TA1":
            return envelope(turned, self._control, [("", body)], at=AT)
        return interchange(turned, code, self._control, body, at=AT)

    def orders(self, number: str) -> bytes:
        """An 850."""
        return self.says(
            "850",
            ("BEG", "00", "SA", number, "", date(2026, 11, 30)),
            ("CUR", "BY", "USD"),
            ("N1", "ST", "Receiver"),
            ("N3", "1 Road"),
            ("N4", "Boston", "MA", "02210", "US"),
            ("PO1", 1, 3, "EA", "12.50", "", "VP", "WIDGET-001"),
            ("CTT", 1),
        )

    async def confirmed(self, number: str) -> int:
        """An order that is confirmed. Returns the control number of its 855."""
        await self.comes(self.orders(number))
        await self.pool.execute("update customer_order set decision = 'confirmed'")
        await self.goes()
        answer = (await self.edi.list(direction="out"))[0].interchange
        return int(answer.control or 0)

    def receipt(self, control: int, verdict: str) -> bytes:
        """The 997 of an 855 of ours."""
        return self.says(
            "997",
            ("AK1", "PR", control),
            ("AK2", "855", "0001"),
            ("AK5", verdict, *([] if verdict == "A" else ["5"])),
            ("AK9", verdict, 1, 1, 1 if verdict == "A" else 0),
        )

    async def state(self) -> str:
        """How our latest document stands."""
        found = await self.edi.list(direction="out")
        return str(next(one for one in found if one.documents[0].code == "855").documents[0].state)


@pytest.fixture
async def trade(pool: Pool) -> Partnered:
    trade = Partnered(pool)
    await Bench(pool).stocked("WIDGET-001", 100)
    await trade.with_buyer()
    return trade


async def test_a_receipt_that_does_not_come_in_time_is_a_task_until_it_comes(
    trade: Partnered,
) -> None:
    control = await trade.confirmed("R-1")
    assert await trade.tasks() == []
    later = datetime.now(UTC) + trade.them.acknowledge_within + timedelta(minutes=1)
    with clock.reads(lambda: later):
        await trade.pool.execute("select set_config('orderloom.now', $1, false)", later.isoformat())
        ((task),) = await trade.tasks()
        assert "the partner has not acknowledged it since" in task
        await trade.comes(trade.receipt(control, "A"))
        assert await trade.tasks() == []
        assert await trade.state() == "accepted"
        await trade.pool.execute("reset orderloom.now")


async def test_receipts_out_of_their_sequence_leave_what_was_said_last(trade: Partnered) -> None:
    first = await trade.confirmed("R-2")
    second = await trade.confirmed("R-3")
    await trade.comes(trade.receipt(second, "A"))
    await trade.comes(trade.receipt(first, "R"))
    (task,) = await trade.tasks()
    assert "the partner rejected it: AK5 R 5" in task
    await trade.comes(trade.receipt(first, "A"))
    assert await trade.tasks() == []


async def test_a_receipt_of_what_was_never_sent_is_a_task(trade: Partnered) -> None:
    await trade.comes(trade.receipt(4711, "A"))
    (task,) = await trade.tasks()
    assert task == "it is about PR 4711 0001, which we have not sent"
    assert await trade.goes() == []


async def test_an_envelope_that_the_partner_refuses_is_a_task(trade: Partnered) -> None:
    control = await trade.confirmed("R-4")
    await trade.comes(trade.says("TA1", ("TA1", f"{control:09}", "261130", "0805", "A", "000")))
    assert await trade.tasks() == []
    await trade.comes(trade.says("TA1", ("TA1", f"{control:09}", "261130", "0805", "R", "023")))
    (task,) = await trade.tasks()
    assert task == "the partner did not take it: TA1 R 023"
    await trade.comes(trade.says("TA1", ("TA1", "000004711", "261130", "0805", "R", "023")))
    assert "an interchange 4711 that we have not sent" in (await trade.tasks())[0]


async def test_documents_behind_a_ta1_are_acted_on(trade: Partnered) -> None:
    raw = trade.orders("R-12")
    await trade.comes(raw.replace(b"GS*PO", b"TA1*000000009*261130*0805*A*000~\nGS*PO"))
    assert await trade.pool.fetchval("select order_id from customer_order") == "b2b-R-12"
    (task,) = await trade.tasks()
    assert "an interchange 9 that we have not sent" in task


async def test_what_a_person_named_in_it_has_had_erased_is_not_acted_on(trade: Partnered) -> None:
    await trade.edi.receive("test", trade.orders("R-13"))
    await trade.inbox._read_next()
    await trade.pool.execute("update edi_interchange set raw = null")
    await trade.inbox.work_through()
    (found,) = await trade.edi.list(direction="in")
    assert (found.documents[0].state, found.documents[0].note) == (
        "refused",
        "a person whom it names was erased",
    )


async def test_one_that_cannot_be_read_stops_no_other(
    trade: Partnered, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trade.edi.receive("zeros", trade.orders("R-14").replace(b"*R-14*", b"*R-\0*"))
    await trade.edi.receive("odd", trade.orders("R-15"))
    await trade.edi.receive("sound", trade.orders("R-16"))

    def judge_all_but_one(found: Interchange, agreed: Agreed) -> list[JudgedGroup]:
        if found.control.endswith("102"):
            raise RuntimeError("a defect of ours")
        return judge(found, agreed)

    monkeypatch.setattr(inbox, "judge", judge_all_but_one)
    await trade.inbox.work_through()
    odd, zeros = await trade.tasks()
    assert "a defect of ours" in odd
    assert "has a byte of zeros, which no text has; send it in ASCII" in zeros
    assert await trade.pool.fetchval("select order_id from customer_order") == "b2b-R-16"


async def test_whoever_asks_for_a_ta1_gets_one(trade: Partnered) -> None:
    raw = trade.orders("R-5")
    asking = raw.replace(b"*0*T*>", b"*1*T*>", 1)
    assert asking != raw
    await trade.comes(asking)
    assert [code for code, _ in await trade.goes()] == ["TA1", "997"]


async def test_what_was_rejected_needs_a_person_until_it_comes_again(trade: Partnered) -> None:
    broken = trade.orders("R-6").replace(b"SE*9*", b"SE*8*")
    await trade.comes(broken)
    (task,) = await trade.tasks()
    assert task.startswith("we have rejected it; see that it comes again: segment 9 (SE), element")
    await trade.comes(trade.orders("R-6"))
    assert await trade.tasks() == []


async def test_a_program_reads_what_is_wrong_and_where(trade: Partnered) -> None:
    broken = trade.orders("R-6").replace(b"*3*EA*", b"*three*EA*")
    (fault,) = await trade.edi.check(trade.orders("R-5") + broken)
    assert fault.model_dump(exclude={"what", "do"}) == {
        "interchange": 2,
        "control": "000000101",
        "group": "101",
        "code": "850",
        "document": "0001",
        "segment": "PO1",
        "number": 7,
        "element": 2,
        "reason": "6",
    }
    assert str(fault).startswith("850 0001: segment 7 (PO1), element 2: 'three' is no number; ")
    cut, *_ = await trade.edi.check(broken[:-25])
    assert (cut.segment, cut.reason) == ("IEA", "023")


async def test_what_was_cut_may_come_whole_with_its_number(trade: Partnered) -> None:
    raw = trade.orders("R-7")
    await trade.comes(raw[:-30])
    assert "ends before its trailer IEA" in (await trade.tasks())[0]
    await trade.comes(raw)
    assert await trade.tasks() == []
    assert await trade.pool.fetchval("select count(*) from customer_order") == 1

    cut = trade.orders("R-8")
    await trade.comes(cut[:-30])
    await trade.edi.settle(
        (await trade.edi.list(failed=True))[0].interchange.interchange_no, "they send it again"
    )
    await trade.comes(cut)
    assert await trade.pool.fetchval("select count(*) from customer_order") == 2


async def test_a_test_that_a_production_partner_sends_is_told_apart(trade: Partnered) -> None:
    production = trade.them.model_copy(update={"test": False})
    raw = trade.says("850", ("BEG", "00", "SA", "R-9", "", date(2026, 11, 30)), partner=production)
    await trade.comes(raw)
    (task,) = await trade.tasks()
    assert "nobody is known who sends production interchanges" in task
    assert "mock, who has these ids, is agreed for test alone (ISA, element 15)" in task


async def test_odd_names_and_large_files_stop_nothing(trade: Partnered, tmp_path: Path) -> None:
    there = {"incoming": str(tmp_path / "in"), "outgoing": str(tmp_path / "out")}
    await trade.with_buyer(folders=there)
    exchange = EdiExchange(trade.pool, Sender(HERE), settled_s=0)
    await exchange.carry()
    incoming = tmp_path / "in"
    raw = trade.orders("R-10")
    (incoming / "large.edi").write_bytes(raw + raw * (5_000_000 // len(raw)))
    (incoming / os.fsdecode(b"\xff\n.edi")).write_bytes(raw)
    async with trade.pool.acquire() as other, other.transaction():
        assert await partners.may_collect(other, "mock")  # Another worker takes them.
        await exchange.carry()
        assert await trade.edi.list(direction="in") == []
    await exchange.carry()
    await trade.inbox.work_through()
    sources = {one.interchange.source for one in await trade.edi.list(direction="in")}
    assert sources == {"large.edi", "??.edi"}
    (task,) = await trade.tasks()
    assert "an interchange 5000000 at most; send its documents in several" in task
    assert [one.name for one in (incoming / "failed").iterdir()] == ["large.edi"]
    assert await trade.pool.fetchval("select count(*) from customer_order") == 1
