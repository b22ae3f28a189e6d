-- What events say, by the lines of the stories that they are.

-- name: lines(order_nos, event_ids)
select e.order_no, e.event_id, e.what, e.why, e.data, o.order_id, o.seller
from unnest(:order_nos::bigint[], :event_ids::bigint[]) as asked (order_no, event_id)
join order_event e using (order_no, event_id) join customer_order o using (order_no);

-- name: customers(customer_nos, change_nos)
-- Customers as they are now; `into_no`, `segment`: of the change, null where it is forgotten.
select c.customer_no, c.made_at, c.erased_at is not null as erased, c.into_no as merged_into,
       array(select m.customer_no from customer m where m.into_no = c.customer_no order by 1) as merged,
       coalesce((select jsonb_object_agg(kind, given)
                 from (select distinct on (s.kind) s.kind, s.given
                       from customer t join customer_consent s using (customer_no)
                       where coalesce(c.into_no, c.customer_no) in (t.customer_no, t.into_no)
                       order by s.kind, s.at desc, s.consent_no desc) latest), '{}') as consent,
       array(select segment from customer_segment_member b
             where b.customer_no = coalesce(c.into_no, c.customer_no) order by 1) as segments,
       change_no, h.into_no, h.segment
from unnest(:customer_nos::bigint[], :change_nos::bigint[]) as asked (customer_no, change_no)
join customer c using (customer_no) left join customer_change h using (change_no);

-- name: read(after, types, channels, sellers, at_most)
-- Events after a position that one reader wants, in their sequence. Those about customers are read by their types.
select e.position, e.order_no, e.customer_no, e.event_id, e.type, e.at
from event_out e left join customer_order o using (order_no)
where e.position > :after
  and (:types::text[] is null and e.order_no is not null or e.type = any(:types))
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
order by e.position limit :at_most;

-- name: kept()^
-- After which positions nothing is missing, nor of customers, and which event came last.
select position as last, greatest(since, (select min(position) from event_out) - 1) as first,
       greatest(since, changes_since, (select min(position) from event_out) - 1) as first_of_customers
from event_sequence;
