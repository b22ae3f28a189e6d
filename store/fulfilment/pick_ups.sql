-- Goods that lie ready for their customers. `code_tried` stands in schema/routines/fulfilment.sql.

-- name: code_tried(fulfilment_id, code)$
select code_tried(:fulfilment_id, :code);

-- name: of_order(order_id)
select p.fulfilment_id, p.code, p.ready_at, f.location, f.state, s.handed_over_at as collected_at
from pick_up p join fulfilment f using (order_no, fulfilment_id) join shipment s using (order_no, fulfilment_id)
where p.order_no = order_no_of(:order_id) and f.state <> 'cancelled'
order by length(p.fulfilment_id), p.fulfilment_id;
