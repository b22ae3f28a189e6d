"""What is done with an order at the desk: what a page foretells is what then happens."""

from __future__ import annotations

import asyncio
import html
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest

from domain.access.keys import Scope
from domain.aftersales.return_rules import ReturnRule
from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.staff.roles import MAY
from domain.stock.items import Item
from domain.views.possible import OrderFacts
from starter.web.desk.acts.table import ACTS
from starter.web.desk.possible import OFFERS
from tests.http.test_desk import INJECTED, desk, hidden, named, ordered, placed, stocked
from tests.support.builders import an_order, shipping
from tests.support.desk import Desk, text_of
from tests.support.shop import PATIENCE_S, Shop

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


async def act_on(desk: Desk, order_id: str, act: str, says: str, **fields: str) -> dict[str, str]:
    """Have something foretold, and do it. Answers what was foretold."""
    for _ in range(5):  # an order that goes on by itself meanwhile is looked at again
        preview = await seen(desk, order_id, act, **fields)
        assert preview.status_code == 200, text_of(preview)
        answer = await done(desk, order_id, act, preview)
        if "Nothing was done: the order has changed" not in text_of(answer):
            break
    assert says in text_of(answer), text_of(answer)
    return rows(preview)


def dollars(minor: int) -> str:
    return f"${minor / 100:.2f}"


async def delivered(shop: Shop, number: str, **terms: Any) -> str:
    """An order of three TEA and one POT that the customer has. `terms`: of its policy."""
    order = ordered(number)
    order_id = order.order_id
    wanted = {"return_window": timedelta(days=30), **terms}
    policy = Policy.model_validate({**shop.usual_policy.model_dump(), **wanted})
    await shop.placed(order, policy)
    await shop.drive(f"{order_id}:1", "shipped")
    await shop.scan(f"{order_id}:1", "delivered")
    await shop.heard(order_id, "delivered", 4)
    await shop.idle(order_id)
    return order_id


async def refund_of(shop: Shop, order_id: str, kind: str) -> str:
    """What was granted, in dollars."""
    found = [one for one in (await shop.orders.get(order_id)).refunds if one.kind == kind]
    (refund,) = found
    return dollars(refund.amount_minor)


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
    await stocked.told(order_id, "refunded")
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert "Goods $40.00 as ordered: $60.00" in page
    assert "Total $43.33 as ordered: $65.00" in page


async def test_what_is_not_possible_is_said_with_its_reason(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-why-not")
    answer = await desk.get(f"/app/orders/{order_id}")
    page = text_of(answer)
    (rest,) = re.findall(r'<details id="order-cannot">.*?</details>', answer.text, re.DOTALL)
    reasons = re.findall(r"<dd>(.*?)</dd>", rest)
    assert len(reasons) == len(set(reasons)), "each reason is told once"
    together = "Release, Give a hold another deadline, Reject what is held"
    assert f"{together} The order is not held." in page
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
    foretold = await seen(
        *(desk, order_id, "hold"),
        why="address",
        note="x",
        until="2020-01-01T00:00",
        at_end="reject",
    )
    assert "This time is past" in text_of(foretold)
    assert 'value="do"' not in foretold.text
    assert rows(foretold)["Stays here"] == "3 × TEA (line 1), 1 × POT (line 2)"
    assert rows(foretold)["Customer"] == "gets no message"
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
    later = {"hold": hold.hold_id, "note": "no answer", "until": "2099-02-01T08:00"}
    told = await act_on(desk, order_id, "extend", "another deadline", **later)
    assert told["Until"].count("2099") == 2
    ends = rows(await seen(desk, order_id, "release", note="found it"))
    assert ends["This hold ends"].startswith(f"{hold.hold_id}, address: ")
    assert ends[f"{order_id}:1"] == "goes on (to be picked)"
    assert ends["Customer"] == "gets no message"
    preview = await seen(desk, order_id, "reject", note="it is fraud")
    assert rows(preview)["Not sent"] == "3 × TEA (line 1), 1 × POT (line 2)"
    assert "The order is rejected" in text_of(await done(desk, order_id, "reject", preview))


async def test_who_may_not_does_not(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-may")
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "warehouse", locations=["main"])
    pos = await Desk(stocked.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    nobody = Desk(stocked.pool, desk.app)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for act, offer in OFFERS.items():
        path = f"app/orders/{order_id}/{act}"
        answer = await desk.post(f"/{path}", data={"go": "do"}, headers=foreign)
        assert answer.status_code == 403, act
        hidden_from_pos = 404 if offer.scope in MAY["agent"] else 403
        assert (await pos.get(f"/{path}")).status_code == hidden_from_pos, act
        assert (await pos.send_form(path, go="do")).status_code == hidden_from_pos, act
        if not clerk_may(offer.scope):
            assert (await clerk.get(f"/{path}")).status_code == 403, act
            assert (await clerk.send_form(path, go="do")).status_code == 403, act
        assert "Sign in" in (await nobody.get(f"/{path}")).text, act


def clerk_may(scope: Scope) -> bool:
    """The warehouse takes goods back."""
    return scope in MAY["warehouse"]


async def test_a_return_pays_back_what_its_page_foretold(stocked: Shop, desk: Desk) -> None:
    order_id = await delivered(stocked, "act-return")
    odd = await seen(desk, order_id, "return", reason="too small", units__1="1", units__2="-1")
    assert (odd.status_code, "A number is wrong" in text_of(odd)) == (422, True)
    none = await seen(desk, order_id, "return", reason="too small")
    assert (none.status_code, "Choose how many units" in text_of(none)) == (422, True)
    many = await seen(desk, order_id, "return", reason="too small", units__1="9")
    assert many.status_code == 409
    assert "more units than were delivered" in text_of(many)
    assert re.search(r'name="units:1"[^>]* value="9"', many.text)
    told = await act_on(
        *(desk, order_id, "return", "The return is approved"),
        units__1="2",
        reason=INJECTED,
        reason_code="did_not_fit",
    )
    assert told["Comes back"] == "2 × TEA (line 1)"
    (row,) = (await stocked.orders.get(order_id)).returns
    assert set(row.reason_codes.values()) == {"did_not_fit"}
    expected = await stocked.returns.expected_refund(row.return_id)
    assert told["Paid back"] == dollars(expected.minor) == told["of it by sandbox"]
    page = await desk.get(f"/app/orders/{order_id}/cancel-return")
    assert "<img src=x" not in page.text
    await stocked.do(await stocked.task("receive-return", row.return_id))
    await stocked.told(order_id, "refunded")
    assert await refund_of(stocked, order_id, "return") == told["Paid back"]


async def test_a_return_is_decided_and_given_up(stocked: Shop, desk: Desk) -> None:
    review = {"review_above": {"amount": "1.00", "currency": "USD"}, "channel": "web"}
    await stocked.returns.set_rules([ReturnRule.model_validate(review)])
    order_id = await delivered(stocked, "act-return-asked")
    fields = {"units__2": "1", "reason": "no need"}
    told = await act_on(desk, order_id, "return", "waits for a decision", **fields)
    (row,) = (await stocked.orders.get(order_id)).returns
    answer = {"return_id": row.return_id, "decision": "approve", "note": "a good customer"}
    decided = await act_on(desk, order_id, "decide-return", "return is approved", **answer)
    assert decided["Paid back"] == told["Paid back"]
    kept = await act_on(
        *(desk, order_id, "cancel-return", "The return is given up"),
        return_id=row.return_id,
        reason="she keeps it",
    )
    assert kept["Stays with the customer"] == "1 × POT (line 2)"
    assert kept["Not paid back"] == told["Paid back"]


async def test_an_exchange_tells_its_sums_first(stocked: Shop, desk: Desk) -> None:
    order_id = await delivered(stocked, "act-exchange")
    fields = {"units__1": "1", "reason": "a pot rather", "want1-sku": "POT", "want1-quantity": "1"}
    no = await seen(desk, order_id, "exchange", **fields)
    assert "say what the other goods cost" in text_of(no)
    asked = re.search(r'<input id="want1-unit_price"[^>]*>', no.text)
    assert asked, no.text
    assert 'value="30.00"' in asked[0]
    assert 'aria-describedby="want1-unit_price-fault"' in asked[0]
    assert "In this order POT costs this: is it right?" in text_of(no)
    unknown = await seen(desk, order_id, "exchange", **{**fields, "want1-sku": "MUG"})
    assert "In this order TEA costs this" in text_of(unknown)
    assert re.search(r'id="want1-unit_price"[^>]* value="10.00"', unknown.text)
    fields |= {"want1-unit_price": "30.00"}
    typo = await seen(desk, order_id, "exchange", **{**fields, "want1-sku": "POTT"})
    assert "No item has the SKU POTT: is it right?" in text_of(typo)
    assert "No item has" not in text_of(await seen(desk, order_id, "exchange", **fields))
    told = await act_on(desk, order_id, "exchange", "The exchange is approved", **fields)
    assert told["The customer gets"] == "1 × POT"
    other = await stocked.orders.get(f"{order_id}-X1")
    assert told["The other goods cost"] == dollars(other.summary.total_minor)
    owed = other.summary.total_minor - round(float(told["It is worth"][1:]) * 100)
    assert told["The customer pays"] == dollars(owed)
    shipping = sum(line.shipping_minor + line.shipping_tax_minor for line in other.lines)
    assert told["of it shipping"] == dollars(shipping)


async def test_money_goes_back_as_foretold(stocked: Shop, desk: Desk) -> None:
    order_id = await delivered(stocked, "act-money")
    none = await seen(desk, order_id, "refund", reason="x")
    assert "Choose units, or shipping" in text_of(none)
    fields = {"units__1": "1", "shipping": "1", "reason": "torn"}
    told = await act_on(desk, order_id, "refund", "It is paid back", **fields)
    assert told["For"] == "1 × TEA (line 1)"
    assert await refund_of(stocked, order_id, "units") == told["Paid back"]
    fields = {"line": "2", "unit_price": "25.00", "evidence": "https://shop.example/pot"}
    told = await act_on(desk, order_id, "price-match", "It is paid back", **fields)
    assert await refund_of(stocked, order_id, "price_match") == told["Paid back"] == "$5.00"
    no = await seen(desk, order_id, "goodwill", amount="900.00", reason="sorry")
    assert "more than what is charged" in text_of(no)
    odd = await seen(desk, order_id, "goodwill", amount="ten", reason="sorry")
    assert odd.status_code == 422
    assert 'value="ten"' in odd.text
    fields = {"amount": "2.50", "reason": "sorry", "to": "store_credit"}
    told = await act_on(desk, order_id, "goodwill", "It is paid back", **fields)
    assert told["of it by store credit"] == "$2.50"
    assert await refund_of(stocked, order_id, "goodwill") == "$2.50"


async def test_goodwill_over_a_limit_is_asked_for_and_approved(stocked: Shop, desk: Desk) -> None:
    limits = {"agent": {"per_order": {"USD": "1.00"}}, "lead": {}}
    order_id = await delivered(stocked, "act-goodwill", goodwill_roles=limits)
    over = await seen(desk, order_id, "goodwill", amount="3.00", reason="sorry")
    assert "$3.00 is more than Agent may give for an order: $1.00." in text_of(over)
    assert "Ask for it" in text_of(over)
    asked_for = await done(desk, order_id, "goodwill", over)
    assert "Somebody who may give it is asked" in text_of(asked_for)
    assert "$3.00 is more than Agent may give for an order: $1.00" in text_of(asked_for)
    lead = await Desk(stocked.pool, desk.app).signed_in("lea", "lead")
    page = (await lead.get(f"/app/orders/{order_id}")).text
    (asked,) = (await stocked.previews.facts(order_id)).goodwill_asked
    assert f'name="approves" value="{asked}"' in page
    form = page.partition(f'{order_id}/approve">')[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))
    paid = await lead.send_form(f"app/orders/{order_id}/approve", **sent)
    assert "It is paid back" in text_of(paid)
    assert await refund_of(stocked, order_id, "goodwill") == "$3.00"
    assert "not_asked" not in text_of(await lead.get(f"/app/orders/{order_id}/approve"))
    assert (await stocked.previews.facts(order_id)).goodwill_asked == ()


async def test_an_admin_gives_goodwill_in_the_role_that_may_give_most_and_need_not_choose(
    stocked: Shop, desk: Desk
) -> None:
    limits = {"agent": {"per_order": {"USD": "1.00"}}, "accountant": {"percent_max": 5}, "lead": {}}
    order_id = await delivered(stocked, "act-goodwill-admin", goodwill_roles=limits)
    over = await seen(desk, order_id, "goodwill", amount="3.00", reason="sorry")
    await done(desk, order_id, "goodwill", over)
    admin = await Desk(stocked.pool, desk.app).signed_in("kim", "admin")
    page = (await admin.get(f"/app/orders/{order_id}")).text
    form = page.partition(f'{order_id}/approve">')[2].partition("</form>")[0]
    assert re.findall(r'<option value="(\w+)"', form) == ["lead", "accountant", "agent"]
    sent = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))
    paid = await admin.send_form(f"app/orders/{order_id}/approve", **sent)
    assert "It is paid back" in text_of(paid)


async def test_a_claim_is_made_and_decided(stocked: Shop, desk: Desk) -> None:
    order_id = await delivered(stocked, "act-claim")
    fields = {"kind": "damaged", "units__2": "1", "reason": "a crack", "wish": "refund"}
    told = await act_on(desk, order_id, "claim", "waits for a decision", **fields)
    assert told == {"Decision": "waits for a person", "For": "1 × POT (line 2)"}
    (claim,) = await stocked.claims.list(order_id=order_id)
    no = {"claim_id": claim.claim_id, "decision": "part_refund", "note": "usable"}
    assert (await seen(desk, order_id, "decide-claim", **no)).status_code == 422
    told = await act_on(desk, order_id, "decide-claim", "is decided", **no, percent="50")
    assert await refund_of(stocked, order_id, "claim") == told["Paid back"]
    page = text_of(await desk.get(f"/app/orders/{order_id}/decide-claim"))
    assert "No claim waits for a decision" in page


async def test_a_parcel_is_stopped_on_its_way(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-intercept")
    no = text_of(await desk.get(f"/app/orders/{order_id}/intercept"))
    assert "No parcel is on its way" in no
    await stocked.drive(f"{order_id}:1", "shipped")
    await stocked.heard(order_id, "shipped", 4)
    await stocked.idle(order_id)
    fields = {"parcel": f"{order_id}:1", "way": "redirect", "reason": "moved"}
    assert (await seen(desk, order_id, "intercept", **fields)).status_code == 422
    address = {"name": "Kim", "line1": INJECTED, "city": "Busan", "country": "KR"}
    typed = {f"to-{part}": text for part, text in address.items()}
    preview = await seen(desk, order_id, "intercept", **fields, **typed)
    assert "<img src=x" not in preview.text
    fields |= {"way": "return"}
    told = await act_on(desk, order_id, "intercept", "The carrier stops the parcel", **fields)
    assert told == {"Parcel": f"{order_id}:1", "Where to": "back to the sender"}


async def test_an_order_is_changed_as_foretold(stocked: Shop, desk: Desk) -> None:
    billing = {"name": INJECTED, "line1": INJECTED, "city": INJECTED, "country": "US"}
    order_id = await placed(stocked, "act-edit", note=INJECTED, billing=billing)
    page = await desk.get(f"/app/orders/{order_id}/edit")
    assert "<img src=x" not in page.text
    assert page.text.count("&lt;img src=x") == 4
    shown = dict(re.findall(r'name="([^"]+)" value="([^"]*)" inputmode', page.text))
    assert (shown["line:1:quantity"], shown["address-city"] != "") == ("3", True)
    same = {name.replace(":", "__"): html.unescape(value) for name, value in shown.items()}
    none = await seen(desk, order_id, "edit", **same, reason="x")
    assert "Change something first" in text_of(none)
    fields = {**same, "line__1__quantity": "2", "line__2__unit_price": "25.00", "reason": "called"}
    fields |= {"note": "ring twice", "add1-sku": "TEA", "add1-quantity": "1"}
    fields |= {"add1-unit_price": "9.00"}
    preview = await seen(desk, order_id, "edit", **fields)
    assert preview.status_code == 200, text_of(preview)
    assert "<img src=x" not in preview.text
    answer = await done(desk, order_id, "edit", preview)
    assert "The order is changed" in text_of(answer)
    detail = await stocked.orders.get(order_id)
    before, after = rows(preview)["Total"].split(" → ")
    assert (before, after) == ("$65.00", dollars(detail.summary.total_minor))
    assert [(line.sku, line.ordered) for line in detail.lines] == [
        ("TEA", 2),
        ("POT", 1),
        ("TEA", 1),
    ]
    gone = await seen(desk, order_id, "edit", line__1__quantity="x", reason="y")
    assert gone.status_code == 422


async def test_a_vouchers_code_is_drawn_and_told_once(stocked: Shop, desk: Desk) -> None:
    order_id = await delivered(stocked, "act-voucher")
    page = await desk.get(f"/app/orders/{order_id}")
    assert f"{order_id}/codes" not in page.text
    fields = {"amount": "5.00", "reason": "sorry", "to": "voucher"}
    await act_on(desk, order_id, "goodwill", "It is paid back", **fields)
    (voucher,) = await stocked.vouchers.list(order_id=order_id)
    path = f"app/orders/{order_id}/codes"
    assert f"{order_id}/codes" in (await desk.get(f"/app/orders/{order_id}")).text
    sent = hidden((await desk.get(f"/{path}")).text, "codes")
    assert (await desk.send_form(path, **{**sent, "voucher": "V-other"})).status_code == 404
    drawn = await desk.send_form(path, **sent)
    (code,) = re.findall(r'class="secret">([^<]+)<', drawn.text)
    assert (await stocked.vouchers.by_code(code)).voucher_id == voucher.voucher_id
    assert code not in (await desk.send_form(path, **sent)).text
    pos = await Desk(stocked.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    assert (await pos.get(f"/{path}")).status_code == 404
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "warehouse")
    assert (await clerk.get(f"/{path}")).status_code == 403


async def test_a_service_has_its_appointment(stocked: Shop, desk: Desk) -> None:
    await stocked.catalogue.set_items([Item(sku="FIT", handling="service")])
    await stocked.stocked("FIT", 5)
    order = an_order(("FIT", 1, "40.00"), channel_order_id="act-appointment")
    await stocked.placed(order)
    order_id = order.order_id
    await stocked.told(order_id, "ready for its appointment")  # else the page is old at once
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "warehouse")
    assert "Appointment" in text_of(await clerk.get(f"/app/orders/{order_id}"))
    page = await clerk.get(f"/app/orders/{order_id}/appointment")
    sent = {**hidden(page.text, "appointment"), "go": "do", "part": f"{order_id}:1"}
    path = f"app/orders/{order_id}/appointment"
    none = await clerk.send_form(path, **sent, what="set")
    assert none.status_code == 422
    done_ = rows(await seen(clerk, order_id, "appointment", part=f"{order_id}:1", what="done"))
    assert done_["Charged now"] == "$45.00"
    set_ = {"what": "set", "begins_at": "2099-12-04T10:00", "note": "second floor"}
    answer = await clerk.send_form(path, **{**hidden(none.text, "appointment"), **sent, **set_})
    assert "The appointment is written down" in text_of(answer)
    (one,) = [x for x in await stocked.appointments.to_come() if order_id in x.fulfilment_id]
    assert one.begins_at == datetime(2099, 12, 4, 10, tzinfo=UTC)


async def test_two_agents_on_one_order(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "act-two")
    ben = await Desk(stocked.pool, desk.app).signed_in("ben", "agent")
    mine = await seen(desk, order_id, "cancel", units__1="1", reason="one too many")
    await act_on(ben, order_id, "cancel", "are cancelled", units__1="1", reason="out of stock")
    refused = await done(desk, order_id, "cancel", mine)
    assert refused.status_code == 409
    assert "out of stock (Ben (ben))" in text_of(refused)
    assert 'value="one too many"' in refused.text
    assert (await stocked.orders.get(order_id)).lines[0].cancelled == 1
    again = {**hidden(refused.text, "cancel"), "units:1": "1", "reason": "one too many"}
    path = f"app/orders/{order_id}/cancel"
    preview = await desk.send_form(path, **again, go="preview")
    twice = hidden(preview.text, "cancel")
    for _ in range(2):
        assert "are cancelled" in text_of(await desk.send_form(path, **twice, go="do"))
    known = await desk.send_form(path, **twice, go="preview")  # nobody had the answer
    assert "are cancelled" in text_of(known)
    assert (await stocked.orders.get(order_id)).lines[0].cancelled == 2


async def test_an_order_that_waits_for_its_payment_is_paid(stocked: Shop, desk: Desk) -> None:
    order = ordered("act-pay", payment={"token": "tok_action_required"})
    order_id = order.order_id
    held = await stocked.orders.place(order, answer_within=timedelta(seconds=PATIENCE_S))
    assert held.outcome == "held"
    told = await act_on(desk, order_id, "pay", "The payment is accepted", token="tok_ok")
    assert told["Authorized"] == "$65.00 by sandbox"
    assert "goods are picked" in told["If it is accepted"]


async def test_an_order_is_charged_when_somebody_says_so(stocked: Shop, desk: Desk) -> None:
    order = ordered("act-charge")
    await stocked.placed(order, stocked.usual_policy.model_copy(update={"charge": "manual"}))
    fields = {"note": "the invoice was accepted"}
    told = await act_on(desk, order.order_id, "charge", "The order is charged", **fields)
    detail = await stocked.orders.get(order.order_id)
    assert told["Charged now"] == dollars(detail.summary.captured_minor)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_foretold_comes_true(stocked: Shop, desk: Desk, seed: int) -> None:
    """Drawn orders: taxes, discounts, several means, a parcel of two delivered, acts before."""
    rng = random.Random(seed)
    await stocked.stocked("CUP", 100, "east")
    order = await drawn(stocked, rng, f"act-drawn-{seed}")
    order_id = order.order_id
    terms: dict[str, Any] = {"return_window": timedelta(days=30)}
    if rng.random() < 0.5:
        terms |= AHEAD
    policy = Policy.model_validate({**stocked.usual_policy.model_dump(), **terms})
    await stocked.placed(order, policy)

    async def part_of_tea() -> str | None:
        rows = (await stocked.orders.get(order_id)).fulfilments
        return next((row.fulfilment_id for row in rows if "1" in row.units), None)

    tea = await stocked.until(part_of_tea, "the fulfilment of the first line")
    await stocked.drive(tea, "shipped")
    await stocked.scan(tea, "delivered")
    await stocked.heard(order_id, "delivered", order.lines[0].quantity)
    for _ in range(4):
        before = await still(stocked, order_id)
        act, fields = chosen(rng, await stocked.previews.facts(order_id))
        told = await act_on(desk, order_id, act, "", **fields)
        if act == "return":
            *_, row = (await stocked.orders.get(order_id)).returns
            await stocked.do(await stocked.task("receive-return", row.return_id))
            await stocked.heard(order_id, "returned", before.returned + int(fields["units__1"]))
        after = await still(stocked, order_id)
        said = f"{seed} {act} {fields} {told}"
        assert after.granted - before.granted == minor(told["Paid back"]), said
        for way, name in (("sandbox", "sandbox"), ("store_credit", "store credit")):
            foretold = minor(told.get(f"of it by {name}", "$0.00"))
            assert after.back.get(way, 0) - before.back.get(way, 0) == foretold, said
        if act == "cancel":
            assert after.cancelled - before.cancelled == int(fields["units__2"]), said
            foretold = minor(told.get("Not charged any more", "$0.00"))
            assert before.to_charge - after.to_charge == foretold, said


class Standing(NamedTuple):
    """Sums of an order, in minor units, and counts. `back`: by the means that it went."""

    granted: int
    back: dict[str, int]
    to_charge: int
    cancelled: int
    returned: int


async def still(shop: Shop, order_id: str) -> Standing:
    """Where an order stands once nothing of it is under way."""

    async def find() -> Standing | None:
        facts = await shop.previews.facts(order_id)
        detail = await shop.orders.get(order_id)
        charges, summary = facts.claim.charges, detail.summary
        if summary.captured_minor != charges.charged.total:
            return None
        if any(one.owed.minor for one in detail.refunds):
            return None
        back: dict[str, int] = {}
        for call in detail.payments:
            if call.kind == "refund":
                back[call.provider] = back.get(call.provider, 0) + call.amount_minor
        return Standing(
            summary.refund_granted_minor,
            back,
            charges.left_to_charge,
            sum(line.cancelled for line in detail.lines),
            sum(line.returned for line in detail.lines),
        )

    await shop.idle(order_id)
    return await shop.until(find, f"{order_id} stands still")


async def drawn(shop: Shop, rng: random.Random, number: str) -> Order:
    """Two lines at two locations, so that it goes in two parcels."""
    lines = [
        {
            "line_id": str(n),
            "sku": sku,
            "quantity": rng.randint(3, 5),
            "unit_price": rng.choice(["3.33", "10.00", "0.07", "19.99"]),
            "tax_rate": rng.choice(["7", "19", "0"]),
            "discount": rng.choice(["0", "0.13"]),
        }
        for n, sku in enumerate(("TEA", "CUP"), start=1)
    ]
    tenders = [await shop.credit_of("4.01")] if rng.random() < 0.6 else []
    return ordered(
        number,
        lines=lines,
        tenders=tenders,
        discount=rng.choice(["0", "0.08"]),
        prices_include_tax=rng.random() < 0.5,
        shipping={**shipping(rng.choice(["0.00", "4.99"])), "tax": None, "tax_rate": "19"},
    )


def chosen(rng: random.Random, facts: OrderFacts) -> tuple[str, dict[str, str]]:
    """An act that is possible now, and what is typed for it."""
    little = rng.randint(1, max(1, facts.claim.charges.refundable.total // 20))
    can = [("goodwill", {"amount": f"{little / 100:.2f}", "reason": "sorry"})]
    if here := facts.here.get("2"):
        can.append(("cancel", {"units__2": str(rng.randint(1, here)), "reason": "too many"}))
    if kept := facts.claim.charges.concedable("1"):
        some = {"units__1": str(rng.randint(1, kept)), "reason": "torn"}
        can.append(("refund", {**some, **({"shipping": "1"} if rng.random() < 0.5 else {})}))
    if back := facts.returnable.get("1"):
        can.append(("return", {"units__1": str(rng.randint(1, back)), "reason": "too small"}))
    return rng.choice(can[1:] or can) if rng.random() < 0.7 else can[0]


def minor(told: str) -> int:
    """$12.50 → 1250."""
    return 0 if told == "nothing" else round(float(told.replace("$", "").replace(",", "")) * 100)


async def parked_again(shop: Shop, order_id: str, since: datetime | None = None) -> datetime:
    """A step waits for a person, later than `since`: since when."""

    async def waits() -> datetime | None:
        found = (await shop.orders.get(order_id)).attention
        return found[0].since if found and found[0].since != since else None

    return await shop.until(waits, "a step needs a person")


async def test_a_decision_that_is_sent_twice_is_one_and_both_are_told_so(
    stocked: Shop, desk: Desk
) -> None:
    stocked.faults.refuse("pick_pack_ship")
    order_id = await placed(stocked, "act-step-twice")
    since = await parked_again(stocked, order_id)
    path = f"app/orders/{order_id}/resolve"
    page = await desk.get(f"/app/orders/{order_id}")
    sent = {**hidden(page.text, "resolve"), "action": "retry", "note": "it is mended"}
    both = await asyncio.gather(*(desk.send_form(path, **sent) for _ in range(2)))
    await parked_again(stocked, order_id, since)
    later = await desk.send_form(path, **sent)
    for answer in (*both, later):
        assert (answer.status_code, answer.url.path) == (200, f"/app/orders/{order_id}")
        assert "It is decided" in text_of(answer)
    story = await stocked.orders.events(order_id)
    assert len([line for line in story if "it is mended" in f"{line.what} {line.why}"]) == 1
    # The same form with something else in it was not sent twice: it is another decision.
    other = await desk.send_form(path, **{**sent, "note": "by hand", "action": "done"})
    assert other.status_code == 409
    assert "This form was sent before" in text_of(other)
    assert "used before for this path" not in text_of(other)
    assert hidden(other.text, "resolve")["request_id"] != sent["request_id"]


async def test_an_appointment_that_is_sent_twice_is_one_and_both_are_told_so(
    stocked: Shop, desk: Desk
) -> None:
    await stocked.catalogue.set_items([Item(sku="FIT", handling="service")])
    await stocked.stocked("FIT", 5)
    order = an_order(("FIT", 1, "40.00"), channel_order_id="act-appointment-twice")
    await stocked.placed(order)
    order_id, part = order.order_id, f"{order.order_id}:1"
    await stocked.told(order_id, "ready for its appointment")
    await stocked.idle(order_id)
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "warehouse")
    path = f"app/orders/{order_id}/appointment"
    page = await clerk.get(f"/{path}")
    set_ = {"part": part, "what": "set", "begins_at": "2099-12-04T10:00", "note": "second floor"}
    sent = {**hidden(page.text, "appointment"), "go": "do", **set_}
    both = await asyncio.gather(*(clerk.send_form(path, **sent) for _ in range(2)))
    # Somebody agrees on another time; a browser that opens its tabs again sends the first form.
    await stocked.appointments.make(part, datetime(2099, 12, 5, 10, tzinfo=UTC), who="ben")
    later = await clerk.send_form(path, **sent)
    for answer in (*both, later):
        assert (answer.status_code, answer.url.path) == (200, f"/app/orders/{order_id}")
        assert "The appointment is written down" in text_of(answer)
    (one,) = [x for x in await stocked.appointments.to_come() if order_id in x.fulfilment_id]
    assert one.begins_at == datetime(2099, 12, 5, 10, tzinfo=UTC)
    story = [line.what for line in await stocked.orders.events(order_id)]
    assert story.count("appointment made") == 1
    # Seen once more before it is sent, it is told and not foretold a second time.
    told = await clerk.send_form(path, **{**sent, "go": "preview"})
    assert "The appointment is written down" in text_of(told)


async def test_a_decision_that_no_run_waits_for_is_one_too_and_both_are_told_so(
    stocked: Shop, desk: Desk
) -> None:
    order_id = await placed(stocked, "act-elsewhere-twice")
    await stocked.idle(order_id)
    step = "pay_back_elsewhere p1"
    await stocked.pool.execute(
        "insert into attention (order_no, step, reason, allowed) "
        "values (order_no_of($1), $2, 'it came paid', '{done}')",
        *(order_id, step),
    )
    path = f"app/orders/{order_id}/resolve"
    page = await desk.get(f"/app/orders/{order_id}")
    sent = {**hidden(page.text, "resolve"), "action": "done", "note": "paid back in the shop"}
    both = await asyncio.gather(*(desk.send_form(path, **sent) for _ in range(4)))
    for answer in (*both, await desk.send_form(path, **sent)):
        assert (answer.status_code, answer.url.path) == (200, f"/app/orders/{order_id}"), text_of(
            answer
        )
        assert "It is decided" in text_of(answer)
    story = await stocked.orders.events(order_id)
    assert len([one for one in story if "paid back in the shop" in f"{one.what} {one.why}"]) == 1
