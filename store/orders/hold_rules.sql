-- Rules that hold orders as they are taken in, and the shop's own lists.

-- name: known()
-- All rules, in the sequence of their names, and the revision of all of them together.
select rule, document, changed_at, changed_by, hold_rules_revision() as revision from hold_rule order by rule;

-- name: save(rule, document, who)!
insert into hold_rule (rule, document, changed_by) values (:rule, :document, :who)
on conflict (rule) do update
set document = excluded.document, changed_by = excluded.changed_by, changed_at = moment();

-- name: remove(rule)$
delete from hold_rule where rule = :rule returning rule;

-- name: list_add(list, kind, digests, who)$
with added as (
    insert into hold_listing (list, kind, digest, added_by)
    select :list, :kind, d, :who from unnest(:digests::bytea[]) as d
    on conflict do nothing returning 1
)
select count(*) from added;

-- name: list_remove(list, kind, digests)$
with gone as (
    delete from hold_listing where list = :list and kind = :kind and digest = any(:digests::bytea[]) returning 1
)
select count(*) from gone;

-- name: lists()
select list, kind, count(*) as entries, max(added_at) as changed_at from hold_listing
group by list, kind order by list, kind;

-- name: listed(digests)
-- On which lists these are.
select list, digest from hold_listing where digest = any(:digests::bytea[]);

-- name: earlier(order_ids)
-- When the other orders of each one's customer were taken in, the newest first, 100 at most. It is the same
-- customer by the channel's id, or by the mail address.
select o.order_id, coalesce((
           select array_agg(e.received_at order by e.order_no desc) from (
               select c.order_no, c.received_at
               from customer_order c
               where c.order_no in (
                   select p.order_no from order_person p
                   where p.customer_id = own.customer_id and p.order_no < o.order_no
                   union
                   select p.order_no from order_person p
                   where lower(p.person #>> '{customer,email}') = lower(own.person #>> '{customer,email}')
                     and p.person #>> '{customer,email}' is not null and p.order_no < o.order_no)
               order by c.order_no desc limit 100) e), '{}') as earlier
from customer_order o join order_person own using (order_no)
where o.order_id = any(:order_ids::text[]);

-- name: hold_all(order_ids, hold_ids, rules, reasons, notes, owners, untils, at_ends, checks)!
-- Orders that have just been taken in are held, in the same transaction. One that waits for no person is not told of.
insert into order_hold (order_no, hold_id, rule, reason, note, owner, who, until, at_end, check_until, told)
select order_no_of(order_id), hold_id, rule, reason, note, owner, 'rule ' || rule, until, at_end, check_until,
       check_until is null
from unnest(:order_ids::text[], :hold_ids::text[], :rules::text[], :reasons::text[], :notes::text[],
            :owners::text[], :untils::timestamptz[], :at_ends::text[],
            :checks::timestamptz[])
    as h (order_id, hold_id, rule, reason, note, owner, until, at_end, check_until)
on conflict do nothing;
