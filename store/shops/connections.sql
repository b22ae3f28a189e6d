-- Which channel is connected with which shop.

-- name: find(channel)
-- One, or all of them.
select s.channel, kind, cardinality(secrets) as secrets, options, connected_by, connected_at,
       m.last_message_at, m.waiting
from shop s
cross join lateral (
    select max(received_at) as last_message_at, count(*) filter (where processed_at is null) as waiting
    from shop_message m where m.channel = s.channel
) m
where :channel::text is null or s.channel = :channel
order by s.channel;

-- name: secrets_of(channel)^
select kind, secrets from shop where channel = :channel;

-- name: options_of(channel)^
select kind, options from shop where channel = :channel;

-- name: connect(channel, kind, secrets, options, connected_by)!
insert into shop (channel, kind, secrets, options, connected_by)
values (:channel, :kind, :secrets, :options, :connected_by)
on conflict (channel) do update
set kind = excluded.kind, secrets = excluded.secrets, options = excluded.options,
    connected_by = excluded.connected_by, connected_at = moment();

-- name: disconnect(channel)$
delete from shop where channel = :channel returning channel;
