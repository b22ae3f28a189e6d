"""What is done with an order at the desk: what a page foretells is what then happens."""

from __future__ import annotations

import html
import re

import httpx

from domain.access.keys import Scope
from domain.orders.messages import CancelRequest
from domain.staff.roles import MAY
from starter.web.desk.acts.table import ACTS
from starter.web.desk.possible import OFFERS
from tests.http.test_desk import INJECTED, desk, hidden, named, ordered, placed, stocked
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

__all__ = ["desk", "stocked"]

AHEAD = {"charge": "at_confirmation"}


def rows(answer: httpx.Response) -> dict[str, str]:
    """What a preview says, by the names of its rows."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", answer.text)
    return {html.unescape(name): html.unescape(value) for name, value in found}


async def seen(desk: Desk, order_id: str, act: str, **fields: str) -> httpx.Response:
    """Open the page of an act, fill it in, and ask what would happen."""
    page = await desk.get(f"/app/orders/{order_id}/{act}")
    sent = {**hidden(page.text, act), **named(fields), "go": "preview"}
    return await desk.send_form(f"app/orders/{order_id}/{act}", **sent)


async def done(desk: Desk, order_id: str, act: str, preview: httpx.Response) -> httpx.Response:
    """Say yes to what was foretold."""
    sent = {**hidden(preview.text, act), "go": "do"}
    return await desk.send_form(f"app/orders/{order_id}/{act}", **sent)


def test_every_act_is_offered_and_every_offer_is_an_act() -> None:
    assert [act.name for act in ACTS] == list(OFFERS)


async def test_a_cancellation_is_foretold_to_the_unit_and_to_the_cent(
    stocked: Shop, desk: Desk
) -> None:
    order = ordered("act-cancel")
    order_id = order.order_id
    await stocked.placed(order, stocked.usual_policy.model_copy(update=AHEAD))
    await stocked.drive(f"{order_id}:1", "labelled")
    preview = await seen(desk, order_id, "cancel", units__1="2", reason="one is enough")
    assert preview.status_code == 200, text_of(preview)
    told = rows(preview)
    assert told["Not sent"] == "2 × TEA (line 1)"
    assert "the box is opened (labelled)" in told[f"{order_id}:1"]
    assert (await stocked.orders.get(order_id)).lines[0].cancelled == 0
    changed = await desk.send_form(
        f"app/orders/{order_id}/cancel", **{**hidden(preview.text, "cancel"), "go": "change"}
    )
    assert 'value="one is enough"' in changed.text
    assert re.search(r'name="units:1"[^>]* value="2"', changed.text)
    assert "The units are cancelled" in text_of(await done(desk, order_id, "cancel", preview))
    detail = await stocked.orders.get(order_id)
    assert [line.cancelled for line in detail.lines] == [2, 0]
    (refund,) = detail.refunds
    amount = f"${refund.amount_minor / 100:.2f}"
    assert (told["Paid back"], told["of it by sandbox"]) == (amount, amount)


async def test_what_is_not_possible_is_said_with_its_reason(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-why-not")
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert "Let it go on The order is not held." in page
    told = text_of(await desk.get(f"/app/orders/{order_id}/release"))
    assert "The order is not held." in told
    assert "What can be done instead: Hold" in told
    assert "<select" not in told


async def test_a_cancelled_order_in_an_open_page(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-open-page")
    page = await desk.get(f"/app/orders/{order_id}/hold")
    gone = CancelRequest.model_validate({"reason": "it was called off", "by": "ben"})
    await stocked.aftersales.cancel(order_id, gone)
    fields = {"why": "other", "note": "wait", "go": "do"}
    answer = await desk.send_form(
        f"app/orders/{order_id}/hold", **{**hidden(page.text, "hold"), **fields}
    )
    assert answer.status_code == 409
    assert "it was called off (ben)" in text_of(answer)
    assert list(await stocked.holds.standing(order_id)) == []


async def test_a_hold_has_a_deadline_and_an_owner(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-hold")
    page = hidden((await desk.get(f"/app/orders/{order_id}/hold")).text, "hold")
    fields = {"why": "address", "note": INJECTED, "owner": "risk", "at_end": "reject", "go": "do"}
    path = f"app/orders/{order_id}/hold"
    odd = await desk.send_form(path, **page, **fields, until="tomorrow")
    assert odd.status_code == 422
    assert "<img src=x" not in odd.text
    past = await desk.send_form(path, **page, **fields, until="2020-01-01T00:00")
    assert "This time is past" in text_of(past)
    held = await desk.send_form(
        path, **hidden(past.text, "hold"), **fields, until="2099-01-01T08:00"
    )
    assert "The order is held" in text_of(held)
    (hold,) = await stocked.holds.standing(order_id)
    assert (hold.owner, hold.at_end, hold.who) == ("risk", "reject", "Anna (anna)")
    page = hidden((await desk.get(f"/app/orders/{order_id}/extend")).text, "extend")
    later = {"hold": hold.hold_id, "note": "no answer", "until": "2099-02-01T08:00", "go": "do"}
    answer = await desk.send_form(f"app/orders/{order_id}/extend", **page, **later)
    assert "another deadline" in text_of(answer)
    preview = await seen(desk, order_id, "reject", note="it is fraud")
    assert rows(preview)["Not sent"] == "3 × TEA (line 1), 1 × POT (line 2)"
    assert "The order is rejected" in text_of(await done(desk, order_id, "reject", preview))


async def test_who_may_not_does_not(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-may")
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "warehouse", locations=["main"])
    pos = await Desk(stocked.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    nobody = Desk(stocked.pool, desk.app)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for act, (_, scope) in OFFERS.items():
        path = f"app/orders/{order_id}/{act}"
        answer = await desk.post(f"/{path}", data={"go": "do"}, headers=foreign)
        assert answer.status_code == 403, act
        assert (await pos.get(f"/{path}")).status_code == 404, act
        assert (await pos.send_form(path, go="do")).status_code == 404, act
        if not clerk_may(scope):
            assert (await clerk.get(f"/{path}")).status_code == 403, act
            assert (await clerk.send_form(path, go="do")).status_code == 403, act
        assert "Sign in" in (await nobody.get(f"/{path}")).text, act


def clerk_may(scope: Scope) -> bool:
    """The warehouse takes goods back."""
    return scope in MAY["warehouse"]
