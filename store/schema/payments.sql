-- What customers pay and get back, and what payment companies tell of it.

-- One row per order: what was asked for and what was done. A request takes its room here first, so
-- however many run at once, no more is charged than was authorized, and no more refunded than charged.
create table order_money (
    order_id            text          primary key
        constraint order_money_is_of_an_order references customer_order,
    currency            currency_code not null,
    authorized          minor_units   not null default 0,
    released            minor_units   not null default 0,  -- of what was authorized
    capture_granted     minor_units   not null default 0,
    captured            minor_units   not null default 0,
    refund_granted      minor_units   not null default 0,  -- owed to the customer
    refunded            minor_units   not null default 0,  -- given back
    disputed            minor_units   not null default 0,
    voided              boolean       not null default false,
    -- Something was billed that was decided after a refund of the same order: to the minor unit, its
    -- amount then depends on the sequence of the two.
    billed_after_refund boolean       not null default false,
    constraint captured_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunded_is_at_most_owed check (refunded <= refund_granted),
    constraint owed_is_at_most_captured check (refund_granted <= captured),
    constraint captures_and_releases_are_at_most_authorized check (
        0 <= released and capture_granted + released <= authorized)
);

-- What a provider has been asked to authorize, by the key of the operation that asked for it. What was
-- asked of an authorization and what was done are kept here as sums: a request takes its room here first,
-- and the audit compares them with the operations. Released: voided, expired, or given up with the one
-- capture that there could be.
create table payment_authorization (
    authorization_key text          primary key,
    order_id          text          not null
        constraint payment_authorization_is_of_an_order references customer_order,
    provider          text          not null,
    tender            integer       not null constraint tender_is_one_or_more check (tender >= 1),
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the fulfilment that it pays; null: any
    expires_at        timestamptz,  -- until when it can be charged; null: for ever
    capture_granted   minor_units   not null default 0,
    captured          minor_units   not null default 0,
    refund_granted    minor_units   not null default 0,
    refunded          minor_units   not null default 0,
    released          minor_units   not null default 0,
    constraint authorization_is_of_one_order unique (authorization_key, order_id),
    constraint captures_and_releases_are_at_most_the_authorization check (
        capture_granted + released <= amount_minor),
    constraint captured_by_it_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunds_by_it_are_at_most_captured check (refund_granted <= captured),
    constraint refunded_by_it_is_at_most_asked_for check (refunded <= refund_granted)
);
create index payment_authorization_by_order on payment_authorization (order_id);

-- Each call to a provider, and what was done by hand instead of one. The row is written before the
-- provider is called with its key: requested → succeeded or failed; unknown: asked, and no answer came.
create table payment_operation (
    payment_key       text          primary key,
    order_id          text          not null
        constraint payment_operation_is_of_an_order references customer_order,
    kind              text          not null constraint operation_is_of_a_known_kind
        check (kind in ('authorize', 'capture', 'void', 'refund')),
    -- The authorization that it makes or is about. Null: done by hand, or new credit instead of a refund.
    authorization_key text,
    provider          text          not null,
    tender            integer       not null default 1
        constraint operation_is_of_a_tender check (tender >= 1),  -- its place in the order's list
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the step that it is a part of; of an authorization, see there
    state             text          not null constraint operation_state_is_known
        check (state in ('requested', 'unknown', 'succeeded', 'failed')),
    reference         some_text,  -- what the provider calls it
    code              some_text,  -- why it failed
    message           some_text,
    requested_at      timestamptz   not null default moment(),
    settled_at        timestamptz,
    constraint operation_is_about_an_authorization_of_its_order
        foreign key (authorization_key, order_id)
        references payment_authorization (authorization_key, order_id),
    constraint authorization_has_the_key_of_its_operation check (
        (kind = 'authorize') = (authorization_key is not distinct from payment_key)),
    constraint void_is_about_an_authorization check (
        kind <> 'void' or authorization_key is not null),
    constraint settled_operation_has_its_time check (
        (state in ('succeeded', 'failed')) = (settled_at is not null))
);
create index payment_operation_by_order on payment_operation (order_id);
create index payment_operation_unsettled on payment_operation (requested_at)
    where state in ('requested', 'unknown');
create index payment_operation_by_authorization on payment_operation (authorization_key);
create index payment_operation_settled on payment_operation (provider, settled_at)
    where state = 'succeeded';
create index payment_operation_by_reference on payment_operation (reference);

-- What is owed to the customer and why, and how much of it is given back.
create table refund (
    refund_id          text          primary key,
    order_id           text          not null
        constraint refund_is_of_an_order references customer_order,
    kind               text          not null constraint refund_is_of_a_known_kind check (kind in (
        'return', 'lost', 'cancelled', 'units', 'shipping', 'goodwill')),
    units              jsonb         not null default '{}',  -- line id → units paid back
    goods_minor        minor_units   not null,
    tax_minor          minor_units   not null,
    shipping_minor     minor_units   not null,
    shipping_tax_minor minor_units   not null,
    amount_minor       bigint        not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    currency           currency_code not null,
    -- of it, what was invoiced; the rest was only charged
    credited_minor     minor_units   not null,
    issued_minor       minor_units   not null default 0,
    -- What a bank sent back of what was issued, and nobody has paid the customer another way yet.
    came_back_minor    minor_units   not null default 0,
    reason             text          not null,
    who                text          not null,
    granted_at         timestamptz   not null default moment(),
    constraint issued_is_at_most_granted check (
        issued_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint credited_is_at_most_granted check (
        credited_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint came_back_is_at_most_issued check (came_back_minor <= issued_minor)
);
create index refund_by_order on refund (order_id);
create index refund_owed on refund (granted_at) where issued_minor - came_back_minor < amount_minor;

-- What payment companies tell by themselves: kept before it is answered, worked through later.
create table provider_event (
    provider     text        not null,
    event_id     text        not null,  -- the company's: it may send an event more than once
    type         text        not null,
    body         jsonb       not null,
    happened_at  timestamptz not null,  -- by the company's clock
    received_at  timestamptz not null default moment(),
    processed_at timestamptz,
    tries        integer     not null default 0,
    try_after    timestamptz not null default moment(),
    last_error   some_text,
    primary key (provider, event_id)
);
create index provider_event_due on provider_event (try_after) where processed_at is null;

-- A payment that the customer's bank took back, or asks about, as the company last had it.
create table dispute (
    provider     text          not null,
    dispute_id   text          not null,
    subjects     text[]        not null,  -- the company's ids of the payment it is about
    -- null: a payment that is not ours, or not known yet
    payment_key  text
        constraint dispute_is_of_a_payment references payment_operation,
    order_id     text          constraint dispute_is_of_an_order references customer_order,
    amount_minor minor_units   not null
        constraint dispute_is_about_an_amount check (amount_minor > 0),
    currency     currency_code not null,
    fee_minor    minor_units   not null default 0,
    fee_currency currency_code not null,
    state        text          not null constraint dispute_state_is_known check (state in (
        'warning_needs_response', 'warning_under_review', 'warning_closed',
        'needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review',
        'won', 'lost', 'prevented')),
    moves        integer       not null default 0,  -- of money, that the company had made by then
    reason       text          not null,
    opened_at    timestamptz   not null,
    respond_by   timestamptz,
    -- when it was so, by the company's clock: nothing older counts
    said_at      timestamptz   not null,
    closed_at    timestamptz,
    told         integer       not null default 0,  -- how often it became another one
    heard_at     timestamptz   not null default moment(),
    primary key (provider, dispute_id),
    constraint dispute_of_an_order_is_about_a_payment check (
        (order_id is null) = (payment_key is null))
);
create index dispute_by_order on dispute (order_id);
create index dispute_unplaced on dispute (heard_at) where order_id is null;

-- Reconciliation: each day of each payment company, compared with ours --------------------------------

create table reconciliation (
    provider  text        not null,
    day       date        not null,  -- UTC, by the company's clock
    ran_at    timestamptz not null default moment(),  -- the last time
    runs      integer     not null default 1,
    listed    integer     not null,  -- effects of the day there
    matched   integer     not null,
    under_way integer     not null,  -- no outcome was due yet
    -- open: so is a difference
    state     text        not null
        constraint reconciliation_state_is_known check (state in ('clean', 'open')),
    primary key (provider, day),
    constraint matched_is_at_most_listed check (
        runs >= 1 and 0 <= matched and matched <= listed and under_way >= 0)
);

-- What does not agree, until it is mended.
create table reconciliation_difference (
    difference_id bigint      generated always as identity primary key,
    provider      text        not null,
    day           date        not null,
    -- the key, or the company's reference where that names it better
    subject       text        not null,
    class         text        not null constraint difference_is_of_a_known_class check (class in (
        'missing_here', 'missing_there', 'amount', 'state')),
    order_id      some_text,  -- as either side says; null: nobody does
    why           text        not null,
    remedy        text        not null
        constraint remedy_is_known check (remedy in ('retry', 'void', 'operator')),
    ours          jsonb,
    theirs        jsonb,
    resolution    text        not null default 'open'
        constraint resolution_is_known check (resolution in ('open', 'mended', 'resolved')),
    note          some_text,  -- how it is mended or resolved, or why not yet
    who           some_text,
    found_at      timestamptz not null default moment(),
    closed_at     timestamptz,
    constraint reconciliation_difference_is_of_a_compared_day foreign key (provider, day)
        references reconciliation,
    constraint difference_is_kept_once unique (provider, day, subject, class),
    constraint difference_is_there_on_a_side check (num_nonnulls(ours, theirs) > 0),
    constraint difference_that_is_not_open_has_an_end check (
        (resolution = 'open') = (closed_at is null))
);
create index difference_open on reconciliation_difference (day) where resolution = 'open';

-- Store credit -------------------------------------------------------------------------------------

-- What the shop owes its customers and they can pay with. It answers as a payment company does, so
-- nothing here refers to orders or payments, or the reverse: they know each other by ids and keys.

-- One account for each customer and currency. Its id is what an order gives as its payment token, and
-- like a card's token it is not to be guessed.
create table credit_account (
    account_id       text          primary key
        default 'credit_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 20),
    customer_id      text          not null,
    currency         currency_code not null,
    balance_minor    minor_units   not null default 0,  -- what the customer has
    authorized_minor minor_units   not null default 0,  -- of that, what orders have authorized
    opened_at        timestamptz   not null default moment(),
    constraint customer_has_one_account_for_a_currency unique (customer_id, currency),
    -- Nothing is spent or authorized that is not there, however many orders ask at once.
    constraint authorized_credit_is_at_most_the_balance check (authorized_minor <= balance_minor)
);

-- The number in references: auth_1, capture_2, …
create sequence credit_reference;

-- What an order has authorized of an account. It does not expire.
create table credit_authorization (
    authorization_id text        primary key,
    account_id       text        not null
        constraint credit_authorization_is_of_an_account references credit_account,
    order_id         text        not null,
    amount_minor     minor_units not null
        constraint credit_authorization_is_of_an_amount check (amount_minor > 0),
    captured_minor   minor_units not null default 0,
    refunded_minor   minor_units not null default 0,
    released_minor   minor_units not null default 0,
    voided           boolean     not null default false,
    constraint captured_credit_is_at_most_authorized check (captured_minor <= amount_minor),
    constraint refunded_credit_is_at_most_captured check (refunded_minor <= captured_minor),
    -- A void releases exactly the remainder, so a capture after it cannot balance.
    constraint voided_credit_releases_the_rest check (
        released_minor = case when voided then amount_minor - captured_minor else 0 end)
);

-- Every call that was decided, by its key: an effect has a reference, a refusal has a code. The
-- sums of accounts and authorizations above are the sums of these.
create table credit_operation (
    operation_id      bigint        generated always as identity primary key,
    -- makes concurrent calls with one key a single effect
    key               text          not null
        constraint a_key_is_one_credit_operation unique,
    kind              text          not null
        constraint credit_operation_is_of_a_known_kind check (kind in (
        'issue', 'authorize', 'capture', 'void', 'refund')),
    -- the call's content, to tell a repeat from a conflict
    request           text          not null,
    account_id        text
        constraint credit_operation_is_of_an_account references credit_account,
    authorization_id  text
        constraint credit_operation_is_of_a_credit_authorization references credit_authorization,
    order_id          text,
    reference         text          constraint a_reference_is_one_credit_operation unique,
    amount_minor      minor_units,
    currency          currency_code,
    balance_change    bigint        not null generated always as (
        case when code is not null then 0
             when kind in ('issue', 'refund') then amount_minor
             when kind = 'capture' then -amount_minor
             else 0 end) stored,
    authorized_change bigint        not null generated always as (
        case when code is not null then 0
             when kind = 'authorize' then amount_minor
             when kind in ('capture', 'void') then -amount_minor
             else 0 end) stored,
    code              some_text,
    available_minor   minor_units,  -- of a refusal for want of it: what there was
    who               text          not null,
    why               some_text,
    at                timestamptz   not null default moment(),
    constraint credit_operation_moves_something check (
        amount_minor > 0 or kind = 'void' and amount_minor = 0),
    constraint credit_operation_is_an_effect_or_a_refusal check (
        case when code is null
            then num_nulls(account_id, reference, amount_minor, currency) = 0
                 and case kind when 'issue' then authorization_id is null
                               else num_nulls(authorization_id, order_id) = 0 end
            else reference is null end)
);
create index credit_operation_by_account on credit_operation (account_id, operation_id);
create index credit_operation_by_order on credit_operation (order_id, operation_id);
create index credit_operation_by_time on credit_operation (at);
