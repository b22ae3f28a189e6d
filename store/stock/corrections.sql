-- The claims that end when fewer units are there than orders hold.

-- name: claims(sku, location)
-- Fulfilments that claim units of a stock row and that nobody has begun to pick, the one that
-- we took in last comes first.
-- Not those with kits, which cannot be backordered.
select f.fulfilment_id, o.order_id, f.location, f.promised_leave, f.promised_on,
       sum(r.quantity) filter (where r.sku = :sku)::bigint as quantity,
       array_agg(distinct r.sku) as skus
from fulfilment f
join customer_order o using (order_no)
join reservation r using (order_no, fulfilment_id)
where (f.order_no, f.fulfilment_id) in (
          select order_no, fulfilment_id from reservation
          where sku = :sku and location = :location and quantity > 0)
  and f.state in ('open', 'picking')
  and not exists (select from fulfilment_line l
                  join reservation k using (order_no, fulfilment_id, line_id)
                  where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id and k.sku <> l.sku)
group by f.order_no, f.fulfilment_id, o.order_no
order by o.received_at desc, o.order_no desc, f.fulfilment_id desc;
