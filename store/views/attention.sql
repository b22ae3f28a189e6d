-- What waits for a person, of every kind, in one list.

-- name: tasks(seller, locations, assigned, assigned_to, kinds, reader, snoozed, its_kind, its_subject, its_name, after_free, after_since, after_subject, after_name, after_kind, at_most)
-- Those about money first, each kind of the two by age. `amount_minor`: what is at stake. Behind one of which
-- `after_free` says whether no money is at stake; null: from the first on. `locations`: those of other locations are
-- left out; what is of none is not.
with task as (
    select 'order' as kind, o.order_id as subject, a.step as name, a.reason, a.allowed, a.since,
           null::timestamptz as due,
           nullif(case split_part(a.step, ' ', 1)
               when 'authorize_payment' then o.total_minor
               when 'void_payment' then m.authorized - m.released - m.capture_granted
               when 'charge_payment' then (
                   select amount_minor - captured_minor from charge c
                   where c.order_no = a.order_no and charge_id = split_part(a.step, ' ', 2))
               when 'refund_payment' then (
                   select amount_minor - issued_minor + came_back_minor from refund r
                   where r.order_no = a.order_no and refund_id = split_part(a.step, ' ', 2))
               when 'refund_failed' then (
                   select amount_minor from payment_operation p
                   where p.order_no = a.order_no and payment_key = split_part(a.step, ' ', 2))
               when 'book_dispute' then d.amount_minor
               when 'pay_back_elsewhere' then o.total_minor - m.authorized
               when 'workflow' then m.captured - m.refunded
           end, 0) as amount_minor,
           coalesce(d.currency, o.currency) as currency, o.seller
    from attention a join customer_order o using (order_no) join order_money m using (order_no)
    left join dispute d
        on d.order_no = a.order_no and a.step = format('book_dispute %s:%s', d.provider, d.dispute_id)
    where a.resolved_at is null
    union all
    -- The order itself looks for the outcome. What it asks a person for is above.
    select 'payment', o.order_id, p.payment_key,
           format('it is not known what became of a %s at %s', p.kind, p.provider), '{}', p.requested_at,
           null, p.amount_minor, p.currency, o.seller
    from payment_operation p join customer_order o using (order_no)
    where p.state in ('requested', 'unknown') and p.requested_at < moment() - interval '15 minutes'
      and not exists (select from attention a where a.order_no = p.order_no and a.resolved_at is null)
    union all
    select 'refund', o.order_id, r.refund_id, r.reason, '{}', r.granted_at, null,
           r.amount_minor - r.issued_minor + r.came_back_minor, r.currency, o.seller
    from refund r join customer_order o using (order_no)
    where r.issued_minor - r.came_back_minor < r.amount_minor
      and r.granted_at < moment() - interval '1 hour'
      and not exists (select from attention a where a.order_no = r.order_no and a.resolved_at is null)
    union all
    -- Nothing of it has been charged, and nobody has said yet that it may be.
    select 'charge', o.order_id, o.order_id, 'its authorization ends, and nobody has asked for the charge',
           '{}', o.received_at, min(p.expires_at), o.total_minor, o.currency, o.seller
    from order_in_state s join customer_order o using (order_no) join payment_authorization p using (order_no)
    where s.state in ('confirmed', 'in_fulfilment', 'held')
      and o.decision = 'confirmed' and o.policy ->> 'charge' = 'manual'
      and p.amount_minor > p.capture_granted + p.released
      and p.expires_at < moment() + interval '1 day'
      and not exists (select from charge c where c.order_no = o.order_no)
    group by o.order_no
    union all
    select 'claim', o.order_id, c.claim_id, format('%s: %s', c.kind, c.why_open), '{}', c.since, c.answer_by, null,
           null, o.seller
    from claim c join customer_order o using (order_no) where c.decision is null
    union all
    select 'carrier_claim', o.order_id, c.fulfilment_id,
           case c.state when 'due' then 'the carrier lost it: claim what it was worth'
                else 'it turned up, and the carrier has paid for it' end,
           '{}', c.since, case c.state when 'due' then c.file_by end, nullif(c.paid_minor, 0), c.currency, o.seller
    from carrier_claim_standing c join customer_order o using (order_no)
    where c.state = 'due' and not c.is_found or c.state = 'paid' and c.is_found and c.turned_up is null
    union all
    -- Nothing of it leaves before its owner has seen to it. One for the payment waits for the customer.
    select 'hold', o.order_id, h.hold_id,
           format('held, %s: %s; %s sees to it', replace(h.reason, '_', ' '), h.note, h.owner), '{}', h.since, h.until,
           null, null, o.seller
    from order_hold h join customer_order o using (order_no)
    where h.released_at is null and h.reason <> 'payment'
    union all
    select 'dispute', coalesce(o.order_id, ''), d.dispute_id,
           format('%s: %s, %s', d.provider, replace(d.state, '_', ' '), d.reason), '{}', d.opened_at,
           d.respond_by, d.amount_minor, d.currency, o.seller
    from dispute d left join customer_order o using (order_no)
    where d.closed_at is null and (d.order_no is null or d.state like '%needs_response')
    union all
    select 'difference', coalesce(d.order_id, ''), d.difference_id::text, format('%s: %s', d.provider, d.why),
           '{}', d.found_at, null, (coalesce(d.theirs, d.ours) ->> 'amount_minor')::bigint,
           coalesce(d.theirs, d.ours) ->> 'currency', o.seller
    from reconciliation_difference d left join customer_order o on o.order_id = d.order_id
    where d.resolution = 'open' and d.remedy = 'operator'
    union all
    select 'provider_event', '', format('%s %s', e.provider, e.event_id),
           coalesce(e.last_error, 'it was not understood'), '{}', e.received_at, null, null, null, null
    from provider_event e where e.processed_at is null and e.tries > 0
    union all
    select 'shop_message', coalesce(m.order_id, ''), format('%s %s', m.channel, m.message_no), m.last_error, '{}',
           m.received_at, null, null, null, c.seller
    from shop_message m left join channel c using (channel)
    where m.processed_at is null and m.last_error is not null
    union all
    select 'parcel', coalesce(o.order_id, ''), p.parcel_no::text,
           coalesce(p.why, 'an unannounced parcel, for which its order was not asked yet'), '{}', p.since, null,
           null, null, coalesce(o.seller, l.seller)
    from unannounced_parcel p join location l using (location) left join customer_order o using (order_no)
    where p.ended_at is null
      and (p.why is not null or p.return_id is null and p.since < moment() - interval '1 minute')
    union all
    select 'carrier_message', '', m.message_no::text, format('carrier %s: %s', m.sender, m.last_error), '{}',
           m.received_at, null, null, null, null
    from carrier_message m where carrier_message_needs_a_person(m)
    union all
    -- What suppliers send about a purchase order is the buyers'; the rest is for those who run the shop.
    select case when d.po_id is null then 'edi' else 'purchase_document' end, coalesce(d.order_id, d.po_id, ''), format('document %s', d.document_no),
           format('%s %s of %s: %s', d.code, d.reference, d.partner, edi_document_task(d)), '{}', d.at, null, null, null, c.seller
    from edi_document d join edi_partner p using (partner) left join channel c using (channel)
    where (d.error is not null and d.settled_at is null or d.state = 'open' and d.receipt_due < moment())
      and edi_document_task(d) is not null
    union all
    select 'edi', e.order_id, format('order %s', e.order_id), format('what is due to %s cannot be written: %s', e.partner, e.error),
           '{}', e.at, null, null, null, o.seller
    from edi_order e join customer_order o using (order_id) where e.error is not null
    union all
    select 'edi', '', format('interchange %s', i.interchange_no), format('%s: %s', coalesce(i.partner, i.source), i.error),
           '{}', i.at, null, null, null, c.seller
    from edi_interchange i left join edi_partner p using (partner) left join channel c using (channel)
    where i.done_at is null and i.error is not null and (i.direction = 'in' or i.tries > 3)
    union all
    -- The customer does not hear of an order that goes on; until the message is sent again.
    select 'message', o.order_id, format('%s:M%s', o.order_id, min(m.event_id)),
           format('the customer was not told: %s', min(m.why)), '{}', min(m.planned_at), null, null, null, o.seller
    from message m join customer_order o using (order_no)
    where m.state in ('refused', 'bounced') and o.decision not in ('closed', 'cancelled', 'rejected')
    group by o.order_no
    union all
    -- One that a server has not answered is tried again; after an hour somebody should look.
    select 'mail_server', '', 'mail server',
           format('%s message(s) to customers wait: %s', count(*), coalesce(max(m.why), 'no worker sends them')),
           '{}', min(m.planned_at), null, null, null, null
    from message m
    where m.state in ('planned', 'sending') and m.planned_at < moment() - interval '1 hour' and m.answer is null
      and m.next_at < moment() + interval '15 minutes'
    having count(*) > 0
    union all
    -- Nothing is sent to it any more, until somebody has seen to it.
    select 'subscription', '', s.subscription_id, format('events for %s: %s', split_part(s.url, '?', 1), s.why),
           '{}', s.disabled_at, null, null, null, null
    from event_subscription s where s.state = 'disabled'
    union all
    select 'shop', '', s.channel,
           case when s.refuses then format('the shop does not do what it is asked: %s', s.error)
                else format('the shop has not answered since %s: %s',
                            to_char(s.away_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), s.error) end,
           '{}', s.away_since, null, null, null, c.seller
    from shop_contact s join channel c using (channel)
    where s.away_since < moment() - interval '1 hour' or s.refuses
    union all
    -- One that the shop only stumbles over is told again by itself; after an hour somebody should look.
    select 'shop_parcel', o.order_id, p.fulfilment_id,
           format('the shop of %s was not told of this parcel: %s', p.channel, p.error), '{}', p.made_at, null,
           null, null, o.seller
    from shop_parcel p join customer_order o using (order_no)
    where p.state = 'refused'
       or p.state = 'due' and p.error is not null and p.made_at < moment() - interval '1 hour'
          and exists (select from shop_contact c where c.channel = p.channel and c.away_since is null)
    union all
    select 'shop_levels', '', l.channel,
           format('the shop does not take the stock of %s SKU(s): %s', count(*), string_agg(
               format('%s (%s)', l.sku, l.error), '; ' order by l.sku) filter (where l.place <= 5)),
           '{}', min(l.tried_at), null, null, null, c.seller
    from (select *, row_number() over (partition by channel order by sku) as place from shop_level
          where error is not null and settled_at is null) l
    join channel c using (channel) group by l.channel, c.seller
    union all
    select case when p.attention is null then 'approval' else 'purchase_order' end, p.po_id, p.po_id,
           coalesce(p.attention, format('the purchase order with supplier %s waits for approval', s.name)), '{}',
           p.changed_at, null, nullif(l.worth, 0), p.currency, null
    from purchase_order p join currency c using (currency) join supplier s using (supplier_id)
    -- What has still to come.
    cross join lateral (
        select round(sum(outstanding * unit_price) * 10 ^ c.decimals)::bigint as worth
        from purchase_order_line l where l.po_id = p.po_id
    ) l
    where p.state not in ('closed', 'cancelled')
      and (p.attention is not null or p.state = 'proposed' and p.needs_approval)
    union all
    -- Answers of the supplier were not what was ordered, and nobody has agreed to them since: `domain.purchasing.answers`.
    select 'purchase_answer', p.po_id, p.po_id, format('supplier %s answers otherwise: %s', s.name, e.whys), '{}',
           e.since, null, nullif(l.worth, 0), p.currency, null
    from purchase_order p join currency c using (currency) join supplier s using (supplier_id)
    cross join lateral (
        select string_agg(why, '; ' order by first) as whys, max(last) as since
        from (
            select why, min(event_id) as first, max(at) as last from purchase_order_event
            where po_id = p.po_id and starts_with(effect, 'acknowledge:') and why is not null
              and event_id > coalesce((select max(event_id) from purchase_order_event a
                                       where a.po_id = p.po_id and starts_with(a.effect, 'agree:')), 0)
            group by why
        ) answers
    ) e
    cross join lateral (
        select round(sum(outstanding * unit_price) * 10 ^ c.decimals)::bigint as worth
        from purchase_order_line l where l.po_id = p.po_id
    ) l
    where p.state not in ('closed', 'cancelled') and e.whys is not null
)
select kind, subject, name, reason, allowed, since, due, amount_minor, currency, place.location,
       c.assigned_to, case when s.sleeps then c.snoozed_until end as snoozed_until,
       case when s.sleeps then c.note end as snoozed_note
from task left join task_care c using (kind, subject, name)
-- One that says something else than when it was put off, or has come up anew since then, is there again.
cross join lateral (
    select coalesce(c.snoozed_until > moment() and c.snoozed_reason = task.reason and task.since <= c.snoozed_at, false)
) s (sleeps)
cross join lateral (
    select case
        when kind in ('approval', 'purchase_order', 'purchase_answer', 'purchase_document')
            then (select location from purchase_order where po_id = task.subject)
        when kind = 'parcel' then (select location from unannounced_parcel where parcel_no = task.name::bigint)
    end
) place (location)
where (:seller::text is null or seller = :seller)
  and (:locations::text[] is null or place.location is null or place.location = any(:locations::text[]))
  and (:its_kind::text is null or kind = :its_kind and subject = :its_subject and name = :its_name)
  and (:kinds::text[] is null or kind = any(:kinds::text[]) or c.assigned_to = :reader::text)
  and (:snoozed::boolean is null or s.sleeps = :snoozed)
  and case :assigned::text when 'to' then c.assigned_to = :assigned_to
                           when 'others' then c.assigned_to <> :assigned_to
                           when 'nobody' then c.assigned_to is null else true end
  and (:after_free::boolean is null
       or (amount_minor is null, since, subject, name, kind)
          > (:after_free, :after_since::timestamptz, :after_subject::text, :after_name::text, :after_kind::text))
order by amount_minor is null, since, subject, name, kind limit :at_most;
