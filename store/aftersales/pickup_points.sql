-- Parcels that wait for their customers at a carrier's pick-up point.

-- name: ending(notice, at_most)
-- Those that go back so soon, and whose customers were not told that yet. A parcel that has moved on comes there anew.
select s.fulfilment_id, waits.until
from shipment s join fulfilment f using (order_no, fulfilment_id)
cross join lateral (
    select min(e.happened_at) + make_interval(days => coalesce(
        (select t.keeps_days from carrier_term t where t.carrier = s.carrier), 7)) as until
    from carrier_event e
    where e.order_no = s.order_no and e.fulfilment_id = s.fulfilment_id and e.status = 'available_for_pickup'
      and e.happened_at > coalesce((
          select max(m.happened_at) from carrier_event m
          where m.order_no = s.order_no and m.fulfilment_id = s.fulfilment_id
            and m.status in ('in_transit', 'out_for_delivery')), '-infinity')) waits
where s.carrier_status = 'available_for_pickup' and f.state = 'shipped' and waits.until - :notice::interval <= moment()
  and not exists (select from order_event e
                  where e.order_no = s.order_no and e.effect = format('pickup_ends:%s:%s', s.fulfilment_id, floor(extract(epoch from waits.until))::bigint))
order by waits.until, s.fulfilment_id limit :at_most;
