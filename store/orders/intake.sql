-- Intake: orders are written down before anything else happens to them.

-- name: take_in(order_ids, channels, revisions, sellers, channel_order_ids, digests, policies, documents, customer_ids, currencies, totals, placed, bulk, left_out, line_orders, positions, line_ids, skus, ordered, goods, tax, shipping, shipping_tax, includes_tax, carried, hold_rules)
-- Nothing → received: orders with their lines, their sums, and the beginning of their story. Each is
-- to be started. Returns the ids of the new ones; nothing is written for the others, and for none where
-- a channel, or the rules that hold orders, are not of the revision that is known (null: nobody holds orders):
-- that is told instead. `carried`: how a line's goods come to the customer, where its item says no other.
-- Written in the
-- sequence of their ids, because an insert waits for another one of the same id; taken in in the
-- sequence in which they are given.
with given as (
    select * from unnest(:order_ids::text[], :channels::text[], :revisions::uuid[], :sellers::text[],
                         :channel_order_ids::text[], :digests::text[], :policies::jsonb[], :documents::jsonb[],
                         :customer_ids::text[], :currencies::text[], :totals::bigint[],
                         :placed::timestamptz[], :bulk::boolean[], :left_out::text[])
        with ordinality as g (order_id, channel, revision, seller, channel_order_id, digest, policy,
                              document, customer_id, currency, total_minor, placed_at, bulk, left_out,
                              position)
), changed as (
    select from given g
    where revision is not null
      and not exists (select from channel c where c.channel = g.channel and c.revision = g.revision)
       or :hold_rules::text <> (select hold_rules_revision())
    limit 1
), created as (
    insert into customer_order (order_id, channel, seller, channel_order_id, digest, policy, document,
                                currency, total_minor, placed_at, received_at)
    select order_id, channel, seller, channel_order_id, digest, policy, without_person(document), currency,
           total_minor, placed_at,
           (select moment()) + position * interval '1 microsecond'
    from given where not exists (select from changed) order by order_id
    on conflict do nothing
    returning order_no, order_id, channel, currency, received_at
), people as (
    insert into order_person (order_no, customer_id, person)
    select order_no, customer_id, person_in(document) from created join given using (order_id)
), lines as (
    insert into order_line (order_no, line_id, position, sku, ordered, goods_minor, tax_minor,
                            shipping_minor, shipping_tax_minor, includes_tax, handling)
    select order_no, line_id, position, l.sku, ordered, goods, tax, shipping, shipping_tax, includes_tax,
           coalesce((select i.handling from item i where i.sku = l.sku and i.handling <> 'shipped'), carried)
    from unnest(:line_orders::text[], :line_ids::text[], :positions::integer[], :skus::text[],
                :ordered::bigint[], :goods::bigint[], :tax::bigint[], :shipping::bigint[],
                :shipping_tax::bigint[], :includes_tax::boolean[], :carried::text[])
        as l (order_id, line_id, position, sku, ordered, goods, tax, shipping, shipping_tax, includes_tax,
              carried)
    join created using (order_id)
), items as (
    -- The items of SKUs that are named for the first time. Sorted, because two writers of the same
    -- rows wait for each other.
    insert into item (sku)
    select distinct sku from unnest(:skus::text[]) as w (sku)
    where not exists (select from item where item.sku = w.sku) and not exists (select from changed)
    order by sku
    on conflict (sku) do nothing
), money as (
    insert into order_money (order_no, currency) select order_no, currency from created
), story as (
    -- It tells what of the channel's document could not be read, and is not in ours.
    insert into order_event (order_no, effect, what, who, why)
    select order_no, 'received', 'received', 'channel ' || created.channel, nullif(left_out, '')
    from created join given using (order_id)
    order by received_at
), starts as (
    insert into order_to_start (order_no, bulk, start_after)
    select order_no, bulk, received_at + interval '5 seconds' from created join given using (order_id)
)
select order_id from created union all select null from changed;

-- name: claim_to_start(at_most, lease)
-- To be started → being started by one relay for so long, the oldest first. Here and in the next two the
-- disk is not waited for: where it is lost, the order is started once more, which changes nothing.
with due as (
    select order_no from order_to_start where start_after <= moment()
    order by start_after limit :at_most for update skip locked
), claimed as (
    update order_to_start set start_after = moment() + :lease where order_no in (select order_no from due)
    returning order_no, bulk, set_config('synchronous_commit', 'off', true)
)
select o.order_id, o.channel, o.channel_order_id, o.document #>> '{shipping,service}' as service,
       jsonb_array_length(o.document -> 'lines') as lines, o.total_minor, o.currency, o.policy, c.bulk
from claimed c join customer_order o using (order_no) order by o.received_at;

-- name: started(order_ids, again_after)!
-- Temporal has them: looked after again much later, should it have lost them by then. Those whose first
-- step is taking the row away are left to it: so nobody waits here, and nobody in a circle.
with taken as (
    select order_no, set_config('synchronous_commit', 'off', true)
    from order_to_start join customer_order using (order_no)
    where order_id = any(:order_ids::text[])
    for update of order_to_start skip locked
)
update order_to_start t set start_after = moment() + :again_after
from taken where t.order_no = taken.order_no;

-- name: leave(order_ids)!
-- Being started → to be started, in their old place; but for those whose first step has come all the same.
with left_alone as (
    select order_no, set_config('synchronous_commit', 'off', true)
    from order_to_start join customer_order using (order_no)
    where order_id = any(:order_ids::text[])
    for update of order_to_start skip locked
)
update order_to_start t set start_after = o.received_at + interval '5 seconds'
from left_alone join customer_order o using (order_no) where t.order_no = left_alone.order_no;
