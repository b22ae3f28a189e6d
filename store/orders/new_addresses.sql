-- name: kept(order_id, request_id)^
-- The order's document, and the address that is kept for this request.
select document_of(o.order_no) as document, p.wished -> :request_id -> 'address' as address
from customer_order o join order_person p using (order_no) where o.order_id = :order_id;
