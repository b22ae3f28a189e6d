-- name: insert_fulfilments(fulfilment_ids, order_ids, locations, handlings, leaves, arrivals, line_fulfilments, line_orders, line_ids, skus, line_locations, quantities, line_parts, state)$
-- Each with the content of its parcel, and its claims on stock. The function stands in
-- schema/routines/stock.sql.
select fulfilments_added(
    :fulfilment_ids::text[], :order_ids::text[], :locations::text[], :handlings::text[], :leaves::date[], :arrivals::date[],
    :line_fulfilments::text[], :line_orders::text[], :line_ids::text[], :skus::text[],
    :line_locations::text[], :quantities::bigint[], :line_parts::jsonb[], :state);

-- name: claim(effects, moved_skus, moved_locations, allocated_changes, moved_orders, who, why, fulfilment_ids, order_ids, locations, handlings, leaves, arrivals, line_fulfilments, line_orders, line_ids, skus, line_locations, quantities, line_parts, state, counted_orders, counted_lines, allocated, cancelled, told_orders, told_effects, answers, whats, whos, whys, data)$
-- All that claims on stock write, in one round trip while the stock is locked: movements, fulfilments with
-- their reservations, the counts of lines, and the stories. Each function is the one that writes these rows
-- elsewhere, too.
select (select count(*) from stock_moved(
            :effects::text[], :moved_skus::text[], :moved_locations::text[],
            array_fill(0::bigint, array[cardinality(:effects::text[])]), :allocated_changes::bigint[],
            :moved_orders::text[], 'allocated', false, null, :who, :why)),
       fulfilments_added(
            :fulfilment_ids::text[], :order_ids::text[], :locations::text[], :handlings::text[], :leaves::date[], :arrivals::date[],
            :line_fulfilments::text[], :line_orders::text[], :line_ids::text[], :skus::text[],
            :line_locations::text[], :quantities::bigint[], :line_parts::jsonb[], :state),
       lines_moved(:counted_orders::text[], :counted_lines::text[], more_allocated => :allocated::bigint[],
                   more_cancelled => :cancelled::bigint[]),
       told(:told_orders::text[], :told_effects::text[], :answers::jsonb[], :whats::text[], :whos::text[],
            :whys::text[], :data::jsonb[], false);

-- name: take_reserved(line_ids, quantities, fulfilment_id)!
-- Lowers the claims of a fulfilment: units shipped, released, or not found. For a kit, on all its
-- parts.
update reservation r set quantity = r.quantity - t.quantity
from unnest(:line_ids::text[], :quantities::bigint[]) as t (line_id, quantity)
where r.order_no = order_no_of(:fulfilment_id) and r.fulfilment_id = :fulfilment_id
  and r.line_id = t.line_id;

-- name: leave(fulfilment_id, at, who)$
-- labelled → shipped. The function stands in schema/routines/stock.sql.
select parcel_left(:fulfilment_id, :at, :who);
