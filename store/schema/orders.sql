-- Orders as people and tools read them, their stories, and what stops them.

-- The register of orders. The world names an order by its id, and every row that belongs to one carries
-- its number: that is short, and grows with the time, so that rows of old orders lie together.
create table customer_order (
    order_no         bigint        generated always as identity primary key,
    order_id         text          not null constraint order_id_is_of_one_order unique,
    -- Where it comes from, and for whom it was sold then. No references: each order would lock the rows of
    -- its channel and its seller. Who takes it in has read both.
    channel          text          not null,
    seller           text          not null,
    channel_order_id text          not null,
    -- of the document: tells the same order from another one
    digest           text          not null,
    -- as it was placed, without what is about a person: that stands in order_person
    document         jsonb         not null,
    currency         currency_code not null,
    total_minor      minor_units   not null,
    placed_at        timestamptz   not null,
    received_at      timestamptz   not null default moment(),
    -- By which the order goes, whole: a change of the defaults alters no order that was taken in.
    policy           jsonb         not null,
    -- What changes stands last, so that a change writes little of the row. What the workflow decided.
    decided_at       timestamptz   not null default moment(),
    decision         text          not null default 'received'
        constraint decision_is_known check (decision in (
        'received', 'confirmed', 'rejected', 'cancelled', 'closed')),
    -- How far it has come: kept by the triggers in routines/orders.sql, because lists ask for it. No index
    -- has any of what changes.
    state             text         not null default 'received'
        constraint state_is_known check (state in (
        'received', 'held', 'confirmed', 'in_fulfilment', 'delivered', 'closed', 'rejected',
        'cancelled')),
    fulfilment_status text         not null default 'unfulfilled'
        constraint fulfilment_status_is_known check (fulfilment_status in (
        'unfulfilled', 'partly_fulfilled', 'fulfilled')),
    reason           some_text,
    -- The number first, because people ask for it without its channel.
    constraint channel_number_is_of_one_order unique (channel_order_id, channel)
)
-- A row of more than 2 KB keeps its document apart, so that a changed state does not write that again.
with (toast_tuple_target = 256, fillfactor = 85);
create index customer_order_by_received on customer_order (received_at desc, order_no desc);
create index customer_order_by_channel on customer_order (channel, received_at desc, order_no desc);
create index customer_order_by_placed on customer_order (placed_at desc, order_no desc);
-- Orders of which a person says when they are charged. What an order's policy says of that never changes.
create index customer_order_charged_by_hand on customer_order (order_no) where policy ->> 'charge' = 'manual';

-- The words of a person's names, for the search. A Korean name is one word: its given name alone is found as well.
create function words_of_names(person jsonb) returns tsvector language plpgsql immutable as $$
declare
    names text := normalize(concat_ws(' ', person #>> '{customer,name}', person #>> '{customer,company}',
                                      person #>> '{address,name}', person #>> '{billing,name}'));
begin
    return to_tsvector('simple', concat_ws(' ', names,
        case when names ~ '[가-힣]{3}' then regexp_replace(names, '(^|[^가-힣])[가-힣]([가-힣]{2,})', '\1\2', 'g') end));
end $$;

-- Who ordered, and where it goes: what is about a person stands here, and in no other row of the order.
-- `person`: those parts of the order's document, or what is left of them once they are erased.
create table order_person (
    order_no    bigint      primary key
        constraint person_is_of_an_order references customer_order,
    customer_id text        not null,
    person      jsonb       not null,
    -- What the person was in earlier versions of the order, by their number; and what is kept for edits that
    -- are not applied yet, by their request.
    earlier     jsonb       not null default '{}',
    wished      jsonb       not null default '{}',
    asked_at    timestamptz,  -- somebody has asked to erase it, which is done once the order has ended
    erased_at   timestamptz
);
create index order_person_by_customer on order_person (customer_id, order_no desc);
create index order_person_by_country on order_person ((person #>> '{address,country}'), order_no desc);
create index order_person_by_email on order_person (lower(person #>> '{customer,email}'))
    where person #>> '{customer,email}' is not null;
-- A phone's last digits: of the number backwards, its beginning.
create index order_person_by_phone_end
    on order_person (reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) text_pattern_ops)
    where person #>> '{customer,phone}' is not null and erased_at is null;
-- Words of names and their beginnings. Little is put off, so that no order waits long for what others put off.
create index order_person_by_name on order_person using gin (words_of_names(person))
    with (gin_pending_list_limit = 256) where erased_at is null;
create index order_person_to_erase on order_person (order_no) where asked_at is not null and erased_at is null;
create index order_person_unerased on order_person (order_no) where erased_at is null;

-- Versions of an order's document that a later one has taken the place of; an order that was never changed has
-- none. The present one is the order's own, and its number is one more than the highest here. `changes`: what
-- the edit changed that ended it, in words, without what is about a person. As long as its order, like its lines.
create table order_version (
    order_no    bigint      not null constraint order_version_is_of_an_order references customer_order,
    version     integer     not null constraint versions_count_from_one check (version > 0),
    document    jsonb       not null,  -- as customer_order had it, without the person
    total_minor minor_units not null,
    request_id  text        not null,
    changes     jsonb       not null,
    reason      text        not null,
    who         text        not null,
    changed_at  timestamptz not null default moment(),
    primary key (order_no, version),
    constraint a_request_changes_an_order_once unique (order_no, request_id)
);

-- Orders by their state: all but the closed ones, which are nearly all. It stands apart, kept by triggers, so
-- that no index of customer_order has to be written when an order's state changes.
create table order_in_state (
    order_no    bigint      primary key,
    state       text        not null,
    received_at timestamptz not null
);
create index order_in_state_by_state on order_in_state (state, received_at desc, order_no desc);

-- Orders on record whose workflow has not begun. Its first step takes the row away.
create table order_to_start (
    order_no    bigint      primary key
        constraint order_to_start_is_an_order references customer_order,
    bulk        boolean     not null,  -- its work lets that of others pass
    -- When the relay looks after it: the program that took it in has until then.
    start_after timestamptz not null
);
create index order_to_start_by_time on order_to_start (start_after);

create table order_line (
    order_no           bigint      not null
        constraint order_line_is_of_an_order references customer_order,
    line_id            text        not null,
    position           integer     not null,
    sku                text        not null constraint order_line_is_of_an_item references item,
    ordered            some_units  not null,
    backordered        units       not null default 0,
    allocated          units       not null default 0,
    picked             units       not null default 0,
    shipped            units       not null default 0,
    delivered          units       not null default 0,
    lost               units       not null default 0,
    cancelled          units       not null default 0,
    return_requested   units       not null default 0,
    returned           units       not null default 0,
    -- What the whole line is worth, shares of discount and shipping included.
    goods_minor        minor_units not null,
    tax_minor          minor_units not null,
    shipping_minor     minor_units not null,
    shipping_tax_minor minor_units not null,
    includes_tax       boolean     not null default false,  -- the customer saw prices with tax
    -- How its units come to the customer, as it was settled at intake: a later change of the item alters no order.
    handling           text        not null default 'shipped'
        constraint line_handling_is_known check (
            handling in ('shipped', 'pick_up', 'counter', 'digital', 'made_to_order', 'drop_ship', 'service')
            or handling ~ '^x:[a-z0-9][a-z0-9_-]*$'),  -- a workshop's
    open               bigint      generated always as
        (ordered - backordered - allocated - shipped - cancelled) stored,
    primary key (order_no, line_id),
    constraint units_of_a_line_are_at_one_place_each check (
        backordered + allocated + shipped + cancelled <= ordered),
    constraint picked_is_at_most_allocated check (picked <= allocated),
    constraint delivered_and_lost_is_at_most_shipped check (delivered + lost <= shipped),
    constraint returned_and_to_return_is_at_most_delivered check (
        return_requested + returned <= delivered)
);
create index order_line_by_sku on order_line (sku, order_no desc);
-- What is to be bought for its order.
create index order_line_to_buy on order_line (order_no)
    where handling in ('made_to_order', 'drop_ship') and backordered > 0;

-- What happened to each order: what, when, who, why. Append-only.
create table order_event (
    order_no bigint      not null constraint order_event_is_of_an_order references customer_order,
    event_id bigint      generated always as identity,
    effect   text        not null,  -- the step that tells it
    what     text        not null,
    who      text        not null,
    why      some_text,
    data     jsonb       not null default '{}',
    at       timestamptz not null default moment(),
    -- By which transaction: the sequence of events that others are told goes by it (notifications.sql).
    xact     xid8        not null default pg_current_xact_id(),
    primary key (order_no, event_id)
);
create index order_event_by_transaction on order_event (xact);

-- What the steps of an order have done: a step that runs again finds its row, changes nothing, and answers
-- as before. Written in the transaction of the effect. An order that has ended needs them only for
-- attempts that are still under way, so later they go, all of an order together.
create table effect (
    order_no bigint      not null constraint effect_is_of_an_order references customer_order,
    effect   text        not null,
    answer   jsonb,       -- null where the step answers nothing; of the end, which one it was
    ended_at timestamptz, -- of the effect 'ended', which every order that has ended has until they go
    primary key (order_no, effect),
    constraint only_the_end_has_a_time check ((ended_at is null) = (effect <> 'ended'))
);
create index effect_of_ended_orders on effect (ended_at) where ended_at is not null;

-- What people who work with an order leave for each other. It goes when the order's person is erased.
create table order_note (
    order_no bigint      not null constraint note_is_on_an_order references customer_order,
    note_no  integer     not null constraint notes_count_from_one check (note_no > 0),
    note     some_text   not null,
    who      text        not null,
    pinned   boolean     not null,  -- it stands on top of the order's page
    at       timestamptz not null default moment(),
    primary key (order_no, note_no)
);

-- What waits for a person.
create table attention (
    order_no    bigint      not null constraint attention_is_of_an_order references customer_order,
    step        text        not null,
    reason      text        not null,
    -- With which answers a person can resolve it; none where it ends by itself.
    allowed     text[]      not null default '{}',
    since       timestamptz not null default moment(),
    resolved_at timestamptz,
    resolution  some_text,
    primary key (order_no, step, since)
);
create unique index attention_is_raised_once_at_a_time on attention (order_no, step)
    where resolved_at is null;

-- Why an order does not go on until a person or a rule lets it. One for its payment is the order's own: P1, P2
-- and so on. While one of the others stands, H1, H2 and so on, nothing of the order is handed over.
create table order_hold (
    order_no    bigint      not null constraint order_hold_is_of_an_order references customer_order,
    hold_id     text        not null,
    reason      text        not null constraint hold_has_a_known_reason check (reason in (
        'payment', 'fraud_review', 'address', 'stock', 'awaiting_return', 'other')),
    note        text        not null,
    owner       some_text   not null,  -- who is to see to it: a role, or somebody's name
    who         text        not null,  -- who has placed it
    rule        some_text,             -- which rule has placed it; null: a person, or the order
    told        boolean     not null default false,  -- its customer was, and is told when the order goes on
    since       timestamptz not null default moment(),
    until       timestamptz,           -- then it ends by itself
    at_end      text        constraint hold_ends_in_a_known_way check (at_end in ('release', 'reject')),
    asked_at    timestamptz,           -- when the order was last asked to reject itself, or its address was looked at
    check_until timestamptz,           -- it stands until its address is checked, and that is tried until then
    released_at timestamptz,
    released_by text,
    end_note    some_text,
    primary key (order_no, hold_id),
    constraint hold_id_says_for_what check (hold_id ~ case reason when 'payment' then '^P[0-9]+$' else '^H[0-9]+$' end),
    constraint only_a_rule_has_an_address_checked check (check_until is null or rule is not null),
    constraint deadline_of_a_hold_has_an_end check ((until is null) = (at_end is null)),
    constraint released_hold_says_by_whom check ((released_at is null) = (released_by is null))
);
create index order_hold_open on order_hold (order_no) where released_at is null;
create index order_hold_to_check on order_hold (since) where released_at is null and check_until is not null;
create index order_hold_until on order_hold (until) where released_at is null and until is not null;

-- What an order answered to requests that have an id. Written before the answer is given.
create table answered_request (
    order_no    bigint      not null
        constraint answered_request_is_of_an_order references customer_order,
    request_id  text        not null,
    digest      text        not null,  -- of what was asked: a repeat is told from another request
    outcome     jsonb       not null,
    answered_at timestamptz not null default moment(),
    primary key (order_no, request_id)
);

-- Rules that hold orders as they are taken in (domain/orders/hold_rules.py says what one is). A few rows, which
-- go when somebody removes them.
create table hold_rule (
    rule       text        primary key,
    document   jsonb       not null,
    changed_at timestamptz not null default moment(),
    changed_by text        not null
);

-- The shop's own lists of customers and addresses whose orders are held: hashes, which tell what is on a list only
-- to one who asks for it. An entry goes when somebody takes it off.
create table hold_listing (
    list     text        not null,
    kind     text        not null
        constraint listed_kind_is_known check (kind in ('customer_id', 'email', 'name', 'phone', 'postal_code')),
    digest   bytea       not null constraint listed_digest_is_whole check (length(digest) = 32),
    added_at timestamptz not null default moment(),
    added_by text        not null,
    primary key (list, kind, digest)
);
create index hold_listing_by_digest on hold_listing (digest);
