-- Where an order stands, for a run of its workflow that goes on with it.

-- name: state_of(order_id, bytes_max)^
-- All in one read, so that all of it is of one moment. The order's lock is waited for: a step of an earlier
-- run that is in its transaction ends first.
select decision,
       (select jsonb_object_agg(line_id, jsonb_build_object(
            'ordered', ordered, 'backordered', backordered, 'allocated', allocated, 'shipped', shipped,
            'delivered', delivered, 'cancelled', cancelled, 'lost', lost,
            'return_requested', return_requested, 'returned', returned))
        from order_line l where l.order_no = o.order_no) as lines,
       (select jsonb_agg(jsonb_build_object(
            'fulfilment_id', f.fulfilment_id, 'location', f.location, 'handling', f.handling, 'state', f.state,
            'is_recalled', f.recalled_from is not null, 'changed_at', f.changed_at,
            'moved_at', coalesce(s.last_scan_at, s.handed_over_at),
            -- Held, it waits for nobody: as if it had just come to this state.
            'planned_since', case when kept_here_by(f.order_no) is null then f.changed_at else moment() end,
            'claimed', (select jsonb_object_agg(line_id, units) from (
                select line_id, min(quantity) as units from reservation r
                where r.order_no = f.order_no and r.fulfilment_id = f.fulfilment_id and quantity > 0
                group by line_id) claimed),
            'picked', (select jsonb_object_agg(line_id, picked) from fulfilment_line l
                       where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id and picked > 0),
            -- not found, and not yet replaced
            'missing', (select jsonb_strip_nulls(answer -> 'missing') from effect e
                        where e.order_no = f.order_no and effect = 'pick:' || f.fulfilment_id
                          and not exists (select from effect e where e.order_no = f.order_no
                                          and effect = 'reserve_again:' || f.fulfilment_id || ':open')),
            'has_lacked', exists (select from effect e where e.order_no = f.order_no
                                  and effect = 'reserve_again:' || f.fulfilment_id || ':open'),
            'is_replaced', exists (select from effect e where e.order_no = f.order_no
                                   and effect = 'reserve_again:' || f.fulfilment_id || ':shipped'),
            'carrier', w.outcome, 'return_id', b.return_id, 'return_state', b.state, 'is_anew', b.anew,
            'return_since', b.changed_at,
            'due', c.amount_minor - c.captured_minor,
            'awaits_exchange', exists (
                select from exchange_standing e
                where e.exchange_no = o.order_no and e.settled_at is null
                  and c.amount_minor - c.captured_minor between 1 and e.room_minor),
            'label_unused', exists (select from unused_label u
                where u.order_no = f.order_no and u.fulfilment_id = f.fulfilment_id and u.voided_at is null
                  -- not what an operator has given back by hand
                  and not exists (select from attention a
                                  where a.order_no = f.order_no and a.since >= u.since
                                    and a.step = 'void_label ' || f.fulfilment_id
                                    and starts_with(a.resolution, 'done:'))))
            order by length(f.fulfilment_id), f.fulfilment_id)
        from fulfilment f
        left join shipment s using (order_no, fulfilment_id)
        left join order_return b
            on b.order_no = f.order_no and b.fulfilment_id = f.fulfilment_id and b.kind = 'undeliverable'
        left join charge c on c.order_no = f.order_no and c.charge_id = f.fulfilment_id
        left join wait_report w
            on w.order_no = f.order_no and w.activity_id = 'await_delivery:' || f.fulfilment_id
        where f.order_no = o.order_no) as fulfilments,
       (select jsonb_agg(jsonb_build_object(
            'return_id', r.return_id, 'since', r.changed_at, 'paid_early', r.paid_early,
            'units', (select jsonb_object_agg(line_id, quantity) from return_line l
                      where l.order_no = r.order_no and l.return_id = r.return_id))
            order by length(r.return_id), r.return_id)
        from order_return r
        where r.order_no = o.order_no and kind = 'customer'
          and r.state in ('requested', 'approved', 'in_transit')) as returns,
       (select max(round) from backorder b where b.order_no = o.order_no) as round,
       -- each round ends with its fill
       (select max(substring(effect from ':B(\d+)$')::integer) from effect e
        where e.order_no = o.order_no and effect like 'fill_backorder:%') as filled,
       (select min(since) from backorder b
        where b.order_no = o.order_no and quantity > 0) as waits_since,
       exists (select from payment p
               where p.order_no = o.order_no and p.kind = 'authorize' and p.state <> 'failed'
                 and p.amount_minor > p.capture_granted + p.released)
           -- not what an operator has released by hand, of which the payments know nothing
           and not exists (select from attention a
                           where a.order_no = o.order_no and a.step = 'void_payment ' || o.order_id
                             and starts_with(a.resolution, 'done:')) as authorized,
       decision = 'received'
           and (select voided from order_money m where m.order_no = o.order_no) as is_undone,
       (select case when units = '{}' then 'refused' when captured_minor = amount_minor then 'charged'
                    else 'begun' end
        from charge c where c.order_no = o.order_no and charge_id = o.order_id || ':prepaid') as prepaid,
       -- a refusal for an edit that was given up waits for nobody
       (select jsonb_build_object(
            'failed', count(*) filter (where state = 'failed'),
            'is_refused', (array_agg(state order by requested_at desc, payment_key desc))[1] = 'failed'
                and not exists (select from order_event v where v.order_no = o.order_no
                                and v.effect like 'edit_declined:%' and v.at >= max(p.settled_at)))
        from payment_operation p where p.order_no = o.order_no and kind = 'authorize') as authorizing,
       -- the second try of a charge has a key that ends in 2
       (select jsonb_object_agg(part_of, tries) from (
            select part_of, max(substring(payment_key from ':(\d+)(?:/\d+)?$')::integer) as tries
            from payment_operation p
            where p.order_no = o.order_no and kind in ('capture', 'refund')
              and payment_key ~ ':(capture|refund)(:[a-z_]+)?:\d+(/\d+)?$'
            group by part_of) tried) as attempts,
       (select jsonb_agg(jsonb_build_object(
            'refund_id', refund_id,
            'amount', jsonb_build_object('minor', amount_minor, 'currency', r.currency))
            order by granted_at, refund_id)
        from refund r
        where r.order_no = o.order_no and issued_minor < amount_minor) as owed,
       (select jsonb_build_object('count', count(*),
                                  'is_held', coalesce(bool_or(released_at is null), false))
        from order_hold h where h.order_no = o.order_no and h.reason = 'payment') as holds,
       (select jsonb_agg(jsonb_build_object('step', step, 'since', since, 'reason', a.reason,
                                            'allowed', to_jsonb(allowed)) order by since, step)
        from attention a where a.order_no = o.order_no and resolved_at is null) as attention,
       (select array_agg(effect) from effect e
        where e.order_no = o.order_no and effect like 'attention:%:raised') as raised,
       -- for requests: each has its id in the effect
       (select jsonb_agg(jsonb_build_object('effect', effect, 'data', v.data) order by event_id)
        from order_event v join effect e using (order_no, effect)
        where v.order_no = o.order_no
          and (effect like 'cancel:%' or effect like 'approve_return:%' or effect like 'edit:%')) as begun,
       -- the newest; an order that has answered more than fits forgets the oldest
       (select jsonb_agg(jsonb_build_object('request_id', request_id, 'digest', digest,
                                            'outcome', outcome) order by answered_at, request_id)
        from (select *, sum(length(outcome::text)) over (order by answered_at desc, request_id desc) as size
              from answered_request q where q.order_no = o.order_no) q
        where size <= :bytes_max) as answered
from customer_order o where order_id = :order_id;
