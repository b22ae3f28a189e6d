"""Orders by the million: the rows of a few that were lived, once more under other names."""

from __future__ import annotations

from typing import Final

from store.database import Connection, Pool

TOUCHED: Final = (
    *("customer_order", "order_person", "order_in_state", "order_line", "order_money"),
    *("fulfilment", "fulfilment_line", "reservation", "order_line_money", "charge"),
    *("movement", "payment_operation", "payment_authorization", "shipment", "order_event"),
    *("attention", "order_hold"),
)
"""What placing, picking, lists and `show` look at: every copy has these rows."""

OTHERS: Final = ("carrier_event", "journal_entry", "posting", "document")
"""The rest of an order's rows, for which a share of the copies may do."""

_APART_S: Final = 30
"""From one order to the next, back in time."""

_LONG_S: Final = 3600.0
"""A statement on millions of rows takes its time."""

_PERSON: Final = """person || jsonb_build_object(
    'customer', (person -> 'customer') || jsonb_build_object(
        'name', $s, 'email', 'c' || copy % 5000 || '@example.com',
        'phone', '+8210' || lpad((copy * 7919 % 100000000)::text, 8, '0')),
    'address', (person -> 'address') || jsonb_build_object(
        'name', $s, 'country', ('{KR,KR,KR,DE,DE,US,JP}'::text[])[1 + copy % 7]))""".replace(
    "$s",
    "('{김,이,박,최,Kim,Lee,Anna,Maria,Jan,Yuki}'::text[])[1 + copy % 10] || "
    '(\'{민지,서연,도윤," Minji"," Schmidt"," Novak"," Sato"}\'::text[])[1 + copy / 10 % 7]',
)
"""Names, numbers and countries that differ, and that some of the copies share."""

_CHUNK: Final = 2_000

_COLUMNS: Final = """
select attname as name, format_type(coalesce(nullif(typbasetype, 0), atttypid), null) as type
from pg_attribute join pg_type on pg_type.oid = atttypid
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
order by attnum
"""
_NUMBERED: Final = {
    "order_no": "customer_order",
    "event_id": "order_event",
    "entry_id": "journal_entry",
    "movement_id": "movement",
}
"""Columns that a sequence fills, and the table of each."""


_STUCK: Final = """
with late as (
    update fulfilment set promised_leave = current_date - 2, promised_on = current_date - 1
    where order_no = order_no_of($1)
), stuck as (
    insert into attention (order_no, step, reason, allowed)
    select order_no_of($1), 'authorize_payment', 'the company does not answer', '{retry,cancel}'
    where $2 % 10 = 0
)
insert into order_hold (order_no, hold_id, reason, note, owner, who)
select order_no_of($1), 'H1', 'other', 'to be looked at', 'agent', 'benchmark' where $2 % 10 = 1
"""


async def get_stuck(pool: Pool, order_id: str, number: int) -> None:
    """Have an order be late; each tenth number needs a person, and each tenth is held."""
    await pool.execute(_STUCK, order_id, number)


async def multiply(pool: Pool, mark: str, orders: int, *, thin: int = 1) -> int:
    """Copy the latest orders, whose numbers have this mark, into so many. Returns their number.

    Only each `thin`-th copy gets the rows of `OTHERS`. Triggers and foreign keys are off meanwhile.
    """
    async with pool.acquire() as conn:
        moulds = await conn.fetchval(
            "select array_agg(order_no) from customer_order where channel_order_id like $1",
            f"{mark}%",
        )
        copies = max(1, orders // len(moulds))
        spans = {name: await _span(conn, name, table) for name, table in _NUMBERED.items()}
        spans["order_no"] = len(moulds)
        spans["running"] = await conn.fetchval(
            "select count(*) from document where order_no = any($1)", moulds
        )
        await conn.execute("set session_replication_role = replica; set synchronous_commit = off")
        try:
            for table in (*TOUCHED, *OTHERS):
                share = thin if table in OTHERS else 1
                await _multiply(conn, table, mark, moulds, spans, copies, share)
            await conn.execute(
                "insert into customer (key) select distinct customer_key(customer_id, person) "
                "from order_person on conflict do nothing",
                timeout=_LONG_S,
            )
            for name, table in _NUMBERED.items():
                await conn.execute(
                    f"select setval(pg_get_serial_sequence('{table}', '{name}'), "
                    f"(select max({name}) from {table}))",
                    timeout=_LONG_S,
                )
            await conn.execute(
                "update document_counter set last_number = "
                "(select max(running) from document), last_on = current_date",
                timeout=_LONG_S,
            )
        finally:
            await conn.execute("reset session_replication_role; reset synchronous_commit")
        await conn.execute("vacuum (analyze)", timeout=_LONG_S)
    return int(copies * len(moulds))


async def _span(conn: Connection, name: str, table: str) -> int:
    """How far a copy's numbers are from those of the one before: no two meet."""
    found: int = await conn.fetchval(
        f"select coalesce(max({name}), 0) from {table}", timeout=_LONG_S
    )
    return found


async def size_of(pool: Pool) -> int:
    """The database's size, in bytes."""
    async with pool.acquire() as conn:
        size: int = await conn.fetchval("select pg_database_size(current_database())")
        return size


async def _multiply(
    conn: Connection,
    table: str,
    mark: str,
    moulds: list[int],
    spans: dict[str, int],
    copies: int,
    thin: int,
) -> None:
    columns = await conn.fetch(_COLUMNS, table)
    names = ", ".join(row["name"] for row in columns)
    values = ", ".join(_copied(row["name"], row["type"], mark, spans) for row in columns)
    of_them = "order_no = any(current_setting('bench.moulds')::bigint[])"
    if table == "posting":
        of_them = f"entry_id in (select entry_id from journal_entry where {of_them})"
    await conn.execute("select set_config('bench.moulds', $1::bigint[]::text, false)", moulds)
    await conn.execute(
        "create temporary table mould on commit preserve rows as "
        f"select * from {table} where {of_them}",
        timeout=_LONG_S,
    )
    try:
        for first in range(1, copies + 1, _CHUNK):
            await conn.execute(
                f"insert into {table} ({names}) overriding system value select {values} "
                f"from generate_series({first}, {min(first + _CHUNK - 1, copies)}) as copy, "
                f"mould where copy % {thin} = 0 order by copy",
                timeout=_LONG_S,
            )
    finally:
        await conn.execute("drop table mould")


def _copied(name: str, type_: str, mark: str, spans: dict[str, int]) -> str:
    """A column's value in a copy. The first copy is the youngest, as the moulds are of now."""
    back_s = f"copy * {spans['order_no'] * _APART_S}"
    number = f"running + copy * {spans['running']}"
    special = {
        ("number", "text"): f"regexp_replace(number, '[0-9]+$', ({number})::text)",
        ("previous", "integer"): f"{number} - 1",
        ("tracking_number", "text"): "tracking_number || '-' || copy",
        ("reference", "text"): "reference || '-' || copy",
        ("customer_id", "text"): "customer_id || '-' || copy % 5000",
        ("person", "jsonb"): _PERSON,
    }
    if name in spans and type_ in ("bigint", "integer"):
        return f"{name} + copy::bigint * {spans[name]}"
    if type_ == "timestamp with time zone":
        return f"{name} - {back_s} * interval '1 second'"
    if name == "issued_on":  # Documents are numbered within a year.
        return f"greatest(issued_on - {back_s} / 86400, date_trunc('year', issued_on)::date)"
    if type_ == "date":
        return f"{name} - {back_s} / 86400"
    if type_ == "text" and (name, type_) not in special:
        return f"replace({name}, '{mark}', '{mark}' || copy || 'x')"
    return special.get((name, type_), name)
