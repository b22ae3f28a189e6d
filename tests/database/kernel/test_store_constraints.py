"""The schema alone keeps the invariants: raw SQL, without any of the code, is refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from activities.aftersales.returns import ApproveReturn
from domain.accounting.accounts import Account
from store.database import Connection, Pool, open_pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.servers import Databases

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
        await bench.charged(part)
        await bench.returns.approve_return(
            ApproveReturn(order_id=GONE, request_id="r1", units={"1": 1}, reason="test", who="test")
        )
        await pool.execute(
            "insert into return_unit (order_no, return_id, line_id, number, quantity, condition, "
            "disposition) select order_no, return_id, line_id, 1, 1, 'new', 'restock' "
            "from return_line"
        )
        for row in (
            (
                "return_label (order_no, return_id, label_key, service, location, fee_minor) "
                "select order_no, return_id, return_id, 'post', 'main', 0 from order_return"
            ),
            (
                "return_label_file (order_no, return_id, media_type, content) "
                "select order_no, return_id, 'image/png', 'x' from order_return"
            ),
            (
                "return_scan (order_no, return_id, event_id, status, happened_at) "
                "select order_no, return_id, 'e', 'in_transit', now() from order_return"
            ),
        ):
            await pool.execute(f"insert into {row}")
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


AT_THE_DOCK = "insert into unannounced_parcel (key, location, who) values ('dock', 'main', 'ann')"
A_UNIT = (
    "insert into unannounced_unit (parcel_no, number, sku, quantity, condition) "
    "select parcel_no, 1, 'TEA', 1, 'new' from unannounced_parcel"
)


def line(change: str, order_id: str = HERE) -> str:
    return f"update order_line set {change} where order_no = order_no_of('{order_id}')"


def claim() -> str:
    return f"""
        insert into claim (order_no, claim_id, kind, reason, who)
        values (order_no_of('{GONE}'), '{GONE}:C1', 'damaged', 'broken', 'ann')"""


def decided(values: str) -> str:
    return f"{claim()}; update claim set (decision, decided_by, decided_at, refund_id) = ({values})"


def carrier_claim() -> str:
    return f"""
        insert into carrier_claim (order_no, fulfilment_id, amount_minor, currency, filed_by)
        values (order_no_of('{GONE}'), '{GONE}:1', 500, 'USD', 'ann')"""


def exchange(mode: str = "standard", paid: str = "5, null, null", of: str = HERE) -> str:
    """An exchange of a return, which pays for another order."""
    return f"""
        insert into exchange (order_no, return_id, exchange_no, mode, currency, tender_minor,
                              settled_minor, settled_at)
        select order_no, return_id, order_no_of('{of}'), '{mode}', 'USD', {paid}
        from order_return limit 1"""


def payback(amount: int = 5) -> str:
    return f"""
        insert into exchange_payback (order_no, payment_key, return_id, returned_key, amount_minor)
        select order_no, 'k', return_id, 'r', {amount} from order_return limit 1"""


def asked(change: str) -> str:
    return f"{carrier_claim()}; update carrier_claim set {change}"


def claim_line(line_id: str = "1") -> str:
    return f"""
        insert into claim_line (order_no, claim_id, line_id, quantity)
        values (order_no_of('{GONE}'), '{GONE}:C1', '{line_id}', 1)"""


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
        select 'sandbox', '2026-11-24'::date, 'key', {kind}, null, '', {remedy}, {resolution},
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
    return f"update fulfilment set {change} where order_no = order_no_of('{order_id}')"


def credit(change: str) -> str:
    """An account with 10, 4 of them authorized; 2 more were spent, 1 was put back; a change."""
    return f"""
        insert into credit_account values ('A', 'C-1', 'main', 'USD', 10, 4);
        insert into credit_authorization values ('H', 'A', '{HERE}', 6, 2, 1);
        {change}"""


def coded(figures: str) -> str:
    """A gift card: its id, what is kept of its code, and the code's end."""
    return f"""
        insert into credit_account (seller, currency, kind, account_id, code_digest, code_end)
        values ('main', 'USD', 'gift_card', {figures});"""


def credited(figures: str) -> str:
    """An operation: key, kind, account, authorization, order, reference, amount, code."""
    return f"""
        insert into credit_operation (request, currency, who, why,
            key, kind, account_id, authorization_id, order_id, reference, amount_minor, code)
        values ('', 'USD', '', null, {figures});"""


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
        insert into item (sku) values ('{sku}'), ('{part}') on conflict do nothing;
        insert into kit (sku) values ('{sku}');
        insert into kit_part (kit, part, units) values ('{sku}', '{part}', {units})"""


def lane(figures: str) -> str:
    return f"insert into lane values ('main', 'DE', '', '*', {figures})"


def item(told: str) -> str:
    return f"insert into item values ('NEW', true, 'new', {told})"


def waiting(figures: str = "1, now(), 1, '{}', null, null") -> str:
    return f"""
        insert into backorder (order_no, line_id, sku, quantity, received_at, round, barred,
                               promised_leave, promised_on)
        values (order_no_of('{HERE}'), '1', 'TEA', {figures})"""


def soft_reserved(holder: str = "'b', null, null", rest: str = "1, now()") -> str:
    return f"""
        {waiting()};
        insert into soft_reservation
            (basket, order_no, line_id, sku, location, quantity, expires_at)
        values ({holder}, 'TEA', 'main', {rest})"""


def purchase(line: str = "'TEA', 'main', 5, 5, 0, 0, 0, 1, 1", order: str = "'sent'") -> str:
    """A purchase order with a line: sku, location, quantity, receivable, received, cancelled, …"""
    return f"""
        insert into supplier values ('S', 'S');
        insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-1', 'S', 'main', 'EUR', {order}, false, '{{}}');
        insert into purchase_order_line
            (po_id, sku, location, quantity, receivable, received, cancelled, shipped, unit_price,
             lead_time_days, due_on)
        values ('PO-1', {line}, '2026-12-01')"""


def request_key(told: str = "'k', 201") -> str:
    return f"""
        insert into request_key (key_id, path, digest, key, status)
        values ('abcdefghij12', 'POST /v1/orders', 'd', {told})"""


def signing_secret(secret: str = "s" * 32) -> str:
    return f"insert into signing_secret values ('cursors', '{secret}')"


def page_key(secret: str = "s" * 32, number: int = 1) -> str:
    return f"insert into page_key values ({number}, '{secret}')"


def a_shop(kind: str = "'generic'", secrets: str = "'{12345678}'") -> str:
    return f"""insert into shop (channel, kind, secrets, connected_by)
               values ('web', {kind}, {secrets}, 'test')"""


NO_TEXTS = "'{}'"


def contact(credentials: str = "'{12345678}'") -> str:
    return f"""insert into shop_contact (channel, address, credentials)
               values ('web', 'https://shop.example', {credentials})"""


def shop_parcel(state: str = "'due'", done_at: str = "null") -> str:
    return f"""insert into shop_parcel (order_no, fulfilment_id, channel, state, done_at)
               values (1, 'web-1:1', 'web', {state}, {done_at})"""


def shop_message(body: str = "'{}'", processed_at: str = "null", outcome: str = "null") -> str:
    return f"""
        insert into shop_message (channel, message_id, topic, body, sent_at, processed_at, outcome)
        values ('web', 'm1', 'order', {body}, now(), {processed_at}, {outcome})"""


def a_trading_partner(
    partner: str = "acme",
    *,
    channel: str = "'web'",
    supplier: str = "null",
    address: str = "here",
    control: int = 0,
) -> str:
    return f"""insert into edi_partner
        (partner, definition, channel, supplier_id, address, retired, last_control, changed_by)
        values ('{partner}', '{{}}', {channel}, {supplier}, '{address}', false, {control},
                'test')"""


def an_interchange(direction: str = "'out'", partner: str = "'acme'") -> str:
    return f"""insert into edi_interchange (direction, partner, control, source)
               values ({direction}, {partner}, '1', 'test')"""


def an_edi_document(
    interchange: int | None = None, *, place: int = 0, state: str = "done", subject: str = "null"
) -> str:
    number = "(select max(interchange_no) from edi_interchange)"
    return f"""insert into edi_document
        (interchange_no, place, direction, partner, code, group_control, set_control, state,
         subject)
        values ({number if interchange is None else interchange}, {place}, 'out', 'acme', '855',
                '1', '0001', '{state}', {subject})"""


def an_edi_bill(po_id: str = "PO-1") -> str:
    return f"""insert into edi_bill (partner, number, po_id, units, total)
               values ('mill', 'I-1', '{po_id}', '{{}}', 1)"""


def an_edi_order() -> str:
    return "insert into edi_order (order_id, partner, asked) values ('web-1', 'acme', '{}')"


def carrier_message(body: str = "'{}'", processed_at: str = "null", outcome: str = "null") -> str:
    return f"""
        insert into carrier_message (sender, message_id, body, processed_at, outcome)
        values ('dhl', 'm1', {body}, {processed_at}, {outcome})"""


JOB = "job_" + "a" * 20


def a_job(**columns: str) -> str:
    """A job, with other columns."""
    told = {"job_id": f"'{JOB}'", "kind": "'export_stock'", "made_by": "'x'"} | columns
    return f"insert into job ({', '.join(told)}) values ({', '.join(told.values())})"


def job_item(**columns: str) -> str:
    told = {"job_id": f"'{JOB}'", "number": "1", "content": "'{}'"} | columns
    item = f"insert into job_item ({', '.join(told)}) values ({', '.join(told.values())})"
    return f"{a_job()}; {item}"


def job_part(number: int = 1, since: str = "null") -> str:
    return f"""{a_job()};
        insert into job_part (job_id, number, content, since)
        values ('{JOB}', {number}, '', {since})"""


def message(state: str = "'planned'") -> str:
    return (
        f"insert into message (order_no, event_id, kind, state) values (1, 1, 'shipped', {state})"
    )


def message_template(seller: str = "main") -> str:
    return f"""
        insert into message_template (seller, kind, language, source, set_by)
        values ('{seller}', 'shipped', 'en', 'x', 'x')"""


def subscription(secrets: str = "'{x}'", state: str = "'active'", why: str = "null") -> str:
    return f"""
        insert into event_subscription (subscription_id, url, secrets, state, why, made_by, cursor)
        values ('S', 'https://x.example', {secrets}, {state}, {why}, 'x', 0)"""


def delivery(*some: str) -> str:
    rows = ", ".join(f"('S', 't', now(), {one})" for one in some)
    return f"""{subscription()};
        insert into event_delivery (subscription_id, type, at, state, position) values {rows}"""


def api_key(told: str = "'{orders:read}', null, null, 1", **rest: str) -> str:
    """Scopes, channels, sellers, requests a minute; and other columns."""
    columns = "".join(f", {name}" for name in rest)
    values = "".join(f", {value}" for value in rest.values())
    return f"""
        insert into api_key (key_id, name, made_by, scopes, channels, sellers, per_minute{columns})
        values ('abcdefghij12', 'n', 'x', {told}{values})"""


def staff(login: str = "anna", roles: str = "{agent}", **rest: str) -> str:
    columns = "".join(f", {name}" for name in rest)
    values = "".join(f", {value}" for value in rest.values())
    return f"""
        insert into staff (login, name, made_by, roles{columns})
        values ('{login}', 'n', 'x', '{roles}'{values})"""


def saved_view(query: str = "'sku=TEA'") -> str:
    return f"insert into saved_view (login, name, query) values ('anna', 'mine', {query})"


def staff_session(digest: str = "sha256('a')", means: str = "password", ended: str = "null") -> str:
    return f"""
        insert into staff_session (digest, login, means, ends_at, ended_at)
        values ({digest}, 'anna', '{means}', now(), {ended})"""


def task_care(assigned_to: str = "null", by: str = "'x'", until: str = "null") -> str:
    return f"""
        insert into task_care (kind, subject, name, assigned_to, assigned_by, assigned_at,
                               snoozed_until)
        values ('hold', 'web-1', 'H1', {assigned_to}, {by}, now(), {until})"""


def staff_try(digest: str = "sha256('a')", wrong: int = 1) -> str:
    return f"insert into staff_try (login_digest, wrong) values ({digest}, {wrong})"


def bin_(bin: str = "A-1", location: str = "main") -> str:
    return f"insert into bin (location, bin) values ('{location}', '{bin}')"


def bin_item(sku: str = "TEA", bin: str = "A-1") -> str:
    return f"insert into bin_item (location, sku, bin) values ('main', '{sku}', '{bin}')"


def item_code(code: str = "1", sku: str = "TEA") -> str:
    return f"insert into item_code (code, sku) values ('{code}', '{sku}')"


def scan_run(kind: str = "pick", location: str = "main", number: str = "default") -> str:
    return f"""
        insert into scan_run (run_no, kind, location, login, who, state)
        overriding system value
        values ({number}, '{kind}', '{location}', 'anna', 'Anna (anna)', '{{}}')"""


def scan_run_part(run_no: int = 7) -> str:
    return f"insert into scan_run_part (part_id, run_no) values ('web-1:1', {run_no})"


def manifest(location: str = "main") -> str:
    return f"""
        insert into manifest (manifest_no, location, carrier, who, parcels)
        values (7, '{location}', 'bike', 'anna', '[]')"""


def scan_place(location: str = "main") -> str:
    return f"insert into scan_place (login, location) values ('anna', '{location}')"


def key_secret(digest: str = "sha256('a')", ends_at: str = "null") -> str:
    return f"""
        insert into api_key_secret (key_id, digest, made_by, ends_at)
        values ('abcdefghij12', {digest}, 'x', {ends_at})"""


CODE = "'TEA', 'main', 'A'"


def licence(values: str) -> str:
    """A code: SKU, location, text."""
    return f"insert into licence (sku, location, code) values ({values})"


def supplier_parcel(values: str = f"order_no_of('{HERE}'), '1', 'n', null, null") -> str:
    """What a supplier has sent: order, line, notice, carrier, number."""
    return f"insert into supplier_parcel values ({values})"


def interception(values: str, number: str = "1") -> str:
    """What a carrier was asked to do with each parcel: request, way, answer, fee, currency."""
    return f"""
        insert into interception (
            order_no, fulfilment_id, number, request_id, way, answer, fee_minor, currency)
        select order_no, fulfilment_id, {number}, {values} from shipment"""


def outside_work(change: str = "attempt = 1") -> str:
    """What a workshop does with a parcel that is on its way, with this change."""
    return f"""
        insert into outside_work (order_no, fulfilment_id)
        select order_no, fulfilment_id from shipment;
        update outside_work set {change}"""


def appointment(missed: int = 0) -> str:
    return f"""
        insert into appointment (order_no, fulfilment_id, missed)
        values (order_no_of('{HERE}'), '{HERE}:1', {missed})"""


def terms(figures: str) -> str:
    return f"""
        insert into supplier values ('S', 'S');
        insert into supplier_item values ('TEA', 'S', {figures}, 'EUR', 100)"""


def operation(change: str) -> str:
    return f"update payment_operation set {change} where kind = 'capture'"


def authorization(change: str) -> str:
    return f"update payment_authorization set {change}"


def refund(figures: str = "'return', 1, 0, 0, 0, 1, 0") -> str:
    """Kind; goods, tax, shipping and tax on it; credited; issued."""
    return f"""
        insert into refund (refund_id, order_no, kind, goods_minor, tax_minor, shipping_minor,
                            shipping_tax_minor, credited_minor, issued_minor, currency, reason, who)
        values ('{GONE}:R2', order_no_of('{GONE}'), {figures}, 'USD', '', '')"""


def order_note(note_no: int = 1, number: str = "1") -> str:
    return f"""
        insert into order_note (order_no, note_no, note, who, pinned)
        values ({number}, {note_no}, 'n', 'x', false)"""


def order_version(version: int = 1, request_id: str = "r1") -> str:
    return f"""
        insert into order_version (order_no, version, document, total_minor, request_id, changes,
                                   reason, who)
        values (order_no_of('{HERE}'), {version}, '{{}}', 1, '{request_id}', '[]', '', '')"""


HOLD_RULE = "insert into hold_rule (rule, document, changed_by) values ('large', '{}', '')"


def hold_listing(kind: str = "'email'", digest: str = "sha256('x')") -> str:
    return f"""
        insert into hold_listing (list, kind, digest, added_by)
        values ('blocked', {kind}, {digest}, '')"""


def order_hold(told: str = "'payment', null, null", deadline: str = "null, null") -> str:
    return f"""
        insert into order_hold (order_no, hold_id, note, owner, who,
                                reason, released_at, released_by, until, at_end)
        values (order_no_of('{HERE}'), 'P1', '', 'anna', '', {told}, {deadline})"""


def document(times: int = 1, **changes: str) -> str:
    values = {
        "number": "'INV-1'",
        "seller": "'main'",
        "kind": "'invoice'",
        "series": "'INV-'",
        "year": "2001",
        "running": "1",
        "order_no": f"order_no_of('{HERE}')",
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


def counter(kind: str, numbers: str, last_on: str = "2001-02-03") -> str:
    return f"insert into document_counter values ('main', {kind}, '', 2001, {numbers}, '{last_on}')"


CASTS = {"content": "::jsonb", "issued_on": "::date"}


# What no statement may do, by the constraint that forbids it.
FORBIDDEN = {
    "figure_is_known": "insert into day_figure values ('main', '2026-11-20', 'guesses', '', '', 1)",
    "loss_is_below_zero": (
        "insert into day_loss values ('main', '2026-11-20', 1, 'web', 'USD', 0, 1, 0, 0, 0)"
    ),
    "customer_is_known_once": "insert into customer (key) select key from customer limit 1",
    "customer_is_merged_into_another": (
        "insert into customer_merge (customer_no, into_no, who, why) "
        "select customer_no, customer_no, 'x', 'x' from customer limit 1"
    ),
    "only_another_customer_takes_one_in": "update customer set into_no = customer_no",
    "erased_customer_is_merged_into_none": (
        "with other as (insert into customer (key) values ('id:x') returning customer_no) "
        "update customer c set key = 'erased:1', erased_at = now(), into_no = other.customer_no "
        "from other"
    ),
    "undone_merge_says_by_whom_and_why": (
        "with other as (insert into customer (key) values ('id:x') returning customer_no) "
        "insert into customer_merge (customer_no, into_no, who, why, undone_at) "
        "select c.customer_no, other.customer_no, 'x', 'x', now() from customer c, other limit 1"
    ),
    "customer_is_merged_once_at_a_time": (
        "with other as (insert into customer (key) values ('id:x') returning customer_no) "
        "insert into customer_merge (customer_no, into_no, who, why) select c.customer_no, "
        "other.customer_no, 'x', 'x' from (select customer_no from customer limit 1) c, other, "
        "generate_series(1, 2)"
    ),
    "contact_is_of_a_known_kind": (
        "insert into customer_note (customer_no, contact, note, who) "
        "select customer_no, 'dream', 'x', 'x' from customer"
    ),
    "consent_is_of_a_known_kind": (
        "insert into customer_consent (customer_no, kind, given, how, who) "
        "select customer_no, 'anything', true, 'x', 'x' from customer"
    ),
    "change_of_a_customer_is_known": (
        "insert into customer_change (customer_no, what) values (1, 'moved')"
    ),
    "merged_customer_is_in_another": (
        "insert into customer_change (customer_no, what) values (1, 'merged')"
    ),
    "erased_customer_is_known_by_number_alone": "update customer set erased_at = now()",
    # nothing is oversold
    "allocated_is_at_most_on_hand": "update stock set on_hand = allocated - 1",
    "movement_is_of_a_known_kind": """
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        values ('x', 'TEA', 'main', 'stolen', 0, 0, '', '')""",
    "an_effect_moves_stock_once": """
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        select effect, sku, location, kind, on_hand_change, allocated_change, who, why
        from movement""",
    # what is on its way adds up, and goes somewhere
    "transfer_goes_to_another_location": transfer(to="main"),
    "arrived_and_lost_is_at_most_sent": transfer("5, 4, 2"),
    # nobody waits for a discontinued item; each backorder and soft reservation has an owner
    "discontinued_item_does_not_come_again": item("true, null, true"),
    "promised_backorder_leaves_before_it_arrives": waiting(
        "1, now(), 1, '{}', '2026-12-02', '2026-12-01'"
    ),
    "soft_reservation_is_for_a_basket_or_an_order": soft_reserved(
        f"'b', order_no_of('{HERE}'), '1'"
    ),
    "soft_reservation_is_one_row_for_its_holder": f"""
        {soft_reserved()};
        insert into soft_reservation select * from soft_reservation""",
    # a kit is made of one or more of what is kept in stock, and has none of its own
    "kit_is_no_part_of_itself": kit("BOX", part="BOX"),
    "kit_is_no_part": kit("BOX") + ";" + kit("CRATE", part="BOX"),
    "kit_is_no_stock": kit("TEA", part="CUP"),
    # one open need is ordered once, and no more is received than may be
    "one_open_purchase_for_a_need": f"""{purchase()};
        insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-2', 'S', 'main', 'EUR', 'sent', false, '{{}}');
        insert into purchase_order_line
            (po_id, sku, location, quantity, receivable, unit_price, lead_time_days, due_on)
        values ('PO-2', 'TEA', 'main', 1, 1, 1, 1, '2026-12-01')""",
    "cancelled_is_at_most_ordered": purchase("'TEA', 'main', 5, 5, 0, 6, 0, 1, 1"),
    "received_is_at_most_receivable": purchase("'TEA', 'main', 5, 6, 7, 0, 0, 1, 1"),
    "purchase_order_state_is_known": purchase(order="'lost'"),
    "purchase_order_has_its_own_number": f"""{purchase()};
        insert into purchase_order
            (po_id, number, supplier_id, location, currency, state, needs_approval, policy)
        overriding system value
        select 'PO-2', number, 'S', 'main', 'EUR', 'sent', false, '{{}}' from purchase_order""",
    "purchase_order_tells_each_effect_once": f"""{purchase()};
        insert into purchase_order_event (po_id, effect, what, who)
        values ('PO-1', 'x', '', ''), ('PO-1', 'x', '', '')""",
    "class_of_a_count_is_known": "update stock_count set class = 4",
    "demand_is_of_some_days": """insert into stock_demand (sku, location, days, total, squares)
        values ('TEA', 'main', 0, 0, 0)""",
    "lead_time_is_at_most_ten_years": terms("-1, 1, 1, 1"),
    "order_up_to_is_above_the_reorder_point": "update stock set reorder_point = 5, order_up_to = 5",
    "service_level_is_a_half_or_more_and_below_one": "update stock set service_level = 1",
    "report_is_for_an_order_or_a_purchase_order": """
        insert into wait_report (activity_id, waits_since) values ('x', now())""",
    "report_has_its_time": """
        insert into wait_report (activity_id, po_id, outcome) values ('x', 'PO-1', '{}')""",
    "only_what_was_reported_is_delivered": """
        insert into wait_report (activity_id, po_id, delivered_at) values ('x', 'PO-1', now())""",
    # promises, lanes and limits
    "promised_day_is_not_before_it_leaves": fulfilment(
        "promised_leave = '2026-12-02', promised_on = '2026-12-01'"
    ),
    "decimals_are_none_to_four": "update currency set decimals = 5",
    "limit_is_one_parcel_or_more": "update location set parcels_a_day = 0",
    "distance_is_not_negative": lane("0, 'EUR', -1, 0"),
    "transit_is_not_negative": lane("0, 'EUR', 0, -1"),
    # one order per number of its channel
    "channel_number_is_of_one_order": f"""
        insert into customer_order (order_id, channel, seller, channel_order_id, digest, policy,
                            document, currency, total_minor, placed_at)
        select 'web-other', channel, seller, channel_order_id, digest, policy, document,
               currency, total_minor, placed_at
        from customer_order where order_id = '{HERE}'""",
    "customer_order_pkey": (
        "insert into customer_order overriding system value select * from customer_order"
    ),
    "order_id_is_of_one_order": (
        "insert into customer_order overriding user value select * from customer_order"
    ),
    "order_person_pkey": "insert into order_person select * from order_person",
    "person_is_of_an_order": (
        "insert into order_person (order_no, customer_id, person) values (0, 'C1', '{}')"
    ),
    "decision_is_known": "update customer_order set decision = 'lost'",
    "state_is_known": "update customer_order set state = 'lost'",
    "fulfilment_status_is_known": "update customer_order set fulfilment_status = 'lost'",
    # every unit is somewhere, and in one place
    "units_of_a_line_are_at_one_place_each": line("cancelled = ordered"),
    "picked_is_at_most_allocated": line("picked = allocated + 1"),
    "delivered_and_lost_is_at_most_shipped": line("delivered = 1"),
    "returned_and_to_return_is_at_most_delivered": line("returned = ordered", GONE),
    "order_line_money_pkey": "insert into order_line_money table order_line_money",
    "refunded_units_are_at_most_charged": "update order_line_money set refunded = charged + 1",
    "units_on_their_way_back_are_conceded": "update order_line_money set on_way = conceded + 1",
    "only_a_customers_return_is_paid_early": (
        "update order_return set kind = 'found', fulfilment_id = order_of(return_id) || ':1', "
        "paid_early = true"
    ),
    "conceded_units_are_at_most_refunded": "update order_line_money set conceded = refunded + 1",
    "credited_units_are_at_most_invoiced": "update order_line_money set credited = invoiced + 1",
    "resent_units_are_prepaid": "update order_line_money set resent = prepaid + 1",
    "charge_pkey": "insert into charge select * from charge",
    "captured_is_at_most_charged": "update charge set captured_minor = amount_minor + 1",
    # a recalled fulfilment cannot go on
    "recalled_fulfilment_is_cancelled": fulfilment("recalled_from = 'picking'"),
    "fulfilment_state_is_known": fulfilment("state = 'somewhere'"),
    "fulfilment_line_was_asked_for": "update fulfilment_line set quantity = 0, picked = null",
    "picked_is_at_most_asked": "update fulfilment_line set picked = quantity + 1",
    # one label per fulfilment, and each event of a carrier once
    "shipment_pkey": "insert into shipment select * from shipment",
    # how goods come to the customer
    "item_handling_is_known": "update item set handling = 'thrown'",
    "line_handling_is_known": "update order_line set handling = 'thrown'",
    "fulfilment_handling_is_known": "update fulfilment set handling = 'thrown'",
    "pick_up_pkey": "insert into pick_up (order_no, fulfilment_id, code) "
    "select order_no, fulfilment_id, 'A' from shipment cross join generate_series(1, 2)",
    "pick_up_is_of_a_shipment": (
        "insert into pick_up (order_no, fulfilment_id, code) values (0, 'web-none:1', 'A')"
    ),
    "interception_pkey": f"""{interception("'a', 'return', 'asked', 0, null")};
        {interception("'b', 'return', 'asked', 0, null")}""",
    "interception_is_asked_for_once": f"""{interception("'a', 'return', 'asked', 0, null")};
        {interception("'a', 'return', 'asked', 0, null", "2")}""",
    "interception_way_is_known": interception("'a', 'away', 'asked', 0, null"),
    "interception_answer_is_known": interception("'a', 'return', 'perhaps', 0, null"),
    "interception_has_a_fee_in_a_currency": interception("'a', 'return', 'accepted', 1, null"),
    "interception_is_of_a_shipment": """
        insert into interception (order_no, fulfilment_id, number, request_id, way)
        values (0, 'web-none:1', 1, 'a', 'return')""",
    "outside_work_pkey": f"{outside_work()}; {outside_work()}",
    "outside_work_is_on_a_shipment": "insert into outside_work values (0, 'web-none:1')",
    "outside_work_is_tried": outside_work("attempt = 0"),
    "outside_work_state_is_known": outside_work("state = 'lost'"),
    "appointment_pkey": f"{appointment()}; {appointment()}",
    "appointment_is_of_a_fulfilment": "insert into appointment values (0, 'web-none:1')",
    "appointment_is_missed_or_not": appointment(-1),
    "supplier_parcel_pkey": f"{supplier_parcel()}; {supplier_parcel()}",
    "supplier_parcel_is_of_an_order_line": supplier_parcel("0, '1', 'n', null, null"),
    "supplier_parcel_has_carrier_and_number": supplier_parcel(
        f"order_no_of('{HERE}'), '1', 'n', 'dhl', null"
    ),
    "purchase_order_is_for_an_order_line": f"""{purchase()};
        update purchase_order set order_no = 0, line_id = '1'""",
    "drop_ship_is_for_an_order_line": f"{purchase()}; update purchase_order set drop_ship = true",
    "licence_is_of_an_item": licence("'NONE', 'main', 'A'"),
    "licence_is_at_a_location": licence("'TEA', 'nowhere', 'A'"),
    "licence_code_is_of_a_size": licence("'TEA', 'main', ''"),
    "licence_is_known_once": f"{licence(CODE)}; {licence(CODE)}",
    "licence_is_given_for_a_line": f"""{licence(CODE)};
        update licence
        set order_no = 0, fulfilment_id = 'web-none:1', line_id = '1', given_at = now()""",
    "given_licence_says_to_whom": f"{licence(CODE)}; update licence set given_at = now()",
    "only_a_given_licence_is_revoked": f"{licence(CODE)}; update licence set revoked_at = now()",
    "label_is_asked_for_once": f"""
        insert into shipment (fulfilment_id, order_no, label_key, label, service, sold_by)
        select '{HERE}:1', order_no_of('{HERE}'), label_key, 'requested', service, sold_by
        from shipment""",
    "bought_label_has_a_tracking_number": "update shipment set tracking_number = null",
    "label_state_is_known": "update shipment set label = 'drawn'",
    "carrier_status_is_known": "update shipment set carrier_status = 'on the moon'",
    "label_file_pkey": "insert into label_file (order_no, fulfilment_id, media_type, content) "
    "select order_no, fulfilment_id, media_type, content from label_file",
    "label_file_has_a_media_type": "update label_file set media_type = 'pdf'",
    "label_file_is_of_a_size": "update label_file set content = ''",
    "carrier_event_pkey": "insert into carrier_event select * from carrier_event",
    # a return is of something, and holds no more than was asked for
    "return_is_of_a_known_kind": "update order_return set kind = 'gift'",
    "return_state_is_known": "update order_return set state = 'forgotten'",
    "only_what_is_undeliverable_goes_out_anew": "update order_return set anew = true",
    "chased_is_not_negative": "update order_return set chased = -1",
    "refused_return_says_why": "update order_return set state = 'refused'",
    "return_has_a_known_reason": "update return_line set reason_code = 'moody'",
    "return_rule_is_for_a_seller": "insert into return_rule values ('nobody', null, null, '{}')",
    "return_rule_is_for_a_channel": "insert into return_rule values (null, 'none', null, '{}')",
    "return_rule_is_one_for_its_sales": (
        "insert into return_rule select null, null, 'food', '{}' from generate_series(1, 2)"
    ),
    "whole_parcel_is_a_fulfilment_and_nothing_else_is": (
        "update order_return set kind = 'undeliverable'"
    ),
    "received_is_at_most_what_was_asked_for": (
        "update return_line set restocked = quantity, scrapped = 1"
    ),
    "return_unit_is_in_a_known_condition": "update return_unit set condition = 'odd'",
    "return_unit_has_a_known_disposition": "update return_unit set disposition = 'sold'",
    "return_unit_is_of_a_return_line": "update return_unit set line_id = '9'",
    "return_label_pkey": "insert into return_label select * from return_label",
    "return_label_state_is_known": "update return_label set label = 'lost'",
    "return_label_is_to_a_location": "update return_label set location = 'nowhere'",
    "return_label_tries_are_not_negative": "update return_label set tries = -1",
    "return_label_has_a_known_carrier_status": "update return_label set carrier_status = 'x'",
    "return_label_is_of_a_return": (
        "insert into return_label (order_no, return_id, label_key, service, location, fee_minor) "
        f"values (order_no_of('{GONE}'), '{GONE}:R9', '', '', 'main', 0)"
    ),
    "bought_return_label_has_a_number": "update return_label set label = 'bought'",
    "return_label_file_pkey": "insert into return_label_file (order_no, return_id, media_type, "
    "content) select order_no, return_id, media_type, content from return_label_file",
    "return_label_file_has_a_media_type": "update return_label_file set media_type = 'pdf'",
    "return_label_file_is_of_a_size": "update return_label_file set content = ''",
    "return_label_file_is_of_a_label": "update return_label_file set return_id = 'web-1:R9'",
    **{
        name: f"{AT_THE_DOCK}; {change}"
        for name, change in {
            "unannounced_parcel_pkey": (
                "insert into unannounced_parcel (parcel_no, key, location, who) overriding system "
                "value select parcel_no, 'other', 'main', 'ann' from unannounced_parcel"
            ),
            "unannounced_parcel_is_told_once": AT_THE_DOCK,
            "unannounced_parcel_is_at_a_location": (
                "update unannounced_parcel set location = 'nowhere'"
            ),
            "unannounced_parcel_is_of_an_order": "update unannounced_parcel set order_no = -1",
            "parcel_asks_are_not_negative": "update unannounced_parcel set asks = -1",
            "parcel_becomes_a_return_of_its_order": (
                f"update unannounced_parcel set order_no = order_no_of('{GONE}'), return_id = 'x'"
            ),
            "settled_parcel_is_no_return": "update unannounced_parcel set note = 'done'",
            "unannounced_unit_pkey": f"{A_UNIT}; {A_UNIT}",
            "unannounced_unit_is_of_a_parcel": A_UNIT.replace("select parcel_no", "select -1"),
            "unannounced_unit_is_in_a_known_condition": A_UNIT.replace("'new'", "'odd'"),
        }.items()
    },
    "return_scan_pkey": "insert into return_scan select * from return_scan",
    "return_scan_is_of_a_label": "update return_scan set return_id = 'web-1:R9'",
    "return_unit_pkey": "insert into return_unit select * from return_unit",
    # an exchange is of a return and of another order, and pays what was agreed
    "exchange_pkey": f"{exchange()}; {exchange()}",
    "exchange_order_is_of_one_exchange": f"""
        {exchange()}; insert into order_return select order_no, return_id || '9', kind,
            fulfilment_id, state, reason from order_return limit 1;
        insert into exchange (order_no, return_id, exchange_no, mode, tender_minor, currency)
        select order_no, return_id || '9', exchange_no, mode, tender_minor, currency
        from exchange""",
    "exchange_order_is_an_order": f"{exchange()}; update exchange set exchange_no = 0",
    "exchange_mode_is_known": exchange("perhaps"),
    "exchange_is_of_a_return": f"{exchange()}; update exchange set return_id = 'none'",
    "exchange_order_is_another_order": f"{exchange()}; update exchange set exchange_no = order_no",
    "settled_exchange_has_its_time": exchange(paid="5, 5, null"),
    "exchange_pays_what_was_agreed_at_most": exchange(paid="5, 6, now()"),
    "exchange_payback_pkey": f"{exchange()}; {payback()}; {payback()}",
    "exchange_payback_is_of_an_amount": f"{exchange()}; {payback(0)}",
    "exchange_payback_is_of_an_exchange": payback(),
    # a claim is of an order, and is decided by somebody
    "claim_pkey": f"{claim()}; {claim()}",
    "claim_is_of_an_order": claim().replace(f"order_no_of('{GONE}')", "0"),
    "claim_is_of_a_known_kind": f"{claim()}; update claim set kind = 'taste'",
    "claim_wish_is_known": f"{claim()}; update claim set wish = 'more'",
    "claim_decision_is_known": decided("'perhaps', 'ann', now(), null"),
    "decided_claim_says_by_whom_and_when": decided("'refund', null, now(), null"),
    "claim_pays_only_as_a_refund": decided("'refused', 'ann', now(), 'x'"),
    "only_met_claim_is_sent_back": f"{claim()}; update claim set return_id = 'none'",
    "claim_is_sent_back_by_a_return": f"""{decided("'refund', 'ann', now(), null")};
        update claim set return_id = 'none'""",
    "claim_line_pkey": f"{claim()}; {claim_line()}; {claim_line()}",
    "claim_line_is_of_a_claim": claim_line(),
    "claim_line_is_of_an_order_line": f"{claim()}; {claim_line('9')}",
    # a carrier is asked once for each parcel, and pays no more than that
    "carrier_claim_pkey": f"{carrier_claim()}; {carrier_claim()}",
    "carrier_claim_is_of_a_shipment": carrier_claim().replace(f"'{GONE}:1'", f"'{GONE}:9'"),
    "carrier_claim_outcome_is_known": asked(
        "outcome = 'lost', decided_by = 'a', decided_at = now()"
    ),
    "carrier_claim_with_an_outcome_says_by_whom": asked("outcome = 'refused'"),
    "carrier_pays_what_was_claimed_at_most": asked(
        "outcome = 'paid', decided_by = 'a', decided_at = now(), paid_minor = 501"
    ),
    "only_what_was_paid_is_given_back": asked("turned_up = 'kept'"),
    "what_became_of_the_money_is_known": asked(
        "outcome = 'paid', decided_by = 'a', decided_at = now(), paid_minor = 5, turned_up = 'lost'"
    ),
    "carrier_term_pkey": "insert into carrier_term values ('dhl', 9); "
    "insert into carrier_term values ('dhl', 9)",
    "carrier_takes_claims_for_a_day_or_more": "insert into carrier_term values ('dhl', 0)",
    "carrier_keeps_parcels_for_a_day_or_more": "insert into carrier_term values ('dhl', 9, 0)",
    # refunded ≤ captured ≤ authorized, what is under way included
    "captured_is_at_most_asked_for": "update order_money set capture_granted = captured - 1",
    "refunded_is_at_most_owed": "update order_money set refunded = refund_granted + 1",
    "owed_is_at_most_charged": "update order_money set refund_granted = charged + 1",
    "refunded_is_at_most_captured": (
        "update order_money set captured = 0, refund_granted = 1, refunded = 1 where charged > 0"
    ),
    "operation_is_of_a_known_kind": operation("kind = 'gift'"),
    "operation_state_is_known": operation("state = 'perhaps', settled_at = null"),
    "settled_operation_has_its_time": operation("settled_at = null"),
    "payment_operation_pkey": "insert into payment_operation table payment_operation",
    "authorization_has_the_key_of_its_operation": operation("kind = 'authorize'"),
    "void_is_about_an_authorization": operation("kind = 'void', authorization_key = null"),
    "operation_is_of_a_tender": operation("tender = 0"),
    "catalogue_has_one_version": "insert into catalogue_version values (false, 1)",
    # documents are numbered without a gap in each series, once for each part
    "counter_is_of_a_known_kind": counter("'receipt'", "1, 1"),
    "first_number_is_one_or_more": counter("'invoice'", "0, 0"),
    "last_number_is_not_before_the_first": counter("'invoice'", "7, 6"),
    "last_number_is_of_its_year": counter("'invoice'", "1, 1", "2002-02-03"),
    "document_is_of_a_known_kind": document(kind="'receipt'"),
    "number_is_one_or_more": document(running="0"),
    "previous_is_the_number_before": document(running="3", previous="1"),
    "document_is_issued_in_its_year": document(issued_on="'2002-02-03'"),
    "each_part_is_documented_once": document(2, number="n::text", series="n::text"),
    "each_number_of_a_series_is_given_once": document(2, part_id="n::text", number="n::text"),
    "number_is_of_one_document_of_its_seller": document(
        2, part_id="n::text", running="n", previous="nullif(n - 1, 0)"
    ),
    "series_begins_once": document(2, part_id="n::text", number="n::text", running="n"),
    # store credit: 0 ≤ held ≤ balance, refunded ≤ captured ≤ held, and every operation once
    "customer_has_one_account_for_a_currency": credit(
        "insert into credit_account values ('B', 'C-1', 'main', 'USD')"
    ),
    "credit_account_is_of_a_known_kind": credit("update credit_account set kind = 'coupon'"),
    "store_credit_is_a_customers_and_has_no_code": credit(
        "update credit_account set customer_id = null"
    ),
    "a_code_is_of_one_account": coded("'B', 'd', 'WXYZ'") + coded("'C', 'd', 'WXYZ'"),
    "code_has_its_end": coded("'B', 'd', null"),
    "authorized_credit_is_at_most_the_balance": credit(
        "update credit_account set authorized_minor = 11"
    ),
    "credit_authorization_is_of_an_amount": credit(
        "insert into credit_authorization values ('I', 'A', 'web-here', 0)"
    ),
    "captured_credit_is_at_most_authorized": credit(
        "update credit_authorization set captured_minor = 7"
    ),
    "refunded_credit_is_at_most_captured": credit(
        "update credit_authorization set refunded_minor = 3"
    ),
    "voided_credit_releases_the_rest": credit("update credit_authorization set voided = true"),
    "credit_operation_is_of_a_known_kind": credit(
        credited("'k', 'gift', 'A', null, null, 'r', 1, null")
    ),
    "a_key_is_one_credit_operation": credit(
        credited(f"'k', {GIVEN}, 'r', 1, null") + credited(f"'k', {GIVEN}, 's', 1, null")
    ),
    "a_reference_is_one_credit_operation": credit(
        credited(f"'k', {GIVEN}, 'r', 1, null") + credited(f"'l', {GIVEN}, 'r', 1, null")
    ),
    "credit_operation_moves_something": credit(credited(f"'k', {GIVEN}, 'r', 0, null")),
    "credit_operation_is_an_effect_or_a_refusal": credit(
        credited("'k', 'capture', 'A', null, null, 'r', 1, null")
    ),
    # what does not agree on a company's day is kept once, until it is closed
    "matched_is_at_most_listed": A_DAY.format(matched=2, state="clean"),
    "reconciliation_state_is_known": A_DAY.format(matched=1, state="perhaps"),
    "difference_is_of_a_known_class": difference(kind="'taste'"),
    "remedy_is_known": difference(remedy="'hope'"),
    "resolution_is_known": difference(resolution="'lost'", closed="now()"),
    "difference_is_there_on_a_side": difference(ours="null::jsonb"),
    "difference_that_is_not_open_has_an_end": difference(resolution="'mended'"),
    "difference_is_kept_once": difference(times=2),
    # a dispute is about something, and about an order or none
    "dispute_is_about_an_amount": dispute("amount_minor", "0"),
    "dispute_state_is_known": dispute("state", "'undecided'"),
    "dispute_of_an_order_is_about_a_payment": dispute("order_no", f"order_no_of('{HERE}')"),
    "tender_is_one_or_more": authorization("tender = 0"),
    # the same of each authorization; and only of those
    "captures_and_releases_are_at_most_the_authorization": authorization(
        "capture_granted = amount_minor + 1"
    ),
    "authorization_of_the_whole_is_of_no_part": authorization("whole = true, part_of = 'web-1:1'"),
    "captured_by_it_is_at_most_asked_for": authorization("captured = capture_granted + 1"),
    "refunds_by_it_are_at_most_captured": authorization("refund_granted = captured + 1"),
    "refunded_by_it_is_at_most_asked_for": authorization("refunded = refund_granted + 1"),
    "captures_and_releases_are_at_most_authorized": (
        "update order_money set released = authorized - capture_granted + 1"
    ),
    # no more is given back than is owed, and no part of it is negative
    "refund_pkey": f"{refund()}; {refund()}",
    "refund_is_of_a_known_kind": refund("'gift', 1, 0, 0, 0, 0, 0"),
    "credited_is_at_most_granted": refund("'return', 1, 2, 3, 4, 11, 0"),
    "issued_is_at_most_granted": refund("'return', 1, 2, 3, 4, 10, 11"),
    "came_back_is_at_most_issued": f"{refund()}; update refund set came_back_minor = 1",
    "refund_goes_a_known_way": f"{refund()}; update refund set pay_to = 'cash'",
    # who sells
    "seller_pkey": "insert into seller (seller) values ('main')",
    "seller_has_a_code": "update seller set seller = 'My Shop'",
    # where orders come from
    "channel_pkey": "insert into channel (channel, kind, seller) values ('web', 'web', 'main')",
    "channel_has_a_code": "update channel set channel = 'uk-web' where channel = 'web'",
    "channel_is_of_a_known_kind": "update channel set kind = 'fax'",
    "channel_sells_for_a_seller": "update channel set seller = 'nobody'",
    # a key may do what is in the list, and a restricted one little of what is nobody's
    "api_key_pkey": f"{api_key()}; {api_key()}",
    "key_has_an_id": f"{api_key()}; update api_key set key_id = 'Shop'",
    "key_may_do_something": api_key("'{}', null, null, 1"),
    "scope_is_in_the_list": api_key("'{orders:read,orders:all}', null, null, 1"),
    "key_for_channels_names_one": api_key("'{orders:read}', '{}', null, 1"),
    "key_for_sellers_names_one": api_key("'{orders:read}', null, '{}', 1"),
    "key_may_ask_once_a_minute": api_key("'{orders:read}', null, null, 0"),
    "key_expires_after_it_was_made": api_key(expires_at="now() - interval '1 hour'"),
    "revoked_key_says_by_whom": api_key(revoked_at="now()"),
    "restricted_key_may_nothing_of_nobodys": api_key("'{stock:write}', null, '{main}', 1"),
    "key_for_channels_has_no_books": api_key("'{accounting:read}', '{web}', null, 1"),
    "key_of_a_secret_is_known": key_secret(),
    "digest_is_a_sha_256": f"""{api_key()}; {key_secret("'a'")}""",
    "secret_ends_after_it_was_made": f"""
        {api_key()}; {key_secret(ends_at="now() - interval '1 hour'")}""",
    "key_has_one_newest_secret": f"""
        {api_key()}; {key_secret()}; {key_secret("sha256('b')")}""",
    # a request is known by its key, and only what was done is kept
    "request_key_pkey": f"""{api_key()}; {request_key()}; {request_key("'k', 202")}""",
    "request_key_is_short": f"""{api_key()}; {request_key("repeat('k', 256), null")}""",
    "only_what_was_done_is_kept": f"""{api_key()}; {request_key("'k', 409")}""",
    "signing_secret_pkey": f"{signing_secret()}; {signing_secret()}",
    "signing_secret_is_long": signing_secret("short"),
    "page_key_pkey": f"{page_key()}; {page_key()}",
    "page_keys_count_from_one": page_key(number=0),
    "page_key_is_long": page_key("short"),
    # who may sign in, and where somebody is
    "staff_pkey": f"{staff()}; {staff()}",
    "login_is_small_letters": staff("Anna"),
    "person_has_a_role": staff(roles="{}"),
    "role_is_in_the_list": staff(roles="{owner}"),
    "person_for_channels_names_one": staff(channels="'{}'"),
    "person_for_sellers_names_one": staff(sellers="'{}'"),
    "person_for_locations_names_one": staff(locations="'{}'"),
    "password_is_argon2id": staff(password="'secret'"),
    "openid_is_whole": staff(issuer="'https://id.example.com'"),
    "disabled_person_says_by_whom": staff(disabled_at="now()"),
    "staff_by_mail": f"""{staff(email="'a@b.c'")}; {staff("ben", email="'A@B.C'")}""",
    "staff_by_openid": f"""
        {staff(issuer="'i'", subject="'s'")}; {staff("ben", issuer="'i'", subject="'s'")}""",
    "saved_view_pkey": f"""
        {staff()}; {saved_view()};
        insert into saved_view (view_no, login, name, query)
        overriding system value select view_no, login, 'b', query from saved_view""",
    "view_is_of_a_person": saved_view(),
    "view_is_short": f"""{staff()}; {saved_view("repeat('a', 2001)")}""",
    "view_has_a_name_of_its_own": f"{staff()}; {saved_view()}; {saved_view()}",
    "staff_session_pkey": f"""
        {staff()}; {staff_session()};
        insert into staff_session (session_no, digest, login, means, ends_at)
        overriding system value
        select session_no, sha256('b'), 'anna', 'openid', now() from staff_session""",
    "session_has_a_token_of_its_own": f"{staff()}; {staff_session()}; {staff_session()}",
    "session_is_known_by_a_sha_256": f"""{staff()}; {staff_session("'a'")}""",
    "session_is_of_a_person": staff_session(),
    "session_began_by_known_means": f"""{staff()}; {staff_session(means="luck")}""",
    "ended_session_says_by_whom": f"""{staff()}; {staff_session(ended="now()")}""",
    "task_care_pkey": f"{task_care()}; {task_care()}",
    "task_is_of_a_person": task_care(assigned_to="'nobody'"),
    "assigned_task_says_by_whom": task_care(by="null"),
    "snoozed_task_says_by_whom_and_why": task_care(until="now()"),
    "staff_try_pkey": f"{staff_try()}; {staff_try()}",
    "tries_are_known_by_a_sha_256": staff_try("'a'"),
    "wrong_tries_are_counted": staff_try(wrong=0),
    # the floor
    "bin_pkey": f"{bin_()}; {bin_()}",
    "bin_is_at_a_location": bin_(location="none"),
    "bin_has_a_name": bin_(""),
    "bin_item_pkey": f"{bin_()}; {bin_item()}; {bin_item()}",
    "bin_item_is_of_an_item": f"""{bin_()}; {bin_item("NONE")}""",
    "bin_item_is_in_a_bin": bin_item(),
    "item_code_pkey": f"{item_code()}; {item_code()}",
    "item_code_is_of_a_size": item_code(""),
    "item_code_is_of_an_item": item_code(sku="NONE"),
    "manifest_pkey": f"{manifest()}; {manifest()}",
    "manifest_is_of_a_location": manifest("none"),
    "parcel_weighs_something": "update fulfilment set grams = 0",
    "shipment_weighs_something": "update shipment set grams = 0",
    "scan_place_pkey": f"{scan_place()}; {scan_place()}",
    "scan_place_is_a_location": scan_place("none"),
    "scan_run_of_request": f"""{scan_run(number="7")}; {scan_run(number="8")};
        update scan_run set request_id = 'x'""",
    "scan_run_pkey": f"""{scan_run(number="7")}; {scan_run(number="7")}""",
    "scan_run_kind_is_a_word": scan_run("A kind"),
    "scan_run_is_at_a_location": scan_run(location="none"),
    "scan_run_part_pkey": f"""{scan_run(number="7")}; {scan_run_part()}; {scan_run_part()}""",
    "scan_run_part_is_of_a_run": scan_run_part(),
    # who is told of what, and what was told
    "member_is_a_customer": (
        "insert into customer_segment_member (customer_no, segment) values (9, 'all')"
    ),
    "customer_segment_member_pkey": (
        "insert into customer_segment_member (customer_no, segment) "
        "select customer_no, 'all' from customer, generate_series(1, 2)"
    ),
    "customer_segment_look_pkey": "insert into customer_segment_look default values",
    "there_is_one_look": "update customer_segment_look set only_one = false",
    "segment_of_a_change_is_named": (
        "insert into customer_change (customer_no, what) values (1, 'segment_left')"
    ),
    "event_is_of_an_order_or_a_customer": (
        "insert into event_out (position, order_no, customer_no, event_id, type, at) "
        "values (1, 1, 1, 1, 't', now())"
    ),
    "customer_change_forgotten_pkey": "insert into customer_change_forgotten default values",
    "one_change_was_forgotten_last": "update customer_change_forgotten set only_one = false",
    "event_sequence_pkey": "insert into event_sequence default values",
    "there_is_one_sequence": "update event_sequence set only_one = false",
    "subscription_has_one_to_three_secrets": subscription("'{}'"),
    "subscription_state_is_known": subscription(state="'asleep'"),
    "active_subscription_needs_no_reason": subscription(why="'x'"),
    "disabled_subscription_says_since_when": subscription(state="'disabled'", why="'x'"),
    "delivery_state_is_known": delivery("'lost', 1"),
    "delivery_is_of_an_event_or_a_test": delivery("'test', 1"),
    "event_is_delivered_once_to_a_subscription": delivery("'dead', 1", "'waiting', 1"),
    # trading partners, and what goes between them and us
    "partner_orders_through_a_channel": a_trading_partner(channel="'nowhere'"),
    "partner_is_a_supplier": a_trading_partner(channel="null", supplier="'nobody'"),
    "partner_is_a_customer_or_a_supplier": a_trading_partner(channel="null"),
    "control_has_nine_digits": a_trading_partner(control=1_000_000_000),
    "edi_partner_pkey": f"{a_trading_partner()}; {a_trading_partner(address='other')}",
    "edi_partner_by_address": f"{a_trading_partner()}; {a_trading_partner('second')}",
    "edi_partner_by_supplier": f"""insert into supplier values ('mill', 'Mill');
        {a_trading_partner(channel="null", supplier="'mill'")};
        {a_trading_partner("second", address="other", channel="null", supplier="'mill'")}""",
    "interchange_comes_or_goes": an_interchange("'away'"),
    "interchange_goes_to_a_partner": an_interchange("'out'", partner="null"),
    "edi_control_is_given_once": f"{an_interchange()}; {an_interchange()}",
    "document_is_in_an_interchange": an_edi_document(0),
    "document_state_is_known": f"{an_interchange()}; {an_edi_document(state='lost')}",
    "document_has_its_place": f"{an_interchange()}; {an_edi_document()}; {an_edi_document()}",
    "edi_document_goes_once": f"""{an_interchange()}; {an_edi_document(subject="'855:1'")};
        {an_edi_document(place=1, subject="'855:1'")}""",
    "bill_is_for_a_purchase_order": an_edi_bill("nothing"),
    "edi_bill_pkey": f"{purchase()}; {an_edi_bill()}; {an_edi_bill()}",
    "edi_order_pkey": f"{an_edi_order()}; {an_edi_order()}",
    # what customers are told
    "message_reading_pkey": "insert into message_reading default values",
    "there_is_one_message_reading": "update message_reading set only_one = false",
    "message_pkey": f"{message()}; {message()}",
    "message_state_is_known": message("'lost'"),
    "message_that_is_sent_says_when": message("'sent'"),
    "message_that_is_being_sent_has_a_holder": message("'sending'"),
    "template_is_of_a_seller": message_template("nobody"),
    "message_template_pkey": f"{message_template()}; {message_template()}",
    # shops, and what they have sent
    "shop_is_of_a_known_kind": a_shop("'market'"),
    "shop_has_one_to_three_secrets": a_shop(secrets="'{}'"),
    "carrier_message_is_kept_once": f"{carrier_message()}; {carrier_message()}",
    "carrier_body_goes_when_it_is_processed": carrier_message(
        processed_at="now()", outcome="'1 new'"
    ),
    "carrier_outcome_is_told_when_it_is_processed": carrier_message("null", "now()"),
    "message_is_kept_once": f"{shop_message()}; {shop_message()}",
    "body_goes_when_it_is_processed": shop_message(processed_at="now()", outcome="'placed'"),
    "outcome_is_told_when_it_is_processed": shop_message("null", "now()"),
    # long work, its items and its file
    "job_has_an_id": a_job(job_id="'job_1'"),
    "job_is_of_a_known_kind": a_job(kind="'import_dreams'"),
    "job_state_is_known": a_job(state="'lost'", begun_at="now()"),
    "job_counts_no_more_than_its_items": a_job(total="1", done="1", refused="1"),
    "job_that_waits_has_not_begun": a_job(begun_at="now()"),
    "job_that_has_ended_says_when": a_job(state="'done'", begun_at="now()"),
    "job_that_failed_says_why": a_job(state="'failed'", begun_at="now()", ended_at="now()"),
    "file_of_a_job_has_a_name_and_a_type": a_job(file_name="'a.csv'"),
    "item_is_of_a_job": job_item(job_id="'job_2'"),
    "items_are_numbered_from_one": job_item(number="0"),
    "item_outcome_is_known": job_item(outcome="'lost'", content="null"),
    "content_goes_when_its_item_is_dealt_with": job_item(outcome="'done'"),
    "refused_item_says_why": job_item(outcome="'refused'", content="null"),
    "part_is_of_a_job": f"{a_job()}; insert into job_part values ('job_2', 1, '', null, null)",
    "parts_are_numbered_from_one": job_part(0),
    "part_tells_of_a_span": job_part(since="now()"),
    "contact_is_with_a_shop": contact(),
    "contact_has_one_or_two_credentials": f"{a_shop()}; {contact(NO_TEXTS)}",
    "shop_contact_pkey": f"{a_shop()}; {contact()}; {contact()}",
    "parcel_state_is_known": shop_parcel("'lost'", "now()"),
    "parcel_is_done_at_a_time": shop_parcel("'told'"),
    "shop_parcel_pkey": f"{shop_parcel()}; {shop_parcel()}",
    "level_is_of_a_contact": "insert into shop_level (channel, sku) values ('web', 'TEA')",
    # a request makes one version, and each version has its number
    "note_is_on_an_order": order_note(number="0"),
    "notes_count_from_one": order_note(note_no=0),
    "order_note_pkey": f"{order_note()}; {order_note()}",
    "order_version_pkey": f"{order_version()}; {order_version(request_id='r2')}",
    "versions_count_from_one": order_version(0),
    "a_request_changes_an_order_once": f"{order_version()}; {order_version(2)}",
    # a hold that was released says by whom
    "order_hold_pkey": f"{order_hold()}; {order_hold()}",
    "hold_has_a_known_reason": order_hold("'mood', null, null"),
    "released_hold_says_by_whom": order_hold("'payment', now(), null"),
    "listed_kind_is_known": hold_listing("'mood'"),
    "listed_digest_is_whole": hold_listing("'email'", "'x'"),
    "hold_rule_pkey": f"{HOLD_RULE}; {HOLD_RULE}",
    "hold_listing_pkey": f"{hold_listing()}; {hold_listing()}",
    "only_a_rule_has_an_address_checked": f"""
        {order_hold()}; update order_hold set check_until = now()""",
    "hold_id_says_for_what": order_hold("'address', null, null"),
    "deadline_of_a_hold_has_an_end": order_hold(deadline="now(), null"),
    "hold_ends_in_a_known_way": order_hold(deadline="now(), 'sometime'"),
    # an effect is booked, told and raised once
    "an_effect_is_booked_once": """
        insert into journal_entry (effect, order_no, memo)
        select effect, order_no, memo from journal_entry""",
    "posting_moves_something": """
        insert into posting select entry_id, 'disputes', 0, 'USD' from journal_entry""",
    "account_is_in_the_chart": """
        insert into posting select entry_id, 'gifts', 1, 'USD' from journal_entry""",
    # a day that is not over is not closed
    "closed_day_is_over": """
        insert into closing (seller, through, who)
        values ('main', (clock_timestamp() at time zone 'UTC')::date, 'x')""",
    "closed_balance_is_not_zero": """
        insert into closed_balance values ('main', '2001-02-03', 'revenue', 'USD', 0)""",
    # what is ours is never less than nothing, and neither is what it has cost
    "inventory_posting_is_of_units": """
        insert into inventory_posting select entry_id, 'TEA', '', 0, 'USD', 1 from journal_entry""",
    "inventory_posting_moves_value": """
        insert into inventory_posting select entry_id, 'TEA', '', 1, 'USD', 0 from journal_entry""",
    "effect_pkey": "insert into effect select * from effect",
    "only_the_end_has_a_time": "update effect set ended_at = now()",
    "attention_is_raised_once_at_a_time": f"""
        insert into attention (order_no, step, reason, since)
        values (order_no_of('{HERE}'), 'pick', 'a', now()),
               (order_no_of('{HERE}'), 'pick', 'b', now() + interval '1 hour')""",
}

# These cannot be broken without breaking another of them first.
IMPLIED = {
    "purchase_order_goes_to_one_location": "purchase_order_pkey",
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
        where connamespace = 'public'::regnamespace and contype in ('c', 'u') and contypid = 0
        union
        select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indisunique and not i.indisprimary and c.relnamespace = 'public'::regnamespace
        """
    )
    assert {row[0] for row in rows} - set(FORBIDDEN) == set(IMPLIED)


DOMAINS = {
    "currency_is_three_capital_letters": ("currency_code", "'usd'"),
    "amount_is_not_negative": ("minor_units", "-1"),
    "unit_price_is_fine_enough": ("unit_price", "0.0000001"),
    "number_of_units_is_not_negative": ("units", "-1"),
    "number_of_units_is_positive": ("some_units", "0"),
    "text_is_not_empty": ("some_text", "''"),
}


@pytest.mark.parametrize("name", DOMAINS)
async def test_a_domain_forbids(conn: Connection, name: str) -> None:
    domain, value = DOMAINS[name]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await conn.execute(f"select ({value})::{domain}")
    assert refused.value.constraint_name == name


# Amounts that may be negative, and sums of what cannot be.
SIGNED = {
    # What the books have: a balance can stand on either side.
    *(f"day_loss.{name}_minor" for name in ("day", "sold", "refunds", "cost", "others", "result")),
    "posting.amount_minor",
    "closed_balance.amount_minor",
    "inventory_posting.value_minor",
    "refund.amount_minor",
    "document.amount_minor",
    "document.rounding_minor",
}


async def test_amounts_and_currencies_are_of_their_domains(conn: Connection) -> None:
    rows = await conn.fetch(
        """
        select c.relname || '.' || attname as name, atttypid::regtype::text as type
        from pg_attribute join pg_class c on c.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
          and (attname ~ '_minor$' or attname ~ 'currency$')
        """
    )
    types = {row["name"]: row["type"] for row in rows}
    assert len(types) > 40
    for name, type_name in types.items():
        expected = "currency_code" if name.endswith("currency") else "minor_units"
        assert type_name == ("bigint" if name in SIGNED else expected), name


async def test_every_rule_has_a_name_of_its_own(conn: Connection) -> None:
    """Not one that PostgreSQL made of table and column: keys and not-nulls have those."""
    made = await conn.fetch(
        """
        select conname from pg_constraint
        where connamespace in ('public'::regnamespace, 'sandbox'::regnamespace)
          and contype in ('c', 'f', 'u') and conname ~ '_(check|fkey|key)[0-9]*$'
        """
    )
    assert [row[0] for row in made] == []


async def test_units_and_claims_belong_to_what_exists(conn: Connection) -> None:
    for orphan in (
        "insert into stock (sku, location) values ('TEA', 'nowhere')",
        "insert into stock (sku, location) values ('NEW', 'main')",
        "update reservation set location = 'nowhere'",
        "update fulfilment_line set line_id = 'none'",
        operation(f"order_no = order_no_of('{HERE}')"),  # an authorization is of the same order
        "insert into journal_entry (seller, effect, order_no, memo) values ('main', 'x', 0, 'x')",
        "insert into document_counter values ('nobody', 'invoice', '', 0, 1, 1, '2001-02-03')",
        "insert into closing values ('nobody', '2001-02-03', '2001-02-04', 'x')",
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
    "closed_balance": "amount_minor = 2",
    "purchase_order_event": "what = 'x'",
}


@pytest.mark.parametrize("table", FOR_EVER)
@pytest.mark.parametrize("change", ["delete from {}", "update {} set {}", "truncate {} cascade"])
async def test_what_happened_can_be_neither_changed_nor_deleted(
    conn: Connection, table: str, change: str
) -> None:
    if table in ("closing", "closed_balance"):
        await conn.execute(
            "insert into closing values ('main', '2026-01-31', now(), 'x'); "
            "insert into closed_balance values ('main', '2026-01-31', 'revenue', 'USD', 1)"
        )
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
        "insert into journal_entry (effect, order_no, memo) "
        f"values ('x', order_no_of('{HERE}'), 'x')"
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
        "where conname = 'account_is_in_the_chart'"
    )
    assert sorted(re.findall(r"'(\w+)'", check)) == sorted(Account)
