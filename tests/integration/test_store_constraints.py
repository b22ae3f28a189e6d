"""The schema alone keeps the invariants: raw SQL, without any of the code, is refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from activities.returns import ApproveReturn
from domain.accounts import Account
from store.database import Connection, Pool, open_pool
from tests.builders import an_order
from tests.integration.bench import Bench
from tests.servers import Databases

# Delivered, charged, and about to come back.
GONE = "web-gone"
# To be picked.
HERE = "web-here"


@pytest.fixture(scope="module")
async def shelves(databases: Databases) -> AsyncIterator[Pool]:
    """A database with two orders in it. Nothing that a test does to it stays."""
    async with databases.fresh() as url:
        pool = await open_pool(url, size_max=2)
        bench = Bench(pool)
        await bench.stocked("TEA", 9)
        gone = an_order(("TEA", 2), channel_order_id="gone")
        part = await bench.at(gone, "delivered")
        await bench.charged(gone, part)
        await bench.returns.approve_return(
            ApproveReturn(return_id=f"{GONE}:R1", units={"1": 1}, reason="test", who="test")
        )
        await bench.at(an_order(("TEA", 2), channel_order_id="here"), "confirmed")
        yield pool
        pool.terminate()


@pytest.fixture
async def conn(shelves: Pool) -> AsyncIterator[Connection]:
    async with shelves.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        yield conn
        await transaction.rollback()


def line(change: str, order_id: str = HERE) -> str:
    return f"update order_line set {change} where order_id = '{order_id}'"


A_DAY = """
    insert into reconciliation (provider, day, listed, matched, under_way, state)
    values ('sandbox', '2026-11-24', 1, {matched}, 0, '{state}')"""


def difference(
    kind: str = "'state'",
    remedy: str = "'retry'",
    resolution: str = "'open'",
    closed: str = "null::timestamptz",
    ours: str = "'{}'::jsonb",
    times: int = 1,
) -> str:
    return f"""
        insert into reconciliation_difference (provider, day, subject, class, order_id, why, remedy,
                                               resolution, closed_at, ours)
        select 'sandbox', '2026-11-24'::date, 'key', {kind}, '', '', {remedy}, {resolution},
               {closed}, {ours}
        from generate_series(1, {times})"""


def dispute(column: str, value: str) -> str:
    values = {
        "provider": "'sandbox'",
        "dispute_id": "'dp_1'",
        "subjects": "'{}'",
        "amount_minor": "1",
        "currency": "'USD'",
        "fee_currency": "'USD'",
        "state": "'lost'",
        "reason": "''",
        "opened_at": "now()",
        "said_at": "now()",
        column: value,
    }
    return f"insert into dispute ({', '.join(values)}) values ({', '.join(values.values())})"


def fulfilment(change: str, order_id: str = HERE) -> str:
    return f"update fulfilment set {change} where order_id = '{order_id}'"


def credit(change: str) -> str:
    """An account with 10, 4 of them held; 2 more were spent, and 1 of these put back; a change."""
    return f"""
        insert into credit_account values ('A', 'C-1', 'USD', 10, 4);
        insert into credit_hold values ('H', 'A', '{HERE}', 6, 2, 1);
        {change}"""


def credited(figures: str) -> str:
    """An operation: key, kind, account, hold, order, reference, amount, code."""
    return f"""
        insert into credit_operation (request, currency, who, why,
            key, kind, account_id, hold, order_id, reference, amount_minor, code)
        values ('', 'USD', '', '', {figures});"""


GIVEN = "'issue', 'A', null, null"


def transfer(units: str = "1, 0, 0", to: str = "away") -> str:
    return f"""
        insert into location (location) values ('away');
        insert into transfer (transfer_id, from_location, to_location, who, why)
        values ('T', 'main', '{to}', '', '');
        insert into transfer_line (transfer_id, sku, sent, arrived, lost)
        values ('T', 'TEA', {units})"""


def kit(sku: str, part: str = "TEA", units: int = 1) -> str:
    return f"""
        insert into kit (sku) values ('{sku}');
        insert into kit_part (kit, part, units) values ('{sku}', '{part}', {units})"""


def lane(figures: str) -> str:
    return f"insert into lane values ('main', 'DE', '', '*', {figures})"


def item(told: str) -> str:
    return f"insert into item values ('TEA', '', {told})"


def waiting(figures: str = "1, now(), 1, '{}', null, null") -> str:
    return f"""
        insert into backorder (order_id, line_id, sku, quantity, placed_at, round, barred,
                               promised_leave, promised_on)
        values ('{HERE}', '1', 'TEA', {figures})"""


def set_aside(holder: str = "'b', null, null", rest: str = "1, now()") -> str:
    return f"""
        {waiting()};
        insert into soft_reservation
            (basket, order_id, line_id, sku, location, quantity, expires_at)
        values ({holder}, 'TEA', 'main', {rest})"""


def purchase(line: str = "'TEA', 'main', 5, 5, 0, 0, 0, 1, 1", order: str = "'sent'") -> str:
    """A purchase order with a line: sku, location, quantity, receivable, received, cancelled, …"""
    return f"""
        insert into supplier values ('S', 'S');
        insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-1', 'S', 'main', 'EUR', {order}, false, '{{}}');
        insert into purchase_order_line
            (po_id, sku, location, quantity, receivable, received, cancelled, shipped, price_minor,
             lead_time_days, due_on)
        values ('PO-1', {line}, '2026-12-01')"""


def terms(figures: str) -> str:
    return f"""
        insert into supplier values ('S', 'S');
        insert into supplier_item values ('TEA', 'S', {figures}, 'EUR', 100)"""


def authorization(change: str) -> str:
    return f"update payment set {change} where kind = 'authorize'"


def refund(figures: str = "'return', 1, 0, 0, 0, 1, 0") -> str:
    """Kind; goods, tax, shipping and tax on it; credited; issued."""
    return f"""
        insert into refund (refund_id, order_id, kind, goods_minor, tax_minor, shipping_minor,
                            shipping_tax_minor, credited_minor, issued_minor, currency, reason, who)
        values ('{GONE}:R2', '{GONE}', {figures}, 'USD', '', '')"""


def hold(told: str = "'payment', null, null") -> str:
    return f"""
        insert into hold (order_id, number, note, who, reason, released_at, released_by)
        values ('{HERE}', 1, '', '', {told})"""


def document(times: int = 1, **changes: str) -> str:
    values = {
        "kind": "'invoice'",
        "year": "2001",
        "running": "1",
        "order_id": f"'{HERE}'",
        "part_id": "'part'",
        "currency": "'USD'",
        "goods_minor": "1",
        "tax_minor": "0",
        "shipping_minor": "0",
        "shipping_tax_minor": "0",
        "content": "'{}'",
        "issued_on": "'2001-02-03'",
        **changes,
    }
    return f"""
        insert into document ({", ".join(values)})
        select {", ".join(f"{v}{CASTS.get(k, '')}" for k, v in values.items())}
        from generate_series(1, {times}) as n"""


CASTS = {"content": "::jsonb", "issued_on": "::date"}


# What no statement may do, by the constraint that forbids it.
FORBIDDEN = {
    # nothing is oversold
    "stock_not_oversold": "update stock set on_hand = allocated - 1",
    "stock_safety_check": "update stock set safety = -1",
    "reservation_quantity_check": "update reservation set quantity = -1",
    "movement_kind_check": """
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        values ('x', 'TEA', 'main', 'stolen', 0, 0, '', '')""",
    "movement_effect_sku_location_key": """
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        select effect, sku, location, kind, on_hand_change, allocated_change, who, why
        from movement""",
    "movement_counted_check": """
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, counted, who, why)
        values ('x', 'TEA', 'main', 'counted', 0, 0, -1, '', '')""",
    # what is on its way adds up, and goes somewhere
    "transfer_goes_somewhere": transfer(to="main"),
    "transfer_line_sent_check": transfer("0, 0, 0"),
    "transfer_line_arrived_check": transfer("5, -1, 0"),
    "transfer_line_lost_check": transfer("5, 0, -1"),
    "transfer_adds_up": transfer("5, 4, 2"),
    # what is gone is not waited for; what is waited for or set aside is somebody's
    "item_discontinued": item("true, null, true"),
    "backorder_quantity_check": waiting("-1, now(), 1, '{}', null, null"),
    "backorder_promise": waiting("1, now(), 1, '{}', '2026-12-02', '2026-12-01'"),
    "soft_reservation_holder": set_aside(f"'b', '{HERE}', '1'"),
    "soft_reservation_quantity_check": set_aside(rest="0, now()"),
    "soft_reservation_basket_order_id_line_id_sku_location_key": f"""
        {set_aside()};
        insert into soft_reservation select * from soft_reservation""",
    # a kit is made of one or more of what is kept in stock, and has none of its own
    "kit_part_units_check": kit("BOX", units=0),
    "kit_is_no_part_of_itself": kit("BOX", part="BOX"),
    "kit_is_no_part": kit("BOX") + ";" + kit("CRATE", part="BOX"),
    "kit_is_no_stock": kit("TEA", part="CUP"),
    "reservation_per_unit_check": "update reservation set per_unit = 0",
    # one open need is ordered once, and no more is received than may be
    "purchase_one_need": f"""{purchase()};
        insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-2', 'S', 'main', 'EUR', 'sent', false, '{{}}');
        insert into purchase_order_line
            (po_id, sku, location, quantity, receivable, price_minor, lead_time_days, due_on)
        values ('PO-2', 'TEA', 'main', 1, 1, 1, 1, '2026-12-01')""",
    "purchase_order_line_quantity_check": purchase("'TEA', 'main', 0, 0, 0, 0, 0, 1, 1"),
    "purchase_order_line_received_check": purchase("'TEA', 'main', 5, 5, -1, 0, 0, 1, 1"),
    "purchase_order_line_shipped_check": purchase("'TEA', 'main', 5, 5, 0, 0, -1, 1, 1"),
    "purchase_order_line_price_minor_check": purchase("'TEA', 'main', 5, 5, 0, 0, 0, -1, 1"),
    "purchase_line_adds_up": purchase("'TEA', 'main', 5, 5, 0, 6, 0, 1, 1"),
    "purchase_line_received": purchase("'TEA', 'main', 5, 6, 7, 0, 0, 1, 1"),
    "purchase_order_state_check": purchase(order="'lost'"),
    "purchase_order_number_key": f"""{purchase()};
        insert into purchase_order
            (po_id, number, supplier_id, location, currency, state, needs_approval, policy)
        overriding system value
        select 'PO-2', number, 'S', 'main', 'EUR', 'sent', false, '{{}}' from purchase_order""",
    "purchase_order_event_po_id_effect_key": f"""{purchase()};
        insert into purchase_order_event (po_id, effect, what, who)
        values ('PO-1', 'x', '', ''), ('PO-1', 'x', '', '')""",
    "supplier_item_lead_time_days_check": terms("-1, 1, 1, 1"),
    "supplier_item_minimum_check": terms("1, 0, 1, 1"),
    "supplier_item_multiple_check": terms("1, 1, 0, 1"),
    "supplier_item_price_minor_check": terms("1, 1, 1, -1"),
    "stock_levels": "update stock set reorder_point = 5, order_up_to = 5",
    "stock_reorder_point_check": "update stock set reorder_point = -1, order_up_to = 5",
    "stock_service_level_check": "update stock set service_level = 1",
    "wait_report_owner": "insert into wait_report (activity_id, outcome) values ('x', '{}')",
    # promises, lanes and limits
    "fulfilment_promise": fulfilment("promised_leave = '2026-12-02', promised_on = '2026-12-01'"),
    "location_parcels_a_day_check": "update location set parcels_a_day = 0",
    "lane_cost_minor_check": lane("-1, 'EUR', 0, 0"),
    "lane_distance_km_check": lane("0, 'EUR', -1, 0"),
    "lane_transit_days_check": lane("0, 'EUR', 0, -1"),
    # one order per number of its channel
    "orders_channel_channel_order_id_key": f"""
        insert into orders (order_id, channel, channel_order_id, digest, run_id, document,
                            customer_id, currency, total_minor, placed_at)
        select 'web-other', channel, channel_order_id, digest, run_id, document, customer_id,
               currency, total_minor, placed_at from orders where order_id = '{HERE}'""",
    "orders_pkey": "insert into orders overriding user value select * from orders",
    "orders_decision_check": "update orders set decision = 'lost'",
    "orders_total_minor_check": "update orders set total_minor = -1",
    # every unit is somewhere, and in one place
    "line_adds_up": line("cancelled = ordered"),
    "line_picked": line("picked = allocated + 1"),
    "line_arrived": line("delivered = 1"),
    "line_sent_back": line("returned = ordered", GONE),
    "line_paid": line("refunded = 1"),
    "order_line_ordered_check": line("ordered = 0, allocated = 0"),
    "order_line_backordered_check": line("backordered = -1"),
    "order_line_allocated_check": line("allocated = -1, picked = -1"),
    "order_line_picked_check": line("picked = -1"),
    "order_line_delivered_check": line("delivered = -1, returned = -1"),
    "order_line_lost_check": line("lost = -1"),
    "order_line_cancelled_check": line("cancelled = -1"),
    "order_line_return_requested_check": line("return_requested = -1"),
    "order_line_returned_check": line("returned = -1"),
    "order_line_goods_minor_check": line("goods_minor = -1"),
    "order_line_tax_minor_check": line("tax_minor = -1"),
    "order_line_shipping_minor_check": line("shipping_minor = -1"),
    "order_line_shipping_tax_minor_check": line("shipping_tax_minor = -1"),
    # a recalled fulfilment cannot go on
    "fulfilment_recall": fulfilment("recalled_from = 'picking'"),
    "fulfilment_state_check": fulfilment("state = 'somewhere'"),
    "fulfilment_line_check": "update fulfilment_line set picked = quantity + 1",
    "fulfilment_line_quantity_check": "update fulfilment_line set quantity = 0, picked = 0",
    # one label per fulfilment, and each event of a carrier once
    "parcel_pkey": "insert into parcel select * from parcel",
    "parcel_label_key_key": f"""
        insert into parcel (fulfilment_id, order_id, label_key, label, service)
        select '{HERE}:1', '{HERE}', label_key, 'requested', service from parcel""",
    "parcel_label_known": "update parcel set tracking_number = null",
    "parcel_label_check": "update parcel set label = 'drawn'",
    "parcel_carrier_status_check": "update parcel set carrier_status = 'on the moon'",
    "carrier_event_pkey": "insert into carrier_event select * from carrier_event",
    # a return is of something, and holds no more than was asked for
    "order_return_kind_check": "update order_return set kind = 'gift'",
    "order_return_state_check": "update order_return set state = 'forgotten'",
    "return_undeliverable": "update order_return set kind = 'undeliverable'",
    "return_counts": "update return_line set restocked = quantity, scrapped = 1",
    "return_line_quantity_check": "update return_line set quantity = 0",
    "return_line_restocked_check": "update return_line set restocked = -1",
    "return_line_scrapped_check": "update return_line set scrapped = -1",
    # refunded ≤ captured ≤ authorized, what is under way included
    "money_captured": "update order_money set capture_granted = authorized + 1",
    "money_refunded": "update order_money set refund_granted = captured + 1",
    "payment_amount_minor_check": "update payment set amount_minor = -1",
    "payment_kind_check": "update payment set kind = 'gift'",
    "payment_state_check": "update payment set state = 'perhaps', settled_at = null",
    "payment_settled": "update payment set settled_at = null",
    "payment_pkey": "insert into payment select * from payment",
    # documents are numbered 1, 2, 3 … in each series of a year, once for each part
    "document_counter_kind_check": (
        "insert into document_counter values ('receipt', 2001, 1, '2001-02-03')"
    ),
    "document_counter_last_number_check": (
        "insert into document_counter values ('invoice', 2001, 0, '2001-02-03')"
    ),
    "counter_year": "insert into document_counter values ('invoice', 2001, 1, '2002-02-03')",
    "document_kind_check": document(kind="'receipt'"),
    "document_running_check": document(running="0"),
    "document_goods_minor_check": document(goods_minor="-1"),
    "document_tax_minor_check": document(tax_minor="-1"),
    "document_shipping_minor_check": document(shipping_minor="-1"),
    "document_shipping_tax_minor_check": document(shipping_tax_minor="-1"),
    "document_year": document(issued_on="'2002-02-03'"),
    "document_kind_part_id_key": document(2, running="n"),
    "document_pkey": document(2, part_id="n::text"),
    # store credit: 0 ≤ held ≤ balance, refunded ≤ captured ≤ held, and every operation once
    "credit_account_currency_check": credit("update credit_account set currency = 'usd'"),
    "credit_account_customer_id_currency_key": credit(
        "insert into credit_account values ('B', 'C-1', 'USD')"
    ),
    "credit_covers_holds": credit("update credit_account set held_minor = 11"),
    "credit_hold_amount_minor_check": credit(
        "insert into credit_hold values ('I', 'A', 'web-here', 0)"
    ),
    "credit_hold_captured_minor_check": credit("update credit_hold set captured_minor = -1"),
    "credit_hold_refunded_minor_check": credit("update credit_hold set refunded_minor = -1"),
    "credit_captured_within_hold": credit("update credit_hold set captured_minor = 7"),
    "credit_refunded_within_captured": credit("update credit_hold set refunded_minor = 3"),
    "credit_void_leaves_nothing": credit("update credit_hold set voided = true"),
    "credit_operation_kind_check": credit(
        credited("'k', 'gift', 'A', 'H', 'web-here', 'r', 1, null")
    ),
    "credit_operation_key_key": credit(
        credited(f"'k', {GIVEN}, 'r', 1, null") + credited(f"'k', {GIVEN}, 's', 1, null")
    ),
    "credit_operation_reference_key": credit(
        credited(f"'k', {GIVEN}, 'r', 1, null") + credited(f"'l', {GIVEN}, 'r', 1, null")
    ),
    "credit_operation_moves_something": credit(credited(f"'k', {GIVEN}, 'r', 0, null")),
    "credit_operation_is_effect_or_refusal": credit(
        credited("'k', 'capture', 'A', null, null, 'r', 1, null")
    ),
    # what does not agree on a company's day is kept once, until it is closed
    "reconciliation_counts": A_DAY.format(matched=2, state="clean"),
    "reconciliation_state_check": A_DAY.format(matched=1, state="perhaps"),
    "reconciliation_difference_class_check": difference(kind="'taste'"),
    "reconciliation_difference_remedy_check": difference(remedy="'hope'"),
    "reconciliation_difference_resolution_check": difference(resolution="'lost'", closed="now()"),
    "difference_has_a_side": difference(ours="null::jsonb"),
    "difference_closed": difference(resolution="'mended'"),
    "difference_once": difference(times=2),
    # a dispute is about something, and about an order or none
    "dispute_amount_minor_check": dispute("amount_minor", "0"),
    "dispute_fee_minor_check": dispute("fee_minor", "-1"),
    "dispute_state_check": dispute("state", "'undecided'"),
    "dispute_placed": dispute("order_id", f"'{HERE}'"),
    "payment_tender_check": "update payment set tender = 0",
    # the same of each authorization; and only of those
    "payment_captured": authorization("capture_granted = amount_minor + 1"),
    "payment_refunded": authorization("refund_granted = captured + 1"),
    "payment_of_authorization": "update payment set released = 1 where kind = 'capture'",
    "money_released": "update order_money set released = authorized - capture_granted + 1",
    "order_money_disputed_check": "update order_money set disputed = -1",
    "line_invoiced": line("invoiced = ordered + 1"),
    "line_conceded": line("conceded = refunded + 1"),
    # no more is given back than is owed, and no part of it is negative
    "refund_pkey": f"{refund()}; {refund()}",
    "refund_kind_check": refund("'gift', 1, 0, 0, 0, 0, 0"),
    "refund_goods_minor_check": refund("'return', -1, 1, 0, 0, 0, 0"),
    "refund_tax_minor_check": refund("'return', 1, -1, 0, 0, 0, 0"),
    "refund_shipping_minor_check": refund("'return', 1, 0, -1, 0, 0, 0"),
    "refund_shipping_tax_minor_check": refund("'return', 1, 0, 0, -1, 0, 0"),
    "refund_credited": refund("'return', 1, 2, 3, 4, 11, 0"),
    "refund_issued": refund("'return', 1, 2, 3, 4, 10, 11"),
    "refund_came_back": f"{refund()}; update refund set came_back_minor = 1",
    # a hold that was released says by whom
    "hold_pkey": f"{hold()}; {hold()}",
    "hold_reason_check": hold("'mood', null, null"),
    "hold_released": hold("'payment', now(), null"),
    # an effect is booked, told and raised once
    "journal_entry_effect_key": """
        insert into journal_entry (effect, order_id, memo)
        select effect, order_id, memo from journal_entry""",
    "posting_amount_minor_check": """
        insert into posting select entry_id, 'disputes', 0, 'USD' from journal_entry""",
    "posting_account_known": """
        insert into posting select entry_id, 'gifts', 1, 'USD' from journal_entry""",
    # a day that is not over is not closed
    "closing_is_over": """
        insert into closing (through, who)
        values ((clock_timestamp() at time zone 'UTC')::date, 'x')""",
    # what is ours is never less than nothing, and neither is what it has cost
    "inventory_quantity_check": "update inventory set quantity = -1",
    "inventory_value_value_minor_check": "insert into inventory_value values ('TEA', 'USD', -1)",
    "inventory_posting_units_check": """
        insert into inventory_posting select entry_id, 'TEA', '', 0, 'USD', 1 from journal_entry""",
    "inventory_posting_value_minor_check": """
        insert into inventory_posting select entry_id, 'TEA', '', 1, 'USD', 0 from journal_entry""",
    "order_event_order_id_effect_key": """
        insert into order_event (order_id, effect, what, who)
        select order_id, effect, what, who from order_event""",
    "attention_open": f"""
        insert into attention (order_id, step, reason, since)
        values ('{HERE}', 'pick', 'a', now()),
               ('{HERE}', 'pick', 'b', now() + interval '1 hour')""",
}

# Two more, which cannot be broken without breaking another of them first.
IMPLIED = {
    "purchase_order_po_id_location_key": "purchase_order_pkey",
    "document_kind_year_running_key": "document_pkey: the number is made of these",
    "order_line_shipped_check": "line_arrived, with order_line_delivered and lost",
    "parcel_carrier_tracking_number_fulfilment_id_key": "parcel_pkey",
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_the_schema_forbids(conn: Connection, name: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await conn.execute(FORBIDDEN[name])
    assert refused.value.constraint_name == name


async def test_every_check_and_unique_rule_of_the_schema_has_its_statement(
    conn: Connection,
) -> None:
    rows = await conn.fetch(
        """
        select conname from pg_constraint
        where connamespace = 'public'::regnamespace and contype in ('c', 'u')
        union
        select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indisunique and not i.indisprimary and c.relnamespace = 'public'::regnamespace
        """
    )
    assert {row[0] for row in rows} - set(FORBIDDEN) == set(IMPLIED)


async def test_units_and_claims_belong_to_what_exists(conn: Connection) -> None:
    for orphan in (
        "insert into stock (sku, location) values ('TEA', 'nowhere')",
        "insert into stock (sku, location) values ('NEW', 'main')",
        "update reservation set location = 'nowhere'",
        "update fulfilment_line set line_id = 'none'",
        "insert into journal_entry (effect, order_id, memo) values ('x', 'web-none', 'x')",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with conn.transaction():
                await conn.execute(orphan)


FOR_EVER = {
    "order_event": "what = 'x'",
    "movement": "who = 'x'",
    "journal_entry": "memo = 'x'",
    "posting": "account = 'revenue'",
    "inventory_posting": "units = 2",
    "closing": "who = 'x'",
    "purchase_order_event": "what = 'x'",
}


@pytest.mark.parametrize("table", FOR_EVER)
@pytest.mark.parametrize("change", ["delete from {}", "update {} set {}", "truncate {} cascade"])
async def test_what_happened_can_be_neither_changed_nor_deleted(
    conn: Connection, table: str, change: str
) -> None:
    if table == "closing":
        await conn.execute("insert into closing (through, who) values ('2026-01-31', 'x')")
    if table == "inventory_posting":
        await conn.execute(
            "insert into inventory_posting select entry_id, 'TEA', '', 1, 'USD', 1 "
            "from journal_entry limit 1"
        )
    if table == "purchase_order_event":
        await conn.execute(purchase())
        await conn.execute(
            "insert into purchase_order_event (po_id, effect, what, who) "
            "values ('PO-1', 'e', 'w', 'x')"
        )
    statement = change.format(table, FOR_EVER[table])
    # What refers to a table is emptied with it, and before it.
    culprit = "(posting|inventory_posting|journal_entry)" if "truncate" in change else table
    with pytest.raises(asyncpg.RestrictViolationError, match=f"({table}|{culprit}) is append-only"):
        await conn.execute(statement)


CASH, SOLD, TAX = "cash_in_transit", "revenue", "tax_payable"


@pytest.mark.parametrize(
    ("postings", "balances"),
    [
        ([(CASH, 100, "USD"), (SOLD, -100, "USD")], True),
        ([(CASH, 100, "USD"), (SOLD, -70, "USD"), (TAX, -30, "USD")], True),
        ([(CASH, 1, "USD"), (TAX, -1, "USD"), (CASH, 1, "EUR"), (TAX, -1, "EUR")], True),
        ([(CASH, 100, "USD"), (SOLD, -99, "USD")], False),
        ([(CASH, 100, "USD"), (SOLD, -100, "EUR")], False),
        ([(CASH, 100, "USD")], False),
    ],
)
async def test_every_journal_entry_balances_in_each_currency_when_it_is_committed(
    conn: Connection, postings: list[tuple[str, int, str]], balances: bool
) -> None:
    entry = await conn.fetchval(
        f"insert into journal_entry (effect, order_id, memo) values ('x', '{HERE}', 'x')"
        " returning entry_id"
    )
    for posting in postings:  # one by one: only the end counts
        await conn.execute("insert into posting values ($1, $2, $3, $4)", entry, *posting)
    if balances:
        await conn.execute("set constraints all immediate")
    else:
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await conn.execute("set constraints all immediate")


async def test_an_entry_gets_no_postings_after_its_transaction_not_even_such_as_balance(
    conn: Connection,
) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="no postings after its transaction"):
        await conn.execute("""
            insert into posting
            select entry_id, account, amount, 'EUR' from journal_entry,
                (values ('disputes', 1), ('write_offs', -1)) as p (account, amount)""")


async def test_an_entry_that_balanced_cannot_be_added_to_unless_it_balances_again(
    conn: Connection,
) -> None:
    await conn.execute("""
        with entry as (
            insert into journal_entry (effect, memo) values ('x', 'x') returning entry_id)
        insert into posting
        select entry_id, account, amount, 'EUR' from entry,
            (values ('disputes', 1), ('write_offs', -1)) as p (account, amount)""")
    await conn.execute("set constraints all immediate")
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await conn.execute(
            "insert into posting select entry_id, 'revenue', 1, 'EUR' from journal_entry "
            "where effect = 'x'"
        )


async def test_an_entry_has_postings(conn: Connection) -> None:
    await conn.execute("insert into journal_entry (effect, memo) values ('x', 'x')")
    with pytest.raises(asyncpg.CheckViolationError, match="has no postings"):
        await conn.execute("set constraints all immediate")


async def test_the_accounts_of_the_schema_are_those_of_the_chart(conn: Connection) -> None:
    check = await conn.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint "
        "where conname = 'posting_account_known'"
    )
    assert sorted(re.findall(r"'(\w+)'", check)) == sorted(Account)
