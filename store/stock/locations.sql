-- Locations, and the ways of parcels from there.

-- name: lock(location)!
-- Whoever says what they saw changes it one after the other.
select from location where location = :location for update;

-- name: save_location(location, seller, priority, calendar, parcels_a_day, only_new)$
-- Whether it is there or not; or a new one alone: null where there is one of this name.
insert into location (location, seller, priority, calendar, parcels_a_day)
values (:location, :seller, :priority, :calendar, :parcels_a_day)
on conflict (location) do update
set seller = excluded.seller, priority = excluded.priority, calendar = excluded.calendar,
    parcels_a_day = excluded.parcels_a_day
where not :only_new::boolean
returning location;

-- name: drop_lanes(location)!
delete from lane where location = :location;

-- name: add_lanes(location, countries, postal_prefixes, services, costs, currencies, distances, transits)!
insert into lane (location, country, postal_prefix, service, cost_minor, currency, distance_km,
                  transit_days)
select :location, country, postal_prefix, service, cost, currency, distance, transit
from unnest(:countries::text[], :postal_prefixes::text[], :services::text[], :costs::bigint[],
            :currencies::text[], :distances::integer[], :transits::integer[])
    as l (country, postal_prefix, service, cost, currency, distance, transit);

-- name: lane_currencies()
-- The currencies of all lanes. There should be one, because costs are compared.
select currency, min(location) as location from lane group by currency order by currency;

-- name: ways(locations, countries, postal_codes, services)
-- Each location's way to send a parcel to each address: its own figures, and its closest lane's. The
-- function stands in schema/routines/stock.sql.
select * from ways_to(:locations::text[], :countries::text[], :postal_codes::text[], :services::text[]);

-- name: names()
select location, retired_at is not null as retired from location order by location;

-- name: owner(location)^
-- Whose goods lie there, if it is there, and who there is.
select (select seller from location where location = :location) as seller,
       (select array_agg(seller order by seller) from seller) as sellers;

-- name: stop_movements()!
-- Nobody brings goods to a location or takes some away while it gets another owner.
lock table movement in share row exclusive mode;

-- name: holds_goods(location)$
-- Whether there are goods, or some are on their way to it or from it.
select exists (select from stock where location = :location and on_hand > 0)
    or exists (select from transfer where closed_at is null and :location in (from_location, to_location));

-- name: add(locations, seller)!
-- Existing locations stay as they are.
insert into location (location, seller) select location, :seller from unnest(:locations::text[]) as w (location)
order by location
on conflict (location) do nothing;

-- name: list_locations(location, after, at_most)
select l.location, l.seller, l.priority, l.calendar, l.parcels_a_day,
       coalesce((
           select jsonb_agg(jsonb_build_object(
                      'country', country, 'postal_prefix', postal_prefix, 'service', service,
                      'cost_minor', cost_minor, 'currency', currency,
                      'distance_km', distance_km, 'transit_days', transit_days)
                  order by country, postal_prefix, service)
           from lane where lane.location = l.location), '[]') as lanes
from location l
where (:location::text is null or l.location = :location) and l.location > coalesce(:after::text, '')
order by l.location limit :at_most;
