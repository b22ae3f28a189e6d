-- What is counted on the floor, and what should lie there. Reads only.

-- name: stops(location, sku, place)
-- SKUs with stock here, at each of their places ('': they have none): this one, or those that lie at this place.
-- The place comes first, then the walking order.
select s.sku, coalesce(b.bin, '') as place
from stock s
left join bin_item i using (location, sku)
left join bin b on (b.location, b.bin) = (i.location, i.bin)
where s.location = :location
  and case when :sku::text is not null then s.sku = :sku
      else s.sku in (select sku from bin_item where location = :location and bin = :place order by sku limit 200) end
order by b.bin is not distinct from :place desc, b.walk nulls last, b.bin, s.sku;

-- name: shelf(location, sku)^
-- Units on hand, and those of them that lie on no shelf: of parcels that were picked and have not left, of
-- what was taken out of parcels and is not put back, and in the hands of those who pick.
select s.on_hand,
       (coalesce((
            select sum(l.picked * r.per_unit)
            from reservation r
            join fulfilment f using (order_no, fulfilment_id)
            join fulfilment_line l using (order_no, fulfilment_id, line_id)
            where r.sku = s.sku and r.location = s.location and r.quantity > 0
              and f.state in ('picked', 'packed', 'labelled')), 0)
        + coalesce((
            select sum(l.quantity * coalesce(k.units, 1))
            from put_back b
            join put_back_line l using (order_no, put_back_id)
            join fulfilment f on (f.order_no, f.fulfilment_id) = (b.order_no, b.fulfilment_id)
            left join kit_part k on k.kit = l.sku and k.part = s.sku
            where b.done_at is null and f.location = s.location
              and (k.part is not null or l.sku = s.sku)), 0)
        + coalesce((
            select sum(n) from (
                select (g.units)::bigint as n
                from scan_run r
                cross join lateral jsonb_array_elements(r.state -> 'stops') t (stop)
                cross join lateral jsonb_each_text(t.stop -> 'got') g (part, units)
                join lateral jsonb_array_elements(r.state -> 'parcels') p (parcel)
                    on p.parcel ->> 'part_id' = g.part and p.parcel ->> 'ended' = ''
                where r.location = s.location and r.ended_at is null and r.kind = 'pick' and t.stop ->> 'sku' = s.sku
                union all
                select (r.state -> 'back' ->> s.sku)::bigint
                       + case when r.state -> 'hand' ->> 'sku' = s.sku
                              then (r.state -> 'hand' ->> 'units')::bigint else 0 end
                from scan_run r
                where r.location = s.location and r.ended_at is null and r.kind = 'pick') held), 0))::bigint as away
from stock s where s.location = :location and s.sku = :sku;
