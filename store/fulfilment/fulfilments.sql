-- Fulfilments: one location's part of an order each. Every writer locks the order's row.

-- name: fulfilment_of(fulfilment_id)^
select fulfilment_id, order_id, location, state, recalled_from, changed_at, promised_leave,
       promised_on
from fulfilment where fulfilment_id = :fulfilment_id;

-- name: locked(fulfilment_id)^
-- The same under its order's lock. The function stands in schema/routines/fulfilment.sql.
select * from locked_fulfilment(:fulfilment_id);

-- name: lines_of(fulfilment_id)
select f.line_id, f.sku, f.quantity, f.picked, min(r.quantity) as reserved,
       min(r.location) as location, jsonb_object_agg(r.sku, r.per_unit) as parts
from fulfilment_line f join reservation r using (fulfilment_id, line_id)
where f.fulfilment_id = :fulfilment_id
group by f.fulfilment_id, f.line_id
order by f.line_id;

-- name: release_to_warehouse(order_id)!
-- open → picking, for all of an order at once: the order is paid for.
update fulfilment set state = 'picking', changed_at = moment()
where order_id = :order_id and state = 'open';

-- name: is_live(fulfilment_id)$
select exists (select from fulfilment
               where fulfilment_id = :fulfilment_id and state not in ('cancelled', 'exception'));

-- name: set_state(state, fulfilment_id)!
-- The caller has read the state under the order's lock.
update fulfilment set state = :state, changed_at = moment()
where fulfilment_id = :fulfilment_id;

-- name: recall(fulfilment_id)!
-- Any state before hand-over → cancelled: from now on the warehouse cannot report on it.
update fulfilment
set state = 'cancelled', recalled_from = state, changed_at = moment()
where fulfilment_id = :fulfilment_id
  and state in ('open', 'picking', 'picked', 'packed', 'labelled');

-- name: set_picked(line_ids, picked, fulfilment_id)!
update fulfilment_line f set picked = c.picked
from unnest(:line_ids::text[], :picked::bigint[]) as c (line_id, picked)
where f.fulfilment_id = :fulfilment_id and f.line_id = c.line_id;
