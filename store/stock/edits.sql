-- name: shrink(fulfilment_id, line_ids, quantities)!
-- A parcel that nobody has picked yet is to contain so much less.
with less as (
    select line_id, units
    from unnest(:line_ids::text[], :quantities::bigint[]) as l (line_id, units)
), gone as (
    delete from fulfilment_line f using less
    where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id
      and f.line_id = less.line_id and f.quantity = less.units
)
update fulfilment_line f set quantity = f.quantity - less.units
from less
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id
  and f.line_id = less.line_id and f.quantity > less.units;

-- name: promise_anew(order_id, fulfilment_ids, leaves, arrivals)!
-- It goes somewhere else, or by another service: what is promised of parcels that are still here is another day.
update fulfilment f set promised_leave = p.leaves_on, promised_on = p.arrives_on
from unnest(:fulfilment_ids::text[], :leaves::date[], :arrivals::date[]) as p (fulfilment_id, leaves_on, arrives_on)
where f.order_no = order_no_of(:order_id) and f.fulfilment_id = p.fulfilment_id;
