-- Lost parcels that reached their customers. The order's row is locked by every writer.

-- name: found_parcel(fulfilment_id)^
-- The parcel, with the order that it came from, and its newest return, which was begun as its goods were found.
-- `is_kept`: it is counted, because its customer keeps it and is to pay. `payment`: the order's means of payment by now,
-- or, of an exchange order, that of what came back for it.
select f.location, document_of(f.order_no) as document,
       payer_of(f.order_no) as payment,
       (select jsonb_object_agg(l.line_id, l.picked) from fulfilment_line l
        where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id and l.picked > 0) as units,
       r.return_id, r.state, r.changed_at, coalesce(r.is_kept, false) as is_kept
from fulfilment f join customer_order o using (order_no)
left join lateral (
    select r.return_id, r.state, r.changed_at,
           exists (select from order_event e
                   where e.order_no = r.order_no and e.effect = 'kept:' || r.return_id) as is_kept
    from order_return r
    where r.order_no = f.order_no and r.fulfilment_id = f.fulfilment_id
    order by length(r.return_id) desc, r.return_id desc limit 1) r on true
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id;

-- name: chase(return_id)!
-- Its customer is to send it, and may forget that.
update order_return r set chase_at = moment() + (o.policy ->> 'return_within')::interval
from customer_order o
where r.order_no = order_no_of(:return_id) and r.return_id = :return_id and o.order_no = r.order_no;

-- name: expect(fulfilment_id, who, detail)$
select parcel_found(f, :who, :detail) from fulfilment f
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id;
