-- Which channel is connected with which shop.

-- name: find(channel)
-- One, or all of them.
select s.channel, kind, cardinality(secrets) as secrets, options, connected_by, connected_at,
       m.last_message_at, m.waiting,
       case when c.channel is not null then jsonb_build_object(
           'address', c.address, 'asked_at', c.asked_at, 'answered_at', c.answered_at,
           'not_answering_since', c.away_since, 'error', c.error,
           'next_try_at', c.rest_until, 'read_upto', c.read_upto,
           'check_wanted_at', c.check_at, 'checked_at', c.checked_at, 'rights', to_jsonb(c.rights),
           'to_tell', (select count(*) from shop_parcel p where p.channel = c.channel and p.state = 'due'),
           'refused', (select count(*) from shop_parcel p where p.channel = c.channel and p.state = 'refused')
               + (select count(*) from shop_level l
                  where l.channel = c.channel and error is not null and settled_at is null)) end as contact
from shop s left join shop_contact c using (channel)
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
