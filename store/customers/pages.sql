-- All that is known of one customer, for one who speaks with them. Each query is of the orders of these channels
-- and sellers (null: of all) that are not erased.

-- name: customer(customer_no)^
-- Or of the one that this is merged into. `merged`: who is merged into it.
select c.customer_no, c.key, c.made_at, c.erased_at,
       array(select m.customer_no from customer m where m.into_no = c.customer_no order by 1) as merged
from customer named join customer c on c.customer_no = coalesce(named.into_no, named.customer_no)
where named.customer_no = :customer_no;

-- name: named(text)
-- The customers that a channel's id or a mail address is of.
select coalesce(into_no, customer_no) as customer_no from customer
where key in ('id:' || :text, 'mail:' || lower(:text))
union
select customer_of(order_no) from order_person
where lower(person #>> '{customer,email}') = lower(:text) and person #>> '{customer,email}' is not null
  and erased_at is null
order by customer_no;

-- name: own(text)
-- The same without a look at whom they are merged into.
select customer_no from customer where key in ('id:' || :text, 'mail:' || lower(:text)) order by customer_no;

-- name: sums(customer_no, channels, sellers)
-- Per currency. `ordered`: without what was rejected or cancelled as a whole.
select o.currency, count(*) as orders,
       count(*) filter (where o.decision in ('rejected', 'cancelled')) as orders_not_kept,
       coalesce(sum(o.total_minor) filter (where o.decision not in ('rejected', 'cancelled')), 0) as ordered_minor,
       sum(m.captured) as paid_minor, sum(m.refunded) as paid_back_minor,
       sum(m.refund_granted - m.refunded) as owed_back_minor,
       sum(l.delivered)::bigint as units_delivered, sum(l.returned)::bigint as units_returned,
       min(o.placed_at) as first_order_at, max(o.placed_at) as last_order_at
from orders_of_customer(:customer_no) as n (order_no) join customer_order o using (order_no)
     join order_money m using (order_no),
     lateral (select sum(delivered) as delivered, sum(returned) as returned from order_line
              where order_line.order_no = o.order_no) l
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
group by o.currency order by o.currency;

-- name: known_as(customer_no, channels, sellers, at_most)
-- Each name, mail address, phone number, address and so on that the orders have, the latest first, at most so many
-- of a kind.
select kind, value, orders, last.order_id as last_order_id, last_at from (
    select kind, value, count(*) as orders, max(o.order_no) as last_no, max(o.placed_at) as last_at,
           row_number() over (partition by kind order by max(o.order_no) desc) as place
    from orders_of_customer(:customer_no) as n (order_no) join customer_order o using (order_no)
         join order_person p using (order_no),
         lateral (values
             ('customer_id', to_jsonb(p.customer_id)), ('name', p.person #> '{customer,name}'),
             ('email', p.person #> '{customer,email}'), ('phone', p.person #> '{customer,phone}'),
             ('company', p.person #> '{customer,company}'), ('tax_number', p.person #> '{customer,tax_number}'),
             ('locale', p.person #> '{customer,locale}'), ('address', p.person -> 'address'),
             ('billing', p.person -> 'billing'), ('channel', to_jsonb(o.channel)), ('seller', to_jsonb(o.seller))
         ) as v (kind, value)
    where value is not null and value <> 'null'
      and (:channels::text[] is null or o.channel = any(:channels))
      and (:sellers::text[] is null or o.seller = any(:sellers))
    group by kind, value
) known join customer_order last on last.order_no = last_no
where place <= :at_most order by kind, place;

-- name: orders(customer_no, channels, sellers, after, at_most)
-- The newest first, behind the one with the number `after`. Sorted before anything else is read of them: of thousands
-- of orders, those of one page are.
select o.order_no, o.order_id, o.channel, o.seller, o.channel_order_id, o.placed_at, o.state, o.fulfilment_status,
       o.currency, o.total_minor, m.captured as paid_minor, m.refunded as paid_back_minor
from (select order_no from orders_of_customer(:customer_no) as n (order_no)
      where :after::bigint is null or order_no < :after order by order_no desc) n
     join customer_order o using (order_no) join order_money m using (order_no)
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
order by n.order_no desc limit :at_most;

-- name: happened(customer_no, channels, sellers, at_most)
-- Returns, claims and refunds, the latest first.
with theirs as (
    select order_no, order_id from orders_of_customer(:customer_no) as n (order_no) join customer_order o using (order_no)
    where (:channels::text[] is null or o.channel = any(:channels))
      and (:sellers::text[] is null or o.seller = any(:sellers))
)
select * from (
    select 'return' as kind, order_id, return_id as id, state, reason, null::text as currency,
           null::bigint as amount_minor, changed_at as at
    from theirs join order_return using (order_no)
    union all
    select 'claim', order_id, claim_id, coalesce(decision, 'open'), c.kind || ': ' || reason, null, null, since
    from theirs join claim c using (order_no)
    union all
    select 'refund', order_id, refund_id,
           case when issued_minor - came_back_minor >= amount_minor then 'paid_back' else 'owed' end, reason, currency,
           amount_minor, granted_at
    from theirs join refund using (order_no)
) anything order by at desc, id desc limit :at_most;

-- name: tasks(customer_no, channels, sellers, at_most)
-- What somebody has still to do about the orders, the oldest first.
with theirs as (
    select order_no, order_id from orders_of_customer(:customer_no) as n (order_no) join customer_order o using (order_no)
    where (:channels::text[] is null or o.channel = any(:channels))
      and (:sellers::text[] is null or o.seller = any(:sellers))
)
select * from (
    select 'attention' as kind, order_id, step as id, reason as what, since
    from theirs join attention using (order_no) where resolved_at is null
    union all
    select 'hold', order_id, hold_id, h.reason || ': ' || note, since
    from theirs join order_hold h using (order_no) where released_at is null
    union all
    select 'claim', order_id, claim_id, concat_ws(': ', c.kind, why_open), since
    from theirs join claim c using (order_no) where decision is null
    union all
    select 'return', order_id, return_id, 'waits for a decision: ' || reason, changed_at
    from theirs join order_return using (order_no) where state = 'requested'
    union all
    select 'refund', order_id, refund_id, 'owed: ' || reason, granted_at
    from theirs join refund r using (order_no) where issued_minor - came_back_minor < amount_minor
    union all
    select 'dispute', order_id, dispute_id, concat_ws(': ', d.provider, d.reason), opened_at
    from theirs join dispute d using (order_no) where closed_at is null
) anything order by since, id limit :at_most;
