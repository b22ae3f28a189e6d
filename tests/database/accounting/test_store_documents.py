"""Invoices and credit notes in the database: numbers without holes, and nothing that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from domain.accounting.documents import Kind, Reference
from domain.errors import Conflict, NotFound, Refused
from domain.orders.amounts import Worth, value_lines, worth_of
from domain.orders.order import Order
from domain.sellers import Seller
from domain.stock.items import Item
from runtime.papers.pdf import render
from store.accounting import documents, sellers
from store.database import Connection, Pool, open_pool
from store.locks import lock_order
from store.orders import intake
from store.orders.intake import Received
from store.stock import items
from store.views import audit
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.printed import pages

SELLER = Seller(name="Tea & Sons GmbH", city="Köln", country="DE", tax_numbers=("DE123456789",))
ONE_UNIT = Worth(goods=1000, shipping=50)


async def place(conn: Connection, *placed: Order) -> None:
    await intake.take_in(conn, [Received(order) for order in placed])


async def issue(
    conn: Connection,
    order: Order,
    number: int,
    *,
    kind: Kind = "invoice",
    lines: dict[str, int] | None = None,
    worth: Worth = ONE_UNIT,
    reason: str = "",
) -> str:
    """As an activity does: under the order's lock, the document last."""
    part = f"{order.order_id}:{number}" if kind == "invoice" else f"{order.order_id}:R{number}"
    async with conn.transaction():
        await lock_order(conn, order.order_id)
        return await documents.issue(
            conn,
            kind=kind,
            order_id=order.order_id,
            part_id=part,
            lines={"1": 1} if lines is None else lines,
            worth=worth,
            reason=reason,
        )


def numbers(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{datetime.now(UTC).year}-{number:06}" for number in range(1, count + 1)]


async def complaints(conn: Connection) -> list[str]:
    """What the audit says of documents."""
    found = await audit.look(conn)
    return [f"{v.subject}: {v.message}" for v in found.violations if v.rule == "documents"]


@pytest.fixture
async def order(pool: Pool) -> Order:
    """Ten units of 10.00 each, with 5.00 of shipping."""
    order = an_order(("TEA", 10, "10.00"))
    async with pool.acquire() as conn:
        await place(conn, order)
    return order


class _RolledBackError(Exception):
    """Something went wrong after the document was issued."""


async def test_200_documents_at_once_some_rolled_back_are_numbered_without_a_hole(
    database_url: str,
) -> None:
    placed = [an_order(("TEA", 10, "10.00")) for _ in range(25)]
    chance = Random(5)
    kinds: Sequence[Kind] = ("invoice", "credit_note")
    work = [(order, n, kind) for order in placed for n in range(1, 9) for kind in kinds]
    work += work[:40]  # some of them twice
    chance.shuffle(work)
    pools = [await open_pool(database_url, size_max=4) for _ in range(3)]
    async with pools[0].acquire() as conn:
        await place(conn, *placed)
    rolled_back = 0
    issued: dict[tuple[str, int, Kind], set[str]] = {}

    async def one(order: Order, number: int, kind: Kind) -> None:
        nonlocal rolled_back
        while True:
            try:
                async with chance.choice(pools).acquire() as conn, conn.transaction():
                    name = await issue(conn, order, number, kind=kind)
                    if chance.random() < 0.3:
                        raise _RolledBackError
            except _RolledBackError:
                rolled_back += 1
                continue
            issued.setdefault((order.order_id, number, kind), set()).add(name)
            return

    try:
        await asyncio.gather(*(one(*item) for item in work))
        async with pools[0].acquire() as conn:
            assert await complaints(conn) == []
            listed = await documents.newest(conn, 1000)
    finally:
        for pool in pools:
            pool.terminate()
    assert rolled_back > 50
    assert all(len(names) == 1 for names in issued.values())
    expected = numbers("CRN", 200) + numbers("INV", 200)
    assert sorted(name for (name,) in issued.values()) == expected
    assert sorted(row.number for row in listed) == expected


async def test_a_number_that_was_rolled_back_is_the_next_ones(pool: Pool, order: Order) -> None:
    async with pool.acquire() as conn:
        assert [await issue(conn, order, 1)] == numbers("INV", 1)

        async def fails() -> None:
            async with conn.transaction():
                assert await issue(conn, order, 2) == numbers("INV", 2)[1]
                raise _RolledBackError

        with pytest.raises(_RolledBackError):
            await fails()
        assert await issue(conn, order, 3) == numbers("INV", 2)[1]
        with pytest.raises(NotFound, match="orderloom invoices"):
            await documents.get(conn, numbers("INV", 3)[2])


async def test_a_part_has_one_document_however_often_it_is_asked_for(
    pool: Pool, order: Order
) -> None:
    async def once() -> str:
        async with pool.acquire() as conn:
            return await issue(conn, order, 1)

    assert set(await asyncio.gather(*(once() for _ in range(8)))) == set(numbers("INV", 1))
    async with pool.acquire() as conn:
        with pytest.raises(Conflict, match="has INV-"):
            await issue(conn, order, 1, worth=Worth(goods=999))
        assert [await issue(conn, order, 1, kind="credit_note")] == numbers("CRN", 1)
        assert len(await documents.of_order(conn, order.order_id)) == 2


async def test_what_is_refused_takes_no_number(pool: Pool, order: Order) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(Refused, match="11 units of line 1"):
            await issue(conn, order, 1, lines={"1": 11})
        with pytest.raises(NotFound, match="no order web-none"):
            await documents.issue(
                conn,
                kind="invoice",
                order_id="web-none",
                part_id="web-none:1",
                lines={},
                worth=ONE_UNIT,
            )
        assert [await issue(conn, order, 1)] == numbers("INV", 1)


@pytest.mark.parametrize(
    "statement",
    [
        "update document set content = '{}'",
        "update document set part_id = 'another'",
        "delete from document",
    ],
)
async def test_an_issued_document_never_changes(pool: Pool, order: Order, statement: str) -> None:
    async with pool.acquire() as conn:
        await issue(conn, order, 1)
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await conn.execute(statement)


async def test_the_database_takes_no_number_without_the_one_before_it(
    pool: Pool, order: Order
) -> None:
    async with pool.acquire() as conn:
        await issue(conn, order, 1)
        with pytest.raises(
            asyncpg.ForeignKeyViolationError, match="document_follows_the_one_before_it"
        ):
            await conn.execute("""
                insert into document (number, seller, kind, series, year, running, previous,
                                      order_no, part_id, currency, goods_minor, tax_minor,
                                      shipping_minor, shipping_tax_minor, content, issued_on)
                select 'INV-3', seller, kind, series, year, running + 2, running + 1, order_no, 'p',
                       currency, 0, 0, 0, 0, '{}', issued_on
                from document
            """)


async def test_a_series_has_more_numbers_than_its_zeros(pool: Pool, order: Order) -> None:
    async with pool.acquire() as conn:
        await issue(conn, order, 1)
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update document set running = 999999, number = number || '-old'")
        await conn.execute("update document_counter set last_number = 999999")
        await conn.execute("set session_replication_role = origin")
        year = datetime.now(UTC).year
        assert await issue(conn, order, 2) == f"INV-{year}-1000000"
        listed = await documents.of_order(conn, order.order_id)
        assert [row.number for row in listed] == [f"INV-{year}-000001-old", f"INV-{year}-1000000"]


async def test_no_document_is_dated_before_the_one_that_it_follows(
    pool: Pool, order: Order
) -> None:
    # The seller moves over the date line, and back: the two calendars always differ by a day.
    east, west = "Pacific/Kiritimati", "Etc/GMT+12"
    names = []
    async with pool.acquire() as conn:
        for number, zone in enumerate((west, east, west), start=1):
            await sellers.save(conn, [SELLER.model_copy(update={"time_zone": zone})])
            names.append(await issue(conn, order, number))
        first, second, third = [(await documents.get(conn, name)).issued_on for name in names]
        if first.year == second.year:
            assert first < second == third
        assert await complaints(conn) == []


async def test_a_document_keeps_what_was_true_when_it_was_issued(pool: Pool) -> None:
    order = an_order(("TEA", 2, "10.00"), ("CUP", 1, "7.01"), discount="1.00")
    worth = worth_of(value_lines(order), {"1": 2, "2": 1})
    async with pool.acquire() as conn:
        await sellers.save(conn, [SELLER])
        await place(conn, order)
        await items.save(conn, [Item(sku="TEA", name="Assam, 250 g")])
        number = await issue(conn, order, 1, lines={"1": 2, "2": 1}, worth=worth)
        issued = await documents.get(conn, number)
        printed = render(issued)
        await items.save(conn, [Item(sku="TEA", name="Something else")])
        await sellers.save(conn, [SELLER.model_copy(update={"name": "Somebody else"})])
        await conn.execute("update customer_order set document = document - 'customer'")
        assert render(await documents.get(conn, number)) == printed
    assert [line.description for line in issued.lines] == ["Assam, 250 g", "CUP"]
    assert (issued.total_minor, issued.language) == (order.total_minor, "ko")
    assert issued.seller.name == SELLER.name
    assert "Assam, 250 g" in pages(printed)[0]


async def test_a_parcel_is_supplied_on_the_day_of_its_hand_over(pool: Pool, order: Order) -> None:
    async with pool.acquire() as conn:
        await conn.execute("insert into location (location) values ('main')")
        await conn.execute(
            "insert into fulfilment values (order_no_of($2), $1, 'main', 'shipped', null)",
            f"{order.order_id}:1",
            order.order_id,
        )
        await conn.execute(
            """insert into shipment (fulfilment_id, order_no, label_key, label, service, sold_by,
                                   handed_over_at)
            values ($1, order_no_of($2), $1 || ':label', 'requested', 'standard',
                    'sandbox', '2026-11-20T20:00:00Z')""",
            f"{order.order_id}:1",
            order.order_id,
        )
        await sellers.save(conn, [SELLER.model_copy(update={"time_zone": "Asia/Seoul"})])
        sent = await documents.get(conn, await issue(conn, order, 1))
        unsent = await documents.get(conn, await issue(conn, order, 2))
    assert sent.supplied_on == date(2026, 11, 21)
    assert unsent.supplied_on == unsent.issued_on


async def test_a_credit_note_names_the_invoices_of_what_it_credits(pool: Pool) -> None:
    order = an_order(("TEA", 2, "10.00"), ("CUP", 1, "7.01"))
    async with pool.acquire() as conn:
        await place(conn, order)
        tea = await issue(conn, order, 1, lines={"1": 2}, worth=Worth(goods=2000))
        cup = await issue(conn, order, 2, lines={"2": 1}, worth=Worth(goods=701))
        back = await issue(conn, order, 1, kind="credit_note", lines={"2": 1}, reason="broken")
        kind = await issue(conn, order, 2, kind="credit_note", lines={}, reason="sorry")
        returned, goodwill = await documents.get(conn, back), await documents.get(conn, kind)
    assert returned.invoices == (Reference(number=cup, issued_on=returned.issued_on),)
    assert [one.number for one in goodwill.invoices] == [tea, cup]
    assert (returned.reason, returned.supplied_on) == ("broken", None)
    assert goodwill.allowance_minor == ONE_UNIT.goods


# By the command line ------------------------------------------------------------------------------


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Cli:
    """Commands that need nothing but the database."""
    home = {"HOME": str(tmp_path), "ORDERLOOM_HOME": str(tmp_path / "none")}
    return Cli({**home, "DATABASE_URL": database_url})


async def test_documents_are_listed_shown_and_printed(
    cli: Cli, pool: Pool, order: Order, tmp_path: Path
) -> None:
    assert (await cli.done("invoices")).out == "no documents\n"
    async with pool.acquire() as conn:
        invoice = await issue(conn, order, 1)
        credit = await issue(conn, order, 1, kind="credit_note", reason="too green")
        issued = await documents.get(conn, invoice)
    file = tmp_path / "invoice.pdf"
    listed, of_order, table, shown, page, written, both = await cli.many(
        ("invoices", "--json"),
        ("invoices", order.order_id, "--json"),
        ("invoices", order.order_id),
        ("invoice", invoice, "--json"),
        ("invoice", credit),
        ("invoice", invoice, "--pdf", str(file)),
        ("invoice", invoice, "--pdf", str(file), "--json"),
    )
    first = {
        "number": invoice,
        "kind": "invoice",
        "order_id": order.order_id,
        "seller": "main",
        "part_id": f"{order.order_id}:1",
        "currency": "USD",
        "total": "10.50",
        "issued_on": issued.issued_on.isoformat(),
    }
    told = of_order.json["documents"][0]
    assert told.pop("issued_at") is not None
    assert told == first
    numbers = [[one["number"] for one in x.json["documents"]] for x in (listed, of_order)]
    assert numbers[0] == numbers[1][::-1]
    assert "credit note" in table.out
    assert "10.50 USD" in table.out
    assert shown.json["lines"] == [
        {
            "line_id": "1",
            "sku": "TEA",
            "description": "TEA",
            "quantity": 1,
            "unit_price": "10.00",
            "discount": "0.00",
            "tax_rate": None,
            "tax_category": None,
            "net": "10.00",
            "tax": "0.00",
            "total": "10.00",
        }
    ]
    assert (shown.json["shipping"], shown.json["total"]) == ("0.50", "10.50")
    assert f"about {invoice}" in page.out
    assert "reason: too green" in page.out
    assert written.out == f"{invoice} written to {file}\n"
    assert both.json == shown.json
    assert file.read_bytes() == render(issued)


async def test_the_fields_of_the_json_are_those_that_the_page_about_documents_names(
    pool: Pool, order: Order, cli: Cli
) -> None:
    async with pool.acquire() as conn:
        await issue(conn, order, 1)
        number = await issue(conn, order, 1, kind="credit_note")
    told = (await cli.done("invoice", number, "--json")).json
    page = (Path(__file__).parents[3] / "docs/documents.md").read_text(encoding="utf-8")

    def fields(content: Any) -> set[str]:
        if isinstance(content, list):
            return set().union(*map(fields, content))
        if not isinstance(content, dict):
            return set()
        return set(content).union(*map(fields, content.values()))

    assert [name for name in sorted(fields(told)) if f"`{name}`" not in page] == []


async def test_bad_requests_end_with_a_sentence(cli: Cli, pool: Pool, order: Order) -> None:
    async with pool.acquire() as conn:
        number = await issue(conn, order, 1)
    unknown, unknown_order, as_json, nowhere = await cli.many(
        ("invoice", "INV-1999-000001"),
        ("invoices", "web-none"),
        ("invoice", "INV-1999-000001", "--json"),
        ("invoice", number, "--pdf", "/nowhere/at/all.pdf"),
    )
    assert unknown.code == 1
    assert unknown.err == (
        "orderloom: there is no document INV-1999-000001; "
        "`orderloom invoices` lists what has been issued\n"
    )
    assert (unknown_order.code, as_json.error["error"]) == (1, "not_found")
    assert "no order web-none" in unknown_order.err
    assert nowhere.code == 2
    assert nowhere.err.startswith("orderloom: /nowhere/at/all.pdf: cannot be written (")
