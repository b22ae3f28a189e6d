-- What people and tools ask. Reads only.

-- name: summary(order_id)^
select * from order_overview where order_id = :order_id;

-- name: whose(order_id)^
select channel, seller from customer_order where order_id = :order_id;

-- name: details(order_ids)
-- All about some orders. One statement, so that everything is as of one moment.
select to_jsonb(o) as summary,
       document_of(c.order_no) as document,
       exists (select from order_to_start t where t.order_no = c.order_no) as waits_to_start,
       (select jsonb_build_object('event_id', e.event_id, 'at', e.at, 'what', e.what, 'who', e.who,
                                  'why', coalesce(e.why, ''), 'data', e.data)
        from order_event e
        where e.order_no = c.order_no and e.what = 'cancellation asked for' and c.decision = 'received'
        order by e.event_id desc limit 1) as cancelling,
       (select coalesce(jsonb_agg(to_jsonb(l) - 'order_no' || jsonb_build_object(
            'charged', coalesce(m.charged, 0), 'refunded', coalesce(m.refunded, 0),
            'invoiced', coalesce(m.invoiced, 0), 'conceded', coalesce(m.conceded, 0))
            order by l.position), '[]')
        from order_line l left join order_line_money m using (order_no, line_id)
        where l.order_no = c.order_no) as lines,
       (select coalesce(jsonb_agg(to_jsonb(part) order by length(fulfilment_id), fulfilment_id), '[]')
        from (
            select f.fulfilment_id, f.location, f.handling, f.state, f.recalled_from, f.changed_at,
                   f.promised_leave, f.promised_on, p.label, p.carrier, p.tracking_number,
                   p.carrier_status, p.last_scan_at, p.handed_over_at,
                   coalesce((select jsonb_object_agg(l.line_id, coalesce(l.picked, l.quantity))
                             from fulfilment_line l
                             where l.order_no = f.order_no
                               and l.fulfilment_id = f.fulfilment_id and l.quantity > 0), '{}')
                       as units
            from fulfilment f left join shipment p using (order_no, fulfilment_id)
            where f.order_no = c.order_no
        ) part) as fulfilments,
       (select coalesce(jsonb_agg(to_jsonb(back) order by length(return_id), return_id), '[]')
        from (
            select r.return_id, r.kind, r.state, r.reason, r.asks, r.ended_because, r.changed_at,
                   (select jsonb_object_agg(l.line_id, l.reason_code) from return_line l
                    where l.order_no = r.order_no and l.return_id = r.return_id) as reason_codes,
                   (select jsonb_object_agg(l.line_id, jsonb_build_object(
                        'quantity', l.quantity, 'restocked', l.restocked, 'scrapped', l.scrapped))
                    from return_line l
                    where l.order_no = r.order_no and l.return_id = r.return_id) as lines
            from order_return r where r.order_no = c.order_no
        ) back) as returns,
       (select coalesce(jsonb_agg(to_jsonb(p) - 'order_no' order by p.requested_at, p.payment_key), '[]')
        from payment p where p.order_no = c.order_no) as payments,
       (select coalesce(jsonb_agg(to_jsonb(r) - 'order_no' || jsonb_build_object('order_id', c.order_id)
                                  order by r.granted_at, r.refund_id), '[]')
        from refund r where r.order_no = c.order_no) as refunds,
       (select coalesce(jsonb_agg(jsonb_build_object(
                    'order_id', c.order_id, 'step', a.step, 'reason', a.reason, 'since', a.since,
                    'allowed', a.allowed) order by a.since), '[]')
        from attention a where a.order_no = c.order_no and a.resolved_at is null) as attention,
       (select coalesce(jsonb_agg(jsonb_build_object(
                    'event_id', e.event_id, 'at', e.at, 'what', e.what, 'who', e.who,
                    'why', coalesce(e.why, ''), 'data', e.data) order by e.event_id), '[]')
        from order_event e where e.order_no = c.order_no) as story
from unnest(:order_ids::text[]) with ordinality as asked (order_id, position)
join order_overview o using (order_id) join customer_order c using (order_id)
order by asked.position;

-- name: news(order_id, after)^
-- The order's state, and its story behind the event `after`, as of one moment.
select o.state, o.reason,
       (select coalesce(jsonb_agg(to_jsonb(e) order by event_id), '[]')
        from (
            select event_id, at, what, who, coalesce(why, '') as why, data
            from order_event where order_no = order_no_of(:order_id) and event_id > :after
        ) e) as story
from order_overview o where o.order_id = :order_id;

-- name: states(finished_since)
-- All orders that are not finished, and those that were finished since then.
select state, sum(orders)::bigint as orders
from (
    select state, count(*) as orders from order_in_state
    where state not in ('rejected', 'cancelled') group by state
    union all
    select answer #>> '{}', count(*) from effect where ended_at >= :finished_since
    group by answer
) counted
group by state order by state;

-- name: fulfilment_state(fulfilment_id)$
select state from fulfilment
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;
