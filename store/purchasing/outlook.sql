-- How long stock lasts. It is bounded by the catalogue and by what is open, and grows with no order: what was sold
-- is measured (demand.sql).

-- name: outlook(skus, location, locations, text, low, out_by, order_by, after_day, after_sku, after_location, at_most)
-- Stock rows by the day on which they run out, those that do not last of all; a null does not filter. A row is low
-- at or below its reorder point. `out_by`: what runs out by this day. `order_by`: what must be ordered by this day,
-- the most urgent first; but nothing of which a purchase order waits for approval, and nothing that is bought for
-- each order by itself. A day is the location's.
-- The position is that of `inventory_position`, made of sets. A page by the day alone is found by what its day is made
-- of (`chosen`); where a filter asks for more of each row, all rows are looked up whole.
with place as materialized (
    select location, priority, retired_at is not null as retired, location_day(calendar) as today from location
), coming as materialized (
    select sku, location, sum(units)::bigint as units,
           sum(units) filter (where sure)::bigint as sure, min(due_on) filter (where sure) as next_on
    from (
        select l.sku, l.location, l.outstanding as units, l.due_on, p.state <> 'proposed' as sure
        from purchase_order_line l join purchase_order p using (po_id)
        where l.outstanding > 0 and (:skus::text[] is null or l.sku = any(:skus))
        union all
        select l.sku, t.to_location, l.sent - l.arrived - l.lost, t.expected_on, true
        from transfer_line l join transfer t using (transfer_id)
        where l.arrived + l.lost < l.sent and (:skus::text[] is null or l.sku = any(:skus))
    ) c group by sku, location
), waiting as materialized (
    select sku, sum(quantity)::bigint as units from backorder
    where quantity > 0 and (:skus::text[] is null or sku = any(:skus)) group by sku
), first_place as materialized (
    select distinct on (w.sku) w.sku, s.location from waiting w
    join stock s using (sku) join place using (location)
    where s.reorder_point is not null order by w.sku, place.priority, s.location
), soft as materialized (
    select sku, location, sum(quantity)::bigint as units from soft_reservation
    where (expires_at is null or expires_at > transaction_moment())
      and (:skus::text[] is null or sku = any(:skus)) group by sku, location
), best as materialized (
    select distinct on (sku) sku, lead_time_days from supplier_item
    where :order_by::date is not null and (:skus::text[] is null or sku = any(:skus))
    order by sku, priority, lead_time_days, supplier_id
), chosen as materialized (
    select s.sku, s.location
    from stock s
    join place using (location)
    left join soft on (soft.sku, soft.location) = (s.sku, s.location)
    left join stock_demand d on (d.sku, d.location) = (s.sku, s.location)
    cross join lateral (select sold_out_on(place.today, case when place.retired then 0
        else s.on_hand - s.allocated - s.safety - coalesce(soft.units, 0) end, d.days, d.total) as out_on) ends
    where not :low and :order_by::date is null and :text::text is null and :skus::text[] is null
      and (:location::text is null or s.location = :location)
      and (:locations::text[] is null or s.location = any(:locations))
      and (:out_by::date is null or out_on <= :out_by)
      and (:after_sku::text is null
           or (coalesce(out_on, 'infinity'), s.sku, s.location)
              > (coalesce(:after_day::date, 'infinity'), :after_sku, :after_location))
    order by out_on nulls last, s.sku, s.location limit :at_most
), counted as (
    select s.sku, s.location, place.retired, place.today,
           coalesce(i.handling, 'shipped') in ('drop_ship', 'made_to_order', 'service') as bought_for_orders,
           i.name, coalesce(i.discontinued, false) as discontinued,
           s.on_hand, s.allocated, s.safety, s.reorder_point, s.order_up_to, s.service_level,
           coalesce(soft.units, 0) as soft_reserved,
           case when place.retired then 0
                else s.on_hand - s.allocated - s.safety - coalesce(soft.units, 0) end as available,
           coalesce(c.sure, 0) as incoming, c.next_on,
           coalesce(c.units, 0) - coalesce(c.sure, 0) as proposed,
           case when f.location is null then 0 else w.units end as backordered,
           s.on_hand - s.allocated - s.safety + coalesce(c.units, 0)
               - case when f.location is null then 0 else w.units end as position,
           d.days, d.total, d.squares
    from (
        select * from stock
        where :low or :order_by::date is not null or :text::text is not null or :skus::text[] is not null
        union all
        select stock.* from chosen join stock using (sku, location)
    ) s
    join place using (location)
    left join item i on i.sku = s.sku
    left join coming c on (c.sku, c.location) = (s.sku, s.location)
    left join soft on (soft.sku, soft.location) = (s.sku, s.location)
    left join first_place f on (f.sku, f.location) = (s.sku, s.location)
    left join waiting w on w.sku = s.sku
    left join stock_demand d on (d.sku, d.location) = (s.sku, s.location)
    where (:skus::text[] is null or s.sku = any(:skus))
      and (:location::text is null or s.location = :location)
      and (:locations::text[] is null or s.location = any(:locations))
      and (:text::text is null or starts_with(lower(s.sku), lower(:text))
           or position(lower(:text) in lower(i.name)) > 0)
), lasting as (
    select *, sold_out_on(today, available, days, total) as out_on,
           sold_out_on(today, position - proposed - soft_reserved, days, total) as covered_until
    from counted
), picked as (
    select lasting.* from lasting left join best using (sku)
    where (not :low or position <= reorder_point)
      and (:out_by::date is null or out_on <= :out_by)
      and (:order_by::date is null or not discontinued and not retired and proposed = 0
           and (reorder_point is not null or not bought_for_orders)
           and (position - proposed <= reorder_point or covered_until - best.lead_time_days <= :order_by))
      and (:after_sku::text is null
           or (coalesce(out_on, 'infinity'), sku, location)
              > (coalesce(:after_day::date, 'infinity'), :after_sku, :after_location))
    order by case when :order_by::date is null then null
                  else coalesce(covered_until - best.lead_time_days, today) end,
             out_on nulls last, sku, location limit :at_most
)
select picked.*, first.supplier_id as supplier, first.lead_time_days,
       covered_until - first.lead_time_days as order_by
from picked
left join lateral (
    select supplier_id, lead_time_days from supplier_item i where i.sku = picked.sku
    order by priority, lead_time_days, supplier_id limit 1) first on true
order by case when :order_by::date is null then null
              else coalesce(covered_until - first.lead_time_days, today) end,
         out_on nulls last, sku, location;
