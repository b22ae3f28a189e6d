-- Customers, as those know them who speak with them: one for each id that a channel gave, and one for each mail
-- address under which guests have ordered. Names, phones and addresses stand in the orders' persons alone.

create table customer (
    customer_no bigint      generated always as identity primary key,
    -- By which its orders are recognised (customer_key in routines/customers.sql): `id:` and the channel's id, or
    -- `mail:` and the address of a guest. Of one who is erased: `erased:` and the number, for ever.
    key         text        not null constraint customer_is_known_once unique,
    made_at     timestamptz not null default moment(),
    erased_at   timestamptz,
    -- The customer whose person this is as well. That one is merged into no other.
    into_no     bigint      constraint customer_is_merged_into_a_customer references customer,
    constraint erased_customer_is_known_by_number_alone check ((erased_at is null) = (key not like 'erased:%')),
    constraint only_another_customer_takes_one_in check (into_no <> customer_no),
    constraint erased_customer_is_merged_into_none check (erased_at is null or into_no is null)
);
create index customer_merged on customer (into_no) where into_no is not null;

-- Who has merged two customers, why, and who has undone it. Orders know nothing of it.
create table customer_merge (
    merge_no    bigint      generated always as identity primary key,
    customer_no bigint      not null constraint merge_is_of_a_customer references customer,
    into_no     bigint      not null constraint merge_is_into_a_customer references customer,
    who         text        not null,
    why         text        not null,
    merged_at   timestamptz not null default moment(),
    undone_at   timestamptz,
    undone_by   text,
    undone_why  text,
    constraint customer_is_merged_into_another check (customer_no <> into_no),
    constraint undone_merge_says_by_whom_and_why check (
        (undone_at is null) = (undone_by is null) and (undone_at is null) = (undone_why is null))
);
create unique index customer_is_merged_once_at_a_time on customer_merge (customer_no) where undone_at is null;
create index customer_merge_by_customer on customer_merge (customer_no);
create index customer_merge_by_target on customer_merge (into_no);

-- What somebody wrote down about a customer. It goes when the customer is erased.
create table customer_note (
    note_no     bigint      generated always as identity primary key,
    customer_no bigint      not null constraint note_is_about_a_customer references customer,
    contact     text        not null constraint contact_is_of_a_known_kind check (contact in (
        'call', 'mail', 'chat', 'letter', 'visit', 'other')),
    order_id    some_text,  -- the order that it is about
    note        text        not null,
    who         text        not null,
    at          timestamptz not null default moment()
);
create index customer_note_by_customer on customer_note (customer_no, note_no desc);

-- What a customer wishes to be told, and does not; the latest word counts. It goes when the customer is erased.
create table customer_consent (
    consent_no  bigint      generated always as identity primary key,
    customer_no bigint      not null constraint consent_is_of_a_customer references customer,
    kind        text        not null constraint consent_is_of_a_known_kind check (kind in (
        'marketing', 'reviews', 'delivery_updates', 'texts')),
    given       boolean     not null,
    how         text        not null,
    who         text        not null,
    at          timestamptz not null default moment()
);
create index customer_consent_by_customer on customer_consent (customer_no, kind, consent_no desc);

-- What other systems are told of customers, by numbers alone. A duty deletes it some time after.
create table customer_change (
    change_no   bigint      generated always as identity primary key,
    customer_no bigint      not null,
    what        text        not null constraint change_of_a_customer_is_known check (what in (
        'created', 'ordered', 'changed', 'merged', 'unmerged', 'consent_changed', 'segment_entered', 'segment_left',
        'erased')),
    into_no     bigint,
    segment     text,
    at          timestamptz not null default moment(),
    -- By which transaction: readers go by it, because a lower change_no may be committed later.
    xact        xid8        not null default pg_current_xact_id(),
    constraint merged_customer_is_in_another check ((what in ('merged', 'unmerged')) = (into_no is not null)),
    constraint segment_of_a_change_is_named check (
        (what in ('segment_entered', 'segment_left')) = (segment is not null))
);
create index customer_change_by_transaction on customer_change (xact, change_no);
create index customer_change_by_time on customer_change (at);

-- The last change that was deleted, in the sequence in which they are read: who has not read so far has missed some.
-- One row.
create table customer_change_forgotten (
    only_one  boolean primary key default true
        constraint one_change_was_forgotten_last check (only_one),
    xact      xid8    not null default '0',
    change_no bigint  not null default 0
);
insert into customer_change_forgotten default values;

-- Segments of customers (domain/customers/segments.py says what one is). A few rows, which go when somebody removes
-- them.
create table customer_segment (
    segment    text        primary key,
    document   jsonb       not null,
    changed_at timestamptz not null default moment(),
    changed_by text        not null
);

-- Who belonged to a segment when somebody looked last. What changes is told (customer_change).
create table customer_segment_member (
    customer_no bigint      not null constraint member_is_a_customer references customer,
    segment     text        not null,
    since       timestamptz not null default moment(),
    primary key (customer_no, segment)
);
create index customer_segment_member_by_segment on customer_segment_member (segment, customer_no desc);

-- Behind which customer the next look begins. One row.
create table customer_segment_look (
    only_one boolean primary key default true
        constraint there_is_one_look check (only_one),
    after    bigint  not null default 0
);
insert into customer_segment_look default values;
