-- What the outside reported, on its way to the workflow that waits for it.

-- name: report(activity_id, order_id, po_id, outcome)$
-- Keeps the report, and wakes the relay at commit. The function stands in schema/routines/kernel.sql.
select report_to_step(:activity_id, :order_id, :po_id, :outcome);

-- name: insert_reports(activity_ids, order_ids, outcome)$
with kept as (
    insert into wait_report (activity_id, order_id, outcome)
    select activity_id, order_id, :outcome
    from unnest(:activity_ids::text[], :order_ids::text[]) as w (activity_id, order_id)
    on conflict (activity_id) do nothing
    returning activity_id
)
select pg_notify('wait_report', min(activity_id)) from kept having count(*) > 0;

-- name: take_report(activity_id)^
-- The waiting step has begun and finds the report. Its attempt may die before it can answer with it,
-- so the report is not delivered yet: some time later it is handed over once more.
update wait_report
set taken = true, delivered_at = null, try_after = moment() + interval '10 seconds'
where activity_id = :activity_id
returning outcome;

-- name: pending_reports(batch)
-- Claims reports to hand over; a claim that comes to nothing is tried again, ever less often. Where the
-- order or purchase order has ended nobody waits for any: those count as delivered.
with due as (
    select activity_id, order_id, po_id from wait_report
    where delivered_at is null and try_after <= moment()
    order by try_after limit :batch
    for update skip locked
), of as (
    select due.activity_id,
           coalesce(decision not in ('received', 'confirmed'),
                    purchase_order.state in ('closed', 'cancelled'), false) as ended
    from due
    left join customer_order using (order_id)
    left join purchase_order using (po_id)
), ended as (
    update wait_report w set delivered_at = moment()
    from of where w.activity_id = of.activity_id and of.ended
)
update wait_report w
set tries = w.tries + 1,
    try_after = moment() + least(60, 0.25 * 2 ^ least(w.tries, 8)) * interval '1 second'
from of where w.activity_id = of.activity_id and not of.ended
returning w.activity_id, w.order_id, w.po_id, w.outcome, w.tries, w.taken;

-- name: reports_delivered(activity_ids)!
update wait_report set delivered_at = moment()
where activity_id = any(:activity_ids::text[]) and delivered_at is null;

-- name: stranded_labels(older_than, batch)
-- Packed long ago, and no label: the attempt that was to buy it may have died half-way, or on its way
-- to a worker; or refused, or bought for a parcel that was recalled meanwhile, and the answer is
-- awaited. Not where an attempt began since: a slow carrier is given its time. The youngest first: for
-- what is parked nobody waits. Younger than a day: what is older has raised attention by itself.
select f.fulfilment_id, f.order_id
from fulfilment f left join shipment p using (fulfilment_id)
where (f.state = 'packed' or f.recalled_from = 'packed')
  and (coalesce(p.label, 'requested') = 'requested'
       or (p.label = 'refused' and f.state = 'packed')
       or (p.label = 'bought' and f.recalled_from = 'packed'))
  and greatest(f.changed_at, p.asked_at) < moment() - :older_than::interval
  and f.changed_at > moment() - interval '1 day'
order by greatest(f.changed_at, p.asked_at) desc limit :batch;
