"""Tables of history can be kept in parts, with the keys that they have, and old parts detached.

PostgreSQL wants the partition key in every unique constraint. So each table that grows with the
orders is built once more in parts, with all of its constraints and indexes, and lived in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.database import Connection, Pool
from tests.architecture.source import ROOT
from tests.support.bench import Bench
from tests.support.builders import an_order

HISTORY = {
    # All that belongs to an order, by its number.
    **dict.fromkeys(
        (
            *("order_person", "order_line", "order_event", "effect", "attention", "order_hold"),
            *("order_line_money", "order_note", "charge", "brought_tender", "order_version"),
            *("answered_request", "order_money", "payment_authorization", "payment_operation"),
            *("refund", "fulfilment", "fulfilment_line", "shipment", "carrier_event", "label_file"),
            *("pick_up", "unused_label", "put_back", "put_back_line", "supplier_parcel"),
            *("interception", "message"),
            *("outside_work", "appointment"),
            *(
                "order_return",
                "return_line",
                "return_unit",
                "return_label",
                "return_label_file",
                "return_scan",
                "reservation",
                "backorder",
                "claim",
                "claim_line",
                "exchange",
                "exchange_payback",
            ),
        ),
        "order_no",
    ),
    "carrier_claim": "order_no",
    # The books and the stock's journal, by their own numbers, which grow with the time.
    **dict.fromkeys(("journal_entry", "posting", "inventory_posting"), "entry_id"),
    "movement": "movement_id",
    # Documents are numbered by the year.
    "document": "year",
}
"""Table → by what it would be kept in parts."""

WHOLE = {
    "customer_order": "the register: an order's id is taken for ever",
    **dict.fromkeys(
        (
            *("order_to_start", "order_in_state", "wait_report", "soft_reservation"),
            "replenishment_call",
        ),
        "a row goes when it is dealt with",
    ),
    **dict.fromkeys(
        (
            *("provider_event", "shop_message", "carrier_message"),
            *("edi_interchange", "edi_document"),
            *("unannounced_parcel", "unannounced_unit"),
        ),
        "a row goes some time after it was processed",
    ),
    **dict.fromkeys(("shop", "shop_contact"), "there are few"),
    "shop_parcel": "a row goes some time after the shop was told",
    "request_key": "a row goes when nobody repeats the request any more",
    **dict.fromkeys(("event_out", "event_attempt", "event_delivery"), "a row goes after some time"),
    **dict.fromkeys(("job", "job_item", "job_part"), "a row goes some time after the job's end"),
    "event_taken_early": "a row goes in a moment",
    **dict.fromkeys(
        (
            *("event_sequence", "event_subscription", "message_reading", "message_template"),
            *("customer_change_forgotten", "customer_segment_look"),
        ),
        "there are few",
    ),
    **dict.fromkeys(("dispute", "reconciliation_difference"), "few orders have one"),
    **dict.fromkeys(
        ("day_count", "day_figure", "day_loss"), "some rows a day, which go after two years"
    ),
    **dict.fromkeys(("closing", "reconciliation", "document_counter"), "a row a day, or a year"),
    **dict.fromkeys(
        ("book_day", "book_day_account"), "a row a day, and one for each account in use"
    ),
    "closed_balance": "a row for each account in use, a day or a month",
    **dict.fromkeys(
        ("api_key", "api_key_secret", "signing_secret", "page_key", "staff", "saved_view"),
        "there are few",
    ),
    **dict.fromkeys(
        ("staff_session", "staff_try", "task_care"), "a row goes some time after it counts no more"
    ),
    **dict.fromkeys(("scan_run", "scan_run_part"), "a row goes some time after the run's end"),
    **dict.fromkeys(("bin", "bin_item", "item_code"), "grows with what there is"),
    "manifest": "one for many parcels",
    "scan_place": "one for a person",
    "carrier_term": "there are few",
    "seller": "there are few",
    "customer": "a person for many orders; of one who is erased the number stays",
    **dict.fromkeys(
        ("customer_note", "customer_consent", "customer_merge"),
        "what people write down about few persons; it goes when they are erased",
    ),
    "customer_change": "a row goes after some time",
    "customer_segment_member": "a row goes when the customer leaves, or is erased",
    "licence": "a code is known for ever, so that none is sold twice",
    "channel": "there are few",
    "edi_partner": "there are few",
    "edi_order": "few channels trade by EDI; as long as its order",
    **dict.fromkeys(
        ("hold_rule", "hold_listing", "customer_segment"), "what a shop has said, not its orders"
    ),
    **dict.fromkeys(
        ("credit_account", "credit_authorization", "credit_operation"),
        "a company of its own: it answers each key for ever",
    ),
    **dict.fromkeys(
        (
            *("supplier", "supplier_item", "purchase_order", "purchase_order_line"),
            *("purchase_order_event", "transfer", "transfer_line", "edi_bill"),
        ),
        "one for many orders",
    ),
    **dict.fromkeys(
        (
            *("location", "lane", "item", "kit", "kit_part", "stock", "inventory"),
            *("stock_demand", "stock_count"),
            *("holding", "inventory_value", "routine_set", "catalogue_version", "currency"),
            "return_rule",
            "shop_level",
        ),
        "grows with what there is, not with the orders",
    ),
}
"""Tables that stay in one part, and why."""


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    """A shop in which an order was delivered, charged, and has come back in part."""
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    part = await bench.at(an_order(("TEA", 2)), "delivered")
    await bench.charged(part)
    async with pool.acquire() as conn:
        yield conn


async def twin(conn: Connection, table: str, key: str) -> str:
    """The table once more, in two parts, with the rows of the first in the older part."""
    name = f"{table}_in_parts"
    await conn.execute(
        f"create table {name} (like {table} including all) partition by range ({key})"
    )
    middle = await conn.fetchval(f"select coalesce(max({key}), 0) + 1 from {table}")
    await conn.execute(
        f"create table {name}_old partition of {name} for values from (minvalue) to ({middle});"
        f"create table {name}_new partition of {name} for values from ({middle}) to (maxvalue);"
    )
    columns = await conn.fetchval(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute "
        "where attrelid = $1::regclass and attnum > 0 and attgenerated = ''",
        table,
    )
    await conn.execute(
        f"insert into {name} ({columns}) overriding system value select {columns} from {table}"
    )
    return name


@pytest.mark.parametrize("table", HISTORY)
async def test_a_table_of_history_can_be_kept_in_parts(conn: Connection, table: str) -> None:
    key = HISTORY[table]
    name = await twin(conn, table, key)
    unique = """
        select count(*) from pg_index
        where indrelid = $1::regclass and indisunique and $2 = any(array(
            select attname from pg_attribute where attrelid = indrelid and attnum = any(indkey)))"""
    of_all = "select count(*) from pg_index where indrelid = $1::regclass and indisunique"
    assert await conn.fetchval(of_all, name) == await conn.fetchval(of_all, table)
    assert await conn.fetchval(unique, name, key) == await conn.fetchval(of_all, name) > 0
    kept = await conn.fetchval(f"select count(*) from {table}")
    assert await conn.fetchval(f"select count(*) from {name}") == kept
    await conn.execute(f"alter table {name} detach partition {name}_old")
    assert await conn.fetchval(f"select count(*) from {name}") == 0
    assert await conn.fetchval(f"select count(*) from {name}_old") == kept


async def test_parts_refer_to_each_other_as_the_tables_do(conn: Connection) -> None:
    """What belongs to an order refers to it, and to other rows of the same order, in parts too."""
    for table in ("order_line", "fulfilment", "journal_entry"):
        await twin(conn, table, HISTORY[table])
    await conn.execute("""
        alter table order_line_in_parts add foreign key (order_no) references customer_order;
        alter table fulfilment_in_parts add foreign key (order_no) references customer_order;
        alter table fulfilment_line add foreign key (order_no, fulfilment_id)
            references fulfilment_in_parts;
        alter table fulfilment_line add foreign key (order_no, line_id)
            references order_line_in_parts;
        alter table posting add foreign key (entry_id) references journal_entry_in_parts""")


async def test_a_key_that_would_forbid_it_is_found(conn: Connection) -> None:
    await conn.execute("alter table order_event add constraint told_once unique (effect)")
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="must include all partitioning"):
        await twin(conn, "order_event", "order_no")


async def test_every_table_is_kept_in_parts_or_whole_and_the_page_says_which(
    conn: Connection,
) -> None:
    rows = await conn.fetch(
        "select tablename from pg_tables where schemaname = 'public' "
        "and tablename not like 'schema_migrations%'"
    )
    tables = {row["tablename"] for row in rows}
    assert tables == HISTORY.keys() | WHOLE.keys()
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## Rows that grow old")
    section, _, _ = section.partition("\n## ")
    assert [table for table in HISTORY if f"`{table}`" not in section] == []
    growing = ("customer_order", "wait_report", "provider_event", "dispute")
    assert [table for table in growing if f"`{table}`" not in section] == []
