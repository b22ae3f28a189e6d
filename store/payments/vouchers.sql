-- Vouchers and gift cards: how they are issued and what people do about them. What orders do with them is in
-- credit.sql. Whoever changes one locks its row first.

-- name: issue_by_code(key, request, kind, seller, customer_id, order_id, amount_minor, currency, valid_through, single_use, who, why)^
-- Opens an account of its own, of the order's seller, or the one that is named. It has no code yet.
with prior as (
    select * from credit_operation where key = :key
), opened as (
    insert into credit_account
        (account_id, kind, customer_id, seller, currency, balance_minor, valid_through, single_use)
    select :kind::text || '_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12), :kind, :customer_id,
           coalesce(:seller, (select seller from customer_order where order_id = :order_id), only_seller()),
           :currency, :amount_minor, :valid_through, :single_use
    where not exists (select from prior)
    returning account_id
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, order_id, reference, amount_minor, currency, who, why)
    select :key, 'issue', :request, account_id, :order_id, 'issue_' || nextval('credit_reference'),
           :amount_minor, :currency, :who, nullif(:why, '')
    from opened
    returning *
)
select * from prior union all select * from kept;


-- name: locked(voucher_id)^
-- Under its lock, with what has expired of it and was not given again.
select a.*, books_day(seller) as today,
       (select coalesce(-sum(balance_change) filter (where kind in ('expire', 'extend')), 0)::bigint
        from credit_operation where account_id = :voucher_id) as expired_minor
from (select * from credit_account where account_id = :voucher_id and kind <> 'store_credit'
      for no key update) a;

-- name: change(voucher_id, code_digest, code_end, valid_through, is_blocked, balance_change)!
update credit_account
set code_digest = :code_digest, code_end = :code_end, valid_through = :valid_through,
    blocked_at = case when :is_blocked::boolean then coalesce(blocked_at, moment()) end,
    balance_minor = balance_minor + :balance_change
where account_id = :voucher_id;

-- name: take(voucher_id, amount_minor)!
update credit_account set balance_minor = balance_minor - :amount_minor where account_id = :voucher_id;

-- name: keep(key, kind, request, voucher_id, amount_minor, currency, who, why)!
insert into credit_operation (key, kind, request, account_id, reference, amount_minor, currency, who, why)
values (:key, :kind, :request, :voucher_id, :kind::text || '_' || nextval('credit_reference'), :amount_minor,
        :currency, :who, nullif(:why, ''));

-- name: due_to_expire(at_most)
-- What has expired, and what a single order has left, and somebody could still spend. Others leave it.
select account_id, kind, seller, currency, balance_minor - authorized_minor as left_minor,
       books_day(seller) as today
from credit_account a
where balance_minor > authorized_minor and (valid_through is not null or single_use)
  and (valid_through < books_day(seller)
       or single_use and authorized_minor = 0 and exists (
           select from credit_authorization h
           where h.account_id = a.account_id and h.captured_minor > h.refunded_minor))
order by account_id limit :at_most for no key update skip locked;

-- name: find(voucher_id)^
select * from voucher where voucher_id = :voucher_id;

-- name: by_code(code_digest)^
select v.* from voucher v join credit_account a on a.account_id = v.voucher_id where a.code_digest = :code_digest;

-- name: listed(kind, state, seller, sellers, customer_id, order_id, after_at, after_id, at_most)
-- The newest first, behind the one that was issued then and has this id.
select * from voucher
where (:kind::text is null or kind = :kind) and (:state::text is null or state = :state)
  and (:seller::text is null or seller = :seller) and (:sellers::text[] is null or seller = any(:sellers))
  and (:customer_id::text is null or customer_id = :customer_id)
  and (:order_id::text is null or order_id = :order_id)
  and (:after_at::timestamptz is null or (issued_at, voucher_id) < (:after_at, :after_id::text))
order by issued_at desc, voucher_id desc limit :at_most::bigint;

-- name: history(voucher_id, before, at_most)
-- Its operations, oldest first; only the latest `at_most` before the one with this number.
select * from (
    select operation_id, at, kind, key, order_id, amount_minor, currency, balance_change, authorized_change,
           code, who, coalesce(why, '') as why
    from credit_operation
    where account_id = :voucher_id and operation_id < coalesce(:before::bigint, 9223372036854775807)
    order by operation_id desc limit :at_most
) latest order by operation_id;
