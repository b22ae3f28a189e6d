-- What the outside reported, on its way to the workflow that waits for it. The functions stand in
-- schema/routines/kernel.sql.

-- name: report(activity_id, order_id, po_id, outcome, anew)$
select report_to_step(:activity_id, :order_id, :po_id, :outcome, :anew);

-- name: report_to_all(activity_ids, order_ids, outcome, anew)
-- One transaction after the other: it reports to orders that it has not locked, perhaps several times, and
-- two of them could each have reported first what the other one reports next.
with my_turn as materialized (select pg_advisory_xact_lock(hashtext('report_to_all')))
select report_to_step(activity_id, order_id, null, :outcome, :anew)
from my_turn, unnest(:activity_ids::text[], :order_ids::text[]) as w (activity_id, order_id);

-- name: begin_again(activity_id, order_id, seen, told)$
select step_waits_again(:activity_id, :order_id, :seen, :told);

-- name: begin(activity_id, order_id, po_id)$
select step_waits(:activity_id, :order_id, :po_id);

-- name: pending_reports(batch, lease)
-- Claims reports to hand over: until the lease is over nobody else does. Where the order or purchase
-- order has ended nobody waits for any: those go, unless it waits for what came late. The disk is not waited for: a claim that is lost is
-- made again.
with due as (
    select order_no, activity_id, po_id, set_config('synchronous_commit', 'off', true)
    from wait_report
    where outcome is not null and delivered_at is null and try_after <= moment()
    order by try_after limit :batch
    for update skip locked
), of as (
    select due.order_no, due.activity_id, order_id,
           coalesce(decision not in ('received', 'confirmed') and not is_reopened(due.order_no),
                    purchase_order.state in ('closed', 'cancelled'), false) as ended
    from due
    left join customer_order using (order_no)
    left join purchase_order using (po_id)
), ended as (
    delete from wait_report w using of
    where (w.order_no, w.activity_id) = (of.order_no, of.activity_id) and of.ended
)
update wait_report w
set tries = w.tries + 1, try_after = moment() + :lease::interval
from of where (w.order_no, w.activity_id) = (of.order_no, of.activity_id) and not of.ended
returning w.order_no, w.activity_id, of.order_id, w.po_id, w.outcome, w.waits_since, w.reported_at, w.tries;

-- name: forget_ended(batch)
-- An order's reports go with its end. These came later, or belong to a late attempt.
with old as (
    select order_no, activity_id from wait_report join customer_order using (order_no)
    where decision in ('rejected', 'cancelled', 'closed') and not is_reopened(order_no)
    limit :batch for update of wait_report skip locked
)
delete from wait_report where (order_no, activity_id) in (select order_no, activity_id from old)
returning activity_id;

-- name: handed_over(order_nos, activity_ids, tries, waited, reported, endings)!
-- What became of claimed reports. 'arrived' → delivered; 'nobody waits' → left alone until the step says
-- that it waits, and tried now and then in case that its word was lost. 'away' → tried again soon. Not
-- where the step has begun again, or something else was reported, since it was claimed. A row that somebody
-- is writing is left alone, so that nobody waits here with many rows in his hands: what became of its report
-- is told when the claim is over and it is handed over once more.
with told as (
    select * from unnest(:order_nos::bigint[], :activity_ids::text[], :tries::integer[],
                         :waited::timestamptz[], :reported::timestamptz[], :endings::text[])
        as h (order_no, activity_id, tries, waits_since, reported_at, ending)
), free as (
    select order_no, activity_id from wait_report
    where order_no = any(:order_nos::bigint[]) and activity_id = any(:activity_ids::text[])
    for no key update skip locked
)
update wait_report w
set delivered_at = case h.ending when 'arrived' then moment() end,
    waits_since = case h.ending when 'away' then w.waits_since end,
    try_after = moment() + case h.ending
        when 'nobody waits' then least(600, 30 * 2 ^ least(w.tries, 6))
        else least(60, 0.25 * 2 ^ least(w.tries, 8)) end * interval '1 second'
from told h join free using (order_no, activity_id)
where (w.order_no, w.activity_id) = (h.order_no, h.activity_id) and w.tries = h.tries
  and w.waits_since is not distinct from h.waits_since and w.reported_at = h.reported_at
  and set_config('synchronous_commit', 'off', true) = 'off';
