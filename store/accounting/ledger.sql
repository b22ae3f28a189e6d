-- The journal, and its closed periods. Triggers make sure that entries never change, that each one
-- balances, and that none is written into a closed period.

-- name: insert_entry(effect, order_id, memo, currency, accounts, amounts, seller)$
-- An entry with its postings. The function stands in schema/routines/accounting.sql.
select entry_posted(:effect, order_no_of(:order_id), :memo, :currency, :accounts::text[], :amounts::bigint[],
                    :seller);

-- name: trial_balance(until, seller)
-- The sum of all entries through a day, of a seller; null: of all days, of all sellers. What was carried forward by the
-- last closing before it is not added up again, nor are the entries of days that are added up: few are left, and the
-- postings of each are looked up (`offset 0`), never all postings read.
with closed as (
    select s.seller,
           coalesce((select max(c.through) from closing c
                     where c.seller = s.seller and c.through <= coalesce(:until::date, 'infinity')), '-infinity')
               as through,
           coalesce((select max(d.day) from book_day d where d.seller = s.seller), '-infinity') as added
    from seller s where :seller::text is null or s.seller = :seller
)
select account, currency, sum(amount_minor) as amount_minor
from (
    select b.account, b.currency, b.amount_minor from closed join closed_balance b using (seller, through)
    union all
    select a.account, a.currency, a.debit_minor - a.credit_minor
    from closed join book_day_account a on a.seller = closed.seller
        and a.day > closed.through and a.day <= coalesce(:until, 'infinity')
    union all
    select p.account, p.currency, p.amount_minor
    from closed join journal_entry e on e.seller = closed.seller
        and e.booked_on > greatest(closed.through, closed.added) and e.booked_on <= coalesce(:until, 'infinity')
    cross join lateral (select * from posting p where p.entry_id = e.entry_id offset 0) p
) every
group by account, currency
having sum(amount_minor) <> 0
order by currency, account;

-- name: entries(first, last, seller, sellers, before_day, before_entry, at_most)
-- The latest of them (null: all), by their days and then as they were written. Each seller's latest are read
-- along the index of its days, and no others: bounds are never null, so that any plan begins there.
select * from (
    select e.entry_id, e.seller, e.effect, o.order_id, e.memo, e.counterpart, e.at, e.booked_on,
           (select jsonb_agg(jsonb_build_object(
                'account', account, 'amount_minor', amount_minor, 'currency', currency)
                order by currency, amount_minor < 0, account)
            from posting p where p.entry_id = e.entry_id) as postings
    from seller s
    cross join lateral (
        select * from journal_entry
        where seller = s.seller
          and booked_on >= coalesce(:first::date, '-infinity') and booked_on <= coalesce(:last::date, 'infinity')
          and (booked_on, entry_id) < (coalesce(:before_day::date, 'infinity'), coalesce(:before_entry::bigint, 0))
        order by booked_on desc, entry_id desc limit :at_most::bigint
    ) e
    left join customer_order o using (order_no)
    where (:seller::text is null or s.seller = :seller) and (:sellers::text[] is null or s.seller = any(:sellers))
    order by e.booked_on desc, e.entry_id desc limit :at_most::bigint
) latest order by booked_on, entry_id;

-- name: entries_of_order(order_id, first, last, seller, sellers, before_day, before_entry, at_most)
-- The same of one order.
select * from (
    select e.entry_id, e.seller, e.effect, o.order_id, e.memo, e.counterpart, e.at, e.booked_on,
           (select jsonb_agg(jsonb_build_object(
                'account', account, 'amount_minor', amount_minor, 'currency', currency)
                order by currency, amount_minor < 0, account)
            from posting p where p.entry_id = e.entry_id) as postings
    from journal_entry e join customer_order o using (order_no)
    where order_no = order_no_of(:order_id)
      and booked_on >= coalesce(:first::date, '-infinity') and booked_on <= coalesce(:last::date, 'infinity')
      and (booked_on, entry_id) < (coalesce(:before_day::date, 'infinity'), coalesce(:before_entry::bigint, 0))
      and (:seller::text is null or e.seller = :seller) and (:sellers::text[] is null or e.seller = any(:sellers))
    order by booked_on desc, entry_id desc limit :at_most::bigint
) latest order by booked_on, entry_id;

-- name: today(seller)$
-- The seller's day.
select seller_day(:seller, moment());

-- name: first_day(seller)$
select min(booked_on) from journal_entry where seller = :seller;

-- name: close(seller, through, who)!
insert into closing (seller, through, who) values (:seller, :through, :who)
on conflict (seller, through) do nothing;

-- name: closings(seller)
select seller, through, closed_at, who from closing where seller = :seller order by through;
