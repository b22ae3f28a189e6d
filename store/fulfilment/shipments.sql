-- Shipments: the label of a fulfilment, and the carrier's scans. The order's row is locked.

-- name: want_label(fulfilment_id, order_id, label_key, service, charged)$
-- The intent to buy a label, before the carrier is asked. False when it was there already: then
-- this is one more attempt. (A row that an insert made has no xmax.)
insert into shipment (fulfilment_id, order_id, label_key, label, service, charged)
values (:fulfilment_id, :order_id, :label_key, 'requested', :service, :charged)
on conflict (fulfilment_id) do update set asked_at = excluded.asked_at where shipment.label = 'requested'
returning xmax = 0;

-- name: parcel_of(fulfilment_id)^
select fulfilment_id, order_id, label_key, label, carrier, tracking_number, service, refusal,
       carrier_status, last_scan_at, handed_over_at, charged
from shipment where fulfilment_id = :fulfilment_id;

-- name: parcels_by_tracking(carrier, tracking_number, event_id)
-- Carriers recycle numbers: a parcel that already has this event comes first, then one that has not
-- ended, then the newest hand-over.
select p.fulfilment_id, p.carrier_status
from shipment p join fulfilment f using (fulfilment_id)
where p.carrier = :carrier and p.tracking_number = :tracking_number and p.label = 'bought'
order by exists (select from carrier_event e
                 where e.fulfilment_id = p.fulfilment_id and e.event_id = :event_id) desc,
         (f.state in ('labelled', 'shipped')) desc, p.handed_over_at desc nulls last,
         p.fulfilment_id;

-- name: label_bought(carrier, tracking_number, fulfilment_id)!
-- requested → bought
update shipment set label = 'bought', carrier = :carrier, tracking_number = :tracking_number
where fulfilment_id = :fulfilment_id and label = 'requested';

-- name: label_refused(refusal, fulfilment_id)!
-- requested → refused
update shipment set label = 'refused', refusal = :refusal
where fulfilment_id = :fulfilment_id and label = 'requested';

-- name: label_voided(fulfilment_id)!
-- requested (never bought) or bought → voided
update shipment set label = 'voided'
where fulfilment_id = :fulfilment_id and label in ('requested', 'bought');

-- name: hand_over(at, fulfilment_id)^
-- A scan is never later than now, even if a clock is ahead: the parcel would seem to move for ever.
update shipment set handed_over_at = :at, last_scan_at = least(:at, clock_timestamp())
where fulfilment_id = :fulfilment_id
returning carrier, tracking_number;

-- name: add_carrier_event(fulfilment_id, event_id, status, happened_at, detail)$
-- Null when the carrier sent this event before.
insert into carrier_event (fulfilment_id, event_id, status, happened_at, detail)
values (:fulfilment_id, :event_id, :status, :happened_at, nullif(:detail, ''))
on conflict (fulfilment_id, event_id) do nothing
returning event_id;

-- name: status_told(fulfilment_id, event_id)$
select status from carrier_event where fulfilment_id = :fulfilment_id and event_id = :event_id;

-- name: scanned(carrier_status, happened_at, fulfilment_id)!
update shipment
set carrier_status = :carrier_status,
    last_scan_at = greatest(last_scan_at, least(:happened_at, clock_timestamp()))
where fulfilment_id = :fulfilment_id;
