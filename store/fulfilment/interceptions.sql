-- Parcels that carriers are asked to stop on their way. The order's row is locked by every writer.

-- name: carrier_of(fulfilment_id)$
-- The carrier's name here; null: nothing was sent under this id.
select sold_by from shipment
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id and label = 'bought';

-- name: standing(fulfilment_id, request_id)^
-- The parcel, and what was asked before: by this request, and in all.
select f.state, s.tracking_number::text, mine.number, mine.answer, mine.fee_minor::bigint, mine.currency::text,
       (select count(*) from interception i
        where i.order_no = f.order_no and i.fulfilment_id = f.fulfilment_id) as asked_before,
       exists (select from interception i
               where i.order_no = f.order_no and i.fulfilment_id = f.fulfilment_id and i.answer = 'asked'
                 and i.request_id <> :request_id) as is_asked
from fulfilment f join shipment s using (order_no, fulfilment_id)
left join interception mine on mine.order_no = f.order_no and mine.request_id = :request_id
where f.order_no = order_no_of(:fulfilment_id) and f.fulfilment_id = :fulfilment_id;

-- name: ask(fulfilment_id, number, request_id, way)!
-- Nothing → asked.
insert into interception (order_no, fulfilment_id, number, request_id, way)
values (order_no_of(:fulfilment_id), :fulfilment_id, :number, :request_id, :way);

-- name: answer(fulfilment_id, request_id, answer, fee, currency)$
-- Asked, or given up → accepted or refused. Null where it was answered before.
update interception set answer = :answer, fee_minor = :fee, currency = :currency
where order_no = order_no_of(:fulfilment_id) and request_id = :request_id and answer in ('asked', 'given_up')
returning number;

-- name: give_up(fulfilment_id, request_id)$
-- Asked → given up. Null where it was answered before, or never asked.
update interception set answer = 'given_up'
where order_no = order_no_of(:fulfilment_id) and request_id = :request_id and answer = 'asked'
returning number;
