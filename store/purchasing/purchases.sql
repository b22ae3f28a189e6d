-- Purchase orders. A transaction that writes about one locks its row first, then its SKUs' stock.

-- name: add_order(po_id, supplier, location, currency, state, needs_approval, sent_before, policy, order_id, line_id, drop_ship)$
-- Null when the id exists already.
insert into purchase_order
    (po_id, supplier_id, location, currency, state, needs_approval, sent_before, policy, order_no, line_id, drop_ship)
values (:po_id, :supplier, :location, :currency, :state, :needs_approval, :sent_before, :policy,
        order_no_of(:order_id), :line_id, :drop_ship)
on conflict (po_id) do nothing
returning number;

-- name: add_lines(po_id, location, skus, quantities, receivable, prices, lead_times, due_on, answered, for_order)
-- Returns the SKUs that were added. The others have units on order without an answer.
insert into purchase_order_line
    (po_id, sku, location, quantity, receivable, unit_price, lead_time_days, due_on, for_order,
     answered_at)
select :po_id, w.sku, :location, w.quantity, w.receivable, w.price, w.lead_time, w.due_on,
       :for_order, case when :answered then moment() end
from unnest(:skus::text[], :quantities::bigint[], :receivable::bigint[], :prices::numeric[],
            :lead_times::int[], :due_on::date[])
    as w (sku, quantity, receivable, price, lead_time, due_on)
order by w.sku
on conflict (sku, location) where answered_at is null and not for_order do nothing
returning sku;

-- name: lock(po_id)^
select * from purchase_order where po_id = :po_id for no key update;

-- name: standing(po_id)^
select purchase_standing(p) as state, (select count(*) from purchase_order_event e where e.po_id = p.po_id) as events
from purchase_order p where po_id = :po_id;

-- name: lines(po_id)
select sku, location, quantity, receivable, received, cancelled, acknowledged, shipped, outstanding, unit_price,
       lead_time_days, due_on, answered_at
from purchase_order_line where po_id = :po_id order by sku;

-- name: set_state(po_id, state)!
-- With its end go the reports for its steps.
with changed as (
    update purchase_order set state = :state, changed_at = moment()
    where po_id = :po_id and state <> :state
    returning po_id
)
delete from wait_report w using changed
where w.po_id = changed.po_id and :state in ('closed', 'cancelled');

-- name: needing_attention(reason)
-- The purchase orders that need a person for a reason that begins so.
select po_id from purchase_order where starts_with(attention, :reason);

-- name: set_attention(po_id, attention)!
update purchase_order set attention = :attention where po_id = :po_id;

-- name: mark_refused(po_id)!
update purchase_order set refused_at = moment() where po_id = :po_id;

-- name: expect(po_id, today)!
-- Sent today: until the supplier names a day, it is due after the lead time.
update purchase_order_line set due_on = :today::date + lead_time_days
where po_id = :po_id and answered_at is null;

-- name: answer(po_id, skus, acknowledged, cancelled, due_on)!
update purchase_order_line l
set acknowledged = w.acknowledged, cancelled = w.cancelled, due_on = w.due_on,
    answered_at = coalesce(answered_at, moment())
from unnest(:skus::text[], :acknowledged::bigint[], :cancelled::bigint[], :due_on::date[])
    as w (sku, acknowledged, cancelled, due_on)
where l.po_id = :po_id and l.sku = w.sku;

-- name: add_shipped(po_id, skus, units)!
update purchase_order_line l
set shipped = l.shipped + w.units, answered_at = coalesce(answered_at, moment())
from unnest(:skus::text[], :units::bigint[]) as w (sku, units)
where l.po_id = :po_id and l.sku = w.sku;

-- name: add_received(po_id, skus, units)!
update purchase_order_line l
set received = l.received + w.units, answered_at = coalesce(answered_at, moment())
from unnest(:skus::text[], :units::bigint[]) as w (sku, units)
where l.po_id = :po_id and l.sku = w.sku;

-- name: cancel_rest(po_id)!
-- The outstanding units will not arrive.
update purchase_order_line
set cancelled = cancelled + outstanding, answered_at = coalesce(answered_at, moment())
where po_id = :po_id and (outstanding > 0 or answered_at is null);

-- name: find_event(po_id, effect)$
select data from purchase_order_event where po_id = :po_id and effect = :effect;

-- name: add_event(po_id, effect, what, who, why, data)!
insert into purchase_order_event (po_id, effect, what, who, why, data)
values (:po_id, :effect, :what, :who, nullif(:why, ''), :data)
on conflict (po_id, effect) do nothing;

-- name: list_events(po_id)
select at, what, who, coalesce(why, '') as why, data from purchase_order_event where po_id = :po_id order by event_id;

-- name: list_orders(po_id, open, states, sku, supplier, locations, only_late, due_by, before, at_most)
-- A null does not filter. `only_late`: goods were due before this day of the location, and may still come. `due_by`:
-- some are due by this day.
select p.po_id, p.number,
       (select o.order_id from customer_order o where o.order_no = p.order_no) as order_id, p.line_id, p.drop_ship, p.supplier_id as supplier, s.name as supplier_name, p.location,
       p.currency, purchase_standing(p) as state, p.needs_approval, p.sent_before, p.created_at, p.changed_at,
       p.refused_at, p.attention, p.policy,
       (select jsonb_agg(jsonb_build_object(
            'sku', l.sku, 'name', i.name, 'quantity', l.quantity, 'receivable', l.receivable,
            'received', l.received, 'cancelled', l.cancelled, 'acknowledged', l.acknowledged, 'shipped', l.shipped,
            'outstanding', l.outstanding, 'unit_price', l.unit_price::text,
            'lead_time_days', l.lead_time_days, 'due_on', l.due_on, 'answered_at', l.answered_at)
            order by l.sku)
        from purchase_order_line l left join item i using (sku) where l.po_id = p.po_id) as lines
from purchase_order p join supplier s using (supplier_id)
where (:po_id::text is null or p.po_id = :po_id)
  and (not :open or p.state not in ('closed', 'cancelled'))
  and (:states::text[] is null or purchase_standing(p) = any(:states))
  and (:supplier::text is null or p.supplier_id = :supplier)
  and (:locations::text[] is null or p.location = any(:locations))
  and (not :only_late or p.state not in ('proposed', 'approved') and exists (
      select from purchase_order_line l join location place using (location)
      where l.po_id = p.po_id and l.outstanding > 0 and l.due_on < location_day(place.calendar)))
  and (:due_by::date is null or exists (
      select from purchase_order_line l
      where l.po_id = p.po_id and l.outstanding > 0 and l.due_on <= :due_by))
  and (:sku::text is null or exists (
      select from purchase_order_line l where l.po_id = p.po_id and l.sku = :sku))
  and (:before::bigint is null or p.number < :before)
order by p.number desc limit :at_most;

-- name: counts(locations, due_by, at_most)^
-- Of the first so many that are open; a null does not filter. `due_by`: of which some are due by this day.
select count(*) as open, count(*) filter (where state = 'proposed') as proposed,
       count(*) filter (where exists (
           select from purchase_order_line l
           where l.po_id = p.po_id and l.outstanding > 0 and l.due_on <= :due_by)) as due,
       (select count(*) from (select from supplier limit :at_most) s) as suppliers
from (select po_id, state from purchase_order
      where state not in ('closed', 'cancelled') and (:locations::text[] is null or location = any(:locations))
      limit :at_most) p;

-- name: to_start(batch)
-- Claims purchase orders whose workflow must be started; an unsuccessful claim is repeated, after
-- ever longer pauses. One that was approved in an earlier run needs no approval. The disk is not waited for:
-- where this is lost, the workflow is started once more, which changes nothing.
with due as (
    select po_id, set_config('synchronous_commit', 'off', true) from purchase_order
    where started_at is null and try_after <= moment()
    order by try_after limit :batch for update skip locked
)
update purchase_order p
set tries = p.tries + 1,
    try_after = moment() + least(60, 0.25 * 2 ^ least(p.tries, 8)) * interval '1 second'
from due where p.po_id = due.po_id
returning p.po_id, p.needs_approval and p.state = 'proposed' as needs_approval, p.sent_before, p.policy;

-- name: started(po_ids)!
-- Their workflows are there. Those that somebody is changing are left alone, so that the relay waits for
-- nobody; they, and all where this is lost, are started once more.
with begun as (
    select po_id, set_config('synchronous_commit', 'off', true) from purchase_order
    where po_id = any(:po_ids::text[])
    for no key update skip locked
)
update purchase_order p set started_at = moment() from begun where p.po_id = begun.po_id;

-- name: started_and_open(after, at_most)
select po_id from purchase_order
where state not in ('closed', 'cancelled') and started_at is not null and po_id > :after
order by po_id limit :at_most;

-- name: open_states(po_ids)
select po_id, state from purchase_order
where po_id = any(:po_ids::text[]) and state not in ('closed', 'cancelled') order by po_id;

-- name: start_again(po_ids)!
-- Started → to be started. Sorted, because two writers of the same rows wait for each other.
with lost as (
    select po_id from purchase_order
    where po_id = any(:po_ids::text[]) and started_at is not null
    order by po_id for no key update
)
update purchase_order p set started_at = null, tries = 0, try_after = moment()
from lost where p.po_id = lost.po_id;

-- name: wake()!
-- Makes the relay look, at commit.
select pg_notify('purchasing', 'purchase order');
