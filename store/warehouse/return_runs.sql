-- Whose a parcel is that came back. Reads only.

-- name: parcel(forms, channels, sellers)^
-- The order that a code stands for, with its returns whose parcels are expected, and with a return that is not: the one
-- that the code names, or one of the order that is not approved yet. The code is an order's id, a return's, a parcel's of
-- ours that came back, or a tracking number of either. `forms`: how it may be written, the most likely first. Carriers
-- use numbers again: the latest counts.
with written as (
    select form, n from unnest(:forms::text[]) with ordinality as t (form, n)
), named as (
    select w.form, w.n, order_no_of(w.form) as order_no, null::text as return_id, null::text as fulfilment_id
    from written w
    union all
    select w.form, w.n, l.order_no, l.return_id, null
    from written w join return_label l on l.tracking_number = w.form
    union all
    select w.form, w.n, s.order_no, null, s.fulfilment_id
    from written w join shipment s on s.tracking_number = w.form
)
select o.order_id, r.returns, other.return_id as other_id, other.state = 'requested' as is_requested, other.is_named
from named n
join customer_order o using (order_no)
cross join lateral (
    select jsonb_agg(jsonb_build_object(
        'return_id', r.return_id,
        'is_named', r.return_id in (n.form, n.return_id) or coalesce(r.fulfilment_id in (n.form, n.fulfilment_id), false),
        'lines', (select jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                                   order by l.line_id)
                  from return_line l where (l.order_no, l.return_id) = (r.order_no, r.return_id)))
        order by r.return_id) as returns
    from order_return r where r.order_no = o.order_no and r.state in ('approved', 'in_transit')
) r
left join lateral (
    select x.return_id, x.state, x.return_id in (n.form, coalesce(n.return_id, '')) as is_named
    from order_return x
    where x.order_no = o.order_no and x.state not in ('approved', 'in_transit')
      and (x.return_id in (n.form, n.return_id) or x.state = 'requested')
    order by 3 desc, x.return_id desc limit 1
) other on true
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (o.order_id = n.form or n.return_id is not null or n.fulfilment_id is not null
       or exists (select from order_return x where x.order_no = o.order_no and x.return_id = n.form)
       or exists (select from fulfilment f where f.order_no = o.order_no and f.fulfilment_id = n.form))
order by n.n, r.returns is null, o.order_no desc limit 1;
