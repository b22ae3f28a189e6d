-- Where people are signed in, and wrong passwords.

-- name: begin(digest, login, means, lasts, agent, address, password, subject)$
-- Null: since this password, or this subject of a provider, was looked at, it counts no more. Whoever changes that
-- either waits for this row, and ends the session, or is waited for.
insert into staff_session (digest, login, means, ends_at, agent, address)
select :digest, s.login, :means, moment() + :lasts::interval, :agent, :address
from staff s
where s.login = :login and s.disabled_at is null and (s.password = :password or s.subject = :subject)
for share
returning session_no;

-- name: person_of(digest, idle)^
-- Who a session is of, where it is open and they may come in. That they were seen is noted once a minute at most.
with seen as (
    update staff_session set seen_at = transaction_moment()
    where digest = :digest and ended_at is null and seen_at <= transaction_moment() - interval '1 minute'
      and ends_at > transaction_moment() and seen_at > transaction_moment() - :idle::interval
    returning login
), noted as (
    update staff set last_seen_at = transaction_moment() where login in (select login from seen)
)
select s.login, s.name, s.roles, s.channels, s.sellers, s.locations, s.language, s.time_zone, s.single_keys,
       s.must_change and o.means = 'password' as must_change, o.session_no
from staff_session o join staff s on s.login = o.login
where o.digest = :digest and o.ended_at is null and s.disabled_at is null
  and o.ends_at > transaction_moment() and o.seen_at > transaction_moment() - :idle::interval;

-- name: people_of(digests, idle)
-- Who some sessions are of, of those that are open. It is not noted that anybody was seen.
select o.digest, s.login, s.name, s.roles, s.channels, s.sellers, s.locations, s.language, s.time_zone,
       s.single_keys,
       s.must_change and o.means = 'password' as must_change, o.session_no
from staff_session o join staff s on s.login = o.login
where o.digest = any(:digests::bytea[]) and o.ended_at is null and s.disabled_at is null
  and o.ends_at > transaction_moment() and o.seen_at > transaction_moment() - :idle::interval;

-- name: of_person(login, idle)
-- Those that are open, the one used last first; null: everybody's.
select session_no, login, means, began_at, seen_at, ends_at, agent, address from staff_session
where (:login::text is null or login = :login) and ended_at is null
  and ends_at > moment() and seen_at > moment() - :idle::interval
order by seen_at desc, session_no desc limit 1000;

-- name: end_by_digest(digest, who)!
update staff_session set ended_at = moment(), ended_by = :who where digest = :digest and ended_at is null;

-- name: end_by_number(session_no, who)$
update staff_session set ended_at = moment(), ended_by = :who
where session_no = :session_no and ended_at is null returning login;

-- name: end_all(login, but_for, who)
-- All of a person, but for the one with this number.
update staff_session set ended_at = moment(), ended_by = :who
where login = :login and ended_at is null and session_no is distinct from :but_for::bigint
returning session_no;

-- name: tries_of(login_digest, forgotten_after)^
-- Wrong ones in a row, and the seconds since the last one.
select wrong, moment() - last_at as since from staff_try
where login_digest = :login_digest and last_at > moment() - :forgotten_after::interval;

-- name: take_try(login_digest, wrong, forgotten_after)$
-- One more, where so many are counted as somebody has read. Null: others try at the same time.
insert into staff_try as t (login_digest, wrong) values (:login_digest, 1)
on conflict (login_digest) do update set last_at = moment(), wrong = :wrong::integer + 1
where case when t.last_at > moment() - :forgotten_after::interval then t.wrong else 0 end = :wrong::integer
returning wrong;

-- name: forget_wrong(login_digest)!
delete from staff_try where login_digest = :login_digest;

-- name: forget(kept, tries_kept, at_most)$
-- Sessions that ended so long ago, who saw to a task then, and tries that count no more. Answers how many rows went.
with old as (
    select session_no from staff_session
    where ends_at < moment() - :kept::interval or ended_at < moment() - :kept::interval
    order by ends_at limit :at_most
), gone as (
    delete from staff_session where session_no in (select session_no from old) returning 1
), care as (
    delete from task_care where (kind, subject, name) in (
        select kind, subject, name from task_care where changed_at < moment() - :kept::interval
        order by changed_at limit :at_most) returning 1
), tries as (
    delete from staff_try where login_digest in (
        select login_digest from staff_try where last_at < moment() - :tries_kept::interval
        order by last_at limit :at_most) returning 1
)
select greatest((select count(*) from gone), (select count(*) from care), (select count(*) from tries));
