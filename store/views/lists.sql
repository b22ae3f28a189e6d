-- Lists of orders, a page at a time.

-- name: listed(wanted, channels, sellers, from_order, is_rising, at_most, looks_at)
-- The orders of a list, each with where it stands; and the order that the way has ended at, where it has. The units of
-- those that are shown are added up, and of no other. The function stands in schema/routines/views.sql.
select page.is_listed, page.by_placed, o.*
from page_of_orders(:wanted::jsonb, :channels::text[], :sellers::text[], :from_order, :is_rising, :at_most, :looks_at)
    with ordinality as page (order_id, is_listed, by_placed, position)
join order_overview o using (order_id)
order by page.position;

-- name: told_of(order_ids)
-- What a list can say of some orders beside their summaries.
select o.order_id, coalesce(p.person #>> '{customer,name}', '') as customer,
       coalesce(p.person #>> '{address,country}', '') as country,
       coalesce((select string_agg(distinct l.sku, ', ' order by l.sku) from order_line l
                 where l.order_no = o.order_no), '') as skus,
       coalesce(f.locations, '') as locations, f.promised_on
from unnest(:order_ids::text[]) as asked (order_id)
join customer_order o using (order_id) join order_person p using (order_no)
cross join lateral (
    select string_agg(distinct f.location, ', ' order by f.location) as locations,
           max(f.promised_on) filter (where f.state not in ('delivered', 'cancelled', 'exception')) as promised_on
    from fulfilment f where f.order_no = o.order_no
) f;

-- name: countries()
-- Where orders go. The index is asked for the next country behind each one, so no order is read.
with recursive known as (
    (select person #>> '{address,country}' as country from order_person
     where person #>> '{address,country}' is not null order by 1 limit 1)
    union all
    select (select p.person #>> '{address,country}' from order_person p
            where p.person #>> '{address,country}' > known.country order by 1 limit 1)
    from known where known.country is not null
)
select country from known where country is not null;
