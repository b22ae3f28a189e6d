-- What says which requests an order takes now. Reads only.

-- name: facts(order_id)^
-- `comes_back`: the carrier brings the parcel back, and the warehouse has not counted it.
select o.decision, o.policy, o.placed_at,
       p.customer_id like 'erased-%' as is_erased,
       payer_of(o.order_no) ->> 'provider' as provider,
       exists (select from refund r where r.order_no = o.order_no and r.pay_to = 'voucher') as has_vouchers,
       exists (select from order_hold h where h.order_no = o.order_no and h.reason = 'payment'
                                          and h.released_at is null) as awaits_payment,
       (select jsonb_object_agg(line_id, handling) from order_line l where l.order_no = o.order_no) as handlings,
       (select coalesce(jsonb_agg(state), '[]') from order_return r
        where r.order_no = o.order_no and r.kind = 'customer') as returns,
       (select coalesce(jsonb_agg(substr(a.step, 10) order by a.since), '[]') from attention a
        where a.order_no = o.order_no and a.step like 'goodwill %' and a.resolved_at is null) as goodwill_asked,
       (select count(*) from claim c where c.order_no = o.order_no and c.decision is null) as open_claims,
       (select coalesce(jsonb_agg(jsonb_build_object(
            'fulfilment_id', f.fulfilment_id, 'state', f.state,
            'is_carried', exists (select from shipment s
                                  where (s.order_no, s.fulfilment_id) = (f.order_no, f.fulfilment_id)
                                    and s.label = 'bought' and s.tracking_number is not null),
            'comes_back', exists (select from order_return r
                                  where (r.order_no, r.fulfilment_id) = (f.order_no, f.fulfilment_id)
                                    and r.kind = 'undeliverable' and r.state = 'approved'))), '[]')
        from fulfilment f where f.order_no = o.order_no) as parcels
from customer_order o join order_person p using (order_no) where o.order_id = :order_id;
