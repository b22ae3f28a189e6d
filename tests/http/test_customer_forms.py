"""What a customer asks for on the page: met by the order, or refused in the customer's words."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.aftersales.return_rules import ReturnRule
from domain.orders.claim_rules import ClaimRules
from domain.orders.exchange_rules import ExchangeRules
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.items import Item
from tests.support.api import Api
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

LASTING = a_policy(return_window=timedelta(days=30), claims=ClaimRules())


class Visitor(httpx.AsyncClient):
    """A customer's browser, on the page of one order."""

    def __init__(self, shop: Shop, order_id: str) -> None:
        self.shop = shop
        self.order_id = order_id
        super().__init__(
            transport=httpx.ASGITransport(Api(shop).app), base_url="https://track.example"
        )

    async def path(self, rest: str = "") -> str:
        link = await self.shop.tracking.link(self.order_id, "")
        assert link is not None
        return link + rest

    async def fill_in(self, ask: str, **fields: str) -> httpx.Response:
        """Open the form, fill it in, and send it as a browser does."""
        form = await self.get(await self.path(f"/{ask}"))
        assert form.status_code == 200, form.text
        return await self.send_form(ask, {**hidden(form.text), **named(fields)})

    async def agree(self, ask: str, looked_at: httpx.Response) -> httpx.Response:
        """Agree to what a return or an exchange comes to."""
        assert looked_at.status_code == 200, looked_at.text
        return await self.send_form(ask, hidden(looked_at.text))

    async def send_form(self, ask: str, sent: dict[str, str]) -> httpx.Response:
        """Send a form as it was filled in."""
        return await self.post(
            await self.path(f"/{ask}"), data=sent, headers={"Sec-Fetch-Site": "same-origin"}
        )

    async def told(self, answer: httpx.Response) -> str:
        """The page that a form leads back to."""
        assert answer.status_code == 303, answer.text
        page = await self.get(str(answer.url.join(answer.headers["location"])))
        assert page.status_code == 200
        return page.text


def hidden(page: str) -> dict[str, str]:
    """What a form sends that nobody fills in."""
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    found = {str(name): html.unescape(value) for name, value in fields}
    assert {"request_id", "seen"} <= found.keys()
    return found


def named(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("__", ":"): value for name, value in fields.items()}


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    await shop.stocked("TEA", 100)
    return shop


def ordered(**fields: Any) -> Order:
    customer = {"id": "C-1", "name": "Kim Minji", "locale": "en", "email": "kim@example.com"}
    return an_order(("TEA", 3, "10.00"), **{"customer": customer, **fields})


async def visit(shop: Shop, policy: Policy = LASTING, *, delivered: bool = False) -> Visitor:
    order = ordered()
    await shop.placed(order, policy)
    if delivered:
        await shop.drive(f"{order.order_id}:1", "shipped")
        await shop.scan(f"{order.order_id}:1", "delivered")
        await shop.heard(order.order_id, "delivered", 3)
    return Visitor(shop, order.order_id)


async def test_units_are_cancelled_once_and_told_by_the_customer(stocked: Shop) -> None:
    visitor = await visit(stocked)
    answer = await visitor.fill_in("cancel", units__1="1", why="changed_mind", comment="Sorry!")
    assert "Cancelled. What you have paid" in await visitor.told(answer)
    sent = dict(httpx.QueryParams(answer.request.content.decode()))
    again = await visitor.post(await visitor.path("/cancel"), data=sent)
    assert again.status_code == 303
    detail = await stocked.orders.get(visitor.order_id)
    assert detail.summary.cancelled == 1
    (event,) = [one for one in detail.story if one.what.startswith("cancelled")]
    assert (event.who, event.why) == ("customer", "I do not want it any more: Sorry!")


async def test_forms_of_two_tabs_and_after_going_back_ask_for_nothing_twice(stocked: Shop) -> None:
    visitor = await visit(stocked)
    tabs = [(await visitor.get(await visitor.path("/cancel"))).text for _ in range(2)]
    filled = {"units:1": "2", "why": "other"}
    assert (await visitor.send_form("cancel", {**hidden(tabs[0]), **filled})).status_code == 303
    late = await visitor.send_form("cancel", {**hidden(tabs[1]), **filled, "comment": "<i>it</i>"})
    assert late.status_code == 409
    assert "The order has changed since you opened this form" in late.text
    assert "&lt;i&gt;it&lt;/i&gt;</textarea>" in late.text  # what was typed is still there
    assert 'max="1"' in late.text
    assert (await stocked.orders.get(visitor.order_id)).summary.cancelled == 2
    # What the second tab shows by now can be sent.
    sent = {**hidden(late.text), **filled, "units:1": "1"}
    assert (await visitor.send_form("cancel", sent)).status_code == 303
    # Nothing is left to be cancelled: the page says so in place of an empty form.
    gone = await visitor.send_form(
        "cancel", {**hidden(tabs[1]), **filled, "request_id": "page-new"}
    )
    assert gone.status_code == 409
    assert "<form" not in gone.text


async def test_the_address_is_changed_until_something_has_left(stocked: Shop) -> None:
    visitor = await visit(stocked)
    form = (await visitor.get(await visitor.path("/address"))).text
    assert 'value="1 Sejong-daero"' in form
    home = {"name": "Kim Minji", "line1": "7 Namdaemun-ro", "city": "Seoul", "postal_code": "04526"}
    page = await visitor.told(await visitor.fill_in("address", **home))
    assert "The address is changed" in page
    assert "7 Namdaemun-ro" in page
    await stocked.drive(f"{visitor.order_id}:1", "shipped")
    late = await visitor.get(await visitor.path("/address"))
    assert late.status_code == 409
    assert "not possible any more" in late.text


async def test_a_return_is_asked_for_and_its_label_printed(stocked: Shop) -> None:
    await stocked.returns.set_rules([ReturnRule(label="free", window_days=30)])
    visitor = await visit(stocked, delivered=True)
    sums = await visitor.fill_in("return", units__1="2", why="did_not_fit", comment='"too" <small>')
    # It says what it pays back before it is asked for: the goods, and their share of the shipping.
    assert re.findall(r"<dd>([^<]+)</dd>", sums.text) == ["$23.34"]
    assert "<li>2 × TEA</li>" in sums.text
    assert not (await stocked.orders.get(visitor.order_id)).returns
    page = await visitor.told(await visitor.agree("return", sums))
    (asked,) = (await stocked.orders.get(visitor.order_id)).returns
    assert asked.reason == 'It does not fit: "too" <small>'
    assert "We expect your return" in page
    return_id = f"{visitor.order_id}:R1"
    assert f"Write {return_id} on the parcel" in page

    async def label() -> bool:
        file = await visitor.get(await visitor.path("/labels/R1"))
        return file.status_code == 200 and file.content.startswith(b"%PDF")

    await stocked.until(label, "its label")
    assert (await visitor.get(await visitor.path("/labels/R2"))).status_code == 404


async def test_units_are_exchanged_within_their_group(stocked: Shop) -> None:
    await stocked.catalogue.set_items([Item(sku="MUG", name="Blue <mug>"), Item(sku="POT")])
    await stocked.stocked("MUG", 5)
    policy = a_policy(
        return_window=timedelta(days=30), exchanges=ExchangeRules(groups=(("TEA", "MUG", "POT"),))
    )
    visitor = await visit(stocked, policy, delivered=True)
    form = (await visitor.get(await visitor.path("/exchange"))).text
    # There is no POT, so it is not offered. The same again is the last one.
    assert re.findall(r'<option value="([^"]+)"', form) == ["MUG", "TEA"]
    filled = {"units__1": "2", "want__1": "MUG", "why": "did_not_fit"}
    not_mine = await visitor.fill_in("exchange", **{**filled, "want__1": "POT"})
    assert (not_mine.status_code, "cannot be had for it" in not_mine.text) == (409, True)
    sums = await visitor.fill_in("exchange", **filled)
    for said in (
        *("<li>2 × TEA</li>", "<li>2 × Blue &lt;mug&gt;</li>"),
        *("<dt>Paid back for what you send</dt><dd>$23.34</dd>", "<dt>You pay</dt><dd>$0.00</dd>"),
    ):
        assert said in sums.text
    answer = await visitor.agree("exchange", sums)
    page = await visitor.told(answer)
    assert "Your exchange is agreed" in page
    other = re.search(r'You get for it: <a href="\.\./(o/[^"]+)">Your order [^<]+-X1</a>', page)
    assert other is not None
    theirs = await visitor.get(f"/{other[1]}")
    assert "2 × Blue &lt;mug&gt;" in theirs.text
    # The second click on the button is the same request.
    again = await visitor.send_form("exchange", hidden(sums.text))
    assert again.status_code == 303
    assert len((await stocked.orders.get(visitor.order_id)).returns) == 1
    exchange = await stocked.orders.get(f"{visitor.order_id}-X1")
    assert [(one.sku, one.ordered) for one in exchange.lines] == [("MUG", 2)]
    assert exchange.summary.total_minor == 2334


async def test_nothing_is_exchanged_where_the_policy_has_no_groups(stocked: Shop) -> None:
    visitor = await visit(stocked, delivered=True)
    assert "/exchange" not in (await visitor.get(await visitor.path())).text
    assert (await visitor.get(await visitor.path("/exchange"))).status_code == 409
    sent = {"units:1": "1", "want:1": "TEA", "why": "other", "sure": "yes", "request_id": "page-1"}
    assert (await visitor.send_form("exchange", sent)).status_code == 409
    assert not (await stocked.orders.get(visitor.order_id)).returns


async def test_a_claim_waits_for_a_person_and_is_shown(stocked: Shop) -> None:
    visitor = await visit(stocked, delivered=True)
    nothing = await visitor.fill_in("claim", kind="damaged", text="broken")
    assert (nothing.status_code, "Please choose what it is about" in nothing.text) == (422, True)
    assert ">broken</textarea>" in nothing.text
    answer = await visitor.fill_in("claim", kind="damaged", text="<b>broken</b>", units__1="1")
    page = await visitor.told(answer)
    assert "We have it and are looking at it" in page
    assert "Something is damaged" in page
    (claim,) = await stocked.claims.list(order_id=visitor.order_id)
    assert (claim.who, claim.reason, claim.units) == ("customer", "<b>broken</b>", {"1": 1})
    late = await visitor.fill_in("claim", kind="late")
    assert late.status_code == 409
    assert "It came on the promised day" in late.text


async def test_a_refusal_is_told_by_its_reason(stocked: Shop) -> None:
    visitor = await visit(stocked, delivered=True)
    answer = await visitor.fill_in("return", units__1="9", why="other")
    assert answer.status_code == 409
    assert "That is more than has been delivered" in answer.text
    nonsense = await visitor.fill_in("return", units__1="1", why="nonsense")
    assert nonsense.status_code == 422


async def test_an_order_that_is_not_paid_says_how_to_pay(stocked: Shop) -> None:
    order = ordered(payment={"token": "tok_action_required"})
    await stocked.orders.place(order, policy=LASTING)
    visitor = Visitor(stocked, order.order_id)

    async def asks() -> bool:
        return "/pay" in (await visitor.get(await visitor.path())).text

    await stocked.until(asks, "the way to pay")
    page = (await visitor.get(await visitor.path())).text
    assert "We are waiting for your payment" in page
    assert "$35.00 is still to be paid" in page
    wrong = await visitor.fill_in("pay", kind="gift_card", code="no code")
    assert wrong.status_code == 422
