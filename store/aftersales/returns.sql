-- Returns. The order's row is locked by every writer.

-- name: next_number(order_id)$
-- Returns are numbered from 1, and none is ever deleted.
select 1 + count(*) from order_return where order_no = order_no_of(:order_id);

-- name: insert_return(return_id, order_id, kind, fulfilment_id, reason)!
insert into order_return (order_no, return_id, kind, fulfilment_id, state, reason)
values (order_no_of(:order_id), :return_id, :kind, :fulfilment_id, 'approved', :reason);

-- name: insert_return_lines(return_id, order_id, line_ids, skus, quantities)!
insert into return_line (order_no, return_id, line_id, sku, quantity)
select order_no_of(:order_id), :return_id, line_id, sku, quantity
from unnest(:line_ids::text[], :skus::text[], :quantities::bigint[]) as l (line_id, sku, quantity);

-- name: return_of(return_id)^
select return_id, order_of(return_id) as order_id, kind, fulfilment_id, state, reason, changed_at
from order_return where order_no = order_no_of(:return_id) and return_id = :return_id;

-- name: return_lines(return_id)
select line_id, sku, quantity, restocked, scrapped
from return_line where order_no = order_no_of(:return_id) and return_id = :return_id order by line_id;

-- name: count_return_lines(line_ids, restocked, scrapped, return_id)!
update return_line l set restocked = c.restocked, scrapped = c.scrapped
from unnest(:line_ids::text[], :restocked::bigint[], :scrapped::bigint[])
    as c (line_id, restocked, scrapped)
where l.order_no = order_no_of(:return_id) and l.return_id = :return_id and l.line_id = c.line_id;

-- name: set_return_state(state, return_id)!
-- approved → received → refunded → closed; approved → closed when nothing arrives.
update order_return set state = :state, changed_at = moment()
where order_no = order_no_of(:return_id) and return_id = :return_id and state <> :state;

-- name: default_location(order_id)$
-- The location that the order was first sent from: the default for its returns.
select location from fulfilment where order_no = order_no_of(:order_id) order by fulfilment_id limit 1;
