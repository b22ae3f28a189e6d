"""Lists of customers of a kind, compared with a plain look at every order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, get_args

import pytest

from domain.errors import NotFound, Refused
from starter.service.customer_care import CustomerCare
from starter.service.customers import Customers
from store.customers import finding
from store.customers.finding import CustomerKind
from store.database import Connection, Pool
from tests.support.bench import Bench
from tests.support.builders import an_order

WHY: Any = {"who": "ann", "why": "one person"}
ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}
OPEN = ("received", "held", "confirmed", "in_fulfilment")

ORDERS = """
select customer_of(o.order_no) as customer_no, o.channel, o.decision, o.state,
       p.person #>> '{customer,company}' as company,
       coalesce(m.charged > m.captured, false) as owing,
       coalesce(m.refund_granted > m.refunded, false) as owed_back
from customer_order o join order_person p using (order_no) left join order_money m using (order_no)
where customer_of(o.order_no) is not null
"""
MONEY = """
insert into order_money (order_no, currency, charged, authorized, capture_granted, captured,
                         refund_granted)
select order_no, 'USD', 10, 10, 10, $2, $3 from customer_order where order_no = $1
on conflict (order_no) do update
set charged = 10, authorized = 10, capture_granted = 10, captured = $2, refund_granted = $3
"""


async def expected_of(
    conn: Connection, kind: CustomerKind | None, channels: Sequence[str] | None
) -> list[int]:
    """The same, of all orders one by one."""
    seen = defaultdict(list)
    for row in await conn.fetch(ORDERS):
        if channels is None or row["channel"] in channels:
            seen[row["customer_no"]].append(row)
    its: dict[CustomerKind | None, Callable[[list[Any]], bool]] = {
        None: lambda _: True,
        "open": lambda rows: any(row["state"] in OPEN for row in rows),
        "again": lambda rows: (
            sum(row["decision"] not in ("rejected", "cancelled") for row in rows) > 1
        ),
        "business": lambda rows: any(row["company"] for row in rows),
        "private": lambda rows: not any(row["company"] for row in rows),
        "owing": lambda rows: any(row["owing"] for row in rows),
        "owed_back": lambda rows: any(row["owed_back"] for row in rows),
    }
    return sorted((number for number, rows in seen.items() if its[kind](rows)), reverse=True)


async def paged(conn: Connection, random: Random, **asked: Any) -> list[int]:
    """All pages of a list, one behind the other."""
    after, numbers = None, []
    at_most, looks_at = random.choice(((1, 1), (2, 3), (3, 50), (50, 4), (50, 50)))
    while True:
        page = await finding.listed(conn, after=after, at_most=at_most, looks_at=looks_at, **asked)
        numbers += [one.customer_no for one in page.customers]
        if len(page.customers) == at_most:
            assert page.looked_until is None
            after = numbers[-1]
        elif page.looked_until:
            after = page.looked_until[0]
        else:
            return numbers


async def something_happens(pool: Pool, random: Random) -> None:
    cares = CustomerCare(pool)
    number, other = (f"C{random.randint(1, 14)}" for _ in range(2))
    order_no = random.randint(1, 40)
    match random.randint(0, 6):
        case 0:
            await cares.merge(number, other, **WHY)
        case 1:
            await cares.unmerge(number, **WHY)
        case 2 if random.random() < 0.4:
            await Customers(pool).erase(number, **ASKED)
        case 3 | 4:
            captured = random.choice((4, 10))
            await pool.execute(MONEY, order_no, captured, random.choice((0, captured)))
        case _:
            decision = random.choice(("cancelled", "rejected", "closed", "confirmed"))
            await pool.execute(
                "update customer_order set decision = $2 where order_no = $1", order_no, decision
            )


@pytest.mark.parametrize("seed", range(4))
async def test_a_list_of_a_kind_has_those_whose_orders_say_so(pool: Pool, seed: int) -> None:
    random = Random(seed)
    bench = Bench(pool)
    for _ in range(40):
        name = f"N{random.randint(1, 14)}"
        customer: dict[str, Any] = {"id": name, "name": name, "email": f"{name}@x.example"}
        if random.random() < 0.3:
            del customer["id"]  # a guest: another customer than the one with the id
        if random.random() < 0.2:
            customer["company"] = "Kim Ltd"
        channel = random.choice(("web", "b2b"))
        await bench.on_record(an_order(("TEA", 1, "10.00"), channel=channel, customer=customer))
    met: set[tuple[object, bool]] = set()
    for _ in range(40):
        with suppress(NotFound, Refused):
            await something_happens(pool, random)
        async with pool.acquire() as conn:
            for kind in (None, *get_args(CustomerKind)):
                channels = random.choice((None, None, ["web"], ["b2b"], ["nobody"]))
                expected = await expected_of(conn, kind, channels)
                asked = {"kind": kind, "channels": channels}
                assert await paged(conn, random, **asked) == expected, asked
                met.add((kind, bool(expected)))
    assert {(kind, True) for kind in (None, *get_args(CustomerKind))} <= met
