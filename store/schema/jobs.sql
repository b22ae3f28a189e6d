-- Long work: files that are taken in or written, and many things that are asked for at once.

create table job (
    job_id          text        primary key constraint job_has_an_id check (job_id ~ '^job_[a-z0-9]{20}$'),
    -- The list is that of domain.jobs.jobs.Kind.
    kind            text        not null constraint job_is_of_a_known_kind check (kind in (
        'import_orders', 'import_stock', 'import_items', 'import_kits', 'import_supplier_terms',
        'export_orders', 'export_stock', 'export_customers', 'export_ledger',
        'cancel_orders', 'hold_orders', 'release_orders', 'charge_orders', 'resolve_steps',
        'print_pick_list', 'print_packing_slips', 'print_labels', 'print_documents')),
    options         jsonb       not null default '{}',
    key_id          text,  -- or `staff:` and the login of somebody at a screen; null: a command has made it
    made_by         some_text   not null,
    -- What its maker sees, and so what it may touch. Null: all of them.
    channels        text[],
    sellers         text[],
    locations       text[],
    state           text        not null default 'waiting' constraint job_state_is_known check (
        state in ('waiting', 'running', 'done', 'cancelled', 'failed')),
    made_at         timestamptz not null default moment(),
    begun_at        timestamptz,
    ended_at        timestamptz,
    cancel_asked_at timestamptz,
    -- Every item has its row, or the export needs none.
    items_known     boolean     not null default false,
    total           integer,
    done            integer     not null default 0,
    refused         integer     not null default 0,
    skipped         integer     not null default 0,
    reached         jsonb,  -- the place behind what is read or written
    -- Customers that were erased while it ran: what was read of orders before is read anew.
    erased          integer     not null default 0,
    failure         some_text,
    failure_code    some_text,
    -- of the file that it writes
    file_name       some_text,
    media_type      some_text,
    -- When a worker calls for its workflow again: one that Temporal has lost goes on from the rows.
    next_call_at    timestamptz not null default moment(),
    constraint job_counts_no_more_than_its_items check (done >= 0 and refused >= 0 and skipped >= 0
        and done + refused + skipped <= coalesce(total, 2147483647)),
    constraint job_that_waits_has_not_begun check ((state = 'waiting') = (begun_at is null and ended_at is null)),
    constraint job_that_has_ended_says_when check ((state in ('done', 'cancelled', 'failed')) = (ended_at is not null)),
    constraint job_that_failed_says_why check (
        (state = 'failed') = (failure is not null) and (failure is null) = (failure_code is null)),
    constraint file_of_a_job_has_a_name_and_a_type check ((file_name is null) = (media_type is null))
);
create index job_newest on job (made_at desc, job_id desc);
create index job_to_call on job (next_call_at) where ended_at is null;
create index job_ended on job (ended_at) where ended_at is not null;

-- One thing of a job. What it says of a person goes as soon as it is dealt with.
create table job_item (
    job_id    text    not null constraint item_is_of_a_job references job on delete cascade,
    number    integer not null constraint items_are_numbered_from_one check (number > 0),
    content   jsonb,
    line      integer,
    reference some_text,  -- an order's id, a SKU and the like
    begun     boolean not null default false,  -- it may be done already: it is never skipped
    outcome   text    constraint item_outcome_is_known check (outcome in ('done', 'refused', 'skipped')),
    answer    some_text,
    code      some_text,
    detail    some_text,
    faults    jsonb,
    primary key (job_id, number),
    constraint content_goes_when_its_item_is_dealt_with check ((outcome is null) = (content is not null)),
    constraint refused_item_says_why check ((outcome is not distinct from 'refused') = (code is not null))
);
-- What is to be begun, and what has begun: whoever claims some of them reads no others.
create index job_item_waits on job_item (job_id, number) where outcome is null and not begun;
create index job_item_begun on job_item (job_id, number) where outcome is null and begun;
create index job_item_by_outcome on job_item (job_id, outcome, number);
create index job_item_by_reference on job_item (reference) where reference is not null;

-- The file that an import is made of, until its items have their rows; or the file that a job writes.
create table job_part (
    job_id  text    not null constraint part_is_of_a_job references job on delete cascade,
    number  integer not null constraint parts_are_numbered_from_one check (number > 0),
    content bytea   not null,
    -- When the orders were taken in that it tells of, from and to. Null: it tells of no order.
    since   timestamptz,
    until   timestamptz,
    primary key (job_id, number),
    constraint part_tells_of_a_span check ((since is null) = (until is null) and since <= until)
);
create index job_part_by_order on job_part (since, until) where since is not null;
