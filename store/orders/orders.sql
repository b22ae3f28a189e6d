-- Orders and their lines. The order's row is locked by every function that writes here.

-- name: insert_orders(order_ids, channels, channel_order_ids, digests, run_ids, sourcing, documents, customer_ids, currencies, totals, placed, line_orders, positions, line_ids, skus, ordered, goods, tax, shipping, shipping_tax)
-- received: the first record of orders, with their lines. Returns the ids of the new ones; nothing
-- is written for the others.
with created as (
    insert into customer_order (order_id, channel, channel_order_id, digest, run_id, sourcing, document,
                        customer_id, currency, total_minor, placed_at)
    select * from unnest(:order_ids::text[], :channels::text[], :channel_order_ids::text[],
                         :digests::text[], :run_ids::text[], :sourcing::jsonb[],
                         :documents::jsonb[],
                         :customer_ids::text[], :currencies::text[], :totals::bigint[],
                         :placed::timestamptz[])
    on conflict do nothing
    returning order_id, currency
), lines as (
    insert into order_line (order_id, line_id, position, sku, ordered, goods_minor, tax_minor,
                            shipping_minor, shipping_tax_minor)
    select l.*
    from unnest(:line_orders::text[], :line_ids::text[], :positions::integer[], :skus::text[],
                :ordered::bigint[], :goods::bigint[], :tax::bigint[], :shipping::bigint[],
                :shipping_tax::bigint[])
        as l (order_id, line_id, position, sku, ordered, goods, tax, shipping, shipping_tax)
    join created using (order_id)
), items as (
    -- The items of SKUs that are named for the first time. Sorted, because two writers of the same
    -- rows wait for each other.
    insert into item (sku)
    select distinct sku from unnest(:skus::text[]) as w (sku)
    where not exists (select from item where item.sku = w.sku)
    order by sku
    on conflict (sku) do nothing
), money as (
    insert into order_money (order_id, currency) select order_id, currency from created
)
select order_id from created;

-- name: owners(order_ids)
-- The owners of these orders, and the digests of their content.
select order_id, digest, run_id from customer_order where order_id = any(:order_ids::text[]);

-- name: move_lines(order_ids, line_ids, backordered, allocated, picked, shipped, delivered, lost, cancelled, return_requested, returned, charged, refunded, invoiced, conceded)!
-- Adds to the counts of a set of lines. The constraints of order_line refuse impossible sums.
update order_line as l
set backordered      = l.backordered      + d.backordered,
    allocated        = l.allocated        + d.allocated,
    picked           = l.picked           + d.picked,
    shipped          = l.shipped          + d.shipped,
    delivered        = l.delivered        + d.delivered,
    lost             = l.lost             + d.lost,
    cancelled        = l.cancelled        + d.cancelled,
    return_requested = l.return_requested + d.return_requested,
    returned         = l.returned         + d.returned,
    charged          = l.charged          + d.charged,
    refunded         = l.refunded         + d.refunded,
    invoiced         = l.invoiced         + d.invoiced,
    conceded         = l.conceded         + d.conceded
from unnest(:order_ids::text[], :line_ids::text[], :backordered::bigint[], :allocated::bigint[],
            :picked::bigint[], :shipped::bigint[], :delivered::bigint[], :lost::bigint[],
            :cancelled::bigint[], :return_requested::bigint[], :returned::bigint[],
            :charged::bigint[], :refunded::bigint[], :invoiced::bigint[], :conceded::bigint[])
    as d (order_id, line_id, backordered, allocated, picked, shipped, delivered, lost, cancelled,
          return_requested, returned, charged, refunded, invoiced, conceded)
where l.order_id = d.order_id and l.line_id = d.line_id;

-- name: decide(decision, order_ids, reasons)!
-- received → confirmed | rejected; confirmed → cancelled | closed. Nothing leaves a final state. With its
-- end go the reports for its steps: nobody waits any more.
with decided as (
    update customer_order
    set decision = :decision, reason = nullif(d.reason, ''), decided_at = moment()
    from unnest(:order_ids::text[], :reasons::text[]) as d (order_id, reason)
    where customer_order.order_id = d.order_id and decision in ('received', 'confirmed')
      and decision <> :decision
    returning customer_order.order_id
)
delete from wait_report w using decided
where w.order_id = decided.order_id and :decision <> 'confirmed';

-- name: finish(order_id, decision, reason, who)!
-- confirmed → closed | cancelled, told in the story, once; the reports for its steps go. It reads nothing
-- but the row that it changes, so one statement is enough: that locks the row by itself.
with finished as (
    update customer_order
    set decision = :decision, reason = nullif(:reason, ''), decided_at = moment()
    where order_id = :order_id and decision in ('received', 'confirmed')
), gone as (
    delete from wait_report where order_id = :order_id
)
insert into order_event (order_id, effect, what, who, why)
values (:order_id, 'close_order', :decision, :who, nullif(:reason, ''))
on conflict (order_id, effect) do nothing;

-- name: shipping_of(order_id)$
select document -> 'shipping' from customer_order where order_id = :order_id;

-- name: customer_of(order_id)$
select customer_id from customer_order where order_id = :order_id;

-- name: line_skus(order_id)
select line_id, sku from order_line where order_id = :order_id order by position;
