-- What a customer's page shows beside what everybody sees of an order. Reads only.

-- name: facts(order_id)^
select o.policy,
       exists (select from order_hold h where h.order_no = o.order_no and h.reason = 'payment'
                                          and h.released_at is null) as awaits_payment,
       (select c.providers from channel c where c.channel = o.channel) as providers,
       coalesce((select jsonb_object_agg(i.sku, i.name) from order_line l join item i using (sku)
                 where l.order_no = o.order_no and i.name is not null), '{}') as names,
       coalesce((select jsonb_agg(jsonb_build_object('fulfilment_id', a.fulfilment_id, 'begins_at', a.begins_at,
                                                     'missed', a.missed))
                 from appointment a where a.order_no = o.order_no), '[]') as appointments,
       coalesce((select jsonb_agg(jsonb_build_object('line_id', b.line_id, 'quantity', b.quantity,
                                                     'promised_on', b.promised_on) order by b.line_id)
                 from backorder b where b.order_no = o.order_no and b.quantity > 0), '[]') as backorders,
       coalesce((select jsonb_agg(w.fulfilment_id) from outside_work w
                 where w.order_no = o.order_no and w.state in ('wanted', 'begun')), '[]') as in_workshops,
       coalesce((select jsonb_agg(jsonb_build_object('fulfilment_id', c.fulfilment_id, 'status', c.status,
                                                     'happened_at', c.happened_at)
                                  order by c.happened_at, c.received_at)
                 from carrier_event c where c.order_no = o.order_no), '[]') as scans,
       coalesce((select jsonb_agg(jsonb_build_object('return_id', e.return_id, 'order_id', x.order_id,
                                                     'number', x.channel_order_id))
                 from exchange e join customer_order x on x.order_no = e.exchange_no
                 where e.order_no = o.order_no), '[]') as exchanges
from customer_order o where o.order_id = :order_id;

-- name: replacements(skus)
-- What could be had for other units. A retired location sends nothing.
select w.sku, i.name,
       coalesce(i.backorder, false)
       or exists (select from stock s join location l using (location)
                  where s.sku = w.sku and l.retired_at is null and s.on_hand - s.allocated - s.safety > 0) as there
from unnest(:skus::text[]) with ordinality w (sku, place) left join item i using (sku) order by w.place;
