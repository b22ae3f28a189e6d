-- The sequence of events. Its functions stand in schema/routines/notifications.sql.

-- name: advance(words, types, whats, types_of, at_most, unread)^
select given, more from events_sequenced(:words::text[], :types::text[], :whats::text[], :types_of::text[],
                                        :at_most, :unread);

-- name: wanted()$
select events_wanted();

-- name: wanted_of_customers()$
select customers_wanted();

-- name: forget(kept_for, batch)
-- The first ones, where they are old, but not those that a subscription which is active has still to look at.
delete from event_out where position in (
    select position from (select position, at from event_out order by position limit :batch) first
    where at < moment() - :kept_for::interval
      and position <= coalesce((select min(cursor) from event_subscription where state = 'active'),
                               9223372036854775807))
returning position;
