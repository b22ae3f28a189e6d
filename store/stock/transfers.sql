-- Transfers between locations. A report locks the transfer's row, then stock.

-- name: send(transfer_id, from_location, to_location, expected_on, who, why, skus, units)$
-- Null when the id exists already; then nothing is written.
with sent as (
    insert into transfer (transfer_id, from_location, to_location, expected_on, who, why)
    values (:transfer_id, :from_location, :to_location, :expected_on, :who, :why)
    on conflict (transfer_id) do nothing
    returning transfer_id
), lines as (
    insert into transfer_line (transfer_id, sku, sent)
    select transfer_id, sku, units
    from sent, unnest(:skus::text[], :units::bigint[]) as l (sku, units)
)
select transfer_id from sent;

-- name: lock(transfer_id)^
-- `one_owner`: the goods are the same seller's at both ends.
select transfer_id, from_location, to_location, expected_on, closed_at,
       (select count(distinct seller) = 1 from location where location in (from_location, to_location))
           as one_owner
from transfer where transfer_id = :transfer_id for update;

-- name: settle(skus, arrived, lost, transfer_id)!
-- Adds arrived and lost units; closes the transfer when nothing is under way any more.
with settled as (
    update transfer_line l set arrived = l.arrived + s.arrived, lost = l.lost + s.lost
    from unnest(:skus::text[], :arrived::bigint[], :lost::bigint[]) as s (sku, arrived, lost)
    where l.transfer_id = :transfer_id and l.sku = s.sku
    returning l.sku, l.sent - l.arrived - l.lost as left_over
)
update transfer set closed_at = moment()
where transfer_id = :transfer_id and closed_at is null
  and not exists (
      select from transfer_line l left join settled s using (sku)
      where l.transfer_id = :transfer_id
        and coalesce(s.left_over, l.sent - l.arrived - l.lost) > 0);

-- name: list_transfers(transfer_id, open, sku, locations, after_at, after_id, at_most)
select t.transfer_id, t.from_location, t.to_location, t.expected_on, t.sent_at, t.closed_at,
       t.who, t.why,
       (select jsonb_agg(jsonb_build_object(
            'sku', l.sku, 'sent', l.sent, 'arrived', l.arrived, 'lost', l.lost) order by l.sku)
        from transfer_line l where l.transfer_id = t.transfer_id) as lines
from transfer t
where (:transfer_id::text is null or t.transfer_id = :transfer_id)
  and (not :open or t.closed_at is null)
  and (:sku::text is null or exists (
      select from transfer_line l where l.transfer_id = t.transfer_id and l.sku = :sku))
  and (:locations::text[] is null
       or t.from_location = any(:locations) or t.to_location = any(:locations))
  and (:after_id::text is null
       or (t.sent_at, t.transfer_id) > (:after_at::timestamptz, :after_id))
order by t.sent_at, t.transfer_id limit :at_most;
