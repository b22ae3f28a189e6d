-- Open orders: those that need a workflow, closed ones with late requests among them. Reads only.

-- name: page(after, at_most, lease)
-- Those behind this order, in the sequence of intake. One that `waits` is to be started by a relay now,
-- or within its lease; one that Temporal has taken is to be started again much later.
select o.order_no, o.order_id,
       coalesce(t.start_after <= moment() + :lease::interval, false) as waits
from (
    select order_no from order_in_state where state not in ('rejected', 'cancelled')
    union
    select order_no from effect where ended_at = 'infinity'
) listed
join customer_order o using (order_no)
left join order_to_start t using (order_no)
where listed.order_no > :after
  and (o.decision in ('received', 'confirmed') or o.decision = 'closed' and is_reopened(order_no))
order by listed.order_no limit :at_most;

-- name: of_ids(order_ids)
-- What it takes to start these, and how they stand. An order that is not to be started any more has begun.
select o.order_id, o.state,
       o.decision in ('received', 'confirmed')
           or o.decision = 'closed' and is_reopened(o.order_no) as is_open, o.reason, o.decided_at,
       o.channel, o.channel_order_id, o.document #>> '{shipping,service}' as service,
       jsonb_array_length(o.document -> 'lines') as lines, o.total_minor, o.currency, o.policy,
       t.order_no is null as begun, coalesce(t.bulk, false) as bulk
from customer_order o left join order_to_start t using (order_no)
where o.order_id = any(:order_ids::text[]);
