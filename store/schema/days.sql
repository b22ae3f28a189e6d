-- The figures of each day: what was taken, sent and paid, and what was waiting. Pages read them, because counting
-- them would read all rows of the orders. A duty of the relay counts them; whatever happened can be counted again.

-- When a day was counted last. It is a seller's day. Of no seller (''): all of them together, by days of UTC.
-- `time_zone`: by which clock it was counted; null before that. A seller may move to another one.
create table day_count (
    seller     text        not null,
    day        date        not null,
    counted_at timestamptz not null default '-infinity',
    time_zone  text,
    took_ms    integer     not null default 0,
    primary key (seller, day)
);

create table day_figure (
    seller  text   not null,
    day     date   not null,
    figure  text   not null
        constraint figure_is_known check (figure in (
            'orders', 'worth', 'shipped', 'shipped_late', 'delivered', 'delivered_late', 'authorized', 'charged',
            'refunded', 'result', 'lost', 'lost_orders', 'open_orders', 'owed_back', 'leave_today', 'leave_late',
            'arrive_late', 'stock_out', 'stock_low', 'runs_out', 'tasks', 'reports_wait', 'starts_wait',
            'mails_wait', 'events_wait', 'backlog', 'backlog_wait')),
    channel text   not null,  -- '' where it is of none
    part    text   not null,  -- an hour from 00 to 23, a currency, a state; '' where there is none
    value   bigint not null,
    primary key (seller, day, figure, channel, part)
);

-- Orders that lost money on a day, the worst ones: something was booked for it on that day that lowers it, and all
-- that is booked for the order by then adds up to less than nothing.
create table day_loss (
    seller        text          not null,
    day           date          not null,
    order_no      bigint        not null,
    channel       text          not null,
    currency      currency_code not null,
    day_minor     bigint        not null,  -- the part of it that was booked on the day
    sold_minor    bigint        not null,  -- goods and shipping, without tax
    refunds_minor bigint        not null,
    cost_minor    bigint        not null,
    others_minor  bigint        not null,  -- fees, write-offs, carriers
    result_minor  bigint        not null generated always as (
        sold_minor - refunds_minor - cost_minor - others_minor) stored,
    primary key (seller, day, order_no, currency),
    constraint loss_is_below_zero check (day_minor < 0)
);
