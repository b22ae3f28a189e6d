-- Fulfilments: one location's part of an order each. The order's row is locked by every writer.

-- name: insert_fulfilments(fulfilment_ids, order_ids, locations, leaves, arrivals, line_fulfilments, line_orders, line_ids, skus, line_locations, quantities, line_parts, state)!
-- Each with what its parcel is to contain, and the claims on stock behind it: one for each part.
with parts as (
    insert into fulfilment (fulfilment_id, order_id, location, state, promised_leave, promised_on)
    select fulfilment_id, order_id, location, :state, leaves, arrives
    from unnest(:fulfilment_ids::text[], :order_ids::text[], :locations::text[], :leaves::date[],
                :arrivals::date[])
        as f (fulfilment_id, order_id, location, leaves, arrives)
), wanted as (
    select * from unnest(:line_fulfilments::text[], :line_orders::text[], :line_ids::text[],
                         :skus::text[], :line_locations::text[], :quantities::bigint[],
                         :line_parts::jsonb[])
        as w (fulfilment_id, order_id, line_id, sku, location, quantity, parts)
), lines as (
    insert into fulfilment_line (fulfilment_id, order_id, line_id, sku, quantity)
    select fulfilment_id, order_id, line_id, sku, quantity from wanted
)
insert into reservation (fulfilment_id, order_id, line_id, sku, location, quantity, per_unit)
select fulfilment_id, order_id, line_id, part, location, quantity, per_unit::bigint
from wanted, jsonb_each(parts) as p (part, per_unit);

-- name: fulfilment_of(fulfilment_id)^
select fulfilment_id, order_id, location, state, recalled_from, changed_at, promised_leave,
       promised_on
from fulfilment where fulfilment_id = :fulfilment_id;

-- name: lines_of(fulfilment_id)
select f.line_id, f.sku, f.quantity, f.picked, min(r.quantity) as reserved,
       min(r.location) as location, jsonb_object_agg(r.sku, r.per_unit) as parts
from fulfilment_line f join reservation r using (fulfilment_id, line_id)
where f.fulfilment_id = :fulfilment_id
group by f.fulfilment_id, f.line_id
order by f.line_id;

-- name: release_to_warehouse(order_id)!
-- open → picking, all of an order's at once: the order is paid for.
update fulfilment set state = 'picking', changed_at = clock_timestamp()
where order_id = :order_id and state = 'open';

-- name: is_live(fulfilment_id)$
select exists (select from fulfilment
               where fulfilment_id = :fulfilment_id and state not in ('cancelled', 'exception'));

-- name: set_state(state, fulfilment_id)!
-- The caller has read the state under the order's lock.
update fulfilment set state = :state, changed_at = clock_timestamp()
where fulfilment_id = :fulfilment_id;

-- name: recall(fulfilment_id)!
-- Any state before hand-over → cancelled: from now on the warehouse cannot report on it.
update fulfilment
set state = 'cancelled', recalled_from = state, changed_at = clock_timestamp()
where fulfilment_id = :fulfilment_id
  and state in ('open', 'picking', 'picked', 'packed', 'labelled');

-- name: set_picked(line_ids, picked, fulfilment_id)!
update fulfilment_line f set picked = c.picked
from unnest(:line_ids::text[], :picked::bigint[]) as c (line_id, picked)
where f.fulfilment_id = :fulfilment_id and f.line_id = c.line_id;

-- name: take_reserved(line_ids, quantities, fulfilment_id)!
-- Lowers the claims of a fulfilment: units shipped, released, or not found. Of a kit, on all its parts.
update reservation r set quantity = r.quantity - t.quantity
from unnest(:line_ids::text[], :quantities::bigint[]) as t (line_id, quantity)
where r.fulfilment_id = :fulfilment_id and r.line_id = t.line_id;
