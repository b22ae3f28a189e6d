-- What customers are told. A row holds no text, no name and no address: these are asked for when it is sent.

-- How far the sequence of events was read for messages. One row.
create table message_reading (
    only_one boolean primary key default true
        constraint there_is_one_message_reading check (only_one),
    cursor   bigint,  -- a position of event_out; null: no mail server was ever set
    secret   bytea,   -- what ids of mails are made with; null, as before
    -- What was told at the last reading: types of events by kind of channel, kinds of channels, lines that are no
    -- message. And since which position that holds: the audit looks whether each of them has its message.
    told      jsonb,
    told_from bigint
);
insert into message_reading default values;

create table message (
    order_no  bigint      not null,
    event_id  bigint      not null,  -- of the line of the order's story that it tells of
    kind      text        not null,
    state     text        not null constraint message_state_is_known check (state in (
        'planned', 'sending', 'sent', 'refused', 'bounced', 'dropped')),
    why       some_text,  -- it was dropped, refused or bounced
    -- Its address takes no mails at all.
    of_address boolean    not null default false,
    planned_at timestamptz not null default moment(),
    -- Not tried before. While it is being sent: taken for lost from then on. At its end: when that was.
    next_at   timestamptz not null default moment(),
    by        text,  -- `mail`, or the extension that sends texts; null until it is tried
    tries     integer     not null default 0,
    round     integer     not null default 1,  -- one more each time that somebody has it sent again
    holder    text,       -- the attempt that sends it
    begun_at  timestamptz,  -- the last attempt
    sent_at   timestamptz,
    mail_id   text,       -- its Message-ID
    language  text,
    answer    some_text,  -- the mail server's last one, without the address
    primary key (order_no, event_id),
    constraint message_that_is_sent_says_when check ((state in ('sent', 'bounced')) = (sent_at is not null)),
    constraint message_that_is_being_sent_has_a_holder check (state <> 'sending' or holder is not null)
);
create index message_due on message (next_at) where state in ('planned', 'sending');
create index message_by_mail on message (mail_id) where mail_id is not null;
create index message_begun on message (begun_at) where begun_at is not null;
-- For the list of tasks: few.
create index message_that_came_back on message (order_no) where state in ('refused', 'bounced');

-- Sellers' own templates, in the place of those that come with Orderloom.
create table message_template (
    seller   text        not null
        constraint template_is_of_a_seller references seller on update cascade,
    kind     text        not null,
    language text        not null,
    source   text        not null,
    set_at   timestamptz not null default moment(),
    set_by   text        not null,
    primary key (seller, kind, language)
);
