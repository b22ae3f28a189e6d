-- Scans of parcels that come back. The order's row is locked.

-- name: told_before(return_id, event_id)$
select status from return_scan
where order_no = order_no_of(:return_id) and return_id = :return_id and event_id = :event_id;

-- name: scan(return_id, event_id, status, happened_at, detail, overtakes, moves)$
-- Keeps the scan. True where the parcel is further by it. No time is later than now.
with kept as (
    insert into return_scan (order_no, return_id, event_id, status, happened_at, detail)
    values (order_no_of(:return_id), :return_id, :event_id, :status, :happened_at, nullif(:detail, ''))
), before as (
    select order_no, return_id, carrier_status = any(:overtakes::text[]) as is_further from return_label
    where order_no = order_no_of(:return_id) and return_id = :return_id
)
update return_label l
set carrier_status = case when b.is_further then :status else l.carrier_status end,
    first_scan_at = case when :moves then least(l.first_scan_at, :happened_at::timestamptz, moment())
                         else l.first_scan_at end,
    last_scan_at = greatest(l.last_scan_at, least(:happened_at::timestamptz, moment()))
from before b where (l.order_no, l.return_id) = (b.order_no, b.return_id)
returning b.is_further;
