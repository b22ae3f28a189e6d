-- What the page of an order shows to who works with it, beside what everybody sees of it. Reads only.

-- name: facts(order_id)^
select order_mark(o.order_no) as mark, customer_of(o.order_no) as customer_no,
       coalesce((select jsonb_object_agg(i.sku, i.name) from order_line l join item i using (sku)
                 where l.order_no = o.order_no and i.name is not null), '{}') as names,
       coalesce((select jsonb_agg(jsonb_build_object('fulfilment_id', c.fulfilment_id, 'status', c.status,
                                                     'happened_at', c.happened_at, 'detail', coalesce(c.detail, ''))
                                  order by c.happened_at desc, c.received_at desc, c.event_id)
                 from carrier_event c where c.order_no = o.order_no), '[]') as scans,
       coalesce((select jsonb_agg(jsonb_build_object('fulfilment_id', i.fulfilment_id, 'way', i.way,
                                                     'answer', i.answer, 'since', i.since) order by i.since)
                 from interception i where i.order_no = o.order_no), '[]') as interceptions,
       coalesce((select jsonb_agg(jsonb_build_object('line_id', b.line_id, 'quantity', b.quantity,
                                                     'promised_on', b.promised_on) order by b.line_id)
                 from backorder b where b.order_no = o.order_no and b.quantity > 0), '[]') as backorders,
       coalesce((select jsonb_agg(jsonb_build_object('return_id', e.return_id, 'order_id', x.order_id))
                 from exchange e join customer_order x on x.order_no = e.exchange_no
                 where e.order_no = o.order_no), '[]') as exchanged_for,
       (select jsonb_build_object('return_id', e.return_id, 'order_id', x.order_id)
        from exchange e join customer_order x on x.order_no = e.order_no
        where e.exchange_no = o.order_no limit 1) as sent_for,
       coalesce((select jsonb_agg(jsonb_build_object(
                     'subscription_id', d.subscription_id, 'type', d.type, 'state', d.state, 'tries', d.tries,
                     'next_at', d.next_at, 'last_error', coalesce(d.last_error, '')) order by d.position)
                 from event_subscription s join event_delivery d using (subscription_id)
                 where d.lane = o.order_no and d.state in ('retrying', 'waiting')), '[]') as untold
from customer_order o where o.order_id = :order_id;

-- name: marks(order_ids)
select order_id, order_mark(order_no) as mark from customer_order where order_id = any(:order_ids::text[]);
