-- Shipments: the label of a fulfilment, and the carrier's scans. The order's row is locked.

-- name: want_label(fulfilment_id, order_id, label_key, service, to_charge_minor, renew_before)$
-- The intent to buy a label, before the carrier is asked. False when it was there already: then
-- this is one more attempt. (A row that an insert made has no xmax.)
insert into shipment (order_no, fulfilment_id, label_key, label, service, to_charge_minor, renew_before)
values (order_no_of(:order_id), :fulfilment_id, :label_key, 'requested', :service, :to_charge_minor,
        :renew_before)
on conflict (order_no, fulfilment_id) do update set asked_at = excluded.asked_at
where shipment.label = 'requested'
returning xmax = 0;

-- name: waits_on(fulfilment_id, to_charge_minor, renew_before)!
-- Its order waits for the hand-over (again), and is told anew when the authorization ends.
update shipment
set to_charge_minor = :to_charge_minor, renew_before = :renew_before, unpaid_at = null
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and (to_charge_minor, renew_before, unpaid_at)
      is distinct from (:to_charge_minor, :renew_before, null::timestamptz);

-- name: parcel_of(fulfilment_id)^
select fulfilment_id, order_of(fulfilment_id) as order_id, label_key, label, carrier, tracking_number,
       service, refusal, carrier_status, last_scan_at, handed_over_at, to_charge_minor
from shipment where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

-- name: label_bought(carrier, tracking_number, fulfilment_id)!
-- requested → bought
update shipment set label = 'bought', carrier = :carrier, tracking_number = :tracking_number
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and label = 'requested';

-- name: label_refused(refusal, fulfilment_id)!
-- requested → refused
update shipment set label = 'refused', refusal = :refusal
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and label = 'requested';

-- name: label_voided(fulfilment_id)!
-- requested (never bought) or bought → voided
update shipment set label = 'voided'
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and label in ('requested', 'bought');
