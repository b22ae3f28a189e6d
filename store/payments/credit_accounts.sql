-- Store credit as people read it.

-- name: accounts(customer_id, sellers, after_seller, after_currency, at_most)
-- With these sellers (null: with all), behind the one with this seller in this currency.
select account_id, customer_id, seller, currency, balance_minor, authorized_minor from credit_account
where kind = 'store_credit' and customer_id = :customer_id and (:sellers::text[] is null or seller = any(:sellers))
  and (:after_seller::text is null or (seller, currency) > (:after_seller, :after_currency::text))
order by seller, currency limit :at_most::bigint;

-- name: account(account_id)^
select account_id, customer_id, seller, currency, balance_minor, authorized_minor from credit_account
where account_id = :account_id and kind = 'store_credit';

-- name: history(account_id, before, at_most)
-- The operations of an account, oldest first; only the latest `at_most` before the one with this number.
select * from (
    select operation_id, at, kind, key, order_id, amount_minor, currency, balance_change, authorized_change,
           code, who, coalesce(why, '') as why
    from credit_operation
    where account_id = :account_id and operation_id < coalesce(:before::bigint, 9223372036854775807)
    order by operation_id desc limit :at_most
) latest order by operation_id;
