-- Shipments: the label of a fulfilment, and the carrier's scans. The order's row is locked.

-- name: label_wanted(fulfilment_id, label_key, holds, seen, to_charge_minor, renew_before)^
-- The intent to buy a label. The function stands in schema/routines/fulfilment.sql.
select answer, shipping, parcel
from label_wanted(:fulfilment_id, :label_key, :holds, :seen, :to_charge_minor, :renew_before);

-- name: label_recorded(fulfilment_id, carrier, tracking_number)^
-- requested → bought. The function stands in schema/routines/fulfilment.sql.
select is_recalled, is_late from label_recorded(:fulfilment_id, :carrier, :tracking_number);

-- name: parcel_of(fulfilment_id)^
select fulfilment_id, order_of(fulfilment_id) as order_id, label_key, label, carrier, tracking_number,
       service, refusal, carrier_status, last_scan_at, handed_over_at, to_charge_minor
from shipment where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

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
