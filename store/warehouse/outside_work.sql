-- What workshops do with fulfilments. The functions stand in schema/routines/fulfilment.sql.

-- name: work_of(fulfilment_id)^
-- What a workshop is to do with a fulfilment, and what it is given for that.
select order_of(w.fulfilment_id) as order_id, w.fulfilment_id, w.attempt, w.state, f.handling, f.location, (
           select jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                            order by l.line_id)
           from fulfilment_line l
           where l.order_no = w.order_no and l.fulfilment_id = w.fulfilment_id and l.quantity > 0) as lines
from outside_work w join fulfilment f using (order_no, fulfilment_id)
where w.order_no = order_no_of(:fulfilment_id) and w.fulfilment_id = :fulfilment_id;

-- name: begun(fulfilment_id, attempt)$
select work_begun(:fulfilment_id, :attempt);

-- name: ended(fulfilment_id, attempt, state, said)$
select work_ended(:fulfilment_id, :attempt, :state, :said);

-- name: wanted_again(fulfilment_id)$
select work_wanted_again(:fulfilment_id);

-- name: sent_as(fulfilment_id, carrier, tracking_number)!
-- The workshop has sent it in a parcel of its own.
update shipment set carrier = :carrier, tracking_number = :tracking_number
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id;
