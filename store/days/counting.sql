-- Counting days. `first` and `after`: the moments at which a seller's day begins, and the next one.

-- name: add_days(back)!
-- Days that are not on the list yet: today's and so many before it, of each seller and of all together ('').
insert into day_count (seller, day)
select zone.seller, begun.day::date
from (select seller, time_zone from seller union all select '', 'UTC') zone
cross join lateral (select (moment() at time zone zone.time_zone)::date as today) here
cross join lateral generate_series(here.today - :back::int, here.today, interval '1 day') begun (day)
where not exists (select from day_count c where (c.seller, c.day) = (zone.seller, here.today))
on conflict (seller, day) do nothing;

-- name: due(back, sellers, days)^
-- A day that is to be counted, locked, or none: today's once a minute, but for a twentieth of the time at most; an
-- earlier one at once if it never was, so that none of its seller's orders is missing in the sums of a day that goes on
-- elsewhere; an hour after its end, and once more after three days, because some say late when a parcel left. Where
-- its seller goes by another clock now, so many of them, so that no hour lies between two days or in both. Of days
-- that another one counts, none; nor one of `days`, each of the seller at its place.
select c.seller, c.day, zone.time_zone, c.day = here.today as is_today,
       c.day::timestamp at time zone zone.time_zone as first,
       (c.day + 1)::timestamp at time zone zone.time_zone as after
from day_count c
join (select seller, time_zone from seller union all select '', 'UTC') zone using (seller)
cross join lateral (select (moment() at time zone zone.time_zone)::date as today) here
cross join lateral (select (c.day + 1)::timestamp at time zone zone.time_zone as at) ended
where case when c.day = here.today
               then c.counted_at < moment() - greatest(interval '1 minute', c.took_ms * interval '20 milliseconds')
           else c.counted_at = '-infinity' or exists (
               select from unnest(array[interval '1 hour', interval '3 days']) as later
               where c.counted_at < ended.at + later and ended.at + later <= moment())
               or c.time_zone <> zone.time_zone and c.day between here.today - :back::int and here.today end
  and not exists (
      select from unnest(:sellers::text[], :days::date[]) as w (seller, day) where (w.seller, w.day) = (c.seller, c.day))
order by c.day desc, c.seller limit 1 for update of c skip locked;

-- name: one(seller, day)^
-- This day, locked, whenever it was counted last.
select c.seller, c.day, zone.time_zone, c.day = here.today as is_today,
       c.day::timestamp at time zone zone.time_zone as first,
       (c.day + 1)::timestamp at time zone zone.time_zone as after
from day_count c
join (select seller, time_zone from seller union all select '', 'UTC') zone using (seller)
cross join lateral (select (moment() at time zone zone.time_zone)::date as today) here
where (c.seller, c.day) = (:seller, :day::date) for update of c;

-- name: add_day(seller, day)!
insert into day_count (seller, day) values (:seller, :day) on conflict (seller, day) do nothing;

-- name: whole_days(seller, max_back, at_most, salt)
-- Some of the days that were counted after their end, by the clock of then; another salt finds others. They are not
-- locked.
select c.seller, c.day, c.time_zone, false as is_today, c.day::timestamp at time zone c.time_zone as first, ended.at as after
from day_count c cross join lateral (select (c.day + 1)::timestamp at time zone c.time_zone as at) ended
where c.seller = :seller and c.day > (moment() at time zone c.time_zone)::date - :max_back::int
  and c.counted_at >= ended.at + interval '1 hour'
order by md5(c.day || :salt::text) limit :at_most;

-- name: flows(seller, time_zone, first, after)
-- What happened on a day, but for the books. What somebody changed later counts as it was.
with recursive company (provider) as (
    (select provider from payment_operation where state = 'succeeded' order by provider limit 1)
    union all
    select (select p.provider from payment_operation p where p.state = 'succeeded' and p.provider > company.provider
            order by p.provider limit 1)
    from company where company.provider is not null
), taken as (
    select o.channel, o.currency, coalesce(v.total_minor, o.total_minor) as total_minor,
           to_char(o.received_at at time zone :time_zone::text, 'HH24') as hour
    from customer_order o left join order_version v on v.order_no = o.order_no and v.version = 1
    where o.received_at >= :first::timestamptz and o.received_at < :after::timestamptz and o.seller = :seller
), gone as (
    select o.channel, f.handling <> 'pick_up' and f.promised_leave < (s.handed_over_at at time zone
               coalesce(l.calendar ->> 'time_zone', 'UTC'))::date as is_late
    from shipment s join fulfilment f using (order_no, fulfilment_id) join location l using (location)
    join customer_order o using (order_no)
    where s.handed_over_at >= :first::timestamptz and s.handed_over_at < :after::timestamptz and o.seller = :seller
), arrived as (
    select o.channel, f.promised_on < (e.happened_at at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date
               as is_late
    from carrier_event e join fulfilment f using (order_no, fulfilment_id) join location l using (location)
    join customer_order o using (order_no)
    where e.received_at >= :first::timestamptz and e.received_at < :after::timestamptz and e.status = 'delivered'
      and o.seller = :seller
      and not exists (
          select from carrier_event b
          where (b.order_no, b.fulfilment_id) = (e.order_no, e.fulfilment_id) and b.status = 'delivered'
            and (b.received_at, b.event_id) < (e.received_at, e.event_id))
)
select 'orders' as figure, channel, hour as part, count(*) as value from taken group by channel, hour
union all
select 'worth', channel, currency, sum(total_minor)::bigint from taken group by channel, currency
union all
select 'shipped', channel, '', count(*) from gone group by channel
union all
select 'shipped_late', channel, '', count(*) from gone where is_late group by channel
union all
select 'delivered', channel, '', count(*) from arrived group by channel
union all
select 'delivered_late', channel, '', count(*) from arrived where is_late group by channel
union all
-- What an exchange pays for another order is no money that came or went.
select case p.kind when 'authorize' then 'authorized' when 'capture' then 'charged' else 'refunded' end,
       o.channel, p.currency, sum(p.amount_minor)::bigint
from company join payment_operation p on p.provider = company.provider join customer_order o using (order_no)
where p.state = 'succeeded' and p.kind <> 'void' and p.provider <> 'exchange' and p.amount_minor > 0
  and p.settled_at >= :first::timestamptz and p.settled_at < :after::timestamptz and o.seller = :seller
group by 1, 2, 3;

-- name: booked(seller, day, accounts)
-- What the books of a day come to, of each channel ('': of no order): above zero is earned.
select 'result' as figure, coalesce(o.channel, '') as channel, p.currency as part, -sum(p.amount_minor)::bigint as value
from journal_entry e join posting p using (entry_id) left join customer_order o using (order_no)
where e.seller = :seller and e.booked_on = :day::date and p.account = any(:accounts::text[])
group by 2, 3;

-- name: losses(seller, day, accounts, sold, refunds, cost)
-- The orders that lost money on a day, the worst first, with all that was booked for them by then.
with lowered as (
    select e.order_no, p.currency, -sum(p.amount_minor)::bigint as day_minor
    from journal_entry e join posting p using (entry_id)
    where e.seller = :seller and e.booked_on = :day::date and e.order_no is not null
      and p.account = any(:accounts::text[])
    group by e.order_no, p.currency having sum(p.amount_minor) > 0
)
select l.order_no, o.channel, l.currency, l.day_minor, whole.*
from lowered l join customer_order o using (order_no)
cross join lateral (
    select coalesce(-sum(p.amount_minor) filter (where p.account = any(:sold::text[])), 0)::bigint as sold_minor,
           coalesce(sum(p.amount_minor) filter (where p.account = any(:refunds::text[])), 0)::bigint as refunds_minor,
           coalesce(sum(p.amount_minor) filter (where p.account = any(:cost::text[])), 0)::bigint as cost_minor,
           coalesce(sum(p.amount_minor) filter (where p.account <> all(
               :sold::text[] || :refunds::text[] || :cost::text[])), 0)::bigint as others_minor
    from journal_entry e join posting p using (entry_id)
    where e.order_no = l.order_no and e.seller = :seller and e.booked_on <= :day::date and p.currency = l.currency
      and p.account = any(:accounts::text[])
) whole
-- An order is judged in the currency that it was sold in: nothing is converted.
where l.currency = o.currency and sold_minor - refunds_minor - cost_minor - others_minor < 0
order by sold_minor - refunds_minor - cost_minor - others_minor, l.order_no;

-- name: keep_losses(seller, day, order_nos, channels, currencies, days_minor, sold, refunds, cost, others)!
-- The day's list, in the place of the one before.
with wanted as (
    select * from unnest(:order_nos::bigint[], :channels::text[], :currencies::text[], :days_minor::bigint[],
                         :sold::bigint[], :refunds::bigint[], :cost::bigint[], :others::bigint[])
        as w (order_no, channel, currency, day_minor, sold_minor, refunds_minor, cost_minor, others_minor)
), over as (
    delete from day_loss d where d.seller = :seller and d.day = :day::date
      and not exists (select from wanted w where (w.order_no, w.currency) = (d.order_no, d.currency::text))
)
insert into day_loss as d (seller, day, order_no, channel, currency, day_minor, sold_minor, refunds_minor, cost_minor,
                           others_minor)
select :seller, :day::date, * from wanted
on conflict (seller, day, order_no, currency) do update
set day_minor = excluded.day_minor, sold_minor = excluded.sold_minor, refunds_minor = excluded.refunds_minor,
    cost_minor = excluded.cost_minor, others_minor = excluded.others_minor
where (d.day_minor, d.sold_minor, d.refunds_minor, d.cost_minor, d.others_minor) is distinct from
      (excluded.day_minor, excluded.sold_minor, excluded.refunds_minor, excluded.cost_minor, excluded.others_minor);

-- name: standings(seller)
-- How much there is now, but for stock.
with promised as (
    select o.channel, f.state <> 'shipped' and f.promised_leave = here.today as leaves_today,
           f.state <> 'shipped' and f.promised_leave < here.today as leaves_late,
           f.state = 'shipped' and f.promised_on < here.today as arrives_late
    from fulfilment f join location l using (location) join customer_order o using (order_no)
    cross join lateral (select location_day(l.calendar) as today) here
    where f.state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
      and f.promised_leave < transaction_moment()::date + 2
      and not (f.handling = 'pick_up' and f.state = 'labelled') and o.seller = :seller
)
select 'leave_today' as figure, channel, '' as part, count(*) as value from promised where leaves_today group by channel
union all
select 'leave_late', channel, '', count(*) from promised where leaves_late group by channel
union all
select 'arrive_late', channel, '', count(*) from promised where arrives_late group by channel
union all
select 'open_orders', o.channel, s.state, count(*)
from order_in_state s join customer_order o using (order_no)
where s.state in ('received', 'held', 'confirmed', 'in_fulfilment') and o.seller = :seller
group by o.channel, s.state
union all
select 'owed_back', o.channel, r.currency, sum(r.amount_minor - r.issued_minor + r.came_back_minor)::bigint
from refund r join customer_order o using (order_no)
where r.issued_minor - r.came_back_minor < r.amount_minor and o.seller = :seller
group by o.channel, r.currency;

-- name: places(seller)
-- Where a seller's goods lie.
select location from location where seller = :seller and retired_at is null order by location;

-- name: keep(seller, day, counted, figures, channels, parts, values)!
-- The figures of a day that were counted now, in the place of those before.
with wanted as (
    select * from unnest(:figures::text[], :channels::text[], :parts::text[], :values::bigint[])
        as w (figure, channel, part, value)
), over as (
    delete from day_figure d
    where d.seller = :seller and d.day = :day::date and d.figure = any(:counted::text[])
      and not exists (select from wanted w where (w.figure, w.channel, w.part) = (d.figure, d.channel, d.part))
)
insert into day_figure as d (seller, day, figure, channel, part, value)
select :seller, :day::date, * from wanted
on conflict (seller, day, figure, channel, part) do update set value = excluded.value
where d.value <> excluded.value;

-- name: keep_most(figures, values)!
-- The most of this hour, of what waits.
insert into day_figure as d (seller, day, figure, channel, part, value)
select '', (moment() at time zone 'UTC')::date, w.figure, '', to_char(moment() at time zone 'UTC', 'HH24'), w.value
from unnest(:figures::text[], :values::bigint[]) as w (figure, value)
on conflict (seller, day, figure, channel, part) do update set value = excluded.value
where d.value < excluded.value;

-- name: counted(seller, day, time_zone, took_ms)!
-- Not counted → counted now.
update day_count set counted_at = moment(), time_zone = :time_zone, took_ms = :took_ms
where (seller, day) = (:seller, :day::date);

-- name: kept(seller, day, figures)
select figure, channel, part, value from day_figure
where seller = :seller and day = :day::date and figure = any(:figures::text[]);

-- name: forget(kept_days)!
-- Days that are so old go, with their figures.
with old as (
    delete from day_count where day < moment()::date - :kept_days::int returning seller, day
), figures as (
    delete from day_figure d using old where (d.seller, d.day) = (old.seller, old.day)
)
delete from day_loss d using old where (d.seller, d.day) = (old.seller, old.day);
