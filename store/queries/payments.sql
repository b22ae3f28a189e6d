-- Payment operations. The order's row is locked by every writer.

-- name: want_payment(payment_key, order_id, kind, amount_minor, currency, provider)^
-- The intent, before the provider is called. No row when it is there already.
insert into payment (payment_key, order_id, kind, amount_minor, currency, state, provider)
values (:payment_key, :order_id, :kind, :amount_minor, :currency, 'requested', :provider)
on conflict (payment_key) do nothing
returning payment_key, order_id, kind, amount_minor, currency, state, provider, reference, code,
          message, requested_at, settled_at;

-- name: payment_of(payment_key)^
select payment_key, order_id, kind, amount_minor, currency, state, provider, reference, code,
       message, requested_at, settled_at
from payment where payment_key = :payment_key;

-- name: payments_of(order_id)
select payment_key, order_id, kind, amount_minor, currency, state, provider, reference, code,
       message, requested_at, settled_at
from payment where order_id = :order_id order by requested_at, payment_key;

-- name: settle_payment(state, reference, code, message, payment_key)$
-- requested | unknown → succeeded | failed. Null when it was settled already.
update payment
set state = :state, reference = :reference, code = :code, message = :message,
    settled_at = clock_timestamp()
where payment_key = :payment_key and state in ('requested', 'unknown')
returning payment_key;

-- name: payment_unknown(message, payment_key)!
-- requested → unknown: asked, and no answer came.
update payment set state = 'unknown', message = :message
where payment_key = :payment_key and state = 'requested';

-- name: money_of(order_id)^
select order_id, currency, authorized, capture_granted, captured, refund_granted, refunded, voided
from order_money where order_id = :order_id;

-- name: add_money(authorized, capture_granted, captured, refund_granted, refunded, voided, order_id)!
-- Moves the sums; the constraints of order_money refuse what would exceed.
update order_money
set authorized      = authorized      + :authorized,
    capture_granted = capture_granted + :capture_granted,
    captured        = captured        + :captured,
    refund_granted  = refund_granted  + :refund_granted,
    refunded        = refunded        + :refunded,
    voided          = voided or :voided
where order_id = :order_id;
