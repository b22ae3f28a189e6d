-- Parcels as carriers see them. Reads only.

-- name: parcels_under_way(at_most)
-- Handed over, and neither delivered nor given up: what a carrier is working on.
select p.fulfilment_id, order_of(p.fulfilment_id) as order_id, p.carrier, p.tracking_number,
       p.carrier_status, p.handed_over_at, p.last_scan_at
from shipment p join fulfilment f using (order_no, fulfilment_id)
where f.state = 'shipped'
order by p.handed_over_at, p.fulfilment_id
limit :at_most;
