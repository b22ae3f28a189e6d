-- Where goods lie, and by which codes they are scanned.

-- name: read_code(location, code, alike)^
-- What a code is, here: a SKU by itself or by what is printed on the goods, and a place.
select coalesce(c.sku, i.sku) as sku, coalesce(c.units, 1) as units, b.bin as place
from (values (1)) one (n)
left join lateral (select sku, units from item_code where code = any(:alike::text[]) order by code limit 1) c on true
left join item i on i.sku = :code
left join bin b on b.location = :location and b.bin = :code;

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
