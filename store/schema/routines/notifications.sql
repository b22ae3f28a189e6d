-- Which line of a story is an event: its first words. What an order's units or the whole order are cancelled by
-- reads the same.
create or replace function event_word(effect text, what text) returns text language sql immutable
return case when what = 'cancelled' and effect not in ('close_order', 'release_stock') then 'units cancelled'
            else split_part(what, ':', 1) end;

-- Which server this is: it alone knows its transactions.
create or replace function this_server() returns text language sql stable as $$
    select system_identifier::text from pg_control_system()
$$;

-- Lines of stories that another server has written: their transactions are yet to come here. Their last id.
create or replace function last_from_elsewhere() returns bigint language sql stable as $$
    select coalesce(max(event_id), 0) from order_event where xact >= pg_snapshot_xmax(pg_current_snapshot())
$$;

-- The last event id that was given out, committed or not.
create or replace function last_event_id() returns bigint language sql volatile as $$
    select coalesce(pg_sequence_last_value('order_event_event_id_seq'), 0)
$$;

-- Somebody reads, or will: from now on events get positions, if they did not.
create or replace function events_wanted() returns void language plpgsql as $$
begin
    if exists (select from event_sequence where reading and read_at > moment() - interval '1 hour') then
        return;
    end if;
    update event_sequence s
    set read_at = moment(), reading = true,
        position = case when reading or position = 0 then position else position + 1 end,
        since = case when reading then since when position = 0 then 0 else position + 1 end, server = case when reading then server else this_server() end,
        horizon = case when reading then horizon
                       when server = this_server()
                           then greatest(horizon, pg_snapshot_xmin(pg_current_snapshot()))
                       else pg_snapshot_xmin(pg_current_snapshot()) end,
        floor = case when reading then floor else greatest(floor, last_from_elsewhere()) end,
        latest = case when reading then latest else last_event_id() end;
end $$;

-- Somebody asks for what happens to customers, or will: from now on that gets positions, if it did not. The position
-- in between tells a reader that something is missing.
create or replace function customers_wanted() returns void language plpgsql as $$
begin
    perform events_wanted();
    if exists (select from event_sequence
               where changes_horizon is not null and changes_read_at > moment() - interval '1 hour') then
        return;
    end if;
    update event_sequence
    set changes_read_at = moment(), changes_horizon = coalesce(changes_horizon, pg_snapshot_xmin(pg_current_snapshot())),
        position = case when changes_horizon is null then position + 1 else position end,
        changes_since = case when changes_horizon is null then position + 1 else changes_since end,
        changes_floor = case when changes_horizon is null then greatest(changes_floor, last_change_from_elsewhere())
                             else changes_floor end,
        changes_latest = case when changes_horizon is null then last_change_no() else changes_latest end;
end $$;

-- Changes that another server has written: their transactions are yet to come here. The last of them.
create or replace function last_change_from_elsewhere() returns bigint language sql stable as $$
    select coalesce(max(change_no), 0) from customer_change where xact >= pg_snapshot_xmax(pg_current_snapshot())
$$;

-- The last number of a change that was given out, committed or not.
create or replace function last_change_no() returns bigint language sql volatile as $$
    select coalesce(pg_sequence_last_value('customer_change_change_no_seq'), 0)
$$;

-- Gives positions to what happened to customers, before the lines of stories of the same moment: who has ordered for
-- the first time is known before the order is told. All that can be seen up to the horizon is taken at once, by the
-- numbers of changes: who changes a customer holds its row until the end, so the later change has the higher one.
create or replace function changes_sequenced(
    here event_sequence, whats text[], types_of text[], unread interval, out given bigint
) language plpgsql as $$
declare
    moved     boolean := here.server <> this_server();
    upto      xid8    := pg_snapshot_xmin(pg_current_snapshot());
    new_floor bigint  := here.changes_floor;
begin
    given := 0;
    if here.changes_horizon is null then
        return;
    end if;
    if here.changes_read_at < moment() - unread
       and not exists (select from event_subscription where state <> 'disabled' and types && types_of) then
        update event_sequence set changes_horizon = null;
        return;
    end if;
    if moved then
        new_floor := greatest(here.changes_latest, last_change_from_elsewhere());
    end if;
    with fresh as materialized (
        select change_no, customer_no, what, at from customer_change
        where not moved and xact >= here.changes_horizon and xact < upto and change_no > here.changes_floor
        union all
        select change_no, customer_no, what, at from customer_change
        where moved and (change_no > here.changes_latest or xact >= here.changes_horizon)
          and change_no > here.changes_floor and (xact < upto or change_no <= new_floor)
    ), told as (
        select here.position + row_number() over (order by change_no) as position, fresh.*, kind.type
        from fresh join unnest(whats, types_of) as kind (what, type) using (what)
    ), taken as (
        insert into event_out (position, customer_no, event_id, type, at)
        select position, customer_no, change_no, type, at from told
    ), counted as (
        select (select count(*) from told) as told, (select count(*) from fresh) as fresh
    ), kept as (
        update event_sequence
        set position = here.position + counted.told, changes_horizon = upto, changes_floor = new_floor,
            changes_latest = last_change_no()
        from counted
        where counted.fresh > 0 or moved
           or upto::text::bigint - here.changes_horizon::text::bigint > 100000
    )
    select told into given from counted;
end $$;

-- Gives positions to what was told since the last time, in one transaction, by one sequencer at a time: no
-- position is missing, none is seen before those below it, and an order's events keep the sequence of its story.
--
-- An event has its id long before it is committed. So nothing goes by ids: the horizon is a transaction below
-- which all have ended, and what they told can be seen. But of two transactions that wrote about one order, the one
-- with the lower number may have come second: it waited for the order's row. So an order's events are taken with
-- all that its story tells before them, also beyond the horizon; these are remembered until it has passed them.
--
-- `words`, `types`: which lines are events, and of which type; `whats`, `types_of`: which changes of customers are.
-- `at_most`: about so many lines at once; `more` says
-- that there are. Where nobody has read for `unread`, and nobody subscribes, it stops.
create or replace function events_sequenced(
    words text[], types text[], whats text[], types_of text[], at_most bigint, unread interval,
    out given bigint, out more boolean
) language plpgsql as $$
declare
    here      event_sequence;
    moved     boolean;
    upto      xid8;
    cut       xid8;
    new_floor bigint;
    changes   bigint;
begin
    given := 0;
    more := false;
    select * into here from event_sequence where reading for update skip locked;
    if not found then
        return;
    end if;
    if here.read_at < moment() - unread
       and not exists (select from event_subscription where state <> 'disabled') then
        update event_sequence set reading = false, changes_horizon = null;
        return;
    end if;
    changes := changes_sequenced(here, whats, types_of, unread);
    here.position := here.position + changes;
    moved := here.server <> this_server();
    new_floor := here.floor;
    here.latest := last_event_id();
    upto := pg_snapshot_xmin(pg_current_snapshot());
    if moved then
        -- Which lines are new here, and which came with the backup? Those that came have lower ids than all new ones.
        select greatest(latest, last_from_elsewhere()) into new_floor from event_sequence;
    else
        select xact into cut from order_event where xact >= here.horizon and xact < upto
        order by xact offset at_most limit 1;
        if cut = here.horizon then  -- One transaction alone has told more: all of it, then.
            select xact into cut from order_event where xact > here.horizon and xact < upto
            order by xact limit 1;
        end if;
        more := cut is not null;
        upto := coalesce(cut, upto);
    end if;
    with fresh as materialized (
        select order_no, event_id from order_event
        where not moved and xact >= here.horizon and xact < upto and event_id > here.floor
        union all
        select order_no, event_id from order_event, event_sequence s
        where moved and (event_id > s.latest or xact >= here.horizon) and event_id > here.floor
          and (xact < upto or event_id <= new_floor)
    ), due as (
        select e.order_no, e.event_id, e.effect, e.what, e.at, e.xact
        from (select order_no, max(event_id) as event_id from fresh group by order_no) last
        join order_event e on e.order_no = last.order_no and e.event_id <= last.event_id, event_sequence s
        where e.event_id > here.floor and (e.xact >= here.horizon or moved and e.event_id > s.latest)
          and not exists (select from event_taken_early t where t.event_id = e.event_id)
    ), told as (
        select here.position + row_number() over (order by event_id) as position, due.*, kind.type
        from due join unnest(words, types) as kind (word, type) on kind.word = event_word(effect, what)
    ), taken as (
        insert into event_out (position, order_no, event_id, type, at)
        select position, order_no, event_id, type, at from told
    ), early as (
        insert into event_taken_early (event_id, xact)
        select event_id, xact from told where xact >= upto and event_id > new_floor
    ), counted as (
        select (select count(*) from told) as told, (select count(*) from fresh) as fresh
    ), kept as (
        update event_sequence s
        set position = here.position + counted.told, horizon = upto, floor = new_floor, latest = here.latest,
            server = this_server()
        from counted
        -- Where nothing is told, nothing is written; only not to look at the same numbers for ever.
        where counted.fresh > 0 or moved or more or upto::text::bigint - here.horizon::text::bigint > 100000
    )
    select told into given from counted;
    delete from event_taken_early where xact < upto or event_id <= new_floor;
    given := given + changes;
    if given > 0 then
        perform pg_notify('event_out', '');
    end if;
end $$;

-- Whether an event is for a subscription. One about a customer is of no channel: it is for those who name its type.
create or replace function is_for(s event_subscription, its_type text, its_channel text, its_seller text)
returns boolean language sql immutable as $$
    select (its_channel is not null or s.types is not null) and (s.types is null or its_type = any(s.types)) and (s.channels is null or its_channel = any(s.channels))
       and (s.sellers is null or its_seller = any(s.sellers))
$$;

-- Whether there are events for a subscription that it has not looked at, up to a position.
create or replace function has_events(s event_subscription, upto bigint) returns boolean language sql stable as $$
    select exists (
        select from event_out e left join customer_order o using (order_no)
        where e.position > s.cursor and e.position <= upto and is_for(s, e.type, o.channel, o.seller))
$$;

-- waiting → retrying: nothing of the order, or of the customer, stands before it any more.
create or replace function follow_up(its_id text) returns void language sql as $$
    update event_delivery set state = 'retrying', next_at = moment()
    where delivery_id in (
        select distinct on (lane) delivery_id from event_delivery w
        where subscription_id = its_id and state = 'waiting'
          and not exists (select from event_delivery r
                          where r.subscription_id = its_id and r.lane = w.lane and r.state = 'retrying')
        order by lane, position)
$$;

-- When there is something to send to a subscription; null: nothing is left. Tests do not wait for its rest, and are
-- sent though it is not active.
create or replace function next_delivery(s event_subscription) returns timestamptz language sql stable as $$
    select least(
        (select min(next_at) from event_delivery
         where subscription_id = s.subscription_id and state = 'test'),
        case when s.state = 'active' then greatest(s.rest_until, least(
            (select min(next_at) from event_delivery
             where subscription_id = s.subscription_id and state in ('retrying', 'resending')),
            case when has_events(s, 9223372036854775807) then '-infinity'::timestamptz end,
            (select '-infinity'::timestamptz from event_delivery w  -- whoever should have seen to it died
             where subscription_id = s.subscription_id and state = 'waiting'
               and not exists (select from event_delivery r
                               where r.subscription_id = s.subscription_id and r.lane = w.lane
                                 and r.state = 'retrying')
             limit 1))) end)
$$;

-- An attempt of an activity begins: it alone delivers from now on, and another one that is still at it stops.
-- `latest`: the position up to which it looks.
create or replace function delivery_begins(its_id text, its_holder text, out s event_subscription, out latest bigint)
language plpgsql as $$
begin
    update event_subscription set holder = its_holder, called_at = moment()
    where subscription_id = its_id returning * into s;
    select position into latest from event_sequence;
    perform follow_up(its_id);
end $$;

-- Everything up to a position is dealt with, unless somebody has asked for a replay meanwhile. Answers when there
-- is something to do again, as next_delivery does.
create or replace function delivery_ends(its_id text, its_holder text, its_round integer, upto bigint)
returns timestamptz language plpgsql as $$
declare
    s  event_subscription;
    at timestamptz;
begin
    update event_subscription set cursor = upto
    where subscription_id = its_id and holder = its_holder and round = its_round and cursor < upto;
    perform follow_up(its_id);
    select * into s from event_subscription where subscription_id = its_id;
    at := next_delivery(s);
    if at is null or at > moment() then
        update event_subscription set called_at = null where subscription_id = its_id and holder = its_holder;
    end if;
    return at;
end $$;

-- What came of an attempt. `its_delivery`: null for an event that is sent for the first time. `its_pause`: until it
-- is tried again; null: it is a dead letter from now on. `counts`: its failure counts against the receiver.
-- `its_rest`: as long nothing is sent. `over`: why the subscription is disabled. Answers whether the caller goes on:
-- it is still the one who delivers, nobody has asked for a replay, and the subscription is active.
create or replace function attempt_made(
    its_id text, its_holder text, its_round integer, its_delivery bigint, its_message text, its_position bigint,
    its_order bigint, its_customer bigint, its_event bigint, its_type text, its_time timestamptz, is_delivered boolean, its_status integer,
    took integer, its_error text, its_answer text, its_pause interval, counts boolean, its_rest interval, over text
) returns boolean language plpgsql as $$
begin
    perform from event_subscription where subscription_id = its_id;
    if not found then
        return false;
    end if;
    insert into event_attempt (subscription_id, message_id, position, order_no, customer_no, type, round, delivered,
                               status, took_ms, error, answer)
    values (its_id, its_message, its_position, its_order, its_customer, its_type, its_round, is_delivered, its_status, took,
            nullif(its_error, ''), nullif(its_answer, ''));
    if is_delivered or its_position is null then
        delete from event_delivery where delivery_id = its_delivery;
    elsif its_delivery is null then
        insert into event_delivery (subscription_id, position, order_no, customer_no, event_id, type, at, state, tries,
                                    next_at, last_error)
        values (its_id, its_position, its_order, its_customer, its_event, its_type, its_time, 'retrying', 1, moment() + its_pause,
                its_error)
        on conflict (subscription_id, position) do nothing;
    else
        update event_delivery
        set tries = tries + 1, last_error = its_error, next_at = moment() + coalesce(its_pause, '0'),
            state = case when its_pause is null then 'dead' else state end
        where delivery_id = its_delivery;
    end if;
    if is_delivered then
        update event_subscription set failures = 0, failing_since = null, rest_until = null
        where subscription_id = its_id and (failures > 0 or failing_since is not null or rest_until is not null);
    elsif its_position is not null then
        update event_subscription
        set failures = failures + counts::integer, failing_since = coalesce(failing_since, moment()),
            rest_until = greatest(rest_until, moment() + its_rest),
            state = case when over is null or state <> 'active' then state else 'disabled' end,
            why = case when over is null or state <> 'active' then why else over end,
            disabled_at = case when over is null or state <> 'active' then disabled_at else moment() end
        where subscription_id = its_id;
    end if;
    return exists (select from event_subscription
                   where subscription_id = its_id and holder = its_holder and round = its_round
                     and state = 'active');
end $$;

-- A receiver's answer may repeat what was sent: where an order's person is erased, it goes.
create or replace function answers_erased() returns trigger language plpgsql as $$
begin
    update event_attempt set answer = null where order_no = new.order_no and answer is not null;
    return null;
end $$;
create or replace trigger person_is_erased after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null) execute function answers_erased();

-- The same where a customer is erased.
create or replace function answers_of_customer_erased() returns trigger language plpgsql as $$
begin
    update event_attempt set answer = null where customer_no = new.customer_no and answer is not null;
    return null;
end $$;
create or replace trigger customer_is_erased after update of erased_at on customer
    for each row when (new.erased_at is not null and old.erased_at is null)
    execute function answers_of_customer_erased();

-- The texts of a JSON array; null for null.
create or replace function texts_of(list jsonb) returns text[] language sql immutable as $$
    select case when jsonb_typeof(list) = 'array' then array(select jsonb_array_elements_text(list)) end
$$;
