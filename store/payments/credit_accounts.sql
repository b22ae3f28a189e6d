-- Store credit as people read it.

-- name: accounts(customer_id)
select account_id, customer_id, seller, currency, balance_minor, authorized_minor from credit_account
where customer_id = :customer_id order by seller, currency;

-- name: history(account_id, at_most)
-- The operations of an account, oldest first; only the latest `at_most`.
select * from (
    select operation_id, at, kind, key, order_id, amount_minor, currency, balance_change, authorized_change,
           code, who, coalesce(why, '') as why
    from credit_operation where account_id = :account_id
    order by operation_id desc limit :at_most
) latest order by operation_id;
