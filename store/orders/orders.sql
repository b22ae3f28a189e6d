-- Orders and their lines. The order's row is locked by every function that writes here.

-- name: on_record(order_ids)
-- Orders as they were placed.
select o.order_id, o.channel, o.currency, o.policy::text as policy, o.received_at,
       document_of(o.order_no) -> 'shipping' as shipping, o.document ->> 'basket' as basket,
       o.document -> 'payment' as payment, o.document -> 'tenders' as tenders,
       (select jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'sku', l.sku, 'quantity', l.ordered, 'includes_tax', l.includes_tax,
            'handling', l.handling,
            'whole', jsonb_build_object(
                'goods', l.goods_minor, 'tax', l.tax_minor,
                'shipping', l.shipping_minor, 'shipping_tax', l.shipping_tax_minor))
            order by l.position)
        from order_line l where l.order_no = o.order_no) as lines
from customer_order o where o.order_id = any(:order_ids::text[]);

-- name: begin(order_ids)
-- To be started → begun. The function stands in schema/routines/orders.sql.
select begin_orders(:order_ids::text[]) as order_id;

-- name: move_lines(order_ids, line_ids, backordered, allocated, picked, shipped, delivered, lost, cancelled, return_requested, returned)$
-- Adds to the counts of a set of lines. The function stands in schema/routines/orders.sql.
select lines_moved(
    :order_ids::text[], :line_ids::text[], :backordered::bigint[], :allocated::bigint[], :picked::bigint[],
    :shipped::bigint[], :delivered::bigint[], :lost::bigint[], :cancelled::bigint[],
    :return_requested::bigint[], :returned::bigint[]);

-- name: decide(decision, order_ids, reasons)!
-- received → confirmed | rejected; confirmed → cancelled | closed. Nothing leaves a final state. With its
-- end go the reports for its steps: nobody waits any more.
with decided as (
    update customer_order
    set decision = :decision, reason = nullif(d.reason, ''), decided_at = moment()
    from unnest(:order_ids::text[], :reasons::text[]) as d (order_id, reason)
    where customer_order.order_id = d.order_id and decision in ('received', 'confirmed')
      and decision <> :decision
    returning customer_order.order_no
)
delete from wait_report w using decided
where w.order_no = decided.order_no and :decision <> 'confirmed';

-- name: finish(order_id, decision, reason, who)$
-- confirmed → closed | cancelled, told in the story, once; the reports for its steps go. It decides by
-- nothing but the row that it changes, so one statement is enough: that locks the row by itself. An order
-- that has ended some other way is told its end, too. Without a reason it is that of the last cancellation,
-- of somebody before our own. Answers with the reason.
with given as (
    select coalesce(nullif(:reason, ''), (
        select why from order_event
        where order_no = order_no_of(:order_id) and what = 'cancelled' and why is not null
        order by (who = :who), event_id desc limit 1), 'nothing could be sent') as reason
), finished as (
    update customer_order
    set decision = :decision, reason = given.reason, decided_at = moment()
    from given
    where order_id = :order_id and decision in ('received', 'confirmed')
    returning order_no
), gone as (
    delete from wait_report where order_no = order_no_of(:order_id)
), done as (
    insert into effect (order_no, effect)
    select order_no, 'close_order' from customer_order
    where order_id = :order_id and not is_over(order_no, decision)
      -- The row is locked before the story gets its line, so that the lines keep the sequence of the locks.
      and (select count(*) from finished) >= 0
    on conflict (order_no, effect) do nothing
    returning order_no
), told as (
    insert into order_event (order_no, effect, what, who, why)
    select order_no, 'close_order', :decision, :who, given.reason from done, given
)
select case when decision in ('received', 'confirmed') then given.reason else o.reason end
from customer_order o, given where order_id = :order_id;

-- name: reopen(order_id, opening)$
-- A closed order has something to do: the time after which its effects go does not run. Once for each
-- opening, so an attempt that comes late opens nothing that was closed since. The caller holds the order's
-- lock. The function stands in schema/routines/customers.sql.
with new as (
    insert into effect (order_no, effect)
    select order_no, 'reopen:' || :opening from customer_order
    where order_id = :order_id and decision = 'closed'
    on conflict (order_no, effect) do nothing
    returning order_no
), kept as (
    insert into effect (order_no, effect, answer, ended_at)
    select order_no, 'ended', '"closed"', 'infinity' from new
    on conflict (order_no, effect) do update set ended_at = excluded.ended_at
), reopened as (
    insert into effect (order_no, effect, answer) select order_no, 'reopened', to_jsonb(:opening::text) from new
    on conflict (order_no, effect) do update set answer = excluded.answer
)
select known_again(order_no) from new;

-- name: close_again(order_id, opening)!
-- It has nothing to do any more: that time begins anew, and the reports for its steps go. Not where it was
-- opened once more since.
with mine as (
    select order_no from effect
    where order_no = order_no_of(:order_id) and effect = 'reopened' and answer = to_jsonb(:opening::text)
), gone as (
    delete from wait_report using mine where wait_report.order_no = mine.order_no
)
update effect e set ended_at = moment()
from mine where e.order_no = mine.order_no and effect = 'ended' and ended_at = 'infinity';

-- name: shipping_of(order_id)$
select document_of(order_no_of(:order_id)) -> 'shipping';

-- name: customer_of(order_id)$
select customer_id from order_person where order_no = order_no_of(:order_id);

-- name: handlings_of(order_id)
select line_id, handling from order_line where order_no = order_no_of(:order_id) and handling <> 'shipped';

-- name: line_skus(order_id)
select line_id, sku from order_line where order_no = order_no_of(:order_id) order by position;
