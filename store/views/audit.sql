-- What the audit looks at beside the invariants, which stand in audited/: each query there finds what breaks one of
-- them, as a whole set; all run in one snapshot. Rows that may be under way in a working system are left out by their
-- state. `_minor` columns are in minor units of `currency`. Settled: the order's decision is final.

-- name: counts()^
-- How much there is to check.
select (select count(*) from stock) as stock_rows,
       (select count(*) from customer_order) as orders,
       (select count(*) from payment) as payments,
       (select count(*) from journal_entry) as journal_entries,
       (select count(*) from shipment) as parcels,
       (select count(*) from purchase_order) as purchase_orders,
       (select count(*) from payment where provider not in ('sandbox', 'by_hand', 'store_credit', 'gift_card', 'voucher', 'elsewhere', 'exchange',
                                                          'on_account'))
           as not_compared;

-- name: unfinished()
select order_id from customer_order where decision in ('received', 'confirmed')
union all
select order_id from effect join customer_order using (order_no) where ended_at = 'infinity';

-- name: decisions(order_ids)
select order_id,
       case when decision = 'closed' and is_reopened(order_no) then 'closed with late requests'
            else decision end as decision
from customer_order where order_id = any(:order_ids::text[]);

-- name: owners(subjects)
-- Whose they are: orders, purchase orders and locations.
select order_id as subject, seller from customer_order where order_id = any(:subjects::text[])
union all
select po_id, seller from purchase_order join location using (location) where po_id = any(:subjects::text[])
union all
select location, seller from location where location = any(:subjects::text[]);

-- name: open_purchases()
select po_id from purchase_order where state not in ('closed', 'cancelled');

-- name: purchase_states(po_ids)
select po_id, state from purchase_order where po_id = any(:po_ids::text[]);

-- name: payments_under_way()
-- Asked for, and no outcome yet: not wrong, as long as the order is open.
select o.order_id, o.seller, p.payment_key, p.kind, p.state, p.amount_minor, p.currency, p.requested_at
from payment p join customer_order o using (order_no)
where p.state in ('requested', 'unknown') and o.decision in ('received', 'confirmed')
order by p.requested_at, p.payment_key;
