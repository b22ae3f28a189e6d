-- Where goods lie, and by which codes they are scanned.

-- name: read_code(location, forms)^
-- What a code is, here: a SKU by itself or by what is printed on the goods, and a place. `forms`: how it may be
-- written, the most likely first. A SKU that is itself a code counts before another one's code.
with written as (
    select form, n from unnest(:forms::text[]) with ordinality as t (form, n)
), found as (
    select w.n, 1 as rank, i.sku, 1::bigint as units, null::text as place
    from written w join item i on i.sku = w.form
    union all
    select w.n, 2, c.sku, c.units, null from written w join item_code c on c.code = w.form
    union all
    select w.n, 3, null, null, b.bin from written w join bin b on b.location = :location and b.bin = w.form
), first as (
    select * from found where n = (select min(n) from found)
)
select (select sku from first where sku is not null order by rank limit 1) as sku,
       coalesce((select units from first where sku is not null order by rank limit 1), 1) as units,
       (select place from first where place is not null) as place;

-- name: places_of(location, skus)
-- In walking order, by the first place of each SKU.
select l.sku, l.bins from (
    select i.sku, array_agg(i.bin order by i.rank, b.walk, i.bin) as bins,
           (array_agg(b.walk order by i.rank, b.walk, i.bin))[1] as walk
    from bin_item i join bin b using (location, bin)
    where i.location = :location and i.sku = any(:skus::text[])
    group by i.sku) l
order by l.walk, l.bins[1], l.sku;

-- name: names_of(skus)
select sku, name from item where sku = any(:skus::text[]) and name is not null;

-- name: are_there(location)$
select exists (select from bin where location = :location);

-- name: places(location, at_most)
-- In walking order.
select bin from bin where location = :location order by walk, bin limit :at_most;

-- name: codes_of(skus)
-- The code that is printed on one unit, if one is known; otherwise the SKU.
select s.sku, coalesce(min(c.code), s.sku) as code
from unnest(:skus::text[]) as s (sku) left join item_code c on c.sku = s.sku and c.units = 1
group by s.sku;

-- name: free_place(location)$
select b.bin from bin b
where b.location = :location
  and not exists (select from bin_item i where (i.location, i.bin) = (b.location, b.bin))
order by b.walk, b.bin limit 1;

-- name: put(location, sku, place)$
-- The place of a SKU, behind those that it has. False: there is no such place.
with there as (
    select location, bin from bin where location = :location and bin = :place
), new as (
    insert into bin_item (location, sku, bin, rank)
    select t.location, :sku, t.bin,
           coalesce((select max(i.rank) + 1 from bin_item i where i.location = :location and i.sku = :sku), 0)
    from there t
    on conflict do nothing
)
select exists (select from there);

-- name: leave(location, sku, place, to)!
-- A SKU lies no more at a place. Where it lies now gets its rank, if that is before its own.
with gone as (
    delete from bin_item where location = :location and sku = :sku and bin = :place returning rank
)
update bin_item i set rank = least(i.rank, g.rank)
from gone g where (i.location, i.sku, i.bin) = (:location, :sku, :to);

-- name: not_there(locations, skus)^
-- Of these, those that are not known.
select (select array_agg(distinct w.location) from unnest(:locations::text[]) as w (location)
        where not exists (select from location l where l.location = w.location)) as locations,
       (select array_agg(distinct w.sku) from unnest(:skus::text[]) as w (sku)
        where not exists (select from item i where i.sku = w.sku)) as skus;

-- name: place_items(locations, skus, bins, zones, walks, ranks)!
-- The last row of a place, or of a SKU at a place, counts.
with told as (
    select * from unnest(:locations::text[], :skus::text[], :bins::text[], :zones::text[], :walks::integer[],
                         :ranks::integer[])
        with ordinality as t (location, sku, bin, zone, walk, rank, n)
), places as (
    insert into bin (location, bin, zone, walk)
    select distinct on (location, bin) location, bin, zone, walk from told order by location, bin, n desc
    on conflict (location, bin) do update set zone = excluded.zone, walk = excluded.walk
)
insert into bin_item (location, sku, bin, rank)
select distinct on (location, sku, bin) location, sku, bin, rank from told order by location, sku, bin, n desc
on conflict (location, sku, bin) do update set rank = excluded.rank;

-- name: forget_places(locations, skus)!
delete from bin_item i using unnest(:locations::text[], :skus::text[]) as t (location, sku)
where i.location = t.location and i.sku = t.sku;

-- name: save_codes(codes, skus, units)!
insert into item_code (code, sku, units)
select distinct on (code) code, sku, units
from unnest(:codes::text[], :skus::text[], :units::bigint[]) with ordinality as t (code, sku, units, n)
order by code, n desc
on conflict (code) do update set sku = excluded.sku, units = excluded.units;

-- name: forget_codes(codes)!
delete from item_code where code = any(:codes::text[]);
