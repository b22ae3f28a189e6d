-- Trading partners, and every interchange that came from one or goes to one.

create table edi_partner (
    partner      text        primary key,
    definition   jsonb       not null,  -- domain.edi.partners.Partner
    -- Where its goods are sold, or who it is where we buy.
    channel      text        constraint partner_orders_through_a_channel references channel,
    supplier_id  text        constraint partner_is_a_supplier references supplier,
    -- Both parties on the envelope, and whether it is for tests: an interchange is of one partner.
    address      text        not null,
    retired      boolean     not null,
    -- The number of the last interchange that was written for it. They have no gaps.
    last_control integer     not null default 0
        constraint control_has_nine_digits check (last_control between 0 and 999999999),
    changed_by   text        not null,
    changed_at   timestamptz not null default moment(),
    constraint partner_is_a_customer_or_a_supplier check ((channel is null) <> (supplier_id is null))
);
create unique index edi_partner_by_address on edi_partner (address) where not retired;
create unique index edi_partner_by_supplier on edi_partner (supplier_id) where not retired;

-- An interchange as it came, or as it goes: written down before anything is done with it, and sent from here alone, so
-- that what is sent again is the same, with the same number. `raw` may name a person, and goes with it.
create table edi_interchange (
    interchange_no bigint      generated always as identity primary key,
    direction      text        not null
        constraint interchange_comes_or_goes check (direction in ('in', 'out')),
    partner        some_text,  -- null: nobody knows yet whose it is
    control        some_text,
    source         text        not null,  -- the file's name, or the key by which it came over HTTP
    raw            bytea,
    at             timestamptz not null default moment(),
    tries          integer     not null default 0,
    try_after      timestamptz not null default moment(),
    error          some_text,  -- why it could not be read, or sent
    done_at        timestamptz,  -- read, or sent
    outcome        some_text,
    constraint interchange_goes_to_a_partner check (direction = 'in' or partner is not null and control is not null)
);
create index edi_interchange_due on edi_interchange (direction, try_after, interchange_no) where done_at is null;
create index edi_interchange_by_control on edi_interchange (partner, direction, control);
create index edi_interchange_old on edi_interchange (done_at) where done_at is not null;
create unique index edi_control_is_given_once on edi_interchange (partner, control) where direction = 'out';

-- Each document in them. One that came waits until it is acted on; one that goes waits for its receipt, a 997.
create table edi_document (
    document_no    bigint      generated always as identity primary key,
    interchange_no bigint      not null
        constraint document_is_in_an_interchange references edi_interchange on delete cascade,
    place          integer     not null,  -- among the interchange's documents, from 0
    direction      text        not null,
    partner        text        not null,
    code           text        not null,
    group_control  text        not null,
    set_control    text        not null,
    reference      text        not null default '',  -- the number that it is about: an order's, a bill's
    -- What it is about here, and once: a document that goes is not written twice about the same.
    subject        some_text,
    order_id       some_text,
    po_id          some_text,
    state          text        not null constraint document_state_is_known check (state in (
        'waiting', 'done', 'rejected', 'refused', 'open', 'accepted')),
    note           some_text,
    tries          integer     not null default 0,
    try_after      timestamptz not null default moment(),
    error          some_text,    -- a person is needed
    settled_at     timestamptz,  -- who has seen to it
    receipt_due    timestamptz,  -- its 997 is awaited until then
    at             timestamptz not null default moment(),
    constraint document_has_its_place unique (interchange_no, place)
);
create unique index edi_document_goes_once on edi_document (partner, subject) where subject is not null;
create index edi_document_waiting on edi_document (try_after, document_no) where state = 'waiting';
create index edi_document_open on edi_document (receipt_due) where state = 'open';
create index edi_document_with_error on edi_document (document_no) where error is not null and settled_at is null;
create index edi_document_by_group on edi_document (partner, group_control) where direction = 'out';
create index edi_document_of_order on edi_document (order_id) where order_id is not null;
create index edi_document_of_purchase on edi_document (po_id) where po_id is not null;

-- An order that came by EDI, and what is still to be told of it. As long as its order, like its lines.
create table edi_order (
    order_id    text        primary key,
    partner     text        not null,
    asked       jsonb       not null,  -- domain.edi.asked.AskedOrder: as the customer numbered and counted it
    answered_at timestamptz,           -- its 855 was written
    told        jsonb,                 -- how each line stood when its customer heard of it last
    told_event  bigint      not null default 0,  -- what happened to it until then: an event's id
    error       some_text,             -- why what is due cannot be told
    ended_at    timestamptz,           -- nothing of it is told any more
    at          timestamptz not null default moment()
);
create index edi_order_to_tell on edi_order (order_id) where ended_at is null;
create index edi_order_with_error on edi_order (order_id) where error is not null;

-- Suppliers' invoices, each once: what was billed of a purchase order. A few for each one.
create table edi_bill (
    partner text        not null,
    number  text        not null,
    po_id   text        not null constraint bill_is_for_a_purchase_order references purchase_order,
    units   jsonb       not null,  -- SKU → units
    total   numeric     not null,
    at      timestamptz not null default moment(),
    primary key (partner, number)
);
create index edi_bill_of_purchase on edi_bill (po_id);
