-- What must be true of messages to customers: each query finds what breaks it. See ../audit.sql.

-- name: event_has_its_message()
-- Since what is told is as it was at the last reading. An order's message may have been dropped; then it says why.
select o.order_id, e.event_id, e.type
from message_reading r
join event_out e on e.position > r.told_from and e.position <= r.cursor
join customer_order o using (order_no)
join order_event l on l.order_no = e.order_no and l.event_id = e.event_id
where r.told -> 'types' -> (r.told -> 'channels' ->> o.channel) ? e.type and not r.told -> 'untold' ? l.what
  and l.data -> 'tells_customer' is distinct from 'false'::jsonb
  and not exists (select from message m where m.order_no = e.order_no and m.event_id = e.event_id)
order by e.position;

-- name: mail_has_an_id_of_its_own()
select min(o.order_id) as order_id, m.mail_id, count(*) as messages
from message m join customer_order o using (order_no)
where m.mail_id is not null
group by m.mail_id having count(*) > 1
order by m.mail_id;

-- name: sent_message_says_as_what()
select o.order_id, m.event_id
from message m join customer_order o using (order_no)
where m.state = 'sent' and (m.by is null or m.by = 'mail' and m.mail_id is null)
order by o.order_id, m.event_id;
