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

-- An order is paid for: it is confirmed, once, and the warehouse may begin. Not where something was released:
-- then the order is being undone.
create or replace function confirm_order(its_id text, its_why text, its_told jsonb) returns void
language plpgsql as $$
declare
    the_no bigint;
begin
    select order_no into the_no from customer_order where order_id = its_id for no key update;
    update customer_order o set decision = 'confirmed', decided_at = moment()
    from order_money m
    where o.order_no = the_no and m.order_no = the_no and o.decision = 'received' and not m.voided;
    if not found then
        return;
    end if;
    update fulfilment set state = 'picking', changed_at = moment()
    where order_no = the_no and state = 'open';
    insert into order_event (order_no, effect, what, who, why, data)
    values (the_no, its_id || ':authorize:confirmed', 'confirmed', 'orderloom', its_why, its_told);
end $$;

-- The intent to authorize an amount, before the company is called, and the authorization that it may make.
-- Answers when it was requested; null: there is one with this key already, so somebody else was faster.
create or replace function want_authorization(
    its_order text, its_key text, its_amount bigint, its_currency text, its_provider text,
    its_tender integer, its_part text) returns timestamptz
language plpgsql as $$
declare
    the_no       bigint;
    its_decision text;
    wanted_at    timestamptz;
begin
    select order_no, decision into the_no, its_decision
    from customer_order where order_id = its_order for no key update;
    if its_decision not in ('received', 'confirmed') then  -- an attempt that was given up goes on
        perform refuse('illegal_transition', format(
            'order %s is %s: nothing is authorized for it', its_order, its_decision));
    elsif its_decision = 'received' and (select voided from order_money where order_no = the_no) then
        perform refuse('illegal_transition', format(
            'order %s is being undone: nothing is authorized for it', its_order));
    end if;
    insert into payment_authorization
        (order_no, authorization_key, provider, tender, amount_minor, currency, part_of)
    values (the_no, its_key, its_provider, its_tender, its_amount, its_currency, nullif(its_part, ''))
    on conflict (order_no, authorization_key) do nothing;
    if not found then
        return null;
    end if;
    insert into payment_operation
        (order_no, payment_key, kind, amount_minor, currency, state, provider, tender, authorization_key)
    values (the_no, its_key, 'authorize', its_amount, its_currency, 'requested', its_provider,
            its_tender, its_key)
    returning requested_at into wanted_at;
    return wanted_at;
end $$;

-- An authorization is made: the outcome, the order's sum, its story, and, where nothing is lacking any more
-- (`confirms`), its confirmation. Answers how the order was decided before; null: it was settled already.
create or replace function authorization_made(
    its_key text, its_reference text, its_end timestamptz, confirms boolean, its_why text, its_told jsonb)
    returns text
language plpgsql as $$
declare
    the_no       bigint;
    its_order    text;
    its_decision text;
begin
    select order_no, order_id, decision into the_no, its_order, its_decision
    from customer_order where order_no = order_no_of(its_key) for no key update;
    update payment_operation set state = 'succeeded', reference = its_reference, settled_at = moment()
    where order_no = the_no and payment_key = its_key and state in ('requested', 'unknown');
    if not found then
        return null;
    end if;
    update payment_authorization set expires_at = its_end
    where order_no = the_no and authorization_key = its_key;
    update order_money m set authorized = m.authorized + a.amount_minor
    from payment_authorization a
    where a.order_no = the_no and a.authorization_key = its_key and m.order_no = the_no;
    if its_decision = 'confirmed' then
        insert into order_event (order_no, effect, what, who, why, data)
        values (the_no, its_key || ':authorization renewed', 'authorization renewed', 'orderloom',
                its_why, its_told || jsonb_build_object('payment_key', its_key));
    elsif confirms then
        perform confirm_order(its_order, its_why, its_told);
    end if;
    return its_decision;
end $$;
