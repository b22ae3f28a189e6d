-- Refunds owed to customers. Every writer locks the order's row.

-- name: grant_refund(refund_id, order_id, kind, units, goods, tax, shipping, shipping_tax, credited, kept, currency, reason, who, pay_to, role)$
-- Nothing → granted, with its room in the order's sums. Null when it was granted before.
with granted as (
    insert into refund (order_no, refund_id, kind, units, goods_minor, tax_minor, shipping_minor,
                        shipping_tax_minor, credited_minor, kept, currency, reason, who, pay_to, role)
    values (order_no_of(:order_id), :refund_id, :kind, :units, :goods, :tax, :shipping, :shipping_tax,
            :credited, jsonb_populate_record(null::worth, :kept::jsonb), :currency, :reason, :who,
            :pay_to, :role)
    on conflict (order_no, refund_id) do nothing
    returning order_no, refund_id, amount_minor
), owed as (
    update order_money m set refund_granted = refund_granted + amount_minor
    from granted where m.order_no = granted.order_no
)
select refund_id from granted;

-- name: refund_of(refund_id)^
-- With what of its order is due and not charged yet: that cannot be paid back before it is. And with the
-- policy for an order that was paid in several ways. `is_exchange`: it may be for an exchange order, which has not
-- heard of it.
select order_of(refund_id) as order_id, r.*, m.charged - m.captured as uncharged_minor,
       o.policy ->> 'refund_tenders' as refund_tenders,
       exists (select from exchange e where e.order_no = r.order_no and e.return_id = r.refund_id
               and e.settled_at is null) as is_exchange
from refund r join order_money m using (order_no) join customer_order o using (order_no)
where order_no = order_no_of(:refund_id) and refund_id = :refund_id;

-- name: goodwill_roles(order_id)$
select policy -> 'goodwill_roles' from customer_order where order_id = :order_id;

-- name: count_alone(role, who)!
-- Until the transaction ends nobody else counts what this person has given.
select pg_advisory_xact_lock(hashtextextended(:role::text || ' ' || :who::text, 0));

-- name: given_today(order_id, role, who)$
-- As goodwill, by this person in this role, on the day of the order's seller, in the order's currency.
select coalesce(sum(r.amount_minor), 0)::bigint
from customer_order o join seller s using (seller)
join refund r on r.kind = 'goodwill' and r.role = :role and r.who = :who and r.currency = o.currency
    and r.granted_at >= date_trunc('day', moment() at time zone s.time_zone) at time zone s.time_zone
where o.order_id = :order_id;

-- name: listed(order_id, line_id)^
-- A line of the order as it is on record. No price where the order has no such line.
select o.policy, o.placed_at,
       (select l ->> 'unit_price' from jsonb_array_elements(o.document -> 'lines') l
        where l ->> 'line_id' = :line_id) as unit_price
from customer_order o where o.order_id = :order_id;

-- name: count_refunds(order_id, kinds)$
select count(*) from refund
where order_no = order_no_of(:order_id) and kind = any(:kinds::text[]);

-- name: owed_refunds(channels, sellers, after_at, after_id, at_most)
-- Granted and not issued in full, or come back since; the oldest first. Of orders of these channels and
-- sellers (null: of all), behind the one that was granted then and has this id.
select o.order_id, r.* from refund r join customer_order o using (order_no)
where r.issued_minor - r.came_back_minor < r.amount_minor
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null or (r.granted_at, r.refund_id) > (:after_at, :after_id::text))
order by r.granted_at, r.refund_id limit :at_most::bigint;

-- name: issue_refund(amount, refund_id)^
-- Granted → issued, by this amount.
update refund set issued_minor = issued_minor + :amount
where order_no = order_no_of(:refund_id) and refund_id = :refund_id
returning issued_minor, amount_minor;

-- name: refund_came_back(change, refund_id)!
-- Issued → come back, by this amount; a negative one was paid another way since.
update refund set came_back_minor = came_back_minor + :change
where order_no = order_no_of(:refund_id) and refund_id = :refund_id;
