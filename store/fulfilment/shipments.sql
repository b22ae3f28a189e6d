-- Shipments: the label of a fulfilment, and the carrier's scans. The order's row is locked.

-- name: label_wanted(fulfilment_id, label_key, carriers, holds, seen, to_charge_minor, renew_before)^
-- The intent to buy a label. The function stands in schema/routines/fulfilment.sql.
select answer, shipping, parcel
from label_wanted(:fulfilment_id, :label_key, :carriers, :holds, :seen, :to_charge_minor, :renew_before);

-- name: label_recorded(fulfilment_id, label_key, carrier, tracking_number, media_types, contents, note)^
-- requested → bought. The function stands in schema/routines/fulfilment.sql.
select is_recalled, is_late
from label_recorded(:fulfilment_id, :label_key, :carrier, :tracking_number, :media_types, :contents, :note);

-- name: parcel_of(fulfilment_id)^
select fulfilment_id, order_of(fulfilment_id) as order_id, label_key, label, carrier, tracking_number,
       service, sold_by, refusal, carrier_status, last_scan_at, handed_over_at, to_charge_minor
from shipment where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

-- name: label_refused(refusal, fulfilment_id)!
-- requested → refused
update shipment set label = 'refused', refusal = :refusal
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and label = 'requested';

-- name: charge_otherwise(order_id, fulfilment_ids, amounts)!
-- The order's amounts are others: so is what is charged when a parcel with a label leaves.
update shipment s set to_charge_minor = p.amount
from unnest(:fulfilment_ids::text[], :amounts::bigint[]) as p (fulfilment_id, amount)
where s.order_no = order_no_of(:order_id) and s.fulfilment_id = p.fulfilment_id
  and s.label in ('requested', 'bought');

-- name: label_voided(fulfilment_id)!
-- requested (never bought) or bought → voided
update shipment set label = 'voided'
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and label in ('requested', 'bought');

-- name: unused_labels(fulfilment_id)
-- Those that are still to be given back, oldest first.
select label_key, sold_by, tracking_number from unused_label
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id and voided_at is null
order by since, label_key;

-- name: unused_label_voided(fulfilment_id, label_key)!
update unused_label set voided_at = moment()
where order_no = order_no_of(:fulfilment_id) and label_key = :label_key and voided_at is null;

-- name: files_of(fulfilment_id)
select media_type, content, digest, kept_at
from label_file where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
order by media_type;

-- name: forget_files(kept, batch)$
-- The files of parcels that left, or were given up, longer ago than this go, the oldest first.
with over as (
    select l.order_no, l.fulfilment_id, l.media_type
    from label_file l join fulfilment f using (order_no, fulfilment_id)
    where l.kept_at < moment() - :kept::interval and f.changed_at < moment() - :kept::interval
      and f.state in ('shipped', 'delivered', 'cancelled', 'exception')
    order by l.kept_at limit :batch
    for update of l skip locked
), gone as (
    delete from label_file l using over o
    where (l.order_no, l.fulfilment_id, l.media_type) = (o.order_no, o.fulfilment_id, o.media_type)
)
select count(*) from over;
