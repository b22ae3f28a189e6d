-- name: coming_back(fulfilment_id)^
-- The return by which an undeliverable parcel comes back.
select return_id, state, anew from order_return
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id and kind = 'undeliverable';

-- name: want(return_id)!
update order_return set anew = true where order_no = order_no_of(:return_id) and return_id = :return_id;
