-- Changes of locations: renamed, retired, opened again or removed.

-- name: copy(old, new)!
-- A location with the settings and lanes of another one; an existing one stays as it is.
with made as (
    insert into location (location, seller, priority, calendar, parcels_a_day)
    select :new, seller, priority, calendar, parcels_a_day from location where location = :old
    on conflict (location) do nothing
    returning location
)
insert into lane (location, country, postal_prefix, service, cost_minor, currency, distance_km,
                  transit_days)
select made.location, country, postal_prefix, service, cost_minor, currency, distance_km, transit_days
from made, lane where lane.location = :old;

-- name: copy_rows(old, new)!
-- Stock rows for all SKUs of the other location, with its levels and safety stock, and nothing in them.
insert into stock (sku, location, safety, reorder_point, order_up_to, service_level)
select sku, :new, safety, reorder_point, order_up_to, service_level from stock
where location = :old
order by sku
on conflict (sku, location) do nothing;

-- name: retire(location)$
update location set retired_at = coalesce(retired_at, moment())
where location = :location returning location;

-- name: reopen(location)$
update location set retired_at = null where location = :location returning location;

-- name: skus_at(location)
-- SKUs with anything there that ends with the location: soft reservations, levels, calls to buy.
select sku from soft_reservation where location = :location
union select sku from replenishment_call where location = :location
union select sku from stock
where location = :location and (reorder_point is not null or service_level is not null);

-- name: all_skus_at(location)
select sku from stock where location = :location;

-- name: give_up(location)
-- Ends its levels and its soft reservations. Returns the SKUs of those.
with levels as (
    update stock set reorder_point = null, order_up_to = null, service_level = null
    where location = :location and (reorder_point is not null or service_level is not null)
), calls as (
    delete from replenishment_call where location = :location
)
delete from soft_reservation where location = :location returning sku;

-- name: movable(location, after, at_most)
select sku from stock
where location = :location and sku > :after and on_hand > allocated
order by sku limit :at_most;

-- name: free_of(location, skus)
select sku, on_hand - allocated as units from stock
where location = :location and sku = any(:skus::text[]) and on_hand > allocated
order by sku;

-- name: left_at(location)^
-- The units at a location, its parcels to send, and the units under way to it.
select (select coalesce(sum(on_hand), 0)::bigint from stock where location = :location) as units,
       parcels_to_send(:location) as to_send,
       (select count(*) from transfer where to_location = :location and closed_at is null)
           + (select count(distinct po_id) from purchase_order_line
              where location = :location and outstanding > 0) as awaited;

-- name: remove(location)$
-- The database refuses this if other rows refer to it.
with lanes as (
    delete from lane where location = :location
), calls as (
    delete from replenishment_call where location = :location
), rows as (
    delete from stock where location = :location
)
delete from location where location = :location returning location;
