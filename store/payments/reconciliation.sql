-- Days of payment companies compared with our records, and their differences.

-- name: ours(provider, keys, since, before)
-- Our operations with these keys, those recorded as done in a span of time, and those open since.
-- Of a refund that was made elsewhere, all parts.
with wanted as (
    select order_no, payment_key from payment
    where payment_key = any(:keys::text[])
      and order_no = any(array(select order_no_of(key) from unnest(:keys::text[]) as key))
    union
    select order_no, payment_key from payment
    where provider = :provider and state = 'succeeded'
      and settled_at >= :since and settled_at < :before
    union
    select order_no, payment_key from payment
    where provider = :provider and state in ('requested', 'unknown')
      and requested_at >= :since and requested_at < :before
), whole as (
    select order_no, payment_key from wanted
    union
    select p.order_no, p.payment_key
    from wanted w join payment p using (order_no)
    where strpos(w.payment_key, ':elsewhere:') > 0
      and starts_with(p.payment_key, split_part(w.payment_key, '/', 1))
)
select payment_key as key, provider, order_id, kind, amount_minor, currency, state, code, reference,
       requested_at, settled_at,
       case kind when 'void' then (
           select coalesce(sum(h.amount_minor), 0)::bigint from payment h
           where h.order_no = p.order_no and h.kind = 'capture' and h.provider = 'by_hand'
             and h.state = 'succeeded') else 0 end as by_hand_minor
from whole join payment p using (order_no, payment_key)
order by payment_key;

-- name: known_refunds(provider, refs)
-- Refunds that were made elsewhere and are on record, by the company's names for them.
select distinct reference, split_part(payment_key, '/', 1) as key, order_id from payment
where provider = :provider and reference = any(:refs::text[]) and kind = 'refund'
  and strpos(payment_key, ':elsewhere:') > 0;

-- name: known_authorizations(provider, refs)
-- The orders of authorizations, and of charges, by the company's names for them.
select distinct reference, order_id from payment
where provider = :provider and reference = any(:refs::text[]) and kind in ('authorize', 'capture');

-- name: save_day(provider, day, listed, matched, under_way)!
-- Locks the day: a second comparison at the same time waits here.
insert into reconciliation (provider, day, listed, matched, under_way, state)
values (:provider, :day, :listed, :matched, :under_way, 'clean')
on conflict (provider, day) do update
set ran_at = moment(), runs = reconciliation.runs + 1, listed = excluded.listed,
    matched = excluded.matched, under_way = excluded.under_way;

-- name: save_differences(provider, day, subjects, classes, order_ids, whys, remedies, ours, theirs)!
-- New → open; resolved → open if it differs from the resolved one; an open one is updated.
insert into reconciliation_difference as d
    (provider, day, subject, class, order_id, why, remedy, ours, theirs)
select :provider, :day, subject, class, nullif(order_id, ''), why, remedy, ours, theirs
from unnest(:subjects::text[], :classes::text[], :order_ids::text[], :whys::text[],
            :remedies::text[], :ours::jsonb[], :theirs::jsonb[])
    as f (subject, class, order_id, why, remedy, ours, theirs)
on conflict (provider, day, subject, class) do update
set order_id = excluded.order_id, why = excluded.why, remedy = excluded.remedy,
    ours = excluded.ours, theirs = excluded.theirs, note = null, who = null,
    resolution = 'open', closed_at = null
where d.resolution <> 'resolved'
   or (d.ours, d.theirs) is distinct from (excluded.ours, excluded.theirs);

-- name: close_gone(provider, day, subjects, classes, note, who)!
-- Open → mended: it was not found any more.
update reconciliation_difference
set resolution = 'mended', note = nullif(:note, ''), who = :who, closed_at = moment()
where provider = :provider and day = :day and resolution = 'open'
  and (subject, class) not in (select * from unnest(:subjects::text[], :classes::text[]));

-- name: settle_day(provider, day)!
-- clean or open, by its differences.
update reconciliation r
set state = case when exists (
    select from reconciliation_difference d
    where d.provider = r.provider and d.day = r.day and d.resolution = 'open')
    then 'open' else 'clean' end
where provider = :provider and day = :day;

-- name: close_difference(difference_id, resolution, note, who)^
-- Open → mended or resolved. No row if it was not open.
update reconciliation_difference
set resolution = :resolution, note = nullif(:note, ''), who = :who, closed_at = moment()
where difference_id = :difference_id and resolution = 'open'
returning provider, day;

-- name: hand_over(difference_id, note)!
-- Its rule cannot mend it: a person has to.
update reconciliation_difference set remedy = 'operator', note = nullif(:note, '')
where difference_id = :difference_id and resolution = 'open';

-- name: difference(difference_id)^
select difference_id, provider, day, subject, class, coalesce(order_id, '') as order_id, why, remedy,
       ours, theirs, resolution, coalesce(note, '') as note, coalesce(who, '') as who, found_at,
       closed_at
from reconciliation_difference where difference_id = :difference_id;

-- name: differences(provider, day, only_open, sellers, after_day, after_provider, after_subject, after_class, at_most)
-- The newest day first. Of orders of these sellers (null: of all, and of no order), behind the one of this day,
-- company, subject and class.
select d.difference_id, d.provider, d.day, d.subject, d.class, coalesce(d.order_id, '') as order_id, d.why,
       d.remedy, d.ours, d.theirs, d.resolution, coalesce(d.note, '') as note, coalesce(d.who, '') as who,
       d.found_at, d.closed_at
from reconciliation_difference d
where (:provider::text is null or d.provider = :provider) and (:day::date is null or d.day = :day)
  and (not :only_open or d.resolution = 'open')
  and (:sellers::text[] is null
       or exists (select from customer_order o where o.order_id = d.order_id and o.seller = any(:sellers)))
  and (:after_day::date is null or d.day < :after_day
       or d.day = :after_day and (d.provider, d.subject, d.class)
                                 > (:after_provider::text, :after_subject::text, :after_class::text))
order by d.day desc, d.provider, d.subject, d.class
limit :at_most;

-- name: count_open(provider, day)$
select count(*) from reconciliation_difference
where provider = :provider and day = :day and resolution = 'open';

-- name: booked(effects, order_ids)
-- Of the entries of these orders, and of those of no order: there, fees were booked before.
select effect from journal_entry where order_no is null and effect = any(:effects::text[])
union all
select e.effect from customer_order o join journal_entry e using (order_no)
where o.order_id = any(:order_ids::text[]) and e.effect = any(:effects::text[]);

-- name: known(order_ids)
select order_id from customer_order where order_id = any(:order_ids::text[]);

-- name: days(provider, day, after_day, after_provider, at_most)
-- The newest first, behind this day of this company.
select provider, day, ran_at, runs, listed, matched, under_way, state from reconciliation
where (:day::date is null or day = :day) and (:provider::text is null or provider = :provider)
  and (:after_day::date is null or day < :after_day or day = :after_day and provider > :after_provider::text)
order by day desc, provider limit :at_most::bigint;

-- name: parked_steps(provider, day)
-- The waiting steps of orders that would mend a difference.
select d.difference_id, a.step
from reconciliation_difference d
join attention a on a.order_no = order_no_of(d.order_id) and a.resolved_at is null
where d.provider = :provider and d.day = :day and d.resolution = 'open' and d.remedy = 'retry'
order by d.difference_id, a.step;

-- name: days_due(provider, today, look_back)
-- Days before today that were never compared after their end, from the first payment on, and days
-- with an open difference or an operation that was under way.
with first as (
    select min(requested_at at time zone 'UTC')::date as day from payment where provider = :provider
)
select g.day::date as day
from first, generate_series(
    greatest(first.day, :today::date - :look_back::int), :today::date - 1, interval '1 day'
) as g (day)
left join reconciliation r on r.provider = :provider and r.day = g.day::date
where first.day is not null
  and (r.state is distinct from 'clean' or r.under_way > 0
       or (r.ran_at at time zone 'UTC')::date <= r.day)
order by 1;
