-- Returns: goods that come back, and on which terms.

-- For the sales of a seller, of a channel and of a category of items, each of them or any (null).
create table return_rule (
    seller   text
        constraint return_rule_is_for_a_seller references seller on update cascade,
    channel  text
        constraint return_rule_is_for_a_channel references channel,
    category some_text,
    terms    jsonb not null,  -- domain.aftersales.return_rules.ReturnTerms
    constraint return_rule_is_one_for_its_sales unique nulls not distinct (seller, channel, category)
);

create table order_return (
    order_no      bigint      not null
        constraint order_return_is_of_an_order references customer_order,
    return_id     text        not null,
    -- 'undeliverable': the carrier brings it back; the customer did not ask. 'found': it was lost, which was
    -- paid back or replaced, and it comes back all the same. 'claimed': a claim of it was met.
    kind          text        not null
        constraint return_is_of_a_known_kind check (kind in ('customer', 'undeliverable', 'found', 'claimed')),
    fulfilment_id text,
    state         text        not null
        constraint return_state_is_known
            check (state in ('requested', 'approved', 'in_transit', 'refused', 'received', 'refunded', 'closed')),
    reason        text        not null,
    -- The codes of the rules that want a person to decide.
    asks          text[]      not null default '{}',
    -- Of an approved one: when the customer is told that it is overdue, and how often that was done.
    chase_at      timestamptz,
    chased        integer     not null default 0
        constraint chased_is_not_negative check (chased >= 0),
    -- It was paid back when a carrier had its parcel, before it was counted.
    paid_early    boolean     not null default false,
    -- Of an undeliverable one: it goes out once more when it is back, and is not paid back.
    anew          boolean     not null default false
        constraint only_what_is_undeliverable_goes_out_anew check (not anew or kind = 'undeliverable'),
    ended_because some_text,  -- before anything came: who refused it, or why it was given up
    changed_at    timestamptz not null default moment(),
    primary key (order_no, return_id),
    constraint order_return_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint whole_parcel_is_a_fulfilment_and_nothing_else_is check (
        (kind in ('undeliverable', 'found')) = (fulfilment_id is not null)),
    constraint only_a_customers_return_is_paid_early check (not paid_early or kind = 'customer'),
    constraint refused_return_says_why check (state <> 'refused' or ended_because is not null)
);
create index order_return_overdue on order_return (chase_at)
    where state in ('approved', 'in_transit') and kind <> 'undeliverable';
create index order_return_awaited on order_return (changed_at) where state in ('requested', 'approved', 'in_transit');

create table return_line (
    order_no    bigint     not null,
    return_id   text       not null,
    line_id     text       not null,
    sku         text       not null,
    quantity    some_units not null,
    reason_code text       not null default 'other'
        constraint return_has_a_known_reason check (reason_code in (
            'did_not_fit', 'damaged', 'defective', 'wrong_item', 'not_as_described', 'changed_mind',
            'too_late', 'other')),
    restocked   units      not null default 0,
    scrapped    units      not null default 0,
    refurbished units      not null default 0,
    to_supplier units      not null default 0,
    primary key (order_no, return_id, line_id),
    constraint return_line_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint return_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line,
    -- the rest is missing
    constraint received_is_at_most_what_was_asked_for check (
        restocked + scrapped + refurbished + to_supplier <= quantity)
);

-- The units of a line that came, by their condition. `photo`: an address, or an id of one.
create table return_unit (
    order_no    bigint     not null,
    return_id   text       not null,
    line_id     text       not null,
    number      integer    not null,
    quantity    some_units not null,
    condition   text       not null constraint return_unit_is_in_a_known_condition
        check (condition in ('new', 'opened', 'used', 'damaged')),
    disposition text       not null constraint return_unit_has_a_known_disposition
        check (disposition in ('restock', 'refurbish', 'scrap', 'supplier')),
    photo       some_text,
    reference   some_text,  -- of the supplier
    lacks       jsonb      not null default '{}',  -- of a kit: the parts that each of them came without
    primary key (order_no, return_id, line_id, number),
    constraint return_unit_is_of_a_return_line foreign key (order_no, return_id, line_id)
        references return_line
);

-- The label of a return's parcel: intent first, then the carrier's answer. A duty of the relay buys it, and gives it
-- back where nothing comes after all (`unwanted`).
create table return_label (
    order_no        bigint      not null,
    return_id       text        not null,
    label_key       text        not null,
    label           text        not null default 'requested'
        constraint return_label_state_is_known check (label in ('requested', 'bought', 'refused', 'voided')),
    unwanted        boolean     not null default false,
    service         text        not null,
    -- To which of ours the parcel goes.
    location        text        not null constraint return_label_is_to_a_location references location,
    -- The customer pays it: it is taken off what is paid back. 0: it is free.
    fee_minor       minor_units not null,
    sold_by         some_text,   -- the carrier's name here; `carrier` is what scans call it
    carrier         some_text,
    tracking_number some_text,
    refusal         some_text,
    asked_at        timestamptz, -- when the last attempt to buy it began
    tries           integer     not null default 0
        constraint return_label_tries_are_not_negative check (tries >= 0),
    try_after       timestamptz default moment(),  -- null: nothing is to be done
    carrier_status  text        not null default 'unknown'
        constraint return_label_has_a_known_carrier_status check (carrier_status in (
        'pre_transit', 'in_transit', 'out_for_delivery', 'available_for_pickup',
        'delivered', 'return_to_sender', 'failure', 'unknown')),
    first_scan_at   timestamptz, -- that the carrier has it
    last_scan_at    timestamptz,
    primary key (order_no, return_id),
    constraint return_label_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint bought_return_label_has_a_number check (
        label <> 'bought' or carrier is not null and tracking_number is not null and sold_by is not null)
);
create index return_label_to_do on return_label (try_after) where try_after is not null;
create index return_label_by_tracking on return_label (tracking_number, carrier);

-- Each label as its carrier made it. It names who sends the parcel, and goes some time later.
create table return_label_file (
    order_no   bigint      not null,
    return_id  text        not null,
    media_type text        not null
        constraint return_label_file_has_a_media_type check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    content    bytea       not null
        constraint return_label_file_is_of_a_size check (length(content) between 1 and 1000000),
    digest     text        not null generated always as (encode(sha256(content), 'hex')) stored,
    kept_at    timestamptz not null default moment(),
    primary key (order_no, return_id, media_type),
    constraint return_label_file_is_of_a_label foreign key (order_no, return_id) references return_label
);
create index return_label_file_by_age on return_label_file (kept_at);

create table return_scan (
    order_no    bigint      not null,
    return_id   text        not null,
    event_id    text        not null,
    status      text        not null,
    happened_at timestamptz not null,
    detail      some_text,
    received_at timestamptz not null default moment(),
    -- carriers send the same event more than once
    primary key (order_no, return_id, event_id),
    constraint return_scan_is_of_a_label foreign key (order_no, return_id) references return_label
);

-- A parcel at the dock that no return has announced, or units that came in one and were not announced with it. It is
-- open until it has become a return that is counted, or a person has settled it.
create table unannounced_parcel (
    parcel_no bigint      generated always as identity primary key,
    key       text        not null constraint unannounced_parcel_is_told_once unique,
    location  text        not null constraint unannounced_parcel_is_at_a_location references location,
    order_no  bigint      constraint unannounced_parcel_is_of_an_order references customer_order,  -- null: unknown
    came_with text,       -- the return in whose parcel it came
    asks      integer     not null default 0  -- how often its order was asked to take it back
        constraint parcel_asks_are_not_negative check (asks >= 0),
    why       some_text,  -- why a person is asked about it
    return_id text,       -- what it has become
    who       text        not null,
    since     timestamptz not null default moment(),
    ended_at  timestamptz,
    note      some_text,  -- how a person has settled it
    constraint parcel_becomes_a_return_of_its_order foreign key (order_no, return_id) references order_return,
    constraint settled_parcel_is_no_return check (note is null or ended_at is not null and return_id is null)
);
create index unannounced_parcel_open on unannounced_parcel (since) where ended_at is null;
create index unannounced_parcel_ended on unannounced_parcel (ended_at) where ended_at is not null;
create index unannounced_parcel_of_order on unannounced_parcel (order_no) where order_no is not null;

create table unannounced_unit (
    parcel_no bigint     not null
        constraint unannounced_unit_is_of_a_parcel references unannounced_parcel on delete cascade,
    number    integer    not null,
    sku       text       not null,
    quantity  some_units not null,
    condition text       not null constraint unannounced_unit_is_in_a_known_condition
        check (condition in ('new', 'opened', 'used', 'damaged')),
    photo     some_text,
    primary key (parcel_no, number)
);

-- What a customer says is wrong with what was delivered, and what was decided about it.
create table claim (
    order_no    bigint      not null constraint claim_is_of_an_order references customer_order,
    claim_id    text        not null,
    kind        text        not null
        constraint claim_is_of_a_known_kind check (kind in ('missing', 'wrong', 'damaged', 'late')),
    wish        text        constraint claim_wish_is_known check (wish in ('refund', 'reship')),
    reason      text        not null,
    evidence    text[]      not null default '{}',  -- links, or sentences
    who         text        not null,
    since       timestamptz not null default moment(),
    why_open    some_text,  -- why a person has to decide it
    answer_by   timestamptz,
    -- Null: it waits for a person.
    decision    text
        constraint claim_decision_is_known check (decision in ('reship', 'refund', 'part_refund', 'refused')),
    note        some_text,
    decided_by  text,
    decided_at  timestamptz,
    refund_id   text,       -- what was paid back for it
    return_id   text,       -- by which its units are asked back
    primary key (order_no, claim_id),
    constraint decided_claim_says_by_whom_and_when check (
        (decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)),
    constraint claim_is_sent_back_by_a_return foreign key (order_no, return_id) references order_return,
    constraint only_met_claim_is_sent_back check (
        return_id is null or decision is not null and decision in ('refund', 'reship')),
    constraint claim_pays_only_as_a_refund check (
        refund_id is null or decision in ('refund', 'part_refund'))
);
create index claim_open on claim (since, order_no, claim_id) where decision is null;

create table claim_line (
    order_no bigint     not null,
    claim_id text       not null,
    line_id  text       not null,
    quantity some_units not null,
    primary key (order_no, claim_id, line_id),
    constraint claim_line_is_of_a_claim foreign key (order_no, claim_id) references claim,
    constraint claim_line_is_of_an_order_line foreign key (order_no, line_id) references order_line
);

-- What a carrier is asked to pay for a parcel that it lost or broke: one claim for each parcel.
create table carrier_claim (
    order_no      bigint        not null,
    fulfilment_id text          not null,
    amount_minor  minor_units   not null,
    currency      currency_code not null,
    reference     some_text,    -- the carrier's own number of it
    filed_by      text          not null,
    filed_at      timestamptz   not null default moment(),
    -- Null: the carrier has not answered. 'dropped': nobody asks it.
    outcome       text
        constraint carrier_claim_outcome_is_known check (outcome in ('paid', 'refused', 'dropped')),
    paid_minor    minor_units   not null default 0,
    note          some_text,
    decided_by    text,
    decided_at    timestamptz,
    -- The parcel turned up after it was paid: what became of the money.
    turned_up     text
        constraint what_became_of_the_money_is_known check (turned_up in ('given_back', 'kept')),
    primary key (order_no, fulfilment_id),
    constraint carrier_claim_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment,
    constraint carrier_claim_with_an_outcome_says_by_whom check (
        (outcome is null) = (decided_by is null) and (outcome is null) = (decided_at is null)),
    constraint carrier_pays_what_was_claimed_at_most check (
        paid_minor <= amount_minor and (paid_minor > 0) = (outcome is not null and outcome = 'paid')),
    constraint only_what_was_paid_is_given_back check (turned_up is null or paid_minor > 0)
);

-- How long after the hand-over a carrier takes claims, and keeps a parcel at a pick-up point. One that is not named
-- here has the same defaults.
create table carrier_term (
    carrier          some_text primary key,
    file_within_days integer   not null default 30
        constraint carrier_takes_claims_for_a_day_or_more check (file_within_days between 1 and 3650),
    keeps_days       integer   not null default 7
        constraint carrier_keeps_parcels_for_a_day_or_more check (keeps_days between 1 and 365)
);
