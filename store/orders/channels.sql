-- Where orders come from.

-- name: list_channels(channel, after, at_most)
-- All of them, or one, or so many behind the one with the code `after`.
select channel, kind, seller, currencies, locations, providers, policy, retired_at is not null as retired,
       revision
from channel
where (:channel::text is null or channel = :channel) and (:after::text is null or channel > :after)
order by channel limit :at_most::bigint;

-- name: lock(channel)!
-- Whoever says what they saw changes it one after the other.
select from channel where channel = :channel for update;

-- name: save(channels, only_new)
-- Sets all there is to know about them, whether they are there or not; or of new ones alone. Answers which were set.
insert into channel (channel, kind, seller, currencies, locations, providers, policy, retired_at)
select channel, kind, seller, currencies, locations, providers, policy,
       case when retired then moment() end
from jsonb_to_recordset(:channels::jsonb)
    as c (channel text, kind text, seller text, currencies text[], locations text[], providers text[],
          policy jsonb, retired boolean)
on conflict (channel) do update
set kind = excluded.kind, seller = excluded.seller, currencies = excluded.currencies,
    locations = excluded.locations, providers = excluded.providers, policy = excluded.policy,
    retired_at = case when excluded.retired_at is not null
                      then coalesce(channel.retired_at, excluded.retired_at) end
where not :only_new::boolean
returning channel;

-- name: set_retired(channel, retired)$
-- Whether it takes new orders; null where there is no such channel.
update channel set retired_at = case when :retired::boolean then coalesce(retired_at, moment()) end
where channel = :channel returning channel;

-- name: sellers_of(sellers)
-- Those that there are. They stay as they are until the transaction ends.
select seller, retired_at is not null as retired from seller
where seller = any(:sellers::text[]) order by seller for share;

-- name: seller_of(channel)^
-- The same, of a channel.
select seller, retired_at is not null as retired from seller
where seller = (select seller from channel where channel = :channel) for share;

-- name: unknown_locations(locations)
select w as code from unnest(:locations::text[]) w
where not exists (select from location where location = w) order by w;
