-- What the sandbox payment company tells of money: when, its fee, and until when it can be charged.

-- migrate:up

alter table sandbox.payment
    add column expires_at timestamptz,  -- null: never
    -- One capture is all there is: what it does not take, it releases.
    add column captures_once boolean not null default false,
    drop constraint payment_void_leaves_nothing_to_capture,
    add constraint payment_closed_leaves_nothing_to_capture check (
        released_minor = case when voided or (captures_once and captured_minor > 0)
            then authorized_minor - captured_minor else 0 end);

alter table sandbox.payment_call
    -- An effect without one: somebody moved money at the company itself.
    alter column key drop not null,
    alter column called_at set default clock_timestamp(),
    add column fee_minor bigint not null default 0,
    add column expires_at timestamptz,  -- of an authorization, as it was told
    add constraint payment_call_fee check (
        fee_minor = 0 or (kind = 'capture' and code is null
                          and 0 < fee_minor and fee_minor <= amount_minor));
create index payment_call_day on sandbox.payment_call (called_at) where code is null;

alter table sandbox.fault
    drop constraint fault_operation_known,
    add constraint fault_operation_known check (
        (provider = 'payment' and operation in
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations', 'list_day'))
        or (provider = 'carrier' and operation in ('*', 'buy_label', 'void_label', 'lookup'))
        or (provider = 'supplier' and operation in ('*', 'place', 'cancel', 'chase', 'lookup')));

-- migrate:down

delete from sandbox.fault where operation = 'list_day';
alter table sandbox.fault
    drop constraint fault_operation_known,
    add constraint fault_operation_known check (
        (provider = 'payment' and operation in
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations'))
        or (provider = 'carrier' and operation in ('*', 'buy_label', 'void_label', 'lookup'))
        or (provider = 'supplier' and operation in ('*', 'place', 'cancel', 'chase', 'lookup')));
drop index sandbox.payment_call_day;
delete from sandbox.payment_call where key is null;
alter table sandbox.payment_call
    alter column key set not null,
    alter column called_at set default now(),
    drop column fee_minor,
    drop column expires_at;
update sandbox.payment set released_minor = 0 where not voided;
alter table sandbox.payment
    drop constraint payment_closed_leaves_nothing_to_capture,
    add constraint payment_void_leaves_nothing_to_capture check (
        released_minor = case when voided then authorized_minor - captured_minor else 0 end),
    drop column expires_at,
    drop column captures_once;
