"""Customers are told once: planned from events, sent by a real SMTP server, whoever dies."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from activities.messages.sending import MessagePost
from activities.orders.holds import ChangeHolds, Holds
from domain.customers.care import ConsentWord
from domain.errors import InvalidInput, NotFound
from domain.ids import fulfilment_id
from domain.messages.kinds import KINDS, told
from domain.orders.amounts import Worth
from domain.orders.hold_messages import HoldRequest, ReleaseRequest
from domain.orders.order import Order
from domain.stock.reservations import ReserveStock
from runtime.mail import Folder, Server
from starter.service.service import Records
from store.accounting import documents
from store.database import Pool
from store.locks import lock_order
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.mail_server import mail_server
from tests.support.printed import pages
from tests.support.told_customers import CUSTOMER, Desk


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with mail_server() as server:
        yield Desk(pool, server)


async def test_a_customer_is_told_of_each_event_once_in_its_sequence(desk: Desk) -> None:
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.tell(order, "packed")
    assert await desk.send() == 2
    assert await desk.send() == 0
    first, second = desk.server.read
    assert [first["Subject"], second["Subject"]] == [
        f"We have your order {order.channel_order_id}",
        f"Your order {order.channel_order_id} is confirmed",
    ]
    assert first["To"] == "Mina Yoon <mina@x.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] != second["Message-ID"]
    text = first.get_body(("plain",))
    assert text is not None
    assert "2 × TEA" in text.get_content()
    assert "https://track.example/o/" in text.get_content()
    assert desk.server.connections == 1
    rows = await desk.messages.list(order_id=order.order_id)
    assert {row.state for row in rows} == {"sent"}
    assert (await desk.messages.get(rows[0].message)).mail_id == second["Message-ID"]


async def test_nobody_is_told_of_what_was_before_the_server_was_set(desk: Desk) -> None:
    order = an_order(("TEA", 1, "10.00"), customer=CUSTOMER)
    await Bench(desk.pool).take_in(order)
    assert await desk.send() == 0
    assert await desk.states() == []


async def test_old_orders_and_old_events_tell_nobody_and_say_why(desk: Desk) -> None:
    await desk.plan()
    order = an_order(("TEA", 1, "10.00"), customer=CUSTOMER, placed_at="2020-01-01T00:00:00Z")
    await Bench(desk.pool).take_in(order)
    assert await desk.send() == 0
    await desk.begin()
    await desk.plan(tell_within=timedelta(0))
    assert [row.why for row in await desk.messages.list()] == [
        "too long ago when it was planned",
        "an old order that was imported",
    ]


@pytest.mark.parametrize(
    "customer", [{"email": None}, {"email": "a@x.example, b@x.example"}, {"email": "a b@x.example"}]
)
async def test_without_one_address_nothing_is_sent(desk: Desk, customer: dict[str, Any]) -> None:
    await desk.begin(**customer)
    await desk.send()
    assert await desk.states() == ["dropped"]
    assert desk.server.mails == []


async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_id(desk: Desk) -> None:
    desk.server.to_mail = lambda number: "drop" if number == 0 else None
    await desk.begin()
    await desk.send()
    assert await desk.states() == ["planned"]
    assert await desk.send() == 0
    await desk.due()
    await desk.send()
    assert await desk.states() == ["sent"]
    first, again = desk.server.read
    assert first["Message-ID"] == again["Message-ID"]


@pytest.mark.parametrize("moment", ["before the mail", "before the answer", "before the commit"])
async def test_a_relay_that_dies_is_followed_by_one_that_sends_the_same_mail(
    desk: Desk, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.begin()
    await desk.plan()
    reached = asyncio.Event()

    async def stop(*_: object, **__: object) -> Any:
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        if moment == "before the mail":
            patched.setattr(Server, "connected", stop)
        elif moment == "before the answer":
            desk.server.wait, reached = asyncio.Event(), desk.server.has_mail
        else:
            patched.setattr("store.messages.rows.end", stop)
        dying = asyncio.create_task(desk.post().send_due())
        await asyncio.wait_for(reached.wait(), 10)
        dying.cancel()
        with suppress(asyncio.CancelledError):
            await dying
    desk.server.wait = None
    assert await desk.states() == ["sending"]
    assert await desk.post().send_due() == 0, "its lease still runs"
    await desk.due()
    assert await desk.post().send_due() == 1
    assert await desk.states() == ["sent"]
    assert len(desk.server.mails) == (1 if moment == "before the mail" else 2)
    assert len({mail["Message-ID"] for mail in desk.server.read}) == 1


async def test_an_id_stays_though_the_sender_changes_before_it_is_sent_again(desk: Desk) -> None:
    desk.server.to_mail = lambda number: "drop" if number == 0 else None
    await desk.begin()
    await desk.send()
    await desk.due()
    await desk.post(sender="shop@other.example").send_due()
    first, again = desk.server.read
    assert again["From"] == "main <shop@other.example>" != first["From"]
    assert first["Message-ID"] == again["Message-ID"]


async def test_several_relays_send_each_message_once(desk: Desk) -> None:
    for _ in range(8):
        await desk.begin()
    await desk.plan()
    for _ in range(10):
        await asyncio.gather(*(desk.post().send_due() for _ in range(3)))
    assert await desk.states() == ["sent"] * 8
    assert len({mail["Message-ID"] for mail in desk.server.read}) == len(desk.server.mails) == 8


async def test_all_relays_together_keep_to_the_rate(desk: Desk) -> None:
    for _ in range(5):
        await desk.begin()
    await desk.plan()
    await desk.post(per_minute=2).send_due()
    await desk.post(per_minute=2).send_due()
    assert sorted(await desk.states()) == ["planned"] * 3 + ["sent"] * 2


async def test_later_is_tried_again_and_keeps_the_orders_sequence(desk: Desk) -> None:
    desk.server.to_mail = lambda number: "451 come back" if number == 0 else None
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["planned", "planned"]
    await desk.due()
    await desk.send()
    assert await desk.states() == ["sent", "sent"]
    assert [str(mail["Subject"])[:7] for mail in desk.server.read] == ["We have", "Your or"]


async def test_an_address_that_is_refused_gets_nothing_more_until_somebody_says_so(
    desk: Desk,
) -> None:
    desk.server.to_recipient = lambda address: f"550 no mailbox <{address}> mina here"
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["refused", "dropped"]
    row = (await desk.messages.list(order_id=order.order_id))[-1]
    assert row.answer == "550 no mailbox <(address)> (address) here"
    desk.server.to_recipient = lambda _: None
    await desk.messages.send_again(row.message)
    await desk.send()
    assert await desk.states() == ["sent", "dropped"]


async def test_a_server_that_has_us_on_a_list_says_nothing_of_the_address(desk: Desk) -> None:
    said = iter(["550 5.7.1 blocked by a list"])
    desk.server.to_recipient = lambda _: next(said, None)
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["refused", "sent"]


async def test_a_mail_that_is_refused_says_nothing_of_its_address(desk: Desk) -> None:
    desk.server.to_mail = lambda number: "554 looks like spam" if number == 0 else None
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["refused", "sent"]


async def test_sent_again_it_is_another_mail(desk: Desk) -> None:
    await desk.begin()
    await desk.send()
    await desk.messages.send_again((await desk.messages.list())[0].message)
    await desk.send()
    first, again = desk.server.read
    assert first["Message-ID"] != again["Message-ID"]


async def test_a_server_that_is_away_is_waited_for(desk: Desk) -> None:
    await desk.begin()
    await desk.begin()
    await desk.plan()
    assert await desk.post(url="smtp://127.0.0.1:1").send_due() == 1
    assert await desk.states() == ["planned", "planned"]
    await desk.due()
    await desk.send()
    assert await desk.states() == ["sent", "sent"]


async def test_messages_that_wait_for_long_are_a_task(desk: Desk) -> None:
    await desk.begin()
    await desk.plan()
    await desk.post(url="smtp://127.0.0.1:1").send_due()
    assert await Records(desk.pool).needs_attention.tasks() == []
    await desk.pool.execute("update message set planned_at = planned_at - interval '61 minutes'")
    (task,) = await Records(desk.pool).needs_attention.tasks()
    assert (task.kind, task.subject) == ("mail_server", "")
    assert task.reason.startswith("1 message(s) to customers wait: mail server: ")
    await desk.due()
    await desk.send()
    assert await Records(desk.pool).needs_attention.tasks() == []


async def test_names_and_items_bring_no_header_and_no_tag(desk: Desk) -> None:
    name = "Eve <script>alert(1)</script>, Bcc: all@x.example"
    await desk.begin(name=name)
    await desk.send()
    (mail,) = desk.server.read
    assert len(mail["To"].addresses) == 1
    assert mail["Bcc"] is None
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert "&lt;script" in html.get_content()


async def test_a_folder_has_one_file_for_a_mail(desk: Desk, tmp_path: Path) -> None:
    await desk.begin()
    await desk.plan()
    post = MessagePost(
        desk.pool,
        lambda: Folder(tmp_path),
        sender_for=desk.settings().sender_for,
        pages_url=None,
        per_minute=10,
    )
    for _ in range(2):
        await post.send_due()
        await desk.pool.execute("update message set state = 'planned', sent_at = null")
    await post.send_due()
    assert len(list(tmp_path.iterdir())) == 1


async def test_who_is_erased_is_told_nothing_and_nothing_is_left(desk: Desk) -> None:
    desk.server.to_recipient = lambda _: "550 Mina Yoon has moved"
    order = await desk.begin()
    await desk.send()
    await desk.pool.execute("update customer_order set decision = 'closed'")
    await desk.pool.execute("select person_erased(order_no, 10, 'x', 'y') from customer_order")
    rows = await desk.pool.fetch("select * from message")
    assert "Mina" not in str([dict(row) for row in rows])
    await desk.messages.send_again((await desk.messages.list())[0].message)
    await desk.send()
    assert await desk.states() == ["dropped"]
    assert order.order_id not in str(desk.server.mails)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["en", "ko-KR", "de-AT"])
async def test_each_kind_is_shown_in_each_language(desk: Desk, kind: Any, locale: str) -> None:
    order = await desk.begin(locale=locale)
    shown = await desk.messages.preview(kind, order.order_id)
    assert shown.language == locale[:2]
    assert order.channel_order_id in shown.subject
    assert "Mina Yoon" in shown.text


async def test_what_comes_back_by_itself_and_a_hold_for_its_payment_tell_nobody(
    desk: Desk,
) -> None:
    order = await desk.begin()
    for line in ("coming back", "lost goods are back", "held: payment", "held: address"):
        await desk.tell(order, line)
    await desk.send()
    kinds = [row.kind for row in await desk.messages.list()]
    assert kinds == ["held", "received"]


async def test_who_was_told_of_a_hold_is_told_when_the_last_one_has_ended(desk: Desk) -> None:
    order = await desk.begin()

    async def change(number: int, **asked: Any) -> None:
        turn = f"t{number}"
        ask = ChangeHolds(order_id=order.order_id, request_id=turn, turn=turn, **asked)
        await Holds(desk.pool).change_holds(ask)

    wait = {"reason": "other", "note": "wait"}
    await change(1, hold=HoldRequest.model_validate(wait))
    await change(2, release=ReleaseRequest(note="found it"))
    await desk.send()
    assert [row.kind for row in await desk.messages.list()] == ["received"]
    await change(3, hold=HoldRequest.model_validate({**wait, "tell": True}))
    await change(4, hold=HoldRequest.model_validate(wait))
    await change(5, release=ReleaseRequest(note="found it", hold="H2"))
    await desk.send()
    assert [row.kind for row in await desk.messages.list()] == ["held", "received"]
    await change(6, release=ReleaseRequest(note="found it"))
    await desk.send()
    assert [row.kind for row in await desk.messages.list()] == ["released", "held", "received"]


async def test_a_label_is_told_where_that_is_set(desk: Desk) -> None:
    order = await desk.begin()
    await desk.tell(order, "label bought")
    await desk.plan()
    assert [row.kind for row in await desk.messages.list()] == ["received"]
    assert ("web", "orderloom.fulfilment.labelled.v1", "label_made") in told(
        {"web": ["label_made"]}
    )


async def test_what_a_customer_does_not_wish_is_not_sent_and_what_is_needed_is(desk: Desk) -> None:
    order = await desk.begin()
    await Records(desk.pool).customer_care.say(
        "C1", ConsentWord(kind="delivery_updates", given=False, how="by phone"), who="desk"
    )
    await desk.tell(order, "shipped")
    await desk.tell(order, "delivered")
    await desk.send()
    assert await desk.states() == ["sent", "sent", "dropped"]


async def waits(desk: Desk, order: Order, line_id: str, day: str) -> None:
    """Units of a line are waited for, and promised for a day."""
    await desk.pool.execute(
        """insert into backorder (order_no, line_id, sku, received_at, round, barred, quantity,
                                  promised_leave, promised_on)
        select order_no, line_id, sku, now(), 1, '{}', 2, $3::text::date, $3::text::date
        from order_line where order_no = order_no_of($1) and line_id = $2
        on conflict (order_no, line_id) do update
        set promised_leave = excluded.promised_leave, promised_on = excluded.promised_on""",
        *(order.order_id, line_id, day),
    )


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def test_days_that_moved_are_told_in_one_mail_with_the_new_ones(desk: Desk) -> None:
    order = await desk.begin(lines=(("TEA", 2, "10.00"), ("CUP", 1, "7.00")))
    moved = "first day of sale moved"
    for line_id, day in (("1", "2027-01-05"), ("2", "2027-02-01")):
        await waits(desk, order, line_id, day)
        before = {"promised_before": "2026-12-24"}
        await desk.tell(order, moved, line_id=line_id, promised_on=day, **before)
    await desk.send()
    assert await desk.states() == ["sent", "sent", "dropped"]
    (_, mail) = desk.server.read
    assert mail["Subject"] == f"Your order {order.channel_order_id} will be late"
    assert "2 × TEA, Tuesday, 5 January 2027" in text_of(mail)
    assert "2 × CUP, Monday, 1 February 2027" in text_of(mail)
    assert "If that is too late for you" in text_of(mail)
    # What moves after it was sent is told, too: this time it comes sooner.
    await waits(desk, order, "1", "2026-12-30")
    change = {"promised_on": "2026-12-30", "promised_before": "2027-01-05"}
    await desk.tell(order, moved, line_id="1", **change)
    await desk.send()
    mail = desk.server.read[-1]
    assert mail["Subject"] == f"Your order {order.channel_order_id} comes sooner"
    assert "It should now arrive by Wednesday, 30 December 2026." in text_of(mail)
    assert "too late" not in text_of(mail)


async def test_what_is_at_risk_names_its_goods_and_no_new_day(desk: Desk) -> None:
    order = await desk.begin(lines=(("TEA", 2, "10.00"), ("CUP", 1, "7.00")))
    await waits(desk, order, "2", "2027-02-01")
    await desk.tell(order, "promise at risk", line_id="2", promised_on="2027-02-01")
    await desk.send()
    said = text_of(desk.server.read[-1])
    assert "It may not arrive by Monday, 1 February 2027." in said
    assert "2 × CUP" in said
    assert "TEA" not in said


async def test_what_is_cancelled_or_waited_for_is_named_and_nothing_else(desk: Desk) -> None:
    order = await desk.begin()
    part = f"{order.order_id}:1"
    told: list[tuple[str, dict[str, Any], int]] = [
        ("cancelled", {"units": {part: {"1": 1}}, "backordered": {}}, 1),
        ("cancelled", {"units": {}, "backordered": {"1": 2}}, 2),
        ("missing units cancelled", {"missing": {"1": 1}, "backordered": {"1": 2}}, 1),
        ("missing units backordered", {"missing": {}, "backordered": {"1": 2}}, 2),
        ("fell back to backorder", {"fulfilment_id": part, "backordered": {"1": 1}}, 1),
        ("backordered", {}, 0),
    ]
    for line, data, _ in told:
        await desk.tell(order, line, **data)
    await desk.send()
    texts = [mail.get_body(("plain",)) for mail in desk.server.read[1:]]
    counted = [re.findall(r"(\d+) × TEA", str(text and text.get_content())) for text in texts]
    assert counted == [[str(count)] if count else [] for _, _, count in told]


async def test_units_that_are_not_there_are_named_and_not_charged(desk: Desk) -> None:
    bench = Bench(desk.pool)
    await bench.stocked("TEA", 1)
    await bench.stocked("CUP", 5)
    order = await desk.begin(lines=(("TEA", 3, "10.00"), ("CUP", 1, "7.00")), locale="de")
    reserved = await bench.inventory.reserve_stock(ReserveStock(order_id=order.order_id))
    assert reserved.missing == {"1": 2}
    await desk.tell(order, "confirmed")
    await desk.tell(order, "backordered", backordered={"2": 1}, missing={"1": 2})
    await desk.send()
    received, confirmed, waits = (text_of(mail) for mail in desk.server.read)
    assert "3 × TEA" in received
    assert "storniert" not in received
    comes, _, gone = confirmed.partition("storniert")
    assert "1 × TEA" in comes
    assert "1 × CUP" in comes
    assert "2 × TEA" in gone
    assert "1 × CUP" not in gone
    assert "42,00" in received
    assert "19,30" in gone  # a part of the shipping goes with the goods
    waits_for, _, gone = waits.partition("sind storniert")
    assert "1 × CUP" in waits_for
    assert "2 × TEA" in gone


def a_bounce(mail_id: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    return f"""From: MAILER-DAEMON@mail.test
To: orders@shop.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Mail to mina@x.example could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; mina@x.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 no mina@x.example here
--b
Content-Type: text/rfc822-headers

Message-ID: {mail_id}
Subject: We have your order
--b--
""".encode()


async def test_a_mail_that_comes_back_when_nobody_knows_the_person_any_more_says_nothing(
    desk: Desk,
) -> None:
    await desk.begin()
    await desk.send()
    await desk.pool.execute("update customer_order set decision = 'closed'")
    await desk.pool.execute("select person_erased(order_no, 10, 'x', 'y') from customer_order")
    found = await desk.messages.bounce(a_bounce(desk.server.read[0]["Message-ID"]))
    row = await desk.messages.get(found.message)
    assert (row.state, row.why, row.answer) == ("bounced", "[erased]", None)


async def test_a_mail_that_comes_back_is_seen_and_ends_what_follows(desk: Desk) -> None:
    order = await desk.begin()
    await desk.send()
    mail_id = desk.server.read[0]["Message-ID"]
    late = await desk.messages.bounce(a_bounce(mail_id, "delayed", "4.4.1"))
    assert (late.final, await desk.states()) == (False, ["sent"])
    found = await desk.messages.bounce(a_bounce(mail_id))
    row = await desk.messages.get(found.message)
    assert (row.state, row.answer) == ("bounced", "5.1.1 550 no (address) here")
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["bounced", "dropped"]
    (task,) = await Records(desk.pool).needs_attention.tasks()
    assert (task.kind, task.subject, task.name) == ("message", order.order_id, row.message)
    await desk.messages.send_again(row.message)
    await desk.send()
    assert await desk.states() == ["sent", "dropped"]
    assert await Records(desk.pool).needs_attention.tasks() == []


async def test_the_last_answer_about_an_address_counts(desk: Desk) -> None:
    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.send()
    # Both come back, the second one after the first.
    for mail in desk.server.read:
        await desk.messages.bounce(a_bounce(mail["Message-ID"]))
    await desk.tell(order, "shipped")
    await desk.send()
    assert await desk.states() == ["bounced", "bounced", "dropped"]
    # The mailbox is there again: one that arrives is enough.
    first = (await desk.messages.list())[-1]
    await desk.messages.send_again(first.message)
    await desk.tell(order, "delivered")
    await desk.send()
    assert await desk.states() == ["sent", "bounced", "dropped", "sent"]


async def test_a_late_bounce_stops_no_mail_that_somebody_has_asked_for_since(desk: Desk) -> None:
    await desk.begin()
    await desk.send()
    mail_id = desk.server.read[0]["Message-ID"]
    found = await desk.messages.bounce(a_bounce(mail_id))
    await desk.messages.send_again(found.message)
    with pytest.raises(NotFound, match="sent again since"):
        await desk.messages.bounce(a_bounce(mail_id))
    await desk.send()
    assert await desk.states() == ["sent"]


async def test_a_full_mailbox_holds_nothing_back(desk: Desk) -> None:
    order = await desk.begin()
    await desk.send()
    await desk.messages.bounce(a_bounce(desk.server.read[0]["Message-ID"], status="5.2.2"))
    await desk.tell(order, "confirmed")
    await desk.send()
    assert await desk.states() == ["bounced", "sent"]


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        (b"", "no delivery status"),
        (b"Subject: out of office\r\n\r\nBack on Monday", "no delivery status"),
        (a_bounce("nothing"), "does not name the mail"),
        (b"x" * 10_000_001, "longer than"),
    ],
)
async def test_what_is_no_bounce_is_refused(desk: Desk, mail: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        await desk.messages.bounce(mail)


async def test_a_bounce_of_no_mail_of_ours_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no mail of ours"):
        await desk.messages.bounce(a_bounce("<1@elsewhere.example>"))


async def test_a_sellers_own_template_is_tried_when_it_is_set_and_then_sent(desk: Desk) -> None:
    ours = await desk.messages.template("main", "received", "en")
    own = ours.replace("We have your order", "Got it:")
    with pytest.raises(InvalidInput, match="nmae"):
        await desk.messages.set_template(
            "main", "received", "en", own.replace("{{ number }}", "{{ nmae }}"), by="x"
        )
    assert await desk.messages.templates() == []
    await desk.messages.set_template("main", "received", "en", own, by="x")
    order = await desk.begin()
    await desk.send()
    assert desk.server.read[0]["Subject"] == f"Got it: {order.channel_order_id}"
    await desk.messages.reset_template("main", "received", "en")
    assert await desk.messages.template("main", "received", "en") == ours
    with pytest.raises(NotFound, match="no template of its own"):
        await desk.messages.reset_template("main", "received", "en")


async def a_parcel(desk: Desk) -> Order:
    """A parcel was handed over, and its customer is to be told so; its invoice is not issued."""
    order = await desk.begin()
    part = fulfilment_id(order.order_id, 1)
    await desk.tell(order, "shipped", fulfilment_id=part)
    return order


async def issued(desk: Desk, order: Order) -> str:
    async with desk.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        return await documents.issue(
            conn,
            kind="invoice",
            order_id=order.order_id,
            part_id=fulfilment_id(order.order_id, 1),
            lines={"1": 1},
            worth=Worth(goods=1000),
        )


def pdfs(mail: EmailMessage) -> list[tuple[str | None, bytes]]:
    parts = [part for part in mail.walk() if part.get_content_type() == "application/pdf"]
    return [(part.get_filename(), part.get_content()) for part in parts]


async def test_a_mail_brings_the_invoice_where_its_seller_wants_that(desk: Desk) -> None:
    await desk.pool.execute("update seller set name = 'Tea', attach_documents = '{shipped}'")
    order = await a_parcel(desk)
    await desk.send()
    assert await desk.states() == ["sent", "planned"], "it waits for its invoice"
    (shipped, _) = await desk.messages.list()
    assert (shipped.why, shipped.tries) == ("it waits for its document", 0)
    number = await issued(desk, order)
    # A sender dies between the mail and its answer: another one sends the same again.
    desk.server.to_mail = lambda number: "drop" if number == 1 else None
    for _ in range(2):
        await desk.due()
        await desk.send()
    received, first, again = desk.server.read
    assert pdfs(received) == []
    assert pdfs(first) == pdfs(again)
    assert first["Message-ID"] == again["Message-ID"]
    ((name, content),) = pdfs(again)
    assert name == f"{number}.pdf"
    assert number in pages(content)[0]
    for part in ("plain", "html"):
        body = again.get_body((part,))
        assert body is not None
        assert f"Your invoice {number} is attached." in body.get_content()
    assert (await desk.messages.shown(shipped.message)).attached == number


async def test_a_refund_brings_its_credit_note(desk: Desk) -> None:
    await desk.pool.execute("update seller set name = 'Tea', attach_documents = '{refund}'")
    order = await a_parcel(desk)
    await issued(desk, order)
    refund = f"{order.order_id}:R1"
    async with desk.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        number = await documents.issue(
            conn,
            kind="credit_note",
            order_id=order.order_id,
            part_id=refund,
            lines={"1": 1},
            worth=Worth(goods=1000),
            reason="returned",
        )
        await conn.execute(
            """insert into payment_operation (payment_key, order_no, kind, provider, amount_minor,
                                              currency, part_of, state, settled_at)
            values ('r1', order_no_of($1), 'refund', 'sandbox', 1000, 'EUR', $2, 'succeeded',
                    now())""",
            *(order.order_id, refund),
        )
    money = {"payment_key": "r1", "amount_minor": 1000, "currency": "EUR"}
    await desk.tell(order, "refunded", **money)
    await desk.send()
    *others, mail = desk.server.read
    assert [pdfs(other) for other in others] == [[], []]
    ((name, content),) = pdfs(mail)
    assert name == f"{number}.pdf"
    assert "Credit note" in pages(content)[0]


async def test_a_mail_goes_without_an_invoice_that_never_comes_or_is_too_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.pool.execute("update seller set name = 'Tea', attach_documents = '{shipped}'")
    await a_parcel(desk)
    await desk.plan()
    await desk.pool.execute("update message set planned_at = planned_at - interval '121 seconds'")
    await desk.send()
    order = await a_parcel(desk)
    number = await issued(desk, order)
    monkeypatch.setattr("activities.messages.sending.DOCUMENT_BYTES_MAX", 1000)
    await desk.send()
    assert await desk.states() == ["sent"] * 4
    assert [pdfs(mail) for mail in desk.server.read] == [[]] * 4
    assert all(number.encode() not in mail for mail in desk.server.mails)


async def test_a_sellers_logo_travels_in_the_mail(desk: Desk) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 20
    logo = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    await desk.pool.execute(
        "update seller set looks = $1", {"logo": logo, "display_name": "Leaf", "colour": "#0a5c36"}
    )
    order = await desk.begin()
    await desk.send()
    (mail,) = desk.server.read
    assert mail["From"].addresses[0].display_name == "Leaf"
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (image["Content-ID"], image.get_content()) == ("<logo>", png)
    html = mail.get_body(("html",))
    assert html is not None
    assert '<img src="cid:logo" alt="Leaf"' in html.get_content()
    assert "#0a5c36" in html.get_content()
    shown = await desk.messages.preview("received", order.order_id)
    assert f'<img src="{logo}" alt="Leaf"' in shown.html


async def test_the_audit_misses_what_was_to_be_told_since_the_settings_are_as_they_are(
    desk: Desk,
) -> None:
    async def missed() -> list[str]:
        async with desk.pool.acquire() as conn:
            found = (await audit.look(conn)).violations
        return [one.message for one in found if one.rule == "messages"]

    order = await desk.begin()
    await desk.tell(order, "confirmed")
    await desk.tell(order, "held: payment")
    await desk.tell(order, "packed")
    await desk.send()
    assert await missed() == []
    await desk.pool.execute("delete from message where kind = 'confirmed'")
    (said,) = await missed()
    assert "(orderloom.order.confirmed.v1), but there is no message" in said
    # Nobody is told of a channel that becomes a marketplace, nor missed there.
    await desk.pool.execute("update channel set kind = 'marketplace' where channel = 'web'")
    await desk.tell(order, "shipped")
    await desk.send()
    assert await missed() == []
    assert await desk.states() == ["sent"]
