"""Paying on the customer's page: at a payment company's own page, and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from activities.providers.sandbox.pay_pages import SandboxPages
from domain.errors import Refused
from domain.money import Money
from domain.payments.pay_pages import WantedPage
from starter.service.pay_pages import CompanyPages
from starter.stack.pay_company import PayCompany
from tests.support.api import Api
from tests.support.browser import listening
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

TRACK = "https://track.example"
CUSTOMER = {"id": "C-1", "name": "Kim Minji", "locale": "de", "email": "kim@example.com"}


@pytest.fixture
async def companies() -> AsyncIterator[CompanyPages]:
    async with listening(PayCompany().app) as address:
        pages = CompanyPages({"sandbox": SandboxPages(address)}, TRACK)
        yield pages
        await pages.aclose()


class Payer(httpx.AsyncClient):
    """A customer whose order waits for its payment."""

    def __init__(self, shop: Shop, order_id: str, companies: CompanyPages) -> None:
        self.shop = shop
        self.order_id = order_id
        app = Api(shop, pay_pages=companies).app
        super().__init__(transport=httpx.ASGITransport(app), base_url=TRACK)

    async def path(self, rest: str = "") -> str:
        link = await self.shop.tracking.link(self.order_id, "")
        assert link is not None
        return link + rest

    async def way(self) -> str:
        """Where the form's link leads: to a page of the company."""
        form = await self.get(await self.path("/pay"))
        found = re.search(r'<a class="button" href="([^"]+)"', form.text)
        assert found is not None, form.text
        answer = await self.get(str(form.url.join(found[1].replace("&amp;", "&"))))
        assert (answer.status_code, answer.headers["referrer-policy"]) == (303, "no-referrer")
        return answer.headers["location"]

    async def choose(self, way: str, card: str) -> str:
        """Choose a card on the company's page. Where the customer comes back to."""
        async with httpx.AsyncClient() as company:
            shown = await company.get(way)
            assert "Pay 35.00 USD" in shown.text
            answer = await company.post(way, content=f"card={card}")
        assert answer.status_code == 303
        return answer.headers["location"]


async def unpaid(shop: Shop, companies: CompanyPages) -> Payer:
    await shop.stocked("TEA", 100)
    order = an_order(
        ("TEA", 3, "10.00"), customer=CUSTOMER, payment={"token": "tok_action_required"}
    )
    await shop.orders.place(order, policy=a_policy())
    payer = Payer(shop, order.order_id, companies)

    async def asks() -> bool:
        return "/pay" in (await payer.get(await payer.path())).text

    await shop.until(asks, "the way to pay")
    return payer


async def test_a_customer_pays_at_the_company_and_comes_back(
    shop: Shop, companies: CompanyPages
) -> None:
    payer = await unpaid(shop, companies)
    form = (await payer.get(await payer.path("/pay"))).text
    assert "Bei Sandbox bezahlen" in form
    assert "Ihre Kartennummer sehen wir nie" in form
    way = await payer.way()
    declined = await payer.get(await payer.choose(way, "declined"))
    assert declined.status_code == 409
    assert "Die Zahlung wurde abgelehnt" in declined.text
    assert "Bei Sandbox bezahlen" in declined.text
    # Another try is another page. Who leaves it without paying comes back to the form.
    again = await payer.way()
    assert again != way
    async with httpx.AsyncClient() as company:
        unfinished = re.search(r'href="([^"]+)">Go back', (await company.get(again)).text)
    assert unfinished is not None
    assert "Bei Sandbox bezahlen" in (await payer.get(unfinished[1])).text
    back = await payer.choose(again, "works")
    told = await payer.get(back, follow_redirects=True)
    assert "Ihre Zahlung ist angekommen" in told.text
    assert "Wir warten auf Ihre Zahlung" not in told.text
    # A reload, or the company's page once more, pays nothing again.
    for _ in range(2):
        assert (await payer.get(back)).status_code == 303
    payments = (await shop.orders.get(payer.order_id)).payments
    assert [one.state for one in payments if one.kind == "authorize"].count("succeeded") == 1
    late = await payer.get(await payer.path("/pay/sandbox"))
    assert (late.status_code, "Zurzeit ist nichts zu bezahlen" in late.text) == (409, True)


async def test_what_was_paid_for_another_order_pays_nothing_here(
    shop: Shop, companies: CompanyPages
) -> None:
    mine, other = await unpaid(shop, companies), await unpaid(shop, companies)
    back = await other.choose(await other.way(), "works")
    reference = back.rpartition("page=")[2]
    stolen = await mine.get(await mine.path(f"/pay/sandbox/back?page={reference}"))
    assert stolen.status_code == 404
    for made_up in ("page_0123456789", "x", "", "..%2F..%2Fpages", "a" * 300):
        answer = await mine.get(await mine.path(f"/pay/sandbox/back?page={made_up}"))
        assert answer.status_code == 404, made_up
    assert (await mine.get(await mine.path("/pay/stripe"))).status_code == 404
    detail = await shop.orders.get(mine.order_id)
    assert detail.summary.state == "held"


async def test_the_same_form_leads_to_the_same_page_and_says_so_when_the_company_is_away(
    shop: Shop, companies: CompanyPages
) -> None:
    payer = await unpaid(shop, companies)
    key = f"page-{'0' * 32}"
    ways = [await payer.get(await payer.path(f"/pay/sandbox?key={key}")) for _ in range(2)]
    assert ways[0].headers["location"] == ways[1].headers["location"]
    away = CompanyPages({"sandbox": SandboxPages("http://127.0.0.1:9")}, TRACK)
    lost = Payer(shop, payer.order_id, away)
    for rest in ("/pay/sandbox", "/pay/sandbox/back?page=page_0123456789"):
        answer = await lost.get(await lost.path(rest))
        assert answer.status_code == 503
        assert "Das geht im Moment nicht" in answer.text
    await away.aclose()


class Careless:
    """A company whose page is on another way than it should be."""

    name = "Careless"

    def __init__(self, address: str) -> None:
        self._address = address

    async def make(self, wanted: WantedPage) -> str:
        return self._address

    async def token(self, reference: str, order_id: str) -> str | None:
        return None

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "address", ["http://pay.example/1", "javascript:alert(1)", "//pay.example", "/o/x"]
)
async def test_nobody_is_sent_to_an_address_that_is_not_safe(address: str) -> None:
    wanted = WantedPage(
        key="page-1",
        order_id="web-1",
        amount=Money(minor=1, currency="EUR"),
        language="en",
        says="",
        back="https://track.example/{reference}",
        unpaid="https://track.example/",
    )
    with pytest.raises(Refused):
        await CompanyPages({"x": Careless(address)}, TRACK).make("x", wanted)


def test_only_companies_that_the_channel_takes_are_shown() -> None:
    careless: Any = {name: Careless("") for name in ("a", "b")}
    companies = CompanyPages(careless, TRACK)
    assert [*companies.fitting(None, "")] == ["a", "b"]
    assert [*companies.fitting(None, "b")] == ["b"]
    assert [*companies.fitting(["a", "c"], "b")] == ["a"]
    assert [*companies.fitting(["gift_card"], "b")] == []
    assert CompanyPages(careless).fitting(None, "") == {}
