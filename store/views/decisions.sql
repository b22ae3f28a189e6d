-- What was decided about placed orders.

-- name: decisions(order_ids, digests)
-- The answers to placing orders with these contents, of those that there are. No outcome: the id is
-- taken by other content. What became of a confirmed order later is no part of it.
select asked.order_id, asked.digest,
       case when o.digest <> asked.digest then null
            when confirmed.order_no is not null then 'confirmed'
            when o.decision = 'received' then 'held' else 'rejected' end as outcome,
       case when confirmed.order_no is not null then ''
            when o.decision = 'received' then coalesce(held.note, '') else coalesce(o.reason, '') end as reason,
       coalesce(reserved.data -> 'missing', '{}') as missing,
       coalesce(reserved.data -> 'backordered', '{}') as backordered,
       coalesce(reserved.data -> 'expected', '{}') as expected,
       -- As it was told: what was planned later, to replace something, is no part of it.
       (select case when bool_and(part.promised_on is not null) then max(part.promised_on) end
        from (
            select f.promised_on
            from jsonb_to_recordset(reserved.data -> 'fulfilments') as p (fulfilment_id text)
            join fulfilment f on f.order_no = o.order_no and f.fulfilment_id = p.fulfilment_id
            union all
            select (reserved.data #>> array['expected', line_id, 'arrives_on'])::date
            from jsonb_object_keys(reserved.data -> 'backordered') as line_id
        ) part
        where confirmed.order_no is not null) as promised_on
from unnest(:order_ids::text[], :digests::text[]) as asked (order_id, digest)
join customer_order o on o.order_id = asked.order_id
left join order_event confirmed
    on confirmed.order_no = o.order_no and confirmed.effect = o.order_id || ':authorize:confirmed'
left join order_event reserved
    on reserved.order_no = o.order_no and reserved.effect = 'reserve_stock'
left join order_hold held on held.order_no = o.order_no and held.released_at is null and held.reason = 'payment'
    and o.decision = 'received'
where o.digest <> asked.digest
   or confirmed.order_no is not null
   or held.order_no is not null
   or o.decision in ('rejected', 'cancelled');
