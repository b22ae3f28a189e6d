-- The figures of days, as pages and reports show them.

-- name: todays(sellers)
-- Each seller's day now, and when it was counted last. Null: of all of them.
select s.seller, here.today, c.counted_at
from seller s cross join lateral (select (moment() at time zone s.time_zone)::date as today) here
left join day_count c on (c.seller, c.day) = (s.seller, here.today) and c.counted_at > '-infinity'
where :sellers::text[] is null or s.seller = any(:sellers)
order by s.seller;

-- name: counted(sellers, first, last)
-- Days that were counted for each of these sellers; null: of all.
select day from day_count
where seller <> '' and (:sellers::text[] is null or seller = any(:sellers))
  and day between :first::date and :last::date and counted_at > '-infinity'
group by day order by day;

-- name: by_day(sellers, channels, first, last)
-- Each figure of each day, by channel and part, but for hours, which are added up. Null: of all sellers, of all
-- channels and of none.
select day, figure, channel, case when figure = 'orders' then '' else part end as part, sum(value)::bigint as value
from day_figure
where seller <> '' and (:sellers::text[] is null or seller = any(:sellers))
  and day between :first::date and :last::date and (:channels::text[] is null or channel = any(:channels))
group by day, figure, channel, 4;

-- name: by_hour(sellers, channels, days)
-- Orders of each hour of these days.
select day, part::int as hour, sum(value)::bigint as value
from day_figure
where seller <> '' and (:sellers::text[] is null or seller = any(:sellers)) and day = any(:days::date[])
  and figure = 'orders' and (:channels::text[] is null or channel = any(:channels))
group by day, part;

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

-- name: losses(sellers, channels, day, at_most)
-- Orders that lost money on the day, the worst first, and why: refunds of the day, claims, and disputes.
select d.seller, o.order_id, d.channel, d.currency, d.day_minor, d.sold_minor, d.refunds_minor, d.cost_minor,
       d.others_minor, d.result_minor,
       array(select distinct r.kind from refund r where r.order_no = d.order_no
             and seller_day(d.seller, r.granted_at) = d.day order by r.kind) as refunds,
       array(select distinct r.reason from refund r where r.order_no = d.order_no
             and seller_day(d.seller, r.granted_at) = d.day order by r.reason) as reasons,
       array(select distinct c.kind from claim c where c.order_no = d.order_no
             and c.decision <> 'refused' order by c.kind) as claims,
       exists (select from dispute b where b.order_no = d.order_no and b.state = 'lost') as disputed
from day_loss d join customer_order o using (order_no)
where d.day = :day::date and (:sellers::text[] is null or d.seller = any(:sellers))
  and (:channels::text[] is null or d.channel = any(:channels))
order by d.result_minor, o.order_id limit :at_most;

-- name: late(sellers, channels, what, after_day, after_id, at_most)
-- Parcels that are to leave today (`leave_today`), have not left in time (`leave_late`), or are under way and late
-- (`arrive_late`), by the day at their location; the longest first. Behind one with a day and an id.
select * from (
    select o.order_id, f.fulfilment_id, o.channel, f.location, f.state, f.promised_leave, f.promised_on
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
