-- Returns. The order's row is locked by every writer.

-- name: next_number(order_id)$
-- Returns are numbered from 1, and none is ever deleted.
select 1 + count(*) from order_return where order_no = order_no_of(:order_id);

-- name: insert_return(return_id, order_id, kind, fulfilment_id, state, reason, asks)!
-- Nothing → approved, or requested.
insert into order_return (order_no, return_id, kind, fulfilment_id, state, reason, asks, chase_at)
select order_no, :return_id, :kind, :fulfilment_id, :state, :reason, :asks,
       moment() + (policy ->> 'return_within')::interval
from customer_order where order_id = :order_id;

-- name: insert_return_lines(return_id, order_id, line_ids, skus, quantities, reason_codes)!
insert into return_line (order_no, return_id, line_id, sku, quantity, reason_code)
select order_no_of(:order_id), :return_id, line_id, sku, quantity, reason_code
from unnest(:line_ids::text[], :skus::text[], :quantities::bigint[], :reason_codes::text[])
    as l (line_id, sku, quantity, reason_code);

-- name: return_of(return_id)^
select return_id, order_of(return_id) as order_id, kind, fulfilment_id, state, reason, paid_early, anew, changed_at
from order_return where order_no = order_no_of(:return_id) and return_id = :return_id;

-- name: return_lines(return_id)
select line_id, sku, quantity, reason_code, restocked, scrapped
from return_line where order_no = order_no_of(:return_id) and return_id = :return_id order by line_id;

-- name: insert_units(return_id, line_ids, numbers, units)!
insert into return_unit (order_no, return_id, line_id, number, quantity, condition, disposition, photo, reference,
                         lacks)
select order_no_of(:return_id), :return_id, line_id, number, (u ->> 'quantity')::bigint, u ->> 'condition',
       u ->> 'disposition', u ->> 'photo', u ->> 'reference', u -> 'lacks'
from unnest(:line_ids::text[], :numbers::integer[], :units::jsonb[]) as f (line_id, number, u);

-- name: count_return_lines(line_ids, restocked, scrapped, refurbished, to_supplier, return_id)!
update return_line l
set restocked = c.restocked, scrapped = c.scrapped, refurbished = c.refurbished, to_supplier = c.to_supplier
from unnest(:line_ids::text[], :restocked::bigint[], :scrapped::bigint[], :refurbished::bigint[],
            :to_supplier::bigint[])
    as c (line_id, restocked, scrapped, refurbished, to_supplier)
where l.order_no = order_no_of(:return_id) and l.return_id = :return_id and l.line_id = c.line_id;

-- name: set_return_state(state, because, return_id)!
-- requested → approved, refused or closed; approved → in_transit → received → refunded, or closed when nothing
-- comes. Each time until it is overdue begins with its approval, and again with the first scan of its parcel.
update order_return
set state = :state, ended_because = coalesce(:because, ended_because), changed_at = moment(),
    chase_at = case
        when :state in ('approved', 'in_transit') then (
            select (policy ->> 'return_within')::interval + coalesce(
                       (select l.first_scan_at from return_label l
                        where l.order_no = o.order_no and l.return_id = :return_id), moment())
            from customer_order o where o.order_no = order_return.order_no)
        else chase_at end
where order_no = order_no_of(:return_id) and return_id = :return_id and state <> :state
  -- What is paid back early is still to be counted.
  and (:state <> 'refunded' or state = 'received');

-- name: paid_early(return_id)!
update order_return set paid_early = true where order_no = order_no_of(:return_id) and return_id = :return_id;

-- name: default_location(return_id)$
select return_location(order_no_of(:return_id), :return_id);
