-- Disputes. If one belongs to an order, every writer locks the order's row first.

-- name: disputed_payment(provider, dispute_id, subjects)^
-- The authorization that a dispute is about, and its order.
select payment_key, order_id from (
    select 0 as way, payment_key, order_id, opened_at as at
    from dispute join customer_order using (order_no)
    where provider = :provider and dispute_id = :dispute_id
    union all
    select 1, coalesce(authorization_key, payment_key), order_id, requested_at from payment
    where provider = :provider and reference = any(:subjects::text[])
) found
order by way, at, payment_key limit 1;

-- name: left_of_lost(order_id)$
-- The amount that banks have taken from an order for good, less the refunds that count as given by
-- that. In the order's currency: no other one is converted.
select greatest(0, coalesce((
    select sum(d.amount_minor) from dispute d join order_money m using (order_no)
    where d.order_no = order_no_of(:order_id) and d.state = 'lost' and d.currency = m.currency
), 0) + coalesce((
    select sum(p.amount_minor)
    from payment r
    join journal_entry e on e.order_no = r.order_no and e.effect = r.payment_key
    join posting p using (entry_id)
    where r.order_no = order_no_of(:order_id) and r.kind = 'refund' and p.account = 'write_offs'
), 0))::bigint;

-- name: want_dispute(provider, dispute_id, subjects, amount_minor, currency, fee_minor, fee_currency, state, moves, reason, opened_at, respond_by, said_at, closed_at)^
-- A new dispute, without an order yet. No row when it is known already.
insert into dispute (provider, dispute_id, subjects, amount_minor, currency, fee_minor, fee_currency,
                     state, moves, reason, opened_at, respond_by, said_at, closed_at)
values (:provider, :dispute_id, :subjects, :amount_minor, :currency, :fee_minor, :fee_currency,
        :state, :moves, :reason, :opened_at, :respond_by, :said_at, :closed_at)
on conflict (provider, dispute_id) do nothing
returning dispute_id;

-- name: lock_dispute(provider, dispute_id)^
select provider, dispute_id, subjects, payment_key, order_of(payment_key) as order_id, amount_minor,
       currency, fee_minor, fee_currency, state, moves, reason, opened_at, respond_by, said_at, told
from dispute where provider = :provider and dispute_id = :dispute_id for update;

-- name: set_dispute(subjects, amount_minor, currency, fee_minor, fee_currency, state, moves, reason, opened_at, respond_by, said_at, closed_at, provider, dispute_id)!
update dispute
set subjects = :subjects, amount_minor = :amount_minor, currency = :currency, fee_minor = :fee_minor,
    fee_currency = :fee_currency, state = :state, moves = :moves, reason = :reason,
    opened_at = :opened_at, respond_by = :respond_by, said_at = :said_at, closed_at = :closed_at
where provider = :provider and dispute_id = :dispute_id;

-- name: place_dispute(order_id, payment_key, provider, dispute_id)!
update dispute set order_no = order_no_of(:order_id), payment_key = :payment_key
where provider = :provider and dispute_id = :dispute_id and order_no is null;

-- name: dispute_told(provider, dispute_id)$
update dispute set told = told + 1
where provider = :provider and dispute_id = :dispute_id returning told;

-- name: add_disputed(change, order_id, currency)$
-- Null when the order has another currency: then it is known that such an amount is disputed, or none.
with abroad as (
    update order_money m set disputed_abroad = exists (
        select from dispute d
        where d.order_no = m.order_no and d.currency <> m.currency
          and d.state in ('needs_response', 'under_review', 'appeal_needs_response',
                          'appeal_under_review', 'lost'))
    where order_no = order_no_of(:order_id) and currency <> :currency
)
update order_money set disputed = disputed + :change
where order_no = order_no_of(:order_id) and currency = :currency returning disputed;

-- name: placeable(batch)
-- Disputes whose payment has become known since the first news.
select d.provider, d.dispute_id, p.order_id
from dispute d
cross join lateral (
    select order_id from payment
    where payment.provider = d.provider and reference = any(d.subjects)
    order by requested_at, coalesce(authorization_key, payment_key) limit 1
) p
where d.order_no is null
order by d.heard_at limit :batch;
