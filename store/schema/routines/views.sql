-- One line per order, as people and tools ask for it. State follows the glossary.
drop view if exists order_overview;
create view order_overview as
select o.order_id, o.channel, o.channel_order_id, o.customer_id, o.currency, o.total_minor,
       o.placed_at, o.received_at, o.decided_at, o.decision,
       coalesce(o.reason, '') as reason, o.digest,
       o.state, o.fulfilment_status,
       case
           when m.order_no is null or m.authorized = 0 and m.captured = 0 then 'unpaid'
           when m.disputed > 0 then 'disputed'
           when m.refund_granted > m.refunded then 'refund_owed'
           when m.captured > 0 and m.refunded = m.captured then 'refunded'
           when m.refunded > 0 then 'partly_refunded'
           when m.captured > 0 and m.captured >= m.capture_granted then 'paid'
           when m.released = m.authorized then 'voided'
           else 'authorized'
       end as payment_status,
       coalesce(m.authorized, 0) as authorized_minor, coalesce(m.captured, 0) as captured_minor,
       coalesce(m.refunded, 0) as refunded_minor,
       coalesce(m.refund_granted, 0) as refund_granted_minor,
       l.ordered, l.allocated, l.picked, l.shipped, l.delivered, l.lost, l.cancelled, l.returned,
       l.return_requested,
       exists (select from attention a
               where a.order_no = o.order_no and a.resolved_at is null) as attention,
       h.note as held
from customer_order o
left join order_money m using (order_no)
left join lateral (
    select string_agg(reason || ': ' || note, '; ' order by number) as note
    from order_hold where order_hold.order_no = o.order_no and released_at is null
) h on true
cross join lateral (
    select sum(ordered)::bigint as ordered, sum(allocated)::bigint as allocated,
           sum(picked)::bigint as picked, sum(shipped)::bigint as shipped,
           sum(delivered)::bigint as delivered, sum(lost)::bigint as lost,
           sum(cancelled)::bigint as cancelled, sum(returned)::bigint as returned,
           sum(return_requested)::bigint as return_requested
    from order_line where order_line.order_no = o.order_no
) l;
