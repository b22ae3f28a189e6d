-- Lists of orders, a page at a time.

-- name: listed(wanted, channels, sellers, from_order, is_rising, at_most, looks_at)
-- The orders of a list, each with where it stands; and the order that the way has ended at, where it has. The units of
-- those that are shown are added up, and of no other. The function stands in schema/routines/views.sql.
select page.is_listed, o.*
from page_of_orders(:wanted::jsonb, :channels::text[], :sellers::text[], :from_order, :is_rising, :at_most, :looks_at)
    with ordinality as page (order_id, is_listed, position)
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
