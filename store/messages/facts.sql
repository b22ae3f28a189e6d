-- What a message says: asked for when it is sent, so that what was erased or changed since is told as it is.

-- name: facts(order_no, event_id)^
select o.order_id, o.channel_order_id, o.currency, o.total_minor, o.placed_at, o.seller,
       p.erased_at is not null as erased, document_of(o.order_no) as document, e.what, e.data,
       (select jsonb_agg(jsonb_build_object(
                   'line_id', l.line_id, 'name', coalesce(i.name, l.sku), 'quantity', l.ordered, 'cancelled', l.cancelled,
                   'waits', b.quantity, 'comes_on', b.promised_on)
               order by l.position)
        from order_line l join item i using (sku) left join backorder b using (order_no, line_id) where l.order_no = o.order_no) as lines,
       (select to_jsonb(f) || jsonb_build_object(
                   'code', (select k.code from pick_up k
                            where k.order_no = f.order_no and k.fulfilment_id = f.fulfilment_id),
                   'carrier', s.carrier, 'tracking_number', s.tracking_number,
                   'units', (select jsonb_object_agg(fl.line_id, coalesce(fl.picked, fl.quantity))
                             from fulfilment_line fl
                             where fl.order_no = f.order_no and fl.fulfilment_id = f.fulfilment_id))
        from fulfilment f left join shipment s using (order_no, fulfilment_id)
        where f.order_no = o.order_no and f.fulfilment_id = e.data ->> 'fulfilment_id') as parcel,
       (select max(f.promised_on) from fulfilment f where f.order_no = o.order_no) as promised_on
from customer_order o
join order_person p using (order_no)
join order_event e on e.order_no = o.order_no and e.event_id = :event_id
where o.order_no = :order_no;

-- name: document(order_no, event_id)^
-- The invoice of the parcel that an event is about, or the credit note of the refund.
select d.number, d.issued_on, d.content
from order_event e join document d using (order_no)
where e.order_no = :order_no and e.event_id = :event_id
  and (d.kind = 'invoice' and d.part_id = e.data ->> 'fulfilment_id'
       or d.kind = 'credit_note' and d.part_id in (
           select p.part_of from payment_operation p
           where p.order_no = e.order_no and p.payment_key = e.data ->> 'payment_key'));

-- name: is_told_by_another(order_no, event_id, moved)$
-- A mail about days that moved tells all that wait, as they are when it is sent: what was planned by then was in it.
select exists (
    select from message b
    join order_event e using (order_no, event_id)
    join message m on m.order_no = b.order_no and m.event_id < b.event_id and m.state = 'sent'
                      and m.begun_at >= b.planned_at
    join order_event told on told.order_no = m.order_no and told.event_id = m.event_id and told.what = e.what
    where b.order_no = :order_no and b.event_id = :event_id and e.what = :moved);
