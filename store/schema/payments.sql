-- Payments and refunds, and the messages of payment companies about them.

-- An amount by its purpose: goods without their tax, the tax on them, shipping, and the tax on that.
create type worth as (goods bigint, tax bigint, shipping bigint, shipping_tax bigint);

-- The money of each line of an order: its units by what became of their money, and amounts. Written in the
-- transaction that decides; a line without a row has none of it yet. domain.orders.charges says what each
-- decision does.
create table order_line_money (
    order_no       bigint not null,
    line_id        text   not null,
    charged        units  not null default 0,  -- units that are paid for, or are to be
    refunded       units  not null default 0,  -- units paid back, or owed
    conceded       units  not null default 0,  -- units paid back that the customer keeps
    on_way         units  not null default 0,  -- of these, those on their way back, which are not counted yet
    invoiced       units  not null default 0,  -- units that went out, for which revenue is booked
    credited       units  not null default 0,  -- units whose invoice was taken back
    prepaid        units  not null default 0,  -- units paid for and still to be sent
    resent         units  not null default 0,  -- of these, those that replace lost ones
    sendable       units,  -- so many could be sent when they were authorized; null: all
    charged_worth  worth  not null default '(0,0,0,0)',
    refunded_worth worth  not null default '(0,0,0,0)',
    invoiced_worth worth  not null default '(0,0,0,0)',
    credited_worth worth  not null default '(0,0,0,0)',
    -- shipping of units that were paid back without it, which is owed when they arrive
    withheld       worth  not null default '(0,0,0,0)',
    -- by so much all units are worth less than they were sold for: a lower price was met
    reduced        worth  not null default '(0,0,0,0)',
    primary key (order_no, line_id),
    constraint order_line_money_is_of_a_line foreign key (order_no, line_id) references order_line,
    constraint refunded_units_are_at_most_charged check (refunded <= charged),
    constraint conceded_units_are_at_most_refunded check (conceded <= refunded),
    constraint units_on_their_way_back_are_conceded check (on_way <= conceded),
    constraint credited_units_are_at_most_invoiced check (credited <= invoiced),
    constraint resent_units_are_prepaid check (resent <= prepaid)
);

-- What an order's customer has to pay: for a parcel that left, or for all of the order before anything
-- leaves. Its amount is decided before a payment company is called, and does not change after that, but
-- where the company refuses to charge ahead: then only what other means have paid by then is left of it.
create table charge (
    order_no       bigint      not null constraint charge_is_of_an_order references customer_order,
    charge_id      text        not null,  -- the fulfilment, or the order's id with `:prepaid`
    units          jsonb       not null,  -- line id → units that it pays for
    amount_minor   minor_units not null,
    captured_minor minor_units not null default 0,
    ahead          boolean     not null,  -- before its goods leave
    taken_at       timestamptz not null default moment(),
    primary key (order_no, charge_id),
    constraint captured_is_at_most_charged check (captured_minor <= amount_minor)
);

-- What the customer brought to pay with, in place of the last of the order's own means.
create table brought_tender (
    order_no   bigint      primary key
        constraint brought_tender_is_of_an_order references customer_order,
    provider   text        not null,
    token      text        not null,
    brought_at timestamptz not null default moment()
);

-- One row per order: the sums that were asked for, and those that were done. Each request first adds its
-- amount to what was asked for. So however many requests run at once, no more is charged than was
-- authorized, and no more is owed back than was charged.
create table order_money (
    order_no            bigint        primary key
        constraint order_money_is_of_an_order references customer_order,
    currency            currency_code not null,
    charged             minor_units   not null default 0,  -- what the customer has to pay by now
    authorized          minor_units   not null default 0,
    released            minor_units   not null default 0,  -- of what was authorized
    capture_granted     minor_units   not null default 0,
    captured            minor_units   not null default 0,
    refund_granted      minor_units   not null default 0,  -- owed to the customer
    refunded            minor_units   not null default 0,  -- given back
    disputed            minor_units   not null default 0,
    -- A bank took an amount in another currency back, and has not given it back: nothing is converted.
    disputed_abroad     boolean       not null default false,
    voided              boolean       not null default false,
    -- A charge or an invoice was decided after a refund of the same order. Its amount can then differ by a
    -- minor unit, depending on which of the two came first.
    billed_after_refund boolean       not null default false,
    constraint captured_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunded_is_at_most_owed check (refunded <= refund_granted),
    constraint owed_is_at_most_charged check (refund_granted <= charged),
    constraint refunded_is_at_most_captured check (refunded <= captured),
    constraint captures_and_releases_are_at_most_authorized check (
        0 <= released and capture_granted + released <= authorized)
);

-- The authorizations, each under the key of the operation that asked for it, with the sums that were asked
-- of it and those that were done. Each request first adds its amount here; the audit compares the sums with
-- the operations. Released: voided, expired, or left over after the only capture that the provider allows.
create table payment_authorization (
    authorization_key text          not null,
    order_no          bigint        not null
        constraint payment_authorization_is_of_an_order references customer_order,
    provider          text          not null,
    tender            integer       not null constraint tender_is_one_or_more check (tender >= 1),
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the fulfilment that it pays for; null: any
    -- It can be charged once, and pays for all of the order: the first parcel that leaves is charged
    -- together with the rest, of which a part alone is less than the company authorizes.
    whole             boolean       not null default false
        constraint authorization_of_the_whole_is_of_no_part check (not whole or part_of is null),
    expires_at        timestamptz,  -- it can be charged until then; null: it does not expire
    capture_granted   minor_units   not null default 0,
    captured          minor_units   not null default 0,
    refund_granted    minor_units   not null default 0,
    refunded          minor_units   not null default 0,
    released          minor_units   not null default 0,
    primary key (order_no, authorization_key),
    constraint captures_and_releases_are_at_most_the_authorization check (
        capture_granted + released <= amount_minor),
    constraint captured_by_it_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunds_by_it_are_at_most_captured check (refund_granted <= captured),
    constraint refunded_by_it_is_at_most_asked_for check (refunded <= refund_granted)
);

-- Each call to a provider, and each payment that was made by hand instead. The row is written first, and
-- then the provider is called with the row's key: requested → succeeded or failed. Unknown: the provider was
-- called, and no answer came.
create table payment_operation (
    payment_key       text          not null,
    order_no          bigint        not null
        constraint payment_operation_is_of_an_order references customer_order,
    kind              text          not null constraint operation_is_of_a_known_kind
        check (kind in ('authorize', 'capture', 'void', 'refund')),
    -- The authorization that it makes, or that it uses. Null: done by hand, or refunded as store credit or a voucher.
    authorization_key text,
    provider          text          not null,
    tender            integer       not null default 1
        constraint operation_is_of_a_tender check (tender >= 1),  -- its place in the order's list
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the step that it belongs to; for an authorization see payment_authorization
    state             text          not null constraint operation_state_is_known
        check (state in ('requested', 'unknown', 'succeeded', 'failed')),
    reference         some_text,  -- the provider's name for it
    code              some_text,  -- why it failed
    message           some_text,
    requested_at      timestamptz   not null default moment(),
    called_at         timestamptz,  -- when it was last sent to a company that does not know keys
    settled_at        timestamptz,
    primary key (order_no, payment_key),
    constraint operation_is_about_an_authorization_of_its_order
        foreign key (order_no, authorization_key) references payment_authorization,
    constraint authorization_has_the_key_of_its_operation check (
        (kind = 'authorize') = (authorization_key is not distinct from payment_key)),
    constraint void_is_about_an_authorization check (
        kind <> 'void' or authorization_key is not null),
    constraint settled_operation_has_its_time check (
        (state in ('succeeded', 'failed')) = (settled_at is not null))
);
create index payment_operation_unsettled on payment_operation (requested_at)
    where state in ('requested', 'unknown');
create index payment_operation_settled on payment_operation (provider, settled_at)
    where state = 'succeeded';
create index payment_operation_by_reference on payment_operation (reference);

-- Amounts that are owed to the customer, each with its reason and the part that was paid back.
create table refund (
    refund_id          text          not null,
    order_no           bigint        not null
        constraint refund_is_of_an_order references customer_order,
    kind               text          not null constraint refund_is_of_a_known_kind check (kind in (
        'return', 'lost', 'cancelled', 'units', 'shipping', 'goodwill', 'price_match', 'claim',
        'elsewhere')),
    units              jsonb         not null default '{}',  -- line id → units paid back
    goods_minor        minor_units   not null,
    tax_minor          minor_units   not null,
    shipping_minor     minor_units   not null,
    shipping_tax_minor minor_units   not null,
    amount_minor       bigint        not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    currency           currency_code not null,
    -- the part of it that had been invoiced; the rest had only been charged
    credited_minor     minor_units   not null,
    -- what the seller keeps of what the units are worth: a fee for restocking, and postage
    kept               worth         not null default '(0,0,0,0)',
    issued_minor       minor_units   not null default 0,
    -- The part of the issued amount that a bank sent back, and that was not yet paid another way.
    came_back_minor    minor_units   not null default 0,
    reason             text          not null,
    who                text          not null,
    -- where the money goes: the way it was paid, store credit of the customer, or a voucher
    pay_to             text          not null default 'original'
        constraint refund_goes_a_known_way check (pay_to in ('original', 'store_credit', 'voucher')),
    granted_at         timestamptz   not null default moment(),
    role               some_text,  -- in which goodwill was given, where the policy limits it by roles
    primary key (order_no, refund_id),
    constraint issued_is_at_most_granted check (
        issued_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint credited_is_at_most_granted check (
        credited_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint came_back_is_at_most_issued check (came_back_minor <= issued_minor)
);
create index refund_given_in_a_role on refund (who, granted_at) where role is not null;
create index refund_owed on refund (granted_at) where issued_minor - came_back_minor < amount_minor;

-- Messages that payment companies send by themselves. Each is kept before it is answered, and processed
-- later.
create table provider_event (
    provider     text        not null,
    event_id     text        not null,  -- given by the company, which may send an event more than once
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
-- Processed ones are kept for as long as the company may send them again.
create index provider_event_processed on provider_event (processed_at) where processed_at is not null;
create index provider_event_by_time on provider_event (received_at desc, provider desc, event_id desc);
create index provider_event_due on provider_event (try_after) where processed_at is null;

-- A payment that the customer's bank took back or questions, in the state that the company told last.
create table dispute (
    provider     text          not null,
    dispute_id   text          not null,
    subjects     text[]        not null,  -- the company's ids of the disputed payment
    -- null: the payment is not ours, or not known yet
    payment_key  text,
    order_no     bigint,
    amount_minor minor_units   not null
        constraint dispute_is_about_an_amount check (amount_minor > 0),
    currency     currency_code not null,
    fee_minor    minor_units   not null default 0,
    fee_currency currency_code not null,
    state        text          not null constraint dispute_state_is_known check (state in (
        'warning_needs_response', 'warning_under_review', 'warning_closed',
        'needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review',
        'won', 'lost', 'prevented')),
    moves        integer       not null default 0,  -- money movements that the company had made by then
    reason       text          not null,
    opened_at    timestamptz   not null,
    respond_by   timestamptz,
    -- the time of this state by the company's clock; older messages are ignored
    said_at      timestamptz   not null,
    closed_at    timestamptz,
    told         integer       not null default 0,  -- how often the state changed
    heard_at     timestamptz   not null default moment(),
    primary key (provider, dispute_id),
    constraint dispute_is_of_a_payment foreign key (order_no, payment_key)
        references payment_operation,
    constraint dispute_of_an_order_is_about_a_payment check (
        (order_no is null) = (payment_key is null))
);
create index dispute_by_order on dispute (order_no);
create index dispute_unplaced on dispute (heard_at) where order_no is null;

-- Reconciliation: each day of each payment company, compared with ours --------------------------------

create table reconciliation (
    provider  text        not null,
    day       date        not null,  -- UTC, by the company's clock
    ran_at    timestamptz not null default moment(),  -- the last time
    runs      integer     not null default 1,
    listed    integer     not null,  -- the company's effects of the day
    matched   integer     not null,
    under_way integer     not null,  -- still without an outcome, in good time
    -- open: it has an open difference
    state     text        not null
        constraint reconciliation_state_is_known check (state in ('clean', 'open')),
    primary key (provider, day),
    constraint matched_is_at_most_listed check (
        runs >= 1 and 0 <= matched and matched <= listed and under_way >= 0)
);

-- Differences between a company's records and ours, until they are resolved.
create table reconciliation_difference (
    difference_id bigint      generated always as identity primary key,
    provider      text        not null,
    day           date        not null,
    -- our key, or the company's reference where we have no key
    subject       text        not null,
    class         text        not null constraint difference_is_of_a_known_class check (class in (
        'missing_here', 'missing_there', 'amount', 'state')),
    order_id      some_text,  -- as one of the two sides says; null: neither does
    why           text        not null,
    remedy        text        not null
        constraint remedy_is_known check (remedy in ('retry', 'void', 'operator')),
    ours          jsonb,
    theirs        jsonb,
    resolution    text        not null default 'open'
        constraint resolution_is_known check (resolution in ('open', 'mended', 'resolved')),
    note          some_text,  -- how it was resolved, or why it is still open
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
create index difference_by_order on reconciliation_difference (order_id) where order_id is not null;
create index difference_open on reconciliation_difference (day) where resolution = 'open';

-- Exchanges --------------------------------------------------------------------------------------

-- What comes back with a return pays for the exchange order. Whoever writes has locked the order of the return,
-- and then, where he changes something of it, the exchange order. As long as its orders, like their returns.
create table exchange (
    order_no      bigint        not null,
    return_id     text          not null,
    exchange_no   bigint        not null
        constraint exchange_order_is_an_order references customer_order,
    mode          text          not null
        constraint exchange_mode_is_known check (mode in ('standard', 'advance')),
    -- what it pays of the exchange order at most, as it was agreed
    tender_minor  minor_units   not null,
    currency      currency_code not null,
    agreed_at     timestamptz   not null default moment(),
    -- What it pays of it at most, by what came back. Null: the return has not ended, and the order not either.
    settled_minor minor_units,
    settled_at    timestamptz,
    primary key (order_no, return_id),
    constraint exchange_order_is_of_one_exchange unique (exchange_no, order_no),
    constraint exchange_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint exchange_order_is_another_order check (exchange_no <> order_no),
    constraint settled_exchange_has_its_time check ((settled_minor is null) = (settled_at is null)),
    constraint exchange_pays_what_was_agreed_at_most check (settled_minor <= tender_minor)
);

-- Money that an exchange order gives back to the order from which it came, whose companies pay it back. Under
-- the key of the operation that asked for it.
create table exchange_payback (
    order_no     bigint      not null,
    payment_key  text        not null,
    return_id    text        not null,
    returned_key text        not null,  -- the refund to the exchange that was taken back for it
    amount_minor minor_units not null
        constraint exchange_payback_is_of_an_amount check (amount_minor > 0),
    began_at     timestamptz not null default moment(),
    ended_at     timestamptz,  -- it is paid, or a person is asked
    primary key (order_no, payment_key),
    constraint exchange_payback_is_of_an_exchange foreign key (order_no, return_id) references exchange
);
create index exchange_unsettled on exchange (order_no) where settled_at is null;
create index exchange_payback_by_return on exchange_payback (order_no, return_id);

-- Store credit, vouchers and gift cards ------------------------------------------------------------

-- Amounts that the shop owes its customers, who can pay with them. They work like payment companies: their
-- tables and those of orders and payments do not refer to each other. They share ids and keys.

-- Store credit: one account for each customer, currency and seller, because the credit is the debt of a company.
-- An order gives the account's id as its payment token, so nobody must be able to guess it.
-- A voucher and a gift card are each an account of their own. An order gives its code as its payment token;
-- its id spends nothing.
create table credit_account (
    account_id       text          primary key
        default 'credit_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 20),
    customer_id      text,  -- the only one who may spend it; null: whoever has the code
    seller           text          not null
        constraint credit_account_is_of_a_seller references seller on update cascade,
    currency         currency_code not null,
    balance_minor    minor_units   not null default 0,  -- the customer's money
    authorized_minor minor_units   not null default 0,  -- the part of it that orders have authorized
    opened_at        timestamptz   not null default moment(),
    kind             text          not null default 'store_credit'
        constraint credit_account_is_of_a_known_kind check (kind in ('store_credit', 'gift_card', 'voucher')),
    code_digest      text          constraint a_code_is_of_one_account unique,  -- null: it has no code yet
    code_end         text,  -- its last four letters
    valid_through    date,  -- by the seller's calendar; null: it does not expire
    single_use       boolean       not null default false,  -- for one order; what that leaves expires
    blocked_at       timestamptz,
    -- However many orders ask at once, they never get more than there is.
    constraint authorized_credit_is_at_most_the_balance check (authorized_minor <= balance_minor),
    constraint store_credit_is_a_customers_and_has_no_code check (
        kind <> 'store_credit'
        or customer_id is not null and num_nonnulls(code_digest, valid_through, blocked_at) = 0
           and not single_use),
    constraint code_has_its_end check (num_nulls(code_digest, code_end) in (0, 2))
);
create unique index customer_has_one_account_for_a_currency on credit_account (customer_id, currency, seller)
    where kind = 'store_credit';
create index credit_account_by_kind on credit_account (opened_at desc, account_id) where kind <> 'store_credit';
create index credit_account_by_holder on credit_account (customer_id)
    where kind <> 'store_credit' and customer_id is not null;
-- What can expire, and has something left that no order has authorized.
create index credit_account_to_expire on credit_account (valid_through)
    where balance_minor > authorized_minor and (valid_through is not null or single_use);

-- Numbers for references: auth_1, capture_2, …
create sequence credit_reference;

-- An amount of an account that an order has authorized. It does not expire, even where its account does.
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
    -- A void releases the whole remainder, so a capture after it breaks this rule.
    constraint voided_credit_releases_the_rest check (
        released_minor = case when voided then amount_minor - captured_minor else 0 end)
);

-- Every call with an outcome, by its key. A call that had an effect has a reference, a refused one has a
-- code. The sums of accounts and authorizations above are the sums of these.
create table credit_operation (
    operation_id      bigint        generated always as identity primary key,
    -- concurrent calls with one key have one effect
    key               text          not null
        constraint a_key_is_one_credit_operation unique,
    kind              text          not null
        constraint credit_operation_is_of_a_known_kind check (kind in (
        'issue', 'authorize', 'capture', 'void', 'refund', 'expire', 'extend', 'block', 'unblock', 'code')),
    -- the call's content: a repeat has the same one, a conflict another
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
             when kind in ('issue', 'refund', 'extend') then amount_minor
             when kind in ('capture', 'expire') then -amount_minor
             else 0 end) stored,
    authorized_change bigint        not null generated always as (
        case when code is not null then 0
             when kind = 'authorize' then amount_minor
             when kind in ('capture', 'void') then -amount_minor
             else 0 end) stored,
    code              some_text,
    available_minor   minor_units,  -- for a call that was refused because there was too little: what there was
    who               text          not null,
    why               some_text,
    at                timestamptz   not null default moment(),
    constraint credit_operation_moves_something check (
        amount_minor > 0 or kind in ('void', 'extend', 'block', 'unblock', 'code') and amount_minor = 0),
    constraint credit_operation_is_an_effect_or_a_refusal check (
        case when code is null
            then num_nulls(account_id, reference, amount_minor, currency) = 0
                 and case when kind in ('authorize', 'capture', 'void', 'refund')
                              then num_nulls(authorization_id, order_id) = 0
                          else authorization_id is null end
            else reference is null end)
);
create index credit_operation_by_account on credit_operation (account_id, operation_id);
create index credit_operation_by_order on credit_operation (order_id, operation_id);
create index credit_operation_by_time on credit_operation (at);
