-- What warehouses report. The functions stand in schema/routines/fulfilment.sql.

-- name: told_before(part_id, state, is_recalled, expected, effect, content)$
select told_before(:part_id, :state, :is_recalled, :expected, :effect, :content::jsonb);

-- name: pick(fulfilment_id, counted, who)^
-- picking → picked or cancelled.
select outcome, is_new from parcel_picked(:fulfilment_id, :counted::jsonb, :who);

-- name: pack(fulfilment_id, who, box, grams)$
-- picked → packed.
select parcel_packed(:fulfilment_id, :who, :box, :grams);
