-- The hand-over of a parcel. The functions stand in schema/routines/fulfilment.sql.

-- name: hand_over_look(fulfilment_id, may_leave)^
-- What it is decided on, under the locks that it takes.
select * from hand_over_look(:fulfilment_id, :may_leave);

-- name: parcel_shipped(fulfilment_id, at, who, skus, locations, units, cost, report, bill)$
-- labelled → shipped.
select parcel_shipped(:fulfilment_id, :at, :who, :skus::text[], :locations::text[], :units::bigint[],
                      :cost::jsonb, :report::jsonb, :bill::jsonb);
