-- What waits in the database for a worker, and for how long: the first rows of indexes.

-- name: waits()^
-- Seconds since the oldest one was due; 0: nothing waits.
select coalesce(extract(epoch from moment() - (
           select min(try_after) from wait_report
           where outcome is not null and delivered_at is null and try_after <= moment())), 0)::bigint as reports_wait,
       coalesce(extract(epoch from moment() - (
           select min(start_after) from order_to_start where start_after <= moment())), 0)::bigint as starts_wait,
       coalesce(extract(epoch from moment() - (
           select min(next_at) from message
           where state in ('planned', 'sending') and next_at <= moment())), 0)::bigint as mails_wait,
       coalesce(extract(epoch from moment() - (
           select min(next_one.at) from event_subscription s
           cross join lateral (
               select at from event_out e where e.position > s.cursor order by e.position limit 1) next_one
           where s.state = 'active')), 0)::bigint as events_wait;

-- name: sizes(at_most)^
-- How many there are, so many at most.
select (select count(*) from (select from wait_report where outcome is not null and delivered_at is null
                                and try_after <= moment() limit :at_most::bigint) r) as reports,
       (select count(*) from (select from order_to_start limit :at_most::bigint) s) as starts,
       (select count(*) from (select from message where state in ('planned', 'sending') limit :at_most::bigint) m) as mails,
       (select count(*) from (select from event_delivery where state in ('retrying', 'waiting')
                              limit :at_most::bigint) d) as deliveries,
       (select count(*) from (select from order_in_state where state in ('received', 'held', 'confirmed', 'in_fulfilment')
                              limit :at_most::bigint) o) as open_orders;

-- name: ask()$
-- The shortest question that there is.
select 1;
