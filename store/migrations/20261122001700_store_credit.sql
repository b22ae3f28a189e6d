-- migrate:up

-- What the shop owes its customers and they can pay with. It answers as a payment company does, so
-- nothing here refers to orders or payments, or the reverse: they know each other by ids and keys.

-- One account for each customer and currency. Its id is what an order gives as its payment token, and
-- like a card's token it is not to be guessed.
create table credit_account (
    account_id    text primary key
        default 'credit_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 20),
    customer_id   text   not null,
    currency      text   not null check (currency ~ '^[A-Z]{3}$'),
    balance_minor bigint not null default 0,  -- what the customer has
    held_minor    bigint not null default 0,  -- of that, what orders have set aside
    opened_at     timestamptz not null default clock_timestamp(),
    unique (customer_id, currency),
    -- Nothing is spent or set aside that is not there, however many orders ask at once.
    constraint credit_covers_holds check (0 <= held_minor and held_minor <= balance_minor)
);

-- The number in references: hold_1, capture_2, …
create sequence credit_reference;

-- What an order has set aside of an account: an authorization. It does not expire.
create table credit_hold (
    hold           text primary key,
    account_id     text   not null references credit_account,
    order_id       text   not null,
    amount_minor   bigint not null check (amount_minor > 0),
    captured_minor bigint not null default 0 check (captured_minor >= 0),
    refunded_minor bigint not null default 0 check (refunded_minor >= 0),
    released_minor bigint not null default 0,
    voided         boolean not null default false,
    constraint credit_captured_within_hold check (captured_minor <= amount_minor),
    constraint credit_refunded_within_captured check (refunded_minor <= captured_minor),
    -- A void releases exactly the remainder, so a capture after it cannot balance.
    constraint credit_void_leaves_nothing check (
        released_minor = case when voided then amount_minor - captured_minor else 0 end)
);

-- Every call that was decided, by its key: an effect has a reference, a refusal has a code. The
-- sums of accounts and holds above are the sums of these.
create table credit_operation (
    operation_id    bigint generated always as identity primary key,
    key             text not null unique,  -- makes concurrent calls with one key a single effect
    kind            text not null check (kind in ('issue', 'authorize', 'capture', 'void', 'refund')),
    request         text not null,  -- the call's content, to tell a repeat from a conflict
    account_id      text references credit_account,
    hold            text references credit_hold,
    order_id        text,
    reference       text unique,
    amount_minor    bigint,
    currency        text,
    balance_change  bigint not null generated always as (
        case when code is not null then 0
             when kind in ('issue', 'refund') then amount_minor
             when kind = 'capture' then -amount_minor
             else 0 end) stored,
    held_change     bigint not null generated always as (
        case when code is not null then 0
             when kind = 'authorize' then amount_minor
             when kind in ('capture', 'void') then -amount_minor
             else 0 end) stored,
    code            text,
    available_minor bigint,  -- of a refusal for want of it: what there was
    who             text not null,
    why             text not null,
    at              timestamptz not null default clock_timestamp(),
    constraint credit_operation_moves_something check (
        amount_minor > 0 or kind = 'void' and amount_minor = 0),
    constraint credit_operation_is_effect_or_refusal check (
        case when code is null
            then num_nulls(account_id, reference, amount_minor, currency) = 0
                 and case kind when 'issue' then hold is null
                               else num_nulls(hold, order_id) = 0 end
            else reference is null end)
);
create index credit_operation_by_account on credit_operation (account_id, operation_id);
create index credit_operation_by_order on credit_operation (order_id, operation_id);
create index credit_operation_by_time on credit_operation (at);
create trigger credit_operation_append_only before update or delete on credit_operation
    for each row execute function append_only();

-- Credit that is given without an order is booked, too.
alter table journal_entry alter column order_id drop not null;

-- migrate:down

-- Entries without an order stay: what was booked is not taken back.
drop table credit_operation, credit_hold, credit_account;
drop sequence credit_reference;
