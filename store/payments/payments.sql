-- Operations at payment companies, and the authorizations that they belong to. Every writer locks
-- the order's row.

-- name: want_payment(payment_key, order_id, kind, amount_minor, currency, provider, tender, authorization_key, part_of)^
-- The intent, before the provider is called. No row when it exists already. The function stands in
-- schema/routines/payments.sql.
select payment_key, :order_id as order_id, kind, amount_minor, currency, state, provider, tender,
       authorization_key, part_of, reference, code, message, requested_at, settled_at
from want_payment(:order_id, :payment_key, :kind, :amount_minor, :currency, :provider, :tender,
                  :authorization_key, :part_of);

-- name: payment_of(payment_key)^
select * from payment where order_no = order_no_of(:payment_key) and payment_key = :payment_key;

-- name: payments_of(order_id)
select * from payment where order_no = order_no_of(:order_id) order by requested_at, payment_key;

-- name: payments_for(order_id, kind, part_of)
-- The operations of one kind that belong to a part.
select * from payment
where order_no = order_no_of(:order_id) and kind = :kind
  and part_of is not distinct from nullif(:part_of, '')
order by requested_at, payment_key;

-- name: unsettled_payments(channels, sellers, after_at, after_key, at_most)
-- Operations without a known outcome, oldest first, with their order's decision and attention. Of orders of
-- these channels and sellers (null: of all), behind the one that was requested then and has this key.
select p.*, o.decision,
       exists (select from attention a where a.order_no = p.order_no and a.resolved_at is null)
           as attention
from payment p join customer_order o using (order_no)
where p.state in ('requested', 'unknown')
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null or (p.requested_at, p.payment_key) > (:after_at, :after_key::text))
order by p.requested_at, p.payment_key limit :at_most::bigint;

-- name: settle_payment(state, reference, code, message, payment_key)$
-- requested | unknown → succeeded | failed. Null when it was settled already.
update payment_operation
set state = :state, reference = :reference, code = :code, message = :message, settled_at = moment()
where order_no = order_no_of(:payment_key) and payment_key = :payment_key
  and state in ('requested', 'unknown')
returning payment_key;

-- name: payment_came_back(code, message, payment_key)$
-- A refund: succeeded → failed. Null when it did not count as given back any more.
update payment_operation
set state = 'failed', code = :code, message = :message, settled_at = moment()
where order_no = order_no_of(:payment_key) and payment_key = :payment_key
  and kind = 'refund' and state = 'succeeded'
returning payment_key;

-- name: payment_unknown(message, payment_key)!
-- requested → unknown: requested, and no answer arrived.
update payment_operation set state = 'unknown', message = :message
where order_no = order_no_of(:payment_key) and payment_key = :payment_key
  and state = 'requested';

-- name: begin_call(still_at_it, payment_key)$
-- Null where another call may still be under way, or the outcome is known.
update payment_operation set called_at = moment()
where order_no = order_no_of(:payment_key) and payment_key = :payment_key
  and state in ('requested', 'unknown') and (called_at is null or called_at <= moment() - :still_at_it::interval)
returning payment_key;

-- name: money_of(order_id)^
select :order_id as order_id, currency, authorized, capture_granted, captured, refund_granted,
       refunded, released, disputed, disputed_abroad, voided
from order_money where order_no = order_no_of(:order_id);

-- name: disputed_abroad(order_id)
-- What banks took back of an order in another currency than its own, and did not give back.
select d.amount_minor, d.currency from dispute d join order_money m using (order_no)
where d.order_no = order_no_of(:order_id) and d.currency <> m.currency
  and d.state in ('needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review', 'lost')
order by d.opened_at, d.dispute_id;

-- name: add_money(capture_granted, refund_granted, refunded, released, voided, order_id)!
-- Changes the order's sums; the constraints of order_money refuse too large ones.
update order_money
set capture_granted = capture_granted + :capture_granted,
    refund_granted  = refund_granted  + :refund_granted,
    refunded        = refunded        + :refunded,
    released        = released        + :released,
    voided          = voided or :voided
where order_no = order_no_of(:order_id);

-- name: add_to_authorization(capture_granted, refund_granted, refunded, released, payment_key)!
-- Changes the sums of one authorization; its constraints refuse too large ones.
update payment_authorization
set capture_granted = capture_granted + :capture_granted,
    refund_granted  = refund_granted  + :refund_granted,
    refunded        = refunded        + :refunded,
    released        = released        + :released
where order_no = order_no_of(:payment_key) and authorization_key = :payment_key;
