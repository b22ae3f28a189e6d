-- name: promise_anew(order_id, fulfilment_ids, leaves, arrivals)!
-- It goes somewhere else, or by another service: what is promised of parcels that are still here is another day.
update fulfilment f set promised_leave = p.leaves_on, promised_on = p.arrives_on
from unnest(:fulfilment_ids::text[], :leaves::date[], :arrivals::date[]) as p (fulfilment_id, leaves_on, arrives_on)
where f.order_no = order_no_of(:order_id) and f.fulfilment_id = p.fulfilment_id;
