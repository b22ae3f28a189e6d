-- Reads about disputes, and about payment companies' messages.

-- name: list_disputes(open_only, order_id, at_most)
select provider, dispute_id, order_of(payment_key) as order_id, payment_key, amount_minor, currency,
       fee_minor, fee_currency,
       state, reason, opened_at, respond_by, closed_at, said_at
from dispute
where (not :open_only or closed_at is null)
  and (:order_id::text is null or order_no = order_no_of(:order_id))
order by opened_at desc, dispute_id limit :at_most;

-- name: list_events(failed, at_most)
select provider, event_id, type, happened_at, received_at, processed_at, tries, try_after,
       coalesce(last_error, '') as last_error
from provider_event
where not :failed or (processed_at is null and tries > 0)
order by received_at desc, event_id limit :at_most;
