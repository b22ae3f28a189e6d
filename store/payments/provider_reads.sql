-- Reads about disputes, and about payment companies' messages.

-- name: list_disputes(open_only, order_id, channels, sellers, after_at, after_provider, after_id, at_most)
-- Newest first. Of orders of these channels and sellers (null: of all, and of no order), behind the one that was
-- opened then, at this company, under this id.
select d.provider, d.dispute_id, o.order_id, d.payment_key, d.amount_minor, d.currency,
       d.fee_minor, d.fee_currency,
       d.state, d.reason, d.opened_at, d.respond_by, d.closed_at, d.said_at
from dispute d left join customer_order o using (order_no)
where (not :open_only or d.closed_at is null)
  and (:order_id::text is null or d.order_no = order_no_of(:order_id))
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null
       or (d.opened_at, d.provider, d.dispute_id) < (:after_at, :after_provider::text, :after_id::text))
order by d.opened_at desc, d.provider desc, d.dispute_id desc limit :at_most;

-- name: list_due_disputes(awaited, channels, sellers, after_due, after_provider, after_id, at_most)
-- Those that are not decided, what is to be answered next first; last, in any sequence, those that wait for no answer of
-- ours. Of orders of these channels and sellers (null: of all, and of no order), behind the one of this due moment, at
-- this company, under this id.
select d.provider, d.dispute_id, o.order_id, d.payment_key, d.amount_minor, d.currency,
       d.fee_minor, d.fee_currency,
       d.state, d.reason, d.opened_at, d.respond_by, d.closed_at, d.said_at
from dispute d left join customer_order o using (order_no)
cross join lateral (
    select coalesce(case when d.state = any(:awaited::text[]) then d.respond_by end, 'infinity') as at) due
where d.closed_at is null
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_id::text is null
       or (due.at, d.provider, d.dispute_id)
          > (coalesce(:after_due::timestamptz, 'infinity'), :after_provider::text, :after_id))
order by due.at, d.provider, d.dispute_id limit :at_most;

-- name: list_events(failed, after_at, after_provider, after_id, at_most)
-- Newest first, behind the one that came then, from this company, under this id.
select provider, event_id, type, happened_at, received_at, processed_at, tries, try_after,
       coalesce(last_error, '') as last_error
from provider_event
where (not :failed or (processed_at is null and tries > 0))
  -- Never null, so that any plan begins there in the index.
  and (received_at, provider, event_id) < (coalesce(:after_at::timestamptz, 'infinity'),
                                           coalesce(:after_provider::text, ''), coalesce(:after_id::text, ''))
order by received_at desc, provider desc, event_id desc limit :at_most;
