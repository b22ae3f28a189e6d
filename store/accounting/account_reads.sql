-- The journal by account.

-- name: entries_of_account(seller, account, currency, first, last, before_day, before_entry, looked_at_most, at_most)
-- The latest on an account (null: on any) in a currency (null: in any) among so many entries of the seller: most
-- entries are of others, and no index knows which.
select e.entry_id, e.seller, e.effect, o.order_id, e.memo, e.counterpart, e.at, e.booked_on,
       (select jsonb_agg(jsonb_build_object(
            'account', account, 'amount_minor', amount_minor, 'currency', currency)
            order by currency, amount_minor < 0, account)
        from posting p where p.entry_id = e.entry_id) as postings
from (
    select * from journal_entry
    where seller = :seller
      and booked_on >= coalesce(:first::date, '-infinity') and booked_on <= coalesce(:last::date, 'infinity')
      and (booked_on, entry_id) < (coalesce(:before_day::date, 'infinity'), coalesce(:before_entry::bigint, 0))
    order by booked_on desc, entry_id desc limit :looked_at_most::bigint
) e
left join customer_order o using (order_no)
where exists (
    select from posting p
    where p.entry_id = e.entry_id and (:account::text is null or p.account = :account)
      and (:currency::text is null or p.currency = :currency))
order by e.booked_on desc, e.entry_id desc limit :at_most::bigint;

-- name: looked_to(seller, first, last, before_day, before_entry, looked_at_most)^
-- The last of so many entries; none: there are fewer.
select booked_on, entry_id from journal_entry
where seller = :seller
  and booked_on >= coalesce(:first::date, '-infinity') and booked_on <= coalesce(:last::date, 'infinity')
  and (booked_on, entry_id) < (coalesce(:before_day::date, 'infinity'), coalesce(:before_entry::bigint, 0))
order by booked_on desc, entry_id desc offset :looked_at_most::bigint - 1 limit 1;

-- name: moved(seller, after, through)
-- Of each account, what the entries of some days have put on both of its sides; null: from the first day on. Entries
-- of days that are added up are not added up again; of the few others the postings are looked up one by one.
with rest as (
    select greatest(:after::date, coalesce((select max(day) from book_day where seller = :seller), '-infinity')) as after
)
select account, currency, sum(debit_minor)::bigint as debit_minor, sum(credit_minor)::bigint as credit_minor
from (
    select account, currency, debit_minor, credit_minor from book_day_account
    where seller = :seller and day > coalesce(:after::date, '-infinity') and day <= :through
    union all
    select p.account, p.currency, greatest(p.amount_minor, 0), greatest(-p.amount_minor, 0)
    from rest join journal_entry e on e.booked_on > rest.after
    cross join lateral (select * from posting p where p.entry_id = e.entry_id offset 0) p
    where e.seller = :seller and e.booked_on <= :through
) every
group by account, currency
order by currency, account;

-- name: entries_between(seller, after, through)$
select (
    select coalesce(sum(entries), 0) from book_day
    where seller = :seller and day > coalesce(:after::date, '-infinity') and day <= :through
)::bigint + (
    select count(*) from journal_entry
    where seller = :seller and booked_on <= :through and booked_on > greatest(
        :after::date, coalesce((select max(day) from book_day where seller = :seller), '-infinity'))
);
