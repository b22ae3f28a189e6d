-- Claims. The order's row is locked by every writer.

-- name: next_claim(order_id)$
-- Claims are numbered from 1, and none is ever deleted.
select 1 + count(*) from claim where order_no = order_no_of(:order_id);

-- name: insert_claim(order_id, claim_id, kind, wish, reason, evidence, who, why_open, answer_by)!
-- Nothing → open.
insert into claim (order_no, claim_id, kind, wish, reason, evidence, who, why_open, answer_by)
values (order_no_of(:order_id), :claim_id, :kind, :wish, :reason, :evidence::text[], :who, :why_open,
        :answer_by);

-- name: insert_claim_lines(order_id, claim_id, line_ids, quantities)!
insert into claim_line (order_no, claim_id, line_id, quantity)
select order_no_of(:order_id), :claim_id, line_id, quantity
from unnest(:line_ids::text[], :quantities::bigint[]) as l (line_id, quantity);

-- name: decide_claim(claim_id, decision, note, who, refund_id, return_id)!
-- Open → decided.
update claim
set decision = :decision, note = :note, decided_by = :who, decided_at = moment(), refund_id = :refund_id,
    return_id = :return_id
where order_no = order_no_of(:claim_id) and claim_id = :claim_id and decision is null;

-- name: claims_before(order_id)$
-- How many claims the order's customer made within a year, also of other orders.
select count(*) from order_person p join claim c using (order_no)
where p.customer_id = (select customer_id from order_person where order_no = order_no_of(:order_id))
  and c.since > moment() - interval '1 year';

-- name: claim_facts(order_id)^
-- What decides about a claim besides the money: the units in claims that are open or were paid in part; and whether
-- a parcel came after its promised day, by the location's own date, and was paid for that. Goods that are collected
-- came when they lay ready.
select coalesce((
           select jsonb_object_agg(line_id, units) from (
               select line_id, sum(quantity)::bigint as units
               from claim join claim_line using (order_no, claim_id)
               where order_no = o.order_no and (decision is null or decision = 'part_refund')
               group by line_id) held), '{}') as claimed,
       exists (select from fulfilment f join location l using (location)
               left join lateral (
                   select min(e.happened_at) as at from carrier_event e
                   where e.order_no = f.order_no and e.fulfilment_id = f.fulfilment_id
                     and e.status = 'delivered') came on true
               left join pick_up u using (order_no, fulfilment_id)
               where f.order_no = o.order_no and f.state = 'delivered'
                 and (coalesce(u.ready_at, came.at, f.changed_at)
                      at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date > f.promised_on) as came_late,
       exists (select from claim c
               where c.order_no = o.order_no and c.kind = 'late' and c.refund_id is not null) as paid_for_late
from customer_order o where o.order_id = :order_id;

-- name: find_claims(claim_id, order_id, open_only, channels, sellers, after_at, after_id, at_most)
-- The newest first: one, those of an order, or all; those of these channels and sellers (null: of all), behind the
-- one that was made then and has this id.
select o.order_id, c.*, o.currency::text as currency, r.amount_minor,
       (select b.state from order_return b where (b.order_no, b.return_id) = (c.order_no, c.return_id)) as return_state,
       coalesce((select jsonb_object_agg(line_id, quantity) from claim_line l
                 where l.order_no = c.order_no and l.claim_id = c.claim_id), '{}') as units
from claim c join customer_order o using (order_no) left join refund r using (order_no, refund_id)
where (:claim_id::text is null or c.order_no = order_no_of(:claim_id) and c.claim_id = :claim_id)
  and (:order_id::text is null or o.order_id = :order_id)
  and (not :open_only or c.decision is null)
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null or (c.since, c.claim_id) < (:after_at, :after_id::text))
order by c.since desc, c.claim_id desc limit :at_most;
