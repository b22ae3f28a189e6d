-- People who work with the screens.

-- name: find(login, disabled, channels, sellers, locations, after, at_most)
-- One person, or many by their logins: those behind `after`, without the disabled ones if they are not wanted, and
-- those alone who are for no other channels, sellers and locations than these; null: all.
select s.login, s.name, s.roles, s.email, s.channels, s.sellers, s.locations, s.language, s.time_zone, s.made_at, s.made_by,
       s.last_seen_at, s.disabled_at, s.disabled_by,
       case when s.disabled_at is null then 'active' else 'disabled' end as state,
       array_remove(array[case when s.password is not null then 'password' end,
                          case when s.subject is not null then 'openid' end], null) as signs_in_by,
       (select count(*) from staff_session o
        where o.login = s.login and o.ended_at is null and o.ends_at > moment()) as sessions
from staff s
where (:login::text is null or s.login = :login)
  and (:disabled::boolean or s.disabled_at is null)
  and (:channels::text[] is null or s.channels <@ :channels::text[])
  and (:sellers::text[] is null or s.sellers <@ :sellers::text[])
  and (:locations::text[] is null or s.locations <@ :locations::text[])
  and (:after::text is null or s.login > :after)
order by s.login limit :at_most;

-- name: make(login, name, roles, email, channels, sellers, locations, language, time_zone, password, must_change, who)$
-- Null: there is one of this login.
insert into staff (login, name, roles, email, channels, sellers, locations, language, time_zone, password, must_change,
                   made_by)
values (:login, :name, :roles, :email, :channels, :sellers, :locations, :language, :time_zone, :password, :must_change, :who)
on conflict (login) do nothing
returning login;

-- name: are_none()$
select not exists (select from staff);

-- name: lock(login)!
-- Changes of a person come one after the other, and with them all that admins would do to each other.
select from staff where login = :login or 'admin' = any (roles) order by login for update;

-- name: change(login, name, roles, email, channels, sellers, locations, language, time_zone)!
update staff set name = :name, roles = :roles, email = :email, channels = :channels, sellers = :sellers,
    locations = :locations, language = :language, time_zone = :time_zone
where login = :login;

-- name: set_single_keys(login, on)!
update staff set single_keys = :on where login = :login;

-- name: disable(login, who)!
-- A repeat changes nothing.
update staff set disabled_at = moment(), disabled_by = :who where login = :login and disabled_at is null;

-- name: enable(login)!
update staff set disabled_at = null, disabled_by = null where login = :login;

-- name: active_admins()
-- Those who can let anybody in.
select login from staff
where disabled_at is null and 'admin' = any (roles) and channels is null and sellers is null and locations is null
order by login;

-- name: password_of(login)^
-- Of one who may come in.
select password, must_change from staff where login = :login and disabled_at is null;

-- name: set_password(login, password, must_change)!
update staff set password = :password, must_change = :must_change where login = :login;

-- name: by_openid(issuer, subject)$
select login from staff where issuer = :issuer and subject = :subject and disabled_at is null;

-- name: link(issuer, subject, email)$
-- Who has this address and came by no provider yet is known by this subject from now on. Only A to Z are alike in
-- both sizes: other letters, such as the sign of Kelvin, would make somebody else's address the same one.
update staff set issuer = :issuer, subject = :subject
where lower(email collate "C") = lower(:email::text collate "C") and subject is null and disabled_at is null
  and not exists (select from staff known where known.issuer = :issuer and known.subject = :subject)
returning login;

-- name: unlink(login)!
update staff set issuer = null, subject = null where login = :login;
