-- The needs to buy for. `inventory_position` is a function of the schema: docs/purchasing.md.

-- name: low()
-- Everything at or below its reorder point: a first look, without a lock.
select s.sku, s.location from stock s
left join item using (sku)
where s.reorder_point is not null and not coalesce(item.discontinued, false)
  and inventory_position(s.sku, s.location) <= s.reorder_point
order by s.sku, s.location;

-- name: called()
-- Levels that were crossed since the last review, except those that wait for a supplier.
select sku, location from replenishment_call
where tries > 0 or try_after <= moment()
order by sku, location;

-- name: claim_calls()$
-- Whether crossed levels must be reviewed now; repeated after ever longer pauses, until it is done.
with due as (
    select sku, location from replenishment_call where try_after <= moment()
    for update skip locked
), claimed as (
    update replenishment_call c
    set tries = c.tries + 1,
        try_after = moment() + least(60, 0.25 * 2 ^ least(c.tries, 8)) * interval '1 second'
    from due where (c.sku, c.location) = (due.sku, due.location)
    returning c.sku
)
select count(*) > 0 from claimed;

-- name: answer_calls(skus)!
-- These are reviewed now, under the lock of their stock: a level crossed later calls again.
delete from replenishment_call where sku = any(:skus::text[]);

-- name: call_later(skus, asked_again_before)!
-- No supplier can be asked for these now: review them when the first refusal is old enough.
insert into replenishment_call (sku, location, try_after)
select s.sku, s.location, again.at from stock s
left join item using (sku)
cross join lateral (
    select min(refused.at) + :asked_again_before::interval as at
    from supplier_item i
    cross join lateral (
        select max(p.refused_at) as at
        from purchase_order p join purchase_order_line l using (po_id)
        where p.supplier_id = i.supplier_id and l.sku = i.sku and l.cancelled > 0) refused
    where i.sku = s.sku) again
where s.sku = any(:skus::text[]) and again.at is not null
  and inventory_position(s.sku, s.location) <= s.reorder_point
  and not coalesce(item.discontinued, false)
on conflict (sku, location) do update set try_after = excluded.try_after, tries = 0;

-- name: best_terms(skus, asked_again_before)
-- The supplier to ask for each SKU: the first by priority, then by lead time, that has not refused
-- it lately, or said that no unit would arrive.
select distinct on (i.sku)
       i.sku, i.supplier_id as supplier, i.lead_time_days, i.minimum, i.multiple, i.unit_price,
       i.currency, i.priority
from supplier_item i
where i.sku = any(:skus::text[])
  and not exists (
      select from purchase_order p join purchase_order_line l using (po_id)
      where p.supplier_id = i.supplier_id and l.sku = i.sku and l.cancelled > 0
        and p.refused_at > moment() - :asked_again_before::interval)
order by i.sku, i.priority, i.lead_time_days, i.supplier_id;

-- name: needs(skus)
-- The figures for the decision, with their rows locked. SKUs on order without an answer are left
-- out.
select s.sku, s.location, s.reorder_point, s.order_up_to,
       inventory_position(s.sku, s.location) as position
from stock s
left join item using (sku)
where s.sku = any(:skus::text[]) and s.reorder_point is not null
  and not coalesce(item.discontinued, false)
  and not exists (
      select from purchase_order_line l
      where l.sku = s.sku and l.location = s.location and l.answered_at is null)
order by s.sku, s.location;

-- name: demand(days_min)
-- What was measured of SKUs that are bought by demand, in so many days of their own: what orders of before tell
-- (demand.sql) is good for a look, and no level is set by it.
select s.sku, s.location, s.service_level, d.days, d.total, d.squares
from stock s join stock_demand d using (sku, location)
cross join lateral (
    select m.at from movement m where m.sku = s.sku and m.location = s.location
    order by m.movement_id limit 1) first
where s.service_level is not null and d.days >= :days_min
  and first.at::date <= transaction_moment()::date - (:days_min::int - 1)
order by s.sku, s.location;

-- name: set_computed(skus, locations, reorder_points, order_up_tos)!
update stock s set reorder_point = w.reorder_point, order_up_to = w.order_up_to
from unnest(:skus::text[], :locations::text[], :reorder_points::bigint[], :order_up_tos::bigint[])
    as w (sku, location, reorder_point, order_up_to)
where (s.sku, s.location) = (w.sku, w.location) and s.service_level is not null
  and (s.reorder_point, s.order_up_to) is distinct from (w.reorder_point, w.order_up_to);
