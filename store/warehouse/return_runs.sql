-- Whose a parcel is that came back. Reads only.

-- name: parcel(code, channels, sellers)^
-- The order that a code stands for, with its returns whose parcels are expected. The code is an order's id, a return's,
-- a parcel's of ours that came back, or a tracking number of either. Carriers use numbers again: the latest counts.
with named as (
    select order_no_of(:code) as order_no, null::text as return_id, null::text as fulfilment_id
    union all
    select order_no, return_id, null from return_label where tracking_number = :code
    union all
    select order_no, null, fulfilment_id from shipment where tracking_number = :code
)
select o.order_id, r.returns
from named n
join customer_order o using (order_no)
cross join lateral (
    select jsonb_agg(jsonb_build_object(
        'return_id', r.return_id,
        'is_named', r.return_id in (:code, n.return_id) or coalesce(r.fulfilment_id in (:code, n.fulfilment_id), false),
        'lines', (select jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                                   order by l.line_id)
                  from return_line l where (l.order_no, l.return_id) = (r.order_no, r.return_id)))
        order by r.return_id) as returns
    from order_return r where r.order_no = o.order_no and r.state in ('approved', 'in_transit')
) r
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (o.order_id = :code or n.return_id is not null or n.fulfilment_id is not null
       or exists (select from order_return x where x.order_no = o.order_no and x.return_id = :code)
       or exists (select from fulfilment f where f.order_no = o.order_no and f.fulfilment_id = :code))
order by r.returns is null, o.order_no desc limit 1;
