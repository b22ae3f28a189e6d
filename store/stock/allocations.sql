-- name: insert_fulfilments(fulfilment_ids, order_ids, locations, leaves, arrivals, line_fulfilments, line_orders, line_ids, skus, line_locations, quantities, line_parts, state)!
-- Each with the content of its parcel, and its claims on stock: one for each part.
with parts as (
    insert into fulfilment (order_no, fulfilment_id, location, state, promised_leave, promised_on)
    select order_no, fulfilment_id, location, :state, leaves, arrives
    from unnest(:fulfilment_ids::text[], :order_ids::text[], :locations::text[], :leaves::date[],
                :arrivals::date[])
        as f (fulfilment_id, order_id, location, leaves, arrives)
    join customer_order using (order_id)
), wanted as (
    select order_no, w.* from unnest(:line_fulfilments::text[], :line_orders::text[], :line_ids::text[],
                         :skus::text[], :line_locations::text[], :quantities::bigint[],
                         :line_parts::jsonb[])
        as w (fulfilment_id, order_id, line_id, sku, location, quantity, parts)
    join customer_order using (order_id)
), lines as (
    insert into fulfilment_line (order_no, fulfilment_id, line_id, sku, quantity)
    select order_no, fulfilment_id, line_id, sku, quantity from wanted
)
insert into reservation (order_no, fulfilment_id, line_id, sku, location, quantity, per_unit)
select order_no, fulfilment_id, line_id, part, location, quantity, per_unit::bigint
from wanted, jsonb_each(parts) as p (part, per_unit);

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
