-- The money of an order's lines, and what is to be charged. Every writer locks the order's row.

-- name: tallies_of(order_id)^
-- All that a decision about an order's money needs. The function stands in schema/routines/payments.sql.
select * from tallies_of(order_no_of(:order_id));

-- name: limit_tallies(order_ids)!
-- Of a line that is cut before it is authorized, no more is ever charged than the units that are left.
insert into order_line_money (order_no, line_id, sendable)
select order_no, line_id, ordered - cancelled from order_line join customer_order using (order_no)
where order_id = any(:order_ids::text[]) and cancelled > 0;

-- name: keep(order_id, lines, charge_id, units, amount, ahead, after_refund)$
-- What a decision has changed. The function stands in schema/routines/payments.sql.
select tallies_kept(:order_id, :lines::jsonb, :charge_id, :units::jsonb, :amount, :ahead, :after_refund);

-- name: take_charge_back(charge_id)!
-- To be paid → refused: only what was captured by then is left of it, which is paid back.
with less as (
    update charge c set units = '{}', amount_minor = captured_minor
    from (select order_no, charge_id, amount_minor from charge
          where order_no = order_no_of(:charge_id) and charge_id = :charge_id) before
    where (c.order_no, c.charge_id) = (before.order_no, before.charge_id)
    returning c.order_no, before.amount_minor - c.captured_minor as amount
)
update order_money m set charged = charged - less.amount
from less where m.order_no = less.order_no;

-- name: charge_of(charge_id)^
select charge_id, order_of(charge_id) as order_id, currency, units, amount_minor, captured_minor, ahead
from charge join order_money using (order_no)
where order_no = order_no_of(:charge_id) and charge_id = :charge_id;

-- name: charge_to_make(order_id, charge_id)^
-- A charge, and every operation of its order, which is locked. The function stands in
-- schema/routines/payments.sql.
select due, operations from charge_to_make(:order_id, :charge_id);
