-- Fulfilments: one location's part of an order each. Every writer locks the order's row.

-- name: fulfilment_of(fulfilment_id)^
select fulfilment_id, order_of(fulfilment_id) as order_id, location, handling, state, recalled_from, changed_at,
       overdue, promised_leave, promised_on
from fulfilment where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

-- name: locked(fulfilment_id)^
-- The same under its order's lock. The function stands in schema/routines/fulfilment.sql.
select order_of(fulfilment_id) as order_id, * from locked_fulfilment(:fulfilment_id);

-- name: lines_of(fulfilment_id)
select f.line_id, f.sku, f.quantity, f.taken_out, f.picked, min(r.quantity) as reserved,
       min(r.location) as location, jsonb_object_agg(r.sku, r.per_unit) as parts
from fulfilment_line f join reservation r using (order_no, fulfilment_id, line_id)
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id
group by f.order_no, f.fulfilment_id, f.line_id
order by f.line_id;

-- name: standing(fulfilment_id, activity_id)^
-- What the step that waits for the warehouse has to know, in one read: the units are those that are to
-- be sent, or have left; `missing` were not found, and nobody has replaced them yet; the report is the last one
-- of it.
select order_of(f.fulfilment_id) as order_id, f.handling, f.state, f.recalled_from, p.label,
       case when o.state = 'failed' then coalesce(o.said, 'it failed') end as work_failed,
       (select jsonb_object_agg(l.line_id, l.units) from (
            select l.line_id,
                   case when f.state in ('shipped', 'delivered', 'exception') then l.picked
                        else min(r.quantity) end as units
            from fulfilment_line l join reservation r using (order_no, fulfilment_id, line_id)
            where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id
            group by l.line_id, l.picked) l
        where l.units > 0) as units,
       (select jsonb_strip_nulls(answer -> 'missing') from effect e
        where e.order_no = f.order_no and e.effect = 'pick:' || f.fulfilment_id
          and not exists (select from effect e where e.order_no = f.order_no
                          and e.effect = 'reserve_again:' || f.fulfilment_id || ':open')) as missing,
       w.outcome, w.reported_at, w.waits_since
from fulfilment f
left join shipment p using (order_no, fulfilment_id)
left join outside_work o using (order_no, fulfilment_id)
left join wait_report w on w.order_no = f.order_no and w.activity_id = :activity_id
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id;

-- name: stages(fulfilment_ids)
-- What state each is in, and for how long.
-- While its order is held, or before its first day of sale, no time passes in which somebody should do something about it.
select fulfilment_id, state, changed_at as since,
       case when kept_here_by(order_no) is null and not_before(order_no, fulfilment_id) is null
            then moment() - greatest(changed_at, due_since(order_no, fulfilment_id))
            else interval '0' end as lasted
from fulfilment
where order_no = any(array(select order_no_of(id) from unnest(:fulfilment_ids::text[]) as id))
  and fulfilment_id = any(:fulfilment_ids::text[]);

-- name: is_late(fulfilment_id, state)!
-- From now on, whatever happens to it is told to its order: a person waits for it.
update fulfilment set overdue = true
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and state = :state;

-- name: to_label(older_than, batch)
-- Claims packed parcels without a label whose step is to be run again: it waits as if for a hand-over,
-- and runs once more where its attempt fails. At once after the packing, if the step has begun: one that
-- begins later finds the parcel packed. And again where that came to
-- nothing, since the attempt died, or was lost on its way to a worker; or the carrier has refused, or
-- sold the label of a parcel that was recalled meanwhile, and the answer is awaited; or it is handed over as soon
-- as it may be, and was held until now. A parcel that was opened and packed again may have its label already:
-- the step looks. Not where an
-- attempt began since: a slow carrier is given its time. The youngest first: for what is parked nobody
-- waits. Younger than a day, or on sale since less than that: what is older has raised attention by itself. The
-- disk is not waited for: a claim that is lost is made again.
with due as (
    select f.order_no, f.fulfilment_id, set_config('synchronous_commit', 'off', true)
    from fulfilment f
    left join shipment p using (order_no, fulfilment_id)
    left join wait_report w
        on w.order_no = f.order_no and w.activity_id = 'pick_pack_ship:' || f.fulfilment_id
    where (f.state = 'packed'
           or f.recalled_from = 'packed' and p.label in ('requested', 'bought')
           or f.handling in ('counter', 'digital', 'drop_ship') and f.state in ('picking', 'picked', 'labelled')
           or (f.handling = 'service' or f.handling like 'x:%') and f.state in ('picking', 'picked', 'labelled')
              and (f.state <> 'labelled' or exists (
                  select from outside_work o where (o.order_no, o.fulfilment_id) = (f.order_no, f.fulfilment_id)
                                               and o.state = 'wanted')))
      and coalesce(greatest(f.woken_at, p.asked_at) < moment() - :older_than::interval, true)
      and (w.waits_since is not null or f.changed_at < moment() - :older_than::interval)
      and f.changed_at > (select case when exists (select from item where available_from > moment()::date - 3)
                                      then '-infinity' else moment() - interval '1 day' end)
      and (f.changed_at > moment() - interval '1 day'
           or due_since(f.order_no, f.fulfilment_id) between moment() - interval '1 day' and moment())
      and not exists (select from order_hold h where h.order_no = f.order_no and h.released_at is null
                                                 and h.reason <> 'payment')
    order by f.changed_at desc limit :batch
    for update of f skip locked
)
update fulfilment f set woken_at = moment()
from due where f.order_no = due.order_no and f.fulfilment_id = due.fulfilment_id
returning f.fulfilment_id, order_of(f.fulfilment_id) as order_id;

-- name: woken(fulfilment_id)!
-- The step has found the parcel packed by itself, and buys the label in the attempt that has just begun: it is
-- claimed like one that was run again for it, and no attempt is ended under the hands of the one that buys.
update fulfilment set woken_at = moment()
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

-- name: not_woken(fulfilment_ids)!
-- Not those that somebody is changing: the relay waits for nobody with many rows in its hands. They are
-- claimed again like those whose attempt died.
with free as (
    select order_no, fulfilment_id, set_config('synchronous_commit', 'off', true) from fulfilment
    where order_no = any(array(select order_no_of(id) from unnest(:fulfilment_ids::text[]) as id))
      and fulfilment_id = any(:fulfilment_ids::text[])
    for no key update skip locked
)
update fulfilment f set woken_at = null
from free where f.order_no = free.order_no and f.fulfilment_id = free.fulfilment_id;

-- name: set_state(state, fulfilment_id)!
-- The caller has read the state under the order's lock.
update fulfilment set state = :state, changed_at = moment(), overdue = false
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;

-- name: recall(fulfilment_id)!
-- Any state before hand-over → cancelled: from now on the warehouse cannot report on it.
update fulfilment
set state = 'cancelled', recalled_from = state, changed_at = moment()
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id
  and state in ('open', 'picking', 'picked', 'packed', 'labelled');

-- name: to_put_back(fulfilment_id, opens_box)!
-- What was picked for it lies in a box or on a cart: a person puts it back. Nobody does that with what nobody picks.
with todo as (
    insert into put_back (order_no, put_back_id, fulfilment_id, opens_box)
    select f.order_no, f.fulfilment_id || ':P' || 1 + (
               select count(*) from put_back p where p.order_no = f.order_no and p.fulfilment_id = f.fulfilment_id),
           f.fulfilment_id, :opens_box
    from fulfilment f
    where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id
      and f.handling in ('shipped', 'pick_up', 'made_to_order')
      and exists (select from fulfilment_line l
                  where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id and l.picked > 0)
    returning order_no, put_back_id, fulfilment_id
)
insert into put_back_line (order_no, put_back_id, line_id, sku, quantity)
select t.order_no, t.put_back_id, l.line_id, l.sku, l.picked
from todo t join fulfilment_line l using (order_no, fulfilment_id) where l.picked > 0;

-- name: work_stopped(fulfilment_id)$
-- Whether a workshop's goods are to be had. The function stands in schema/routines/fulfilment.sql.
select work_stopped(:fulfilment_id);

-- name: is_firm(fulfilment_id)$
-- Whether its appointment is too near to be cancelled. The function stands in schema/routines/fulfilment.sql.
select appointment_is_firm(:fulfilment_id);

-- name: make_smaller(fulfilment_id, taken, keeps_label)^
-- Takes units out. The function stands in schema/routines/fulfilment.sql.
select to_put_back, is_label_unused
from fulfilment_made_smaller(:fulfilment_id, :taken::jsonb, :keeps_label);

-- name: label_anew(fulfilment_id)$
-- A label → to be given back, and another one is bought. The function stands in schema/routines/fulfilment.sql.
select label_bought_anew(:fulfilment_id);

-- name: next_number(order_id)$
-- Fulfilments are numbered from 1, and none is ever deleted.
select 1 + count(*) from fulfilment where order_no = order_no_of(:order_id);

-- name: tell_unpaid(order_nos, fulfilment_ids)
-- Those that still wait for their hand-over are told once for each time that they wait. One that somebody is
-- changing is left for the next look.
with waiting as (
    select f.order_no, f.fulfilment_id
    from fulfilment f join shipment s using (order_no, fulfilment_id)
    where f.order_no = any(:order_nos::bigint[]) and f.fulfilment_id = any(:fulfilment_ids::text[])
      and f.state = 'labelled' and s.unpaid_at is null
    for update of f skip locked
)
update shipment s set unpaid_at = moment()
from waiting w where (s.order_no, s.fulfilment_id) = (w.order_no, w.fulfilment_id)
returning s.fulfilment_id, order_of(s.fulfilment_id) as order_id;
