-- When services are given. The functions stand in schema/routines/fulfilment.sql.

-- name: make(fulfilment_id, begins_at, who, note)!
select appointment_made(:fulfilment_id, :begins_at::timestamptz, :who, :note);

-- name: is_firm(fulfilment_id)$
select appointment_is_firm(:fulfilment_id);

-- name: to_come(location, channels, sellers, at_most)
-- What is to be given, the soonest first; what is not agreed yet comes last. A time can be agreed
-- before it is paid.
select f.fulfilment_id, order_of(f.fulfilment_id) as order_id, f.location, f.state, a.begins_at,
       coalesce(a.missed, 0) as missed, (
           select jsonb_object_agg(l.sku, l.quantity) from fulfilment_line l
           where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id and l.quantity > 0) as units
from fulfilment f join customer_order o using (order_no)
left join appointment a using (order_no, fulfilment_id)
where f.handling = 'service' and f.state in ('open', 'picking', 'picked', 'packed', 'labelled')
  and (:location::text is null or f.location = :location)
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
order by a.begins_at nulls last, f.fulfilment_id limit :at_most;
