-- First days of sale. The function stands in schema/routines/stock.sql.

-- name: of_order(order_id)
-- When the first day of sale begins, or began, of units that wait: where that is last.
select b.line_id, max(i.available_from::timestamp at time zone coalesce(l.calendar ->> 'time_zone', 'UTC')) as begins
from backorder b join item i using (sku) cross join location l
where b.order_no = order_no_of(:order_id) and b.quantity > 0 and i.available_from is not null
  and l.retired_at is null
group by b.line_id;

-- name: moved(batch)
-- Units that wait, and whose customers were told of another first day of sale. Where it is over, they are told
-- nothing any more: goods are there, or are waited for.
select order_no_of(o.order_id) as order_no, o.order_id, b.line_id, b.sku
from backorder b join item i using (sku) join customer_order o using (order_no)
where b.quantity > 0 and i.available_from is distinct from b.first_day
  and (b.first_day > transaction_moment()::date or i.available_from > transaction_moment()::date)
order by b.order_no, b.line_id limit :batch;

-- name: move(order_no, line_id)!
select first_day_moved(:order_no, :line_id);

-- name: wait_longer(order_id, line_ids, since)!
update backorder b set since = w.since
from unnest(:line_ids::text[], :since::timestamptz[]) as w (line_id, since)
where b.order_no = order_no_of(:order_id) and b.line_id = w.line_id and b.quantity > 0;
