-- Each location's part of an order, and the parcels that leave.

-- One location's part of an order, and what the parcel is to contain.
create table fulfilment (
    order_no       bigint      not null
        constraint fulfilment_is_of_an_order references customer_order,
    fulfilment_id  text        not null,
    location       text        not null constraint fulfilment_is_at_a_location references location,
    state          text        not null constraint fulfilment_state_is_known check (state in (
        'open', 'picking', 'picked', 'packed', 'labelled', 'shipped', 'delivered',
        'cancelled', 'exception')),
    recalled_from  text,  -- the state in which it was recalled, when it was
    changed_at     timestamptz not null default moment(),
    -- It was late, and a person was told: what happens next is told, too.
    overdue        boolean     not null default false,
    -- Packed: when the relay last had its label bought.
    woken_at       timestamptz,
    -- What the customer was promised when it was planned. Null where no lane says how long a parcel is
    -- under way.
    promised_leave date,
    promised_on    date,
    box            some_text,  -- in which it was packed, and its weight, where somebody said so
    grams          integer     constraint parcel_weighs_something check (grams > 0),
    label_prints   integer     not null default 0,
    -- That of all its lines.
    handling       text        not null default 'shipped'
        constraint fulfilment_handling_is_known check (
            handling in ('shipped', 'pick_up', 'counter', 'digital', 'made_to_order', 'drop_ship', 'service')
            or handling ~ '^x:[a-z0-9][a-z0-9_-]*$'),  -- a workshop's
    primary key (order_no, fulfilment_id),
    constraint recalled_fulfilment_is_cancelled check (
        recalled_from is null or state = 'cancelled'),
    constraint promised_day_is_not_before_it_leaves check (
        (promised_on is null) = (promised_leave is null) and promised_on >= promised_leave)
);
-- Those that are not over: by what is to be done about them, and what a location has still to send.
create index fulfilment_in_work on fulfilment (state, location, changed_at)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped');
-- Handed over without hands, as soon as nothing holds them.
create index fulfilment_at_once on fulfilment (changed_at)
    where handling in ('counter', 'digital', 'drop_ship') and state in ('picking', 'picked', 'labelled');
-- Nobody picks them, and somebody outside hands them over.
create index fulfilment_outside on fulfilment (changed_at)
    where (handling = 'service' or handling like 'x:%') and state in ('open', 'picking', 'picked', 'packed', 'labelled');
-- Lost, or coming back: few.
create index fulfilment_exception on fulfilment (changed_at) where state = 'exception';
-- Recalled while their labels were bought, perhaps.
create index fulfilment_recalled_packed on fulfilment (changed_at) where recalled_from = 'packed';
-- Parcels whose promise may slip.
create index fulfilment_promised on fulfilment (promised_leave)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
        and promised_leave is not null;

create table fulfilment_line (
    order_no      bigint     not null,
    fulfilment_id text       not null,
    line_id       text       not null,
    sku           text       not null,
    -- What is still to be sent of it. 0: all of it was taken out.
    quantity      units      not null,
    -- Taken out before it was handed over: cancelled, or not wanted any more.
    taken_out     units      not null default 0,
    -- null: not counted yet
    picked        units
        constraint picked_is_at_most_asked check (picked between 0 and quantity),
    primary key (order_no, fulfilment_id, line_id),
    constraint fulfilment_line_was_asked_for check (quantity + taken_out > 0),
    constraint fulfilment_line_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint fulfilment_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line
);

-- The label of a fulfilment's parcel: intent first, then the carrier's answer. Tracking numbers are
-- recycled by carriers, so a parcel is known by carrier, number and fulfilment.
create table shipment (
    order_no        bigint      not null,
    fulfilment_id   text        not null,
    label_key       text        not null,
    label           text        not null
        constraint label_state_is_known
            check (label in ('requested', 'bought', 'refused', 'voided')),
    -- When the last attempt to buy the label began: a young one is not taken for dead.
    asked_at        timestamptz not null default moment(),
    carrier         some_text,
    tracking_number some_text,
    service         text        not null,
    -- The carrier's name here, by which it is found again; `carrier` is what scans call it.
    sold_by         some_text   not null,
    -- What the carrier was told of the parcel with this key, as it was packed then.
    box             some_text,
    grams           integer     constraint shipment_weighs_something check (grams > 0),
    -- It is charged so much when it leaves, at most, so it may leave only while its authorization can be
    -- charged. 0: it is paid for, or replaces a lost one.
    to_charge_minor minor_units not null default 0,
    -- While it waits, an authorization that ends sooner than this is renewed.
    renew_before    interval    not null default '0',
    unpaid_at       timestamptz,  -- when its order was told that its authorization ends; null: it was not
    refusal         some_text,
    carrier_status  text        not null default 'unknown'
        constraint carrier_status_is_known check (carrier_status in (
        'pre_transit', 'in_transit', 'out_for_delivery', 'available_for_pickup',
        'delivered', 'return_to_sender', 'failure', 'unknown')),
    last_scan_at    timestamptz,
    handed_over_at  timestamptz,
    primary key (order_no, fulfilment_id),
    constraint shipment_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    -- An opened parcel may get another label: the second has the key `…:label:2`.
    constraint label_is_asked_for_once check (starts_with(label_key || ':', fulfilment_id || ':label:')),
    constraint bought_label_has_a_tracking_number check (
        label <> 'bought' or tracking_number is not null)
);
create index shipment_at_pickup_point on shipment (order_no) where carrier_status = 'available_for_pickup';
-- The number first: people ask for it without its carrier.
create index shipment_by_tracking on shipment (tracking_number, carrier);
-- For the figures of a day. Rows of one time lie together, and an index of this kind costs a changed row nothing.
create index shipment_by_hand_over on shipment using brin (handed_over_at) with (pages_per_range = 16, autosummarize = on);

-- What a carrier was asked to do with a parcel on its way: intent first, then its answer.
create table interception (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    number        integer     not null,
    request_id    text        not null,
    way           text        not null
        constraint interception_way_is_known check (way in ('redirect', 'return')),
    answer        text        not null default 'asked'
        constraint interception_answer_is_known check (answer in ('asked', 'accepted', 'refused', 'given_up')),
    fee_minor     minor_units not null default 0,
    currency      currency_code,
    since         timestamptz not null default moment(),
    primary key (order_no, fulfilment_id, number),
    constraint interception_is_asked_for_once unique (order_no, request_id),
    constraint interception_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment,
    constraint interception_has_a_fee_in_a_currency check (
        fee_minor = 0 or currency is not null and answer = 'accepted')
);

-- A label as the carrier made it, to be printed, and printed again. It names who gets the parcel, and goes
-- some time after the parcel has left.
create table label_file (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    media_type    text        not null
        constraint label_file_has_a_media_type check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    content       bytea       not null
        constraint label_file_is_of_a_size check (length(content) between 1 and 1000000),
    digest        text        not null generated always as (encode(sha256(content), 'hex')) stored,
    kept_at       timestamptz not null default moment(),
    primary key (order_no, fulfilment_id, media_type),
    constraint label_file_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);
create index label_file_by_age on label_file (kept_at);

-- Goods that lie ready for their customer, who takes them with a code. The code is a secret of the customer: it
-- stands here alone, and in no story. Too many wrong tries in a row, and it is good for nothing for a while.
create table pick_up (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    code          some_text   not null,
    ready_at      timestamptz not null default moment(),
    wrong_tries   integer     not null default 0,
    tried_at      timestamptz,  -- the last wrong one
    primary key (order_no, fulfilment_id),
    constraint pick_up_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment
);

-- What a workshop, a program of somebody else's, does with a fulfilment in place of our warehouse. It is wanted from
-- when the fulfilment has its label, and begun when a workflow of the workshop's has it. Each attempt is another one.
create table outside_work (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    attempt       integer     not null default 1
        constraint outside_work_is_tried check (attempt >= 1),
    state         text        not null default 'wanted'
        constraint outside_work_state_is_known check (state in (
            'wanted', 'begun', 'done', 'failed', 'stopped')),
    said          some_text,  -- what the workshop said at its end
    changed_at    timestamptz not null default moment(),
    primary key (order_no, fulfilment_id),
    constraint outside_work_is_on_a_shipment foreign key (order_no, fulfilment_id) references shipment
);
create index outside_work_wanted on outside_work (changed_at) where state = 'wanted';

-- When a service is to be given, once that is agreed; missed: it was not given then, and another time is to be agreed.
create table appointment (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    begins_at     timestamptz,
    missed        integer     not null default 0 constraint appointment_is_missed_or_not check (missed >= 0),
    primary key (order_no, fulfilment_id),
    constraint appointment_is_of_a_fulfilment foreign key (order_no, fulfilment_id) references fulfilment
);

-- What a supplier has sent straight to the customer, and under which number; null: it told none. Each parcel gets the
-- one that was told first of those that no other has.
create table supplier_parcel (
    order_no        bigint      not null,
    line_id         text        not null,
    notice          text        not null,  -- the purchase order, and the key of its report
    carrier         some_text,
    tracking_number some_text,
    told_at         timestamptz not null default moment(),
    fulfilment_id   text,  -- that it has become
    primary key (order_no, line_id, notice),
    constraint supplier_parcel_is_of_an_order_line foreign key (order_no, line_id) references order_line,
    constraint supplier_parcel_has_carrier_and_number check ((carrier is null) = (tracking_number is null))
);

-- Codes that are sold: each is one unit of its SKU in stock, is given out once, and is then a secret of the order's
-- customer. A refund revokes it.
create table licence (
    licence_no    bigint      generated always as identity primary key,
    sku           text        not null constraint licence_is_of_an_item references item,
    location      text        not null constraint licence_is_at_a_location references location,
    code          text        not null
        constraint licence_code_is_of_a_size check (length(code) between 1 and 500),
    added_at      timestamptz not null default moment(),
    order_no      bigint,
    fulfilment_id text,
    line_id       text,
    given_at      timestamptz,
    revoked_at    timestamptz,
    constraint licence_is_known_once unique (sku, code),
    constraint licence_is_given_for_a_line foreign key (order_no, fulfilment_id, line_id)
        references fulfilment_line,
    constraint given_licence_says_to_whom check (
        (given_at is null) = (order_no is null) and (given_at is null) = (fulfilment_id is null)
        and (given_at is null) = (line_id is null)),
    constraint only_a_given_licence_is_revoked check (revoked_at is null or given_at is not null)
);
create index licence_free on licence (sku, location, licence_no) where given_at is null;
create index licence_of_order on licence (order_no, fulfilment_id, line_id) where given_at is not null;

-- Labels of parcels that were opened, because units were taken out, or that go elsewhere. Each is given back to its
-- carrier; the parcel gets another one when it is packed.
create table unused_label (
    order_no        bigint      not null,
    fulfilment_id   text        not null,
    label_key       text        not null,
    sold_by         some_text   not null,
    tracking_number some_text   not null,
    since           timestamptz not null default moment(),
    voided_at       timestamptz,
    primary key (order_no, label_key),
    constraint unused_label_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);

-- Units that were picked for a fulfilment and are not sent with it: a person puts them back on the shelf. The
-- stock counts them as free from the moment in which they were taken out.
create table put_back (
    order_no      bigint      not null,
    put_back_id   text        not null,
    fulfilment_id text        not null,
    opens_box     boolean     not null,  -- its parcel was closed already
    since         timestamptz not null default moment(),
    done_at       timestamptz,
    primary key (order_no, put_back_id),
    constraint put_back_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment
);
create index put_back_to_do on put_back (since, put_back_id) where done_at is null;

create table put_back_line (
    order_no    bigint     not null,
    put_back_id text       not null,
    line_id     text       not null,
    sku         text       not null,
    quantity    some_units not null,
    primary key (order_no, put_back_id, line_id),
    constraint put_back_line_is_of_a_put_back foreign key (order_no, put_back_id)
        references put_back,
    constraint put_back_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line
);

-- What carriers send by themselves, signed: each message is kept before it is answered, and worked through later.
-- `body` may name who has signed for a parcel, so it goes when the message is worked through.
create table carrier_message (
    message_no      bigint      generated always as identity primary key,
    sender          text        not null,  -- as the secrets name it
    message_id      text        not null,
    body            bytea,
    received_at     timestamptz not null default moment(),
    tries           integer     not null default 0,
    try_after       timestamptz not null default moment(),
    tracking_number some_text,  -- it waits, because no parcel has this number, or these
    last_error      some_text,
    processed_at    timestamptz,
    outcome         some_text,
    constraint carrier_message_is_kept_once unique (sender, message_id),
    constraint carrier_body_goes_when_it_is_processed check ((processed_at is null) = (body is not null)),
    constraint carrier_outcome_is_told_when_it_is_processed check ((processed_at is null) = (outcome is null))
);
create index carrier_message_new on carrier_message (try_after, message_no) where processed_at is null and tries = 0;
create index carrier_message_again on carrier_message (try_after, message_no) where processed_at is null and tries > 0;
create index carrier_message_of_no_parcel on carrier_message (sender, tracking_number, message_no)
    where processed_at is null and tracking_number is not null;
create index carrier_message_processed on carrier_message (processed_at) where processed_at is not null;

create table carrier_event (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    event_id      text        not null,
    status        text        not null,
    happened_at   timestamptz not null,
    detail        some_text,
    received_at   timestamptz not null default moment(),
    -- carriers send the same event more than once
    primary key (order_no, fulfilment_id, event_id),
    constraint carrier_event_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);
create index carrier_event_by_time on carrier_event using brin (received_at) with (pages_per_range = 16, autosummarize = on);
