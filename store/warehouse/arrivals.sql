-- What comes to a location. Reads only.

-- name: expected(location, kinds, at_most)
-- Purchase orders that were sent and transfers that are under way, without those that somebody receives already.
select a.kind, a.part, a.by, a.due_on, coalesce(a.due_on < l.today, false) as is_late, a.units, a.skus
from (
    select location, (moment() at time zone coalesce(calendar ->> 'time_zone', 'UTC'))::date as today
    from location where location = :location
) l
cross join lateral (
    (select 'receive' as kind, p.po_id as part, s.name as by, min(i.due_on) as due_on,
            sum(i.outstanding)::bigint as units, count(*) as skus
     from purchase_order p
     join supplier s using (supplier_id)
     join purchase_order_line i on i.po_id = p.po_id and i.outstanding > 0
     where 'receive' = any(:kinds::text[]) and p.location = l.location and not p.drop_ship
       and p.state not in ('closed', 'cancelled') and p.state in ('sent', 'acknowledged', 'shipped')
       and not exists (select from scan_run_part r where r.part_id = p.po_id)
     group by p.po_id, s.name order by min(i.due_on), p.po_id limit :at_most)
    union all
    (select 'arrive', t.transfer_id, t.from_location, t.expected_on,
            sum(i.sent - i.arrived - i.lost)::bigint, count(*)
     from transfer t
     join transfer_line i on i.transfer_id = t.transfer_id and i.arrived + i.lost < i.sent
     where 'arrive' = any(:kinds::text[]) and t.to_location = l.location and t.closed_at is null
       and not exists (select from scan_run_part r where r.part_id = t.transfer_id)
     group by t.transfer_id order by t.expected_on nulls last, t.sent_at, t.transfer_id limit :at_most)
) a
order by a.due_on nulls last, a.kind desc, a.part;

-- name: kind_of(location, forms)^
-- `forms`: how the code may be written, the most likely first.
select kind, part from unnest(:forms::text[]) with ordinality as w (form, n)
cross join lateral (
    select 1 as first, 'receive' as kind, po_id as part from purchase_order where po_id = w.form and location = :location
    union all
    select 2, 'arrive', transfer_id from transfer where transfer_id = w.form and to_location = :location
    union all
    select 3, 'send', location from location where location = w.form and location <> :location and retired_at is null
) found
order by n, first limit 1;
