-- The figures of days, as pages and reports show them.

-- name: todays(sellers)
-- Each seller's day now, and when it was counted last. Null: of all of them.
select s.seller, here.today, c.counted_at, extract(hour from c.counted_at at time zone s.time_zone)::int as hour
from seller s cross join lateral (select (moment() at time zone s.time_zone)::date as today) here
left join day_count c on (c.seller, c.day) = (s.seller, here.today) and c.counted_at > '-infinity'
where :sellers::text[] is null or s.seller = any(:sellers)
order by s.seller;

-- name: counted(sellers, first, last)
-- Days that were counted for each of these sellers that has them on its list; null: of all.
select c.day from day_count c join seller s using (seller)
where (:sellers::text[] is null or seller = any(:sellers)) and c.day between :first::date and :last::date
group by c.day having bool_and(c.counted_at > '-infinity') order by c.day;

-- name: not_counted(sellers, day)
-- Those that have this day on their list, and no figures of it yet.
select c.seller from day_count c join seller s using (seller)
where (:sellers::text[] is null or seller = any(:sellers)) and c.day = :day::date and c.counted_at = '-infinity'
order by c.seller;

-- name: by_day(sellers, channels, first, last)
-- Each figure of each day, by channel and part, but for hours, which are added up. Null: of all sellers, of all
-- channels and of none. Stock is of no channel, and always told.
select day, figure, channel, case when figure = 'orders' then '' else part end as part, sum(value)::bigint as value
from day_figure join seller using (seller)
where (:sellers::text[] is null or seller = any(:sellers))
  and day between :first::date and :last::date
  and (:channels::text[] is null or channel = any(:channels) or figure in ('stock_out', 'stock_low', 'runs_out'))
group by day, figure, channel, 4;

-- name: by_hour(sellers, channels, days)
-- Orders of each hour of these days, by each seller's clock.
select day, seller, part::int as hour, sum(value)::bigint as value
from day_figure join seller using (seller)
where (:sellers::text[] is null or seller = any(:sellers)) and day = any(:days::date[])
  and figure = 'orders' and (:channels::text[] is null or channel = any(:channels))
group by day, seller, part;

-- name: sellers_of_result(sellers, channels, currency, day)
-- Those with a result in this currency, the largest first.
select seller from day_figure join seller using (seller)
where (:sellers::text[] is null or seller = any(:sellers)) and day = :day::date and figure = 'result' and part = :currency
  and (:channels::text[] is null or channel = any(:channels))
group by seller order by abs(sum(value)) desc, seller;

-- name: tasks(first, last)
-- How many waited for a person at the end of each day, of all sellers and of none.
select day, value from day_figure
where seller = '' and figure = 'tasks' and day between :first::date and :last::date;

-- name: waits(first)
-- The most that waited in each hour since then.
select figure, (day + make_interval(hours => part::int)) at time zone 'UTC' as hour, value
from day_figure
where seller = '' and figure = any(array['reports_wait', 'starts_wait', 'mails_wait', 'events_wait', 'backlog',
                                         'backlog_wait'])
  and day >= (:first::timestamptz at time zone 'UTC')::date
  and (day + make_interval(hours => part::int)) at time zone 'UTC' > :first;

-- name: late(sellers, channels, what, after_day, after_id, at_most)
-- Parcels that are to leave today (`leave_today`), have not left in time (`leave_late`), or are under way and late
-- (`arrive_late`), by the day at their location; the longest first. Behind one with a day and an id.
select * from (
    select o.order_id, f.fulfilment_id, o.channel, f.location, f.state, f.promised_leave, f.promised_on,
           null::timestamptz as at
    from fulfilment f join location l using (location) join customer_order o using (order_no)
    cross join lateral (select location_day(l.calendar) as today) here
    where f.state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
      and f.promised_leave < transaction_moment()::date + 2
      and not (f.handling = 'pick_up' and f.state = 'labelled')
      and case :what::text when 'leave_today' then f.state <> 'shipped' and f.promised_leave = here.today
               when 'leave_late' then f.state <> 'shipped' and f.promised_leave < here.today
               else f.state = 'shipped' and f.promised_on < here.today end
      and (:sellers::text[] is null or o.seller = any(:sellers))
      and (:channels::text[] is null or o.channel = any(:channels))
) late
where :after_day::date is null or (promised_leave, fulfilment_id) > (:after_day, :after_id::text)
order by promised_leave, fulfilment_id limit :at_most;

-- name: parcels(sellers, channels, what, day, after_at, after_id, at_most)
-- Parcels that were handed over on a seller's day (`shipped`), or that their carriers said are delivered; those that
-- were late alone (`shipped_late`, `delivered_late`). By their moments, behind one of them.
with of_day as (
    select s.seller, :day::date::timestamp at time zone s.time_zone as first,
           (:day::date + 1)::timestamp at time zone s.time_zone as after
    from seller s where :sellers::text[] is null or s.seller = any(:sellers)
), moved as (
    -- The day's rows in their sequence. All else is looked up one by one, until a page is full.
    select d.seller, p.order_no, p.fulfilment_id, '' as event_id, p.handed_over_at as at, p.handed_over_at as said_at
    from of_day d join shipment p on p.handed_over_at >= d.first and p.handed_over_at < d.after
    where :what::text like 'shipped%'
    union all
    select d.seller, e.order_no, e.fulfilment_id, e.event_id, e.received_at, e.happened_at
    from of_day d join carrier_event e on e.received_at >= d.first and e.received_at < d.after
    where :what like 'delivered%' and e.status = 'delivered'
)
select o.order_id, m.fulfilment_id, o.channel, f.location, f.state, f.promised_leave, f.promised_on, m.at
from (select * from moved where :after_at::timestamptz is null or (at, fulfilment_id) > (:after_at, :after_id::text)
      order by at, fulfilment_id) m
cross join lateral (
    select f.location, f.state, f.promised_leave, f.promised_on
    from fulfilment f join location l using (location)
    cross join lateral (select (m.said_at at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date as day) here
    where f.order_no = m.order_no and f.fulfilment_id = m.fulfilment_id
      and case :what when 'shipped_late' then f.handling <> 'pick_up' and f.promised_leave < here.day
               when 'delivered_late' then f.promised_on < here.day else true end
    limit 1
) f
cross join lateral (
    select o.order_id, o.channel from customer_order o
    where o.order_no = m.order_no and o.seller = m.seller and (:channels::text[] is null or o.channel = any(:channels))
      and not exists (
          select from carrier_event b
          where (b.order_no, b.fulfilment_id) = (m.order_no, m.fulfilment_id) and b.status = 'delivered'
            and m.event_id <> '' and (b.received_at, b.event_id) < (m.at, m.event_id))
    limit 1
) o
order by m.at, m.fulfilment_id limit :at_most;

-- name: payments(sellers, channels, kind, currency, day, after_at, after_key, at_most)
-- What was authorized, captured or refunded on a seller's day, but for exchanges: by their moments, behind one of them.
-- Null: in every currency.
with recursive company (provider) as (
    (select provider from payment_operation where state = 'succeeded' order by provider limit 1)
    union all
    select (select p.provider from payment_operation p where p.state = 'succeeded' and p.provider > company.provider
            order by p.provider limit 1)
    from company where company.provider is not null
), of_day as (
    select s.seller, :day::date::timestamp at time zone s.time_zone as first,
           (:day::date + 1)::timestamp at time zone s.time_zone as after
    from seller s where :sellers::text[] is null or s.seller = any(:sellers)
)
select found.order_id, found.channel, p.payment_key, p.provider, p.amount_minor, p.currency, p.settled_at
from (select d.seller, p.* from of_day d cross join company
      join payment_operation p on p.provider = company.provider and p.state = 'succeeded'
          and p.settled_at >= d.first and p.settled_at < d.after
      where p.kind = :kind and (:currency::text is null or p.currency = :currency) and p.provider <> 'exchange'
        and p.amount_minor > 0
        and (:after_at::timestamptz is null or (p.settled_at, p.payment_key) > (:after_at, :after_key::text))
      order by p.settled_at, p.payment_key) p
cross join lateral (
    select o.order_id, o.channel from customer_order o
    where o.order_no = p.order_no and o.seller = p.seller and (:channels::text[] is null or o.channel = any(:channels))
    limit 1
) found
order by p.settled_at, p.payment_key limit :at_most;

-- name: standing(figures)
-- How much there was when today was counted last: of all sellers, and tasks of all and of nobody.
select f.figure, sum(f.value)::bigint as value
from (select seller, time_zone from seller union all select '', 'UTC') s
join day_count c on (c.seller, c.day) = (s.seller, (moment() at time zone s.time_zone)::date)
join day_figure f on (f.seller, f.day) = (c.seller, c.day)
where f.figure = any(:figures::text[]) and (f.figure = 'tasks') = (s.seller = '')
group by f.figure;

-- name: age()$
-- Seconds since the seller who was counted longest ago was counted; null: one never was.
select extract(epoch from moment() - min(c.counted_at))::bigint
from seller s left join day_count c on (c.seller, c.day) = (s.seller, (moment() at time zone s.time_zone)::date)
having bool_and(c.counted_at > '-infinity');
