"""Closed orders by the million: the rows of a few that were lived, once more under other names."""

from __future__ import annotations

from typing import Final

from store.database import Connection, Pool

MARK: Final = "mould"
"""In the ids of the orders that are copied. A copy has its number there."""

TOUCHED: Final = (
    *(
        "customer_order",
        "order_line",
        "order_money",
        "fulfilment",
        "fulfilment_line",
        "reservation",
    ),
    *("order_line_money", "charge"),
    *("movement", "payment_operation", "payment_authorization", "shipment", "order_event"),
)
"""What placing, picking, lists and `show` look at: every copy has these rows."""

OTHERS: Final = ("carrier_event", "journal_entry", "posting", "document")
"""The rest of an order's rows, for which a share of the copies may do."""

_APART_S: Final = 30
"""From one order to the next, back in time."""

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
    "running": "document",
}


async def multiply(pool: Pool, orders: int, *, thin: int = 1) -> int:
    """Copy the orders that are there until there are so many. Returns their number.

    Only each `thin`-th copy gets the rows of `OTHERS`. Triggers and foreign keys are off meanwhile.
    """
    async with pool.acquire() as conn:
        moulds = await conn.fetchval(
            "select count(*) from customer_order where channel_order_id like $1", f"{MARK}%"
        )
        copies = max(1, orders // moulds)
        spans = {
            name: await conn.fetchval(f"select coalesce(max({name}), 0) from {table}")
            for name, table in _NUMBERED.items()
        }
        await conn.execute("set session_replication_role = replica; set synchronous_commit = off")
        try:
            for table in (*TOUCHED, *OTHERS):
                await _multiply(conn, table, spans, copies, thin if table in OTHERS else 1)
            for name, table in _NUMBERED.items():
                if name != "running":
                    await conn.execute(
                        f"select setval(pg_get_serial_sequence('{table}', '{name}'), "
                        f"(select max({name}) from {table}))"
                    )
            await conn.execute(
                "update document_counter set last_number = "
                "(select max(running) from document), last_on = current_date"
            )
        finally:
            await conn.execute("reset session_replication_role; reset synchronous_commit")
        await conn.execute("vacuum (analyze)", timeout=3600)
    return int(copies * moulds)


async def size_of(pool: Pool) -> int:
    """The database's size, in bytes."""
    async with pool.acquire() as conn:
        size: int = await conn.fetchval("select pg_database_size(current_database())")
        return size


async def _multiply(
    conn: Connection, table: str, spans: dict[str, int], copies: int, thin: int
) -> None:
    columns = await conn.fetch(_COLUMNS, table)
    names = ", ".join(row["name"] for row in columns)
    values = ", ".join(_copied(row["name"], row["type"], spans) for row in columns)
    mine = {
        "posting": "where entry_id in (select entry_id from journal_entry "
        f"where order_no <= {spans['order_no']})",
        "journal_entry": "where order_no is not null",
        "movement": "where order_no is not null",
    }.get(table, "")
    await conn.execute(
        f"create temporary table mould on commit preserve rows as select * from {table} {mine}"
    )
    try:
        for first in range(1, copies + 1, _CHUNK):
            await conn.execute(
                f"insert into {table} ({names}) overriding system value select {values} "
                f"from generate_series({first}, {min(first + _CHUNK - 1, copies)}) as copy, "
                f"mould where copy % {thin} = 0 order by copy",
                timeout=3600,
            )
    finally:
        await conn.execute("drop table mould")


def _copied(name: str, type_: str, spans: dict[str, int]) -> str:
    """A column's value in a copy. The first copy is the youngest, as the moulds are of now."""
    if name in spans and type_ in ("bigint", "integer"):
        return f"{name} + copy * {spans[name]}"
    if type_ == "timestamp with time zone":
        return f"{name} - (copy * {spans['order_no']} * {_APART_S}) * interval '1 second'"
    if name in ("tracking_number", "reference"):
        return f"{name} || '-' || copy"
    if name == "customer_id":
        return f"{name} || '-' || copy % 100000"
    number = f"running + copy * {spans['running']}"
    of_documents = {
        ("number", "text"): f"regexp_replace(number, '[0-9]+$', ({number})::text)",
        ("previous", "integer"): f"{number} - 1",
    }
    if type_ == "text" and (name, type_) not in of_documents:
        return f"replace({name}, '{MARK}', '{MARK}' || copy || 'x')"
    return of_documents.get((name, type_), name)
