-- The sandbox companies: a payment company, a carrier and suppliers. They are outside companies that
-- happen to live in the same server: nothing in this schema refers to Orderloom's own tables, or the
-- reverse, and no transaction spans both. A production database has none of it.

create schema sandbox;

-- How the companies misbehave, changeable while everything runs and seen by every process.
create table sandbox.fault (
    provider  text not null,
    operation text not null,  -- '*' is every operation of the provider
    -- unavailable: 5xx, no effect; timeout_before: no effect, no answer;
    -- timeout_after: the effect is done and stored, no answer
    kind      text not null,
    rate      double precision not null,  -- share of the calls that it befalls
    remaining integer,  -- how many more calls it may befall; null is no limit
    primary key (provider, operation, kind),
    -- a misspelt fault would never strike and its test would prove nothing
    constraint fault_is_of_a_known_operation check (
        (provider = 'payment' and operation in
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations', 'list_day'))
        or (provider = 'carrier' and operation in ('*', 'buy_label', 'void_label', 'intercept', 'lookup'))
        or (provider = 'supplier' and operation in ('*', 'place', 'cancel', 'chase', 'lookup'))),
    constraint fault_is_of_a_known_kind check (kind in ('unavailable', 'timeout_before', 'timeout_after')),
    constraint fault_rate_is_a_share check (rate between 0 and 1),
    constraint remaining_faults_are_not_negative check (remaining >= 0)
);

-- The payment company --------------------------------------------------------------------------------

-- The number in its references: auth_1, cap_2, …
create sequence sandbox.payment_reference;

-- One row per authorization. Its checks are the company's limits, whatever a query does.
create table sandbox.payment (
    reference        text    primary key,
    order_id         text    not null,
    currency         text    not null
        constraint payment_currency_is_three_capital_letters check (currency ~ '^[A-Z]{3}$'),
    token            text    not null,
    authorized_minor bigint  not null
        constraint payment_is_of_an_amount check (authorized_minor > 0),
    captured_minor   bigint  not null default 0
        constraint payment_captured_is_not_negative check (captured_minor >= 0),
    refunded_minor   bigint  not null default 0
        constraint payment_refunded_is_not_negative check (refunded_minor >= 0),
    released_minor   bigint  not null default 0,
    voided           boolean not null default false,
    expires_at       timestamptz,  -- until when it can be charged; null: for ever
    -- One capture is all there is: what it does not take, it releases.
    captures_once    boolean not null default false,
    constraint payment_captured_is_at_most_authorized check (captured_minor <= authorized_minor),
    constraint payment_refunded_is_at_most_captured check (refunded_minor <= captured_minor),
    -- A void releases exactly the remainder, so a capture after it cannot balance.
    constraint closed_payment_leaves_nothing_to_capture check (
        released_minor = case when voided or (captures_once and captured_minor > 0)
            then authorized_minor - captured_minor else 0 end)
);

-- Every call that it has decided, by idempotency key: an effect has a reference, a refusal has a code.
-- The unique key is what makes concurrent calls with one key a single effect.
create table sandbox.payment_call (
    id                bigint generated always as identity primary key,
    key               text   constraint a_key_is_one_payment_call unique,  -- null: somebody moved money at the company itself
    kind              text   not null
        constraint payment_call_is_of_a_known_kind
            check (kind in ('authorize', 'capture', 'void', 'refund')),
    request           text   not null,  -- the call's content, to tell a repeat from a conflict
    payment_reference text
        constraint payment_call_is_of_a_payment references sandbox.payment,  -- null if there is none
    order_id          text,
    token             text,
    reference         text   constraint a_reference_is_one_payment_call unique,
    amount_minor      bigint constraint payment_call_amount_is_not_negative check (amount_minor >= 0),
    currency          text,
    code              text,
    called_at         timestamptz not null default moment(),
    fee_minor         bigint not null default 0,
    expires_at        timestamptz,  -- of an authorization, as it was told
    constraint payment_call_is_an_effect_or_a_refusal check (
        case when code is null
            then num_nulls(payment_reference, order_id, reference, amount_minor, currency) = 0
            else reference is null end),
    constraint fee_is_of_a_capture_and_at_most_its_amount check (
        fee_minor = 0 or (kind = 'capture' and code is null
                          and 0 < fee_minor and fee_minor <= amount_minor))
);
create index payment_call_order on sandbox.payment_call (order_id, id);
create index payment_call_day on sandbox.payment_call (called_at) where code is null;

-- The carrier ------------------------------------------------------------------------------------------

-- Tracking numbers come from here, modulo the size of the carrier's range: they repeat in time.
create sequence sandbox.tracking_number;

-- One row per label sold. (carrier, tracking_number) is deliberately not unique: numbers recur.
create table sandbox.label (
    id              bigint  generated always as identity primary key,
    carrier         text    not null,
    tracking_number text    not null,
    fulfilment_id   text    not null,
    service         text    not null,
    country         text    not null,
    postal_code     text,
    box             text,
    grams           integer,
    voided          boolean not null default false
);
create index label_newest on sandbox.label (carrier, tracking_number, id desc);

-- Every call that the carrier has decided, by idempotency key, as for payments.
create table sandbox.carrier_call (
    key       text   primary key,
    operation text   not null
        constraint carrier_operation_is_known check (operation in ('buy_label', 'void_label', 'intercept')),
    request   text   not null,
    label_id  bigint constraint carrier_call_is_of_a_label references sandbox.label,
    code      text,
    called_at timestamptz not null default transaction_moment(),
    constraint carrier_call_is_an_effect_or_a_refusal check (num_nulls(label_id, code) = 1)
);

-- The suppliers ----------------------------------------------------------------------------------------

-- An order as a supplier knows it. One that is cancelled before it came is known as cancelled.
create table sandbox.supplier_order (
    po_id       text    primary key,
    reference   text    not null
        constraint supplier_reference_is_of_one_order unique
        default 'SO-' || upper(substr(md5(random()::text), 1, 8)),
    document    jsonb,
    x12         text,
    cancelled   boolean not null default false,
    chased      integer not null default 0,
    received_at timestamptz not null default transaction_moment()
);
