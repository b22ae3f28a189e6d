-- migrate:up

-- An order is paid by several tenders, with authorizations that end and are made anew; a refund is
-- granted first and issued then.

alter table payment
    add column tender integer not null default 1 check (tender >= 1),  -- its place in the order's list
    -- What a capture, void or refund is about. Null: done by hand, or credit that is given anew.
    add column authorization_key text references payment,
    add column part_of text not null default '',  -- the step that it is a part of
    add column expires_at timestamptz,            -- of an authorization: until when it can be charged
    -- Of an authorization: what was asked of it and what was done. A request takes its room here
    -- first. Released: voided, expired, or given up with the one capture that there could be.
    add column capture_granted bigint not null default 0,
    add column captured        bigint not null default 0,
    add column refund_granted  bigint not null default 0,
    add column refunded        bigint not null default 0,
    add column released        bigint not null default 0,
    add constraint payment_captured check (
        0 <= captured and captured <= capture_granted
        and 0 <= released and capture_granted + released <= amount_minor),
    add constraint payment_refunded check (
        0 <= refunded and refunded <= refund_granted and refund_granted <= captured),
    add constraint payment_of_authorization check (
        kind = 'authorize' or (capture_granted, refund_granted, released) = (0, 0, 0));
drop index payment_once;
create index payment_by_authorization on payment (authorization_key);

alter table order_money
    add column released bigint not null default 0,  -- of what was authorized
    add column disputed bigint not null default 0 check (disputed >= 0),
    add constraint money_released check (0 <= released and capture_granted + released <= authorized);

alter table order_line
    add column invoiced bigint not null default 0,  -- units that went out, for which revenue is booked
    add column conceded bigint not null default 0,  -- units paid back that the customer keeps
    add constraint line_invoiced check (0 <= invoiced and invoiced <= ordered),
    add constraint line_conceded check (0 <= conceded and conceded <= refunded);

-- What is owed to the customer and why, and how much of it is given back.
create table refund (
    refund_id          text primary key,
    order_id           text   not null references orders,
    kind               text   not null check (kind in (
        'return', 'lost', 'cancelled', 'units', 'shipping', 'goodwill')),
    units              jsonb  not null default '{}',  -- line id → units paid back
    goods_minor        bigint not null check (goods_minor >= 0),
    tax_minor          bigint not null check (tax_minor >= 0),
    shipping_minor     bigint not null check (shipping_minor >= 0),
    shipping_tax_minor bigint not null check (shipping_tax_minor >= 0),
    amount_minor       bigint not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    currency           text   not null,
    credited_minor     bigint not null,  -- of it, what was invoiced; the rest was only charged
    issued_minor       bigint not null default 0,
    reason             text   not null,
    who                text   not null,
    granted_at         timestamptz not null default clock_timestamp(),
    constraint refund_issued check (
        0 <= issued_minor
        and issued_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint refund_credited check (
        0 <= credited_minor
        and credited_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor)
);
create index refund_by_order on refund (order_id);
create index refund_owed on refund (granted_at)
    where issued_minor < goods_minor + tax_minor + shipping_minor + shipping_tax_minor;

-- What there is of before: one authorization an order, and what goes out is charged at once.
update payment set authorization_key = order_id || ':authorize'
where kind <> 'authorize' and provider <> 'by_hand';
update payment set part_of = regexp_replace(payment_key, ':(capture|refund)(:[^:]+)?$', '')
where kind in ('capture', 'refund');
update payment a set
    capture_granted = d.capture_granted, captured = d.captured,
    refund_granted = d.refund_granted, refunded = d.refunded,
    released = case when d.voided then a.amount_minor - d.captured else 0 end
from (
    select authorization_key as payment_key,
           coalesce(sum(amount_minor) filter (where kind = 'capture' and state <> 'failed'), 0)
               as capture_granted,
           coalesce(sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded'), 0)
               as captured,
           coalesce(sum(amount_minor) filter (where kind = 'refund' and state <> 'failed'), 0)
               as refund_granted,
           coalesce(sum(amount_minor) filter (where kind = 'refund' and state = 'succeeded'), 0)
               as refunded,
           bool_or(kind = 'void' and state = 'succeeded') as voided
    from payment where authorization_key is not null group by authorization_key
) d
where a.payment_key = d.payment_key;
update order_money m set
    authorized = m.authorized + h.by_hand,
    released = case when m.voided then m.authorized - (m.captured - h.by_hand) else 0 end
from (
    select o.order_id, coalesce(sum(p.amount_minor) filter (
        where p.provider = 'by_hand' and p.kind = 'capture' and p.state = 'succeeded'), 0) as by_hand
    from order_money o left join payment p using (order_id) group by o.order_id
) h
where h.order_id = m.order_id;
update order_line set invoiced = charged;
-- A refund of which the units are not known any more is known by its amount.
insert into refund (refund_id, order_id, kind, goods_minor, tax_minor, shipping_minor,
                    shipping_tax_minor, credited_minor, currency, issued_minor, reason, who, granted_at)
select part_of, order_id, 'return', max(amount_minor), 0, 0, 0, max(amount_minor), currency,
       coalesce(sum(amount_minor) filter (where state = 'succeeded'), 0),
       'refunded before refunds were kept apart', 'orderloom', min(requested_at)
from payment where kind = 'refund' group by part_of, order_id, currency;
-- What of it is still owed was not booked: that was done as it was paid back.
with granted as (
    insert into journal_entry (effect, order_id, memo)
    select 'granted:' || refund_id, order_id, reason from refund where issued_minor < amount_minor
    returning entry_id, order_id, effect
)
insert into posting (entry_id, account, amount_minor, currency)
select g.entry_id, p.account, p.sign * (r.amount_minor - r.issued_minor), r.currency
from granted g
join refund r on g.effect = 'granted:' || r.refund_id
cross join (values ('refunds', 1), ('refunds_payable', -1)) as p (account, sign);

-- migrate:down

drop table refund;
alter table order_line drop column invoiced, drop column conceded;
alter table order_money drop column released, drop column disputed;
drop index payment_by_authorization;
alter table payment
    drop column tender, drop column authorization_key, drop column part_of, drop column expires_at,
    drop column capture_granted, drop column captured, drop column refund_granted,
    drop column refunded, drop column released;
create unique index payment_once on payment (order_id, kind) where kind in ('authorize', 'void');
