-- The floor of a warehouse: where goods lie, by which codes they are scanned, and what people do there.

-- A place within a location, such as a shelf or a box. `walk`: its turn in the walking order, the lowest first.
create table bin (
    location text    not null constraint bin_is_at_a_location references location on delete cascade,
    bin      text    not null constraint bin_has_a_name check (bin <> ''),
    zone     text    not null default '',
    walk     integer not null default 0,
    primary key (location, bin)
);

-- Where a SKU lies. `rank`: the lowest is looked at first. It says where to go, and counts nothing.
create table bin_item (
    location text    not null,
    sku      text    not null constraint bin_item_is_of_an_item references item,
    bin      text    not null,
    rank     integer not null default 0,
    primary key (location, sku, bin),
    constraint bin_item_is_in_a_bin foreign key (location, bin) references bin on delete cascade
);
create index bin_item_by_bin on bin_item (location, bin);

-- What is printed on goods, such as a GTIN. `units`: a code on a box of twelve stands for twelve.
create table item_code (
    code  text       primary key constraint item_code_is_of_a_size check (length(code) between 1 and 200),
    sku   text       not null constraint item_code_is_of_an_item references item,
    units some_units not null default 1
);
create index item_code_by_sku on item_code (sku);

-- Where somebody works, so that nobody chooses it again with each task.
create table scan_place (
    login    text primary key,
    location text not null constraint scan_place_is_a_location references location on delete cascade
);

-- A piece of work of one person with a scanner. It stands here, so that it goes on after a reload, on another
-- device, or with somebody else. A row goes some time after its end.
create table scan_run (
    run_no     bigint      generated always as identity primary key,
    kind       text        not null constraint scan_run_kind_is_a_word check (kind ~ '^[a-z][a-z-]*$'),
    location   text        not null constraint scan_run_is_at_a_location references location on delete cascade,
    login      text        not null,  -- who has it
    who        text        not null,  -- the same, as a story names them
    begun_at   timestamptz not null default moment(),
    changed_at timestamptz not null default moment(),
    ended_at   timestamptz,
    state      jsonb       not null,               -- domain/warehouse: each kind has its own
    facts      jsonb       not null default '[]',  -- decided, and not recorded yet
    request_id text,                               -- of the form that began it, which begins one run however often it comes
    -- The last scan that was taken, by its number and its mark, and the answer to it: for a repeat.
    last_seq   bigint      not null default 0,
    last_scan  text,
    answer     jsonb
);
create index scan_run_open on scan_run (location, run_no) where ended_at is null;
create unique index scan_run_of_request on scan_run (login, request_id) where ended_at is null;
create index scan_run_left_over on scan_run (changed_at) where facts <> '[]';
create index scan_run_ended on scan_run (ended_at) where ended_at is not null;

-- What an open run works on, such as a parcel: nobody else does meanwhile.
create table scan_run_part (
    part_id text   primary key,
    run_no  bigint not null constraint scan_run_part_is_of_a_run references scan_run on delete cascade
);
create index scan_run_part_by_run on scan_run_part (run_no);

-- What a carrier has taken at once, as it was signed for. Its number is that of its run.
create table manifest (
    manifest_no bigint      primary key,
    location    text        not null constraint manifest_is_of_a_location references location,
    carrier     text        not null,
    closed_at   timestamptz not null default moment(),
    who         text        not null,
    parcels     jsonb       not null  -- part_id and tracking_number of each
);
create index manifest_of_location on manifest (location, manifest_no);
