"""The customer's page over HTTP: what it shows, in which language, to whom, and what it refuses."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest

from domain.looks import Looks
from domain.orders.order import Order
from domain.sellers import Seller
from domain.stock.items import Item
from starter.service.service import Records, Service
from starter.web.customer import shown
from store import clock
from store.accounting import sellers
from store.database import Pool
from store.orders.page_links import order_token
from store.stock import items
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.unit.kernel.test_looks import PNG, data

BYTES_MAX = 60_000
CUSTOMER: dict[str, Any] = {"id": "C-1", "name": "Kim Minji", "email": "kim@example.com"}


class Reader(httpx.AsyncClient):
    """Somebody with a browser, and no key."""

    def __init__(self, pool: Pool) -> None:
        # The pages ask no workflow unless a form is sent.
        self.app = Api(cast("Service", Records(pool))).app
        # A fault is answered as a server does it, and fails no test by itself.
        told = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        super().__init__(transport=told, base_url="https://track.example")

    async def main(self, path: str, status: int = 200) -> str:
        """The text of a page, without tags."""
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        return text_of(answer.text)


def text_of(page: str) -> str:
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def ordered(locale: str = "en", **fields: Any) -> Order:
    customer = {**CUSTOMER, "locale": locale}
    return an_order(("TEA", 2, "10.00"), ("POT", 1, "30.00"), customer=customer, **fields)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 100)
    async with pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", name="Green <Tea> & more"), Item(sku="POT")])
        looks = Looks(colour="#0a5c36", logo=data(PNG), support_email="hi@tea.example")
        seller = Seller(name="Tea Ltd", time_zone="Asia/Seoul", looks=looks)
        await sellers.save(conn, [seller])
    return bench


@pytest.fixture
def reader(pool: Pool) -> Reader:
    return Reader(pool)


async def token_of(pool: Pool, order: Order) -> str:
    async with pool.acquire() as conn:
        token = await order_token(conn, order.order_id)
    assert token is not None
    return token


SAYS = {
    "en": ("On its way", "Your parcel", "Tracking number:", "What you can do", "We could not"),
    "de": ("Unterwegs", "Ihr Paket", "Sendungsnummer:", "Was Sie tun können", "We"),
    "ko": ("배송 중입니다", "고객님의 택배", "운송장 번호:", "하실 수 있는 일", "We"),
}


@pytest.mark.parametrize("language", SAYS)
async def test_a_parcel_on_its_way_is_told_in_the_customers_language(
    bench: Bench, reader: Reader, pool: Pool, language: str
) -> None:
    order = ordered(language)
    part = await bench.at(order, "shipped")
    await bench.scan(part, "in_transit")
    answer = await reader.get(f"/o/{await token_of(pool, order)}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    text = text_of(answer.text)
    *said, unsaid = SAYS[language]
    assert [one for one in said if one not in text] == []
    assert unsaid not in text
    assert "Green &lt;Tea&gt; &amp; more" in answer.text
    tracking = (await bench.parcel(part)).tracking_number
    assert tracking is not None
    assert tracking in text
    assert "1 Sejong-daero" in text
    assert {"en": "South Korea", "de": "Südkorea", "ko": "대한민국"}[language] in text
    assert {"en": "Shipping", "de": "Versand", "ko": "배송비"}[language] in text


async def test_each_page_is_small_and_loads_all_from_here(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered()
    await bench.at(order, "delivered")
    page = await reader.get(f"/o/{await token_of(pool, order)}")
    loaded = re.findall(r'(?:href|src)="\.\./(pages/[^"]+)"', page.text)
    assert len(set(loaded)) == 4  # two style sheets, the script, the logo
    sizes = [len(page.content)]
    for path in set(loaded):
        answer = await reader.get(f"/{path}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        sizes.append(len(answer.content))
    assert sum(sizes) < BYTES_MAX
    assert "--brand: #0a5c36" in (await reader.get(f"/{loaded[1]}")).text
    assert not re.search(r"<style|style=|<script>|onclick|https?://", page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in page.headers["content-security-policy"]
    for name, value in (
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ):
        assert page.headers[name] == value


async def test_an_order_of_500_lines_is_a_small_page(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = an_order(*(("TEA", 1, "1.00") for _ in range(500)), customer=CUSTOMER)
    await bench.take_in(order)
    page = await reader.get(f"/o/{await token_of(pool, order)}")
    assert len(page.content) < BYTES_MAX - 30_000


async def test_a_form_for_500_lines_is_small_over_the_wire(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = an_order(*(("TEA", 1, "1.00") for _ in range(500)), customer=CUSTOMER)
    await bench.take_in(order)
    path = f"/o/{await token_of(pool, order)}/cancel"
    form = await reader.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert form.text.count('name="units:') == 500
    assert form.num_bytes_downloaded < BYTES_MAX / 4
    assert form.headers["vary"] == "Accept-Encoding"
    plain = await reader.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert len(plain.text) == len(form.text)


async def test_a_link_that_is_changed_expired_or_erased_shows_nothing(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered()
    await bench.take_in(order)
    token = await token_of(pool, order)
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    assert "There is nothing here" in await reader.main(f"/o/{changed}", 404)
    assert await reader.main("/o/x", 404) == await reader.main(f"/o/{changed}", 404)
    german = await reader.get("/o/x", headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert "Diese Seite gibt es nicht" in german.text
    day = clock.now() + timedelta(days=200)
    with clock.reads(lambda: day):
        assert "This link has expired" in await reader.main(f"/o/{token}", 410)
    await pool.execute("update order_person set erased_at = now()")
    erased = await reader.main(f"/o/{token}", 410)
    assert "not shown any more" in erased
    assert "Kim" not in erased


async def test_the_look_up_shows_where_it_is_and_nothing_of_the_person(
    bench: Bench, reader: Reader
) -> None:
    order = ordered(channel_order_id="#1001")
    await bench.at(order, "shipped")
    sent = {"number": "1001", "said": "Kim@example.com"}
    found = await reader.post("/track", data=sent)
    assert found.status_code == 303
    token = found.headers["location"].removeprefix("o/")
    text = await reader.main(f"/o/{token}")
    assert "On its way" in text
    assert "so this page shows where it is and nothing more" in text
    for private in ("Sejong", "Kim", "$", "POT", "Green", "What you can do", "Documents"):
        assert private not in text, private
    for path in ("cancel", "documents/1", "labels/R1"):
        assert (await reader.get(f"/o/{token}/{path}")).status_code == 404


async def test_what_is_not_there_is_answered_alike(bench: Bench, reader: Reader) -> None:
    await bench.take_in(ordered(channel_order_id="1001"))
    wrong = await reader.post("/track", data={"number": "1001", "said": "other@example.com"})
    unknown = await reader.post("/track", data={"number": "1002", "said": "other@example.com"})
    assert (wrong.status_code, unknown.status_code) == (404, 404)
    assert wrong.text == unknown.text.replace("1002", "1001")
    assert "We have found no order" in wrong.text


async def test_nobody_goes_through_all_postal_codes(bench: Bench, reader: Reader) -> None:
    await bench.take_in(ordered(channel_order_id="1001"))
    answers = [
        (await reader.post("/track", data={"number": "1001", "said": f"{n:05}"})).status_code
        for n in range(12)
    ]
    assert answers == [404] * 10 + [429] * 2
    last = await reader.post("/track", data={"number": "1002", "said": "x"})
    assert last.headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("number=1&said=", "application/x-www-form-urlencoded", 422),
        ("number=%FF&said=x", "application/x-www-form-urlencoded", 422),
        ("number=%00&said=x", "application/x-www-form-urlencoded", 422),
        ('{"number": 1}', "application/json", 422),
        ("a=1&" * 3000, "application/x-www-form-urlencoded", 422),
        (f"number={'9' * 130}&said=x", "application/x-www-form-urlencoded", 422),
    ],
)
async def test_a_form_that_is_none_of_ours_is_refused(
    reader: Reader, content: str, kind: str, status: int
) -> None:
    answer = await reader.post("/track", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert "Please fill in what is missing" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_a_form_of_another_page_is_refused(
    bench: Bench, reader: Reader, pool: Pool, headers: dict[str, str]
) -> None:
    order = ordered()
    await bench.take_in(order)
    for path in ("/track", f"/o/{await token_of(pool, order)}/cancel"):
        answer = await reader.post(path, data={"number": "1"}, headers=headers)
        assert answer.status_code == 403
        assert "This did not come from our page" in answer.text


async def test_the_language_is_chosen_and_kept_by_every_link(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered("de-AT")
    await bench.at(order, "delivered")
    token = await token_of(pool, order)
    page = (await reader.get(f"/o/{token}")).text
    assert '<a href="?lang=ko" lang="ko" hreflang="ko">한국어</a>' in page
    assert '<a href="?lang=de" lang="de" hreflang="de" aria-current="true">Deutsch</a>' in page
    korean = await reader.get(f"/o/{token}?lang=ko&done=pay")
    assert '<html lang="ko">' in korean.text
    assert "set-cookie" not in korean.headers
    # What was just told is told in the other language, too.
    assert 'href="?done=pay&amp;lang=en"' in korean.text
    links = re.findall(
        r'(?:href|action|data-live|data-page)="\.\./((?:o|track)[^"]*)"', korean.text
    )
    assert len(links) >= 5
    assert [one for one in links if not one.endswith("?lang=ko")] == []
    form = (await reader.get(f"/o/{token}/return?lang=ko")).text
    assert f'action="../../o/{token}/return?lang=ko"' in form
    assert "어떤" in (await reader.get(f"/o/{token}/claim?lang=ko")).text
    for nonsense in ("fr", "", "<b>", "ko&lang=de"):
        assert '<html lang="de">' in (await reader.get(f"/o/{token}?lang={nonsense}")).text


async def test_a_chosen_language_goes_with_the_look_up(bench: Bench, reader: Reader) -> None:
    await bench.at(ordered(channel_order_id="1001"), "shipped")
    sent = {"number": "1001", "said": "kim@example.com"}
    found = await reader.post("/track?lang=de", data=sent)
    assert found.headers["location"].endswith("?lang=de")
    text = await reader.main(f"/{found.headers['location']}")
    assert "Unterwegs" in text


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "ko"}


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/", 404, "페이지를 찾을 수 없습니다"),
        ("GET", "/orders/%22%3E%3Cb%3E", 404, "페이지를 찾을 수 없습니다"),
        ("GET", "/o", 404, "페이지를 찾을 수 없습니다"),
        ("GET", "/o/x/y/z/..%2F..%2F", 404, "페이지를 찾을 수 없습니다"),
        ("GET", "/track/", 404, "페이지를 찾을 수 없습니다"),
        ("GET", "/pages/none.css", 404, "페이지를 찾을 수 없습니다"),
        ("PUT", "/track", 405, "이 방법으로는"),
        ("POST", "/o/x", 405, "이 방법으로는"),
        ("OPTIONS", "/track", 405, "이 방법으로는"),
    ],
)
async def test_a_browser_reads_a_page_where_there_is_none(
    reader: Reader, method: str, path: str, status: int, said: str
) -> None:
    answer = await reader.request(method, path, headers=BROWSER)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert "<b>" not in answer.text
    # Only who followed a link of a customer's page is told of mails.
    told = "메일" in answer.text.partition("<footer>")[0]
    assert told == (path.split("/")[1] in ("o", "track", "pages"))
    assert ("allow" in answer.headers) == (status == 405)
    # Its style sheet is found from wherever it is.
    found = re.search(r'href="([^"]*page\.[^"]*)"', answer.text)
    assert found is not None
    assert (await reader.get(str(answer.url.join(found[1])))).status_code == 200


async def test_a_program_still_reads_a_problem(reader: Reader) -> None:
    for path, accept in (("/nothing", "*/*"), ("/v1/nothing", "text/html")):
        answer = await reader.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_form_that_is_too_large_is_answered_by_a_page(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered("de")
    await bench.take_in(order)
    token = await token_of(pool, order)
    answer = await reader.post(
        f"/o/{token}/cancel?lang=de",
        content=b"comment=" + b"a" * 9 * 2**20,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    assert "Das war zu viel auf einmal" in answer.text
    assert f'href="../../o/{token}?lang=de"' in answer.text


async def test_a_fault_of_ours_is_told_without_a_word_of_it(
    bench: Bench, reader: Reader, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered()
    await bench.take_in(order)
    token = await token_of(pool, order)

    def fails(*_: Any) -> None:
        raise RuntimeError("Kim Minji's secret")

    monkeypatch.setattr(shown, "story", fails)
    answer = await reader.get(f"/o/{token}?lang=de", headers={"X-Request-Id": "req-17"})
    assert answer.status_code == 500
    assert "Bei uns ist etwas schiefgegangen" in answer.text
    assert "nennen Sie diese Nummer: req-17" in answer.text
    for told in ("Traceback", "RuntimeError", "Kim", "story"):
        assert told not in answer.text


async def test_head_is_answered_as_get_without_its_body(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered()
    await bench.take_in(order)
    answer = await reader.head(f"/o/{await token_of(pool, order)}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (await reader.head("/o/x")).status_code == 404


async def test_no_log_and_no_figure_has_a_token(
    bench: Bench, reader: Reader, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    order = ordered()
    await bench.take_in(order)
    token = await token_of(pool, order)
    with caplog.at_level(logging.DEBUG):
        await reader.get(f"/o/{token}")
        await reader.get(f"/o/{token}/version")
        await reader.get(f"/o/{token}/nonsense")
    told = [(one.getMessage(), str(one.__dict__)) for one in caplog.records if one.name != "httpx"]
    assert any("/o/{token}" in message for message, _ in told)
    assert not any(token in part for one in told for part in one)


@pytest.mark.parametrize(
    ("language", "says"),
    {"en": "as ordered:", "de": "bestellt:", "ko": "주문 당시:"}.items(),
)
async def test_what_is_cancelled_is_not_in_the_total(
    bench: Bench, reader: Reader, pool: Pool, language: str, says: str
) -> None:
    await bench.stocked("RARE", 1)
    order = an_order(
        ("RARE", 3, "10.00"), ("POT", 1, "30.00"), customer={**CUSTOMER, "locale": language}
    )
    assert (await bench.reserve(order)).missing == {"1": 2}
    page = (await reader.get(f"/o/{await token_of(pool, order)}")).text
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    total = {"en": "Total", "de": "Summe", "ko": "합계"}[language]
    for name, was, now in (("RARE", "30.00", "10.00"), (total, "65.00", "43.33")):
        row, worth = next(one for one in found if name in one[0])
        assert says in row
        assert was in row.partition(says)[2].replace(",", ".")
        assert now in worth.replace(",", ".")
    assert [says in row for row, _ in found if "POT" in row] == [False]


@pytest.mark.parametrize(
    ("waits", "says"), [(False, "Your order is on its way."), (True, "A part of your order is")]
)
async def test_the_first_sentence_says_that_something_is_on_its_way(
    bench: Bench, reader: Reader, pool: Pool, waits: bool, says: str
) -> None:
    await bench.backorderable("LATE")
    order = an_order(("TEA", 1, "10.00"), *([("LATE", 1, "5.00")] if waits else []))
    await bench.at(order, "shipped")
    assert says in await reader.main(f"/o/{await token_of(pool, order)}?lang=en")


async def test_the_version_changes_with_what_is_shown(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered()
    part = await bench.at(order, "labelled")
    token = await token_of(pool, order)
    first = (await reader.get(f"/o/{token}/version")).text
    assert (await reader.get(f"/o/{token}/version")).text == first
    assert f'data-version="{first}"' in (await reader.get(f"/o/{token}")).text
    await bench.warehouse.hand_over(part, who="packer")
    assert (await reader.get(f"/o/{token}/version")).text != first


async def test_what_was_sent_to_the_customer_is_listed_and_nothing_else_of_it(
    bench: Bench, reader: Reader, pool: Pool
) -> None:
    order = ordered("ko")
    await bench.at(order, "shipped")
    token = await token_of(pool, order)
    before = (await reader.get(f"/o/{token}/version")).text
    assert "보내 드린 메시지" not in await reader.main(f"/o/{token}")
    await pool.execute(
        """insert into message (order_no, event_id, kind, state, sent_at, why)
           select order_no, event_id, kind, state, case when state = 'sent' then moment() end, why
           from (values ('received', 'received', 'sent', null),
                        ('shipped', 'shipped', 'sent', null),
                        ('confirmed', 'confirmed', 'refused', 'kim@example.com is unknown'))
               as told (what, kind, state, why)
           join lateral (select order_no, event_id from order_event e
                         where e.what like told.what || '%' order by event_id limit 1) e on true"""
    )
    text = await reader.main(f"/o/{token}")
    told = text.partition("보내 드린 메시지")[2].partition("진행 내역")[0]
    assert told.index("발송 안내") < told.index("주문 접수 안내")
    assert "주문 확정 안내" not in told
    assert "kim@example.com" not in text
    assert "What we have written to you" in await reader.main(f"/o/{token}?lang=en")
    # Whoever looked the order up by its number does not see it.
    found = await reader.post(
        "/track", data={"number": order.channel_order_id, "said": "kim@example.com"}
    )
    assert "메시지" not in await reader.main(f"/{found.headers['location']}")
    assert (await reader.get(f"/o/{token}/version")).text != before


async def test_documents_are_read_by_their_place(bench: Bench, reader: Reader, pool: Pool) -> None:
    order = ordered()
    await bench.at(order, "delivered")
    token = await token_of(pool, order)
    assert "Invoice INV-" in await reader.main(f"/o/{token}")
    file = await reader.get(f"/o/{token}/documents/1")
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert file.content.startswith(b"%PDF")
    for number in ("0", "2", "-1", "x", "1" * 5000):
        assert (await reader.get(f"/o/{token}/documents/{number}")).status_code == 404
