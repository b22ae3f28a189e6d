-- What a parcel holds and where it goes, for the papers that go with it. Reads only.

-- name: packings(ids)
-- Units are those that were picked, or are to be. `names`: of all SKUs in it, where items have one.
select f.fulfilment_id, f.location, f.state, to_jsonb(s) - 'retired_at' as seller,
       document_of(o.order_no) as document, g.goods,
       coalesce((select jsonb_object_agg(i.sku, i.name) from item i
                 where i.name is not null and i.sku = any(g.skus)), '{}') as names
from fulfilment f
join customer_order o using (order_no)
join seller s on s.seller = o.seller
cross join lateral (
    select jsonb_agg(jsonb_build_object(
               'line_id', l.line_id, 'sku', l.sku, 'quantity', l.units,
               'parts', coalesce(l.parts, jsonb_build_object(l.sku, 1))) order by l.line_id) as goods,
           array(select l2.sku from fulfilment_line l2
                 where l2.order_no = f.order_no and l2.fulfilment_id = f.fulfilment_id
                 union
                 select r2.sku from reservation r2
                 where r2.order_no = f.order_no and r2.fulfilment_id = f.fulfilment_id) as skus
    from (
        select fl.line_id, fl.sku, coalesce(fl.picked, fl.quantity) as units,
               jsonb_object_agg(r.sku, r.per_unit) filter (where r.sku is not null) as parts
        from fulfilment_line fl left join reservation r using (order_no, fulfilment_id, line_id)
        where fl.order_no = f.order_no and fl.fulfilment_id = f.fulfilment_id
        group by fl.line_id, fl.sku, fl.picked, fl.quantity
    ) l
    where l.units > 0
) g
where f.order_no = any(array(select order_no_of(id) from unnest(:ids::text[]) as id))
  and f.fulfilment_id = any(:ids::text[]);
