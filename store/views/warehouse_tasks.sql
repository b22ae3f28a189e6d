-- What a warehouse is asked to do. Reads only. Of an order that is held, nothing is picked or handed over.

-- name: find(task, order_id, location, channels, sellers, after_at, after_part, at_most)
-- The oldest first. Only the lines of those that are shown are looked up.
with page as materialized (
    select task, order_no, part_id, location, since from (
        select case f.state when 'picking' then 'pick' when 'picked' then 'pack' else 'handover' end
                   as task,
               f.order_no, f.fulfilment_id as part_id, f.location, f.changed_at as since
        from fulfilment f
        where f.state in ('picking', 'picked', 'labelled')
          and f.handling not in ('digital', 'drop_ship', 'service')  -- nobody has to do anything
          and f.handling not like 'x:%'
          and not exists (select from order_hold h where h.order_no = f.order_no and h.released_at is null
                                                     and h.reason <> 'payment' and f.state <> 'picked')
          -- Their item was given a later first day of sale.
          and not (f.state <> 'picked' and (select exists (select from item where available_from > moment()::date - 1))
                   and not_before(f.order_no, f.fulfilment_id) is not null)
          -- Nothing is packed while units of it are to be put back.
          and not (f.state = 'picked' and exists (
              select from put_back b
              where b.order_no = f.order_no and b.fulfilment_id = f.fulfilment_id and b.done_at is null))
        union all
        select 'put-back', b.order_no, b.put_back_id, f.location, b.since
        from put_back b join fulfilment f using (order_no, fulfilment_id) where b.done_at is null
        union all
        select 'receive-return', r.order_no, r.return_id, null, r.changed_at
        from order_return r where r.state in ('approved', 'in_transit')
    ) t
    where (:task::text is null or task = :task)
      and (:order_id::text is null or order_of(part_id) = :order_id)
      and (:location::text is null or location = :location)
      and (:channels::text[] is null and :sellers::text[] is null or exists (
          select from customer_order o
          where o.order_no = t.order_no
            and (:channels is null or o.channel = any(:channels))
            and (:sellers is null or o.seller = any(:sellers))))
      and (:after_part::text is null or (since, part_id) > (:after_at::timestamptz, :after_part))
    order by since, part_id limit :at_most
)
select t.task, t.part_id, order_of(t.part_id) as order_id, t.location, t.since,
       p.carrier, p.tracking_number,
       coalesce((select b.opens_box from put_back b
                 where b.order_no = t.order_no and b.put_back_id = t.part_id), false) as opens_box,
       case when t.task = 'put-back' then (
           select jsonb_agg(jsonb_build_object(
               'line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity) order by l.line_id)
           from put_back_line l where l.order_no = t.order_no and l.put_back_id = t.part_id)
       when t.task = 'receive-return' then (
           select jsonb_agg(jsonb_build_object(
               'line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity) order by l.line_id)
           from return_line l where l.order_no = t.order_no and l.return_id = t.part_id)
       else (
           select jsonb_agg(jsonb_build_object(
               'line_id', l.line_id, 'sku', l.sku, 'quantity', coalesce(l.picked, l.quantity))
               order by l.line_id)
           from fulfilment_line l
           where l.order_no = t.order_no and l.fulfilment_id = t.part_id and l.quantity > 0)
       end as lines
from page t
left join shipment p on p.order_no = t.order_no and p.fulfilment_id = t.part_id and p.label <> 'voided'
order by t.since, t.part_id;
