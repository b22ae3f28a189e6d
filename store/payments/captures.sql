-- Charges that are made. The function stands in schema/routines/payments.sql.

-- name: charge_made(payment_key, reference, releases_rest, memo, accounts, amounts, why, told)$
-- A capture: requested | unknown → succeeded. False when it was settled already.
select charge_made(
    :payment_key, :reference, :releases_rest, :memo, :accounts::text[], :amounts::bigint[], :why, :told::jsonb);
