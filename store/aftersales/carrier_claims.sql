-- What carriers are asked to pay for parcels. The order's row is locked by every writer.

-- name: standing_of(fulfilment_id)^
select order_of(c.fulfilment_id) as order_id, c.*
from carrier_claim_standing c where c.order_no = order_no_of(:fulfilment_id) and c.fulfilment_id = :fulfilment_id;

-- name: parcel_of(fulfilment_id)^
-- Of a parcel: its order's currency, and when it was handed over.
select o.currency::text as currency, s.handed_over_at
from shipment s join customer_order o using (order_no)
where s.order_no = order_no_of(:fulfilment_id) and s.fulfilment_id = :fulfilment_id;

-- name: file_claim(fulfilment_id, amount, currency, reference, who)!
-- Due, or nothing → filed.
insert into carrier_claim (order_no, fulfilment_id, amount_minor, currency, reference, filed_by)
values (order_no_of(:fulfilment_id), :fulfilment_id, :amount, :currency, :reference, :who);

-- name: answer_claim(fulfilment_id, outcome, paid, note, who)!
-- Filed → paid, refused or dropped.
update carrier_claim
set outcome = :outcome, paid_minor = :paid, note = :note, decided_by = :who, decided_at = moment()
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id and outcome is null;

-- name: turn_up(fulfilment_id, became)!
-- Paid → given back, or kept.
update carrier_claim set turned_up = :became
where order_no = order_no_of(:fulfilment_id) and fulfilment_id = :fulfilment_id and turned_up is null;

-- name: set_term(carrier, days)!
insert into carrier_term (carrier, file_within_days) values (:carrier, :days)
on conflict (carrier) do update set file_within_days = excluded.file_within_days;

-- name: list_claims(order_id, state, channels, sellers, after_at, after_id, at_most)
-- The latest first: of an order or of all, in this state or in any, behind the one of then that has this id.
select o.order_id, c.* from carrier_claim_standing c join customer_order o using (order_no)
where (:order_id::text is null or o.order_id = :order_id)
  and (:state::text is null or c.state = :state)
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null or (c.since, c.fulfilment_id) < (:after_at, :after_id::text))
order by c.since desc, c.fulfilment_id desc limit :at_most;

-- name: set_kept(carrier, days)!
insert into carrier_term (carrier, keeps_days) values (:carrier, :days)
on conflict (carrier) do update set keeps_days = excluded.keeps_days;
