-- Runs of scans: one piece of work of one person with a scanner.

-- name: wait_turn(location)!
-- Who begins at a location begins after the other: two who want the next parcel get two.
select from location where location = :location for no key update;

-- name: of_request(login, request_id)$
select run_no from scan_run where login = :login and request_id = :request_id and ended_at is null;

-- name: begin(kind, location, login, who, state, request_id)$
insert into scan_run (kind, location, login, who, state, request_id)
values (:kind, :location, :login, :who, :state::jsonb, :request_id) returning run_no;

-- name: find(run_no)^
-- `version`: another one whenever it was written.
select run_no, kind, location, login, who, begun_at, changed_at, ended_at, state, facts, last_seq, last_scan, answer,
       xmin::text as version
from scan_run where run_no = :run_no;

-- name: lock(run_no)^
-- Before everything else that its scans lock.
select run_no, kind, location, login, who, begun_at, changed_at, ended_at, state, facts, last_seq, last_scan, answer,
       xmin::text as version
from scan_run where run_no = :run_no for no key update;

-- name: save(run_no, version, state, facts, last_seq, last_scan, answer, is_over)^
-- Nothing is written where the run is another one than of this version.
update scan_run
set state = :state::jsonb, facts = :facts::jsonb, last_seq = :last_seq, last_scan = :last_scan,
    answer = :answer::jsonb, changed_at = moment(),
    ended_at = case when :is_over::boolean then coalesce(ended_at, moment()) end
where run_no = :run_no and xmin = :version::text::xid
returning changed_at, ended_at, xmin::text as version;

-- name: hold(run_no, parts)
-- Sorted, so that two who begin at once wait in one sequence. Returns those that nobody else has.
with wanted as (
    select part_id from unnest(:parts::text[]) as w (part_id)
), made as (
    insert into scan_run_part (part_id, run_no)
    select part_id, :run_no from wanted order by part_id
    on conflict (part_id) do nothing
    returning part_id
)
select part_id from made
union select p.part_id from scan_run_part p join wanted using (part_id) where p.run_no = :run_no;

-- name: let_go(run_no, parts)!
delete from scan_run_part where run_no = :run_no and part_id = any(:parts::text[]);

-- name: holders(parts)
-- Who works on these parts.
select p.part_id, r.run_no, r.login, r.who, r.changed_at
from scan_run_part p join scan_run r using (run_no) where p.part_id = any(:parts::text[]) order by p.part_id;

-- name: take_over(run_no, login, who)$
update scan_run set login = :login, who = :who, changed_at = moment() where run_no = :run_no and ended_at is null
returning xmin::text;

-- name: open_at(location, at_most)
-- Open runs, those that were touched last first.
select run_no, kind, location, login, who, begun_at, changed_at, ended_at, state, facts, last_seq, last_scan, answer,
       xmin::text as version
from scan_run where location = :location and ended_at is null
order by changed_at desc, run_no limit :at_most;

-- name: remember(login, location)!
insert into scan_place (login, location) values (:login, :location)
on conflict (login) do update set location = excluded.location;

-- name: place_of(login)$
select location from scan_place where login = :login;

-- name: forget(kept, at_most)$
-- Runs that ended so long ago, and those that nobody has touched for as long. One with facts is kept: what has
-- happened is still to be recorded.
with gone as (
    delete from scan_run where run_no in (
        (select run_no from scan_run where ended_at < moment() - :kept::interval order by ended_at limit :at_most)
        union all
        (select run_no from scan_run where ended_at is null and changed_at < moment() - :kept::interval and facts = '[]'
         limit :at_most))
    returning run_no
)
select count(*) from gone;

-- name: not_for(run_nos, channels, sellers)
-- Those of these runs in which there are parcels of other channels or sellers than these.
select distinct p.run_no
from scan_run_part p join customer_order o on o.order_no = order_no_of(p.part_id)
where p.run_no = any(:run_nos::bigint[])
  and (o.channel <> all(:channels::text[]) or o.seller <> all(:sellers::text[]));

-- name: left_over(older_than, at_most)
-- Runs with facts that nobody records: whoever did has died, or has gone home.
select run_no from scan_run where facts <> '[]' and changed_at < moment() - :older_than::interval
order by changed_at limit :at_most;
