-- Store credit, vouchers and gift cards. Each call that has an effect is one statement: `prior` is the answer already kept under
-- the key, and nothing else happens if there is one; otherwise the effect is made and kept together.
-- Two concurrent calls with one key meet at its unique index: the loser is rolled back whole and finds
-- the winner's answer when run again.
-- Rows are locked in one order, authorization, account, key, so calls cannot deadlock. A statement that waits
-- for a lock goes on with the newest rows in `target`, while its updates still start from the rows as
-- they were when it began, and that is what the constraints see first. So each update writes every
-- changing column from the locked rows.

-- name: issue(key, request, customer_id, seller, order_id, amount_minor, currency, who, why)^
-- Adds to a customer's account with the order's seller, or the one that is named, which is opened if there is none. An amount too large to count is
-- refused.
with prior as (
    select * from credit_operation where key = :key
), given as (
    insert into credit_account as a (customer_id, seller, currency, balance_minor)
    select :customer_id,
           coalesce(:seller, (select seller from customer_order where order_id = :order_id), only_seller()),
           :currency, :amount_minor
    where not exists (select from prior)
    on conflict (customer_id, currency, seller) where kind = 'store_credit' do update
        set balance_minor = a.balance_minor + excluded.balance_minor
        where a.balance_minor <= 9223372036854775807 - excluded.balance_minor
    returning account_id
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, order_id, reference, amount_minor, currency, code, who, why)
    select :key, 'issue', :request, given.account_id, :order_id,
           case when given.account_id is not null
               then 'issue_' || nextval('credit_reference') end,
           :amount_minor, :currency,
           case when given.account_id is null then 'amount_too_large' end, :who, nullif(:why, '')
    from (select) as this_call left join given on true
    where not exists (select from prior)
    returning *
)
select * from prior union all select * from kept;

-- name: authorize(key, request, kind, token, order_id, amount_minor, currency, who, why)^
-- Available → authorized, for an order of the same seller. `token`: of store credit the account's id, of the
-- others what is kept of the code.
with prior as (
    select * from credit_operation where key = :key
), target as (
    select * from credit_account
    where kind = :kind::text and not exists (select from prior)
      and (account_id = :token and kind = 'store_credit' or code_digest = :token and kind <> 'store_credit')
    for no key update
), verdict as (
    select target.*, target.balance_minor - target.authorized_minor as free_minor,
           case
               when target.account_id is null
                    or target.seller <> (select seller from customer_order where order_id = :order_id)
                   then 'not_found'
               when target.blocked_at is not null then 'blocked'
               when target.valid_through < books_day(target.seller) then 'over'
               when target.kind <> 'store_credit' and target.customer_id <> coalesce(
                   (select customer_id from order_person where order_no = order_no_of(:order_id)), '')
                   then 'of_another'
               when target.currency <> :currency then 'currency_mismatch'
               when target.single_use and exists (
                   select from credit_authorization h
                   where h.account_id = target.account_id and h.order_id <> :order_id
                     and (h.captured_minor > h.refunded_minor
                          or not h.voided and h.captured_minor < h.amount_minor))
                   then 'used'
               when :amount_minor::bigint > target.balance_minor - target.authorized_minor
                   then 'insufficient_funds'
           end as code
    from (select) as this_call left join target on true
    where not exists (select from prior)
), moved as (
    update credit_account
    set balance_minor = verdict.balance_minor, authorized_minor = verdict.authorized_minor + :amount_minor
    from verdict
    where credit_account.account_id = verdict.account_id and verdict.code is null
), made as (
    insert into credit_authorization (authorization_id, account_id, order_id, amount_minor)
    select 'auth_' || nextval('credit_reference'), account_id, :order_id, :amount_minor
    from verdict where code is null
    returning authorization_id
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, authorization_id, order_id, reference, amount_minor,
         currency, code, available_minor, who, why)
    select :key, 'authorize', :request, account_id, made.authorization_id, :order_id,
           made.authorization_id, :amount_minor, :currency, code,
           case when code = 'insufficient_funds' then free_minor end, :who, nullif(:why, '')
    from verdict left join made on true
    returning *
)
select * from prior union all select * from kept;

-- name: capture(key, request, authorization_id, amount_minor, currency, who, why)^
-- Authorized → spent, in part or in full; never more than authorized, and never after a void.
with prior as (
    select * from credit_operation where key = :key
), target as (
    select h.*, a.currency, a.balance_minor, a.authorized_minor
    from credit_authorization h join credit_account a using (account_id)
    where h.authorization_id = :authorization_id and not exists (select from prior)
    for no key update of h, a
), verdict as (
    select target.*, target.amount_minor - target.captured_minor as left_minor,
           case
               when target.authorization_id is null then 'not_found'
               when target.currency <> :currency then 'currency_mismatch'
               when target.voided then 'already_voided'
               when :amount_minor::bigint > target.amount_minor - target.captured_minor
                   then 'amount_too_large'
           end as code
    from (select) as this_call left join target on true
    where not exists (select from prior)
), moved as (
    update credit_account
    set balance_minor = verdict.balance_minor - :amount_minor,
        authorized_minor = verdict.authorized_minor - :amount_minor
    from verdict
    where credit_account.account_id = verdict.account_id and verdict.code is null
), taken as (
    update credit_authorization
    set captured_minor = verdict.captured_minor + :amount_minor,
        refunded_minor = verdict.refunded_minor,
        released_minor = verdict.released_minor,
        voided = verdict.voided
    from verdict
    where credit_authorization.authorization_id = verdict.authorization_id and verdict.code is null
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, authorization_id, order_id, reference, amount_minor,
         currency, code, available_minor, who, why)
    select :key, 'capture', :request, account_id, authorization_id, order_id,
           case when code is null then 'capture_' || nextval('credit_reference') end,
           :amount_minor, :currency, code,
           case when code = 'amount_too_large' then left_minor end, :who, nullif(:why, '')
    from verdict
    returning *
)
select * from prior union all select * from kept;

-- name: void(key, request, authorization_id, who, why)^
-- Authorized, or spent in part or in full → voided; the rest is available again.
with prior as (
    select * from credit_operation where key = :key
), target as (
    select h.*, a.currency, a.balance_minor, a.authorized_minor
    from credit_authorization h join credit_account a using (account_id)
    where h.authorization_id = :authorization_id and not exists (select from prior)
    for no key update of h, a
), verdict as (
    select target.*, target.amount_minor - target.captured_minor as left_minor,
           case
               when target.authorization_id is null then 'not_found'
               when target.voided then 'already_voided'
           end as code
    from (select) as this_call left join target on true
    where not exists (select from prior)
), moved as (
    update credit_account
    set balance_minor = verdict.balance_minor, authorized_minor = verdict.authorized_minor - verdict.left_minor
    from verdict
    where credit_account.account_id = verdict.account_id and verdict.code is null
), released as (
    update credit_authorization
    set captured_minor = verdict.captured_minor,
        refunded_minor = verdict.refunded_minor,
        released_minor = verdict.left_minor,
        voided = true
    from verdict
    where credit_authorization.authorization_id = verdict.authorization_id and verdict.code is null
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, authorization_id, order_id, reference, amount_minor,
         currency, code, who, why)
    select :key, 'void', :request, account_id, authorization_id, order_id,
           case when code is null then 'void_' || nextval('credit_reference') end,
           left_minor, currency, code, :who, nullif(:why, '')
    from verdict
    returning *
)
select * from prior union all select * from kept;

-- name: refund(key, request, authorization_id, amount_minor, currency, days_again, who, why)^
-- Spent → available again, up to the amount spent. An account that has expired meanwhile is valid again for so
-- many days, with this amount alone.
with prior as (
    select * from credit_operation where key = :key
), target as (
    select h.*, a.currency, a.balance_minor, a.authorized_minor, a.valid_through,
           case when a.valid_through < books_day(a.seller)
               then books_day(a.seller) + :days_again::integer end as valid_again
    from credit_authorization h join credit_account a using (account_id)
    where h.authorization_id = :authorization_id and not exists (select from prior)
    for no key update of h, a
), verdict as (
    select target.*, target.captured_minor - target.refunded_minor as left_minor,
           case
               when target.authorization_id is null then 'not_found'
               when target.currency <> :currency then 'currency_mismatch'
               when :amount_minor::bigint > least(
                   target.captured_minor - target.refunded_minor,
                   9223372036854775807 - target.balance_minor) then 'amount_too_large'
           end as code
    from (select) as this_call left join target on true
    where not exists (select from prior)
), moved as (
    update credit_account
    set balance_minor = verdict.balance_minor + :amount_minor, authorized_minor = verdict.authorized_minor,
        valid_through = coalesce(verdict.valid_again, verdict.valid_through)
    from verdict
    where credit_account.account_id = verdict.account_id and verdict.code is null
), given as (
    update credit_authorization
    set captured_minor = verdict.captured_minor,
        refunded_minor = verdict.refunded_minor + :amount_minor,
        released_minor = verdict.released_minor,
        voided = verdict.voided
    from verdict
    where credit_authorization.authorization_id = verdict.authorization_id and verdict.code is null
), kept as (
    insert into credit_operation
        (key, kind, request, account_id, authorization_id, order_id, reference, amount_minor,
         currency, code, available_minor, who, why)
    select :key, 'refund', :request, account_id, authorization_id, order_id,
           case when code is null then 'refund_' || nextval('credit_reference') end,
           :amount_minor, :currency, code,
           case when code = 'amount_too_large' then left_minor end, :who, nullif(:why, '')
    from verdict
    returning *
), extended as (
    insert into credit_operation
        (key, kind, request, account_id, reference, amount_minor, currency, who, why)
    select :key::text || ':extend', 'extend', :request, account_id, 'extend_' || nextval('credit_reference'),
           0, :currency, :who, 'refunded after its end: valid through ' || valid_again
    from verdict where code is null and valid_again is not null
)
select * from prior union all select * from kept;

-- name: call(key)^
select * from credit_operation where key = :key;

-- name: effects_of_order(kind, order_id)
-- Everything that took effect for the order with this means of payment, oldest first.
select o.* from credit_operation o join credit_account a using (account_id)
where order_id = :order_id and code is null and a.kind = :kind order by operation_id;

-- name: effects_between(kind, since, until)
-- Everything that took effect for an order in this time with this means of payment, oldest first.
select o.* from credit_operation o join credit_account a using (account_id)
where at >= :since and at < :until and code is null and order_id is not null and a.kind = :kind
order by operation_id;
