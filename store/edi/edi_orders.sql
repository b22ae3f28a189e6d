-- Orders that came by EDI, and what is to be told of them.

-- name: keep(order_id, partner, asked)!
insert into edi_order (order_id, partner, asked) values (:order_id, :partner, :asked)
on conflict (order_id) do nothing;

-- name: asked(order_id)$
select asked from edi_order where order_id = :order_id;

-- name: ask(order_id, asked)!
update edi_order set asked = :asked where order_id = :order_id;

-- name: placed(order_id)^
select digest, decision, state from customer_order where order_id = :order_id;

-- name: to_tell(after, at_most)
-- Orders of which something is due to be told, or that are over; the next ones behind that id.
select e.order_id, e.partner, e.asked, e.answered_at, e.told, e.told_event, e.error, o.decision, o.reason, o.decided_at, o.order_no,
       o.state, coalesce((select max(event_id) from order_event v where v.order_no = o.order_no), 0) as latest
from edi_order e join customer_order o using (order_id)
where e.ended_at is null and e.order_id > :after and o.decision <> 'received'
  and (e.answered_at is null
       or exists (select from order_event v where v.order_no = o.order_no and v.event_id > e.told_event)
       or o.decision in ('closed', 'rejected', 'cancelled') and o.decided_at < moment() - interval '1 day'
       or exists (select from shipment s where s.order_no = o.order_no and s.handed_over_at is not null
                  and not exists (select from edi_document d
                                  where d.partner = e.partner and d.subject = '856:' || s.fulfilment_id))
       or exists (select from document b where b.order_no = o.order_no
                  and not exists (select from edi_document d
                                  where d.partner = e.partner and d.subject = '810:' || b.number)))
order by e.order_id limit :at_most;

-- name: lines(order_no)
-- Units of each line that are wanted, those that wait, and the day they were promised for.
select l.line_id, l.sku, l.ordered - l.cancelled as wanted, l.backordered as waiting, b.promised_on
from order_line l left join backorder b using (order_no, line_id)
where order_no = :order_no order by l.position;

-- name: parcels(order_no)
-- Parcels that were handed over.
select s.fulfilment_id, coalesce(s.carrier, s.sold_by) as carrier, coalesce(s.tracking_number, s.fulfilment_id) as tracking_number,
       s.handed_over_at, f.location,
       (select jsonb_object_agg(l.line_id, l.quantity) from fulfilment_line l
        where l.order_no = s.order_no and l.fulfilment_id = s.fulfilment_id and l.quantity > 0) as units
from shipment s join fulfilment f using (order_no, fulfilment_id)
where s.order_no = :order_no and s.handed_over_at is not null order by s.handed_over_at, s.fulfilment_id;

-- name: bills(order_no)
-- Its invoices and credit notes.
select number, part_id, issued_on, content from document
where order_no = :order_no order by issued_at, number;

-- name: address(order_no)$
select person #> '{shipping,address}' from order_person where order_no = :order_no and erased_at is null;

-- name: told(order_id, told, event, since)$
-- The customer knows how it stands. No row: it was told something since that event.
update edi_order set answered_at = coalesce(answered_at, moment()), told = :told, told_event = greatest(told_event, :event)
where order_id = :order_id and told_event = coalesce(:since, told_event)
returning order_id;

-- name: cannot_be_told(order_id, error)!
-- Null: it can again.
update edi_order set error = :error where order_id = :order_id and error is distinct from :error;

-- name: latest(order_id)$
select coalesce(max(event_id), 0) from order_event join customer_order using (order_no) where order_id = :order_id;

-- name: ended(order_id)!
update edi_order set ended_at = moment() where order_id = :order_id;

-- name: known_skus(skus)
-- Those of which something was said, or there is or was stock: any other is a mistake in the order.
select sku from item i
where sku = any(:skus::text[]) and (described or exists (select from stock s where s.sku = i.sku));

-- name: number_of(order_id)$
select order_no from customer_order where order_id = :order_id;
