-- name: sent_from(order_id, line_id)$
-- The location that a line was sent from, the last time that any of it arrived.
select f.location from fulfilment f join fulfilment_line l using (order_no, fulfilment_id)
where f.order_no = order_no_of(:order_id) and l.line_id = :line_id and l.picked > 0 and f.state = 'delivered'
order by f.changed_at desc, f.fulfilment_id desc limit 1;
