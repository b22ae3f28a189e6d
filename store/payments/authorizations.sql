-- Authorizations. The functions stand in schema/routines/payments.sql.

-- name: want_authorization(order_id, payment_key, amount_minor, currency, provider, tender, part_of, whole)$
-- The intent, before the provider is called: when it was requested; null when it exists already.
select want_authorization(:order_id, :payment_key, :amount_minor, :currency, :provider, :tender, :part_of,
                          :whole);

-- name: authorized(payment_key, reference, expires_at, confirms, why, told)$
-- An authorization: requested | unknown → succeeded. Returns the order's decision as it was before; null
-- when it was settled already.
select authorization_made(:payment_key, :reference, :expires_at, :confirms, :why, :told);

-- name: confirm(order_id, why, told)$
select confirm_order(:order_id, :why, :told);

-- name: bind_authorization(part_of, payment_key)!
-- Gives an authorization another part, because its own part will not be charged.
update payment_authorization set part_of = nullif(:part_of, '')
where order_no = order_no_of(:payment_key) and authorization_key = :payment_key;
