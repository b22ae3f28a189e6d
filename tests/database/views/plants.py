"""Faults to be put into the books of the day that `test_audit.py` lives through.

Each says what is planted, and under which rule and about what the audit must report it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Plant:
    """A fault put into the books, and where the audit must find it."""

    sql: str
    rule: str
    subject: str
    message: str


CAPTURE: Final = "'web-closed:1:capture'"
A_DOCUMENT: Final = """
    insert into document (number, seller, kind, series, year, running, previous, order_no, part_id,
                          currency, goods_minor, tax_minor, shipping_minor, shipping_tax_minor,
                          content, issued_on)
    values ('INV-2001-00000{running}', 'main', 'invoice', 'INV-{{year}}-{{number}}', 2001,
            {running}, nullif({running} - 1, 0), order_no_of('web-closed'), 'planted-{running}',
            'USD', 5, 0, 0, 0,
            jsonb_build_object('allowance_minor', 0, 'allowance_tax_minor', 0, 'shipping_minor', 0,
                               'shipping_tax_minor', 0, 'total_minor', {total}, 'rounding_minor', 0,
                               'taxes', '[{{"net_minor": 5, "tax_minor": 0}}]'::jsonb, 'lines',
                               '[{{"net_minor": 5, "tax_minor": 0, "total_minor": 5}}]'::jsonb),
            '{day}')"""
COUNTED: Final = """
    insert into document_counter
    values ('main', 'invoice', 'INV-{{year}}-{{number}}', 2001, 1, {}, '2001-02-03')"""
INVOICE: Final = "'invoice:web-closed:1'"

PLANTS = {
    # lines
    "a state that its units do not have": Plant(
        "update customer_order set state = 'delivered' where order_id = 'web-confirmed'",
        "lines",
        "web-confirmed",
        "its state is kept as delivered, but by its units it is",
    ),
    "a total that its lines do not come to": Plant(
        "update customer_order set total_minor = total_minor + 1 where order_id = 'web-confirmed'",
        "lines",
        "web-confirmed",
        "but its lines come to",
    ),
    "a version with other lines than are ordered": Plant(
        """
        insert into order_version (order_no, version, document, total_minor, request_id, changes,
                                   reason, who)
        select order_no, 1, document, total_minor, 'r1', '[]', 'planted', 'ida'
        from customer_order where order_id = 'web-confirmed';
        update customer_order set document = jsonb_set(document, '{lines,0,quantity}', '77')
        where order_id = 'web-confirmed'""",
        "lines",
        "web-confirmed line 1",
        "its present version says 77 units",
    ),
    "money of a return that its exchange order does not have": Plant(
        """insert into order_return (order_no, return_id, kind, state, reason)
        values (order_no_of('web-closed'), 'web-closed:R9', 'customer', 'refunded', 'planted');
        insert into exchange (order_no, return_id, exchange_no, mode, tender_minor, currency,
                              settled_minor, settled_at)
        values (order_no_of('web-closed'), 'web-closed:R9', order_no_of('web-confirmed'),
                'standard', 500, 'USD', 500, now());
        insert into payment_operation (payment_key, order_no, kind, provider, amount_minor,
                                       currency, part_of, state, settled_at)
        values ('web-closed:R9:refund:exchange', order_no_of('web-closed'), 'refund', 'exchange',
                500, 'USD', 'web-closed:R9', 'succeeded', now())""",
        "money",
        "web-confirmed",
        "web-closed:R9 has paid 5.00 USD to it, but it has 0.00 USD of that",
    ),
    "a carrier's payment that was not booked": Plant(
        """insert into carrier_claim (order_no, fulfilment_id, amount_minor, currency, filed_by,
                                      outcome, paid_minor, decided_by, decided_at)
        values (order_no_of('web-closed'), 'web-closed:1', 500, 'EUR', 'ann', 'paid', 500, 'ann',
                now())""",
        "ledger",
        "web-closed",
        "carriers owe 5.00 EUR for its parcels, but 0.00 EUR is booked",
    ),
    "a carrier's fee that was not booked": Plant(
        """insert into interception (order_no, fulfilment_id, number, request_id, way, answer,
                                     fee_minor, currency)
        values (order_no_of('web-closed'), 'web-closed:1', 1, 'i1', 'return', 'accepted', 750,
                'EUR')""",
        "ledger",
        "web-closed",
        "carriers charge 7.50 EUR for parcels that they stopped, but 0.00 EUR is booked",
    ),
    "a parcel that came back and still counts as sent": Plant(
        """insert into order_return (order_no, return_id, kind, fulfilment_id, state, reason)
        values (order_no_of('web-closed'), 'web-closed:R8', 'undeliverable', 'web-closed:1',
                'closed', 'x');
        insert into return_line (order_no, return_id, line_id, sku, quantity)
        select order_no, 'web-closed:R8', line_id, sku, 1 from order_line
        where order_no = order_no_of('web-closed')""",
        "lines",
        "web-closed line 1",
        "shipped, but its claims",
    ),
    "units that were sent again by no claim": Plant(
        """insert into claim (order_no, claim_id, kind, reason, who, decision, decided_by,
                             decided_at)
        values (order_no_of('web-closed'), 'web-closed:C1', 'damaged', 'x', 'ann', 'reship', 'ann',
                now());
        insert into claim_line (order_no, claim_id, line_id, quantity)
        values (order_no_of('web-closed'), 'web-closed:C1', '1', 1)""",
        "lines",
        "web-closed line 1",
        "delivered, but its claims",
    ),
    # stock
    "units that no movement brought": Plant(
        "update stock set on_hand = on_hand + 1 where sku = 'TEA'",
        "stock",
        "TEA at main",
        "on hand, but its movements say",
    ),
    "a code without a unit of stock": Plant(
        "insert into licence (sku, location, code) values ('TEA', 'main', 'planted')",
        "stock",
        "TEA at main",
        "on hand, but there are 1 codes to sell",
    ),
    "digital goods without their codes": Plant(
        "update fulfilment set handling = 'digital' where fulfilment_id = 'web-closed:1'",
        "stock",
        "web-closed:1",
        "but 0 codes were given out for it",
    ),
    "a workshop that has done its work on what is here": Plant(
        """insert into outside_work (order_no, fulfilment_id, state)
        select order_no, fulfilment_id, 'done' from shipment where fulfilment_id = 'web-closed:1';
        update fulfilment set state = 'labelled' where fulfilment_id = 'web-closed:1'""",
        "stock",
        "web-closed:1",
        "its workshop's work is done, but it is labelled here",
    ),
    "a transfer that arrived and was not booked": Plant(
        "update transfer_line set arrived = 2",
        "stock",
        "transfer T-1, MUG",
        "2 arrived, but its movements say 1",
    ),
    "a transfer that ended before it arrived": Plant(
        "update transfer set closed_at = now()",
        "stock",
        "transfer T-1, MUG",
        "2 on their way, but its movements say 0",
    ),
    "an allocation that no movement made": Plant(
        "update stock set allocated = allocated + 1 where sku = 'TEA'",
        "stock",
        "TEA at main",
        "allocated, but its movements say",
    ),
    "a claim without an allocation": Plant(
        "update reservation set quantity = quantity + 1 where fulfilment_id = 'web-confirmed:1'",
        "stock",
        "CUP at main",
        "allocated, but",
    ),
    "a kit that is claimed without one of its parts": Plant(
        """delete from reservation
        where (fulfilment_id, line_id, sku) = ('web-confirmed:1', '3', 'TEA')""",
        "stock",
        "TEA at main",
        "allocated, but",
    ),
    "a kit that left without one of its parts": Plant(
        """update movement set on_hand_change = on_hand_change + 2
        where effect = 'ship:web-gift:1' and sku = 'TEA'""",
        "stock",
        "web-gift:1, TEA",
        "ship changes stock by -6, but its movements say -4",
    ),
    "a kit that came back as something else": Plant(
        """update reservation set sku = 'MUG'
        where (order_no, sku) = (order_no_of('web-gift'), 'CUP')""",
        "stock",
        "web-gift:R1, MUG",
        "return changes stock by 2, but its movements say 0",
    ),
    "a scrapped kit of which a part was kept": Plant(
        "delete from movement where effect = 'scrap:web-gift:R1' and sku = 'CUP'",
        "stock",
        "web-gift:R1, CUP",
        "scrap changes stock by -1, but its movements say 0",
    ),
    "goods that are said to be back at their supplier, and never left": Plant(
        """update return_line set restocked = 0, to_supplier = 1
        where return_id = 'web-returned:R1'""",
        "stock",
        "web-returned:R1, TEA",
        "supplier changes stock by -1, but its movements say 0",
    ),
    "stock that is oversold": Plant(
        """alter table stock drop constraint allocated_is_at_most_on_hand;
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        select 'planted', sku, location, 'adjusted', -on_hand, 0, 'test', 'test'
        from stock where sku = 'TEA' and location = 'main';
        update stock set on_hand = 0 where sku = 'TEA' and location = 'main'""",
        "stock",
        "TEA at main",
        "on hand",
    ),
    "more soft-reserved than there is": Plant(
        """insert into soft_reservation (basket, sku, location, quantity, expires_at)
        values ('planted', 'MUG', 'main', 99, now() + interval '1 hour')""",
        "stock",
        "MUG at main",
        "99 soft-reserved of",
    ),
    "more soft-reserved than is waited for": Plant(
        """insert into backorder
            (order_no, line_id, sku, quantity, received_at, round, barred)
        values (order_no_of('web-confirmed'), '1', 'CUP', 0, now(), 1, '{}');
        insert into soft_reservation (order_no, line_id, sku, location, quantity)
        values (order_no_of('web-confirmed'), '1', 'CUP', 'main', 1)""",
        "stock",
        "web-confirmed line 1",
        "1 soft-reserved for it, but it waits for 0",
    ),
    # lines
    "a backorder that no line counts": Plant(
        """insert into backorder
            (order_no, line_id, sku, quantity, received_at, round, barred)
        values (order_no_of('web-confirmed'), '1', 'CUP', 2, now(), 1, '{}')""",
        "lines",
        "web-confirmed line 1",
        "0 backordered, but its claims, fulfilments and returns say 2",
    ),
    "more units accounted for than were ordered": Plant(
        """alter table order_line drop constraint units_of_a_line_are_at_one_place_each;
        update order_line set cancelled = cancelled + 1
        where order_no = order_no_of('web-closed') and line_id = '1'""",
        "lines",
        "web-closed line 1",
        "ordered is not open",
    ),
    "more picked than allocated": Plant(
        """alter table order_line drop constraint picked_is_at_most_allocated;
        update order_line set picked = 9
        where order_no = order_no_of('web-picked') and line_id = '1'""",
        "lines",
        "web-picked line 1",
        "more units are picked than allocated",
    ),
    "more delivered than shipped": Plant(
        """alter table order_line drop constraint delivered_and_lost_is_at_most_shipped;
        update order_line set delivered = delivered + 1
        where order_no = order_no_of('web-closed')""",
        "lines",
        "web-closed line 2",
        "more units arrived",
    ),
    "more returned than delivered": Plant(
        """alter table order_line drop constraint returned_and_to_return_is_at_most_delivered;
        update order_line set returned = 9 where order_no = order_no_of('web-returned')""",
        "lines",
        "web-returned line 1",
        "more units are sent back",
    ),
    "more refunded than charged": Plant(
        """alter table order_line_money drop constraint refunded_units_are_at_most_charged;
        update order_line_money set refunded = charged + 1
        where order_no = order_no_of('web-closed')""",
        "lines",
        "web-closed line 1",
        "refunded ≤ charged ≤ ordered",
    ),
    "more credited than invoiced": Plant(
        """alter table order_line_money drop constraint credited_units_are_at_most_invoiced;
        update order_line_money set credited = invoiced + 1
        where order_no = order_no_of('web-closed')""",
        "lines",
        "web-closed line 1",
        "credited ≤ invoiced ≤ ordered",
    ),
    "a unit that is paid for and will never be sent": Plant(
        "update order_line_money set prepaid = 1 where order_no = order_no_of('web-closed')",
        "lines",
        "web-closed line 1",
        "more units are paid for in advance than are to come",
    ),
    "an allocation without a claim": Plant(
        "update order_line set allocated = allocated - 1 "
        "where order_no = order_no_of('web-confirmed')",
        "lines",
        "web-confirmed line 1",
        "1 allocated, but its claims, fulfilments and returns say 2",
    ),
    "a pick that no fulfilment has": Plant(
        "update order_line set picked = picked - 1 where order_no = order_no_of('web-picked')",
        "lines",
        "web-picked line 1",
        "1 picked, but",
    ),
    "picked goods that were never put back": Plant(
        """delete from order_event where effect = 'put_back:web-cancelled:1'""",
        "lines",
        "web-cancelled line 1",
        "0 picked, but its claims, fulfilments and returns say 2",
    ),
    "a shipment that no parcel carried": Plant(
        """update order_line set shipped = shipped - 1
        where order_no = order_no_of('web-shipped') and line_id = '1'""",
        "lines",
        "web-shipped line 1",
        "1 shipped, but",
    ),
    "a delivery that no parcel made": Plant(
        "update order_line set delivered = 1 "
        "where order_no = order_no_of('web-shipped') and line_id = '1'",
        "lines",
        "web-shipped line 1",
        "1 delivered, but",
    ),
    "a loss that nobody reported": Plant(
        "update order_line set lost = lost - 1 where order_no = order_no_of('web-lost')",
        "lines",
        "web-lost line 1",
        "2 lost, but its claims, fulfilments and returns say 3",
    ),
    "a lost parcel that counts as replaced, and is not": Plant(
        """update order_line set ordered = 4, shipped = 4
        where order_no = order_no_of('web-replaced')""",
        "lines",
        "web-replaced line 1",
        "4 shipped, but",
    ),
    "a return that nobody asked for": Plant(
        "update order_line set return_requested = 2 where order_no = order_no_of('web-back')",
        "lines",
        "web-back line 1",
        "2 to be returned, but",
    ),
    "a return that nobody received": Plant(
        "update order_line set returned = 1 where order_no = order_no_of('web-returned')",
        "lines",
        "web-returned line 1",
        "1 returned, but",
    ),
    "units left over in an order that is closed": Plant(
        "update customer_order set decision = 'closed' where order_id = 'web-picked'",
        "lines",
        "web-picked line 1",
        "the order is closed, but 2 are allocated",
    ),
    "a fulfilment left over in an order that is closed": Plant(
        "update customer_order set decision = 'cancelled' where order_id = 'web-shipped'",
        "lines",
        "web-shipped:1",
        "the order is cancelled, but this fulfilment is shipped",
    ),
    # money
    "more captured than authorized": Plant(
        """alter table order_money drop constraint captured_is_at_most_asked_for,
            drop constraint captures_and_releases_are_at_most_authorized;
        update order_money set captured = authorized + 1
        where order_no = order_no_of('web-closed')""",
        "money",
        "web-closed",
        "does not hold",
    ),
    "more refunded than captured": Plant(
        """alter table order_money drop constraint refunded_is_at_most_owed,
            drop constraint refunded_is_at_most_captured;
        update order_money set refunded = captured + 1
        where order_no = order_no_of('web-closed')""",
        "money",
        "web-closed",
        "does not hold",
    ),
    "a capture without a payment": Plant(
        f"delete from payment_operation where payment_key = {CAPTURE}",
        "money",
        "web-closed",
        "captured, but its payments say 0.00 USD",
    ),
    "a refund that was paid twice": Plant(
        """insert into payment_operation (payment_key, order_no, kind, amount_minor, currency,
                                       state, provider, reference, settled_at)
        select payment_key || ':2', order_no, kind, amount_minor, currency, state, provider,
               'ref_x', settled_at
        from payment where payment_key = 'web-returned:R1:refund'""",
        "money",
        "web-returned",
        "refunded, but its payments say",
    ),
    "a void that nobody asked for": Plant(
        "update order_money set voided = true where order_no = order_no_of('web-closed')",
        "money",
        "web-closed",
        "voided, without a void among its payments",
    ),
    "units that were paid back on their way, and no return of them": Plant(
        """alter table order_line_money drop constraint units_on_their_way_back_are_conceded;
        update order_line_money set on_way = 1 where order_no = order_no_of('web-closed')""",
        "money",
        "web-closed line 1",
        "1 units paid back on their way, but its charges, refunds, invoices and returns say 0",
    ),
    "a fee that was kept of a return, and that no document has": Plant(
        "update refund set kept.goods = 100 where refund_id = 'web-returned:R1'",
        "money",
        "web-returned",
        "but its charges, refunds and documents say",
    ),
    "a charge for units that are not recorded as paid for": Plant(
        """update order_line_money set charged = charged - 1
        where order_no = order_no_of('web-shipped') and line_id = '1'""",
        "money",
        "web-shipped",
        "charged and not owed back, but by the units paid for it is",
    ),
    "a charge for units that the line does not count": Plant(
        "update charge set units = '{}' where charge_id = 'web-closed:1'",
        "money",
        "web-closed line 1",
        "3 units charged, but its charges, refunds, invoices and returns say 0",
    ),
    "a line that is charged a cent more than its order": Plant(
        """update order_line_money set charged_worth.goods = (charged_worth).goods + 1
        where order_no = order_no_of('web-closed') and line_id = '1'""",
        "money",
        "web-closed",
        "its lines are charged",
    ),
    "a line of which a cent more is paid back than of its order": Plant(
        """update order_line_money set refunded_worth.tax = (refunded_worth).tax + 1
        where order_no = order_no_of('web-returned')""",
        "money",
        "web-returned",
        "its lines are refunded",
    ),
    "a line that is invoiced for a cent more than its documents say": Plant(
        """update order_line_money set invoiced_worth.shipping = (invoiced_worth).shipping + 1
        where order_no = order_no_of('web-closed') and line_id = '1'""",
        "money",
        "web-closed",
        "its lines are invoiced",
    ),
    "a charge that counts as paid and was not": Plant(
        """alter table charge drop constraint captured_is_at_most_charged;
        update charge set captured_minor = captured_minor + 1 where charge_id = 'web-closed:1'""",
        "money",
        "web-closed",
        "captured for web-closed:1, but its payments say",
    ),
    "a charge that nobody has to pay": Plant(
        "delete from charge where charge_id = 'web-closed:1'",
        "money",
        "web-closed",
        "charged, but its payments say 0.00 USD",
    ),
    "a parcel that is not paid when all is over": Plant(
        "update order_money set charged = charged + 1 where order_no = order_no_of('web-closed')",
        "money",
        "web-closed",
        "0.01 USD is still to be paid by the customer",
    ),
    "a refund of a cent too much": Plant(
        """update payment_operation set amount_minor = amount_minor + 1
        where payment_key = 'web-returned:R1:refund';
        update payment_authorization
        set refund_granted = refund_granted + 1, refunded = refunded + 1
        where authorization_key = 'web-returned:authorize';
        update refund set goods_minor = goods_minor + 1, issued_minor = issued_minor + 1
        where refund_id = 'web-returned:R1';
        update order_money set refund_granted = refund_granted + 1, refunded = refunded + 1
        where order_no = order_no_of('web-returned')""",
        "money",
        "web-returned",
        "charged and not owed back, but by the units paid for it is",
    ),
    "a refund that nobody granted": Plant(
        "delete from refund where refund_id = 'web-returned:R1'",
        "money",
        "web-returned",
        "owed back, but its payments say 0.00 USD",
    ),
    "a refund that counts as paid back and was not": Plant(
        """update refund set issued_minor = issued_minor - 1 where refund_id = 'web-returned:R1'""",
        "money",
        "web-returned",
        "paid back for web-returned:R1, but its payments say",
    ),
    "a refund that came back, and nobody is asked about it": Plant(
        """update payment_authorization set refunded = 0, refund_granted = 0
        where authorization_key = 'web-returned:authorize';
        update payment_operation set state = 'failed', code = 'came_back'
        where payment_key = 'web-returned:R1:refund';
        update refund set came_back_minor = issued_minor where refund_id = 'web-returned:R1';
        update order_money set refunded = 0 where order_no = order_no_of('web-returned')""",
        "money",
        "web-returned",
        "still owed",
    ),
    "a refund that came back, and is not booked": Plant(
        """update payment_operation set code = 'came_back'
        where payment_key = 'web-returned:R1:refund'""",
        "ledger",
        "web-returned",
        "web-returned:R1:refund:came_back: ",
    ),
    "a capture that its authorization does not count": Plant(
        """update payment_authorization set captured = captured - 1
        where authorization_key = 'web-closed:authorize'""",
        "money",
        "web-closed",
        "captured by web-closed:authorize, but its payments say",
    ),
    "an authorization that the order does not count": Plant(
        "update order_money set authorized = authorized + 1 "
        "where order_no = order_no_of('web-confirmed')",
        "money",
        "web-confirmed",
        "authorized, but its payments say",
    ),
    "a release that no authorization counts": Plant(
        "update order_money set released = released - 1 "
        "where order_no = order_no_of('web-cancelled')",
        "money",
        "web-cancelled",
        "released, but its payments say",
    ),
    "more paid back for shipping than there was": Plant(
        """update refund
        set goods_minor = goods_minor - 1000, shipping_minor = shipping_minor + 1000
        where refund_id = 'web-lost:1:lost'""",
        "money",
        "web-lost",
        "is owed back for shipping, of which 5.00 USD can have been charged",
    ),
    "an order that is over and held": Plant(
        """insert into order_hold (order_no, hold_id, reason, note, owner, who)
        values (order_no_of('web-closed'), 'P1', 'payment', 'the card was refused', 'a', 'test')""",
        "money",
        "web-closed",
        "the order is closed, but it is held: the card was refused",
    ),
    "units that were paid for and never came": Plant(
        """update order_line set cancelled = 1, delivered = 2, shipped = 2
        where order_no = order_no_of('web-closed') and line_id = '1'""",
        "money",
        "web-closed line 1",
        "3 units charged and 0 refunded, but 2 shipped",
    ),
    "a refund that is owed when all is over": Plant(
        "update order_money set refund_granted = refund_granted + 1 "
        "where order_no = order_no_of('web-closed')",
        "money",
        "web-closed",
        "0.01 USD is still owed",
    ),
    "money held for a cancelled order": Plant(
        "update order_money set released = 0 where order_no = order_no_of('web-cancelled')",
        "money",
        "web-cancelled",
        "is still held on the customer's card",
    ),
    "a payment of a closed order whose outcome nobody knows": Plant(
        f"""update payment_operation set state = 'unknown', settled_at = null
        where payment_key = {CAPTURE}""",
        "money",
        "web-closed",
        "of web-closed:1:capture without a known outcome (unknown)",
    ),
    # ledger
    "an entry that does not balance": Plant(
        f"""update posting set amount_minor = amount_minor + 1 where account = 'revenue'
        and entry_id in (select entry_id from journal_entry where effect = {INVOICE})""",
        "ledger",
        "web-closed",
        "entry invoice:web-closed:1 has",
    ),
    "an entry without postings": Plant(
        f"""delete from posting
        where entry_id in (select entry_id from journal_entry where effect = {CAPTURE})""",
        "ledger",
        "web-closed",
        "has 0 postings",
    ),
    "a capture that is not booked": Plant(
        f"""delete from posting
        where entry_id in (select entry_id from journal_entry where effect = {CAPTURE});
        delete from journal_entry where effect = {CAPTURE}""",
        "ledger",
        "web-closed",
        "was paid, but 0.00 USD is booked",
    ),
    "an entry for a payment that was not made": Plant(
        """with entry as (
            insert into journal_entry (seller, booked_on, effect, order_no, memo)
            values ('main', current_date, 'planted', order_no_of('web-closed'),
                    'capture of 1.00 USD') returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'cash_in_transit', 100, 'USD' from entry
        union all select entry_id, 'revenue', -100, 'USD' from entry""",
        "ledger",
        "web-closed",
        "planted: 0.00 USD was paid, but 1.00 USD is booked",
    ),
    "a parcel that went out and was not invoiced": Plant(
        f"""delete from posting
        where entry_id in (select entry_id from journal_entry where effect = {INVOICE});
        delete from journal_entry where effect = {INVOICE}""",
        "ledger",
        "web-closed",
        "the order is closed, and its receivables come to -",
    ),
    "revenue that stays deferred": Plant(
        """with entry as (
            insert into journal_entry (seller, booked_on, effect, order_no, memo)
            values ('main', current_date, 'planted', order_no_of('web-closed'), 'moved')
            returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'deferred_revenue', -100, 'USD' from entry
        union all select entry_id, 'refunds', 100, 'USD' from entry""",
        "ledger",
        "web-closed",
        "the order is closed, and its deferred_revenue come to -1.00 USD and not 0.00 USD",
    ),
    "a refund that was booked and not owed": Plant(
        """with entry as (
            insert into journal_entry (seller, booked_on, effect, order_no, memo)
            values ('main', current_date, 'planted', order_no_of('web-returned'), 'granted')
            returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'refunds_payable', -100, 'USD' from entry
        union all select entry_id, 'refunds', 100, 'USD' from entry""",
        "ledger",
        "web-returned",
        "the order is closed, and its refunds_payable come to",
    ),
    "shipping that is booked as revenue": Plant(
        f"""update posting set amount_minor = amount_minor + case account
            when 'revenue' then -100 else 100 end
        where account in ('revenue', 'shipping_income')
        and entry_id in (select entry_id from journal_entry where effect = {INVOICE})""",
        "ledger",
        "web-closed",
        "booked as shipping, but by the units paid for it is 5.00 USD",
    ),
    "money that is held for a dispute that is none": Plant(
        "update order_money set disputed = 100 where order_no = order_no_of('web-closed')",
        "money",
        "web-closed",
        "0.00 USD is disputed, but 1.00 USD is held and 0.00 USD is booked",
    ),
    "a dispute that was lost and never booked": Plant(
        """insert into dispute (provider, dispute_id, subjects, payment_key, order_no, amount_minor,
                                currency, fee_currency, state, reason, opened_at, said_at)
        values ('sandbox', 'dp_1', '{}', 'web-closed:authorize', order_no_of('web-closed'), 100,
                'USD', 'USD', 'lost', 'x', now(), now());
        update order_money set disputed = 100 where order_no = order_no_of('web-closed')""",
        "money",
        "web-closed",
        "1.00 USD is disputed, but 1.00 USD is held and 0.00 USD is booked",
    ),
    "a balance that was carried forward, and is not what is booked": Plant(
        "insert into closed_balance values ('main', '2000-01-31', 'revenue', 'USD', -5); "
        "insert into closing values ('main', '2000-01-31', now(), 'x')",
        "ledger",
        "main",
        "revenue through 2000-01-31 is carried forward as -0.05 USD, but 0.00 USD is booked",
    ),
    "a day of the books that is added up to what is not booked": Plant(
        "insert into book_day (seller, day, entries) values ('main', '2000-01-31', 0); "
        "insert into book_day_account values ('main', '2000-01-31', 0, 'revenue', 'USD', 0, 5)",
        "ledger",
        "main",
        "2000-01-31 is added up to 5 (credit revenue USD), but 0 is booked",
    ),
    "an entry of a day that was closed before": Plant(
        """insert into closing (seller, through, closed_at, who)
        select seller, booked_on, at - interval '1 second', 'x' from journal_entry
        where order_no = order_no_of('web-closed') order by entry_id limit 1""",
        "ledger",
        "web-closed",
        "was written after",
    ),
    "units that no movement brought into the books": Plant(
        "update holding set quantity = quantity + 1 where sku = 'JUG'",
        "ledger",
        "JUG",
        "13 units in the books of main, but 12 on its shelves",
    ),
    "goods under way that are nobody's": Plant(
        "update holding set quantity = quantity - 1 where sku = 'MUG'",
        "ledger",
        "MUG",
        "4 units in the books of main, but 5 on its shelves",
    ),
    "goods that are worth more than was booked": Plant(
        "update inventory_value set value_minor = value_minor + 1 where sku = 'JUG'",
        "ledger",
        "JUG",
        "have cost 12.01 EUR, but by what is booked (its movements) it is 12.00 EUR",
    ),
    "nothing at all that is worth something": Plant(
        "update holding set quantity = 0 where sku = 'LID'",
        "ledger",
        "LID",
        "have cost 10.00 EUR, but by what is booked (there are none of it) it is 0.00 EUR",
    ),
    "goods that one seller claims and the other does not owe": Plant(
        """with entry as (
            insert into journal_entry (seller, counterpart, booked_on, effect, memo)
            values ('main', 'uk', current_date, 'planted', 'x') returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'intercompany', 100, 'EUR' from entry
        union all select entry_id, 'purchases', -100, 'EUR' from entry""",
        "ledger",
        "main and uk",
        "what one claims is not what the other owes: 1.00 EUR more",
    ),
    "a claim on nobody": Plant(
        """with entry as (
            insert into journal_entry (seller, booked_on, effect, memo)
            values ('main', current_date, 'planted', 'x') returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'intercompany', 100, 'EUR' from entry
        union all select entry_id, 'purchases', -100, 'EUR' from entry""",
        "ledger",
        "main and none",
        "what one claims is not what the other owes",
    ),
    "inventory that is booked without goods": Plant(
        """with entry as (
            insert into journal_entry (seller, booked_on, effect, memo)
            values ('main', current_date, 'planted', 'x') returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'inventory', 100, 'EUR' from entry
        union all select entry_id, 'purchases', -100, 'EUR' from entry""",
        "ledger",
        "planted",
        "books 1.00 EUR as inventory, but its goods are 0.00 EUR",
    ),
    # providers
    "a capture that the provider does not know": Plant(
        f"delete from sandbox.payment_call where key = {CAPTURE}",
        "provider",
        "web-closed",
        "but the provider has none of 0.00 USD",
    ),
    "a capture of another amount at the provider": Plant(
        f"""update sandbox.payment_call set amount_minor = amount_minor - 1
        where key = {CAPTURE}""",
        "provider",
        "web-closed",
        "but the provider has capture of",
    ),
    "a second capture at the provider": Plant(
        """insert into sandbox.payment_call
            (key, kind, request, payment_reference, order_id, reference, amount_minor, currency)
        select key || '-again', kind, request, payment_reference, order_id, 'cap_x', amount_minor,
               currency
        from sandbox.payment_call where key = 'web-shipped:1:capture'""",
        "provider",
        "web-shipped",
        "under web-shipped:1:capture-again, which is not recorded here",
    ),
    "an authorization that failed here and is held there": Plant(
        """update payment_operation set state = 'failed'
        where payment_key = 'web-confirmed:authorize'""",
        "provider",
        "web-confirmed",
        "under web-confirmed:authorize, which is failed here",
    ),
    "a parcel on its way with a voided label": Plant(
        "update sandbox.label set voided = true where fulfilment_id = 'web-shipped:1'",
        "provider",
        "web-shipped:1",
        "of which the carrier has 1, 1 voided",
    ),
    "a parcel with a label that the carrier never sold": Plant(
        "update shipment set tracking_number = 'SBX-0' where fulfilment_id = 'web-labelled:1'",
        "provider",
        "web-labelled:1",
        "label SBX-0, of which the carrier has 0",
    ),
    "two labels for one parcel": Plant(
        """insert into sandbox.label (carrier, tracking_number, fulfilment_id, service, country)
        values ('sandbox', 'SBX-2', 'web-shipped:1', 'standard', 'KR')""",
        "provider",
        "web-shipped:1",
        "the carrier has 2 labels for it",
    ),
    "a label left at the carrier for what was cancelled": Plant(
        "update sandbox.label set voided = false where fulfilment_id = 'web-cancelled:1'",
        "provider",
        "web-cancelled:1",
        "the carrier still has label",
    ),
    "a label that its parcel did not go out with, left at the carrier": Plant(
        """insert into sandbox.label (carrier, tracking_number, fulfilment_id, service, country)
        values ('sandbox', 'SBX-3', 'web-closed:1', 'standard', 'KR');
        insert into unused_label (order_no, fulfilment_id, label_key, sold_by, tracking_number)
        values (order_no_of('web-closed'), 'web-closed:1', 'web-closed:1:label:0', 'sandbox',
                'SBX-3')""",
        "provider",
        "web-closed:1",
        "the carrier still has label SBX-3",
    ),
    "a parcel whose label is of the service that its order had before": Plant(
        "update shipment set service = 'slow' where fulfilment_id = 'web-labelled:1'",
        "provider",
        "web-labelled:1",
        "its label is of the service slow, and its order goes by standard",
    ),
    # purchases
    "goods that were received and not booked": Plant(
        "update purchase_order_line set received = received + 1 where po_id = 'PO-open'",
        "purchases",
        "PO-open, LID",
        "11 received, but its movements say 10",
    ),
    "more received than may be": Plant(
        """alter table purchase_order_line drop constraint received_is_at_most_receivable;
        update purchase_order_line set received = 13 where po_id = 'PO-closed'""",
        "purchases",
        "PO-closed, JUG",
        "13 received (of 12 that may be)",
    ),
    "a purchase order that ended before its goods came": Plant(
        "update purchase_order set state = 'closed' where po_id = 'PO-open'",
        "purchases",
        "PO-open",
        "the purchase order is closed, but 14 units are outstanding",
    ),
    "two orders for one need": Plant(
        """drop index one_open_purchase_for_a_need;
        update purchase_order_line set sku = 'LID', answered_at = null""",
        "purchases",
        "LID at main",
        "2 orders for one need",
    ),
    "an open purchase order whose workflow has ended": Plant(
        "update purchase_order set state = 'sent' where po_id = 'PO-closed'",
        "liveness",
        "PO-closed",
        "the purchase order is sent, but its workflow is completed",
    ),
    "a workflow that goes on after its purchase order's end": Plant(
        "update purchase_order set state = 'cancelled' where po_id = 'PO-open'",
        "liveness",
        "PO-open",
        "its workflow is running, but the purchase order is cancelled",
    ),
    "an open purchase order that never had a workflow": Plant(
        """insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-ghost', 'kiln', 'main', 'EUR', 'sent', false, '{}')""",
        "liveness",
        "PO-ghost",
        "the purchase order is sent, but its workflow is not there",
    ),
    # documents
    "a number that was lost": Plant(
        f"""{COUNTED.format(3)};
        {A_DOCUMENT.format(running=1, day="2001-02-01", total=5)};
        {A_DOCUMENT.format(running=3, day="2001-02-03", total=5)}""",
        "documents",
        "invoice INV-2001-{number} of main",
        "3 numbers up to 3 were given, but there are 2, and the last is 3",
    ),
    "the last document torn out": Plant(
        f"""{COUNTED.format(2)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)}""",
        "documents",
        "invoice INV-2001-{number} of main",
        "2 numbers up to 2 were given, but there are 1, and the last is 1",
    ),
    "a document that no counter counted": Plant(
        A_DOCUMENT.format(running=1, day="2001-02-03", total=5),
        "documents",
        "invoice INV-2001-{number} of main",
        "0 numbers up to 0 were given, but there are 1, and the last is 1",
    ),
    "a document that prints another total": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=6)}""",
        "documents",
        "INV-2001-000001",
        "a total of 0.05 USD, but what is printed adds up to 0.06 USD",
    ),
    "a document whose amounts by rate are not its net": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        update document set content = jsonb_set(content, '{{taxes,0,net_minor}}', '4')
        where year = 2001""",
        "documents",
        "INV-2001-000001",
        "net by rate of 0.05 USD, but what is printed adds up to 0.04 USD",
    ),
    "a document with a fee that is in no amount of its own": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        update document set content = content || jsonb_build_object(
            'fees', '[{{"net_minor": 1, "tax_minor": 0, "total_minor": 1}}]'::jsonb)
        where year = 2001""",
        "documents",
        "INV-2001-000001",
        "shipping of 0.00 USD, but what is printed adds up to 0.01 USD",
    ),
    "a document with a fee whose total is another": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        update document set content = content || jsonb_build_object(
            'fees', '[{{"net_minor": 0, "tax_minor": 0, "total_minor": 1}}]'::jsonb)
        where year = 2001""",
        "documents",
        "INV-2001-000001",
        "fees with tax of 0.00 USD, but what is printed adds up to 0.01 USD",
    ),
    "a month whose documents are not booked": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)}""",
        "ledger",
        "2001-02 of main",
        "the month's documents say 0.05 USD of net, but 0.00 USD is booked",
    ),
    "a document of another seller than its order": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        insert into seller (seller) values ('uk');
        update document set seller = 'uk' where year = 2001""",
        "ledger",
        "web-closed",
        "it is sold by main, but INV-2001-000001 is in the books of uk",
    ),
    "a document dated before the one that it follows": Plant(
        f"""{COUNTED.format(2)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        {A_DOCUMENT.format(running=2, day="2001-02-02", total=5)}""",
        "documents",
        "INV-2001-000002",
        "it is of 2001-02-02, but the one before it of 2001-02-03",
    ),
    "an entry of another month than its invoice": Plant(
        f"""{COUNTED.format(1)};
        {A_DOCUMENT.format(running=1, day="2001-02-03", total=5)};
        insert into journal_entry (seller, booked_on, effect, order_no, memo)
        values ('main', current_date, 'invoice:planted-1', order_no_of('web-closed'), 'x')""",
        "documents",
        "INV-2001-000001",
        "it is of 2001-02-03, but booked on 20",
    ),
    # store credit
    "credit that no operation gave": Plant(
        "update credit_account set balance_minor = balance_minor + 1",
        "money",
        "credit of C-1",
        "30.01 EUR on the account, but its operations say 30.00 EUR",
    ),
    "credit that is authorized for no order": Plant(
        "update credit_account set authorized_minor = 100",
        "money",
        "credit of C-1",
        "1.00 EUR authorized, but its operations say 0.00 EUR",
    ),
    "an authorization of credit that no operation made": Plant(
        """insert into credit_authorization (authorization_id, account_id, order_id, amount_minor)
        select 'auth_0', account_id, 'web-confirmed', 100 from credit_account""",
        "money",
        "auth_0 for web-confirmed",
        "1.00 EUR authorized, but its operations say 0.00 EUR",
    ),
    "credit that was given and not booked": Plant(
        "update journal_entry set effect = 'credit:G-3' where effect = 'credit:G-2'",
        "ledger",
        "credit:G-2",
        "5.00 EUR given, but 0.00 EUR is booked as store_credit_liability",
    ),
    "credit that is booked as a debt of another kind": Plant(
        """update posting set account = 'gift_card_liability'
        where account = 'store_credit_liability'
          and entry_id = (select entry_id from journal_entry where effect = 'credit:G-2')""",
        "ledger",
        "credit:G-2",
        "0.00 EUR given, but 5.00 EUR is booked as gift_card_liability",
    ),
    "credit that is booked with another amount": Plant(
        """update posting set amount_minor = 2 * amount_minor where entry_id = (
            select entry_id from journal_entry where effect = 'credit:G-2')""",
        "ledger",
        "credit:G-2",
        "5.00 EUR given, but 10.00 EUR is booked as store_credit_liability",
    ),
    "credit given for an order that does not know of it": Plant(
        """update credit_operation set order_id = 'web-closed' where key = 'credit:G-2'""",
        "provider",
        "web-closed",
        "credit:G-2: nothing of 0.00 EUR here, but issue of 5.00 EUR there",
    ),
    "a charge that store credit does not know": Plant(
        f"update payment_operation set provider = 'store_credit' where payment_key = {CAPTURE}",
        "provider",
        "web-closed",
        "but nothing of 0.00",
    ),
    # liveness
    "an open order whose workflow has ended": Plant(
        "update customer_order set decision = 'confirmed' where order_id = 'web-closed'",
        "liveness",
        "web-closed",
        "the order is confirmed, but its workflow is completed",
    ),
    "an open order that never had a workflow": Plant(
        """with ghost as (
            insert into customer_order (order_id, channel, seller, channel_order_id, digest, policy,
                                        document, currency, total_minor, placed_at)
            select 'web-ghost', 'web', 'main', 'ghost', digest, policy, document, currency,
                   total_minor, placed_at
            from customer_order where order_id = 'web-closed' returning order_no)
        insert into order_person (order_no, customer_id, person)
        select order_no, 'C1', '{}' from ghost""",
        "liveness",
        "web-ghost",
        "the order is received, but its workflow is not there",
    ),
    "a workflow that goes on after its order's end": Plant(
        "update customer_order set decision = 'closed' where order_id = 'web-confirmed'",
        "liveness",
        "web-confirmed",
        "its workflow is running, but the order is closed",
    ),
    "a workflow without an order": Plant(
        "delete from customer_order where order_id = 'web-confirmed'",
        "liveness",
        "web-confirmed",
        "its workflow is running, but the order is not on record",
    ),
}
