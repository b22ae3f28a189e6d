"""Persons are erased whatever comes between, and with many orders as fast as with few."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.customers.retention import Persons
from activities.orders.order_records import CloseOrder, Late
from activities.payments.contracts import Refund
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.providers.store_credit import StoreCredit
from domain.errors import Refused
from domain.orders.order import Order
from starter.service.customers import Customers
from store.customers import people
from store.database import Pool
from tests.support.bench import Bench, until_one_waits
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, SAID, left_of_it, planted

ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}


async def over(bench: Bench, **about: Any) -> Order:
    """An order of the planted person that was delivered, paid, and is closed."""
    await bench.stocked("TEA", 3)
    order = an_order(("TEA", 2), **{**planted(), **about})
    part = await bench.at(order, "delivered")
    await bench.charged(part)
    await close(bench, order)
    return order


async def close(bench: Bench, order: Order) -> None:
    await bench.records.close_order(
        CloseOrder(order_id=order.order_id, decision="closed", reason="all of it arrived")
    )


async def erased_at(pool: Pool, order: Order) -> datetime | None:
    at: datetime | None = await pool.fetchval(
        "select erased_at from order_person where order_no = order_no_of($1)",
        order.order_id,
    )
    return at


async def test_what_a_warehouse_typed_is_erased(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 3)
    order = an_order(("TEA", 2), **planted())
    part = await bench.at(order, "confirmed")
    await bench.warehouse.refuse(part, SAID[0], who="picker")
    await close(bench, order)
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    assert await left_of_it(pool) == {}


async def test_what_a_carrier_says_of_an_erased_order_is_erased_too(pool: Pool) -> None:
    bench = Bench(pool)
    order = await over(bench)
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    parcel = await bench.parcel(f"{order.order_id}:1")
    assert parcel.carrier is not None
    assert parcel.tracking_number is not None
    await bench.carriers.event(
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        event_id="late",
        status="in_transit",
        happened_at=datetime.now(UTC),
        detail=SAID[1],
    )
    assert (await left_of_it(pool)).keys() == {"carrier_event"}
    await Persons(pool, documents_years=-1).forget()
    assert await left_of_it(pool) == {}


async def test_what_comes_while_an_order_is_erased_is_not_forgotten(pool: Pool) -> None:
    bench = Bench(pool)
    order = await over(bench)
    number = await pool.fetchval("select order_no from customer_order")
    async with pool.acquire() as conn:
        async with conn.transaction():
            assert await people.erase(conn, number, years=10, who="dpo", why="")
            late = Late(order_id=order.order_id, opening="late")
            reopening = asyncio.create_task(bench.records.reopen_order(late))
            await until_one_waits(pool)
        await reopening
    assert await erased_at(pool, order) is None, "it is erased again when that is over"


async def test_the_books_say_the_same_but_for_what_somebody_typed(pool: Pool) -> None:
    bench = Bench(pool)
    order = await over(bench)
    await bench.refunded(order, amount="1.00")

    async def memos() -> list[str]:
        rows = await pool.fetch("select memo from journal_entry order by entry_id")
        return [row["memo"] for row in rows]

    before = await memos()
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    typed = "scratched"
    assert typed in before
    assert await memos() == ["refund granted" if memo == typed else memo for memo in before]


async def test_why_a_person_was_erased_is_told_for_ever(pool: Pool) -> None:
    bench = Bench(pool)
    order = await over(bench)
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    late = Late(order_id=order.order_id, opening="late")
    await bench.records.reopen_order(late)
    await bench.records.close_again(late)
    await Persons(pool).forget()
    rows = await pool.fetch("select who, why from order_event where what = 'person erased'")
    assert [tuple(row) for row in rows] == [
        ("dpo", "asked for by letter"),
        ("orderloom", "asked for"),
    ]


async def test_credit_stays_known_while_an_order_of_its_customer_is(pool: Pool) -> None:
    bench = Bench(pool)
    await over(bench)
    other = {**CUSTOMER, "email": "other@zwirbelhuber.example"}
    await bench.take_in(an_order(("TEA", 1), **{**planted(), "customer": other}))
    async with pool.acquire() as conn:
        await conn.execute(
            "insert into credit_account (customer_id, currency, seller) values ($1, 'USD', 'main')",
            CUSTOMER["id"],
        )
    await Customers(pool).erase(CUSTOMER["email"], **ASKED)
    assert await pool.fetchval("select customer_id from credit_account") == CUSTOMER["id"]


async def test_what_is_owed_of_an_erased_order_never_becomes_store_credit(pool: Pool) -> None:
    bench = Bench(pool)
    order = await over(bench)
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    late = Late(order_id=order.order_id, opening="late")
    await bench.records.reopen_order(late)
    granted = (await bench.grant(order, amount="1.00")).granted
    assert granted is not None
    ask = Refund(refund_id=granted.refund_id, to="store_credit")
    companies: dict[str, PaymentProvider] = {
        "sandbox": bench.payment,
        "store_credit": StoreCredit(pool),
    }
    with pytest.raises(Refused, match="is erased, so store credit would be nobody's"):
        await Payments(pool, companies).refund_payment(ask)
    assert await pool.fetchval("select count(*) from credit_account") == 0


MANY = 20_000


async def test_one_of_many_orders_is_erased_without_a_look_at_the_others(pool: Pool) -> None:
    bench = Bench(pool)
    await over(bench)
    number = await pool.fetchval("select order_no from customer_order")
    await pool.execute(
        """insert into movement (effect, sku, location, kind, on_hand_change, allocated_change,
                                 order_no, who, why)
           select 'reserve:' || n, 'TEA', 'main', 'allocated', 0, 1, 1000 + n, 'orderloom', 'sold'
           from generate_series(1, $1::bigint) n""",
        MANY,
    )
    await pool.execute("analyze")
    async with pool.acquire() as conn, conn.transaction():
        assert await people.erase(conn, number, years=10, who="dpo", why="")
        read = await conn.fetch(
            "select relname, seq_tup_read from pg_stat_xact_user_tables where seq_tup_read > $1",
            MANY // 2,
        )
    assert [tuple(row) for row in read] == []


async def test_documents_that_are_kept_are_not_looked_at_again_and_again(pool: Pool) -> None:
    bench = Bench(pool)
    await over(bench)
    await pool.execute(
        """insert into document (number, seller, kind, series, year, running, previous, order_no,
                                 part_id, currency, goods_minor, tax_minor, shipping_minor,
                                 shipping_tax_minor, content, issued_on, kept_until)
           select 'X-' || n, seller, kind, 'X', 0, n, nullif(n - 1, 0), order_no, 'x' || n,
                  currency, goods_minor, tax_minor, shipping_minor, shipping_tax_minor,
                  content, issued_on, $2
           from document, generate_series(1, $1::integer) n""",
        MANY,
        datetime.now(UTC).date() + timedelta(days=400),
    )
    await pool.execute("analyze")
    async with pool.acquire() as conn:
        # What this connection has looked at until now is counted for the next one, otherwise.
        await conn.execute("select pg_stat_force_next_flush()")
        async with conn.transaction():
            assert await people.erase_documents(conn, 100) == 0
            looked_at = await conn.fetchval(
                """select coalesce(idx_tup_fetch, 0) + seq_tup_read from pg_stat_xact_user_tables
                   where relname = 'document'"""
            )
    assert looked_at < 100
