create or replace trigger credit_operation_append_only before update or delete on credit_operation
    for each row execute function append_only();

-- Operations for readers: an operation that authorizes has the sums of its authorization.
drop view if exists payment;
create view payment as
select o.order_no, c.order_id, o.payment_key, o.kind, o.amount_minor, o.currency, o.state, o.provider,
       o.tender,
       nullif(o.authorization_key, o.payment_key) as authorization_key,
       case o.kind when 'authorize' then a.part_of else o.part_of end as part_of, o.reference, o.code,
       o.message, o.requested_at, o.settled_at, a.expires_at,
       coalesce(a.capture_granted, 0)::bigint as capture_granted,
       coalesce(a.captured, 0)::bigint as captured,
       coalesce(a.refund_granted, 0)::bigint as refund_granted,
       coalesce(a.refunded, 0)::bigint as refunded,
       coalesce(a.released, 0)::bigint as released
from payment_operation o
join customer_order c using (order_no)
left join payment_authorization a
    on o.kind = 'authorize' and (a.order_no, a.authorization_key) = (o.order_no, o.authorization_key);
