-- What other systems are told of customers.

-- name: changes(after_xact, after_no, at_most)
-- In a sequence that stays: only of transactions below the horizon, all of which have ended, so that none comes in
-- before one that was read already.
select change_no, xact::text::bigint as xact, customer_no, what, into_no, segment, at from customer_change
where xact < pg_snapshot_xmin(pg_current_snapshot())
  and (xact, change_no) > (:after_xact::text::xid8, :after_no::bigint)
order by customer_change.xact, change_no limit :at_most;

-- name: horizon()^
-- `now`: behind all that was told by now. `next`: no transaction has this number yet.
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as now,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next;

-- name: forgotten()^
-- The last change that was deleted.
select xact::text::bigint as xact, change_no from customer_change_forgotten;

-- name: forget(kept, at_most)$
with gone as (
    delete from customer_change where change_no in (
        select change_no from customer_change where at < moment() - :kept::interval order by at limit :at_most)
    returning xact, change_no
), noted as (
    update customer_change_forgotten f set xact = l.xact, change_no = l.change_no
    from (select xact, change_no from gone order by gone.xact desc, change_no desc limit 1) l
    where (l.xact, l.change_no) > (f.xact, f.change_no)
)
select count(*) from gone;
