-- Parcels as carriers see them. Reads only.

-- name: parcels_under_way(channels, sellers, after_at, after_part, at_most)
-- Handed over, and neither delivered nor given up: what a carrier is working on.
select p.fulfilment_id, order_of(p.fulfilment_id) as order_id, p.carrier, p.tracking_number,
       p.carrier_status, p.handed_over_at, p.last_scan_at
from shipment p join fulfilment f using (order_no, fulfilment_id)
where f.state = 'shipped'
  and (:channels::text[] is null and :sellers::text[] is null or exists (
      select from customer_order o
      where o.order_no = p.order_no
        and (:channels is null or o.channel = any(:channels))
        and (:sellers is null or o.seller = any(:sellers))))
  and (:after_part::text is null
       or (p.handed_over_at, p.fulfilment_id) > (:after_at::timestamptz, :after_part))
order by p.handed_over_at, p.fulfilment_id
limit :at_most;

-- name: whose(carrier, tracking_number)
-- The channels and sellers of the orders whose parcels have, or had, this number.
select distinct o.channel, o.seller
from shipment p join customer_order o using (order_no)
where p.carrier = :carrier and p.tracking_number = :tracking_number and p.label = 'bought'
order by o.channel, o.seller;
