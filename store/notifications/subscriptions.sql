-- Who is told of which events.

-- name: find(subscription_id)
-- One subscription, or all of them.
select s.subscription_id, url, types, channels, sellers, description, s.state, why, made_by, made_at,
       cardinality(secrets) as secrets, cursor as position, failing_since,
       case when rest_until > moment() then rest_until end as rests_until,
       (select count(*) from event_delivery d
        where d.subscription_id = s.subscription_id and d.state not in ('dead', 'test')) as retried,
       (select count(*) from event_delivery d
        where d.subscription_id = s.subscription_id and d.state = 'dead') as dead
from event_subscription s
where :subscription_id::text is null or s.subscription_id = :subscription_id
order by made_at, s.subscription_id;

-- name: add(subscription_id, url, types, channels, sellers, description, secret, made_by)!
-- It is told of what comes from now on.
insert into event_subscription
    (subscription_id, url, types, channels, sellers, description, secrets, made_by, cursor)
select :subscription_id, :url, :types, :channels, :sellers, :description, array[:secret::text], :made_by, position
from event_sequence;

-- name: change(subscription_id, fields)$
-- active ↔ paused, disabled → active. Fields that are not given stay.
with given as (select :fields::jsonb as f)
update event_subscription s
set url = case when f ? 'url' then f ->> 'url' else url end,
    types = case when f ? 'types' then texts_of(f -> 'types') else types end,
    channels = case when f ? 'channels' then texts_of(f -> 'channels') else channels end,
    sellers = case when f ? 'sellers' then texts_of(f -> 'sellers') else sellers end,
    description = case when f ? 'description' then f ->> 'description' else description end,
    state = coalesce(f ->> 'state', state),
    why = case when f ? 'state' then f ->> 'why' else why end,
    disabled_at = case when f ? 'state' then null else disabled_at end,
    -- Somebody has looked at it: it is tried at once.
    failures = 0, failing_since = null, rest_until = null
from given
where subscription_id = :subscription_id
returning subscription_id;

-- name: add_secret(subscription_id, secret, at_most)$
-- The newest first; the oldest goes where there would be too many.
update event_subscription set secrets = array(
    select secret from unnest(array[:secret::text] || secrets) with ordinality as s (secret, age)
    order by age limit :at_most)
where subscription_id = :subscription_id
returning subscription_id;

-- name: keep_newest_secret(subscription_id)$
update event_subscription set secrets = array[secrets[1]] where subscription_id = :subscription_id
returning subscription_id;

-- name: remove(subscription_id)$
-- With what waits for it and with its attempts.
delete from event_subscription where subscription_id = :subscription_id returning subscription_id;

-- name: sellers_missing(sellers)
select code from unnest(:sellers::text[]) as code where not exists (select from seller where seller = code);

-- name: channels_missing(channels)
select code from unnest(:channels::text[]) as code where not exists (select from channel where channel = code);

-- name: to_call(lease)
-- Subscriptions with something to send whose workflow does not work, or has not said so for long. Those with
-- nothing to send pass over the events that are not for them, now and then.
with passed as (
    update event_subscription s set cursor = q.position
    from event_sequence q
    where s.state = 'active' and q.position - s.cursor > 500 and not has_events(s, q.position)
), due as (
    select subscription_id from event_subscription s
    where (called_at is null or called_at < moment() - :lease::interval) and next_delivery(s) <= moment()
    for update skip locked
)
update event_subscription s set called_at = moment() from due
where s.subscription_id = due.subscription_id
returning s.subscription_id;

-- name: not_called(subscription_ids)!
update event_subscription set called_at = null where subscription_id = any(:subscription_ids::text[]);
