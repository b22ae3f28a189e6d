-- How shops are asked and told, and how they answer.

-- name: connect(channel, address, credentials)!
-- Another shop begins anew; the same one goes on, and is tried at once.
with old as (
    delete from shop_level l using shop_contact c
    where l.channel = :channel and c.channel = l.channel and c.address <> :address)
insert into shop_contact as c (channel, address, credentials)
values (:channel, :address, :credentials)
on conflict (channel) do update
set address = excluded.address, credentials = excluded.credentials,
    since = case when c.address = excluded.address then c.since else moment() end,
    read_upto = case when c.address = excluded.address then c.read_upto end,
    reading = c.reading and c.address = excluded.address,
    holder = case when c.address = excluded.address then c.holder end,
    held_until = case when c.address = excluded.address then c.held_until end,
    ask_at = moment(), levels_at = moment(), check_at = moment(), rest_until = null, refuses = false;

-- name: disconnect(channel)!
delete from shop_contact where channel = :channel;

-- name: claim(holder, lease)^
-- The next shop that something is due with and that nobody speaks with: the one that was not asked for longest.
-- What somebody wants to know now does not wait for its rest.
with next as (
    select c.channel from shop_contact c join shop s using (channel)
    where (c.held_until is null or c.held_until < moment())
      and (c.check_at <= moment() or (c.rest_until is null or c.rest_until <= moment()) and (
          c.ask_at <= moment()
          or (s.options ->> 'tell_stock')::boolean and c.levels_at <= moment()
          or exists (select from shop_parcel p
                     where p.channel = c.channel and p.state = 'due' and p.try_after <= moment())))
    order by c.asked_at nulls first, c.channel limit 1
    for update of c skip locked
)
update shop_contact c
set holder = :holder, held_until = moment() + :lease::interval, asked_at = moment()
from next join shop s using (channel)
where c.channel = next.channel
returning c.channel, s.kind, s.options, c.address, c.credentials, c.since, c.read_upto, c.reading, c.failures,
          coalesce(c.check_at, c.ask_at) <= moment() as asks, c.check_at as checks,
          coalesce((s.options ->> 'tell_stock')::boolean, false)
              and coalesce(c.check_at, c.levels_at) <= moment() as tells_levels,
          c.levels_told, moment() as now;

-- name: of_channel(channel)^
-- The same of one shop, for one call.
select c.channel, s.kind, s.options, c.address, c.credentials, c.since, c.read_upto, c.reading, c.failures,
       false as asks, null::timestamptz as checks, false as tells_levels, c.levels_told, moment() as now
from shop_contact c join shop s using (channel) where c.channel = :channel;

-- name: read_upto(channel, holder, upto, reading)$
-- What changed there up to this moment was read. `reading`: there is more.
update shop_contact set read_upto = greatest(read_upto, :upto), reading = :reading
where channel = :channel and holder = :holder returning channel;

-- name: set_back(channel, holder, upto)!
-- Its clock was set back: what it tells from now on is older than what was read.
update shop_contact set read_upto = :upto where channel = :channel and holder = :holder;

-- name: asked(channel, holder, pause)!
update shop_contact set ask_at = moment() + :pause::interval where channel = :channel and holder = :holder;

-- name: checked(channel, holder, rights, wanted)!
-- It answers. Who has asked for a check since waits for the next one.
update shop_contact
set check_at = nullif(check_at, :wanted), checked_at = moment(), rights = :rights,
    answered_at = moment(), away_since = null, refuses = false, error = null
where channel = :channel and holder = :holder;

-- name: answered(channel, holder)!
-- It answers, and nobody speaks with it any more.
update shop_contact
set answered_at = moment(), away_since = null, failures = 0, refuses = false, error = null, rest_until = null,
    held_until = null
where channel = :channel and holder = :holder;

-- name: failed(channel, holder, error, refuses, rest, wanted)!
-- It does not answer, or not as it should. It is left alone for a while, unless somebody has asked for a check since.
update shop_contact
set away_since = coalesce(away_since, moment()), failures = failures + 1, refuses = :refuses, error = :error,
    rest_until = moment() + :rest::interval, held_until = null,
    check_at = nullif(check_at, :wanted)
where channel = :channel and holder = :holder;

-- name: let_go(channel, holder)!
-- Whoever comes next goes on.
update shop_contact set held_until = null where channel = :channel and holder = :holder;

-- name: want_check(channel)$
-- It is asked at once, and told what waits for another try.
with parcels as (update shop_parcel set try_after = moment() where channel = :channel and state = 'due')
update shop_contact set check_at = moment(), ask_at = moment(), levels_at = moment()
where channel = :channel returning channel;

-- name: known_messages(channel, message_ids)
-- Which of these messages are kept.
select message_id from shop_message where channel = :channel and message_id = any(:message_ids::text[]);
