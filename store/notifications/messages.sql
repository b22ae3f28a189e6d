-- What events say, by the lines of the stories that they are.

-- name: lines(order_nos, event_ids)
select e.order_no, e.event_id, e.what, e.why, e.data, o.order_id, o.seller
from unnest(:order_nos::bigint[], :event_ids::bigint[]) as asked (order_no, event_id)
join order_event e using (order_no, event_id) join customer_order o using (order_no);

-- name: read(after, types, channels, sellers, at_most)
-- Events after a position that one reader wants, in their sequence.
select e.position, e.order_no, e.event_id, e.type, e.at
from event_out e join customer_order o using (order_no)
where e.position > :after
  and (:types::text[] is null or e.type = any(:types))
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
order by e.position limit :at_most;

-- name: kept()^
-- After which positions nothing is missing, and which event came last.
select position as last, greatest(since, (select min(position) from event_out) - 1) as first from event_sequence;
