-- Lists that somebody has given a name.

-- name: seen_by(login)
select v.view_no, v.login, s.name as owner, v.name, v.query, v.shared
from saved_view v join staff s using (login)
where v.login = :login or v.shared
order by v.login <> :login, v.name, v.view_no limit 200;

-- name: save(login, name, query, shared)!
insert into saved_view (login, name, query, shared) values (:login, :name, :query, :shared)
on conflict (login, name) do update set query = excluded.query, shared = excluded.shared;

-- name: rename(login, view_no, name, shared)$
-- Null: there is none, or it is somebody else's.
update saved_view set name = :name, shared = :shared
where view_no = :view_no and login = :login
returning view_no;

-- name: remove(login, view_no)!
delete from saved_view where view_no = :view_no and login = :login;
