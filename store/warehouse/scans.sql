-- What carriers report. The function stands in schema/routines/fulfilment.sql.

-- name: scan(carrier, tracking_number, event_id, status, happened_at, detail, overtakes, moves, ends_as)^
select answer, part_id
from carrier_scan(:carrier, :tracking_number, :event_id, :status, :happened_at, :detail,
                  :overtakes::text[], :moves, :ends_as);
