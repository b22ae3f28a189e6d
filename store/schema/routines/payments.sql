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
       coalesce(a.released, 0)::bigint as released,
       coalesce(a.whole, false) as whole
from payment_operation o
join customer_order c using (order_no)
left join payment_authorization a
    on o.kind = 'authorize' and (a.order_no, a.authorization_key) = (o.order_no, o.authorization_key);

-- Of an order that was paid elsewhere before it came, some or all cannot be sent: a person pays that back
-- there. Our books never had it. The caller holds the order's lock.
create or replace function pay_back_elsewhere(its_no bigint, why text) returns void
language sql as $$
    insert into attention (order_no, step, reason, allowed)
    select order_no, 'pay_back_elsewhere ' || order_id,
           format('it was paid as a whole where it was sold, and %s: pay back the rest there, and answer done',
                  why), '{done}'
    from customer_order join order_money m using (order_no)
    where order_no = its_no and total_minor > m.authorized
    on conflict (order_no, step) where resolved_at is null do nothing
$$;

create or replace function ask_to_pay_back_elsewhere() returns trigger language plpgsql as $$
begin
    perform pay_back_elsewhere(new.order_no, coalesce(new.reason, 'it is ' || new.decision));
    return null;
end $$;
create or replace trigger order_paid_elsewhere_never_began after update of decision on customer_order
    for each row
    when (old.decision = 'received' and new.decision in ('rejected', 'cancelled')
          and new.document #>> '{payment,provider}' = 'elsewhere')
    execute function ask_to_pay_back_elsewhere();

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
    if exists (select from payment_authorization where order_no = the_no and provider = 'elsewhere') then
        perform pay_back_elsewhere(the_no, 'not all of it can be sent');
    end if;
end $$;

-- The intent to authorize an amount, before the company is called, and the authorization that it may make.
-- Answers when it was requested; null: there is one with this key already, so somebody else was faster.
create or replace function want_authorization(
    its_order text, its_key text, its_amount bigint, its_currency text, its_provider text,
    its_tender integer, its_part text, is_whole boolean) returns timestamptz
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
        (order_no, authorization_key, provider, tender, amount_minor, currency, part_of, whole)
    values (the_no, its_key, its_provider, its_tender, its_amount, its_currency, nullif(its_part, ''),
            is_whole)
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

-- The intent to charge, to pay back or to release an amount, before the company is called, and its room in the
-- sums of the order and of the authorization, whose constraints refuse too large ones. The room of a refund in
-- the order's sums was taken when it was granted. No row: there is one with this key already. The caller holds
-- the order's lock.
create or replace function want_payment(
    its_order text, its_key text, its_kind text, its_amount bigint, its_currency text, its_provider text,
    its_tender integer, its_authorization text, its_part text) returns setof payment_operation
language plpgsql as $$
declare
    the_no bigint := order_no_of(its_order);
    wanted payment_operation;
begin
    insert into payment_operation
        (order_no, payment_key, kind, amount_minor, currency, state, provider, tender,
         authorization_key, part_of)
    values (the_no, its_key, its_kind, its_amount, its_currency, 'requested', its_provider, its_tender,
            its_authorization, nullif(its_part, ''))
    on conflict (order_no, payment_key) do nothing
    returning * into wanted;
    if not found then
        return;
    end if;
    if its_kind = 'capture' then  -- One by hand has no authorization but its own.
        update order_money
        set authorized = authorized + case its_provider when 'by_hand' then its_amount else 0 end,
            capture_granted = capture_granted + its_amount
        where order_no = the_no;
    end if;
    if its_kind in ('capture', 'refund') then
        update payment_authorization
        set capture_granted = capture_granted + case its_kind when 'capture' then its_amount else 0 end,
            refund_granted = refund_granted + case its_kind when 'refund' then its_amount else 0 end
        where order_no = the_no and authorization_key = its_authorization;
    end if;
    return next wanted;
end $$;

-- What is due for a part, if anything is, and every operation of its order, for one who is about to charge it:
-- the order is locked, and then they are read.
create or replace function charge_to_make(
    its_order text, its_charge text, out due jsonb, out operations jsonb) language plpgsql as $$
declare
    the_no bigint;
begin
    select order_no into the_no from customer_order where order_id = its_order for no key update;
    if not found then
        perform refuse('not_found', format(
            'there is no order %s; `orderloom orders` lists what is there', its_order));
    end if;
    select jsonb_build_object(
        'charge_id', c.charge_id, 'order_id', its_order, 'currency', m.currency, 'units', c.units,
        'amount_minor', c.amount_minor, 'captured_minor', c.captured_minor, 'ahead', c.ahead)
    into due from charge c join order_money m using (order_no)
    where c.order_no = the_no and c.charge_id = its_charge;
    select coalesce(jsonb_agg(to_jsonb(p) - 'order_no' order by p.requested_at, p.payment_key), '[]')
    into operations from payment p where p.order_no = the_no;
end $$;

-- A charge is captured: the outcome, the sums of the order, of the authorization and of what is due, the entry
-- in the books, and the order's story. `releases_rest`: the authorization cannot be charged a second time.
-- Answers whether it is new; false: it was settled already.
create or replace function charge_made(
    its_key text, its_reference text, releases_rest boolean, its_memo text, accounts text[],
    amounts bigint[], its_why text, its_told jsonb) returns boolean
language plpgsql as $$
declare
    the_no    bigint;
    its_order text;
    made      payment_operation;
    its_rest  bigint := 0;
begin
    select order_no, order_id into the_no, its_order
    from customer_order where order_no = order_no_of(its_key) for no key update;
    update payment_operation
    set state = 'succeeded', reference = its_reference, code = null, message = null, settled_at = moment()
    where order_no = the_no and payment_key = its_key and state in ('requested', 'unknown')
    returning * into made;
    if not found then
        return false;
    end if;
    if releases_rest then
        select amount_minor - capture_granted - released into its_rest from payment_authorization
        where order_no = the_no and authorization_key = made.authorization_key;
    end if;
    update payment_authorization set captured = captured + made.amount_minor, released = released + its_rest
    where order_no = the_no and authorization_key = made.authorization_key;
    update order_money set captured = captured + made.amount_minor, released = released + its_rest
    where order_no = the_no;
    update charge set captured_minor = captured_minor + made.amount_minor
    where order_no = the_no and charge_id = made.part_of;
    perform entry_posted(its_key, the_no, its_memo, made.currency, accounts, amounts);
    perform told(
        array[its_order], array[its_key || ':charged'], array[null::jsonb], array['charged'],
        array['orderloom'], array[its_why], array[its_told], false);
    return true;
end $$;

-- All that a decision about an order's money needs. `taken`: what was charged, or is to be. `parts`: the
-- fulfilments that are still to leave, with the units that are claimed for them. A refund with a charge's id
-- gives back what was paid of a refused one: that charge is no more counted, either.
create or replace function tallies_of(
    its_no bigint
) returns table (
    currency text, goodwill_percent_max integer, lines jsonb, refunded jsonb, goodwill bigint,
    invoiced jsonb, parts jsonb, taken jsonb, whole boolean
) language plpgsql stable rows 1 as $$
#variable_conflict use_column
begin
    return query
    select o.currency::text, (o.policy ->> 'goodwill_percent_max')::integer as goodwill_percent_max,
           (select jsonb_agg(jsonb_build_object(
                'line_id', l.line_id, 'includes_tax', l.includes_tax,
                'units', jsonb_build_object(
                    'ordered', l.ordered, 'backordered', l.backordered, 'allocated', l.allocated,
                    'shipped', l.shipped, 'delivered', l.delivered, 'cancelled', l.cancelled,
                    'lost', l.lost, 'return_requested', l.return_requested, 'returned', l.returned),
                'whole', jsonb_build_object(
                    'goods', l.goods_minor, 'tax', l.tax_minor,
                    'shipping', l.shipping_minor, 'shipping_tax', l.shipping_tax_minor),
                'money', to_jsonb(m) - '{order_no,line_id}'::text[]) order by l.position)
            from order_line l left join order_line_money m using (order_no, line_id)
            where l.order_no = o.order_no) as lines,
           (select jsonb_build_object(
                'goods', coalesce(sum(goods_minor), 0), 'tax', coalesce(sum(tax_minor), 0),
                'shipping', coalesce(sum(shipping_minor), 0),
                'shipping_tax', coalesce(sum(shipping_tax_minor), 0))
            from refund r
            where r.order_no = o.order_no
              and not exists (select from charge c
                              where c.order_no = r.order_no and c.charge_id = r.refund_id)) as refunded,
           (select coalesce(sum(amount_minor), 0)::bigint from refund r
            where r.order_no = o.order_no and r.kind = 'goodwill') as goodwill,
           (select jsonb_build_object(
                'goods', coalesce(sum(sign * goods_minor), 0), 'tax', coalesce(sum(sign * tax_minor), 0),
                'shipping', coalesce(sum(sign * shipping_minor), 0),
                'shipping_tax', coalesce(sum(sign * shipping_tax_minor), 0))
            from document d,
                 lateral (select case d.kind when 'invoice' then 1 else -1 end as sign) s
            where d.order_no = o.order_no) as invoiced,
           (select coalesce(jsonb_agg(jsonb_build_object(
                'fulfilment_id', f.fulfilment_id,
                'units', (select coalesce(jsonb_object_agg(line_id, units), '{}')
                          from (select line_id, min(quantity) as units from reservation r
                                where r.order_no = f.order_no and r.fulfilment_id = f.fulfilment_id
                                group by line_id) r
                          where units > 0)) order by length(f.fulfilment_id), f.fulfilment_id), '[]')
            from fulfilment f
            where f.order_no = o.order_no
              and f.state in ('open', 'picking', 'picked', 'packed', 'labelled')) as parts,
           (select coalesce(jsonb_agg(jsonb_build_object(
                'charge_id', charge_id, 'amount', amount_minor, 'left', amount_minor - captured_minor)
                order by charge_id), '[]')
            from charge c where c.order_no = o.order_no) as taken,
           exists (
               select from payment_authorization a
               join payment_operation p on (p.order_no, p.payment_key) = (a.order_no, a.authorization_key)
               where a.order_no = o.order_no and a.whole and p.state = 'succeeded'
                 and a.amount_minor > a.capture_granted + a.released) as whole
    from customer_order o where o.order_no = its_no;
end $$;

-- All that a decision about an order's authorizations needs, in one read. `leaving`: the parcels that wait for
-- their hand-over, or have left, and are charged for. `seen`: the same as long as none of this changes.
create or replace function paying_of(
    its_order text
) returns table (
    order_id text, decision text, currency text, voided boolean, payment jsonb, tenders jsonb,
    brought jsonb, exchange_pays bigint, operations jsonb, leaving text[], tallies jsonb, seen text
) language plpgsql stable rows 1 as $$
#variable_conflict use_column
begin
    return query
    select p.*, md5(p::text) from (
        select o.order_id, o.decision, o.currency::text, m.voided, o.document -> 'payment', o.document -> 'tenders',
               (select jsonb_build_object('provider', provider, 'token', token)
                from brought_tender b where b.order_no = o.order_no),
               (select case when e.settled_minor is null then e.tender_minor
                            else least(e.settled_minor, (
                                select coalesce(sum(a.amount_minor - a.released), 0)
                                from payment_authorization a
                                join payment_operation p on p.order_no = a.order_no and p.payment_key = a.authorization_key
                                where a.order_no = o.order_no and a.provider = 'exchange' and p.state = 'succeeded'))
                       end::bigint
                from exchange e where e.exchange_no = o.order_no),
               (select coalesce(jsonb_agg(to_jsonb(p) - 'order_no' order by p.requested_at, p.payment_key), '[]')
                from payment p where p.order_no = o.order_no),
               (select array_agg(s.fulfilment_id order by s.fulfilment_id)
                from shipment s join fulfilment f using (order_no, fulfilment_id)
                where s.order_no = o.order_no and s.to_charge_minor > 0
                  and s.label in ('requested', 'bought')
                  and f.state in ('packed', 'labelled', 'shipped')),
               (select to_jsonb(t) from tallies_of(o.order_no) t)
        from customer_order o join order_money m using (order_no)
        where o.order_id = its_order
        offset 0  -- else all of it is computed twice: for the answer, and for its digest
    ) p;
end $$;

-- What a decision has changed in the money of lines; and a charge, if there are units to pay for:
-- nothing → to be paid by the customer.
create or replace function tallies_kept(
    its_order text, lines jsonb, its_charge text, its_units jsonb, amount bigint, is_ahead boolean,
    after_refund boolean) returns void
language plpgsql as $$
declare
    the_no bigint := order_no_of(its_order);
begin
    insert into order_line_money as m (
        order_no, line_id, charged, refunded, conceded, on_way, invoiced, credited, prepaid, resent, sendable,
        charged_worth, refunded_worth, invoiced_worth, credited_worth, withheld, reduced)
    select the_no, line_id, charged, refunded, conceded, on_way, invoiced, credited, prepaid, resent, sendable,
           charged_worth, refunded_worth, invoiced_worth, credited_worth, withheld, reduced
    from jsonb_populate_recordset(null::order_line_money, lines)
    on conflict (order_no, line_id) do update
    set charged = excluded.charged, refunded = excluded.refunded, conceded = excluded.conceded,
        on_way = excluded.on_way,
        invoiced = excluded.invoiced, credited = excluded.credited, prepaid = excluded.prepaid,
        resent = excluded.resent, sendable = excluded.sendable,
        charged_worth = excluded.charged_worth, refunded_worth = excluded.refunded_worth,
        invoiced_worth = excluded.invoiced_worth, credited_worth = excluded.credited_worth,
        withheld = excluded.withheld, reduced = excluded.reduced;
    if its_units <> '{}' then
        insert into charge (order_no, charge_id, units, amount_minor, ahead)
        values (the_no, its_charge, its_units, amount, is_ahead);
    end if;
    update order_money
    set charged = charged + amount, billed_after_refund = billed_after_refund or after_refund
    where order_no = the_no and (amount > 0 or after_refund and not billed_after_refund);
end $$;

-- Goods left: what is due for them is taken, their worth is booked, and their invoice is written, if there is
-- one to write. Last in its transaction: the counter of documents is the last lock.
create or replace function goods_billed(its_part text, bill jsonb) returns void
language plpgsql as $$
begin
    perform tallies_kept(
        order_of(its_part), bill -> 'lines', its_part, bill -> 'units', (bill ->> 'amount')::bigint, false,
        (bill ->> 'after_refund')::boolean);
    if bill -> 'postings' <> '{}' then
        perform entry_posted(
            'invoice:' || its_part, order_no_of(its_part), its_part || ' shipped', bill ->> 'currency',
            array_agg(account), array_agg(minor_units::bigint))
        from jsonb_each_text(bill -> 'postings') as p (account, minor_units);
    end if;
    if jsonb_typeof(bill -> 'invoice') = 'object' then
        perform document_issued(
            'invoice', order_of(its_part), its_part, bill ->> 'currency', bill -> 'worth',
            bill -> 'invoice');
    end if;
end $$;

-- Vouchers and gift cards for readers. One of an order is a refund that was paid so.
drop view if exists voucher;
create view voucher as
select a.account_id as voucher_id, a.kind,
       case when a.blocked_at is not null then 'blocked'
            when a.valid_through < books_day(a.seller) then 'expired'
            when a.balance_minor = 0 then 'spent'
            when a.code_digest is null then 'uncoded'
            else 'valid' end as state,
       a.seller, a.currency, i.amount_minor as issued_minor, a.balance_minor, a.authorized_minor, a.code_end,
       a.valid_through, a.single_use, a.customer_id, i.order_id, a.opened_at as issued_at
from credit_account a
join credit_operation i on i.account_id = a.account_id and i.kind = 'issue'
where a.kind <> 'store_credit';

-- Exchanges ---------------------------------------------------------------------------------------------------

-- Whether somebody has asked to release an authorization.
create or replace function is_released_soon(a payment_authorization) returns boolean language sql stable as $$
    select exists (select from payment_operation v
                   where v.order_no = a.order_no and v.authorization_key = a.authorization_key and v.kind = 'void')
$$;

-- The last of an order's means of payment: its own, or what the customer has brought in its place.
create or replace function last_payment(its_no bigint) returns jsonb language sql stable as $$
    select coalesce((select jsonb_build_object('provider', provider, 'token', token)
                     from brought_tender b where b.order_no = o.order_no), o.document -> 'payment')
    from customer_order o where o.order_no = its_no
$$;

-- The same; of an exchange order that nobody pays but what came back, that of the order from which that came.
create or replace function payer_of(its_no bigint) returns jsonb language sql stable as $$
    with recursive payer as (
        select its_no as order_no, 1 as depth, last_payment(its_no) as payment
        union all
        select e.order_no, p.depth + 1, last_payment(e.order_no)
        from payer p join exchange e on e.exchange_no = p.order_no and p.payment ->> 'provider' = 'exchange'
    )
    select payment from payer order by depth desc limit 1
$$;

-- The goods of an exchange order are let go before its return is there: it is paid like one in advance. Unless it says
-- who pays what does not come back, the order before it does.
create or replace function exchange_goes_ahead() returns trigger language plpgsql as $$
begin
    insert into brought_tender (order_no, provider, token)
    select e.exchange_no, payer ->> 'provider', payer ->> 'token'
    from exchange e cross join payer_of(e.exchange_no) as payer
    where e.exchange_no = new.order_no and e.settled_at is null and payer ->> 'provider' <> 'exchange'
      and last_payment(e.exchange_no) ->> 'provider' = 'exchange'
    on conflict (order_no) do nothing;
    return null;
end $$;
create or replace trigger awaiting_return_has_ended after update of released_at on order_hold for each row
    when (old.released_at is null and new.released_at is not null and new.reason = 'awaiting_return')
    execute function exchange_goes_ahead();

-- Exchanges with both of their orders. `pays_minor`: what one pays of its exchange order at most. `authorized_minor`:
-- what it has authorized there that is neither released nor paid back; `room_minor`: of that, what is not charged and
-- not about to be released.
drop view if exists exchange_standing;
create view exchange_standing as
select e.*, o.order_id, x.order_id as exchange_order_id, x.decision as exchange_decision, r.state as return_state,
       coalesce(e.settled_minor, e.tender_minor)::bigint as pays_minor, a.authorized_minor, a.room_minor
from exchange e
join customer_order o on o.order_no = e.order_no
join customer_order x on x.order_no = e.exchange_no
join order_return r on (r.order_no, r.return_id) = (e.order_no, e.return_id)
cross join lateral (
    select coalesce(sum(a.amount_minor - a.released - a.refunded), 0)::bigint as authorized_minor,
           coalesce(sum(a.amount_minor - a.released - a.capture_granted) filter (where not is_released_soon(a)), 0)::bigint
               as room_minor
    from payment_authorization a
    join payment_operation p on p.order_no = a.order_no and p.payment_key = a.authorization_key
    where a.order_no = e.exchange_no and a.provider = 'exchange' and p.state = 'succeeded'
) a;

-- It is known what comes back, and nobody has told the exchange order: so much goes there, and what else was
-- authorized of it is released. `is_back`: goods came, so the others may leave. Where none came, what has not left is
-- cancelled by its hold, whose deadline is now, and what has left waits to be paid another way. Answers how much
-- goes there. The caller holds the lock of the order of the return.
create or replace function exchange_settled(its_no bigint, its_return text, came bigint, is_back boolean)
returns bigint language plpgsql as $$
declare
    its     exchange_standing;
    goes    bigint;
    surplus bigint;
    its_key text;
    room    bigint;
begin
    perform from customer_order x join exchange e on e.exchange_no = x.order_no
    where e.order_no = its_no and e.return_id = its_return for no key update of x;
    select * into its from exchange_standing where order_no = its_no and return_id = its_return;
    if not found or its.settled_at is not null then
        return 0;
    end if;
    goes := case when its.exchange_decision in ('received', 'confirmed') then least(came, its.room_minor) else 0 end;
    update exchange set settled_minor = goes, settled_at = moment()
    where order_no = its_no and return_id = its_return;
    if its.exchange_decision not in ('received', 'confirmed') then
        return 0;
    end if;
    surplus := its.room_minor - goes;
    for its_key, room in
        select a.authorization_key, a.amount_minor - released - capture_granted
        from payment_authorization a
        join payment_operation p on p.order_no = a.order_no and p.payment_key = a.authorization_key
        where a.order_no = its.exchange_no and a.provider = 'exchange' and p.state = 'succeeded'
          and not is_released_soon(a)
        order by a.authorization_key desc
    loop
        update payment_authorization set released = released + least(surplus, room)
        where order_no = its.exchange_no and authorization_key = its_key;
        update order_money set released = released + least(surplus, room) where order_no = its.exchange_no;
        surplus := surplus - least(surplus, room);
    end loop;
    if is_back then
        update order_hold set released_at = moment(), released_by = 'orderloom', end_note = its_return || ' is paid back'
        where order_no = its.exchange_no and reason = 'awaiting_return' and released_at is null;
    else
        update order_hold set until = moment(), at_end = 'reject', asked_at = null
        where order_no = its.exchange_no and reason = 'awaiting_return' and released_at is null;
        if not found and exists (select from order_line
                                 where order_no = its.exchange_no and ordered > cancelled + shipped) then
            insert into order_hold (order_no, hold_id, reason, note, owner, who, until, at_end)
            select its.exchange_no, 'H' || 1 + count(*), 'awaiting_return', its_return || ' does not come back',
                   'customer service', 'orderloom', moment(), 'reject'
            from order_hold where order_no = its.exchange_no and reason <> 'payment';
        end if;
    end if;
    perform report_to_step('await_exchange:' || its.exchange_order_id, its.exchange_order_id, null, '{}');
    perform told(
        array[its.exchange_order_id], array['exchange_settled'], array[null::jsonb],
        array['exchange settled'], array['orderloom'],
        array[its_return || case when is_back then ' is paid back' else ' does not come' end],
        array[jsonb_build_object('return_id', its_return, 'order_id', its.order_id, 'amount_minor', goes,
                                 'currency', its.currency)], false);
    return goes;
end $$;
